"""DYNA files: dialects, header rules, damage, and the peaks of real AFAD and ESM records."""

import contextlib
import io
import zipfile

import numpy as np
import obspy
import pytest
from obspy import UTCDateTime

from obspy_tng.errors import FormatError
from obspy_tng.io.dyna import _is_dyna, _read_dyna


def test_every_field_of_a_known_file(dyna):
    """The samples, identity, times and neutral metadata of a hand-made ESM file come back as written."""
    (trace,) = obspy.read(dyna())
    assert trace.stats._format == "DYNA"
    assert trace.id == "HI.ARS1.00.HNN"
    assert trace.stats.starttime == UTCDateTime(2019, 7, 28, 16, 9, 19, 870000)
    assert trace.stats.sampling_rate == 200.0
    assert trace.data.dtype == np.float64
    np.testing.assert_array_equal(trace.data, [1.0, -2.0, 3.5, 0.25])
    assert trace.stats.calib == 0.01
    assert trace.stats.units == "m/s^2"
    assert dict(trace.stats.coordinates) == {"latitude": 37.6349, "longitude": 22.7293, "elevation": 34.0}
    assert dict(trace.stats.site) == {"vs30_mps": 455.5}
    assert dict(trace.stats.event) == {
        "id": "ev-1",
        "origin_time": UTCDateTime(2019, 7, 28, 16, 9, 8),
        "latitude_deg": 38.1,
        "longitude_deg": 23.54,
        "depth_km": 9.0,
        "magnitude": 4.6,
        "magnitude_type": "ML",
    }
    assert trace.stats.dyna.PGA_CM_S_2 == "3.5"


def test_apply_calib_gives_si(dyna):
    """3.5 cm/s² is 0.035 m/s²."""
    (trace,) = obspy.read(dyna(), apply_calib=True)
    assert trace.data[2] == pytest.approx(0.035, rel=1e-12)


@pytest.mark.parametrize(
    "text, time",
    [
        ("20190728_160919.870", "2019-07-28T16:09:19.870000"),
        ("20190728_160919", "2019-07-28T16:09:19"),
        ("2020/10/30 11:51:11.9888620", "2020-10-30T11:51:11.988862"),
        ("14/11/2010 23:09:19.300", "2010-11-14T23:09:19.300000"),
        ("05/03/2010 00:00:59.5", "2010-03-05T00:00:59.500000"),
    ],
)
def test_date_dialects(dyna, text, time):
    """All three dialects are read, and the one that ends in the year is day first."""
    (trace,) = obspy.read(dyna(DATE_TIME_FIRST_SAMPLE_YYYYMMDD_HHMMSS=text))
    assert trace.stats.starttime == UTCDateTime(time)


@pytest.mark.parametrize("text", ["2020/13/30 11:51:11.9", "yesterday", "20190728"])
def test_impossible_date_is_refused(dyna, text):
    """A time that is none raises, with the text that was given."""
    with pytest.raises(FormatError, match=text.replace("/", ".")):
        obspy.read(dyna(DATE_TIME_FIRST_SAMPLE_YYYYMMDD_HHMMSS=text))


def test_no_clock_starts_at_epoch(dyna):
    """An analogue record without absolute time starts at 1970, not now."""
    (trace,) = obspy.read(dyna(DATE_TIME_FIRST_SAMPLE_YYYYMMDD_HHMMSS=""))
    assert trace.stats.starttime == UTCDateTime(0)


def test_afad_dialect(dyna):
    """AFAD: a place name is no location code, Vs30 may be the word None, the station keeps its zero."""
    (trace,) = obspy.read(
        dyna(
            first_line="AAD_Filtered_TADAS_FILE\nAAD_FILTER_ORDER: 1\n",
            EVENT_DATE_YYYYMMDD="2020/10/30",
            EVENT_TIME_HHMMSS="11:51:24.00000",
            MAGNITUDE_W="6.6",
            NETWORK="TK",
            STATION_CODE="0205",
            STATION_ELEVATION_M="",
            LOCATION="Kahramanmaras_Elbistan_Turkiye",
            VS30_M__S="None",
            DATA_TYPE="Acceleration",
            STREAM="HNZ",
        )
    )
    assert trace.id == "TK.0205..HNZ"
    assert "site" not in trace.stats
    assert "elevation" not in trace.stats.coordinates
    assert trace.stats.event.origin_time == UTCDateTime(2020, 10, 30, 11, 51, 24)
    assert (trace.stats.event.magnitude, trace.stats.event.magnitude_type) == (6.6, "Mw")
    assert trace.stats.dyna.AAD_FILTER_ORDER == "1"


def test_unknown_metadata_is_absent(dyna):
    """Empty fields leave no stand-ins behind: no NaN, no zero, no empty containers."""
    empty = dict.fromkeys(
        [
            *("EVENT_NAME", "EVENT_ID", "EVENT_DATE_YYYYMMDD", "EVENT_TIME_HHMMSS", "EVENT_LATITUDE_DEGREE"),
            *(
                "EVENT_LONGITUDE_DEGREE",
                "EVENT_DEPTH_KM",
                "MAGNITUDE_L",
                "STATION_LATITUDE_DEGREE",
                "VS30_M__S",
            ),
        ],
        "",
    )
    (trace,) = obspy.read(dyna(**empty))
    assert not {"event", "site", "coordinates"} & set(trace.stats)


def test_headonly(dyna):
    """headonly gives npts and the end time, without samples."""
    (trace,) = obspy.read(dyna(), headonly=True)
    assert (trace.stats.npts, len(trace.data)) == (4, 0)
    assert trace.stats.endtime - trace.stats.starttime == pytest.approx(0.015)


