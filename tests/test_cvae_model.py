"""The CVAE behind the common interface: its phases of training, resuming, pools, samplers, both inversions."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

import obspy_tng as tng
from obspy_tng import spectrogram
from obspy_tng.errors import ModelError
from obspy_tng.models import cvae, weights
from obspy_tng.models.cvae import Cvae, CvaeConfig, priors
from obspy_tng.models.cvae_autoencoder import CvaeAutoencoder
from obspy_tng.preprocessing import windows

STATIONS = ["XT.SOFT", "XT.STIFF"]
QUICK = dict(kind="cvae", batch=8, precision="fp32", seed=3, threads=1)


@dataclass(frozen=True)
class Narrow(CvaeConfig):
    """The network with fewer channels: checkpoints of the whole one are 160 MB each."""

    widths: tuple[int, ...] = (4, 8, 8, 8)


@pytest.fixture(scope="module", autouse=True)
def narrow():
    """Train narrow networks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cvae, "CvaeConfig", Narrow)
        yield


@pytest.fixture(scope="module")
def phases(corpus, tmp_path_factory):
    """Return the folders of the three phases, the first without the stations of the others."""
    out = tmp_path_factory.mktemp("runs")
    tng.train(corpus, out / "0", exclude=STATIONS, epochs=1, classes=2, **QUICK)
    tng.train(corpus, out / "1a", phase="1a", init=out / "0", stations=STATIONS, epochs=1, **QUICK)
    tng.train(corpus, out / "1b", phase="1b", init=out / "1a", stations=STATIONS, epochs=2, **QUICK)
    return {phase: out / phase for phase in ("0", "1a", "1b")}


def test_phases_follow_each_other(phases):
    """Each card tells its phase, stations and start; held-out events stay held out; centres are the mean codes."""
    cards = {phase: tng.load_model(folder).card for phase, folder in phases.items()}
    assert [c["phase"] for c in cards.values()] == [0, "1a", "1b"]
    assert [c["stations"] for c in cards.values()] == [[], STATIONS, STATIONS]
    assert not set(cards["0"]["trained_stations"]) & set(STATIONS)
    assert set(cards["1b"]["events_validation"]) == set(cards["1a"]["events_validation"])
    assert cards["1b"]["init_sha256"] == cards["1a"]["weights_sha256"]
    assert cards["0"]["config"]["size"] == 510 and cards["1b"]["config"]["n_stations"] == 2
    a, b = (tng.load_model(phases[p]).network.centres for p in ("1a", "1b"))
    assert torch.equal(a, priors(2, 510)) and not torch.equal(a, b)


def test_resumed_run_equals_an_uninterrupted_one(phases, corpus, tmp_path):
    """Phase 1b stopped after its first epoch and resumed ends with the same weights and centres to the bit."""

    class StoppedError(Exception):
        pass

    def stop(line):
        if line.startswith("epoch 1/"):
            raise StoppedError

    settings, out = dict(phase="1b", init=phases["1a"], stations=STATIONS, epochs=2, **QUICK), tmp_path / "1b"
    with pytest.raises(StoppedError):
        tng.train(corpus, out, progress=stop, **settings)
    tng.train(corpus, out, resume=True, **settings)
    a, b = (weights.read_tensors(folder / "model.safetensors")[0] for folder in (phases["1b"], out))
    assert a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_starts_that_do_not_fit_are_refused(phases, corpus, tmp_path):
    """Phases out of order, a code that cannot be tiled, other stations, inversions and options nobody knows."""
    start = dict(stations=STATIONS, epochs=1, **QUICK)
    with pytest.raises(ModelError, match="phase 1b starts from a model of phase 1a, not 0"):
        tng.train(corpus, tmp_path / "a", phase="1b", init=phases["0"], **start)
    with pytest.raises(ModelError, match=r"stations of 1a: XT\.SOFT, XT\.STIFF"):
        tng.train(corpus, tmp_path / "a", phase="1b", init=phases["1a"], **{**start, "stations": STATIONS[:1]})
    every = sorted(set(corpus.codes()))
    if 510 % len(every):
        with pytest.raises(ModelError, match=f"classes={len(every)}"):
            tng.train(corpus, tmp_path / "a", phase="1a", init=phases["0"], **{**start, "stations": every})
    with pytest.raises(ModelError, match="trained for inversion phase"):
        tng.train(corpus, tmp_path / "a", phase="1a", init=phases["0"], inversion="griffin-lim", **start)
    with pytest.raises(ModelError, match="accepted: phase, griffin-lim"):
        tng.train(corpus, tmp_path / "a", inversion="vocoder", epochs=1, **QUICK)
    with pytest.raises(ModelError, match="accepted by cvae: inversion, classes, kl_weight, cluster_weight"):
        tng.train(corpus, tmp_path / "a", log_stft=1.0, epochs=1, **QUICK)
    with pytest.raises(ModelError, match="needs init="):
        tng.train(corpus, tmp_path / "a", phase="1a", **start)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("sampler", ["encoded", "prior", "vp"])
