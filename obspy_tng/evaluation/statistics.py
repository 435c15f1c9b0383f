"""Distances between two samples, splits by event, intervals: what every table of the evaluation is made of.

Two samples always come in the order (sample, reference): generated records first, the real ones they are judged by
second. What is not finite is missing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from obspy_tng.errors import TNGError

MIN_FINITE_SHARE = 0.8  # of the rows of both samples, for a column to count in a multivariate distance


class Interval(NamedTuple):
    """Mean over splits and the range that holds a given share of them."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def wasserstein(sample, reference) -> float:
    """Return the Wasserstein-1 distance of two one-dimensional samples.

    Parameters
    ----------
    sample, reference : array_like, shape (n,) and (m,)
        In the same unit; what is not finite is left out.

    Returns
    -------
    float
        In the unit of the values; NaN when one sample holds no finite value.

    Examples
    --------
    >>> wasserstein([1.0, 2.0, 3.0], [1.5, 2.5, 3.5])
    0.5
    """
    from scipy.stats import wasserstein_distance

    sample, reference = (np.asarray(x, dtype=np.float64).ravel() for x in (sample, reference))
    sample, reference = sample[np.isfinite(sample)], reference[np.isfinite(reference)]
    if not sample.size or not reference.size:
        return float("nan")
    return float(wasserstein_distance(sample, reference))


def wasserstein_columns(sample, reference) -> np.ndarray:
    """Return the Wasserstein-1 distance of each column of two samples, e.g. of each frequency of curves.

    Parameters
    ----------
    sample, reference : array_like, shape (n, k) and (m, k)
        What is not finite is left out of its column.

    Returns
    -------
    numpy.ndarray, shape (k,)
        NaN where a column of either sample holds no finite value.

    Raises
    ------
    TNGError
        The columns do not agree.

    Examples
    --------
    >>> wasserstein_columns([[0.0, 1.0], [1.0, 2.0]], [[1.0, 1.0], [2.0, 2.0]]).tolist()
    [1.0, 0.0]
    """
    sample, reference = _two_tables(sample, reference)
    values = np.concatenate([sample, reference])
    finite = np.isfinite(values)
    n = finite[: len(sample)].sum(axis=0)
    m = finite[len(sample) :].sum(axis=0)
    with np.errstate(divide="ignore"):
        weights = np.concatenate([np.broadcast_to(1.0 / n, sample.shape), np.broadcast_to(-1.0 / m, reference.shape)])
    weights = np.where(finite, weights, 0.0)
    # missing values sit, without weight, on the largest one: they add no distance
    values = np.where(finite, values, np.where(finite, values, -np.inf).max(axis=0, initial=-np.inf))
    known = (n > 0) & (m > 0)
    values[:, ~known] = 0.0
    order = np.argsort(values, axis=0)
    steps = np.diff(np.take_along_axis(values, order, axis=0), axis=0)
    difference = np.cumsum(np.take_along_axis(weights, order, axis=0), axis=0)[:-1]
    return np.where(known, (np.abs(np.where(known, difference, 0.0)) * steps).sum(axis=0), np.nan)


def energy_distance(sample, reference) -> float:
    """Return the energy distance of two multivariate samples, unbiased.

    ``2 E|X - Y| - E|X - X'| - E|Y - Y'|`` with the Euclidean norm divided by sqrt(k), so that the number does not
    grow with the number of columns. The means run over pairs of different rows (a U-statistic): the expectation is
    exactly 0 for equal laws whatever the sizes, so one value can be slightly negative, and a set against itself always
    is. No root is taken.

    Columns that are finite in less than 80 % of the rows of either sample are left out, then the rows that still
    miss a value.

    Parameters
    ----------
    sample, reference : array_like, shape (n, k) and (m, k), or (n,) and (m,)

    Returns
    -------
    float
        In the unit of the values; NaN when no column, or fewer than two rows of a sample, are left.

    Raises
    ------
    TNGError
        The columns do not agree.

    References
    ----------
    Székely & Rizzo (2013), Energy statistics: a class of statistics based on distances, J. Stat. Plan. Inference
    143(8), 1249-1272, Eq. 2.1.

    Examples
    --------
    >>> energy_distance([0.0, 0.0], [1.0, 1.0])
    2.0
    """
    from scipy.spatial.distance import cdist, pdist

    sample, reference = _two_tables(sample, reference)
    if not len(sample) or not len(reference):
        return float("nan")
    columns = np.min([np.isfinite(x).mean(axis=0) for x in (sample, reference)], axis=0) >= MIN_FINITE_SHARE
    sample, reference = (x[:, columns][np.isfinite(x[:, columns]).all(axis=1)] for x in (sample, reference))
    if not columns.any() or min(len(sample), len(reference)) < 2:
        return float("nan")
    distance = 2 * cdist(sample, reference).mean() - pdist(sample).mean() - pdist(reference).mean()
    return float(distance / np.sqrt(columns.sum()))


