"""How records are rendered on all cores of a machine: one thread each, many at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

import torch

_MANY = 32  # records that are worth starting processes for
_one = None  # what children are to do with a number


@contextmanager
def one_thread():
    """Let libraries compute on one CPU thread inside the block: last bits do not depend on the machine's core count.

    Single records are too small to gain from more, and lose much when the cores are busy.
    """
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def on_all_cores(one, numbers) -> list:
    """Return what `one` makes of each number: a record is too small for many threads, but there are many records.

    Forked processes do it where that is safe, on Linux in a process of one thread, else threads, which wait
    for each other's Python. Results are the same to the bit.
    """
    if len(numbers) >= _MANY and _may_fork():
        try:
            return _forked(one, numbers)
        except BrokenExecutor:  # one was killed; threads do it again
            pass
    with one_thread(), ThreadPoolExecutor(_cores() if len(numbers) > 1 else 1) as workers:
        return list(workers.map(one, numbers))


def _may_fork():
    """Tell whether children would inherit no lock that nobody opens, and no device, and whether there may be any."""
    alone = threading.active_count() == 1 and not torch.cuda.is_initialized()
    childless = multiprocessing.current_process().daemon  # a worker of multiprocessing.Pool or dask
    return sys.platform == "linux" and alone and not childless and _cores() > 1


def _forked(one, numbers):
    """Return what processes make of each number; `one` need not be told them, they have it from their parent."""
    global _one
    _one = one
    try:
        with one_thread(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of idle threads of libraries, from Python 3.12 on
            context = multiprocessing.get_context("fork")
            first = one(numbers[0])  # what is kept between records is made once, before there are children
            with ProcessPoolExecutor(_cores(), context, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as workers:
                return [first, *workers.map(_by_child, numbers[1:], chunksize=4)]
    finally:
        _one = None


def _by_child(number):
    return _one(number)


def _cores():
    """Return the cores this process may use, where the system tells (Linux), else those there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
