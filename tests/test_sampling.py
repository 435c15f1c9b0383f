"""Samplers: weights, spread, no copies."""

import numpy as np
import pytest

from obspy_tng import sampling
from obspy_tng.errors import ModelError

ONE_GROUP = np.zeros(40, int)


@pytest.mark.parametrize("name", list(sampling.SAMPLERS))
def test_weights_sum_to_one_and_no_record_carries_the_mix(name):
    """Σ w = 1; of uncorrelated records the mix correlates with none above 0.71 (mean of two: 1/sqrt(2))."""
    rng = np.random.default_rng(0)
    for size in (2, 3, 5, 40):
        for _ in range(50):
            mixture, members = sampling.draw(name, rng, np.zeros(size, int))
            assert mixture.weights.sum() == pytest.approx(1)
            assert len(set(mixture.indices)) == len(mixture.indices)
            of_parents = mixture.apply(np.eye(size), members)  # the coefficient of each record in the result
            assert np.abs(of_parents).max() / np.linalg.norm(of_parents) <= 1 / np.sqrt(2) + 1e-9
            assert len(members) == size


@pytest.mark.parametrize("size", [5, 12, 40])
def test_variance_preserving_keeps_the_spread_and_the_mean_shrinks_it(size):
    """Over many draws sd of the vp mix is the pool's (unbiased), of the mean of five that of sampling five of N without
    replacement, sqrt((1 - 5/N) / 5); both keep the mean.
    """
    rng = np.random.default_rng(1)
    pool, group = rng.normal(3.0, 2.0, size=(size, 1)), np.zeros(size, int)

    def draws(name):
        pairs = (sampling.draw(name, rng, group) for _ in range(10000))
        return np.array([mixture.apply(pool, members)[0] for mixture, members in pairs])

    made, true_sd = {name: draws(name) for name in ("vp", "mean")}, pool.std(ddof=1)
    assert made["mean"].mean() == pytest.approx(pool.mean(), abs=0.05)
    assert made["vp"].mean() == pytest.approx(pool.mean(), abs=0.08)
    assert made["vp"].std() / true_sd == pytest.approx(1.0, abs=0.03)
    assert made["mean"].std() / true_sd == pytest.approx(np.sqrt((1 - 5 / size) / 5), abs=0.01)


def test_records_are_mixed_within_a_group_only():
    """In an adjusted pool the parents of a realisation come from one host."""
    rng = np.random.default_rng(2)
    groups = np.repeat([0, 1, 2], [5, 10, 25])
    seen = []
    for _ in range(300):
        mixture, members = sampling.draw("vp", rng, groups)
        assert len(set(groups[mixture.indices])) == 1
        assert set(mixture.indices) <= set(members)
        seen.append(groups[mixture.indices[0]])
    assert np.bincount(seen) / 300 == pytest.approx([5 / 40, 10 / 40, 25 / 40], abs=0.1)


def test_single_record_and_unknown_sampler_are_refused():
    """One record could only be copied; a wrong name is answered with the right ones."""
    with pytest.raises(ModelError, match="copied"):
        sampling.draw("vp", np.random.default_rng(0), np.zeros(1, int))
    with pytest.raises(ModelError, match="vp, mean, dirichlet"):
        sampling.draw("median", np.random.default_rng(0), ONE_GROUP)


def test_encoded_draws_have_the_mean_and_covariance_of_the_pool():
    """Over many draws the codes' mean and covariance are the pool's (unbiased), correlations among numbers included."""
    rng = np.random.default_rng(4)
    pool, group = rng.normal(size=(12, 2)) @ [[2.0, 1.0], [0.0, 0.5]] + 3.0, np.zeros(12, int)
    made = np.array([m.apply(pool, rows) for m, rows in (sampling.draw("encoded", rng, group) for _ in range(20000))])
    assert made.mean(axis=0) == pytest.approx(pool.mean(axis=0), abs=0.06)
    assert np.cov(made.T) == pytest.approx(np.cov(pool.T), rel=0.05)
