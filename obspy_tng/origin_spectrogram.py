"""ln amplitude spectrograms of records on the axis from the origin, and waveforms made of them.

The STFT is short (Hann, 0.64 s, every 0.16 s), so that onsets stay sharp. Phases are not described: a waveform gets
those of white noise (`from_noise`), which also restores the scatter of single cells, or phases that agree with the
amplitudes (`griffin_lim`; Griffin & Lim 1984, IEEE Trans. ASSP 32(2), 236-243).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.fft import irfft, rfft

from obspy_tng.conditions import ORIGIN_AT_S, on_axis
from obspy_tng.preprocessing import NPTS, SAMPLING_RATE_HZ

N_FFT, HOP = 64, 16
N_BINS = N_FFT // 2 + 1
N_FRAMES = NPTS // HOP + 1  # 376: frame k is centred on sample 16 k
FRAME_S = np.arange(N_FRAMES) * HOP / SAMPLING_RATE_HZ
_HANN = np.sin(np.pi * (np.arange(N_FFT) + 0.5) / N_FFT) ** 2
_WINDOW = _HANN / np.sqrt((_HANN**2).sum())  # of unit energy: white noise of unit variance has unit mean power
LOW_HZ = (0.1, 0.15, 0.22, 0.33, 0.5, 0.75, 1.1, 1.7, 2.5, 3.5)  # below the second bin frames tell little
_FLOOR = 1e-12  # m/s², below any instrument's noise
# E ln|S| - ln sd of Gaussian noise: half of E ln(chi²/2), one degree of freedom at 0 Hz and Nyquist, two between
_ONE, _TWO = -(np.euler_gamma + np.log(2)) / 2, -np.euler_gamma / 2
LN_NOISE = np.concatenate([[_ONE], np.full(N_BINS - 2, _TWO), [_ONE]])


def stft(x: np.ndarray) -> np.ndarray:
    """Return the complex spectrogram (..., N_BINS, N_FRAMES) of records (..., NPTS), mirrored at the ends."""
    padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(N_FFT // 2, N_FFT // 2)], mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT, axis=-1)[..., ::HOP, :]
    return np.swapaxes(rfft(frames * _WINDOW, axis=-1), -1, -2)


def istft(s: np.ndarray) -> np.ndarray:
    """Return records (..., NPTS) whose `stft` comes nearest to `s` in the least-squares sense."""
    frames = irfft(np.swapaxes(s, -1, -2), N_FFT, axis=-1) * _WINDOW
    out = np.zeros((*frames.shape[:-2], NPTS + N_FFT))
    weight = np.zeros(NPTS + N_FFT)
    for k in range(N_FRAMES):
        out[..., k * HOP : k * HOP + N_FFT] += frames[..., k, :]
        weight[k * HOP : k * HOP + N_FFT] += _WINDOW**2
    inner = slice(N_FFT // 2, N_FFT // 2 + NPTS)
    return out[..., inner] / weight[inner]


def describe(data: np.ndarray, first: int = 0, stop: int = NPTS, p_at: int | None = None) -> np.ndarray:
    """Return ln amplitude (3, N_BINS, N_FRAMES), float32, of a record on the axis from the origin.

    Parameters
    ----------
    data : numpy.ndarray, shape (3, NPTS), m/s²
    first, stop : int
        Samples that the record fills (`conditions.on_axis`). Frames before and after get the mean ln amplitude of the
        noise before P: a recorder that starts late has seen nothing else.
    p_at : int, optional
        Sample of the P onset; where the noise ends. Half a second after `first` when left out.

    Examples
    --------
    >>> describe(np.random.default_rng(0).normal(size=(3, 6000))).shape
    (3, 33, 376)
    """
    ln = np.log(np.abs(stft(data)) + _FLOOR)
    begin, end = -(-(first + N_FFT // 2) // HOP), (stop - N_FFT // 2) // HOP + 1
    if begin > 2 or end < N_FRAMES - 2:
        quiet = begin + 3 if p_at is None else max(begin + 3, (p_at - N_FFT) // HOP)
        level = ln[..., begin : min(quiet, end)].mean(axis=-1, keepdims=True)
        ln[..., :begin] = level  # without scatter: made-up scatter would be learned as real
        ln[..., end:] = level
    return ln.astype(np.float32)


def rows(record, origin_after_start_s: float) -> np.ndarray:
    """Return ln amplitudes (3 N_BINS, N_FRAMES) of a record; see `conditions.on_axis` and `describe`."""
    data, first, stop = on_axis(record, origin_after_start_s)
    p_at = None
    if np.isfinite(record.p_s):
        p_at = round((record.p_s - origin_after_start_s + ORIGIN_AT_S) * SAMPLING_RATE_HZ)
    return describe(data, first, stop, p_at).reshape(-1, N_FRAMES)


def from_noise(ln_amplitude: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return records (..., 3, NPTS) in m/s²: white noise shaped by ln amplitudes (..., 3, N_BINS, N_FRAMES).

    `ln_amplitude` is taken for the mean of the ln of the amplitude, as networks trained on squared differences give
    it; E ln of a Rayleigh variable lies euler_gamma/2 below the ln of its root mean square, which is made up for.
    """
    shape = (*ln_amplitude.shape[:-2], NPTS)
    return istft(stft(rng.standard_normal(shape)) * np.exp(ln_amplitude - LN_NOISE[:, None]))


