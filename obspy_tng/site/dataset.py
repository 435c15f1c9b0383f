"""The table of an HVSR: curves of all windows, where each came from, statistics of every station."""

from __future__ import annotations

import numpy as np

from obspy_tng.site import curves
from obspy_tng.site.rows import Row
from obspy_tng.site.settings import Settings
from obspy_tng.site.table import Table

COMPONENTS = ("E", "N", "Z")


def build(rows: list[Row], skipped, settings: Settings, n_traces: int = 0, notes=()):
    """Return the table of all curves; its ``dataset()`` is the Dataset.

    Parameters
    ----------
    rows : list of Row
        In any order; the result does not depend on it.
    skipped : list of Skipped
        What was left out and why.
    settings : Settings
    n_traces : int
        Records of each station whose samples are kept, where rows have them.
    notes : sequence of str
        What to know of the data that were used, such as those of `notes_of`.

    Returns
    -------
    Table
        As `hvsr.hvsr` describes it, every row accepted.
    """
    rows, names = _named(rows)
    group = np.array([r.group for r in rows])
    stations = np.unique(group)
    curve = np.array([r.curve for r in rows])
    stats = [curves.lognormal(curve[group == s]) for s in stations]
    per_station = ("station", "frequency")
    true = np.ones((3, settings.frequency_hz.size), bool)
    variables = {
        "hvsr": (("record", "frequency"), curve, _attrs("horizontal-to-vertical spectral ratio", "1")),
        "curve": (per_station, np.array([s[0] for s in stats]), _attrs("exp(mean ln HVSR) of accepted rows", "1")),
        "sigma_ln": (per_station, np.array([s[1] for s in stats]), _attrs("std of ln HVSR, ddof 1", "1")),
        "n_valid": (per_station, np.array([s[2] for s in stats]), _attrs("accepted rows with a value", "1")),
        "accepted": ("record", np.ones(len(rows), bool), {"long_name": "takes part in the station's statistics"}),
        "rejected_by": ("record", np.full(len(rows), "", dtype=object), {"long_name": "rule that rejected the row"}),
        "snr_ok": (
            ("record", "component", "frequency"),
            np.array([true if r.snr_ok is None else r.snr_ok for r in rows]),
            {"long_name": "signal stands out of the noise, or no noise is known"},
        ),
    }
    if settings.compat == "timesnet-gen":
        f0 = np.array([r.f0_hz for r in rows])
        variables["f0_record_hz"] = ("record", f0, _attrs("frequency of the largest value", "Hz"))
    coords = {
        "frequency": ("frequency", settings.frequency_hz, _attrs("frequency", "Hz")),
        "component": ("component", list(COMPONENTS)),
        "station": ("station", stations),
        **names,
        **_places(rows, group, stations),
        **_windows(rows),
        "record_station": ("record", group),
    }
    if settings.azimuths_deg:
        by_azimuth = np.array([r.by_azimuth for r in rows])
        names = _attrs("azimuth, clockwise from north", "degree")
        coords["azimuth"] = ("azimuth", np.array(settings.azimuths_deg), names)
        long_name = "horizontal-to-vertical spectral ratio along an azimuth"
        variables["hvsr_azimuth"] = (("record", "azimuth", "frequency"), by_azimuth, _attrs(long_name, "1"))
    if n_traces:
        _add_traces(variables, coords, rows, n_traces)
    attrs = settings.attrs() | {"skipped": [f"{s.name}: {s.reason}" for s in skipped], "notes": list(notes)}
    return Table(variables, coords, attrs)


