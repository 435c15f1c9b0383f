"""How much of a record's deviation from the mean of its site is its own, and how much one realisation's chance.

A code is told of one realisation of a process, and holds its chance: a second of coda in one band is a dozen numbers,
whose power scatters much on each component. Motion made of the code brings chance of its own. So ratios of components
would scatter more than those of records. Of the level, common to the components, less is chance. What is to be kept
follows from variances, in the blocks of `spectral_missed`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from obspy_tng import spectral as sp
from obspy_tng.spectral_extra import NOISE_HZ
from obspy_tng.spectral_missed import FRAMES

MODES = np.array([[1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, -1.0], [1.0, -1.0, 0.0]])  # level, H/Z and E/N of ln power
_BACK = np.linalg.inv(MODES)
_MOST, _LEAST = np.array([1.3, 1.0, 1.0]), np.array([0.8, 0.0, 0.0])  # of a squared share, by mode
_ASIDE = 1, 4  # blocks in time and bands, over which variances are averaged
_MORE = 0.3  # of noise before P, added to a squared share: mean power scatters less by chance than its logarithm
_FEW = 5  # records of a station, from which on its variance counts
_SHARP = slice(sp.NP_ + sp.N_PS - 2, sp.NP_ + sp.N_PS + 36)  # frames: S and 5 s after
SHARPER = np.array([1.25, 1.25, 0.75])  # times, of E, N, Z; what is usual
LEAST_SHARP, MOST_SHARP = -1.0, 4.0  # at -1 nothing that deviates shortly is left
_PER_CREST = 16.0  # times, per ln of peak over rms; measured on mixes of five stations of the training
_SHARP_ASIDE, _SHARP_BANDS = 12, 4  # frames; lower bands, of 0 to 1.2 Hz, cannot change so soon


def own(deviation: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the part of deviations of ln power that is to be kept.

    Parameters
    ----------
    deviation : numpy.ndarray, shape (3, ...)
        E, N, Z less the mean of the site.
    share : numpy.ndarray, shape (3, ...)
        Of level, H/Z and E/N.
    """
    return np.tensordot(_BACK, share * np.tensordot(MODES, deviation, axes=1), axes=1)


def sharper(deviation: np.ndarray, times: np.ndarray = SHARPER) -> np.ndarray:
    """Return what mixes lack of the peaks of S, ln power, shape (3, NT, NB).

    S of each parent is strongest at another moment. Their mix varies as much from frame to frame, but its greatest
    power over a second is less than that of records: what deviates for less than a second or two counts twice or so, of
    each component and at each site as its peaks are.

    Parameters
    ----------
    deviation : numpy.ndarray, shape (3, NT, NB)
        Of ln power, as it is kept (`own`).
    times : numpy.ndarray, shape (3,)
        How many times more each component gets of what deviates so shortly; at each site other.
    """
    level = deviation[:, :, _SHARP_BANDS:].mean(axis=(0, 2))
    sharp = times[:, None] * (level - sp.running_mean(level, _SHARP_ASIDE, 0))
    out = np.zeros(deviation.shape)
    out[:, _SHARP, _SHARP_BANDS:] = sharp[:, _SHARP, None]
    return out


def crest(x: np.ndarray) -> np.ndarray:
    """Return the ln peak over rms of each component of a record, shape (3, sample)."""
    return np.log(np.abs(x).max(axis=-1) / np.sqrt((x**2).mean(axis=-1)))


def sharpened(times: np.ndarray, lack: np.ndarray) -> np.ndarray:
    """Return `times` of `sharper` at which what `crest` lacks of that of records is made up for."""
    return np.clip(times + _PER_CREST * lack, LEAST_SHARP, MOST_SHARP)


def of_noise(share: np.ndarray) -> np.ndarray:
    """Return the shares of deviations of noise before P at NOISE_HZ, shape (3, frequency), from those of blocks."""
    square = np.array([np.interp(NOISE_HZ, sp.BAND_HZ, row) ** 2 for row in share[:, 0]])
    return np.sqrt(square + _MORE * np.maximum(1 - square, 0))


def shares(
    real: np.ndarray, made: np.ndarray, again: np.ndarray, station: np.ndarray,
    smooth: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> np.ndarray | None:  # fmt: skip
    """Return the shares of deviations with which made motion scatters as records do, shape (3, ...).

    Chance is half the mean square of what two realisations of the same codes differ by. A code's deviation times s,
    and chance, have the variance of records if s² = (var(real) - chance) / (var(made) - chance).

    Parameters
    ----------
    real, made, again : numpy.ndarray, shape (n, 3, ...)
        ln power of E, N, Z of records, and of two realisations of their codes; NaN where there is none.
    station : numpy.ndarray of str, shape (n,)
    smooth : callable
        What variances, shape (3, ...), are averaged by before they are divided, such as `neighbours`.

    Returns
    -------
    numpy.ndarray, or None
        None: no station has enough records.
    """
    names, counts = np.unique(station, return_counts=True)
    rows = [np.flatnonzero(station == name) for name in names[counts >= _FEW]]
    if not rows:
        return None
    real, made, again = (np.moveaxis(np.tensordot(MODES, x, axes=(1, 1)), 0, 1) for x in (real, made, again))
    known = np.isfinite(made) & np.isfinite(again)
    chance = np.where(known, made - again, 0.0) ** 2 / 2
    chance = chance.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    theirs, ours = within(real, rows) - chance, (within(made, rows) + within(again, rows)) / 2 - chance
    theirs, ours = smooth(theirs), smooth(ours)
    least, most = (x.reshape(3, *[1] * (theirs.ndim - 1)) for x in (_LEAST, _MOST))
    return np.sqrt(np.clip(theirs / np.maximum(ours, 1e-3), least, most))


def within(x, rows):
    """Return the variance within stations, whose rows are given; of complex numbers, too. NaN: none there."""
    square = freedom = 0
    for some in rows:
        n = np.isfinite(x[some]).sum(axis=0)
        mean = np.nansum(x[some], axis=0) / np.maximum(n, 1)
        square = square + np.nansum(np.abs(x[some] - mean) ** 2, axis=0)
        freedom = freedom + np.maximum(n - 1, 0)
    return square / np.maximum(freedom, 1)


def neighbours(x: np.ndarray) -> np.ndarray:
    """Return running means over blocks, shape (3, frame, band), not across P nor from long to short frames."""
    out = np.empty_like(x)
    p = np.searchsorted(FRAMES, sp.NP_)
    for some in (slice(0, p), slice(p, None)):
        for bands in (slice(0, sp.N_LOW), slice(sp.N_LOW, None)):
            out[:, some, bands] = sp.running_mean(sp.running_mean(x[:, some, bands], _ASIDE[0], 1), _ASIDE[1], 2)
    return out
