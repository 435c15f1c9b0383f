"""Does what is built work without the source tree? Wheel and sdist, each in an environment of its own.

    python tests/installed.py dist/        (or: make package, which builds them first)

Installs each file with pip into a fresh virtual environment, goes to an empty folder, and does what a user does first:
list the stations, generate, read the records back through ObsPy, H/V of them, formats of the plug-in.
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
READ = """
import sys
import obspy
import obspy_tng
assert "site-packages" in obspy_tng.__file__, obspy_tng.__file__
stream = obspy.read("made/*.mseed")
assert len(stream) == 60 and {len(t) for t in stream} == {6000}, stream
stream[0].write("a.at2", format="AT2")
assert obspy.read("a.at2")[0].stats._format == "AT2"
"""


def run(*words, cwd):
    """Run a command outside the source tree; its output is shown when it fails."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    done = subprocess.run(list(map(str, words)), cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout


def check(python: Path, folder: Path) -> None:
    """Use what is installed, from an empty folder."""
    folder.mkdir()
    program = python.parent / "obspy-tng"
    assert "TK.0205" in run(program, "stations", cwd=folder)
    run(program, "generate", "--station", "0205", "-n", 20, "--seed", 1, "--out", "made", cwd=folder)
    run(python, "-c", READ, cwd=folder)
    table = run(program, "hvsr", "made", cwd=folder)
    assert "0205" in table, table
    print(table.strip().splitlines()[-1])


def main():
    """Check every wheel and sdist of a folder."""
    given = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist").resolve()
    files = sorted([*given.glob("obspy_tng-*.whl"), *given.glob("obspy_tng-*.tar.gz")])
    if len(files) != 2:
        raise SystemExit(f"{given} holds {[f.name for f in files]}; a wheel and an sdist are needed: python -m build")
    flags = os.environ.get("PIP_FLAGS", "").split()
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        venv.create(where / "env", with_pip=True)
        python = where / "env" / "bin" / "python"
        install = (python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", ROOT / "constraints.txt")
        for number, file in enumerate(files):
            again = ("--force-reinstall", "--no-deps") if number else ()  # what it stands on is there already
            run(*install, *flags, *again, file, cwd=where)
            check(python, where / str(number))
            print(f"{file.name}: installed and works without the source tree")


if __name__ == "__main__":
    main()
