"""Whatever a user holds, as records: Streams, records, paths, arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from obspy import Stream, UTCDateTime

from obspy_tng.errors import TNGError
from obspy_tng.events import EventTable
from obspy_tng.record import Record, Records, iter_records, read_events, read_inventory, records


def record_parts(data, inventory, events, units, sampling_rate_hz) -> Iterator[Iterable[Record]]:
    """Yield records of whatever was given, piece by piece; see `hvsr.hvsr` for what is accepted.

    Raises
    ------
    TNGError
        The data are of another kind, or an array has no sampling rate or a wrong shape.
    """
    if isinstance(data, np.ndarray):
        yield from _from_array(data, sampling_rate_hz)
        return
    if isinstance(data, (str, bytes)) or hasattr(data, "__fspath__"):
        data = [data]
    if isinstance(data, Stream):
        data = [data]
    if isinstance(data, Records):
        yield data
        return
    table = None
    paths = []
    for item in data:
        if isinstance(item, Record):
            yield [item]
        elif isinstance(item, Records):
            yield item
        elif isinstance(item, Stream):
            if table is None:
                inventory = read_inventory(inventory)
                table = EventTable(read_events(events), inventory)
            yield records(item, inventory, table, units=units)
        elif isinstance(item, (str, bytes)) or hasattr(item, "__fspath__"):
            paths.append(item)
        else:
            raise TNGError(f"{type(item).__name__} given; accepted: Stream, Record, path, lists of these, array")
    if paths:
        yield from iter_records(paths, inventory, events, units=units)


def _from_array(data, sampling_rate_hz):
    if data.ndim == 2:
        data = data[None]
    if data.ndim != 3 or data.shape[1] != 3:
        raise TNGError(f"array of shape {data.shape} given; accepted: (record, 3, n) or (3, n), components E, N, Z")
    if not sampling_rate_hz:
        raise TNGError("an array needs sampling_rate_hz=, its sampling rate in Hz")
    for i, row in enumerate(data):
        yield Records(
            [
                Record(
                    np.asarray(row, dtype=np.float64),
                    float(sampling_rate_hz),
                    UTCDateTime(0),
                    "",
                    "array",
                    units="unknown",
                    event_id=str(i),
                )
            ]
        )
