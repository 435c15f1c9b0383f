"""Smoothing of spectra against closed forms and ObsPy's own Konno-Ohmachi."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.site.smoothing import (
    KINDS,
    Kernel,
    kernel_matrix,
    konno_ohmachi,
    parse,
    parzen,
    smooth,
    smoothing_bands,
    smoothing_matrix,
)

FREQUENCY = np.geomspace(0.5, 20, 60)
BINS = np.arange(1, 1001) * 0.05  # Hz, of 2000 samples at 100 Hz


def line_at_5_hz():
    """Return the spectrum of one line."""
    amplitude = np.zeros(1001)
    amplitude[100] = 1.0
    return amplitude


@pytest.mark.parametrize("kind", KINDS)
def test_constant_stays_constant(kind):
    """Normalised weights: smoothing a constant spectrum returns it, whatever lies at 0 Hz."""
    amplitude = np.full(1001, 3.0)
    amplitude[0] = 1e9
    out = smooth(amplitude, smoothing_matrix(2000, 100.0, FREQUENCY, kind))
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


def test_straight_line_stays():
    """Symmetric linear kernels leave a straight line as it is, away from 0 Hz and Nyquist; asymmetric ones lift it."""
    amplitude, centre = np.concatenate([[0.0], BINS]), np.arange(2, 40) * 0.75
    for kind in ("parzen:0.9", "rect:0.7", "tri:1.1"):
        np.testing.assert_allclose(smooth(amplitude, smoothing_matrix(2000, 100.0, centre, kind)), centre, rtol=1e-12)
    assert (smooth(amplitude, smoothing_matrix(2000, 100.0, centre, "ko:20")) > centre).all()


@pytest.mark.parametrize(
    ("kind", "weight"),
    [
        ("rect:1", lambda f: (np.abs(f - 5.2) <= 0.5 + 1e-12).astype(float)),
        ("tri:1", lambda f: np.maximum(1 - 2 * np.abs(f - 5.2), 0)),
        ("logrect:0.1", lambda f: (np.abs(np.log10(f / 5.2)) <= 0.05).astype(float)),
        ("logtri:0.1", lambda f: np.maximum(1 - 20 * np.abs(np.log10(f / 5.2)), 0)),
        ("loggauss:40", lambda f: np.exp(-40 * np.log(f / 5.2) ** 2)),
    ],
)
def test_single_line_of_each_kind(kind, weight):
    """One line shows the normalised weight of its bin, the widths being full widths in Hz or decades."""
    out = smooth(line_at_5_hz(), smoothing_matrix(2000, 100.0, [5.2], kind))
    np.testing.assert_allclose(out, weight(5.0) / weight(BINS).sum(), rtol=1e-8)


def test_parzen_bandwidth():
    """Parzen's bandwidth is (∫W)² / ∫W² over all its lobes, the width of the rectangle of equal variance."""
    f = np.linspace(-200, 200, 4_000_001)
    x = np.pi * 280 / (2 * 151) * f / 0.7
    whole = np.sinc(x / np.pi) ** 4
    assert whole.sum() ** 2 / (whole**2).sum() * (f[1] - f[0]) == pytest.approx(0.7, rel=1e-5)
    inside = np.abs(x) < np.pi
    np.testing.assert_allclose(parzen(f[::100], 0.7), np.where(inside, whole, 0)[::100], atol=1e-12)


def test_edge_of_rectangle_is_inside():
    """Bins exactly half a bandwidth away count: 11 of .05 Hz in .5 Hz, at each centre that is a bin."""
    matrix = smoothing_matrix(2000, 100.0, BINS[20:400], "rect:0.5")
    assert set(np.diff(matrix.indptr)) == {11}


def test_weights_are_those_of_obspy():
    """Inside the main lobe the weights are ObsPy's, at every bin and for several b."""
    from obspy.signal.konnoohmachismoothing import konno_ohmachi_smoothing_window

    for b in (10.0, 40.0, 100.0):
        theirs = konno_ohmachi_smoothing_window(BINS, 5.2, b, normalize=False)
        inside = np.abs(b * np.log10(BINS / 5.2)) < np.pi
        np.testing.assert_allclose(konno_ohmachi(BINS / 5.2, b)[inside], theirs[inside], rtol=1e-9, atol=1e-15)


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


