"""Machines that hum: tones found in noise at their frequencies, none where there is none, and heard in motion."""

import numpy as np
import pytest
from scipy.signal import periodogram

import obspy_tng as tng
from obspy_tng import spectral_hum as sh
from obspy_tng.preprocessing import NPTS, windows

TONE_HZ = 20.7
TIME_S = np.arange(NPTS) / 100


def noisy(n, tone=0.0, seed=0):
    """Return white noise of sd 1 with a tone of an amplitude, of another phase in each record, shape (n, 3, NPTS)."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 2 * np.pi, (n, 1, 1))
    return rng.standard_normal((n, 3, NPTS)) + tone * np.cos(2 * np.pi * TONE_HZ * TIME_S + phase)


def found(waves):
    """Return what stands out of the noise before P at 10 s."""
    return sh.standing_out(np.array([sh.noise_lines(x, 10.0) for x in waves]))


def test_a_tone_stands_out_at_its_frequency_alone():
    """A tone of a through a Hann window has a sqrt(N / 6) of a line of noise of sd 1, times a mean ln of .29 less."""
    out = found(noisy(40, tone=0.5))
    peak = sh.HUM_HZ[out.argmax(axis=1)]
    assert peak == pytest.approx(np.full(3, TONE_HZ), abs=0.06)
    chance = 2.5 * 0.64 / np.sqrt(40)
    expected = np.log(0.5 * np.sqrt(820 / 6)) + 0.29 - chance
    assert out.max(axis=1) == pytest.approx(np.full(3, expected), abs=0.25)
    elsewhere = out[:, np.abs(sh.HUM_HZ - TONE_HZ) > 0.5]
    assert (elsewhere > 0).mean() < 0.02 and elsewhere.max() < 0.25


@pytest.mark.parametrize("n", [2, 10, 40])
def test_nothing_stands_out_of_noise_however_few_records(n):
    """2.5 times what chance does: a line in a hundred and less, and by little."""
    out = found(noisy(n, seed=n))
    assert out.shape == sh.SHAPE and (out > 0).mean() < 0.02 and out.max() < 1.2 / np.sqrt(n)


def test_the_gain_is_that_of_its_lines():
    """Noise with a gain of 1 in ln about one line has e² of its power there, and the same elsewhere."""
    gain = np.zeros(sh.SHAPE)
    line = int(np.argmin(np.abs(sh.HUM_HZ - TONE_HZ)))
    gain[1, line - 3 : line + 4] = 1.0
    noise = np.random.default_rng(1).standard_normal((40, 3, 6144))
    loud = np.array([sh.humming(x, gain) for x in noise])
    ratio = (np.abs(np.fft.rfft(loud)) ** 2).mean(axis=0) / (np.abs(np.fft.rfft(noise)) ** 2).mean(axis=0)
    away = np.abs(np.fft.rfftfreq(6144, 0.01) - sh.HUM_HZ[line])
    assert ratio[1, away < 0.25] == pytest.approx(np.e**2) and ratio[1, away > 0.5] == pytest.approx(1)
    assert ratio[[0, 2]] == pytest.approx(1)


def test_motion_of_a_pool_hums_as_its_records_and_that_of_an_adjusted_one_does_not():
    """Records with a tone in their noise: motion has it before P; adjusted to another site's H/V it has none."""
    recordings = tng.records(tng.simulate(n=10, seed=4), units="m/s2")
    plain = windows(recordings)
    noise = np.median([x[:, 100:950].std() for x in plain.x * np.exp(plain.ln_sd)[..., None]])
    for k, record in enumerate(recordings):
        record.data[:] += noise * np.cos(2 * np.pi * TONE_HZ * np.arange(record.data.shape[1]) / 100 + k)
    pool = tng.build_pool(recordings)
    assert pool.hum.shape == (1, *sh.SHAPE) and pool.hum.dtype == np.float16

    def tone(some):
        """Return the ln of power at the tone over that beside it, before P."""
        stream = tng.generate(pool=some, n=10, seed=2)
        hz, power = periodogram(np.array([t.data[150:950] for t in stream], dtype=float), 100, "hann")
        power = power.mean(axis=0)
        beside = (np.abs(hz - TONE_HZ) > 0.6) & (np.abs(hz - TONE_HZ) < 2)
        return np.log(power[np.abs(hz - TONE_HZ) < 0.2].mean() / power[beside].mean())

    assert tone(pool) > 4
    curve = np.geomspace(0.5, 20, 30), np.full(30, 2.0)
    adjusted = tng.retarget(curve, station="X", hosts=[pool])
    assert not adjusted.hum.any() and tone(adjusted) < 2  # the smooth spectrum of its hosts' noise has a little of it
