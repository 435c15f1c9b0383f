"""Rejection in a Dataset: who is left out, by what, and that the statistics are those of the rest."""

import numpy as np
import pytest
import xarray as xr
from simulated_windows import FREQUENCY_HZ, curves_of, mixed

from obspy_tng.errors import FormatError, TNGError
from obspy_tng.site.curves import lognormal
from obspy_tng.site.rejection import Rule, mask, parse, read_mask, reject, restore, write_mask
from obspy_tng.site.table import Table


def dataset(f0_by_station):
    """Return a Dataset of one window per f0, records of ten windows each."""
    station = np.repeat(list(f0_by_station), [len(v) for v in f0_by_station.values()])
    curves = curves_of(np.concatenate(list(f0_by_station.values())))
    n = len(curves)
    record_id = np.array([f"{s}.r{k // 10}" for k, s in enumerate(station)])
    names = np.array([f"{r}#{k % 10}" for k, r in enumerate(record_id)])
    stations = np.unique(station)
    stats = [lognormal(curves[station == s]) for s in stations]
    per_station = ("station", "frequency")
    return xr.Dataset(
        {
            "hvsr": (("record", "frequency"), curves),
            "curve": (per_station, np.array([s[0] for s in stats]), {"units": "1"}),
            "sigma_ln": (per_station, np.array([s[1] for s in stats])),
            "n_valid": (per_station, np.array([s[2] for s in stats])),
            "accepted": ("record", np.ones(n, bool)),
            "rejected_by": ("record", np.full(n, "", object)),
        },
        {
            "record": names,
            "frequency": FREQUENCY_HZ,
            "station": stations,
            "record_id": ("record", record_id),
            "record_station": ("record", station),
            "sta_lta_min": ("record", np.full(n, np.nan)),
            "sta_lta_max": ("record", np.full(n, np.nan)),
            "peak_over_record": ("record", np.full(n, np.nan)),
        },
        {"band_hz": [0.6, 18.0], "skipped": ["x.mseed: truncated"]},
    )


@pytest.fixture
def two_stations():
    """60 + 10 windows at A, of another peak the ten; 20 at B around 7 Hz."""
    return dataset({"A": mixed(0), "B": np.exp(np.random.default_rng(9).normal(np.log(7), 0.05, 20))})


def test_parse():
    """Defaults fill in, text comes back, and what makes no sense is told with what is accepted."""
    assert parse("cox:2.5:0.3:10") == Rule("cox", (2.5, 0.3, 10.0))
    assert [str(parse(t)) for t in ("cox", "zscore", "sta-lta", "maximum", " COX:3 ")] == [
        "cox:2",
        "zscore:3",
        "sta-lta:0.2:2.5",
        "maximum:0.9",
        "cox:3",
    ]
    assert parse(parse("cox:1.25")) == Rule("cox", (1.25,))
    for wrong in ("coxs", "cox:x", "cox:0", "cox:2:3", "cox:2:5:1", "sta-lta:2", "sta-lta:3:1", "maximum:nan", ""):
        with pytest.raises(TNGError, match="accepted: cox"):
            parse(wrong)


def test_cox_by_station(two_stations):
    """The windows at 7 Hz go at A, where others are at 2 Hz, and stay at B; statistics are those of the rest."""
    before = two_stations.copy(deep=True)
    out = reject(two_stations, "cox:2")
    xr.testing.assert_identical(two_stations, before)
    kept = out.accepted.values
    assert not kept[60:70].any()
    assert kept[:60].mean() > 0.85
    assert kept[70:].mean() > 0.8
    assert set(out.rejected_by.values[~kept]) == {"cox:2"}
    assert set(out.rejected_by.values[kept]) == {""}
    curve, sigma, n = lognormal(two_stations.hvsr.values[:70][kept[:70]])
    np.testing.assert_array_equal(out.curve.sel(station="A"), curve)
    np.testing.assert_array_equal(out.sigma_ln.sel(station="A"), sigma)
    np.testing.assert_array_equal(out.n_valid.sel(station="A"), n)
    assert out.n_valid.dtype == two_stations.n_valid.dtype
    assert out.curve.attrs == {"units": "1"}
    assert out.attrs["rejection"] == ["cox:2"]
    at_7_hz = np.argmin(np.abs(FREQUENCY_HZ - 7))
    assert out.curve.sel(station="A")[at_7_hz] == pytest.approx(1, abs=0.02)
    assert two_stations.curve.sel(station="A")[at_7_hz] > 1.1


def test_range_and_band(two_stations):
    """Cox looks for peaks in its range only: above 5 Hz the windows of A at 7 Hz are all that have a real one."""
    out = reject(two_stations, "cox:2:5:18")
    assert out.accepted.values[60:70].sum() >= 8
    assert out.attrs["rejection"] == ["cox:2:5:18"]


def test_twice_is_once_and_one_by_one_is_together(two_stations):
    """The same rule again changes nothing; two rules in two calls are two rules in one; restore undoes all."""
    once = reject(two_stations, "cox:2")
    xr.testing.assert_identical(reject(once, "cox:2"), once)
    together = reject(two_stations, "cox:2", "zscore:2")
    xr.testing.assert_identical(reject(once, "zscore:2"), together)
    assert together.attrs["rejection"] == ["cox:2", "zscore:2"]
    back = restore(together)
    xr.testing.assert_equal(back, two_stations)
    assert back.attrs["rejection"] == []


def test_zscore(two_stations):
    """The ten windows of another peak are apart over the band; the rule's name says who rejected them."""
    out = reject(two_stations, "zscore:3")
    assert (out.rejected_by.values[60:70] == "zscore:3").all()
    assert out.accepted.values[:60].mean() > 0.95