@pytest.mark.parametrize("kind", KINDS)
def test_bands_are_the_matrix(kind):
    """Dense blocks give what the sparse matrix gives, NaN rows (too low, above Nyquist) included."""
    spectrum = np.random.default_rng(2).rayleigh(size=(29, 1001))
    frequency = np.concatenate([[0.001], FREQUENCY, [49.9, 51.0, 3.3]])
    matrix = smoothing_matrix(2000, 100.0, frequency, kind)
    bands = smoothing_bands(2000, 100.0, frequency, kind)
    out = smooth(spectrum[:, : bands.n_bins], bands)
    np.testing.assert_allclose(out, smooth(spectrum, matrix), rtol=1e-12)
    assert np.isnan(out[:, -2]).all() and np.isfinite(out[:, 1:-2]).all()


def test_long_windows_stay_sparse():
    """Of an hour rows are too long for dense blocks: same numbers, no blocks; of a minute blocks stay small."""
    spectrum = np.random.default_rng(4).rayleigh(size=180001)
    bands = smoothing_bands(360000, 100.0, FREQUENCY)
    assert not bands.blocks and bands.matrix.shape == (60, bands.n_bins)
    out = smooth(spectrum[: bands.n_bins], bands)
    np.testing.assert_array_equal(out, smooth(spectrum, smoothing_matrix(360000, 100.0, FREQUENCY)))
    minute = smoothing_bands(6000, 100.0, np.geomspace(0.5, 20, 200))
    assert minute.matrix is None and all(block[-1].size <= 8192 for block in minute.blocks)
    assert [block[1] for block in minute.blocks[:-1]] == [block[0] for block in minute.blocks[1:]]


def test_threads_change_nothing():
    """One thread or two: the same numbers to the last digit, as results must not depend on the machine's load."""
    threadpoolctl = pytest.importorskip("threadpoolctl")
    rng = np.random.default_rng(5)
    for npts in (2000, 6000, 30000):
        bands = smoothing_bands(npts, 100.0, np.geomspace(0.3, 28, 240))
        for count in (1, 2, 4, 24, 180):
            spectra = rng.rayleigh(size=(count, bands.n_bins))
            out = []
            for threads in (1, 2):
                with threadpoolctl.threadpool_limits(threads):
                    out.append(smooth(spectra, bands))
            np.testing.assert_array_equal(*out)


def test_bands_leave_out_what_has_no_weight():
    """Bins above the last weight are not asked for, and another number of bins is told."""
    bands = smoothing_bands(2000, 100.0, [4.0, 5.0], "rect:1")
    assert bands.n_bins == 111  # 5.5 Hz is bin 110
    with pytest.raises(ValueError, match=r"1001 .*111"):
        smooth(np.ones(1001), bands)


def test_few_equal_many():
    """One spectrum by itself and among others gives the same numbers."""
    spectra = np.random.default_rng(3).rayleigh(size=(60, 501))
    bands = smoothing_bands(1000, 100.0, FREQUENCY)
    many = smooth(spectra[:, : bands.n_bins], bands)
    np.testing.assert_allclose(smooth(spectra[40, : bands.n_bins], bands), many[40], rtol=1e-14)


def test_own_kernel():
    """A kernel of one's own: the mean of the two bins around a centre; the matrix is built once."""
    kernel = Kernel(lambda f, fc, b: np.ones_like(f), lambda fc, b: (fc - b, fc + b))
    matrix = kernel_matrix(2000, 100.0, [5.025, 7.025], kernel, 0.03)
    np.testing.assert_allclose(smooth(np.arange(1001.0), matrix), [100.5, 140.5])
    assert kernel_matrix(2000, 100.0, [5.025, 7.025], kernel, 0.03) is matrix


def test_default_bandwidths():
    """A kind alone has a bandwidth in its own unit; the text form reads back."""
    assert [str(parse(kind)) for kind in ("ko", "tri", "logrect")] == ["ko:40", "tri:0.5", "logrect:0.05"]
    assert parse(parse("parzen:0.3")) == parse("parzen:0.3")


@pytest.mark.parametrize("text", ["boxcar:2", "ko:-1", "ko:wide", "ko:inf", "rect:0"])
def test_unknown_smoothing(text):
    """An unknown kind or an impossible bandwidth raises and names what is accepted."""
    with pytest.raises(TNGError, match="ko:"):
        smoothing_matrix(100, 100.0, [1.0], text)
