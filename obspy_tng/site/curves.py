"""HVSR of arrays: one curve per record, nothing known of files, stations or xarray."""

from __future__ import annotations

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.site.smoothing import smooth, smoothing_matrix
from obspy_tng.site.spectra import fourier, horizontal

BLOCK = 8  # records per pass: their spectra stay in cache
COMPATS = ("timesnet-gen",)


def check_compat(compat: str | None) -> None:
    """Raise TNGError when `compat` names no known definition."""
    if compat is not None and compat not in COMPATS:
        raise TNGError(f"compat {compat!r} not known; accepted: {', '.join(COMPATS)}")


def smoothed_spectra(
    data: np.ndarray,
    sampling_rate: float,
    frequency_hz,
    *,
    how: str = "quadratic",
    smoothing="ko:40",
    taper: float = 0.05,
    components: bool = False,
) -> np.ndarray:
    """Return smoothed amplitude spectra of the horizontal and the vertical.

    Parameters
    ----------
    data : numpy.ndarray, shape (..., 3, n)
        E, N, Z of the window to analyse, any unit.
    sampling_rate : float
        In Hz.
    frequency_hz : array_like, shape (f,)
        Output frequencies in Hz.
    how, smoothing, taper
        See `spectra.horizontal`, `smoothing.smoothing_matrix`, `spectra.fourier`.
    components : bool
        Also return E and N by themselves.

    Returns
    -------
    numpy.ndarray, shape (..., 2 or 4, f)
        H, V (, E, N), divided by the square root of the window length: amplitude per sqrt(s), so that windows
        of different length compare.
    """
    matrix = smoothing_matrix(data.shape[-1], sampling_rate, frequency_hz, smoothing)
    spectrum = fourier(data, taper)
    parts = [horizontal(spectrum[..., 0, :], spectrum[..., 1, :], how), np.abs(spectrum[..., 2, :])]
    if components:
        parts += [np.abs(spectrum[..., 0, :]), np.abs(spectrum[..., 1, :])]
    return smooth(np.stack(parts, axis=-2), matrix) / np.sqrt(data.shape[-1] * sampling_rate)


def hvsr_array(
    data: np.ndarray,
    sampling_rate: float,
    frequency_hz,
    *,
    horizontal: str = "quadratic",
    smoothing: str = "ko:40",
    taper: float = 0.05,
    compat: str | None = None,
) -> np.ndarray:
    """Return the HVSR curve of each record of an array.

    Mean removed, tapered, Fourier transformed at exactly its own length, horizontals combined, both smoothed,
    then divided (Lermo & Chávez-García, 1993).

    Parameters
    ----------
    data : numpy.ndarray, shape (record, 3, n) or (3, n)
        Components E, N, Z in any unit; the whole length is analysed. Left as it is.
    sampling_rate : float
        In Hz.
    frequency_hz : array_like, shape (f,)
        Output frequencies in Hz.
    horizontal, smoothing : str
        See `spectra.horizontal` and `smoothing.smoothing_matrix`.
    taper : float
        Cosine ramp at each end over the length.
    compat : {None, "timesnet-gen"}
        ``"timesnet-gen"``: the definition of the published code, see `timesnet_gen`; the settings above are
        not used.

    Returns
    -------
    numpy.ndarray, shape (record, f) or (f,)
        NaN where the vertical has no energy or the record is too short for the frequency.

    Raises
    ------
    TNGError
        The array has another shape, or a setting is unknown.

    References
    ----------
    Lermo & Chávez-García (1993), Site effect evaluation using spectral ratios with only one station, BSSA
    83(5).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(3, 2000))
    >>> hvsr_array(np.stack([2 * x[2], 2 * x[2], x[2]]), 100.0, [1.0, 5.0]).round(6)
    array([2., 2.])
    """
    check_compat(compat)
    data = np.asarray(data)
    if data.ndim not in (2, 3) or data.shape[-2] != 3:
        raise TNGError(f"array of shape {data.shape} given; accepted: (record, 3, n) or (3, n), components E, N, Z")
    if data.ndim == 2:
        return hvsr_array(
            data[None],
            sampling_rate,
            frequency_hz,
            horizontal=horizontal,
            smoothing=smoothing,
            taper=taper,
            compat=compat,
        )[0]
    if compat == "timesnet-gen":
        from obspy_tng.site.timesnet_gen import hvsr_curves

        return hvsr_curves(data, sampling_rate, frequency_hz)
    out = np.empty((data.shape[0], np.size(frequency_hz)))
    for i in range(0, data.shape[0], BLOCK):
        spectra = smoothed_spectra(
            data[i : i + BLOCK], sampling_rate, frequency_hz, how=horizontal, smoothing=smoothing, taper=taper
        )
        out[i : i + BLOCK] = ratio(spectra[:, 0], spectra[:, 1])
    return out


def ratio(h: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return ``h / v``, NaN where either is not above 0."""
    good = (h > 0) & (v > 0)
    return np.divide(h, v, out=np.full(np.broadcast(h, v).shape, np.nan), where=good)


def windowed_hvsr(
    data: np.ndarray,
    sampling_rate: float,
    window,
    noise,
    frequency_hz,
    *,
    how: str = "quadratic",
    smoothing: str = "ko:40",
    snr: float = 3.0,
    taper: float = 0.05,
) -> np.ndarray:
    """Return the curve of one record's S window, NaN where any component does not stand out of the noise.

    Parameters
    ----------
    data : numpy.ndarray, shape (3, n)
        E, N, Z of the whole record.
    sampling_rate : float
        In Hz.
    window : windows.Window
        Samples to analyse.
    noise : (int, int) or None
        Samples of noise; None: no mask.
    snr : float
        Smallest smoothed signal/noise amplitude ratio per sqrt(length), on each of E, N, Z.

    Returns
    -------
    numpy.ndarray, shape (f,)
    """
    settings = {"how": how, "smoothing": smoothing, "taper": taper, "components": True}
    signal = smoothed_spectra(data[:, window.start : window.stop], sampling_rate, frequency_hz, **settings)
    curve = ratio(signal[0], signal[1])
    if noise is not None and snr > 0:
        floor = smoothed_spectra(data[:, noise[0] : noise[1]], sampling_rate, frequency_hz, **settings)
        # a frequency the noise window is too short for (NaN) cannot be judged: left in
        curve[(signal[1:] < snr * floor[1:]).any(axis=0)] = np.nan
    return curve


def lognormal(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ``exp(mean ln)``, standard deviation of ln (ddof 1) and number of valid records per frequency.

    Parameters
    ----------
    curves : numpy.ndarray, shape (record, f)
        HVSR, NaN where not valid.

    Returns
    -------
    median, sigma_ln : numpy.ndarray, shape (f,)
        NaN where no record (for sigma: fewer than two) is valid.
    n_valid : numpy.ndarray of int, shape (f,)
    """
    valid = np.isfinite(curves)
    n = valid.sum(axis=0)
    logs = np.log(np.where(valid, curves, 1.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(n > 0, logs.sum(axis=0) / n, np.nan)
        squares = (np.where(valid, logs - mean, 0.0) ** 2).sum(axis=0)
        sigma = np.where(n > 1, np.sqrt(squares / (n - 1)), np.nan)
    return np.exp(mean), sigma, n
