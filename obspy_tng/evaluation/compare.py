"""evaluate(): real records, generated ones, floors and naive baselines in one table."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from obspy_tng import __version__
from obspy_tng.errors import RecordError, TNGError
from obspy_tng.evaluation import baselines, dataset, features, sets, verdicts
from obspy_tng.evaluation.features import Features
from obspy_tng.evaluation.scores import MIN_RECORDS, Scores, against_heldout, against_pool
from obspy_tng.evaluation.statistics import event_splits
from obspy_tng.events import EventTable
from obspy_tng.record import read_events, read_inventory

if TYPE_CHECKING:
    import xarray as xr

    from obspy_tng import hints

BASELINE_N = 50  # records per station of each naive baseline
MIN_EVENTS = 4  # fewer make no splits worth the name


def evaluate(
    real: hints.Waveforms,
    synthetic: hints.Waveforms,
    *,
    reconstructed: hints.Waveforms | None = None,
    pool: hints.Waveforms | None = None,
    latents: hints.Codes | None = None,
    inventory: hints.Metadata | None = None,
    events: hints.Events | None = None,
    units: str | None = None,
    c2st: bool = True,
    n_splits: int = 20,
    seed: int = 0,
    jobs: int | None = None,
    scheduler: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> xr.Dataset:
    """Measure how well generated records stand for stations, beside the noise floor and naive baselines.

    All sets are treated alike: zero padding taken off, 100 Hz, cut to the length of the longest generated record
    (P at 10 s), tapered, high-passed at 0.1 Hz; S windows of the HVSR from the energy, arrivals from one picker.
    Amplitude, duration and arrivals are compared with the generator's own `pool` (event terms are common to all
    stations), site measures with events the pool does not hold. Floors are means over `n_splits` random halves of
    the events, common to all stations; generated records are compared with all real ones, and with the same halves
    for the interval.

    Parameters
    ----------
    real, synthetic : Stream, sequence of Stream or Record, path or sequence of paths
        A path may be a corpus, too. Traces are grouped into records and stations as by `tng.records`. Stations are
        matched by NET.STA.
    reconstructed : same, optional
        Real records passed through a model; makes the three-set matrix of the paper's Figure 6, and the pairwise
        measures where a record has the id of a real one.
    pool : same, optional
        The records the generator drew from, for amplitude, duration and novelty. Left out: the real records that the
        generated ones name as their parents, else all real ones; the result says which.
    latents : mapping of str to numpy.ndarray (record, ...), optional
        Codes of each station's records, for the nearest-neighbour station purity.
    inventory, events : ObsPy object or path, optional
        StationXML and QuakeML, for the real records (and any other whose channels it knows).
    units : {"m/s2", "cm/s2", "gal", "g"}, optional
        Of files that cannot tell.
    c2st : bool
        Also train classifiers to tell real from generated (minutes).
    n_splits : int
        Random halves of the events, 20 or more for figures to be quoted.
    seed : int
        Of splits, baselines and classifiers.
    jobs : int, optional
        Threads, default all cores; no figure depends on it.
    scheduler : str, optional
        Address of a running dask scheduler, such as ``"tcp://10.0.0.5:8786"``, whose workers measure the records
        instead of threads here; no figure depends on it. Needs the extra ``dask``.
    progress : callable, optional
        Called with (what, done, total).

    Returns
    -------
    xarray.Dataset
        ``value``, ``low``, ``high`` (ensemble, measure); ``station_value`` (ensemble, station, measure);
        ``inside_floor`` (measure); curves, spectra, histograms, similarity matrices, novelty, C2ST and example
        waveforms; `dataset.build` lists them. Attributes hold remarks, what was skipped, and where the
        generated records come from.

    Raises
    ------
    TNGError
        No usable record, no common station, an unknown setting.

    References
    ----------
    arXiv:2512.04694 (f0 alignment); Anderson (2004); Olsen & Mayhew (2010); Lopez-Paz & Oquab (2017).

    Examples
    --------
    >>> import obspy_tng as tng
    >>> result = tng.evaluate("records/", tng.generate("CI.CWC", n=50))  # doctest: +SKIP
    """
    if n_splits < 2:
        raise TNGError(f"n_splits={n_splits} given; 2 or more make an interval, 20 a figure to be quoted")
    jobs = jobs or os.cpu_count() or 1
    tell = progress or (lambda what, done, total: None)
    inventory = read_inventory(inventory)
    table = EventTable(read_events(events), inventory)
    given = {"real": real, "generated": synthetic, "reconstructed": reconstructed, "pool": pool}
    found, remarks, made, parents = {}, [], [], set()
    given = {name: data for name, data in given.items() if data is not None}
    for number, (name, data) in enumerate(given.items()):
        tell("reading", number, len(given))
        gathered = sets.gather(data, name, inventory, table, units)
        found[name] = gathered.records
        remarks += gathered.remarks
        if name == "generated":
            made, parents = gathered.made, gathered.parents
    tell("reading", len(given), len(given))
    length_s = sets.longest_s(found["generated"])
    groups = {name: sets.arrays(items, length_s) for name, items in found.items()}
    skipped = {name: items.skipped for name, items in found.items()}
    stations = _common_stations(groups, remarks)
    groups = {name: g.take(np.isin(g.station, stations)) for name, g in groups.items()}
    groups, heldout = _roles(groups, parents, remarks)
    measured = _measure(groups, jobs, scheduler, tell, "measuring records")
    groups = {name: sets.with_onsets(g, measured[name].p_s) for name, g in groups.items()}
    rng = np.random.default_rng(seed)
    naive = _naive(groups["pool"], length_s, rng)
    measured |= _measure(naive, jobs, scheduler, tell, "measuring baselines")
    rows = _rows(measured, heldout, stations, n_splits, rng, remarks, tell)
    windows = {name: sets.of_arrays(sets.aligned(g, length_s), g.station, g.event) for name, g in groups.items()}
    windows |= naive
    parts = [
        dataset.table(rows, stations),
        dataset.curves(measured, stations),
        dataset.per_record(groups, measured),
        dataset.f0_alignment(measured, stations, seed),
        dataset.examples(groups, measured, stations),
        verdicts.novelty(windows, groups["pool"].id, stations, jobs, tell),
        verdicts.correlation(measured),
        verdicts.envelopes(windows, stations),
        verdicts.pairs(groups, measured),
        verdicts.gmm_residuals(groups, measured, remarks),
    ]
    if latents is not None:
        parts.append(dataset.purity(latents))
    if c2st:
        parts.append(verdicts.c2st(groups | naive, measured, n_splits, seed, remarks, tell))
    settings = {"n_splits": n_splits, "seed": seed, "length_s": length_s, "c2st": bool(c2st), "units": units or ""}
    return dataset.merge(
        parts,
        {"remarks": remarks, "skipped": skipped, "provenance": made, "settings": settings, "version": __version__},
    )


def _common_stations(groups, remarks) -> np.ndarray:
    """Return the stations that both real and generated records have.

    Raises
    ------
    RecordError
        There is none.
    """
    real, generated = (np.unique(groups[name].station) for name in ("real", "generated"))
    common = np.intersect1d(real, generated)
    if not common.size:
        raise RecordError(
            f"no station in common: real {', '.join(real[:8])}; generated {', '.join(generated[:8])}; by NET.STA"
        )
    for name, codes in (("real", real), ("generated", generated)):
        alone = np.setdiff1d(codes, common)
        if alone.size:
            remarks.append(f"{name} only, not compared: {', '.join(alone)}")
    if "pool" in groups:
        bare = np.setdiff1d(common, groups["pool"].station)
        if bare.size:
            raise RecordError(f"the pool has no record of {', '.join(bare)}; leave pool out or add them")
    return common


def _roles(groups, parents, remarks):
    """Return the groups with a pool, and which real records are of events the pool does not hold."""
    real = groups["real"]
    named = np.isin(real.id, sorted(parents))
    if "pool" not in groups and all(named[real.station == c].sum() >= MIN_RECORDS for c in np.unique(real.station)):
        remarks.append(f"pool: the {named.sum()} real records that the generated ones name as their parents")
        groups = groups | {"pool": real.take(named)}
    if "pool" not in groups:
        remarks.append(
            "no pool given: amplitude and duration are compared with all real records, novelty with them too, and site "
            "measures with records the generator may have drawn from"
        )
        return groups | {"pool": real}, np.arange(len(real))
    fresh = ~np.isin(real.event, groups["pool"].event) & ~np.isin(real.id, groups["pool"].id)
    held = np.flatnonzero(fresh)
    if len(np.unique(real.event[held])) < MIN_EVENTS:
        remarks.append(
            f"only {len(np.unique(real.event[held]))} real event(s) are not in the pool: "
            "site measures are compared with all real records"
        )
        held = np.arange(len(real))
    return groups, held


def _naive(pool: sets.RecordSet, length_s: float, rng) -> dict[str, sets.RecordSet]:
    """Return the naive baselines made of the pool's records; events are those of the parents."""
    data = sets.aligned(pool, length_s)
    out: dict[str, list] = {"mean of five": [], "phase-shuffled": [], "phase-scrambled": []}
    for code in np.unique(pool.station):
        rows = np.flatnonzero(pool.station == code)
        one = data[rows]
        if rows.size >= 5:
            mixed, parents = baselines.mean_of_five(one, BASELINE_N, rng)
            out["mean of five"].append(sets.of_arrays(mixed, code, pool.event[rows[parents]]))
        parents = rng.permutation(rows.size)[:BASELINE_N]
        for name, make in (
            ("phase-shuffled", baselines.phase_shuffled),
            ("phase-scrambled", baselines.phase_scrambled),
        ):
            out[name].append(sets.of_arrays(make(one[parents], rng), code, pool.event[rows[parents]]))
    return {name: sets.join(parts) for name, parts in out.items() if parts}


