"""How the components hang together after P: moment by moment what all records of a site share, brought about by mixing.

P comes from the same side in all records of a site, and what follows it in the first seconds is of the same direction
for long. Noise that was given a coherency of the whole part before it was filtered, each component by itself, has too
little of it. So the components of the first seconds are mixed once more, in all motion of a site by the same matrices.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.fft import ifft, irfft, rfft

from obspy_tng import spectral_extra as se
from obspy_tng.preprocessing import SAMPLING_RATE_HZ
from obspy_tng.spectral_first import fades, transport
from obspy_tng.spectral_noise import nearest

MOMENTS_S = 0.5, 0.9, 1.4, 2.0, 2.7, 3.5  # centres of frames after P
_END_S, _S_MARGIN_S, _SAMPLES = 4.3, 0.3, 512
_MIDDLE_HZ = np.sqrt(np.maximum(se.COHERENCY_HZ[:-1], 0.5) * se.COHERENCY_HZ[1:])
SHAPE = 2, len(MOMENTS_S), len(_MIDDLE_HZ), 3, 3  # of what a pool keeps: real and imaginary parts of the matrices
NOTHING = np.stack([np.broadcast_to(np.eye(3), SHAPE[1:]), np.zeros(SHAPE[1:])])  # is mixed by these
_RIDGE = 0.02  # of mean coherency
_LEAST_HZ = np.array([0.5, 1.0, 2.0, 4.0, 8.0])  # of what bands change by; up to 1.5 times as much it fades
_RAMPS, _CUTS = (20, 50), 3  # samples


def coherency(x: np.ndarray, p_s: float, sp_s: float) -> np.ndarray:
    """Return the complex coherency of single frames after P in bands of COHERENCY_HZ, shape (moment, band, pair).

    Parameters
    ----------
    x : numpy.ndarray, shape (3, NPTS)
    p_s, sp_s : float
        P onset after the first sample, and S−P, in s. From S on it is NaN.
    """
    lines = se.frame_lines(x, p_s + np.array(MOMENTS_S))[..., 1:].swapaxes(0, 1)
    cross = np.array([se.cross_spectra(moment) for moment in lines])
    size = np.sqrt(np.einsum("mbii->mbi", cross).real)
    out = np.stack([cross[..., a, b] / (size[..., a] * size[..., b] + 1e-60) for a, b in se.PAIRS], axis=-1)
    out[sp_s - _S_MARGIN_S < np.array(MOMENTS_S)] = np.nan
    return out


def mixing(kept: np.ndarray, found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the matrices that bring mean coherency from the one found with some to the one that is wanted.

    Parameters
    ----------
    kept : numpy.ndarray, shape SHAPE
        With which it was found.
    found, wanted : numpy.ndarray, shape (moment, band, pair), complex

    Returns
    -------
    numpy.ndarray, shape SHAPE
        Those multiplied by what moves motion least (`spectral_first.transport`).
    """
    now, then = (nearest(c.reshape(-1, c.shape[-1])) + _RIDGE * np.eye(3) for c in (found, wanted))
    out = transport(now, then).reshape(SHAPE[1:]) @ (kept[0] + 1j * kept[1])
    return np.stack([out.real, out.imag])


def mixed(signal: np.ndarray, kept: np.ndarray, first: int) -> np.ndarray:
    """Return the signal, its first seconds mixed.

    Matrices are of coherency: a component adds to another in proportion to the other's size. What a band changes by is
    kept from leaking below it, where P holds little, by taking the leak out of it, thrice; nothing moves before P.

    Parameters
    ----------
    signal : numpy.ndarray, shape (3, sample)
        Begins with P.
    kept : numpy.ndarray, shape SHAPE
        Of moments and bands; from one moment to the next it fades over.
    first : int
        Sample of P.
    """
    share, bands, below = _shares(), _bands(), _below()
    n = share.shape[-1]
    analytic = np.zeros((3, len(bands), _SAMPLES), dtype=complex)
    analytic[..., : bands.shape[-1]] = rfft(signal[:, first : first + n], _SAMPLES)[:, None] * bands
    parts = ifft(analytic)[..., :n]
    size = np.sqrt(np.einsum("mt,ibt->mbi", share, parts.real**2 + parts.imag**2)) + 1e-30
    change = (kept[0] + 1j * kept[1] - np.eye(3)) * size[..., :, None] / size[..., None, :]
    more = np.einsum("mt,mbij,jbt->ibt", share, change, parts, optimize=True).real
    gate = np.minimum(np.minimum(np.arange(n) / _RAMPS[0], (n - np.arange(n)) / _RAMPS[1]), 1)
    for _ in range(_CUTS):
        more -= gate * irfft(rfft(more, 2 * _SAMPLES) * below, 2 * _SAMPLES)[..., :n]
    out = signal.copy()
    out[:, first : first + n] += more.sum(axis=1)
    return out


@lru_cache(maxsize=1)
def _shares():
    """Return `fades` that begin with nothing at P, shape (moment, sample)."""
    out = fades(MOMENTS_S, _END_S)
    time_s = np.arange(out.shape[-1]) / SAMPLING_RATE_HZ
    return out * np.sin(np.pi / 2 * np.clip(time_s / MOMENTS_S[0], 0, 1)) ** 2


@lru_cache(maxsize=1)
def _bands():
    """Return the shares of bands of lines of _SAMPLES, shape (band, line), twice what they are: lines of one sign."""
    line = np.fft.rfftfreq(_SAMPLES, 1 / SAMPLING_RATE_HZ)
    out = 2 * np.array([np.interp(line, _MIDDLE_HZ, row) for row in np.eye(len(_MIDDLE_HZ))])
    out[:, -1] /= 2
    return out * np.clip((line - 0.3) / 0.5, 0, 1)


@lru_cache(maxsize=1)
def _below():
    """Return how much of each line of 2 _SAMPLES lies below a band, shape (band, line)."""
    line = np.fft.rfftfreq(2 * _SAMPLES, 1 / SAMPLING_RATE_HZ)
    return np.clip((1.5 - line / _LEAST_HZ[:, None]) / 0.5, 0, 1)
