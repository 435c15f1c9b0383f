"""What motion of one site lacks: found on motion of its own codes, the less of it the fewer records."""

import numpy as np
import pytest

import obspy_tng as tng
from obspy_tng import spectral
from obspy_tng import spectral_missed as sm
from obspy_tng.calibration import cells_of
from obspy_tng.calibration_site import tuned
from obspy_tng.preprocessing import land, windows

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
            cells_of(land(np.asarray(x, float)[None])[0], parts.extra[i, 0], parts.ln_sp[i]) for x in (wave, *made)
        )
        out.append(real - np.mean(made, axis=0))
    return np.nanmean(sm.block_means(np.array(out), parts.ln_sp), axis=0)


def test_motion_of_the_site_comes_nearer_to_its_records(site):
    """Of the mean lack from P to S, a part is gone that ten records tell; nothing changes before P."""
    before = lacking(*site, np.zeros(sm.SHAPE))
    found = tuned(*site, np.zeros(sm.SHAPE))
    after = lacking(*site, found)
    assert found.dtype == np.float16 and found.shape == sm.SHAPE and (found[:, :P] == 0).all()
    soon = slice(P + 1, P + 6)  # until S; later the spectrum of the whole record counts as well
    gone = float(((before - after) * before)[:, soon].sum() / (before[:, soon] ** 2).sum())
    assert 0.2 < gone < 0.9, gone


def test_fewer_records_tell_less(site):
    """Of two records a fifth counts (n / (n + 8)), of ten about half; the same twice is the same."""
    model, *told = site
    two = tuned(model, *(x[:2] for x in told), np.zeros(sm.SHAPE))
    ten = tuned(*site, np.zeros(sm.SHAPE))
    assert np.array_equal(tuned(model, *(x[:2] for x in told), np.zeros(sm.SHAPE)), two)
    lack_two = lacking(model, *(x[:2] for x in told), np.zeros(sm.SHAPE))[:, P:-2]
    share = [
        float((a[:, P:-2].astype(float) * b).sum() / (b * b).sum())
        for a, b in ((two, lack_two), (ten, lacking(*site, np.zeros(sm.SHAPE))[:, P:-2]))
    ]
    assert share[0] < 0.35 < share[1] < 0.9, share
