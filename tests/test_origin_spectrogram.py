"""Spectrograms on the axis from the origin, and back to waveforms."""

import numpy as np
import pytest

from obspy_tng import origin_spectrogram as spectrogram

RNG = np.random.default_rng


def test_inverse_returns_the_record():
    """The STFT loses nothing: records come back to rounding."""
    x = RNG(0).normal(size=(2, 3, 6000))
    assert np.abs(spectrogram.istft(spectrogram.stft(x)) - x).max() < 1e-12


def test_ln_amplitude_of_white_noise():
    """The mean of ln amplitudes of unit noise is -gamma/2 (Rayleigh), -(gamma + ln 2)/2 at 0 Hz and Nyquist."""
    ln = np.mean([spectrogram.describe(RNG(k).normal(size=(3, 6000))) for k in range(12)], axis=(0, 1, 3))
    assert np.abs(ln - spectrogram.LN_NOISE)[1:-1].mean() < 0.01
    assert ln[[0, -1]] == pytest.approx([-(np.euler_gamma + np.log(2)) / 2] * 2, abs=0.06)


def test_noise_gets_the_amplitudes_asked_for():
    """Noise shaped by amplitudes that rise 20-fold at 20 s has this step in its root mean square, and its level."""
    ln = np.broadcast_to(spectrogram.LN_NOISE[:, None], (3, spectrogram.N_BINS, spectrogram.N_FRAMES)).copy()
    ln[..., spectrogram.FRAME_S >= 20] += np.log(20)
    x = spectrogram.from_noise(ln, RNG(1))
    assert x[:, :1950].std() == pytest.approx(1, rel=0.05)
    assert x[:, 2050:].std() == pytest.approx(20, rel=0.05)


def test_griffin_lim_finds_phases_that_agree():
    """Amplitudes of a real signal: the reconstruction's differ by less than half of what random phases leave."""
    t = np.arange(6000) / 100
    x = np.array([np.sin(2 * np.pi * f * t) * np.exp(-((t - 25) ** 2) / 50) for f in (2, 5, 9)])
    x = x + 0.01 * RNG(0).normal(size=x.shape)
    ln = np.log(np.abs(spectrogram.stft(x))) + spectrogram.LN_NOISE[:, None]
    wanted = np.abs(spectrogram.stft(x))

    def miss(y):
        return np.linalg.norm(np.abs(spectrogram.stft(y)) - wanted) / np.linalg.norm(wanted)

    assert miss(spectrogram.griffin_lim(ln, RNG(2))) < 0.5 * miss(spectrogram.from_noise(ln, RNG(2)))


def test_what_the_recorder_missed_gets_the_level_of_noise():
    """A record that begins at 12 s, noise of 0.01 before a P at 25 s: frames before 12 s have the noise's level."""
    x = 0.01 * RNG(0).normal(size=(3, 6000))
    x[:, 2500:] *= 300
    x[:, :1200] = 0
    ln = spectrogram.describe(x, 1200, 6000, 2500)
    level = ln[:, 1:-1, spectrogram.FRAME_S < 11].mean()
    assert level == pytest.approx(np.log(0.01) - np.euler_gamma / 2, abs=0.05)
