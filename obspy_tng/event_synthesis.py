"""generate() for one earthquake: HEGGS, from where it was and how large, to a Stream for any place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from obspy import Stream, Trace, UTCDateTime
from obspy.core import AttribDict

from obspy_tng import conditions, event_scatter, sampling
from obspy_tng import origin_spectrogram as spectrogram
from obspy_tng.assembly import COMPONENTS
from obspy_tng.errors import ModelError, StationError, TNGError
from obspy_tng.preprocessing import NPTS, SAMPLING_RATE_HZ, land
from obspy_tng.provenance import base36, mark

DEFAULT = "heggs-ridgecrest-1"
SAMPLER = "ddim:12"
LAST_S = NPTS / SAMPLING_RATE_HZ - conditions.ORIGIN_AT_S  # end of the window, after the origin
_EVENT = "(latitude, longitude, depth in km, magnitude) or an obspy Event with origin and magnitude"


def generate_event(
    station: str | None, numbers, *, event=None, source=None, coordinates=None, model=None, sampler: str | None = None,
    seed: int, starttime=None, instrument: str = "X", device: str = "cpu", scatter: bool = True,
) -> Stream:  # fmt: skip
    """Generate accelerograms of one earthquake; what `generate` does when it is given an event.

    Parameters
    ----------
    station : str or None
        A station the model was trained on (its coordinates are taken), or with `coordinates` any name.
    numbers : sequence of int
        Realisations to make.
    event : tuple or obspy.core.event.Event, optional
        Latitude, longitude (degrees), depth (km), magnitude. That of `source` when left out.
    source : Record, obspy.Stream or path, optional
        A record of the earthquake at another station; files that do not tell their unit are taken to be in m/s².
        Without it the motion starts from noise.
    coordinates : tuple of float, optional
        Latitude, longitude and, if known, elevation in m of the place.
    model : HeggsGenerator, str or path, optional
        ``"heggs"`` or None: the default one.
    sampler : str, optional
        ``"ddim:12"`` (steps may be chosen) or ``"direct"``; see `models.heggs_generator`.
    scatter : bool
        Draw amplitudes around the median as records scatter, see `obspy_tng.event_scatter`; False: the median.
        Without effect where the model's card does not tell how they do.

    Returns
    -------
    obspy.Stream
        3 traces per realisation, E N Z, 6000 samples at 100 Hz, m/s². The earthquake begins
        ``stats.tng.origin_after_start_s`` after the first sample; predicted P and S are there, too.

    Raises
    ------
    StationError
        The place is not known.
    ModelError
        The model is no HEGGS, or the sampler is not known.
    TNGError
        Event or source cannot be used, or S would arrive after the end of the window.

    Notes
    -----
    The network makes the median of a condition: on Ridgecrest ln PGA of its realisations scatters by 0.10, that of real
    records around them by 0.64. `scatter` makes up for that in amplitude, by a term that all places of the earthquake
    share (same seed and number) and one of the place; spectrum, H/V and durations of the realisations stay alike.
    Durations (D5-95) are a fifth too short.
    """
    from obspy_tng.models.cores import one_thread

    loaded = _model(model, device)
    sampler = SAMPLER if sampler in (None, "ddim") else sampler
    name, _, steps = sampler.partition(":")
    if steps and not (steps.isdigit() and int(steps)):
        raise ModelError(f"sampler {sampler!r} not known; accepted: 'direct', 'ddim:12' (1 step or more)")
    record = _record(source) if source is not None else None
    quake, origin_time = _event(event, record)
    code, place = _place(station, coordinates, loaded)
    c = conditions.check([*place[:2], *quake])
    rows = None if record is None else _source_rows(record, quake, loaded)[None]
    p_s, s_s = (float(x) for x in loaded.travel_times(c)[0])
    if s_s > LAST_S:
        raise TNGError(
            f"place and earthquake are {conditions.hypocentral_km(c)[0]:.0f} km apart: S would arrive {s_s:.0f} s "
            f"after the origin, and the window ends {LAST_S:.0f} s after it; accepted: nearer ones"
        )
    if starttime is not None:
        start = UTCDateTime(starttime)
    else:
        start = UTCDateTime(0) if origin_time is None else origin_time - conditions.ORIGIN_AT_S
    network, _, site = code.rpartition(".")
    stream = Stream()
    with one_thread():
        for i in numbers:
            rng = sampling.child(seed, i, "{:.6f} {:.6f}".format(*place[:2]))
            ln = loaded.ln_amplitude(c, rng, rows, name, int(steps or 1))
            wave = land(loaded.waves(ln, rng))[0]
            if not np.isfinite(wave).all():
                raise TNGError(f"{loaded.name} makes no finite motion of {c[0].tolist()}: too far from what it learned")
            drawn = None
            if scatter and loaded.scatter:
                drawn = event_scatter.draw(loaded.scatter, seed, i, quake, place[:2])
                wave = wave * np.exp(sum(drawn))
            made = {
                "model": loaded.name, "weights_sha256": loaded.sha256, "pool_kind": "event", "station": code,
                "seed": seed, "realization": i, "sampler": sampler, "coordinates": [float(x) for x in place[:2]],
                "event": [float(x) for x in quake], "source": record.id if record is not None else None,
                "origin_after_start_s": conditions.ORIGIN_AT_S,
                **({} if drawn is None else {"ln_scatter": [round(x, 6) for x in drawn]}),
                "p_s": round(conditions.ORIGIN_AT_S + p_s, 3), "s_s": round(conditions.ORIGIN_AT_S + s_s, 3),
            }  # fmt: skip
            for component, row in zip(COMPONENTS, wave, strict=True):
                header = dict(
                    network=network, station=site, location=base36(i), channel=f"H{instrument}{component}",
                    sampling_rate=SAMPLING_RATE_HZ, starttime=start,
                )  # fmt: skip
                trace = Trace(data=np.ascontiguousarray(row, dtype=np.float32), header=header)
                trace.stats.coordinates = AttribDict(latitude=place[0], longitude=place[1], elevation=place[2])
                stream.append(mark(trace, made))
    return stream


def _model(model, device):
    from obspy_tng.models import load_model

    loaded = model
    if not hasattr(model, "network"):
        try:
            loaded = load_model(DEFAULT if model in (None, "heggs") else model, device=device)
        except ModelError as err:
            if model not in (None, "heggs"):
                raise
            raise ModelError(
                f"HEGGS's weights ({DEFAULT}) are no part of the package: train them with 'obspy-tng train CORPUS "
                f"--model heggs --out FOLDER' and give model=FOLDER, or their file"
            ) from err
    if loaded.card["model"] != "heggs":
        raise ModelError(f"model {loaded.name} makes motion of pools, not of one earthquake; accepted: a HEGGS")
    return loaded


def _record(source):
    """Return the one record of a source."""
    from obspy_tng.record import Record, read_records, records, require_mps2

    if isinstance(source, Record):
        found = [source]
    else:
        read = records if isinstance(source, Stream) else read_records
        found = read(source)
        if any(r.units != "m/s2" for r in found):
            found = read(source, units="m/s2")
        if len(found) != 1:
            reasons = "; ".join(f"{n}: {r}" for n, r in found.skipped[:3])
            raise TNGError(f"source holds {len(found)} usable records; one is needed {reasons}")
    require_mps2(found, "a source")
    return found[0]


def _event(event, record):
    """Return latitude, longitude, depth, magnitude, and the origin time or None."""
    if event is None:
        if record is None:
            raise TNGError(f"HEGGS generates earthquakes: give event={_EVENT}, or a source= that knows its own")
        quake = [getattr(record, field) for field in conditions.FIELDS[2:]]
        if not np.isfinite(quake).all():
            raise TNGError(f"source {record.id} does not know its earthquake; give event={_EVENT}")
        return quake, record.origin_time
    if hasattr(event, "origins"):
        from obspy_tng.events import EventTable

        known = EventTable([event]).events
        if not known or not np.isfinite(known[0].magnitude):
            raise TNGError(f"the event has no origin or no magnitude; accepted: {_EVENT}")
        one = known[0]
        return [one.latitude_deg, one.longitude_deg, one.depth_km, one.magnitude], one.origin_time
    try:
        quake = [float(x) for x in event]
    except (TypeError, ValueError):
        quake = []
    if len(quake) != 4:
        raise TNGError(f"event {event!r} given; accepted: {_EVENT}")
    return quake, None


def _place(station, coordinates, model):
    """Return NET.STA and (latitude, longitude, elevation) of the place."""
    if coordinates is not None:
        try:
            place = [float(x) for x in coordinates]
        except (TypeError, ValueError):
            place = []
        if len(place) not in (2, 3):
            raise TNGError(f"coordinates {coordinates!r} given; accepted: (latitude, longitude) or with elevation in m")
        return station or "XX.SITE", (*place, 0.0)[:3]
    if station is None:
        raise TNGError("say for which place: station= or coordinates=(latitude, longitude)")
    match = [k for k in model.places if station in (k, k.rpartition(".")[2])]
    if len(match) != 1:
        raise StationError(
            f"where station {station!r} is {model.name} does not know; give coordinates=, or one of "
            f"{', '.join(sorted(model.places))}"
        )
    return match[0], tuple(model.places[match[0]])


def _source_rows(record, quake, model):
    """Return the spectrogram of the source on the axis from the origin, told from its P onset."""
    if not np.isfinite(record.latitude_deg + record.longitude_deg):
        if record.code not in model.places:
            raise TNGError(f"where source {record.id} was recorded is not known: give its stream coordinates")
        latitude, longitude, _ = model.places[record.code]
        record = replace(record, latitude_deg=latitude, longitude_deg=longitude)
    c = conditions.check([record.latitude_deg, record.longitude_deg, *quake])
    return spectrogram.rows(record, conditions.origin_from_p(record, model.travel_times(c)[0, 0]))
