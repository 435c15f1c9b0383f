"""Smoothing of Fourier amplitude spectra as one cached sparse matrix per spectrum length.

A smoothed value is a normalised weighted mean over FFT bins, so smoothing any number of spectra is one matrix
product. The bin at 0 Hz never takes part: a record's mean is no ground motion.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from obspy_tng.errors import TNGError

BLOCK = 24  # spectra per product: they and the matrix stay in cache
FEW = 4  # up to so many spectra are faster one by one


class Smoothing(NamedTuple):
    """Kind of smoothing and its bandwidth, as written ``kind:bandwidth``."""

    kind: str
    bandwidth: float

    def __str__(self):
        """Return ``kind:bandwidth``, the form `parse` reads."""
        return f"{self.kind}:{self.bandwidth:g}"


class Kernel(NamedTuple):
    """Weights of FFT bins around a centre frequency.

    ``weights(frequency_hz, centre_hz, bandwidth)`` of arrays that broadcast, not normalised;
    ``limits(centre_hz, bandwidth)`` the lowest and highest frequency in Hz that may have a weight.
    """

    weights: Callable
    limits: Callable
    unit: str = "B"  # of the bandwidth, in messages
    default: float = 40.0


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


def parzen(offset_hz: np.ndarray, bandwidth_hz: float) -> np.ndarray:
    """Return Parzen weights, main lobe only.

    Parameters
    ----------
    offset_hz : numpy.ndarray
        Frequency less centre frequency in Hz.
    bandwidth_hz : float
        Width of the rectangle that reduces the variance as much; the main lobe ends at
        ``± 151 / 140 * bandwidth_hz``.

    Returns
    -------
    numpy.ndarray, same shape
        ``(sin x / x) ** 4`` with ``x = π u offset / 2`` and ``u = 280 / (151 bandwidth)``, 0 for ``|x| >= π``.

    References
    ----------
    Parzen (1961), Technometrics 3(2), 167-190; written with this bandwidth by Konno & Ohmachi (1995), Doboku
    Gakkai Ronbunshu 525, 247-259.
    """
    x = np.pi * 140 / 151 * offset_hz / bandwidth_hz
    return np.where(np.abs(x) < np.pi, np.sinc(x / np.pi) ** 4, 0.0)


def _by_ratio(weights, reach, unit="B", default=40.0):
    """Return the kernel of weights of frequency / centre that end at a factor ``reach(bandwidth)``."""
    return Kernel(
        lambda f, fc, b: weights(f / fc, b), lambda fc, b: (fc / float(reach(b)), fc * float(reach(b))), unit, default
    )


def _by_offset(weights, reach):
    """Return the kernel of weights of frequency - centre that end at ``reach(bandwidth)`` Hz."""
    return Kernel(lambda f, fc, b: weights(f - fc, b), lambda fc, b: (fc - reach(b), fc + reach(b)), "HZ", 0.5)


def _ones(x, _):
    return np.ones_like(x)


def _triangle(offset_hz, bandwidth_hz):
    return np.maximum(1 - 2 * np.abs(offset_hz) / bandwidth_hz, 0.0)


EDGE = 1 + 1e-9  # a bin on the edge of a rectangle belongs to it, whatever rounding says
KINDS = {
    "ko": _by_ratio(konno_ohmachi, lambda b: 10 ** (np.pi / b)),
    "loggauss": _by_ratio(log_gaussian, lambda b: np.exp(np.sqrt(20.7 / b))),
    "parzen": _by_offset(parzen, lambda hz: hz * 151 / 140),
    "rect": _by_offset(_ones, lambda hz: hz / 2 * EDGE),
    "tri": _by_offset(_triangle, lambda hz: hz / 2),
    "logrect": _by_ratio(_ones, lambda decades: 10 ** (decades / 2 * EDGE), "DECADES", 0.05),
    "logtri": _by_ratio(
        lambda ratio, decades: _triangle(np.log10(ratio), decades), lambda decades: 10 ** (decades / 2), "DECADES", 0.05
    ),
}


def parse(smoothing: str | Smoothing) -> Smoothing:
    """Return the `Smoothing` that a text such as ``"ko:40"`` names.

    Raises
    ------
    TNGError
        Unknown kind, or a bandwidth that is not a number above 0.

    Examples
    --------
    >>> parse("parzen")
    Smoothing(kind='parzen', bandwidth=0.5)
    """
    kind, _, bandwidth = str(smoothing).partition(":")
    if kind not in KINDS:
        accepted = ", ".join(f"{name}:{kernel.unit}" for name, kernel in KINDS.items())
        raise TNGError(f"smoothing {str(smoothing)!r} not known; accepted: {accepted}")
    try:
        value = float(bandwidth or KINDS[kind].default)
    except ValueError:
        value = 0.0
    if not 0 < value < np.inf:
        raise TNGError(f"smoothing bandwidth {bandwidth!r} is not a number above 0, e.g. ko:40")
    return Smoothing(kind, value)


def smoothing_matrix(
    npts: int, sampling_rate: float, frequency_hz, smoothing: str | Smoothing = "ko:40", *, trim: bool = False
):
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
        Kind and bandwidth: ``"ko:B"`` Konno-Ohmachi, ``"loggauss:B"`` exp(-B ln²(f / fc)), ``"parzen:HZ"``,
        ``"rect:HZ"`` and ``"tri:HZ"`` rectangle and triangle of that full width, ``"logrect:DECADES"`` and
        ``"logtri:DECADES"`` the same in log10 f.
    trim : bool
        Leave out the columns above the highest bin that has a weight.

    Returns
    -------
    scipy.sparse.csr_array, shape (f, npts // 2 + 1) or fewer columns, float64
        Rows sum to 1. A row is NaN where no FFT bin lies inside the kernel (window too short for that
        frequency) or where its centre is above Nyquist.
    """
    kind, bandwidth = parse(smoothing)
    return kernel_matrix(npts, sampling_rate, frequency_hz, KINDS[kind], bandwidth, trim=trim)


