"""Old AFAD text files: column order, encodings, entities, damage, and the peaks of real records."""

import io
import re

import numpy as np
import obspy
import pytest
from obspy import UTCDateTime

from obspy_tng.errors import FormatError
from obspy_tng.io.nsmn import _is_nsmn


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-9"])
def test_every_field_of_a_known_file(nsmn, encoding):
    """Columns are N, E, U; the station is the header's, padded; dates are day first; no entities."""
    stream = obspy.read(nsmn(encoding))
    assert [trace.id for trace in stream] == ["TK.0205..HNN", "TK.0205..HNE", "TK.0205..HNZ"]
    np.testing.assert_array_equal([trace.data for trace in stream], [[1, -4, 7], [2, -5, 8], [3, -6, 9]])
    stats = stream[0].stats
    assert stats._format == "NSMN"
    assert stats.starttime == UTCDateTime(2017, 8, 7, 22, 30, 59, 250000)
    assert (stats.sampling_rate, stats.calib, stats.units) == (100.0, 0.01, "m/s^2")
    assert stats.nsmn.PLACE == "MUĞLA DERINCE BARAJI(KRET-CREST)"
    assert dict(stats.coordinates) == {"latitude": 37.4417, "longitude": 27.646, "elevation": 128.0}
    assert dict(stats.event) == {
        "id": "20170720223109",
        "origin_time": UTCDateTime(2017, 7, 20, 22, 31, 9),
        "latitude_deg": 36.9198,
        "longitude_deg": 27.4435,
        "depth_km": 19.44,
        "magnitude": 6.5,
        "magnitude_type": "Mw",
    }
    assert "site" not in stats
    assert stream[0].data.flags.c_contiguous


def test_columns_go_by_their_names(nsmn):
    """A file whose row of names is in another order is read by the names."""
    stream = obspy.read(nsmn(replace=[("       N-S          E-W          U-D", "U-D E-W N-S")]))
    assert [(trace.stats.channel, trace.data[0]) for trace in stream] == [("HNZ", 1), ("HNE", 2), ("HNN", 3)]


def test_headonly_and_file_object(nsmn):
    """headonly gives three headers with npts; a file object reads like the path."""
    raw = nsmn().read_bytes()
    stream = obspy.read(io.BytesIO(raw), headonly=True)
    assert [(trace.stats.npts, len(trace.data)) for trace in stream] == [(3, 0)] * 3
    assert len(obspy.read(io.BytesIO(raw))) == 3


@pytest.mark.parametrize(
    "old, new, message",
    [
        (
            "NUMBER OF DATA          : 3",
            "NUMBER OF DATA          : 4",
            "promises 12 numbers, the file holds 9",
        ),
        ("NUMBER OF DATA          : 3", "NUMBER OF DATA          : 0", "expected the number of samples"),
        ("   -4.0    -5.0", "   -4.0    *****", r"sample 5 of 9 is '\*\*\*\*\*'"),
        ("07/08/2017 22:30:59.250000 (GMT)", "soon", "RECORD TIME is 'soon'"),
        ("STATION ID              : 205", "STATION ID              :", "lacks STATION ID"),
        ("N-S          E-W          U-D", "X Y Z", "no samples follow"),
    ],
)
def test_damage_is_named(nsmn, old, new, message):
    """Each damage raises FormatError that names the file and what was found."""
    with pytest.raises(FormatError, match=message):
        obspy.read(nsmn(replace=[(old, new)]))


def test_detector_never_raises(tmp_path):
    """Rubbish, folders and missing files are not NSMN."""
    rubbish = tmp_path / "x.txt"
    rubbish.write_bytes(b"\xff\xfe\x00STRONG GROUND MOTION")
    assert not any(map(_is_nsmn, (rubbish, tmp_path, tmp_path / "none", None, io.BytesIO(), io.StringIO("S"))))


def test_peaks_of_real_records(shared_data):
    """Fifteen AFAD records of 2017-2018: each component reaches its header's raw PGA to 1 %."""
    paths = sorted((shared_data / "afad" / "kyh").glob("*.txt"))
    assert len(paths) == 15
    for path in paths:
        stream = obspy.read(path, apply_calib=True)
        header = re.findall(r"\) ([\d.]+)", stream[0].stats.nsmn.RAW_PGA_VALUES_GAL)
        peaks_gal = [np.abs(trace.data).max() * 100 for trace in stream]
        np.testing.assert_allclose(peaks_gal, np.array(header, float), rtol=0.01)
