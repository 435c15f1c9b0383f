"""What the codes of one site miss of its power, on average: kept with the pool, in blocks of frames of the lattice.

A network that never saw a station tells its records with an error that is much the same in all of them. It is not worth
numbers in every code, but some for the site: P has peaks and troughs of its own there, in bands of 1.6 Hz.
"""

from __future__ import annotations

import numpy as np

from obspy_tng import spectral as sp

# first ones of the blocks; the third begins with P
FRAMES = np.array([0, 8, sp.NP_, 17, 19, 22, 26, 32, 38, 44, 56, 72, 90, 110])
SHAPE = 3, len(FRAMES), sp.NB
FEW = 5  # records, the mean of which counts half


def block_means(ln_power: np.ndarray, ln_sp: np.ndarray) -> np.ndarray:
    """Return means over blocks of frames, ``(n, *SHAPE)``; NaN beyond the end of a record.

    Parameters
    ----------
    ln_power : numpy.ndarray, shape (n, 3, NT, NB)
        Or a difference of two: smoothed power less what is decoded of its code is what the code misses.
    ln_sp : numpy.ndarray, shape (n,)
    """
    there = sp.inside(ln_sp)[:, None, :, None] & np.isfinite(ln_power)
    sums, counts = (np.add.reduceat(x, FRAMES, axis=2) for x in (np.where(there, ln_power, 0.0), there.astype(float)))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def of_site(each: np.ndarray) -> np.ndarray:
    """Return the mean over records of a site of what codes miss, nearer to nothing the fewer they are, float16."""
    counts = np.isfinite(each).sum(axis=0)
    return (np.nansum(each, axis=0) / (counts + FEW)).astype(np.float16)


def spread(blocks: np.ndarray) -> np.ndarray:
    """Return values of blocks, ``(..., *SHAPE)``, on the lattice, (..., 3, NT, NB), without steps between frames."""
    out = np.repeat(np.asarray(blocks, dtype=float), np.diff(FRAMES, append=sp.NT), axis=-2)
    for some in (slice(0, sp.NP_), slice(sp.NP_, None)):
        out[..., some, :] = sp.running_mean(out[..., some, :], 2, -2)
    return out
