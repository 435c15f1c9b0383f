"""Conditions of HEGGS: coordinates, times since the origin, predicted onsets."""

from dataclasses import replace

import numpy as np
import pytest
from obspy import UTCDateTime

from obspy_tng import conditions
from obspy_tng.errors import RecordError, TNGError
from obspy_tng.record import Record

ORIGIN = UTCDateTime(2020, 1, 1)


def record(east_km, late_s=0.0, depth_km=8.0, begin_s=-15.0, vp=6.0, vs=3.5, **more):
    """Return a record whose P and S are those of a uniform crust, `late_s` after the catalogue's origin."""
    degrees = east_km / (111.19492664 * np.cos(np.radians(35)))
    epicentral = conditions.distance_km(35, -117, 35, -117 + degrees)
    r = np.hypot(epicentral, depth_km)
    p, s = r / vp + late_s - begin_s, r / vs + late_s - begin_s
    known = dict(
        data=np.random.default_rng(int(east_km)).normal(size=(3, 9000)), sampling_rate=100.0,
        starttime=ORIGIN + begin_s,
        channels=("HNE", "HNN", "HNZ"), network="XX", station=f"S{int(east_km)}", location="", units="m/s2",
        latitude_deg=35.0, longitude_deg=-117 + degrees, event_id="e1", origin_time=ORIGIN, event_latitude_deg=35.0,
        event_longitude_deg=-117.0, event_depth_km=depth_km, magnitude=4.0, distance_km=epicentral, p_s=p, s_s=s,
        onset_source="pick",
    )  # fmt: skip
    return Record(**{**known, **more})


def test_events_are_retimed_on_their_own_onsets():
    """An origin that the catalogue has 0.7 s early is found from the P onsets, and onsets count from there."""
    records = [record(x, late_s=0.7) for x in (5, 20, 40, 60, 80)]
    terms = conditions.event_terms(records)
    assert terms["e1"] == pytest.approx(0.7, abs=1e-6)
    r = conditions.hypocentral_km(conditions.conditions(records))
    np.testing.assert_allclose(conditions.onsets_s(records, terms), np.stack([r / 6, r / 3.5], 1), atol=1e-6)


def test_fitted_travel_times_are_those_of_the_crust_that_made_the_picks():
    """Picks of a crust of 6.0 and 3.5 km/s give these slownesses back; with few picks the built-in crust is used."""
    records = [record(x) for x in np.linspace(3, 100, 40)]
    travel = conditions.fit_travel_times(records, conditions.event_terms(records))
    np.testing.assert_allclose(travel, [[0, 1 / 6.0, 0], [0, 1 / 3.5, 0]], atol=1e-6)
    assert conditions.fit_travel_times(records[:10], {}) == conditions.UNIFORM


def test_features_are_plane_geometry():
    """A station 50 km east and 50 km north of the event has features 1, azimuth 45 degrees, its distance in ln."""
    north, east = 50 / 111.195, 50 / 111.195 / np.cos(np.radians(35.0))
    row = conditions.features([[35 + north, -117 + east, 35.0, -117.0, 10.0, 4.5]], (35.0, -117.0))[0]
    np.testing.assert_allclose(row[:6], [1, 1, 0, 0, 1, 1], atol=1e-5)
    np.testing.assert_allclose(row[8:], [np.sqrt(0.5)] * 2, atol=1e-5)
    assert row[6] == pytest.approx(np.log(np.sqrt(5000 + 100) / 40), abs=0.01)


def test_record_stands_where_its_origin_says():
    """A spike 20 s after the origin stands at 26 s of the window; what lies outside the record is zero and told."""
    one = record(30)
    data = np.zeros((3, 9000))
    data[:, 3500] = 90.0  # 35 s after the first sample, which is 15 s before the origin
    wave, first, stop = conditions.on_axis(replace(one, data=data), 15.0)
    assert np.argmax(wave[0]) == 2600
    assert (first, stop) == (0, 6000)
    wave, first, stop = conditions.on_axis(replace(one, data=data), -4.0)
    assert first == 1000
    assert not wave[:, :1000].any()
    assert data[0, 3500] == 90.0


def test_origin_follows_from_p():
    """A P 5 s late on the record and 3 s under way began 2 s after the first sample."""
    assert conditions.origin_from_p(replace(record(30), p_s=5.0), 3.0) == pytest.approx(2.0)


@pytest.mark.parametrize(
    "bad", [[95, 0, 0, 0, 5, 4], [35, 0, 35, 0, np.nan, 4], [35, 0, 35, 0, 5], [35, 0, 35, 0, -9, 4]]
)
def test_impossible_conditions_are_refused(bad):
    """Latitudes beyond the poles, unknown depths, missing numbers and hypocentres in the air are named."""
    with pytest.raises(TNGError, match="accepted: station latitude"):
        conditions.check(bad)


def test_what_cannot_be_used_is_refused():
    """A record without magnitude, and one that ends before the earthquake, are refused with a reason."""
    with pytest.raises(RecordError, match="magnitude"):
        conditions.conditions([record(30, magnitude=np.nan)])
    with pytest.raises(RecordError, match=r"0\.0 s of the 60 s"):
        conditions.on_axis(record(30), 200.0)
