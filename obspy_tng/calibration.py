"""What made motion holds too much or too little of on average, measured on training records and taken out.

The network tells the power a record is a realisation of; most cells of real records hold less than that, a few much
more. And what narrow bands of noise under envelopes leave beside their bands counts where records hold next to nothing:
below 1 Hz about P. Both are nearly the same at all stations, so that they can be taken out of what motion is made from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from obspy_tng import sampling
from obspy_tng import spectral as sp
from obspy_tng import spectral_extra as se
from obspy_tng.calibration_coherence import correction, measured
from obspy_tng.models.cores import on_all_cores
from obspy_tng.models.spectral_autoencoder import SpectralAutoencoder
from obspy_tng.preprocessing import P_AT_S, land
from obspy_tng.spectral_coherency import FEW, finely, packed
from obspy_tng.spectral_missed import block_means
from obspy_tng.spectral_onset import LATEST_S
from obspy_tng.spectral_own import neighbours, shares, within

LEAST, MOST = 200, 600  # records: the mean over fewer is chance; more do not change it
ROUNDS, MIXED_ROUNDS = 8, 8
_STEP, _STEP_MIXED, _LARGEST = 0.5, 0.3, 1.5  # of the excess, per round; of its sum, in ln
_STEPS = np.repeat([0.7, 0.6], [se.N_NOISE, se.N_TOLD - se.N_NOISE])
_STEP_LACK, _MOST_OWN = 0.3, 1.5  # of what sites lack of coherency; of its own share, squared
_BLOCK = 64
_FEW = 5  # records of a station, from which on they are mixed


class _Told(NamedTuple):
    """What motion is told of, one record or many along a first axis."""

    cells: np.ndarray  # ln power of the lattice's cells over the scale, NaN beyond the end
    told: np.ndarray  # (N_TOLD,), over the scale
    moments: np.ndarray  # of coherence, see `calibration_coherence.measured`
    parts: np.ndarray
    pairs: np.ndarray  # complex Fisher's z of parts and bands
    finely: np.ndarray  # complex, see `spectral_coherency.finely`


def calibrate(
    model: SpectralAutoencoder, waves: np.ndarray, s_s: np.ndarray, station: np.ndarray, *, rounds: int = ROUNDS,
    mixed_rounds: int = MIXED_ROUNDS, seed: int = 0, progress: Callable[[str], None] | None = None,
) -> dict[str, list[dict[str, float]]]:  # fmt: skip
    """Make motion of records' own codes, compare, and correct the model in place; again, `rounds` times.

    Then make it twice more, and tell the model how much of a record's deviation from its station's mean is its own.
    At last make it of mixes of each station's codes, as the default sampler does, and correct that: what is taken out,
    and how much of a record's coherency is its own.

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
    rounds, mixed_rounds : int
    seed : int
        Of the motion.
    progress : callable, optional
        Is told a line per round.

    Returns
    -------
    dict of list of dict
        By ``codes`` and ``mixes``, root mean square of the mean excess before each round: ``cells`` of the lattice
        after P, in ln of power; ``told``, noise before P and its first instants, in ln; ``moments`` and ``parts``,
        coherence, in Fisher's z.
    """
    latents, ln_scale, missed, real = _measured(model, waves, s_s)
    station = np.asarray(station)
    model.take_as_usual(missed)

    def code(i, number):
        """Return motion made of a record's own code, and what it should be told of."""
        rng = np.random.default_rng([seed, number, i])
        return model.render(latents[i], np.repeat(ln_scale[i], 3), rng), latents[i], real.cells[i], real.told[i]

    def compared(draw, number, some):
        """Return what motion is told of, less what it should be of cells and numbers, and whole."""
        each = on_all_cores(lambda i: _compared(model, *draw(i, number)), some)
        return [_Told(*map(np.array, zip(*x, strict=True))) for x in zip(*each, strict=True)]

    def settle(prepared, numbers, some, step, name, also=None):
        """Correct the model until motion is told of what it should be on average."""
        (power, extra), out = model.taken_out(), []
        wanted = _Told(*(mean(x[some]) for x in real))
        for k, number in enumerate(numbers):
            excess, whole = compared(prepared(), number, some)
            cells, numbers_told = mean(excess.cells)[:, sp.NP_ :], mean(excess.told)
            moments, parts = mean(excess.moments) - wanted.moments, mean(excess.parts) - wanted.parts
            out.append({
                "cells": _rms(cells), "told": _rms(numbers_told), "moments": _rms(moments), "parts": _rms(parts),
            })  # fmt: skip
            if progress:
                progress(
                    f"calibration, {name} {k + 1}/{len(numbers)}  mean excess {out[-1]['cells']:.3f}, "
                    f"{out[-1]['told']:.3f} ln, coherence {out[-1]['moments']:.3f}, {out[-1]['parts']:.3f}"
                )
            power[:, sp.NP_ :] = np.clip(power[:, sp.NP_ :] + step * _smooth(cells), -_LARGEST, _LARGEST)
            extra += step / _STEP * _STEPS * numbers_told
            model.take_out(power, extra)
            model.take_coherence(model.coherence().changed(*correction(moments, parts, wanted.parts)))
            if also:
                also(whole)
        return out

    everything = np.arange(len(latents))
    out = {"codes": settle(lambda: code, range(rounds), everything, _STEP, "codes")}
    sets = (real, *(compared(code, number, everything)[1] for number in (rounds, rounds + 1)))
    blocks = (block_means(x.cells, model.unpack(latents).ln_sp) for x in sets)
    model.take_as_own(shares(*blocks, station, neighbours), shares(*(se.told_early(x.told) for x in sets), station))

    members = {name: np.flatnonzero(station == name) for name in np.unique(station)}
    many = np.flatnonzero([len(members[name]) >= _FEW for name in station])
    missed = missed - mean(missed)  # of what is usual from now on
    kept = {name: model.of_site(missed[rows]) for name, rows in members.items()}
    hang = {name: mean(real.finely[rows]) for name, rows in members.items()}
    lacks = {name: np.zeros_like(c) for name, c in hang.items()}
    mixed = {name: np.flatnonzero(station[many] == name) for name in np.unique(station[many])}

    def learn(made):
        """Add to what each site lacks, and move the own share of coherency until it scatters as that of records."""
        for name, rows in mixed.items():
            share = len(rows) / (len(rows) + FEW)
            lacks[name] = lacks[name] + _STEP_LACK * share * (hang[name] - mean(made.finely[rows]))
        theirs, ours = (within(x, mixed.values()).mean(axis=-1) for x in (real.pairs[many], made.pairs))
        own = model.own_coherency()
        square = np.clip(own**2 + _STEP * (theirs - ours) / theirs, 0.0, _MOST_OWN)
        model.take_own_coherency(np.sqrt(square))

    def site_of(name, rows):
        """Return what motion of a station shares."""
        coherency = packed(hang[name], np.zeros(hang[name].shape), lacks[name])
        return model.site(latents[rows], kept[name] if kept[name].size else None, coherency)

    def mixes():
        """Return what makes mixes with all that is taken out by now."""
        sites = {name: site_of(name, rows) for name, rows in members.items()}

        def mix(i, number):
            """Return motion of a mix of the codes of a record's station, and what it should be told of."""
            rng, rows, site = np.random.default_rng([seed, number, i]), members[station[i]], sites[station[i]]
            mixture, everyone = sampling.draw(sampling.DEFAULT, rng, np.zeros(len(rows), dtype=int), model.mixed)
            latent, scale, cells, numbers = (
                mixture.apply(x[rows], everyone) for x in (latents, ln_scale, real.cells, real.told)
            )
            latent = model.settled(latent, site, latents[rows[mixture.indices[np.argmax(mixture.weights)]]])
            return model.render(latent, np.repeat(scale, 3), rng, site=site), latent, cells, numbers

        return mix

    numbers = range(rounds + 2, rounds + 2 + mixed_rounds)
    out["mixes"] = settle(mixes, numbers, many, _STEP_MIXED, "mixes", learn) if len(many) else []
    return out


