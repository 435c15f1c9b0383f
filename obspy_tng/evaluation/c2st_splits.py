"""Training and test records of the classifier two-sample test, and the columns that classifiers are given."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.evaluation.statistics import event_splits

MOST = 300  # records per class in training, and in test
LEAST = 5  # real records of a station in training, for their mean to be of use
CLIP = 5.0  # standard deviations


class Split(NamedTuple):
    """Rows of the real and the generated records in training and in test."""

    train_real: np.ndarray
    train_generated: np.ndarray
    test_real: np.ndarray
    test_generated: np.ndarray


def draw_splits(
    station_real, event_real, station_generated, event_generated, n_splits: int, rng: np.random.Generator,
    most: int = MOST,
) -> list[Split]:  # fmt: skip
    """Draw training and test records: real ones by event, both classes alike in stations.

    Parameters
    ----------
    station_real, station_generated : numpy.ndarray of str, shape (n,) and (m,)
    event_real : numpy.ndarray of str, shape (n,)
    event_generated : numpy.ndarray of str, shape (m, parents)
        Events of the parents; a record stands where most of them are. Empty strings: unknown, either side.
    n_splits : int
    rng : numpy.random.Generator
        The halves of the events do not depend on the generated records.
    most : int
        Records per class in training, and in test, 5 of a station at least; of more stations than ``most / 10`` some
        are drawn for each split.

    Returns
    -------
    list of Split

    Raises
    ------
    TNGError
        Fewer than two events, or no station with enough records.
    """
    splits = []
    for train, test in event_splits(event_real, n_splits, rng):
        other = _generated_halves(station_generated, event_generated, event_real[train], event_real[test], rng)
        rows = train, other[0], test, other[1]
        splits.append(_balanced(station_real, station_generated, rows, rng, most))
    return splits


def draw_floor_splits(station, event, n_splits: int, rng: np.random.Generator, most: int = MOST) -> list[Split]:
    """Draw four disjoint quarters of the events: two classes of real records, each in training and test.

    Parameters
    ----------
    station, event : numpy.ndarray of str, shape (n,)
    n_splits, most : int
    rng : numpy.random.Generator

    Returns
    -------
    list of Split

    Raises
    ------
    TNGError
        Fewer than four events, or no station with enough records.
    """
    count = len(np.setdiff1d(event, "")) + int((event == "").sum())
    if count < 4:
        raise TNGError(f"{count} events given; the floor of C2ST needs four or more")
    splits = []
    for halves in event_splits(event, n_splits, rng):
        quarters = [[rows[q] for q in event_splits(event[rows], 1, rng)[0]] for rows in halves]
        rows = quarters[0][0], quarters[1][0], quarters[0][1], quarters[1][1]
        splits.append(_balanced(station, station, rows, rng, most))
    return splits


def _generated_halves(station, event, train_events, test_events, rng):
    """Return rows for training and test: where most parents are, else random halves of each station."""
    lead = np.isin(event, np.setdiff1d(train_events, "")).sum(axis=1)
    lead = lead - np.isin(event, np.setdiff1d(test_events, "")).sum(axis=1)
    side = np.sign(lead)
    for code in np.unique(station):
        free = rng.permutation(np.flatnonzero((station == code) & (lead == 0)))
        side[free] = np.where(np.arange(len(free)) % 2, -1, 1)
    return np.flatnonzero(side > 0), np.flatnonzero(side < 0)


def _balanced(station_real, station_generated, rows, rng, most):
    """Return a Split whose classes hold as many records of each station, those of training and test alike."""
    stations = (station_real, station_generated) * 2
    count = {
        code: [int((station[r] == code).sum()) for station, r in zip(stations, rows, strict=True)]
        for code in np.intersect1d(station_real, station_generated)
    }
    count = {code: (min(n[:2]), min(n[2:])) for code, n in count.items() if min(n[:2]) >= LEAST and min(n[2:]) > 0}
    if not count:
        raise TNGError(
            f"no station with {LEAST} or more records of both classes in training and one in test; "
            f"{len(np.unique(station_real))} stations of {len(station_real)} real and "
            f"{len(np.unique(station_generated))} stations of {len(station_generated)} other records given"
        )
    # many stations with few records each would leave means of two or three: rather fewer stations, drawn anew each time
    chosen = rng.permutation(sorted(count))[: max(1, most // (2 * LEAST))]
    count = {str(code): count[code] for code in np.sort(chosen)}
    out = []
    for side in (0, 1):
        total = sum(n[side] for n in count.values())
        keep = {code: max(min(n[side], LEAST), int(n[side] * min(1, most / total))) for code, n in count.items()}
        for which in (2 * side, 2 * side + 1):
            of = stations[which][rows[which]]
            drawn = [rng.permutation(rows[which][of == code])[:n] for code, n in keep.items()]
            out.append(np.sort(np.concatenate(drawn)))
    return Split(*out)


def standardised(real, generated, station_real, station_generated, split: Split):
    """Return training and test columns without station means, in standard deviations, and their labels.

    Parameters
    ----------
    real, generated : numpy.ndarray, shape (n, k) and (m, k)
    station_real, station_generated : numpy.ndarray of str, shape (n,) and (m,)
    split : Split

    Returns
    -------
    train, label, test, truth : numpy.ndarray, shape (rows, k), (rows,), (rows, k), (rows,)
        The mean of a station is that of its real training records; the standard deviation is that of all training
        records, beyond five of which values are clipped. Label 1 is generated.
    """
    train_station = station_real[split.train_real]
    mean = {code: real[split.train_real[train_station == code]].mean(axis=0) for code in np.unique(train_station)}

    def centred(values, station, rows):
        return values[rows] - np.array([mean[code] for code in station[rows]])

    train, test = (
        np.concatenate([centred(real, station_real, a), centred(generated, station_generated, b)])
        for a, b in (split[:2], split[2:])
    )
    sd = train.std(axis=0)
    sd = np.where(sd > 1e-12, sd, 1.0)
    train, test = (np.clip(x / sd, -CLIP, CLIP) for x in (train, test))
    return train, _labels(*split[:2]), test, _labels(*split[2:])


def _labels(real, generated):
    return np.repeat([0, 1], [len(real), len(generated)])