def griffin_lim(ln_amplitude: np.ndarray, rng: np.random.Generator, iterations: int = 32) -> np.ndarray:
    """Return records (..., 3, NPTS) in m/s² whose amplitudes come near exp(`ln_amplitude`), phases from noise.

    Amplitudes that are means of logarithms are lower than the root mean square; see `from_noise`.
    """
    amplitude = np.exp(ln_amplitude - LN_NOISE[:, None])
    s = stft(rng.standard_normal((*ln_amplitude.shape[:-2], NPTS)))
    for _ in range(iterations):
        s = stft(istft(amplitude * s / np.maximum(np.abs(s), _FLOOR)))
    return istft(amplitude * s / np.maximum(np.abs(s), _FLOOR))


def ln_excess(waves: np.ndarray, ln_amplitudes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return how much too strong waveforms of white phases are at LOW_HZ, in ln.

    Within the lowest bins, 1.6 Hz wide, noise is flat, and the ground is not: there the acceleration of small
    earthquakes rises with frequency squared. The mean difference of the ln Fourier amplitudes of whole records.

    Parameters
    ----------
    waves : numpy.ndarray, shape (n, 3, NPTS)
        Records on the axis from the origin.
    ln_amplitudes : numpy.ndarray, shape (n, 3, N_BINS, N_FRAMES)
        Of the same (`describe`).
    """
    edges = np.sqrt(np.array(LOW_HZ[1:]) * LOW_HZ[:-1])
    edges = np.concatenate([[LOW_HZ[0] ** 2 / edges[0]], edges, [LOW_HZ[-1] ** 2 / edges[-1]]])
    frequency = np.fft.rfftfreq(NPTS, 1 / SAMPLING_RATE_HZ)
    bands = [(frequency >= a) & (frequency < b) for a, b in pairwise(edges)]

    def levels(x):
        amplitude = np.abs(rfft(x, axis=-1)) + _FLOOR
        return np.array([np.log(amplitude[..., band]).mean() for band in bands])

    # amplitudes of single records hold the scatter of single cells: nothing is to be made up for
    return levels(from_noise(ln_amplitudes + LN_NOISE[:, None], rng)) - levels(waves)


def weaken(waves: np.ndarray, excess) -> np.ndarray:
    """Return waveforms (..., NPTS) without the excess `ln_excess` found, zero phase; above the last of LOW_HZ as is."""
    frequency = np.fft.rfftfreq(NPTS, 1 / SAMPLING_RATE_HZ)
    ln = np.interp(np.log(np.maximum(frequency, 1e-3)), np.log(LOW_HZ), excess)
    ln[frequency > LOW_HZ[-1]] = 0
    return irfft(rfft(waves, axis=-1) * np.exp(-ln), NPTS, axis=-1)
