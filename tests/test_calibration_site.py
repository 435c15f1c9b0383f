"""What motion of one site lacks: found on motion of its own codes, the less of it the fewer records."""

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

import obspy_tng as tng
from obspy_tng import spectral
from obspy_tng import spectral_coherency as sc
from obspy_tng import spectral_missed as sm
from obspy_tng.calibration import cells_of, onsets
from obspy_tng.calibration_coherence import fisher_z
from obspy_tng.calibration_site import tuned
from obspy_tng.preprocessing import land, windows
from obspy_tng.spectral_first import SHAPE, lines_after

P = int(np.searchsorted(sm.FRAMES, spectral.NP_))


@pytest.fixture(scope="module")
def site():
    """Return the shipped model, and waves, latents and amplitudes of simulated records of one station."""
    model = tng.load_model("tng-spectral-1")
    cut = windows(tng.records(tng.simulate(n=10, seed=4), units="m/s2"))
    return model, cut.x * np.exp(cut.ln_sd)[..., None], *model.describe(cut)


def lacking(model, waves, latents, ln_sd, missed):
    """Return the mean lack of power by block of motion that no calibration saw, ln."""
    parts, shared = model.unpack(latents), model.site(latents, missed)
    out = []
    for i, wave in enumerate(waves):
        made = (model.render(latents[i], ln_sd[i], np.random.default_rng([77, k, i]), site=shared) for k in range(3))
        real, *made = (
            cells_of(x, *onsets(parts.extra[i, 0], parts.ln_sp[i]), spectral.scale_of(spectral.spectrum(x)))
            for x in land(np.array([wave, *made], dtype=float))
        )
        out.append(real - np.mean(made, axis=0))
    return np.nanmean(sm.block_means(np.array(out), parts.ln_sp), axis=0)


def test_motion_of_the_site_comes_nearer_to_its_records(site):
    """Of the mean lack from P to S, a part is gone that ten records tell; nothing changes before P."""
    before = lacking(*site, np.zeros(sm.SHAPE))
    found = tuned(*site, np.zeros(sm.SHAPE))["missed"]
    after = lacking(*site, found)
    assert found.dtype == np.float16 and found.shape == sm.SHAPE and (found[:, :P] == 0).all()
    soon = slice(P + 1, P + 6)  # until S; later the spectrum of the whole record counts as well
    gone = float(((before - after) * before)[:, soon].sum() / (before[:, soon] ** 2).sum())
    assert 0.2 < gone < 0.9, gone


def test_fewer_records_tell_less(site):
    """Of two records a fifth counts (n / (n + 8)), of ten about half; the same twice is the same."""
    model, *told = site
    two = tuned(model, *(x[:2] for x in told), np.zeros(sm.SHAPE))["missed"]
    ten = tuned(*site, np.zeros(sm.SHAPE))["missed"]
    assert np.array_equal(tuned(model, *(x[:2] for x in told), np.zeros(sm.SHAPE))["missed"], two)
    lack_two = lacking(model, *(x[:2] for x in told), np.zeros(sm.SHAPE))[:, P:-2]
    share = [
        float((a[:, P:-2].astype(float) * b).sum() / (b * b).sum())
        for a, b in ((two, lack_two), (ten, lacking(*site, np.zeros(sm.SHAPE))[:, P:-2]))
    ]
    assert share[0] < 0.35 < share[1] < 0.9, share


