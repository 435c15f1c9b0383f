"""What tells that one window is not like the others: place of its peak, distance of its curve, steadiness in time."""

from __future__ import annotations

import numpy as np

from obspy_tng.site.curves import lognormal

MAX_ITERATIONS = 50
TOLERANCE = 0.01  # of Cox et al. (2020): relative, of the distance of means; absolute, of the standard deviation
MIN_ROWS = 3  # fewer windows tell no outlier
MAD_TO_SD = 1.4826  # of a normal distribution
OCTAVES = 2 ** (1 / 3)  # width over which a curve may be apart by itself


def window_f0(curves: np.ndarray, frequency_hz: np.ndarray, band_hz: tuple[float, float] | None = None) -> np.ndarray:
    """Return the frequency of the highest local maximum of each curve, NaN where there is none.

    Parameters
    ----------
    curves : numpy.ndarray, shape (window, f)
        NaN where unknown.
    frequency_hz : numpy.ndarray, shape (f,)
        In Hz, rising.
    band_hz : (float, float), optional
        Range in Hz; an end of it is no maximum, unless the curve falls on both sides of it.

    Returns
    -------
    numpy.ndarray, shape (window,)
        In Hz, one of the frequencies given.

    Examples
    --------
    >>> hz = np.geomspace(0.5, 20, 100)
    >>> curves = 1 + 3 * np.exp(-((np.log(hz / np.array([[2.0], [8.0]])) / 0.3) ** 2))
    >>> window_f0(curves, hz).round(1).tolist()
    [2.0, 7.9]
    """
    curves = np.atleast_2d(curves)
    middle = curves[:, 1:-1]
    is_peak = (middle > curves[:, :-2]) & (middle >= curves[:, 2:])
    if band_hz is not None:
        inner = frequency_hz[1:-1]
        is_peak &= (inner >= band_hz[0] * (1 - 1e-9)) & (inner <= band_hz[1] * (1 + 1e-9))
    height = np.where(is_peak, middle, -np.inf)
    return np.where(is_peak.any(axis=1), frequency_hz[1:-1][height.argmax(axis=1)], np.nan)


def cox(f0_hz, curves, frequency_hz, n: float = 2.0, *, band_hz=None, max_iterations: int = MAX_ITERATIONS):
    """Tell which windows have a peak near that of the others (Cox et al., 2020).

    Windows with f0 outside exp(mean ± n standard deviations of ln f0) are left out, and this is repeated with what is
    left until two things change no more: the distance between the mean f0 of windows and the peak of their mean
    curve, by less than 1 % of itself, and the standard deviation of ln f0, by less than 0.01.

    Parameters
    ----------
    f0_hz : array_like, shape (window,)
        Peak of each window, see `window_f0`; NaN: none, such windows are left out.
    curves : numpy.ndarray, shape (window, f)
    frequency_hz : numpy.ndarray, shape (f,)
        In Hz.
    n : float
        Number of standard deviations; 2 in the paper.
    band_hz : (float, float), optional
        Where the peak of the mean curve is searched, in Hz.
    max_iterations : int
        50 in the paper.

    Returns
    -------
    numpy.ndarray of bool, shape (window,)
        True: keep. All of them where fewer than three have a peak: nothing can be told.

    References
    ----------
    Cox, Cheng, Vantassel & Manuel (2020), GJI 221(3), 2170-2183, doi:10.1093/gji/ggaa119.

    Examples
    --------
    >>> import numpy as np
    >>> frequency_hz = np.geomspace(0.5, 10, 80)
    >>> f0_hz = np.r_[np.linspace(1.9, 2.1, 9), 6.0]
    >>> curves = 1 + 3 * np.exp(-8 * np.log(frequency_hz / f0_hz[:, None]) ** 2)
    >>> cox(f0_hz, curves, frequency_hz)
    array([ True,  True,  True,  True,  True,  True,  True,  True,  True,
           False])
    """
    ln_f0 = np.log(np.asarray(f0_hz, dtype=np.float64))
    keep = np.isfinite(ln_f0)
    if keep.sum() < MIN_ROWS:
        return np.ones(keep.size, bool)

    def state():
        mean, sd = ln_f0[keep].mean(), ln_f0[keep].std(ddof=1)
        peak = window_f0(lognormal(curves[keep])[0], frequency_hz, band_hz)[0]
        return mean, sd, abs(np.exp(mean) - peak)

    for _ in range(max_iterations):
        mean, sd, distance = state()
        if sd == 0:
            break
        keep = keep & (np.abs(ln_f0 - mean) <= n * sd)
        if keep.sum() < 2:
            break
        _, sd_after, distance_after = state()
        settled = abs(distance_after - distance) < TOLERANCE * distance and abs(sd_after - sd) < TOLERANCE
        if settled or not distance > 0:  # nothing a relative change could be told of
            break
    return keep