def test_generate(sampler, phases, corpus):
    """train, build_pool, generate: the same seed the same motion, of the amplitude of the pool's records."""
    model = tng.load_model(phases["1b"])
    pool = tng.build_pool(corpus.records(), station="XT.SOFT", model=model, kind="simulated")
    assert pool.latents.shape[1:] == (2, 510)
    stream = tng.generate(pool=pool, model=model, n=2, seed=1, sampler=sampler)
    again = tng.generate(pool=pool, model=model, n=2, seed=1, sampler=sampler)
    assert len(stream) == 6 and all(np.array_equal(a.data, b.data) for a, b in zip(stream, again, strict=True))
    assert not np.array_equal(stream[0].data, stream[3].data)
    sd = np.log([t.data.std() for t in stream])
    assert pool.ln_sd.min() - 2 < sd.min() and sd.max() < pool.ln_sd.max() + 2


def test_prior_of_a_station(phases):
    """The prior of Eq. 2 has tiled one-hot means and unit variance; others than the trained stations have none."""
    model = tng.load_model(phases["1a"])
    latent = model.prior("XT.STIFF")
    assert latent[0, :4].tolist() == [0, 1, 0, 1] and not latent[1].any()
    assert not tng.load_model(phases["0"]).prior("XT.ROCK").any()
    with pytest.raises(ModelError, match=r"conditioned on XT\.SOFT"):
        model.prior("XT.ROCK")
    with pytest.raises(ModelError, match="accepted samplers"):
        tng.load_model("tng-ridgecrest-1").prior("CI.CWC")


class Passing(Cvae):
    """A network that decodes what `told` says, whatever the code."""

    told = None

    def decode(self, z):
        """Return the spectrogram told, scaled."""
        return self.scale(self.told.expand(len(z), -1, -1, -1))


def test_both_inversions_of_a_perfect_decoder(corpus):
    """Of a record's own spectrogram, phases give the record back and Griffin–Lim its amplitudes with other phases."""
    x = windows(corpus.records()[:1]).x
    network = Passing(CvaeConfig())
    known = torch.from_numpy(spectrogram.describe(x))
    network.low.copy_(known.amin((0, 2, 3))[:, None, None])
    network.high.copy_(known.amax((0, 2, 3))[:, None, None])
    network.told = known
    model = CvaeAutoencoder(network.eval(), {"model": "cvae", "config": {}, "inversion": "phase"})
    latent, ln_sd, rng = np.zeros((2, 510), np.float32), np.log([1.0, 2.0, 3.0]), np.random.default_rng(0)
    wave = model.render(latent, ln_sd, rng)
    assert wave.std(axis=1) == pytest.approx([1, 2, 3])
    assert min(np.corrcoef(a, b)[0, 1] for a, b in zip(wave, x[0], strict=True)) > 0.995
    found = model.inverting("griffin-lim").render(latent, ln_sd, rng)
    assert max(abs(np.corrcoef(a, b)[0, 1]) for a, b in zip(found, x[0], strict=True)) < 0.6
    for a, b in zip(found / np.exp(ln_sd)[:, None], x[0], strict=True):
        there, wanted = (np.abs(spectrogram.stft(v)) for v in (a, b))
        assert np.linalg.norm(there - wanted) < 0.15 * np.linalg.norm(wanted)


def test_amplitudes_only(corpus, tmp_path):
    """A network without phases is trained, read and inverted by Griffin–Lim; it has no regressed phases to use."""
    model = tng.train(corpus, tmp_path / "g", inversion="griffin-lim", epochs=1, **QUICK)
    assert model.inversion == "griffin-lim" and model.network.config.channels == 3
    x = windows(corpus.records()[:2]).x
    assert model.decode(model.encode(x)).shape == x.shape
    with pytest.raises(ModelError, match="amplitudes only"):
        model.inverting("phase")
