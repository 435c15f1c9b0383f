"""Faults: full disks, forbidden and vanishing folders, signals, closed pipes, two writers at once.

Whatever happens, one line tells it, the exit code is right, and nothing half stands at a final name.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import obspy_tng as tng
import obspy_tng.corpus as corpus_module
from obspy_tng.errors import ModelError, WriteError
from obspy_tng.models import weights
from obspy_tng.pool import LatentPool, pool_files
from obspy_tng.writing import whole

NETWORK = Path(__file__).parents[1] / "data_samples" / "network"
FILES = sorted(NETWORK.glob("*.mseed"))
META = ["--inventory", NETWORK / "stations.xml", "--events", NETWORK / "events.xml"]
posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX limits, signals and pipes")


def python(code, *arguments, **how):
    """Start a Python process on a piece of code."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)


# --- no room, no permission

FAULTS = """
import contextlib, ctypes, io, json, os, resource, sys
from pathlib import Path
import obspy_tng as tng, obspy_tng.training, obspy_tng.cli.corpus, obspy_tng.cli.generate, obspy_tng.cli.pool
import obspy.io.mseed.core, obspy.io.sac.core, obspy.io.stationxml.core, torch
from obspy_tng.cli import main
from obspy_tng.models import weights
from obspy_tng.pool import LatentPool, pool_files

fault, network = sys.argv[1], Path(sys.argv[2])
meta = ["--inventory", network / "stations.xml", "--events", network / "events.xml"]
generate = ["generate", "--station", "CI.CWC", "--seed", "1"]
pool = LatentPool.load(pool_files()["CI.CWC"])
stream = tng.generate("CI.CWC", n=2, seed=1)
linear = torch.nn.Linear(200, 200)

def command(*args):
    sys.argv = ["obspy-tng", *map(str, args)]
    main()

cases = {
    "pool.h5": lambda out: pool.save(out),
    "waves.mseed": lambda out: tng.write(stream, out),
    "sac": lambda out: tng.write(stream, out),
    "at2": lambda out: tng.write(stream, out, "AT2"),
    "model.safetensors": lambda out: weights.save(out, linear, {}),
}
if fault == "forbidden":
    Path().chmod(0o555)
    if os.geteuid() == 0:  # permissions bind root, too, without CAP_DAC_OVERRIDE (1) and CAP_DAC_READ_SEARCH (2)
        header, bits = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        assert ctypes.CDLL(None).capget(header, bits) == 0
        bits[0] &= ~0b110
        assert ctypes.CDLL(None).capset(header, bits) == 0
else:
    cases["corpus"] = lambda out: command("corpus", "build", sorted(network.glob("*.mseed"))[0], *meta, "--out", out)
    cases["CI.CWC_1.mseed"] = lambda out: command(*generate, "--out", out.parent)
told = {}
for name, write in cases.items():
    for limit in (1, 3000, 12000) if fault == "full" else (resource.RLIM_INFINITY,):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            try:
                write(Path(name))
                end = "written"
            except SystemExit as err:
                end = err.code
            except tng.TNGError as err:
                end = f"{type(err).__name__}: {err}"
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        told[f"{name} {limit}"] = [end, said.getvalue(), os.listdir()]
print(json.dumps(told))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits and capabilities of Linux")
@pytest.mark.parametrize(("fault", "reason"), [("full", "File too large"), ("forbidden", "Permission denied")])
def test_what_cannot_be_written_is_one_line(tmp_path, fault, reason):
    """Pools, waves, folders, weights, corpora: the user's path and the reason, exit 1, nothing left, no other noise."""
    (tmp_path / "out").mkdir()
    process = python(FAULTS, fault, NETWORK, cwd=tmp_path / "out")
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "ignored" not in errors  # ObsPy's MiniSEED goes on after a failed write and says so here
    told = json.loads(output)
    assert len(told) == (21 if fault == "full" else 5)
    for case, (end, said, left) in told.items():
        message = f"{case.split()[0]} cannot be written: {reason}"
        lines = said.splitlines()
        assert end == f"WriteError: {message}" or (end == 1 and lines[-1] == f"Error: {message}"), (case, end, said)
        assert left == [], case


