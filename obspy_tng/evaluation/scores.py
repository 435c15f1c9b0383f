"""The table: how a sample of records stands to the real ones, measure by measure, station by station."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from obspy_tng.evaluation import alignment, arrivals, confusion, goodness, site
from obspy_tng.evaluation.features import Features
from obspy_tng.evaluation.intensity import PERIODS_S
from obspy_tng.evaluation.statistics import energy_distance, sd_ratio, wasserstein, wasserstein_columns

PSA_BAND_S = (0.05, 3.0)
MIN_RECORDS = 3  # of a station, on either side; fewer tell no spread
_IN_BAND = (np.asarray(PERIODS_S) >= PSA_BAND_S[0]) & (np.asarray(PERIODS_S) <= PSA_BAND_S[1])


class Measure(NamedTuple):
    """A column of the table, and the value of a perfect sample."""

    name: str
    group: str
    unit: str
    ideal: float


def _columns(label):
    """Return the measures of one intensity measure."""
    ratio = (Measure(f"{label} ratio", "intensity", "1", 1.0),) if label.startswith("D5") else ()
    return (
        *ratio,
        Measure(f"ln{label} bias", "intensity", "ln", 0.0),
        Measure(f"σ ln{label} ratio", "intensity", "1", 1.0),
        Measure(f"W1 ln{label}", "intensity", "ln", 0.0),
    )


_IM = {  # label in the table -> name in Features
    "PGA": "pga_mps2",
    "PGV": "pgv_mps",
    "Arias": "arias_mps",
    "CAV": "cav_mps",
    "D5–75": "d5_75_s",
    "D5–95": "d5_95_s",
}
# against the pool's own records: event terms are common to all stations and would swamp everything else
POOL_MEASURES = (
    *(m for label in _IM for m in _columns(label)),
    Measure("PSA ln bias, largest", "intensity", "ln", 0.0),
    Measure("σ lnPSA ratio", "intensity", "1", 1.0),
    Measure("Anderson score", "goodness", "of 10", 10.0),
    Measure("Olsen–Mayhew score", "goodness", "of 100", 100.0),
    Measure("P picked, difference", "arrivals", "points", 0.0),
    Measure("S picked, difference", "arrivals", "points", 0.0),
    Measure("W1 S−P", "arrivals", "s", 0.0),
    Measure("onsets, difference", "arrivals", "1", 0.0),
    Measure("W1 SNR", "arrivals", "dB", 0.0),
)
# against events the generator did not have
HELDOUT_MEASURES = (
    Measure("|Δ lnHVSR|", "site", "ln", 0.0),
    Measure("σ lnHVSR ratio", "site", "1", 1.0),
    Measure("energy distance lnHVSR", "site", "ln", 0.0),
    Measure("W1 lnHVSR", "site", "ln", 0.0),
    Measure("PSA shape |Δ ln|", "site", "ln", 0.0),
    Measure("PGA–f0 joint distance", "site", "1", 0.0),
    Measure("W1 ln f0", "f0", "ln", 0.0),
    Measure("W1 f0", "f0", "Hz", 0.0),
    Measure("JS distance f0", "f0", "1", 0.0),
    Measure("alignment", "f0", "1", 1.0),
    Measure("alignment, true JSD", "f0", "1", 1.0),
    Measure("alignment, off-diagonal", "f0", "1", 1.0),
)


class Scores(NamedTuple):
    """Of one sample against one reference.

    Attributes
    ----------
    overall : numpy.ndarray, shape (measure,)
        Mean over stations; alignments are of all stations at once.
    by_station : numpy.ndarray, shape (station, measure)
        NaN where a side has fewer than 3 records.
    curves : numpy.ndarray
        Against the pool: PSA ln bias and ratio of σ, shape (2, station, period). Against held-out events: mean
        ln HVSR less that of the reference, shape (1, station, frequency).
    """

    overall: np.ndarray
    by_station: np.ndarray
    curves: np.ndarray


def against_pool(sample: Features, pool: Features, stations) -> Scores:
    """Compare amplitude, duration and arrivals with the records the sample was drawn from."""
    scores = _scores(_amplitude, POOL_MEASURES, (2, len(PERIODS_S)), sample, pool, stations)
    # the largest of the mean bias over stations, not the mean of the stations' largest: noise is no bias
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        largest = np.nanmax(np.abs(np.nanmean(scores.curves[0][:, _IN_BAND], axis=0)))
    scores.overall[[m.name for m in POOL_MEASURES].index("PSA ln bias, largest")] = largest
    return scores


def against_heldout(sample: Features, heldout: Features, stations) -> Scores:
    """Compare site measures with records of events the generator did not have."""
    scores = _scores(_site, HELDOUT_MEASURES, (1, site.FREQUENCY_HZ.size), sample, heldout, stations)
    real, made = ({c: _finite(x.f0_hz[x.station == c]) for c in stations} for x in (heldout, sample))
    both = [c for c in stations if min(len(real[c]), len(made[c])) >= MIN_RECORDS]
    if len(both) > 1:
        found = alignment.scores({c: real[c] for c in both}, generated={c: made[c] for c in both})
        names = [m.name for m in HELDOUT_MEASURES]
        scores.overall[names.index("alignment")] = found.distance
        scores.overall[names.index("alignment, true JSD")] = found.divergence
        scores.overall[names.index("alignment, off-diagonal")] = found.distance_off_diagonal
    return scores


def _scores(compare, measures, shape, sample, reference, stations) -> Scores:
    by_station = np.full((len(stations), len(measures)), np.nan)
    curves = np.full((shape[0], len(stations), shape[1]), np.nan)
    for row, code in enumerate(stations):
        a, b = (x.take(x.station == code) for x in (sample, reference))
        if min(len(a), len(b)) < MIN_RECORDS:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # columns without any value stay NaN
            values, curve = compare(a, b)
        by_station[row] = [values.get(m.name, np.nan) for m in measures]
        curves[:, row] = curve
    finite = np.isfinite(by_station)
    count = finite.sum(axis=0)
    overall = np.where(count > 0, np.where(finite, by_station, 0).sum(axis=0) / np.maximum(count, 1), np.nan)
    return Scores(overall, by_station, curves)


def _amplitude(a: Features, b: Features):
    """Return POOL_MEASURES of one station by name, and the PSA curves."""
    out = {}
    for label, name in _IM.items():
        x, y = a.im(name), b.im(name)
        if label.startswith("D5"):  # of means, as durations are usually quoted; the ln bias is that of medians
            out[f"{label} ratio"] = np.nanmean(np.exp(x)) / np.nanmean(np.exp(y))
        out[f"ln{label} bias"] = np.nanmean(x) - np.nanmean(y)
        out[f"σ ln{label} ratio"] = sd_ratio(x, y)
        out[f"W1 ln{label}"] = wasserstein(x, y)
    bias = np.nanmean(a.ln_psa, axis=0) - np.nanmean(b.ln_psa, axis=0)
    sigma = sd_ratio(a.ln_psa, b.ln_psa)
    out["PSA ln bias, largest"] = np.abs(bias[_IN_BAND]).max()
    out["σ lnPSA ratio"] = np.nanmean(sigma[_IN_BAND])
    out["Anderson score"], out["Olsen–Mayhew score"] = goodness.ensemble_scores(a, b)
    found = arrivals.arrival_measures(*(arrivals.Onsets(x.p_s, x.s_s, x.n_onsets) for x in (a, b)))
    out["P picked, difference"] = found["p_rate_difference"]
    out["S picked, difference"] = found["s_rate_difference"]
    out["W1 S−P"] = found["sp_w1_s"]
    out["onsets, difference"] = found["n_onsets_difference"]
    out["W1 SNR"] = wasserstein(a.snr_db, b.snr_db)
    return out, np.stack([bias, sigma])


def _site(a: Features, b: Features):
    """Return HELDOUT_MEASURES of one station by name, and the mean difference of ln HVSR."""
    curves = site.curve_measures(a.ln_hvsr, b.ln_hvsr)
    shape_a, shape_b = (np.nanmean(x.ln_psa - x.im("pga_mps2")[:, None], axis=0) for x in (a, b))
    f0_a, f0_b = (_finite(x.f0_hz) for x in (a, b))
    out = {
        "|Δ lnHVSR|": curves["mean_abs_difference_ln"],
        "σ lnHVSR ratio": curves["sigma_ratio"],
        "energy distance lnHVSR": max(energy_distance(a.ln_hvsr, b.ln_hvsr), 0.0),  # unbiased: may fall below 0
        "W1 lnHVSR": np.nanmean(wasserstein_columns(a.ln_hvsr, b.ln_hvsr)),
        "PSA shape |Δ ln|": np.abs(shape_a - shape_b)[_IN_BAND].mean(),
        "PGA–f0 joint distance": max(
            site.joint_distance(a.im("pga_mps2"), np.log(a.f0_hz), b.im("pga_mps2"), np.log(b.f0_hz)), 0.0
        ),
        "W1 ln f0": wasserstein(np.log(f0_a), np.log(f0_b)),
        "W1 f0": wasserstein(f0_a, f0_b),
    }
    if f0_a.size and f0_b.size:
        one = [confusion.histograms({"": f0}) for f0 in (f0_b, f0_a)]
        out["JS distance f0"] = 1 - confusion.similarity(*one, form="distance")[0, 0]
    return out, curves["difference_ln"]


def _finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]
