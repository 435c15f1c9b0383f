"""EQ .mat records: real ones against their own pga field, made ones against what was put in."""

import numpy as np
import pytest
from obspy import UTCDateTime
from scipy.io import savemat

from obspy_tng.errors import FormatError
from obspy_tng.io.matlab import read_eq_mat


def save(path, **changes):
    """Write a small EQ.anEQ file; fields of value None are left out."""
    fields = {
        "Accel": np.array([[1.0, 2.0, 3.0], [-4.0, -5.0, -6.0]]),
        "sampling": 0.01,
        "statID": 208,
        "statco": np.array([38.0, 39.0]),
        "alt": 700,
        "epicenter": np.array([37.5, 38.5]),
        "depth": 9790,
        "magnitudeval": 5.1,
        "magnitudetype": " Mw",
        "Vs30": 0,
        **changes,
    }
    savemat(path, {"EQ": {"anEQ": {key: value for key, value in fields.items() if value is not None}}})
    return path


def test_every_field_of_a_known_file(tmp_path):
    """Columns are N, E, U in gal; station and time are the file name's; depth is in m; Vs30 0 is unknown."""
    stream = read_eq_mat(save(tmp_path / "20181116074358_0208.mat"))
    assert [trace.id for trace in stream] == ["TK.0208..HNN", "TK.0208..HNE", "TK.0208..HNZ"]
    np.testing.assert_array_equal([trace.data for trace in stream], [[1, -4], [2, -5], [3, -6]])
    stats = stream[2].stats
    assert (stats.calib, stats.sampling_rate) == (0.01, 100.0)
    assert stats.starttime == UTCDateTime(2018, 11, 16, 7, 43, 58)
    assert dict(stats.coordinates) == {"latitude": 38.0, "longitude": 39.0, "elevation": 700.0}
    assert "site" not in stats
    assert stats.event.depth_km == 9.79
    assert (stats.event.magnitude, stats.event.magnitude_type) == (5.1, "Mw")


def test_bytes_without_a_name(tmp_path):
    """Content alone gives the station its four digits and starts at 1970; a name restores the time."""
    raw = save(tmp_path / "x.mat").read_bytes()
    trace = read_eq_mat(raw)[0]
    assert (trace.stats.station, trace.stats.starttime) == ("0208", UTCDateTime(0))
    named = read_eq_mat(raw, name="20150103232415_0208.mat", headonly=True)[0]
    assert named.stats.starttime == UTCDateTime(2015, 1, 3, 23, 24, 15)
    assert (named.stats.npts, len(named.data)) == (2, 0)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"Accel": np.ones((2, 2))}, "expected \\(samples, 3\\)"),
        ({"Accel": None}, "expected \\(samples, 3\\)"),
        ({"Accel": np.full((2, 3), np.nan)}, "not finite"),
        ({"sampling": -1.0}, "above zero"),
    ],
)
def test_damage_is_named(tmp_path, changes, message):
    """Wrong shapes and values raise FormatError."""
    with pytest.raises(FormatError, match=message):
        read_eq_mat(save(tmp_path / "x.mat", **changes))


def test_foreign_files(tmp_path):
    """Rubbish, an empty file, a cut file and a MATLAB file of something else raise FormatError."""
    savemat(tmp_path / "other.mat", {"x": 1})
    cut = save(tmp_path / "cut.mat").read_bytes()[:300]
    for raw in (b"rubbish", b"", cut, (tmp_path / "other.mat").read_bytes()):
        with pytest.raises(FormatError, match=r"EQ\.anEQ"):
            read_eq_mat(raw)


def test_real_records(shared_data):
    """29 records: each column peaks at its pga field; origin and station agree with the name."""
    paths = sorted((shared_data / "afad" / "mat").glob("*.mat"))
    assert len(paths) == 29
    for path in paths:
        stream = read_eq_mat(path)
        np.testing.assert_allclose(
            [np.abs(trace.data).max() for trace in stream], stream[0].stats.matlab.PGA, rtol=1e-6
        )
        stats = stream[0].stats
        assert path.stem == f"{stats.event.origin_time.strftime('%Y%m%d%H%M%S')}_{stats.station}"


def test_record_time_of_a_real_record(shared_data):
    """Station 4627 at 121 km: P comes 21 s after the origin (5.7 km/s) if the record starts 15 s before."""
    stats = read_eq_mat(shared_data / "afad" / "mat" / "20180424003429_4627.mat")[0].stats
    p_after_origin_s = stats.starttime + stats.matlab.PTIME - stats.event.origin_time
    assert p_after_origin_s == pytest.approx(121.3 / 5.7, abs=1.0)