def test_components_hang_together_in_the_bands_of_the_site():
    """N is E from 10 to 13 Hz between P and S: motion of codes does not know, motion of a tuned pool does better."""
    model = tng.load_model("tng-spectral-1")
    cut = windows(tng.records(tng.simulate(n=10, seed=4), units="m/s2"))
    waves, passed = cut.x * np.exp(cut.ln_sd)[..., None], butter(4, (10, 13), "bandpass", fs=100, output="sos")
    for wave, s_s in zip(waves, cut.s_s, strict=True):
        band, between = sosfiltfilt(passed, wave), slice(1000, int(s_s * 100))
        wave[1, between] += (band[0] * band[1].std() / band[0].std() - band[1])[between]
    known = spectral.describe(waves, cut.s_s)
    latents, ln_sd = model.coded(known)[0], np.repeat(known.ln_scale[:, None], 3, axis=1)
    parts = model.unpack(latents)
    at = [onsets(*x) for x in zip(parts.extra[:, 0], parts.ln_sp, strict=True)]
    here = np.abs(spectral.BAND_HZ - 11.7) < 1

    def z(waves):
        found = [sc.finely(x, *a) for x, a in zip(land(np.array(waves, dtype=float)), at, strict=True)]
        return fisher_z(np.abs(found))[:, 3, here, 0].mean()  # of the rest of P as a whole, E-N

    def made(kept):
        shared = model.site(latents, **kept)
        rngs = (np.random.default_rng([5, i]) for i in range(len(latents)))
        return z([model.render(*x, site=shared) for x in zip(latents, ln_sd, rngs, strict=True)])

    kept = tuned(model, waves, latents, ln_sd, np.zeros(sm.SHAPE))
    assert kept["coherency"].shape == sc.SHAPE and np.isfinite(kept["coherency"].astype(float)).all()
    lack = kept["coherency"][3:].astype(float)
    without = {**kept, "coherency": np.concatenate([kept["coherency"][:3], np.zeros_like(kept["coherency"][3:])])}
    assert (np.abs(lack) < 1).all() and made(kept) > made(without) + 0.05  # envelopes and filters take of it
    wanted, before, after = z(waves), made({}), made(kept)
    assert wanted > before + 0.2 and 0.25 < (after - before) / (wanted - before) < 1.2, (wanted, before, after)


def test_p_has_the_lines_of_the_site(site):
    """N of 8 to 13 Hz is weak for two seconds of P at this site: motion of a tuned pool knows, that of codes less."""
    model = site[0]
    cut = windows(tng.records(tng.simulate(n=10, seed=4), units="m/s2"))
    waves, passed = cut.x * np.exp(cut.ln_sd)[..., None], butter(4, (8, 13), "bandpass", fs=100, output="sos")
    fade = np.interp(np.arange(waves.shape[-1]) / 100, (9.9, 10.0, 11.8, 12.2), (0, 1, 1, 0))
    waves[:, 1] -= 0.6 * fade * sosfiltfilt(passed, waves[:, 1])
    known = spectral.describe(waves, cut.s_s)
    latents, ln_sd = model.coded(known)[0], np.repeat(known.ln_scale[:, None], 3, axis=1)
    at = [onsets(*x)[0] for x in zip(known.extra[:, 0], known.ln_sp, strict=True)]

    def ratio(waves):
        """Return the mean ln N/E of the lines in question at the three moments."""
        found = [lines_after(x, p_s) for x, p_s in zip(land(np.array(waves, dtype=float)), at, strict=True)]
        return (np.mean(found, axis=0)[:, 1] - np.mean(found, axis=0)[:, 0])[:, 11:15].mean()

    def made(kept):
        shared = model.site(latents, **kept)
        return np.mean([
            ratio([model.render(*x, np.random.default_rng([5, k, i]), site=shared) for i, x in enumerate(told)])
            for k in range(4)
        ])  # fmt: skip

    told = list(zip(latents, ln_sd, strict=True))
    kept = tuned(model, waves, latents, ln_sd, np.zeros(sm.SHAPE))
    assert kept["p_lines"].shape == SHAPE and kept["p_lines"].dtype == np.float16
    without = {**kept, "p_lines": np.zeros(SHAPE)}
    wanted, before, after = ratio(waves), made(without), made(kept)
    assert abs(after - wanted) < 0.8 * abs(before - wanted), (wanted, before, after)
