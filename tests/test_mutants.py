"""What mutation testing changes, and that a changed function is what runs."""

import ast
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import mutants
import mutating


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a < b", {"a <= b", "a > b"}), ("a + b", {"a - b"}), ("a * b", {"a / b"}), ("a and b", {"a or b"}),
        ("not a", {"a"}), ("-a", {"a"}), ("3", {"4", "2"}), ("0.5", {"0.75", "0.0"}), ("True", {"False"}),
        ("f(a, b=1)", {"f(a)"}), ("x if a else y", {"x if not a else y"}), ("'text'", set()), ("a + 'text'", set()),
        ("zip(a, strict=True)", set()), ("f(a, b='text')", set()), ("a", set()), ("None", set()),
    ],
)  # fmt: skip
def test_one_change_at_a_time(before, after):
    """Operators, numbers, conditions and arguments; texts and what only guards are left alone."""
    node = ast.parse(before, mode="eval").body
    assert {ast.unparse(new) for _, new in mutating.variants(node)} == after


def test_annotations_and_docstrings_are_no_places(tmp_path):
    """Only what runs can be changed; the mutant differs in one place."""
    path = tmp_path / "m.py"
    path.write_text(
        '"""Two 2."""\n\n\ndef f(x: int | None = 1) -> "int | float":\n    y: int | None = x\n    return y[1:]\n'
    )
    found = mutating.places(path)
    assert sorted(line for _, line in found) == [4, 6, 6, 6]
    changed = {ast.unparse(mutating.mutant(path, number, 0)[0]) for number, _ in found}
    original = ast.unparse(ast.parse(path.read_text()))
    assert len(changed) == 4
    for text in changed:
        differing = [(a, b) for a, b in zip(text.split("\n"), original.split("\n"), strict=True) if a != b]
        assert len(differing) == 1


def test_changed_code_is_what_runs():
    """In a fork, the function of a changed line behaves otherwise; here it stays as it was."""
    from obspy_tng.site.timesnet_gen import frequencies
    from obspy_tng.site.uncertainty import stretch

    path = mutating.ROOT / "obspy_tng/site/uncertainty.py"
    tree = ast.parse(path.read_text())
    (function,) = (f for f in mutating.outermost(tree) if f.name == "stretch")
    returned = [(n, line) for n, line in mutating.places(path) if line == function.end_lineno]
    number, line = next((n, line) for n, line in returned if mutating.mutant(path, n, 0)[1] == "return")
    job = {"file": "obspy_tng/site/uncertainty.py", "node": number, "choice": 0, "line": line}
    before, known = stretch(5), mutating.functions()
    assert mutating.in_fork(lambda: int(not (mutating.put_in(job, known) and stretch(5) is None)), 20) == "survived"
    assert mutating.in_fork(lambda: int(mutating.put_in(job, known) and stretch(5) is None), 20) == "killed"
    assert stretch(5) == before and frequencies().size


def test_endless_mutants_end():
    """One that never comes back is stopped by the processor time it takes."""

    def endless():
        while True:
            pass

    assert mutating.in_fork(endless, 1) == "timeout"


def test_the_same_seed_draws_the_same_mutants(monkeypatch):
    """Each place at most once; another seed draws others."""
    monkeypatch.setattr(mutants, "TARGETS", ("obspy_tng/sampling.py", "obspy_tng/site/peaks.py"))
    one, again, other = (mutants.draw(40, seed) for seed in (1, 1, 2))
    assert one == again != other
    assert len({(j["file"], j["node"]) for j in one}) == 40
    assert all(j["file"].startswith(mutants.TARGETS) for j in one)
