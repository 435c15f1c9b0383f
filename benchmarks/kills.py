"""Kill commands at random moments (SIGKILL), look at what lies there, run them again: nothing half may pass for whole.

``python benchmarks/kills.py --kills 200`` prints a row per command:

kills      how many processes were ended, half at random times of an uninterrupted run's duration, half at a random
           change of the file system (a file opened for writing, renamed, removed) and up to 20 ms after it
hit        of these, how many ended before the command did
accepted   files at their final names that are not, byte for byte, those of the uninterrupted run (or what stood there
           before), sets of which a part is missing, networks that load and are not those of that run; should be 0
lost       results that stood whole before and are gone, not even put aside in a hidden folder; should be 0
equal      how many, run again (a training with --resume), ended with the same files, byte for byte, and no hidden ones
left       hidden files that stay after the second run; should be 0

Imports take seconds: they are done once, each run is a fork of this process.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
NETWORK = Path(__file__).resolve().parents[1] / "data_samples" / "network"
META = ("--inventory", NETWORK / "stations.xml", "--events", NETWORK / "events.xml")
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.link"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass
class Task:
    """A command and what is known of it."""

    command: tuple
    again: tuple = ()  # added to the second run
    before: tuple = ()  # a command whose results stand there already
    free: tuple = ()  # names of files that may differ between runs, but must open
    sets: tuple = ()  # (names that promise the rest, the rest)
    reference: dict = field(default_factory=dict)
    old: dict = field(default_factory=dict)
    duration_s: float = 0.0
    changes: int = 0


def tasks(work: Path) -> dict[str, Task]:
    """Return the commands; OUT stands for the folder of a run."""
    generate = ("generate", "--station", "CI.CWC", "--seed", "1", "-n", "8", "--out", "OUT")
    train = (
        "train", work / "corpus", "--out", "OUT/run", "--epochs", "3", "--batch", "2", "--precision", "fp32",
        "--threads", "1", "--checkpoint-every", "0.01",
    )  # fmt: skip
    files = sorted(NETWORK.glob("*.mseed"))
    wave, sac = ("CI.CWC_1.mseed", "CI.CWC_1.xml"), "CI.CWC_1/stations.xml"
    return {
        "corpus build": Task(
            ("corpus", "build", *files, *META, "--out", "OUT/corpus"),
            sets=(("corpus/metadata.csv", "corpus/waveforms.hdf5"), ("corpus/waveforms.hdf5", "corpus/metadata.csv")),
        ),
        "pool build": Task(("pool", "build", *files[:3], *META, "--out", "OUT/pools")),
        "train": Task(train, again=("--resume",), free=("run/checkpoint.safetensors",)),
        "generate MiniSEED": Task(generate, sets=(wave,)),
        "generate over old": Task(generate, before=(*generate, "--sampler", "mean"), sets=(wave,)),
        "generate SAC": Task((*generate, "--format", "SAC"), sets=((sac, "CI.CWC_1/*"), ("CI.CWC_1/*", sac))),
        "generate SAC over old": Task(
            (*generate, "--format", "SAC"), before=(*generate, "--format", "SAC", "--sampler", "mean"),
            sets=((sac, "CI.CWC_1/*"),),
        ),
        "generate corpus": Task(
            ("generate", "--station", "CI.CWC", "-n", "12", "--seed", "1", "--format", "corpus", "--out", "OUT/many"),
            again=("--resume",), sets=(("many/metadata.csv", "many/waveforms.hdf5"),),
        ),
        "hvsr": Task(("hvsr", *files, *META, "--out", "OUT/c.nc", "--plot", "OUT/f.png", "--mask-out", "OUT/m.csv")),
        "evaluate": Task(
            ("evaluate", work / "real", work / "generated", *META, "--splits", "2", "--no-c2st", "--jobs", "1",
             "--out", "OUT/e.nc", "--report", "OUT/e.html"),
        ),
    }  # fmt: skip


# --- runs


def fork(command, out: Path, log: Path, watch=None) -> int:
    """Start a command in a child and return its number; `watch` is called in it at every change of the file system."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        sys.argv = ["obspy-tng", *(str(a).replace("OUT", str(out)) for a in command)]
        if watch:
            sys.addaudithook(lambda event, values: watch() if _changes(event, values, str(out)) else None)
        from obspy_tng.cli import main

        main()
    except SystemExit as end:
        sys.stdout.flush()
        log.with_suffix(".modules").write_text("\n".join(sys.modules))
        os._exit(end.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(99)


def _changes(event, values, folder: str) -> bool:
    if event == "open":
        return isinstance(values[0], (str, Path)) and str(values[0]).startswith(folder) and bool(values[2] & WRITES)
    return event in CHANGES and str(values[0]).startswith(folder)


def finished(pid: int) -> int:
    """Wait for a child and return its exit status, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def whole_run(command, out: Path, log: Path) -> tuple[float, int]:
    """Run a command to its end; return seconds and changes of the file system."""
    counter = log.with_suffix(".count")
    counter.write_bytes(b"")
    count = os.open(counter, os.O_WRONLY | os.O_APPEND)
    begun = time.perf_counter()
    status = finished(fork(command, out, log, lambda: os.write(count, b".")))
    duration_s = time.perf_counter() - begun
    os.close(count)
    if status:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {status}:\n{log.read_text()[-2000:]}")
    for name in log.with_suffix(".modules").read_text().splitlines():  # what it imported late, the next need not
        if name not in sys.modules and name != "__mp_main__":
            with contextlib.suppress(Exception):
                __import__(name)
    return duration_s, counter.stat().st_size


def killed_run(task: Task, out: Path, log: Path, rng: random.Random, at_change: bool) -> bool:
    """Start a command and kill it at a random moment; return whether it was still running."""
    watch = None
    if at_change:
        wanted, delay_s, seen = rng.randrange(task.changes), rng.choice((0.0, rng.uniform(0, 0.02))), [0]

        def watch():
            if seen[0] == wanted:
                _die(delay_s)
            seen[0] += 1

    pid = fork(task.command, out, log, watch)
    if not at_change:
        time.sleep(rng.uniform(0, task.duration_s))
        os.killpg(pid, signal.SIGKILL) if os.getpgid(pid) == pid else os.kill(pid, signal.SIGKILL)
    return finished(pid) == -signal.SIGKILL


def _die(delay_s):
    if delay_s:
        threading.Timer(delay_s, os.kill, (os.getpid(), signal.SIGKILL)).start()
    else:
        os.kill(os.getpid(), signal.SIGKILL)


# --- what lies there


def visible(folder: Path) -> dict[str, str]:
    """Return name -> sha256 of the files below a folder that are not hidden."""
    names = (p for p in sorted(folder.rglob("*")) if p.is_file())
    names = [p for p in names if not any(part.startswith(".") for part in p.relative_to(folder).parts)]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in names}


def wrong(task: Task, found: dict[str, str], out: Path) -> list[str]:
    """Return what may be taken for whole and is not."""
    complaints = []
    for name, digest in found.items():
        if name.endswith(".part"):  # corpora grow under such names: no reader takes them
            continue
        if name in task.free:
            complaints += [] if _opens(out / name) else [f"{name} does not open"]
        elif digest not in (task.reference.get(name), task.old.get(name)):
            complaints.append(f"{name} is neither the old nor the new one")
    for head, rest in task.sets:
        heads = [n for n in found if Path(n).match(head)]
        needed = [n for n in task.reference if Path(n).match(rest)] if heads else []
        for state in (task.reference, task.old):
            if heads and all(found.get(n) == state.get(n) for n in (*heads, *needed)):
                break
        else:
            complaints += [f"{heads[0]} without all of {rest}"] if heads else []
    weights = "run/model.safetensors"
    if weights in found and found[weights] != task.reference[weights] and _loads(out / "run"):
        complaints.append("a network of another run loads")
    return complaints


def lost(task: Task, found: dict[str, str], out: Path) -> list[str]:
    """Return results that stood there before and are neither kept, nor put aside, nor replaced."""
    heads = [n for n in task.old if not n.endswith(".xml")]
    gone = [n for n in heads if found.get(n) not in (task.old[n], task.reference.get(n))]
    aside = {hashlib.sha256(p.read_bytes()).hexdigest() for p in out.rglob("*") if p.is_file()} if gone else set()
    return [n for n in gone if task.old[n] not in aside]


def _opens(path) -> bool:
    from obspy_tng.errors import ModelError
    from obspy_tng.models.weights import read_tensors

    try:
        tensors, metadata = read_tensors(path)
    except ModelError:
        return False
    return bool(tensors) and "settings" in json.loads(metadata["facts"])


def _loads(path) -> bool:
    import obspy_tng as tng

    try:
        return bool(tng.load_model(path))
    except tng.TNGError:
        return False


def comparable(task: Task, found: dict) -> dict:
    """Return what must be equal after the second run."""
    return {name: digest for name, digest in found.items() if name not in task.free}


# --- the whole


def prepare(task: Task, work: Path) -> None:
    """Run a command uninterrupted, twice, and keep what it left; the second run is timed."""
    out, log = work / "try", work / "log"
    for target, command in (("old", task.before), ("first", task.command), ("reference", task.command)):
        if not command:
            continue
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        task.duration_s, task.changes = whole_run(command, out, log)
        if target == "old":
            shutil.copytree(out, work / "old", dirs_exist_ok=True)
            task.old = visible(out)
        elif target == "first":
            first = comparable(task, visible(out))
        else:
            task.reference = visible(out)
    if first != comparable(task, task.reference):
        differ = [n for n in first if first[n] != task.reference.get(n)]
        raise SystemExit(f"two uninterrupted runs differ in {differ}")
    if task.old and not set(task.old.values()) - set(task.reference.values()):
        raise SystemExit("what stands there before is no different")


def one_kill(task: Task, work: Path, rng, at_change: bool) -> dict:
    """Kill a command once, look, run it again, compare."""
    out, log = work / "try", work / "log"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(work / "old", out) if task.old else out.mkdir()
    hit = killed_run(task, out, log, rng, at_change)
    found = visible(out)
    complaints, gone = wrong(task, found, out), lost(task, found, out)
    if task.command[0] != "corpus" or not found:  # a whole corpus is refused, as it should be
        whole_run((*task.command, *task.again), out, log)
    equal = comparable(task, visible(out)) == comparable(task, task.reference)
    for text in (*complaints, *(f"{n} is gone" for n in gone), *([] if equal else ["not equal after the second run"])):
        print(f"  {'change' if at_change else 'time'}: {text}", flush=True)
    return {
        "kills": 1, "hit": hit, "accepted": bool(complaints), "lost": bool(gone), "equal": equal,
        "left": any(out.rglob(".*")),
    }  # fmt: skip


def preload() -> None:
    """Import the package, so that forks start at once; nothing is computed here."""
    import obspy_tng.corpus_synthesis

    obspy_tng.corpus_synthesis._CHUNK = 4  # so that few records make several pieces
    package = NETWORK.parents[1] / "obspy_tng"
    for path in sorted(package.rglob("*.py")):
        name = ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")
        if path.stem != "__main__":
            __import__(name)


def run(kills: int, seed: int, only, folder) -> list[dict]:
    """Kill each command its share of times; return a row per command."""
    preload()
    work = Path(tempfile.mkdtemp(prefix="kills-", dir=folder))
    rows = []
    try:
        known = tasks(work)
        (work / "real").mkdir()
        few = [shutil.copy(p, work / "real") for p in sorted(NETWORK.glob("*.mseed"))[:3]]
        whole_run(("corpus", "build", *few[:2], *META, "--out", work / "corpus"), work,
                  work / "log")  # fmt: skip
        whole_run(("pool", "build", NETWORK, *META, "--out", work / "own"), work, work / "log")
        whole_run(("generate", "--pool", work / "own" / "XT.SOFT.h5", "-n", "6", "--seed", "2", "--out",
                   work / "generated"), work, work / "log")  # fmt: skip
        chosen = {n: t for n, t in known.items() if not only or any(o in n for o in only)}
        share, more = divmod(kills, len(chosen))
        for number, (name, task) in enumerate(chosen.items()):
            shutil.rmtree(work / "old", ignore_errors=True)
            prepare(task, work)
            rng, row = random.Random(f"{seed} {name}"), {}
            for k in range(share + (number < more)):
                for key, value in one_kill(task, work, rng, at_change=bool(k % 2)).items():
                    row[key] = row.get(key, 0) + value
            rows.append({"command": name, **row, "duration_s": round(task.duration_s, 2)})
            print(_line(rows[-1]), flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return rows


def _line(row: dict) -> str:
    return f"{row['command']:22}" + "".join(f"{row[k]:>10}" for k in list(row)[1:])


def main():
    """Print the table; exit 1 when something was lost, wrongly accepted, left or not equal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", help="parts of commands' names")
    parser.add_argument("--folder", help="where to work; the system's temporary folder when left out")
    given = parser.parse_args()
    heads = ("kills", "hit", "accepted", "lost", "equal", "left", "run (s)")
    print(f"{'command':22}" + "".join(f"{h:>10}" for h in heads), flush=True)
    begun = time.perf_counter()
    rows = run(given.kills, given.seed, given.only, given.folder)
    total = {k: sum(r.get(k, 0) for r in rows) for k in ("kills", "hit", "accepted", "lost", "equal", "left")}
    print(_line({"command": "all", **total}), f"  in {time.perf_counter() - begun:.0f} s")
    bad = total["accepted"] + total["lost"] + total["left"] + total["kills"] - total["equal"]
    raise SystemExit(int(bad > 0))


if __name__ == "__main__":
    main()
