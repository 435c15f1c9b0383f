"""What the text formats share: bytes from a path or file object, dates, numbers, and the trace they make."""

import math
import os
import re
from pathlib import Path

import numpy as np
from obspy import Trace, UTCDateTime
from obspy.core import AttribDict

from ..errors import FormatError

STANDARD_GRAVITY_MPS2 = 9.80665
# no header seen is longer than 6 kB; the bound keeps rubbish from being searched line by line to its end
HEADER_LIMIT_BYTES = 65536
# beyond, a header field is rubbish: a digitiser of 1 MHz, a sample every quarter of an hour
INTERVALS_S = (1e-6, 1e3)
_PIECE_BYTES = 1 << 20

_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)[ _T](\d\d)(\d\d)(\d\d(?:\.\d*)?)$")
_SPLIT = re.compile(r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})[ _T](\d{1,2}):(\d{1,2}):(\d{1,2}(?:\.\d*)?)$")


def peek(source, n_bytes=4096):
    """Return the first bytes of a path or binary file object, or ``b""`` if that fails; never raises."""
    try:
        if isinstance(source, str | os.PathLike):  # not an int: open() would take, and close, that descriptor
            with open(source, "rb") as file:
                return file.read(n_bytes)
        position = source.tell()
        head = source.read(n_bytes)
        source.seek(position)
    except Exception:  # a detector that raises would hide ObsPy's own message for every unknown file
        return b""
    return head if isinstance(head, bytes) else b""


def load(source, what):
    """Return all bytes of a path or binary file object, and the name that messages use for it."""
    if hasattr(source, "read"):
        name = getattr(source, "name", None)
        raw = source.read()
        if not isinstance(raw, bytes):
            raise FormatError(
                f"{what} needs a file opened in binary mode ('rb'), got one that returns {type(raw).__name__}"
            )
        return raw, Path(name).name if isinstance(name, str) else f"{what} data"
    with open(source, "rb") as file:
        return file.read(), Path(source).name


def decode(raw):
    """Decode header bytes: UTF-8, else the Turkish ISO-8859-9 of older AFAD files (any byte is valid)."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("iso-8859-9")


def split_header(raw, is_data, name, what):
    """Cut a file at its first line of data.

    Parameters
    ----------
    raw : bytes
        The whole file.
    is_data : callable
        Tells of one line (bytes, stripped) whether the samples begin there.

    Returns
    -------
    header : list of str
        The stripped lines before the data.
    body : bytes
        The rest.
    """
    lines, position = [], 0
    for line in raw[:HEADER_LIMIT_BYTES].splitlines(keepends=True):
        if is_data(line.strip()):
            return decode(b"\n".join(lines)).split("\n"), raw[position:]
        lines.append(line.strip())
        position += len(line)
    raise FormatError(f"{name}: no samples follow the {what} header ({len(lines)} lines read); the file is cut short")


def quoted(text):
    """Return the repr of a header field for a message, cut: a damaged one may be as long as the file."""
    whole = repr(text)
    return whole if len(whole) <= 80 else f"{whole[:60]}… ({len(whole)} characters)"


def number(text):
    """Return the finite number a header field holds, or None (empty, ``None``, ``unknown`` and the like)."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def positive(text):
    """Return the number of a field in which zero stands for unknown (Vs30, magnitude), or None."""
    value = number(text)
    return value if value is not None and value > 0 else None


def parse_time(text):
    """Return the UTC time of a header, or None when it holds none.

    Knows ``20190728_160919.870``, ``2020/10/30 11:51:11.9888620`` and day first ``14/11/2010 23:09:19.300``:
    the field with four digits is the year. A trailing ``(GMT)`` is ignored.
    """
    text = re.sub(r"\((?:GMT|UTC)\)$", "", text.strip()).strip()
    if match := _COMPACT.match(text):
        year, month, day, hour, minute, second = match.groups()
    elif match := _SPLIT.match(text):
        first, month, last, hour, minute, second = match.groups()
        year, day = (first, last) if len(first) == 4 else (last, first)
    else:
        return None
    try:
        # seconds are added, as a float, because UTCDateTime takes no seventh decimal in its text
        return UTCDateTime(int(year), int(month), int(day), int(hour), int(minute)) + float(second)
    except (ValueError, OverflowError, TypeError):
        return None


