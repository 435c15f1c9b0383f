"""Coherency by part and band: measured as it was made, told as it is known of the site, heard in motion."""

import numpy as np
import pytest
from scipy.signal import coherence

import obspy_tng as tng
from obspy_tng import spectral
from obspy_tng import spectral_coherency as sc
from obspy_tng import spectral_extra as se
from obspy_tng.pool import pool_files
from obspy_tng.preprocessing import NPTS

BAND = int(np.argmin(np.abs(spectral.BAND_HZ - 14.0)))  # in the coarse one from 10 to 20 Hz
SAME = sc.COARSE[BAND] == sc.COARSE
WEIGHT = np.ones((se.N_SECTIONS, spectral.NB))
CODA = se.PART_OF == se.N_PARTS - 1


def told(coarse=0.3, fine=0.2):
    """Return numbers of a record with one coherency in all coarse bands and another in all fine ones of the coda."""
    blank = se.split_extra(np.zeros(se.N_EXTRA))
    return blank._replace(coherency=np.full_like(blank.coherency, coarse), fine=np.full_like(blank.fine, fine))


def site(size=0.6, share=1.0, gain=1.0):
    """Return a site whose components hang together in one band alone."""
    mean = np.zeros((se.N_SECTIONS, spectral.NB, sc.N_PAIRS), dtype=complex)
    mean[:, BAND] = size
    return sc.SiteCoherency(mean, share, np.full(mean.shape, np.log(gain)), np.zeros_like(mean))


def test_of_mixed_noise():
    """N = 0.6 E + 0.8 other has coherency .6 with E in every band; Z, a quarter period behind E, an imaginary one."""
    x = np.random.default_rng(2).normal(size=(3, NPTS))
    x[1] = 0.6 * x[0] + 0.8 * x[1]
    x[2] = np.imag(np.fft.ifft(np.fft.fft(x[0]) * np.sign(np.fft.fftfreq(NPTS)) * 2)) / 2
    found = sc.finely(x, 10.0, 6.0)
    assert found.shape == (se.N_SECTIONS, spectral.NB, sc.N_PAIRS)
    coda = found[-1, spectral.N_LOW : -1]  # the last one is of half as many lines
    assert coda[:, 0].real == pytest.approx(np.full(len(coda), 0.6), abs=0.2)
    assert coda[:, 0].real.mean() == pytest.approx(0.6, abs=0.03)
    assert (np.abs(coda[:, 1].imag) > 0.9).all() and (np.abs(coda[:, 1].real) < 0.2).all()
    assert np.array_equal(found[se.ONSET], found[se.ONSET + 1])


def test_means_over_coarse_bands_stay_as_told():
    """Whatever the site, with a gain too: the mean of each coarse band of each part is the code's; so is the coda."""
    for some in (None, site(), site(0.5, 0.6, 1.5)):
        found = sc.at_bands(told(), WEIGHT, some)
        found = found[~CODA][:, SAME].mean(axis=1)
        assert found == pytest.approx(np.full((len(found), 3), 0.3))
    found = sc.at_bands(told(), WEIGHT, site())[CODA]
    assert found == pytest.approx(np.full(found.shape, 0.2))


def test_the_band_of_the_site_stands_out_the_more_the_more_is_known():
    """Contrast between its band and the others of the coarse one: share times that of the mean; a gain adds to it."""

    def contrast(some):
        found = np.abs(sc.at_bands(told(), WEIGHT, some)[2, :, 0])
        return found[BAND] - found[SAME & (np.arange(spectral.NB) != BAND)].mean()

    assert contrast(None) == pytest.approx(0)
    assert contrast(site(0.6, 0.5)) == pytest.approx(0.5 * (0.6 - 0.0))
    assert contrast(site(0.6, 0.5, 1.3)) > contrast(site(0.6, 0.5)) + 0.04


def test_what_a_pool_keeps_counts_by_its_records():
    """n / (n + 8) of it; complex numbers and gains come back."""
    blank = np.zeros(sc.SHAPE[1:])
    packed = sc.packed(blank + 0.25 - 0.5j, blank + 0.125, blank + 0.0625 + 1j)
    assert packed.shape == sc.SHAPE and packed.dtype == np.float16
    kept = sc.SiteCoherency.kept(packed, 8)
    assert kept.share == 0.5 and (kept.mean == 0.25 - 0.5j).all() and (kept.ln_gain == 0.125).all()
    assert (kept.lack == 0.0625 + 1j).all()