def ln_bias(sample, reference) -> np.ndarray:
    """Return the mean of ln of a sample less that of the reference; positive when the sample is larger.

    Parameters
    ----------
    sample, reference : array_like, shape (n,) and (m,), or (n, k) and (m, k)
        Values themselves, not their logarithms; what is not finite or not above 0 is left out.

    Returns
    -------
    numpy.ndarray, shape () or (k,)
        NaN where either holds fewer than two usable values.

    Examples
    --------
    >>> ln_bias([2.0, 4.0], [1.0, 2.0]).round(4).item()
    0.6931
    """
    logs = []
    for x in (sample, reference):
        x = np.asarray(x, dtype=np.float64)
        logs.append(np.log(x, out=np.full(x.shape, np.nan), where=x > 0))
    (mean_a, _), (mean_b, _) = (_moments(x) for x in logs)
    return mean_a - mean_b


def sd_ratio(sample, reference) -> np.ndarray:
    """Return the standard deviation of a sample over that of the reference, both with ddof 1.

    Parameters
    ----------
    sample, reference : array_like, shape (n,) and (m,), or (n, k) and (m, k)
        Taken as they are: give logarithms for the ratio of sigma ln. What is not finite is left out.

    Returns
    -------
    numpy.ndarray, shape () or (k,)
        NaN where either holds fewer than two finite values or the reference does not vary.

    Examples
    --------
    >>> sd_ratio([0.0, 2.0, 4.0], [0.0, 1.0, 2.0]).item()
    2.0
    """
    (_, sd_a), (_, sd_b) = (_moments(x) for x in (sample, reference))
    return np.divide(sd_a, sd_b, out=np.full(np.shape(sd_a), np.nan), where=sd_b > 0)[()]


def event_splits(events, n_splits: int, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split records in random halves of their events, each event whole on one side at all stations.

    Parameters
    ----------
    events : array_like of str, shape (n,)
        Event of each record; a record whose event is empty counts as an event of its own.
    n_splits : int
        Number of splits.
    rng : numpy.random.Generator

    Returns
    -------
    list of (numpy.ndarray, numpy.ndarray)
        Sorted rows of either side. With an odd number of events the first side has one less.

    Raises
    ------
    TNGError
        Fewer than two events.

    Examples
    --------
    >>> events = ["a", "a", "b", "c", "c", "d"]
    >>> one, other = event_splits(events, 1, np.random.default_rng(0))[0]
    >>> {events[i] for i in one} & {events[i] for i in other}  # no event on both sides
    set()
    """
    event = _event_numbers(events)
    count = int(event.max(initial=-1)) + 1
    if count < 2:
        raise TNGError(f"{len(event)} record(s) of {count} event(s) given; a split by event needs two events or more")
    splits = []
    for _ in range(n_splits):
        first = np.isin(event, rng.permutation(count)[: count // 2])
        splits.append((np.flatnonzero(first), np.flatnonzero(~first)))
    return splits


def interval(values, level: float = 0.95) -> Interval:
    """Return the mean over splits and the central interval that holds a share of them.

    Quantiles of the splits themselves, not a standard error of their mean: splits of one set of events share
    records, so that more of them would make a standard error as small as one likes.

    Parameters
    ----------
    values : array_like, shape (split,) or (split, ...)
        NaN are left out.
    level : float
        Share of the splits inside.

    Returns
    -------
    Interval
        mean, low, high, each of shape () or (...); NaN where no split has a value.

    Examples
    --------
    >>> interval([1.0, 2.0, 3.0], level=1.0).high.item()
    3.0
    """
    if not 0 < level <= 1:
        raise TNGError(f"level {level!r} is not a share above 0 and up to 1")
    values = np.asarray(values, dtype=np.float64)
    known = np.isfinite(values).any(axis=0) & (len(values) > 0)
    filled = np.where(known, values, 0.0)
    tails = [(1 - level) / 2, (1 + level) / 2]
    if not len(values):
        filled = np.zeros((1, *values.shape[1:]))
    low, high = np.nanquantile(filled, tails, axis=0)
    return Interval(*(np.where(known, x, np.nan)[()] for x in (np.nanmean(filled, axis=0), low, high)))


def _two_tables(sample, reference):
    """Return both as (row, column) float64."""
    tables = []
    for x in (sample, reference):
        x = np.asarray(x, dtype=np.float64)
        tables.append(x[:, None] if x.ndim == 1 else x)
    if any(x.ndim != 2 for x in tables) or tables[0].shape[1] != tables[1].shape[1]:
        shapes = " and ".join(str(np.shape(x)) for x in (sample, reference))
        raise TNGError(f"arrays of shape {shapes} given; accepted: (n, k) and (m, k) with the same k")
    return tables


def _moments(values):
    """Return mean and standard deviation (ddof 1) over the first axis, NaN with fewer than two finite values."""
    values = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(values)
    n = finite.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(finite, values, 0.0).sum(axis=0) / n
        squares = (np.where(finite, values - mean, 0.0) ** 2).sum(axis=0)
        sd = np.sqrt(squares / (n - 1))
    return np.where(n > 1, mean, np.nan)[()], np.where(n > 1, sd, np.nan)[()]


def _event_numbers(events):
    """Return 0, 1, … for each record's event; each record without one gets its own."""
    names = np.array([str(e) if e is not None else "" for e in np.asarray(events, dtype=object).ravel()], dtype=object)
    names = [(name, 0) if name else ("", i + 1) for i, name in enumerate(names)]
    numbers = {name: i for i, name in enumerate(sorted(set(names)))}
    return np.array([numbers[name] for name in names], dtype=int)
