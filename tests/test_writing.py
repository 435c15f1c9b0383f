"""Writing: a name appears whole or not at all, whatever ends the process, and leftovers of the dead are swept."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from obspy_tng.errors import TNGError, WriteError
from obspy_tng.writing import sweep, whole, workplace

linux_only = pytest.mark.skipif(os.name == "nt", reason="needs POSIX processes and locks")

WRITER = """
import sys, time
from pathlib import Path
from obspy_tng.writing import whole
with whole(sys.argv[1]) as part:
    Path(part).write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


def start(target):
    """Return a process that has written half of a file and waits."""
    command = [sys.executable, "-c", WRITER, str(target)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def end(process, sig):
    process.send_signal(sig)
    process.wait()
    process.stdout.close()


def test_the_name_appears_at_the_end(tmp_path):
    """Inside the block the old content stands at the name; after it the new one, alone."""
    target = tmp_path / "a.txt"
    target.write_text("old")
    with whole(target) as part:
        part.write_text("new")
        assert target.read_text() == "old"
        assert part.name == target.name  # writers that tell a format from the suffix
    assert target.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, MemoryError])
def test_a_failure_leaves_the_old(tmp_path, error):
    """What is raised inside passes through; the old file stays, and nothing beside it."""
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error), whole(target) as part:
        part.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_errors_of_the_system_name_the_file_of_the_user(tmp_path):
    """A WriteError is ours and an OSError, and has the user's path and the reason, not those of the hidden folder."""
    (tmp_path / "folder").mkdir()
    for target, reason in (
        (tmp_path / "absent" / "a", "No such file or directory"),
        (tmp_path / "folder", "directory"),
    ):
        with (
            pytest.raises(WriteError, match=f"^{target} cannot be written: .*{reason}") as caught,
            whole(target) as part,
        ):
            part.write_text("x")
        assert isinstance(caught.value, TNGError) and isinstance(caught.value, OSError)
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_files_are_as_private_as_the_user_wants(tmp_path):
    """Permissions are those of a file opened in the usual way."""
    (tmp_path / "plain").write_text("x")
    with whole(tmp_path / "whole") as part:
        part.write_text("x")
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_long_names_fit(tmp_path):
    """A name as long as file systems take is written."""
    target = tmp_path / ("ä" * 120 + ".h5")
    with whole(target) as part:
        part.write_text("x")
    assert target.read_text() == "x"


def test_threads_of_one_process_do_not_meet(tmp_path):
    """Eight threads write one name: it is whole whenever it is read, and nothing is left."""
    target, seen = tmp_path / "a.txt", []

    def write(letter):
        for _ in range(10):
            with whole(target) as part:
                part.write_text(letter * 100_000)
            seen.append(target.read_text())

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 80
    assert all(len(text) == 100_000 and len(set(text)) == 1 for text in seen)
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@linux_only
def test_leftovers_of_a_killed_process_are_swept(tmp_path):
    """SIGKILL leaves a hidden folder and no file; the next write to the name removes it, one to another name not."""
    target = tmp_path / "a.txt"
    end(start(target), signal.SIGKILL)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".a.txt-") and (left / "a.txt").read_text() == "half"
    with whole(tmp_path / "b.txt") as part:
        part.write_text("other")
    assert left.exists()
    end(start(tmp_path / "b.txt"), signal.SIGKILL)
    with whole(target) as part:
        part.write_text("new")
    sweep(tmp_path / "b.txt")  # without writing it
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "b.txt"]


@linux_only
def test_a_living_process_is_left_alone(tmp_path):
    """Another process that writes the same name is not disturbed, stopped or not."""
    target = tmp_path / "a.txt"
    process = start(target)
    process.send_signal(signal.SIGSTOP)
    try:
        with whole(target) as part:
            part.write_text("new")
        (left,) = (p for p in tmp_path.iterdir() if p.name != "a.txt")
        assert (left / "a.txt").read_text() == "half"
    finally:
        process.send_signal(signal.SIGCONT)
        end(process, signal.SIGKILL)


@linux_only
def test_a_lock_alone_protects(tmp_path, monkeypatch):
    """A process whose number cannot be seen from here (in another container) is known by its lock."""
    target = tmp_path / "a.txt"
    monkeypatch.setattr("obspy_tng.writing._alive", lambda pid: False)
    with workplace(target) as mine:
        with workplace(target) as other:
            assert mine.exists() and other != mine
        assert mine.exists()
        with workplace(tmp_path / "a.tx"):  # a name that begins alike is another one
            assert mine.exists()


@linux_only
def test_foreign_hidden_folders_stay(tmp_path):
    """Hidden folders that are not of ours, or of another machine, are not touched."""
    for name in (".a.txt-notes", ".a.txt-elsewhere-1-abc", ".a.txt"):
        (tmp_path / name).mkdir()
    with whole(tmp_path / "a.txt") as part:
        part.write_text("x")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".a.txt", ".a.txt-elsewhere-1-abc", ".a.txt-notes", "a.txt"]


def test_readers_do_not_see_hidden_folders(tmp_path):
    """What a killed process left inside a folder of records is not read as a record."""
    import obspy_tng as tng

    stream = tng.simulate(n=1, seed=1)
    (tmp_path / ".a.mseed-vm-1-abc").mkdir()
    stream.write(str(tmp_path / ".a.mseed-vm-1-abc" / "waves.mseed"), format="MSEED")
    stream.write(str(tmp_path / "b.mseed"), format="MSEED")
    found = tng.read_records(tmp_path, units="m/s2")
    assert [Path(r.source).name for r in found] == ["b.mseed"]