def _compared(model, wave, latent, cells, numbers):
    """Return what a made wave is told of, less what it should be of cells and numbers, and whole."""
    parts = model.unpack(latent[None])
    whole = _told(land(wave[None])[0], parts.extra[0, 0], parts.ln_sp[0])
    return whole._replace(cells=whole.cells - cells, told=whole.told - numbers), whole


def _measured(model, waves, s_s):
    """Return latents, ln scales, what codes miss, and what the records themselves are told of."""
    latents, scales, missed, real = [], [], [], []
    for i in range(0, len(waves), _BLOCK):
        known = sp.describe(waves[i : i + _BLOCK], s_s[i : i + _BLOCK])
        for kept, found in zip((latents, missed), model.coded(known), strict=True):
            kept.append(found)
        scales.append(known.ln_scale)
        landed = land(np.asarray(waves[i : i + _BLOCK], dtype=float))
        real += [_told(x, e[0], ln_sp) for x, e, ln_sp in zip(landed, known.extra, known.ln_sp, strict=True)]
    real = _Told(*map(np.array, zip(*real, strict=True)))
    return np.concatenate(latents), np.concatenate(scales), np.concatenate(missed), real


def _told(x, onset_s, ln_sp):
    """Return what one record is told of."""
    p_s, sp_s = onsets(onset_s, ln_sp)
    scale = sp.scale_of(sp.spectrum(x))
    return _Told(
        cells_of(x, p_s, sp_s, scale), se.told(x, p_s) - scale * se.TOLD_POWERS, *measured(x, p_s, sp_s),
        finely(x, p_s, sp_s).astype(np.complex64),
    )  # fmt: skip


