"""Peaks of two-component motion over all horizontal directions (RotD).

The largest ``|x cos(t) + y sin(t)|`` over time lies on the convex hull of the trajectory. Two samples are enough
to discard nearly all others: A, the farthest from rest, and B, the farthest from the line through A. Whatever lies
inside the parallelogram of ±A and ±B is no maximum in any direction.
"""

from __future__ import annotations

import numpy as np

from obspy_tng.errors import TNGError

ANGLES_DEG = np.arange(180)
_DIRECTIONS = np.stack([np.cos(np.radians(ANGLES_DEG)), np.sin(np.radians(ANGLES_DEG))])  # (2, 180)


def directional_peaks(x: np.ndarray, y: np.ndarray, *, between_samples: bool = False) -> np.ndarray:
    """Return the peak of the motion in each direction of 0, 1, ... 179 degrees.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (npts,)
        Two perpendicular components, npts at least 3, any unit.
    between_samples : bool
        True: the peak of the parabola through the largest sample and its two neighbours, for well sampled motion
        (12 samples or more per cycle). False: the largest sample.

    Returns
    -------
    numpy.ndarray, shape (180,), same unit

    Examples
    --------
    >>> directional_peaks(np.array([0.0, 3.0, 0.0]), np.zeros(3))[[0, 60, 90]].round(6).tolist()
    [3.0, 1.5, 0.0]
    """
    a = int(np.argmax(x * x + y * y))
    beside = np.abs(x[a] * y - y[a] * x)
    b = int(np.argmax(beside))
    area = beside[b]
    if area > 1e-6 * (x[a] ** 2 + y[a] ** 2):
        # the two terms are |v| and |u| of p = u A + v B, times the area of the parallelogram
        outside = np.flatnonzero(beside + np.abs(x * y[b] - y * x[b]) >= area * x.dtype.type(1 - 1e-5))
        projected = _DIRECTIONS.T.astype(x.dtype) @ np.stack([x[outside], y[outside]])
        largest = outside[np.argmax(np.abs(projected, out=projected), axis=1)]
    else:
        largest = np.full(len(ANGLES_DEG), a)
    cosine, sine = _DIRECTIONS
    if not between_samples:
        return np.abs(cosine * x[largest] + sine * y[largest])
    middle = np.clip(largest, 1, x.size - 2)
    before, peak, after = (cosine * x[i] + sine * y[i] for i in (middle - 1, middle, middle + 1))
    bend = np.abs(before + after - 2 * peak)
    turns = (before + after - 2 * peak) * peak < 0  # a peak of its sign, not an end of the record
    rise = np.divide((after - before) ** 2, 8 * bend, out=np.zeros_like(bend), where=turns & (bend > 0))
    at_edge = middle != largest
    peak = np.where(at_edge, cosine * x[largest] + sine * y[largest], peak)
    return np.abs(peak) + np.where(at_edge, 0.0, rise)


def rotd(horizontals: np.ndarray, *, percentile: float = 50, between_samples: bool = False) -> np.ndarray:
    """Return RotDnn: a percentile over directions of the peak in each direction.

    Parameters
    ----------
    horizontals : numpy.ndarray, shape (n, 2, npts)
        Two perpendicular components, any unit. Left as they are.
    percentile : float
        0 to 100; 50 is RotD50, 100 the largest peak of any direction.
    between_samples : bool
        See `directional_peaks`.

    Returns
    -------
    numpy.ndarray, shape (n,), same unit; NaN where a sample is not finite

    Raises
    ------
    TNGError
        The shape is another, or the percentile is outside 0 to 100.

    Examples
    --------
    >>> t = np.arange(3600) * 0.01
    >>> circular = np.stack([np.cos(t), np.sin(t)])[None]
    >>> round(float(rotd(circular)[0]), 3)
    1.0

    References
    ----------
    Boore (2010), Orientation-independent, nongeometric-mean measures of seismic intensity from two horizontal
    components of motion, BSSA 100(4), 1830-1835.
    """
    horizontals = check_horizontals(horizontals)
    check_percentile(percentile)
    peaks = np.full((len(horizontals), len(ANGLES_DEG)), np.nan)
    for i, (x, y) in enumerate(horizontals):
        if np.isfinite(x).all() and np.isfinite(y).all():
            peaks[i] = directional_peaks(x, y, between_samples=between_samples)
    return np.percentile(peaks, percentile, axis=1)


def check_horizontals(horizontals) -> np.ndarray:
    """Return `horizontals` as floating point of shape (n, 2, npts), else raise TNGError."""
    horizontals = np.asarray(horizontals)
    if horizontals.ndim != 3 or horizontals.shape[1] != 2 or horizontals.shape[2] < 3:
        shape = horizontals.shape
        raise TNGError(f"horizontals have shape {shape}; accepted: (records, 2, samples), 3 samples or more")
    return horizontals if horizontals.dtype.kind == "f" else horizontals.astype(np.float64)


def check_percentile(percentile: float) -> None:
    """Raise TNGError when `percentile` is outside 0 to 100."""
    if not 0 <= percentile <= 100:
        raise TNGError(f"percentile {percentile} is outside 0 to 100")
