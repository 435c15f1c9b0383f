"""Every public entry over files that are not what they seem: one clear line, nothing run, nothing half-written."""

import shutil
import subprocess
import sys
from pathlib import Path

import broken_files
import h5py
import obspy
import pytest

import obspy_tng as tng
from obspy_tng.cli import main
from obspy_tng.corpus import Corpus
from obspy_tng.errors import FormatError, ModelError, RecordError, TNGError
from obspy_tng.pool import LatentPool, pool_files

SAMPLES = Path(__file__).parents[1] / "data_samples"


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """Write the broken files once; afterwards nothing of them may have been run or unpacked to disk."""
    folder = tmp_path_factory.mktemp("broken") / "files"
    folder.mkdir()
    made = broken_files.make(folder)
    before = set(folder.parent.rglob("*"))
    yield made
    assert not (folder / broken_files.CANARY).exists(), "a pickle was loaded"
    assert set(folder.parent.rglob("*")) == before, "something was written beside the files"


def one_line(error):
    """Return the message of an error, which must be one line of readable length."""
    text = str(error)
    assert text.strip() and "\n" not in text and len(text) < 1500, text
    return text


def command(capsys, *words):
    """Run the command line in this process; return exit code, stdout, stderr."""
    before, sys.argv = sys.argv, ["obspy-tng", *map(str, words)]
    try:
        with pytest.raises(SystemExit) as end:
            main()
    finally:
        sys.argv = before
    return end.value.code, *capsys.readouterr()


def test_the_canary_sings(tmp_path):
    """The pickles used here do run code when something loads them."""
    import pickle

    pickle.loads(broken_files._runs(tmp_path / "c"))
    assert (tmp_path / "c").exists()


def test_waveforms(broken):
    """Each file alone gives no record, and a reason that names it."""
    for path in broken["waveforms"]:
        found = tng.read_records(path)
        assert not found, path.name
        assert found.skipped, path.name
        for name, reason in found.skipped:
            assert path.name in name or "BAD" in name, (path.name, name)
            one_line(reason)


def test_waveform_reasons(broken):
    """What is told of some of them is the reason, not the name of the last reader tried."""
    reasons = {
        s.name.rpartition("waveforms/")[2]: s.reason
        for path in broken["waveforms"]
        for s in tng.read_records(path).skipped
    }
    for name, words in {
        "gigantic.asc": "promises 1000000000000 numbers, the file holds 4",
        "stream.mseed": "pickle",
        "bomb.zip/bomb.asc": "refused",
        "lying.zip/bomb.asc": "cannot be unpacked",
        "bomb.gz": "refused",
        "paths.zip/link.asc": "a link, not followed",
        "tricks.tar/to": "a link or device, not followed",
        "cells.mat": "states 1073741824 elements",
        "cut.mat": "cut short",
        "rate_nan.asc": "sampling interval",
        "rate_huge.at2": "sampling interval",
    }.items():
        assert words in reasons[name], (name, reasons[name])


def test_readers_of_the_plug_ins(broken):
    """`obspy.read` of a broken text file raises FormatError and nothing else."""
    for path in broken["waveforms"]:
        if path.suffix in (".asc", ".at2") and "letters" not in path.name:
            with pytest.raises(FormatError) as error:
                obspy.read(str(path))
            assert path.name in one_line(error.value)


def test_good_among_broken(broken):
    """A good record among broken files is found, the others are listed."""
    good = SAMPLES / "20210214030714_0099.zip"
    found = tng.read_records([*broken["waveforms"], good])
    assert [r.code for r in found] == ["TK.0099"]
    curves = tng.hvsr([*broken["waveforms"], good])
    assert list(curves.station.values) == ["TK.0099"]
    assert len(curves.attrs["skipped"]) >= len(broken["waveforms"]) - 10


@pytest.mark.parametrize("words", [("hvsr",), ("pool", "build"), ("corpus", "build")])
def test_commands(broken, capsys, tmp_path, words):
    """Where nothing could be used the command fails, lists the files and writes nothing."""
    code, _, told = command(
        capsys, *words, broken["waveforms"][0].parent, "--out", tmp_path / ("x.csv" if words == ("hvsr",) else "x.h5")
    )
    assert code == 1
    assert told.splitlines()[-1].startswith("Error: ") and "Traceback" not in told
    assert "gigantic.asc" in told or words == ("corpus", "build")
    assert not list(tmp_path.iterdir())


def test_evaluate(broken, capsys, tmp_path):
    """evaluate() and its command say that nothing is usable."""
    with pytest.raises(RecordError) as error:
        tng.evaluate(str(broken["waveforms"][0].parent), str(SAMPLES / "network"))
    assert "no usable record" in one_line(error.value)
    code, _, told = command(
        capsys, "evaluate", SAMPLES / "network", broken["waveforms"][0].parent, "--out", tmp_path / "x.nc"
    )
    assert code == 1 and "Traceback" not in told and not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the memory of this program alone")
