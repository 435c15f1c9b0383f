"""What records cost: pool, HVSR, generation, evaluation and a training step over decades, in seconds and memory.

    python benchmarks/scale_costs.py               (10 and 100 records; --full: 1,000 too)

Records of CI.CWC are generated, then read back from the corpus; every job runs in a fresh process, its imports and
weights loaded before the clock starts. The last column is the marginal cost, from one size to the next; multiplied by
the records of an archive it tells what a machine like this one takes.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import obspy_tng as tng

NATIONAL = 1e8  # three-component records of a national archive


def generate(corpus, scratch):
    """Generate as many records as there are."""
    tng.generate_corpus("CI.CWC", len(corpus), scratch / "made", seed=2)


def pool(corpus, scratch):
    """Build the pool of the station."""
    tng.build_pool(corpus.records(), kind="simulated")


def hvsr(corpus, scratch):
    """Compute curves, read part by part."""
    for part in corpus.parts():
        tng.hvsr(list(part))


def evaluate(corpus, scratch):
    """Compare the records with ten others, without classifiers."""
    tng.evaluate(tng.generate("CI.CWC", n=10, seed=3), corpus.path, c2st=False, n_splits=2, jobs=1)


def train(corpus, scratch):
    """Train the default kind for an epoch, network as shipped, batches of 32."""
    tng.train(corpus, scratch / "run", kind="spectral", epochs=1, batch=32, validation=0.1, threads=1)


JOBS = {job.__name__: job for job in (generate, pool, hvsr, evaluate, train)}


def once(job: str, folder: str) -> dict:
    """Run a job in this process; return its seconds of wall and CPU, and the largest memory in MB."""
    stream = tng.generate("CI.CWC", n=2, seed=1)
    tng.hvsr(stream)
    corpus = tng.Corpus(folder)
    with tempfile.TemporaryDirectory() as scratch:
        begin, cpu = time.perf_counter(), time.process_time()
        JOBS[job](corpus, Path(scratch))
        taken = {"s": time.perf_counter() - begin, "cpu_s": time.process_time() - cpu}
    return {**taken, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main():
    """Print a line per job and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="also 1,000 records")
    parser.add_argument("--once", nargs=2, metavar=("JOB", "FOLDER"), help="one job, as JSON: for the script itself")
    args = parser.parse_args()
    if args.once:
        print(json.dumps(once(*args.once)))
        return
    sizes = (10, 100, *([1000] if args.full else []))
    with tempfile.TemporaryDirectory(prefix="scale-costs-") as work:
        folders = [tng.generate_corpus("CI.CWC", n, Path(work) / str(n), seed=1) for n in sizes]
        print(f"{'job':10}{'records':>8}{'s':>9}{'CPU s':>9}{'MB':>7}{'CPU ms per further record':>27}")
        for job in JOBS:
            before = None
            for n, folder in zip(sizes, folders, strict=True):
                command = [sys.executable, __file__, "--once", job, str(folder)]
                got = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
                further_s = (got["cpu_s"] - before[1]) / (n - before[0]) if before else float("nan")
                before = n, got["cpu_s"]
                print(f"{job:10}{n:8}{got['s']:9.2f}{got['cpu_s']:9.2f}{got['mb']:7.0f}{1000 * further_s:27.1f}")
                sys.stdout.flush()
            print(f"{'':10}{NATIONAL:.0e} records: {NATIONAL * further_s / 86400 / 64:.1f} days of 64 cores")


if __name__ == "__main__":
    main()
