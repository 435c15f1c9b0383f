"""Is it a copy, can a classifier tell it, does it fit models and originals: the parts beside the table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import gmm, goodness, heggs
from obspy_tng.evaluation import novelty as likeness
from obspy_tng.evaluation.features import EAS_HZ, Features
from obspy_tng.evaluation.intensity import PERIODS_S
from obspy_tng.evaluation.sets import RecordSet, cropped
from obspy_tng.preprocessing import SAMPLING_RATE_HZ

NOVELTY_N = 50  # records per station and method that are searched for copies
COPIES_N = 5  # copies per station: each is found at 1
STATISTICS = ("median", "p95", "median over real", "p95 over real", "share above real p99")
C2ST_BEFORE_S = 8.0  # of every window before P, or what records have
_GMM_PERIODS_S = (0.1, 0.3, 1.0, 3.0)


def novelty(windows: dict[str, RecordSet], pool_id, stations, jobs: int, tell):
    """Return how near records come to those of the pool, by correlation and by ln evolutionary power.

    Parameters
    ----------
    windows : dict of RecordSet
        Aligned on P; ``pool`` and any of ``generated`` and the baselines.
    pool_id : array_like of str
        Record ids of the pool.

    Returns
    -------
    xarray.Dataset
        ``novelty`` (novelty_ensemble, likeness, statistic); ``novelty_record`` (novelty_row, likeness) and
        ``novelty_nearest`` of each generated record; ``novelty_real`` (novelty_real_row, likeness).
    """
    import xarray as xr

    pool = windows["pool"]
    windows = windows | {"copy": pool}
    names = [n for n in ("generated", "copy", "mean of five", "phase-shuffled", "phase-scrambled") if n in windows]
    tasks = [(n, c) for c in stations if (pool.station == c).sum() >= 3 for n in names]
    done = 0

    def one(task):
        nonlocal done
        name, code = task
        most = COPIES_N if name == "copy" else NOVELTY_N
        mine = windows[name].data[windows[name].station == code][:most]
        found = likeness.novelty(mine, pool.data[pool.station == code], SAMPLING_RATE_HZ) if len(mine) else None
        done += 1
        tell("looking for copies", done, len(tasks))
        return found

    with ThreadPoolExecutor(jobs) as executor:
        found = dict(zip(tasks, executor.map(one, tasks), strict=True))
    found = {task: value for task, value in found.items() if value is not None}
    coded = [c for n, c in found if n == "generated"]
    if not coded:
        return xr.Dataset()
    real = {c: np.stack([found["generated", c].real_correlation, found["generated", c].real_power]) for c in coded}
    level = {c: np.nanpercentile(real[c], 99, axis=1, keepdims=True) for c in coded}
    every_real = np.concatenate(list(real.values()), axis=1)

    def numbers(made):
        values = np.concatenate(list(made.values()), axis=1)
        above = np.concatenate([made[c] > level[c] for c in made], axis=1).mean(axis=1)
        middle, high = np.nanmedian(values, axis=1), np.nanpercentile(values, 95, axis=1)
        over = middle / np.nanmedian(every_real, axis=1), high / np.nanpercentile(every_real, 95, axis=1)
        return np.stack([middle, high, *over, above], axis=-1)

    made = {n: {c: np.stack([v.correlation, v.power]) for (m, c), v in found.items() if m == n} for n in names}
    table = {"generated": numbers(made["generated"]), "real vs real": numbers(real)}
    table |= {n: numbers(made[n]) for n in names[1:] if made[n]}
    rows = [found["generated", c] for c in coded]
    ids = [np.asarray(pool_id)[pool.station == c] for c in coded]
    return xr.Dataset(
        {
            "novelty": (("novelty_ensemble", "likeness", "statistic"), np.stack(list(table.values()))),
            "novelty_record": (("novelty_row", "likeness"), np.concatenate([made["generated"][c].T for c in coded])),
            "novelty_real": (("novelty_real_row", "likeness"), every_real.T),
        },
        {
            "novelty_ensemble": list(table),
            "likeness": ["correlation", "power correlation"],
            "statistic": list(STATISTICS),
            "novelty_station": ("novelty_row", np.repeat(coded, [len(v.correlation) for v in rows])),
            "novelty_nearest": (
                "novelty_row",
                np.concatenate([i[v.correlation_nearest] for i, v in zip(ids, rows, strict=True)]),
            ),
        },
    )


def correlation(measured: dict[str, Features]):
    """Return the inter-frequency correlation of ln EAS within stations, beside the model of Bayless & Abrahamson.

    Returns
    -------
    xarray.Dataset
        ``correlation`` (correlation_set, eas_frequency, eas_frequency_2); ``correlation_difference`` (pair), mean
        absolute difference off the diagonal.
    """
    import xarray as xr

    names = [n for n in ("real", "generated", "reconstructed") if n in measured]
    found = {n: gmm.interfrequency_correlation(measured[n].ln_eas, measured[n].station) for n in names}
    # the model is of what is left when source and site are taken out; generated records have no known event
    real, free = measured["real"], "real, event terms removed"
    found[free] = gmm.interfrequency_correlation(real.ln_eas, real.station, real.event)
    model = gmm.bayless_abrahamson(EAS_HZ)
    pairs = {"generated – real": gmm.correlation_difference(found["generated"], found["real"])}
    pairs[f"{free} – Bayless & Abrahamson"] = gmm.correlation_difference(found[free], model)
    return xr.Dataset(
        {
            "correlation": (
                ("correlation_set", "eas_frequency", "eas_frequency_2"),
                np.stack([*found.values(), model]),
            ),
            "correlation_difference": ("pair", list(pairs.values())),
        },
        {
            "correlation_set": [*found, "Bayless & Abrahamson"],
            "eas_frequency": ("eas_frequency", EAS_HZ, {"units": "Hz"}),
            "eas_frequency_2": ("eas_frequency_2", EAS_HZ, {"units": "Hz"}),
            "pair": list(pairs),
        },
    )


def gmm_residuals(groups, measured: dict[str, Features], remarks):
    """Return ln residuals to a ground-motion model of the sets whose magnitudes and distances are known.

    Returns
    -------
    xarray.Dataset
        ``gmm_residual_mean``, ``gmm_residual_sd`` (gmm_set, gmm_measure); empty when nothing is known.
    """
    import xarray as xr

    columns = [int(np.argmin(np.abs(PERIODS_S - t))) for t in _GMM_PERIODS_S]
    rows = {}
    for name in ("real", "generated", "reconstructed"):
        if name not in groups:
            continue
        items, x = groups[name], measured[name]
        known = np.isfinite(items.magnitude) & np.isfinite(items.distance_km)
        if known.sum() < 3:
            continue
        vs30 = np.where(np.isfinite(items.vs30_mps), items.vs30_mps, 760.0)
        im = {"pga_mps2": x.im("pga_mps2"), "pgv_mps": x.im("pgv_mps"), "psa_mps2": x.ln_psa[:, columns]}
        residual, remark = gmm.gmm_residuals(
            im, items.magnitude, items.distance_km, periods_s=PERIODS_S[columns], vs30_mps=vs30
        )
        if remark:
            remarks.append(f"{name}: {remark}")
        rows[name] = np.column_stack([residual["pga_mps2"], residual["pgv_mps"], residual["psa_mps2"]])[known]
    if not rows:
        return xr.Dataset()
    values = list(rows.values())
    return xr.Dataset(
        {
            "gmm_residual_mean": (("gmm_set", "gmm_measure"), [np.nanmean(v, axis=0) for v in values], {"units": "ln"}),
            "gmm_residual_sd": (
                ("gmm_set", "gmm_measure"),
                [np.nanstd(v, axis=0, ddof=1) for v in values],
                {"units": "ln"},
            ),
        },
        {"gmm_set": list(rows), "gmm_measure": ["PGA", "PGV", *(f"PSA {t:g} s" for t in _GMM_PERIODS_S)]},
        {"gmm": "Boore, Stewart, Seyhan & Atkinson (2014)"},
    )


def pairs(groups, measured: dict[str, Features]):
    """Return medians over pairs: records of one station and event in the real and another set.

    Returns
    -------
    xarray.Dataset
        ``pair_value`` (pair_measure) of reconstructed records, or else generated ones of known events, whose number
        is the attribute ``n_pairs``; arrivals as the measures of HEGGS (arXiv 2412.17333). Empty without pairs.
    """
    import xarray as xr

    from obspy_tng.evaluation.time_frequency import time_frequency_gof

    real, name = groups["real"], "reconstructed" if "reconstructed" in groups else "generated"
    made = groups[name]
    keys = [np.char.add(np.char.add(g.station, " "), g.event) for g in (made, real)]
    _, i, j = np.intersect1d(*keys, return_indices=True)
    told = ~np.char.startswith(made.event[i], "#")  # an event told from start times alone pairs nothing
    i, j = i[told], j[told]
    if not i.size or np.array_equal(made.data[i], real.data[j]):
        return xr.Dataset()
    a, b = made.data[i].astype(float), real.data[j].astype(float)
    few = slice(0, 100)  # a tenth of a second per record
    traces = [x[few].reshape(-1, x.shape[-1]) for x in (a, b)]
    fit = time_frequency_gof(*traces, SAMPLING_RATE_HZ)
    values = {
        "P arrival error (s)": np.abs(measured[name].p_s[i] - measured["real"].p_s[j]),
        "S arrival error (s)": np.abs(measured[name].s_s[i] - measured["real"].s_s[j]),
        "envelope correlation": heggs.envelope_correlation(a, b, SAMPLING_RATE_HZ),
        "spectrogram MSE": heggs.spectrogram_mse(a, b, SAMPLING_RATE_HZ),
        "SNR of the waveform (dB)": heggs.reconstruction_snr_db(b, a),
        "Anderson score (of 10)": goodness.anderson(*traces, SAMPLING_RATE_HZ),
        "time-frequency envelope fit (of 10)": fit["envelope"],
        "time-frequency phase fit (of 10)": fit["phase"],
    }
    return xr.Dataset(
        {"pair_value": ("pair_measure", [float(np.nanmedian(v)) for v in values.values()])},
        {"pair_measure": list(values)},
        {"n_pairs": int(i.size), "pair_set": name},
    )


def envelopes(windows: dict[str, RecordSet], stations):
    """Return how alike mean envelopes of the stations are, generated or baseline and real: records that are no pairs.

    Returns
    -------
    xarray.Dataset
        ``mean_envelope_correlation`` (envelope_set, station).
    """
    import xarray as xr

    real = windows["real"]
    names = [n for n in ("generated", "mean of five", "phase-shuffled", "phase-scrambled") if n in windows]
    values = np.full((len(names), len(stations)), np.nan)
    for i, name in enumerate(names):
        for k, code in enumerate(stations):
            sides = [w.take(w.station == code) for w in (windows[name], real)]
            if min(map(len, sides)):
                found = heggs.ensemble_measures(*(x for w in sides for x in (w.data, w.p_s)), SAMPLING_RATE_HZ)
                values[i, k] = found["mean_envelope_correlation"]
    return xr.Dataset(
        {"mean_envelope_correlation": (("envelope_set", "station"), values)},
        {"envelope_set": names, "station": np.asarray(stations)},
    )


def c2st(groups: dict[str, RecordSet], measured: dict[str, Features], n_splits: int, seed: int, remarks, tell):
    """Return AUC of classifiers told to separate real from generated records, beside floor and baselines.

    Returns
    -------
    xarray.Dataset
        ``c2st_auc``, ``c2st_low``, ``c2st_high`` (c2st_set, classifier); attributes ``c2st_valid`` and
        ``c2st_remark``. Only the remark when there are too few records.
    """
    import xarray as xr

    from obspy_tng.evaluation import c2st as test

    if "mean of five" not in groups:
        return xr.Dataset(attrs={"c2st_remark": "C2ST left out: fewer than five records per station"})

    def counter(name):
        return lambda text: tell(f"C2ST, {name}: splits", *map(int, text.rpartition(": split ")[2].split(" of ")))

    # onsets of one picker, real and generated alike: a difference in alignment would be found, and mean nothing
    names = ("real", "generated", "mean of five", "phase-shuffled")
    onset = {n: np.where(np.isfinite(measured[n].p_s), measured[n].p_s, groups[n].p_s) for n in names}
    before_s = min(C2ST_BEFORE_S, *(np.quantile(onset[n], 0.05) for n in names[:2]))
    after_s = min(np.quantile(groups[n].duration_s - onset[n], 0.05) for n in names[:2])

    def describe(name):
        data, kept = cropped(groups[name], onset[name], before_s, after_s)
        # events of generated records are unknown here; what looks like one was told from start times
        event = None if name == "generated" else groups[name].event[kept]
        return test.describe(data, SAMPLING_RATE_HZ, groups[name].station[kept], event, p_s=before_s)

    try:
        told = describe("real")
        scores = {"real vs real": test.real_floor(told, seed=seed, progress=counter("real vs real"))}
        for name in names[1:]:
            scores[name] = test.c2st(told, describe(name), n_splits=n_splits, seed=seed, progress=counter(name))
    except TNGError as err:
        return xr.Dataset(attrs={"c2st_remark": f"C2ST left out: {err}"})
    valid, remark = test.c2st_validity(scores["mean of five"], scores["phase-shuffled"])
    rows = {name: {"counts": None} | test.summary(s) for name, s in scores.items()}
    for name, row in rows.items():
        row["counts"] = row[scores[name].classifier]
    labels = list(rows["generated"])
    stack = np.array([[row[label] for label in labels] for row in rows.values()])
    dims = ("c2st_set", "classifier")
    return xr.Dataset(
        {"c2st_auc": (dims, stack[..., 0]), "c2st_low": (dims, stack[..., 1]), "c2st_high": (dims, stack[..., 2])},
        {"c2st_set": list(rows), "classifier": [label.replace("group: ", "group ") for label in labels]},
        {"c2st_valid": int(valid), "c2st_remark": remark},
    )
