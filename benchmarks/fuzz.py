"""Coverage-guided fuzzing (atheris, extra ``fuzz``) of every reader: files, metadata, pools, corpora, weights.

``python benchmarks/fuzz.py --runs 1000000`` shares the runs out among the targets of ``fuzzing/``, seeded by small
files it makes itself, and prints a row per target: runs, unexpected exceptions, peak memory, hangs. ``--seconds 300``
gives each target that time instead. Whatever is not an error the documentation names is saved with its input. Exit
code 1 when there is any.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE, SHM = Path(__file__).parent, Path("/dev/shm")
RESTARTS = 20  # of a target whose process ended before its runs were done
ENDS = {70: "hang", 71: "memory", 77: "crash"}  # exit codes of libFuzzer
HEAD = f"{'target':16}{'runs':>9}{'s':>7}{'runs/s':>8}{'inputs kept':>12}{'peak MB':>9}{'unexpected':>11}{'ended':>7}"


def main():
    """Run all targets, or the named ones; print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=20_000, help="of all targets together")
    parser.add_argument("--seconds", type=int, default=None, help="of each target, in place of --runs")
    parser.add_argument("--targets", nargs="*", help="only these")
    parser.add_argument("--jobs", type=int, default=1, help="targets at a time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--memory", type=int, default=1024, help="MB a process may take")
    parser.add_argument("--timeout", type=int, default=60, help="s an input may take")
    parser.add_argument("--out", type=Path, default=None, help="folder for inputs that were answered badly")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args, rest = parser.parse_known_args()
    sys.path.insert(0, str(HERE))
    if args.worker:
        from fuzzing.worker import work

        work(args.worker, args.out, rest)
        return
    from fuzzing.shares import SHARES

    out = args.out or Path(tempfile.mkdtemp(prefix="tng-fuzz-"))
    names = args.targets or list(SHARES)
    total = sum(SHARES[name] for name in names)
    print(HEAD, flush=True)
    with ThreadPoolExecutor(args.jobs) as pool:
        todo = [pool.submit(fuzz, name, max(1, round(args.runs * SHARES[name] / total)), out, args) for name in names]
        results = [done.result() for done in todo]
    runs, bad = sum(r["runs"] for r in results), sum(r["unexpected"] + len(r["ended"]) for r in results)
    peak = max(r["peak_mb"] for r in results)
    print(f"{runs} runs, {bad} unexpected, peak {peak} MB; findings in {out}")
    print(json.dumps(results), file=(out / "results.json").open("w"))
    sys.exit(1 if bad or (args.seconds is None and runs < args.runs * 0.99) else 0)


def fuzz(name: str, runs: int, out: Path, args) -> dict:
    """Run one target in processes of its own until its runs are done; return what came of it."""
    folder = out / name
    kept = folder / "corpus"
    kept.mkdir(parents=True, exist_ok=True)
    done, peak, ended, began = 0, 0, [], time.monotonic()
    for restart in range(RESTARTS):
        left = f"-runs={runs - done}"
        if args.seconds is not None:
            left = f"-max_total_time={max(1, round(args.seconds - (time.monotonic() - began)))}"
        command = [
            sys.executable, str(HERE / "fuzz.py"), "--worker", name, "--out", str(folder), str(kept), left,
            f"-seed={args.seed + restart}", f"-rss_limit_mb={args.memory}", f"-timeout={args.timeout}",
            f"-artifact_prefix={folder}/", "-print_final_stats=1", "-verbosity=1",
        ]  # fmt: skip
        with tempfile.TemporaryDirectory(prefix="tng-fuzz-", dir=SHM if SHM.is_dir() else None) as scratch:
            # libFuzzer ends its process without a word to Python: what it leaves goes with the folder
            env = {**os.environ, "TMPDIR": scratch, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            told = subprocess.run(command, capture_output=True, text=True, errors="replace", env=env)
        found = re.findall(r"stat::number_of_executed_units: *(\d+)", told.stderr) or re.findall(
            r"^#(\d+)\t", told.stderr, re.MULTILINE
        )
        done += int(found[-1]) if found else 0
        peak = max([peak, *map(int, re.findall(r"stat::peak_rss_mb: *(\d+)", told.stderr))])
        if told.returncode == 0 or (args.seconds is None and done >= runs):
            break
        ended.append(ENDS.get(told.returncode, f"code {told.returncode}"))
        (folder / f"ended-{restart}.txt").write_text(told.stderr[-20_000:])
        if not found:
            break
    seconds = time.monotonic() - began
    unexpected = len(list(folder.glob("unexpected-*.txt")))
    size = len(list(kept.iterdir()))
    print(
        f"{name:16}{done:9}{seconds:7.0f}{done / seconds:8.0f}{size:12}{peak:9}{unexpected:11}{len(ended):7} "
        + " ".join(ended),
        flush=True,
    )
    return {
        "target": name, "runs": done, "seconds": round(seconds), "peak_mb": peak, "unexpected": unexpected,
        "ended": ended,
    }  # fmt: skip


if __name__ == "__main__":
    main()
