"""Envelopes, spectrograms and SNR against closed forms."""

import numpy as np
import pytest
from scipy.signal import hilbert

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import heggs

T = np.arange(6000) / 100


def pulse(centre_s, width_s=3.0):
    """A 5 Hz carrier under a Gaussian envelope, on three components."""
    wave = np.exp(-0.5 * ((T - centre_s) / width_s) ** 2) * np.sin(2 * np.pi * 5 * T)
    return np.broadcast_to(wave, (1, 3, 6000))


def test_envelope_of_a_modulated_sine():
    """The envelope is the modulation itself, and scipy's for noise of even and odd length."""
    np.testing.assert_allclose(
        heggs.envelopes(pulse(30), smooth_s=0)[0, 1], np.exp(-0.5 * ((T - 30) / 3) ** 2), atol=1e-5
    )
    for npts in (500, 501):
        noise = np.random.default_rng(0).normal(size=(2, 3, npts))
        np.testing.assert_allclose(heggs.envelopes(noise, smooth_s=0), np.abs(hilbert(noise)), atol=1e-5)


def test_moving_mean_of_the_envelope():
    """A constant envelope stays, to the ends; one that steps from 0 to 1 climbs evenly over the window."""
    sine = np.broadcast_to(np.sin(2 * np.pi * 5 * T), (1, 3, 6000))
    envelope = heggs.envelopes(sine, smooth_s=2.0)[0, 0]
    np.testing.assert_allclose(envelope, 1, atol=1e-4)
    step = heggs.envelopes(sine * (T >= 30), smooth_s=2.0)[0, 0]
    np.testing.assert_allclose(step[[2700, 2950, 3000, 3050, 3300]], [0, 0.25, 0.5, 0.75, 1], atol=0.03)


def test_envelope_correlation_closed_form():
    """Two Gaussian envelopes of width w a distance d apart: (exp(-d²/4w²) - c) / (1 - c), c = 2 w sqrt(pi) / T."""
    c = 2 * 3 * np.sqrt(np.pi) / 60
    for d in (0.0, 2.0, 6.0):
        expected = (np.exp(-(d**2) / 36) - c) / (1 - c)
        assert heggs.envelope_correlation(pulse(30), 7 * pulse(30 + d), smooth_s=0)[0] == pytest.approx(
            expected, abs=2e-3
        )


def test_envelope_correlation_of_stationary_noise():
    """Independent noise has none, a dead component has no coefficient."""
    a, b = np.random.default_rng(1).normal(size=(2, 20, 3, 6000))
    assert abs(heggs.envelope_correlation(a, b).mean()) < 0.05
    a[0, 2] = 0
    assert np.isnan(heggs.envelope_correlation(a, b)[0])


def test_spectrogram_mse_closed_form():
    """A record ten times too strong has 1 (one decade squared); a copy 0; silence 0; the sign does not matter."""
    noise = np.random.default_rng(2).normal(size=(3, 3, 3000))
    np.testing.assert_allclose(heggs.spectrogram_mse(noise, 10 * noise), 1, atol=1e-3)
    np.testing.assert_allclose(heggs.spectrogram_mse(noise, -(10**0.5) * noise), 0.25, atol=1e-3)
    assert (heggs.spectrogram_mse(noise, noise) == 0).all()
    assert heggs.spectrogram_mse(np.zeros((1, 3, 500)), np.zeros((1, 3, 500))) == 0


def test_spectrogram_mse_of_independent_noise():
    """ln of exponential power has variance pi²/6 (at 0 Hz and Nyquist, chi² of one degree, pi²/2).

    In log10 of amplitudes a quarter of it over ln(10)²; a difference of two has twice that.
    """
    a, b = np.random.default_rng(3).normal(size=(2, 40, 3, 6000))
    expected = 2 * (63 * np.pi**2 / 6 + 2 * np.pi**2 / 2) / 65 / np.log(10) ** 2 / 4
    assert heggs.spectrogram_mse(a, b).mean() == pytest.approx(expected, rel=0.01)


def test_reconstruction_snr():
    """A record 10 % too strong has 20 dB; silence 0 dB; a copy infinity."""
    noise = np.random.default_rng(4).normal(size=(2, 3, 1000)).astype(np.float32)
    np.testing.assert_allclose(heggs.reconstruction_snr_db(noise, 1.1 * noise), 20, atol=1e-3)
    np.testing.assert_allclose(heggs.reconstruction_snr_db(noise, 0 * noise), 0, atol=1e-9)
    assert np.isinf(heggs.reconstruction_snr_db(noise, noise)).all()


def test_snr_closed_form():
    """Amplitude 10 times the noise for 10 of 20 s: 10 log10((100 + 1) / 2) = 17.03 dB; pure noise 0 dB."""
    data = np.random.default_rng(5).normal(size=(40, 3, 6000))
    data[..., 1000:2000] *= 10
    found = heggs.snr_db(data, np.repeat([10.0, np.nan, 35.0], [20, 1, 19]))
    assert found[:20].mean() == pytest.approx(10 * np.log10(50.5), abs=0.15)
    assert np.isnan(found[20]) and found[21:].mean() == pytest.approx(0, abs=0.15)


def test_snr_without_noise():
    """Less than 2 s before P, or nothing but zeros there: NaN."""
    data = np.random.default_rng(6).normal(size=(2, 3, 6000))
    data[1, :, :1000] = 0
    assert np.isnan(heggs.snr_db(data, np.array([1.0, 10.0]))).all()


def test_mean_envelope_is_aligned_on_p():
    """Records of any amplitude and start, moved to P: the mean of their normalised envelopes is that of one."""
    data = np.concatenate([pulse(20), 100 * pulse(27), pulse(23)])
    mean = heggs.mean_envelope(data, np.array([15.0, 22.0, np.nan]), smooth_s=0)
    assert mean.shape == (3, 3500)
    expected = np.exp(-0.5 * ((np.arange(3500) / 100 - 10) / 3) ** 2)
    np.testing.assert_allclose(mean[1], expected, atol=1e-4)


def test_mean_envelope_where_records_end():
    """NaN before the first sample of all records, the mean of those that reach elsewhere."""
    data = np.concatenate([pulse(20), pulse(20)])
    mean = heggs.mean_envelope(data, np.array([2.0, 4.0]))
    assert np.isnan(mean[0, :100]).all() and np.isfinite(mean[0, 100:]).all()


def test_ensemble_measures():
    """Equal sets: no distance, correlation 1; noise raised by 20 dB: W1 and bias say so."""
    rng = np.random.default_rng(7)
    data = 0.001 * rng.normal(size=(8, 3, 6000)) + rng.uniform(0.5, 2, (8, 1, 1)) * pulse(17)
    p_s = np.full(8, 10.0)
    same = heggs.ensemble_measures(data, p_s, data, p_s)
    assert same["snr_w1_db"] == same["snr_bias_db"] == 0
    assert same["mean_envelope_correlation"] == pytest.approx(1)
    noisy = data.copy()
    noisy[..., 400:960] *= 10
    found = heggs.ensemble_measures(noisy, p_s, data, p_s)
    assert found["snr_w1_db"] == pytest.approx(20, abs=0.1) and found["snr_bias_db"] == pytest.approx(-20, abs=0.1)
    nothing = heggs.ensemble_measures(data, p_s * np.nan, data, p_s)
    assert np.isnan([*nothing.values()]).all()


def test_pairs_of_one_shape():
    """Unequal sets are no pairs."""
    with pytest.raises(TNGError, match="pairs"):
        heggs.envelope_correlation(np.zeros((2, 3, 10)), np.zeros((3, 3, 10)))
