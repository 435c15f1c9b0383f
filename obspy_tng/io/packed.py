"""Archives and compressed files unpacked in memory, member by member, never more than a stated number of bytes.

What a header promises is not trusted: bytes are counted as they come out. Nothing is written to disk, so a member's
path is a name like any other, and links are not followed.
"""

import bz2
import gzip
import io
import stat
import tarfile
import zipfile
import zlib

from ..errors import FormatError

ZIP = b"PK\x03\x04"
_GZIP, _BZIP2 = b"\x1f\x8b\x08", b"BZh"
_BLOCK_BYTES = 1 << 20
# of all members of one file on disk together; ten thousand of the largest accelerograms have less
_TOTAL_BYTES, _TOTAL_RATIO = 10**9, 100

FAILURES = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, ValueError, RuntimeError, KeyError)


class Budget:
    """How many bytes may still be unpacked from one file of `size` bytes on disk, and from each of its members."""

    def __init__(self, size, member_limit):
        self.left, self.member = max(_TOTAL_BYTES, _TOTAL_RATIO * size), member_limit

    def read(self, stream):
        """Return all bytes of a stream; FormatError when they are more than is left."""
        limit, parts, size = min(self.member, self.left), [], 0
        while block := stream.read(min(_BLOCK_BYTES, limit - size + 1)):
            size += len(block)
            parts.append(block)
            if size > limit:
                raise FormatError(
                    f"over {limit} bytes unpacked; members above {self.member} are refused"
                    if limit == self.member
                    else "the archive unpacks to far more than it holds; the rest is refused"
                )
        self.left -= size
        return b"".join(parts)


def kind_of(head, suffix=""):
    """Return "zip", "tar", "gzip", "bzip2" or None for the first bytes of a file."""
    if head.startswith(ZIP):
        return "zip"
    if head.startswith(_GZIP):
        return "gzip"
    if head.startswith(_BZIP2):
        return "bzip2"
    return "tar" if head[257:262] == b"ustar" or suffix == ".tar" else None


def decompress(file, kind, budget):
    """Return the content of an open gzip or bzip2 file; raises `FAILURES`."""
    with gzip.GzipFile(fileobj=file) if kind == "gzip" else bz2.BZ2File(file) as stream:
        return budget.read(stream)


def zip_members(file, budget, entries=None, passed_over=lambda path: None):
    """Yield (path, bytes or None, reason or None) of the members of an open zip archive, in the order of names.

    Parameters
    ----------
    file : binary file object
    budget : Budget
    entries : (int, int), optional
        First entry, and the one after the last.
    passed_over : callable
        Returns why a member of this path is not even unpacked, or None.
    """
    with zipfile.ZipFile(file) as archive:
        for info in sorted(archive.infolist(), key=lambda info: info.filename)[slice(*(entries or (None,)))]:
            if info.filename.endswith("/"):  # is_dir() does not survive a member without a name
                continue
            raw, reason = None, passed_over(info.filename)
            if reason is None and stat.S_ISLNK(info.external_attr >> 16):
                reason = "a link, not followed"
            if reason is None and info.file_size > budget.member:
                reason = f"{info.file_size} bytes unpacked; members above {budget.member} are refused"
            if reason is None:
                try:
                    with archive.open(info) as stream:
                        raw = budget.read(stream)
                except FormatError as error:
                    reason = str(error)
                # damaged, encrypted (RuntimeError) or packed by a method Python lacks (NotImplementedError)
                except Exception as error:
                    reason = f"cannot be unpacked: {str(error) or type(error).__name__}"
            yield info.filename, raw, reason


def tar_members(raw, budget, passed_over=lambda path: None):
    """Yield (path, bytes or None, reason or None) of the members of a tar archive, as `zip_members` does."""
    with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as archive:
        for info in archive:
            if info.isdir():
                continue
            data, reason = None, passed_over(info.name)
            if reason is None and not info.isreg():
                reason = "a link or device, not followed"
            if reason is None and info.issparse():
                reason = "a sparse file, not unpacked"
            if reason is None:
                try:
                    data = budget.read(archive.extractfile(info))
                except FormatError as error:
                    reason = str(error)
                except Exception as error:
                    reason = f"cannot be unpacked: {str(error) or type(error).__name__}"
            yield info.name, data, reason
