"""Smoothing of spectra against closed forms and ObsPy's own Konno-Ohmachi."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.site.smoothing import konno_ohmachi, smooth, smoothing_matrix

FREQUENCY = np.geomspace(0.5, 20, 60)


def test_constant_stays_constant():
    """Normalised weights: smoothing a constant spectrum returns it, whatever lies at 0 Hz."""
    amplitude = np.full(1001, 3.0)
    amplitude[0] = 1e9
    out = smooth(amplitude, smoothing_matrix(2000, 100.0, FREQUENCY))
    np.testing.assert_allclose(out, 3.0, rtol=1e-13)


def test_weights_closed_form():
    """The Konno-Ohmachi window is 1 at the centre, (2/π)^4 where x = π/2, 0 at and beyond its first zero."""
    ratio = 10 ** (np.array([0.0, np.pi / 2, np.pi, 4.0]) / 40)
    np.testing.assert_allclose(konno_ohmachi(ratio, 40.0), [1, (2 / np.pi) ** 4, 0, 0], atol=1e-12)


def test_single_line_returns_its_weight():
    """A spectrum of one line shows the normalised weight of that bin, computed here from the formula."""
    amplitude = np.zeros(1001)
    amplitude[100] = 1.0  # 5 Hz
    bins = np.arange(1, 1001) * 0.05
    x = 40 * np.log10(bins / 5.2)
    weights = np.where(np.abs(x) < np.pi, np.sinc(x / np.pi) ** 4, 0)
    out = smooth(amplitude, smoothing_matrix(2000, 100.0, [5.2]))
    np.testing.assert_allclose(out, weights[99] / weights.sum(), rtol=1e-12)


def test_agrees_with_obspy():
    """ObsPy keeps the side lobes we leave out: on a noisy spectrum the two differ by less than 1 %."""
    from obspy.signal.konnoohmachismoothing import konno_ohmachi_smoothing

    rng = np.random.default_rng(0)
    bins = np.fft.rfftfreq(2000, 0.01)
    amplitude = rng.rayleigh(size=bins.size)
    amplitude[0] = 0
    theirs = konno_ohmachi_smoothing(amplitude[1:], bins[1:], bandwidth=40, normalize=True)
    inside = (bins[1:] > 1) & (bins[1:] < 25)
    ours = smooth(amplitude, smoothing_matrix(2000, 100.0, bins[1:][inside]))
    np.testing.assert_allclose(ours, theirs[inside], rtol=0.01)


def test_too_short_window_gives_nan():
    """A frequency whose kernel holds no FFT bin, or above Nyquist, is NaN; its neighbours are not."""
    out = smooth(np.ones(51), smoothing_matrix(100, 100.0, [0.5, 5.0, 60.0]))
    assert np.isnan(out[[0, 2]]).all() and out[1] == pytest.approx(1.0)


def test_blocks_equal_single():
    """Many spectra at once give what each gives alone, and the input is left as it is."""
    spectra = np.random.default_rng(1).rayleigh(size=(31, 3, 501))
    before = spectra.copy()
    matrix = smoothing_matrix(1000, 100.0, FREQUENCY)
    together = smooth(spectra, matrix)
    np.testing.assert_allclose(together[17, 1], smooth(spectra[17, 1], matrix), rtol=1e-13)
    np.testing.assert_array_equal(spectra, before)


@pytest.mark.parametrize("text", ["parzen:2", "ko:-1", "ko:wide", "ko:inf"])
def test_unknown_smoothing(text):
    """An unknown kind or an impossible bandwidth raises and names what is accepted."""
    with pytest.raises(TNGError, match="ko:"):
        smoothing_matrix(100, 100.0, [1.0], text)
