"""Residuals against hand-worked equations of BSSA14; correlations against samples of known correlation."""

import logging
import warnings

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import gmm

pytest.importorskip("pygmm")


def test_residuals_are_those_of_the_published_equations():
    """M 4.5, 20 km, 760 m/s, unspecified mechanism: eqs. 2-4 of the paper with the coefficients of its Table S1."""
    r_pga, r_pgv = np.hypot(20, 4.5), np.hypot(20, 5.3)
    ln_pga_g = 0.4473 + 1.431 * -1 + 0.05053 * 1 - 1.134 * np.log(r_pga) - 0.008088 * (r_pga - 1)
    ln_pgv_cmps = 5.037 + 1.073 * -1.7 - 0.1536 * 1.7**2 - 1.243 * np.log(r_pgv) - 0.00344 * (r_pgv - 1)
    ln_im = {"pga_mps2": np.log([9.80665]), "pgv_mps": np.log([0.01])}
    made, remark = gmm.gmm_residuals(ln_im, [4.5], [20.0])
    assert made["pga_mps2"][0] == pytest.approx(-ln_pga_g, abs=2e-3)
    assert made["pgv_mps"][0] == pytest.approx(-ln_pgv_cmps, abs=2e-3)
    assert remark == ""


@pytest.mark.parametrize("model", ["BSSA14", "ASK14"])
def test_psa_runs_into_pga_at_short_periods(model):
    """The models' PSA at 0.01 s is their PGA within 2 %: units and order of periods are right."""
    ln_im = {"pga_mps2": np.zeros(2), "psa_mps2": np.zeros((2, 2))}
    made, _ = gmm.gmm_residuals(ln_im, [5.0, 6.0], [20.0, 40.0], periods_s=[5.0, 0.01], model=model, vs30_mps=400)
    np.testing.assert_allclose(made["psa_mps2"][:, 1], made["pga_mps2"], atol=0.02)
    assert (made["psa_mps2"][:, 0] > made["pga_mps2"] + 2).all()


def test_models_agree_where_both_have_data():
    """ASK14 and BSSA14 differ by less than a factor of 1.6 at M 5.5-6.5, 20-60 km, in PGA and PGV."""
    magnitude, distance = np.repeat([5.5, 6.0, 6.5], 3), np.tile([20.0, 40.0, 60.0], 3)
    ln_im = {"pga_mps2": np.zeros(9), "pgv_mps": np.zeros(9)}
    a, b = (gmm.gmm_residuals(ln_im, magnitude, distance, model=m)[0] for m in gmm.MODELS)
    for name in ln_im:
        assert np.abs(a[name] - b[name]).max() < np.log(1.6)


def test_one_remark_instead_of_a_flood(caplog):
    """M 2.3 and 400 km lie outside: said once with counts, no warnings, nothing logged, logging left as it was."""
    before = list(logging.getLogger().handlers), list(logging.getLogger().filters)
    with warnings.catch_warnings(), caplog.at_level(logging.DEBUG):
        warnings.simplefilter("error")
        made, remark = gmm.gmm_residuals({"pga_mps2": np.zeros(4)}, [2.3, 2.5, 4.0, np.nan], [10.0, 400.0, 50.0, 1.0])
    assert remark == "BSSA14: 2 of 3 records outside its range, extrapolated (magnitude 3-8.5: 2; distance 0-300: 1)"
    assert not caplog.records
    np.testing.assert_array_equal(np.isnan(made["pga_mps2"]), [False, False, False, True])
    assert (list(logging.getLogger().handlers), list(logging.getLogger().filters)) == before


def test_what_is_not_accepted():
    """Unknown models and unequal lengths are named."""
    with pytest.raises(TNGError, match="BSSA14, ASK14"):
        gmm.gmm_residuals({}, [4.0], [10.0], model="BA08")
    with pytest.raises(TNGError, match="one length"):
        gmm.gmm_residuals({"pga_mps2": np.zeros(2)}, [4.0], [10.0])


def test_correlation_of_known_samples():
    """4000 draws from the published correlation give it back within sampling error (0.016)."""
    frequency = np.geomspace(0.3, 20, 12)
    truth = gmm.bayless_abrahamson(frequency)
    root = np.linalg.cholesky(truth + 1e-9 * np.eye(12))
    values = np.random.default_rng(0).normal(size=(4000, 12)) @ root.T * np.linspace(0.5, 2, 12) + 7.0
    made = gmm.interfrequency_correlation(values)
    assert np.abs(made - truth).max() < 0.06
    assert gmm.correlation_difference(made, truth) < 0.016
    assert gmm.correlation_difference(made, made) == 0


def test_station_and_event_terms_are_taken_off():
    """White residuals under common station and event terms, unequal counts: correlated before, not after."""
    rng = np.random.default_rng(1)
    station, event = rng.integers(0, 12, 1500), rng.integers(0, 40, 1500)
    terms = rng.normal(size=12)[station] + rng.normal(size=40)[event]
    values = terms[:, None] + rng.normal(size=(1500, 8))
    off = ~np.eye(8, dtype=bool)
    assert gmm.interfrequency_correlation(values)[off].mean() > 0.5
    assert gmm.interfrequency_correlation(values, station)[off].mean() > 0.3
    assert abs(gmm.interfrequency_correlation(values, station, event)[off].mean()) < 0.02


def test_missing_frequencies_and_records():
    """A frequency nobody has is NaN, a record with a gap is left out, too few records give NaN throughout."""
    values = np.random.default_rng(2).normal(size=(50, 4))
    values[:, 0], values[7, 2] = np.nan, np.nan
    made = gmm.interfrequency_correlation(values)
    assert np.isnan(made[0]).all() and np.isnan(made[:, 0]).all()
    np.testing.assert_allclose(made[1:, 1:], np.corrcoef(np.delete(values, 7, 0)[:, 1:].T))
    assert np.isnan(gmm.interfrequency_correlation(values[:2])).all()
    with pytest.raises(TNGError, match="one label per record"):
        gmm.interfrequency_correlation(values, [1, 2])


def test_bayless_abrahamson_at_a_row_of_its_table():
    """tanh(A exp(B x) + C exp(D x)), x = |ln(f1 / f2)|, coefficients of the lower frequency, here 0.1 Hz."""
    made = gmm.bayless_abrahamson([0.1, 0.15, 1.0])
    x = np.log([1.5, 10.0])
    truth = np.tanh(1.0477 * np.exp(-0.5461 * x) + 1.6879 * np.exp(-10.4778 * x))
    np.testing.assert_allclose(made[0, 1:], truth, atol=1e-6)
    np.testing.assert_allclose(made, made.T)
    np.testing.assert_allclose(np.diag(made), 1)
