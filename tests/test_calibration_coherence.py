"""Coherence of components, measured and brought about: closed forms, and noise polarised as it is told to be."""

import numpy as np
import pytest

from obspy_tng import calibration_coherence as cc
from obspy_tng import spectral, spectral_extra, spectral_noise
from obspy_tng.preprocessing import NPTS
from obspy_tng.spectral_noise import AS_TOLD

SHAPE = spectral_extra.N_SECTIONS, spectral.NB


def test_equal_components_are_coherent_and_independent_ones_are_not():
    """One wave on all components: z of the largest coherence told. Independent noise: that of chance, 1/sqrt(N)."""
    rng = np.random.default_rng(0)
    one, three = np.repeat(rng.normal(size=(1, NPTS)), 3, axis=0), rng.normal(size=(3, NPTS))
    moments, parts, _ = cc.measured(one, 10.0, 8.0)
    assert moments.shape == parts.shape == SHAPE
    assert moments[:, 2:] == pytest.approx(np.full_like(moments[:, 2:], np.arctanh(0.99)))
    assert parts[:, 2:] == pytest.approx(np.full_like(parts[:, 2:], np.arctanh(0.99)))
    moments, parts, _ = cc.measured(three, 10.0, 8.0)
    assert parts[-1, 8:].mean() < 0.25  # the coda: hundreds of frames, of half that many independent ones
    # a moment is a mean of four lines, two independent pairs at most: |coherence| of 2 to 3 degrees of freedom
    assert 0.6 < moments[-1, 8:].mean() < 1.0


def test_a_part_too_short_for_a_moment_is_not_known():
    """Between the first seconds of P and S there is no room for 1.9 s if S-P is 2 s."""
    moments, parts, _ = cc.measured(np.random.default_rng(1).normal(size=(3, NPTS)), 10.0, 2.0)
    assert np.isnan(moments[spectral_extra.ONSET + 2]).all() and np.isfinite(parts).all()


def test_no_excess_changes_nothing_and_too_much_is_lowered():
    """Gains fall with what parts have too much, polarisation with what moments have, never below none."""
    nothing, one = np.zeros(SHAPE), np.ones(SHAPE)
    same = AS_TOLD.changed(*cc.correction(nothing, nothing, one))
    assert np.array_equal(same.gain, AS_TOLD.gain) and np.array_equal(same.polarised, AS_TOLD.polarised)
    more = AS_TOLD.changed(*cc.correction(-0.1 * one, 0.1 * one, one))
    assert (more.gain < 1).all() and (more.gain > 0.8).all()
    live = slice(0, spectral_extra.ONSET + 3)
    assert (more.polarised[live] > 0.5).all() and (more.polarised[live.stop :] == 0).all()
    less = more.changed(*cc.correction(one, nothing, one))
    assert (less.polarised == 0).all() and np.array_equal(less.gain, more.gain)


def test_waves_add_coherence_but_no_scatter_of_ratios():
    """Along waves of one strength on all components noise is more coherent; ratios of its components scatter less."""
    edges = np.array([0, 1000, 1035, 1250, 1800, 1950, 2800, 3200, 3800, spectral_noise.LENGTH])
    share = np.zeros(SHAPE, np.float32)
    share[:6] = 2.0
    found = []
    for some in (np.zeros(SHAPE, np.float32), share):
        rng = np.random.default_rng(2)
        noise = spectral_noise.polarised(spectral_noise.narrow(rng), edges, some, rng).real.sum(axis=0)
        frames = np.fft.rfft(noise[:, :2688].reshape(3, -1, 128))[..., 8:56].reshape(3, -1, 12, 4)
        power = (np.abs(frames) ** 2).mean(axis=-1)
        cross = np.abs((frames[0] * frames[1].conj()).mean(axis=-1)) / np.sqrt(power[0] * power[1])
        found.append((cross.mean(), np.log(power[0] / power[1]).std(), power.mean(axis=(1, 2))))
    (plain, scatter, _), (coherent, less, power) = found
    assert coherent > plain + 0.15 and less < 0.95 * scatter
    assert power / power.mean() == pytest.approx(np.ones(3), abs=0.15)


def test_noise_that_is_told_of_no_waves_is_left_alone():
    """No polarisation draws no random numbers: what follows is the same."""
    rng, same = np.random.default_rng(3), np.random.default_rng(3)
    bands = spectral_noise.narrow(rng)
    spectral_noise.narrow(same)
    out = spectral_noise.polarised(bands, np.arange(10) * 100, AS_TOLD.polarised, rng)
    assert out is bands and rng.random() == same.random()
