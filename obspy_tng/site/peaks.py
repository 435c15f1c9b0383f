"""Peaks of an HVSR curve: which are clear, and why there is none.

A peak is clear when it is high enough (SESAME, 2004: A0 > 2) and stands out of its surroundings. An end of
the band is no peak: where the curve is high there, f0 may lie outside.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

MIN_AMPLITUDE = 2.0  # SESAME (2004), criterion iii of a clear peak
MIN_PROMINENCE = 0.25  # in ln
RECORD_FACTOR = 1.5  # a record's own peak is looked for in [f0 / 1.5, 1.5 f0], as Geopsy does in each window
FIT_LN = 0.18  # half-width of the parabola in ln f: the Konno-Ohmachi window of b = 40; tuned on simulated sites


class Peak(NamedTuple):
    """A local maximum: place in Hz, amplitude, prominence in ln."""

    frequency_hz: float
    amplitude: float
    prominence_ln: float


def peaks(curve: np.ndarray, frequency_hz: np.ndarray, min_prominence: float = 0.0) -> list[Peak]:
    """Return the local maxima of a curve from low to high frequency; its ends are none.

    Parameters
    ----------
    curve : numpy.ndarray, shape (f,)
        HVSR; NaN splits it, and the sides of a gap are ends.
    frequency_hz : numpy.ndarray, shape (f,)
        Rising, in Hz.
    min_prominence : float
        In ln; less prominent maxima are left out.

    Returns
    -------
    list of Peak
        Prominence is the height in ln above the higher of the two lowest points that separate the peak from a
        higher one, or from an end, on either side. Place and amplitude come from a least-squares parabola in
        ln f - ln A through the points within 0.18 of the maximum in ln f.

    Examples
    --------
    >>> f = np.geomspace(0.5, 20, 200)
    >>> [round(p.frequency_hz, 3) for p in peaks(np.exp(-np.log(f / 3) ** 2), f)]
    [3.0]
    """
    out = []
    x = np.log(frequency_hz)
    with np.errstate(invalid="ignore", divide="ignore"):
        y = np.log(curve)
    finite = np.flatnonzero(np.isfinite(y))
    for run in np.split(finite, np.flatnonzero(np.diff(finite) > 1) + 1):
        if run.size < 3:
            continue
        part = y[run]
        for i in np.flatnonzero((part[1:-1] > part[:-2]) & (part[1:-1] >= part[2:])) + 1:
            higher = np.flatnonzero(part[:i] > part[i])
            left = part[(higher[-1] if higher.size else 0) : i + 1].min()
            higher = np.flatnonzero(part[i:] > part[i])
            right = part[i : (i + higher[0] if higher.size else part.size)].min()
            prominence = float(part[i] - max(left, right))
            if prominence >= min_prominence:
                place, height = _parabola(x[run], part, i)
                out.append(Peak(float(np.exp(place)), float(np.exp(height)), prominence))
    return out


def record_peaks(curves: np.ndarray, frequency_hz: np.ndarray, f0_hz: float) -> np.ndarray:
    """Return the frequency of each record's highest local maximum in [f0 / 1.5, 1.5 f0].

    One record's curve is too rough to ask for a clear peak; what is near the station's f0 is taken as its share
    in that peak, the definition of Geopsy's "f0 from windows".

    Parameters
    ----------
    curves : numpy.ndarray, shape (record, f)
        HVSR, NaN where not valid.
    frequency_hz : numpy.ndarray, shape (f,)
        Rising, in Hz.
    f0_hz : float
        Of the station.

    Returns
    -------
    numpy.ndarray, shape (record,)
        In Hz, places refined as by `peaks`; NaN without a maximum there.

    Examples
    --------
    >>> hz = np.geomspace(0.5, 20, 200)
    >>> curves = 1 + 3 * np.exp(-((np.log(hz / np.array([[1.9], [2.2]])) / 0.3) ** 2))
    >>> record_peaks(curves, hz, 2.0).round(1).tolist()
    [1.9, 2.2]
    """
    x = np.log(frequency_hz)
    near = np.flatnonzero(np.abs(x[1:-1] - np.log(f0_hz)) <= np.log(RECORD_FACTOR) + 1e-9) + 1
    out = np.full(len(curves), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(curves)
    at = logs[:, near]
    at = np.where((at > logs[:, near - 1]) & (at >= logs[:, near + 1]), at, -np.inf)
    if near.size:
        for row in np.flatnonzero(at.max(axis=1) > -np.inf):
            i, y = near[np.argmax(at[row])], logs[row]
            gaps = np.flatnonzero(~np.isfinite(y))
            run = slice(gaps[gaps < i].max(initial=-1) + 1, gaps[gaps > i].min(initial=y.size))
            out[row] = np.exp(_parabola(x[run], y[run], i - run.start)[0])
    return out


def _parabola(x, y, i) -> tuple[float, float]:
    """Return the vertex of the least-squares parabola around sample i; the sample where there is none."""
    near = np.flatnonzero(np.abs(x - x[i]) <= FIT_LN)
    if near.size < 3:
        near = np.arange(i - 1, i + 2)
    u, v = x[near] - x[i], y[near]
    basis = np.stack([np.ones_like(u), u, u * u], axis=1)
    c, b, a = np.linalg.solve(basis.T @ basis, basis.T @ v)
    if not a < 0 or abs(b / (2 * a)) > FIT_LN:
        return x[i], y[i]
    return x[i] - b / (2 * a), c - b * b / (4 * a)


def clear_peaks(
    curve: np.ndarray,
    frequency_hz: np.ndarray,
    min_amplitude: float = MIN_AMPLITUDE,
    min_prominence: float = MIN_PROMINENCE,
) -> list[Peak]:
    """Return the peaks that are high and prominent enough, from low to high frequency.

    Parameters
    ----------
    curve : numpy.ndarray, shape (f,)
        HVSR inside the band; NaN where unknown.
    frequency_hz : numpy.ndarray, shape (f,)
        In Hz, rising.
    min_amplitude, min_prominence : float
        Smallest amplitude and smallest prominence in ln.

    Examples
    --------
    >>> hz = np.geomspace(0.5, 20, 200)
    >>> curve = 1 + 3 * np.exp(-((np.log(hz / 2) / 0.3) ** 2)) + 0.3 * np.exp(-((np.log(hz / 9) / 0.2) ** 2))
    >>> [(round(peak.frequency_hz, 1), round(peak.amplitude, 1)) for peak in clear_peaks(curve, hz)]
    [(2.0, 4.0)]
    """
    return [p for p in peaks(curve, frequency_hz, min_prominence) if p.amplitude >= min_amplitude]


def no_peak_reason(
    curve: np.ndarray,
    frequency_hz: np.ndarray,
    min_amplitude: float = MIN_AMPLITUDE,
    min_prominence: float = MIN_PROMINENCE,
) -> str:
    """Say why a curve has no clear peak; `frequency_hz`, `min_amplitude`, `min_prominence` as in `clear_peaks`.

    Examples
    --------
    >>> hz = np.geomspace(0.5, 20, 200)
    >>> no_peak_reason(1 + 0.3 * np.exp(-((np.log(hz / 2) / 0.3) ** 2)), hz)
    'flat: largest amplitude 1.3 < 2'
    """
    known = np.flatnonzero(np.isfinite(curve))
    if known.size < 3:
        return "no frequency with enough valid records"
    if hint := edge_hint(curve, frequency_hz, min_amplitude, min_prominence):
        return hint
    largest = float(curve[known].max())
    if largest < min_amplitude:
        return f"flat: largest amplitude {largest:.1f} < {min_amplitude:.3g}"
    top = max(peaks(curve, frequency_hz), key=lambda p: p.amplitude, default=None)
    if top is None or top.amplitude < min_amplitude:
        return f"no peak inside the band: amplitude reaches {largest:.1f} at its edge only"
    return (
        f"no clear peak: the largest, {top.amplitude:.1f} at {top.frequency_hz:.2f} Hz, "
        f"stands out by {top.prominence_ln:.2f} < {min_prominence:g} in ln"
    )


def edge_hint(
    curve: np.ndarray,
    frequency_hz: np.ndarray,
    min_amplitude: float = MIN_AMPLITUDE,
    min_prominence: float = MIN_PROMINENCE,
) -> str:
    """Return a remark when the curve is high at an end of the band and falls from there.

    `frequency_hz`, `min_amplitude` and `min_prominence` as in `clear_peaks`.

    Examples
    --------
    >>> hz = np.geomspace(0.5, 20, 200)
    >>> edge_hint(4 / hz, hz)
    'f0 may lie below the band: the curve still rises to 8.0 at 0.5 Hz'
    """
    known = np.isfinite(curve)
    y, frequency_hz = np.log(curve[known]), frequency_hz[known]
    for end, text in ((slice(None), "below"), (slice(None, None, -1), "above")):
        part = y[end]
        higher = np.flatnonzero(part > part[0])
        fall = part[0] - part[: higher[0] if higher.size else part.size].min()
        if part[0] >= np.log(min_amplitude) and fall >= min_prominence:
            at = frequency_hz[end][0]
            return f"f0 may lie {text} the band: the curve still rises to {np.exp(part[0]):.1f} at {at:.3g} Hz"
    return ""
