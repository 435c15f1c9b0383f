"""HVSR as Geopsy computes it, and its "f0 from windows": ``compat="geopsy"``.

Found from Geopsy's own results, which it reproduces to their last printed digit. It differs from our definition in
the length of the windows, the taper, the kernel, where the ratio is taken and how f0 comes from windows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from obspy_tng.errors import RecordError, TNGError
from obspy_tng.site import smoothing as kernels
from obspy_tng.site import spectra
from obspy_tng.site.curves import lognormal, ratio

BAND_HZ = (0.3, 40.0)
N_FREQUENCY = 2048
WINDOW_S = 60.0
TAPER = 0.1  # Geopsy's WINDOW ALPHA
SMOOTHING = "ko:40"
HORIZONTAL = "quadratic"  # Geopsy's "Squared"
KERNEL_LIMIT = 2.5  # of |b log10(f / fc)|
F0_RANGE = 1.5  # f0 of a window is sought within this factor of f0 of the average
BLOCK = 16  # windows per pass


class WindowsF0(NamedTuple):
    """f0 from windows: mean, mean -/+ one standard deviation, windows that have a peak, value of the average there."""

    f0_hz: float
    low_hz: float
    high_hz: float
    n_windows: int
    peak_amplitude: float
    window_f0_hz: np.ndarray


def output_frequency(band_hz=BAND_HZ, n_frequency: int = N_FREQUENCY) -> np.ndarray:
    """Return log-spaced output frequencies in Hz, both limits included, shape (n_frequency,).

    Raises
    ------
    TNGError
        The limits are not 0 < low < high, or fewer than two frequencies are asked for.
    """
    low, high = map(float, band_hz)
    if not 0 < low < high < np.inf:
        raise TNGError(f"band {low:g} {high:g} is not 0 < FMIN < FMAX in Hz")
    if n_frequency < 2:
        raise TNGError(f"{n_frequency} output frequencies given; at least 2 needed")
    return np.geomspace(low, high, int(n_frequency))


def window_bounds(
    npts: int,
    sampling_rate: float,
    window_s: float = WINDOW_S,
    *,
    overlap: float = 0.0,
    max_windows: int | None = None,
) -> np.ndarray:
    """Return where Geopsy's windows start and stop.

    Geopsy's windows share no sample, yet those of 60 s begin every 60 s: several windows of 60 s are 5999 samples
    each, every 6000, while a single one is 6000.

    Parameters
    ----------
    npts : int
        Samples of the record.
    sampling_rate : float
        In Hz.
    window_s : float
        Length of a window in seconds.
    overlap : float
        Share of a window that the next one covers too, 0 to below 1.
    max_windows : int, optional
        Windows from the start of the record; default all that fit.

    Returns
    -------
    numpy.ndarray of int, shape (window, 2)
        First sample and the one after the last.

    Raises
    ------
    TNGError
        A setting is out of its range.
    RecordError
        The record is shorter than one window.

    Examples
    --------
    >>> window_bounds(18001, 100.0, 60.0).tolist()
    [[0, 5999], [6000, 11999], [12000, 17999]]
    >>> window_bounds(18001, 100.0, 60.0, max_windows=1).tolist()
    [[0, 6000]]
    """
    length = round(window_s * sampling_rate) if np.isfinite(window_s) else 0
    if length < 2:
        raise TNGError(f"window of {window_s!r} s given; at least two samples needed")
    if not 0 <= overlap < 1:
        raise TNGError(f"overlap {overlap!r} given; accepted: 0 to below 1")
    if max_windows is not None and max_windows < 1:
        raise TNGError(f"max_windows {max_windows!r} given; accepted: 1 or more")
    step = max(round(length * (1 - overlap)), 1)
    if npts < length - 1:
        raise RecordError(f"record holds only {npts / sampling_rate:.1f} s; one window of {window_s:g} s needed")
    count = (npts - (length - 1)) // step + 1
    count = min(count, max_windows or count)
    if count == 1:
        return np.array([[0, min(length, npts)]])
    start = step * np.arange(count)
    return np.stack([start, start + length - 1], axis=1)


def hvsr_windows(
    data: np.ndarray,
    sampling_rate: float,
    frequency_hz,
    window_s: float = WINDOW_S,
    *,
    overlap: float = 0.0,
    max_windows: int | None = None,
    taper: float = TAPER,
    smoothing: str = SMOOTHING,
    horizontal: str = HORIZONTAL,
) -> np.ndarray:
    """Return the HVSR of a record's windows as Geopsy computes them.

    Parameters
    ----------
    data : numpy.ndarray, shape (3, n)
        E, N, Z of the whole record in any unit; left as it is.
    sampling_rate : float
        In Hz.
    frequency_hz : array_like, shape (f,)
        Output frequencies in Hz, e.g. of `output_frequency`.
    window_s, overlap, max_windows
        See `window_bounds`.
    taper, smoothing, horizontal
        See `hvsr_of_windows`.

    Returns
    -------
    numpy.ndarray, shape (window, f)

    Raises
    ------
    TNGError
        An array of another shape, or a setting out of its range.
    RecordError
        The record is shorter than one window.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(3, 18001))
    >>> hvsr_windows(x[[2, 2, 2]], 100.0, [1.0, 5.0]).round(6).tolist()
    [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    """
    data = np.asarray(data)
    if data.ndim != 2 or data.shape[0] != 3:
        raise TNGError(f"array of shape {data.shape} given; accepted: (3, n), components E, N, Z")
    bounds = window_bounds(data.shape[1], sampling_rate, window_s, overlap=overlap, max_windows=max_windows)
    out = np.empty((len(bounds), np.size(frequency_hz)))
    for i in range(0, len(bounds), BLOCK):
        cut = np.stack([data[:, start:stop] for start, stop in bounds[i : i + BLOCK]])
        out[i : i + BLOCK] = hvsr_of_windows(
            cut, sampling_rate, frequency_hz, taper=taper, smoothing=smoothing, horizontal=horizontal
        )
    return out


def hvsr_of_windows(
    data: np.ndarray,
    sampling_rate: float,
    frequency_hz,
    *,
    taper: float = TAPER,
    smoothing: str = SMOOTHING,
    horizontal: str = HORIZONTAL,
) -> np.ndarray:
    """Return the HVSR of windows that are already cut, as Geopsy computes it.

    Mean removed, tapered, Fourier transformed at exactly its own length; horizontals combined; both smoothed at
    FFT frequencies; divided there; then linearly interpolated in frequency.

    Parameters
    ----------
    data : numpy.ndarray, shape (..., 3, n)
        E, N, Z of each window in any unit; left as they are.
    sampling_rate : float
        In Hz.
    frequency_hz : array_like, shape (f,)
        Output frequencies in Hz.
    taper : float
        Geopsy's WINDOW ALPHA, the share of the window that the two cosine ramps cover together (twice its older
        TAPER WIDTH); 0 for none.
    smoothing : str
        ``"ko:B"``: Konno-Ohmachi as Geopsy cuts it, see `smoothing_rows`. Other kinds as in `smoothing`, also
        evaluated at FFT frequencies.
    horizontal : str
        See `spectra.horizontal`. Geopsy's "Squared" is ``"quadratic"``, its "Energy" ``"total-energy"``, its
        "Azimuth" ``"azimuth:DEGREES"``. Results for an azimuth are those of Geopsy 2, whose taper ends one sample
        behind the window: the only release of which such results are at hand.

    Returns
    -------
    numpy.ndarray, shape (..., f)
        NaN below the first FFT frequency, above Nyquist and where the vertical has no energy.

    Raises
    ------
    TNGError
        An array of another shape, or a setting out of its range.
    """
    data = np.asarray(data)
    if data.ndim < 2 or data.shape[-2] != 3 or data.shape[-1] < 2:
        raise TNGError(f"array of shape {data.shape} given; accepted: (..., 3, n), components E, N, Z")
    if not 0 <= taper <= 1:
        raise TNGError(f"taper {taper!r} given; accepted: 0 to 1, both ramps together")
    spectra.check_horizontal(horizontal)
    npts = data.shape[-1]
    frequency = np.ascontiguousarray(frequency_hz, dtype=np.float64)
    bins, matrix = smoothing_rows(npts, float(sampling_rate), frequency.tobytes(), kernels.parse(smoothing))
    centred = data - data.mean(axis=-1, keepdims=True)
    spectrum = np.fft.rfft(centred * _window(npts, taper, horizontal.startswith("azimuth")))
    h = kernels.smooth(spectra.horizontal(spectrum[..., 0, :], spectrum[..., 1, :], horizontal), matrix)
    v = kernels.smooth(np.abs(spectrum[..., 2, :]), matrix)
    return _interpolate(ratio(h, v), bins, frequency * npts / sampling_rate)


def _window(npts, alpha, ends_behind):
    return spectra.taper(npts + 1, alpha / 2)[:npts] if ends_behind else spectra.taper(npts, alpha / 2)


@lru_cache(maxsize=4)
def smoothing_rows(npts: int, sampling_rate: float, frequency_bytes: bytes, smoothing: kernels.Smoothing):
    """Return the FFT bins on either side of the output frequencies and the matrix that smooths at these bins.

    Geopsy's Konno-Ohmachi kernel around bin k reaches from bin ``floor(k / r)`` to bin ``k r``, with
    ``b log10(r) = 2.5``: its lower side is rounded outwards, its upper side inwards. It is cut at the ends of the
    spectrum, never at 0 Hz.

    Parameters
    ----------
    npts : int
        Samples of a window.
    sampling_rate : float
        In Hz.
    frequency_bytes : bytes
        Output frequencies in Hz as float64.
    smoothing : smoothing.Smoothing

    Returns
    -------
    bins : numpy.ndarray of int, shape (k,)
        Rising; bin times ``sampling_rate / npts`` is the frequency in Hz.
    matrix : scipy.sparse.csr_array, shape (k, npts // 2 + 1), float64
        Rows sum to 1.
    """
    position = np.frombuffer(frequency_bytes, dtype=np.float64) * npts / sampling_rate
    last = npts // 2
    low = np.floor(position + 1e-9)
    near = np.unique(np.concatenate([low, low + 1]))
    bins = near[(near >= 1) & (near <= last)].astype(int)
    if smoothing.kind != "ko":
        return bins, kernels.smoothing_matrix(npts, sampling_rate, bins * sampling_rate / npts, smoothing)
    from scipy.sparse import csr_array

    reach = 10 ** (KERNEL_LIMIT / smoothing.bandwidth)
    first = np.maximum(np.floor(bins / reach), 1).astype(int)
    stop = np.minimum(np.floor(bins * reach), last).astype(int) + 1
    ends = np.concatenate([[0], np.cumsum(stop - first)])
    weights, columns = np.empty(ends[-1]), np.empty(ends[-1], dtype=np.int32)
    x_of_bin = smoothing.bandwidth * np.log10(np.maximum(np.arange(last + 1), 1))
    for row, (k, a, b) in enumerate(zip(bins, first, stop, strict=True)):  # by rows: hours make many weights
        part = np.sinc((x_of_bin[a:b] - x_of_bin[k]) / np.pi) ** 4
        weights[ends[row] : ends[row + 1]] = part / part.sum()
        columns[ends[row] : ends[row + 1]] = np.arange(a, b)
    return bins, csr_array((weights, columns, ends), shape=(bins.size, last + 1))


def _interpolate(curves, bins, position):
    """Return curves given at FFT bins at fractional bin positions, NaN outside the bins."""
    out = np.full((*curves.shape[:-1], position.size), np.nan)
    inside = np.flatnonzero((position >= bins[0] - 1e-9) & (position <= bins[-1] + 1e-9)) if bins.size else []
    if not len(inside):
        return out
    right = np.clip(np.searchsorted(bins, position[inside]), 1, bins.size - 1) if bins.size > 1 else 0
    left = np.maximum(right - 1, 0)
    width = np.maximum(bins[right] - bins[left], 1)
    share = (position[inside] - bins[left]) / width
    out[..., inside] = curves[..., left] * (1 - share) + curves[..., right] * share
    return out


def f0_from_windows(curves: np.ndarray, frequency_hz, average: np.ndarray | None = None) -> WindowsF0:
    """Return f0 from windows as Geopsy's files give it.

    f0 of a window is its highest local maximum within a factor of 1.5 of f0 of the average curve; their mean is
    arithmetic, the standard deviation has ddof 1.

    Parameters
    ----------
    curves : numpy.ndarray, shape (window, f)
        Of `hvsr_windows`.
    frequency_hz : array_like, shape (f,)
        In Hz, rising.
    average : numpy.ndarray, shape (f,), optional
        Average curve; default exp(mean ln) of the curves.

    Returns
    -------
    WindowsF0
        NaN and 0 windows for a single curve, of which Geopsy tells no f0 from windows, or when no window has a
        peak there. ``window_f0_hz`` (window,) is NaN for windows without.

    Examples
    --------
    >>> import numpy as np
    >>> f = np.geomspace(0.5, 10, 400)
    >>> curves = np.exp(-8 * np.log(f / np.array([[1.9], [2.0], [2.1]])) ** 2)
    >>> [round(float(x), 2) for x in f0_from_windows(curves, f)[:3]]
    [2.0, 1.9, 2.1]
    """
    curves, frequency = np.asarray(curves), np.asarray(frequency_hz, dtype=np.float64)
    if average is None:
        average = lognormal(curves)[0]
    each = np.full(len(curves), np.nan)
    nothing = WindowsF0(np.nan, np.nan, np.nan, 0, np.nan, each)
    if len(curves) < 2 or not np.isfinite(average).any():
        return nothing
    f0 = frequency[np.nanargmax(average)]
    middle = curves[:, 1:-1]
    peak = (middle > curves[:, :-2]) & (middle >= curves[:, 2:])
    peak &= (frequency[1:-1] >= f0 / F0_RANGE) & (frequency[1:-1] <= f0 * F0_RANGE)
    has = peak.any(axis=1)
    each[has] = frequency[1:-1][np.where(peak, middle, -np.inf)[has].argmax(axis=1)]
    if not has.any():
        return nothing
    mean = float(each[has].mean())
    spread = float(each[has].std(ddof=1)) if has.sum() > 1 else 0.0
    amplitude = float(np.interp(mean, frequency, average))
    return WindowsF0(mean, mean - spread, mean + spread, int(has.sum()), amplitude, each)
