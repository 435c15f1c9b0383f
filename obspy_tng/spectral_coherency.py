"""Coherency of the components by part and band: what one record is told of, and what all of a site share.

A record tells it in few numbers (`spectral_extra`): in five bands of each part, and finely of the long coda alone. But
P of a site has bands of 2-3 Hz where its components hang together and others where they do not, as noise before it
has, whatever the earthquake. One record is too short to tell; the mean over the records of a pool is not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from obspy_tng import spectral as sp
from obspy_tng import spectral_extra as se

N_PAIRS = len(se.PAIRS)
SHAPE = 5, se.N_SECTIONS, sp.NB, N_PAIRS  # of what a pool keeps, see `packed`
FEW = 8  # records, the mean of which counts half
COARSE, FINE = (
    np.clip(np.searchsorted(edges, sp.BAND_HZ, side="right") - 1, 0, len(edges) - 2)
    for edges in (se.COHERENCY_HZ, se.FINE_HZ)
)
_LOW_LINES = slice(1, 4)  # of frames of 1.28 s: 0.8 to 2.3 Hz, told of all low bands alike
_CODA = se.PART_OF == se.N_PARTS - 1


class SiteCoherency(NamedTuple):
    """What the coherency of all motion of a site shares.

    Attributes
    ----------
    mean : numpy.ndarray, shape (N_SECTIONS, NB, pair), complex
        Mean over records of `finely`.
    share : float
        How much of it counts against what the coda of one record tells; the less, the fewer records it is the mean of.
    ln_gain : numpy.ndarray, shape (N_SECTIONS, NB, pair)
        Of Fisher's z: bands in which components hang together whatever their phase.
    lack : numpy.ndarray, shape (N_SECTIONS, NB, pair), complex
        What motion that is told all this still lacks on average.
    """

    mean: np.ndarray
    share: float
    ln_gain: np.ndarray
    lack: np.ndarray

    @classmethod
    def kept(cls, values: np.ndarray, n: int) -> SiteCoherency:
        """Return it of what a pool of n records keeps, shape SHAPE."""
        real, imaginary, ln_gain, lack_real, lack_imaginary = values.astype(float)
        return cls(real + 1j * imaginary, n / (n + FEW), ln_gain, lack_real + 1j * lack_imaginary)


def packed(mean: np.ndarray, ln_gain: np.ndarray, lack: np.ndarray) -> np.ndarray:
    """Return what a pool keeps, shape SHAPE, float16: `SiteCoherency.kept` reads it."""
    return np.stack([mean.real, mean.imag, ln_gain, lack.real, lack.imag]).astype(np.float16)


def finely(x: np.ndarray, p_s: float, sp_s: float) -> np.ndarray:
    """Return the complex coherency of every section in every band of the lattice, shape (N_SECTIONS, NB, pair).

    Parameters
    ----------
    x : numpy.ndarray, shape (3, NPTS)
    p_s, sp_s : float
        P onset after the first sample, and S−P, in s. Of the onset it is that of the first seconds of P.
    """
    out = np.empty((se.N_SECTIONS, sp.NB, N_PAIRS), dtype=complex)
    for section, (part, lines) in enumerate(se.span_lines(x, se.sections(p_s, sp_s), se.PART_OF)):
        if part == se.ONSET:
            continue
        cross = np.einsum("itl,jtl->ijl", lines, lines.conj())
        padded = np.pad(cross, [(0, 0), (0, 0), (0, 1)])
        middle = 2 * sp.SHORT_BINS
        high = padded[..., middle] + 0.5 * (padded[..., middle - 1] + padded[..., middle + 1])
        low = np.repeat(cross[..., _LOW_LINES].sum(axis=-1)[..., None], sp.N_LOW, axis=-1)
        bands = np.concatenate([low, high], axis=-1)
        size = np.sqrt(np.einsum("iib->ib", bands).real)
        out[section] = np.array([bands[a, b] / (size[a] * size[b] + 1e-60) for a, b in se.PAIRS]).T
    out[se.ONSET] = out[se.ONSET + 1]
    return out


def at_bands(told: se.Extra, weight: np.ndarray, site: SiteCoherency | None = None) -> np.ndarray:
    """Return the coherency of every section at the bands of the lattice, shape (N_SECTIONS, NB, pair).

    Parameters
    ----------
    told : spectral_extra.Extra
        Of the record: coarsely of its parts, finely of its coda, whose fine structure all parts have unless the site's
        is known.
    weight : numpy.ndarray, shape (N_SECTIONS, NB)
        Power of each section, by which means over parts and coarse bands are taken: they are what is told.
    site : SiteCoherency, optional
    """
    out = np.repeat(told.fine[FINE][None], se.N_SECTIONS, axis=0)
    if site is not None:
        out[~_CODA] += site.share * (site.mean - out)[~_CODA]
        share = weight[_CODA] / weight[_CODA].sum(axis=0)
        out[_CODA] += site.share * (site.mean[_CODA] - np.einsum("sb,sbk->bk", share, site.mean[_CODA]))
    out = _as_told(out, told.coherency, weight)
    if site is not None:
        out = _as_told(raised(out, np.exp(site.ln_gain)), told.coherency, weight) + site.lack
    size = np.maximum(np.abs(out), 1e-9)
    return out / size * np.minimum(size, np.tanh(se.LARGEST_Z))


def _as_told(c, coarse, weight):
    """Return coherency moved so that its mean over each coarse band of each part but the coda is as told."""
    out = c.copy()
    for part, band in np.ndindex(*coarse.shape[:2]):
        mine = np.ix_(part == se.PART_OF, band == COARSE)
        mean = np.einsum("sb,sbk->k", weight[mine], c[mine]) / weight[mine].sum()
        out[mine] += coarse[part, band] - mean
    return out


def raised(c: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Return coherency with Fisher's z of its size multiplied by a gain."""
    size = np.clip(np.abs(c), 1e-9, 0.99)
    return c / size * np.tanh(gain * np.arctanh(size))
