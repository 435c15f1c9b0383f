"""README and quickstart as a new user runs them; the full form with a new environment is ``make first-contact``."""

import os
import shutil
from pathlib import Path

import first_contact
import obspy
import pytest

ROOT = Path(__file__).parents[1]
MARKDOWN = """Text

```sh
cd .
```

```text
no command
```

```python
a = 1
```
"""
REST = """Title
=====

.. code-block:: python

   if True:

       a = 2

.. code-block:: text

   no command

Text

.. code-block:: sh

   ls \\
       .
End.
"""


def test_blocks_of_markdown():
    """Shell and Python blocks in order with their lines; others are data."""
    found = first_contact.blocks(MARKDOWN, "a.md")
    assert [(b.line, b.language, b.code) for b in found] == [(4, "sh", "cd .\n"), (12, "python", "a = 1\n")]


def test_blocks_of_rest():
    """Indentation of the directive goes, that of the code stays."""
    found = first_contact.blocks(REST, "a.rst")
    assert [b.code for b in found] == ["if True:\n\n    a = 2\n", "ls \\\n    .\n"]
    assert [b.language for b in found] == ["python", "sh"]


@pytest.mark.parametrize("language", ["", "bash", "console"])
def test_blocks_that_would_be_passed_over(language):
    """A command under another name is an error, not a block less."""
    with pytest.raises(first_contact.BlockError, match="accepted: sh, python"):
        first_contact.blocks(f"```{language}\nls\n```\n", "a.md")


def test_blocks_share_names_and_environment(tmp_path):
    """Python keeps names, the shell exports and the path; outputs are kept apart."""
    text = '```python\na = 6\n```\n```sh\nexport B=7\n```\n```sh\necho $B\n```\n```python\nprint(a * 7, "é")\n```\n'
    env = dict(os.environ)
    folder = tmp_path / "clone"
    folder.mkdir()
    outputs, after = first_contact.run_document(first_contact.blocks(text, "a.md"), folder, env, lambda line: None)
    assert outputs == ["", "", "7\n", "42 é\n"]
    assert after["B"] == "7"


@pytest.mark.parametrize(
    "block", ["```sh\nfalse\necho on\n```\n", "```python\n1 / 0\n```\n", "```sh\nfalse | cat\n```\n"]
)
def test_a_block_that_fails(block, tmp_path):
    """It names document and line and shows what was said; nothing after it runs."""
    folder = tmp_path / "clone"
    folder.mkdir()
    text = "\n\n" + block + "```sh\ntouch after\n```\n"
    with pytest.raises(first_contact.BlockError, match=r"a\.md:4 exits with 1"):
        first_contact.run_document(first_contact.blocks(text, "a.md"), folder, dict(os.environ), lambda line: None)
    assert not (folder / "after").exists()


def test_environment_is_that_of_a_new_user(monkeypatch):
    """Variables of Python, make and an active environment are taken off, pip's index stays."""
    monkeypatch.setenv("PYTHONPATH", "x")
    monkeypatch.setenv("VIRTUAL_ENV", "x")
    monkeypatch.setenv("MAKEFLAGS", "-n")
    monkeypatch.setenv("PIP_INDEX_URL", "https://example.org")
    env = first_contact.clean_environment(quick=False)
    assert not {"PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS"} & set(env)
    assert env["PIP_INDEX_URL"] == "https://example.org"


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a git checkout")
@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_first_contact(tmp_path):
    """Clone, make demo, every block of README and quickstart: f0 of own files, and SAC files that ObsPy reads."""
    said = first_contact.first_contact(tmp_path, quick=True)
    readme, quickstart = ("".join(said[name]) for name in first_contact.DOCUMENTS)
    clone = tmp_path / "obspy-tng"
    assert "2.6 Hz   published" in readme and "tests collected" in readme
    f0_hz = {w[0]: w[1] for w in (line.split() for line in readme.splitlines()) if len(w) > 1 and "XT." in w[0]}
    assert float(f0_hz["XT.SOFT"]) == pytest.approx(2.0, rel=0.12) and f0_hz["XT.ROCK"] == "-"
    assert "BW.RJOB" in quickstart and "8 records, simulated, f0 1.8" in quickstart
    for folder, count in {"sac": 60, "soft": 60, "cwc": 15, "generated": 15}.items():
        traces = [obspy.read(str(path))[0] for path in sorted((clone / folder).rglob("*.sac"))]
        assert len(traces) == count, folder
        assert {(t.stats.npts, t.stats.sampling_rate) for t in traces} == {(6000, 100.0)}
        assert all(t.data.std() > 0 for t in traces)
    assert (clone / "report.html").stat().st_size > 10_000
