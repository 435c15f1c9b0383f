"""Samplers: which records of a pool are mixed, and how much of each.

Every sampler returns a `Mixture`; applying it to latents and to ln amplitudes is one formula,

    z = m + gain · Σ w_k (z_k − m)        m: mean of the pool, Σ w_k = 1,

with gain 1 for the averages of the paper and sqrt(N / (N Σ w_k² − 1)) for the variance-preserving mix of a pool of N,
which keeps the station's own spread from event to event where an average shrinks it. "encoded" draws from the normal
distribution of the pool's codes, by normal weights.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from obspy_tng.errors import ModelError

LARGEST_SHARE = 0.7  # of one parent in a mix, as a correlation; see `_share`
_LEAST_SPREAD = 0.2


class Mixture(NamedTuple):
    """Parents of one realisation.

    Attributes
    ----------
    indices : numpy.ndarray of int
        Rows of the pool.
    weights : numpy.ndarray
        Sum to one.
    gain : float
        See the module's formula.
    """

    indices: np.ndarray
    weights: np.ndarray
    gain: float

    def apply(self, values: np.ndarray, members: np.ndarray) -> np.ndarray:
        """Mix rows of `values` (N, ...) about the mean of the rows `members`."""
        mean = values[members].mean(axis=0)
        return mean + self.gain * np.tensordot(self.weights, values[self.indices] - mean, axes=1)


def mean(rng: np.random.Generator, members: np.ndarray, *, k: int = 5) -> Mixture:
    """Average k records drawn without replacement (TimesNet-Gen Eq. 1, N = 5; its noise: `generate`).

    Parameters
    ----------
    rng : numpy.random.Generator
        What draws.
    members : numpy.ndarray of int, shape (m,)
        Rows of the pool that may be drawn.
    k : int
        How many records; all of them where there are fewer.

    Examples
    --------
    >>> mixture = mean(np.random.default_rng(0), np.arange(20))
    >>> len(mixture.indices), mixture.weights.tolist()
    (5, [0.2, 0.2, 0.2, 0.2, 0.2])
    """
    chosen = rng.choice(members, size=min(k, len(members)), replace=False)
    return Mixture(chosen, np.full(len(chosen), 1 / len(chosen)), 1.0)


def dirichlet(rng: np.random.Generator, members: np.ndarray, *, alpha: float = 0.5) -> Mixture:
    """Average all records with weights from Dir(alpha) (TimesNet-Gen v3; alpha is not published, 0.5 is ours).

    `rng` draws the weights of the rows `members` of the pool.

    Examples
    --------
    >>> mixture = dirichlet(np.random.default_rng(0), np.arange(20))
    >>> len(mixture.indices), round(float(mixture.weights.sum()), 9)
    (20, 1.0)
    """
    return Mixture(members, _weights(rng, len(members), alpha), 1.0)


def variance_preserving(rng: np.random.Generator, members: np.ndarray, *, k: int = 5, alpha: float = 4.0) -> Mixture:
    """Mix k draws with weights from Dir(alpha), deviations from the pool's mean scaled to keep their variance.

    `rng` draws from the rows `members` of the pool.

    Over random pools of N the weighted deviation has the variance s² (N Σ w_k² − 1) / N, so that the gain is
    sqrt(N / (N Σ w_k² − 1)): exact for any weights and any N.

    Examples
    --------
    >>> values = np.random.default_rng(0).normal(size=(40, 1))
    >>> rngs = (np.random.default_rng(i) for i in range(1000))
    >>> mixed = [variance_preserving(rng, np.arange(40)).apply(values, np.arange(40)) for rng in rngs]
    >>> round(float(np.std(mixed) / np.std(values, ddof=1)), 1)
    1.0
    """
    n = len(members)
    for _ in range(1000):
        weights = np.bincount(rng.choice(n, size=k), weights=rng.dirichlet(np.full(k, alpha)), minlength=n)
        spread = n * (weights**2).sum() - 1
        if spread < _LEAST_SPREAD:  # nearly all records alike: nothing is left to be scaled up
            continue
        gain = float(np.sqrt(n / spread))
        if _share(1 / n + gain * (weights - 1 / n)) <= LARGEST_SHARE:
            used = np.flatnonzero(weights)
            return Mixture(members[used], weights[used], gain)
    return Mixture(members, np.full(n, 1 / n), 1.0)  # of so few records every mix of full spread is near a copy


def encoded(rng: np.random.Generator, members: np.ndarray) -> Mixture:
    """Draw from the normal distribution with mean and covariance of the pool's codes.

    `rng` draws the weights of the rows `members` of the pool.

    Σ w_k (z_k − m) with independent w_k ~ N(0, 1 / (N − 1)) has the covariance of the N codes, whatever their size.

    Examples
    --------
    >>> mixture = encoded(np.random.default_rng(0), np.arange(20))
    >>> round(float(mixture.weights.sum()), 9), float(mixture.gain)
    (1.0, 1.0)
    """
    n = len(members)
    for _ in range(1000):
        weights = rng.normal(size=n) / np.sqrt(n - 1)
        weights += 1 / n - weights.mean()  # which changes nothing: deviations from the mean sum to zero
        if _share(weights) <= LARGEST_SHARE:
            return Mixture(members, weights, 1.0)
    return Mixture(members, np.full(n, 1 / n), 1.0)


SAMPLERS: dict[str, Callable[..., Mixture]] = {
    "vp": variance_preserving,
    "mean": mean,
    "dirichlet": dirichlet,
    "encoded": encoded,
    "prior": encoded,  # of the amplitudes; the code is drawn from the model's own prior
}
DEFAULT = "vp"


def child(seed: int, number: int, place: str) -> np.random.Generator:
    """Return the generator of realisation `number` of a seed at a place, however many there are of either.

    Each place has its own: waves have phases of their own a few wavelengths apart.

    Examples
    --------
    >>> a, b, again = (child(1, 0, place).random() for place in ("CI.CWC", "CI.WMF", "CI.CWC"))
    >>> a == again, a == b
    (True, False)
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number, zlib.crc32(place.encode()))))


