"""Do codes of records keep stations apart? Station purity of nearest neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from obspy_tng.errors import TNGError


class Purity(NamedTuple):
    """Share of records whose nearest other record is of the same station."""

    purity: float
    chance: float
    by_station: dict
    n_records: int


def purity(latents: np.ndarray, station, event=None) -> Purity:
    """Return how often a record's nearest neighbour among latents is of its own station.

    Parameters
    ----------
    latents : array_like, shape (n, ...)
        One code per record; compared by the Euclidean distance.
    station : array_like of str, shape (n,)
    event : array_like of str, shape (n,), optional
        When given, records of the same event are no neighbours: alike sources must not pass for alike sites, nor
        keep stations apart.

    Returns
    -------
    Purity
        Share in all and per station, and the share by chance, a neighbour drawn at random. Records without any
        neighbour do not count.

    Raises
    ------
    TNGError
        The lengths do not agree.

    Examples
    --------
    >>> codes = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> purity(codes, ["A", "A", "B", "B"]).purity
    1.0
    """
    codes = np.asarray(latents, dtype=np.float64)
    codes = codes.reshape(len(codes), -1)
    station = np.asarray(station)
    event = None if event is None else np.asarray(event)
    if len(station) != len(codes) or (event is not None and len(event) != len(codes)):
        raise TNGError(f"{len(codes)} latents but {len(station)} stations given; one of each per record needed")
    codes = codes - codes.mean(axis=0)
    squares = (codes**2).sum(axis=1)
    distance = squares[:, None] + squares - 2 * codes @ codes.T
    allowed = ~np.eye(len(codes), dtype=bool) if event is None else event[:, None] != event
    same = station[:, None] == station
    usable = allowed.any(axis=1)
    nearest = np.argmin(np.where(allowed, distance, np.inf), axis=1)
    hit = same[np.arange(len(codes)), nearest]
    by_chance = (same & allowed).sum(axis=1)[usable] / allowed.sum(axis=1)[usable]
    by_station = {str(s): _mean(hit[usable & (station == s)]) for s in np.unique(station)}
    return Purity(_mean(hit[usable]), _mean(by_chance), by_station, int(usable.sum()))


def _mean(values) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
