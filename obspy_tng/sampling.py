"""Samplers: which records of a pool are mixed, and how much of each.

Every sampler returns a `Mixture`; applying it to latents and to ln amplitudes is one formula,

    z = m + gain · Σ w_k (z_k − m)        m: mean of the pool, Σ w_k = 1,

with gain 1 for the averages of the paper and 1/sqrt(Σ w_k²), times sqrt(N/(N−1)) for a pool of N, for the
variance-preserving mix, which keeps the station's own spread from event to event where an average shrinks it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from obspy_tng.errors import ModelError

# The largest w_k / |w| allowed: of a mix of uncorrelated waveforms this is its correlation with parent k.
LARGEST_SHARE = 0.7


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
    """Average k records drawn without replacement (TimesNet-Gen Eq. 1, its noise left out; N = 5 there)."""
    chosen = rng.choice(members, size=min(k, len(members)), replace=False)
    return Mixture(chosen, np.full(len(chosen), 1 / len(chosen)), 1.0)


def dirichlet(rng: np.random.Generator, members: np.ndarray, *, alpha: float = 0.5) -> Mixture:
    """Average all records with weights from Dir(alpha) (TimesNet-Gen v3; alpha is not published, 0.5 is ours)."""
    return Mixture(members, _weights(rng, len(members), alpha), 1.0)


def variance_preserving(rng: np.random.Generator, members: np.ndarray, *, k: int = 5, alpha: float = 4.0) -> Mixture:
    """Mix k records with weights from Dir(alpha), deviations from the pool's mean scaled to keep their variance."""
    chosen = rng.choice(members, size=min(k, len(members)), replace=False)
    weights = _weights(rng, len(chosen), alpha)
    n = len(members)
    return Mixture(chosen, weights, float(np.sqrt(n / (n - 1) / (weights**2).sum())))


SAMPLERS: dict[str, Callable[..., Mixture]] = {
    "mean": mean,
    "dirichlet": dirichlet,
    "vp": variance_preserving,
}
DEFAULT = "vp"


def draw(name: str, rng: np.random.Generator, groups: np.ndarray) -> tuple[Mixture, np.ndarray]:
    """Draw the parents of one realisation.

    Parameters
    ----------
    name : {"mean", "dirichlet", "vp"}
    rng : numpy.random.Generator
    groups : numpy.ndarray of int, shape (N,)
        Records are mixed within a group only: one in a recorded pool, one per host in an adjusted pool.

    Returns
    -------
    Mixture, numpy.ndarray
        And the rows of the group the parents come from.

    Raises
    ------
    ModelError
        Unknown sampler, or a group of one record, which could only be copied.
    """
    if name not in SAMPLERS:
        raise ModelError(f"sampler {name!r} not known; accepted: {', '.join(SAMPLERS)}")
    members = np.flatnonzero(groups == rng.choice(groups))
    if len(members) < 2:
        raise ModelError("a pool of one record can only be copied; at least 2 are needed, 5 or more are better")
    return SAMPLERS[name](rng, members), members


def _weights(rng: np.random.Generator, n: int, alpha: float) -> np.ndarray:
    """Return Dirichlet weights none of which outweighs the others so far that the mix would be a copy."""
    for _ in range(1000):
        weights = rng.dirichlet(np.full(n, alpha))
        if weights.max() <= LARGEST_SHARE * np.linalg.norm(weights):
            return weights
    return np.full(n, 1 / n)
