"""Geopsy's HVSR: its own results, its windows, closed forms."""

import numpy as np
import obspy
import pytest

from obspy_tng.errors import RecordError, TNGError
from obspy_tng.site import geopsy, hv_file
from obspy_tng.site.smoothing import parse

SINGLE = {  # reference -> window in s, taper, smoothing, horizontal, as its .log says
    "a": (60, 0.1, "ko:40", "quadratic"),
    "b": (120, 0.1, "ko:40", "quadratic"),
    "c": (60, 0.1, "ko:10", "quadratic"),
    "d": (60, 0.1, "ko:80", "quadratic"),
    "e": (60, 0.2, "ko:40", "quadratic"),
    "f": (60, 0.0002, "ko:40", "quadratic"),
    "g": (60, 0.1, "ko:40", "quadratic"),
    "h": (60, 0.1, "ko:40", "quadratic"),
    "m": (60, 0.1, "ko:40", "azimuth:0"),
    "n": (60, 0.1, "ko:40", "azimuth:30"),
    "o": (60, 0.1, "ko:40", "azimuth:90"),
    "p": (60, 0.1, "ko:40", "azimuth:150"),
}


@pytest.fixture(scope="module")
def folder(shared_data):
    """Folder of Geopsy's results."""
    return shared_data / "hvsr" / "geopsy"


@pytest.fixture(scope="module")
def record(folder):
    """30 minutes of microtremor, (3, 180001), 100 Hz."""
    stream = obspy.read(folder / "UT.STN11.A2_C50.miniseed")
    return np.array([stream.select(component=c)[0].data for c in "ENZ"], dtype=float)


@pytest.mark.parametrize("name", SINGLE)
def test_single_window_as_geopsy(name, folder, record):
    """A single window is Geopsy's to the digits its file holds, with the settings of its log."""
    reference = hv_file.read(folder / f"UT_STN11_c50_single_{name}.hv")
    window_s, taper, smoothing, horizontal = SINGLE[name]
    frequency = geopsy.output_frequency(n_frequency=len(reference.frequency_hz))
    np.testing.assert_allclose(frequency, reference.frequency_hz, rtol=5.1e-6)
    (curve,) = geopsy.hvsr_windows(
        record, 100.0, frequency, window_s, max_windows=1, taper=taper, smoothing=smoothing, horizontal=horizontal
    )
    np.testing.assert_allclose(curve, reference.average, rtol=6e-6)
    assert curve.argmax() == reference.average.argmax()


def test_windows_as_geopsy(folder, record):
    """Mean, spread, f0 from windows and peak amplitude of 30 windows are Geopsy's."""
    reference = hv_file.read(folder / "UT_STN11_c050.hv")
    frequency = geopsy.output_frequency()
    before = record.copy()
    curves = geopsy.hvsr_windows(record, 100.0, frequency)
    assert len(curves) == reference.n_windows == 30
    logs = np.log(curves)
    mean, sigma = logs.mean(axis=0), logs.std(axis=0, ddof=1)
    np.testing.assert_allclose(np.exp(mean), reference.average, rtol=6e-6)
    np.testing.assert_allclose(np.exp(mean - sigma), reference.minimum, rtol=6e-6)
    np.testing.assert_allclose(np.exp(mean + sigma), reference.maximum, rtol=6e-6)
    f0 = geopsy.f0_from_windows(curves, frequency)
    np.testing.assert_allclose(f0[:3], reference.f0_windows_hz, rtol=2e-6)
    assert f0.n_windows == reference.n_windows_f0
    assert f0.peak_amplitude == pytest.approx(reference.peak_amplitude, rel=2e-6)
    np.testing.assert_array_equal(record, before)


