"""README's numbers and the list of claims that `make bench` measures."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
import claims  # noqa: E402

README = (ROOT / "README.md").read_text(encoding="utf-8")
# a number, also ".95", "3e-14" and "hvsrpy 2.1"; not the digits of "f0", "C2ST" or "D5"
NUMBER = re.compile(r"(?<![\w.])-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?(?!\w)")


def uncovered(readme):
    """Return the numbers of README's section that no claim captures and no condition names."""
    text = claims.section(readme)
    known = [m.span(i) for c in claims.CLAIMS for m in re.finditer(c.pattern, text) for i in range(1, m.re.groups + 1)]
    known += [m.span() for words in claims.CONDITIONS for m in re.finditer(re.escape(words), text)]
    return [m.group() for m in NUMBER.finditer(text) if not any(a <= m.start() and m.end() <= b for a, b in known)]


def test_every_number_is_measured_or_a_condition():
    """Each number of README's "How good" is captured by a claim or says under what conditions it was measured."""
    assert uncovered(README) == []


def test_a_new_number_is_noticed():
    """A number put into the section, which nobody measures, is found; so is a phrase that is gone."""
    assert uncovered(README.replace("## How good\n", "## How good\n\nA bias of -.77 and f0.\n")) == ["-.77"]
    with pytest.raises(SystemExit, match="README no longer says 'Alignment"):
        claims.stated(README.replace("Alignment score", "Agreement"))


def test_values_come_from_readme():
    """What is compared is what README says, signs and decimals as written."""
    said = {key: value for key, (_, value) in claims.stated(README).items()}
    changed = re.sub(r"Alignment score [\d.]+", "Alignment score -.123", README)
    again = {key: value for key, (_, value) in claims.stated(changed).items()}
    assert again == said | {"alignment": -0.123}


@pytest.mark.parametrize(
    ("tolerance", "inside", "outside"),
    [
        (0.1, (0.9, 1.1), (0.89, 1.11)),
        ("8 %", (0.93, 1.07), (0.91, 1.09)),
        ("≥ 67 %", (0.67, 5.0), (0.66, 0.0)),
        ("≤ 300 %", (0.1, 3.0), (3.1, 30.0)),
    ],
)
def test_tolerances(tolerance, inside, outside):
    """Absolute, relative, at least and at most, around 1."""
    assert all(claims.holds(value, 1.0, tolerance) for value in inside)
    assert not any(claims.holds(value, 1.0, tolerance) for value in outside)


def test_conditions_are_in_use():
    """A condition that README no longer mentions is taken off the list."""
    assert [words for words in claims.CONDITIONS if words not in claims.section(README)] == []
