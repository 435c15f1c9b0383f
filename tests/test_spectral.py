"""Spectral description: lattice, power, noise, coherency and onset against closed forms."""

import numpy as np
import pytest

from obspy_tng import spectral, spectral_coherency, spectral_extra
from obspy_tng.errors import TNGError


def noise(n, seed=0):
    """Return white noise of n records."""
    return np.random.default_rng(seed).normal(size=(n, 3, 6000))


def test_lattice_follows_the_onsets():
    """Frame NP_ stands at P and frame NP_ + N_PS at S, in order, for any S−P."""
    for sp_s in (0.3, 4.0, 20.0):
        times = spectral.lattice(sp_s, 10.1)
        assert times[spectral.NP_] == pytest.approx(10.1)
        assert times[spectral.NP_ + spectral.N_PS] == pytest.approx(10.1 + sp_s)
        assert (np.diff(times) > 0).all() and len(times) == spectral.NT


def test_power_of_white_noise():
    """Frames of white noise of variance 4 have a mean power of 4 in every band but those at 0 Hz and Nyquist."""
    power = np.mean([spectral.periodograms(2 * x, spectral.lattice(5.0)) for x in noise(20)], axis=(0, 1))
    assert power[:110, 1:-1].mean(axis=0) == pytest.approx(np.full(spectral.NB - 2, 4.0), rel=0.2)


def test_describe_is_free_of_scale():
    """Ten times the motion changes ln scale by ln 10 and nothing else."""
    x = noise(1)
    x[..., 1000:] *= 20
    one, ten = spectral.describe(x, [14.0]), spectral.describe(10 * x, [14.0])
    assert ten.ln_scale - one.ln_scale == pytest.approx(np.log(10), abs=1e-5)
    for name in ("ln_power", "ln_spectrum", "extra", "ln_sp"):
        assert np.allclose(getattr(one, name), getattr(ten, name), atol=1e-4), name


@pytest.mark.parametrize("late", [-20, 0, 35])
def test_onset(late):
    """A step of variance is found, 0.02 s early: real motion has begun by then."""
    x = noise(1, 3)[0]
    x[:, 1000 + late :] *= 30
    extra = spectral_extra.split_extra(spectral.describe(x[None], [14.0]).extra[0])
    assert extra.onset_s == pytest.approx(late / 100 - 0.02, abs=0.03)


def test_noise_spectrum():
    """White noise of unit variance has a Fourier amplitude of sqrt(pi/4 · samples) on average, before P as well."""
    found = np.exp([spectral_extra.noise_spectrum(x, 10.0) for x in noise(60)]).mean(axis=(0, 1))
    assert found[8:] == pytest.approx(np.full(len(found) - 8, np.sqrt(np.pi / 4 * 6000)), rel=0.06)


def test_coherency_of_mixed_noise():
    """N = 0.6 E + 0.8 other has coherency .6 with E; Z a quarter period behind E has coherency of size 1, imaginary."""
    x = np.random.default_rng(2).normal(size=(3, 6000))
    x[1] = 0.6 * x[0] + 0.8 * x[1]
    x[2] = np.imag(np.fft.ifft(np.fft.fft(x[0]) * np.sign(np.fft.fftfreq(6000)) * 2)) / 2
    extra = spectral_extra.split_extra(spectral.describe(x[None], [16.0]).extra[0])
    for last in (extra.coherency[-1, 1:], extra.fine[1:-1]):
        assert last[:, 0].real == pytest.approx(np.full(len(last), 0.6), abs=0.2)
        assert (np.abs(last[:, 1].imag) > 0.9).all() and (np.abs(last[:, 1].real) < 0.2).all()
    every = spectral_coherency.at_bands(extra, np.ones((spectral_extra.N_SECTIONS, spectral.NB)))
    assert every.shape == (spectral_extra.N_SECTIONS, spectral.NB, 3)
    coarse = spectral.BAND_HZ >= 20
    assert every[2, coarse].mean(axis=0) == pytest.approx(extra.coherency[2, -1], abs=0.03)


