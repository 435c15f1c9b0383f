"""Geopsy's own files: line for line, damaged ones, Datasets written."""

import numpy as np
import pytest
import xarray as xr

from obspy_tng.errors import FormatError, TNGError
from obspy_tng.site import hv_file

TEXT = """# GEOPSY output version 1.1
# Number of windows = 2
# f0 from average\t1
# Number of windows for f0 = 2
# f0 from windows\t1.05\t0.95\t1.15
# Peak amplitude\t3.9
# Position\t10.5 -20 1.5e+6
# Category\tDefault
# Frequency\tAverage\tMin\tMax
0.5\t1\t0.5\t2
1\t4\t2\t8
2\t0.8\t1.25e-5\t51200
"""


def dataset(stations=("XX.ONE",), n_windows=3):
    """Return a small HVSR Dataset: windows with peaks at 1.9, 2.0, 2.1 Hz, a last one that is not accepted."""
    frequency = np.geomspace(0.25, 20, 400)
    places = np.linspace(1.9, 2.1, n_windows) if n_windows > 1 else np.array([2.0])
    windows = np.vstack([1 + 3 * np.exp(-8 * np.log(frequency / places[:, None]) ** 2), np.full((1, 400), 50.0)])
    n, logs = len(windows), np.log(windows[:-1])
    sigma = logs.std(axis=0, ddof=1) if n_windows > 1 else np.full(400, np.nan)
    rows = n * len(stations)
    return xr.Dataset(
        {
            "hvsr": (("record", "frequency"), np.tile(windows, (len(stations), 1))),
            "curve": (("station", "frequency"), np.tile(np.exp(logs.mean(axis=0)), (len(stations), 1))),
            "sigma_ln": (("station", "frequency"), np.tile(sigma, (len(stations), 1))),
            "accepted": ("record", np.tile(np.arange(n) < n - 1, len(stations))),
        },
        {
            "frequency": frequency,
            "station": list(stations),
            "record_station": ("record", np.repeat(stations, n)),
            "window_start_s": ("record", np.zeros(rows)),
            "window_end_s": ("record", np.full(rows, 60.0)),
        },
        {"band_hz": [0.5, 10.0]},
    )


def test_geopsy_files_come_back_line_for_line(shared_data):
    """Reading each of Geopsy's results and writing it gives the same bytes."""
    files = sorted((shared_data / "hvsr" / "geopsy").glob("*.hv"))
    assert len(files) == 13
    for path in files:
        assert hv_file.text(hv_file.read(path)).encode() == path.read_bytes(), path.name


def test_parse():
    """Every line of the header and the four columns are told."""
    hv = hv_file.parse(TEXT)
    assert (hv.n_windows, hv.n_windows_f0, hv.f0_average_hz, hv.peak_amplitude) == (2, 2, 1.0, 3.9)
    assert hv.f0_windows_hz == (1.05, 0.95, 1.15)
    assert hv.f0_std_hz == pytest.approx(0.1)
    assert hv.position_m == (10.5, -20.0, 1.5e6)
    assert hv.category == "Default"
    np.testing.assert_allclose(hv.frequency_hz, [0.5, 1, 2])
    np.testing.assert_allclose(hv.sigma_ln[:2], np.log(2))
    assert hv_file.text(hv) == TEXT


