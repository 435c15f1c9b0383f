"""MATLAB 5 files looked through before scipy reads them: it makes arrays of whatever size a header states.

Reference: MAT-File Format, The MathWorks, chapter 1 (level 5).
"""

import math
import struct
import zlib

from ..errors import FormatError

_HEADER_BYTES = 128
_UNPACKED_BYTES = 2 * 10**8
_DEPTH = 16  # of structures inside structures; scipy calls itself for each
_INT32, _MATRIX, _COMPRESSED = 5, 14, 15
_CONTAINERS, _NUMBERS = (1, 2, 3), (4, *range(6, 16))  # cell, structure, object; text and numbers


def checked(raw):
    """Return the content of a MATLAB 5 file, unpacked, whose elements all fit into one another.

    Raises
    ------
    FormatError
        Another file, one cut short, or one whose arrays state more elements than the file holds.
    """
    order = {b"IM": "<", b"MI": ">"}.get(bytes(raw[126:128]))
    if order is None or struct.unpack(order + "H", raw[124:126])[0] >> 8 != 1:
        raise FormatError("no header of MATLAB 5")
    parts, position, left = [raw[:_HEADER_BYTES]], _HEADER_BYTES, _UNPACKED_BYTES
    while position + 8 <= len(raw):
        kind, size = struct.unpack_from(order + "2I", raw, position)
        if size > len(raw) - position - 8:
            raise FormatError(f"cut short: an element of {size} bytes, {len(raw) - position - 8} are left")
        whole = raw[position : position + 8 + size]
        if kind == _COMPRESSED:
            whole = zlib.decompressobj().decompress(whole[8:], left + 1)
        left -= len(whole)
        if left < 0:
            raise FormatError(f"over {_UNPACKED_BYTES} bytes unpacked")
        _check_elements(memoryview(whole), order, 0)
        parts.append(whole)
        position += 8 + size
    return b"".join(parts)


def _elements(data, order):
    """Yield (type, content) of the elements in a stretch of bytes."""
    position = 0
    while position + 8 <= len(data):
        kind, size = struct.unpack_from(order + "2I", data, position)
        first = position + 8
        if kind >> 16:  # small: size and type share the first word, the content is the second
            kind, size, first = kind & 0xFFFF, kind >> 16, position + 4
            if size > 4:
                raise FormatError(f"damaged: a small element of {size} bytes")
        if size > len(data) - first:
            raise FormatError(f"cut short: an element of {size} bytes, {len(data) - first} are left")
        yield kind, data[first : first + size]
        position = position + 8 if first == position + 4 else first + -(-size // 8) * 8


def _check_elements(data, order, depth):
    if depth > _DEPTH:
        raise FormatError(f"structures nested deeper than {_DEPTH}")
    for kind, content in _elements(data, order):
        if kind == _MATRIX and len(content):
            _check_matrix(content, order, depth)


def _check_matrix(content, order, depth):
    """Raise unless a matrix holds what its dimensions state."""
    inside = list(_elements(content, order))
    _check_elements(content, order, depth + 1)
    if len(inside) < 2 or len(inside[0][1]) < 8:
        raise FormatError("damaged: a matrix without flags and dimensions")
    of_class = struct.unpack_from(order + "I", inside[0][1])[0] & 0xFF
    if of_class not in _CONTAINERS + _NUMBERS:
        return
    kind, sizes = inside[1]
    if kind != _INT32 or not 8 <= len(sizes) <= 4 * 32:
        raise FormatError("damaged: the dimensions of a matrix")
    n = math.prod(struct.unpack(f"{order}{len(sizes) // 4}i", sizes[: len(sizes) // 4 * 4]))
    matrices = sum(kind == _MATRIX for kind, _ in inside)
    held = max(1, matrices) if of_class in _CONTAINERS else sum(len(part) for _, part in inside[3:])
    if not 0 <= n <= held:
        raise FormatError(f"damaged: a matrix states {n} elements and holds {held} at most")
