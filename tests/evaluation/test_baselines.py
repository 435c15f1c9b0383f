"""Naive generators: what each keeps exactly, what it keeps roughly, what it loses."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import baselines


@pytest.fixture
def pool():
    """Eight records of coloured noise under an envelope, the three components partly alike."""
    rng = np.random.default_rng(5)
    t = np.arange(4000) / 100
    envelope = np.where(t > 10, ((t - 10) / 3) * np.exp(1 - (t - 10) / 3), 0) + 0.01
    common = rng.normal(size=(8, 1, 4000))
    noise = np.cumsum(common + rng.normal(size=(8, 3, 4000)), axis=-1)
    noise = np.diff(noise[..., ::1] - np.roll(noise, 5, axis=-1), prepend=0, axis=-1)
    return noise * envelope * np.exp(rng.normal(size=(8, 1, 1)))


def test_mean_of_five_formula(pool):
    """Mean of the standardised parents times the arithmetic mean of their standard deviations, parents as told."""
    made, parents = baselines.mean_of_five(pool, 30, np.random.default_rng(0))
    assert made.shape == (30, 3, 4000) and made.dtype == np.float32 and parents.shape == (30, 5)
    for record, rows in zip(made, parents, strict=True):
        sd = pool[rows].std(axis=-1, keepdims=True)
        expected = ((pool[rows] - pool[rows].mean(axis=-1, keepdims=True)) / sd).mean(axis=0) * sd.mean(axis=0)
        np.testing.assert_allclose(record, expected, atol=2e-6 * np.abs(expected).max())


def test_mean_of_one_is_a_copy(pool):
    """With k = 1 nothing is averaged: the parent comes back, its mean removed."""
    made, parents = baselines.mean_of_five(pool, 10, np.random.default_rng(1), k=1)
    expected = pool[parents[:, 0]] - pool[parents[:, 0]].mean(axis=-1, keepdims=True)
    np.testing.assert_allclose(made, expected, atol=2e-6 * np.abs(pool).max())


def test_mean_of_independent_noise_is_weak():
    """Five different parents that do not interfere: sd 1/sqrt(5) of the parents', kurtosis as of noise."""
    noise = np.random.default_rng(2).normal(size=(400, 3, 500))
    made, parents = baselines.mean_of_five(noise, 200, np.random.default_rng(3))
    different = np.array([len(set(rows)) == 5 for rows in parents])
    assert made[different].std() == pytest.approx(1 / np.sqrt(5), rel=0.01)


def test_phase_shuffled_keeps_spectra(pool):
    """Fourier amplitudes and phases between components are those of the record; energy is spread over all time."""
    made = baselines.phase_shuffled(pool, np.random.default_rng(0))
    before, after = np.fft.rfft(pool), np.fft.rfft(made.astype(float))
    scale = np.abs(before).max(axis=-1, keepdims=True)
    np.testing.assert_allclose(np.abs(after) / scale, np.abs(before) / scale, atol=2e-6)
    cross = [s[:, 0] * np.conj(s[:, 2]) / (scale[:, 0] * scale[:, 2]) for s in (before, after)]
    np.testing.assert_allclose(cross[1], cross[0], atol=5e-6)
    third = [(x[..., 2700:].astype(float) ** 2).sum() / (x.astype(float) ** 2).sum() for x in (pool, made)]
    assert third[0] < 0.05 < 0.25 < third[1]


def test_phase_shuffled_odd_length_and_one_frequency():
    """Of a sine only its phase changes; an odd number of samples has no Nyquist frequency to keep real."""
    t = np.arange(501)
    sine = np.broadcast_to(np.sin(2 * np.pi * 20 * t / 501), (1, 3, 501))
    made = baselines.phase_shuffled(sine, np.random.default_rng(0))[0, 0]
    assert made.std() == pytest.approx(np.sqrt(0.5), rel=1e-5)
    assert abs(np.dot(made, sine[0, 0])) < 0.999 * np.dot(sine[0, 0], sine[0, 0])


def test_phase_scrambled_keeps_energy_in_time_and_frequency(pool):
    """Mean energy per 2 s and per octave stays within a few per cent, the waveform does not stay."""
    data = np.repeat(pool, 12, axis=0)
    made = baselines.phase_scrambled(data, np.random.default_rng(0)).astype(float)
    assert (made**2).sum() == pytest.approx((data**2).sum(), rel=0.05)
    unit = np.sqrt((data**2).sum(axis=(1, 2), keepdims=True))
    data, made = data / unit, made / unit
    in_time = [(x**2).reshape(96, 3, 20, 200).sum(axis=-1).mean(axis=(0, 1))[5:12] for x in (data, made)]
    np.testing.assert_allclose(in_time[1], in_time[0], rtol=0.15)
    power = [(np.abs(np.fft.rfft(x)) ** 2).mean(axis=(0, 1)) for x in (data, made)]
    edges = [40, 80, 160, 320, 640, 1280, 2000]  # bins of 1/40 Hz: 1 to 50 Hz
    in_frequency = [np.add.reduceat(p, edges)[:-1] for p in power]
    np.testing.assert_allclose(in_frequency[1], in_frequency[0], rtol=0.12)
    zero_lag = (data * made).sum(axis=(1, 2))
    assert np.abs(zero_lag).mean() < 0.2


def test_phase_scrambled_keeps_the_components_together(pool):
    """The same walk for E, N and Z: two equal components stay equal."""
    data = pool.copy()
    data[:, 1] = 2 * data[:, 0]
    made = baselines.phase_scrambled(data, np.random.default_rng(0))
    np.testing.assert_allclose(made[:, 1], 2 * made[:, 0], atol=1e-5 * np.abs(made).max())


@pytest.mark.parametrize("name", ["mean_of_five", "phase_shuffled", "phase_scrambled"])
def test_inputs_and_seeds(name, pool):
    """Inputs stay as they are; the same seed gives the same records, another seed others."""
    before = pool.copy()

    def make(seed):
        rng = np.random.default_rng(seed)
        if name == "mean_of_five":
            return baselines.mean_of_five(pool, 3, rng)[0]
        return getattr(baselines, name)(pool, rng)

    first = make(1)
    np.testing.assert_array_equal(first, make(1))
    assert not np.array_equal(first, make(2))
    np.testing.assert_array_equal(pool, before)
    assert first.dtype == np.float32 and np.isfinite(first).all()


@pytest.mark.parametrize("shape", [(0, 3, 10), (2, 2, 10), (3, 10)])
def test_wrong_shape(shape):
    """The message tells the shape given and the shape accepted."""
    with pytest.raises(TNGError, match=r"\(n, 3, npts\)"):
        baselines.phase_shuffled(np.zeros(shape), np.random.default_rng(0))
