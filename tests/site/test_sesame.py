"""SESAME's criteria: published verdicts, the table of thresholds, one criterion failing at a time."""

import numpy as np
import pytest
import xarray as xr

from obspy_tng.errors import TNGError
from obspy_tng.site import hv_file, sesame

F = np.geomspace(0.2, 20, 500)
CURVE = 1 + 4 * np.exp(-8 * np.log(F / 2) ** 2)
GOOD = dict(
    curve=CURVE, sigma_ln=np.full(500, 0.3), frequency_hz=F, f0_hz=2.0, n_windows=30, window_s=60.0, f0_std_hz=0.05
)


def gaussian(f0_hz, height, width=0.25):
    """Return a bump in ln f."""
    return height * np.exp(-((np.log(F / f0_hz) / width) ** 2) / 2)


@pytest.mark.parametrize(("name", "expected"), [("ex0", "111/111101"), ("ex4", "111/111111")])
def test_published_verdicts(name, expected, shared_data):
    """Curves with known verdicts get them."""
    hv = hv_file.read(shared_data / "hvsr" / "sesame" / f"{name}.hv")
    verdict = sesame.criteria(
        hv.average, hv.sigma_ln, hv.frequency_hz, hv.f0_average_hz, hv.n_windows, hv.window_s, hv.f0_std_hz
    )
    assert str(verdict) == expected
    assert verdict.reason == ""
    data = sesame.sesame(hv)
    assert data.verdict.values.tolist() == [expected] and data.sizes["station"] == 1
    assert (float(data.window_s[0]), float(data.f0_std_hz[0])) == (hv.window_s, hv.f0_std_hz)
    assert (data.value.values[0] == verdict.value).all()


def test_of_a_geopsy_file(shared_data):
    """Geopsy's files tell no length of windows: what needs it is not judged and named, the rest is."""
    data = sesame.sesame(hv_file.read(shared_data / "hvsr" / "geopsy" / "UT_STN11_c050.hv"))
    assert data.reliability.values[0].startswith("00") and "window length" in str(data.reason.values[0])
    assert data.clarity.values[0][2] == "1" and int(data.n_windows[0]) == 30
    again = sesame.sesame(hv_file.read(shared_data / "hvsr" / "geopsy" / "UT_STN11_c050.hv"), f0=5.0)
    assert again.f0_hz.values.tolist() == [5.0]


def test_of_something_else():
    """Neither a Dataset nor a file: one line that says what is accepted."""
    with pytest.raises(TNGError, match="float given; accepted: a Dataset of hvsr"):
        sesame.sesame(3.0)


@pytest.mark.parametrize(
    ("f0_hz", "epsilon", "log_theta"),
    [(0.1, 0.25, 0.48), (0.3, 0.20, 0.40), (0.7, 0.15, 0.30), (1.5, 0.10, 0.25), (2.0, 0.05, 0.20), (9, 0.05, 0.20)],
)
def test_thresholds(f0_hz, epsilon, log_theta):
    """Epsilon and theta are those of SESAME's table; theta is 10 to the tabulated log theta, to its two digits."""
    given_epsilon, theta = sesame.thresholds(f0_hz)
    assert given_epsilon == pytest.approx(epsilon * f0_hz)
    assert np.log10(theta) == pytest.approx(log_theta, abs=0.006)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "111/111111"),
        ({"window_s": 4.0}, "011/111111"),  # f0 = 2 < 10 / 4, cycles 240
        ({"n_windows": 1}, "101/111111"),  # cycles 120
        ({"sigma_ln": np.where(np.abs(np.log(F / 1.2)) < 0.05, 0.75, 0.3)}, "110/111111"),
        ({"curve": np.where(F < 2, np.maximum(CURVE, 2.6), CURVE)}, "111/011111"),
        ({"curve": np.where(F > 2, np.maximum(CURVE, 2.6), CURVE)}, "111/101111"),
        ({"curve": 0.3 + gaussian(2.0, 1.5)}, "111/110111"),
        ({"curve": CURVE, "sigma_ln": 0.3 + 0.2 * np.log(F / 2)}, "111/111011"),
        ({"f0_std_hz": 0.11}, "111/111101"),
        ({"sigma_ln": np.full(500, 0.46)}, "111/111110"),  # 1.584 > 1.58
    ],
)
def test_one_criterion_at_a_time(changed, expected):
    """Each criterion fails alone when what it judges is just not met."""
    given = GOOD | changed
    if "sigma_ln" in changed and expected == "111/111011":
        # a spread that grows with frequency moves the peak of A sigma up: a broad peak makes it more than 5 %
        given["curve"] = 1 + 4 * np.exp(-1.2 * np.log(F / 2) ** 2)
    assert str(sesame.criteria(**given)) == expected


def test_what_is_compared():
    """Values and thresholds are the figures of the closed form."""
    verdict = sesame.criteria(**GOOD)
    table = dict(zip(sesame.CRITERIA, zip(verdict.value, verdict.threshold, strict=True), strict=True))
    assert table["window length"] == (2.0, pytest.approx(10 / 60))
    assert table["cycles"] == (pytest.approx(3600), 200)
    assert table["spread of the curve"] == (pytest.approx(np.exp(0.3)), 2.0)
    assert table["lower flank"] == (pytest.approx(1.0, abs=1e-3), pytest.approx(2.5, rel=1e-3))
    assert table["amplitude"] == (pytest.approx(5.0, rel=1e-3), 2.0)
    assert table["spread at f0"] == (pytest.approx(np.exp(0.3)), 1.58)