@posix
def test_a_full_disk_at_any_byte_leaves_no_corpus(tmp_path):
    """HDF5 whose file takes no more, at any of many sizes: a WriteError, never the end of the process."""
    code = """
import resource, sys
import obspy_tng as tng
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
size = int(sys.argv[3])
for limit in [*range(0, 6000, 700), *range(size // 2, size, size // 12), size - 1, size - 100, size - 2000]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        tng.build_corpus(sys.argv[1], sys.argv[2], units="gal")
        print("written with", limit)
    except tng.TNGError as err:
        assert isinstance(err, OSError), err
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
print(len(tng.build_corpus(sys.argv[1], sys.argv[2], units="gal")[0]))
"""
    tng.simulate(n=1, seed=1, duration_s=20).write(str(tmp_path / "a.mseed"), format="MSEED")
    made, _ = tng.build_corpus(tmp_path / "a.mseed", tmp_path / "whole", units="gal")
    process = python(code, tmp_path / "a.mseed", tmp_path / "c", (made.path / "waveforms.hdf5").stat().st_size)
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, output) == (0, "1\n"), errors
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mseed", "c", "whole"]


@posix
def test_a_full_disk_under_standard_output(tmp_path):
    """A result nobody can be told is one line and exit 1."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "obspy_tng.cli", "stations"], stdout=full, stderr=subprocess.PIPE, text=True,
            check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "Error: standard output cannot be written: No space left on device\n"


def test_a_folder_that_vanishes(tmp_path):
    """The folder of the output is removed while it is written: a WriteError, no new folder of that name."""
    parent = tmp_path / "gone"
    with pytest.raises(WriteError, match=f"^{parent / 'c'} cannot be written: No such file"):
        tng.build_corpus(FILES[0], parent / "c", *META[1::2], progress=lambda line: shutil.rmtree(parent))
    parent.mkdir()
    with (
        pytest.raises(WriteError, match="a cannot be written: No such file"),
        whole(parent / "a") as part,
    ):
        part.write_text("x")
        shutil.rmtree(parent)
    assert list(tmp_path.iterdir()) == []


def test_a_figure_that_cannot_be_finished_leaves_none(tmp_path, monkeypatch):
    """generate --plot on a disk that is full in the middle of the figure: the waves are there, no half PNG."""
    import obspy_tng.plotting as plotting
    from obspy_tng.cli import group

    class Figure:
        @staticmethod
        def savefig(path, **_):
            Path(path).write_bytes(b"half")
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(plotting, "plot_generated", lambda stream: Figure)
    args = ["generate", "--station", "CI.CWC", "--seed", "1", "--plot", "--out", str(tmp_path)]
    done = CliRunner().invoke(group, args)
    assert isinstance(done.exception, WriteError)
    assert "CI.CWC_1.png cannot be written: No space left on device" in str(done.exception)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["CI.CWC_1.mseed", "CI.CWC_1.xml"]


# --- ended between two steps


def test_weights_of_another_card_are_refused(tmp_path, monkeypatch):
    """Ended between weights and card, over an older model: the new weights do not load with the old card."""

    def stop(*_):
        raise KeyboardInterrupt

    path, network = tmp_path / "model.safetensors", torch.nn.Linear(3, 3)
    card = weights.save(path, network, {"model": "m", "config": {}})
    weights.load_into(network, path, card)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(weights, "write_text", stop)  # the card
        weights.save(path, torch.nn.Linear(3, 3), {"model": "m", "config": {}})
    with pytest.raises(ModelError, match="damaged or was exchanged"):
        weights.load_into(network, path, weights.read_card(path))


def test_mass_generation_killed_before_its_first_file_goes_on(tmp_path):
    """A folder with nothing but what a killed process left hidden is an empty one."""
    (tmp_path / "c" / ".generation.json-vm-1-abc").mkdir(parents=True)
    folder = tng.generate_corpus("CI.CWC", 1, tmp_path / "c", seed=1, resume=True)
    assert len(tng.Corpus(folder).records()) == 1


# --- two at once


@posix
def test_two_processes_on_one_pool(tmp_path):
    """Two processes write one pool over and over: it is whole, and one of the two, whenever it is read."""
    code = """