def notes_of(rows: list[Row], settings: Settings, inventory: bool) -> list[str]:
    """Return a line on records whose response or azimuths are not known, where an answer may depend on it.

    Parameters
    ----------
    rows : list of Row
    settings : Settings
    inventory : bool
        There is one, so that amplitudes were to be corrected.
    """
    out = []
    raw = [r.record for r in rows if inventory and r.record.units == "unknown" and r.record.channels[2][1:2] != "X"]
    if raw:
        out.append(
            f"{_which(raw)}: the inventory lacks responses; amplitudes as they are, which H/V allows if the three "
            "components have the same"
        )
    direction = settings.azimuths_deg or not settings.horizontal.startswith(("quadratic", "total-energy", "rotd"))
    loose = [r.record for r in rows if direction and not r.record.oriented]
    if loose:
        out.append(
            f"{_which(loose)}: azimuths of 1 and 2 are not known, taken as north and east; an inventory has them"
        )
    return out


def _which(records) -> str:
    codes = sorted({r.code for r in records})
    return ", ".join(codes[:5]) + (f" and {len(codes) - 5} more stations" if len(codes) > 5 else "")


def with_azimuth_statistics(dataset):
    """Return the Dataset with statistics along and over azimuths, of accepted rows.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `hvsr.hvsr` with `azimuth_step_deg`.

    Returns
    -------
    xarray.Dataset
        More variables: ``curve_azimuth``, ``sigma_ln_azimuth`` (station, azimuth, frequency); over all azimuths,
        each weighing the same (Cheng et al., 2020), ``curve_all_azimuths``, ``sigma_ln_all_azimuths`` (station,
        frequency); and of the highest peak of each row, ``f0_azimuth_hz``, ``f0_sigma_ln_azimuth`` (station,
        azimuth), ``f0_all_azimuths_hz``, ``f0_sigma_ln_all_azimuths`` (station).
    """
    from obspy_tng.site.azimuth import statistics
    from obspy_tng.site.outliers import window_f0

    frequency = dataset.frequency.values
    found = []
    for station in dataset.station.values:
        mine = (dataset.record_station.values == station) & dataset.accepted.values
        values = dataset.hvsr_azimuth.values[mine].astype(float)
        flat = values.reshape(-1, frequency.size)
        f0_hz = window_f0(flat, frequency, dataset.attrs["band_hz"]).reshape(values.shape[:2])
        found.append((statistics(values), statistics(f0_hz)))
    along, over = ("station", "azimuth"), ("station",)
    variables = {}
    for i, before, after, more, units in ((0, "", "", ("frequency",), "1"), (1, "f0_", "_hz", (), "Hz")):
        middle = "curve" if i == 0 else "f0"
        for part, dims, name in (("azimuth_", along, "azimuth"), ("", over, "all_azimuths")):
            median = np.array([getattr(f[i], f"{part}median") for f in found])
            sigma = np.array([getattr(f[i], f"{part}sigma_ln") for f in found])
            text = "along the azimuth" if part else "over all azimuths"
            variables[f"{middle}_{name}{after}"] = ((*dims, *more), median, _attrs(f"exp(mean ln) {text}", units))
            variables[f"{before}sigma_ln_{name}"] = ((*dims, *more), sigma, _attrs(f"std of ln {text}", "1"))
    return dataset.assign(variables)


def _add_traces(variables, coords, rows, n_traces):
    """Add the samples of the first records of every station."""
    left = dict.fromkeys({r.group for r in rows}, n_traces)
    kept = []
    for name, row in zip(coords["record_id"][1], rows, strict=True):
        if row.trace is not None and left[row.group]:
            left[row.group] -= 1
            kept.append((name, row))
    longest = max((r.trace.shape[1] for _, r in kept), default=0)
    samples = np.full((len(kept), 3, longest), np.nan, np.float32)
    for out, (_, row) in zip(samples, kept, strict=True):
        out[:, : row.trace.shape[1]] = row.trace
    variables["trace"] = (("example", "component", "sample"), samples, {"long_name": "samples of the record"})
    coords["trace_record_id"] = ("example", [name for name, _ in kept])
    rates = [row.record.sampling_rate for _, row in kept]
    coords["trace_rate_hz"] = ("example", rates, _attrs("sampling rate", "Hz"))