def test_window_bounds():
    """One window is whole, several are a sample short and begin a whole length apart."""
    assert geopsy.window_bounds(180001, 100.0, 60)[[0, 1, -1]].tolist() == [[0, 5999], [6000, 11999], [174000, 179999]]
    assert len(geopsy.window_bounds(180001, 100.0, 60)) == 30
    assert geopsy.window_bounds(180001, 100.0, 60, max_windows=1).tolist() == [[0, 6000]]
    assert geopsy.window_bounds(180001, 100.0, 60, max_windows=2).tolist() == [[0, 5999], [6000, 11999]]
    assert geopsy.window_bounds(7000, 100.0, 60).tolist() == [[0, 6000]]
    assert geopsy.window_bounds(1000, 100.0, 5, overlap=0.5).tolist() == [[0, 499], [250, 749], [500, 999]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"window_s": 0}, "window of 0"),
        ({"window_s": float("nan")}, "window of nan"),
        ({"overlap": 1.0}, "overlap 1.0"),
        ({"max_windows": 0}, "max_windows 0"),
    ],
)
def test_windows_that_make_no_sense(given, said):
    """A setting out of its range is named with what is accepted."""
    with pytest.raises(TNGError, match=said):
        geopsy.window_bounds(6000, 100.0, **given)


def test_record_shorter_than_a_window():
    """A record shorter than a window is a bad record, not a curve."""
    with pytest.raises(RecordError, match=r"only 30\.0 s; one window of 60 s"):
        geopsy.hvsr_windows(np.ones((3, 3000)), 100.0, [1.0])


def test_equal_components():
    """N = E = Z gives 1, total energy the square root of 2, whatever the smoothing."""
    z = np.random.default_rng(0).normal(size=6000)
    frequency = geopsy.output_frequency(n_frequency=64)
    for smoothing in ("ko:40", "loggauss:40"):
        for how, expected in (("quadratic", 1.0), ("total-energy", np.sqrt(2))):
            given = np.stack([z, z, z])
            curve = geopsy.hvsr_of_windows(given, 100.0, frequency, smoothing=smoothing, horizontal=how)
            np.testing.assert_allclose(curve, expected, rtol=1e-12)


def test_offset_and_scale_do_not_matter():
    """A constant added to a component, or one factor on all, leaves the curve as it is."""
    data = np.random.default_rng(1).normal(size=(3, 4000))
    frequency = [1.0, 2.5, 10.0]
    changed = 1e-6 * (data + np.array([[3.0], [-7.0], [100.0]]))
    np.testing.assert_allclose(
        geopsy.hvsr_of_windows(changed, 100.0, frequency), geopsy.hvsr_of_windows(data, 100.0, frequency), rtol=1e-9
    )


def test_kernel():
    """Around bin 22 the kernel for b = 40 reaches from bin 19 (22/1.155 = 19.05) to 25 (25.4) with (sin x / x)^4."""
    bins, matrix = geopsy.smoothing_rows(6000, 100.0, np.array([22 / 60]).tobytes(), parse("ko:40"))
    assert bins.tolist() == [22, 23]
    row = matrix.toarray()[0]
    assert np.flatnonzero(row).tolist() == list(range(19, 26))
    x = 40 * np.log10(25 / 22)
    assert row[25] / row[22] == pytest.approx((np.sin(x) / x) ** 4)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)


def test_kernel_ends_at_zero_and_nyquist():
    """The kernel never takes the mean of the record and is cut at Nyquist."""
    bins, matrix = geopsy.smoothing_rows(100, 100.0, np.array([1.0, 49.5]).tobytes(), parse("ko:5"))
    rows = matrix.toarray()
    assert bins.tolist() == [1, 2, 49, 50]
    assert np.all(rows[:, 0] == 0)
    assert rows[2, 50] > 0
    np.testing.assert_allclose(rows.sum(axis=1), 1)


def test_linear_between_fft_frequencies():
    """Half-way between two FFT frequencies stands the mean of the two ratios."""
    data = np.random.default_rng(2).normal(size=(3, 1000))
    low, middle, high = geopsy.hvsr_of_windows(data, 100.0, [5.0, 5.05, 5.1])
    assert middle == pytest.approx((low + high) / 2)


def test_outside_the_spectrum_is_unknown():
    """Below the first FFT frequency and above Nyquist stands NaN; both ends themselves are known."""
    data = np.random.default_rng(3).normal(size=(3, 1000))
    curve = geopsy.hvsr_of_windows(data, 100.0, [0.05, 0.1, 50.0, 60.0])
    assert np.isfinite(curve).tolist() == [False, True, True, False]
    assert np.isnan(geopsy.hvsr_of_windows(data, 100.0, [60.0, 70.0])).all()