def test_means_are_of_the_power_of_each_part():
    """The band of the site holds all power of one part and none of the others: what is told is told of that band."""
    weight = np.ones_like(WEIGHT)
    weight[2], weight[3] = 1e-9, 1.0
    weight[2, BAND], weight[3, BAND] = 1.0, 1e-9
    found = sc.at_bands(told(), weight, site())
    other = SAME & (np.arange(spectral.NB) != BAND)
    assert found[2, BAND] == pytest.approx(np.full(3, 0.3), abs=1e-6)
    assert found[3, other].mean(axis=0) == pytest.approx(np.full(3, 0.3), abs=1e-6)
    assert found[3, BAND].real.min() > 0.8


def test_sections_of_a_part_differ_as_those_of_the_site():
    """S begins with .6 more than it goes on with, the coda with .4: so it does in motion, means staying as told."""
    some = site(0.0)
    some.mean[4], some.mean[6] = 0.6, 0.4
    found = sc.at_bands(told(), WEIGHT, some)
    assert (found[4] - found[5]).real == pytest.approx(np.full((spectral.NB, 3), 0.6))
    assert found[4:6].mean(axis=0) == pytest.approx(np.full((spectral.NB, 3), 0.3))
    assert (found[6] - found[8]).real == pytest.approx(np.full((spectral.NB, 3), 0.4))
    assert found[6:].mean(axis=0) == pytest.approx(np.full((spectral.NB, 3), 0.2))


@pytest.mark.parametrize(("p_s", "sp_s"), [(10.0, 0.3), (9.7, 6.0), (10.3, 25.0)])
def test_sections_follow_each_other_and_make_up_parts(p_s, sp_s):
    """No gap, none of no length, and those of a part begin and end with it."""
    begin, end = se.sections(p_s, sp_s).T
    assert np.array_equal(begin[1:], end[:-1]) and (end - begin > 0.2).all()
    for part, (first, last) in enumerate(se.parts(p_s, sp_s)):
        mine = np.flatnonzero(part == se.PART_OF)
        assert begin[mine[0]] == first and end[mine[-1]] == last


def test_what_motion_lacks_is_added_at_last():
    """Means over coarse bands too are then more than the code tells: motion comes out with less."""
    some = site()
    lacking = some._replace(lack=some.lack + 0.1j)
    assert sc.at_bands(told(), WEIGHT, lacking) == pytest.approx(sc.at_bands(told(), WEIGHT, some) + 0.1j, abs=1e-9)


def test_motion_hangs_together_where_the_site_does():
    """SciPy's coherence of E and N of the strong motion is high about 14 Hz, and was not without the site."""
    pool = tng.LatentPool.load(pool_files()["CI.CWC"])
    model = tng.load_model(pool.model)
    packed = np.zeros(sc.SHAPE)
    packed[0, :, BAND, 0] = -0.95  # E and N of the strong motion are told to be opposed there, by -.4
    parts = model.unpack(pool.latents)
    cross = np.zeros((2, 65))
    for kind, kept in enumerate(({}, {"coherency": packed})):
        shared = model.site(pool.latents, **kept)
        for i in range(12):
            x = model.render(pool.latents[i], pool.ln_sd[i], np.random.default_rng(i), site=shared)
            s = int((10 + np.exp(parts.ln_sp[i])) * 100)
            part = x[:, s : s + 600]
            cross[kind] += coherence(part[0], part[1], 100, nperseg=128)[1]
    hz = np.fft.rfftfreq(128, 0.01)
    there = np.abs(hz - spectral.BAND_HZ[BAND]) < 0.8
    near = (np.abs(hz - spectral.BAND_HZ[BAND]) < 4) & ~(np.abs(hz - spectral.BAND_HZ[BAND]) < 2)
    rise = (cross[1] - cross[0]) / 12
    assert rise[there].mean() > 0.15 and rise[near].mean() < 0.05, (rise[there].mean(), rise[near].mean())