def zscore(curves: np.ndarray, frequency_hz: np.ndarray | None = None) -> np.ndarray:
    """Return how far each curve is from the median one: root mean square over frequency of robust z of ln H/V.

    z is the distance in ln from the median over windows, in units of 1.4826 times the median absolute distance; a
    curve like the others scores about 1, one apart at a tenth of its frequencies by 10 scores 3. With frequencies, half
    the largest root mean square over a third of an octave counts when it is more: a peak of one window's own, 6 away
    over that width, scores 3 however wide the band.

    Parameters
    ----------
    curves : numpy.ndarray, shape (window, f)
        NaN where unknown.
    frequency_hz : numpy.ndarray, shape (f,), optional
        In Hz, rising.

    Returns
    -------
    numpy.ndarray, shape (window,)
        NaN without values, or with fewer than three windows at each of a curve's frequencies.

    Examples
    --------
    >>> frequency_hz = np.geomspace(0.5, 20, 200)
    >>> ln_curves = np.random.default_rng(0).normal(size=(40, 200))
    >>> ln_curves[7, 50:62] += 10  # 0.3 octaves
    >>> score = zscore(np.exp(ln_curves), frequency_hz)
    >>> int(score.argmax()), float(score[7].round()), bool((score[:7] < 2).all())
    (7, 5.0, True)
    """
    valid = np.isfinite(curves) & (curves > 0)
    used = valid.sum(axis=0) >= MIN_ROWS
    out = np.full(len(curves), np.nan)
    if not used.any():
        return out
    valid = valid & used
    logs = np.where(valid, np.log(np.where(valid, curves, 1.0)), np.nan)
    away, spread = np.full(curves.shape, np.nan), np.zeros(curves.shape[1])
    away[:, used] = np.abs(logs[:, used] - np.nanmedian(logs[:, used], axis=0))
    spread[used] = MAD_TO_SD * np.nanmedian(away[:, used], axis=0)
    z = np.divide(away, spread, out=np.full(away.shape, np.nan), where=valid & (spread > 0))
    count = np.isfinite(z).sum(axis=1)
    whole = np.sqrt(np.divide(np.nansum(z**2, axis=1), count, out=out, where=count > 0))
    if frequency_hz is None:
        return whole
    start = np.flatnonzero(frequency_hz * OCTAVES <= frequency_hz[-1] * (1 + 1e-9))
    stop = np.searchsorted(frequency_hz, frequency_hz[start] * OCTAVES, side="right")
    power, number = (
        np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1) for values in (np.nan_to_num(z) ** 2, np.isfinite(z))
    )
    # half of the frequencies at least: one value beside a gap is no stretch
    n = (number[:, stop] - number[:, start]).astype(float)
    known = n >= np.maximum(0.5 * (stop - start), 1)
    part = np.divide(power[:, stop] - power[:, start], n, out=np.zeros(n.shape), where=known)
    return np.fmax(whole, 0.5 * np.sqrt(part.max(axis=1, initial=0.0)))


def sta_lta(data: np.ndarray, sampling_rate: float, sta_s: float = 1.0, lta_s: float = 30.0):
    """Return the smallest and the largest ratio of short-term to long-term amplitude in windows.

    Mean absolute amplitude of `sta_s` over that of the `lta_s` that end with it, every quarter of `sta_s`; before
    `lta_s` are over, and in windows shorter than that, over that of the first `lta_s`, or of the whole window. A window
    with a footstep has a large maximum, one with a gap a small minimum.

    Parameters
    ----------
    data : numpy.ndarray, shape (..., 3, n)
        E, N, Z of one window or of several; means are removed, the array is left as it is.
    sampling_rate : float
        In Hz.
    sta_s, lta_s : float
        Lengths in s; SESAME (2004) suggests 0.5-2 s and several tens of seconds.

    Returns
    -------
    smallest, largest : numpy.ndarray, shape (...)
        Over time and components; NaN where a component does not move, or the window is shorter than `sta_s`.

    Examples
    --------
    >>> quiet = np.random.default_rng(0).normal(size=(3, 6000))
    >>> shaken = quiet * np.where(abs(np.arange(6000) - 3000) < 100, 20, 1)
    >>> [bool(sta_lta(data, 100.0)[1].max() > 2.5) for data in (quiet, shaken)]
    [False, True]
    """
    data = np.asarray(data)
    step = max(round(sta_s * sampling_rate / 4), 1)
    n_short, m = 4, data.shape[-1] // step
    nothing = np.full(data.shape[:-2], np.nan)
    if m < n_short:
        return nothing, nothing.copy()
    moving = data - data.mean(axis=-1, keepdims=True)
    np.abs(moving, out=moving)
    blocks = moving[..., : m * step].reshape(*data.shape[:-1], m, step) @ np.full(step, 1 / step)
    total = np.concatenate([np.zeros((*blocks.shape[:-1], 1)), np.cumsum(blocks, axis=-1)], axis=-1)
    n_long = min(max(round(lta_s * sampling_rate / step), n_short), m)
    short = (total[..., n_short:] - total[..., :-n_short]) / n_short
    end = np.maximum(np.arange(n_short, m + 1), n_long)
    long = (total[..., end] - total[..., end - n_long]) / n_long
    ratio = np.divide(short, long, out=np.full(short.shape, np.nan), where=long > 0)
    return ratio.min(axis=(-2, -1)), ratio.max(axis=(-2, -1))
