"""Fourier spectra and horizontal combinations against closed forms."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.site.spectra import HORIZONTALS, check_horizontal, fourier, horizontal, parse_horizontal, rotated, taper


def test_taper_is_tukey():
    """The taper is SciPy's Tukey window of twice the fraction."""
    from scipy.signal.windows import tukey

    for npts, fraction in ((2000, 0.05), (1501, 0.1), (7, 0.25)):
        np.testing.assert_allclose(taper(npts, fraction), tukey(npts, 2 * fraction), atol=1e-12)
    np.testing.assert_array_equal(taper(5, 0.0), 1)


def test_sine_amplitude_and_length():
    """A sine of amplitude A on a bin has |X| = A n / 2 there, a constant offset vanishes, nothing is
    padded.
    """
    n = 1000
    x = 7.0 + 2.0 * np.sin(2 * np.pi * 50 * np.arange(n) / n)
    amplitude = np.abs(fourier(x, 0.0))
    assert amplitude.size == n // 2 + 1
    assert amplitude[50] == pytest.approx(2.0 * n / 2)
    assert amplitude[[0, 10, 49, 51]] == pytest.approx(0, abs=1e-9)


def test_horizontals_of_3_and_4():
    """E = 3, N = 4 (any phase): the textbook means."""
    e, n = np.array([3.0 + 0j]), np.array([4.0j])
    expected = {
        "quadratic": np.sqrt(12.5),
        "geometric": np.sqrt(12),
        "arithmetic": 3.5,
        "total-energy": 5.0,
        "maximum": 4.0,
    }
    assert set(expected) == set(HORIZONTALS)
    for how, value in expected.items():
        assert horizontal(e, n, how)[0] == pytest.approx(value)


def test_fourier_is_tapered_transform():
    """Mean off, Tukey window of SciPy, transform: whatever the ramps, also where they meet; the input stays."""
    from scipy.signal.windows import tukey

    x = np.random.default_rng(0).normal(3.0, 1.0, size=(2, 501))
    before, work = x.copy(), np.empty_like(x)
    for fraction in (0.01, 0.05, 0.3, 0.5):
        expected = np.fft.rfft((x - x.mean(axis=1, keepdims=True)) * tukey(501, 2 * fraction))
        np.testing.assert_allclose(fourier(x, fraction), expected, atol=1e-11)
        np.testing.assert_array_equal(fourier(x, fraction, work=work), fourier(x, fraction))
    np.testing.assert_array_equal(x, before)


def test_rotation_in_time_and_frequency():
    """Rotating spectra gives the spectra of rotated traces."""
    east, north = x = np.random.default_rng(1).normal(size=(2, 300))
    angles = np.array([0.0, 30.0, 77.5, 90.0, 135.0, 200.0])
    turned = np.cos(np.radians(angles))[:, None] * north + np.sin(np.radians(angles))[:, None] * east
    out = rotated(*np.fft.rfft(x), angles)
    np.testing.assert_allclose(out, np.abs(np.fft.rfft(turned)), atol=1e-11)
    assert rotated(np.fft.rfft(x[None, :1]), np.fft.rfft(x[None, 1:]), angles).shape == (1, 1, 6, 151)


def test_azimuth_is_clockwise_from_north():
    """At 0 degrees north, at 90 east, at 45 both add up, at 135 equal motions cancel."""
    e, n = np.array([3.0 + 0j]), np.array([4.0 + 0j])
    expected = {"0": 4.0, "90": 3.0, "45": 7 / np.sqrt(2), "-45.0": 1 / np.sqrt(2), "180": 4.0}
    for degrees, value in expected.items():
        assert horizontal(e, n, f"azimuth:{degrees}")[0] == pytest.approx(value)
    assert horizontal(e, e, "azimuth:135")[0] == pytest.approx(0, abs=1e-12)


def test_names_of_horizontals():
    """The texts accepted and what they mean."""
    assert parse_horizontal("azimuth:30") == ("azimuth", 30.0)
    assert parse_horizontal("rotd84") == ("rotd", 84.0)
    assert parse_horizontal("rotd00").value == 0
    assert parse_horizontal("maximum").kind == "maximum"


@pytest.mark.parametrize("how", ["vertical", "rotd", "rotd101", "rotd5.5", "azimuth", "azimuth:north", "azimuth:nan"])
def test_unknown_name(how):
    """Any other text raises, lists the accepted ones and says the unit."""
    with pytest.raises(TNGError, match=r"quadratic.*azimuth:DEG.*rotdNN"):
        check_horizontal(how)


def test_rotd_of_bins_is_refused():
    """A percentile over azimuths of single bins is the quadratic mean: refused where nothing is smoothed."""
    with pytest.raises(TNGError, match="smoothed"):
        horizontal(np.ones(1), np.ones(1), "rotd50")
    e, n = np.random.default_rng(2).normal(size=(2, 40, 2)) @ [1, 1j]
    median = np.median(rotated(e, n, np.arange(0, 180, 0.05)), axis=0)
    np.testing.assert_allclose(median, horizontal(e, n), rtol=2e-3)


def test_unknown_horizontal():
    """An unknown combination raises and lists the known ones."""
    with pytest.raises(TNGError, match="quadratic"):
        horizontal(np.ones(1), np.ones(1), "vertical")
