"""PEER AT2 files: three header generations, orientation, damage and the round trip."""

import io

import numpy as np
import obspy
import pytest
from obspy import Stream, Trace, UTCDateTime
from obspy.core import AttribDict

from obspy_tng.errors import FormatError
from obspy_tng.io.at2 import _is_at2

OLD = """PEER STRONG MOTION DATABASE RECORD. PROCESSING BY PACIFIC ENGINEERING.
EXAMPLE VALLEY 01/02/1980 0304, TEST ARRAY #1, 090
ACCELERATION TIME HISTORY IN UNITS OF G. FILTER POINTS: HP=0.1 Hz LP=40.0 Hz
NPTS=   7, DT= .00500 SEC
  .1234500E-02 -.5000000E-03  .0000000E+00  .2500000E-02 -.1000000E-01
  .3000000E-01 -.4000000E-01
"""
NGA = """PEER NGA STRONG MOTION DATABASE RECORD
Example Valley, 1/2/1980, Test Array #1, UP
ACCELERATION TIME SERIES IN UNITS OF G
NPTS=     6, DT=   .0100 SEC,
 -0.1000000E-02-0.2000000E-02 0.3000000E-02-0.4000000E-02 0.5000000E-02
 -0.6000000E-02
"""
NINETIES = """PACIFIC ENGINEERING AND ANALYSIS STRONG-MOTION DATA
EXAMPLE VALLEY 01/02/80, TEST ARRAY #2, 337
ACCELERATION TIME HISTORY IN UNITS OF G
   5    .0200    NPTS, DT
   .100000E+00   .200000E+00  -.300000E+00   .400000E+00  -.500000E+00
"""


def read_text(text, **kwargs):
    """Read AT2 text from memory, through ObsPy's detection."""
    return obspy.read(io.BytesIO(text.encode()), **kwargs)[0]


def test_old_header():
    """Free text, no leading zeros, short last row: 7 samples at 200 Hz, HNE, peak 0.04 g = 0.392266 m/s²."""
    trace = read_text(OLD, apply_calib=True)
    assert trace.stats._format == "AT2"
    assert (trace.stats.npts, trace.stats.sampling_rate, trace.stats.channel) == (7, 200.0, "HNE")
    assert np.abs(trace.data).max() == pytest.approx(0.392266, rel=1e-9)
    assert trace.stats.starttime == UTCDateTime(0)
    at2 = trace.stats.at2
    assert (at2.EVENT, at2.DATE, at2.STATION) == ("EXAMPLE VALLEY", "01/02/1980 0304", "TEST ARRAY #1")
    assert at2.AZIMUTH == 90.0


def test_nga_header_with_stuck_numbers():
    """Numbers that touch are six, not fewer: 100 Hz, HNZ, the last is -0.006 g."""
    trace = read_text(NGA)
    assert (trace.stats.sampling_rate, trace.stats.channel, trace.stats.calib) == (100.0, "HNZ", 9.80665)
    np.testing.assert_array_equal(trace.data, [-0.001, -0.002, 0.003, -0.004, 0.005, -0.006])
    assert (trace.stats.at2.EVENT, trace.stats.at2.DATE) == ("Example Valley", "1/2/1980")
    assert trace.stats.event.id == "Example Valley 1/2/1980"


def test_header_of_the_nineties():
    """Sizes without key letters before them: 5 samples, 50 Hz, 337 degrees is HN1, peak 0.5 g."""
    trace = read_text(NINETIES)
    assert (trace.stats.npts, trace.stats.sampling_rate, trace.stats.channel) == (5, 50.0, "HN1")
    assert np.abs(trace.data).max() == 0.5
    assert trace.stats.at2.AZIMUTH == 337.0


def test_longer_header():
    """Three more header lines, as in NRC files, do not matter: data begin after the sizes."""
    text = NGA.replace("ACCELERATION", "FILTERED 0.1 25\n2 PASSES\nACCELERATION")
    text = text.replace("SEC,\n", "SEC,\nE15.7\n")
    assert read_text(text).stats.npts == 6


@pytest.mark.parametrize(
    "component, channel, sign",
    [
        ("000", "HNN", 1),
        ("360", "HNN", 1),
        ("180", "HNN", -1),
        ("90", "HNE", 1),
        ("270", "HNE", -1),
        ("UP", "HNZ", 1),
        ("VER", "HNZ", 1),
        ("DWN", "HNZ", -1),
        ("67", "HN2", 1),
        ("045", "HN1", 1),
        ("135", "HN2", 1),
        ("315", "HN2", 1),
        ("225", "HN1", 1),
        ("N65E", "HN2", 1),
        ("S10E", "HN1", 1),
        ("140 (USGS STATION 952)", "HN1", 1),
        ("HNE", "HNE", 1),
    ],
)
def test_orientation(component, channel, sign):
    """Azimuths map to N, E or 1, 2 (near north is 1; 45 and 135 make a pair); reversed axes flip calib."""
    trace = read_text(NGA.replace("UP", component))
    assert trace.stats.channel == channel
    assert trace.stats.calib == sign * 9.80665
    assert trace.stats.at2.get("FLIPPED", False) == (sign < 0)
    nominal = {"HNN": 0.0, "HNE": 90.0}.get(channel)
    assert nominal is None or trace.stats.at2.get("AZIMUTH", nominal) == nominal


