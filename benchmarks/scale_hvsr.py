"""HVSR of 10, 100 and 1,000 stations: this process, two processes, a dask cluster of two workers.

    python benchmarks/scale_hvsr.py                (10 and 100 stations; --full: 1,000 too, 3 min)

One simulated record per station, each of a soil of its own, as MiniSEED. Every way runs in a fresh process; the largest
resident memory of that process and of its workers is what the system counted. All that `hvsr` returns must be the same
bit for bit. The last line tells from how many records on a second process pays.
"""

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

WAYS = {"1": "one process", "2": "--jobs 2", "dask": "dask, 2 workers"}


def write(folder: Path, first: int, n: int) -> None:
    """Write records of stations first to n."""
    import obspy_tng as tng

    for k in range(first, n):
        rng = np.random.default_rng(k)
        soil = [(rng.uniform(8, 60), rng.uniform(150, 500), 1.8, 0.02), (0, rng.uniform(800, 2000), 2.4, 0.005)]
        stream = tng.simulate(soil, magnitude=4.0, distance_km=20.0, seed=k, station=f"S{k:04d}")
        stream.write(str(folder / f"{k:04d}.mseed"), format="MSEED")


def memory_mb(who=resource.RUSAGE_SELF) -> float:
    """Return the largest resident memory so far in MB."""
    return resource.getrusage(who).ru_maxrss / 1024


def digest(curves) -> str:
    """Return a hash of every variable and coordinate of a Dataset, and of what was skipped."""
    total = hashlib.sha256()
    for name in sorted(map(str, curves.variables)):
        values = curves[name].values
        total.update(name.encode() + (repr(values.tolist()).encode() if values.dtype == object else values.tobytes()))
    total.update(repr(curves.attrs["skipped"]).encode())
    return total.hexdigest()


def once(folder: str, way: str) -> dict:
    """Compute in this process; return seconds, memory of this process and of the largest worker, and a digest."""
    import obspy_tng as tng

    how, cluster, worker = {"jobs": 2 if way == "2" else 1}, None, 0.0
    if way == "dask":
        from distributed import Client, LocalCluster

        cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
        how = {"scheduler": cluster.scheduler_address}
    begin = time.perf_counter()
    curves = tng.hvsr(folder, **how)
    taken = time.perf_counter() - begin
    if cluster:
        with Client(cluster) as client:
            worker = max(client.run(memory_mb).values())
        cluster.close()
    elif way == "2":
        worker = memory_mb(resource.RUSAGE_CHILDREN)
    return {
        "s": taken, "here": memory_mb(), "worker": worker, "stations": curves.sizes["station"], "digest": digest(curves)
    }  # fmt: skip


def main():
    """Print a line per number of stations and way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="also 1,000 stations")
    parser.add_argument("--once", nargs=2, metavar=("FOLDER", "WAY"), help="one way, as JSON: for the script itself")
    args = parser.parse_args()
    if args.once:
        print(json.dumps(once(*args.once)))
        return
    sizes, seconds = [10, 100, *([1000] if args.full else [])], {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory(prefix="scale-hvsr-") as folder:
        for k, n in enumerate(sizes):
            write(Path(folder), sizes[k - 1] if k else 0, n)
            digests = set()
            for way, name in WAYS.items():
                done = subprocess.run(
                    [sys.executable, __file__, "--once", folder, way], stdout=subprocess.PIPE, check=True
                )
                got = json.loads(done.stdout.splitlines()[-1])
                if got["stations"] != n:
                    raise RuntimeError(f"{got['stations']} stations of {n}")
                digests.add(got["digest"])
                seconds[way].append(got["s"])
                print(
                    f"{n:5} stations, {name:16}{got['s']:8.2f} s{1000 * got['s'] / n:8.1f} ms each; largest memory "
                    f"{got['here']:.0f} MB, a worker {got['worker']:.0f} MB",
                    flush=True,
                )
            print(f"{n:5} stations: " + ("the same bit for bit" if len(digests) == 1 else "RESULTS DIFFER"), flush=True)
    lines = {way: np.polyfit(sizes[-2:], seconds[way][-2:], 1) for way in WAYS}
    for way in ("2", "dask"):
        saved, cost = lines["1"][0] - lines[way][0], lines[way][1] - lines["1"][1]
        pays = f"pays from {max(cost / saved, 0):.0f} records on" if saved > 0 else "does not pay here"
        print(f"{WAYS[way]}: {1000 * lines[way][0]:.1f} ms per record after {lines[way][1]:.1f} s; {pays}")


if __name__ == "__main__":
    main()
