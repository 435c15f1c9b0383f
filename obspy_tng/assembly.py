"""From the traces of one sensor to one three-component record: joining, checking, units, orientation.

Whatever cannot be put right without inventing samples raises `RecordError` with the reason; `records` lists it.
"""

from __future__ import annotations

import numpy as np
from obspy import Stream, Trace, UTCDateTime

from obspy_tng.errors import RecordError
from obspy_tng.grouping import LETTERS, TRIPLES, component, not_a_triple
from obspy_tng.response import has_response, sensitivities, to_acceleration

COMPONENTS = "ENZ"  # the order of rows everywhere
RATES_HZ = (1e-3, 1e6)  # beyond, the header is rubbish: times overflow, and resampling fills the memory
UNITS = {"m/s2": 1.0, "cm/s2": 0.01, "gal": 0.01, "g": 9.80665}  # factor to m/s²

# the readers whose calib makes m/s² of the file's numbers
_CALIBRATED = ("dyna", "nsmn", "at2", "knet", "matlab", "tng", "simulation")


def assemble(cluster: list[Trace], inventory, units: str | None, need_response: bool = True) -> dict:
    """Return the fields of a Record made of the traces of one sensor that belong together; see `record.records`."""
    by_letter: dict[str, Trace] = {}
    for channel in sorted({t.stats.channel for t in cluster}):
        pieces = [t for t in cluster if t.stats.channel == channel]
        trace = _join(pieces, channel)
        letter = component(trace)
        if not letter:
            raise RecordError(f"component of channel {channel!r} not known; accepted endings: {' '.join(LETTERS)}")
        if letter in by_letter:
            raise RecordError(f"two channels for component {letter}: {by_letter[letter].id}, {trace.id}")
        by_letter[letter] = trace
    names = next((n for n in TRIPLES if set(n) == set(by_letter)), None)
    if names is None:
        raise RecordError(not_a_triple([t.stats.channel for t in by_letter.values()]))
    traces = [by_letter[name] for name in names]
    rates = {t.stats.sampling_rate for t in traces}
    if len(rates) > 1:
        raise RecordError(f"components differ in sampling rate: {', '.join(f'{r:g}' for r in sorted(rates))} Hz")
    if not RATES_HZ[0] <= min(rates) <= RATES_HZ[1]:
        raise RecordError(f"sampling rate {min(rates):g} Hz given; accepted: {RATES_HZ[0]:g} to {RATES_HZ[1]:g} Hz")
    data, start = _common_window(traces)
    _check(data, [t.stats.channel for t in traces])
    stats = traces[0].stats
    data, unit = _to_mps2(data, traces, start, inventory, units, need_response)
    data, oriented = _orient(data, traces, start, inventory)
    coordinates = _coordinates(traces[0], start, inventory)
    event, (p_s, s_s) = _event(stats), _file_onsets(traces, start)
    return dict(
        data=np.ascontiguousarray(data, dtype=np.float64),
        sampling_rate=float(stats.sampling_rate), starttime=start,
        network=stats.network, station=stats.station, location=stats.location,
        channels=tuple(t.stats.channel for t in traces), units=unit, oriented=oriented,
        latitude_deg=coordinates[0], longitude_deg=coordinates[1], elevation_m=coordinates[2],
        vs30_mps=float(stats.get("site", {}).get("vs30_mps", np.nan)),
        p_s=p_s, s_s=s_s, onset_source="pick" if np.isfinite(s_s) else "", source=stats.get("source_file", ""),
        **event,
    )  # fmt: skip


def _event(stats) -> dict:
    """Return what the file says of the earthquake (stats.event, SAC or K-NET headers) as fields of a Record."""
    event, sac = stats.get("event"), stats.get("sac", stats.get("knet", {}))
    if event is None and "evla" in sac and "evlo" in sac:
        event = {"latitude_deg": sac["evla"], "longitude_deg": sac["evlo"], "id": sac.get("kevnm", "").strip()}
        if "evdp" in sac:
            event["depth_km"] = sac["evdp"]
        if "mag" in sac:
            event["magnitude"] = sac["mag"]
        if "evot" in sac:
            event["origin_time"] = sac["evot"]
        if "o" in sac:
            event["origin_time"] = stats.starttime - sac.get("b", 0.0) + sac["o"]
    event = event or {}
    origin = event.get("origin_time")
    return {
        "event_id": str(event.get("id", "")), "origin_time": UTCDateTime(origin) if origin is not None else None,
        "event_latitude_deg": float(event.get("latitude_deg", np.nan)),
        "event_longitude_deg": float(event.get("longitude_deg", np.nan)),
        "event_depth_km": float(event.get("depth_km", np.nan)), "magnitude": float(event.get("magnitude", np.nan)),
    }  # fmt: skip


