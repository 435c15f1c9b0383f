"""Three-component records in SI units: the one shape everything behind the readers works on.

``records`` turns an ObsPy ``Stream`` into ``Record`` objects: components grouped and ordered E, N, Z, trimmed to their
common window, converted to m/s², with station, event and P/S onsets attached. What cannot be used is never filled or
repaired in silence: it is listed with its reason in ``Records.skipped``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from obspy import Stream, Trace, UTCDateTime
from obspy.core import AttribDict

from obspy_tng import assembly, grouping
from obspy_tng.assembly import UNITS
from obspy_tng.errors import FormatError, RecordError
from obspy_tng.events import EventTable, too_quiet

if TYPE_CHECKING:
    from obspy_tng import hints


class Skipped(NamedTuple):
    """A file or record that was left out, and why."""

    name: str
    reason: str


class Records(list["Record"]):
    """A list of `Record` with what was left out beside it.

    Attributes
    ----------
    skipped : list of Skipped
        Name and reason of every file or record that could not be used.
    """

    def __init__(self, items: Iterable[Record] = (), skipped: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(items)
        self.skipped: list[Skipped] = [Skipped(*item) for item in skipped]


@dataclass(frozen=True, eq=False)
class Record:
    """One three-component accelerogram of one station.

    Attributes
    ----------
    data : numpy.ndarray, shape (3, n), float64
        Rows in the order E, N, Z, in `units`.
    sampling_rate : float
        In Hz.
    starttime : UTCDateTime
        Time of the first sample.
    units : str
        ``"m/s2"``, or ``"unknown"`` when neither file nor inventory tells (ratios such as HVSR still work).
    p_s, s_s : float
        P and S onset in seconds after `starttime`; NaN when nothing tells them.
    onset_source : str
        ``"pick"``, ``"travel time"`` or ``""``; of S when both differ.
    oriented : bool
        False when the azimuths of horizontals 1 and 2 are not known: 2 stands in the row of E, 1 in that of N.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> record = tng.read_records("data_samples/*.zip")[0]
    >>> record.id, record.data.shape, record.duration_s
    ('TK.0099..900101', (3, 4500), 44.99)
    """

    data: np.ndarray
    sampling_rate: float
    starttime: UTCDateTime
    network: str
    station: str
    location: str = ""
    channels: tuple[str, str, str] = ("HNE", "HNN", "HNZ")
    units: str = "m/s2"
    latitude_deg: float = np.nan
    longitude_deg: float = np.nan
    elevation_m: float = np.nan
    vs30_mps: float = np.nan
    event_id: str = ""
    origin_time: UTCDateTime | None = None
    event_latitude_deg: float = np.nan
    event_longitude_deg: float = np.nan
    event_depth_km: float = np.nan
    magnitude: float = np.nan
    distance_km: float = np.nan
    p_s: float = np.nan
    s_s: float = np.nan
    onset_source: str = ""
    source: str = ""
    oriented: bool = True

    @property
    def code(self) -> str:
        """Return ``NET.STA``, or the station alone when no network is known."""
        return f"{self.network}.{self.station}" if self.network else self.station

    @property
    def id(self) -> str:
        """Return ``NET.STA.LOC.EVENT``; the start time stands in for an unknown event."""
        event = self.event_id or self.starttime.strftime("%Y%m%dT%H%M%S")
        return f"{self.network}.{self.station}.{self.location}.{event}"

    @property
    def npts(self) -> int:
        """Return the number of samples per component."""
        return self.data.shape[1]

    @property
    def duration_s(self) -> float:
        """Return the length in seconds, first to last sample."""
        return (self.npts - 1) / self.sampling_rate

    def stream(self) -> Stream:
        """Return the record as an ObsPy Stream of three traces (float64, in `units`)."""
        stream = Stream()
        for channel, row in zip(self.channels, self.data, strict=True):
            header = dict(
                network=self.network, station=self.station, location=self.location, channel=channel,
                sampling_rate=self.sampling_rate, starttime=self.starttime,
            )  # fmt: skip
            trace = Trace(data=np.array(row), header=header)
            if np.isfinite(self.latitude_deg):
                trace.stats.coordinates = AttribDict(
                    latitude=self.latitude_deg, longitude=self.longitude_deg, elevation=self.elevation_m
                )
            stream.append(trace)
        return stream


def records(
    stream: Stream,
    inventory: hints.Metadata | None = None,
    events: hints.Events | None = None,
    *,
    units: str | None = None,
    split_gaps: bool = False,
    need_response: bool = True,
) -> Records:
    """Make three-component records in m/s² of a Stream.

    Parameters
    ----------
    stream : obspy.Stream
        Any number of stations, channels and events. Left as it is. ObsPy's ``apply_calib=True`` leaves
        ``stats.calib`` standing: read without it, or say ``units="m/s2"``.
    inventory : obspy.Inventory, optional
        Responses (counts or velocity become m/s²), coordinates and the azimuths of 1/2 components.
    events : obspy.Catalog, optional
        Events are matched in time; each is re-timed on its P picks before travel times are used.
    units : {"m/s2", "cm/s2", "gal", "g"}, optional
        What the numbers are, for files that cannot tell (SAC, MiniSEED without a response).
    split_gaps : bool
        Make one record of each stretch that all three components hold without a gap; else a gap is a reason to leave
        a record out.
    need_response : bool
        Leave out records of which the inventory lacks the response of a component. False: the three are then left as
        they are, of unknown units, but for their overall sensitivities where the inventory has all three.

    Returns
    -------
    Records
        A list of `Record`, in the order of station and time; ``.skipped`` names what was left out and why.

    Raises
    ------
    RecordError
        `units` is none of the accepted ones. A bad record never raises.

    Examples
    --------
    >>> import obspy
    >>> from obspy_tng import records
    >>> [r.code for r in records(obspy.read())]
    ['BW.RJOB']
    """
    if units is not None and units not in UNITS:
        raise RecordError(f"units {units!r} not known; accepted: {', '.join(UNITS)}")
    table = events if isinstance(events, EventTable) else EventTable(events, inventory)
    out = Records()
    groups: dict[tuple, list] = {}
    for trace in stream:
        if reason := grouping.out_of_time(trace):
            out.skipped.append(Skipped(trace.stats.get("source_file", "") or trace.id, reason))
            continue
        key = grouping.instrument(trace)
        groups.setdefault((trace.stats.network, trace.stats.station, trace.stats.location, key), []).append(trace)
    for key in sorted(groups):
        found = [part for whole in grouping.clusters(groups[key]) for part in grouping.by_rate(whole)]
        if split_gaps:
            out.skipped.extend(Skipped(grouping.record_name(c), text) for c in found for text in grouping.doubts(c))
            found = [part for c in found for part in grouping.stretches(c)]
        for cluster in found:
            name = grouping.record_name(cluster)
            try:
                record = table.attach(Record(**assembly.assemble(cluster, inventory, units, need_response)))
                if reason := too_quiet(record):
                    raise RecordError(reason)
            except RecordError as err:
                out.skipped.append(Skipped(name, str(err)))
                continue
            except Exception as err:  # headers hold whatever other readers and users put there
                out.skipped.append(Skipped(name, f"unexpected {type(err).__name__}: {err}"))
                continue
            out.append(record)
    return out


def read_records(
    paths: hints.Paths, inventory: hints.Metadata | None = None, events: hints.Events | None = None, *,
    units: str | None = None,
) -> Records:  # fmt: skip
    """Read files, directories, globs and zip archives into records; see `records`.

    Parameters
    ----------
    paths : str, path or sequence of them
        Files ObsPy reads (this package adds DYNA, NSMN and AT2), directories, globs, zip archives.
    inventory, events : ObsPy object or path, optional
        StationXML and QuakeML.
    units : str, optional
        See `records`.

    Returns
    -------
    Records
        ``.skipped`` also lists files that are no waveforms.

    Examples
    --------
    >>> records = read_records("data_samples/*.zip")
    >>> records[0].data.shape, records[0].units
    ((3, 4500), 'm/s2')
    """
    out = Records()
    for part in iter_records(paths, inventory, events, units=units):
        out.extend(part)
        out.skipped.extend(part.skipped)
    return out


def iter_records(paths, inventory=None, events=None, *, units: str | None = None) -> Iterator[Records]:
    """Yield `Records` file by file, so that an archive need not fit in memory.

    Files that hold single components (AFAD, ESM, SAC) wait until their siblings came; what stays incomplete is
    yielded last, as skipped.
    """
    from obspy_tng.io.files import read_members

    inventory, events = read_inventory(inventory), read_events(events)
    table = EventTable(events, inventory)
    foreign: list[tuple[str, str]] = []
    waiting: dict[tuple, list] = {}
    for name, stream in read_members(paths, foreign):
        for trace in stream:
            trace.stats.source_file = name
        whole = grouping.complete(stream, waiting)
        if whole:
            yield records(whole, inventory, table, units=units)
    rest = records(Stream([t for pool in waiting.values() for t in pool]), inventory, table, units=units)
    rest.skipped.extend(Skipped(*item) for item in foreign)
    yield rest


def read_inventory(inventory):
    """Return an Inventory from an Inventory, a path or None; FormatError names a file that is none."""
    if inventory is None or hasattr(inventory, "get_response"):
        return inventory
    from obspy import read_inventory as _read

    return _metadata(_read, inventory, "a station inventory (StationXML, dataless SEED, RESP …)")


def read_events(events):
    """Return a Catalog from a Catalog, a path or None; FormatError names a file that is none."""
    if not isinstance(events, (str, bytes)) and not hasattr(events, "__fspath__"):
        return events
    from obspy import read_events as _read

    return _metadata(_read, events, "an event catalogue (QuakeML …)")


def _metadata(read, path, what):
    from obspy_tng.io.metadata import read_metadata

    try:
        return read_metadata(read, path)
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as err:  # ObsPy answers a wrong format with several kinds of exception
        raise FormatError(
            f"{path} is not {what} that ObsPy reads: {str(err).splitlines()[0] if str(err) else ''}"
        ) from err


def require_mps2(items: Sequence[Record], what: str) -> None:
    """Raise RecordError when a record is not in m/s²."""
    bad = [r.id for r in items if r.units != "m/s2"]
    if bad:
        raise RecordError(
            f"{what} needs m/s², but {len(bad)} record(s) have unknown units, {bad[0]} first; "
            f"give an inventory with responses or units= (accepted: {', '.join(UNITS)})"
        )
