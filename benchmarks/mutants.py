"""Mutation testing: do the tests notice when one operator, number or argument of the code is wrong?

    python benchmarks/mutants.py -n 420 --seed 1 --out mutants.jsonl

Places of `site/`, `sampling.py` and `evaluation/` are drawn at random, each as likely as any other, and changed in
one way each (see `variants`): strings, annotations and docstrings are left alone, and arithmetic becomes arithmetic,
so that no mutant dies of a type error at once. Mutants live in memory: pytest collects the tests once, then every
mutant has a fork of that process, in which the function of the changed line gets its changed code (what runs at
import is imported anew) and the tests that pass through the line run, quick ones first, to the first failure. A
mutant that needs far more processor time than the tests it meets counts as killed. Which tests pass where is measured
first, by one run of the tests with coverage.py, and kept in `--work`. Tests beyond `--budget` seconds of a mutant are
not run: survivors are, if anything, overcounted.
"""

import argparse
import ast
import collections
import json
import os
import random
import sqlite3
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

from mutating import Runner, in_body, mutant, outermost, places

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ("obspy_tng/site", "obspy_tng/sampling.py", "obspy_tng/evaluation")
TESTS = ("tests/site", "tests/evaluation", "tests/test_sampling.py", "tests/test_synthesis.py")


def draw(n: int, seed: int) -> list[dict]:
    """Return `n` mutants of all places, each place at most once."""
    files = sorted(f for t in TARGETS for f in ([ROOT / t] if t.endswith(".py") else (ROOT / t).rglob("*.py")))
    every = [(f, number, line) for f in files for number, line in places(f)]
    rng = random.Random(seed)
    print(f"{len(every)} places in {len(files)} files", flush=True)
    out = []
    for f, number, line in rng.sample(every, min(n, len(every))):
        choice = rng.randrange(60)
        _, kind, text = mutant(f, number, choice)
        out.append(
            {
                "file": str(f.relative_to(ROOT)),
                "node": number,
                "line": line,
                "choice": choice,
                "kind": kind,
                "text": text,
            }
        )
    return out


def measure(work: Path) -> None:
    """Run the tests once with coverage by test, and keep which test passes where and how long it takes."""
    work.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "COVERAGE_FILE": str(work / "coverage.sqlite"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--cov=obspy_tng", "--cov-branch"]
    command += ["--cov-context=test", "--cov-report=", f"--junitxml={work / 'times.xml'}", *TESTS]
    subprocess.run(command, cwd=ROOT, env=env, check=True)


def passes(work: Path) -> tuple[dict, dict]:
    """Return {(file, line): tests} and {test: seconds}."""
    base = sqlite3.connect(work / "coverage.sqlite")
    contexts = {
        k: c.split("|")[0] for k, c in base.execute("select id, context from context") if "|run" in c or "|setup" in c
    }
    files = dict(base.execute("select id, path from file"))
    lines = collections.defaultdict(set)
    for file, context, start, stop in base.execute("select file_id, context_id, fromno, tono from arc"):
        if context in contexts:
            name = "obspy_tng/" + files[file].split("/obspy_tng/")[-1]
            for line in (start, stop):
                if line > 0:
                    lines[name, line].add(contexts[context])
    seconds = {}
    for case in xml.etree.ElementTree.parse(work / "times.xml").iter("testcase"):
        module = case.get("classname").replace(".", "/") + ".py"
        seconds[f"{module}::{case.get('name')}"] = float(case.get("time"))
    return lines, seconds


def tests_of(job: dict, lines: dict, seconds: dict, budget_s: float) -> list[str]:
    """Return the tests that pass the changed line, as many as `budget_s` allows, quick ones first."""
    tree = ast.parse((ROOT / job["file"]).read_text())
    if any(in_body(f, job["line"]) for f in outermost(tree)):
        found = set().union(*(lines.get((job["file"], line), set()) for line in _statement(tree, job["line"])))
    else:  # runs at import: every test of the module may notice
        found = set().union(*(tests for (name, _), tests in lines.items() if name == job["file"]))
    own = f"test_{Path(job['file']).name}"  # the module's own tests notice sooner than others

    def order(test):
        return seconds.get(test, 1.0) * (1 if test.split("::")[0].endswith(own) else 3), test

    out, total = [], 0.0
    for test in sorted(found, key=order):
        total += seconds.get(test, 1.0)
        if out and total > budget_s:
            break
        out.append(test)
    return out


def _statement(tree: ast.AST, line: int) -> range:
    """Return the lines of the innermost simple statement, or of the head of a compound one."""
    best = range(line, line + 1)
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno:
            first = node.body[0].lineno if getattr(node, "body", None) else node.end_lineno + 1
            if line < max(first, node.lineno + 1):
                best = range(node.lineno, max(first, node.lineno + 1))
    return best


def table(results: list[dict]) -> str:
    """Return mutants and killed ones by module, and the share."""
    by = collections.defaultdict(list)
    for r in results:
        by[r["file"]].append(r["result"])
    killed = {f: sum(r in ("killed", "timeout") for r in rs) for f, rs in by.items()}
    rows = [f"{f:42} {len(rs):5d} {killed[f]:5d}" for f, rs in sorted(by.items())]
    total = sum(killed.values())
    return "\n".join([*rows, f"{'all':42} {len(results):5d} {total:5d}   {100 * total / max(1, len(results)):.1f} %"])


def main():
    """Draw mutants, run them, print the survivors and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=420)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/mutants.jsonl"), help="results, continued if there")
    parser.add_argument("--work", type=Path, default=Path("runs/mutants"), help="which test passes where")
    parser.add_argument("--budget", type=float, default=20.0, help="seconds of tests per mutant")
    parser.add_argument("--again", action="store_true", help="run the survivors in --out once more (larger --budget)")
    parser.add_argument("--part", default="0/1", help="K/N: of N processes the K-th")
    parser.add_argument("--check", action=argparse.BooleanOptionalAction, default=True, help="run all without a mutant")
    args = parser.parse_args()
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    work, out = args.work.absolute(), args.out.absolute()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    if not (work / "times.xml").exists():
        measure(work)
    lines, seconds = passes(work)
    jobs = draw(args.n, args.seed)
    done = {_key(r): r for r in map(json.loads, out.open())} if out.exists() else {}
    if args.again:
        done = {key: r for key, r in done.items() if r["result"] != "survived"}
    part, parts = map(int, args.part.split("/"))
    for job in jobs:
        job["run"] = tests_of(job, lines, seconds, args.budget)
    if args.check:
        every = set().union(*(job["run"] for job in jobs))
        jobs.insert(0, {"file": "", "line": 0, "node": -1, "choice": 0, "kind": "", "text": "", "run": sorted(every)})

    def record(job):
        told = f"{job['result']:9} {job['seconds']:6.1f} s {job['tests']:4d} tests {job['file']}:{job['line']} "
        print(told + f"{job['kind']}: {job['text']}", flush=True)
        if job["file"]:
            with out.open("a") as stream:
                stream.write(json.dumps(job) + "\n")
        elif job["result"] != "survived":
            raise SystemExit("the tests fail without any mutant")

    import pytest

    runner = Runner([j for j in jobs[part::parts] if _key(j) not in done], seconds, record)
    pytest.main(["-q", "-p", "no:cacheprovider", "--no-header", *TESTS], plugins=[runner])
    results = {_key(r): r for r in map(json.loads, out.open())}  # the later run of a mutant counts
    print(table(list(results.values())))


def _key(job: dict) -> tuple:
    return job["file"], job["node"], job["choice"]


if __name__ == "__main__":
    main()
