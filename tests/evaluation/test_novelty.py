"""Novelty: copies of waveform and of energy are found, independent records are not; numbers against brute force."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import baselines, novelty


def records(n, seed, npts=3000):
    """Independent noise under one envelope: records of a station without anything else in common."""
    rng = np.random.default_rng(seed)
    t = np.arange(npts) / 100
    envelope = np.where(t > 8, ((t - 8) / 3) * np.exp(1 - (t - 8) / 3), 0) + 0.02
    return rng.normal(size=(n, 3, npts)) * envelope


def test_max_correlation_by_hand():
    """Every pair and lag as numpy.correlate computes it, the largest over components and signs."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 3, 200)), rng.normal(size=(7, 3, 200))
    b[4] = 0.7 * b[4] - 0.5 * np.roll(a[1], 13, axis=-1)
    a0, b0 = (x - x.mean(axis=-1, keepdims=True) for x in (a, b))
    expected = [
        [
            max(
                np.abs(np.correlate(x, y, "full")).max() / np.sqrt((x**2).sum() * (y**2).sum())
                for x, y in zip(p, q, strict=True)
            )
            for q in b0
        ]
        for p in a0
    ]
    np.testing.assert_allclose(novelty.max_correlation(a, b), expected, atol=1e-5)


def test_max_correlation_of_a_delayed_copy():
    """A copy 3.17 s late (zeros in front, nothing cut) gives 1 once the lag allowed reaches it."""
    late = np.zeros((2, 3, 3000))
    quiet_end = records(2, 1)
    quiet_end[..., 2683:] = 0
    late[..., 317:] = quiet_end[..., :2683]
    found = novelty.max_correlation(late, quiet_end)
    np.testing.assert_allclose(np.diag(found), 1, atol=1e-3)
    assert found[0, 1] < 0.2
    for data, other in ((late, quiet_end), (quiet_end, late)):
        assert np.diag(novelty.max_correlation(data, other, max_lag_s=3.17)).min() > 0.999
        assert np.diag(novelty.max_correlation(data, other, max_lag_s=3.1)).max() < 0.5


def test_max_correlation_of_one_component():
    """A record of which only N is copied is found, and a dead component takes no part."""
    pool, made = records(4, 2), records(1, 3)
    made[0, 1] = -3 * pool[2, 1]
    pool[0, 2] = 0
    found = novelty.max_correlation(made, pool)[0]
    assert found.argmax() == 2 and found[2] == pytest.approx(1, abs=1e-5)
    assert np.isfinite(found).all() and found[[0, 1, 3]].max() < 0.25


def test_max_correlation_with_itself():
    """Without a second set: symmetric, NaN on the diagonal, else as against a copy of itself."""
    data = records(11, 4, npts=700)
    own, other = novelty.max_correlation(data), novelty.max_correlation(data, data.copy())
    np.testing.assert_allclose(np.diag(other), 1, atol=1e-5)
    assert np.isnan(np.diag(own)).all()
    np.fill_diagonal(other, np.nan)
    np.testing.assert_allclose(own, other, atol=1e-6)


def test_power_correlation_by_hand():
    """Means taken off explicitly: against the whole pool, and with the record compared left out."""
    pool, made = records(5, 5), records(2, 6)
    z, x = (novelty.power_detail(data).reshape(len(data), -1).astype(float) for data in (pool, made))

    def cosine(p, q):
        return p @ q / np.linalg.norm(p) / np.linalg.norm(q)

    expected = [[cosine(p - z.mean(axis=0), q - z.mean(axis=0)) for q in z] for p in x]
    np.testing.assert_allclose(novelty.power_correlation(made, pool, max_lag_s=0), expected, atol=1e-4)
    own = novelty.power_correlation(pool, max_lag_s=0)
    for i, p in enumerate(z):
        mean = np.delete(z, i, axis=0).mean(axis=0)
        for j, q in enumerate(z):
            assert np.isnan(own[i, j]) if i == j else own[i, j] == pytest.approx(cosine(p - mean, q - mean), abs=1e-4)


