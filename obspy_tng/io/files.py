"""Waveform files one by one from files, folders, globs and zip archives; what fails is named, not fatal.

``obspy.read`` of an archive or a glob fails as a whole at the first member that is no waveform, such as the
``._*`` resource forks of macOS. Here each member is read by itself and in memory; nothing of an archive is
extracted to disk by name.
"""

import glob
import io
import os
import zipfile
from pathlib import Path, PurePosixPath

from ..errors import FormatError
from . import packed
from .blocks import is_miniseed
from .formats import read_waveform
from .matlab import read_eq_mat

# a bigger member is refused: an archive may be a bomb, and no accelerogram comes near
MEMBER_LIMIT_BYTES = 2 * 10**8
# so is a bigger file that is no MiniSEED, which alone grows with the length of a recording
FILE_LIMIT_BYTES = 10**9
# archives inside archives are opened this deep
_DEPTH = 3

_APPLE_DOUBLE = b"\x00\x05\x16\x07"
_CURVES = (b"# GEOPSY output version", b"# hvsrpy output version")
_METADATA = {b"FDSNStationXML": "StationXML", b"quakeml": "QuakeML", b"seiscomp": "SCML"}


def read_members(paths, skipped, *, headonly=False):
    """Read waveform files member by member.

    Parameters
    ----------
    paths : str, path or iterable of them
        Files, folders (searched recursively, in sorted order), globs and zip archives, in any mix.
    skipped : list
        Receives a tuple ``(name, reason)`` for every member that is not read. It is complete when the
        generator is exhausted.
    headonly : bool
        Read headers only.

    Returns
    -------
    generator of (str, obspy.Stream)
        The member's name and its traces, each with ``stats.source_file`` set to that name. A name begins with
        the last part of the path given, as in ``archive.zip/20230206011732_0118_ap_AAD_Acc_E.asc``.

    Raises
    ------
    FileNotFoundError
        A path or glob matches nothing; raised by the call, before anything is read.

    Examples
    --------
    >>> skipped = []
    >>> for name, stream in read_members(["event.zip", "records/"], skipped):  # doctest: +SKIP
    ...     print(name, stream[0].id)
    """
    return _read_roots(_roots(paths), skipped, headonly)


def list_files(paths, skipped):
    """Return the files that `read_members` would open, in its order, as pairs of path and name.

    Parameters, and what is raised, as there; nothing is read.
    """
    return list(_files(_roots(paths), skipped))


def count_members(path):
    """Return how many entries a zip archive has, 0 for any other file and for a damaged one."""
    try:
        with open(path, "rb") as file:
            if not file.read(4).startswith(packed.ZIP):
                return 0
            with zipfile.ZipFile(file) as archive:
                return len(archive.infolist())
    except packed.FAILURES:
        return 0


def read_file(path, name, skipped, *, entries=None):
    """Yield (name, Stream) of the members of one file, as `read_members` does.

    Parameters
    ----------
    path, name : path, str
        As of `list_files`.
    skipped : list
        As of `read_members`.
    entries : (int, int), optional
        First entry of a zip archive to be read and the one after the last, in the order of names.
    """
    yield from _read_file(Path(path), name, skipped, False, entries)


def _roots(paths):
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    return [root for path in paths for root in _expand(path)]


def _expand(path):
    """Return the existing paths of one argument, which may be a glob."""
    path = Path(path)
    if path.exists():
        return [path]
    if glob.has_magic(str(path)):
        if matches := sorted(glob.glob(str(path), recursive=True)):
            return [Path(match) for match in matches]
        raise FileNotFoundError(f"no file matches {str(path)!r}")
    raise FileNotFoundError(f"no such file or directory: {str(path)!r}")


def _read_roots(roots, skipped, headonly):
    for path, label in _files(roots, skipped):
        yield from _read_file(path, label, skipped, headonly)


def _files(roots, skipped):
    for root in roots:
        name = root.name or root.resolve().name
        yield from _walk(root, name, skipped) if root.is_dir() else [(root, name)]


