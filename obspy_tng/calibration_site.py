"""What motion of one site lacks on average, measured on motion made of the codes of its own pool.

`calibration` is of all stations alike. What is left at one of them, peaks and troughs of its P above all, is found by
making motion of the pool's codes and comparing it with the pool's records.
"""

from __future__ import annotations

import numpy as np

from obspy_tng import spectral as sp
from obspy_tng.calibration import cells_of, mean
from obspy_tng.models.cores import on_all_cores
from obspy_tng.models.spectral_autoencoder import SpectralAutoencoder
from obspy_tng.preprocessing import land
from obspy_tng.spectral_missed import FRAMES, block_means

_STEPS = 0.8, 0.6  # of what is found lacking, by round
_RENDERED, _TIMES, _MOST = 80, 4, 120  # waves per round, about; of a record, at most; records
_FEW = 8  # records, the mean of which counts half
_LARGEST = 2.5  # ln


def compared(n: int) -> np.ndarray:
    """Return which of n records motion is compared with: all, or many spread evenly."""
    return np.unique(np.linspace(0, n - 1, min(n, _MOST)).round().astype(int))


def tuned(
    model: SpectralAutoencoder, waves: np.ndarray, latents: np.ndarray, ln_sd: np.ndarray, missed: np.ndarray,
    *, seed: int = 0,
) -> np.ndarray:  # fmt: skip
    """Return what codes of a site miss, so that motion made of them is right on average.

    Parameters
    ----------
    model : SpectralAutoencoder
    waves : numpy.ndarray, shape (m, 3, NPTS), m/s²
        Conditioned windows of the records `compared(n)` of the pool's.
    latents : numpy.ndarray, shape (n, rows, steps)
        Codes of all records.
    ln_sd : numpy.ndarray, shape (n, 3)
        Their amplitudes.
    missed : numpy.ndarray, shape spectral_missed.SHAPE
        What to begin with; stays as it is before P, where noise is described by itself.
    seed : int
        Of the motion.

    Returns
    -------
    numpy.ndarray, shape spectral_missed.SHAPE, float16
        Nearer to nothing the fewer records there are.
    """
    some = compared(len(latents))
    parts = model.unpack(latents[some])
    n, times = len(some), min(_TIMES, max(1, round(_RENDERED / len(some))))

    def seen(x, i):
        return cells_of(land(np.asarray(x, dtype=float)[None])[0], parts.extra[i, 0], parts.ln_sp[i])

    real = np.array(on_all_cores(lambda i: seen(waves[i], i), range(n)))
    count = np.isfinite(block_means(real, parts.ln_sp)).sum(axis=0)
    after = np.arange(len(FRAMES)) >= np.searchsorted(FRAMES, sp.NP_)
    share, out = count / (count + _FEW), np.array(missed, dtype=float)
    for number, step in enumerate(_STEPS):
        site = model.site(latents, out)

        def made(k, number=number, site=site):
            i = k % n
            rng = np.random.default_rng([seed, number, k])
            return seen(model.render(latents[some[i]], ln_sd[some[i]], rng, site=site), i)

        found = np.array(on_all_cores(made, range(n * times))).reshape(times, *real.shape)
        lack = np.add.reduceat(mean(real - found.mean(axis=0)), FRAMES, axis=1) / np.diff(FRAMES, append=sp.NT)[:, None]
        out[:, after] += (step * (share * (out + lack) - out))[:, after]
        out = np.clip(out, -_LARGEST, _LARGEST)
    return out.astype(np.float16)
