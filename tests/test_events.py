"""Which earthquake a record holds, its onsets, and records too quiet to be true."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import obspy
import pytest
from obspy import Catalog, UTCDateTime
from obspy.core.event import Arrival, Event, Magnitude, Origin, Pick, ResourceIdentifier, WaveformStreamID
from obspy.core.inventory import Inventory, Network, Station
from obspy.geodetics import gps2dist_azimuth

from obspy_tng.events import VP_KM_S, VS_KM_S, EventTable, distance_km, too_quiet
from obspy_tng.record import Record, records
from obspy_tng.simulation import simulate

NETWORK = Path(__file__).parents[1] / "data_samples" / "network"
ORIGIN = UTCDateTime(2020, 5, 6, 7, 8, 9)
STATIONS = {"AA": (38.1, 27.0), "BB": (38.0, 27.3), "CC": (37.8, 26.9), "DD": (38.3, 27.2), "EE": (38.2, 26.8)}
DEPTH_KM = 8.0


def inventory():
    """Five stations around 38 N 27 E, coordinates only."""
    return Inventory([Network("XX", stations=[Station(c, a, o, 0.0) for c, (a, o) in STATIONS.items()])])


def travel_s(code, velocity, place=(38.0, 27.0)):
    """Return the time of a straight ray to a station, with ObsPy's own distance."""
    away = gps2dist_azimuth(*place, *STATIONS[code])[0] / 1e3
    return np.hypot(away, DEPTH_KM) / velocity


def event(origin=ORIGIN, place=(38.0, 27.0), late_s=0.0, picked=(), phases="P", name="ev1", magnitude=4.0):
    """Return an event whose P picks come `late_s` later than its catalogue time tells."""
    source = Origin(time=origin, latitude=place[0], longitude=place[1], depth=DEPTH_KM * 1e3)
    made = Event(resource_id=ResourceIdentifier(f"smi:local/{name}"), origins=[source])
    made.magnitudes = [Magnitude(mag=magnitude)]
    for code in picked:
        for phase in phases:
            time = origin + late_s + travel_s(code, VP_KM_S if phase == "P" else VS_KM_S, place)
            made.picks.append(Pick(time=time, phase_hint=phase, waveform_id=WaveformStreamID("XX", code)))
    return made


def record(code="AA", start=ORIGIN - 15, seconds=60.0, **fields):
    """Return a record of a station without any knowledge of its event."""
    data = np.random.default_rng(0).normal(size=(3, round(seconds * 100) + 1))
    where = dict(zip(("latitude_deg", "longitude_deg"), STATIONS[code], strict=True))
    return Record(data, 100.0, start, "XX", code, **where, **fields)


# --- distance


@pytest.mark.parametrize(
    ("a", "b"),
    [((38, 27), (38.2, 27.3)), ((35.7, -117.5), (36.5, -116.6)), ((-41, 174), (-42, 173)), ((0, 179.5), (0.4, -179.5)),
     ((70, 20), (69, 25)), ((38, 27), (30, 40))],
)  # fmt: skip
def test_distance_equals_obspys(a, b):
    """The sphere of 6371 km is within 0.5 % of ObsPy's ellipsoid, across the date line, too."""
    assert distance_km(*a, *b) == pytest.approx(gps2dist_azimuth(*a, *b)[0] / 1e3, rel=0.005)


def test_distance_of_a_degree():
    """A degree along a meridian is 2π 6371 / 360 km, nothing is 0, and the antipode half the circumference."""
    assert distance_km(10, 5, 11, 5) == pytest.approx(2 * np.pi * 6371 / 360, rel=1e-9)
    assert distance_km(38, 27, 38, 27) == 0
    assert distance_km(0, 0, 0, 180) == pytest.approx(np.pi * 6371, rel=1e-9)


# --- onsets


def test_retiming_on_p_picks():
    """A catalogue 0.8 s early, three stations picked: the unpicked fourth and fifth get 0.8 s more."""
    table = EventTable(Catalog([event(late_s=0.8, picked=("AA", "BB", "CC"))]), inventory())
    assert table.events[0].event_term_s == pytest.approx(0.8, abs=0.02)
    for code in ("DD", "EE"):
        got = table.attach(record(code))
        assert got.p_s == pytest.approx(15 + 0.8 + travel_s(code, 6.0), abs=0.03)
        assert got.s_s == pytest.approx(15 + 0.8 + travel_s(code, 6.0 / 1.73), abs=0.05)
        assert got.onset_source == "travel time"


def test_without_picks_the_catalogue_time_counts():
    """No pick, no correction."""
    table = EventTable(Catalog([event()]), inventory())
    assert table.events[0].event_term_s == 0.0
    assert table.attach(record("AA")).p_s == pytest.approx(15 + travel_s("AA", 6.0), abs=0.02)


