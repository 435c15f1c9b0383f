"""Which traces belong together: of one sensor, near in time, of one sampling rate, without gaps."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np
from obspy import Stream, Trace, UTCDateTime

LETTERS = {"E": "E", "N": "N", "Z": "Z", "U": "Z", "V": "Z", "1": "1", "2": "2", "3": "3"}
TRIPLES = (("E", "N", "Z"), ("2", "1", "Z"), ("3", "2", "1"))  # in the order of rows
MARGIN = 4  # samples left out on either side of an overlap that disagrees
_NS_PER_S = 10**9
_YEARS_NS = (-5364662400 * _NS_PER_S, 7258118400 * _NS_PER_S)  # 1800 to 2200
_MAX_JOIN_S = 30.0  # pieces of one channel closer than this belong to one record, which then has a gap


def instrument(trace: Trace) -> str:
    """Return what the three channels of one sensor share: band and instrument code, or K-NET's digit."""
    channel = trace.stats.channel.upper()
    if channel[:2] in ("NS", "EW", "UD"):
        return "knet" + channel[2:]
    return channel[:-1]


def component(trace: Trace) -> str:
    channel = trace.stats.channel.upper()
    knet = {"EW": "E", "NS": "N", "UD": "Z"}.get(channel[:2])
    return knet or LETTERS.get(channel[-1:], "")


def not_a_triple(channels) -> str:
    """Return the words for channels that are no three components, naming the one that is missing."""
    have = {component(Trace(header={"channel": c})) for c in channels}
    lacking = [sorted(set(names) - have) for names in TRIPLES if len(set(names) - have) == 1]
    missing = f"component {lacking[0][0]} is missing: " if len(lacking) == 1 else ""
    given = ", ".join(sorted(channels)) or "none"
    return f"{missing}channels {given} are not a triple; accepted: E N Z, 1 2 Z or 1 2 3"


def record_name(cluster: list[Trace]) -> str:
    trace = cluster[0]
    source = trace.stats.get("source_file", "")
    when = min(t.stats.starttime for t in cluster).strftime("%Y-%m-%dT%H:%M:%S")
    identity = f"{trace.stats.network}.{trace.stats.station}.{trace.stats.location}.{instrument(trace)}?"
    return f"{source}: {identity} {when}" if source else f"{identity} {when}"


def out_of_time(trace: Trace) -> str:
    """Return why the times of a trace cannot be, "" if they can: such headers come from damaged files."""
    if not 0 < trace.stats.sampling_rate < np.inf:
        return f"sampling rate {trace.stats.sampling_rate:g} Hz is not positive and finite"
    if trace.stats.sampling_rate > _NS_PER_S:
        return f"sampling rate {trace.stats.sampling_rate:g} Hz: times are told to the nanosecond only"
    start, end = trace.stats.starttime.ns, trace.stats.endtime.ns
    if _YEARS_NS[0] < start <= end < _YEARS_NS[1] - _NS_PER_S * trace.stats.delta:  # one sample may be of any rate
        return ""
    rate = f"{trace.stats.npts} samples at {trace.stats.sampling_rate:g} Hz from {start / 1e9:g} s after 1970"
    return f"{rate}: outside the years 1800 to 2200"


def clusters(traces: list[Trace]) -> list[list[Trace]]:
    """Split the traces of one sensor into sets that overlap or nearly touch in time: one set, one record."""
    clusters: list[list[Trace]] = []
    end = None
    for trace in sorted(traces, key=lambda t: (t.stats.starttime, t.stats.channel)):
        if end is None or trace.stats.starttime - end > _MAX_JOIN_S:
            clusters.append([])
            end = trace.stats.endtime
        clusters[-1].append(trace)
        end = max(end, trace.stats.endtime)
    return clusters


def by_rate(cluster: list[Trace]) -> list[list[Trace]]:
    """Split a cluster whose traces differ in sampling rate where a rate has all three components, as after a change.

    Traces of other rates stay together, and with one rate only, or none that is whole, the cluster stays as it is.
    """
    rates: dict[float, list[Trace]] = {}
    for trace in cluster:
        rates.setdefault(trace.stats.sampling_rate, []).append(trace)
    whole = {rate: held for rate, held in rates.items() if len({component(t) for t in held}) >= 3}
    if len(rates) == 1 or not whole:
        return [cluster]
    rest = [t for t in cluster if t.stats.sampling_rate not in whole]
    parts = [part for _, held in sorted(whole.items()) for part in clusters(held)]
    return [*parts, *([rest] if rest else [])]