def test_low_f0_may_spread_more():
    """Below 0.5 Hz the curve may spread by 3 instead of 2."""
    given = GOOD | {"curve": 1 + gaussian(0.4, 4), "f0_hz": 0.4, "sigma_ln": np.full(500, 0.85), "f0_std_hz": 0.01}
    assert str(sesame.criteria(**given)) == "111/111111"


def test_lower_of_two_peaks():
    """The lower of two peaks is judged by its own surroundings, not by where the higher one is."""
    curve = 1 + gaussian(1.0, 4) + gaussian(8.0, 9)
    lower = sesame.criteria(**GOOD | {"curve": curve, "f0_hz": 1.0})
    assert str(lower) == "111/111111"
    assert lower.value[6] < 0.02


def test_peakless():
    """No f0, a curve without values or without a spread: nothing or less is passed and the reason is told."""
    assert str(sesame.criteria(**GOOD | {"f0_hz": np.nan})) == "000/000000"
    assert sesame.criteria(**GOOD | {"f0_hz": np.nan}).reason == "no f0"
    assert "no value at f0" in sesame.criteria(**GOOD | {"curve": np.full(500, np.nan)}).reason
    assert "no value at f0" in sesame.criteria(**GOOD | {"f0_hz": 30.0}).reason
    flat = sesame.criteria(**GOOD | {"curve": np.ones(500)})
    assert str(flat) == "111/000011"
    single = sesame.criteria(**GOOD | {"sigma_ln": np.full(500, np.nan), "f0_std_hz": np.nan})
    assert str(single) == "110/111000"
    assert "spread of f0" in single.reason


def test_unequal_shapes():
    """Arrays of different lengths are named with their shapes."""
    with pytest.raises(TNGError, match=r"\(500,\), \(3,\), \(500,\)"):
        sesame.criteria(**GOOD | {"sigma_ln": np.ones(3)})


def test_f0_of_windows():
    """f0 of each window is its highest peak near the station's, not a higher one where the average is higher too."""
    places = np.array([0.95, 1.0, 1.1])
    curves = np.stack([1 + gaussian(p, 4) + gaussian(8.0, 9) for p in places] + [np.ones(500)])
    found = sesame.window_f0(curves, F, 1.0, np.exp(np.log(curves[:3]).mean(axis=0)))
    np.testing.assert_allclose(found, [*places, np.nan], rtol=0.006)


def hvsr_dataset():
    """Return the Dataset of a station with a peak (4 windows, one rejected) and a flat one."""
    places = np.array([1.96, 2.0, 2.04])
    curves = np.stack([1 + gaussian(p, 4) for p in places] + [1 + gaussian(9.0, 9), *np.ones((3, 500))])
    group = np.array(["XX.PEAK"] * 4 + ["XX.FLAT"] * 3)
    accepted = np.array([True, True, True, False, True, True, True])
    logs = [np.log(curves[accepted & (group == s)]) for s in ("XX.FLAT", "XX.PEAK")]
    return xr.Dataset(
        {
            "hvsr": (("record", "frequency"), curves),
            "curve": (("station", "frequency"), np.stack([np.exp(x.mean(axis=0)) for x in logs])),
            "sigma_ln": (("station", "frequency"), np.stack([x.std(axis=0, ddof=1) for x in logs])),
            "accepted": ("record", accepted),
        },
        {
            "frequency": F,
            "station": ["XX.FLAT", "XX.PEAK"],
            "record_station": ("record", group),
            "window_start_s": ("record", np.zeros(7)),
            "window_end_s": ("record", np.full(7, 60.0)),
        },
        {"band_hz": [0.2, 20.0], "horizontal": "quadratic"},
    )


def test_dataset():
    """Per station: windows counted without the rejected one, spread of f0 of the rest, a reason where no f0 is."""
    out = sesame.sesame(hvsr_dataset())
    peak, flat = out.sel(station="XX.PEAK"), out.sel(station="XX.FLAT")
    assert peak.verdict.item() == "111/111111"
    assert (peak.reliability.item(), peak.clarity.item()) == ("111", "111111")
    assert bool(peak.reliable)
    assert bool(peak.clear)
    assert (peak.n_windows.item(), peak.window_s.item()) == (3, 60.0)
    assert peak.f0_hz.item() == pytest.approx(2.0, rel=0.01)
    assert peak.f0_std_hz.item() == pytest.approx(0.04, abs=0.015)
    assert flat.verdict.item() == "000/000000"
    assert flat.reason.item().startswith("no f0: ")
    assert not bool(flat.reliable)
    assert out.passed.dims == ("station", "criterion")
    assert out.rule.sel(criterion="amplitude").item() == "A0 > 2"


def test_f0_given():
    """f0 can be a number or a Dataset; one that lacks a station is refused."""
    data = hvsr_dataset()
    assert sesame.sesame(data, 2.0).sel(station="XX.PEAK").verdict.item() == "111/111111"
    one = xr.Dataset({"f0_hz": ("station", [2.0])}, {"station": ["XX.PEAK"]})
    with pytest.raises(TNGError, match=r"XX\.FLAT is needed too"):
        sesame.sesame(data, one)
    assert np.isnan(sesame.sesame(data, float("nan")).value).all()


def test_total_energy():
    """Curves of total-energy horizontals are sqrt(2) higher, and so is the amplitude asked of them."""
    data = hvsr_dataset().assign_attrs(horizontal="total-energy")
    assert sesame.sesame(data, 2.0).threshold.sel(criterion="amplitude")[1] == pytest.approx(2 * np.sqrt(2))