def test_hvsrpy_files(shared_data):
    """Windows, their length and the spread of f0 are those hvsrpy's files state; sigma is symmetric in ln."""
    hv = hv_file.read(shared_data / "hvsr" / "sesame" / "ex0.hv")
    assert (hv.n_windows, hv.window_s, hv.f0_std_hz, hv.f0_average_hz) == (29, 60.0, 0.1353, 0.7116)
    assert hv.f0_windows_hz[0] == 0.6976
    np.testing.assert_allclose(hv.average * np.exp(hv.sigma_ln), hv.maximum, rtol=1e-3)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("# GEOPSY output", "# OTHER output", "no .hv file"),
        ("# Number of windows = 2", "# Number of windows = two", "'Number of windows' says 'two'"),
        ("# Number of windows = 2\n", "", "'Number of windows' is missing"),
        ("\t1.05\t0.95\t1.15", "\t1.05\t0.95", "expected 3 number"),
        ("1\t4\t2\t8", "1\t4\t2", "line 11: .*expected frequency"),
        ("1\t4\t2\t8", "1\tnan\t2\t8", "line 11"),
        ("1\t4\t2\t8", "0.4\t4\t2\t8", "line 11: frequency 0.4 Hz after 0.5 Hz"),
        ("1\t4\t2\t8\n2\t0.8\t1.25e-5\t51200\n", "", "1 frequencies"),
    ],
)
def test_damaged_files(tmp_path, old, new, said):
    """A file that is none, or damaged, is one line naming file and place."""
    assert old in TEXT
    path = tmp_path / "x.hv"
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(FormatError, match=said) as err:
        hv_file.read(path)
    assert "x.hv" in str(err.value)
    assert "\n" not in str(err.value)


def test_files_that_are_no_text(tmp_path):
    """Bytes, an absent file and a folder are one line each."""
    (tmp_path / "x.hv").write_bytes(TEXT.encode() + b"\xff\xfe")
    for path, said in ((tmp_path / "x.hv", "no text"), (tmp_path / "no.hv", "No such file"), (tmp_path, "directory")):
        with pytest.raises(FormatError, match=said):
            hv_file.read(path)


def test_dataset_written_and_read_back(tmp_path):
    """Average, sigma, counts, f0 and window survive to six digits; the rejected window takes no part."""
    given, path = dataset(), tmp_path / "o.hv"
    hv_file.write(path, given)
    hv = hv_file.read(path)
    inside = given.sel(frequency=slice(0.5, 10.0))
    np.testing.assert_allclose(hv.frequency_hz, inside.frequency, rtol=5e-6)
    np.testing.assert_allclose(hv.average, inside.curve[0], rtol=5e-6)
    np.testing.assert_allclose(hv.sigma_ln, inside.sigma_ln[0], atol=6e-6)
    assert (hv.n_windows, hv.n_windows_f0) == (3, 3)
    assert hv.f0_average_hz == pytest.approx(2.0, rel=0.012)
    np.testing.assert_allclose(hv.f0_windows_hz, [2.0, 1.9, 2.1], rtol=0.012)
    assert hv.peak_amplitude == pytest.approx(4.0, rel=0.02)


def test_single_window_has_no_spread():
    """One window: Min and Max are the average, no lines on f0 from windows."""
    hv = hv_file.from_dataset(dataset(n_windows=1))
    np.testing.assert_array_equal(hv.minimum, hv.average)
    np.testing.assert_array_equal(hv.maximum, hv.average)
    lines = hv_file.text(hv).splitlines()
    assert lines[3:7] == ["# Number of windows for f0 = 0", "# Position\t0 0 0", "# Category\tDefault", hv_file.COLUMNS]


def test_stations():
    """Several stations need one to be named, and it must be among them."""
    two = dataset(("XX.ONE", "XX.TWO"))
    assert hv_file.from_dataset(two, "XX.TWO").n_windows == 3
    for station in (None, "XX.NONE"):
        with pytest.raises(TNGError, match=r"one station: .*accepted: XX.ONE, XX.TWO"):
            hv_file.from_dataset(two, station)


def test_frequencies_without_a_value():
    """Frequencies without an accepted window are left out; without any there is nothing to write."""
    given = dataset()
    given.curve[:, :200] = np.nan
    assert hv_file.from_dataset(given).frequency_hz[0] == given.frequency.values[200]
    given.curve[:] = np.nan
    with pytest.raises(TNGError, match="0 frequencies"):
        hv_file.from_dataset(given)


@pytest.mark.parametrize("count", ["nan", "inf", "-1", "1.5", "1e300"])
def test_counts_are_whole_numbers(count):
    """A number of windows that is none is refused by name."""
    for line in ("# Number of windows = 2", "# Number of windows for f0 = 2"):
        with pytest.raises(FormatError, match=r"Number of windows.* says .*expected a whole number"):
            hv_file.parse(TEXT.replace(line, line[:-1] + count))
