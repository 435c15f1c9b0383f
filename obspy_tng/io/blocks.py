"""MiniSEED of any size in blocks: what a file holds and where, and the samples of a span of time, never all of it.

ObsPy reads a MiniSEED file, or maps it, as a whole. Here one pass over the record headers, a megabyte at a time,
tells which bytes hold which channel when; a span is then read from these bytes alone.
"""

from __future__ import annotations

import io
import math
from typing import NamedTuple

import obspy

BLOCK_BYTES = 1 << 20
_QUALITY = b"DRQM"


class Block(NamedTuple):
    """One stretch of one channel inside one run of bytes; times in ns since 1970."""

    path: str
    offset: int
    size: int
    id: str
    sampling_rate: float
    start_ns: int
    end_ns: int  # of the last sample


def is_miniseed(path) -> bool:
    """Tell whether a file begins with a MiniSEED data record; never raises."""
    try:
        with open(path, "rb") as file:
            return _is_record(file.read(8))
    except OSError:
        return False


def _is_record(head):
    return len(head) >= 8 and head[:6].isdigit() and head[6:7] in _QUALITY and head[7:8] in b" \0"


def index(path, block_bytes: int = BLOCK_BYTES) -> list[Block]:
    """Return what every block of a MiniSEED file holds, from its record headers.

    Parameters
    ----------
    path : str
    block_bytes : int
        Bytes looked at in one go. Files of unequal record lengths are one block, however large.

    Returns
    -------
    list of Block
        In the order of the file; a block that holds several channels, or a gap, appears several times.

    Raises
    ------
    Exception
        Whatever ObsPy raises on a file that is no MiniSEED.
    """
    from obspy.io.mseed import util

    with open(path, "rb") as file:
        head = util.get_record_information(file)
        length, total = head["record_length"], head["filesize"]
        size = max(1, block_bytes // length) * length
        offsets = list(range(0, total, size))
        for offset in offsets:  # a boundary inside a record, or records of another length
            for place in (offset, min(offset + size, total) - length):
                file.seek(place)
                if not _is_record(file.read(8)):
                    offsets, size = [0], total
                    break
        out = []
        for offset in offsets:
            file.seek(offset)
            raw = file.read(size)
            for trace in obspy.read(io.BytesIO(raw), format="MSEED", headonly=True):
                stats = trace.stats
                times = stats.starttime.ns, stats.endtime.ns
                out.append(Block(str(path), offset, len(raw), trace.id, float(stats.sampling_rate), *times))
    return [b for b in out if 0 < b.sampling_rate < math.inf]


def read_blocks(blocks) -> obspy.Stream:
    """Return the traces of the given blocks; what is contiguous in a file becomes one trace."""
    places = sorted({(b.path, b.offset, b.size) for b in blocks})
    held = {(b.id, b.sampling_rate) for b in blocks}
    runs = []
    for path, offset, size in places:
        if runs and runs[-1][0] == path and runs[-1][1] + runs[-1][2] == offset:
            runs[-1][2] += size
        else:
            runs.append([path, offset, size])
    stream = obspy.Stream()
    for path, offset, size in runs:
        with open(path, "rb") as file:
            file.seek(offset)
            stream += obspy.read(io.BytesIO(file.read(size)), format="MSEED")
    return obspy.Stream([t for t in stream if (t.id, float(t.stats.sampling_rate)) in held])
