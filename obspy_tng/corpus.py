"""Training corpora in SeisBench layout: a folder with ``metadata.csv`` and ``waveforms.hdf5``.

Station codes are strings on disk and here ("0205"); pandas would read 205, so the table is read with the csv module.
Layout: https://seisbench.readthedocs.io (Woollam et al. 2022, doi:10.1785/0220210324).
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from obspy import UTCDateTime

from obspy_tng.assembly import COMPONENTS, RATES_HZ
from obspy_tng.corpus_table import Rows
from obspy_tng.errors import FormatError, RecordError
from obspy_tng.io import hdf5
from obspy_tng.record import Record, Records, Skipped, iter_records, require_mps2
from obspy_tng.writing import workplace, writable

if TYPE_CHECKING:
    from obspy_tng import hints

# column -> field of Record; the order is that of the file
_COLUMNS = {
    "station_network_code": "network",
    "station_code": "station",
    "station_location_code": "location",
    "station_latitude_deg": "latitude_deg",
    "station_longitude_deg": "longitude_deg",
    "station_elevation_m": "elevation_m",
    "station_vs30_mps": "vs30_mps",
    "source_id": "event_id",
    "source_latitude_deg": "event_latitude_deg",
    "source_longitude_deg": "event_longitude_deg",
    "source_depth_km": "event_depth_km",
    "source_magnitude": "magnitude",
    "path_ep_distance_km": "distance_km",
    "trace_onset_source": "onset_source",
    "trace_file": "source",
}
_TEXT = {"network", "station", "location", "event_id", "onset_source", "source"}
# what a generated record says of itself; obspy_tng.provenance
PROVENANCE = {
    f"trace_tng_{key}": key
    for key in (
        "version", "model", "weights_sha256", "pool_sha256", "pool_kind", "seed", "realization", "sampler",
        "latent_noise", "parents", "parent_weights", "run_id",
    )
}  # fmt: skip
_OTHER = (
    "trace_name", "trace_start_time", "trace_sampling_rate_hz", "trace_npts", "trace_channels", "source_origin_time",
    "trace_p_arrival_sample", "trace_s_arrival_sample",
)  # fmt: skip
_PLACE = re.compile(r"\d{1,18},:\d{1,18},:\d{1,18}")
COLUMNS = (*_OTHER, *_COLUMNS)


class Corpus:
    """A folder of records in SeisBench layout, waveforms read on demand: ``Corpus("corpus").records([0])``.

    Parameters
    ----------
    path : str or path
        The folder.

    Attributes
    ----------
    rows : sequence of dict
        One per record, all values as strings, column names as SeisBench has them.

    Raises
    ------
    FormatError
        The folder holds no corpus, or table and waveforms do not fit.
    """

    def __init__(self, path: hints.Path) -> None:
        self.path = Path(path)
        table = self.path / "metadata.csv"
        if not holds_corpus(self.path):
            raise FormatError(f"{self.path} is no corpus: it needs metadata.csv and waveforms.hdf5 (corpus build)")
        self.rows = Rows(table)
        needed = ("trace_name", "station_code", "trace_start_time", "trace_sampling_rate_hz")
        missing = [c for c in needed if len(self) and c not in self.rows.names]
        if missing:
            raise FormatError(f"{table} lacks the column(s) {', '.join(missing)}")

    def __len__(self) -> int:
        return len(self.rows)

    def codes(self) -> list[str]:
        """Return ``NET.STA`` of every record."""
        both = zip(self.rows.column("station_network_code"), self.rows.column("station_code"), strict=True)
        return [sys.intern(f"{network}.{station}".lstrip(".")) for network, station in both]

    def event_ids(self) -> list[str]:
        """Return the event of every record; a record without one is its own event."""
        both = zip(self.rows.column("source_id"), self.rows.column("trace_name"), strict=True)
        return [event or name for event, name in both]

    def parts(self, size: int = 256) -> Iterator[Records]:
        """Yield the records of so many rows at a time."""
        for first in range(0, len(self), size):
            yield self.records(range(first, min(first + size, len(self))))

    def made(self) -> Iterator[dict]:
        """Yield what generated records say of themselves, as ``stats.tng`` does; see `obspy_tng.generate_corpus`."""
        for code, row in zip(self.codes(), self.rows, strict=True):
            if not row.get("trace_tng_model"):
                continue
            said = {key: row.get(column, "") for column, key in PROVENANCE.items()} | {"station": code}
            try:
                numbers = {"seed": int(said["seed"]), "realization": int(said["realization"])}
                yield said | numbers | {k: list(json.loads(said[k])) for k in ("parents", "parent_weights")}
            except (ValueError, TypeError) as err:
                raise FormatError(f"{self.path}: row of {row['trace_name']} is damaged: {err}") from err

    def records(self, indices: Iterable[int] | None = None) -> Records:
        """Return records, all or those of `indices`; a damaged one is listed in ``.skipped``."""
        import h5py

        out = Records()
        try:
            hdf5.require_sound(self.path / "waveforms.hdf5")
            file = h5py.File(self.path / "waveforms.hdf5", "r")
        except (OSError, FormatError) as err:
            raise FormatError(f"{self.path / 'waveforms.hdf5'} is not a readable HDF5 file: {err}") from err
        with file:
            order = _component_order(file)
            rows = [order.index(c) for c in COMPONENTS]
            for i in range(len(self)) if indices is None else indices:
                name = self.rows[i]["trace_name"]
                try:
                    data = _waveform(file, name)
                except (KeyError, OSError, TypeError, ValueError) as err:
                    out.skipped.append(Skipped(name, f"waveform missing or damaged: {err}"))
                    continue
                if np.ndim(data) != 2 or data.shape[0] != 3 or data.dtype.kind not in "fiu":
                    out.skipped.append(Skipped(name, f"not a (3, n) array of numbers: shape {np.shape(data)}"))
                    continue
                if not np.isfinite(data).all():
                    out.skipped.append(Skipped(name, "holds NaN or infinite samples"))
                    continue
                try:
                    out.append(_record(self.rows[i], data[rows].astype(np.float64)))
                except (TypeError, ValueError, ArithmeticError) as err:
                    out.skipped.append(Skipped(name, f"damaged row of the table: {err}"))
        return out


def holds_corpus(path) -> bool:
    """Say whether a folder has the two files of a corpus."""
    return (Path(path) / "metadata.csv").is_file() and (Path(path) / "waveforms.hdf5").is_file()


def build_corpus(
    paths: hints.Paths,
    out: hints.Path,
    inventory: hints.Metadata | None = None,
    events: hints.Events | None = None,
    *,
    units: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[Corpus, list[Skipped]]:
    """Write a corpus of every usable record under `paths`.

    Parameters
    ----------
    paths : str, path or sequence of them
        Files, directories, globs, zip archives; see `read_records`.
    out : str or path
        Folder to make; must not exist yet. It appears whole or not at all.
    inventory, events, units
        See `records`.
    progress : callable, optional
        Is told a line per file.

    Returns
    -------
    Corpus, list of Skipped

    Raises
    ------
    RecordError
        Nothing could be used, or units stay unknown.
    WriteError
        The folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> network = "data_samples/network"
    >>> made, skipped = build_corpus(network, tempfile.mkdtemp() + "/corpus", f"{network}/stations.xml")
    >>> len(made), sorted(set(made.codes()))
    (32, ['XT.ROCK', 'XT.SOFT', 'XT.STIFF', 'XT.TWO'])
    """
    out = Path(out)
    if out.exists():
        raise FormatError(f"{out} exists already; remove it or choose another folder")
    parts = iter_records(paths, inventory, events, units=units)
    first = next(parts)  # paths that are not there are told before anything is made
    with writable(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    with workplace(out) as work:
        new = work / out.name
        with writable(out):
            new.mkdir()
            n, skipped = _fill(new, chain([first], parts), progress)
        if not n:
            reasons = "; ".join(f"{name}: {r}" for name, r in skipped[:3]) or "no files"
            raise RecordError(f"no usable record among the files given ({len(skipped)} skipped: {reasons})")
        with writable(out):
            os.replace(new, out)
    return Corpus(out), skipped


def _fill(folder: Path, parts: Iterable[Records], progress) -> tuple[int, list[Skipped]]:
    """Write records to an empty folder, and return how many there were and what was skipped."""
    import h5py

    skipped: list[Skipped] = []
    seen: dict[str, int] = {}
    with (
        # HDF5 that cannot write to its own file may end the process; Python's file raises an OSError
        (folder / "waveforms.hdf5").open("w+b") as raw,
        h5py.File(raw, "w") as file,
        (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as table,
    ):
        describe_format(file)
        writer = csv.DictWriter(table, COLUMNS)
        writer.writeheader()
        for part in parts:
            require_mps2(part, "a corpus")
            skipped += part.skipped
            for record in part:
                seen[record.id] = seen.get(record.id, 0) + 1
                name = record.id if seen[record.id] == 1 else f"{record.id}.{seen[record.id]}"
                file.create_dataset(f"data/{name}", data=record.data.astype(np.float32))
                writer.writerow(row_of(record, name))
            if progress and part:
                progress(f"{sum(seen.values())} records, {len(skipped)} skipped: {part[-1].source}")
    return sum(seen.values()), skipped


def split_events(event_ids: Sequence[str], fraction: float = 0.2, seed: int = 0) -> tuple[list[str], list[str]]:
    """Return (training events, validation events) of `event_ids`: a random split by event, never by record.

    `fraction` is the share of events held out for validation; the same `seed` gives the same split.

    Raises
    ------
    RecordError
        There are fewer than two events.

    Examples
    --------
    >>> training, validation = split_events([f"event {i}" for i in range(10)], fraction=0.2)
    >>> len(training), len(validation)
    (8, 2)
    """
    unique = sorted(set(event_ids))
    if len(unique) < 2:
        raise RecordError(f"a split by event needs at least 2 events, got {len(unique)}")
    order = np.random.default_rng(seed).permutation(len(unique))
    n = min(max(1, round(fraction * len(unique))), len(unique) - 1)
    return sorted(unique[i] for i in order[n:]), sorted(unique[i] for i in order[:n])


def _waveform(file, name: str):
    """Return an array of an HDF5 file; ``block$4,:3,:6000`` is part of one, as SeisBench names them."""
    block, part, where = name.partition("$")
    if not part:
        return file[f"data/{name}"][()]
    if not _PLACE.fullmatch(where):
        raise ValueError(f"{where!r} is no place in a block such as 4,:3,:6000")
    index, *ends = where.split(",")
    return file[f"data/{block}"][(int(index), *(slice(int(end[1:])) for end in ends))]


def _component_order(file) -> str:
    """Return the order of rows in the waveforms, as E, N and Z in some order."""
    if "data" not in file:
        raise FormatError(f"{file.filename} holds no group 'data', as waveforms of SeisBench do")
    try:
        order = file["data_format/component_order"].asstr()[()] if "data_format" in file else COMPONENTS
    except (KeyError, TypeError, AttributeError) as err:
        raise FormatError(f"{file.filename} tells no data_format/component_order") from err
    if sorted(order) != sorted(COMPONENTS):
        raise FormatError(f"{file.filename} has components {order!r}; accepted: E, N and Z in any order")
    return order


def describe_format(file) -> None:
    """Write into an open HDF5 file what its arrays are."""
    form = file.create_group("data_format")
    for key, value in (
        ("dimension_order", "CW"), ("component_order", COMPONENTS), ("measurement", "acceleration"),
        ("unit", "mps2"), ("instrument_response", "removed"),
    ):  # fmt: skip
        form[key] = value


def row_of(record: Record, name: str) -> dict:
    """Return the row of the table for a record whose waveform has that name."""
    row = {column: getattr(record, field) for column, field in _COLUMNS.items()}
    row = {k: "" if isinstance(v, float) and np.isnan(v) else v for k, v in row.items()}

    def sample(onset):
        return f"{onset * record.sampling_rate:.2f}" if np.isfinite(onset) else ""

    return row | {
        "trace_name": name, "trace_start_time": str(record.starttime), "trace_npts": record.npts,
        "trace_sampling_rate_hz": record.sampling_rate, "trace_channels": " ".join(record.channels),
        "source_origin_time": str(record.origin_time or ""),
        "trace_p_arrival_sample": sample(record.p_s), "trace_s_arrival_sample": sample(record.s_s),
    }  # fmt: skip


def _record(row: dict, data: np.ndarray) -> Record:
    fields = {
        field: row.get(column) or "" if field in _TEXT else float(row.get(column) or "nan")
        for column, field in _COLUMNS.items()
    }
    rate = float(row["trace_sampling_rate_hz"])
    if not RATES_HZ[0] <= rate <= RATES_HZ[1]:
        raise ValueError(f"sampling rate {rate:g} Hz; accepted: {RATES_HZ[0]:g} to {RATES_HZ[1]:g} Hz")
    channels = tuple((row.get("trace_channels") or "HNE HNN HNZ").split())
    if len(channels) != 3:
        raise ValueError(f"trace_channels {row['trace_channels']!r}; expected three codes")
    origin = row.get("source_origin_time")
    return Record(
        data=data, sampling_rate=rate, starttime=UTCDateTime(row["trace_start_time"]),
        channels=channels,
        origin_time=UTCDateTime(origin) if origin else None,
        p_s=float(row.get("trace_p_arrival_sample") or "nan") / rate,
        s_s=float(row.get("trace_s_arrival_sample") or "nan") / rate, **fields,
    )  # fmt: skip
