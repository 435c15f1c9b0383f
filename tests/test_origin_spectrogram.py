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


def test_excess_of_low_frequencies_is_found_and_taken_out():
    """Noise that falls with frequency squared below 1.5 Hz: white phases give too much at 0.2 Hz, weakened none."""
    frequency = np.fft.rfftfreq(6000, 0.01)
    gain = np.minimum(1, (frequency / 1.5) ** 2)
    x = np.fft.irfft(np.fft.rfft(RNG(0).normal(size=(6, 3, 6000))) * gain, 6000)
    ln = np.array([spectrogram.describe(one) for one in x])
    excess = spectrogram.ln_excess(x, ln, RNG(1))
    assert excess[2] > 2
    assert abs(excess[-1]) < 0.1
    made = spectrogram.weaken(spectrogram.from_noise(ln + spectrogram.LN_NOISE[:, None], RNG(2)), excess)
    for low, high in ((0.12, 0.2), (0.4, 0.6), (1, 1.4), (5, 9)):
        band = (frequency > low) & (frequency < high)
        a, b = (np.log(np.abs(np.fft.rfft(y))[..., band]).mean() for y in (made, x))
        assert a == pytest.approx(b, abs=0.25)
