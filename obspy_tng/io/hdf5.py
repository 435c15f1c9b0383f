"""HDF5 files from elsewhere, looked through before they are opened.

The HDF5 library trusts what it reads: a flipped byte can end the process, a dataset of a few bytes
can state terabytes, a link can lead to any other file. A child process looks first; what it survives, and
finds in order, is opened here.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from ..errors import FormatError
from . import _probe

SECONDS = 60.0
LIMIT_BYTES = 5 * 10**8  # of one dataset
_seen = {}  # path -> (size, time of change, inode) of files that were in order, or written here


def trusted(path):
    """Take note of a file that this process has written itself."""
    _seen[os.path.realpath(path)] = _state(path)


def require_sound(path, *, limit_bytes=LIMIT_BYTES):
    """Return when an HDF5 file can be opened; a file is looked through once, until it changes.

    Parameters
    ----------
    path : str or path
    limit_bytes : int
        Largest size a dataset may state; a larger one must hold a quarter of what it states in the file.

    Raises
    ------
    FormatError
        It is no HDF5, damaged, or leads to other files.
    FileNotFoundError
    """
    key, state = os.path.realpath(path), _state(path)
    if _seen.get(key) == state:
        return
    with open(path, "rb") as file:  # without the libraries: most wrong files are quite another thing
        head = file.read(8)
    if not head.startswith(b"\x89HDF\r\n\x1a\n"):
        raise FormatError(f"it begins with {head!r}, not as HDF5")
    said = _ask(str(path), limit_bytes)
    if said[0] != "ok":
        raise FormatError(said[1])
    _seen[key] = state


def _state(path):
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns, found.st_ino


def _ask(path, limit_bytes):
    """Return what the child process says of a file; in this process where there can be no child."""
    command = [sys.executable or "", str(Path(_probe.__file__)), str(limit_bytes), path]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return ["refused", f"the HDF5 library does not come to an end with it in {SECONDS:.0f} s"]
    except OSError:
        done = None
    if done is not None:
        try:
            return json.loads(done.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            if done.returncode < 0:
                return ["refused", f"damaged: the HDF5 library crashes on it (signal {-done.returncode})"]
    try:  # no interpreter to be started, or one without h5py
        _probe.look(path, limit_bytes)
    except Exception as err:
        return ["refused", (str(err).strip() or type(err).__name__).splitlines()[0]]
    return ["ok"]
