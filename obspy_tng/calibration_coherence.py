"""How coherent the components of motion are, and what brings made motion there.

Over a whole part of a record (S, the coda, …) what counts is what all of it shares; from one moment to the next motion
is more coherent than that, since each wave that passes has phases of its own. Both are measured, of records and of
motion made with some `spectral_noise.Coherence`, and the difference corrects it.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import rfft

from obspy_tng import spectral as sp
from obspy_tng import spectral_extra as se
from obspy_tng.preprocessing import NPTS, SAMPLING_RATE_HZ, TAPER_END_S, TAPER_START_S
from obspy_tng.spectral_coherency import COARSE, FINE

_FRAME, _HOP, _CELL = 128, 64, 2  # samples; frames and lines of a moment
_EDGES_HZ = np.array([0.3, 1.6, 3.1, 5.0, 8.0, 12.0, 16.0, 20.0, 27.0, 35.0, 50.1])
_BAND = np.clip(np.searchsorted(_EDGES_HZ, sp.BAND_HZ, side="right") - 1, 0, len(_EDGES_HZ) - 2)
_CELL_HZ = (np.arange(_FRAME // 2 // _CELL) * _CELL + 1.5) * SAMPLING_RATE_HZ / _FRAME
_NEAREST = np.abs(np.subtract.outer(sp.BAND_HZ, _CELL_HZ)).argmin(axis=1)
_MARGIN_S = (0.0, -0.95), (0.9, 0.5), (0.9, 0.5), (0.3, -0.6), *[(0.0, 0.0)] * 5  # of moments, by section
_LARGEST = 0.99
_PER_PARTS, _PER_MOMENTS = -0.8, -8.0  # ln gain per relative excess, polarisation per excess of Fisher's z


def measured(x: np.ndarray, p_s: float, sp_s: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Fisher's z of the coherence of components, mean of the pairs, and of each.

    Parameters
    ----------
    x : numpy.ndarray, shape (3, NPTS)
    p_s, sp_s : float
        P onset after the first sample, and S−P, in s.

    Returns
    -------
    moments : numpy.ndarray, shape (N_SECTIONS, NB)
        Mean over cells of 1.9 s by 1.6 Hz; NaN in sections too short for one. Of the onset: that of the first seconds.
    parts : numpy.ndarray, shape (N_SECTIONS, NB)
        Of each section as a whole (`spectral_extra.in_bands`).
    each : numpy.ndarray, shape (N_OWN, pair), complex64
        That of parts with its phase, in the bands it is told in, pair by pair.
    """
    pairs = se.coherency(x, p_s, sp_s)
    parts = []
    for part, lines in se.span_lines(x, se.sections(p_s, sp_s), se.PART_OF):
        bands = FINE if part == se.N_PARTS - 1 else COARSE
        parts.append(fisher_z(np.abs(se.in_bands(lines, part))).mean(axis=-1)[bands])
    each = se.fisher_z(np.concatenate([c.reshape(-1, len(se.PAIRS)) for c in pairs])).astype(np.complex64)
    edges = np.searchsorted(_CELL_HZ, _EDGES_HZ[:-1])
    moments = _moments(x, p_s, sp_s).mean(axis=-1)
    moments = np.add.reduceat(moments, edges, axis=-1) / np.diff(edges, append=len(_CELL_HZ))
    return moments[:, _BAND], np.array(parts), each


def moments_finely(x: np.ndarray, p_s: float, sp_s: float) -> np.ndarray:
    """Return the moments of `measured` of each pair and band of the lattice by itself, shape (N_SECTIONS, NB, pair)."""
    return _moments(x, p_s, sp_s)[:, _NEAREST]


def _moments(x, p_s, sp_s):
    """Return the mean z of cells by section, frequency and pair, shape (N_SECTIONS, len(_CELL_HZ), pair)."""
    p = int(round(p_s * SAMPLING_RATE_HZ))
    first, last = int(TAPER_START_S * SAMPLING_RATE_HZ), NPTS - int(TAPER_END_S * SAMPLING_RATE_HZ)
    cell = _CELL * _HOP
    starts = np.arange(p - (p - first) // cell * cell, last - _FRAME - _HOP, _HOP)  # P at the edge of a cell
    starts = starts[: len(starts) // _CELL * _CELL]
    lines = rfft(x[:, starts[:, None] + np.arange(_FRAME)] * se.hann(_FRAME), axis=-1)[..., 1:]
    size = np.sqrt(_cells(lines.real**2 + lines.imag**2) + 1e-30)
    z = [fisher_z(np.abs(_cells(lines[a] * lines[b].conj())) / (size[a] * size[b])) for a, b in se.PAIRS]
    z = np.stack(z, axis=-1)  # (moment, cell, pair)
    centre_s = (starts[::_CELL] + (_FRAME + _HOP) / 2) / SAMPLING_RATE_HZ
    spans = se.sections(p_s, sp_s)
    spans[0, 0], spans[se.ONSET] = 0.0, spans[se.ONSET + 1]
    spans[se.ONSET : se.ONSET + 2, 0] = p_s
    out = np.full((se.N_SECTIONS, *z.shape[1:]), np.nan)
    for section, ((begin, end), (early, late)) in enumerate(zip(spans, _MARGIN_S, strict=True)):
        mine = (centre_s >= begin + early) & (centre_s < end + late)
        if mine.any():
            out[section] = z[mine].mean(axis=0)
    return out


def _cells(x):
    """Return means over cells of the last two axes, frames and lines."""
    *rest, frames, lines = x.shape
    return x.reshape(*rest, frames // _CELL, _CELL, lines // _CELL, _CELL).mean(axis=(-3, -1))


def fisher_z(size: np.ndarray) -> np.ndarray:
    """Return Fisher's z of coherence."""
    return np.arctanh(np.minimum(size, _LARGEST))


def correction(moments: np.ndarray, parts: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return what makes up for an excess, shape (2, N_SECTIONS, NB): ln gain and polarisation for `Coherence.changed`.

    Parameters
    ----------
    moments, parts : numpy.ndarray, shape (N_SECTIONS, NB)
        What made motion has too much of on average, see `measured`.
    wanted : numpy.ndarray, shape (N_SECTIONS, NB)
        Of sections of records.
    """
    return np.stack([_PER_PARTS * parts / wanted, _PER_MOMENTS * moments])
