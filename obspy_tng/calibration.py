"""What made motion holds too much or too little of on average, measured on training records and taken out.

The network tells the power a record is a realisation of; most cells of real records hold less than that, a few much
more. And what narrow bands of noise under envelopes leave beside their bands counts where records hold next to nothing:
below 1 Hz about P. Both are nearly the same at all stations, so that they can be taken out of what motion is made from.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from obspy_tng import spectral as sp
from obspy_tng import spectral_extra as se
from obspy_tng.models.cores import on_all_cores
from obspy_tng.models.spectral_autoencoder import SpectralAutoencoder
from obspy_tng.preprocessing import P_AT_S, land
from obspy_tng.spectral_missed import block_means
from obspy_tng.spectral_onset import LATEST_S
from obspy_tng.spectral_own import neighbours, shares

LEAST, MOST = 200, 600  # records: the mean over fewer is chance; more do not change it
ROUNDS = 8
_STEP, _LARGEST = 0.5, 1.5  # of the excess, per round; of its sum, in ln
_STEPS = np.repeat([0.7, 0.6], [se.N_NOISE, se.N_TOLD - se.N_NOISE])
_BLOCK = 64


def calibrate(
    model: SpectralAutoencoder, waves: np.ndarray, s_s: np.ndarray, station: np.ndarray, *, rounds: int = ROUNDS,
    seed: int = 0, progress: Callable[[str], None] | None = None,
) -> list[dict[str, float]]:  # fmt: skip
    """Make motion of records' own codes, compare, and correct the model in place; again, `rounds` times.

    Then make it twice more, and tell the model how much of a record's deviation from its station's mean is its own.

    Parameters
    ----------
    model : SpectralAutoencoder
        Goes on from what it takes out already.
    waves : numpy.ndarray, shape (n, 3, NPTS), m/s²
        Conditioned windows of records of many stations; of the training, never of stations that judge.
    s_s : numpy.ndarray, shape (n,)
        S onset in s after the first sample.
    station : numpy.ndarray of str, shape (n,)
        Codes of their stations.
    rounds : int
    seed : int
        Of the motion.
    progress : callable, optional
        Is told a line per round.

    Returns
    -------
    list of dict
        Root mean square of the mean excess before each round, in ln of power: ``cells`` of the lattice after P, and
        ``told``, noise before P and its first instants.
    """
    latents, ln_scale, missed, real, weight = _measured(model, waves, s_s)
    model.take_as_usual(missed)
    power, extra = model.taken_out()
    out = []

    def made(i, number):
        """Return what motion made of a record's code is told of."""
        parts = model.unpack(latents[i : i + 1])
        wave = model.render(latents[i], np.repeat(ln_scale[i], 3), np.random.default_rng([seed, number, i]))
        return _means(land(wave[None])[0], parts.extra[0, 0], parts.ln_sp[0])

    def again(number):
        """Return what motion of all codes is told of, two arrays."""
        each = on_all_cores(lambda i: made(i, number), range(len(latents)))
        return [np.array(x) for x in zip(*each, strict=True)]

    for number in range(rounds):
        model.take_out(power, extra)
        cells, told = (x - y for x, y in zip(again(number), real, strict=True))
        excess = (cells * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1)
        told = told.mean(axis=0)
        after = excess[:, sp.NP_ :]
        out.append({"cells": _rms(after), "told": _rms(told)})
        if progress:
            progress(f"calibration {number + 1}/{rounds}  mean excess {out[-1]['cells']:.3f}, {out[-1]['told']:.3f} ln")
        power[:, sp.NP_ :] = np.clip(power[:, sp.NP_ :] + _STEP * _smooth(after), -_LARGEST, _LARGEST)
        extra += _STEPS * told
    model.take_out(power, extra)
    sets, station = (real, again(rounds), again(rounds + 1)), np.asarray(station)
    blocks = (block_means(cells, model.unpack(latents).ln_sp) for cells, _ in sets)
    model.take_as_own(shares(*blocks, station, neighbours), shares(*(se.told_early(told) for _, told in sets), station))
    return out


def _measured(model, waves, s_s):
    """Return latents, ln scales, what codes miss, means of the records themselves, and which frames lie inside."""
    latents, scales, missed, means = [], [], [], []
    for i in range(0, len(waves), _BLOCK):
        known = sp.describe(waves[i : i + _BLOCK], s_s[i : i + _BLOCK])
        for kept, found in zip((latents, missed), model.coded(known), strict=True):
            kept.append(found)
        scales.append(known.ln_scale)
        landed = land(np.asarray(waves[i : i + _BLOCK], dtype=float))
        means += [_means(x, e[0], ln_sp) for x, e, ln_sp in zip(landed, known.extra, known.ln_sp, strict=True)]
    latents = np.concatenate(latents)
    weight = sp.inside(model.unpack(latents).ln_sp)[:, None, :, None]
    cells, told = (np.array(x) for x in zip(*means, strict=True))
    return latents, np.concatenate(scales), np.concatenate(missed), (cells, told), weight


def _means(x, onset_s, ln_sp):
    """Return ln power of the lattice's cells of one record and what else it is told of, over its own scale.

    Low bands are seen by frames of two lengths: short ones tell when, long ones which frequency.
    """
    p_s = P_AT_S + float(np.clip(onset_s, -LATEST_S, LATEST_S))
    times_s = sp.lattice(float(np.clip(np.exp(ln_sp), *sp.S_MINUS_P_S)), p_s)
    ln_spectrum = sp.spectrum(x)
    scale = sp.scale_of(ln_spectrum)
    cells = np.log(sp.periodograms(x, times_s) + 1e-30)
    longer = np.log(sp.periodograms(x, times_s, 2) + 1e-30)
    cells[..., : sp.N_LOW] = 0.5 * (cells[..., : sp.N_LOW] + longer[..., : sp.N_LOW])
    cells[..., 0] = cells[..., 1]  # next to nothing is at 0 Hz
    told = se.told(x, p_s)
    return (cells - 2 * scale).astype(np.float32), told - scale * se.TOLD_POWERS


def _smooth(excess):
    """Return a running mean over three frames and three bands."""
    out = sp.running_mean(excess, 1, 1)
    for bands in (slice(0, sp.N_LOW), slice(sp.N_LOW, None)):
        out[..., bands] = sp.running_mean(out[..., bands], 1, 2)
    return out


def _rms(x):
    return round(float(np.sqrt((x**2).mean())), 4)
