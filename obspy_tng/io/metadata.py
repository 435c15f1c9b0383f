"""Station and event files for ObsPy's readers, unpacked within bounds and without entities.

lxml expands the entities a file declares and, in old versions, reads the files and addresses they name; no station
or event format needs any.
"""

import glob
import io
import os
import re
from pathlib import Path

from ..errors import FormatError
from . import packed

_LIMIT_BYTES = 5 * 10**8
# zeros between the letters: UTF-16
_DOCTYPE = re.compile(rb"<\0*!\0*D\0*O\0*C\0*T\0*Y\0*P\0*E", re.IGNORECASE)


def read_metadata(read, path):
    """Return what one of ObsPy's readers makes of a file, or of all members of an archive.

    Parameters
    ----------
    read : callable
        ``obspy.read_inventory`` or ``obspy.read_events``.
    path : str or path

    Raises
    ------
    FormatError
        The file declares a document type, or unpacks to too much.
    FileNotFoundError
    Exception
        Whatever ObsPy's readers raise.
    """
    if not Path(path).exists():
        return read(str(path))  # an address, a glob, or nothing
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > _LIMIT_BYTES:
            raise FormatError(f"{size} bytes; accepted: {_LIMIT_BYTES}")
        raw = file.read(_LIMIT_BYTES)
    kind = packed.kind_of(raw[:4096])
    if kind is None or b"obspy_no_uncompress" in raw[-100:]:
        _check(raw)
        return read(glob.escape(str(path)))
    found = None
    for content in _members(raw, kind, packed.Budget(size, _LIMIT_BYTES)):
        _check(content)
        part = read(io.BytesIO(content))
        found = part if found is None else found + part
    if found is None:
        raise FormatError(f"a {kind} archive without a file")
    return found


def _members(raw, kind, budget):
    """Yield the content of the members of an archive, or of a compressed file or archive."""
    if kind in ("gzip", "bzip2"):
        content = packed.decompress(io.BytesIO(raw), kind, budget)
        if packed.kind_of(content[:4096]) != "tar":
            yield content
            return
        raw, kind = content, "tar"
    members = packed.tar_members(raw, budget) if kind == "tar" else packed.zip_members(io.BytesIO(raw), budget)
    for name, content, reason in members:
        if reason is not None:
            raise FormatError(f"{name}: {reason}")
        if content.strip():
            yield content


def _check(raw):
    if _DOCTYPE.search(raw):
        raise FormatError("it declares a document type (<!DOCTYPE), which may hold entities; take the declaration out")
