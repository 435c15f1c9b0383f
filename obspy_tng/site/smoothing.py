"""Smoothing of Fourier amplitude spectra as one cached sparse matrix per spectrum length.

A smoothed value is a normalised weighted mean over FFT bins, so smoothing any number of spectra is one matrix
product. The bin at 0 Hz never takes part: a record's mean is no ground motion.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from obspy_tng.errors import TNGError

BLOCK = 24  # spectra per product: three components of 8 records stay in cache


class Smoothing(NamedTuple):
    """Kind of smoothing and its bandwidth, as written ``kind:bandwidth``."""

    kind: str
    bandwidth: float

    def __str__(self):
        """Return ``kind:bandwidth``, the form `parse` reads."""
        return f"{self.kind}:{self.bandwidth:g}"


def konno_ohmachi(ratio: np.ndarray, bandwidth: float) -> np.ndarray:
    """Return Konno-Ohmachi weights, main lobe only.

    Parameters
    ----------
    ratio : numpy.ndarray
        Frequency over centre frequency, above 0.
    bandwidth : float
        b; the main lobe ends at ``ratio = 10 ** (± π / b)``, a factor of 1.20 for b = 40.

    Returns
    -------
    numpy.ndarray, same shape
        ``(sin x / x) ** 4`` with ``x = b log10(ratio)``, 0 for ``|x| >= π``. The side lobes left out weigh
        less than 0.3 % of the centre and stop at a zero of the function, so no step is cut into it.

    References
    ----------
    Konno & Ohmachi (1998), Ground-motion characteristics estimated from spectral ratio between horizontal and
    vertical components of microtremor, BSSA 88(1), 228-241, eq. 4.
    """
    x = bandwidth * np.log10(ratio)
    return np.where(np.abs(x) < np.pi, np.sinc(x / np.pi) ** 4, 0.0)


def log_gaussian(ratio: np.ndarray, bandwidth: float) -> np.ndarray:
    """Return ``exp(-bandwidth * ln(ratio)**2)``, 0 below 1e-9: the weights of the TimesNet-Gen code."""
    exponent = bandwidth * np.log(ratio) ** 2
    return np.where(exponent < 20.7, np.exp(-exponent), 0.0)


# kind -> (weights, half-width as a factor of the centre frequency for a bandwidth)
KINDS = {
    "ko": (konno_ohmachi, lambda b: 10 ** (np.pi / b)),
    "loggauss": (log_gaussian, lambda b: np.exp(np.sqrt(20.7 / b))),
}


def parse(smoothing: str | Smoothing) -> Smoothing:
    """Return the `Smoothing` that a text such as ``"ko:40"`` names.

    Raises
    ------
    TNGError
        Unknown kind, or a bandwidth that is not a number above 0.
    """
    kind, _, bandwidth = str(smoothing).partition(":")
    if kind not in KINDS:
        raise TNGError(f"smoothing {str(smoothing)!r} not known; accepted: {', '.join(f'{k}:B' for k in KINDS)}")
    try:
        value = float(bandwidth or 40.0)
    except ValueError:
        value = 0.0
    if not 0 < value < np.inf:
        raise TNGError(f"smoothing bandwidth {bandwidth!r} is not a number above 0, e.g. ko:40")
    return Smoothing(kind, value)


def smoothing_matrix(npts: int, sampling_rate: float, frequency_hz, smoothing: str | Smoothing = "ko:40"):
    """Return the matrix that smooths ``rfft`` amplitudes onto output frequencies.

    Parameters
    ----------
    npts : int
        Samples of the window the spectrum is of.
    sampling_rate : float
        In Hz.
    frequency_hz : array_like, shape (f,)
        Centre frequencies in Hz, above 0.
    smoothing : str
        ``"ko:40"``: kind and bandwidth.

    Returns
    -------
    scipy.sparse.csr_array, shape (f, npts // 2 + 1), float64
        Rows sum to 1. A row is NaN where no FFT bin lies inside the kernel (window too short for that
        frequency) or where the kernel would reach past Nyquist.
    """
    frequency = np.ascontiguousarray(frequency_hz, dtype=np.float64)
    return _matrix(int(npts), float(sampling_rate), frequency.tobytes(), parse(smoothing))


@lru_cache(maxsize=64)
def _matrix(npts, sampling_rate, frequency_bytes, smoothing):
    from scipy.sparse import csr_array

    centre = np.frombuffer(frequency_bytes, dtype=np.float64)
    weights_of, width_of = KINDS[smoothing.kind]
    df, last, width = sampling_rate / npts, npts // 2, float(width_of(smoothing.bandwidth))
    first_bin = np.maximum(np.ceil(centre / width / df), 1).astype(int)  # bin 0 is DC
    last_bin = np.minimum(np.floor(centre * width / df), last).astype(int)
    counts = np.maximum(last_bin - first_bin + 1, 0)
    counts[centre > last * df] = 0
    rows = np.repeat(np.arange(centre.size), counts)
    starts = np.concatenate([[0], np.cumsum(counts)])
    columns = np.arange(starts[-1]) - np.repeat(starts[:-1] - first_bin, counts)
    weights = weights_of(columns * df / centre[rows], smoothing.bandwidth)
    total = np.bincount(rows, weights, minlength=centre.size)
    empty = np.flatnonzero(~(total > 0))
    if empty.size:  # one NaN per such row makes its output NaN
        rows = np.concatenate([rows, empty])
        columns = np.concatenate([columns, np.ones_like(empty)])
        weights = np.concatenate([weights, np.full(empty.size, np.nan)])
        total[empty] = 1.0
    return csr_array((weights / total[rows], (rows, columns)), shape=(centre.size, last + 1))


def smooth(amplitude: np.ndarray, matrix) -> np.ndarray:
    """Return smoothed spectra.

    Parameters
    ----------
    amplitude : numpy.ndarray, shape (..., k)
        Fourier amplitudes at the ``rfft`` frequencies.
    matrix : scipy.sparse.csr_array, shape (f, k)
        Of `smoothing_matrix`.

    Returns
    -------
    numpy.ndarray, shape (..., f), float64
    """
    flat = amplitude.reshape(-1, amplitude.shape[-1])
    out = np.empty((flat.shape[0], matrix.shape[0]))
    for i in range(0, flat.shape[0], BLOCK):
        out[i : i + BLOCK] = (matrix @ flat[i : i + BLOCK].T).T
    return out.reshape(*amplitude.shape[:-1], matrix.shape[0])
