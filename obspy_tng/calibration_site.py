"""What motion of one site lacks on average, measured on motion made of the codes of its own pool.

`calibration` is of all stations alike. What is left at one of them, peaks and troughs of its P above all, which of its
components are strong in which lines of it and which hang together in which bands and moments, how rough its spectra and
how sharp its peaks are, is found by making motion of the pool's codes and comparing it with the pool's records.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from obspy_tng import spectral as sp
from obspy_tng import spectral_hum, spectral_own, spectral_p
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
_STEP_P = 0.8  # likewise of lines of P and of peaks, in both rounds
_STEP_MIXING = 1.4  # likewise of coherency after P: filters take some of what mixing brings
_RENDERED, _TIMES, _MOST = 80, 4, 120  # waves per round, about; of a record, at most; records
_LARGEST = 2.5  # ln
_PER_MOMENTS, _PER_PARTS, _LEAST_Z, _LARGEST_GAIN = 1.0, 0.5, 0.3, 1.5  # ln gain per relative lack of coherence


class _Seen(NamedTuple):
    """What is compared, of one wave or of many along a first axis."""

    cells: np.ndarray  # ln power of the lattice's cells over the scale, NaN beyond the end
    moments: np.ndarray  # of coherence, see `calibration_coherence.moments_finely`
    coherency: np.ndarray  # complex, see `spectral_coherency.finely`
    lines: np.ndarray  # ln power after P over the scale, see `spectral_first.lines_after`
    after_p: np.ndarray  # complex, see `spectral_p.coherency`
    steps: np.ndarray  # see `spectral_rough.steps`
    crest: np.ndarray  # see `spectral_own.crest`


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
        shape spectral_first.SHAPE, ``p_mixing``, of shape spectral_p.SHAPE, ``rough``, of shape spectral_rough.SHAPE,
        ``sharp``, times of `spectral_own.sharper`, and ``hum``, of shape spectral_hum.SHAPE; the fewer records there
        are, the nearer to nothing, or to what is usual.
    """
    some = compared(len(latents))
    parts = model.unpack(latents[some])
    at = [onsets(e, ln_sp) for e, ln_sp in zip(parts.extra[:, 0], parts.ln_sp, strict=True)]
    n, times = len(some), min(_TIMES, max(1, round(_RENDERED / len(some))))

    def seen(x, i):
        x = land(np.asarray(x, dtype=float)[None])[0]
        p_s, sp_s = at[i]
        scale = sp.scale_of(sp.spectrum(x))
        of_coherence = moments_finely(x, p_s, sp_s), finely(x, p_s, sp_s)
        after_p = lines_after(x, p_s) - 2 * scale, spectral_p.coherency(x, p_s, sp_s)
        return _Seen(cells_of(x, p_s, sp_s, scale), *of_coherence, *after_p, steps(x, p_s), spectral_own.crest(x))

    def together(see, numbers):
        return _Seen(*map(np.array, zip(*on_all_cores(see, numbers), strict=True)))

    real = together(lambda i: seen(waves[i], i), range(n))
    noise = [spectral_hum.noise_lines(np.asarray(x, dtype=float), p_s) for x, (p_s, _) in zip(waves, at, strict=True)]
    hum = spectral_hum.standing_out(np.array(noise))
    count = np.isfinite(block_means(real.cells, parts.ln_sp)).sum(axis=0)
    theirs, whole = _Seen(*map(mean, real)), mean(fisher_z(np.abs(real.coherency)))
    after = np.arange(len(FRAMES)) >= np.searchsorted(FRAMES, sp.NP_)
    share_of_blocks, share = count / (count + FEW), n / (n + FEW)
    out, ln_gain, lack_c = np.array(missed, dtype=float), np.zeros(whole.shape), np.zeros_like(theirs.coherency)
    p_lines, p_mixing, rough, sharp = np.zeros(SHAPE), spectral_p.NOTHING, USUAL, spectral_own.SHARPER
    seen_after_p = np.isfinite(real.after_p).sum(axis=0)
    share_after_p = seen_after_p / (seen_after_p + FEW)
    for number, step in enumerate(_STEPS):
        coherency = packed(theirs.coherency, ln_gain, lack_c)
        site = model.site(latents, out, coherency, p_lines, p_mixing, rough, sharp, hum)

        def made(k, number=number, site=site):
            i = k % n
            rng = np.random.default_rng([seed, number, k])
            return seen(model.render(latents[some[i]], ln_sd[some[i]], rng, site=site), i)

        ours = together(made, range(n * times))
        lack = mean(real.cells - ours.cells.reshape(times, *real.cells.shape).mean(axis=0))
        lack = np.add.reduceat(lack, FRAMES, axis=1) / np.diff(FRAMES, append=sp.NT)[:, None]
        out[:, after] += (step * (share_of_blocks * (out + lack) - out))[:, after]
        out = np.clip(out, -_LARGEST, _LARGEST)
        whole_now, now = mean(fisher_z(np.abs(ours.coherency))), _Seen(*map(mean, ours))
        more = _PER_MOMENTS * (theirs.moments - now.moments) + _PER_PARTS * (whole - whole_now)
        ln_gain = np.clip(ln_gain + share * more / np.maximum(whole, _LEAST_Z), -_LARGEST_GAIN, _LARGEST_GAIN)
        wanted = share * (p_lines + (theirs.lines - now.lines) / 2)  # of amplitude
        p_lines = np.clip(p_lines + _STEP_P * (wanted - p_lines), -_LARGEST / 2, _LARGEST / 2)
        lack_p = share_after_p * (theirs.after_p - now.after_p)
        p_mixing = spectral_p.mixing(p_mixing, now.after_p, now.after_p + _STEP_MIXING * lack_p)
        sharp = spectral_own.sharpened(sharp, _STEP_P * share * (theirs.crest - now.crest))
        rough = rough + share * (changed(rough, theirs.steps, now.steps) - rough)
        lack_c = lack_c + step * share * (theirs.coherency - now.coherency)
    kept = {
        "missed": out, "coherency": packed(theirs.coherency, ln_gain, lack_c), "p_lines": p_lines, "p_mixing": p_mixing,
        "rough": rough, "sharp": sharp, "hum": hum,
    }  # fmt: skip
    return {key: array.astype(np.float16) for key, array in kept.items()}
