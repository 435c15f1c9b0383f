"""HVSR along azimuths: how a site's curve and its f0 change with direction, and statistics over all directions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.site.curves import lognormal, ratio, smoothed_rotations
from obspy_tng.site.smoothing import smooth, smoothing_bands
from obspy_tng.site.spectra import fourier

AZIMUTHS_DEG = np.arange(0.0, 180.0, 5.0)  # amplitudes repeat every 180 degrees


class AzimuthStatistics(NamedTuple):
    """Lognormal statistics over windows and azimuths, and over the windows of each azimuth.

    ``median``, ``sigma_ln``, ``n_valid`` have the shape of one value, e.g. (f,); ``azimuth_median``,
    ``azimuth_sigma_ln``, ``azimuth_n_valid`` have (azimuth, f).
    """

    median: np.ndarray
    sigma_ln: np.ndarray
    n_valid: np.ndarray
    azimuth_median: np.ndarray
    azimuth_sigma_ln: np.ndarray
    azimuth_n_valid: np.ndarray


def azimuthal(
    data: np.ndarray,
    sampling_rate: float,
    frequency_hz,
    *,
    azimuths_deg=AZIMUTHS_DEG,
    smoothing: str = "ko:40",
    taper: float = 0.05,
) -> np.ndarray:
    """Return the HVSR of the horizontal component along each azimuth.

    Each component is transformed once, whatever the number of azimuths: spectra are rotated, smoothed, divided.

    Parameters
    ----------
    data : numpy.ndarray, shape (record, 3, n) or (3, n)
        Components E, N, Z of the windows, any unit; the whole length is analysed. Left as it is.
    sampling_rate : float
        In Hz.
    frequency_hz : array_like, shape (f,)
        Output frequencies in Hz.
    azimuths_deg : array_like, shape (azimuth,)
        Clockwise from north.
    smoothing, taper
        See `smoothing.smoothing_matrix` and `spectra.fourier`.

    Returns
    -------
    numpy.ndarray, shape (record, azimuth, f) or (azimuth, f)
        NaN where the vertical has no energy or the window is too short for the frequency.

    Raises
    ------
    TNGError
        The array has another shape, or the smoothing is unknown.

    References
    ----------
    Cheng, Cox, Vantassel & Manuel (2020), A statistical approach to account for azimuthal variability in
    single-station HVSR measurements, GJI 223(2), 1040-1053.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(3, 2000))
    >>> x[0] = 0  # nothing moves east-west
    >>> north, oblique = azimuthal(x, 100.0, [2.0], azimuths_deg=[0, 60])
    >>> (oblique / north).round(9)
    array([0.5])
    """
    data = np.asarray(data)
    if data.ndim not in (2, 3) or data.shape[-2] != 3:
        raise TNGError(f"array of shape {data.shape} given; accepted: (record, 3, n) or (3, n), components E, N, Z")
    npts = data.shape[-1]
    bands = smoothing_bands(npts, sampling_rate, frequency_hz, smoothing)
    flat = data.reshape(-1, 3, npts)
    out = np.empty((flat.shape[0], np.size(azimuths_deg), bands.n_frequency))
    for curves, record in zip(out, flat, strict=True):
        curves[...] = azimuthal_of_spectra(fourier(record, taper)[..., : bands.n_bins], bands, azimuths_deg)
    return out.reshape(*data.shape[:-2], *out.shape[1:])


def azimuthal_of_spectra(spectrum: np.ndarray, bands, azimuths_deg=AZIMUTHS_DEG) -> np.ndarray:
    """Return azimuthal HVSR from complex spectra at hand.

    Parameters
    ----------
    spectrum : numpy.ndarray, shape (..., 3, k), complex
        E, N, Z, of `spectra.fourier`.
    bands : smoothing.Bands
        Of `smoothing.smoothing_bands`, with k = ``bands.n_bins``.
    azimuths_deg : array_like, shape (azimuth,)
        Clockwise from north.

    Returns
    -------
    numpy.ndarray, shape (..., azimuth, f)
    """
    vertical = smooth(np.abs(spectrum[..., 2, :]), bands)
    return ratio(smoothed_rotations(spectrum, bands, azimuths_deg), vertical[..., None, :])


def statistics(values: np.ndarray, accepted: np.ndarray | None = None) -> AzimuthStatistics:
    """Return lognormal statistics in which each azimuth weighs the same, however many windows it keeps.

    Parameters
    ----------
    values : numpy.ndarray, shape (record, azimuth) or (record, azimuth, f)
        f0 in Hz or curves, above 0; NaN where not known.
    accepted : numpy.ndarray of bool, shape (record, azimuth) or (record,), optional
        Windows to use; a window may be rejected at some azimuths only. Default: all.

    Returns
    -------
    AzimuthStatistics
        With weights ``w = 1 / (n_azimuth * n_windows of that azimuth)``, which sum to 1, ``median`` is
        ``exp(sum w ln x)`` and ``sigma_ln`` is ``sqrt(sum w (ln x - ln median)² / (1 - sum w²))``; for a single
        azimuth these are the log-mean and the standard deviation with ddof 1. An azimuth without any window is
        not counted. ``sigma_ln`` is the spread over windows and directions; the same window turned about is no
        new observation, so it does not become the error of the median by dividing by sqrt(n_valid).

    Raises
    ------
    TNGError
        The shapes do not fit.

    References
    ----------
    Cheng, Cox, Vantassel & Manuel (2020), GJI 223(2), 1040-1053.

    Examples
    --------
    >>> import numpy as np
    >>> f0_hz = np.array([[1.0, 4.0], [1.0, np.nan], [1.0, np.nan]])  # three windows at one azimuth, one at the other
    >>> float(statistics(f0_hz).median)
    2.0
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim < 2:
        raise TNGError(f"values of shape {values.shape} given; accepted: (record, azimuth) or (record, azimuth, f)")
    if accepted is not None:
        accepted = np.asarray(accepted, dtype=bool)
        if accepted.shape != values.shape[: accepted.ndim] or accepted.ndim not in (1, 2):
            raise TNGError(f"mask of shape {accepted.shape} given; accepted: {values.shape[:2]} or {values.shape[:1]}")
        values = np.where(accepted.reshape(*accepted.shape, *[1] * (values.ndim - accepted.ndim)), values, np.nan)
    azimuth_median, azimuth_sigma, n = lognormal(values)
    used = (n > 0).sum(axis=0)
    valid = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.where(n > 0, 1 / (used * n), 0.0)
        mean = np.where(used > 0, np.where(n > 0, np.log(azimuth_median), 0.0).sum(axis=0) / used, np.nan)
        squares = np.where(valid, np.log(np.where(valid, values, 1.0)) - mean, 0.0) ** 2
        spread = (weight * squares.sum(axis=0)).sum(axis=0) / (1 - (n * weight**2).sum(axis=0))
        sigma = np.where(n.sum(axis=0) > 1, np.sqrt(spread), np.nan)
    return AzimuthStatistics(np.exp(mean), sigma, n.sum(axis=0), azimuth_median, azimuth_sigma, n)
