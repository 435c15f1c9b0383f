"""Distances and splits against closed forms and scipy."""

import numpy as np
import pytest
from scipy import stats

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import statistics as st


def test_wasserstein_of_a_shift():
    """W1 of a sample and itself shifted is the shift; NaN take no part."""
    x = np.random.default_rng(0).normal(size=40)
    assert st.wasserstein(np.append(x, np.nan), x + 0.7) == pytest.approx(0.7, abs=1e-12)
    assert np.isnan(st.wasserstein([np.nan], x))


def test_wasserstein_columns_as_scipy():
    """Every column, of any number of valid values, gives scipy's distance."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(30, 8)), rng.normal(0.5, 2, size=(47, 8))
    a[rng.random(a.shape) < 0.3] = np.nan
    b[rng.random(b.shape) < 0.2] = np.nan
    a[:, 3] = np.nan
    expected = [
        stats.wasserstein_distance(x[np.isfinite(x)], y[np.isfinite(y)]) if np.isfinite(x).any() else np.nan
        for x, y in zip(a.T, b.T, strict=True)
    ]
    np.testing.assert_allclose(st.wasserstein_columns(a, b), expected, atol=1e-12)


def test_wasserstein_columns_refuses_other_columns():
    """The message tells both shapes."""
    with pytest.raises(TNGError, match=r"\(3, 2\) and \(3, 4\)"):
        st.wasserstein_columns(np.zeros((3, 2)), np.zeros((3, 4)))


def test_energy_distance_closed_form():
    """Two clouds of two points: 2 * mean cross distance - the two distances within, over sqrt(k)."""
    a = np.array([[0.0, 0.0], [3.0, 4.0]])
    b = a + [0.0, 1.0]
    cross = (1 + np.sqrt(9 + 25) + np.sqrt(9 + 9) + 1) / 4
    assert st.energy_distance(a, b) == pytest.approx((2 * cross - 5 - 5) / np.sqrt(2))


def test_energy_distance_as_scipy():
    """scipy's is the root of the form with pairs of equal rows counted in."""
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=50), rng.normal(1.0, 2.0, size=70)
    within = [np.abs(x[:, None] - x).sum() / x.size**2 / (x.size - 1) for x in (a, b)]
    assert st.energy_distance(a, b) + sum(within) == pytest.approx(stats.energy_distance(a, b) ** 2)


def test_energy_distance_is_unbiased():
    """The mean over many pairs of small samples of one law is 0; with equal pairs counted in it would be .23."""
    rng = np.random.default_rng(3)
    values = [st.energy_distance(rng.normal(size=(10, 3)), rng.normal(size=(10, 3))) for _ in range(1500)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(1500) < 0.02
    assert np.min(values) < 0


def test_energy_distance_of_normals():
    """Equal normals a shift apart: 2 E|N(d, 2)| - 2 E|N(0, 2)|, of which the mean absolute value is known."""
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=3000), rng.normal(1.5, 1, size=3000)
    folded = 2 / np.sqrt(np.pi) * np.exp(-(1.5**2) / 4) + 1.5 * (1 - 2 * stats.norm.cdf(-1.5 / np.sqrt(2)))
    assert st.energy_distance(a, b) == pytest.approx(2 * folded - 4 / np.sqrt(np.pi), rel=0.05)


def test_energy_distance_leaves_out_missing():
    """A column missing in a third of the rows goes, then rows with a gap: the rest gives the same number."""
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(30, 4)), rng.normal(1, 1, size=(40, 4))
    a_gaps, b_gaps = a.copy(), b.copy()
    a_gaps[::3, 2] = np.nan
    b_gaps[7, 0] = np.nan
    keep = [0, 1, 3]
    expected = st.energy_distance(a[:, keep], np.delete(b, 7, axis=0)[:, keep])
    assert st.energy_distance(a_gaps, b_gaps) == pytest.approx(expected)
    assert np.isnan(st.energy_distance(a[:1], b))


def test_bias_and_spread_of_a_lognormal():
    """Three times a set is ln 3 above it; its logs drawn out twofold have twice the spread; columns stay apart."""
    x = np.random.default_rng(6).lognormal(size=(25, 2))
    y = np.stack([3 * x[:, 0], x[:, 1] ** 2], axis=1)
    np.testing.assert_allclose(st.ln_bias(y, x)[0], np.log(3))
    np.testing.assert_allclose(st.sd_ratio(np.log(y), np.log(x)), [1, 2])
    assert np.isnan(st.ln_bias([1.0, np.nan, 0.0], [1.0, 2.0]))
    assert np.isnan(st.sd_ratio([1.0, 2.0], [3.0, 3.0]))


def test_splits_keep_events_whole():
    """Each event lies on one side, both sides make all records, halves hold half of the events and vary."""
    rng = np.random.default_rng(7)
    events = rng.choice([f"e{i}" for i in range(11)], size=200)
    splits = st.event_splits(events, 6, rng)
    for a, b in splits:
        assert not set(events[a]) & set(events[b])
        assert sorted([*a, *b]) == list(range(200))
        assert len(set(events[a])) == 5
    assert len({tuple(a) for a, _ in splits}) == 6
    again = st.event_splits(events, 6, np.random.default_rng(8))
    np.testing.assert_array_equal(again[3][0], st.event_splits(events, 6, np.random.default_rng(8))[3][0])


def test_records_without_event_stand_alone():
    """Empty event names do not make one large event; a single event cannot be split."""
    a, b = st.event_splits(["", None, "x", "x"], 1, np.random.default_rng(0))[0]
    assert {len(a), len(b)} in ({1, 3}, {2})
    with pytest.raises(TNGError, match="1 event"):
        st.event_splits(["x", "x"], 1, np.random.default_rng(0))


def test_interval_of_splits():
    """95 % of 0 … 100 lie in 2.5 … 97.5; NaN splits take no part; a column without values is NaN."""
    values = np.stack([np.arange(101.0), np.full(101, np.nan)], axis=1)
    values = np.concatenate([values, np.full((5, 2), np.nan)])
    mean, low, high = st.interval(values)
    np.testing.assert_allclose([mean[0], low[0], high[0]], [50, 2.5, 97.5])
    assert np.isnan([mean[1], low[1], high[1]]).all()
    assert np.isnan(st.interval([]).mean)
    with pytest.raises(TNGError, match="level"):
        st.interval([1.0], level=0)
