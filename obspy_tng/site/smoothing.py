"""Smoothing of Fourier amplitude spectra as one cached sparse matrix per spectrum length.

A smoothed value is a normalised weighted mean over FFT bins, so smoothing any number of spectra is one matrix
product. The bin at 0 Hz never takes part: a record's mean is no ground motion. A row's weights stand side by side, so
the matrix is also cut into small dense blocks (`Bands`), which a computer multiplies two to three times as fast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.site.kept import kept

BLOCK = 24  # spectra per product: they and the matrix stay in cache
FEW = 3  # up to so many are faster one by one where the matrix is sparse
ROWS = (4, 20)  # output frequencies per dense block; with more of them more of it is zeros, with fewer none is gained
SIZE = 8192  # numbers per dense block: with more OpenBLAS takes threads, and last digits depend on how many


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


class Bands(NamedTuple):
    """A smoothing matrix as dense blocks.

    ``blocks`` holds (first row, last row + 1, first bin, last bin + 1, weights of shape (bin, row)); ``n_bins`` is one
    more than the highest bin that any row uses, ``n_frequency`` the number of rows. Where rows are so long that blocks
    gain nothing there are none, and ``matrix`` is the sparse one.
    """

    blocks: tuple
    n_bins: int
    n_frequency: int
    matrix: object = None


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

    Examples
    --------
    >>> konno_ohmachi(np.array([1.0, 1.1, 2.0]), 40).round(3).tolist()
    [1.0, 0.131, 0.0]
    """
    x = bandwidth * np.log10(ratio)
    return np.where(np.abs(x) < np.pi, np.sinc(x / np.pi) ** 4, 0.0)