def test_rules_in_time(two_stations):
    """STA/LTA and largest sample reject by their limits, unknown ones stay; with none known the rule cannot work."""
    low, high, peak = np.full((3, 90), np.nan)
    low[:4], high[:4], peak[:4] = [0.1, 0.3, 0.3, 0.5], [2.0, 2.6, 2.4, 1.5], [0.1, 0.2, 1.0, 0.9]
    ready = two_stations.assign_coords(
        sta_lta_min=("record", low), sta_lta_max=("record", high), peak_over_record=("record", peak)
    )
    out = reject(ready, "sta-lta:0.2:2.5", "maximum:0.9")
    assert list(out.rejected_by.values[:4]) == ["sta-lta:0.2:2.5", "sta-lta:0.2:2.5", "maximum:0.9", ""]
    assert out.accepted.values[4:].all()
    for rule in ("sta-lta", "maximum"):
        with pytest.raises(TNGError, match="sliding windows"):
            reject(two_stations, rule)


def test_masks_by_hand(two_stations, tmp_path):
    """Booleans, ids of windows, the id of a record with all its windows, and a file give the same mask."""
    keep = np.ones(90, bool)
    keep[[0, 5]] = False
    keep[10:20] = False
    by_bool = reject(two_stations, mask=keep)
    by_id = reject(two_stations, mask=["A.r0#0", "A.r0#5", "A.r1"])
    np.testing.assert_array_equal(mask(by_bool), keep)
    xr.testing.assert_identical(by_bool, by_id)
    assert set(by_id.rejected_by.values[~keep]) == {"mask"}
    path = tmp_path / "mask.csv"
    write_mask(path, by_id)
    assert path.read_text().splitlines()[:3] == ["record,rejected_by", "A.r0#0,mask", "A.r0#5,mask"]
    xr.testing.assert_identical(reject(two_stations, mask=path), by_id)
    xr.testing.assert_identical(reject(two_stations, mask=str(path)), by_id)
    xr.testing.assert_equal(reject(two_stations, mask=[]), two_stations)


def test_mask_file_keeps_the_rules_name(two_stations, tmp_path):
    """Written and read again, a rejection tells what rejected each window, and can be added to by hand."""
    rejected = reject(two_stations, "cox:2", mask=["B.r7#3"])
    path = tmp_path / "mask.csv"
    write_mask(path, rejected)
    back = reject(two_stations, mask=path)
    np.testing.assert_array_equal(back.rejected_by, rejected.rejected_by)
    assert set(back.rejected_by.values) == {"", "cox:2", "mask"}
    path.write_text(path.read_text() + "A.r2#1\nB.r7#4,van passing\n")
    by = dict(zip(back.record.values, reject(two_stations, mask=path).rejected_by.values, strict=True))
    assert (by["A.r2#1"], by["B.r7#4"], by["B.r7#3"]) == ("mask", "van passing", "mask")


def test_mask_before_rules(two_stations):
    """Rules judge what the mask leaves: without the 60 windows at 2 Hz those at 7 Hz are the site."""
    keep = np.r_[np.zeros(60, bool), np.ones(30, bool)]
    out = reject(two_stations, "cox:2", mask=keep)
    assert out.accepted.values[60:70].sum() >= 8
    assert out.attrs["rejection"] == ["mask", "cox:2"]


def test_wrong_masks(two_stations, tmp_path):
    """A mask of another length, an unknown id and a file that is no text say what is wrong."""
    with pytest.raises(TNGError, match=r"shape \(3,\).*accepted: \(90,\)"):
        reject(two_stations, mask=[True, False, True])
    with pytest.raises(TNGError, match="nobody first"):
        reject(two_stations, mask=["A.r0#0", "nobody"])
    path = tmp_path / "bad"
    path.write_bytes(b"\xff\xfe\x00record")
    with pytest.raises(FormatError, match="no list of record ids"):
        read_mask(path)


def test_a_list_people_wrote(tmp_path):
    """Comments, blank lines, spaces and further columns are no ids."""
    path = tmp_path / "list.txt"
    path.write_text("# lorry passes\nA.r0#0\n\n  A.r1 , footsteps\n")
    assert read_mask(path) == ["A.r0#0", "A.r1"]


def test_station_with_nothing_left(two_stations):
    """All windows of B masked: NaN and none valid, listed once; A as before."""
    keep = np.r_[np.ones(70, bool), np.zeros(20, bool)]
    out = reject(reject(two_stations, mask=keep), mask=keep)
    assert np.isnan(out.curve.sel(station="B")).all()
    assert (out.n_valid.sel(station="B") == 0).all()
    np.testing.assert_array_equal(out.curve.sel(station="A"), two_stations.curve.sel(station="A"))
    assert out.attrs["skipped"] == ["x.mseed: truncated", "B: every window rejected: mask"]
    assert restore(out).attrs["skipped"] == ["x.mseed: truncated"]


def test_table_as_dataset(two_stations):
    """The command's Table, which does without xarray, is treated as a Dataset is."""
    variables = {k: (v.dims, v.values, v.attrs) for k, v in two_stations.data_vars.items()}
    coords = {k: (v.dims, v.values, v.attrs) for k, v in two_stations.coords.items()}
    table = reject(Table(variables, coords, two_stations.attrs), "cox:2", "zscore:3", mask=["A.r0#0"])
    xr.testing.assert_identical(table.dataset(), reject(two_stations, "cox:2", "zscore:3", mask=["A.r0#0"]))
