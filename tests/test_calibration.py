"""Calibration: what made motion has too much of is measured and taken out."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import obspy_tng as tng
from obspy_tng import calibration, spectral, spectral_extra
from obspy_tng.models.spectral_autoencoder import SpectralAutoencoder
from obspy_tng.preprocessing import windows
from obspy_tng.training_spectral import measured

ROWS, FRAMES = spectral.NB * 3, spectral.NT


@pytest.fixture(scope="module")
def few():
    """Return windows of simulated records."""
    return windows(tng.records(tng.simulate(n=12, seed=4), units="m/s2"))


def fresh(shift=0.0):
    """Return the shipped network with excesses of nothing, its decoder telling `shift` too much (ln of power)."""
    shipped = tng.load_model("tng-spectral-1")
    model = SpectralAutoencoder(type(shipped.network)(shipped.network.config).fuse(), dict(shipped.card), "cpu")
    model.network.load_state_dict(shipped.network.state_dict())
    model.network.eval()
    model.network.power_excess.zero_()
    model.network.extra_excess.zero_()
    bands = torch.zeros(3, spectral.NB, FRAMES)
    bands[:, 20:, 80:] = shift
    decode = model.network.decode
    model.network.decode = lambda code, spectrum: decode(code, spectrum) + bands.reshape(1, ROWS, FRAMES)
    return model


def test_what_is_added_is_found(few):
    """High bands of the coda told e times too strong: the calibration takes more out there than it does without."""
    waves, s_s = few.x * np.exp(few.ln_sd)[..., None], few.s_s
    one = np.full(len(s_s), "XX.ONE")
    out = {}
    for shift in (0.0, 1.0):
        model = fresh(shift)
        told = []
        found = calibration.calibrate(model, waves, s_s, one, rounds=3, mixed_rounds=1, progress=told.append)
        rounds = found["codes"]
        assert len(rounds) == 3 and len(found["mixes"]) == 1
        assert len(told) == 4 and "codes 3/3" in told[2] and "mixes 1/1" in told[3]
        out[shift] = model.network.power_excess.reshape(3, spectral.NB, FRAMES).numpy().copy()
        assert (out[shift][..., : spectral.NP_] == 0).all()  # noise before P is told otherwise
        assert rounds[-1]["cells"] < rounds[0]["cells"]
    more = (out[1.0] - out[0.0])[:, 22:-1, 84:110].mean()
    assert 0.35 < more < 1.2, more


def test_what_mixes_have_too_much_is_found_on_mixes(few):
    """Without a round of codes, rounds of mixes alone take out most of what the coda was told too strong."""
    waves, s_s = few.x * np.exp(few.ln_sd)[..., None], few.s_s
    out = []
    for shift in (0.0, 1.0):
        model = fresh(shift)
        calibration.calibrate(model, waves, s_s, np.full(len(s_s), "XX.ONE"), rounds=0, mixed_rounds=5)
        out.append(model.network.power_excess.reshape(3, spectral.NB, FRAMES)[:, 22:-1, 84:110].mean())
    assert 0.3 < float(out[1] - out[0]) < 1.2, out


def test_own_share_of_coherency_is_found_from_either_side(few):
    """All of the deviations too much and none of them: calibration moves both towards each other, nearly everywhere."""
    waves, s_s = few.x * np.exp(few.ln_sd)[..., None], few.s_s
    one, found = np.full(len(s_s), "XX.ONE"), []
    for begin in (0.0, 1.2):
        model = fresh()
        model.take_own_coherency(np.full(spectral_extra.N_OWN, begin, np.float32))
        calibration.calibrate(model, waves, s_s, one, rounds=0, mixed_rounds=3)
        found.append(np.delete(model.own_coherency(), np.arange(5, 10)))  # the onset is one parent's
    gap = found[1] - found[0]
    assert gap.mean() < 0.7 and (gap < 1.2).mean() > 0.9, gap


def test_excesses_are_taken_out(few):
    """Motion is made of powers and numbers less the excesses: 2 ln less noise before P is 2 ln less noise."""
    model = fresh()
    latents, ln_scale = model.describe(few)
    before = model.render(latents[0], ln_scale[0], np.random.default_rng(0))
    model.network.extra_excess[: spectral_extra.N_NOISE] = 2.0
    after = model.render(latents[0], ln_scale[0], np.random.default_rng(0))
    levels = [spectral_extra.noise_spectrum(x, 10.0)[:, 10:30].mean() for x in (before, after)]
    assert levels[0] - levels[1] == pytest.approx(2.0, abs=0.3)
    model.network.power_excess[:] = 1.0
    a, b = (m.power(m.unpack(latents[:1])) for m in (fresh(), model))
    assert a - b == pytest.approx(np.ones_like(a), abs=1e-5)


def test_few_records_are_not_enough():
    """The mean of a few records is chance: the card says that there is no calibration."""
    told = measured(None, {}, SimpleNamespace(items=[None] * (calibration.LEAST - 1)), None, "cpu")
    assert told["calibration"].startswith(f"none: {calibration.LEAST - 1} training records")


def test_enough_records_calibrate_at_the_end_of_training(few, monkeypatch):
    """The network is changed in place, the card tells of every round, and at most so many records are drawn."""
    monkeypatch.setattr(calibration, "LEAST", 10)
    monkeypatch.setattr(calibration, "MOST", 6)
    monkeypatch.setitem(calibration.calibrate.__kwdefaults__, "rounds", 2)
    monkeypatch.setitem(calibration.calibrate.__kwdefaults__, "mixed_rounds", 1)
    model, told = fresh(), []
    waves = few.x * np.exp(few.ln_sd)[..., None]

    training = SimpleNamespace(
        items=[(wave, s, "XX.ONE") for wave, s in zip(waves.astype(np.float32), few.s_s, strict=True)]
    )
    card = measured(model.network, model.card, training, None, "cpu", told.append)
    rounds = card["calibration"]["rms mean excess"]
    assert card["calibration"]["records"] == 6 and (len(rounds["codes"]), len(rounds["mixes"])) == (2, 1)
    assert len(told) == 3 and float(model.network.power_excess.abs().max()) > 0
    assert not torch.equal(model.network.own_power, fresh().network.own_power)  # of the shipped weights


def test_the_shipped_network_is_calibrated():
    """Its card tells rounds whose excess falls to what is left by chance, and its buffers are not empty."""
    model = tng.load_model()
    first, *_, last = model.card["calibration"]["rms mean excess"]["codes"]
    assert all(last[what] < 0.7 * first[what] for what in ("cells", "told", "moments", "parts"))
    assert len(model.card["calibration"]["rms mean excess"]["mixes"]) == calibration.MIXED_ROUNDS
    assert float(model.network.polarised.max()) > 1 and float(model.network.coherency_gain.max()) > 1.2
    assert float(model.network.power_excess.abs().max()) > 0.2
    assert float(model.network.usually_missed.abs().max()) > 0.1
    own = model.own_coherency()  # before P, at the onset, in the first seconds of P, P and S: five bands each; the coda
    assert own[2:4].min() > 0.9 and own[36:44].min() > 0.9 and own[11:24].mean() < 0.8
    level, *ratios = model.network.own_power.mean(dim=(1, 2))
    assert 0.9 < level < 1.1 and all(0.3 < ratio < 0.8 for ratio in ratios)
