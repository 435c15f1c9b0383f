"""Units and orientation of records: which calib is trusted, what is refused, and rotation by azimuth."""

from pathlib import Path

import numpy as np
import obspy
import pytest
from obspy import Stream, Trace, UTCDateTime
from obspy.core import AttribDict
from obspy.core.inventory import Channel, Inventory, Network, Response, Station

from obspy_tng import grouping
from obspy_tng.errors import RecordError
from obspy_tng.record import records

SAMPLES = Path(__file__).parents[1] / "data_samples"
START = UTCDateTime(2021, 3, 4, 5)
G = 9.80665


def traces(data, channels=("HNE", "HNN", "HNZ"), **headers):
    """Return a Stream of rows, as a reader that knows nothing of units leaves it."""
    base = {"network": "XX", "station": "STA", "sampling_rate": 100.0, "starttime": START}
    return Stream([Trace(np.array(row), {**base, "channel": c, **headers})
                   for row, c in zip(data, channels, strict=True)])  # fmt: skip


def motion(seed=0, npts=2000):
    """Return independent noise of three components."""
    return np.random.default_rng(seed).normal(size=(3, npts))


def inventory(azimuths, dips, channels, **epoch):
    """Return an inventory of flat accelerometers (1000 counts per m/s²) in the directions given."""
    flat = Response.from_paz(
        [], [], stage_gain=1000.0, input_units="M/S**2", output_units="COUNTS", stage_gain_frequency=1.0
    )
    where = {"latitude": 38.0, "longitude": 27.0, "elevation": 5.0}
    made = [
        Channel(c, "", depth=0.0, azimuth=a, dip=d, sample_rate=100.0, response=flat, **where)
        for c, a, d in zip(channels, azimuths, dips, strict=True)
    ]
    return Inventory([Network("XX", stations=[Station("STA", channels=made, **where)])], source="test")


# --- units


@pytest.mark.parametrize(("units", "factor"), [("m/s2", 1.0), ("cm/s2", 0.01), ("gal", 0.01), ("g", G)])
def test_units_given_by_the_user(units, factor):
    """A file that cannot tell is scaled by what the user says, calib or not."""
    data = motion()
    for calib in (1.0, 42.0):
        (record,) = records(traces(data, calib=calib), units=units)
        assert record.units == "m/s2"
        np.testing.assert_allclose(record.data, data * factor, rtol=1e-12)


def test_unknown_units_stay_unknown():
    """Without inventory or units nobody guesses: the numbers, and units "unknown"."""
    data = motion()
    (record,) = records(traces(data))
    assert record.units == "unknown"
    np.testing.assert_array_equal(record.data, data)


def test_wrong_units_are_the_callers_error():
    """units="counts" raises and names what is accepted."""
    with pytest.raises(RecordError, match=r"'counts'.*m/s2, cm/s2, gal, g"):
        records(traces(motion()), units="counts")


@pytest.mark.parametrize("reader", ["dyna", "nsmn", "at2", "knet", "matlab"])
def test_calib_of_readers_of_acceleration_is_trusted(reader):
    """Each component's own calib, negative ones too, makes m/s² of what these readers return."""
    data = motion()
    stream = traces(data)
    for trace, calib in zip(stream, (0.01, -0.01, 0.02), strict=True):
        trace.stats.calib = calib
        trace.stats[reader] = AttribDict(PGA=1.0)
    (record,) = records(stream)
    assert record.units == "m/s2"
    np.testing.assert_allclose(record.data, data * np.array([[0.01], [-0.01], [0.02]]), rtol=1e-12)


def test_calib_of_other_readers_is_not():
    """A calib in a GSE2 file is nm per count, not m/s²: units stay unknown."""
    (record,) = records(traces(motion(), calib=0.05, gse2={"instype": "S-13"}))
    assert record.units == "unknown"