def _file_onsets(traces, start) -> tuple[float, float]:
    """Return P and S onset in s after `start` where the file itself holds them, NaN otherwise."""
    for trace in traces:
        stats = trace.stats
        lag = start - stats.starttime
        made, mat, sac = stats.get("simulation", {}), stats.get("matlab", {}), stats.get("sac", {})
        begin = sac.get("b", 0.0)
        for p, s in (
            (made.get("p_s"), made.get("s_s")),
            (mat.get("PTIME"), mat.get("STIME")),
            (sac["a"] - begin if "a" in sac else None, sac["t0"] - begin if "t0" in sac else None),
        ):
            if p is not None and np.isfinite(p) and p > 0:
                known = s is not None and np.isfinite(s) and s > p
                return float(p) - lag, float(s) - lag if known else np.nan
    return np.nan, np.nan


def _join(pieces: list[Trace], channel: str) -> Trace:
    """Join contiguous pieces of one channel; a gap or a disagreeing overlap is a reason, never a fill."""
    pieces = sorted(pieces, key=lambda t: t.stats.starttime)
    for piece in pieces:
        if np.ma.isMaskedArray(piece.data):
            raise RecordError(f"gap in {channel}: masked samples")
        if piece.stats.npts == 0:
            raise RecordError(f"{channel} holds no samples")
    if len(pieces) == 1:
        return pieces[0]
    for what in ("sampling_rate", "calib"):
        if any(p.stats[what] != pieces[0].stats[what] for p in pieces):
            raise RecordError(f"pieces of {channel} differ in {what.replace('_', ' ')}")
    end, delta = pieces[0].stats.endtime, pieces[0].stats.delta
    for piece in pieces[1:]:
        missing = piece.stats.starttime - end - delta
        if missing > 0.5 * delta:
            raise RecordError(f"gap of {missing:.2f} s in {channel} at {end}")
        end = max(end, piece.stats.endtime)  # a repeated packet may end before its predecessor
    merged = Stream([p.copy() for p in pieces])
    if len({p.data.dtype for p in pieces}) > 1:  # merge refuses, as after a recorder's change of encoding
        for piece in merged:
            piece.data = piece.data.astype(np.float64)
    merged.merge(method=0)  # disagreeing overlaps become masked
    if len(merged) != 1 or np.ma.isMaskedArray(merged[0].data):
        raise RecordError(f"pieces of {channel} overlap and disagree")
    return merged[0]


def _common_window(traces: list[Trace]) -> tuple[np.ndarray, UTCDateTime]:
    """Return the samples all three components share, and the time of the first."""
    rate = traces[0].stats.sampling_rate
    start = max(t.stats.starttime for t in traces)
    end = min(t.stats.endtime for t in traces)
    longest = max(t.stats.npts for t in traces)
    npts = int(round((end - start) * rate)) + 1
    if npts < 0.5 * longest or npts < 2:
        lengths = ", ".join(f"{t.stats.channel} {t.stats.npts}" for t in traces)
        raise RecordError(f"components share only {max(npts, 0)} of {longest} samples ({lengths})")
    rows = []
    for trace in traces:
        first = int(round((start - trace.stats.starttime) * rate))
        row = np.asarray(trace.data[first : first + npts], dtype=np.float64)
        rows.append(row)
    npts = min(map(len, rows))
    return np.array([row[:npts] for row in rows]), start


def _check(data: np.ndarray, channels: list[str]) -> None:
    """Raise RecordError on NaN, dead or clipped components."""
    for row, channel in zip(data, channels, strict=True):
        if not np.isfinite(row).all():
            raise RecordError(f"{int((~np.isfinite(row)).sum())} samples of {channel} are NaN or infinite")
        peak = np.abs(row - np.median(row)).max()
        same = np.diff(row) == 0
        if peak == 0 or same.mean() > 0.9:
            raise RecordError(f"dead component {channel}: {100 * same.mean():.0f} % of its samples repeat")
        if _flat_run(row) >= 8:
            raise RecordError(f"clipped component {channel}: {_flat_run(row)} samples in a row at the extreme")
    # a broken sensor puts out its digitiser's noise, or one component far from its siblings
    steps = np.abs(np.diff(data, axis=1))
    spread = np.percentile(steps, 99, axis=1)
    quiet = int(np.argmin(spread))
    if spread[quiet] < 0.02 * np.median(spread) and not _moves(steps, quiet):
        raise RecordError(
            f"dead component {channels[quiet]}: {spread[quiet] / np.median(spread):.1e} of the others' motion"
        )


