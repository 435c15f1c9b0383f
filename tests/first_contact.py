"""Run every command and Python block of README.md and docs/quickstart.rst as written, in a fresh clone.

``make first-contact`` does it with a new environment and everything installed; ``--quick`` borrows the packages of this
interpreter and only collects the tests that ``make test`` would run, which takes a minute. Standard library only.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
import time
import venv
from functools import partial
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", "docs/quickstart.rst")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
DIRECTIVE = re.compile(r"^\.\. code-block:: *(\w*)\n((?:\n| +.*\n)+)", re.M)
RUN = ("sh", "python")
# the suite must not start itself, and installing what is there needs no network
QUICK_COMMANDS = {r"^make test\b": "make test ARGS='--collect-only -q'"}
QUICK_PIP = "--no-deps --no-index --no-build-isolation"
TIMEOUT_S = 3600

# Answers each line of JSON on stdin with the output of the block and a line that ends it; names live on between blocks.
INTERPRETER = r"""
import json, sys, traceback
names = {"__name__": "__main__"}
for line in sys.stdin:
    block, failed = json.loads(line), 0
    try:
        exec(compile(block["code"], block["name"], "exec"), names)
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        failed = 1
    print("\x1e%d" % failed, flush=True)
"""


class Block(NamedTuple):
    """A block of a document."""

    document: str
    line: int
    language: str
    code: str


class BlockError(Exception):
    """A block did not run."""


def blocks(text: str, document: str) -> list[Block]:
    """Return the blocks of a Markdown or reStructuredText document that a reader would run.

    Parameters
    ----------
    text : str
    document : str
        Its name; ``.rst`` is read as reStructuredText, all else as Markdown.

    Raises
    ------
    BlockError
        A block says no language, or is meant for a shell under another name: it would not be run.
    """
    found = []
    for match in (DIRECTIVE if document.endswith(".rst") else FENCE).finditer(text):
        line = text[: match.start(2)].count("\n") + 1
        language, code = match.groups()
        if language in ("", "bash", "shell", "console", "py", "pycon"):
            raise BlockError(f"{document}:{line}: block of language {language!r}; accepted: {', '.join(RUN)}, or data")
        if language in RUN:
            found.append(Block(document, line, language, textwrap.dedent(code).strip("\n") + "\n"))
    return found


def _run_sh(code: str, folder: Path, env: dict) -> tuple[str, int, dict]:
    """Run shell lines; return output, exit status and the environment they leave behind."""
    after = folder.with_name("environment")
    ending = f"\nenv -0 > '{after}'\n"
    done = subprocess.run(
        ["bash", "-c", "set -eo pipefail\n" + code + ending], cwd=folder, env=env, timeout=TIMEOUT_S,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode == 0:
        pairs = (entry.partition("=") for entry in after.read_text(errors="surrogateescape").split("\0") if entry)
        env = {name: value for name, _, value in pairs}
    return done.stdout.decode(errors="replace"), done.returncode, env


def _run_python(block: Block, session: subprocess.Popen) -> tuple[str, int]:
    """Run a Python block in the session of its document; return output and exit status."""
    name = f"{block.document}:{block.line}"
    session.stdin.write(json.dumps({"code": block.code, "name": name}) + "\n")
    session.stdin.flush()
    said = []
    for line in session.stdout:
        if line.startswith("\x1e"):
            return "".join(said), int(line[1:])
        said.append(line)
    return "".join(said), session.wait() or 1


def run_document(found: list[Block], folder: Path, env: dict, say=print) -> tuple[list[str], dict]:
    """Run the blocks of a document in order; return what each printed, and the environment after the last.

    Shell blocks share working folder and environment, Python blocks one interpreter: the first ``python`` on the PATH.

    Raises
    ------
    BlockError
        A block failed; its output is in the message.
    """
    outputs, session = [], None
    try:
        for block in found:
            started = time.monotonic()
            if block.language == "sh":
                output, status, env = _run_sh(block.code, folder, env)
            else:
                if session is None:
                    session = subprocess.Popen(
                        ["python", "-uc", INTERPRETER], cwd=folder, env=env, text=True, encoding="utf-8",
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    )  # fmt: skip
                output, status = _run_python(block, session)
            place = f"{block.document}:{block.line}"
            if status:
                raise BlockError(f"{place} exits with {status}:\n{block.code}\n{output}")
            say(f"{place:28} {block.language:7} {time.monotonic() - started:6.1f} s  {block.code.splitlines()[0]}")
            outputs.append(output)
    finally:
        if session is not None:
            session.stdin.close()
            session.wait(timeout=60)
            session.stdout.close()
    return outputs, env


def clone(folder: Path, tree: bool = False) -> Path:
    """Clone what is committed here into an empty folder, with `tree` what lies here, and return where it is."""
    into = folder / "obspy-tng"
    git = ["git", "-c", "safe.directory=*"]
    subprocess.run([*git, "clone", "--quiet", str(ROOT), str(into)], check=True)
    if tree:
        listing = [*git, "-C", str(ROOT), "ls-files", "-mo", "--exclude-standard", "-z"]
        for name in subprocess.run(listing, check=True, capture_output=True).stdout.decode().split("\0"):
            if name and (ROOT / name).is_file():
                (into / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, into / name)
    return into


def borrow_environment(into: Path) -> None:
    """Make the clone's .venv, which sees the packages of this interpreter but not its obspy-tng."""
    venv.create(into / ".venv", symlinks=True, with_pip=False)
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site,) = (into / ".venv").glob("lib/python*/site-packages")
    # a folder named in a .pth file is searched, .pth files inside it (of an editable obspy-tng) are not read
    (site / "zz_borrowed.pth").write_text("".join(f"{path}\n" for path in sorted(paths)), encoding="utf-8")
    python = into / ".venv" / "bin" / "python"
    for script in Path(sysconfig.get_path("scripts")).glob("obspy-*"):  # ObsPy's commands, run by the new interpreter
        lines = script.read_text(encoding="utf-8").split("\n")
        own = python.with_name(script.name)
        own.write_text("\n".join([f"#!{python}", *lines[1:]]), encoding="utf-8")
        own.chmod(0o755)
    (into / ".venv" / "created.stamp").touch()