def count(text, field, name):
    """Return a sample count from a header field, or raise."""
    try:
        n = int(text)
    except (TypeError, ValueError):
        n = 0
    if n < 1:
        raise FormatError(f"{name}: {field} is {quoted(text)}; expected the number of samples, a positive integer")
    return n


def interval(text, field, name):
    """Return a sampling interval in seconds from a header field, or raise."""
    dt_s, (least, most) = positive(text), INTERVALS_S
    if dt_s is None or not least <= dt_s <= most:
        raise FormatError(
            f"{name}: {field} is {quoted(text)}; expected the sampling interval in seconds, above zero "
            f"({least:g} to {most:g})"
        )
    return dt_s


def _words(body):
    """Yield lists of the words of a body, a megabyte at a time: all at once they take thirty times its memory."""
    first = 0
    while first < len(body):
        last = re.compile(rb"\s").search(body, first + _PIECE_BYTES)
        stop = last.start() if last else len(body)
        yield body[first:stop].split()
        first = stop


def count_words(body):
    """Return how many words bytes hold."""
    return sum(map(len, _words(body)))


def samples(body, n_expected, field, name, *, headonly=False):
    """Turn the words of a body into float64 samples, or raise when their number is not what the header promises.

    With ``headonly`` the words are counted, not converted, and None is returned.
    """
    n_words = count_words(body)
    if n_words != n_expected:
        kind = "cut short" if n_words < n_expected else "damaged, or holds more than one column"
        raise FormatError(f"{name}: {field} promises {n_expected} numbers, the file holds {n_words}; it is {kind}")
    if headonly:
        return None
    data, done = np.empty(n_expected), 0
    for words in _words(body):
        try:
            data[done : done + len(words)] = np.array(words, dtype=np.float64)
            fine = np.isfinite(data[done : done + len(words)]).all()
        except ValueError:
            fine = False
        if not fine:
            bad = next((i for i, word in enumerate(words) if number(word) is None), 0)
            word = words[bad][:20].decode("ascii", "replace")
            raise FormatError(f"{name}: sample {done + bad + 1} of {n_expected} is {word!r}; expected a finite number")
        done += len(words)
    return data


def known(**items):
    """Return an AttribDict of the items that are not None: what a file does not tell is absent."""
    return AttribDict({key: value for key, value in items.items() if value is not None})


def coordinates(latitude, longitude, elevation=None):
    """Return ``stats.coordinates`` (degrees, degrees, m), empty unless both angles are known and possible."""
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return AttribDict()
    if latitude == 0 and longitude == 0:  # the Gulf of Guinea has no accelerograph: zeros fill an unknown position
        return AttribDict()
    return known(latitude=latitude, longitude=longitude, elevation=elevation)


def epicentre(latitude, longitude):
    """Return ``stats.event`` entries for the epicentre in degrees, empty unless both are known."""
    position = coordinates(latitude, longitude)
    return {f"{key}_deg": value for key, value in position.items()}


def make_trace(data, npts, *, coordinates=None, event=None, site=None, **stats):
    """Build a trace; ``data`` None (headonly) leaves only the header with its ``npts``.

    ``coordinates``, ``event`` and ``site`` are left out of the stats when empty.
    """
    for key, value in (("coordinates", coordinates), ("event", event), ("site", site)):
        if value:
            stats[key] = value
    if data is None:
        return Trace(header={**stats, "npts": npts})
    return Trace(data=data, header=stats)
