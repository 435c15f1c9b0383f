"""Intervals of f0: Student's quantile, overlap of windows, resampled means."""

import numpy as np
import pytest

from obspy_tng.site.uncertainty import interval, n_independent, resampled_curves, same_peak, stretch


@pytest.mark.parametrize("n", [3, 5, 20, 500])
def test_stretch_is_students(n):
    """sqrt(n / (n - 1)) times Student's quantile over the normal one of scipy, within 0.7 %."""
    from scipy.stats import norm, t

    expected = np.sqrt(n / (n - 1)) * t.ppf(0.84, n - 1) / norm.ppf(0.84)
    assert stretch(n) == pytest.approx(expected, rel=0.007)


def test_one_record_has_no_interval():
    """One record: an error that says what is accepted."""
    with pytest.raises(ValueError, match="2 or more"):
        stretch(1)


def test_interval_covers_a_mean_of_normals():
    """The 68 % interval of the mean of 5 normal numbers holds the truth in 68 ± 3 % of 2000 cases; plain percentiles
    in fewer.
    """
    rng = np.random.default_rng(3)
    covered, plain = 0, 0
    for _ in range(2000):
        x = rng.normal(scale=0.05, size=5)
        trials = np.exp(x[rng.integers(5, size=(200, 5))].mean(axis=1))
        low, high = interval(float(np.exp(x.mean())), trials, 5)
        covered += low <= 1 <= high
        plain += np.quantile(trials, 0.16) <= 1 <= np.quantile(trials, 0.84)
    assert covered / 2000 == pytest.approx(0.68, abs=0.03)
    assert plain / 2000 < 0.62


def test_same_peak_is_the_nearest():
    """Of each resampling the nearest peak within half an octave; resamplings without one are left out."""
    trials = [np.array([1.0, 2.1, 4.0]), np.array([]), np.array([5.0]), np.array([1.9, 2.3])]
    assert same_peak(trials, 2.0).tolist() == [2.1, 1.9]
    assert same_peak([np.array([])], 2.0).size == 0


def test_overlap_is_counted_once():
    """Half overlapping windows count half; windows of other records and windows apart count whole."""
    start = np.arange(0, 600, 30.0)
    assert n_independent(["a"] * 20, start, start + 60) == 10  # 630 s of 60 s windows
    assert n_independent(["a"] * 10, 2 * start[:10], 2 * start[:10] + 60) == 10
    assert n_independent(["a", "b", "c"], [0, 0, 0], [60, 60, 60]) == 3
    assert n_independent(["b", "a", "b", "a"], [30, 0, 0, 30], [90, 60, 60, 90]) == 3
    assert n_independent([], [], []) == 0


def test_resampled_curves_are_means_of_drawn_records():
    """Spread of resampled ln means is sd / √m for m drawn; a frequency with one valid record is that record's."""
    rng = np.random.default_rng(1)
    logs = rng.normal(size=(40, 3))
    valid = np.ones((40, 3), bool)
    valid[1:, 2] = False
    usable = np.array([True, False, True])
    for m in (40, 10):
        made = np.log(resampled_curves(logs, valid, usable, m, 4000, np.random.default_rng(2)))
        assert made[:, 0].std() == pytest.approx(logs[:, 0].std() / np.sqrt(m), rel=0.05)
        assert np.isnan(made[:, 1]).all()
        known = made[np.isfinite(made[:, 2]), 2]
        np.testing.assert_allclose(known, logs[0, 2])
        assert known.size / 4000 == pytest.approx(1 - (1 - 1 / 40) ** m, abs=0.03)
