"""Scores against their published formulas, and pairs whose scores follow from what was done to one of them."""

import math
import types
import warnings

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import goodness, intensity

RATE_HZ = 100.0
TIME_S = np.arange(6000) / RATE_HZ
BAND = ((1.0, 10.0),)


def packet(start_s=10.0, length_s=20.0, frequency_hz=3.0):
    """Return a sine of constant amplitude for some time."""
    on = np.abs(TIME_S - start_s - length_s / 2) < length_s / 2
    return np.where(on, np.sin(2 * np.pi * frequency_hz * TIME_S), 0.0)[None]


def noise(n, seed=0):
    """Return (n, 6000) white noise in an envelope."""
    return np.random.default_rng(seed).normal(size=(n, 6000)) * np.exp(-(((TIME_S - 20) / 8) ** 2))


@pytest.mark.parametrize("x, y", [(1.0, 1.0), (1.0, 1.3), (5.0, 2.0), (1e-9, 3.0)])
def test_scores_are_the_published_formulas(x, y):
    """Both formulas as printed, from the numbers rather than the ln of their ratio, in either order."""
    anderson = 10 * math.exp(-(((x - y) / min(x, y)) ** 2))
    olsen = 100 * math.erfc(2 * abs(x - y) / (x + y))
    for ln_ratio in (math.log(x / y), math.log(y / x)):
        assert goodness.anderson_score(ln_ratio) == pytest.approx(anderson, abs=1e-12)
        assert goodness.olsen_mayhew_score(ln_ratio) == pytest.approx(olsen, rel=1e-9)


def test_equal_traces_score_ten():
    """All ten criteria in all nine bands."""
    made = goodness.anderson(noise(2), noise(2), RATE_HZ)
    assert made.shape == (2, 9, 10) and len(goodness.ANDERSON_CRITERIA) == 10
    np.testing.assert_allclose(made, 10, atol=1e-6)


def test_twice_the_trace():
    """Shapes and correlation stay 10; energies are off by 4, peaks and spectra by 2."""
    made = goodness.anderson(noise(2), 2 * noise(2), RATE_HZ)
    truth = [10, 10, *[10 * math.exp(-9)] * 2, *[10 * math.exp(-1)] * 5, 10]
    np.testing.assert_allclose(made, np.broadcast_to(truth, made.shape), atol=1e-3)


def test_opposite_sign():
    """Only the correlation tells a trace from its negative, and is not below 0."""
    made = goodness.anderson(noise(1), -noise(1), RATE_HZ)
    np.testing.assert_allclose(made[..., :9], 10, atol=1e-6)
    np.testing.assert_allclose(made[..., 9], 0, atol=1e-9)


def test_delay_lowers_duration_and_correlation():
    """20 s of a sine delayed by 3 whole seconds: cumulative curves differ by 3/20, correlation is 17/20."""
    made = goodness.anderson(packet(10), packet(13), RATE_HZ, bands_hz=BAND)[0, 0]
    np.testing.assert_allclose(made[[0, 1, 9]], [8.5, 8.5, 8.5], atol=0.05)
    np.testing.assert_allclose(made[[2, 3, 4, 5, 6, 8]], 10, atol=0.1)


def test_bands_separate():
    """15 Hz added to a 3 Hz packet spoils the band it lies in and leaves 2-5 Hz alone."""
    made = goodness.anderson(packet(), packet() + packet(frequency_hz=15.0), RATE_HZ, bands_hz=((2, 5), (10, 20)))[0]
    assert made[0, [0, 2, 4, 9]].min() > 9.5
    assert made[1, [2, 3, 4, 5, 6]].max() < 0.1


def test_dead_trace_of_a_pair_is_missing():
    """NaN for the pair with a dead trace, without a warning, the other unharmed."""
    a, b = noise(2), noise(2)
    b[0] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = goodness.anderson(a, b, RATE_HZ, bands_hz=BAND)
    assert np.isnan(made[0]).all() and np.isfinite(made[1]).all()


def sets():
    """Return ln measures of 40 records and of the same with all amplitudes doubled, in another order."""
    rng = np.random.default_rng(0)
    amplitude = {"pga_mps2": rng.normal(size=40), "psa_mps2": rng.normal(size=(40, 5)), "d5_95_s": rng.normal(size=40)}
    power = {"arias_mps": rng.normal(size=40)}
    order = rng.permutation(40)
    other = {k: v[order] + np.log(2) * (k != "d5_95_s") for k, v in amplitude.items()}
    return amplitude | power, other | {k: v[order] + np.log(4) for k, v in power.items()}


def test_ensembles_are_compared_by_geometric_means():
    """Unpaired, shuffled, doubled: C3 of a factor of 4, C5 and C8 of 2, duration 10, their mean; one value missing."""
    a, b = sets()
    made = goodness.anderson_ensemble(a, b)
    truth = {"C3": 10 * math.exp(-9), "C5": 10 * math.exp(-1), "C8": 10 * math.exp(-1), "C11": 10.0}
    assert made == pytest.approx(truth | {"mean": np.mean(list(truth.values()))})
    a["pga_mps2"] = np.append(a["pga_mps2"], np.nan)
    assert goodness.anderson_ensemble(a, b) == pytest.approx(made)


def test_olsen_mayhew_of_pairs_and_sets():
    """A factor of 2 everywhere is 34.6 for each pair and for the sets, and a set against itself 100."""
    a, b = sets()
    names = ("pga_mps2", "psa_mps2")
    a, b = {k: a[k] for k in names}, {k: a[k] + np.log(2) for k in names}
    truth = 100 * math.erfc(2 / 3)
    made = goodness.olsen_mayhew(a, b, paired=True)
    assert set(made) == {*names, "mean"}
    for value in made.values():
        np.testing.assert_allclose(value, np.full(40, truth))
    assert goodness.olsen_mayhew(a, b) == pytest.approx(dict.fromkeys((*names, "mean"), truth))
    assert goodness.olsen_mayhew(a, a)["mean"] == 100


def test_scores_of_features():
    """The two means of sets of features are those of their measures."""
    rng = np.random.default_rng(1)

    def features(shift):
        ln = {name: rng.normal(size=200) * 1e-3 + shift for name in intensity.NAMES}
        psa, fas = rng.normal(size=(200, 4)) * 1e-3 + shift, rng.normal(size=(200, 3, 6)) * 1e-3 + shift
        return types.SimpleNamespace(im=ln.__getitem__, ln_psa=psa, ln_fas=fas)

    anderson, olsen = goodness.ensemble_scores(features(0.0), features(np.log(2)))
    assert anderson == pytest.approx(10 * math.exp(-1), rel=0.01)
    assert olsen == pytest.approx(100 * math.erfc(2 / 3), rel=0.01)


def test_nothing_in_common():
    """Sets without a common measure are named, pairs of different shapes too."""
    with pytest.raises(TNGError, match="accepted"):
        goodness.anderson_ensemble({"pga_mps2": [0.0]}, {"pgv_mps": [0.0]})
    with pytest.raises(TNGError, match="accepted"):
        goodness.olsen_mayhew({"pga_mps2": np.zeros(3)}, {"pga_mps2": np.zeros(4)}, paired=True)
    with pytest.raises(TNGError, match="accepted"):
        goodness.anderson(noise(2), noise(3), RATE_HZ)
    with pytest.raises(TNGError, match="accepted"):
        goodness.anderson(noise(1), noise(1), RATE_HZ, bands_hz=((20, 60),))
