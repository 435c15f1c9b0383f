"""Fourier spectra and horizontal combinations against closed forms."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.site.spectra import HORIZONTALS, fourier, horizontal, taper


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


def test_unknown_horizontal():
    """An unknown combination raises and lists the known ones."""
    with pytest.raises(TNGError, match="quadratic"):
        horizontal(np.ones(1), np.ones(1), "vertical")
