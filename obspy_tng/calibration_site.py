"""What motion of one site lacks on average, measured on motion made of the codes of its own pool.

`calibration` is of all stations alike. What is left at one of them, peaks and troughs of its P above all, which of its
components are strong in which lines of it and which hang together in which bands, is found by making motion of the
pool's codes and comparing it with the pool's records.
"""

from __future__ import annotations

import numpy as np

from obspy_tng import spectral as sp
from obspy_tng.calibration import cells_of, mean, onsets
from obspy_tng.calibration_coherence import fisher_z, moments_finely
from obspy_tng.models.cores import on_all_cores
from obspy_tng.models.spectral_autoencoder import SpectralAutoencoder
from obspy_tng.preprocessing import land
from obspy_tng.spectral_coherency import FEW, finely, packed
from obspy_tng.spectral_first import SHAPE, lines_after
from obspy_tng.spectral_missed import FRAMES, block_means
from obspy_tng.spectral_rough import USUAL, changed, steps

_STEPS = 0.8, 0.6  # of what is found lacking, by round
_STEP_P = 0.8  # likewise of lines of P, in both rounds
_RENDERED, _TIMES, _MOST = 80, 4, 120  # waves per round, about; of a record, at most; records
_LARGEST = 2.5  # ln
_PER_MOMENTS, _PER_PARTS, _LEAST_Z, _LARGEST_GAIN = 1.0, 0.5, 0.3, 1.5  # ln gain per relative lack of coherence


def compared(n: int) -> np.ndarray:
    """Return which of n records motion is compared with: all, or many spread evenly."""
    return np.unique(np.linspace(0, n - 1, min(n, _MOST)).round().astype(int))


def tuned(
    model: SpectralAutoencoder, waves: np.ndarray, latents: np.ndarray, ln_sd: np.ndarray, missed: np.ndarray,
    *, seed: int = 0,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Return what a pool keeps of its site, so that motion made of its codes is right on average.

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
    dict of str to numpy.ndarray, float16
        ``missed``, of shape spectral_missed.SHAPE, ``coherency``, of shape spectral_coherency.SHAPE, ``p_lines``, of
        shape spectral_first.SHAPE, and ``rough``, of shape spectral_rough.SHAPE; the fewer records there are, the
        nearer to nothing, or to what is usual.
    """
    some = compared(len(latents))
    parts = model.unpack(latents[some])
    at = [onsets(e, ln_sp) for e, ln_sp in zip(parts.extra[:, 0], parts.ln_sp, strict=True)]
    n, times = len(some), min(_TIMES, max(1, round(_RENDERED / len(some))))

    def seen(x, i):
        x = land(np.asarray(x, dtype=float)[None])[0]
        scale = sp.scale_of(sp.spectrum(x))
        lines = lines_after(x, at[i][0]) - 2 * scale
        of_cells, of_c = cells_of(x, *at[i], scale), (moments_finely(x, *at[i]), finely(x, *at[i]))
        return of_cells, *of_c, lines, steps(x, at[i][0])

    each = on_all_cores(lambda i: seen(waves[i], i), range(n))
    real, moments, c, lines, rough_steps = map(np.array, zip(*each, strict=True))
    count = np.isfinite(block_means(real, parts.ln_sp)).sum(axis=0)
    lines, p_lines = mean(lines), np.zeros(SHAPE)
    rough_steps, rough = mean(rough_steps), USUAL
    moments, whole, c = mean(moments), mean(fisher_z(np.abs(c))), mean(c)
    after = np.arange(len(FRAMES)) >= np.searchsorted(FRAMES, sp.NP_)
    share, out, ln_gain = count / (count + FEW), np.array(missed, dtype=float), np.zeros(c.shape)
    lack_c = np.zeros_like(c)
    for number, step in enumerate(_STEPS):
        site = model.site(latents, out, packed(c, ln_gain, lack_c), p_lines, rough)

        def made(k, number=number, site=site):
            i = k % n
            rng = np.random.default_rng([seed, number, k])
            return seen(model.render(latents[some[i]], ln_sd[some[i]], rng, site=site), i)

        found, now, all_of_it, theirs, made_steps = map(
            np.array, zip(*on_all_cores(made, range(n * times)), strict=True)
        )
        found = found.reshape(times, *real.shape)
        lack = np.add.reduceat(mean(real - found.mean(axis=0)), FRAMES, axis=1) / np.diff(FRAMES, append=sp.NT)[:, None]
        out[:, after] += (step * (share * (out + lack) - out))[:, after]
        out = np.clip(out, -_LARGEST, _LARGEST)
        more = _PER_MOMENTS * (moments - mean(now)) + _PER_PARTS * (whole - mean(fisher_z(np.abs(all_of_it))))
        ln_gain = ln_gain + n / (n + FEW) * more / np.maximum(whole, _LEAST_Z)
        ln_gain = np.clip(ln_gain, -_LARGEST_GAIN, _LARGEST_GAIN)
        wanted = n / (n + FEW) * (p_lines + (lines - mean(theirs)) / 2)  # of amplitude
        p_lines = np.clip(p_lines + _STEP_P * (wanted - p_lines), -_LARGEST / 2, _LARGEST / 2)
        wanted = changed(rough, rough_steps, mean(made_steps))
        rough = rough + n / (n + FEW) * (wanted - rough)
        lack_c = lack_c + step * n / (n + FEW) * (c - mean(all_of_it))
    kept = {"missed": out, "coherency": packed(c, ln_gain, lack_c), "p_lines": p_lines, "rough": rough}
    return {key: array.astype(np.float16) for key, array in kept.items()}
