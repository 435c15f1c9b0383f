"""A cache bounded by bytes: what depends on a window's length is small for S windows, 30 MB for an hour."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock

LIMIT_BYTES = 64_000_000
LIMIT_N = 64


def kept(size_bytes: Callable) -> Callable:
    """Return a decorator that keeps what a function returned lately, the latest always, by its arguments.

    Parameters
    ----------
    size_bytes : callable
        ``size_bytes(value) -> int``.

    Examples
    --------
    >>> squares = kept(lambda value: LIMIT_BYTES // 2)(lambda x: [x * x])
    >>> first = squares(1)
    >>> squares(1) is first, squares(2), squares(3), squares(1) is first
    (True, [4], [9], False)
    """

    def decorate(function):
        held: OrderedDict = OrderedDict()
        lock = Lock()

        @wraps(function)
        def call(*key):
            with lock:
                if key in held:
                    held.move_to_end(key)
                    return held[key][0]
            value = function(*key)
            with lock:
                held[key] = value, size_bytes(value)
                while len(held) > 1 and (len(held) > LIMIT_N or sum(size for _, size in held.values()) > LIMIT_BYTES):
                    held.popitem(last=False)
            return value

        return call

    return decorate
