"""generate_corpus(): many records of many stations, straight into a folder in SeisBench layout.

The file of waveforms is laid out whole before anything is generated, 1024 records an array; realisations are written to
their places, and then their rows to the table. Neither has its final name before the last row, so that nothing
half-made is read as a corpus; and a killed run loses what has no row yet, no more.
"""

from __future__ import annotations

import csv
import json
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from obspy import UTCDateTime

import obspy_tng
from obspy_tng import sampling
from obspy_tng.corpus import COLUMNS, PROVENANCE, describe_format, row_of
from obspy_tng.errors import FormatError, StationError, TNGError, WriteError
from obspy_tng.pool import find_pool
from obspy_tng.preprocessing import NPTS, P_AT_S, SAMPLING_RATE_HZ
from obspy_tng.provenance import run_id
from obspy_tng.record import Record
from obspy_tng.scaling import scaling
from obspy_tng.synthesis import mixed, model_of, origin, realise, require_settings
from obspy_tng.writing import sweep, whole, writable

if TYPE_CHECKING:
    from obspy_tng import hints

_CHUNK = 64
_BLOCK = 1024  # records of an array
_BYTES = 3 * NPTS * 4  # of a record
_HEADER = [*COLUMNS, *PROVENANCE]


def generate_corpus(
    stations: str | Sequence[str] | None, n: int, out: hints.Path, *, magnitude: float | None = None,
    distance_km: float | None = None, model: hints.Model | None = None, pool: hints.Pools | None = None,
    sampler: str | None = None, latent_noise: float = 0.0, seed: int | None = None,
    starttime: UTCDateTime | str | float | None = None, instrument: str = "X", device: str = "cpu",
    resume: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Path:  # fmt: skip
    """Generate many records of stations into a corpus, with little memory.

    Record i of a station is realisation i of `obspy_tng.generate` with the same settings, to the last bit.

    Parameters
    ----------
    stations : str, sequence of str or None
        Codes as of `generate`; None when `pool` is one pool.
    n : int
        Realisations of each station, any number.
    out : str or path
        Folder to make: ``waveforms.hdf5`` and ``metadata.csv`` (`Corpus` reads it), ``generation.json`` (settings). It
        may exist when it is empty.
    magnitude, distance_km, model, pool, sampler, latent_noise, starttime, instrument, device
        See `generate`.
    seed : int, optional
        Drawn when left out, and kept in ``generation.json``.
    resume : bool
        Go on where a killed run ended; the corpus equals that of an uninterrupted one, byte by byte.
    progress : callable, optional
        ``progress(done, total)`` after every 64 records.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    TNGError
        Settings make no sense, differ from those of the run to be resumed, or `out` holds something else.
    WriteError
        No room on the disk, no permission, or another process is writing there.

    Notes
    -----
    Each row tells model, weights, pool and what it is made of (recorded, adjusted, simulated), seed, realisation and
    parents in columns ``trace_tng_…``. P and S are where the model put them; where it has none (codes of waveforms),
    they are told from the energy. Every record is an earthquake of its own. 72 kB on disk each, 72 MB per thousand.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> folder = tng.generate_corpus(["CI.CWC", "CI.WMF"], 1000, "many", seed=1)  # doctest: +SKIP
    >>> len(tng.Corpus(folder))  # doctest: +SKIP
    2000
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise TNGError(f"n={n!r} realisations asked for; accepted: 1 or more of each station")
    require_settings(instrument, latent_noise)
    out, sampler = Path(out), sampler or sampling.DEFAULT
    found = [find_pool(s, pool, getattr(model, "name", model)) for s in _codes(stations)]
    if twice := sorted({p.code for p in found if [q.code for q in found].count(p.code) > 1}):
        raise StationError(f"station(s) {', '.join(twice)} given twice")
    models = {}
    for p in found:
        models.setdefault(p.model, model_of(p, model or models.get(p.model), device))
        model_of(p, models[p.model])
    start = UTCDateTime(starttime) if starttime is not None else UTCDateTime(0)
    settings = {
        "version": obspy_tng.__version__, "n": int(n), "seed": None if seed is None else int(seed), "sampler": sampler,
        "latent_noise": float(latent_noise), "magnitude": magnitude, "distance_km": distance_km,
        "starttime": str(start), "instrument": instrument,
        "pools": {p.code: p.sha256() for p in found}, "kinds": {p.code: p.kind for p in found},
        "weights": {m.name: m.sha256 for m in models.values()},
    }  # fmt: skip
    events = [scaling(p, magnitude, distance_km) for p in found]
    seed = _prepare(out, settings, resume)
    if (out / "metadata.csv").exists():
        return out
    with _open(out, [p.code for p in found], n) as (waves, table, offsets, done):
        for k, (p, event) in enumerate(zip(found, events, strict=True)):
            for numbers in _chunks(max(0, done - k * n), n):
                settled = (p, models[p.model], sampler, seed, numbers, latent_noise, event)
                data, rows = _chunk(settled, settings, start, instrument)
                with writable(out):
                    block, row = divmod(numbers[0], _BLOCK)
                    waves.seek(offsets[_name(p.code, block)] + row * _BYTES)
                    waves.write(data.tobytes())
                    waves.flush()
                    os.fsync(waves.fileno())  # before the rows that promise them
                    csv.DictWriter(table, _HEADER, lineterminator="\n").writerows(rows)
                    table.flush()
                if progress:
                    progress(k * n + numbers[-1] + 1, len(found) * n)
        with writable(out):
            os.fsync(table.fileno())
            for name in ("waveforms.hdf5", "metadata.csv"):  # the table last: it makes the corpus
                if (out / f"{name}.part").exists():
                    os.replace(out / f"{name}.part", out / name)
            for name in ("generation.json", "waveforms.hdf5.part", "metadata.csv.part"):
                sweep(out / name)
    return out


def _codes(stations) -> Sequence[str | None]:
    """Return the stations as a list."""
    if stations is None or isinstance(stations, str):
        return [stations]
    if not isinstance(stations, Sequence) or not stations:
        raise TypeError(f"stations must be a code such as '0205' or a sequence of codes, not {stations!r}")
    return list(stations)


def _chunks(first: int, n: int):
    """Yield ranges of realisations that are made at once, each within one array."""
    while first < n:
        last = min(first + _CHUNK, n, (first // _BLOCK + 1) * _BLOCK)
        yield range(first, last)
        first = last


def _name(code: str, block: int) -> str:
    """Return the name of an array."""
    return f"{code}.{block:05d}"


def _chunk(settled, settings: dict, start, instrument: str) -> tuple[np.ndarray, list[dict]]:
    """Return waveforms (n, 3, NPTS), float32, and rows of the table of some realisations."""
    pool, model, sampler, seed, numbers, latent_noise, event = settled
    waves, mixtures = realise(*settled)
    data, rows = waves.astype("<f4"), []
    for i, wave, mixture in zip(numbers, data, mixtures, strict=True):
        made = {
            "version": settings["version"],
            **origin(pool, settings["pools"][pool.code], model, sampler, seed, i, mixture),
            "latent_noise": float(latent_noise), "magnitude": settings["magnitude"],
            "distance_km": settings["distance_km"],
        }  # fmt: skip
        p_s, s_s, told = _onsets(pool, model, sampler, sampling.child(seed, i, pool.code), latent_noise, event, wave)
        record = Record(
            data=wave, sampling_rate=SAMPLING_RATE_HZ, starttime=start, network=pool.network, station=pool.station,
            channels=tuple(f"H{instrument}{c}" for c in "ENZ"), latitude_deg=pool.latitude_deg,
            longitude_deg=pool.longitude_deg, elevation_m=pool.elevation_m, vs30_mps=pool.vs30_mps,
            event_id=f"tng-{pool.code}-{seed}-{i}", p_s=p_s, s_s=s_s, onset_source=told, source="obspy-tng",
            magnitude=_or_nan(settings["magnitude"]), distance_km=_or_nan(settings["distance_km"]),
        )  # fmt: skip
        about = {**made, "run_id": run_id(made)}
        about |= {k: json.dumps(made[k]) for k in ("parents", "parent_weights")}
        row = row_of(record, f"{_name(pool.code, i // _BLOCK)}${i % _BLOCK},:3,:{NPTS}")
        rows.append(row | {column: about[key] for column, key in PROVENANCE.items()})
    return data, rows


def _onsets(pool, model, sampler, rng, latent_noise, event, wave) -> tuple[float, float, str]:
    """Return P and S in s after the first sample, and who tells them."""
    if hasattr(model, "unpack"):
        from obspy_tng.spectral import S_MINUS_P_S
        from obspy_tng.spectral_extra import split_extra

        _, _, latent, _ = mixed(pool, model, sampler, rng, latent_noise, event)
        parts = model.unpack(latent[None])
        p_s = P_AT_S + split_extra(parts.extra[0]).onset_s
        return p_s, p_s + float(np.clip(np.exp(parts.ln_sp[0]), *S_MINUS_P_S)), "model"
    from obspy_tng.site.windows import energy_onsets

    return *energy_onsets(wave, SAMPLING_RATE_HZ), "energy"


def _or_nan(value) -> float:
    return np.nan if value is None else float(value)


# --- the folder


def _prepare(out: Path, settings: dict, resume: bool) -> int:
    """Make the folder, or check that it is of the same run; return the seed."""
    path = out / "generation.json"
    # hidden: what a process left that was killed while it made the first file
    begun = out.is_dir() and any(not p.name.startswith(".") for p in out.iterdir())
    if (out.exists() and not out.is_dir()) or (begun and not (resume and path.is_file())):
        hint = "add --resume (resume=True) to go on" if path.is_file() else "choose an empty or a new folder"
        raise FormatError(f"{out} holds something already; {hint}")
    if begun:
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
            differ = [k for k in settings if settings[k] != before[k] and (k, settings[k]) != ("seed", None)]
            seed = int(before["seed"])
        except (ValueError, KeyError, TypeError) as err:
            raise FormatError(f"{path} does not hold the settings of a run: {err}") from err
        if differ:
            raise FormatError(f"{out} belongs to a run with other settings ({', '.join(differ)}); use another folder")
        return seed
    settings = settings | {"seed": secrets.randbits(32) if settings["seed"] is None else settings["seed"]}
    total = settings["n"] * len(settings["pools"])
    with writable(out):
        out.mkdir(parents=True, exist_ok=True)
        room = shutil.disk_usage(out).free
        if total * _BYTES > room:
            raise WriteError(f"{out} has room for {room / 1e9:.1f} GB; {total} records need {total * _BYTES / 1e9:.1f}")
    with whole(path) as part:
        part.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    return settings["seed"]


@contextmanager
def _open(out: Path, codes: Sequence[str], n: int):
    """Yield the file of waveforms, the table, where each array begins, and how many rows there are."""
    raw, table = out / "waveforms.hdf5.part", out / "metadata.csv.part"
    with ExitStack() as opened:
        with writable(out):
            _lock(opened.enter_context((out / "generation.json").open("r+b")), out)
            if not table.exists():
                with whole(raw) as part:
                    _lay_out(part, codes, n)
                with whole(table) as part, part.open("w", newline="", encoding="utf-8") as file:
                    csv.DictWriter(file, _HEADER, lineterminator="\n").writeheader()
            elif not raw.exists():
                raw = out / "waveforms.hdf5"  # killed between the two last steps
            offsets = _offsets(raw, codes, n)
            with table.open("r+b") as file:
                done = _whole_lines(file) - 1
            waves = opened.enter_context(raw.open("r+b"))
            file = opened.enter_context(table.open("a", newline="", encoding="utf-8"))
        yield waves, file, offsets, done


def _lay_out(path: Path, codes: Sequence[str], n: int) -> None:
    """Write an HDF5 file with room for all waveforms, which are not yet there."""
    import h5py

    with path.open("w+b") as raw, h5py.File(raw, "w") as file:
        describe_format(file)
        how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        how.set_layout(h5py.h5d.CONTIGUOUS)
        how.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        how.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        how.set_obj_track_times(False)
        group = file.create_group("data").id
        for name, size in _blocks(codes, n):
            space = h5py.h5s.create_simple((size, 3, NPTS))
            h5py.h5d.create(group, name.encode(), h5py.h5t.IEEE_F32LE, space, how)


def _blocks(codes: Sequence[str], n: int):
    """Yield name and records of each array."""
    for code in codes:
        for first in range(0, n, _BLOCK):
            yield _name(code, first // _BLOCK), min(_BLOCK, n - first)


def _offsets(path: Path, codes: Sequence[str], n: int) -> dict[str, int]:
    """Return where each array begins in the file, in bytes."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            sets = {name: (file[f"data/{name}"], size) for name, size in _blocks(codes, n)}
            offsets = {name: found.id.get_offset() for name, (found, _) in sets.items()}
            fits = all(found.shape == (size, 3, NPTS) for found, size in sets.values())
    except (OSError, KeyError) as err:
        raise FormatError(f"{path} is damaged: {err}") from err
    if not fits or None in offsets.values():
        raise FormatError(f"{path} is not the file this run began")
    return offsets


def _whole_lines(file) -> int:
    """Cut a file after its last whole line; return how many lines there are."""
    end = count = 0
    for line in file:
        if line.endswith(b"\n"):
            end, count = end + len(line), count + 1
    file.truncate(end)
    return count


def _lock(file, out: Path) -> None:
    """Refuse to write where another process does."""
    try:
        import fcntl
    except ImportError:  # Windows has none
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise WriteError(f"{out}: another process is generating into this folder") from None
