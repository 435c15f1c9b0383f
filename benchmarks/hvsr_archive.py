"""Memory and time of an archive: 24 h x 20 stations, 100 Hz, in this process, in two, and on a dask cluster.

    python benchmarks/hvsr_archive.py

White noise and a resonance of its own for every station, MiniSEED, one file a day and station (0.8 GB in a temporary
folder); `hvsr(window="sliding:60")`. Each way runs in a fresh process; the largest resident memory of that process
and of its workers is what the system counted. Results must be identical.
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

RATE_HZ = 100.0


def write(folder: Path, stations: int, hours: float) -> None:
    """Write one file per station, three components of integer counts."""
    import obspy
    from scipy.signal import lfilter

    n = round(hours * 3600 * RATE_HZ)
    for k in range(stations):
        rng, stream = np.random.default_rng(k), obspy.Stream()
        angle, radius = 2 * np.pi * 0.8 * 1.12**k / RATE_HZ, 0.999
        poles = [1, -2 * radius * np.cos(angle), radius**2]
        for component in "ENZ":
            x = rng.standard_normal(n)
            if component != "Z":
                x += 0.5 * lfilter([sum(poles)], poles, x)
            header = {"network": "XX", "station": f"S{k:02d}", "channel": f"HH{component}", "sampling_rate": RATE_HZ}
            header["starttime"] = obspy.UTCDateTime(2024, 1, 1)
            stream.append(obspy.Trace(np.round(200 * x).astype(np.int32), header))
        stream.write(str(folder / f"XX.S{k:02d}.mseed"), format="MSEED", encoding="STEIM2")


def memory_mb(who=resource.RUSAGE_SELF) -> float:
    """Return the largest resident memory so far in MB."""
    return resource.getrusage(who).ru_maxrss / 1024


def once(folder: str, way: str) -> dict:
    """Compute in this process; return seconds, memory of this process and of the largest worker, and a digest."""
    import obspy_tng as tng

    how, cluster, workers = {"jobs": int(way) if way != "dask" else 1}, None, 0.0
    if way == "dask":
        from distributed import Client, LocalCluster

        cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
        how = {"scheduler": cluster.scheduler_address}
    begin = time.perf_counter()
    curves = tng.hvsr(folder, window="sliding:60", **how)
    taken = time.perf_counter() - begin
    if cluster:
        with Client(cluster) as client:
            workers = max(client.run(memory_mb).values())
        cluster.close()
    elif int(way) > 1:
        workers = memory_mb(resource.RUSAGE_CHILDREN)
    digest = hashlib.sha256(curves.hvsr.values.tobytes() + "".join(curves.record.values).encode()).hexdigest()
    return {"s": taken, "here": memory_mb(), "worker": workers, "windows": curves.sizes["record"], "digest": digest}


def main():
    """Print a line per way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stations", type=int, default=20)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--once", nargs=2, metavar=("FOLDER", "WAY"), help="one way, as JSON: for the script itself")
    args = parser.parse_args()
    if args.once:
        print(json.dumps(once(*args.once)))
        return
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), args.stations, args.hours)
        size = sum(p.stat().st_size for p in Path(folder).iterdir()) / 1e6
        print(f"{args.stations} stations x {args.hours:g} h, {size:.0f} MB of MiniSEED")
        digests = set()
        for way, name in (("1", "one process"), ("2", "--jobs 2"), ("dask", "dask, two workers")):
            done = subprocess.run([sys.executable, __file__, "--once", folder, way], stdout=subprocess.PIPE, check=True)
            got = json.loads(done.stdout.splitlines()[-1])
            digests.add(got["digest"])
            print(
                f"{name:20}{got['windows']:7} windows{got['s']:7.1f} s; largest memory {got['here']:.0f} MB, "
                f"a worker {got['worker']:.0f} MB"
            )
        print("identical results" if len(digests) == 1 else "RESULTS DIFFER")


if __name__ == "__main__":
    main()
