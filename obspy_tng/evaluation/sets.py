"""What is compared: records of any source as arrays, conditioned alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from obspy import Stream

from obspy_tng.corpus import Corpus, holds_corpus
from obspy_tng.errors import FormatError, RecordError, TNGError
from obspy_tng.preprocessing import P_AT_S, SAMPLING_RATE_HZ, condition, resampled
from obspy_tng.record import Record, Records, Skipped, iter_records, read_inventory, records
from obspy_tng.site.windows import energy_onsets

EVENT_GAP_S = 60.0  # records that begin closer than this are taken as one earthquake when no event is known
PLAUSIBLE_MPS2 = 50.0  # no accelerogram exceeded it; more says that the numbers are counts


@dataclass(frozen=True, eq=False)
class RecordSet:
    """Records of one source (real, generated …) as arrays.

    Attributes
    ----------
    data : numpy.ndarray, shape (record, 3, n), float32
        E, N, Z in m/s² at 100 Hz, conditioned (`preprocessing.condition`), zeros behind shorter records.
    station, event, id : numpy.ndarray of str, shape (record,)
        NET.STA; event id, or ``"#3"`` told from the start time; record id.
    magnitude, distance_km, vs30_mps : numpy.ndarray, shape (record,)
        NaN unknown.
    duration_s : numpy.ndarray, shape (record,)
        Of the samples that are record and not padding.
    p_s : numpy.ndarray, shape (record,)
        P onset after the first sample, picked or predicted; NaN unknown, see `with_onsets`.
    """

    data: np.ndarray
    station: np.ndarray
    event: np.ndarray
    id: np.ndarray
    magnitude: np.ndarray
    distance_km: np.ndarray
    vs30_mps: np.ndarray
    duration_s: np.ndarray
    p_s: np.ndarray

    def __len__(self) -> int:
        return len(self.station)

    def take(self, index) -> RecordSet:
        """Return the records of an index or mask."""
        return RecordSet(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


def join(parts: Sequence[RecordSet]) -> RecordSet:
    """Return several sets of one length as one."""
    return RecordSet(*(np.concatenate([getattr(p, name) for p in parts]) for name in RecordSet.__dataclass_fields__))


class Gathered(NamedTuple):
    """Records of one set, and what is to be said of them."""

    records: Records  # zero padding at either end taken off; `skipped` says what was left out
    remarks: list  # what was taken on trust
    made: list  # what generated records say of themselves, without the realisation
    parents: set  # record ids they name as their parents


def gather(data, what: str, inventory=None, events=None, units: str | None = None):
    """Read what a user gave into records in m/s².

    Parameters
    ----------
    data : Stream, sequence of Stream or Record, path or sequence of paths
    what : str
        Name of the set in messages.
    inventory, events : ObsPy object or EventTable, optional
    units : str, optional
        See `record.records`.

    Returns
    -------
    Gathered

    Raises
    ------
    RecordError
        Nothing can be used.
    """
    found, made = Records(), []
    known: set[str] = set()
    sidecars: set[str] = set()
    paths = [data] if isinstance(data, (str, Path)) else data
    if isinstance(data, Stream):
        parts = [records(data, inventory, events, units=units)]
        made = [dict(t.stats.tng) for t in data if "tng" in t.stats]
    elif not isinstance(paths, Sequence):
        raise TNGError(f"{what}: {type(data).__name__} given; accepted: Stream, Records, paths")
    elif all(isinstance(item, Record) for item in paths):
        parts = [Records(paths, getattr(data, "skipped", ()))]
    elif all(isinstance(item, Stream) for item in paths):
        parts = [records(item, inventory, events, units=units) for item in paths]
        made = [dict(t.stats.tng) for item in paths for t in item if "tng" in t.stats]
    else:
        corpora = [Corpus(path) for path in paths if holds_corpus(path)]
        paths = [path for path in paths if not holds_corpus(path)]
        known, made, sidecars = _sidecars(paths)
        made += [said for corpus in corpora for said in corpus.made()]
        parts = chain.from_iterable(corpus.parts() for corpus in corpora)
        if paths:
            # generated files bring their own metadata; an inventory of real instruments says nothing of them
            parts = chain(parts, iter_records(paths, None if known else inventory, events, units=units))
    unknown = []
    for part in parts:
        found.skipped.extend(s for s in part.skipped if Path(s.name).name not in sidecars)
        for record in part:
            if record.units != "m/s2" and f"{record.code}.{record.location}.{record.channels[0]}" in known:
                record = replace(record, units="m/s2")
            if record.units != "m/s2":
                if (record.data == np.round(record.data)).all():
                    reason = "units not known and all samples whole numbers (counts?): give an inventory or units="
                    found.skipped.append(Skipped(record.id, reason))
                    continue
                unknown.append(record.id)
            record = without_padding(record)
            if not record.npts:
                found.skipped.append(Skipped(record.id, "all zeros"))
                continue
            found.append(record)
    if not found:
        reasons = [s.reason for s in found.skipped]
        most = max(found.skipped, key=lambda s: reasons.count(s.reason), default=None)
        why = f"; mostly: {most.name}: {most.reason}" if most else ""
        raise RecordError(f"{what}: no usable record, {len(found.skipped)} skipped{why}")
    remarks = []
    if unknown:
        remarks.append(
            f"{what}: units of {len(unknown)} records not known (first {unknown[0]}), taken as m/s²; "
            "an inventory or units= would settle it"
        )
    high = [r.id for r in found if np.abs(r.data).max() > PLAUSIBLE_MPS2]
    if high:
        remarks.append(f"{what}: {len(high)} records exceed {PLAUSIBLE_MPS2:g} m/s² (first {high[0]}): other units?")
    parents = {str(parent) for item in made for parent in item.get("parents", ())}
    return Gathered(found, remarks, _distinct(made), parents)


def _sidecars(paths) -> tuple[set[str], list[dict], set[str]]:
    """Return ids of generated channels in StationXML beside the files, what it says of them, its file names.

    Only a channel with a comment of `provenance.inventory` is generated; the simulated networks of this package have
    StationXML of the same source, with responses that must be removed.
    """
    ids, made, names = set(), [], set()
    for path in map(Path, paths):
        folder = path if path.is_dir() else path.parent
        pattern = "**/*.xml" if path.is_dir() else (f"{path.stem}.xml" if path.exists() else "*.xml")
        for file in sorted(folder.glob(pattern)):
            with open(file, "rb") as handle:
                head = handle.read(2000)
            if b"FDSNStationXML" not in head or b"obspy-tng" not in head:
                continue
            try:
                found = read_inventory(file)
            except FormatError:  # a damaged sidecar tells nothing; `read_records` lists it as no waveform
                continue
            for network in found:
                for station in network:
                    for channel in station:
                        told = [_told(c.value) for c in channel.comments if c.subject == "obspy-tng"]
                        told = [item for item in told if isinstance(item, dict)]
                        if told:
                            names.add(file.name)
                            ids.add(f"{network.code}.{station.code}.{channel.location_code or ''}.{channel.code}")
                            made += told
    return ids, made, names


def _told(text):
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None


def _distinct(made: list[dict]) -> list[dict]:
    """Return each origin once: what differs between realisations taken out, pools of one kind together."""
    keep = ("model", "weights_sha256", "station", "pool_kind", "sampler", "seed", "version", "about")
    seen = {}
    for item in made:
        one = {k: item[k] for k in keep if k in item}
        one["n_parents"] = len(item.get("parents", ()))  # of the first realisation
        seen.setdefault(
            json.dumps({k: v for k, v in one.items() if k != "n_parents"}, sort_keys=True, default=str), one
        )
    return list(seen.values())


def without_padding(record: Record) -> Record:
    """Return the record without samples at either end that are exactly zero on all components."""
    moving = np.flatnonzero((record.data != 0).any(axis=0))
    if not moving.size:
        return replace(record, data=record.data[:, :0])
    first, last = int(moving[0]), int(moving[-1]) + 1
    if first == 0 and last == record.npts:
        return record
    late = first / record.sampling_rate
    return replace(
        record,
        data=record.data[:, first:last],
        starttime=record.starttime + late,
        p_s=record.p_s - late,
        s_s=record.s_s - late,
    )


def longest_s(items: Sequence[Record]) -> float:
    """Return the length in s of the longest record."""
    return max(r.npts / r.sampling_rate for r in items)


def arrays(items: Records, length_s: float) -> RecordSet:
    """Cut, resample and condition records alike.

    A record longer than `length_s` is cut to it, with P (picked, predicted, or told from the energy) at 10 s; a
    shorter one stays whole. Then mean removed, ends tapered, high-passed at 0.1 Hz.

    Parameters
    ----------
    items : Records
        What fails is added to ``items.skipped``.
    length_s : float

    Returns
    -------
    RecordSet

    Raises
    ------
    RecordError
        Nothing is left.
    """
    npts = int(np.ceil(length_s * SAMPLING_RATE_HZ))
    kept: list[Record] = []
    data = np.zeros((len(items), 3, npts), dtype=np.float32)
    for record in items:
        try:
            whole = resampled(record)
        except RecordError as err:
            items.skipped.append(Skipped(record.id, str(err)))
            continue
        first = 0
        if whole.npts > npts:
            p_s = whole.p_s if np.isfinite(whole.p_s) else energy_onsets(whole.data, SAMPLING_RATE_HZ)[0]
            first = int(np.clip(round((p_s - P_AT_S) * SAMPLING_RATE_HZ), 0, whole.npts - npts))
        part = condition(whole.data[:, first : first + npts])
        data[len(kept), :, : part.shape[1]] = part
        kept.append(replace(whole, data=np.empty((3, part.shape[1])), p_s=whole.p_s - first / SAMPLING_RATE_HZ))
    if not kept:
        raise RecordError(f"no usable record, {len(items.skipped)} skipped; first: {items.skipped[0].reason}")
    return RecordSet(
        data=data[: len(kept)],
        station=np.array([r.code for r in kept]),
        event=_events(kept),
        id=np.array([r.id for r in kept]),
        magnitude=np.array([r.magnitude for r in kept], dtype=float),
        distance_km=np.array([r.distance_km for r in kept], dtype=float),
        vs30_mps=np.array([r.vs30_mps for r in kept], dtype=float),
        duration_s=np.array([r.npts / SAMPLING_RATE_HZ for r in kept]),
        p_s=np.array([r.p_s for r in kept]),
    )


def with_onsets(items: RecordSet, p_s: np.ndarray) -> RecordSet:
    """Return the set with unknown P onsets filled by those of a picker, else put at 10 s."""
    filled = np.where(np.isfinite(items.p_s), items.p_s, np.where(np.isfinite(p_s), p_s, P_AT_S))
    return replace(items, p_s=filled)


def aligned(items: RecordSet, length_s: float) -> np.ndarray:
    """Return the records shifted so that P stands at 10 s, shape (record, 3, n), zeros where they do not reach."""
    npts = int(round(length_s * SAMPLING_RATE_HZ))
    out = np.zeros((len(items), 3, npts), dtype=np.float32)
    for row, data, p_s in zip(out, items.data, items.p_s, strict=True):
        shift = int(round((P_AT_S - p_s) * SAMPLING_RATE_HZ))
        source = data[:, max(-shift, 0) :][:, : npts - max(shift, 0)]
        row[:, max(shift, 0) : max(shift, 0) + source.shape[1]] = source
    return out


def cropped(items: RecordSet, p_s: np.ndarray, before_s: float, after_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Return windows from `before_s` before P to `after_s` after it, and which records fill them.

    Returns
    -------
    data : numpy.ndarray, shape (kept, 3, n)
    kept : numpy.ndarray of int
    """
    before, npts = int(before_s * SAMPLING_RATE_HZ), int(before_s * SAMPLING_RATE_HZ) + int(after_s * SAMPLING_RATE_HZ)
    first = np.round(p_s * SAMPLING_RATE_HZ).astype(int) - before
    last = np.round(items.duration_s * SAMPLING_RATE_HZ).astype(int)
    kept = np.flatnonzero((first >= 0) & (first + npts <= last))
    data = (
        np.stack([items.data[i, :, first[i] : first[i] + npts] for i in kept]) if kept.size else np.zeros((0, 3, npts))
    )
    return data, kept


