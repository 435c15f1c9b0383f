"""Mass generation: a corpus of what generate() makes, whole or resumed, read by training and evaluation."""

import json
import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import obspy_tng as tng
from obspy_tng import corpus_synthesis
from obspy_tng.cli import group
from obspy_tng.corpus import Corpus
from obspy_tng.errors import FormatError, StationError, TNGError, WriteError
from obspy_tng.site.windows import energy_onsets

SETTINGS = {"seed": 3, "latent_noise": 0.1}
CODES = ["CI.CWC", "0205"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a corpus of six records of two stations."""
    return tng.generate_corpus(CODES, 3, tmp_path_factory.mktemp("made") / "corpus", **SETTINGS)


def contents(folder):
    """Return the bytes of every file."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_records_are_those_of_generate(folder):
    """Waveforms to the last bit, and the run ids of realisations that name the whole recipe."""
    made = Corpus(folder)
    records = made.records()
    assert made.codes() == ["CI.CWC"] * 3 + ["TK.0205"] * 3
    for k, code in enumerate(CODES):
        stream = tng.generate(code, n=3, **SETTINGS)
        for i in range(3):
            wave = np.array([t.data for t in stream[3 * i : 3 * i + 3]])
            assert np.array_equal(records[3 * k + i].data, wave)
            row, stats = made.rows[3 * k + i], stream[3 * i].stats.tng
            assert row["trace_tng_run_id"] == stats.run_id
            assert json.loads(row["trace_tng_parents"]) == list(stats.parents)
    assert [row["trace_tng_pool_kind"] for row in made.rows] == ["recorded"] * 3 + ["adjusted"] * 3
    assert {row["trace_tng_weights_sha256"] for row in made.rows} == {tng.load_model("tng-spectral-1").sha256}


def test_layout_is_seisbenchs(folder):
    """Blocks of a station, places in it as SeisBench parses them, an event of its own for every record."""
    rows = Corpus(folder).rows
    with h5py.File(folder / "waveforms.hdf5") as file:
        assert file["data_format/component_order"].asstr()[()] == "ENZ"
        for row in rows:
            # SeisBench: block, then slices that are put into brackets
            block, place = row["trace_name"].split("$")
            index, *ends = place.split(",")
            parts = int(index), *(slice(int(end[1:])) for end in ends)
            assert file["data"][block][parts].shape == (3, 6000)
        assert file["data/CI.CWC.00000"].dtype == np.float32
    assert len({row["source_id"] for row in rows}) == len({row["trace_name"] for row in rows}) == 6


def test_many_records_are_several_blocks(folder, tmp_path, monkeypatch):
    """Blocks of two, chunks that do not fit them, a start in the middle: the same records under other names."""
    monkeypatch.setattr(corpus_synthesis, "_BLOCK", 2)
    out = tng.generate_corpus(CODES, 3, tmp_path / "c", **SETTINGS)
    with h5py.File(out / "waveforms.hdf5") as file:
        shapes = {name: block.shape[0] for name, block in file["data"].items()}
    assert shapes == {"CI.CWC.00000": 2, "CI.CWC.00001": 1, "TK.0205.00000": 2, "TK.0205.00001": 1}
    assert [list(r) for r in corpus_synthesis._chunks(1, 5)] == [[1], [2, 3], [4]]
    pairs = zip(Corpus(out).records(), Corpus(folder).records(), strict=True)
    assert all(np.array_equal(a.data, b.data) and a.id == b.id for a, b in pairs)


def test_onsets_are_where_motion_begins(tmp_path):
    """A picker that sees the waveforms alone mostly finds P within 0.4 s and S within 0.5 s, as in real records."""
    records = Corpus(tng.generate_corpus("CI.WMF", 24, tmp_path / "c", seed=1)).records()
    told = np.array([[r.p_s, r.s_s] for r in records])
    error_s = np.abs(told - [energy_onsets(r.data, 100.0) for r in records])
    assert np.mean(error_s[:, 0] < 0.4) > 0.85
    assert np.mean(error_s[:, 1] < 0.5) > 0.6
    assert {r.onset_source for r in records} == {"model"}


@pytest.mark.parametrize("left", [0, 4])
def test_resumed_equals_uninterrupted(folder, tmp_path, left, monkeypatch):
    """Stopped after any row, within a row of the table too, and resumed: every byte is that of a run at one go."""
    monkeypatch.setattr(corpus_synthesis, "_CHUNK", 1)

    class StoppedError(Exception):
        pass

    def stop(done, total):
        if done == left:
            raise StoppedError

    out = tmp_path / "corpus"
    with pytest.raises(StoppedError):
        tng.generate_corpus(CODES, 3, out, progress=stop if left else lambda *_: stop(0, 0), **SETTINGS)
    with pytest.raises(FormatError, match="no corpus"):
        Corpus(out)
    with (out / "metadata.csv.part").open("a") as file:
        file.write("CI.CWC.00000$2,:3,:60")
    with pytest.raises(FormatError, match="resume"):
        tng.generate_corpus(CODES, 3, out, **SETTINGS)
    tng.generate_corpus(CODES, 3, out, resume=True, **SETTINGS | {"seed": None})
    assert contents(out) == contents(folder)
    assert tng.generate_corpus(CODES, 3, out, resume=True, **SETTINGS) == out


def test_killed_between_the_last_steps(folder, tmp_path):
    """Waveforms that have their name already, while the table has not, are finished by --resume."""
    out = tmp_path / "corpus"
    out.mkdir()
    for name, data in contents(folder).items():
        (out / (f"{name}.part" if name == "metadata.csv" else name)).write_bytes(data)
    tng.generate_corpus(CODES, 3, out, resume=True, **SETTINGS)
    assert contents(out) == contents(folder)


def test_kill_9(tmp_path):
    """A process killed in the middle leaves no corpus; resumed on the command line it has all records."""
    out = tmp_path / "corpus"
    command = ["generate", "--station", "CI.CWC", "-n", "200", "--seed", "1", "--format", "corpus", "--out", str(out)]
    code = "from obspy_tng import corpus_synthesis as c; c._CHUNK = 4; from obspy_tng.cli import main; main()"
    process = subprocess.Popen([sys.executable, "-c", code, *command], stderr=subprocess.DEVNULL)
    table, until = out / "metadata.csv.part", time.monotonic() + 60
    while not (table.exists() and table.read_bytes().count(b"\n") > 4):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "metadata.csv").exists()
    there = table.read_bytes().count(b"\n") - 1
    with (out / "metadata.csv.part").open("rb") as file:
        names = [line.split(b'"')[1] for line in file.readlines()[1 : there + 1]]
    with h5py.File(out / "waveforms.hdf5.part") as file:
        data = file["data/CI.CWC.00000"][: len(names)]
    assert (np.abs(data).max(axis=(1, 2)) > 0).all()
    stream = tng.generate("CI.CWC", n=3, seed=1)
    assert np.array_equal(data[:3].reshape(9, 6000), np.array([t.data for t in stream]))


