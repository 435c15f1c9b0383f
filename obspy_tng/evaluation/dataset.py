"""The result as an xarray Dataset: each function here makes a part of it."""

from __future__ import annotations

import json
import warnings

import numpy as np

from obspy_tng.evaluation import alignment, latents, site
from obspy_tng.evaluation.features import FREQUENCY_HZ, NAMES, Features
from obspy_tng.evaluation.intensity import PERIODS_S
from obspy_tng.evaluation.scores import HELDOUT_MEASURES, POOL_MEASURES
from obspy_tng.evaluation.statistics import interval
from obspy_tng.preprocessing import SAMPLING_RATE_HZ

METHODS = (
    "generated",
    "reconstructed",
    "real vs real",
    "copy",
    "mean of five",
    "phase-shuffled",
    "phase-scrambled",
)
BASELINES = METHODS[3:]
SHOWN = 2  # example records per station and set
MEASURES = POOL_MEASURES + HELDOUT_MEASURES


def table(rows, stations):
    """Return the table of all methods: value, interval, floor.

    Parameters
    ----------
    rows : dict of str to `compare.Rows`
    stations : sequence of str

    Returns
    -------
    xarray.Dataset
        ``value`` (ensemble, measure), mean over stations, of all records (floors and copies: mean over splits);
        ``low``, ``high``, the range of 95 % of the splits: against half of the held-out events, or of the method's
        records drawn again where the pool is the reference; ``split_mean``, their mean. ``station_value`` (method,
        station, measure); ``floor_limit`` (measure), the distance from a perfect value that 95 % of the floor's
        splits stay below; ``inside_floor`` (measure), whether the split mean of the generated records does too.
        ``psa_ln_bias``, ``psa_sigma_ratio`` (ensemble, station, period); ``hvsr_ln_difference`` (ensemble, station,
        frequency).
    """
    import xarray as xr

    methods = [m for m in METHODS if m in rows]
    n_pool = len(POOL_MEASURES)
    shape = (len(methods), len(MEASURES))
    value, low, high, middle = (np.full(shape, np.nan) for _ in range(4))
    by_station = np.full((len(methods), len(stations), len(MEASURES)), np.nan)
    psa = np.full((2, len(methods), len(stations), len(PERIODS_S)), np.nan)
    hvsr = np.full((len(methods), len(stations), site.FREQUENCY_HZ.size), np.nan)
    ideal = np.array([m.ideal for m in MEASURES])
    limit = np.full(len(MEASURES), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a measure no station has stays NaN
        for i, m in enumerate(methods):
            for part, against in ((slice(0, n_pool), "pool"), (slice(n_pool, None), "heldout")):
                scores = getattr(rows[m], against)
                splits = getattr(rows[m], against + "_splits") or scores
                spread = interval([s.overall for s in splits])
                value[i, part] = np.nanmean([s.overall for s in scores], axis=0)
                # drawing records again from a sample shrinks it: only the width is used
                shift = value[i, part] - spread.mean if against == "pool" else 0.0
                middle[i, part], low[i, part], high[i, part] = (x + shift for x in spread)
                by_station[i, :, part] = np.nanmean([s.by_station for s in scores], axis=0)
                curve = np.nanmean([s.curves for s in scores], axis=0)
                if against == "pool":
                    psa[:, i] = curve
                else:
                    hvsr[i] = curve[0]
                if m == ("copy" if against == "pool" else "real vs real"):
                    away = np.abs(np.array([s.overall for s in splits]) - ideal[part])
                    limit[part] = np.nanquantile(away, 0.95, axis=0)
    inside = np.abs(middle[methods.index("generated")] - ideal) <= limit
    group = {m: ("pool" if m in POOL_MEASURES else "held-out events") for m in MEASURES}
    return xr.Dataset(
        {
            "value": (("ensemble", "measure"), value),
            "low": (("ensemble", "measure"), low),
            "high": (("ensemble", "measure"), high),
            "split_mean": (("ensemble", "measure"), middle),
            "station_value": (("ensemble", "station", "measure"), by_station),
            "floor_limit": ("measure", limit),
            "inside_floor": ("measure", inside),
            "psa_ln_bias": (("ensemble", "station", "period"), psa[0], {"units": "ln"}),
            "psa_sigma_ratio": (("ensemble", "station", "period"), psa[1], {"units": "1"}),
            "hvsr_ln_difference": (("ensemble", "station", "frequency"), hvsr, {"units": "ln"}),
        },
        {
            "ensemble": methods,
            "measure": [m.name for m in MEASURES],
            "measure_group": ("measure", [m.group for m in MEASURES]),
            "measure_unit": ("measure", [m.unit for m in MEASURES]),
            "ideal": ("measure", ideal),
            "against": ("measure", [group[m] for m in MEASURES]),
            "floor": ("measure", ["copy" if m in POOL_MEASURES else "real vs real" for m in MEASURES]),
            "station": np.asarray(stations),
            "period": ("period", PERIODS_S, {"units": "s"}),
            "frequency": ("frequency", site.FREQUENCY_HZ, {"units": "Hz"}),
        },
    )


def curves(measured: dict[str, Features], stations):
    """Return the station curves of every set.

    Returns
    -------
    xarray.Dataset
        ``hvsr_median``, ``hvsr_mean``, ``hvsr_sigma_ln``, ``hvsr_n_valid`` (set, station, frequency);
        ``fas_median`` (m/s), ``fas_sigma_ln`` (set, station, component, fas_frequency); ``psa_median`` (m/s²),
        ``psa_sigma_ln`` (set, station, period); ``n_records`` (set, station).
    """
    import xarray as xr

    names = [n for n in measured if n not in BASELINES]

    def stack(function):
        return np.array(
            [[function(measured[n].take(measured[n].station == c)) for c in stations] for n in names], dtype=float
        )

    hvsr = ("set", "station", "frequency")
    fas = ("set", "station", "component", "fas_frequency")
    psa = ("set", "station", "period")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return xr.Dataset(
            {
                "hvsr_median": (hvsr, stack(lambda x: np.exp(np.nanmean(x.ln_hvsr, axis=0))), {"units": "1"}),
                "hvsr_mean": (hvsr, stack(lambda x: np.nanmean(np.exp(x.ln_hvsr), axis=0)), {"units": "1"}),
                "hvsr_sigma_ln": (hvsr, stack(lambda x: np.nanstd(x.ln_hvsr, axis=0, ddof=1)), {"units": "ln"}),
                "hvsr_n_valid": (hvsr, stack(lambda x: np.isfinite(x.ln_hvsr).sum(axis=0)), {"units": "1"}),
                "fas_median": (fas, stack(lambda x: np.exp(np.nanmean(x.ln_fas, axis=0))), {"units": "m/s"}),
                "fas_sigma_ln": (fas, stack(lambda x: np.nanstd(x.ln_fas, axis=0, ddof=1)), {"units": "ln"}),
                "psa_median": (psa, stack(lambda x: np.exp(np.nanmean(x.ln_psa, axis=0))), {"units": "m/s2"}),
                "psa_sigma_ln": (psa, stack(lambda x: np.nanstd(x.ln_psa, axis=0, ddof=1)), {"units": "ln"}),
                "n_records": (("set", "station"), stack(len).astype(int)),
            },
            {
                "set": names,
                "station": np.asarray(stations),
                "component": list("ENZ"),
                "frequency": ("frequency", site.FREQUENCY_HZ, {"units": "Hz"}),
                "fas_frequency": ("fas_frequency", FREQUENCY_HZ, {"units": "Hz"}),
                "period": ("period", PERIODS_S, {"units": "s"}),
            },
        )


def per_record(groups, measured: dict[str, Features]):
    """Return what was measured of each record, all sets behind each other: ``f0_hz``, ``pga_mps2`` … (record)."""
    import xarray as xr

    names = [n for n in measured if n not in BASELINES]
    units = {"mps2": "m/s2", "mps": "m/s", "s": "s"}

    def rows(pick):
        return "record", np.concatenate([pick(n) for n in names])

    variables = {"f0_hz": (*rows(lambda n: measured[n].f0_hz), {"units": "Hz"})}
    for name in NAMES:
        unit = units[name.rsplit("_", 1)[-1]]
        variables[name] = (*rows(lambda n, name=name: np.exp(measured[n].im(name))), {"units": unit})
    variables["s_minus_p_s"] = (*rows(lambda n: measured[n].s_s - measured[n].p_s), {"units": "s"})
    variables["n_onsets"] = rows(lambda n: measured[n].n_onsets)
    variables["snr_db"] = (*rows(lambda n: measured[n].snr_db), {"units": "dB"})
    coords = {
        "record_set": rows(lambda n: np.full(len(groups[n]), n)),
        "record_id": rows(lambda n: groups[n].id),
        "record_station": rows(lambda n: groups[n].station),
        "record_event": rows(lambda n: groups[n].event),
        "magnitude": rows(lambda n: groups[n].magnitude),
        "distance_km": (*rows(lambda n: groups[n].distance_km), {"units": "km"}),
    }
    return xr.Dataset(variables, coords)


def f0_alignment(measured: dict[str, Features], stations, seed: int):
    """Return the paper's f0 comparison.

    Returns
    -------
    xarray.Dataset
        ``similarity``, ``similarity_true_jsd`` (row, column); ``alignment_score`` (sets, form) of real with
        generated (and reconstructed) records; ``saturation`` (reference); attribute ``alignment_remark``. Empty
        with fewer than two stations that have an f0 in every set.
    """
    import xarray as xr

    def by_station(name):
        x = measured[name]
        found = {c: x.f0_hz[(x.station == c) & np.isfinite(x.f0_hz)] for c in stations}
        return {c: f0 for c, f0 in found.items() if f0.size}

    sets = {name: by_station(name) for name in ("real", "generated", "reconstructed") if name in measured}
    if len(set.intersection(*(set(f0) for f0 in sets.values()))) < 2:
        return xr.Dataset(attrs={"alignment_remark": "alignment needs two stations or more with an f0 in every set"})
    found = alignment.alignment(sets["real"], sets["generated"], sets.get("reconstructed"), seed=seed)
    labels = [f"{station} {name}" for station, name in found.matrix.labels]
    scores = {"real, generated": found.scores_generated}
    if "reconstructed" in sets:
        scores = {"all": found.scores} | scores | {"real, reconstructed": found.scores_reconstructed}
    return xr.Dataset(
        {
            "similarity": (("row", "column"), found.matrix.values),
            "similarity_true_jsd": (("row", "column"), found.matrix_divergence.values),
            "alignment_score": (("sets", "form"), np.array([tuple(s) for s in scores.values()])),
            "saturation": ("reference", np.array(tuple(found.saturation))),
        },
        {
            "row": labels,
            "column": labels,
            "sets": list(scores),
            "form": list(found.scores._fields),
            "reference": list(found.saturation._fields),
        },
        {"alignment_remark": found.remark},
    )


def purity(codes):
    """Return nearest-neighbour station purity of latents: attributes ``latent_purity``, ``latent_purity_chance``."""
    import xarray as xr

    names = sorted(codes)
    data = np.concatenate([np.asarray(codes[c]).reshape(len(codes[c]), -1) for c in names])
    found = latents.purity(data, np.repeat(names, [len(codes[c]) for c in names]))
    return xr.Dataset(attrs={"latent_purity": found.purity, "latent_purity_chance": found.chance})


def examples(groups, measured, stations):
    """Return waveforms to look at: per station and set the record of median PGA and the one nearest the upper quartile.

    Returns
    -------
    xarray.Dataset
        ``waveform`` (panel, component, time), m/s²; ``panel_station``, ``panel_set``, ``panel_record``.
    """
    import xarray as xr

    rows = []
    for code in stations:
        for name in ("real", "generated"):
            index = np.flatnonzero(groups[name].station == code)
            pga = measured[name].im("pga_mps2")[index]
            index = index[np.argsort(pga)]
            for share in (0.5, 0.8)[:SHOWN]:
                rows.append((code, name, index[min(int(share * index.size), index.size - 1)]))
    npts = max(groups[n].data.shape[-1] for n in ("real", "generated"))
    waves = np.zeros((len(rows), 3, npts), dtype=np.float32)
    for wave, (_, name, i) in zip(waves, rows, strict=True):
        wave[:, : groups[name].data.shape[-1]] = groups[name].data[i]
    return xr.Dataset(
        {"waveform": (("panel", "component", "time"), waves, {"units": "m/s2"})},
        {
            "panel_station": ("panel", [r[0] for r in rows]),
            "panel_set": ("panel", [r[1] for r in rows]),
            "panel_record": ("panel", [groups[r[1]].id[r[2]] for r in rows]),
            "component": list("ENZ"),
            "time": ("time", np.arange(npts) / SAMPLING_RATE_HZ, {"units": "s"}),
        },
    )


def merge(parts, attrs):
    """Return all parts as one Dataset; lists of texts become JSON, which netCDF keeps."""
    import xarray as xr

    out = xr.merge([part.drop_attrs(deep=False) for part in parts], join="exact", compat="no_conflicts")
    for part in parts:
        out.attrs |= part.attrs
    return out.assign_attrs({k: v if isinstance(v, (str, int, float)) else json.dumps(v) for k, v in attrs.items()})
