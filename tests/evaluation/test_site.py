"""HVSR of records with known spectra and onsets; differences of curves against closed forms."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import site

RATE_HZ = 100.0
P_S, S_S = 10.0, 14.0


def earthquakes(n, seed=0, noise=1e-3):
    """Return (n, 3, 6000) white noise with P at 10 s (mostly vertical) and S at 14 s, decaying; Z = E = N behind S."""
    rng = np.random.default_rng(seed)
    time = np.arange(6000) / RATE_HZ
    s = np.where(time >= S_S, np.exp(-np.maximum(time - S_S, 0) / 8), 0) * rng.normal(size=(n, 1, 6000))
    p = np.where(time >= P_S, 0.1 * np.exp(-np.maximum(time - P_S, 0) / 2), 0) * rng.normal(size=(n, 1, 6000))
    return s + p + noise * rng.normal(size=(n, 3, 6000))


def test_equal_components_have_ratio_one():
    """N = E = Z: HVSR is 1 at every frequency, nothing is masked, the record is left as it is."""
    data = np.repeat(earthquakes(3, noise=0)[:, :1] + 1e-3 * np.random.default_rng(1).normal(size=6000), 3, axis=1)
    before = data.copy()
    made = site.record_hvsr(data, RATE_HZ)
    np.testing.assert_allclose(made.ln_hvsr, 0, atol=1e-9)
    assert made.frequency_hz[[0, -1]] == pytest.approx([0.5, 20])
    assert made.n_masked.tolist() == [0, 0, 0]
    assert np.isnan(made.f0_clear_hz).all()
    np.testing.assert_array_equal(data, before)


def test_onsets_are_found():
    """P and S of the simulation to 0.2 s, with 9 s of noise before."""
    made = site.record_hvsr(earthquakes(20), RATE_HZ)
    np.testing.assert_allclose(made.p_s, P_S, atol=0.2)
    np.testing.assert_allclose(made.s_s, S_S, atol=0.2)
    assert set(made.noise_length_s) == {9.0}


def test_a_delay_changes_no_curve():
    """Zeros in front and behind are not part of the record: the same curves, onsets 3 s later."""
    data = earthquakes(4)
    made = site.record_hvsr(data, RATE_HZ)
    later = site.record_hvsr(np.pad(data, ((0, 0), (0, 0), (300, 50))), RATE_HZ)
    np.testing.assert_array_equal(later.ln_hvsr, made.ln_hvsr)
    np.testing.assert_allclose(later.s_s, made.s_s + 3)


def test_scaled_records_have_the_same_curve():
    """HVSR and f0 are free of units."""
    data = earthquakes(2)
    made, twice = site.record_hvsr(data, RATE_HZ), site.record_hvsr((2 * data).astype(np.float32), RATE_HZ)
    np.testing.assert_allclose(twice.ln_hvsr, made.ln_hvsr, atol=1e-4)
    np.testing.assert_allclose(twice.f0_hz, made.f0_hz)


def test_resonance_is_found_at_its_frequency():
    """Horizontals through a 4 Hz oscillator of 10 % damping: largest at 4 sqrt(1 - .02) Hz, its curve in the mean."""
    data = earthquakes(30, noise=0) + 1e-5 * np.random.default_rng(2).normal(size=(30, 3, 6000))
    frequency = np.fft.rfftfreq(12000, 1 / RATE_HZ)

    def gain(f):
        return 1 / (1 - (f / 4) ** 2 + 0.2j * (f / 4))

    data[:, :2] = np.fft.irfft(np.fft.rfft(data[:, :2], 12000) * gain(frequency))[..., :6000]
    made = site.record_hvsr(data, RATE_HZ)
    assert np.median(made.f0_hz) == pytest.approx(3.96, rel=0.04)
    assert np.median(made.f0_clear_hz) == pytest.approx(3.96, rel=0.04)
    band = (made.frequency_hz > 1) & (made.frequency_hz < 8)
    expected = np.log(np.abs(gain(made.frequency_hz)))
    np.testing.assert_allclose(np.nanmean(made.ln_hvsr, axis=0)[band], expected[band], atol=0.12)


def test_noise_masks_its_frequencies():
    """A strong 10 Hz tone over the whole record: what is near 10 Hz is NaN, what is not stays."""
    tone = 0.3 * np.sin(2 * np.pi * 10 * np.arange(6000) / RATE_HZ)
    data = earthquakes(1)
    data[:, 2] += tone
    made = site.record_hvsr(data, RATE_HZ)
    masked = np.isnan(made.ln_hvsr[0])
    assert masked[np.argmin(np.abs(made.frequency_hz - 10))]
    assert not masked[(made.frequency_hz < 7) | (made.frequency_hz > 14)].any()
    assert made.n_masked[0] == masked.sum()
    assert site.record_hvsr(data, RATE_HZ, snr=0).n_masked[0] == 0


def test_unusable_records_give_nan_and_a_reason():
    """A dead component, NaN samples, an S just before the end: each says why, the good one is not touched."""
    data = earthquakes(4)
    alone = site.record_hvsr(data[3:], RATE_HZ)
    data[0, 2] = 0
    data[1, 0, 100] = np.nan
    data[2] = np.roll(data[2], 4300, axis=-1)
    made = site.record_hvsr(data, RATE_HZ)
    assert "constant" in made.reasons[0]
    assert "finite" in made.reasons[1]
    assert "after S" in made.reasons[2]
    assert np.isnan(made.ln_hvsr[:3]).all()
    assert np.isnan(made.f0_hz[:2]).all()
    assert np.isfinite(made.f0_hz[2])
    np.testing.assert_array_equal(made.ln_hvsr[3], alone.ln_hvsr[0])
    with pytest.raises(TNGError, match=r"\(3, 6000\)"):
        site.record_hvsr(data[0], RATE_HZ)


def test_identical_curves_do_not_differ():
    """A set against itself: differences and W1 are 0, sigma ratio 1, energy distance not above 0."""
    curves = np.random.default_rng(3).normal(size=(12, 7))
    curves[::4, 2] = np.nan
    made = site.curve_measures(curves, curves)
    assert made["mean_abs_difference_ln"] == made["w1"] == 0
    assert made["sigma_ratio"] == pytest.approx(1)
    assert made["energy_distance"] <= 0


def test_shifted_and_stretched_curves():
    """HVSR twice as high: ln 2 everywhere; deviations 1.5 times as large or small: sigma ratios."""
    curves = np.random.default_rng(4).normal(size=(40, 6)) + np.arange(6)
    high = site.curve_measures(curves + np.log(2), curves)
    np.testing.assert_allclose(high["difference_ln"], np.log(2))
    np.testing.assert_allclose(high["w1_by_frequency"], np.log(2))
    assert (high["mean_abs_difference_ln"], high["w1"], high["sigma_ratio"]) == pytest.approx((np.log(2), np.log(2), 1))
    factor = np.array([1.5, 1.5, 1.5, 1 / 1.5, 1 / 1.5, 1 / 1.5])
    wide = site.curve_measures(curves.mean(axis=0) + factor * (curves - curves.mean(axis=0)), curves)
    np.testing.assert_allclose(wide["sigma_ratio_by_frequency"], factor)
    assert wide["sigma_ratio"] == pytest.approx(1)
    assert wide["mean_abs_difference_ln"] == pytest.approx(0, abs=1e-12)


def test_frequencies_with_few_records_take_no_part():
    """One wild value at a frequency that only it has: left out there, the rest as without that frequency."""
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(20, 4)), rng.normal(size=(25, 4))
    a[1:, 0] = np.nan
    a[0, 0] = 50
    made, rest = site.curve_measures(a, b), site.curve_measures(a[:, 1:], b[:, 1:])
    assert np.isnan(made["difference_ln"][0])
    assert np.isnan(made["w1_by_frequency"][0])
    assert made["mean_abs_difference_ln"] == pytest.approx(rest["mean_abs_difference_ln"])
    assert made["energy_distance"] == pytest.approx(rest["energy_distance"])


def test_energy_distance_of_equal_laws_is_zero_on_average():
    """Curves of one law in two sets, as the floor of the table: mean 0 within its error; shifted by one sigma not."""
    rng = np.random.default_rng(6)
    pairs = [rng.normal(size=(2, 15, 10)) for _ in range(150)]
    same = [site.curve_measures(a, b)["energy_distance"] for a, b in pairs]
    apart = [site.curve_measures(a + 1, b)["energy_distance"] for a, b in pairs]
    assert abs(np.mean(same)) < 4 * np.std(same) / np.sqrt(150)
    assert np.min(apart) > np.max(same)


def test_joint_distance_sees_what_marginals_do_not():
    """Coupling turned round: marginals are equal, the joint distance is not 0."""
    rng = np.random.default_rng(7)
    ln_pga, other = rng.normal(-3, 2, size=(2, 300))
    ln_f0 = 0.05 * ln_pga + 0.02 * rng.normal(size=300)
    same = site.joint_distance(other, 0.05 * other + 0.02 * rng.normal(size=300), ln_pga, ln_f0)
    turned = site.joint_distance(other, -0.05 * (other + 6) - 0.15 + 0.02 * rng.normal(size=300), ln_pga, ln_f0)
    assert abs(same) < 0.03
    assert turned > 0.2
    scaled = site.joint_distance(other + 5, 3 * -0.05 * other, ln_pga + 5, 3 * ln_f0)
    assert scaled == pytest.approx(site.joint_distance(other, -0.05 * other, ln_pga, ln_f0))


def test_joint_distance_needs_pairs():
    """Records that miss f0 do not count; unequal lengths are refused."""
    pga, f0 = np.array([0.0, 1.0, 3.0, 5.0]), np.array([0.0, 2.0, 1.0, np.nan])
    assert site.joint_distance(pga, f0, pga, f0[::-1]) == site.joint_distance(pga[:3], f0[:3], pga[1:], f0[2::-1])
    assert np.isnan(site.joint_distance([0.0], [0.0], [0.0, 1.0], [0.0, 1.0]))
    with pytest.raises(TNGError, match=r"\(1,\) and ln f0 of shape \(2,\)"):
        site.joint_distance([0.0], [0.0, 1.0], [0.0], [0.0])


def test_nothing_above_the_noise_has_a_reason():
    """No frequency reaches a signal/noise ratio of 1e9: all are masked, and the record says so; others say nothing."""
    data = earthquakes(3)
    data[1] = 0
    made = site.record_hvsr(data, RATE_HZ, snr=1e9)
    assert made.reasons == ["no frequency stands out of the noise", "a component is constant", *made.reasons[:1]]
    assert made.n_masked.tolist() == [made.frequency_hz.size, 0, made.frequency_hz.size]
    assert np.isfinite(made.f0_hz[[0, 2]]).all() and np.isnan(made.f0_hz[1]) and np.isnan(made.ln_hvsr).all()
    assert site.record_hvsr(earthquakes(1), RATE_HZ).reasons == [""]