def _moves(steps, quiet) -> bool:
    """Tell whether a component moves as its siblings do most of the time, far above its resolution.

    Bursts that its siblings alone have, such as those of a machine nearby, then do not make it a dead one.
    """
    usual, own = np.median(steps, axis=1), steps[quiet]
    resolution = own[own > 0].min(initial=np.inf)
    return bool(usual[quiet] > 0.1 * np.median(usual) and usual[quiet] > 20 * resolution)


def _flat_run(row: np.ndarray) -> int:
    """Return the longest run of equal samples at the largest or smallest value."""
    longest = 0
    for extreme in (row.max(), row.min()):
        at = np.flatnonzero(row == extreme)
        if at.size > 2:
            breaks = np.flatnonzero(np.diff(at) > 1)
            edges = np.concatenate([[-1], breaks, [at.size - 1]])
            longest = max(longest, int(np.diff(edges).max()))
    return longest


def _to_mps2(data, traces, start, inventory, units, need_response):
    """Return samples in m/s² and ``"m/s2"``, or as they are and ``"unknown"``: all three components alike."""
    stats = traces[0].stats
    calib = np.array([t.stats.calib for t in traces])[:, None]
    if units is not None:
        return data * UNITS[units], "m/s2"
    measured = {t.stats.get("units", "m/s^2") for t in traces} - {"m/s^2"}
    if measured:
        raise RecordError(f"the file holds {', '.join(sorted(measured))}, not acceleration")
    ours = stats.get("sac", {}).get("kinst", "").strip() == "TNG"
    known = ours or any(stats.get(name) is not None for name in _CALIBRATED)
    # FDSN instrument code X: generated; an inventory of real instruments says nothing of it
    generated = stats.channel[1:2].upper() == "X" and not has_response(inventory, traces[0].id, start)
    if inventory is not None and not known and not generated:
        ids = [t.id for t in traces]
        if need_response or all(has_response(inventory, i, start) for i in ids):
            return to_acceleration(data, ids, start, stats.sampling_rate, inventory), "m/s2"
        gains = sensitivities(inventory, ids, start)
        if gains is not None:
            return data * (gains[2] / gains)[:, None], "unknown"
    if not (np.isfinite(calib) & (calib != 0)).all():
        values = ", ".join(f"{c:g}" for c in calib[:, 0])
        raise RecordError(f"stats.calib is {values}; 0 and NaN tell nothing")
    return data * calib, "m/s2" if known else "unknown"


def _orient(data, traces, start, inventory):
    """Rotate to E, N, Z where the true azimuths are known and differ from the nominal ones by over 0.5°.

    Also tell whether the rows are E and N: by their azimuths or, where these are unknown, by their letters.
    """
    azimuths = [_azimuth(t, start, inventory) for t in traces]
    if any(a is None for a in azimuths):
        return data, component(traces[0]) == "E"
    (az_e, dip_e), (az_n, dip_n), (az_z, dip_z) = azimuths
    off = abs((az_e - 90 + 180) % 360 - 180) + abs((az_n + 180) % 360 - 180) + abs(dip_z + 90)
    if off < 0.5:
        return data, True
    from obspy.signal.rotate import rotate2zne

    try:
        z, n, e = rotate2zne(data[2], az_z, dip_z, data[1], az_n, dip_n, data[0], az_e, dip_e)
    except ValueError:
        azimuths, dips = f"{az_e:g}, {az_n:g}, {az_z:g}", f"{dip_e:g}, {dip_n:g}, {dip_z:g}"
        raise RecordError(f"azimuths {azimuths}° and dips {dips}° do not span space") from None
    return np.array([e, n, z]), True


def _azimuth(trace, start, inventory):
    if "at2" in trace.stats and trace.stats.at2.get("AZIMUTH") is not None:
        return float(trace.stats.at2.AZIMUTH), 0.0
    if "at2" in trace.stats and component(trace) == "Z":
        return 0.0, -90.0
    if inventory is None:
        return None
    try:
        found = inventory.get_orientation(trace.id, start)
    except Exception:  # ObsPy raises a bare Exception when the channel is not in the inventory
        return None
    if found["azimuth"] is None or found["dip"] is None:
        return None
    return found["azimuth"], found["dip"]


def _coordinates(trace, start, inventory) -> tuple[float, float, float]:
    if "coordinates" in trace.stats:
        c = trace.stats.coordinates
        return float(c.latitude), float(c.longitude), float(c.get("elevation", np.nan))
    sac = trace.stats.get("sac", trace.stats.get("knet", {}))  # both readers name them alike
    if "stla" in sac and "stlo" in sac:
        return float(sac["stla"]), float(sac["stlo"]), float(sac.get("stel", np.nan))
    if inventory is not None:
        for net in inventory:
            for sta in net:
                if (net.code, sta.code) == (trace.stats.network, trace.stats.station):
                    return float(sta.latitude), float(sta.longitude), float(sta.elevation)
    return np.nan, np.nan, np.nan