def clean_environment(quick: bool) -> dict:
    """Return the environment of a new user: nothing of Python or make set, no environment active."""
    names = re.compile(r"^(PYTHON|PIP_|VIRTUAL_ENV|CONDA|MAKE|MFLAGS|ARGS$|VENV$|DATA$|MPLBACKEND$)")
    keep = {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONFIG_FILE", "PIP_CACHE_DIR", "PIP_FLAGS"}
    env = {k: v for k, v in os.environ.items() if k in keep or not names.match(k)}
    env["PYTHONIOENCODING"] = "utf-8"
    return env | {"PIP_FLAGS": QUICK_PIP} if quick else env


def first_contact(folder: Path, quick: bool, say=print, tree: bool = False, suite: bool = True) -> dict[str, list[str]]:
    """Clone, run all documents in order, and return per document what its blocks printed."""
    into = clone(folder, tree)
    if quick:
        borrow_environment(into)
    env, said = clean_environment(quick), {}
    for document in DOCUMENTS:
        found = blocks((into / document).read_text(encoding="utf-8"), document)
        if quick or not suite:
            for pattern, instead in QUICK_COMMANDS.items():
                found = [b._replace(code=re.sub(pattern, instead, b.code, flags=re.M)) for b in found]
        said[document], env = run_document(found, into, env, say)
    return said


def main() -> int:
    """Run the documents in a temporary folder, or in --folder, which is kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="borrow installed packages, only collect the tests")
    parser.add_argument("--folder", type=Path, help="empty folder to work in, kept; a temporary one when left out")
    parser.add_argument("--no-suite", action="store_true", help="collect the tests of `make test`, do not run them")
    parser.add_argument("--tree", action="store_true", help="with changes that are not committed")
    args = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            told = partial(print, flush=True)
            said = first_contact(folder.resolve(), args.quick, told, args.tree, not args.no_suite)
        except BlockError as err:
            print(err, file=sys.stderr)
            return 1
    print(f"{sum(map(len, said.values()))} blocks ran, {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