def of_arrays(data: np.ndarray, station, event=None) -> RecordSet:
    """Return arrays (record, 3, n) in m/s² at 100 Hz, P at 10 s, as a RecordSet."""
    count, unknown = len(data), np.full(len(data), np.nan)
    return RecordSet(
        data=np.asarray(data, dtype=np.float32),
        station=np.broadcast_to(np.asarray(station, dtype=str), (count,)),
        event=np.full(count, "") if event is None else np.asarray(event, dtype=str),
        id=np.array([str(i) for i in range(count)]),
        magnitude=unknown,
        distance_km=unknown,
        vs30_mps=unknown,
        duration_s=np.full(count, data.shape[-1] / SAMPLING_RATE_HZ),
        p_s=np.full(count, P_AT_S),
    )


def _events(items: Sequence[Record]) -> np.ndarray:
    """Return event ids; where unknown, records that begin within a minute of each other share one."""
    out = np.array([r.event_id for r in items], dtype=object)
    blank = [i for i in range(len(items)) if not out[i]]
    number, last = -1, None
    for i in sorted(blank, key=lambda i: items[i].starttime):
        if last is None or items[i].starttime - last > EVENT_GAP_S:
            number += 1
        last = items[i].starttime
        out[i] = f"#{number}"
    return out.astype(str)