def cells_of(x: np.ndarray, p_s: float, sp_s: float, scale: float) -> np.ndarray:
    """Return ln power of the lattice's cells of one record over its scale, shape (3, NT, NB); NaN beyond its end.

    Low bands are seen by frames of two lengths: short ones tell when, long ones which frequency.

    Parameters
    ----------
    x : numpy.ndarray, shape (3, NPTS), m/s²
        At rest at both ends (`preprocessing.land`).
    p_s, sp_s : float
        See `onsets`.
    scale : float
        `spectral.scale_of` its spectrum.
    """
    times_s = sp.lattice(sp_s, p_s)
    cells = np.log(sp.periodograms(x, times_s) + 1e-30)
    longer = np.log(sp.periodograms(x, times_s, 2) + 1e-30)
    cells[..., : sp.N_LOW] = 0.5 * (cells[..., : sp.N_LOW] + longer[..., : sp.N_LOW])
    cells[..., 0] = cells[..., 1]  # next to nothing is at 0 Hz
    cells[:, ~sp.inside(np.log([sp_s]))[0]] = np.nan
    return (cells - 2 * scale).astype(np.float32)


def onsets(onset_s: float, ln_sp: float) -> tuple[float, float]:
    """Return P after the first sample, and S-P, in s, of what a latent tells."""
    return P_AT_S + float(np.clip(onset_s, -LATEST_S, LATEST_S)), float(np.clip(np.exp(ln_sp), *sp.S_MINUS_P_S))


def mean(x: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis of what is known; nothing where nothing is."""
    known = np.isfinite(x)
    return np.where(known, x, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def _smooth(excess):
    """Return a running mean over three frames and three bands."""
    out = sp.running_mean(excess, 1, 1)
    for bands in (slice(0, sp.N_LOW), slice(sp.N_LOW, None)):
        out[..., bands] = sp.running_mean(out[..., bands], 1, 2)
    return out


def _rms(x):
    return round(float(np.sqrt((x**2).mean())), 4)
