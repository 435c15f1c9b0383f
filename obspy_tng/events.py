"""Which earthquake a record holds, and when its P and S arrive.

Catalogue origin times may be rounded, so each event is re-timed on its own P picks before any travel time is used.
Travel times are those of a uniform crust: only differences of a second or two matter for an S window.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from obspy import UTCDateTime

VP_KM_S = 6.0
VS_KM_S = VP_KM_S / 1.73
_RETIME_KM = 150.0  # farther P picks are refracted below the crust


def too_quiet(record) -> str:
    """Return why a record of a large earthquake cannot be real, "" if it can.

    A recorder that is dead in all components shows only in its amplitude: for magnitudes from 5.5 on, a component whose
    peak is below a hundredth of the median PGA of Joyner & Boore (1981, BSSA 71(6), Eq. 5; sd there 0.26 in log10).
    """
    if record.units != "m/s2" or not (record.magnitude >= 5.5 and record.distance_km <= 200):
        return ""
    r = np.hypot(record.distance_km, 7.3)
    expected = 9.80665 * 10 ** (-1.02 + 0.249 * record.magnitude - np.log10(r) - 0.00255 * r)
    peak = np.abs(record.data - np.median(record.data, axis=1, keepdims=True)).max(axis=1).min()
    if peak >= expected / 100:
        return ""
    return (
        f"dead: a component peaks at {peak:.1e} m/s², where M {record.magnitude:.1f} at {record.distance_km:.0f} km "
        f"gives about {expected:.1g} m/s²"
    )


class Event(NamedTuple):
    """One earthquake of the catalogue, times in UTC, with its picks per station."""

    id: str
    origin_time: UTCDateTime
    latitude_deg: float
    longitude_deg: float
    depth_km: float
    magnitude: float
    event_term_s: float  # origin time correction from the P picks
    p_picks: dict
    s_picks: dict


def distance_km(lat1, lon1, lat2, lon2) -> float:
    """Return the great-circle distance in km on a sphere of 6371 km (haversine)."""
    lat1, lon1, lat2, lon2 = map(np.radians, (lat1, lon1, lat2, lon2))
    h = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return float(2 * 6371.0 * np.arcsin(np.sqrt(h)))


class EventTable:
    """The events of a catalogue, re-timed on their P picks, ready to be matched with records.

    Parameters
    ----------
    events : obspy.Catalog or None
    inventory : obspy.Inventory or None
        Coordinates of the stations that were picked.
    """

    def __init__(self, events=None, inventory=None):
        if isinstance(events, EventTable):
            self.events = events.events
            return
        places = {}
        for network in inventory or ():
            for station in network:
                places[(network.code, station.code)] = (station.latitude, station.longitude)
        self.events = [e for e in (_event(event, places) for event in events or ()) if e is not None]
        self.events.sort(key=lambda e: e.origin_time)

    def attach(self, record):
        """Return the record with its event, distance and onsets; picks first, then travel times."""
        event = self._match(record)
        if event is not None:
            record = replace(
                record, event_id=event.id, origin_time=event.origin_time, magnitude=event.magnitude,
                event_latitude_deg=event.latitude_deg, event_longitude_deg=event.longitude_deg,
                event_depth_km=event.depth_km,
            )  # fmt: skip
        if record.origin_time is None or not np.isfinite(record.event_latitude_deg + record.latitude_deg):
            return record
        epicentral = distance_km(
            record.event_latitude_deg, record.event_longitude_deg, record.latitude_deg, record.longitude_deg
        )
        record = replace(record, distance_km=epicentral)
        return replace(record, **_onsets(record, event))

    def _match(self, record):
        """Return the event whose P arrives inside the record: a picked one first, then the earliest arrival."""
        best, score = None, None
        for event in self.events:
            start, end = record.starttime - event.origin_time, record.starttime + record.duration_s - event.origin_time
            if end < 0 or start > 300:
                continue
            key = (record.network, record.station)
            if key in event.p_picks or key in event.s_picks:
                pick = event.p_picks.get(key, event.s_picks.get(key))
                if -5 < pick - record.starttime < record.duration_s:
                    rank = (0, abs(pick - record.starttime))
                else:
                    continue
            elif np.isfinite(record.latitude_deg):
                epicentral = distance_km(
                    event.latitude_deg, event.longitude_deg, record.latitude_deg, record.longitude_deg
                )
                arrival = event.event_term_s + np.hypot(epicentral, event.depth_km) / VP_KM_S
                if not start - 5 < arrival < end:
                    continue
                rank = (1, arrival - start)
            else:
                continue
            if score is None or rank < score:
                best, score = event, rank
        return best


def _event(event, places):
    origin = event.preferred_origin() or (event.origins[0] if event.origins else None)
    if origin is None or origin.time is None or origin.latitude is None or origin.longitude is None:
        return None
    place = (origin.latitude, origin.longitude, origin.depth or 0.0)
    if not np.isfinite(place).all() or abs(place[0]) > 90 or abs(place[1]) > 360:
        return None
    magnitude = event.preferred_magnitude() or (event.magnitudes[0] if event.magnitudes else None)
    depth = (origin.depth or 0.0) / 1000.0
    picks = {"P": {}, "S": {}}
    hints = {a.pick_id: a.phase for a in origin.arrivals}
    residuals = []
    for pick in event.picks:
        phase = (pick.phase_hint or hints.get(pick.resource_id) or "")[:1].upper()
        key = (pick.waveform_id.network_code, pick.waveform_id.station_code) if pick.waveform_id else None
        if phase not in picks or key is None or pick.time is None:
            continue
        picks[phase][key] = min(pick.time, picks[phase].get(key, pick.time))
    for key, time in picks["P"].items():
        if key in places:
            epicentral = distance_km(origin.latitude, origin.longitude, *places[key])
            if epicentral <= _RETIME_KM:
                residuals.append(time - origin.time - np.hypot(epicentral, depth) / VP_KM_S)
    term = float(np.median(residuals)) if residuals else 0.0
    return Event(
        str(event.resource_id).rsplit("/", 1)[-1], origin.time, origin.latitude, origin.longitude, depth,
        magnitude.mag if magnitude and magnitude.mag is not None else np.nan, term, picks["P"], picks["S"],
    )  # fmt: skip


def _onsets(record, event) -> dict:
    """Return p_s, s_s and onset_source: the pick, else S from P by the crust's ratio, else travel time."""
    if np.isfinite(record.s_s):
        return {}
    depth = record.event_depth_km if np.isfinite(record.event_depth_km) else 10.0
    path = np.hypot(record.distance_km, depth)
    term = event.event_term_s if event else 0.0
    key = (record.network, record.station)
    offset = record.starttime - record.origin_time
    p_pick = event.p_picks.get(key) if event else None
    s_pick = event.s_picks.get(key) if event else None
    if p_pick:
        p = p_pick - record.starttime
    else:
        p = record.p_s if np.isfinite(record.p_s) else term + path / VP_KM_S - offset
    if s_pick:
        return {"p_s": float(p), "s_s": float(s_pick - record.starttime), "onset_source": "pick"}
    s = p + path / VS_KM_S - path / VP_KM_S  # a picked P carries the event term already
    source = "travel time"
    if not 0 <= s < record.duration_s:
        return {"p_s": float(p) if p_pick else record.p_s, "s_s": np.nan, "onset_source": "pick" if p_pick else ""}
    return {"p_s": float(p), "s_s": float(s), "onset_source": source}