def test_power_correlation_of_copies():
    """A copy has 1 whatever its amplitude, late or early by two frames nearly so; independent records are near 0."""
    pool = records(12, 7)
    made = np.stack([5 * pool[3], np.roll(pool[4], 128, axis=-1), np.roll(pool[5], -128, axis=-1)])
    found = novelty.power_correlation(made, pool)
    assert found[0, 3] == pytest.approx(1, abs=1e-3)
    assert found[1, 4] > 0.85 and found[2, 5] > 0.85
    assert novelty.power_correlation(made, pool, max_lag_s=0)[1, 4] < 0.3
    others = np.delete(found.ravel(), [3, 12 + 4, 24 + 5])
    assert np.abs(others).max() < 0.3


def test_the_mean_of_the_station_does_not_count():
    """Whatever fine structure all records share (a hum switched on and off) makes no two of them alike."""
    t = np.arange(3000) / 100
    hum = 0.5 * np.sin(2 * np.pi * 7 * t) * (t % 4 < 2)
    pool, made = records(15, 8) + hum, records(10, 9) + hum
    detail = [novelty.power_detail(x).reshape(len(x), -1) for x in (made, pool)]
    plain = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in detail]
    assert np.median(plain[0] @ plain[1].T) > 0.15
    assert abs(np.median(novelty.power_correlation(made, pool, max_lag_s=0))) < 0.05


def test_novelty_tells_copies_from_new_records():
    """Copies and scrambled copies stand above the real-real level, with the right parent; new records do not."""
    pool = records(25, 10)
    rng = np.random.default_rng(0)
    copies = novelty.novelty(pool[:8], pool)
    np.testing.assert_array_equal(copies.correlation_nearest, np.arange(8))
    np.testing.assert_array_equal(copies.power_nearest, np.arange(8))
    assert novelty.summary(copies)["correlation_above_p99"] == novelty.summary(copies)["power_above_p99"] == 1

    scrambled = novelty.novelty(baselines.phase_scrambled(pool, rng), pool)
    assert novelty.summary(scrambled)["power_above_p99"] == 1
    np.testing.assert_array_equal(scrambled.power_nearest, np.arange(25))

    fresh = novelty.novelty(records(60, 11), pool)
    numbers = novelty.summary(fresh)
    # one in m + 1 = 26 is expected above the largest of m
    assert numbers["correlation_above_p99"] <= 0.15 and numbers["power_above_p99"] <= 0.15
    assert numbers["correlation_ratio"] == pytest.approx(1, abs=0.05)
    assert numbers["power_ratio"] == pytest.approx(1, abs=0.1)


def test_summary_numbers():
    """Medians, percentiles and shares of a made-up case."""
    real = np.linspace(0, 1, 101)
    found = novelty.Novelty(
        np.array([0.2, 0.5, 0.995, 1.0]), np.zeros(4, int), np.array([1.0, 0.1, 0.1, 0.1]), np.zeros(4, int), real, real
    )
    numbers = novelty.summary(found)
    assert numbers["correlation_real_p99"] == pytest.approx(0.99)
    assert numbers["correlation_above_p99"] == 0.5 and numbers["power_above_p99"] == 0.25
    assert numbers["above_p99"] == 0.75
    assert numbers["correlation_median"] == pytest.approx(0.7475) and numbers["power_ratio"] == pytest.approx(0.2)


def test_refusals():
    """Different lengths, a pool without a mean to speak of, records too short for frames."""
    data = records(3, 12)
    with pytest.raises(TNGError, match="same number of samples"):
        novelty.max_correlation(data, data[..., :-1])
    with pytest.raises(TNGError, match="3 or more"):
        novelty.power_correlation(data, data[:2])
    with pytest.raises(TNGError, match=r"5\.12 s or more"):
        novelty.power_correlation(data[..., :400])
