"""How rough spectra are: a random gain of known size is told, and that of a site is found."""

import numpy as np
import pytest

import obspy_tng as tng
from obspy_tng import spectral
from obspy_tng import spectral_missed as sm
from obspy_tng.calibration import onsets
from obspy_tng.calibration_site import tuned
from obspy_tng.preprocessing import NPTS, land, windows
from obspy_tng.spectral_rough import MIDDLE_HZ, MOST, SHAPE, USUAL, changed, steps


def rougher(x, size, rng):
    """Return motion filtered by random ln gains of a size, drawn every 0.8 Hz."""
    nodes_hz = np.arange(0, 51, 0.8)
    ln = size * np.interp(np.fft.rfftfreq(2 * NPTS, 0.01), nodes_hz, rng.standard_normal(len(nodes_hz)))
    return np.fft.irfft(np.fft.rfft(x, 2 * NPTS) * np.exp(ln))[..., :NPTS]


@pytest.mark.parametrize("size", [0.2, 0.35])
def test_a_gain_of_known_size_is_told(size):
    """White noise, and the same through a random gain: what its steps are larger by is the gain's size."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((120, 3, NPTS))
    plain = np.mean([steps(x, 10.0) for x in noise], axis=0)
    found = np.mean([steps(rougher(x, size, rng), 10.0) for x in noise], axis=0)
    assert plain.shape == SHAPE and plain == pytest.approx(np.full(SHAPE, plain.mean()), rel=0.03)
    assert changed(np.zeros(SHAPE), found, plain).mean() == pytest.approx(size, rel=0.25)
    assert changed(np.full(SHAPE, size), plain, found).mean() < 0.3 * size


def test_sizes_stay_within_limits_and_steps_know_no_level():
    """No gain below nothing or above MOST, whatever is wanted; a louder record is no rougher."""
    x = np.random.default_rng(2).standard_normal((3, NPTS))
    assert steps(30 * x, 10.0) == pytest.approx(steps(x, 10.0))
    one = np.ones(SHAPE)
    assert (changed(USUAL, 0 * one, 2 * one) == 0).all() and (changed(USUAL, 9 * one, one) == MOST).all()
    assert changed(USUAL, one, one) == pytest.approx(USUAL)
    assert (np.diff(MIDDLE_HZ) > 8).all() and MIDDLE_HZ[0] > 4 and MIDDLE_HZ[-1] < 48


def test_motion_is_as_rough_as_the_records_of_its_site():
    """Records through a gain of .4 make a pool of rougher motion, nearer to them than motion of usual roughness."""
    model, rng = tng.load_model("tng-spectral-1"), np.random.default_rng(5)
    cut = windows(tng.records(tng.simulate(n=10, seed=4), units="m/s2"))
    waves = np.array([rougher(x, 0.4, rng) for x in cut.x * np.exp(cut.ln_sd)[..., None]])
    known = spectral.describe(waves, cut.s_s)
    latents, ln_sd = model.coded(known)[0], np.repeat(known.ln_scale[:, None], 3, axis=1)
    at = [onsets(*x)[0] for x in zip(known.extra[:, 0], known.ln_sp, strict=True)]

    def mean_steps(waves):
        return np.mean([steps(x, p_s) for x, p_s in zip(land(np.array(waves, dtype=float)), at, strict=True)])

    def made(kept):
        shared = model.site(latents, **kept)
        rngs = (np.random.default_rng([5, i]) for i in range(len(latents)))
        return mean_steps([model.render(*x, site=shared) for x in zip(latents, ln_sd, rngs, strict=True)])

    kept = tuned(model, waves, latents, ln_sd, np.zeros(sm.SHAPE))
    wanted, before, after = mean_steps(waves), made({**kept, "rough": USUAL}), made(kept)
    assert kept["rough"].shape == SHAPE and kept["rough"].mean() > USUAL.mean() + 0.05
    assert wanted > after > before, (wanted, before, after)
