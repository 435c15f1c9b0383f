"""Whatever a user holds, as records: Streams, records, paths, arrays; a function is applied to each piece of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from obspy import Stream, UTCDateTime

from obspy_tng.errors import TNGError
from obspy_tng.events import EventTable
from obspy_tng.record import UNITS, Record, Records, Skipped, read_events, read_inventory, records

_ACCEPTED = "accepted: Stream, Record, path, lists of these, array"


def map_parts(
    function: Callable,
    data,
    *,
    inventory=None,
    events=None,
    units: str | None = None,
    sampling_rate_hz: float | None = None,
    split_gaps: bool = False,
    **archive,
) -> Iterator[tuple[Any, list[Skipped]]]:
    """Yield what a function makes of the records of whatever was given, piece by piece, and what was left out.

    Parameters
    ----------
    function : callable
        ``function(records, piece) -> value``; `piece` is None unless the data are paths.
    data, inventory, events, units, sampling_rate_hz
        See `hvsr.hvsr`.
    split_gaps : bool
        Streams with gaps become several records; else they are left out.
    **archive
        Of paths: see `archive.map_records`.

    Raises
    ------
    TNGError
        The data are of another kind, or an array has no sampling rate or a wrong shape.
    """
    if units is not None and units not in UNITS:
        raise TNGError(f"units {units!r} not known; accepted: {', '.join(UNITS)}")
    if not archive.get("jobs", 1) >= 1:
        raise TNGError(f"jobs {archive['jobs']!r} given; accepted: 1 or more")
    if isinstance(data, np.ndarray):
        yield function(_from_array(data, sampling_rate_hz), None), []
        return
    if isinstance(data, (str, bytes, Stream, Record, Records)) or hasattr(data, "__fspath__"):
        data = [data]
    if not isinstance(data, Iterable):
        raise TNGError(f"{type(data).__name__} given; {_ACCEPTED}")
    table = None
    paths = []
    for item in data:
        if isinstance(item, Record):
            item = Records([item])
        elif isinstance(item, Stream):
            if table is None:
                inventory = read_inventory(inventory)
                table = EventTable(read_events(events), inventory)
            how = {"units": units, "split_gaps": split_gaps, "need_response": False}  # a ratio does without
            item = records(item, inventory, table, **how)
        elif isinstance(item, (str, bytes)) or hasattr(item, "__fspath__"):
            paths.append(item)
            continue
        elif not isinstance(item, Records):
            raise TNGError(f"{type(item).__name__} given; {_ACCEPTED}")
        yield function(item, None), item.skipped
    if paths:
        from obspy_tng.archive import map_records

        given = {"inventory": inventory, "events": events, "units": units, "need_response": False}
        for part in map_records(function, paths, **given, **archive):
            yield part.value, part.skipped


def _from_array(data, sampling_rate_hz) -> Records:
    if data.ndim == 2:
        data = data[None]
    if data.ndim != 3 or data.shape[1] != 3:
        raise TNGError(f"array of shape {data.shape} given; accepted: (record, 3, n) or (3, n), components E, N, Z")
    if not sampling_rate_hz or not 0 < sampling_rate_hz < np.inf:
        raise TNGError("an array needs sampling_rate_hz=, its sampling rate in Hz")
    header = {"sampling_rate": float(sampling_rate_hz), "starttime": UTCDateTime(0), "network": "", "station": "array"}
    return Records(
        Record(np.asarray(row, dtype=np.float64), units="unknown", event_id=str(i), **header)
        for i, row in enumerate(data)
    )
