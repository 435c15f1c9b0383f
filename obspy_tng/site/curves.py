"""HVSR of arrays: one curve per record, nothing known of files, stations or xarray."""

from __future__ import annotations

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.site.smoothing import smooth, smoothing_bands
from obspy_tng.site.spectra import HORIZONTALS, fourier, parse_horizontal, rotated

RECORDS = 480  # whose smoothed spectra are in memory at once
BLOCK = 12  # records per smoothing pass and
FFT_BLOCK = 4  # per Fourier transform: what they need stays in cache
ROTD_AZIMUTHS_DEG = np.arange(180.0)  # as Boore (2010); amplitudes repeat every 180 degrees
TURNS = 20  # azimuths per pass: their spectra stay in cache
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
    how : str
        As `spectra.horizontal`; also ``"rotdNN"``, see Notes.
    smoothing, taper
        See `smoothing.smoothing_matrix`, `spectra.fourier`.
    components : bool
        Also return E and N by themselves.

    Returns
    -------
    numpy.ndarray, shape (..., 2 or 4, f)
        H, V (, E, N), divided by the square root of the window length: amplitude per sqrt(s), so that windows
        of different length compare.

    Notes
    -----
    ``"rotd50"`` is, at each output frequency, the median over azimuths 0, 1, ... 179 degrees of the *smoothed*
    amplitude of the component along each, as in hvsrpy (Vantassel, 2025, SRL 96(4)). Boore (2010, BSSA 100(4))
    defined it for the peaks of oscillators, which smooth as well. Taken bin by bin before smoothing it would be
    nothing new: the squared amplitude along θ is (a² + b²) / 2 + (a² - b²) / 2 cos 2θ on the ellipse of a bin,
    and its median is that of ``"quadratic"``.

    Examples
    --------
    >>> data = np.random.default_rng(0).normal(size=(4, 3, 3000))
    >>> smoothed_spectra(data, 100.0, [1.0, 5.0]).shape  # (record, horizontal and vertical, frequency)
    (4, 2, 2)
    """
    npts = data.shape[-1]
    bands = smoothing_bands(npts, sampling_rate, frequency_hz, smoothing)
    kind, value = parse_horizontal(how)
    flat = data.reshape(-1, 3, npts)
    out = np.empty((flat.shape[0], 4 if components else 2, bands.n_frequency))
    # memory is asked for once: what is freed between passes goes back to the system, and getting it again costs
    # as much as the transform
    tapered = np.empty((min(FFT_BLOCK, flat.shape[0]), 3, npts))
    amplitude = np.empty((min(BLOCK, flat.shape[0]), out.shape[1], bands.n_bins))
    for i in range(0, flat.shape[0], BLOCK):
        block = flat[i : i + BLOCK]
        for j in range(0, block.shape[0], FFT_BLOCK):
            part = block[j : j + FFT_BLOCK]
            spectrum = fourier(part, taper, work=tapered[: part.shape[0]])[..., : bands.n_bins]
            _fill(amplitude[j : j + part.shape[0]], spectrum, kind, value)
            if kind == "rotd":
                turned = smoothed_rotations(spectrum, bands, ROTD_AZIMUTHS_DEG)
                out[i + j : i + j + part.shape[0], 0] = np.percentile(turned, value, axis=-2)
        first = int(kind == "rotd")
        out[i : i + BLOCK, first:] = smooth(amplitude[: block.shape[0], first:], bands)
    out /= np.sqrt(npts * sampling_rate)
    return out.reshape(*data.shape[:-2], *out.shape[1:])


def _fill(rows, spectrum, kind, value):
    """Write amplitudes of H, V (, E, N) into `rows`, shape (record, 2 or 4, k)."""
    absolute = np.abs(spectrum)
    rows[:, 1] = absolute[:, 2]
    rows[:, 2:] = absolute[:, : rows.shape[1] - 2]
    if kind == "azimuth":
        rows[:, 0] = rotated(spectrum[:, 0], spectrum[:, 1], [value])[:, 0]
    elif kind in HORIZONTALS:  # "rotd" only exists after smoothing
        rows[:, 0] = HORIZONTALS[kind](absolute[:, 0], absolute[:, 1])


def smoothed_rotations(spectrum: np.ndarray, bands, azimuths_deg) -> np.ndarray:
    """Return smoothed amplitude spectra of the horizontal component along each azimuth.

    Parameters
    ----------
    spectrum : numpy.ndarray, shape (..., 2 or more, k), complex
        E, N (, Z).
    bands : smoothing.Bands
        Of `smoothing.smoothing_bands`, with k = ``bands.n_bins``.
    azimuths_deg : array_like, shape (azimuth,)
        Clockwise from north.

    Returns
    -------
    numpy.ndarray, shape (..., azimuth, f)
    """
    azimuths = np.atleast_1d(azimuths_deg)
    flat = spectrum.reshape(-1, *spectrum.shape[-2:])
    out = np.empty((flat.shape[0], azimuths.size, bands.n_frequency))
    for turned, (east, north) in zip(out, flat[:, :2], strict=True):
        for i in range(0, azimuths.size, TURNS):
            turned[i : i + TURNS] = smooth(rotated(east, north, azimuths[i : i + TURNS]), bands)
    return out.reshape(*spectrum.shape[:-2], azimuths.size, bands.n_frequency)


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
        See `smoothed_spectra` and `smoothing.smoothing_matrix`.
    taper : float
        Cosine ramp at each end, a fraction of the length.
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
    for i in range(0, data.shape[0], RECORDS):
        part = data[i : i + RECORDS]
        spectra = smoothed_spectra(part, sampling_rate, frequency_hz, how=horizontal, smoothing=smoothing, taper=taper)
        out[i : i + RECORDS] = ratio(spectra[:, 0], spectra[:, 1])
    return out


def ratio(h: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return ``h / v``, NaN where either is not above 0.

    Examples
    --------
    >>> ratio(np.array([4.0, 1.0]), np.array([2.0, 0.0])).tolist()
    [2.0, nan]
    """
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
    return_mask: bool = False,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
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
    frequency_hz : array_like, shape (f,)
        Output frequencies in Hz.
    how, smoothing, taper
        See `smoothed_spectra`.
    snr : float
        Smallest smoothed signal/noise amplitude ratio per sqrt(length), on each of E, N, Z; 0: no mask.
    return_mask : bool
        Also return which component stands out where.

    Returns
    -------
    curve : numpy.ndarray, shape (f,)
    snr_ok : numpy.ndarray of bool, shape (3, f)
        Only with `return_mask`: E, N, Z not below `snr`. True where it cannot be judged: no noise, no mask
        asked for, or a noise window too short for the frequency.

    Examples
    --------
    >>> from obspy_tng.site.windows import Window
    >>> seconds = np.arange(4000) / 100
    >>> data = np.random.default_rng(0).normal(size=(3, 4000)) * np.where(seconds < 10, 0.01, [[2], [2], [1]])
    >>> curve = windowed_hvsr(data, 100.0, Window(1500, 3500, "event"), (0, 1000), [5.0, 10.0], smoothing="ko:10")
    >>> curve.round(0).tolist()
    [2.0, 2.0]
    """
    settings = {"how": how, "smoothing": smoothing, "taper": taper}
    begin, end = window.start, window.stop
    judged = noise is not None and snr > 0
    signal = smoothed_spectra(data[:, begin:end], sampling_rate, frequency_hz, components=judged, **settings)
    curve = ratio(signal[0], signal[1])
    snr_ok = np.ones((3, curve.size), dtype=bool)
    if judged:
        settings["how"] = "quadratic"  # the horizontal of the noise is not used
        part = data[:, noise[0] : noise[1]]
        floor = smoothed_spectra(part, sampling_rate, frequency_hz, components=True, **settings)
        # a frequency the noise window is too short for (NaN) cannot be judged: left in
        snr_ok = ~(signal[[2, 3, 1]] < snr * floor[[2, 3, 1]])
        curve[~snr_ok.all(axis=0)] = np.nan
    return (curve, snr_ok) if return_mask else curve


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

    Examples
    --------
    >>> curve, sigma_ln, n_valid = lognormal(np.array([[1.0, 2.0], [4.0, np.nan]]))
    >>> curve.tolist(), sigma_ln.round(2).tolist(), n_valid.tolist()
    ([2.0, 2.0], [0.98, nan], [2, 1])
    """
    valid = np.isfinite(curves)
    n = valid.sum(axis=0)
    logs = np.log(np.where(valid, curves, 1.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(n > 0, logs.sum(axis=0) / n, np.nan)
        squares = (np.where(valid, logs - mean, 0.0) ** 2).sum(axis=0)
        sigma = np.where(n > 1, np.sqrt(squares / (n - 1)), np.nan)
    return np.exp(mean), sigma, n
