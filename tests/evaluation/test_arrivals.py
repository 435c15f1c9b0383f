"""The picker on made-up earthquakes whose onsets are known; comparisons of two sets by hand."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import arrivals

RATE = 100.0


def earthquake(rng, p_s=12.0, s_s=18.0, npts=6000):
    """Noise, a burst mostly on Z at P, a stronger one mostly on the horizontals at S."""
    t = np.arange(npts) / RATE
    data = 0.01 * rng.normal(size=(3, npts))
    for onset, size, decay in ((p_s, (0.3, 0.3, 1.0), 2.0), (s_s, (4.0, 4.0, 1.5), 2.5)):
        data += rng.normal(size=(3, npts)) * np.where(t >= onset, np.exp(-(t - onset) / decay), 0) * np.array([size]).T
    return data


@pytest.fixture(scope="module")
def earthquakes():
    """Twelve of them, with P at 11 to 14 s and S 3 to 9 s later."""
    rng = np.random.default_rng(0)
    p_s = rng.uniform(11, 14, 12)
    s_s = p_s + rng.uniform(3, 9, 12)
    return np.array([earthquake(rng, p, s) for p, s in zip(p_s, s_s, strict=True)]), p_s, s_s


def test_onsets_known(earthquakes):
    """P within 0.1 s, S within 0.2 s of the truth, on every record; input as it was."""
    data, p_s, s_s = earthquakes
    before = data.copy()
    found = arrivals.onsets(data)
    np.testing.assert_allclose(found.p_s, p_s, atol=0.1)
    np.testing.assert_allclose(found.s_s, s_s, atol=0.2)
    assert (found.n_onsets >= 1).all() and found.n_onsets.mean() <= 2.5
    np.testing.assert_array_equal(data, before)


def test_onsets_know_no_unit(earthquakes):
    """Records in m/s², nm/s² or km/s² have the same onsets."""
    data = earthquakes[0][:4]
    expected = arrivals.onsets(data)
    for scale in (1e-9, 1e9):
        for x, y in zip(arrivals.onsets(scale * data), expected, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-9)


def test_onsets_move_with_the_record(earthquakes):
    """A record delayed by 3 s, noise in front, has its onsets 3 s later."""
    data = earthquakes[0][:4]
    late = np.concatenate([0.01 * np.random.default_rng(1).normal(size=(4, 3, 300)), data], axis=-1)
    for x, y in zip(arrivals.onsets(late)[:2], arrivals.onsets(data)[:2], strict=True):
        np.testing.assert_allclose(x, y + 3, atol=0.05)


def test_two_earthquakes_in_one_record(earthquakes):
    """A second earthquake 25 s after the first adds about one trigger, or two, whichever is larger."""
    data = earthquakes[0]
    one = arrivals.onsets(data).n_onsets.mean()
    for factor in (0.3, 1.0, 3.0):
        double = data.copy()
        double[..., 2500:] += factor * data[::-1, :, :-2500]
        assert 0.7 <= arrivals.onsets(double).n_onsets.mean() - one <= 2


def test_nothing_to_pick():
    """Stationary noise and a dead record have neither onsets nor triggers."""
    data = np.random.default_rng(2).normal(size=(20, 3, 6000))
    data[0] = 0
    found = arrivals.onsets(data)
    assert np.isnan(found.p_s).mean() >= 0.9 and np.isnan(found.s_s).mean() >= 0.9
    assert found.n_onsets.max() == 0


def test_arrival_measures_by_hand():
    """S - P longer by 1.5 s, one P and two S less of four."""
    real = arrivals.Onsets(np.full(4, 10.0), np.array([14.0, 15.0, 16.0, 17.0]), np.array([1, 2, 2, 1]))
    made = arrivals.Onsets(
        np.array([10.0, 10.0, 10.0, np.nan]), np.array([15.5, np.nan, 18.5, np.nan]), np.array([2, 2, 3, 1])
    )
    numbers = arrivals.arrival_measures(made, real)
    assert numbers["p_rate"] == 0.75 and numbers["p_rate_difference"] == -25
    assert numbers["s_rate"] == 0.5 and numbers["s_rate_difference"] == -50
    assert numbers["sp_bias_s"] == pytest.approx(7.0 - 5.5)
    assert numbers["sp_w1_s"] == pytest.approx(1.5)  # 5.5 (half) and 8.5 (half) from 4, 5, 6, 7
    assert numbers["n_onsets_difference"] == pytest.approx(0.5)
    same = arrivals.arrival_measures(real, real)
    assert same["sp_w1_s"] == same["p_rate_difference"] == same["n_onsets_difference"] == 0


def test_arrival_measures_without_onsets():
    """With nothing picked the distance is NaN, the rates are numbers."""
    nothing = arrivals.Onsets(np.full(3, np.nan), np.full(3, np.nan), np.zeros(3, int))
    real = arrivals.Onsets(np.full(3, 10.0), np.full(3, 14.0), np.ones(3, int))
    numbers = arrivals.arrival_measures(nothing, real)
    assert np.isnan(numbers["sp_w1_s"]) and np.isnan(numbers["sp_bias_s"]) and numbers["s_rate_difference"] == -100


def test_refusals():
    """Records too short or too coarse for the picker's bands are refused."""
    with pytest.raises(TNGError, match="15 s or more"):
        arrivals.onsets(np.zeros((1, 3, 1000)))
    with pytest.raises(TNGError, match="more than 40 Hz"):
        arrivals.onsets(np.zeros((1, 3, 6000)), 40.0)