@pytest.mark.parametrize("calib", [0.0, np.nan])
@pytest.mark.filterwarnings("ignore:Calibration factor")
def test_calib_that_tells_nothing_is_a_reason(calib):
    """A calib of 0 would make a silent record, one of NaN a record of NaN."""
    got = records(traces(motion(), calib=calib, dyna={"PGA": 1.0}))
    assert not got and "stats.calib" in got.skipped[0].reason


@pytest.mark.parametrize(("units", "si"), [("cm/s", "m/s"), ("cm", "m")])
def test_files_of_velocity_are_refused(tmp_path, units, si):
    """A DYNA file of velocity or displacement is no accelerogram, and its reason names the unit."""
    for path in SAMPLES.glob("*_RawAcc_*.asc"):
        text = path.read_text(encoding="utf-8")
        assert "UNITS: cm/s^2" in text
        (tmp_path / path.name).write_text(text.replace("UNITS: cm/s^2", f"UNITS: {units}"), encoding="utf-8")
    stream = Stream([tr for path in sorted(tmp_path.glob("*.asc")) for tr in obspy.read(str(path))])
    got = records(stream)
    assert not got and f"the file holds {si}, not acceleration" in got.skipped[0].reason


def test_files_keep_their_own_unit_beside_an_inventory():
    """An inventory with a response of that channel does not touch a file that is in gal already."""
    data = motion()
    stations = inventory((90, 0, 0), (0, 0, -90), ("HNE", "HNN", "HNZ"))
    (record,) = records(traces(data, calib=0.01, nsmn={"PLACE": "X"}), stations)
    np.testing.assert_allclose(record.data, data * 0.01, rtol=1e-12)
    (counts,) = records(traces(data), stations)
    inner = slice(300, -300)
    # band-limited noise keeps 0.08 to 45 of 50 Hz
    assert counts.units == "m/s2"
    assert counts.data[:, inner].std() == pytest.approx(1e-3 * np.sqrt(0.95), rel=0.03)


def test_samples_read_with_calib_applied():
    """ObsPy leaves stats.calib standing after apply_calib=True; units="m/s2" says the scaling is done."""
    path = str(SAMPLES / "20160509102033_0098.txt")
    (record,) = records(obspy.read(path))
    (applied,) = records(obspy.read(path, apply_calib=True), units="m/s2")
    np.testing.assert_allclose(applied.data, record.data, rtol=1e-12)


# --- orientation


def along(earth, azimuth_deg, dip_deg=0.0):
    """Return the motion (E, N, Z rows) seen along a direction; dip is positive downwards, as in SEED."""
    azimuth, dip = np.radians([azimuth_deg, dip_deg])
    east, north = np.cos(dip) * np.sin(azimuth), np.cos(dip) * np.cos(azimuth)
    return east * earth[0] + north * earth[1] - np.sin(dip) * earth[2]


@pytest.mark.parametrize(("azimuth_1", "azimuth_2"), [(30, 120), (215, 305), (0, 90), (10, 95)])
def test_1_2_z_by_azimuth(azimuth_1, azimuth_2):
    """A known motion sensed along two azimuths, even oblique ones, is E and N again."""
    earth = motion(3)
    names = ("HN1", "HN2", "HNZ")
    sensed = [along(earth, azimuth_1), along(earth, azimuth_2), earth[2]]
    stations = inventory((azimuth_1, azimuth_2, 0), (0, 0, -90), names)
    (record,) = records(traces(sensed, names), stations, units="m/s2")
    np.testing.assert_allclose(record.data, earth, atol=1e-9)


def test_1_2_z_without_inventory():
    """Nobody knows the azimuths: 1 takes the row of N and 2 that of E, as SEED has it, nothing is turned."""
    data, names = motion(), ("HN1", "HN2", "HNZ")
    (record,) = records(traces(data, names))
    assert record.channels == ("HN2", "HN1", "HNZ")
    np.testing.assert_array_equal(record.data, data[[1, 0, 2]])