import sys
from dataclasses import replace
from obspy_tng.pool import LatentPool, pool_files
pool = replace(LatentPool.load(pool_files()["CI.CWC"]), station=sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(25):
    pool.save(sys.argv[1])
"""
    path = tmp_path / "p.h5"
    processes = [python(code, path, name, stdin=subprocess.PIPE) for name in ("ONE", "TWO")]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    latents, seen = LatentPool.load(pool_files()["CI.CWC"]).latents, set()
    while any(p.poll() is None for p in processes) or not seen:
        if path.exists():
            found = LatentPool.load(path)
            seen.add(found.station)
            assert np.array_equal(found.latents, latents)
    for process in processes:
        assert process.communicate()[1] == "" and process.returncode == 0
    assert seen <= {"ONE", "TWO"}
    assert [p.name for p in tmp_path.iterdir()] == ["p.h5"]


def test_two_builds_of_one_corpus(tmp_path, monkeypatch):
    """Both have written all when the first takes the name: the other gets an error, the corpus is the first's."""
    fill, both, ends = corpus_module._fill, threading.Barrier(2), []

    def waiting(*args):
        done = fill(*args)
        both.wait(timeout=60)
        return done

    def build(n):
        try:
            ends.append(len(tng.build_corpus(FILES[:n], tmp_path / "c", *META[1::2])[0]))
        except tng.TNGError as err:
            ends.append(str(err))

    monkeypatch.setattr(corpus_module, "_fill", waiting)
    threads = [threading.Thread(target=build, args=(n,)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (made,), (refused,) = ([e for e in ends if isinstance(e, kind)] for kind in (int, str))
    assert refused.startswith(f"{tmp_path / 'c'} cannot be written: ")
    assert len(tng.Corpus(tmp_path / "c").records()) == made
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


# --- signals and pipes


@posix
@pytest.mark.parametrize(
    ("sig", "code", "line"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_signals_end_with_one_line(tmp_path, sig, code, line):
    """Ctrl-C and SIGTERM in the middle of a corpus: one line, 130 and 143, neither corpus nor hidden folder."""
    script = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # what was started in the background ignores it
import obspy_tng.corpus as module
whole = module.row_of
def slow(*args):
    print("ready", flush=True)
    time.sleep(30)
    return whole(*args)
module.row_of = slow
from obspy_tng.cli import main
sys.argv[0] = "obspy-tng"
main()
"""
    process = python(script, "corpus", "build", FILES[0], *META, "--out", tmp_path / "c")
    assert process.stdout.readline() == "ready\n"
    assert any(p.name.startswith(".c-") for p in tmp_path.iterdir())
    process.send_signal(sig)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == code
    assert errors.strip().splitlines() == [f"Error: {line}"] and output == ""
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_reader_that_left_takes_nothing_along(tmp_path):
    """`| head -1` closes the pipe: exit 0, no line about it, and the file asked for is written."""
    curves = tmp_path / "c.csv"
    for args in (["stations"], ["hvsr", FILES[0], *META, "--out", curves]):
        read, write = os.pipe()
        os.close(read)  # before anything is written, so that the first write fails
        command = [sys.executable, "-m", "obspy_tng.cli", *map(str, args)]
        done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
        os.close(write)
        assert done.returncode == 0, done.stderr
        assert not [text for text in done.stderr.splitlines() if "rror" in text or "pipe" in text]
    assert len(curves.read_text().splitlines()) > 200
