"""What codes of one site miss: block means, nearer to nothing of few records, and back onto the lattice."""

from dataclasses import replace

import numpy as np
import pytest

import obspy_tng as tng
from obspy_tng import spectral
from obspy_tng import spectral_missed as sm
from obspy_tng.models.spectral_autoencoder import SpectralAutoencoder
from obspy_tng.pool import pool_files
from obspy_tng.pool_check import OF_SITE
from obspy_tng.preprocessing import windows

LN_SP = np.log([3.0, 25.0])


def test_blocks_are_means_of_what_lies_inside():
    """A field that is of one value per block is given back; what is beyond the end, or not known, does not count."""
    truth = np.random.default_rng(0).normal(size=sm.SHAPE)
    fields = np.tile(np.repeat(truth, np.diff(sm.FRAMES, append=spectral.NT), 1), (2, 1, 1, 1))
    fields[np.broadcast_to(~spectral.inside(LN_SP)[:, None, :, None], fields.shape)] = 99.0
    assert (fields[1] == 99.0).any()
    fields[0, :, sm.FRAMES[-1] :] = np.nan
    fields[0, 1, sm.FRAMES[4]] = np.nan
    each = sm.block_means(fields, LN_SP)
    assert each[0, :, :-1] == pytest.approx(truth[:, :-1]) and np.isnan(each[0, :, -1]).all()
    assert each[1] == pytest.approx(truth)


def test_few_records_tell_half():
    """n records count n / (n + 5); blocks that no record holds are nothing."""
    each = np.full((5, *sm.SHAPE), 0.8)
    each[:, :, -1] = np.nan
    site = sm.of_site(each)
    assert site[:, :-1] == pytest.approx(np.full_like(site[:, :-1], 0.4), abs=1e-3)
    assert (site[:, -1] == 0).all()


def test_spread_has_the_mean_of_its_blocks_and_no_step_at_p():
    """Constant blocks are a constant; noise before P and motion after it do not leak into each other."""
    assert sm.spread(np.ones(sm.SHAPE)) == pytest.approx(np.ones((3, spectral.NT, spectral.NB)))
    blocks = np.zeros(sm.SHAPE)
    blocks[:, np.searchsorted(sm.FRAMES, spectral.NP_) :] = 1.0
    out = sm.spread(blocks)
    assert (out[:, : spectral.NP_] == 0).all() and out[:, spectral.NP_ :] == pytest.approx(1.0)


def test_motion_holds_what_was_missed():
    """A pool whose codes miss 1 ln of power of a part of the coda makes more of it, as far as its spectrum allows."""
    model = tng.load_model("tng-spectral-1")
    pool = tng.LatentPool.load(pool_files()["CI.CWC"])
    blocks = np.zeros(sm.SHAPE)
    late, high = slice(9, 12), slice(20, 32)
    blocks[:, late, high] = 1.0
    powers = []
    for missed in (None, blocks):
        site = model.site(pool.latents, missed)
        wave = model.render(pool.latents[0], pool.ln_sd[0], np.random.default_rng(0), site=site)
        s_s = np.array([10 + np.exp(model.unpack(pool.latents[:1]).ln_sp[0])])
        powers.append(spectral.describe(wave[None], s_s).ln_power[0])
    inner = slice(sm.FRAMES[9] + 3, sm.FRAMES[12] - 3)
    more, rest = ((powers[1] - powers[0])[:, inner, bands].mean() for bands in (slice(23, 29), slice(2, 14)))
    assert 0.35 < more - rest < 1.1, (more, rest)


def test_pools_keep_it_and_uncalibrated_networks_do_not_know_it(tmp_path):
    """A pool saved and read generates the same; without calibration nothing is usual, and nothing is kept."""
    model = tng.load_model("tng-spectral-1")
    records = tng.records(tng.simulate(n=4, seed=3), units="m/s2")
    pool = tng.build_pool(records, model=model, kind="simulated")
    assert pool.missed.shape == (1, *sm.SHAPE) and 0.01 < np.abs(pool.missed.astype(float)).mean() < 1
    back = tng.LatentPool.load(pool.save(tmp_path / "pool.h5"))
    assert back.sha256() == pool.sha256()
    assert np.array_equal(*(tng.generate(pool=p, seed=1)[0].data for p in (pool, back)))
    bare = SpectralAutoencoder(type(model.network)(model.network.config).fuse().eval(), dict(model.card), "cpu")
    assert tng.build_pool(records, model=bare, kind="simulated").missed.size == 0


def test_what_is_taken_out_of_motion_is_not_missed():
    """A later calibration changes what motion is made from, not what codes of a site miss."""
    cut = windows(tng.records(tng.simulate(n=3, seed=3), units="m/s2"))
    model = tng.load_model("tng-spectral-1")
    before = model.remembered(cut)[2]
    power, extra = model.taken_out()
    model.take_out(power + 1.0, extra)
    assert np.array_equal(model.remembered(cut)[2], before, equal_nan=True)


def test_damage_is_told(tmp_path):
    """Not finite, or of another shape than the model's: one line, and no motion."""
    pool = tng.LatentPool.load(pool_files()["CI.CWC"])
    for key in OF_SITE:
        bad = getattr(pool, key).copy()
        assert bad.size
        with pytest.raises(tng.TNGError, match=f"is damaged: {key}"):
            tng.generate(pool=replace(pool, **{key: bad[:, :1]}), seed=1)
        bad.flat[0] = np.nan
        with pytest.raises(tng.TNGError, match=f"is damaged: {key}"):
            tng.LatentPool.load(replace(pool, **{key: bad}).save(tmp_path / "nan.h5"))
