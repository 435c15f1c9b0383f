"""How real records scatter around what HEGGS makes of their conditions: between earthquakes and within one.

A network trained on squared differences makes the median motion of a condition. Records differ from it by a term that
all records of an earthquake share (its stress drop) and one of their own (path and site beyond what was learned). The
spreads of both are measured on the training events (`measured`), kept in the card, and drawn per realisation (`draw`):
one factor for all samples and components, so that H/V and the shape of the spectrum stay.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from obspy_tng import conditions
from obspy_tng.errors import RecordError
from obspy_tng.preprocessing import condition

_BATCH = 32


class Drawn(NamedTuple):
    """What the ln amplitude of a realisation differs by from the median."""

    between: float
    within: float


def measured(model, records: Sequence, rng: np.random.Generator) -> dict:
    """Return the spreads of ln PGA around a model.

    Parameters
    ----------
    model : HeggsGenerator
    records : sequence of Record
        With P onset, coordinates, depth and magnitude; of several events with several records each.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``between`` and ``within``, standard deviations in ln; ``bias``, the mean of real less made; ``records``,
        ``events``. PGA is the geometric mean of the horizontals, of the part of the window that the record fills.

    Raises
    ------
    RecordError
        As of `spreads`.
    """
    terms, c = conditions.event_terms(records), conditions.conditions(records)
    residual = np.zeros(len(records))
    for first in range(0, len(records), _BATCH):
        some = slice(first, first + _BATCH)
        made = model.waves(model.ln_amplitude(c[some], rng), rng)
        for i, (record, wave) in enumerate(zip(records[some], made, strict=True), first):
            origin_s = record.origin_time - record.starttime + terms[record.event_id]
            real, begin, stop = conditions.on_axis(record, origin_s)
            residual[i] = np.diff([_ln_pga(x[:, begin:stop]) for x in (wave, real)])[0]
    return spreads(residual, [r.event_id for r in records])


def _ln_pga(wave: np.ndarray) -> float:
    return float(np.log(np.abs(condition(wave[None])[0, :2]).max(-1)).mean())


def spreads(residual, event) -> dict:
    """Split residuals into a term of the event and one of the record (analysis of variance, one random effect).

    Parameters
    ----------
    residual : array_like, shape (n,)
    event : sequence of str, shape (n,)

    Returns
    -------
    dict
        See `measured`.

    Raises
    ------
    RecordError
        Fewer than two events, or no event has two records.

    References
    ----------
    Searle, Casella & McCulloch (1992), Variance Components, Wiley, section 3.6: unbalanced data.

    Examples
    --------
    >>> found = spreads([0.5, 1.5, -1.5, -0.5], ["a", "a", "b", "b"])
    >>> round(found["within"] ** 2, 3), round(found["between"] ** 2, 3)
    (0.5, 1.75)
    """
    residual = np.asarray(residual, dtype=float)
    number = np.unique(np.asarray(event, dtype=str), return_inverse=True)[1]
    count = np.bincount(number)
    n, events = len(residual), len(count)
    if events < 2 or n == events:
        raise RecordError(f"{n} records of {events} events given; needed: 2 events or more, one of them with 2 records")
    means = np.bincount(number, residual) / count
    within = ((residual - means[number]) ** 2).sum() / (n - events)
    between = (count * (means - residual.mean()) ** 2).sum() / (events - 1)
    typical = (n - (count**2).sum() / n) / (events - 1)  # records per event
    return {
        "between": float(np.sqrt(max(0.0, (between - within) / typical))), "within": float(np.sqrt(within)),
        "bias": float(residual.mean()), "records": n, "events": events,
    }  # fmt: skip


def draw(scatter: dict, seed: int, realisation: int, quake: Sequence[float], place: Sequence[float]) -> Drawn:
    """Draw both terms of a realisation, in ln.

    The term of the earthquake is the same at all places with the same seed and number; that of the place is not.

    Parameters
    ----------
    scatter : dict
        From `measured`.
    seed, realisation : int
    quake, place : sequence of float
        Latitude, longitude, depth, magnitude; latitude, longitude.
    """

    def normal(kind, numbers):
        key = zlib.crc32(np.asarray(numbers, dtype="<f8").tobytes())
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(realisation, kind, key))).standard_normal()

    between = scatter["between"] * normal(1, quake)
    return Drawn(float(between), float(scatter["within"] * normal(2, [*quake, *place])))