def draw(name: str, rng: np.random.Generator, groups: np.ndarray, mixed: int = 5) -> tuple[Mixture, np.ndarray]:
    """Draw the parents of one realisation.

    Parameters
    ----------
    name : {"mean", "dirichlet", "vp", "encoded", "prior"}
    rng : numpy.random.Generator
    groups : numpy.ndarray of int, shape (N,)
        Records are mixed within a group only: one in a recorded pool, one per host in an adjusted pool.
    mixed : int
        Draws of a variance-preserving mix; the model says how many its latents need not to be copies.

    Returns
    -------
    Mixture, numpy.ndarray
        And the rows of the group the parents come from.

    Raises
    ------
    ModelError
        Unknown sampler, or a group of one record, which could only be copied.

    Examples
    --------
    >>> mixture, members = draw("vp", np.random.default_rng(0), np.zeros(20, dtype=int), mixed=3)
    >>> len(mixture.indices) <= 3, len(members)
    (True, 20)
    """
    if name not in SAMPLERS:
        raise ModelError(f"sampler {name!r} not known; accepted: {', '.join(SAMPLERS)}")
    members = np.flatnonzero(groups == rng.choice(groups))
    if len(members) < 2:
        raise ModelError("a pool of one record can only be copied; at least 2 are needed, 5 or more are better")
    settings = {"k": mixed} if name == "vp" else {}
    return SAMPLERS[name](rng, members, **settings), members


def _weights(rng: np.random.Generator, n: int, alpha: float) -> np.ndarray:
    """Return Dirichlet weights none of which outweighs the others so far that the mix would be a copy."""
    for _ in range(1000):
        weights = rng.dirichlet(np.full(n, alpha))
        if _share(weights) <= LARGEST_SHARE:
            return weights
    return np.full(n, 1 / n)


def _share(coefficients: np.ndarray) -> float:
    """Return the largest |c_k| / |c|: the correlation of a mix of uncorrelated waveforms with its main parent."""
    return float(np.abs(coefficients).max() / np.linalg.norm(coefficients))
