"""Training on corpora larger than memory: seconds and peak memory while the corpus grows tenfold.

    python benchmarks/scale_training.py                 (300 and 3,000 records; --full: 30,000 too)

An epoch of the default kind with a small network over noise with onsets (what is measured is reading, not learning),
streamed with `--memory 0.02` and, for comparison, held in memory. Every run is a fresh process, whose largest resident
memory is what the system counted.
"""

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

NPTS, BLOCK = 6000, 100  # records of an array
MEMORY_GB = 0.02  # less than the smallest corpus takes


def write(folder: Path, n: int) -> None:
    """Write a corpus of noise that grows at P and S, ten records per event."""
    import h5py

    folder.mkdir()
    rng, t = np.random.default_rng(0), np.arange(NPTS) / 100
    shape = 1e-4 + 0.1 * (t > 10) + (t > 16) * np.exp(-(t - 16).clip(0) / 10)
    with h5py.File(folder / "waveforms.hdf5", "w") as file, (folder / "metadata.csv").open("w", newline="") as table:
        for key, value in (("dimension_order", "CW"), ("component_order", "ENZ")):
            file[f"data_format/{key}"] = value
        writer = csv.writer(table)
        writer.writerow(
            ["trace_name", "trace_start_time", "trace_sampling_rate_hz", "trace_npts", "station_network_code"]
            + ["station_code", "source_id", "trace_p_arrival_sample", "trace_s_arrival_sample"]
        )
        for first in range(0, n, BLOCK):
            noise = rng.standard_normal((min(BLOCK, n - first), 3, NPTS), np.float32)
            file[f"data/b{first // BLOCK}"] = (noise * shape).astype(np.float32)
        for i in range(n):
            row = [
                f"b{i // BLOCK}${i % BLOCK},:3,:{NPTS}",
                "2020-01-01T00:00:00",
                100.0,
                NPTS,
                "XX",
                f"S{i % 10}",
                f"e{i // 10}",
            ]
            writer.writerow([*row, 1000, 1600])


def once(folder: str, memory_gb: float) -> dict:
    """Train an epoch in this process; return its seconds and the largest memory in MB."""
    import obspy_tng as tng
    from obspy_tng.models.spectral_timesnet import SpectralConfig

    SpectralConfig.__init__.__defaults__ = (8, 4, 1, (2, 4, 8, 16), (1,))
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        tng.train(
            folder,
            out,
            kind="spectral",
            epochs=1,
            batch=32,
            validation=0.1,
            threads=1,
            memory_gb=memory_gb,
            precision="auto",
        )
    return {"s": time.perf_counter() - begin, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main():
    """Print a line per size and way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="also 30,000 records (2.2 GB in a temporary folder)")
    parser.add_argument("--once", nargs=2, metavar=("FOLDER", "GB"), help="one run, as JSON: for the script itself")
    args = parser.parse_args()
    if args.once:
        print(json.dumps(once(args.once[0], float(args.once[1]))))
        return
    peaks = []
    with tempfile.TemporaryDirectory(prefix="scale-training-") as work:
        for n in (300, 3000, *([30000] if args.full else [])):
            folder = Path(work) / str(n)
            write(folder, n)
            for way, limit in (("streamed", MEMORY_GB), ("in memory", 1000.0)):
                command = [sys.executable, __file__, "--once", str(folder), str(limit)]
                got = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
                print(f"{n:6} records, {n * 12 * NPTS / 1e6:6.0f} MB, {way:10}{got['s']:8.1f} s{got['mb']:8.0f} MB")
                sys.stdout.flush()
                if way == "streamed":
                    peaks.append(got["mb"])
    print(f"streamed: {peaks[-1] - peaks[-2]:.0f} MB more for ten times the records")


if __name__ == "__main__":
    main()
