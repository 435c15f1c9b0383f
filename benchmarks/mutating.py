"""What a mutant is, and how one is run: see `mutants`."""

import ast
import collections
import contextlib
import copy
import gc
import os
import resource
import signal
import sys
import time
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
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


def functions() -> dict:
    """Return {(file, first line, name): function objects} of the package as it is loaded."""
    found = collections.defaultdict(list)
    for thing in gc.get_objects():
        if isinstance(thing, types.FunctionType) and f"{ROOT}/obspy_tng/" in thing.__code__.co_filename:
            found[_place(thing.__code__)].append(thing)
    return found


def _place(code) -> tuple[str, int, str]:
    return code.co_filename, code.co_firstlineno, code.co_name


def put_in(job: dict, known: dict) -> bool:
    """Give the functions of the changed line their changed code; False where the line runs at import."""
    path = ROOT / job["file"]
    tree, _, _ = mutant(path, job["node"], job["choice"])
    around = [f for f in outermost(ast.parse(path.read_text())) if in_body(f, job["line"])]
    if not around:
        return False
    function = around[0]
    first = min([function.lineno, *(d.lineno for d in function.decorator_list)])
    codes, changed = [compile(tree, str(path), "exec")], None
    while codes:  # of the module and of its classes
        for const in codes.pop().co_consts:
            if isinstance(const, types.CodeType):
                codes.append(const)
                if _place(const)[1:] == (first, function.name):
                    changed = const
    mine = known.get((str(path), first, function.name), [])
    for thing in mine:
        thing.__code__ = changed
    return bool(mine)


def outermost(tree: ast.AST):
    """Yield functions and methods that stand in no other function."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield node
        elif not isinstance(node, ast.Lambda):
            yield from outermost(node)


def in_body(function: ast.FunctionDef, line: int) -> bool:
    """Tell whether a line is in what runs when the function is called, not when it is defined."""
    return function.body[0].lineno <= line <= function.end_lineno


def in_fork(work, limit_s: int) -> str:
    """Call `work` in a fork and return killed, timeout or survived by the exit code it returns."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s + 5))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            null = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            code = work()
        finally:
            os._exit(code)
    limit = time.monotonic() + 120 + 10 * limit_s
    done, status = 0, 0
    while not done and time.monotonic() < limit:
        time.sleep(0.01)
        done, status = os.waitpid(child, os.WNOHANG)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what it has started, too
    if not done:
        os.waitpid(child, 0)
        return "timeout"
    if os.WIFSIGNALED(status):
        return "timeout" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "killed"
    return "survived" if os.WEXITSTATUS(status) == 0 else "killed"


class Runner:
    """A plug-in of pytest that runs the collected tests once per mutant, each time in a fork."""

    def __init__(self, jobs: list[dict], seconds: dict, record):
        self.jobs, self.seconds, self.record = jobs, seconds, record

    def pytest_runtestloop(self, session):
        """Take the place of pytest's own loop."""
        if session.testsfailed:
            raise SystemExit("the tests cannot be collected")
        items = {item.nodeid: item for item in session.items}
        known = functions()
        session.config.pluginmanager.unregister(name="terminalreporter")
        for job in self.jobs:
            began = time.monotonic()
            tests = [t for t in job.pop("run") if t in items]
            limit_s = round(20 + 4 * sum(self.seconds.get(t, 1.0) for t in tests))

            def work(job=job, tests=tests):
                if job["file"] and not put_in(job, known):
                    return _anew(job, tests)
                chosen = [items[t] for t in tests]
                for item, following in zip(chosen, [*chosen[1:], None], strict=True):
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                    if session.testsfailed:
                        return 1
                return 0

            job["result"] = in_fork(work, limit_s) if tests else "uncovered"
            job["tests"], job["seconds"] = len(tests), round(time.monotonic() - began, 1)
            self.record(job)
        return True


def _anew(job: dict, tests: list[str]) -> int:
    """Load everything once more, the mutant instead of its module, and run the tests."""
    import importlib.machinery

    import pytest

    for name in [n for n in sys.modules if n.startswith(("obspy_tng", "test_", "conftest"))]:
        del sys.modules[name]
    path = ROOT / job["file"]
    code = compile(mutant(path, job["node"], job["choice"])[0], str(path), "exec")
    usual = importlib.machinery.SourceFileLoader.get_code

    def get_code(self, fullname):
        return code if Path(self.path).resolve() == path else usual(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests]))