def test_record_number_from_file_name(tmp_path):
    """The RSN is in the file name only."""
    path = tmp_path / "RSN1234_EXAMPLE_T1-UP.AT2"
    path.write_text(NGA)
    assert obspy.read(path)[0].stats.at2.RSN == 1234


def test_headonly():
    """headonly counts the numbers, stuck ones too, and keeps none."""
    trace = read_text(NGA, headonly=True)
    assert (trace.stats.npts, len(trace.data)) == (6, 0)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("NPTS=     6", "NPTS=     8", "promises 8 numbers, the file holds 6"),
        ("NPTS=     6", "NPTS=     x", "expected the number of samples"),
        ("DT=   .0100", "DT=   .0000", "expected the sampling interval"),
        (" 0.3000000E-02", " 0.3000000Q-02", "sample 3 of 6|holds 7"),
        (" -0.1000000E-02", "quite -0.1000000E-02", "no samples follow|file holds 1"),
    ],
)
def test_damage_is_named(old, new, message):
    """Each damage raises FormatError that says what was found."""
    assert old in NGA
    with pytest.raises(FormatError, match=message):
        read_text(NGA.replace(old, new))


def test_detector_never_raises(tmp_path):
    """Velocity files, rubbish, folders and odd objects are not AT2."""
    velocity = io.BytesIO(NGA.replace("ACCELERATION", "VELOCITY").replace("OF G", "OF CM/S").encode())
    assert not any(map(_is_at2, (velocity, tmp_path, tmp_path / "none", None, io.BytesIO(b"\xff" * 5000))))


@pytest.mark.parametrize("channel, component", [("HNE", "090"), ("HNN", "000"), ("HXZ", "UP")])
@pytest.mark.parametrize("delta", [0.005, 0.01, 1 / 128, 1 / 120])
def test_round_trip(tmp_path, channel, component, delta):
    """A trace in gal comes back the same m/s² to seven digits, with interval, component, station, event."""
    rng = np.random.default_rng(0)
    header = {"station": "0205", "channel": channel, "delta": delta, "calib": 0.01}
    trace = Trace(rng.standard_normal(20003) * 100, header=header)
    trace.stats.event = AttribDict(id="ELBISTAN", origin_time=UTCDateTime(2023, 2, 6, 10, 24, 47))
    path = tmp_path / "x.AT2"
    trace.write(path, format="AT2")
    lines = path.read_text().splitlines()
    assert lines[1] == f"ELBISTAN, 02/06/2023, 0205, {component}"
    assert max(map(len, lines[4:])) == 75
    (back,) = obspy.read(path, apply_calib=True)
    np.testing.assert_allclose(back.data, trace.data * 0.01, rtol=1e-7, atol=0)
    assert back.stats.npts == 20003
    assert back.stats.delta == pytest.approx(delta, rel=1e-11)
    assert (back.stats.station, back.stats.channel[-1]) == ("0205", channel[-1])
    assert back.stats.at2.EVENT == "ELBISTAN"


@pytest.mark.parametrize("text", [OLD, NGA, NINETIES, NGA.replace("UP", "DWN"), OLD.replace("090", "180")])
def test_rewriting_a_read_file(text):
    """Reading, writing and reading again changes neither motion nor station nor azimuth."""
    first = read_text(text)
    buffer = io.BytesIO()
    Stream([first]).write(buffer, format="AT2")
    second = read_text(buffer.getvalue().decode())
    np.testing.assert_allclose(second.data * second.stats.calib, first.data * first.stats.calib, rtol=1e-7)
    assert (second.id, second.stats.at2.STATION) == (first.id, first.stats.at2.STATION)
    assert second.stats.event == first.stats.event
    if first.stats.channel == "HN1":
        assert second.stats.at2.AZIMUTH == first.stats.at2.AZIMUTH


def test_what_cannot_be_written(tmp_path):
    """Several components, no samples, NaN or velocity raise FormatError and leave no file."""
    trace = Trace(np.ones(3), header={"channel": "HNE"})
    velocity = trace.copy()
    velocity.stats.units = "m/s"
    for stream in (
        Stream([trace, trace]),
        Stream([Trace(np.array([1.0, np.nan]))]),
        Stream([velocity]),
        Stream([Trace(np.array([]))]),
    ):
        with pytest.raises(FormatError, match="AT2"):
            stream.write(tmp_path / "x.AT2", format="AT2")
    assert not (tmp_path / "x.AT2").exists()


def test_unknown_names_stay_unknown():
    """A trace without station, event or date writes a header that reads back as unknown."""
    buffer = io.BytesIO()
    Trace(np.array([1e-200, 1.0]), header={"channel": "HNE"}).write(buffer, format="AT2")
    back = read_text(buffer.getvalue().decode())
    assert "event" not in back.stats
    assert (back.stats.station, back.stats.at2.DATE) == ("", "")
    np.testing.assert_allclose(back.data * back.stats.calib, [0, 1], rtol=1e-7)
