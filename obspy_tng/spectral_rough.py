"""How rough the spectra of frames are from line to line: more than by chance, and at some sites more than at others.

Noise of a smooth spectrum has steps of ln power between neighbouring lines by chance. Records have larger ones, where
waves come in repeatedly. Motion gets a random gain along frequency, of a size at which it has those of records.
"""

from __future__ import annotations

import numpy as np

from obspy_tng import spectral_extra as se
from obspy_tng.preprocessing import NPTS, SAMPLING_RATE_HZ

_EDGES = np.linspace(0, se.FRAME // 2 - 1, 6).astype(int)  # steps between lines of a frame, in five ranges
MIDDLE_HZ = (_EDGES[:-1] + _EDGES[1:] + 3) / 2 * SAMPLING_RATE_HZ / se.FRAME
SHAPE = (len(MIDDLE_HZ),)
USUAL = np.array([0.18, 0.18, 0.18, 0.24, 0.32])  # ln amplitude; measured on ten stations of the training
MOST = 0.5
_ADDED = 1.14  # measured on white noise; independent gains at two lines would add 8, without a window
_END_S = 3.0


def steps(x: np.ndarray, p_s: float) -> np.ndarray:
    """Return the mean size of steps of ln power between neighbouring lines of frames after P, shape SHAPE.

    Parameters
    ----------
    x : numpy.ndarray, shape (3, NPTS)
    p_s : float
        P onset after the first sample.
    """
    half_s = se.FRAME / 2 / SAMPLING_RATE_HZ
    at = np.arange(p_s + half_s, NPTS / SAMPLING_RATE_HZ - _END_S - half_s, half_s)
    lines = np.log(np.abs(se.frame_lines(x, at)[..., 1:]) ** 2 + 1e-60)
    size = np.abs(np.diff(lines, axis=-1)).mean(axis=(0, 1))
    return np.add.reduceat(size, _EDGES[:-1]) / np.diff(_EDGES)


def changed(size: np.ndarray, wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return sizes of the random gain with which steps found come nearer to those wanted, all of shape SHAPE.

    Mean sizes are those of normal steps. A gain of sd s, seen through the window of a frame, adds _ADDED s² to the
    variance of steps.
    """
    return np.sqrt(np.clip(size**2 + np.pi / 2 * (wanted**2 - found**2) / _ADDED, 0, MOST**2))
