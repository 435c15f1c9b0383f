"""How sure f0 is: resampled station curves, the interval they give, and how many windows are independent."""

from __future__ import annotations

import numpy as np

CONFIDENCE = 0.68
SAME_PEAK_LN = 0.35  # peaks of resamplings within half an octave are the same one
QUANTILES = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
Z = 0.994457883  # standard normal quantile of QUANTILES[1]


def stretch(n: int) -> float:
    """Return by what factor the interval of a bootstrap of n records is too short.

    ``sqrt(n / (n - 1))``, for the resamplings vary about their own mean with ddof 0, times Student's quantile
    over the normal one, for their sd is itself an estimate (Efron & Tibshirani, 1993, sections 12.2 and 12.5).

    Parameters
    ----------
    n : int
        Records, 2 or more.

    Returns
    -------
    float
        1.054 for 20 records. Student's quantile by the expansion of Fisher & Cornish (1960), off by less than
        0.7 % from 3 records on.

    Raises
    ------
    ValueError
        `n` is below 2.

    Examples
    --------
    >>> round(stretch(20), 3)
    1.054
    """
    if n < 2:
        raise ValueError(f"interval of {n} record(s) asked for; accepted: 2 or more")
    nu = n - 1
    t = Z + (Z**3 + Z) / (4 * nu) + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * nu**2)
    return float(np.sqrt(n / nu) * t / Z)


def interval(f0_hz: float, trials_hz: np.ndarray, n_independent: int) -> tuple[float, float]:
    """Return the 68 % interval of f0 in Hz from the same peak in resamplings.

    Percentiles in ln f, their distances from f0 widened by `stretch`. Of percentile, basic, bias-corrected,
    normal, Student (delta method) and widened intervals this one was the shortest whose coverage on simulated
    sites is right, see ``benchmarks/f0_coverage.py``.

    Parameters
    ----------
    f0_hz : float
        Of the station.
    trials_hz : numpy.ndarray, shape (trial,)
        Where the resamplings have that peak.
    n_independent : int
        Records, or windows that do not overlap.

    Examples
    --------
    >>> low, high = interval(2.0, np.linspace(1.9, 2.1, 201), 1000)
    >>> round(low, 3), round(high, 3)
    (1.932, 2.068)
    """
    low, high = np.quantile(trials_hz, QUANTILES)
    wide = stretch(n_independent)
    return float(f0_hz * (low / f0_hz) ** wide), float(f0_hz * (high / f0_hz) ** wide)


def same_peak(trials: list[np.ndarray], f0_hz: float) -> np.ndarray:
    """Return, of each resampling's peaks in Hz, the one nearest to f0 if it is within half an octave."""
    nearest = np.array([t[np.argmin(np.abs(np.log(t / f0_hz)))] for t in trials if t.size])
    return nearest[np.abs(np.log(nearest / f0_hz)) <= SAME_PEAK_LN]


def n_independent(record_id, start_s, end_s) -> int:
    """Return how many windows' worth of signal the windows of a station cover, overlap counted once.

    Parameters
    ----------
    record_id : array_like, shape (window,)
        Windows of different records never overlap.
    start_s, end_s : array_like, shape (window,)
        In s from the start of the record.

    Examples
    --------
    >>> n_independent(["a"] * 3, [0, 30, 60], [60, 90, 120])
    2
    """
    record_id, start, end = np.asarray(record_id), np.asarray(start_s, float), np.asarray(end_s, float)
    order = np.lexsort((start, record_id))
    record_id, start, length = record_id[order], start[order], (end - start)[order]
    step = np.where(record_id[1:] == record_id[:-1], np.diff(start), np.inf)
    return round(float(np.minimum(step / length[:-1], 1).sum() + 1)) if start.size else 0


def resampled_curves(logs, valid, usable, n_draw, n_trials, rng) -> np.ndarray:
    """Return log-mean curves (trial, f) of `n_draw` windows drawn with replacement.

    Drawing fewer than there are (overlapping windows) keeps the spread of the mean what the independent ones
    give it (m out of n bootstrap: Bickel, Götze & van Zwet, 1997).

    Parameters
    ----------
    logs : numpy.ndarray, shape (window, f)
        ln HVSR, any finite number where not valid.
    valid : numpy.ndarray of bool, shape (window, f)
    usable : numpy.ndarray of bool, shape (f,)
        Frequencies to give; NaN elsewhere.
    """
    n = len(logs)
    return mean_curves(rng.multinomial(n_draw, np.full(n, 1 / n), size=n_trials), logs, valid, usable)


def mean_curves(counts, logs, valid, usable) -> np.ndarray:
    """Return log-mean curves (trial, f) with every window taken `counts` (trial, window) times."""
    counts = np.asarray(counts, float)
    weight = counts @ valid.astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(usable & (weight > 0), np.exp(counts @ np.where(valid, logs, 0.0) / weight), np.nan)
