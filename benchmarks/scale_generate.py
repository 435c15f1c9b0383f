"""Generation into a corpus: throughput, disk and peak memory over three decades, and a kill -9 on the way.

    python benchmarks/scale_generate.py                   (200 and 2,000 records; --full: 20,000 too, 20 min)

Half the records of CI.CWC, half of 0205 (recorded and adjusted pool). Every size runs in a fresh process, whose largest
resident memory is what the system counted. The largest is killed (SIGKILL) after a third and resumed; what is in both
it and the next smaller one must be the same to the last bit, and so must a resumed and an uninterrupted corpus be.
"""

import argparse
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

STATIONS = ("CI.CWC", "TK.0205")
SEED = 1


def once(folder: str, n: int) -> dict:
    """Generate or go on in this process; return seconds, seconds of CPU and the largest memory in MB."""
    import obspy_tng as tng

    tng.generate(STATIONS[0], seed=SEED)  # weights, pools and libraries are loaded before the clock starts
    begin, cpu = time.perf_counter(), time.process_time()
    tng.generate_corpus(STATIONS, n // len(STATIONS), folder, seed=SEED, resume=True)
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"s": time.perf_counter() - begin, "cpu_s": time.process_time() - cpu, "memory_mb": memory_mb}


def start(folder: Path, n: int) -> subprocess.Popen:
    """Run `once` in a process of its own."""
    command = [sys.executable, __file__, "--once", str(folder), str(n)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def done(folder: Path) -> int:
    """Return how many rows the table of an unfinished corpus has."""
    table = folder / "metadata.csv.part"
    return table.read_bytes().count(b"\n") - 1 if table.exists() else 0


def killed(folder: Path, n: int) -> int:
    """Start, kill -9 after a third, and return how many records were there."""
    process = start(folder, n)
    while done(folder) < n // 3:
        time.sleep(0.05)
        if process.poll() is not None:
            raise RuntimeError(f"ended before it was killed: {process.returncode}")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    if (folder / "metadata.csv").exists():
        raise RuntimeError("a killed run left what looks like a corpus")
    return done(folder)


def digest(folder: Path) -> str:
    """Return the hash of waveforms and table."""
    total = hashlib.sha256()
    for name in ("waveforms.hdf5", "metadata.csv"):
        with (folder / name).open("rb") as file:
            while block := file.read(1 << 24):
                total.update(block)
    return total.hexdigest()


def common(small: Path, large: Path) -> bool:
    """Tell whether the records of a corpus are the same in a larger one."""
    import h5py

    with h5py.File(small / "waveforms.hdf5") as a, h5py.File(large / "waveforms.hdf5") as b:
        return all(np.array_equal(block[()], b["data"][name][: len(block)]) for name, block in a["data"].items())


def main():
    """Print a line per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="also 20,000 records")
    parser.add_argument("--once", nargs=2, metavar=("FOLDER", "N"), help="one size, as JSON: for the script itself")
    args = parser.parse_args()
    if args.once:
        print(json.dumps(once(args.once[0], int(args.once[1]))))
        return
    sizes, before, points = (200, 2000, *([20000] if args.full else [])), None, []
    work = Path(tempfile.mkdtemp(prefix="scale-generate-"))
    try:
        print(f"{'records':>8}{'s':>9}{'records/s':>11}{'CPU s/record':>14}{'MB':>9}{'MB/record':>11}{'peak MB':>9}")
        for n in sizes:
            folder, there = work / str(n), 0
            if n == sizes[-1]:
                there = killed(folder, n)
            got = json.loads(start(folder, n).communicate()[0])
            size_mb = sum(p.stat().st_size for p in folder.iterdir()) / 1e6
            made = n - there
            print(
                f"{n:8}{got['s']:9.1f}{made / got['s']:11.1f}{got['cpu_s'] / made:14.4f}{size_mb:9.1f}"
                f"{size_mb / n:11.4f}{got['memory_mb']:9.0f}"
                + (f"   killed -9 at {there}, resumed: {made} made" if there else ""),
                flush=True,
            )
            points.append((made, got["s"]))
            if before and not common(before, folder):
                raise RuntimeError(f"records of {before.name} and {n} differ")
            before = folder
        print("records that two sizes have in common are the same to the last bit")
        slope = np.polyfit(*zip(*points[-2:], strict=True), 1)
        print(f"slope {slope[0]:.4f} s/record: 100,000 records in {np.polyval(slope, 1e5) / 60:.0f} min, 7.3 GB")
        killed(work / "again", sizes[0])
        start(work / "again", sizes[0]).communicate()
        same = digest(work / "again") == digest(work / str(sizes[0]))
        print(f"{sizes[0]} records killed and resumed: " + ("the same bytes" if same else "BYTES DIFFER"))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
