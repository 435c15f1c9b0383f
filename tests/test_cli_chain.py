"""Every kind of system from the command line: train, killed and resumed; generate; evaluate."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import obspy
import pytest
import torch
from click.testing import CliRunner

from obspy_tng import training
from obspy_tng.checkpoint import Run
from obspy_tng.cli import group
from obspy_tng.models import cvae, heggs, spectral_timesnet, timesnet_gen, weights

SAMPLES = Path(__file__).parents[1] / "data_samples" / "network"
META = ["--inventory", str(SAMPLES / "stations.xml"), "--events", str(SAMPLES / "events.xml")]
EVENT = ["--event", "38.4", "27.3", "8", "4.0"]
KINDS = {  # kind -> words of generate
    "waveform": ["--sampler", "mean"],
    "spectral": [],
    "cvae": ["--sampler", "encoded"],
    "heggs": [*EVENT, "--sampler", "ddim:2"],
}


@dataclass(frozen=True)
class NarrowCvae(cvae.CvaeConfig):
    """The network with fewer channels."""

    widths: tuple[int, ...] = (4, 8, 8, 8)


@dataclass(frozen=True)
class NarrowHeggs(heggs.HeggsConfig):
    """The network with fewer channels."""

    latent: int = 16
    shallow: int = 24
    width: int = 24
    deep: int = 32
    tokens: int = 32


@dataclass(frozen=True)
class NarrowWaveform(timesnet_gen.Config):
    """The network with fewer channels."""

    channels: int = 32
    hidden: int = 8
    latent: int = 8
    blocks: int = 1


@dataclass(frozen=True)
class NarrowSpectral(spectral_timesnet.SpectralConfig):
    """The network with fewer channels."""

    channels: int = 12
    blocks: int = 1


@pytest.fixture(scope="module", autouse=True)
def narrow():
    """Train narrow networks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cvae, "CvaeConfig", NarrowCvae)
        patch.setattr(heggs, "HeggsConfig", NarrowHeggs)
        patch.setattr(timesnet_gen, "Config", NarrowWaveform)
        patch.setattr(spectral_timesnet, "SpectralConfig", NarrowSpectral)
        yield


class KilledError(BaseException):
    """What a killed process does not catch."""


def run(*words):
    """Run a command in this process."""
    done = CliRunner().invoke(group, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done


def trains(corpus, kind, out):
    """Return the words that train a kind for two epochs."""
    words = ["train", corpus.path, "--model", kind, "--out", out, "--epochs", 2, "--batch", 8, "--threads", 1]
    return [*words, "--precision", "fp32", "--seed", 3]


@pytest.fixture(scope="module", params=KINDS)
def trained(request, corpus, tmp_path_factory):
    """Return a kind and the folder of its training."""
    out = tmp_path_factory.mktemp("runs") / request.param
    run(*trains(corpus, request.param, out))
    return request.param, out


def test_kinds_are_all_there_are():
    """No kind of training is left out here."""
    assert set(KINDS) == set(training.KINDS)


def test_killed_and_resumed_ends_in_the_same_weights(trained, corpus, tmp_path, monkeypatch):
    """Killed in the middle of its second epoch and resumed by the command line: the same weights to the bit."""
    kind, uninterrupted = trained
    step, stored = Run.step, []

    def dies(self, loss):
        if stored:
            raise KilledError
        step(self, loss)

    store = Run.store

    def keeps(self, *args, **settings):
        store(self, *args, **settings)
        stored.append(args)

    words = trains(corpus, kind, tmp_path / "r")
    with monkeypatch.context() as patch:
        patch.setattr(Run, "step", dies)
        patch.setattr(Run, "store", keeps)
        with pytest.raises(KilledError):
            CliRunner().invoke(group, list(map(str, words)))
    assert not (tmp_path / "r" / "model.safetensors").exists()
    run(*words, "--resume")
    a, b = (weights.read_tensors(folder / "model.safetensors")[0] for folder in (uninterrupted, tmp_path / "r"))
    assert a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_generates_and_is_evaluated(trained, tmp_path):
    """Its records are written with their provenance, and the evaluation finds its station and scores it."""
    kind, folder = trained
    pool = ["--station", "XT.SOFT"]
    if kind != "heggs":
        pool = ["--pool", tmp_path / "soft.h5"]
        words = ["pool", "build", SAMPLES, *META, "--station", "XT.SOFT", "--model", folder, "--kind", "simulated"]
        run(*words, "--out", pool[1])
    run("generate", *pool, "--model", folder, *KINDS[kind], "-n", 6, "--seed", 4, "--out", tmp_path / "made")
    stream = obspy.read(tmp_path / "made" / "XT.SOFT_4.mseed")
    assert len(stream) == 18 and all(abs(trace.data).max() > 0 for trace in stream)
    assert kind in (tmp_path / "made" / "XT.SOFT_4.xml").read_text()
    words = ["evaluate", SAMPLES, tmp_path / "made", *META, "--no-c2st", "--splits", 2, "--jobs", os.cpu_count()]
    found = json.loads(run(*words, "--json").stdout)
    assert found["stations"] == ["XT.SOFT"]
