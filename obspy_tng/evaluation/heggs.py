"""Waveform measures of HEGGS: envelopes, spectrograms and signal-to-noise ratios.

HEGGS publishes neither the length of its spectrogram frames nor the smoothing of its envelopes; those here are ours,
so its published numbers (envelope correlation .796 to .819, spectrogram MSE .151 to .153) are no yardstick.
`envelope_correlation`, `spectrogram_mse` and `reconstruction_snr_db` want pairs: record i against record i. Generated
records of a station have no partner, and the nearest or a random real record would be none: for them
`ensemble_measures` compares distributions of SNR and mean envelopes aligned on P.

References
----------
Jung et al. (2025), Broadband ground motion synthesis by diffusion model with minimal condition, ICML,
arXiv:2412.17333.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import fft, ifft, rfft

from obspy_tng.errors import TNGError
from obspy_tng.evaluation.baselines import checked
from obspy_tng.evaluation.statistics import wasserstein

SNR_SIGNAL_S, SNR_NOISE_S, SNR_GAP_S = 20.0, 5.0, 0.5
ENVELOPE_S = 1.0
BEFORE_P_S, AFTER_P_S = 5.0, 30.0
MSE_FRAME_S, MSE_FLOOR = 1.28, 1e-5


def envelopes(data: np.ndarray, sampling_rate: float = 100.0, smooth_s: float = ENVELOPE_S) -> np.ndarray:
    """Return the modulus of the analytic signal of each component, under a moving mean.

    Parameters
    ----------
    data : numpy.ndarray, shape (n, 3, npts)
    sampling_rate : float
        In Hz.
    smooth_s : float
        Length of the moving mean in s, 0 for none; mirrored at the ends.

    Returns
    -------
    numpy.ndarray, shape (n, 3, npts), float32

    Examples
    --------
    >>> sine = np.sin(2 * np.pi * 5 * np.arange(2000) / 100) * np.ones((1, 3, 1))
    >>> envelopes(sine)[0, 0, 1000].round(2).item()
    1.0
    """
    from scipy.ndimage import uniform_filter1d

    data = checked(data)
    npts = data.shape[-1]
    spectrum = fft(data, axis=-1)
    keep = np.zeros(npts, dtype=np.float32)
    keep[0], keep[1 : (npts + 1) // 2] = 1, 2
    if npts % 2 == 0:
        keep[npts // 2] = 1
    envelope = np.abs(ifft(spectrum * keep, axis=-1))
    length = max(1, round(smooth_s * sampling_rate))
    return uniform_filter1d(envelope, length, axis=-1, mode="reflect") if length > 1 else envelope


def envelope_correlation(
    a: np.ndarray, b: np.ndarray, sampling_rate: float = 100.0, smooth_s: float = ENVELOPE_S
) -> np.ndarray:
    """Return the correlation of the envelopes of paired records, mean of the three components.

    Parameters
    ----------
    a, b : numpy.ndarray, shape (n, 3, npts) each
        Record i of one belongs to record i of the other.
    sampling_rate : float
        In Hz.
    smooth_s : float
        See `envelopes`.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Pearson's coefficient; NaN where a component has a constant envelope. Amplitudes do not count.

    Raises
    ------
    TNGError
        Shapes differ.

    Examples
    --------
    >>> data = np.random.default_rng(0).normal(size=(1, 3, 3000))
    >>> envelope_correlation(data, 2 * data).round(3).tolist()
    [1.0]
    """
    a, b = _paired(a, b)
    return _pearson(envelopes(a, sampling_rate, smooth_s), envelopes(b, sampling_rate, smooth_s)).mean(axis=1)


def spectrogram_mse(a: np.ndarray, b: np.ndarray, sampling_rate: float = 100.0) -> np.ndarray:
    """Return the mean squared difference of log10 spectrograms of paired records, over time, frequency, component.

    Amplitudes of Hann frames of 1.28 s every 0.32 s, clipped from below at 1e-5 of the pair's largest; amplitudes are
    not normalised, so that a record 10 times too strong has 1.

    Parameters
    ----------
    a, b : numpy.ndarray, shape (n, 3, npts) each, same unit
    sampling_rate : float
        In Hz.

    Returns
    -------
    numpy.ndarray, shape (n,)
        In squared decades (times 400: dB²); 0 for two records without motion.

    Raises
    ------
    TNGError
        Shapes differ, or records are shorter than a frame.
    """
    a, b = _paired(a, b)
    length = round(MSE_FRAME_S * sampling_rate)
    if a.shape[-1] < length:
        raise TNGError(
            f"records of {a.shape[-1]} samples given; accepted: {length} samples ({MSE_FRAME_S:g} s) or more"
        )
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)
    out = np.zeros(len(a))
    for i, pair in enumerate(zip(a, b, strict=True)):
        frames = (np.lib.stride_tricks.sliding_window_view(x, length, axis=-1)[:, :: length // 4] for x in pair)
        spectra = np.abs(rfft(np.stack([*frames]) * window))
        largest = spectra.max()
        if largest > 0:
            logs = np.log10(np.maximum(spectra, MSE_FLOOR * largest), dtype=np.float64)
            out[i] = ((logs[0] - logs[1]) ** 2).mean()
    return out


def reconstruction_snr_db(target: np.ndarray, made: np.ndarray) -> np.ndarray:
    """Return energy of the target over energy of the difference for paired records, in dB.

    Parameters
    ----------
    target, made : numpy.ndarray, shape (n, 3, npts) each, same unit

    Returns
    -------
    numpy.ndarray, shape (n,)
        ``10 log10(sum target² / sum (target - made)²)`` over the three components; inf for a copy, 0 for silence.

    Raises
    ------
    TNGError
        Shapes differ.

    Examples
    --------
    >>> data = np.random.default_rng(0).normal(size=(1, 3, 3000))
    >>> reconstruction_snr_db(data, 0.9 * data).round(1).tolist()
    [20.0]
    """
    target, made = (x.astype(np.float64) for x in _paired(target, made))
    with np.errstate(divide="ignore", invalid="ignore"):
        return 10 * np.log10((target**2).sum(axis=(1, 2)) / ((target - made) ** 2).sum(axis=(1, 2)))


def snr_db(data: np.ndarray, p_s: np.ndarray, sampling_rate: float = 100.0) -> np.ndarray:
    """Return power in 20 s from P on over power in 5 s of noise that ends 0.5 s before P, in dB.

    Parameters
    ----------
    data : numpy.ndarray, shape (n, 3, npts)
    p_s : numpy.ndarray, shape (n,)
        P onset in s after the first sample, NaN unknown.
    sampling_rate : float
        In Hz.

    Returns
    -------
    numpy.ndarray, shape (n,)
        All three components together; NaN without P, or with less than 2 s before or after it, or without any noise.
        The signal includes the noise: pure noise has 0 dB.
    """
    data, p_s = checked(data), np.asarray(p_s, dtype=np.float64)
    out = np.full(len(data), np.nan)
    for i in np.flatnonzero(np.isfinite(p_s)):
        p = round(p_s[i] * sampling_rate)
        stop = p - round(SNR_GAP_S * sampling_rate)
        noise = data[i, :, max(0, stop - round(SNR_NOISE_S * sampling_rate)) : max(stop, 0)].astype(np.float64)
        signal = data[i, :, max(p, 0) : p + round(SNR_SIGNAL_S * sampling_rate)].astype(np.float64)
        if min(noise.shape[1], signal.shape[1]) >= 2 * sampling_rate and noise.any():
            with np.errstate(divide="ignore"):
                out[i] = 10 * np.log10((signal**2).mean() / (noise**2).mean())
    return out


def mean_envelope(
    data: np.ndarray, p_s: np.ndarray, sampling_rate: float = 100.0, smooth_s: float = ENVELOPE_S
) -> np.ndarray:
    """Return the mean envelope of the records of a station from 5 s before P to 30 s after it.

    Each envelope is divided by its record's largest, so that large earthquakes do not make the mean alone.

    Parameters
    ----------
    data : numpy.ndarray, shape (n, 3, npts)
    p_s : numpy.ndarray, shape (n,)
        P onset in s after the first sample; records without it are left out.
    sampling_rate : float
        In Hz.
    smooth_s : float
        See `envelopes`.

    Returns
    -------
    numpy.ndarray, shape (3, round(35 s * sampling_rate))
        The largest of one record's three components is 1; NaN where no record reaches.
    """
    data, p_s = checked(data), np.asarray(p_s, dtype=np.float64)
    before, length = round(BEFORE_P_S * sampling_rate), round((BEFORE_P_S + AFTER_P_S) * sampling_rate)
    total, count = np.zeros((3, length)), np.zeros(length)
    for i in np.flatnonzero(np.isfinite(p_s)):
        envelope = envelopes(data[i : i + 1], sampling_rate, smooth_s)[0]
        first = round(p_s[i] * sampling_rate) - before
        part = envelope[:, max(first, 0) : max(first + length, 0)]
        at = max(-first, 0)
        if part.size and envelope.max() > 0:
            total[:, at : at + part.shape[1]] += part / envelope.max()
            count[at : at + part.shape[1]] += 1
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def ensemble_measures(
    sample: np.ndarray, sample_p_s: np.ndarray, reference: np.ndarray, reference_p_s: np.ndarray,
    sampling_rate: float = 100.0,
) -> dict[str, float]:  # fmt: skip
    """Compare two sets of records of one station that are no pairs.

    Parameters
    ----------
    sample, reference : numpy.ndarray, shape (n, 3, npts) and (m, 3, npts)
        Generated first, real second.
    sample_p_s, reference_p_s : numpy.ndarray, shape (n,) and (m,)
        P onsets in s after the first sample, NaN unknown: of one picker for both.
    sampling_rate : float
        In Hz.

    Returns
    -------
    dict of str to float
        ``snr_w1_db`` Wasserstein-1 distance of `snr_db`; ``snr_bias_db`` difference of its medians;
        ``mean_envelope_correlation`` of the two `mean_envelope`, mean of the components. NaN where there is no P.
    """
    snr = [snr_db(x, p, sampling_rate) for x, p in ((sample, sample_p_s), (reference, reference_p_s))]
    middles = [np.median(x[np.isfinite(x)]) if np.isfinite(x).any() else np.nan for x in snr]
    shapes = [mean_envelope(x, p, sampling_rate) for x, p in ((sample, sample_p_s), (reference, reference_p_s))]
    both = np.isfinite(shapes[0]).all(axis=0) & np.isfinite(shapes[1]).all(axis=0)
    alike = _pearson(shapes[0][:, both], shapes[1][:, both]).mean() if both.sum() > 1 else np.nan
    return {
        "snr_w1_db": wasserstein(*snr), "snr_bias_db": float(middles[0] - middles[1]),
        "mean_envelope_correlation": float(alike),
    }  # fmt: skip


def _pearson(a, b) -> np.ndarray:
    """Return Pearson's coefficient along the last axis, NaN where a row is constant."""
    a, b = (x.astype(np.float64) for x in (a, b))
    a, b = (x - x.mean(axis=-1, keepdims=True) for x in (a, b))
    norm = np.sqrt((a**2).sum(axis=-1) * (b**2).sum(axis=-1))
    return np.divide((a * b).sum(axis=-1), norm, out=np.full(norm.shape, np.nan), where=norm > 0)


def _paired(a, b):
    a, b = checked(a), checked(b)
    if a.shape != b.shape:
        raise TNGError(f"records of shape {a.shape} and {b.shape} given; accepted: pairs, two arrays of one shape")
    return a, b
