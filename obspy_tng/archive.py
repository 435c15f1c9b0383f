"""Archives piece by piece: the same work in this process, in processes of this machine, or on a dask cluster.

A piece is a run of small files, of the members of a zip archive, or a stretch of continuous MiniSEED. Pieces depend on
the data alone, never on how many workers there are, and their results come back in the order of the pieces: the
numbers are the same however the work is shared out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple

from obspy import Stream

from obspy_tng import grouping
from obspy_tng.crew import Crew
from obspy_tng.errors import TNGError
from obspy_tng.events import EventTable
from obspy_tng.io import files
from obspy_tng.pieces import PIECE_S, Piece, cut, pieces
from obspy_tng.record import Skipped, read_events, read_inventory, records


class Part(NamedTuple):
    """What came of a piece: what the function returned, None where it failed, and what was left out."""

    piece: Piece
    value: Any
    skipped: list[Skipped]


def map_records(
    function: Callable,
    paths,
    *,
    inventory=None,
    events=None,
    units: str | None = None,
    need_response: bool = True,
    window_s: float | None = None,
    overlap: float = 0.0,
    shorter: int = 0,
    piece_s: float = PIECE_S,
    max_windows: int | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Part]:
    """Yield what a function makes of the records of every piece, in order, whoever does the work.

    Parameters
    ----------
    function : callable
        ``function(records, piece) -> value``; `records` is a list of `Record`. With `jobs` or `scheduler` it must be
        found by its name in an installed module (`functools.partial` of one is fine), and its value should be small.
    paths, window_s, overlap, shorter, piece_s, max_windows
        See `pieces`.
    inventory, events, units, need_response
        See `obspy_tng.records`.
    jobs : int
        Processes on this machine. More than one starts fresh Pythons: a script needs
        ``if __name__ == "__main__":``. Where one is killed, for want of memory say, what all had in hand is tried
        once more, piece by piece in one process.
    scheduler : str, optional
        Address of a running dask scheduler, such as ``"tcp://10.0.0.5:8786"``, whose workers see the same files;
        `jobs` is then not used. Needs the extra ``dask``.
    progress : callable, optional
        ``progress(done, total)`` after each piece.

    Yields
    ------
    Part
        A piece that fails is a `Skipped` entry with its reason, and value None; so is one whose process is killed
        twice, see `jobs`. Components whose siblings lie in
        other pieces come last, in a piece of their own; what stays incomplete is listed there.

    Raises
    ------
    FileNotFoundError, TNGError
        As `pieces`; `jobs` is below 1, no scheduler answers, or dask is not installed.

    Examples
    --------
    >>> def pga_mps2(records, piece):
    ...     return [float(abs(record.data).max()) for record in records]
    >>> parts = map_records(pga_mps2, "data_samples/network", inventory="data_samples/network/stations.xml")
    >>> len([pga for part in parts for pga in part.value or ()])  # eight events at four stations
    32
    """
    if jobs < 1:
        raise TNGError(f"jobs {jobs} given; accepted: 1 or more")
    skipped: list[Skipped] = []
    windows = {"window_s": window_s, "overlap": overlap, "shorter": shorter, "max_windows": max_windows}
    todo = pieces(paths, skipped, piece_s=piece_s, **windows)
    inventory = read_inventory(inventory)
    context = _Context(inventory, EventTable(read_events(events), inventory), units, need_response)
    yield Part(Piece("files"), None, skipped)
    waiting: list = []
    for done, (part, lonely) in enumerate(_shared_out(function, todo, context, min(jobs, len(todo)), scheduler), 1):
        waiting.extend(lonely)
        if progress:
            progress(done, len(todo))
        yield part
    if waiting:
        yield _of_siblings(function, waiting, context)


class _Context(NamedTuple):
    """What every task needs besides its piece; sent to a worker once."""

    inventory: Any
    table: EventTable
    units: str | None
    need_response: bool

    def records(self, stream):
        """Return the records of a Stream."""
        how = {"units": self.units, "need_response": self.need_response}
        return records(stream, self.inventory, self.table, **how)


_context: _Context | None = None  # of a worker process


def _receive(context):
    global _context
    _context = context


def _work(function, piece, context=None) -> tuple[Part, list]:
    """Read a piece and call the function; also return traces whose siblings lie elsewhere."""
    context = context or _context
    foreign: list[tuple[str, str]] = []
    lonely: list = []
    try:
        if piece.stretch:
            whole = cut(piece)
        else:
            whole, waiting = Stream(), {}
            for path, name, entries in piece.files:
                for member, stream in files.read_file(path, name, foreign, entries=entries):
                    for trace in stream:
                        trace.stats.source_file = member
                    whole += grouping.complete(stream, waiting)
            lonely = [trace for pool in waiting.values() for trace in pool]
        found = context.records(whole)
        skipped = [Skipped(*item) for item in foreign] + found.skipped
        if piece.stretch:
            found = [replace(r, data=r.data[:, : piece.stretch.npts]) for r in found]
        return Part(piece, function(found, piece), skipped), lonely
    except Exception as err:  # one bad piece must not end the work on the others
        text = (str(err).strip() or "no message").splitlines()[0]
        reason = text if isinstance(err, TNGError) else f"unexpected {type(err).__name__}: {text[:200]}"
        return Part(piece, None, [*(Skipped(*item) for item in foreign), Skipped(piece.name, reason)]), lonely


def _of_siblings(function, traces, context) -> Part:
    """Return the part made of single components that came from different pieces."""
    piece = Piece("components from several files")
    try:
        found = context.records(Stream(traces))
        return Part(piece, function(found, piece), found.skipped)
    except Exception as err:
        return Part(piece, None, [Skipped(piece.name, f"unexpected {type(err).__name__}: {err}")])


def share(function: Callable, items: Iterable, scheduler: str) -> Iterator:
    """Yield what a function makes of items, in their order, computed by the workers of a dask cluster.

    Parameters
    ----------
    function : callable
        ``function(item) -> value``, found by its name in an installed module.
    items : iterable
        Taken as workers are free: no more of them are held than workers are busy with, and as many again.
    scheduler : str
        Address of a running dask scheduler.

    Raises
    ------
    TNGError
        No scheduler answers, dask is not installed, or its workers died.
    """
    with _client(scheduler) as (client, n_workers):
        ahead, rest = deque(), iter(items)
        while True:
            for item in rest:
                ahead.append(client.submit(function, item, pure=False))
                if len(ahead) >= 2 * n_workers:
                    break
            if not ahead:
                return
            try:
                yield ahead.popleft().result()
            except _worker_errors() as err:
                raise TNGError(f"the workers at {scheduler!r} gave up: {str(err).strip().splitlines()[0]}") from err


# --- who does the work


def _shared_out(function, todo, context, jobs, scheduler):
    """Yield what `_work` returns for each piece, in order."""
    if scheduler is None and jobs <= 1:
        for piece in todo:
            yield _work(function, piece, context)
        return
    with _cluster(scheduler, context) if scheduler else Crew(jobs, _receive, context) as crew:
        ahead = deque()
        rest = iter(todo)
        while True:
            # a bounded number in flight keeps finished results from piling up behind a slow piece
            for piece in () if crew.lost else rest:
                ahead.append((piece, crew.submit(_work, function, piece)))
                if len(ahead) >= 4 * crew.workers:
                    break
            if not ahead and not crew.lost:
                return
            if not ahead:
                crew.lost = False
                continue
            piece, future = ahead.popleft()
            try:
                yield crew.result(future, _work, function, piece)
            except BrokenExecutor as err:
                yield Part(piece, None, [Skipped(piece.name, str(err))]), []
            except Exception as err:  # a cluster's worker that died, or a value that cannot be sent
                text = (str(err).strip() or "no message").splitlines()[0][:200]
                yield Part(piece, None, [Skipped(piece.name, f"{type(err).__name__}: {text}")]), []


@contextmanager
def _cluster(address, context):
    with _client(address) as (client, workers):
        shared = client.scatter(context, broadcast=True, hash=False)
        yield SimpleNamespace(
            workers=workers, lost=False, result=lambda future, *task: future.result(),
            submit=lambda *task: client.submit(*task, shared, pure=False),
        )  # fmt: skip


def _worker_errors():
    from distributed import KilledWorker
    from distributed.comm import CommClosedError

    return KilledWorker, CommClosedError


@contextmanager
def _client(address):
    """Yield a client of a dask scheduler, and how many pieces its workers do at once."""
    try:
        from distributed import Client
    except ImportError:
        raise TNGError("a scheduler needs dask: pip install 'obspy-tng[dask]'") from None
    try:
        client = Client(address, timeout=10, set_as_default=False)
    except (OSError, ValueError) as err:
        raise TNGError(f"no dask scheduler answers at {address!r}: {str(err).splitlines()[0]}") from None
    try:
        yield client, max(1, sum(client.nthreads().values()))
    finally:
        client.close()
