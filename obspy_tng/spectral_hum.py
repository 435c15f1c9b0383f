"""Machines that hum at a site: lines of its noise too narrow for the smooth spectrum one record tells of it.

Pumps and fans are heard at the same frequencies in all records of a station, and at multiples of them. Noise that holds
them is steadier from one moment to the next than any other. It is there before P and after, and matters where motion is
weak: at high frequencies, and in the coda.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, rfft
from scipy.ndimage import median_filter

from obspy_tng import spectral_extra as se
from obspy_tng.preprocessing import SAMPLING_RATE_HZ

_SAMPLES, _PADDED, _BEFORE_P_S = 820, 1024, 0.2  # of noise before P
_FIRST, _LAST = 31, 486  # lines of it, 3.0 to 47.4 Hz
HUM_HZ = np.arange(_FIRST, _LAST) * SAMPLING_RATE_HZ / _PADDED
SHAPE = 3, len(HUM_HZ)
_ASIDE = 11  # lines to each side whose median is what a line stands out of
_SD, _LEAST_SD = 0.64, 2.5  # of the ln amplitude of a line of noise; of the mean, what does not stand out
_MOST = 3.0


def noise_lines(x: np.ndarray, p_s: float) -> np.ndarray:
    """Return the ln amplitude of the lines of 8.2 s of noise before P at HUM_HZ, and of their neighbours.

    Parameters
    ----------
    x : numpy.ndarray, shape (3, NPTS)
    p_s : float
        P onset after the first sample, 8.4 s or later.

    Returns
    -------
    numpy.ndarray, shape (3, len(HUM_HZ) + 2 × 11)
    """
    last = int(round((p_s - _BEFORE_P_S) * SAMPLING_RATE_HZ))
    part = x[:, last - _SAMPLES : last]
    lines = rfft((part - part.mean(axis=-1, keepdims=True)) * se.hann(_SAMPLES), _PADDED, axis=-1)
    return np.log(np.abs(lines[:, _FIRST - _ASIDE : _LAST + _ASIDE]) + 1e-30)


def standing_out(lines: np.ndarray) -> np.ndarray:
    """Return by how much lines stand out of those beside them in all records, ln amplitude, shape SHAPE.

    Parameters
    ----------
    lines : numpy.ndarray, shape (record, 3, len(HUM_HZ) + 2 × 11)
        See `noise_lines`. The mean over few records stands out by chance: what chance does is taken off.
    """
    mean = lines.mean(axis=0)
    excess = (mean - median_filter(mean, (1, 2 * _ASIDE + 1)))[:, _ASIDE:-_ASIDE]
    return np.clip(excess - _LEAST_SD * _SD / np.sqrt(len(lines)), 0, _MOST)


def humming(noise: np.ndarray, ln_gain: np.ndarray) -> np.ndarray:
    """Return noise, shape (3, sample), whose lines at HUM_HZ stand out by a ln gain of shape SHAPE."""
    line = np.fft.rfftfreq(noise.shape[-1], 1 / SAMPLING_RATE_HZ)
    gain = np.exp([np.interp(line, HUM_HZ, row, left=0, right=0) for row in ln_gain])
    return irfft(rfft(noise, axis=-1) * gain, noise.shape[-1], axis=-1)
