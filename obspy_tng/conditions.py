"""What HEGGS is told of a record: where the station and the earthquake are, how deep and large it is; and when.

Times count from the origin of the earthquake. Catalogue origins may be whole seconds, so every event is re-timed on
the P onsets of its own records (`event_terms`) before a record is put on that axis (`on_axis`); travel times are a
smooth function of hypocentral distance, fitted to picks (`fit_travel_times`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from obspy_tng.errors import RecordError, TNGError
from obspy_tng.events import VP_KM_S, VS_KM_S, distance_km
from obspy_tng.preprocessing import NPTS, SAMPLING_RATE_HZ, resampled, window_start

ORIGIN_AT_S = 6.0  # where the origin stands in the window
FIELDS = ("latitude_deg", "longitude_deg", "event_latitude_deg", "event_longitude_deg", "event_depth_km", "magnitude")
N_FEATURES = 10
UNIFORM = ((0.0, 1 / VP_KM_S, 0.0), (0.0, 1 / VS_KM_S, 0.0))  # travel times of a crust of one velocity
_KM_PER_DEG = 111.195
_NEAREST_KM = 1.0  # closer hypocentres are taken to be this far


def conditions(records: Sequence) -> np.ndarray:
    """Return station latitude, longitude, event latitude, longitude (degrees), depth (km), magnitude: (n, 6).

    Raises
    ------
    RecordError
        A record lacks one of them.
    """
    out = np.array([[getattr(r, field) for field in FIELDS] for r in records], dtype=float).reshape(-1, len(FIELDS))
    if not np.isfinite(out).all():
        i, k = np.argwhere(~np.isfinite(out))[0]
        raise RecordError(f"{records[i].id} has no {FIELDS[k]}; needed: {', '.join(FIELDS)}")
    return out


def hypocentral_km(c: np.ndarray) -> np.ndarray:
    """Return hypocentral distances in km, shape (n,), of conditions (n, 6)."""
    epicentral = np.array([distance_km(*row[:4]) for row in np.atleast_2d(c)])
    return np.maximum(np.hypot(epicentral, np.atleast_2d(c)[:, 4]), _NEAREST_KM)


def travel_times(c: np.ndarray, coefficients=UNIFORM) -> np.ndarray:
    """Return predicted P and S in s after the origin, shape (n, 2).

    Parameters
    ----------
    c : numpy.ndarray, shape (n, 6)
    coefficients : array_like, shape (2, 3)
        Of 1, R and R² (hypocentral, km), for P and for S; see `fit_travel_times`.

    Examples
    --------
    >>> travel_times(np.array([[35.0, -117.0, 35.0, -117.0, 12.0, 4.0]])).round(2)
    array([[2.  , 3.46]])
    """
    r = hypocentral_km(c)
    return np.maximum(np.stack([np.ones_like(r), r, r**2], axis=1) @ np.asarray(coefficients, float).T, 0.0)


def event_terms(records: Sequence) -> dict[str, float]:
    """Return what is to be added to each event's catalogue origin time, in s, by event id.

    The median, over the records of an event, of P onset minus travel time in a crust of one velocity: what
    `events.EventTable` does with picks, told from the records themselves. Onsets that were predicted, not picked,
    agree with it by construction. An event without onsets has 0.
    """
    late: dict[str, list[float]] = {}
    for record in records:
        late.setdefault(record.event_id, [])
        if record.origin_time is not None and np.isfinite(record.p_s):
            path_km = np.hypot(record.distance_km, record.event_depth_km)
            late[record.event_id].append(record.starttime - record.origin_time + record.p_s - path_km / VP_KM_S)
    return {event: float(np.nanmedian(x)) if len(x) else 0.0 for event, x in late.items()}


def onsets_s(records: Sequence, terms: dict[str, float]) -> np.ndarray:
    """Return P and S in s after the re-timed origin, shape (n, 2)."""
    first = np.array([r.starttime - r.origin_time - terms.get(r.event_id, 0.0) for r in records], dtype=float)
    return first[:, None] + np.array([[r.p_s, r.s_s] for r in records], dtype=float).reshape(-1, 2)


def fit_travel_times(records: Sequence, terms: dict[str, float]) -> tuple[tuple[float, ...], ...]:
    """Return coefficients for `travel_times`, least squares to the picks of `records`, shape (2, 3).

    With fewer than 30 picked records those of a crust of one velocity.
    """
    picked = [r for r in records if r.onset_source == "pick" and np.isfinite(r.p_s + r.s_s)]
    if len(picked) < 30:
        return UNIFORM
    r = hypocentral_km(conditions(picked))
    design = np.stack([np.ones_like(r), r, r**2], axis=1)
    fitted = np.linalg.lstsq(design, onsets_s(picked, terms), rcond=None)[0].T
    return tuple(tuple(float(x) for x in row) for row in fitted)


def features(c: np.ndarray, centre: Sequence[float]) -> np.ndarray:
    """Return what the network sees of conditions (n, 6): numbers near unity, shape (n, N_FEATURES), float32.

    East and north of the station, then of the epicentre, from `centre` (latitude, longitude), per 50 km; depth per
    10 km; magnitude less 3.5; ln and size of the hypocentral distance; sine and cosine of the azimuth from the event
    to the station. The last four follow from the first six: they spare the network to learn geometry from few events.
    """
    c = np.atleast_2d(np.asarray(c, dtype=float))
    places = []
    for lat, lon in ((c[:, 0], c[:, 1]), (c[:, 2], c[:, 3])):
        places += [(lon - centre[1]) * np.cos(np.radians(centre[0])), lat - centre[0]]
    sx, sy, ex, ey = (np.array(places) * _KM_PER_DEG) / 50
    r = hypocentral_km(c)
    azimuth = np.arctan2(sx - ex, sy - ey)
    columns = [sx, sy, ex, ey, c[:, 4] / 10, c[:, 5] - 3.5, np.log(r / 40), r / 50, np.sin(azimuth), np.cos(azimuth)]
    return np.stack(columns, axis=1).astype(np.float32)


def on_axis(record, origin_after_start_s: float) -> tuple[np.ndarray, int, int]:
    """Put a record on the axis from the origin: NPTS samples at 100 Hz, the origin ORIGIN_AT_S after the first.

    Parameters
    ----------
    record : Record
        In m/s². Left as it is.
    origin_after_start_s : float
        When the earthquake began, in s after the record's first sample; negative when the record began later.

    Returns
    -------
    data : numpy.ndarray, shape (3, NPTS)
        Means taken off, zero where the record does not reach.
    first, stop : int
        Samples of the window that the record fills.

    Raises
    ------
    RecordError
        The record fills less than 15 s of the window.
    """
    record = resampled(record)
    begin = round((origin_after_start_s - ORIGIN_AT_S) * SAMPLING_RATE_HZ)
    first, stop = max(0, -begin), min(NPTS, record.npts - begin)
    if stop - first < 15 * SAMPLING_RATE_HZ:
        raise RecordError(f"{record.id} holds {max(0, stop - first) / SAMPLING_RATE_HZ:.1f} s of the 60 s wanted")
    out = np.zeros((3, NPTS))
    out[:, first:stop] = record.data[:, begin + first : begin + stop]
    out[:, first:stop] -= record.data.mean(axis=1, keepdims=True)
    return out, first, stop


def origin_from_p(record, p_travel_s: float) -> float:
    """Return when the earthquake began, in s after the first sample, from the P onset and its travel time.

    An unknown P onset is told from the energy, as `preprocessing.window_start` does.
    """
    if np.isfinite(record.p_s):
        return float(record.p_s - p_travel_s)
    record = resampled(record)
    from obspy_tng.preprocessing import P_AT_S

    return window_start(record) / SAMPLING_RATE_HZ + P_AT_S - p_travel_s


def check(c: np.ndarray) -> np.ndarray:
    """Return conditions as an array (n, 6); refuse impossible ones.

    Raises
    ------
    TNGError
        Not six finite numbers each, or a latitude, longitude, depth or magnitude beyond the Earth's.
    """
    c = np.atleast_2d(np.asarray(c, dtype=float))
    limits = np.array([90.0, 360.0, 90.0, 360.0, 800.0, 10.0])
    if c.shape[-1] != len(FIELDS) or not np.isfinite(c).all() or (np.abs(c) > limits).any() or (c[:, 4] < -5).any():
        raise TNGError(
            f"condition {c.tolist()[0] if c.size else c} given; accepted: station latitude, longitude, event latitude, "
            "longitude in degrees, depth in km (-5 to 800), magnitude (-10 to 10)"
        )
    return c