def test_dead_vertical():
    """No energy on the vertical is NaN, without a warning."""
    data = np.random.default_rng(4).normal(size=(3, 1000))
    data[2] = 5.0
    assert np.isnan(geopsy.hvsr_of_windows(data, 100.0, [1.0, 2.0])).all()


def test_f0_from_windows():
    """Peaks inside f0/1.5 to 1.5 f0 only, arithmetic mean, ddof 1, windows without a peak there left out."""
    frequency = np.linspace(1, 6, 5001)
    places = np.array([2.0, 2.4, 2.8])
    curves = 1 + 3 * np.exp(-(((frequency - places[:, None]) / 0.3) ** 2))
    curves[1] += 9 * np.exp(-(((frequency - 5.5) / 0.1) ** 2))  # higher, but elsewhere
    curves = np.vstack([curves, 1 / frequency])
    average = 1 + 3 * np.exp(-(((frequency - 2.4) / 0.3) ** 2))
    f0 = geopsy.f0_from_windows(curves, frequency, average)
    np.testing.assert_allclose(f0.window_f0_hz, [*places, np.nan], atol=6e-4)
    assert f0.n_windows == 3
    np.testing.assert_allclose(f0[:3], [2.4, 2.0, 2.8], atol=6e-4)
    assert f0.peak_amplitude == pytest.approx(4.0, abs=1e-3)


def test_no_f0_from_windows():
    """A single window, and curves without a peak, have no f0 from windows."""
    frequency = np.geomspace(1, 10, 50)
    for curves in (np.ones((1, 50)), np.ones((4, 50)), np.full((4, 50), np.nan)):
        f0 = geopsy.f0_from_windows(curves, frequency)
        assert f0.n_windows == 0
        assert np.isnan(f0.f0_hz)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"taper": 1.5}, "taper 1.5"),
        ({"horizontal": "wrong"}, "horizontal 'wrong'"),
        ({"smoothing": "ko:x"}, "bandwidth 'x'"),
    ],
)
def test_settings_out_of_range(given, said):
    """A setting out of its range is named."""
    with pytest.raises(TNGError, match=said):
        geopsy.hvsr_of_windows(np.ones((3, 100)), 100.0, [1.0], **given)


def test_shapes_and_bands_out_of_range():
    """Arrays without three components and bands the wrong way round are named."""
    with pytest.raises(TNGError, match=r"shape \(2, 100\)"):
        geopsy.hvsr_windows(np.ones((2, 100)), 100.0, [1.0])
    with pytest.raises(TNGError, match=r"shape \(100,\)"):
        geopsy.hvsr_of_windows(np.ones(100), 100.0, [1.0])
    with pytest.raises(TNGError, match=r"band 40 0\.3"):
        geopsy.output_frequency((40, 0.3))
    with pytest.raises(TNGError, match="1 output"):
        geopsy.output_frequency(n_frequency=1)


@pytest.mark.parametrize(
    ("npts", "settings", "expected"),
    [
        (6000, {}, [[0, 6000]]),
        (5999, {}, [[0, 5999]]),  # one sample short, as Geopsy counts from the first to the last
        (11998, {}, [[0, 6000]]),
        (11999, {}, [[0, 5999], [6000, 11999]]),
        (12000, {"overlap": 0.5}, [[0, 5999], [3000, 8999], [6000, 11999]]),
        (12000, {"max_windows": 1}, [[0, 6000]]),
        (11999, {"max_windows": 2, "overlap": 0.5}, [[0, 5999], [3000, 8999]]),
    ],
)
def test_bounds_counted_by_hand(npts, settings, expected):
    """A single window has all its samples, several have one less each and begin whole steps apart."""
    assert geopsy.window_bounds(npts, 100.0, 60.0, **settings).tolist() == expected


def test_bounds_that_are_refused():
    """Two samples short, or less than two samples asked for."""
    with pytest.raises(RecordError, match=r"only 60\.0 s; one window of 60 s"):
        geopsy.window_bounds(5998, 100.0, 60.0)
    assert geopsy.window_bounds(10, 1.0, 2.0).tolist()[:2] == [[0, 1], [2, 3]]
    for window_s in (1.4, np.nan, np.inf):
        with pytest.raises(TNGError, match="at least two samples"):
            geopsy.window_bounds(100, 1.0, window_s)
