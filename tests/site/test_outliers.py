"""Rules on arrays: simulated sites with windows of another site among them, and cases counted by hand."""

import numpy as np
import pytest
from simulated_windows import FREQUENCY_HZ, curves_of, mixed

from obspy_tng.site.outliers import cox, sta_lta, window_f0, zscore


def test_window_f0_is_the_highest_local_maximum():
    """By hand: the higher of two maxima; inside a range the one there is; an edge, NaN beside it or a rise is none."""
    f = np.arange(1.0, 9.0)
    rows = np.array(
        [
            [1, 3, 1, 1, 5, 1, 1, 9.0],
            [9, 8, 7, 6, 5, 4, 3, 2.0],
            [1, 2, np.nan, 1, 1.5, 1, 1, 1],
        ]
    )
    np.testing.assert_array_equal(window_f0(rows, f), [5, np.nan, 5])
    np.testing.assert_array_equal(window_f0(rows, f, (1.5, 4)), [2, np.nan, np.nan])


@pytest.mark.parametrize("seed", range(5))
def test_cox_leaves_out_windows_of_another_peak(seed):
    """Of 60 windows at 2 Hz and 10 at 7 Hz the ten are rejected, and at most a quarter of the others.

    Each pass takes the tails beyond 2 sigma.
    """
    f0_hz = mixed(seed)
    curves = curves_of(f0_hz, seed=seed)
    keep = cox(window_f0(curves, FREQUENCY_HZ), curves, FREQUENCY_HZ)
    assert not keep[60:].any()
    assert keep[:60].sum() >= 45


def test_cox_counted_by_hand():
    """Nine windows at 2 Hz and one at 6: sd of ln f0 = ln 3 / sqrt(10); the one is 2.85 sd from the mean.

    With n = 2.5 it goes, with n = 3 nothing does; with n = 2 and the limit of one iteration also only it.
    """
    f0_hz = np.r_[np.full(9, 2.0), 6.0]
    curves = curves_of(f0_hz)
    ln = np.log(f0_hz)
    assert (ln[-1] - ln.mean()) / ln.std(ddof=1) == pytest.approx(0.9 * np.sqrt(10))
    alone = np.r_[np.full(9, True), False]
    np.testing.assert_array_equal(cox(f0_hz, curves, FREQUENCY_HZ, 2.5), alone)
    assert cox(f0_hz, curves, FREQUENCY_HZ, 3).all()
    np.testing.assert_array_equal(cox(f0_hz, curves, FREQUENCY_HZ, 2, max_iterations=1), alone)


def test_cox_iterates_until_settled():
    """An outlier at 20 Hz hides one at 3 Hz in the first pass; the second pass finds it."""
    f0_hz = np.r_[2 + 0.02 * np.arange(-5, 6), 3.0, 19.0]
    curves = curves_of(f0_hz)
    first = cox(f0_hz, curves, FREQUENCY_HZ, max_iterations=1)
    assert first[-2]
    assert not first[-1]
    np.testing.assert_array_equal(cox(f0_hz, curves, FREQUENCY_HZ)[-2:], [False, False])


def test_cox_without_peaks():
    """Windows without a peak are left out where others have one; with fewer than three peaks all stay."""
    f0_hz = np.r_[np.nan, np.linspace(1.9, 2.1, 8)]
    curves = curves_of(np.nan_to_num(f0_hz, nan=2.0))
    np.testing.assert_array_equal(cox(f0_hz, curves, FREQUENCY_HZ, 3), np.isfinite(f0_hz))
    assert cox(f0_hz[:3], curves[:3], FREQUENCY_HZ).all()
    assert cox(np.full(9, np.nan), curves, FREQUENCY_HZ).all()


def test_zscore_of_normal_curves_and_of_outliers():
    """Gaussian ln curves score 1 (robust sd of 200: within 5 %), those shifted by 4 sd sqrt(17)."""
    rng = np.random.default_rng(0)
    ln = 0.3 * rng.normal(size=(200, 400))
    ln[:5] += 4 * 0.3
    score = zscore(np.exp(ln))
    assert np.median(score[5:]) == pytest.approx(1, abs=0.05)
    assert np.mean(score[:5]) == pytest.approx(np.sqrt(17), rel=0.06)