def test_extra_numbers_come_back():
    """What is joined is split again: onset, noise, first instants, coherency."""
    rng = np.random.default_rng(0)
    blank = spectral_extra.split_extra(np.zeros(spectral_extra.N_EXTRA))
    given = [
        0.11, *(rng.normal(size=x.shape) for x in (blank.ln_noise, blank.ln_early, blank.ln_first)),
        *(0.5 * np.exp(1j * rng.uniform(0, 6, x.shape)) for x in (blank.coherency, blank.fine)),
    ]  # fmt: skip
    joined = spectral_extra.join(given[0], np.concatenate([x.ravel() for x in given[1:4]]), *given[4:])
    assert joined.shape == (spectral_extra.N_EXTRA,)
    onset = joined[-spectral_extra.N_COHERENCY :][spectral_extra.OF_ONSET]
    size = np.arctanh(0.5)
    assert np.abs(onset[:15] + 1j * onset[15:]) == pytest.approx(np.full(15, size))
    for a, b in zip(given, spectral_extra.split_extra(joined), strict=True):
        assert np.allclose(a, b)


def test_first_instants():
    """A 4 Hz wave that sets in at P lies in the band of 2.8-5.6 Hz: half its square times the gain there."""
    x = np.zeros((3, 6000))
    t = np.arange(5000) / 100
    x[:, 1000:] = 2.0 * np.sin(2 * np.pi * 4.0 * t)
    ln_square, motion = spectral_extra.early(x, 10.0)
    assert (ln_square.argmax(axis=1) == 2).all()
    below, above = np.tan(np.pi * 4.0 / 100) / np.tan(np.pi * np.array([2.8, 5.6]) / 100)
    gain = (below**4 / (1 + below**4)) ** 2 / (1 + above**4)  # of Butterworth: fourth order below, second above
    assert np.exp(ln_square[:, 2, -1]) == pytest.approx(np.full(3, 2.0 * gain), rel=0.1)
    assert np.abs(motion[..., 0]).max() < 0.1


def test_first_motion_of_a_pulse():
    """A pulse of one direction has the cross spectra d dᵀ |u|² in every band; later on Z, it turns phases."""
    t = np.arange(6000) / 100 - 10
    pulse = np.where(t > 0, np.sin(2 * np.pi * 3.0 * t) * np.exp(-t / 0.15), 0.0)
    d = np.array([0.5, -1.0, 2.0])
    found = spectral_extra.first_motion(d[:, None] * pulse, 10.0)
    share = found / found[:, :1, :1]
    assert share == pytest.approx(np.broadcast_to(np.outer(d, d) / d[0] ** 2, share.shape), abs=1e-9)
    line = np.fft.rfft(pulse[1000 - 64 : 1000 + 64] * spectral_extra.hann(128))[1:]
    assert found[0, 0, 0].real == pytest.approx(d[0] ** 2 * (np.abs(line[:2]) ** 2).sum())  # 0.78 and 1.56 Hz
    late = np.array([pulse, pulse, np.roll(pulse, 2)])
    phase = np.angle(spectral_extra.first_motion(late, 10.0)[1, 0, 2])
    assert phase == pytest.approx(2 * np.pi * 3.0 * 0.02, rel=0.35)  # of the band from 2 to 5 Hz


def test_smoothing_stops_at_p():
    """A step of power at P stays a step."""
    ln = np.zeros((3, spectral.NT, spectral.NB))
    ln[:, spectral.NP_ :] = 8.0
    assert spectral.smooth_power(ln) == pytest.approx(ln, abs=1e-5)


def test_errors():
    """Wrong shapes, unknown S and dead components are named."""
    with pytest.raises(TNGError, match=r"\(1, 3, 500\)"):
        spectral.describe(np.ones((1, 3, 500)), [12.0])
    with pytest.raises(TNGError, match="1 of 1 S onsets"):
        spectral.describe(noise(1), [np.nan])
    with pytest.raises(TNGError, match="without motion"):
        spectral.describe(np.zeros((1, 3, 6000)), [12.0])