def complete(stream, waiting: dict[tuple, list[Trace]]) -> Stream:
    """Return the traces of a Stream that have their three components, with siblings that came before.

    Parameters
    ----------
    stream : obspy.Stream
        Of one file.
    waiting : dict
        Single components by sensor, kept between calls; what stays in it at the end is incomplete.
    """
    whole = Stream()
    fresh: dict[tuple, list] = {}
    for trace in stream:
        stats = trace.stats
        key = (stats.network, stats.station, stats.location, instrument(trace), stats.sampling_rate)
        fresh.setdefault(key, []).append(trace)
    for key, traces in fresh.items():
        if len({component(t) for t in traces}) >= 3:
            whole += Stream(traces)
            continue
        pool = waiting.setdefault(key, [])
        pool.extend(traces)
        for cluster in clusters(pool):
            if len({component(t) for t in cluster}) == 3:
                whole += Stream(cluster)
                waiting[key] = [t for t in waiting[key] if all(t is not c for c in cluster)]
    return whole


def disagreements(traces: list[Trace]) -> list[tuple[UTCDateTime, UTCDateTime]]:
    """Return the spans of time for which traces of one channel hold different samples, first and last included."""
    out = []
    ordered = sorted(traces, key=lambda t: t.stats.starttime)
    for k, first in enumerate(ordered):
        for second in ordered[k + 1 :]:
            if second.stats.starttime > first.stats.endtime + first.stats.delta:
                break  # as do all that follow: many pieces would take for ever
            start, end = second.stats.starttime, min(first.stats.endtime, second.stats.endtime)
            n = round((end - start) * first.stats.sampling_rate) + 1
            if n < 1 or first.stats.sampling_rate != second.stats.sampling_rate:
                continue
            skip = round((start - first.stats.starttime) * first.stats.sampling_rate)
            if not np.array_equal(first.data[skip : skip + n], second.data[:n], equal_nan=True):
                out.append((start, end))
    return out


def doubt(channel: str, spans) -> str:
    """Return the words for the spans in which pieces of a channel disagree."""
    start, end = (t.strftime("%Y-%m-%dT%H:%M:%S") for t in spans[0])
    times = f" {len(spans)} times, first" if len(spans) > 1 else ""
    return f"pieces of {channel} overlap and disagree{times} from {start} to {end}; left out there"


def doubts(cluster: list[Trace]) -> list[str]:
    """Return a line on each channel of a cluster whose traces overlap and disagree."""
    pieces = _unmasked(cluster)
    channels = sorted({t.stats.channel for t in pieces})
    found = {name: disagreements([t for t in pieces if t.stats.channel == name]) for name in channels}
    return [doubt(name, spans) for name, spans in found.items() if spans]


def without(spans, holes) -> list[tuple]:
    """Return what is left of spans (start, end) without what lies inside holes."""
    merged: list[list] = []
    for first, last in sorted(holes):
        if merged and first <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], last)
        else:
            merged.append([first, last])
    ends = [last for _, last in merged]
    out = []
    for start, end in spans:
        for first, last in merged[bisect_left(ends, start) :]:  # one pass: pieces may disagree ten thousand times
            if first > end:
                break
            if start <= first:
                out.append((start, first))
            start = max(start, last)
        if start <= end:
            out.append((start, end))
    return out


def stretches(cluster: list[Trace]) -> list[list[Trace]]:
    """Split the traces of one sensor at every gap, or overlap that disagrees, of a component.

    A cluster that shares no time stays as it is.
    """
    pieces = _unmasked(cluster)
    common = None
    for channel in sorted({t.stats.channel for t in pieces}):
        spans: list[list[UTCDateTime]] = []
        mine = sorted((t for t in pieces if t.stats.channel == channel), key=lambda t: t.stats.starttime)
        for t in mine:
            if spans and t.stats.starttime - spans[-1][1] <= 1.5 * t.stats.delta:
                spans[-1][1] = max(spans[-1][1], t.stats.endtime)
            else:
                spans.append([t.stats.starttime, t.stats.endtime])
        margin = MARGIN * max(t.stats.delta for t in mine)
        spans = without(spans, [(start - margin, end + margin) for start, end in disagreements(mine)])
        if common is None:
            common = spans
        else:
            common = _shared(common, spans)
    if not common:
        return [cluster]
    firsts, lasts = [start for start, _ in common], [end for _, end in common]
    cut: list[list[Trace]] = [[] for _ in common]
    for t in pieces:  # only what lies in it, or ends a sample before: recordings may have a thousand gaps
        near = (
            bisect_left(lasts, t.stats.starttime - t.stats.delta),
            bisect_right(firsts, t.stats.endtime + t.stats.delta),
        )
        for k in range(*near):
            cut[k].append(t.slice(*common[k], nearest_sample=True))
    return [[t for t in traces if t.stats.npts] for traces in cut]


def _shared(one, other) -> list[list]:
    """Return the spans that two lists of spans, in order and apart, have in common."""
    out, i, k = [], 0, 0
    while i < len(one) and k < len(other):
        start, end = max(one[i][0], other[k][0]), min(one[i][1], other[k][1])
        if start < end:
            out.append([start, end])
        if one[i][1] < other[k][1]:
            i += 1
        else:
            k += 1
    return out


def _unmasked(traces):
    return [p for t in traces for p in (t.split() if np.ma.isMaskedArray(t.data) else [t]) if p.stats.npts]
