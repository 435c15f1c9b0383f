"""Fourier amplitudes of a window and ways to make one horizontal of two."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.site.kept import kept

# name -> amplitude of "the" horizontal from the amplitudes of E and N; before any smoothing
HORIZONTALS = {
    "quadratic": lambda e, n: np.sqrt((e * e + n * n) / 2),
    "geometric": lambda e, n: np.sqrt(e * n),
    "arithmetic": lambda e, n: (e + n) / 2,
    "total-energy": lambda e, n: np.sqrt(e * e + n * n),
    "maximum": np.maximum,
}


class Horizontal(NamedTuple):
    """Way to make one horizontal of two; `value` is the azimuth in degrees or the percentile, else NaN."""

    kind: str
    value: float = np.nan


@kept(lambda window: window.nbytes)
def taper(npts: int, fraction: float) -> np.ndarray:
    """Return a Tukey window: cosine ramps over `fraction` of the length at each end, 1 between.

    Returns
    -------
    numpy.ndarray, shape (npts,), read-only
        ``scipy.signal.windows.tukey(npts, 2 * fraction)``.

    Examples
    --------
    >>> taper(5, 0.25).tolist()
    [0.0, 1.0, 1.0, 1.0, 0.0]
    """
    window = np.ones(npts)
    ramp = _ramp(npts, fraction)
    if fraction > 0 and npts > 1:
        edge = 0.5 * (1 - np.cos(np.pi * np.arange(ramp) / (fraction * (npts - 1))))
        window[:ramp] = edge
        window[-ramp:] = edge[::-1]
    window.flags.writeable = False
    return window


def _ramp(npts, fraction):
    """Return the number of samples of each cosine ramp."""
    return int(np.floor(fraction * (npts - 1))) + 1


def fourier(data: np.ndarray, taper_fraction: float = 0.05, *, work: np.ndarray | None = None) -> np.ndarray:
    """Return complex spectra of a window: mean removed, tapered, exactly its own length (no zero padding).

    Parameters
    ----------
    data : numpy.ndarray, shape (..., n)
        Left as it is.
    taper_fraction : float
        Length of each cosine ramp over the window length, at most 0.5; 0 for none.
    work : numpy.ndarray, shape of `data`, float64, optional
        Is overwritten: spares callers with many windows the allocation.

    Returns
    -------
    numpy.ndarray, shape (..., n // 2 + 1), complex128

    Examples
    --------
    >>> sine = np.sin(2 * np.pi * 5 * np.arange(200) / 100)  # 5 Hz, 100 samples a second
    >>> float(np.fft.rfftfreq(200, 1 / 100)[abs(fourier(sine, 0.0)).argmax()])
    5.0
    """
    centred = np.subtract(data, data.mean(axis=-1, keepdims=True), out=work)
    if taper_fraction:
        window = taper(data.shape[-1], taper_fraction)
        ramp = _ramp(data.shape[-1], taper_fraction)
        if 2 * ramp > data.shape[-1]:
            centred *= window
        else:  # it is 1 between the ramps
            centred[..., :ramp] *= window[:ramp]
            centred[..., -ramp:] *= window[-ramp:]
    return np.fft.rfft(centred)


def horizontal(east: np.ndarray, north: np.ndarray, how: str = "quadratic") -> np.ndarray:
    """Return the amplitude spectrum of the combined horizontal, before any smoothing.

    Parameters
    ----------
    east, north : numpy.ndarray, shape (..., k), complex
        Spectra of the two horizontals.
    how : str
        ``"quadratic"`` sqrt((E² + N²) / 2), Eq. 6 of TimesNet-Gen; ``"geometric"`` sqrt(E N);
        ``"arithmetic"``; ``"total-energy"`` sqrt(E² + N²); ``"maximum"`` the larger at each frequency;
        ``"azimuth:DEG"`` the component N cos + E sin, clockwise from north.

    Returns
    -------
    numpy.ndarray, shape (..., k)

    Raises
    ------
    TNGError
        `how` is none of these. ``"rotdNN"`` is a percentile of *smoothed* spectra and has no value here, see
        `curves.smoothed_spectra`.

    Examples
    --------
    >>> float(horizontal(np.array([3 + 0j]), np.array([4j]), "total-energy")[0])
    5.0
    """
    kind, value = parse_horizontal(how)
    if kind == "rotd":
        raise TNGError(f"horizontal {how!r} is a percentile of smoothed spectra, not of single FFT bins")
    if kind == "azimuth":
        return rotated(east, north, [value])[..., 0, :]
    return HORIZONTALS[kind](np.abs(east), np.abs(north))


def rotated(east: np.ndarray, north: np.ndarray, azimuths_deg) -> np.ndarray:
    """Return amplitude spectra of the horizontal component along each azimuth, without a new Fourier transform.

    Parameters
    ----------
    east, north : numpy.ndarray, shape (..., k), complex
        Spectra of the two horizontals.
    azimuths_deg : array_like, shape (azimuth,)
        Clockwise from north.

    Returns
    -------
    numpy.ndarray, shape (..., azimuth, k)
        ``|N cos + E sin|``: rotating in time and in frequency is the same, both being linear.

    Examples
    --------
    >>> rotated(np.array([3 + 0j]), np.array([4 + 0j]), [0, 90]).round(9).tolist()  # north, then east
    [[4.0], [3.0]]
    """
    angle = np.radians(np.asarray(azimuths_deg, dtype=np.float64))
    turn = np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    # real and imaginary parts as neighbouring columns: one real matrix product turns both
    pair = np.stack([east, north], axis=-2).astype(np.complex128, copy=False)
    return np.abs((turn @ pair.view(np.float64)).view(np.complex128))


def parse_horizontal(how: str) -> Horizontal:
    """Return the `Horizontal` that a text such as ``"quadratic"``, ``"azimuth:30"`` or ``"rotd50"`` names.

    Raises
    ------
    TNGError
        Unknown name, no number of degrees, or a percentile above 100.

    Examples
    --------
    >>> parse_horizontal("rotd84")
    Horizontal(kind='rotd', value=84.0)
    """
    text = str(how)
    if text in HORIZONTALS:
        return Horizontal(text)
    if match := re.fullmatch(r"rotd(\d{1,3})", text):
        percentile = float(match[1])
        if percentile <= 100:
            return Horizontal("rotd", percentile)
    elif match := re.fullmatch(r"azimuth:([-+]?\d+(?:\.\d*)?)", text):
        return Horizontal("azimuth", float(match[1]))
    raise TNGError(
        f"horizontal {how!r} not known; accepted: {', '.join(HORIZONTALS)}, azimuth:DEG (clockwise from north), "
        "rotdNN (percentile over azimuths, 00 to 100)"
    )


def check_horizontal(how: str) -> None:
    """Raise TNGError when `how` names no way to combine horizontals."""
    parse_horizontal(how)