def test_zscore_by_hand():
    """ln values 0, 1, 2, 3, 10 at one frequency: median 2, MAD 1; masked ones do not count; two tell nothing."""
    ln = np.array([0.0, 1, 2, 3, 10])
    curves = np.exp(np.stack([ln, np.full(5, 0.5)], axis=1))  # the second frequency has no spread
    expected = np.abs(ln - 2) / 1.4826
    np.testing.assert_allclose(zscore(curves), expected)
    gap = np.vstack([curves, [np.nan, np.nan]])
    np.testing.assert_allclose(zscore(gap), np.r_[expected, np.nan])
    assert np.isnan(zscore(curves[:2])).all()


def test_zscore_of_another_site():
    """Among 60 windows at 2 Hz the ten at 7 Hz score above 3, the others below."""
    f0_hz = mixed()
    score = zscore(curves_of(f0_hz) * np.exp(0.1 * np.random.default_rng(1).normal(size=(70, 1))))
    assert score[60:].min() > 3
    assert np.mean(score[:60] < 3) > 0.95


def test_zscore_of_a_narrow_peak():
    """Planted windows with a peak of their own, 25 times the others' H/V over 0.3 octaves, score above 3; the good ones
    do not, whether frequencies are log-spaced or linear, and a gap of NaN beside them makes no difference.
    """
    rng = np.random.default_rng(3)
    for frequency in (np.geomspace(0.5, 20, 200), np.linspace(0.5, 20, 400)):
        # noise of ln H/V as smoothing leaves it: alike over a tenth of an octave
        nodes = np.arange(np.log2(0.5), np.log2(21), 0.1)
        noise = [np.interp(np.log2(frequency), nodes, rng.normal(size=nodes.size)) for _ in range(60)]
        ln = 0.3 * np.array(noise)
        planted = [3, 11, 19, 27]
        ln[planted] += np.log(25) * np.exp(-((np.log2(frequency / 3.0) / 0.15) ** 2))
        ln[5, frequency > 15] = np.nan
        score = zscore(np.exp(ln), frequency)
        assert score[planted].min() > 3 and zscore(np.exp(ln))[planted].max() < 3
        assert np.delete(score, planted).max() < 3


def test_sta_lta_of_a_burst():
    """Amplitude 1, ten times that for one second: STA/LTA is 10 / ((29 + 10) / 30) then, 1 / (39 / 30) beside it."""
    rate = 100.0
    data = np.tile([1.0, -1.0], 3000) * np.ones((3, 1))
    np.testing.assert_allclose(sta_lta(data, rate), (1, 1))
    data[1, 4000:4100] *= 10
    low, high = sta_lta(data, rate)
    assert high == pytest.approx(10 / (39 / 30))
    assert low == pytest.approx(1 / (39 / 30))


def test_sta_lta_sees_the_first_seconds_and_gaps():
    """A burst in the first second counts too (over the first 30 s), and a second of zeros makes the minimum 0."""
    data = np.tile([1.0, -1.0], 3000) * np.ones((3, 1))
    early = data.copy()
    early[0, :100] *= 10
    assert sta_lta(early, 100.0)[1] == pytest.approx(10 / (39 / 30))
    gap = data.copy()
    gap[2, 500:600] = 0
    assert sta_lta(gap, 100.0)[0] == 0


def test_sta_lta_of_several_windows():
    """A stack gives each window its own limits; dead components and windows under one STA give NaN; input unchanged."""
    rng = np.random.default_rng(0)
    data = rng.normal(size=(4, 3, 2000)) + 5.0
    data[3, 1] = 0.0
    before = data.copy()
    low, high = sta_lta(data, 50.0)
    np.testing.assert_array_equal(data, before)
    assert low.shape == high.shape == (4,)
    for k in range(3):
        np.testing.assert_allclose((low[k], high[k]), sta_lta(data[k], 50.0))
    assert np.isnan(low[3])
    assert np.isnan(sta_lta(data[0, :, :40], 50.0)).all()
    np.testing.assert_allclose(sta_lta(1e-9 * data[0] - 3, 50.0), (low[0], high[0]), rtol=1e-4)
