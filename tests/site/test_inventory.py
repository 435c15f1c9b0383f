"""HVSR with an inventory that lacks responses: a ratio does without, azimuths are used, nothing is mixed in silence."""

import numpy as np
import pytest
from obspy import Stream, Trace, UTCDateTime
from obspy.core.inventory import Channel, InstrumentSensitivity, Inventory, Network, Response, Station

from obspy_tng import hvsr
from obspy_tng.record import records

START = UTCDateTime(2021, 3, 4, 5)
WHERE = {"latitude": 38.0, "longitude": 27.0, "elevation": 5.0}
FLAT = {"stage_gain": 1000.0, "input_units": "M/S**2", "output_units": "COUNTS", "stage_gain_frequency": 1.0}


def motion():
    """Return noise of E, N, Z, three times as strong along E."""
    data = np.random.default_rng(0).normal(0, 1000, (3, 15_000))
    return data * np.array([[3.0], [1.0], [1.0]])


def stream(data, channels=("HHE", "HHN", "HHZ")):
    header = {"network": "XX", "station": "STA", "sampling_rate": 50.0, "starttime": START}
    return Stream([Trace(row.copy(), header | {"channel": c}) for row, c in zip(data, channels, strict=True)])


def turned(data, degrees):
    """Return components 2, 1, Z of a sensor whose 1 points `degrees` east of north."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([data[0] * c - data[1] * s, data[1] * c + data[0] * s, data[2]])


def sensitivity(value):
    return Response(instrument_sensitivity=InstrumentSensitivity(value, 1.0, "M/S", "COUNTS"))


def inventory(channels=("HHE", "HHN", "HHZ"), azimuths=(90.0, 0.0, 0.0), responses=(None, None, None)):
    dips = [-90.0 if c[-1] == "Z" else 0.0 for c in channels]
    made = [
        Channel(c, "", depth=0.0, azimuth=a, dip=d, sample_rate=50.0, response=r, **WHERE)
        for c, a, d, r in zip(channels, azimuths, dips, responses, strict=True)
    ]
    return Inventory([Network("XX", stations=[Station("STA", channels=made, **WHERE)])], source="test")


def along_east(data, **settings):
    return hvsr(data, window="sliding:60", horizontal="azimuth:90", **settings)


@pytest.mark.parametrize("responses", [(None, None, None), (sensitivity(1e6),) * 3])
def test_azimuths_without_stages(responses):
    """Azimuths, sensitivities perhaps, but no stages: 1 and 2 are turned to E and N, and a note says the rest."""
    where = inventory(("HH2", "HH1", "HHZ"), (127.0, 37.0, 0.0), responses)
    got = along_east(stream(turned(motion(), 37.0), ("HH2", "HH1", "HHZ")), inventory=where)
    truth = along_east(stream(motion()))
    np.testing.assert_allclose(got.hvsr.values, truth.hvsr.values, rtol=1e-9)
    assert got.attrs["skipped"] == [] and truth.attrs["notes"] == []
    assert [note for note in got.attrs["notes"] if "XX.STA: the inventory lacks responses" in note]


def test_one_missing_response_leaves_all_three():
    """Responses of E and N alone are not applied: H/V is that of the numbers as they are, not a thousandth of it."""
    full = Response.from_paz([], [], **FLAT)
    got = hvsr(stream(motion()), window="sliding:60", inventory=inventory(responses=(full, full, None)))
    np.testing.assert_allclose(got.hvsr.values, hvsr(stream(motion()), window="sliding:60").hvsr.values, rtol=1e-12)
    assert len(got.attrs["notes"]) == 1
    whole = hvsr(stream(motion()), window="sliding:60", inventory=inventory(responses=(full,) * 3))
    assert whole.attrs["notes"] == []


def test_station_that_is_not_in_the_inventory():
    """Another station's inventory costs nothing but the note."""
    other = inventory()
    other[0][0].code = "OTHER"
    got = hvsr(stream(motion()), window="sliding:60", inventory=other)
    assert got.sizes["record"] == 5 and "XX.STA" in got.attrs["notes"][0]


def test_unequal_sensitivities():
    """Counts of a vertical of half the sensitivity are doubled, so that H/V is that of the ground."""
    counts = motion() * np.array([[1.0], [1.0], [0.5]])
    uneven = inventory(responses=(sensitivity(2e6), sensitivity(2e6), sensitivity(1e6)))
    got = hvsr(stream(counts), window="sliding:60", inventory=uneven)
    np.testing.assert_allclose(got.hvsr.values, hvsr(stream(motion()), window="sliding:60").hvsr.values, rtol=1e-9)


def test_unknown_azimuths_are_noted_where_they_matter():
    """1 and 2 without an inventory: a note for a direction, none for the quadratic mean, which has none."""
    data = stream(motion(), ("HH2", "HH1", "HHZ"))
    assert "azimuths of 1 and 2 are not known" in along_east(data).attrs["notes"][0]
    assert hvsr(data, window="sliding:60").attrs["notes"] == []
    assert along_east(stream(motion())).attrs["notes"] == []


def test_records_still_need_responses():
    """Where amplitudes count, a record without a response is left out, as ever."""
    assert "no response for" in records(stream(motion()), inventory()).skipped[0].reason
    (record,) = records(stream(motion()), inventory(), need_response=False)
    assert record.units == "unknown" and record.oriented
    np.testing.assert_array_equal(record.data, motion())