def test_one_wrong_pick_does_not_move_the_event():
    """The median of five residuals forgets a pick that is 20 s late."""
    quake = event(late_s=0.8, picked=tuple(STATIONS))
    quake.picks[2].time += 20
    assert EventTable(Catalog([quake]), inventory()).events[0].event_term_s == pytest.approx(0.8, abs=0.02)


def test_far_picks_do_not_retime():
    """Beyond 150 km P is refracted below the crust and faster: such a pick is kept, but says nothing of time."""
    stations = inventory()
    stations[0].stations.append(Station("FAR", 40.0, 27.0, 0.0))
    quake = event()
    quake.picks = [Pick(time=ORIGIN + 30, phase_hint="Pn", waveform_id=WaveformStreamID("XX", "FAR"))]
    table = EventTable(Catalog([quake]), stations)
    assert table.events[0].event_term_s == 0.0
    assert table.events[0].p_picks[("XX", "FAR")] == ORIGIN + 30


def test_picks_beat_travel_times():
    """Picks of P and S are taken as they are, 1 s away from any travel time."""
    quake = event(picked=("AA",), phases="PS")
    for pick in quake.picks:
        pick.time += 1.0
    quake.picks += event(picked=("BB", "CC")).picks
    got = EventTable(Catalog([quake]), inventory()).attach(record("AA"))
    assert got.p_s == pytest.approx(quake.picks[0].time - (ORIGIN - 15), abs=1e-4)
    assert got.s_s == pytest.approx(quake.picks[1].time - (ORIGIN - 15), abs=1e-4)
    assert got.onset_source == "pick"


def test_s_from_a_picked_p():
    """P picked, S not: S follows P by the travel-time difference, the event's lateness is not added twice."""
    got = EventTable(Catalog([event(late_s=0.8, picked=("AA",))]), inventory()).attach(record("AA"))
    p = 15 + 0.8 + travel_s("AA", 6.0)
    assert got.p_s == pytest.approx(p, abs=1e-3)
    assert got.s_s == pytest.approx(p + travel_s("AA", 6.0 / 1.73) - travel_s("AA", 6.0), abs=0.03)
    assert got.onset_source == "travel time"


def test_earliest_pick_of_a_phase_counts():
    """Pg after Pn of one station, and phases named by arrivals only."""
    quake = event()
    later, first = (Pick(time=ORIGIN + t, waveform_id=WaveformStreamID("XX", "AA")) for t in (5.0, 3.0))
    later.phase_hint = "Pg"
    quake.picks = [later, first]
    quake.origins[0].arrivals = [Arrival(pick_id=first.resource_id, phase="Pn")]
    table = EventTable(Catalog([quake]), inventory())
    assert table.attach(record("AA")).p_s == pytest.approx(18.0)


def test_onset_beyond_the_record_is_none():
    """A record that ends before S has no S."""
    got = EventTable(Catalog([event()]), inventory()).attach(record("CC", seconds=15 + travel_s("CC", 6.0) + 0.5))
    assert np.isnan(got.s_s) and got.onset_source == ""


def test_onsets_of_the_file_are_kept():
    """What a file itself tells of S is not replaced by a travel time."""
    got = EventTable(Catalog([event()]), inventory()).attach(record("AA", p_s=17.0, s_s=19.0, onset_source="pick"))
    assert (got.p_s, got.s_s, got.onset_source, got.event_id) == (17.0, 19.0, "pick", "ev1")


def test_network_onsets_are_the_simulated_ones():
    """Without its own picks, each sample record gets P within 0.4 s and S within 0.6 s of the simulation."""
    import json

    truth = json.loads((NETWORK.parent / "truth.json").read_text(encoding="utf-8"))
    catalog = obspy.read_events(str(NETWORK / "events.xml"))
    stations = obspy.read_inventory(str(NETWORK / "stations.xml"))
    table = EventTable(catalog, stations)
    for one in table.events:
        own = truth[f"network/{one.id}.mseed#SOFT"]
        made = record("AA", start=UTCDateTime(own["starttime"]))
        made = replace(made, network="XT", station="SOFT", latitude_deg=38.40, longitude_deg=27.15)
        bare = one._replace(p_picks={}, s_picks={})
        lone = EventTable()
        lone.events = [bare]
        got = lone.attach(made)
        assert got.event_id == one.id and got.onset_source == "travel time"
        assert got.distance_km == pytest.approx(own["distance_km"], rel=0.005)
        assert got.p_s == pytest.approx(own["p_s"], abs=0.4)
        assert got.s_s == pytest.approx(own["s_s"], abs=0.6)


# --- which event


