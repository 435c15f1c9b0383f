"""What records cost over three decades, in seconds and memory, and from how many on a second machine pays.

    python benchmarks/scale_costs.py               (10, 100 and 1,000 records, 3 min; --full: 10,000 too, 25 min)

Records of CI.CWC are generated into a corpus, which the other jobs read (HVSR: files of MiniSEED); every job of every
size runs in a fresh process, whose largest resident memory is what the system counted. Imports and weights are loaded
before the clock starts. The last column is what a further record costs, from one size to the next.

The rest is on paper. Two machines halve the work that can be shared; the second needs its imports and weights, which is
the median of what that took here, and what it is sent and sends back, counted here, goes over 1 Gbit/s while nobody
computes. 100 million records are a national archive.
"""

import argparse
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import obspy_tng as tng

NATIONAL = 1e8  # three-component records of a national archive
CORES = 64  # of the machine on paper
NETWORK_BPS = 125e6  # bytes per second: 1 Gbit/s
DISK_BPS = 200e6
BATCH = 32
HEAD = f"{'job':10}{'records':>8}{'s':>9}{'CPU s':>9}{'peak MB':>9}{'CPU ms per further record':>27}"


def generate(corpus, scratch):
    """Generate records into a corpus; `corpus` is the folder to make and their number."""
    folder, n = corpus
    tng.generate_corpus("CI.CWC", n, folder, seed=1)


def pool(corpus, scratch):
    """Build the pool of the station."""
    tng.build_pool(corpus.records(), kind="simulated")


def hvsr(corpus, scratch):
    """Compute curves of MiniSEED files, one record each."""
    tng.hvsr(sorted((corpus.path.parent / "files").iterdir())[: len(corpus)])


def evaluate(corpus, scratch):
    """Compare the records with ten others, without classifiers."""
    tng.evaluate(tng.generate("CI.CWC", n=10, seed=3), corpus.path, c2st=False, n_splits=2, jobs=1)


def train(corpus, scratch):
    """Train the default kind for an epoch, network as shipped."""
    tng.train(
        corpus, scratch / "run", kind="spectral", epochs=1, batch=BATCH, validation=0.1, threads=1, precision="auto"
    )


JOBS = {job.__name__: job for job in (generate, pool, hvsr, evaluate, train)}


def cpu_s() -> float:
    """Return the processor time of this process and of those it started, in seconds."""
    return sum(os.times()[:4])


def write_files(folder: Path, records) -> None:
    """Write records as MiniSEED, one file each, an hour apart."""
    folder.mkdir()
    for k, record in enumerate(records):
        stream = record.stream()
        for trace in stream:
            trace.stats.starttime += 3600 * k
        stream.write(str(folder / f"{k:06}.mseed"), format="MSEED")


def once(job: str, folder: str, n: int) -> dict:
    """Run a job in this process; return its seconds of wall and CPU, and the largest memory in MB."""
    stream = tng.generate("CI.CWC", n=2, seed=1)
    tng.hvsr(stream)
    corpus = (folder, n) if job == "generate" else tng.Corpus(folder)
    with tempfile.TemporaryDirectory() as scratch:
        begin, before_s = time.perf_counter(), cpu_s()
        JOBS[job](corpus, Path(scratch))
        taken = {"s": time.perf_counter() - begin, "cpu_s": cpu_s() - before_s}
    return {**taken, "start_s": before_s, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def apart(records) -> dict[str, tuple[float, float]]:
    """Return per job the share of its work that others can do, and the bytes sent there and back per record."""
    from obspy_tng.evaluation import features, sets
    from obspy_tng.site import settings
    from obspy_tng.site.hvsr import rows_of

    rows, _ = rows_of(records, settings=settings.check())
    data = sets.arrays(records, 60.0).data
    features.measure(data)  # its tables are made
    begin = time.process_time()
    measured = features.measure(data)
    measure_s = (time.process_time() - begin) / len(records)
    gradients = 4 * sum(p.numel() for p in tng.load_model().network.parameters())
    return {
        "generate": (None, 0.0),
        "pool": (None, 0.0),
        "hvsr": (None, len(pickle.dumps(rows)) / len(records)),
        "evaluate": (measure_s, (len(pickle.dumps(data)) + len(pickle.dumps(measured))) / len(records)),
        "train": (None, float(gradients)),
    }


def paper(costs_s: dict, start_s: float, shared: dict, corpus_bytes: float) -> None:
    """Print what the measured costs mean for a second machine and for a national archive."""
    print(f"\na second machine starts in {start_s:.1f} s, {NETWORK_BPS * 8e-9:g} Gbit/s between the two; it pays")
    for job, cost_s in costs_s.items():
        (part_s, sent), unit = shared[job], "record"
        part_s = min(part_s or cost_s, cost_s)
        if job == "train":  # every step waits until each has sent its gradients, both at once
            from_n, unit = f"from batches of {2 * sent / NETWORK_BPS / part_s:.0f}", "step"
        else:  # half of the records go there
            from_n = f"from {start_s / (part_s / 2 - sent / NETWORK_BPS / 2):.0f} records"
        share = f"{100 * part_s / cost_s:.0f} % of the work shared"
        print(f"  {job:10}{from_n:24}{sent / 1e3:8.1f} kB sent per {unit}, {share}")
    print(f"\n{NATIONAL:.0e} records on machines of {CORES} cores, all of them busy:")
    for job, cost_s in costs_s.items():
        print(f"  {job:10}{NATIONAL * cost_s / 86400 / CORES:6.2f} machine-days")
    size_b = NATIONAL * corpus_bytes
    print(f"  {size_b / 1e12:.1f} TB as corpora: {size_b / DISK_BPS / 86400:.2f} days at {DISK_BPS / 1e6:.0f} MB/s")


def main():
    """Print a line per job and size, then what follows from them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="also 10,000 records")
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of records, rising")
    parser.add_argument(
        "--once", nargs=3, metavar=("JOB", "FOLDER", "N"), help="one job, as JSON: for the script itself"
    )
    args = parser.parse_args()
    if args.once:
        print(json.dumps(once(*args.once[:2], int(args.once[2]))))
        return
    sizes = args.sizes or [10, 100, 1000, *([10_000] if args.full else [])]
    costs_s, starts_s = {}, []
    with tempfile.TemporaryDirectory(prefix="scale-costs-") as work:
        print(HEAD)
        for job in JOBS:
            before = None
            for n in sizes:
                folder = Path(work) / str(n)
                command = [sys.executable, __file__, "--once", job, str(folder), str(n)]
                got = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.splitlines()[-1])
                starts_s.append(got["start_s"])
                costs_s[job] = (got["cpu_s"] - before[1]) / (n - before[0]) if before else got["cpu_s"] / n
                further = f"{1000 * costs_s[job]:27.1f}" if before else ""
                before = n, got["cpu_s"]
                print(f"{job:10}{n:8}{got['s']:9.2f}{got['cpu_s']:9.2f}{got['mb']:9.0f}{further}", flush=True)
            if job == "generate":
                corpus = tng.Corpus(folder)
                write_files(Path(work) / "files", (r for part in corpus.parts() for r in part))
        size_b = sum(p.stat().st_size for p in folder.iterdir())
        print(f"a corpus of {n} records: {size_b / 1e6:.1f} MB, {size_b / n / 1e3:.1f} kB each")
        few = tng.records(tng.generate("CI.CWC", n=32, seed=1))
        paper(costs_s, sorted(starts_s)[len(starts_s) // 2], apart(few), size_b / n)


if __name__ == "__main__":
    main()
