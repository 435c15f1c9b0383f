"""Records of a training read chunk by chunk: each once per epoch, in an order of seed and epoch, memory bounded."""

import json

import numpy as np
import pytest

import obspy_tng as tng
from obspy_tng import training_store
from obspy_tng.checkpoint import Run
from obspy_tng.corpus import Corpus
from obspy_tng.errors import ModelError, RecordError
from obspy_tng.models import weights
from obspy_tng.models.spectral_timesnet import SpectralConfig
from obspy_tng.training_store import Streamed, order, plan, prepared, sampled, sizes
from obspy_tng.training_waveform import Source

QUICK = {"kind": "spectral", "epochs": 2, "batch": 5, "precision": "fp32", "threads": 1}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Make chunks and networks small."""
    monkeypatch.setattr(training_store, "CHUNK", 4)
    monkeypatch.setattr(SpectralConfig.__init__, "__defaults__", (8, 4, 1, (2, 4, 8, 16), (1,), 0))


def name(record):
    """Return what is kept of a record here."""
    return record.id


@pytest.mark.parametrize("n", [1, 4, 30, 32])
@pytest.mark.parametrize("together", [2, 3])
def test_an_epoch_has_every_record_once(corpus, n, together):
    """Streamed items are those of a list, each chunk is read once per epoch, and so many are held at most."""
    rows = list(range(n))
    listed, streamed = prepared(corpus, rows, name, None), prepared(corpus, rows, name, together)
    for epoch in range(2):
        before, at = streamed.read, order(streamed, np.random.default_rng(epoch))
        assert sorted(at) == rows
        held = []
        for i in at:
            assert streamed[i] == listed[i]
            held.append(len(streamed._kept))
        kept = min(together, -(-n // 4))
        assert streamed.read - before <= -(-n // 4)
        assert max(held) <= kept


def test_order_depends_on_the_generator_alone(corpus):
    """The same seed gives the same order, another one another; records of a chunk do not stay together."""
    items = Streamed(corpus, range(32), name, 4)
    a, b, c = (order(items, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(a, b) and not np.array_equal(a, c)
    assert len(set(a[:16] // 4)) == 4 and (np.diff(a[:16] // 4) != 0).sum() > 6


def test_order_of_what_fits_is_unchanged(corpus):
    """Lists are permuted as they always were: trainings that fit into memory keep their numbers."""
    at = order([0] * 10, np.random.default_rng(3))
    assert np.array_equal(at, np.random.default_rng(3).permutation(10))
    assert np.array_equal(sampled([0] * 10), np.arange(10))


def test_sizes_and_limit(corpus):
    """6500 samples of three components are 78 kB; a limit below all of them makes chunks, half of it filled."""
    assert sizes(corpus, range(3)).tolist() == [78_000] * 3
    assert plan(corpus, range(32), 32 * 78e-6) is None
    assert plan(corpus, range(32), 31.9 * 78e-6) == int(0.5 * 31.9 / 4)
    assert plan(corpus, range(32), 1e-9) == 2
    assert plan(corpus, range(32), None) is None


def test_draws_are_those_of_a_list(corpus):
    """What a network is given of a streamed record is what it is given of one in memory, jitter and turns included."""
    listed, streamed = (Source(corpus, range(9), ["XT.SOFT"], together) for together in (None, 2))
    rows = np.array([8, 1, 5])
    for a, b in zip(*(s.draw(rows, np.random.default_rng(0)) for s in (listed, streamed)), strict=True):
        assert np.array_equal(a, b, equal_nan=True)


def test_streamed_training_resumes_in_the_middle_of_an_epoch(corpus, tmp_path, monkeypatch):
    """Stopped at a step of the second epoch and resumed, the weights are those of a run at one go, bit by bit."""

    class StoppedError(Exception):
        pass

    def stop(run, loss):
        if run.done == 8:
            raise StoppedError
        step(run, loss)

    made, limit = [], {"memory_gb": 0.0013, "checkpoint_s": 1e-9}
    tng.train(corpus, tmp_path / "a", progress=made.append, **QUICK, **limit)
    assert "in chunks of 4, 2 of them" in made[1]
    step = Run.step
    with monkeypatch.context() as patch, pytest.raises(StoppedError):
        patch.setattr(Run, "step", stop)
        tng.train(corpus, tmp_path / "b", **QUICK, **limit)
    facts = json.loads(weights.read_tensors(tmp_path / "b" / "checkpoint.safetensors")[1]["facts"])
    assert facts["epoch"] == 1 and facts["done"] == 8 and 0 < facts["within"]["begin"] < 25
    with pytest.raises(ModelError, match="streamed"):
        tng.train(corpus, tmp_path / "b", resume=True, **QUICK)
    tng.train(corpus, tmp_path / "b", resume=True, **QUICK, **limit)
    a, b = (weights.read_tensors(tmp_path / x / "model.safetensors")[0] for x in "ab")
    assert all((a[key] == b[key]).all() for key in a)
    assert (tmp_path / "a" / "history.csv").read_text() == (tmp_path / "b" / "history.csv").read_text()


def test_heggs_holds_all_records(corpus, tmp_path):
    """The kind that cannot be streamed says so before anything is read."""
    with pytest.raises(ModelError, match="heggs holds all records in memory"):
        tng.train(corpus, tmp_path / "h", **QUICK | {"kind": "heggs"}, memory_gb=0.001)
    with pytest.raises(ModelError, match="memory_gb=0"):
        tng.train(corpus, tmp_path / "h", **QUICK, memory_gb=0)


def test_damaged_records_are_named(corpus, tmp_path):
    """A record that is not there ends a streamed training with its name: its number would shift all others."""
    for path in corpus.path.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (tmp_path / "metadata.csv").read_text()
    first = Corpus(tmp_path).rows[5]["trace_name"]
    (tmp_path / "metadata.csv").write_text(text.replace(first, "XT.GONE", 1))
    items = Streamed(Corpus(tmp_path), range(8), name, 2)
    assert items[0]
    with pytest.raises(RecordError, match=r"XT\.GONE"):
        items[5]