def log_gaussian(ratio: np.ndarray, bandwidth: float) -> np.ndarray:
    """Return ``exp(-bandwidth * ln(ratio)**2)``, 0 below 1e-9: the weights of the TimesNet-Gen code.

    Examples
    --------
    >>> log_gaussian(np.array([1.0, 1.1, 2.0]), 40).round(3).tolist()
    [1.0, 0.695, 0.0]
    """
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

    Examples
    --------
    >>> parzen(np.array([0.0, 0.25, 2.0]), 0.5).round(3).tolist()
    [1.0, 0.217, 0.0]
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
        Kind and bandwidth: ``"ko:B"`` Konno-Ohmachi, ``"loggauss:B"`` exp(-B ln²(f / fc)), ``"parzen:HZ"``,
        ``"rect:HZ"`` and ``"tri:HZ"`` rectangle and triangle of that full width, ``"logrect:DECADES"`` and
        ``"logtri:DECADES"`` the same in log10 f.

    Returns
    -------
    scipy.sparse.csr_array, shape (f, npts // 2 + 1), float64
        Rows sum to 1. A row is NaN where no FFT bin lies inside the kernel (window too short for that
        frequency) or where its centre is above Nyquist.

    Examples
    --------
    >>> matrix = smoothing_matrix(2000, 100.0, [1.0, 10.0], "ko:40")
    >>> matrix.shape, (matrix @ np.ones(1001)).round(12).tolist()
    ((2, 1001), [1.0, 1.0])
    """
    kind, bandwidth = parse(smoothing)
    return kernel_matrix(npts, sampling_rate, frequency_hz, KINDS[kind], bandwidth)


def kernel_matrix(npts: int, sampling_rate: float, frequency_hz, kernel: Kernel, bandwidth: float):
    """Return the matrix of `smoothing_matrix` for a kernel of one's own; cached while `kernel` is the same object."""
    return _matrix(*_key(npts, sampling_rate, frequency_hz, kernel, bandwidth))


def smoothing_bands(npts: int, sampling_rate: float, frequency_hz, smoothing: str | Smoothing = "ko:40") -> Bands:
    """Return what `smoothing_matrix` returns, as dense blocks over the bins that have weights.

    For smoothing many spectra, or one many times: `smooth` takes it with spectra cut to ``n_bins``.
    """
    kind, bandwidth = parse(smoothing)
    return _bands(*_key(npts, sampling_rate, frequency_hz, KINDS[kind], bandwidth))


def _key(npts, sampling_rate, frequency_hz, kernel, bandwidth):
    """Return what a cache can compare."""
    frequency = np.ascontiguousarray(frequency_hz, dtype=np.float64)
    return int(npts), float(sampling_rate), frequency.tobytes(), kernel, float(bandwidth)


def _matrix_bytes(matrix):
    return matrix.data.nbytes + matrix.indices.nbytes


def _bands_bytes(bands):
    return sum(b[-1].nbytes for b in bands.blocks) + (0 if bands.matrix is None else _matrix_bytes(bands.matrix))


@kept(_bands_bytes)
def _bands(*key):
    matrix = _matrix.__wrapped__(*key)  # not kept twice
    starts, columns, n = matrix.indptr, matrix.indices, matrix.shape[0]
    low, high = columns[starts[:-1]], columns[starts[1:] - 1] + 1
    n_bins = int(high.max(initial=1))
    blocks = []
    row = 0
    while row < n:
        ahead = slice(row, row + ROWS[1])
        span = np.maximum.accumulate(high[ahead]) - np.minimum.accumulate(low[ahead])
        end = row + int((span * np.arange(1, span.size + 1) <= SIZE).sum())
        if end < min(row + ROWS[0], n):
            return Bands((), n_bins, n, matrix[:, :n_bins])
        first, last = int(low[row:end].min()), int(high[row:end].max())
        part = slice(starts[row], starts[end])
        weights = np.zeros((last - first, end - row))
        within = np.repeat(np.arange(end - row), np.diff(starts[row : end + 1]))
        weights[columns[part] - first, within] = matrix.data[part]
        blocks.append((row, end, first, last, weights))
        row = end
    return Bands(tuple(blocks), n_bins, n)


@kept(_matrix_bytes)
def _matrix(npts, sampling_rate, frequency_bytes, kernel, bandwidth):
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
    parts = (weights / total[rows], columns.astype(np.int32), starts.astype(np.int32))
    return csr_array(parts, shape=(centre.size, max(last, 1) + 1))


def smooth(amplitude: np.ndarray, matrix) -> np.ndarray:
    """Return smoothed spectra.

    Parameters
    ----------
    amplitude : numpy.ndarray, shape (..., k)
        Fourier amplitudes at the ``rfft`` frequencies, as many as the matrix has columns (``n_bins``).
    matrix : scipy.sparse.csr_array, shape (f, k), or Bands
        Of `smoothing_matrix` or `smoothing_bands`.

    Returns
    -------
    numpy.ndarray, shape (..., f), float64

    Raises
    ------
    ValueError
        The number of bins is another.

    Examples
    --------
    >>> matrix = smoothing_matrix(2000, 100.0, [1.0, 10.0], "tri:0.5")
    >>> smooth(np.arange(1001) * 0.05, matrix).round(6).tolist()  # a straight line stays one
    [1.0, 10.0]
    """
    flat = amplitude.reshape(-1, amplitude.shape[-1])
    blocks = ()
    if isinstance(matrix, Bands):
        if flat.shape[1] != matrix.n_bins:
            raise ValueError(f"spectra of {flat.shape[1]} bins given; accepted: {matrix.n_bins}")
        n, blocks, matrix = matrix.n_frequency, matrix.blocks, matrix.matrix
    else:
        n = matrix.shape[0]
    out = np.empty((flat.shape[0], n))
    for i in range(0, flat.shape[0], BLOCK):
        part, smoothed = flat[i : i + BLOCK], out[i : i + BLOCK]
        if matrix is not None:
            smoothed[...] = (matrix @ part.T).T if part.shape[0] > FEW else [matrix @ spectrum for spectrum in part]
        for row, end, first, last, weights in blocks:
            np.matmul(part[:, first:last], weights, out=smoothed[:, row:end])
    return out.reshape(*amplitude.shape[:-1], n)
