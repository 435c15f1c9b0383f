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

import obspy

from ..errors import FormatError
from .at2 import _is_at2
from .dyna import _is_dyna
from .matlab import read_eq_mat
from .nsmn import _is_nsmn

# a bigger member is refused: an archive may be a bomb, and no accelerogram comes near
MEMBER_LIMIT_BYTES = 10**9
# archives inside archives are opened this deep
_ZIP_DEPTH = 3

_APPLE_DOUBLE = b"\x00\x05\x16\x07"
_OURS = {"DYNA": _is_dyna, "NSMN": _is_nsmn, "AT2": _is_at2}
_ZIP = b"PK\x03\x04"
_CURVES = (b"# GEOPSY output version", b"# hvsrpy output version")
_METADATA = {b"FDSNStationXML": "StationXML", b"quakeml": "QuakeML", b"seiscomp": "SCML"}
_COMPRESSED = (".gz", ".bz2", ".tgz", ".tar", ".z")


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
            if not file.read(4).startswith(_ZIP):
                return 0
            with zipfile.ZipFile(file) as archive:
                return len(archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
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
            if head.startswith(_ZIP):
                yield from _read_zip(file, name, skipped, headonly, entries=entries)
                return
            # ObsPy unpacks these itself, but only from a path
            packed = path.suffix.lower() in _COMPRESSED
            source = None if packed or _foreign(head) else file.read()
    except OSError as error:
        skipped.append((name, f"cannot be opened: {error.strerror}"))
        return
    if packed:
        yield from _parse(lambda: obspy.read(glob.escape(str(path)), headonly=headonly), name, skipped)
    else:
        yield from _read_bytes(head + (source or b""), name, skipped, headonly)


def _read_zip(file, name, skipped, headonly, depth=1, entries=None):
    """Yield the members of an open zip archive."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        skipped.append((name, f"damaged zip archive: {error}"))
        return
    with archive:
        for info in sorted(archive.infolist(), key=lambda info: info.filename)[slice(*(entries or (None,)))]:
            if info.is_dir():
                continue
            # members are never written to disk, so a path such as ../../x is a name like any other
            label = f"{name}/{info.filename}"
            reasons = filter(None, map(_hidden, PurePosixPath(info.filename.replace("\\", "/")).parts))
            reason = next((reason for reason in reasons if reason), None)
            if reason is None and info.file_size > MEMBER_LIMIT_BYTES:
                reason = f"{info.file_size} bytes unpacked; members above {MEMBER_LIMIT_BYTES} are refused"
            if reason is None:
                try:
                    raw = archive.read(info)
                # damaged, encrypted (RuntimeError) or packed by a method Python lacks (NotImplementedError)
                except Exception as error:
                    reason = f"cannot be unpacked: {error}"
            if reason is not None:
                skipped.append((label, reason))
            elif not raw.startswith(_ZIP):
                yield from _read_bytes(raw, label, skipped, headonly)
            elif depth < _ZIP_DEPTH:
                yield from _read_zip(io.BytesIO(raw), label, skipped, headonly, depth + 1)
            else:
                skipped.append((label, f"zip archives nested deeper than {_ZIP_DEPTH} are not opened"))


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
    source = io.BytesIO(raw)
    source.name = base  # our readers name the file in their messages, and AT2 keeps its record number there
    # ObsPy would ask sixty detectors first, which takes longer than reading
    kind = next((kind for kind, is_kind in _OURS.items() if is_kind(source)), None)
    yield from _parse(lambda: obspy.read(source, format=kind, headonly=headonly), name, skipped)


def _parse(read, name, skipped):
    """Yield (name, Stream) of one call of a reader, or note why there is none."""
    try:
        stream = read()
    except FormatError as error:
        skipped.append((name, str(error).removeprefix(f"{PurePosixPath(name).name}: ")))
        return
    except Exception as error:  # the readers of sixty formats raise whatever they like
        if isinstance(error, TypeError) and "Unknown format" in str(error):
            reason = "not a waveform format ObsPy knows"
        else:
            text = str(error).strip() or type(error).__name__
            reason = f"not readable: {text.splitlines()[0][:200]}"
        skipped.append((name, reason))
        return
    if not stream or all(trace.stats.npts == 0 for trace in stream):
        skipped.append((name, "holds no samples"))
        return
    for trace in stream:
        trace.stats.source_file = name
    yield name, stream