def test_misaligned_e_n_by_azimuth():
    """Channels named E and N that the inventory knows to point 7° off are turned, too."""
    earth = motion(4)
    stations = inventory((97.0, 7.0, 0.0), (0, 0, -90), ("HNE", "HNN", "HNZ"))
    sensed = [along(earth, 97.0), along(earth, 7.0), earth[2]]
    (record,) = records(traces(sensed), stations, units="m/s2")
    np.testing.assert_allclose(record.data, earth, atol=1e-9)


def test_vertical_that_points_down():
    """A dip of +90 is a vertical positive downwards: its sign is turned, the horizontals stay."""
    earth = motion(5)
    stations = inventory((90, 0, 0), (0, 0, 90), ("HNE", "HNN", "HNZ"))
    (record,) = records(traces([earth[0], earth[1], -earth[2]]), stations, units="m/s2")
    np.testing.assert_allclose(record.data, earth, atol=1e-9)


def test_three_oblique_sensors():
    """1 2 3 of a homogeneous triaxial sensor (54.7° from the vertical, 120° apart) are E N Z again."""
    earth = motion(6)
    azimuths, dip, names = (0.0, 120.0, 240.0), -np.degrees(np.arcsin(1 / np.sqrt(3))), ("HN1", "HN2", "HN3")
    stations = inventory(azimuths, (dip,) * 3, names)
    sensed = [along(earth, a, dip) for a in azimuths]
    (record,) = records(traces(sensed, names), stations, units="m/s2")
    np.testing.assert_allclose(record.data, earth, atol=1e-9)


def test_nominal_azimuths_leave_samples_untouched():
    """Within 0.5° of nominal nothing is turned: bit for bit the file's numbers."""
    data = motion()
    stations = inventory((90.2, 0.1, 0.0), (0, 0, -90), ("HNE", "HNN", "HNZ"))
    (record,) = records(traces(data), stations, units="m/s2")
    np.testing.assert_array_equal(record.data, data)


def test_azimuths_that_do_not_span_space_are_a_reason():
    """Two components of one azimuth cannot become E and N: a reason with the azimuths."""
    stations = inventory((40.0, 40.0, 0.0), (0, 0, -90), ("HN1", "HN2", "HNZ"))
    got = records(traces(motion(), ("HN1", "HN2", "HNZ")), stations, units="m/s2")
    assert not got and "do not span space" in got.skipped[0].reason and "40" in got.skipped[0].reason


def test_at2_azimuths_turn_the_record():
    """AT2 components named 120 and 210 are turned by the azimuths their names hold."""
    earth = motion(7)
    stream = traces([along(earth, 120.0), along(earth, 210.0), earth[2]], ("HN2", "HN1", "HNZ"))
    for trace, azimuth in zip(stream, (120.0, 210.0, None), strict=True):
        trace.stats.at2 = AttribDict({} if azimuth is None else {"AZIMUTH": azimuth})
    (record,) = records(stream)
    np.testing.assert_allclose(record.data, earth, atol=1e-9)


# --- small parts


def test_instrument_and_component():
    """What channels of one sensor share, and the letter each stands for."""
    for channel, sensor, letter in (
        ("HNE", "HN", "E"), ("BHU", "BH", "Z"), ("HN1", "HN", "1"), ("EW", "knet", "E"),
        ("NS2", "knet2", "N"), ("UD1", "knet1", "Z"), ("hnv", "HN", "Z"), ("HNX", "HN", ""), ("", "", ""),
    ):  # fmt: skip
        trace = Trace(header={"channel": channel})
        assert (grouping.instrument(trace), grouping.component(trace)) == (sensor, letter), channel


def test_clusters_split_at_long_silence():
    """Pieces 20 s apart belong together (a gap), 40 s apart they are two records."""

    def at(second):
        return Trace(np.zeros(1001), {"starttime": START + second, "sampling_rate": 100.0})

    assert [len(c) for c in grouping.clusters([at(30), at(0)])] == [2]
    assert [len(c) for c in grouping.clusters([at(50), at(0)])] == [1, 1]
    assert grouping.clusters([]) == []
