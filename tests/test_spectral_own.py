"""What of a deviation from its site is a record's own: closed forms of variances, and motion that scatters as told."""

from dataclasses import replace

import numpy as np
import pytest

import obspy_tng as tng
from obspy_tng import spectral, spectral_extra, spectral_missed, spectral_own
from obspy_tng.calibration_site import tuned
from obspy_tng.models import spectral_autoencoder
from obspy_tng.pool import pool_files
from obspy_tng.preprocessing import land, windows


def drawn(seed, event, chance, n=3000):
    """Return ln power of records, and twice of what is made of codes that hold their chance too, and of stations."""
    rng = np.random.default_rng(seed)
    station = np.repeat(["A", "B", "C"], n // 3)
    theirs = rng.normal(size=(3, 3, 4))[np.repeat([0, 1, 2], n // 3)]
    code = theirs + rng.normal(0, np.hypot(event, chance), (n, 3, 4))
    return code, *(code + rng.normal(0, chance, (n, 3, 4)) for _ in range(2)), station


@pytest.mark.parametrize(("event", "chance"), [(1.0, 0.5), (0.6, 0.6), (0.5, 1.0)])
def test_shares_are_those_of_the_closed_form(event, chance):
    """Of codes with variance e² + c², s² (e² + c²) + c² = e² + c² gives s² = e² / (e² + c²), whatever stations are."""
    found = spectral_own.shares(*drawn(0, event, chance))
    assert found[1:] == pytest.approx(np.full((2, 4), np.sqrt(event**2 / (event**2 + chance**2))), abs=0.05)


def test_chance_alone_is_not_passed_on():
    """Where records of a station differ by chance alone, ratios have no share; the level keeps .9 (square .8)."""
    found = spectral_own.shares(*drawn(1, 0.0, 1.0))
    assert (found[1:] < 0.25).all() and found[0] == pytest.approx(np.full(4, np.sqrt(0.8)))


def test_what_no_record_holds_is_finite():
    """Blocks beyond the end of all records have no variance, and no share: motion is not made there."""
    code, made, again, station = drawn(3, 1.0, 0.5, n=60)
    for x in (code, made, again):
        x[:, :, -1] = np.nan
    found = spectral_own.shares(code, made, again, station)
    assert np.isfinite(found).all() and (found[1:, -1] == 0).all()


def test_neighbours_are_averaged_but_not_across_p():
    """A constant stays; what lies before P, or in the bands of long frames, does not leak to the other side."""
    assert spectral_own.neighbours(np.ones(spectral_missed.SHAPE)) == pytest.approx(np.ones(spectral_missed.SHAPE))
    step = np.zeros(spectral_missed.SHAPE)
    p = np.searchsorted(spectral_missed.FRAMES, spectral.NP_)
    step[:, p:, spectral.N_LOW :] = 1.0
    assert np.array_equal(spectral_own.neighbours(step), step)


def test_few_records_tell_nothing():
    """Stations of four records have no variance that counts."""
    code, made, again, _ = drawn(2, 1.0, 1.0, n=12)
    assert spectral_own.shares(code, made, again, np.repeat(["A", "B", "C"], 4)) is None


def test_own_keeps_each_mode_by_its_share():
    """Equal deviations are level, opposite ones of E and N their ratio, of horizontals and vertical H/Z."""
    share = np.array([1.0, 0.5, 0.2])[:, None]
    for deviation, kept in (((1, 1, 1), 1.0), ((1, -1, 0), 0.2), ((1, 1, -2), 0.5)):
        one = np.array(deviation, dtype=float)[:, None]
        assert spectral_own.own(one, share) == pytest.approx(kept * one)
    anything = np.random.default_rng(0).normal(size=(3, 5, 7))
    assert spectral_own.own(anything, np.ones((3, 1, 1))) == pytest.approx(anything)


def test_motion_is_made_of_the_kept_deviations(monkeypatch):
    """Halves of the deviations of H/Z and E/N, whole ones of the level, of power and of the first instants alike."""
    pool = tng.LatentPool.load(pool_files()["CI.WMF"])
    model = tng.load_model("tng-spectral-1")
    for buffer in (model.network.own_power, model.network.own_early):
        buffer[0], buffer[1:] = 1.0, 0.5
    model.network.extra_excess.zero_()
    given = []
    monkeypatch.setattr(spectral_autoencoder, "synthesise", lambda *told: given.append((told[0], told[2])))
    site = model.site(pool.latents)
    for some in (None, site):
        model.render(pool.latents[0], pool.ln_sd[0], None, site=some)
    (power, extra), (kept, kept_extra) = given
    early, kept_early = (spectral_extra.split_extra(x).ln_early for x in (extra, kept_extra))
    kept = kept - spectral_own.sharper(power - site.power)  # of the level, which is kept whole
    for whole, half, mean in ((power, kept, site.power), (early, kept_early, spectral_extra.told_early(site.told))):
        a, b = whole - mean, half - mean
        assert b.mean(axis=0) == pytest.approx(a.mean(axis=0), abs=1e-4) and np.abs(a).max() > 0.1
        assert b[0] - b[1] == pytest.approx((a[0] - a[1]) / 2, abs=1e-4)
        assert b[:2].mean(axis=0) - b[2] == pytest.approx((a[:2].mean(axis=0) - a[2]) / 2, abs=1e-4)
    noise, kept_noise = (spectral_extra.split_extra(x).ln_noise for x in (extra, kept_extra))
    a, b = (x - spectral_extra.told_noise(site.told) for x in (noise, kept_noise))
    assert b.mean(axis=0) == pytest.approx(a.mean(axis=0), abs=1e-4)
    share = np.sqrt(0.25 + 0.3 * 0.75)  # of noise a little more is kept
    assert b[0] - b[1] == pytest.approx(share * (a[0] - a[1]), abs=1e-4) and np.abs(a[0] - a[1]).max() > 0.1
    rest = np.arange(len(extra)) > spectral_extra.N_NOISE + spectral_extra.N_EARLY
    assert extra[0] == kept_extra[0] and np.array_equal(extra[rest], kept_extra[rest])  # onset, first motion, coherency


def test_shares_of_noise_are_those_of_the_first_block():
    """Between bands linear in Hz; nearer to one than those of the blocks, and what is above one stays."""
    blocks = np.zeros((3, 14, spectral.NB))
    blocks[0, 0], blocks[1, 0], blocks[2, 1:] = 1.1, np.where(spectral.BAND_HZ < 10, 0.0, 0.6), 1.0
    level, hz, en = spectral_own.of_noise(blocks)
    assert level == pytest.approx(np.full(level.shape, 1.1)) and en == pytest.approx(np.full(en.shape, np.sqrt(0.3)))
    above = spectral_extra.NOISE_HZ > 11
    assert hz[above] == pytest.approx(np.sqrt(0.36 + 0.3 * 0.64)) and hz[0] == pytest.approx(np.sqrt(0.3))


def test_ratios_of_made_motion_scatter_less():
    """E/N of the coda of a shipped pool scatters less than it does with all that its codes tell."""
    pool = tng.LatentPool.load(pool_files()["CI.WMF"])
    model = tng.load_model("tng-spectral-1")
    spread = []
    for whole in (False, True):
        if whole:
            model.network.own_power.fill_(1.0)
        waves = np.array([t.data for t in tng.generate(pool=pool, model=model, n=24, seed=3)]).reshape(24, 3, -1)
        power = (np.abs(np.fft.rfft(waves[..., 4000:5600])) ** 2)[..., 16:80].sum(axis=-1)  # 1 to 5 Hz
        spread.append(np.std(np.log(power[:, 0] / power[:, 1])))
    assert spread[0] < 0.92 * spread[1], spread


def test_a_site_of_equal_codes_has_no_deviations():
    """Shares are of deviations from the pool's mean: motion of a pool of one code, twice, does not hang on them."""
    pool = tng.LatentPool.load(pool_files()["CI.WMF"])
    one = replace(
        pool, latents=np.repeat(pool.latents[:1], 2, axis=0), ln_sd=pool.ln_sd[:2], parents=pool.parents[:2],
        magnitude=pool.magnitude[:2], distance_km=pool.distance_km[:2], pga_mps2=pool.pga_mps2[:2],
        groups=pool.groups[:2],
    )  # fmt: skip
    model = tng.load_model("tng-spectral-1")
    before = tng.generate(pool=one, model=model, seed=1, sampler="mean")[0].data
    model.network.own_power.fill_(0.5)
    assert tng.generate(pool=one, model=model, seed=1, sampler="mean")[0].data == pytest.approx(before, rel=1e-4)


def test_what_deviates_for_long_is_not_made_sharper():
    """Of level common to bands and components from S on: nothing of a constant; of a peak more the horizontals."""
    s, low = spectral.NP_ + spectral.N_PS, 4  # bands up to 1.2 Hz stay
    deviation = np.ones((3, spectral.NT, spectral.NB))
    assert spectral_own.sharper(deviation) == pytest.approx(np.zeros(deviation.shape))
    deviation[:, [s - 10, s + 12], low:] += 1.0  # before S it is none
    deviation[0, s + 12] += 1.0
    deviation[1, s + 12] -= 1.0  # of one component more, of another less: no level
    found = spectral_own.sharper(deviation)
    for times, component in zip((1.25, 1.25, 0.75), found, strict=True):
        assert component[s + 12, low:] == pytest.approx(np.full(spectral.NB - low, times * (1 - 1 / 25)))
        assert component[s + 13, low:] == pytest.approx(np.full(spectral.NB - low, -times / 25))
    assert (found[:, : s - 2] == 0).all() and (found[..., :low] == 0).all()
    assert spectral_own.sharper(deviation, 2 * spectral_own.SHARPER) == pytest.approx(2 * found)
    assert (spectral_own.sharper(deviation, np.zeros(3)) == 0).all()


def test_crest_and_what_is_done_about_it():
    """ln sqrt(2) of a sinusoid; nothing where none is lacking, more where motion is too blunt, within limits."""
    sinusoid = np.sin(2 * np.pi * np.arange(6000) / 40)
    assert spectral_own.crest(np.stack([sinusoid, 5 * sinusoid])) == pytest.approx([np.log(2) / 2] * 2)
    usual = spectral_own.SHARPER
    assert np.array_equal(spectral_own.sharpened(usual, np.zeros(3)), usual)
    assert (spectral_own.sharpened(usual, np.full(3, 0.05)) > usual + 0.5).all()
    assert (spectral_own.sharpened(usual, np.full(3, 9.0)) == spectral_own.MOST_SHARP).all()
    assert (spectral_own.sharpened(usual, np.full(3, -9.0)) == spectral_own.LEAST_SHARP).all()


def test_sharper_peaks_of_a_site_are_found():
    """A fifth of a second about the peak of each record 2.5 times as strong: its pool asks for sharper ones."""
    model = tng.load_model("tng-spectral-1")
    cut = windows(tng.records(tng.simulate(n=10, seed=4), units="m/s2"))
    plain = cut.x * np.exp(cut.ln_sd)[..., None]
    peaked = plain.copy()
    for wave in peaked:
        at = int(np.abs(wave).max(axis=0).argmax())
        wave[:, at - 10 : at + 10] *= 2.5

    sharp = []
    for waves in (plain, peaked):
        known = spectral.describe(waves, cut.s_s)
        latents, ln_sd = model.coded(known)[0], np.repeat(known.ln_scale[:, None], 3, axis=1)
        sharp.append(tuned(model, waves, latents, ln_sd, np.zeros(spectral_missed.SHAPE))["sharp"].mean())
    assert sharp[1] > sharp[0] + 0.4, sharp


def test_motion_of_a_site_is_as_sharp_as_it_is_told():
    """Four times what deviates shortly makes higher peaks over the rms than none of it, of the same codes and noise."""
    pool = tng.LatentPool.load(pool_files()["CI.WMF"])
    model, crest = tng.load_model("tng-spectral-1"), []
    for sharp in (spectral_own.LEAST_SHARP, spectral_own.MOST_SHARP):
        site = model.site(pool.latents, **{**pool.of_site(), "sharp": np.full(3, sharp)})
        told = zip(pool.latents[:16], pool.ln_sd, range(16), strict=False)
        waves = [model.render(*x, np.random.default_rng([5, k]), site=site) for *x, k in told]
        crest.append(spectral_own.crest(land(np.array(waves))).mean())
    assert crest[1] > crest[0] + 0.1, crest
