"""Mutation testing: do the tests notice when one operator, number or argument of the code is wrong?

    python benchmarks/mutants.py -n 420 --seed 1 --out mutants.jsonl

Places of `site/`, `sampling.py` and `evaluation/` are drawn at random, each as likely as any other, and changed in one
way each (see `variants`): strings, annotations and docstrings are left alone, and arithmetic becomes arithmetic, so
that no mutant dies of a type error at once. Mutants live in memory: a process that has imported the libraries, but not
the package, forks, loads one module from a changed syntax tree and runs the tests that pass through the changed line
(all that touch the module, for what runs at import), quickest first, to the first failure. A mutant that needs far
more processor time than the tests it meets counts as killed. Which tests pass where is measured first, by one run of
the tests with coverage.py, and kept in `--work`. Tests beyond `--budget` seconds of a mutant are not run: survivors
are, if anything, overcounted.
"""

import argparse
import ast
import collections
import contextlib
import copy
import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ("obspy_tng/site", "obspy_tng/sampling.py", "obspy_tng/evaluation")
TESTS = ("tests/site", "tests/evaluation", "tests/test_sampling.py", "tests/test_synthesis.py")
LIBRARIES = "obspy scipy.signal scipy.sparse scipy.stats xarray h5py torch sklearn.linear_model sklearn.ensemble pytest"
MEMORY_BYTES = 12 * 2**30

COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}