def test_two_processes_on_one_folder(tmp_path):
    """The second is refused while the first writes."""
    out, caught = tmp_path / "corpus", []

    def again(done, total):
        with pytest.raises(WriteError, match="another process"):
            tng.generate_corpus("CI.CWC", 2, out, seed=1, resume=True)
        caught.append(done)

    tng.generate_corpus("CI.CWC", 2, out, seed=1, progress=again)
    assert caught == [2]


def test_no_room_is_told_before_anything_is_made(tmp_path):
    """More than the disk holds is refused at once, in one line with both numbers."""
    with pytest.raises(WriteError, match="records need"):
        tng.generate_corpus("CI.CWC", 10**10, tmp_path / "c", seed=1)
    assert not (tmp_path / "c" / "generation.json").exists()


def test_what_cannot_be_is_refused(folder, tmp_path):
    """Other settings than those of the folder, a station twice, none at all, numbers below one."""
    with pytest.raises(FormatError, match="seed"):
        tng.generate_corpus(CODES, 3, folder, resume=True, seed=4, latent_noise=0.1)
    with pytest.raises(FormatError, match="holds something"):
        tng.generate_corpus(CODES, 3, tmp_path.parent, seed=4, resume=True)
    with pytest.raises(StationError, match=r"TK\.0205 given twice"):
        tng.generate_corpus(["0205", "TK.0205"], 3, tmp_path / "c")
    with pytest.raises(TNGError, match="1 or more"):
        tng.generate_corpus("0205", 0, tmp_path / "c")
    with pytest.raises(TypeError, match="sequence"):
        tng.generate_corpus(205, 3, tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_command_line(folder, tmp_path):
    """The command makes the same corpus; several stations go with nothing else."""
    out = tmp_path / "corpus"
    stations = ["--station", "CI.CWC", "--station", "0205"]
    more = ["-n", "3", "--seed", "3", "--latent-noise", "0.1", "--format", "corpus", "--out", str(out)]
    result = CliRunner().invoke(group, ["generate", *stations, *more])
    assert result.exit_code == 0, result.output
    assert "CI.CWC (recorded pool), TK.0205 (adjusted pool), seed 3" in result.output
    assert contents(out) == contents(folder)
    assert json.loads((out / "generation.json").read_text())["seed"] == 3
    result = CliRunner().invoke(group, ["generate", *stations, "-n", "3", "--out", str(out)])
    assert result.exit_code == 2 and "--format corpus" in result.output


def test_it_can_be_trained_on(tmp_path):
    """The default kind finds onsets and events in it: nothing is left out."""
    folder = tng.generate_corpus("CI.CWC", 6, tmp_path / "c", seed=1)
    lines = []
    model = tng.train(folder, tmp_path / "run", kind="spectral", epochs=1, batch=3, threads=1, progress=lines.append)
    assert model.card["records_train"] + model.card["records_validation"] == 6
    assert lines[0] == "reading 6 records of 6 events"
