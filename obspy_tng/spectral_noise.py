"""Gaussian noise of three components in narrow bands, polarised and coherent as it is asked for."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.fft import ifft

from obspy_tng import spectral as sp
from obspy_tng import spectral_extra as se
from obspy_tng.preprocessing import SAMPLING_RATE_HZ
from obspy_tng.spectral import NB
from obspy_tng.spectral_coherency import raised

STEP = 10  # samples of a cell of the envelopes
LENGTH = 6144
_WAVE, _WAVE_HZ = 128, 4.0  # samples and Hz over which the polarisation of a wave changes
_GAINS, _MOST_POLARISED, _UNPOLARISED = (0.5, 2.5), 3.0, se.ONSET + 3  # the last: first part without
_TOGETHER = (0,), (1,), (2,), (3,), (4, 5), (6,), (7,), (8,)  # sections: 1.5 s of S are few samples
_LOWEST_HZ = 0.6  # their power would be all that counts below 2 Hz: their coherency is brought about by itself


class Coherence(NamedTuple):
    """What makes motion as coherent as records are; see `calibration_coherence`.

    Attributes
    ----------
    gain : numpy.ndarray, shape (N_SECTIONS, NB)
        Of Fisher's z of the coherency asked for: makes up for what envelopes and filters take.
    polarised : numpy.ndarray, shape (N_SECTIONS, NB)
        How much stronger noise is along waves, whose phases between components change over fractions of a second.
    """

    gain: np.ndarray
    polarised: np.ndarray

    def changed(self, ln_gain: np.ndarray, polarised: np.ndarray) -> Coherence:
        """Return it with gains multiplied and polarisation added, within limits; of the onset, that of what follows.

        Motion of the onset is brought about by itself (`spectral_first`); S and the coda are coherent without waves.
        """
        gain = np.clip(self.gain * np.exp(ln_gain), *_GAINS)
        more = np.clip(self.polarised + polarised, 0.0, _MOST_POLARISED)
        more[_UNPOLARISED:] = 0.0
        for x in (gain, more):
            x[se.ONSET] = x[se.ONSET + 1]
        return Coherence(gain.astype(np.float32), more.astype(np.float32))


AS_TOLD = Coherence(np.ones((se.N_SECTIONS, NB), np.float32), np.zeros((se.N_SECTIONS, NB), np.float32))


@lru_cache(maxsize=1)
def hats():
    """Return amplitudes of the bands over lines, shape (NB, LENGTH), whose squares sum to one above 0 Hz."""
    line = np.fft.rfftfreq(LENGTH, 1 / SAMPLING_RATE_HZ)
    eye = np.eye(NB)
    out = np.zeros((NB, LENGTH), dtype=np.float32)
    out[:, : len(line)] = np.sqrt([np.interp(line, sp.BAND_HZ, row) for row in eye])
    out[:, 0] = 0
    return out


def narrow(rng):
    """Return complex noise of three components in narrow bands, shape (NB, 3, LENGTH), real parts adding to white."""
    lines = LENGTH // 2 + 1
    white = rng.standard_normal((2, 3, 2, lines), dtype=np.float32) * np.float32(np.sqrt(2 * LENGTH))
    half = white[:, :, 0] + 1j * white[:, :, 1]
    spectra = np.zeros((NB, 3, LENGTH), dtype=np.complex64)
    for k in (0, 1):  # neighbours overlap: of one noise, their amplitudes would add
        np.multiply(hats()[k::2, None, :lines], half[k], out=spectra[k::2, :, :lines])
    return ifft(spectra, axis=-1, overwrite_x=True)


def polarised(bands, edges, share, rng):
    """Give the noise a polarisation that changes over fractions of a second and a few Hz, as that of waves does.

    A wave is as strong on all components, only its phases between them are its own: were its direction drawn, ratios of
    components would scatter more than those of records.
    """
    live = np.flatnonzero(share.any(axis=1))
    if not len(live):
        return bands
    first, last = edges[live[0]], edges[live[-1] + 1]
    n = -(-(last - first) // _WAVE)
    spread = np.exp(-0.5 * (np.subtract.outer(sp.BAND_HZ, sp.BAND_HZ) / _WAVE_HZ) ** 2)
    way = rng.standard_normal((2, NB, 3 * (n + 1)), dtype=np.float32)
    way = (spread.astype(np.float32) @ (way[0] + 1j * way[1])).reshape(NB, 3, n + 1)
    w = ((np.arange(_WAVE) + 0.5) / _WAVE).astype(np.float32)
    way = (way[..., :-1, None] * (1 - w) + way[..., 1:, None] * w).reshape(NB, 3, -1)[..., : last - first]
    way /= np.maximum(np.abs(way), 1e-6)
    part = bands[..., first:last]
    along = np.einsum("bct,bct->bt", way.conj(), part) / 3
    share = np.repeat(share[live[0] : live[-1] + 1].T, np.diff(edges[live[0] : live[-1] + 2]), axis=1)
    part += way * (along * share.astype(np.float32))[:, None]
    return bands


def coherent(bands, power, coherency, edges, gain):
    """Mix the components of the noise so that each part and band has exactly the power and the coherency asked for.

    What chance made of the noise is taken out of each section, but out of S as a whole.
    """
    which = np.clip(np.searchsorted(se.COHERENCY_HZ, sp.BAND_HZ, side="right") - 1, 0, len(se.COHERENCY_HZ) - 2)
    which[sp.BAND_HZ < _LOWEST_HZ] = -1
    weight = np.exp(np.log(power + 1e-30).mean(axis=0) / 2).astype(np.float32)  # of cells
    seen = bands[..., STEP // 2 : power.shape[-1] * STEP : STEP] * weight[:, None]
    expected = 4 * (hats() ** 2).sum(axis=-1, dtype=float)[:, None] / LENGTH * weight**2
    first = np.flatnonzero(np.diff(which, prepend=-2))  # bands of one width of description stand together
    together = np.repeat(np.arange(len(first)), np.diff(first, append=len(which)))
    out = np.empty_like(bands)
    for sections in _TOGETHER:
        cells = cells_of_part(edges[sections[0]], edges[sections[-1] + 1], power)
        heard = seen[..., cells]
        own = np.add.reduceat(heard @ heard.conj().swapaxes(1, 2), first)
        own = own / np.add.reduceat(expected[:, cells].sum(axis=1), first)[:, None, None]
        white = np.linalg.inv(roots(_tempered(own)))[together]
        for section in sections:
            a, b = edges[section : section + 2]
            wanted = roots(nearest(raised(coherency[section], gain[section][:, None])))
            np.matmul((wanted @ white).astype(np.complex64), bands[..., a:b], out=out[..., a:b])
    return out


def cells_of_part(begin: int, end: int, power: np.ndarray) -> slice:
    """Return the cells of `power`, one at least, of the part between two samples."""
    first = min(begin // STEP, power.shape[-1] - 2)
    return slice(first, max(end // STEP, begin // STEP + 1))


def _tempered(covariance):
    """Return a covariance of noise moved a little towards white, so that few samples do no harm."""
    return 0.98 * covariance + 0.02 * np.eye(3)


def nearest(pairs: np.ndarray) -> np.ndarray:
    """Return the nearest coherency matrices, Hermitian and positive definite, (n, 3, 3), of values of pairs (n, 3)."""
    out = np.tile(np.eye(3, dtype=complex), (len(pairs), 1, 1))
    for i, (a, b) in enumerate(se.PAIRS):
        out[:, a, b], out[:, b, a] = pairs[:, i], pairs[:, i].conj()
    values, vectors = np.linalg.eigh(out)
    out = (vectors * np.maximum(values, 0.005)[:, None]) @ vectors.conj().swapaxes(1, 2)
    size = np.sqrt(np.einsum("nii->ni", out).real)
    return out / (size[:, :, None] * size[:, None])


def roots(matrices: np.ndarray, least: float = 1e-6) -> np.ndarray:
    """Return Hermitian square roots, which treat the components alike; eigenvalues are at least `least`."""
    values, vectors = np.linalg.eigh(matrices)
    return (vectors * np.sqrt(np.maximum(values, least))[..., None, :]) @ vectors.conj().swapaxes(-1, -2)