def _measure(groups, jobs, scheduler, tell, what) -> dict[str, Features]:
    """Return the features of every group; a group that is another one is measured once."""
    distinct = {id(g): g for g in groups.values()}
    total, done = sum(map(len, distinct.values())), 0

    def count(n):
        nonlocal done
        done += n
        tell(what, done, total)

    found = {key: features.compute(g, jobs=jobs, scheduler=scheduler, progress=count) for key, g in distinct.items()}
    return {name: found[id(g)] for name, g in groups.items()}


class Rows(NamedTuple):
    """Scores of one method.

    Attributes
    ----------
    pool, heldout : list of Scores
        Of all its records against all of the pool and all held-out records; one per split for rows that exist
        per split only (real vs real, copy).
    pool_splits : list of Scores
        Of the method's records drawn with replacement: how much of it is chance.
    heldout_splits : list of Scores
        Against half of the held-out events, one per split.
    """

    pool: list[Scores]
    pool_splits: list[Scores]
    heldout: list[Scores]
    heldout_splits: list[Scores]


def _rows(measured, heldout, stations, n_splits, rng, remarks, tell) -> dict[str, Rows]:
    """Return the scores of every method."""
    real, pool = measured["real"], measured["pool"]
    fresh = real.take(heldout)
    if len(np.unique(fresh.event)) >= MIN_EVENTS:
        halves = event_splits(fresh.event, n_splits, rng)
        whole = halves if heldout.size == len(real) else event_splits(real.event, n_splits, rng)
    else:
        remarks.append(
            f"{len(np.unique(fresh.event))} event(s) known: records are split by record, which flatters every figure"
        )
        halves = whole = event_splits(np.arange(len(real)).astype(str), n_splits, rng)
    methods = [m for m in dataset.METHODS if m in measured or m in ("real vs real", "copy")]
    counts = {c: int((measured["generated"].station == c).sum()) for c in stations}
    out = {m: Rows([], [], [], []) for m in methods}
    for m in methods:
        if m not in ("real vs real", "copy"):
            out[m].pool.append(against_pool(measured[m], pool, stations))
            out[m].heldout.append(against_heldout(measured[m], fresh, stations))
    for number, ((_, held), (a, b)) in enumerate(zip(halves, whole, strict=True)):
        target = fresh.take(held)
        for m, rows in out.items():
            if m == "real vs real":
                rows.pool.append(against_pool(real.take(a), real.take(b), stations))
                rows.heldout.append(against_heldout(real.take(a), real.take(b), stations))
            elif m == "copy":
                sample = _drawn(pool, counts, rng)
                rows.pool.append(against_pool(sample, pool, stations))
                rows.heldout.append(against_heldout(sample, target, stations))
            else:
                again = _drawn(measured[m], {c: int((measured[m].station == c).sum()) for c in stations}, rng)
                rows.pool_splits.append(against_pool(again, pool, stations))
                rows.heldout_splits.append(against_heldout(measured[m], target, stations))
        tell("comparing", number + 1, n_splits)
    return out


def _drawn(items: Features, count: dict[str, int], rng) -> Features:
    """Return records drawn with replacement, so many of each station."""
    rows = [rng.choice(np.flatnonzero(items.station == c), n) for c, n in count.items() if (items.station == c).any()]
    return items.take(np.concatenate(rows))
