"""Training: it learns, splits by event, resumes to the same numbers, refuses what does not fit."""

import csv
import json

import numpy as np
import pytest
import torch

import obspy_tng as tng
from obspy_tng import training_waveform
from obspy_tng.errors import ModelError, RecordError
from obspy_tng.models import weights

QUICK = dict(epochs=2, batch=8, precision="fp32", seed=3, threads=1, learning_rate=1e-3)


@pytest.fixture(scope="module")
def phase0(corpus, tmp_path_factory):
    """Return the folder of a two-epoch training without station TWO, and its progress lines."""
    out, lines = tmp_path_factory.mktemp("runs") / "phase0", []
    tng.train(corpus, out, exclude=["XT.TWO"], progress=lines.append, **QUICK)
    return out, lines


def test_training_learns_from_random_weights(corpus, tmp_path, monkeypatch):
    """Without its linear start the network learns: nine epochs lower the loss on events never trained on by a fifth."""
    from obspy_tng.models.timesnet_gen import TimesNetGen

    monkeypatch.setattr(TimesNetGen, "start_as_lapped_transform", lambda self: self)
    monkeypatch.setitem(training_waveform.WARM_STEPS, 0, None)  # which belongs to that start
    tng.train(corpus, tmp_path / "r", **{**QUICK, "epochs": 9})
    rows = list(csv.DictReader((tmp_path / "r" / "history.csv").open()))
    assert float(rows[-1]["valid_total"]) < 0.8 * float(rows[0]["valid_total"])


def test_training_tells_its_progress(phase0):
    """A line per epoch with the time left; the history is kept as a table."""
    out, lines = phase0
    assert [r["epoch"] for r in csv.DictReader((out / "history.csv").open())] == ["1", "2"]
    assert sum("epoch" in line and "min left" in line for line in lines) == 2


def test_card_tells_events_and_stations(phase0, corpus):
    """The excluded station is not in training, and no event stands on both sides of the split."""
    card = tng.load_model(phase0[0]).card
    assert "XT.TWO" not in card["trained_stations"]
    assert not set(card["events_train"]) & set(card["events_validation"])
    assert set(card["events_train"]) | set(card["events_validation"]) == set(corpus.event_ids())
    assert card["weights_sha256"] == weights.sha256(phase0[0] / "model.safetensors")


def test_resumed_run_equals_an_uninterrupted_one(phase0, corpus, tmp_path):
    """A run stopped after its first epoch and resumed ends with the same weights to the bit."""

    class StoppedError(Exception):
        pass

    def stop(line):
        if line.startswith("epoch 1/"):
            raise StoppedError

    with pytest.raises(StoppedError):
        tng.train(corpus, tmp_path / "phase0", exclude=["XT.TWO"], progress=stop, **QUICK)
    assert not (tmp_path / "phase0" / "model.safetensors").exists()
    tng.train(corpus, tmp_path / "phase0", exclude=["XT.TWO"], resume=True, **QUICK)
    a, _ = weights.read_tensors(phase0[0] / "model.safetensors")
    b, _ = weights.read_tensors(tmp_path / "phase0" / "model.safetensors")
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_checkpoint_of_other_settings_is_refused(phase0, corpus):
    """Resuming with another seed names what differs."""
    with pytest.raises(ModelError, match="seed"):
        tng.train(corpus, phase0[0], exclude=["XT.TWO"], resume=True, **{**QUICK, "seed": 4})


def test_checkpoint_of_before_is_refused(phase0, corpus, tmp_path):
    """A run begun before losses were rounded at zero and ended at 45 Hz is not gone on with: one line says why."""
    tensors, metadata = weights.read_tensors(phase0[0] / "checkpoint.safetensors")
    facts = json.loads(metadata["facts"])
    for name in ("log_stft_below_hz", "loss_rounded_below", "warm_steps"):
        del facts["settings"][name]
    (tmp_path / "phase0").mkdir()
    weights.write_tensors(tmp_path / "phase0" / "checkpoint.safetensors", tensors, {"facts": json.dumps(facts)})
    with pytest.raises(ModelError, match=r"other settings \(log_stft_below_hz, loss_rounded_below, warm_steps\)"):
        tng.train(corpus, tmp_path / "phase0", exclude=["XT.TWO"], resume=True, **QUICK)


def test_phase_1_conditions_on_the_station(phase0, corpus, tmp_path, monkeypatch):
    """Phase 1 starts from phase 0, keeps its held-out events unseen, and the label reaches the output."""
    monkeypatch.setitem(training_waveform.WARM_STEPS, 1, None)  # a few steps are to tell
    settings = {**QUICK, "epochs": 2, "learning_rate": 1e-2}  # phase 0 has hardly left its linear start
    model = tng.train(corpus, tmp_path / "p1", phase=1, init=phase0[0], stations=["XT.SOFT", "XT.STIFF"], **settings)
    assert model.stations == ["XT.SOFT", "XT.STIFF"]
    assert model.card["events_validation"] == tng.load_model(phase0[0]).card["events_validation"]
    z = np.random.default_rng(0).normal(size=(1, *model.latent_shape)).astype(np.float32)
    assert np.abs(model.decode(z, "XT.SOFT") - model.decode(z, "XT.STIFF")).max() > 1e-6
    with pytest.raises(ModelError, match="conditioned on"):
        model.decode(z, "XT.ROCK")
    pool = tng.build_pool(corpus.records(), station="XT.SOFT", model=model, kind="simulated")
    assert len(tng.generate(pool=pool, model=model, n=2, seed=1)) == 6


def test_settings_that_cannot_work_are_refused(corpus, tmp_path):
    """Phase 1 without a start or stations, unknown stations and phases, everything excluded."""
    with pytest.raises(ModelError, match="init"):
        tng.train(corpus, tmp_path / "a", phase=1, stations=["XT.SOFT"], **QUICK)
    with pytest.raises(ModelError, match="0, 1"):
        tng.train(corpus, tmp_path / "a", phase=2, **QUICK)
    with pytest.raises(RecordError, match=r"XT\.NONE"):
        tng.train(corpus, tmp_path / "a", phase=1, init="tng-ridgecrest-1", stations=["XT.NONE"], **QUICK)
    with pytest.raises(RecordError, match="at least 2 events"):
        tng.train(corpus, tmp_path / "a", exclude=sorted(set(corpus.codes())), **QUICK)
    with pytest.raises(ModelError, match="fused"):
        tng.train(corpus, tmp_path / "a", init="tng-ridgecrest-1", **QUICK)
    assert not (tmp_path / "a").exists()