def _named(rows):
    """Return the rows in order, and the coordinates that name them.

    Windows of one recording are counted through, whatever pieces it was read in.
    """
    rows = sorted(rows, key=lambda r: (r.group, _parent(r), r.window.start))
    families: list[list[Row]] = []
    for row in rows:
        if not families or _parent(families[-1][0]) != _parent(row):
            families.append([])
        families[-1].append(row)
    families.sort(key=lambda f: (f[0].group, f[0].record.starttime, f[0].record.id))
    out, ids, index = [], [], []
    taken: dict[str, int] = {}
    for family in families:
        first = family[0].record
        taken[first.id] = taken.get(first.id, 0) + 1
        name = first.id if taken[first.id] == 1 else f"{first.id}~{taken[first.id]}"
        whole = {"record_peak": max(r.record_peak for r in family), "length_s": max(r.length_s for r in family)}
        for k, row in enumerate(family):
            out.append(row._replace(**whole))
            ids.append((name, f"{name}#{k}" if len(family) > 1 else name))
            index.append(k)
    return out, {
        "record": ("record", [unique for _, unique in ids]),
        "record_id": ("record", [name for name, _ in ids], {"long_name": "record the window is of"}),
        "window_index": ("record", np.array(index), {"long_name": "number of the window in its record"}),
    }


def _parent(row):
    """Return what tells the record a row is a window of."""
    r = row.record
    return r.network, r.station, r.location, r.channels, r.event_id, r.source, str(r.starttime), r.sampling_rate


def _places(rows, group, stations) -> dict:
    """Return the coordinates that tell event, time and place."""

    def of(name):
        return [getattr(r.record, name) for r in rows]

    def middle(name):
        return [np.median(np.array(of(name))[group == s]) for s in stations]

    return {
        "event": ("record", of("event_id")),
        "starttime": ("record", [str(t) for t in of("starttime")]),
        "magnitude": ("record", of("magnitude")),
        "distance_km": ("record", of("distance_km"), _attrs("epicentral distance", "km")),
        "latitude_deg": ("station", middle("latitude_deg"), _attrs("latitude", "degree")),
        "longitude_deg": ("station", middle("longitude_deg"), _attrs("longitude", "degree")),
    }


def _windows(rows) -> dict:
    """Return the coordinates that tell which samples were used."""
    rate = np.array([r.record.sampling_rate for r in rows])
    noise = np.array([r.noise or (np.nan, np.nan) for r in rows]) / rate[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        peak = np.array([r.peak for r in rows]) / np.array([r.record_peak for r in rows])
    start = np.array([r.window.start for r in rows]) / rate
    stop = np.array([r.window.stop for r in rows]) / rate
    return {
        "sampling_rate_hz": ("record", rate, _attrs("sampling rate of the record", "Hz")),
        "record_length_s": ("record", [r.length_s for r in rows], _attrs("length of the record", "s")),
        "window_start_s": ("record", start, _attrs("start of the window after the first sample", "s")),
        "window_end_s": ("record", stop, _attrs("end of the window after the first sample", "s")),
        "window_source": ("record", [r.window.source for r in rows]),
        "window_cut": ("record", [r.cut for r in rows], {"long_name": "cut before a second earthquake"}),
        "noise_start_s": ("record", noise[:, 0], _attrs("start of the noise after the first sample", "s")),
        "noise_end_s": ("record", noise[:, 1], _attrs("end of the noise after the first sample", "s")),
        "noise_length_s": (
            "record",
            np.nan_to_num(noise[:, 1] - noise[:, 0]),
            _attrs("noise before P; 0: no SNR mask", "s"),
        ),
        "sta_lta_min": ("record", [r.sta_lta[0] for r in rows], _attrs("smallest STA/LTA in the window", "1")),
        "sta_lta_max": ("record", [r.sta_lta[1] for r in rows], _attrs("largest STA/LTA in the window", "1")),
        "peak_over_record": ("record", peak, _attrs("largest sample over that of the record", "1")),
    }


def _attrs(long_name, units):
    return {"long_name": long_name, "units": units}