def test_memory(broken):
    """The command line over all of them, bombs and lies among them, stays below 1 GB."""
    code = (
        "import atexit; from obspy_tng.cli import main;"
        "atexit.register(lambda: print([line for line in open('/proc/self/status') if line.startswith('VmHWM')][0]));"
        "main()"
    )
    folder = str(broken["waveforms"][0].parent)
    child = subprocess.run([sys.executable, "-c", code, "hvsr", folder], capture_output=True, text=True)
    assert child.returncode == 1
    peak_kb = int(child.stdout.split()[-2])
    assert 10_000 < peak_kb < 1_000_000


def test_pools(broken, capsys):
    """No broken pool is loaded or generated from, none ends the process."""
    for path in broken["pools"]:
        with pytest.raises(ModelError) as error:
            LatentPool.load(path)
        assert path.name in one_line(error.value)
    with pytest.raises(ModelError):
        tng.generate(pool=broken["pools"][0], n=1)
    code, _, told = command(capsys, "pool", "info", broken["pools"][-1])
    assert code == 1 and told.startswith("Error: ") and told.count("\n") == 1


def test_pool_that_crashes_the_library(broken, tmp_path):
    """A child process takes the crash: a pool whose look ends by a signal is refused."""
    from obspy_tng.io import _probe, hdf5

    crash = tmp_path / "probe.py"
    crash.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    before = _probe.__file__
    _probe.__file__ = str(crash)
    try:
        with pytest.raises(ModelError, match=r"crashes on it .signal 11."):
            hdf5._seen.clear()
            LatentPool.load(next(p for p in broken["pools"] if p.name == "cut.h5"))
    finally:
        _probe.__file__ = before


def test_weights(broken):
    """Broken weights and cards raise ModelError before anything of their size is made."""
    for path in broken["weights"]:
        with pytest.raises(ModelError) as error:
            tng.load_model(path)
        one_line(error.value)
    with pytest.raises(ModelError):
        tng.generate("0205", model=broken["weights"][0])


def test_checkpoints(broken, tmp_path):
    """A checkpoint that is none raises ModelError."""
    import torch

    from obspy_tng.checkpoint import Run

    for path in broken["weights"]:
        with pytest.raises(ModelError):
            Run(torch.nn.Linear(1, 1), 1e-3, 1).restore(path, {"seed": 1})


def test_curves(broken, capsys, tmp_path):
    """generate(hvsr=) names the file or the points that cannot be used."""
    for path in broken["curves"]:
        with pytest.raises(TNGError) as error:
            tng.generate(hvsr=path)
        one_line(error.value)
    code, _, told = command(capsys, "generate", "--hvsr", broken["curves"][0], "--out", tmp_path / "x")
    assert code == 1 and told.startswith("Error: ") and not (tmp_path / "x").exists()


@pytest.mark.parametrize("kind", ["inventories", "events"])
def test_metadata(broken, capsys, kind):
    """Entities are neither expanded nor followed, and what is no metadata is refused by name."""
    from obspy_tng.record import read_events, read_inventory

    read = read_inventory if kind == "inventories" else read_events
    for path in broken[kind]:
        if path.name == "empty_root.xml":
            continue
        with pytest.raises(FormatError) as error:
            read(path)
        assert path.name in one_line(error.value) and "secret" not in str(error.value)
        if path.name in ("laughs.xml", "outside.xml", "utf16.xml"):
            assert "DOCTYPE" in str(error.value)
    option = "--inventory" if kind == "inventories" else "--events"
    code, _, told = command(capsys, "hvsr", SAMPLES / "20210214030714_0099.zip", option, broken[kind][0])
    assert code == 1 and told.count("\n") == 1


def test_corpora(broken):
    """A broken corpus raises FormatError or lists its records as skipped; training says so."""
    for path in broken["corpora"]:
        try:
            found = Corpus(path).records()
        except FormatError as error:
            assert path.name in one_line(error)
            continue
        assert not found and [s.name for s in found.skipped] and one_line(found.skipped[0].reason), path.name
    with pytest.raises(TNGError):
        tng.train(broken["corpora"][0], broken["corpora"][0].parent.parent / "run", epochs=1)


@pytest.mark.parametrize("key", ["codes", "scale", "groups", "ln_ratio", "ratio_frequency_hz"])
@pytest.mark.parametrize("value", [None, 7.0, b"text"])
def test_pools_that_hold_no_arrays(tmp_path, key, value):
    """HDF5 may hold nothing, one number or text where a pool has an array (found by fuzzing)."""
    path = Path(shutil.copy(pool_files()["CI.CWC"], tmp_path / "odd.h5"))
    with h5py.File(path, "r+") as file:
        del file[key]
        file[key] = h5py.Empty("f") if value is None else value
    with pytest.raises(ModelError, match=f"odd.h5 is damaged: {key} are no arrays of numbers"):
        LatentPool.load(path)


def test_pool_of_another_shape():
    """A pool that names the right weights and holds codes of another shape is refused before anything is made."""
    from dataclasses import replace

    from obspy_tng.pool import find_pool

    whole = find_pool("CI.CWC", model="tng-ridgecrest-1")
    with pytest.raises(ModelError, match="codes of shape"):
        tng.generate(pool=replace(whole, latents=whole.latents[:, :-1]))