def kernel_matrix(
    npts: int, sampling_rate: float, frequency_hz, kernel: Kernel, bandwidth: float, *, trim: bool = False
):
    """Return the matrix of `smoothing_matrix` for a kernel of one's own; cached while `kernel` is the same object."""
    frequency = np.ascontiguousarray(frequency_hz, dtype=np.float64)
    return _matrix(int(npts), float(sampling_rate), frequency.tobytes(), kernel, float(bandwidth), bool(trim))


@lru_cache(maxsize=64)
def _matrix(npts, sampling_rate, frequency_bytes, kernel, bandwidth, trim):
    from scipy.sparse import csr_array

    centre = np.frombuffer(frequency_bytes, dtype=np.float64)
    df, last = sampling_rate / npts, npts // 2
    low, high = kernel.limits(centre, bandwidth)
    first_bin = np.maximum(np.ceil(low / df), 1).astype(np.int64)  # bin 0 is DC
    counts = np.minimum(np.floor(high / df), last).astype(np.int64) - first_bin + 1
    empty = (counts < 1) | (centre > last * df)
    first_bin[empty] = counts[empty] = 1  # one NaN in a row makes its output NaN
    starts = np.concatenate([[0], np.cumsum(counts)])
    rows = np.repeat(np.arange(centre.size), counts)
    columns = np.arange(starts[-1]) - np.repeat(starts[:-1] - first_bin, counts)
    weights = kernel.weights(columns * df, centre[rows], bandwidth)
    total = np.bincount(rows, weights, minlength=centre.size)
    total[empty | ~(total > 0)] = np.nan
    width = int(columns.max(initial=1)) + 1 if trim else max(last, 1) + 1
    parts = (weights / total[rows], columns.astype(np.int32), starts.astype(np.int32))
    return csr_array(parts, shape=(centre.size, width))


def smooth(amplitude: np.ndarray, matrix) -> np.ndarray:
    """Return smoothed spectra.

    Parameters
    ----------
    amplitude : numpy.ndarray, shape (..., k)
        Fourier amplitudes at the ``rfft`` frequencies, as many as the matrix has columns.
    matrix : scipy.sparse.csr_array, shape (f, k)
        Of `smoothing_matrix`.

    Returns
    -------
    numpy.ndarray, shape (..., f), float64
    """
    flat = amplitude.reshape(-1, amplitude.shape[-1])
    out = np.empty((flat.shape[0], matrix.shape[0]))
    if flat.shape[0] <= FEW:
        for i, spectrum in enumerate(flat):
            out[i] = matrix @ spectrum
    else:
        for i in range(0, flat.shape[0], BLOCK):
            out[i : i + BLOCK] = (matrix @ flat[i : i + BLOCK].T).T
    return out.reshape(*amplitude.shape[:-1], matrix.shape[0])
