"""Do several processes train as one does? Losses under torchrun against those of one process, same global batch.

    python benchmarks/scale_processes.py [--kinds spectral waveform] [--epochs 11]

On the sample records, at the command line's defaults, fp32. Per kind and phase: the largest difference of the loss of a
step over the first 50 and over all, and the relative difference of the losses of the last epoch.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import obspy_tng as tng

SAMPLES = Path(__file__).parents[1] / "data_samples" / "network"
TORCHRUN = Path(sys.executable).parent / "torchrun"
PHASES = {"spectral": "0", "waveform": "01"}
FIRST = 50


def column(folder: Path, table: str, name: str) -> np.ndarray:
    """Return a column of a table that a training leaves."""
    with (folder / f"{table}.csv").open() as file:
        return np.array([float(row[name]) for row in csv.DictReader(file)])


def train(corpus: Path, out: Path, processes: int, *options: str) -> None:
    """Train in so many processes."""
    start = [sys.executable, "-m", "obspy_tng.cli"]
    if processes > 1:
        start = [str(TORCHRUN), "--standalone", "--nproc-per-node", str(processes), "-m", "obspy_tng.cli"]
    command = [*start, "train", str(corpus), "--out", str(out), "--threads", "1", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr[-2000:]}")


def compared(one: Path, many: Path) -> str:
    """Return the row of a table."""
    a, b = (column(folder, "steps", "loss") for folder in (one, many))
    away = np.abs(a - b)
    last = [
        abs(column(many, "history", name)[-1] / column(one, "history", name)[-1] - 1)
        for name in ("train_total", "valid_total")
    ]
    return f"{len(a):6} {away[:FIRST].max():12.1e} {away.max():12.1e} {last[0]:14.4%} {last[1]:14.4%}"


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=list(PHASES), choices=list(PHASES))
    parser.add_argument("--processes", nargs="+", type=int, default=[2, 3])
    parser.add_argument("--epochs", type=int, default=11)
    parser.add_argument("--batch", type=int, default=5)
    args = parser.parse_args()
    print(f"{'':24}{'steps':>6} {'first 50':>12} {'all':>12} {'last, training':>14} {'validation':>14}")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        corpus, _ = tng.build_corpus(SAMPLES, work / "corpus", SAMPLES / "stations.xml", SAMPLES / "events.xml")
        stations = [x for code in sorted(set(corpus.codes())) for x in ("--station", code)]
        for kind in args.kinds:
            for phase in PHASES[kind]:
                told = ["--model", kind, "--epochs", str(args.epochs), "--batch", str(args.batch)]
                if phase == "1":
                    told += ["--phase", "1", "--init", str(work / f"{kind}-0-1"), *stations]
                for processes in (1, *args.processes):
                    out = work / f"{kind}-{phase}-{processes}"
                    train(work / "corpus", out, processes, *told)
                    if processes > 1:
                        row = compared(work / f"{kind}-{phase}-1", out)
                        print(f"{kind}, phase {phase}, {processes:2}{'':4}{row}", flush=True)


if __name__ == "__main__":
    main()