def _walk(folder, name, skipped):
    """Yield (path, name) of the files below a folder, sorted; hidden ones are skipped."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        skipped.append((name, f"cannot be listed: {error.strerror}"))
        return
    for entry in entries:
        label = f"{name}/{entry.name}"
        if reason := _hidden(entry.name):
            skipped.append((label, reason))
        elif entry.is_dir():
            if entry.is_symlink():
                skipped.append((label, "link to a folder, not followed"))
            else:
                yield from _walk(entry, label, skipped)
        elif entry.exists() and not entry.is_file():  # opening a pipe would wait for ever
            skipped.append((label, "neither a file nor a folder"))
        else:
            yield entry, label


def _hidden(name):
    """Return why a file or folder of this name is passed over unopened, or None."""
    if name in (".", ".."):  # not a name but a path trick of an archive
        return None
    if name.startswith("._") or name == "__MACOSX":
        return "macOS resource fork, not a record"
    return "hidden file" if name.startswith(".") else None


def _read_file(path, name, skipped, headonly, entries=None):
    """Yield the members of one file on disk: its own traces, or those of the archive it is."""
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
            size = os.fstat(file.fileno()).st_size
            if kind := packed.kind_of(head, path.suffix.lower()):
                file.seek(0)
                budget = packed.Budget(size, MEMBER_LIMIT_BYTES)
                yield from _unpacked(file, kind, name, skipped, headonly, budget, entries=entries)
                return
            if reason := _foreign(head):
                skipped.append((name, reason))
                return
            limit = max(size, FILE_LIMIT_BYTES) if is_miniseed(path) else FILE_LIMIT_BYTES
            raw = head + file.read(limit + 1 - len(head)) if size <= limit else None
    except OSError as error:
        skipped.append((name, f"cannot be opened: {error.strerror or error}"))
        return
    if raw is None or len(raw) > limit:
        skipped.append((name, f"{size} bytes; files above {limit} are read only when they are MiniSEED"))
        return
    yield from _read_bytes(raw, name, skipped, headonly)


def _unpacked(file, kind, name, skipped, headonly, budget, depth=1, entries=None):
    """Yield the members of an open archive, or of what a compressed file holds."""
    if depth > _DEPTH:
        skipped.append((name, f"archives nested deeper than {_DEPTH} are not opened"))
        return
    try:
        if kind in ("gzip", "bzip2"):
            members = [(None, packed.decompress(file, kind, budget), None)]
        elif kind == "tar":
            members = packed.tar_members(budget.read(file), budget, _passed_over)
        else:
            members = packed.zip_members(file, budget, entries, _passed_over)
        for member, raw, reason in members:
            label = name if member is None else f"{name}/{member}"
            if reason is not None:
                skipped.append((label, reason))
            elif inner := packed.kind_of(raw[:4096]):
                yield from _unpacked(io.BytesIO(raw), inner, label, skipped, headonly, budget, depth + 1)
            else:
                yield from _read_bytes(raw, label, skipped, headonly)
    except FormatError as error:
        skipped.append((name, str(error)))
    except packed.FAILURES as error:
        what = f"{kind} archive" if kind in ("zip", "tar") else f"{kind} file"
        skipped.append((name, f"damaged {what}: {str(error) or type(error).__name__}"))


def _passed_over(path):
    """Return why a member of this path is not unpacked, or None."""
    # members are never written to disk, so a path such as ../../x is a name like any other
    return next(filter(None, map(_hidden, PurePosixPath(path.replace("\\", "/")).parts)), None)


def _foreign(head):
    """Return why these first bytes are no waveform, or None when a reader should try."""
    if not head.strip():
        return "empty file"
    if head.startswith(_APPLE_DOUBLE):
        return "macOS resource fork, not a record"
    if head.startswith(_CURVES):
        return "a .hv file: an H/V curve, not waveforms; obspy_tng.site.hv_file reads it"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        for mark, kind in _METADATA.items():
            if mark.lower() in head.lower():
                return f"{kind}: metadata, not waveforms"
    return None


def _read_bytes(raw, name, skipped, headonly):
    """Yield the traces of one member held in memory."""
    if reason := _foreign(raw[:4096]):
        skipped.append((name, reason))
        return
    base = PurePosixPath(name).name
    if base.lower().endswith(".mat"):
        yield from _parse(lambda: read_eq_mat(raw, name=base, headonly=headonly), name, skipped)
        return
    yield from _parse(lambda: read_waveform(raw, base, headonly=headonly), name, skipped)


def _parse(read, name, skipped):
    """Yield (name, Stream) of one call of a reader, or note why there is none."""
    try:
        stream = read()
    except FormatError as error:
        skipped.append((name, str(error).removeprefix(f"{PurePosixPath(name).name}: ")))
        return
    except Exception as error:  # the readers of sixty formats raise whatever they like
        text = str(error).strip() or type(error).__name__
        skipped.append((name, f"not readable: {text.splitlines()[0][:200]}"))
        return
    if not stream or all(trace.stats.npts == 0 for trace in stream):
        skipped.append((name, "holds no samples"))
        return
    for trace in stream:
        trace.stats.source_file = name
    yield name, stream
