"""Records of a training: all in memory, or read from the corpus chunk by chunk when they do not fit.

A chunk is a run of records that follow each other in the corpus. An epoch goes through chunks in random order, so many
together as memory holds, and through their records in random order. The order depends on seed and epoch only.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np

from obspy_tng.errors import RecordError
from obspy_tng.preprocessing import SAMPLING_RATE_HZ

CHUNK = 64  # records
SAMPLED = 16  # chunks that statistics of a streamed corpus are taken from
_AT_ONCE = 256  # records read at once into memory
_TABLES = 0.5  # of the limit is left to what is made of records while they are read


def plan(corpus, indices: Sequence[int], memory_gb: float | None) -> int | None:
    """Return how many chunks are held together, None when all records fit into memory.

    Parameters
    ----------
    corpus : Corpus
    indices : sequence of int
        Rows that are trained on or validated with.
    memory_gb : float or None
        What records may take, in 10⁹ bytes; half of this machine's memory when left out.
    """
    bytes_ = sizes(corpus, indices)
    if memory_gb is None and not hasattr(os, "sysconf"):  # Windows does not tell what it has
        return None
    limit = memory_gb * 1e9 if memory_gb else 0.5 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if bytes_.sum() <= limit:
        return None
    return max(2, int(_TABLES * limit / (CHUNK * bytes_.mean())))


def sizes(corpus, indices: Sequence[int]) -> np.ndarray:
    """Return what records take in memory, in bytes: float32 at 100 Hz."""
    npts, rate_hz = (corpus.rows.column(f"trace_{name}") for name in ("npts", "sampling_rate_hz"))
    try:
        return np.array([12 * float(npts[i] or 6000) * SAMPLING_RATE_HZ / float(rate_hz[i]) for i in indices])
    except (ValueError, ZeroDivisionError) as err:
        raise RecordError(f"{corpus.path}: a row does not tell its samples and sampling rate: {err}") from err


def prepared(corpus, indices: Sequence[int], prepare: Callable, together: int | None) -> Sequence:
    """Return what `prepare` makes of records: a list, or a `Streamed` when `together` says how many chunks to hold.

    Records for which `prepare` returns None are left out of the list.
    """
    if together is not None:
        return Streamed(corpus, indices, prepare, together)
    blocks = (indices[k : k + _AT_ONCE] for k in range(0, len(indices), _AT_ONCE))
    made = (prepare(record) for block in blocks for record in corpus.records(block))
    return [item for item in made if item is not None]


def order(items: Sequence, rng: np.random.Generator) -> np.ndarray:
    """Return the order in which an epoch goes through items."""
    if not isinstance(items, Streamed):
        return rng.permutation(len(items))
    chunks = rng.permutation(-(-len(items) // CHUNK))
    groups = (chunks[k : k + items.together] for k in range(0, len(chunks), items.together))
    return np.concatenate([rng.permutation(np.concatenate([items.rows(c) for c in group])) for group in groups])


def sampled(items: Sequence) -> np.ndarray:
    """Return the rows that statistics are taken from: all of a list, evenly spread chunks of what is streamed."""
    if not isinstance(items, Streamed):
        return np.arange(len(items))
    n = -(-len(items) // CHUNK)
    return np.concatenate([items.rows(c) for c in np.unique(np.linspace(0, n - 1, SAMPLED).round().astype(int))])


class Streamed(Sequence):
    """Records read chunk by chunk when they are asked for; the chunks used last are kept.

    Parameters
    ----------
    corpus : Corpus
    indices : sequence of int
    prepare : callable
        ``prepare(record)`` returns what is kept of it.
    together : int
        Chunks that are kept.
    """

    def __init__(self, corpus, indices: Sequence[int], prepare: Callable, together: int):
        self.corpus, self.indices, self.prepare, self.together = corpus, np.asarray(indices), prepare, together
        self.read = 0  # chunks so far
        self._kept: OrderedDict[int, list] = OrderedDict()

    def __len__(self) -> int:
        return len(self.indices)

    def rows(self, chunk: int) -> np.ndarray:
        """Return the rows of a chunk."""
        return np.arange(chunk * CHUNK, min((chunk + 1) * CHUNK, len(self)))

    def __getitem__(self, i: int):
        if not 0 <= i < len(self):
            raise IndexError(i)
        chunk, row = divmod(int(i), CHUNK)
        if chunk in self._kept:
            self._kept.move_to_end(chunk)
        else:
            while len(self._kept) >= self.together:
                self._kept.popitem(last=False)
            self._kept[chunk] = self._load(chunk)
        return self._kept[chunk][row]

    def _load(self, chunk: int) -> list:
        self.read += 1
        rows = self.indices[self.rows(chunk)]
        records = self.corpus.records(rows)
        if records.skipped:
            name, reason = records.skipped[0]
            raise RecordError(f"{self.corpus.path}: {name}: {reason}; a streamed corpus must be whole")
        made = [self.prepare(record) for record in records]
        for item, record in zip(made, records, strict=True):
            if item is None:
                raise RecordError(f"{self.corpus.path}: {record.id} cannot be used; a streamed corpus must be whole")
        return made
