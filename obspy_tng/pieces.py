"""What one task of an archive reads: a run of files, of the members of a zip archive, or a stretch of MiniSEED."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from obspy import Stream, Trace, UTCDateTime

from obspy_tng import grouping
from obspy_tng.errors import TNGError
from obspy_tng.io import blocks, files
from obspy_tng.record import Skipped

PIECE_S = 3600.0
_FILES, _MEMBERS, _BYTES = 24, 96, 4_000_000  # in one piece; multiples of three keep single components together
_SLACK = 3  # samples read beyond a stretch, for clocks that drift against the nominal rate; below grouping.MARGIN


class Stretch(NamedTuple):
    """Which part of a continuous recording a piece is; windows are counted from the first common sample."""

    start: UTCDateTime  # of the piece
    npts: int
    origin: UTCDateTime  # first common sample of the recording
    source: str  # its first file
    first_window: int
    n_windows: int
    total_windows: int  # of the recording


class _Plan(NamedTuple):
    """How recordings are cut; see `pieces`."""

    window_s: float | None
    overlap: float
    shorter: int
    piece_s: float
    max_windows: int | None


class Piece(NamedTuple):
    """What one task reads: files (path, name, entries of a zip archive or None), or blocks of a stretch."""

    name: str
    files: tuple = ()
    blocks: tuple = ()
    stretch: Stretch | None = None


def pieces(
    paths,
    skipped: list,
    *,
    window_s: float | None = None,
    overlap: float = 0.0,
    shorter: int = 0,
    piece_s: float = PIECE_S,
    max_windows: int | None = None,
) -> list[Piece]:
    """Divide files, directories, globs and zip archives into pieces.

    Parameters
    ----------
    paths : str, path or iterable of them
        As `obspy_tng.read_records` takes them.
    skipped : list
        Receives `Skipped` entries for what is passed over.
    window_s : float, optional
        Length of the windows that continuous recordings will be cut into, in s. When given, MiniSEED is indexed by
        its record headers and cut in stretches that hold whole windows, counted from the first sample that the
        three components share after the start or a gap; a recording may extend over several files. Where data overlap
        and disagree there is a gap, too, and `skipped` tells so. Default: files are records and read whole.
    overlap : float
        Share of a window that the next one covers too: windows begin every ``round(length (1 - overlap))`` samples.
    shorter : int
        Samples by which the last window may fall short; 1 for Geopsy, see `site.geopsy.window_bounds`.
    piece_s : float
        Length of a stretch in s; the windows do not depend on it.
    max_windows : int, optional
        Windows of each recording without a gap, from its start.

    Returns
    -------
    list of Piece
        In the order of the files; stretches last, in the order of sensor and time.

    Raises
    ------
    FileNotFoundError
        A path matches nothing.
    TNGError
        A length is not positive, or `overlap` not below 1.
    """
    if window_s is not None and not (window_s > 0 and piece_s > 0 and 0 <= overlap < 1):
        given = f"window {window_s} s, piece {piece_s} s, overlap {overlap}"
        raise TNGError(f"{given} given; accepted: lengths above 0, overlap from 0 to below 1")
    foreign: list[tuple[str, str]] = []
    listed = files.list_files(paths, foreign)
    skipped.extend(Skipped(*item) for item in foreign)
    continuous = [path for path, _ in listed if window_s is not None and blocks.is_miniseed(path)]
    out = _of_files([item for item in listed if item[0] not in set(continuous)])
    found = []
    for path in continuous:
        try:
            found.extend(blocks.index(path.absolute()))
        except Exception as err:  # ObsPy answers damaged records with several kinds of exception
            skipped.append(Skipped(path.name, f"not readable: {str(err).strip().splitlines()[0][:200]}"))
    return out + _of_blocks(found, skipped, _Plan(window_s, overlap, shorter, piece_s, max_windows))


def _of_files(listed) -> list[Piece]:
    """Return runs of files, and of the entries of zip archives."""
    out, run, size = [], [], 0
    for path, name in listed:
        if n := files.count_members(path):
            parts = [(str(path.absolute()), name, (k, min(k + _MEMBERS, n))) for k in range(0, n, _MEMBERS)]
            out.extend([_files_piece(run)] if run else [])
            out.extend(_files_piece([part]) for part in parts)
            run, size = [], 0
            continue
        run.append((str(path.absolute()), name, None))
        size += os.path.getsize(path) if os.path.exists(path) else 0
        if len(run) >= _FILES or size >= _BYTES:
            out.append(_files_piece(run))
            run, size = [], 0
    return out + ([_files_piece(run)] if run else [])


def _files_piece(run) -> Piece:
    first, entries = run[0][1], run[0][2]
    if entries:
        return Piece(f"{first}, entries {entries[0] + 1} to {entries[1]}", tuple(run))
    return Piece(first if len(run) == 1 else f"{first} and {len(run) - 1} more", tuple(run))


def _of_blocks(found, skipped, plan) -> list[Piece]:
    """Return the stretches of continuous recordings that hold whole windows."""
    sensors: dict[tuple, dict[str, list]] = {}
    for block in found:
        network, station, location, channel = block.id.split(".")
        key = (network, station, location, grouping.instrument(Trace(header={"channel": channel})))
        sensors.setdefault(key, {}).setdefault(channel, []).append(block)
    out = []
    for key, channels in sorted(sensors.items()):
        name = ".".join(key) + "?"
        rates: dict[float, dict[str, list]] = {}
        for channel, held in channels.items():
            for block in held:
                rates.setdefault(block.sampling_rate, {}).setdefault(channel, []).append(block)
        whole = {rate: held for rate, held in sorted(rates.items()) if len(held) == 3}
        if not whole and len(rates) > 1 and len(channels) == 3:
            text = ", ".join(f"{rate:g}" for rate in sorted(rates))
            skipped.append(Skipped(name, f"components differ in sampling rate: {text} Hz"))
            continue
        for rate, held in sorted(rates.items()):
            if rate not in whole:
                where = f" at {rate:g} Hz" if len(rates) > 1 else ""
                skipped.append(Skipped(name, f"{grouping.not_a_triple(held)}{where}"))
        for rate, held in whole.items():
            out.extend(_of_sensor(name, held, rate, skipped, plan))
    return out


def _of_sensor(name, channels, rate, skipped, plan) -> list[Piece]:
    """Return the stretches of one sensor at one sampling rate; `channels` are the blocks of its three components."""
    out = []
    length = round(plan.window_s * rate)
    step = max(1, round(length * (1 - plan.overlap)))
    per_piece = max(2, int(plan.piece_s * rate) // step)
    if length < 2:
        skipped.append(Skipped(name, f"window of {plan.window_s:g} s holds {length} sample(s) at {rate:g} Hz"))
        return []
    short, spans = [], []
    for channel, held in channels.items():
        doubtful = _disagreeing(held)
        if doubtful:
            skipped.append(Skipped(name, grouping.doubt(channel, doubtful)))
        spans.append(_joined(held, rate, doubtful))
    for start_ns, end_ns in _common(spans):
        npts = round((end_ns - start_ns) * 1e-9 * rate) + 1
        if npts < length - plan.shorter:
            short.append(npts / rate)
            continue
        total = (npts - length + plan.shorter) // step + 1
        total = min(total, plan.max_windows or total)
        held = [b for blocks_ in channels.values() for b in blocks_]
        out.extend(_stretches(name, held, (start_ns, npts), rate, length, step, total, per_piece))
    if short:
        text = f"{len(short)} stretch(es) without a gap, the longest of {max(short):.2f} s"
        skipped.append(Skipped(name, f"{text}, are shorter than a window of {plan.window_s:g} s"))
    return out


def _disagreeing(held) -> list[tuple[UTCDateTime, UTCDateTime]]:
    """Return the spans of time for which blocks of one channel hold different samples."""
    out, before = [], []
    for block in sorted(held, key=lambda b: b.start_ns):
        before = [b for b in before if b.end_ns >= block.start_ns]
        for other in before:
            both = grouping.disagreements(list(blocks.read_blocks([other])) + list(blocks.read_blocks([block])))
            out.extend((start.ns, end.ns) for start, end in both)
        before.append(block)
    return [(UTCDateTime(ns=start), UTCDateTime(ns=end)) for start, end in sorted(set(out))]


def _joined(held, rate, doubtful=()) -> list[tuple[int, int]]:
    """Return the spans in ns that the blocks of one channel cover without a gap or a doubt."""
    out: list[list[int]] = []
    for block in sorted(held, key=lambda b: b.start_ns):
        if out and block.start_ns - out[-1][1] <= 1.5e9 / rate:
            out[-1][1] = max(out[-1][1], block.end_ns)
        else:
            out.append([block.start_ns, block.end_ns])
    margin = round(grouping.MARGIN / rate * 1e9)
    return grouping.without(out, [(start.ns - margin, end.ns + margin) for start, end in doubtful])


def _common(spans_of) -> list[tuple[int, int]]:
    """Return the spans that lie in one span of every channel."""
    common = spans_of[0]
    for spans in spans_of[1:]:
        pairs = ((max(a, c), min(b, d)) for a, b in common for c, d in spans if a <= d and c <= b)
        common = sorted(pairs)
    return common


def _stretches(name, held, recording, rate, length, step, total, per_piece):
    """Yield the pieces of one recording of `total` windows."""
    origin_ns, all_npts = recording
    origin = UTCDateTime(ns=origin_ns)
    source = Path(min((b for b in held if b.end_ns >= origin_ns), key=lambda b: b.start_ns).path).name
    firsts = list(range(0, total, per_piece))
    if len(firsts) > 1 and total - firsts[-1] == 1:
        firsts.pop()  # a lone window would be taken for a whole recording, which Geopsy cuts otherwise
    for first, after in zip(firsts, [*firsts[1:], total], strict=True):
        n = after - first
        start_ns = origin_ns + round(first * step / rate * 1e9)
        npts = min((n - 1) * step + length, all_npts - first * step)
        end_ns = start_ns + round((npts + _SLACK) / rate * 1e9)
        mine = tuple(b for b in held if b.start_ns <= end_ns and b.end_ns >= start_ns - 1e9 / rate)
        start = UTCDateTime(ns=start_ns)
        label = f"{name} {start.strftime('%Y-%m-%dT%H:%M:%S')} + {npts / rate:.0f} s"
        yield Piece(label, blocks=mine, stretch=Stretch(start, npts, origin, source, first, n, total))


def cut(piece: Piece) -> Stream:
    """Return the traces of a stretch, a few samples longer than it."""
    start, npts = piece.stretch.start, piece.stretch.npts
    out = Stream()
    for trace in blocks.read_blocks(piece.blocks):
        end = start + (npts - 1 + _SLACK) * trace.stats.delta
        part = trace.slice(start, end, nearest_sample=True)
        if part.stats.npts:
            part.stats.source_file = piece.stretch.source
            out.append(part)
    return out
