"""Files and folders written whole or not at all: made in a hidden folder beside their place, then renamed.

A process that is killed leaves nothing at the final name, only its hidden folder. The next write to the same name
removes that: every hidden folder is locked while its process lives, and the system lets go of the locks of the dead.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from obspy_tng.errors import WriteError

try:
    import fcntl
except ImportError:  # Windows: leftovers stay
    fcntl = None


@contextmanager
def writable(path):
    """Turn an OSError inside the block into a WriteError that names `path`, as the user gave it."""
    try:
        yield
    except WriteError:
        raise
    except OSError as err:
        reason = err.strerror or (str(err).strip() or type(err).__name__).splitlines()[0]
        raise WriteError(f"{path} cannot be written: {reason}") from err


@contextmanager
def whole(path):
    """Yield a path of the same name to write a file to; it becomes `path` at the end of the block.

    Raises
    ------
    WriteError
        The file cannot be written; what was there before stays.

    Examples
    --------
    >>> with whole("notes.txt") as part:  # doctest: +SKIP
    ...     part.write_text("all or nothing")
    """
    path = Path(path)
    with writable(path), workplace(path) as work:
        part = work / path.name
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())  # else some file systems may keep the name and lose the content in a power cut
        os.replace(part, path)


@contextmanager
def workplace(path):
    """Yield a hidden, locked folder beside `path`, gone at the end of the block; its folder must exist.

    Hidden folders for the same name that were left by killed processes of this machine are removed.
    """
    path = Path(path)
    head = _head(path)
    with writable(path):
        _sweep(path.parent, head)
        work = Path(tempfile.mkdtemp(prefix=f"{head}{os.getpid()}-", dir=path.parent))
    lock = _lock(work)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def sweep(path) -> None:
    """Remove what killed processes of this machine left hidden of writing `path`, which is not written again."""
    _sweep(Path(path).parent, _head(Path(path)))


def _head(path: Path) -> str:
    """Return how names of hidden folders begin; names may be long already, the machine tells whose it was."""
    return f".{path.name[:40]}-{re.sub(r'[^a-zA-Z0-9]', '', platform.node())[:20]}-"


def _sweep(folder: Path, head: str) -> None:
    """Remove the hidden folders of dead processes: by their number, and since nobody holds the lock."""
    if fcntl is None:
        return
    pattern = re.compile(re.escape(head) + r"(\d+)-\w+")
    with os.scandir(folder) as entries:
        dead = [e.path for e in entries if (m := pattern.fullmatch(e.name)) and not _alive(int(m[1]))]
    for left in dead:
        lock = _lock(left)
        if lock is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _lock(folder) -> int | None:
    """Return an open descriptor that holds the lock of a folder, None where it cannot be had."""
    if fcntl is None:
        return None
    handle = None
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held by another, or a file system without locks
        if handle is not None:
            os.close(handle)
        return None
    return handle