@pytest.mark.parametrize("picked", [(), ("AA",)])
def test_two_events_a_minute_apart(picked):
    """Each record gets the event whose P it begins with, picked or not; so does one that holds both."""
    catalog = Catalog([
        event(ORIGIN + 60, place=(38.05, 27.05), picked=picked, name="second"),
        event(ORIGIN, picked=picked, name="first"),
    ])  # fmt: skip
    table = EventTable(catalog, inventory())
    assert [e.id for e in table.events] == ["first", "second"]
    assert table.attach(record("AA", start=ORIGIN - 10, seconds=40)).event_id == "first"
    assert table.attach(record("AA", start=ORIGIN + 50, seconds=40)).event_id == "second"
    assert table.attach(record("AA", start=ORIGIN - 10, seconds=110)).event_id == "first"


def test_a_pick_beats_an_earlier_arrival():
    """An unpicked small event comes first in the record, but the picked one is what it was cut for."""
    catalog = Catalog([event(ORIGIN - 8, name="small"), event(ORIGIN, picked=("AA",), name="picked")])
    assert EventTable(catalog, inventory()).attach(record("AA")).event_id == "picked"


def test_no_event_in_the_record():
    """An hour later, or before P has come: no event, no distance, no onsets."""
    table = EventTable(Catalog([event()]), inventory())
    for start, seconds in ((ORIGIN + 3600, 60), (ORIGIN - 60, 55), (ORIGIN + 30, 60)):
        got = table.attach(record("AA", start=start, seconds=seconds))
        assert got.event_id == "" and got.origin_time is None
        assert np.isnan([got.distance_km, got.p_s, got.s_s, got.magnitude]).all()


def test_no_catalogue():
    """Without events a record is left as it is."""
    made = record("AA")
    assert EventTable().attach(made) is made
    assert EventTable(EventTable(Catalog([event()]), inventory())).events[0].id == "ev1"


def test_incomplete_events():
    """An event without origin is passed over; without magnitude or depth, a pick without time: NaN, 0 km, no pick."""
    empty, bare = Event(), event(picked=("BB",))
    bare.magnitudes = [Magnitude()]
    bare.origins[0].depth = None
    bare.picks[0].time = None
    table = EventTable(Catalog([empty, bare]), inventory())
    (one,) = table.events
    assert np.isnan(one.magnitude) and one.depth_km == 0 and not one.p_picks
    assert np.isnan(table.attach(record("AA")).magnitude)


def test_preferred_origin_and_magnitude():
    """Of several, the preferred ones count."""
    quake = event()
    quake.origins.append(Origin(time=ORIGIN + 1, latitude=39.0, longitude=28.0, depth=5e3))
    quake.magnitudes.append(Magnitude(mag=6.6))
    quake.preferred_origin_id = quake.origins[1].resource_id
    quake.preferred_magnitude_id = quake.magnitudes[1].resource_id
    (one,) = EventTable(Catalog([quake])).events
    assert (one.magnitude, one.latitude_deg, one.depth_km, one.origin_time) == (6.6, 39.0, 5.0, ORIGIN + 1)


# --- too quiet


def test_dead_record_of_a_large_earthquake():
    """M 7.7 at 50 km: Joyner & Boore (1981) give 0.116 g; a peak of 1 mm/s² cannot be, 2 cm/s² can."""
    log_g = -1.02 + 0.249 * 7.7 - np.log10(np.hypot(50, 7.3)) - 0.00255 * np.hypot(50, 7.3)
    assert 10**log_g == pytest.approx(0.116, abs=0.001)
    made = record("AA", magnitude=7.7, distance_km=50.0)
    unit = made.data / np.abs(made.data - np.median(made.data, axis=1, keepdims=True)).max(axis=1, keepdims=True)
    floor = 9.80665 * 0.00116
    for peak, dead in ((1e-3, True), (0.99 * floor, True), (1.02 * floor, False), (2e-2, False)):
        text = too_quiet(replace(made, data=unit * peak))
        assert bool(text) == dead, peak
    assert "M 7.7 at 50 km" in too_quiet(replace(made, data=unit * 1e-3))


def test_real_size_records_are_not_dead():
    """Simulated M 6.5 at 10 to 60 km, rock and soil: none is too quiet; the same a million times smaller are."""
    for distance in (10.0, 30.0, 60.0):
        stream = simulate(magnitude=6.5, distance_km=distance, n=3, seed=3, duration_s=90.0)
        got = records(stream)
        assert len(got) == 3 and not got.skipped
        for trace in stream:
            trace.data = trace.data * 1e-6
        dead = records(stream)
        assert not dead and all("M 6.5" in text for _, text in dead.skipped)


@pytest.mark.parametrize(
    "fields",
    [{"magnitude": 5.4}, {"magnitude": np.nan}, {"distance_km": 250.0}, {"distance_km": np.nan}, {"units": "unknown"}],
)
def test_too_quiet_judges_only_what_it_knows(fields):
    """Small, far or unknown earthquakes and unknown units are never called dead."""
    made = record("AA", **{"magnitude": 7.7, "distance_km": 50.0, **fields})
    assert too_quiet(replace(made, data=made.data * 1e-9)) == ""
