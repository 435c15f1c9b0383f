"""Waveforms as amplitude (dB) and unwrapped-phase spectrograms, and back (TimesNet-Gen, arXiv 2512.04694, §II-B-2).

Window and hop are not published; here 128 and 64 samples. The bin at the Nyquist frequency is left out, so that 64 bins
halve four times; frames are as many as halve four times and reach beyond the end.
Waveforms come back of both by overlap-add, or of the amplitudes alone with phases found by fast Griffin–Lim iterations.
"""

from __future__ import annotations

import numpy as np

N_FFT, HOP = 128, 64
BINS = N_FFT // 2  # without the Nyquist frequency
FLOOR_DB = -90.0  # of standardised records: noise before weak P waves; stands for zeros, too
_HALVINGS = 16
_MOMENTUM = 0.99  # Perraudin et al. (2013)


def frames(npts: int) -> int:
    """Return the frames of a waveform of npts samples, frame k centred on sample 64 k.

    Examples
    --------
    >>> frames(6000)
    96
    """
    return _HALVINGS * -(-(-(-npts // HOP) + 1) // _HALVINGS)


def stft(x: np.ndarray) -> np.ndarray:
    """Return the short-time Fourier transform (..., 65, frames), complex, of waveforms x (..., npts).

    Hann window, zeros beyond the ends, scaled so that a sine of amplitude 1 at the centre of a bin is 0.5 there.
    """
    npts = x.shape[-1]
    n = frames(npts)
    padded = np.zeros((*x.shape[:-1], (n - 1) * HOP + N_FFT))
    padded[..., N_FFT // 2 : N_FFT // 2 + npts] = x
    cut = np.lib.stride_tricks.sliding_window_view(padded, N_FFT, axis=-1)[..., ::HOP, :]
    window = _hann()
    return np.swapaxes(np.fft.rfft(cut * (window / window.sum())), -1, -2)


def istft(spectrum: np.ndarray, npts: int) -> np.ndarray:
    """Return the waveforms (..., npts) whose transform is nearest to `spectrum` (..., 65, frames).

    Least squares, by overlap-add with the window (Griffin & Lim 1984, Eq. 6).
    """
    window = _hann()
    parts = np.fft.irfft(np.swapaxes(spectrum, -1, -2), N_FFT) * (window * window.sum())  # (..., frames, N_FFT)
    n = parts.shape[-2]
    out = np.zeros((*parts.shape[:-2], n + 1, HOP))
    weight = np.zeros((n + 1, HOP))
    for half in (0, 1):  # a frame is two hops long
        out[..., half : n + half, :] += parts[..., half * HOP : (half + 1) * HOP]
        weight[half : n + half] += window[half * HOP : (half + 1) * HOP] ** 2
    out /= np.maximum(weight, 1e-3)
    return out.reshape(*out.shape[:-2], -1)[..., N_FFT // 2 : N_FFT // 2 + npts]


def describe(x: np.ndarray) -> np.ndarray:
    """Return amplitudes in dB and phases in rad, unwrapped along time, of standardised records.

    Parameters
    ----------
    x : numpy.ndarray, shape (n, 3, npts)

    Returns
    -------
    numpy.ndarray, shape (n, 6, 64, frames), float32
        Three amplitudes, then three phases.
    """
    spectrum = stft(x)[..., :BINS, :]
    decibel = 20 * np.log10(np.maximum(np.abs(spectrum), 10 ** (FLOOR_DB / 20)))
    return np.concatenate([decibel, np.unwrap(np.angle(spectrum), axis=-1)], axis=1).astype(np.float32)


def waveform(decibel: np.ndarray, phase: np.ndarray, npts: int) -> np.ndarray:
    """Return waveforms (..., npts) of amplitudes in dB and phases in rad, both (..., 64, frames)."""
    return istft(_with_nyquist(10 ** (decibel.astype(float) / 20) * np.exp(1j * phase)), npts)


def griffin_lim(decibel: np.ndarray, npts: int, rng: np.random.Generator, iterations: int = 32) -> np.ndarray:
    """Return waveforms of amplitudes alone, from random phases made consistent.

    Parameters
    ----------
    decibel : numpy.ndarray, shape (..., 64, frames)
    npts : int
    rng : numpy.random.Generator
        Of the phases the search begins with.
    iterations : int
        Of fast Griffin–Lim (Perraudin, Balazs & Søndergaard 2013).

    Returns
    -------
    numpy.ndarray, shape (..., npts)
    """
    amplitude = _with_nyquist(10 ** (decibel.astype(float) / 20))
    guess = amplitude * np.exp(2j * np.pi * rng.uniform(size=amplitude.shape))
    before = np.zeros_like(guess)
    for _ in range(iterations):
        consistent = stft(istft(guess, npts))
        ahead = consistent + _MOMENTUM * (consistent - before)
        before = consistent
        guess = amplitude * np.exp(1j * np.angle(ahead))
    return istft(guess, npts)


def _hann() -> np.ndarray:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)


def _with_nyquist(spectrum: np.ndarray) -> np.ndarray:
    return np.concatenate([spectrum, np.zeros_like(spectrum[..., :1, :])], axis=-2)
