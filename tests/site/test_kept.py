"""What is kept of windows of many lengths: bounded by bytes."""

import tracemalloc
from threading import Barrier, Thread

import numpy as np

from obspy_tng.site import kept, smoothing


def counted(size_bytes):
    """Return a kept function, and the list of what it was called with."""
    calls = []

    @kept.kept(lambda value: size_bytes)
    def name(*key):
        calls.append(key)
        return object()

    return name, calls


def test_the_same_is_returned_once_computed():
    """Small values are kept, as many as LIMIT_N; the one used longest ago goes first."""
    function, calls = counted(1)
    first = function(0, "a")
    for k in range(1, kept.LIMIT_N):
        function(k, "a")
        assert function(0, "a") is first
    function("one more")
    assert function(0, "a") is first
    assert len(calls) == kept.LIMIT_N + 1
    function(1, "a")
    assert len(calls) == kept.LIMIT_N + 2


def test_large_values_push_others_out():
    """Two of half the limit are kept, a third takes the place of the first; one above the limit is kept alone."""
    function, calls = counted(kept.LIMIT_BYTES // 2)
    for key in (1, 2, 1, 2, 3, 2, 1):
        function(key)
    assert calls == [(1,), (2,), (3,), (1,)]
    large, calls = counted(2 * kept.LIMIT_BYTES)
    assert large(1) is large(1)
    large(2), large(1)
    assert calls == [(1,), (2,), (1,)]


def test_threads_get_whole_values():
    """Eight threads that ask for the same keys at once get values of these keys."""
    function = kept.kept(lambda value: kept.LIMIT_BYTES // 3)(lambda key: [key] * 1000)
    begin, wrong = Barrier(8), []

    def ask(seed):
        begin.wait()
        for key in np.random.default_rng(seed).integers(0, 6, 2000).tolist():
            if function(key) != [key] * 1000:
                wrong.append(key)

    threads = [Thread(target=ask, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_recordings_of_many_lengths():
    """40 recordings of about 10 minutes, each of its own length: their matrices would take 220 MB."""
    frequency_hz = np.geomspace(0.5, 20, 200)
    tracemalloc.start()
    for k in range(40):
        smoothing.smoothing_bands(60_000 + 2 * k, 100.0, frequency_hz)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1.2 * kept.LIMIT_BYTES