def test_file_object(dyna):
    """An open file and a BytesIO read like the path."""
    path = dyna()
    with open(path, "rb") as file:
        assert obspy.read(file)[0].data[2] == 3.5
    assert obspy.read(io.BytesIO(path.read_bytes()))[0].data[2] == 3.5


def test_miniseed_round_trip(dyna, tmp_path):
    """What was read can be written as MiniSEED, samples exact."""
    stream = obspy.read(dyna())
    stream.write(tmp_path / "x.mseed", format="MSEED")
    (trace,) = obspy.read(tmp_path / "x.mseed")
    np.testing.assert_array_equal(trace.data, [1.0, -2.0, 3.5, 0.25])


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"NDATA": "5"}, "promises 5 numbers, the file holds 4; it is cut short"),
        ({"NDATA": "2"}, "promises 2 numbers, the file holds 4"),
        ({"NDATA": "99999999999999"}, "the file holds 4"),
        ({"NDATA": "-4"}, "expected the number of samples"),
        ({"NDATA": "many"}, "expected the number of samples"),
        ({"NDATA": None}, "lacks NDATA"),
        ({"SAMPLING_INTERVAL_S": "0"}, "expected the sampling interval"),
        ({"SAMPLING_INTERVAL_S": "nan"}, "expected the sampling interval"),
        ({"UNITS": "furlong"}, "expected one of cm/s"),
        ({"DATA_TYPE": "ACCELERATION RESPONSE SPECTRUM"}, "not a waveform"),
        ({"body": ""}, "no samples follow"),
        ({"body": "1.0\n2.0\nrubbish\n4.0\n"}, "sample 3 of 4 is 'rubbish'"),
        ({"body": "1.0\n2.0\nnan\n4.0\n"}, "sample 3 of 4 is 'nan'"),
    ],
)
def test_damage_is_named(dyna, changes, message):
    """Each damage raises FormatError in one line that says what was found, and names the file."""
    with pytest.raises(FormatError, match=message) as caught:
        obspy.read(dyna(**changes))
    assert str(caught.value).startswith("record.asc: ")
    assert "\n" not in str(caught.value)


def test_detector_never_raises(tmp_path):
    """Binary rubbish, an empty file, a folder, a missing file and odd objects are simply not DYNA."""
    rubbish = tmp_path / "x.asc"
    rubbish.write_bytes(bytes(range(256)) * 20)
    empty = tmp_path / "empty.asc"
    empty.write_bytes(b"")
    text = io.StringIO("EVENT_NAME: x")
    assert not any(map(_is_dyna, (rubbish, empty, tmp_path, tmp_path / "none", None, 7, text, io.BytesIO())))


def test_apple_double_is_not_dyna(dyna, tmp_path):
    """A macOS resource fork named .asc stays unknown to ObsPy, even with the header's words inside."""
    fork = tmp_path / "._record.asc"
    fork.write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + dyna().read_bytes())
    assert not _is_dyna(fork)
    with pytest.raises(TypeError, match="Unknown format"):
        obspy.read(fork)


def test_mutilated_files_raise_format_error_only(dyna):
    """Two hundred random mutilations of a valid file either read or raise FormatError, nothing else."""
    raw = dyna().read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(200):
        bad = bytearray(raw)
        for at in rng.integers(0, len(raw), 8):
            bad[at] = rng.integers(0, 256)
        bad = bytes(bad[: rng.integers(1, len(raw))]) if rng.random() < 0.3 else bytes(bad)
        with contextlib.suppress(FormatError):
            _read_dyna(io.BytesIO(bad))


def test_samos_peaks_equal_the_header(shared_data):
    """All 78 raw AFAD records of the 2020 Samos earthquake reach their header's PGA to 0.5 %."""
    n = 0
    with zipfile.ZipFile(shared_data / "afad" / "20201030_1151_M6.6_raw_asc.zip") as archive:
        for name in archive.namelist():
            (trace,) = obspy.read(io.BytesIO(archive.read(name)), apply_calib=True)
            station = name.split("_")[1]
            assert (trace.stats.network, trace.stats.station) == ("TK", station)
            assert trace.stats.channel == {"E": "HNE", "N": "HNN", "U": "HNZ"}[name[-5]]
            pga_mps2 = float(trace.stats.dyna.PGA_CM_S_2) / 100
            assert np.abs(trace.data).max() == pytest.approx(pga_mps2, rel=0.005)
            n += 1
    assert n == 78


def test_esm_records(shared_data):
    """The six ESM records: id and start as in the file name and header, signed PGA to 0.1 %."""
    paths = sorted((shared_data / "formats" / "esm").glob("*.ASC"))
    assert len(paths) == 6
    for path in paths:
        (trace,) = obspy.read(path)
        assert path.name.startswith(f"{trace.id}.D.20190728.160908")
        pga = float(trace.stats.dyna.PGA_CM_S_2)
        assert trace.data[np.abs(trace.data).argmax()] == pytest.approx(pga, rel=1e-3)
        assert "vs30_mps" not in trace.stats.get("site", {})


def test_refiltered_station_of_the_paper(shared_data):
    """Station 0205 of 2023-02-06 in its 69-line dialect: 12501 samples from 10:24:48.606343."""
    (trace,) = obspy.read(shared_data / "afad" / "asc" / "20230206102447_0205_ap_AAD_Acc_E.asc")
    assert trace.id == "TK.0205..HNE"
    assert trace.stats.npts == 12501
    assert trace.data[0] == 0.014767407755026746
    assert trace.stats.starttime == UTCDateTime("2023-02-06T10:24:48.606343")
    assert trace.stats.site.vs30_mps == 660.0
