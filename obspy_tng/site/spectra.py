"""Fourier amplitudes of a window and ways to make one horizontal of two."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from obspy_tng.errors import TNGError

# name -> amplitude of "the" horizontal from the complex spectra of E and N; before any smoothing.
# Complex spectra, because rotations (RotD50, azimuths) need the phase.
HORIZONTALS = {
    "quadratic": lambda e, n: np.sqrt((_power(e) + _power(n)) / 2),
    "geometric": lambda e, n: np.sqrt(np.abs(e) * np.abs(n)),
    "arithmetic": lambda e, n: (np.abs(e) + np.abs(n)) / 2,
    "total-energy": lambda e, n: np.sqrt(_power(e) + _power(n)),
    "maximum": lambda e, n: np.maximum(np.abs(e), np.abs(n)),
}


def _power(spectrum):
    return spectrum.real**2 + spectrum.imag**2


@lru_cache(maxsize=64)
def taper(npts: int, fraction: float) -> np.ndarray:
    """Return a Tukey window: cosine ramps over `fraction` of the length at each end, 1 between.

    Returns
    -------
    numpy.ndarray, shape (npts,), read-only
        ``scipy.signal.windows.tukey(npts, 2 * fraction)``.
    """
    window = np.ones(npts)
    ramp = int(np.floor(fraction * (npts - 1))) + 1
    if fraction > 0 and npts > 1:
        edge = 0.5 * (1 - np.cos(np.pi * np.arange(ramp) / (fraction * (npts - 1))))
        window[:ramp] = edge
        window[-ramp:] = edge[::-1]
    window.flags.writeable = False
    return window


def fourier(data: np.ndarray, taper_fraction: float = 0.05) -> np.ndarray:
    """Return complex spectra of a window: mean removed, tapered, exactly its own length (no zero padding).

    Parameters
    ----------
    data : numpy.ndarray, shape (..., n)
        Left as it is.
    taper_fraction : float
        Length of each cosine ramp over the window length; 0 for none.

    Returns
    -------
    numpy.ndarray, shape (..., n // 2 + 1), complex128
    """
    centred = data - data.mean(axis=-1, keepdims=True)
    if taper_fraction:
        centred *= taper(data.shape[-1], taper_fraction)
    return np.fft.rfft(centred)


def horizontal(east: np.ndarray, north: np.ndarray, how: str = "quadratic") -> np.ndarray:
    """Return the amplitude spectrum of the combined horizontal.

    Parameters
    ----------
    east, north : numpy.ndarray, shape (..., k), complex
        Spectra of the two horizontals.
    how : str
        ``"quadratic"`` sqrt((E² + N²) / 2), Eq. 6 of TimesNet-Gen; ``"geometric"`` sqrt(E N);
        ``"arithmetic"``; ``"total-energy"`` sqrt(E² + N²); ``"maximum"`` the larger at each frequency.

    Raises
    ------
    TNGError
        `how` is none of these.
    """
    check_horizontal(how)
    return HORIZONTALS[how](east, north)


def check_horizontal(how: str) -> None:
    """Raise TNGError when `how` names no way to combine horizontals."""
    if how not in HORIZONTALS:
        raise TNGError(f"horizontal {how!r} not known; accepted: {', '.join(HORIZONTALS)}")