def variants(node: ast.AST) -> list[tuple[str, ast.AST]]:
    """Return what a node may be changed to, with the kind of change; empty for nodes that are left alone."""
    out = []

    def change(kind, **fields):
        new = copy.copy(node)
        for name, value in fields.items():
            setattr(new, name, value)
        out.append((kind, new))

    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for other in COMPARISONS[type(op)]:
                change("comparison", ops=[*node.ops[:i], other(), *node.ops[i + 1 :]])
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and not _is_text(node):
        for other in ARITHMETIC.get(type(node.op), ()):
            change("arithmetic", op=other())
    elif isinstance(node, ast.BoolOp):
        change("boolean", op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
        out.append(("unary", node.operand))
    elif isinstance(node, (ast.If, ast.IfExp, ast.While)):
        change("condition", test=ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        change("constant", value=not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        for value in (node.value + 1, node.value - 1) if isinstance(node.value, int) else (node.value * 1.5, 0.0):
            if value != node.value:
                change("constant", value=value)
    elif isinstance(node, ast.Return) and not (node.value is None or _is_none(node.value)):
        change("return", value=ast.Constant(None))
    elif isinstance(node, ast.Slice) and (node.lower or node.upper):
        change("slice", **({"upper": None} if node.upper else {"lower": None}))
    elif isinstance(node, ast.Call) and node.keywords:
        for i, word in enumerate(node.keywords):
            if word.arg not in (None, "strict") and not _is_text(word):
                change("argument", keywords=node.keywords[:i] + node.keywords[i + 1 :])
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        out.append(("statement", ast.Pass()))
    elif isinstance(node, (ast.Break, ast.Continue)):
        out.append(("jump", ast.Continue() if isinstance(node, ast.Break) else ast.Break()))
    return out


def _is_none(node) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_text(node) -> bool:
    """Tell whether an operation joins text, where the other operator would be a type error, or an argument is one."""
    sides = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
    return any(isinstance(s, ast.JoinedStr) or isinstance(getattr(s, "value", None), str) for s in sides)


def _outside(tree: ast.AST) -> set:
    """Return the nodes (ids) of annotations and of imports for type checkers, where nothing runs."""
    out = set()
    for node in ast.walk(tree):
        parts = [getattr(node, name, None) for name in ("annotation", "returns")]
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            parts.append(node)
        out.update(id(inner) for part in parts if part is not None for inner in ast.walk(part))
    return out


def places(path: Path) -> list[tuple[int, int]]:
    """Return (number of the node in the walk, line) of all that can be changed in a file."""
    tree = ast.parse(path.read_text())
    outside = _outside(tree)
    nodes = enumerate(ast.walk(tree))
    return [(i, n.lineno) for i, n in nodes if hasattr(n, "lineno") and id(n) not in outside and variants(n)]


def mutant(path: Path, number: int, choice: int) -> tuple[ast.AST, str, str]:
    """Return the changed tree, the kind of change, and what was written before and is now."""
    tree = ast.parse(path.read_text())
    target = list(ast.walk(tree))[number]
    kind, new = variants(target)[choice % len(variants(target))]
    if not hasattr(new, "lineno") and hasattr(target, "lineno"):
        ast.copy_location(new, target)

    class Replace(ast.NodeTransformer):
        def visit(self, node):
            return new if node is target else self.generic_visit(node)

    brief = lambda node: ast.unparse(node).split("\n")[0][:110]  # noqa: E731
    before = brief(target)
    return ast.fix_missing_locations(Replace().visit(tree)), kind, f"{before}  ->  {brief(new)}"


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
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    if any(f.body[0].lineno <= job["line"] <= f.end_lineno for f in functions):
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


def run(job: dict, tests: list[str], expected_s: float) -> str:
    """Run the tests against one mutant in a fork; return killed, timeout or survived."""
    if not tests:
        return "uncovered"
    child = os.fork()
    if child == 0:
        _child(job, tests, round(20 + 4 * expected_s))
    limit = time.monotonic() + 120 + 20 * expected_s
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > limit:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "timeout"
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what it has started
    if os.WIFSIGNALED(status):
        return "timeout" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "killed"
    code = os.WEXITSTATUS(status)
    return "survived" if code == 0 else "killed"


def _child(job: dict, tests: list[str], limit_s: int) -> None:
    """Load the mutant instead of its module, run the tests, and end the process."""
    code = 1
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        if job["file"]:
            _load_instead(job)
        import pytest

        code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:cov", "--no-header", *tests]))
    except BaseException:
        code = 1
    os._exit(code)


def _load_instead(job: dict) -> None:
    import importlib.machinery

    path = ROOT / job["file"]
    tree, _, _ = mutant(path, job["node"], job["choice"])
    code = compile(tree, str(path), "exec")
    usual = importlib.machinery.SourceFileLoader.get_code

    def get_code(self, fullname):
        return code if Path(self.path).resolve() == path else usual(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code


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
    for name in LIBRARIES.split():
        __import__(name)
    assert not any(name.startswith("obspy_tng") for name in sys.modules)
    done = {_key(r): r for r in map(json.loads, out.open())} if out.exists() else {}
    if args.again:
        done = {key: r for key, r in done.items() if r["result"] != "survived"}
    part, parts = map(int, args.part.split("/"))
    chosen = {id(job): tests_of(job, lines, seconds, args.budget) for job in jobs}
    every = sorted(set().union(*chosen.values()))
    if args.check and run({"file": ""}, every, sum(seconds.get(t, 1.0) for t in every)) != "survived":
        raise SystemExit("the tests fail without any mutant")
    for job in jobs[part::parts]:
        if _key(job) in done:
            continue
        tests = chosen[id(job)]
        began = time.monotonic()
        job["result"] = run(job, tests, sum(seconds.get(t, 1.0) for t in tests))
        job["tests"], job["seconds"] = len(tests), round(time.monotonic() - began, 1)
        with out.open("a") as stream:
            stream.write(json.dumps(job) + "\n")
        told = f"{job['result']:9} {job['seconds']:6.1f} s {job['tests']:4d} tests {job['file']}:{job['line']} "
        print(told + f"{job['kind']}: {job['text']}", flush=True)
    results = {_key(r): r for r in map(json.loads, out.open())}  # the later run of a mutant counts
    print(table(list(results.values())))


def _key(job: dict) -> tuple:
    return job["file"], job["node"], job["choice"]


if __name__ == "__main__":
    main()
