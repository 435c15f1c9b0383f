"""Is a generated record new? Two measures against the records it was made from, and the level real records reach.

Both look for the nearest record of the pool: `max_correlation` finds copies of the waveform, delayed or not;
`power_correlation` finds copies of how energy is spread over time and frequency, even with the phases scrambled. What
real records of different earthquakes reach among themselves is the yardstick. Judge one station at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from obspy_tng.errors import TNGError
from obspy_tng.evaluation.baselines import checked

# Evolutionary power: frames, smoothing of the power itself, and the wide mean that is taken off its logarithm.
FRAME_S, FRAMES_PER_LENGTH = 2.56, 4
BAND_HZ = (0.5, 25.0)
SMOOTH_FRAMES = SMOOTH_BINS = 0.7  # sd of a Gaussian
WIDE_S, WIDE_HZ = 1.0, 2.3  # sd of a Gaussian
CLIP_LN = 3.0
FLOOR = 1e-9  # of the component's largest power
MAX_LAG_S = 2.0
_BLOCK = 4  # pairs whose inverse transforms stay in the cache


class Novelty(NamedTuple):
    """Highest similarity of each record to the pool, and of each pool record to the others of the pool.

    Attributes
    ----------
    correlation, power : numpy.ndarray, shape (n,)
        Of each generated record: largest over the pool of `max_correlation` and `power_correlation`.
    correlation_nearest, power_nearest : numpy.ndarray of int, shape (n,)
        Row of the pool where it is reached.
    real_correlation, real_power : numpy.ndarray, shape (m,)
        The same of each pool record against the m - 1 others.
    """

    correlation: np.ndarray
    correlation_nearest: np.ndarray
    power: np.ndarray
    power_nearest: np.ndarray
    real_correlation: np.ndarray
    real_power: np.ndarray


def novelty(generated: np.ndarray, pool: np.ndarray, sampling_rate: float = 100.0) -> Novelty:
    """Compare generated records with the pool they come from, and the pool with itself.

    Parameters
    ----------
    generated, pool : numpy.ndarray, shape (n, 3, npts) and (m, 3, npts)
        Of one station, aligned on P, E N Z, any unit; m at least 3.
    sampling_rate : float
        In Hz.

    Returns
    -------
    Novelty
        `summary` makes numbers for a table of it.

    Raises
    ------
    TNGError
        Shapes do not agree, or the pool holds fewer than 3 records.

    Examples
    --------
    >>> data = np.random.default_rng(0).normal(size=(6, 3, 3000))
    >>> found = novelty(data[:1], data)  # a copy of the first record of the pool
    >>> found.correlation.round(2).tolist(), found.correlation_nearest.tolist()
    ([1.0], [0])
    """
    correlation = max_correlation(generated, pool)
    power = power_correlation(generated, pool, sampling_rate)
    real = max_correlation(pool), power_correlation(pool, sampling_rate=sampling_rate)
    return Novelty(
        correlation.max(axis=1), correlation.argmax(axis=1), power.max(axis=1), power.argmax(axis=1),
        *(np.nanmax(values, axis=1) for values in real),
    )  # fmt: skip


def summary(found: Novelty) -> dict[str, float]:
    """Return the numbers of a table: how near generated records come to the pool, and how near real ones do.

    Returns
    -------
    dict of str to float
        For ``correlation_`` and ``power_``: ``median``, ``p95``; ``real_median``, ``real_p95``, ``real_p99`` of
        the pool records among themselves; ``ratio`` of the medians; ``above_p99``, the share of generated records
        above the 99th real-real percentile (for independent records 0.01, or about 1 / (m + 1) with a pool of
        m < 100; for copies 1). ``above_p99`` without prefix: the share above in either measure.
    """
    out, either = {}, np.zeros(len(found.correlation), dtype=bool)
    for name in ("correlation", "power"):
        made, real = getattr(found, name), getattr(found, f"real_{name}")
        level = np.percentile(real, 99)
        above = made > level
        either |= above
        numbers = {
            "median": np.median(made), "p95": np.percentile(made, 95), "real_median": np.median(real),
            "real_p95": np.percentile(real, 95), "real_p99": level, "ratio": np.median(made) / np.median(real),
            "above_p99": above.mean(),
        }  # fmt: skip
        out |= {f"{name}_{key}": float(value) for key, value in numbers.items()}
    return out | {"above_p99": float(either.mean())}


def max_correlation(
    a: np.ndarray, b: np.ndarray | None = None, max_lag_s: float | None = None, sampling_rate: float = 100.0
) -> np.ndarray:
    """Return the highest absolute normalised cross-correlation over lags of each pair of records.

    ``max |sum x(t) y(t + lag)| / sqrt(sum x² sum y²)`` with the whole energies below, so that short overlaps count for
    little. Of the three components the largest counts: a record of which one component is copied is found.

    Parameters
    ----------
    a : numpy.ndarray, shape (n, 3, npts)
    b : numpy.ndarray, shape (m, 3, npts), optional
        Without it, `a` against itself: each pair is computed once, and the diagonal is NaN.
    max_lag_s : float, optional
        Longest lag; all lags when not given.
    sampling_rate : float
        In Hz; of use only with `max_lag_s`.

    Returns
    -------
    numpy.ndarray, shape (n, m), float32
        0 to 1; a component without motion correlates with nothing.

    Raises
    ------
    TNGError
        Shapes do not agree.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(1, 3, 500))
    >>> max_correlation(x, -2 * x).round(3)
    array([[1.]], dtype=float32)
    """
    a, other = _pair(a, b)
    npts = a.shape[-1]
    lags = npts - 1 if max_lag_s is None else min(npts - 1, round(max_lag_s * sampling_rate))
    nfft = next_fast_len(npts + lags, real=True)
    first = _unit_spectra(a, nfft)
    second = first if b is None else _unit_spectra(other, nfft)
    out = np.full((len(a), len(other)), np.nan, dtype=np.float32)
    for i, spectrum in enumerate(first):
        for j in range(i + 1 if b is None else 0, len(other), _BLOCK):
            series = irfft(np.conj(spectrum) * second[j : j + _BLOCK], nfft, overwrite_x=True)
            ends = (series,) if 2 * lags + 1 >= nfft else (series[..., : lags + 1], series[..., nfft - lags :])
            best = [np.maximum(x.max(axis=(1, 2)), -x.min(axis=(1, 2))) for x in ends if x.shape[-1]]
            out[i, j : j + _BLOCK] = np.max(best, axis=0)
    if b is None:
        out = np.where(np.isnan(out), out.T, out)
    return np.minimum(out, 1.0)


def power_correlation(
    a: np.ndarray, b: np.ndarray | None = None, sampling_rate: float = 100.0, max_lag_s: float = MAX_LAG_S
) -> np.ndarray:
    """Return how alike each pair of records spreads its energy over time, frequency and component.

    Cosine of the two records' detail of ln evolutionary power (see `power_detail`), three components stacked, after
    the pool's mean has been taken off both: what all records of the station share does not count. Largest over lags
    of up to `max_lag_s` in whole frames.

    Parameters
    ----------
    a : numpy.ndarray, shape (n, 3, npts)
    b : numpy.ndarray, shape (m, 3, npts), optional
        The pool, m at least 3. Without it, `a` is the pool against itself: the mean is then that of all records but
        the one compared, so that the level is that of a new record against a pool; the diagonal is NaN.
    sampling_rate : float
        In Hz, 2 * 0.5 Hz or more.
    max_lag_s : float
        Largest shift tried, in s.

    Returns
    -------
    numpy.ndarray, shape (n, m), float32
        -1 to 1. Real records of 28 Ridgecrest stations reach 0.1 to 0.2 at best, phase-scrambled copies 0.7.
        With `b` absent not quite symmetric: the mean depends on the row.

    Raises
    ------
    TNGError
        Shapes do not agree, fewer than 3 records in the pool, or records shorter than two frames of 2.56 s.

    Examples
    --------
    >>> data = np.random.default_rng(0).normal(size=(3, 3, 3000))
    >>> power_correlation(data).shape
    (3, 3)
    """
    a, other = _pair(a, b)
    if len(other) < 3:
        raise TNGError(f"a pool of {len(other)} record(s) given; 3 or more are needed to take off its mean")
    first = power_detail(a, sampling_rate)
    second = first if b is None else power_detail(other, sampling_rate)
    frames = first.shape[2]
    most = min(round(max_lag_s * FRAMES_PER_LENGTH / FRAME_S), frames - 1)
    pool = second.reshape(len(second), -1)
    gram = (pool @ pool.T).astype(np.float64)
    best = np.full((len(a), len(other)), -1.0)
    for lag in range(-most, most + 1):
        moved = np.zeros_like(first)
        moved[:, :, max(lag, 0) : frames + min(lag, 0)] = first[:, :, max(-lag, 0) : frames - max(lag, 0)]
        moved = moved.reshape(len(first), -1)
        own = np.einsum("ij,ij->i", moved, moved, dtype=np.float64)
        best = np.maximum(best, _cosines((moved @ pool.T).astype(np.float64), own, gram, leave_out=b is None))
    if b is None:
        np.fill_diagonal(best, np.nan)
    return np.clip(best, -1, 1).astype(np.float32)


def power_detail(data: np.ndarray, sampling_rate: float = 100.0) -> np.ndarray:
    """Return the fine structure of ln evolutionary power of records.

    Power of Hann frames of 2.56 s every 0.64 s, 0.5 to 25 Hz, smoothed by 0.7 frame and 0.7 bin; of its logarithm a
    wide mean (1 s and 2.3 Hz standard deviation) is taken off and the rest clipped at ±3. Magnitude, distance
    and site make the wide mean, and two earthquakes may well share them; the fine structure is the record's own, and
    it survives a scrambling of phases.

    Parameters
    ----------
    data : numpy.ndarray, shape (n, 3, npts)
    sampling_rate : float
        In Hz.

    Returns
    -------
    numpy.ndarray, shape (n, 3, frame, frequency), float32

    Raises
    ------
    TNGError
        A record is shorter than two frames, or the sampling rate below 4 Hz.
    """
    from scipy.ndimage import gaussian_filter

    data = checked(data)
    length = round(FRAME_S * sampling_rate)
    hop = length // FRAMES_PER_LENGTH
    if sampling_rate < 4 or data.shape[-1] < 2 * length:
        raise TNGError(
            f"records of {data.shape[-1]} samples at {sampling_rate:g} Hz given; "
            f"accepted: {2 * FRAME_S:g} s or more at 4 Hz or more"
        )
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)
    frequency_hz = np.fft.rfftfreq(length, 1 / sampling_rate)
    inside = (frequency_hz >= BAND_HZ[0]) & (frequency_hz <= BAND_HZ[1])
    wide = (WIDE_S * sampling_rate / hop, WIDE_HZ * length / sampling_rate)
    out = []
    for record in data:  # frames of a whole pool at once would take 4 times its memory
        frames = np.lib.stride_tricks.sliding_window_view(record, length, axis=-1)[:, ::hop]
        power = np.abs(rfft(frames * window)[..., inside]) ** 2
        power = gaussian_filter(power, (0, SMOOTH_FRAMES, SMOOTH_BINS), truncate=3)
        largest = power.max(axis=(1, 2), keepdims=True)
        logs = np.log(power / np.where(largest > 0, largest, 1.0) + FLOOR)
        out.append(np.clip(logs - gaussian_filter(logs, (0, *wide), truncate=2), -CLIP_LN, CLIP_LN))
    return np.asarray(out, dtype=np.float32)


def _cosines(products, own, gram, leave_out: bool) -> np.ndarray:
    """Return cosines of rows x and pool records z after a mean of z is taken off both, from scalar products alone.

    products is x·z (n, m), own x·x (n,), gram z·z' (m, m). `leave_out`: x of row i is pool record i, perhaps moved
    in time, and the mean is over the others.
    """
    m = len(gram)
    squares = np.diag(gram)
    if leave_out:
        count = m - 1
        with_mean = (products.sum(axis=1) - np.diag(products)) / count  # x · mean
        z_mean = (gram.sum(axis=0)[None] - gram) / count  # z · mean of row i
        mean2 = (gram.sum() - 2 * gram.sum(axis=1) + squares) / count**2
    else:
        with_mean = products.sum(axis=1) / m
        z_mean = np.broadcast_to(gram.sum(axis=0) / m, products.shape)
        mean2 = np.full(len(products), gram.sum() / m**2)
    numerator = products - with_mean[:, None] - z_mean + mean2[:, None]
    norms = (own - 2 * with_mean + mean2)[:, None] * (squares[None] - 2 * z_mean + mean2[:, None])
    # what is left of a record equal to the mean is rounding
    usable = norms > 1e-10 * max(own.max(initial=0.0) * squares.max(initial=0.0), np.finfo(float).tiny)
    return np.divide(numerator, np.sqrt(np.where(usable, norms, 1.0)), out=np.zeros(norms.shape), where=usable)


def _unit_spectra(data, nfft) -> np.ndarray:
    """Return spectra of records, mean removed, unit energy per component, complex64; zero where nothing moves."""
    centred = data - data.mean(axis=-1, keepdims=True)
    norm = np.sqrt((centred.astype(np.float64) ** 2).sum(axis=-1, keepdims=True))
    return rfft((centred / np.where(norm > 0, norm, 1.0)).astype(np.float32), nfft)


def _pair(a, b):
    """Return both checked; b is a when not given."""
    a = checked(a)
    other = a if b is None else checked(b)
    if a.shape[1:] != other.shape[1:]:
        raise TNGError(f"records of shape {a.shape} and {other.shape} given; accepted: the same number of samples")
    return a, other
