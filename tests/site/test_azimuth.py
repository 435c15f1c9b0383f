"""Azimuthal HVSR against closed forms, and its statistics against sums written out."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.site import azimuth
from obspy_tng.site.curves import hvsr_array, lognormal
from obspy_tng.site.smoothing import smoothing_bands
from obspy_tng.site.spectra import fourier

RATE = 100.0
FREQUENCY = np.geomspace(0.8, 20, 40)


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(size=(4, 3, 2500))


def test_equal_components(noise):
    """E = N = Z: |cos + sin| of the azimuth, thus 1 at 0 and 90 degrees and √2 at 45."""
    same = np.repeat(noise[:, :1], 3, axis=1)
    angles = np.array([0.0, 20.0, 45.0, 90.0, 160.0])
    out = azimuth.azimuthal(same, RATE, FREQUENCY, azimuths_deg=angles)
    expected = np.abs(np.cos(np.radians(angles)) + np.sin(np.radians(angles)))
    assert out.shape == (4, 5, 40)
    np.testing.assert_allclose(out, np.broadcast_to(expected[:, None], out.shape), rtol=1e-11)


def test_one_direction_of_motion():
    """Motion along 60 degrees only: |cos| of the angle from it, nothing across."""
    x, z = np.random.default_rng(1).normal(size=(2, 2500))
    data = np.stack([np.sin(np.radians(60)) * x, np.cos(np.radians(60)) * x, z])
    out = azimuth.azimuthal(data, RATE, FREQUENCY, azimuths_deg=[60, 0, 105, 150])
    np.testing.assert_allclose(out[1] / out[0], 0.5, rtol=1e-11)
    np.testing.assert_allclose(out[2] / out[0], np.sqrt(0.5), rtol=1e-11)
    assert (out[3] / out[0] < 1e-12).all()


def test_equals_single_azimuths(noise):
    """Each row is the curve of that azimuth by itself; the input stays, a common factor and offset change nothing."""
    before = noise.copy()
    out = azimuth.azimuthal(noise, RATE, FREQUENCY, azimuths_deg=[15, 100], taper=0.1, smoothing="parzen:1")
    for i, degrees in enumerate((15, 100)):
        settings = {"horizontal": f"azimuth:{degrees}", "taper": 0.1, "smoothing": "parzen:1"}
        np.testing.assert_allclose(out[:, i], hvsr_array(noise, RATE, FREQUENCY, **settings), rtol=1e-12)
    np.testing.assert_array_equal(noise, before)
    scaled = azimuth.azimuthal(1e-7 * noise + 3e-7, RATE, FREQUENCY)
    np.testing.assert_allclose(scaled, azimuth.azimuthal(noise, RATE, FREQUENCY), rtol=1e-8)


def test_turned_sensor_shifts_azimuths(noise):
    """A sensor turned by 25 degrees sees at azimuth a what a straight one sees at a + 25; 180 degrees is 0 again."""
    c, s = np.cos(np.radians(25)), np.sin(np.radians(25))
    east, north, z = noise[0]
    turned = np.stack([c * east - s * north, c * north + s * east, z])
    base, other = (azimuth.azimuthal(x, RATE, FREQUENCY) for x in (noise[0], turned))
    np.testing.assert_allclose(other, np.roll(base, -5, axis=0), rtol=1e-10)


def test_spectra_at_hand(noise):
    """From spectra computed before, without a new transform: the same curves."""
    bands = smoothing_bands(2500, RATE, FREQUENCY)
    out = azimuth.azimuthal_of_spectra(fourier(noise, 0.05)[..., : bands.n_bins], bands, [0, 30])
    np.testing.assert_allclose(out, azimuth.azimuthal(noise, RATE, FREQUENCY, azimuths_deg=[0, 30]), rtol=1e-13)


def test_mean_square_over_azimuths(noise):
    """Smoothing nothing, the mean square over azimuths is the squared quadratic mean, bin by bin."""
    bins = np.arange(20, 500) * RATE / 2500
    out = azimuth.azimuthal(noise[0], RATE, bins, smoothing="rect:0.001")
    quadratic = hvsr_array(noise[0], RATE, bins, smoothing="rect:0.001")
    np.testing.assert_allclose(np.sqrt((out**2).mean(axis=0)), quadratic, rtol=1e-10)


def test_no_vertical_and_wrong_shape(noise):
    """A vertical without energy is NaN; an array of another shape is told."""
    noise[0, 2] = 0
    assert np.isnan(azimuth.azimuthal(noise, RATE, FREQUENCY)[0]).all()
    with pytest.raises(TNGError, match=r"\(4, 2, 2500\)"):
        azimuth.azimuthal(noise[:, :2], RATE, FREQUENCY)


def test_one_azimuth_is_lognormal():
    """With one azimuth: log-mean and standard deviation with ddof 1."""
    curves = np.exp(np.random.default_rng(2).normal(size=(9, 1, 7)))
    out = azimuth.statistics(curves)
    median, sigma, n = lognormal(curves[:, 0])
    for mine, other in zip(out, (median, sigma, n, median, sigma, n), strict=True):
        np.testing.assert_allclose(np.squeeze(mine), other, rtol=1e-12)


def test_each_azimuth_weighs_the_same():
    """f0 of 1 Hz in three windows at one azimuth and of 4 Hz in one at the other: 2 Hz, and σ by hand."""
    f0_hz = np.array([[1.0, 4.0], [1.0, np.nan], [1.0, np.nan]])
    out = azimuth.statistics(f0_hz)
    # weights 1/6, 1/6, 1/6, 1/2; every ln x is ln 2 from the mean
    assert out.median == pytest.approx(2.0)
    assert out.sigma_ln == pytest.approx(np.log(2) / np.sqrt(1 - (3 / 36 + 1 / 4)))
    assert (out.n_valid, out.azimuth_n_valid.tolist()) == (4, [3, 1])
    np.testing.assert_allclose(out.azimuth_median, [1, 4])


def test_weights_written_out():
    """Cheng et al.'s weighted mean and deviation summed window by window, with rejected ones and gaps."""
    rng = np.random.default_rng(3)
    curves = np.exp(rng.normal(size=(8, 5, 6)))
    curves[rng.random(curves.shape) < 0.2] = np.nan
    accepted = rng.random((8, 5)) < 0.7
    accepted[:, 3] = False  # an azimuth of which nothing is left
    out = azimuth.statistics(curves, accepted)
    for k in range(6):
        used = [np.log(curves[accepted[:, a] & np.isfinite(curves[:, a, k]), a, k]) for a in range(5)]
        used = [x for x in used if x.size]
        w = np.concatenate([np.full(x.size, 1 / (len(used) * x.size)) for x in used])
        x = np.concatenate(used)
        assert w.sum() == pytest.approx(1)
        mean = (w * x).sum()
        assert out.median[k] == pytest.approx(np.exp(mean))
        assert out.sigma_ln[k] == pytest.approx(np.sqrt((w * (x - mean) ** 2).sum() / (1 - (w**2).sum())))
        assert out.n_valid[k] == x.size
    assert np.isnan(out.azimuth_median[3]).all()


def test_mask_of_whole_windows():
    """A mask of records rejects at all azimuths; nothing left is NaN, one value has no spread; other shapes raise."""
    curves = np.exp(np.random.default_rng(4).normal(size=(5, 3, 2)))
    keep = np.array([True, False, True, True, False])
    both = azimuth.statistics(curves, keep), azimuth.statistics(curves[keep])
    for mine, other in zip(*both, strict=True):
        np.testing.assert_array_equal(mine, other)
    empty = azimuth.statistics(curves, np.zeros(5, bool))
    assert np.isnan(empty.median).all() and np.isnan(empty.sigma_ln).all() and (empty.n_valid == 0).all()
    assert np.isnan(azimuth.statistics(curves[:1, :1]).sigma_ln).all()
    with pytest.raises(TNGError, match=r"\(4,\)"):
        azimuth.statistics(curves, np.ones(4, bool))
    with pytest.raises(TNGError, match="record, azimuth"):
        azimuth.statistics(curves[:, 0, 0])
