"""Spectrograms of three channels: against SciPy, closed forms, round trips."""

import numpy as np
import pytest
import scipy.signal

from obspy_tng import spectrogram

RATE_HZ = 100.0


def noise(shape, seed=0, highest_hz=40.0):
    """Return standardised noise below a frequency, tapered to zero at both ends."""
    x = np.random.default_rng(seed).normal(size=shape)
    spectrum = np.fft.rfft(x) * (np.fft.rfftfreq(shape[-1], 1 / RATE_HZ) < highest_hz)
    x = np.fft.irfft(spectrum, shape[-1]) * scipy.signal.windows.tukey(shape[-1], 0.2)
    return x / x.std(axis=-1, keepdims=True)


def test_transform_is_scipys():
    """The short-time transform is that of scipy.signal.ShortTimeFFT with a periodic Hann window."""
    x = noise((2, 1000))
    window = scipy.signal.windows.hann(128, sym=False)
    theirs = scipy.signal.ShortTimeFFT(window, 64, RATE_HZ, scale_to="magnitude", phase_shift=None)
    expected, ours = theirs.stft(x, p0=0), spectrogram.stft(x)
    reached = expected.shape[-1]
    assert reached == 17 and np.allclose(ours[..., :reached], expected, atol=1e-12)
    assert not ours[..., reached:].any()


def test_sine_at_a_bin():
    """A sine of amplitude 1 in the centre of bin 16 has 20 log10(1/2) dB there, and 6 dB less in the bins beside it."""
    t = np.arange(6000) / RATE_HZ
    decibel = spectrogram.describe(np.tile(np.sin(2 * np.pi * 12.5 * t), (1, 3, 1)))[0, 0, :, 40]
    assert decibel[16] == pytest.approx(-6.0206, abs=1e-3)
    assert decibel[15] == pytest.approx(-12.0412, abs=1e-3)


def test_phase_is_unwrapped_along_time():
    """The phase of a slow sine goes on by 2π f hop / rate from frame to frame, beyond ±π."""
    f_hz, t = 0.7, np.arange(6000) / RATE_HZ
    phase = spectrogram.describe(np.tile(np.cos(2 * np.pi * f_hz * t), (1, 3, 1)))[0, 3, 1, 2:90]
    assert np.diff(phase) == pytest.approx(2 * np.pi * f_hz * 0.64, abs=0.05)
    assert phase[-1] > 200


@pytest.mark.parametrize("npts", [1500, 6000, 6081])
def test_round_trip(npts):
    """The inverse gives any waveform back; of amplitudes and phases one without energy at the Nyquist frequency."""
    x = noise((2, 3, npts))
    assert spectrogram.frames(npts) % 16 == 0
    assert np.abs(spectrogram.istft(spectrogram.stft(x), npts) - x).max() < 1e-12
    known = spectrogram.describe(x)
    assert known.shape == (2, 6, 64, spectrogram.frames(npts)) and known.dtype == np.float32
    assert np.abs(spectrogram.waveform(known[:, :3], known[:, 3:], npts) - x).max() < 5e-3


def test_inverse_is_least_squares():
    """No other waveform has a transform nearer to an inconsistent spectrogram (Griffin & Lim 1984, Eq. 6)."""
    rng = np.random.default_rng(1)
    wanted = rng.normal(size=(65, 32)) + 1j * rng.normal(size=(65, 32))
    wanted[[0, -1]] = wanted[[0, -1]].real  # as transforms of real frames are
    wanted[:, 24:] = 0
    weight = np.full((65, 1), 2.0)
    weight[[0, -1]] = 1.0  # negative frequencies count, too

    def misfit(x):
        return (weight * np.abs(spectrogram.stft(x) - wanted) ** 2).sum()

    best = spectrogram.istft(wanted, 1984)
    for _ in range(5):
        assert misfit(best + 0.01 * rng.normal(size=1984)) > misfit(best)


def test_griffin_lim_finds_the_amplitudes():
    """Waveforms of amplitudes alone have these amplitudes; more iterations come nearer; phases are the generator's."""
    x = noise((3, 6000), seed=2)
    decibel = spectrogram.describe(x[None])[0, :3]
    amplitude = 10 ** (decibel / 20)

    def far(y):
        return np.linalg.norm(np.abs(spectrogram.stft(y))[:, :64] - amplitude) / np.linalg.norm(amplitude)

    few, many, other = (
        spectrogram.griffin_lim(decibel, 6000, np.random.default_rng(seed), iterations)
        for seed, iterations in ((0, 2), (0, 32), (1, 32))
    )
    assert far(many) < 0.1 < far(few)
    assert abs(np.corrcoef(many[0], other[0])[0, 1]) < 0.3
    assert np.array_equal(many, spectrogram.griffin_lim(decibel, 6000, np.random.default_rng(0), 32))


def test_zeros_are_the_floor():
    """Silence is -90 dB, not minus infinity."""
    assert (spectrogram.describe(np.zeros((1, 3, 6000)))[:, :3] == spectrogram.FLOOR_DB).all()
