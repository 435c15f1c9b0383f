"""HVSR of arrays: closed forms, invariances, masks, and the published code's definition done the slow way."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.site import timesnet_gen
from obspy_tng.site.curves import hvsr_array, lognormal, windowed_hvsr
from obspy_tng.site.f0 import f0_argmax
from obspy_tng.site.windows import Window

RATE = 100.0
FREQUENCY = np.geomspace(0.6, 20, 50)


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(size=(3, 3000))


def test_equal_components(noise):
    """E = N = Z gives 1, and √2 for total energy."""
    same = np.repeat(noise[:1], 3, axis=0)
    np.testing.assert_allclose(hvsr_array(same, RATE, FREQUENCY), 1, rtol=1e-12)
    np.testing.assert_allclose(hvsr_array(same, RATE, FREQUENCY, horizontal="total-energy"), np.sqrt(2), rtol=1e-12)


def test_known_ratio_of_spectra():
    """Horizontals = vertical through a known slowly varying gain: the curve is that gain within 1 %."""
    z = np.random.default_rng(1).normal(size=6000)
    f = np.fft.rfftfreq(z.size, 1 / RATE)
    gain = 1 + 2 * np.exp(-0.5 * (np.log(np.maximum(f, 0.01) / 3) / 0.5) ** 2)
    h = np.fft.irfft(np.fft.rfft(z) * gain, z.size)
    curve = hvsr_array(np.stack([h, h, z]), RATE, FREQUENCY, taper=0.0, smoothing="ko:200")
    expected = 1 + 2 * np.exp(-0.5 * (np.log(FREQUENCY / 3) / 0.5) ** 2)
    np.testing.assert_allclose(curve, expected, rtol=0.01)


def test_scale_offset_and_rotation(noise):
    """A common factor and offsets change nothing; total energy does not change with the azimuth of the
    sensor.
    """
    base = hvsr_array(noise, RATE, FREQUENCY)
    np.testing.assert_allclose(hvsr_array(noise * 1e-9 + 5e-8, RATE, FREQUENCY), base, rtol=1e-9)
    c, s = np.cos(0.7), np.sin(0.7)
    turned = np.stack([c * noise[0] + s * noise[1], c * noise[1] - s * noise[0], noise[2]])
    np.testing.assert_allclose(hvsr_array(turned, RATE, FREQUENCY), base, rtol=1e-12)


def test_batch_equals_single(noise):
    """Nineteen records at once give what each gives alone; the input is not touched; shapes are told."""
    data = np.random.default_rng(2).normal(size=(19, 3, 1500))
    before = data.copy()
    curves = hvsr_array(data, RATE, FREQUENCY)
    assert curves.shape == (19, 50)
    np.testing.assert_allclose(curves[11], hvsr_array(data[11], RATE, FREQUENCY), rtol=1e-12)
    np.testing.assert_array_equal(data, before)
    with pytest.raises(TNGError, match=r"\(2, 1500\)"):
        hvsr_array(data[0, :2], RATE, FREQUENCY)


def test_zero_vertical_is_nan(noise):
    """A vertical without energy gives NaN, never infinity."""
    noise[2] = 0
    assert np.isnan(hvsr_array(noise, RATE, FREQUENCY)).all()


def test_snr_mask_per_root_length():
    """Signal of amplitude 4 on noise 1: kept at snr 3, masked at 5, whatever the length of the noise
    window.
    """
    rng = np.random.default_rng(4)
    data = np.concatenate([rng.normal(size=(3, 3000)), 4 * rng.normal(size=(3, 2000))], axis=1)
    window, wide = Window(3000, 5000, "pick"), np.geomspace(5, 20, 20)
    for noise_samples in ((0, 3000), (1500, 2500)):
        kept = windowed_hvsr(data, RATE, window, noise_samples, wide, smoothing="ko:10", snr=3.0)
        gone = windowed_hvsr(data, RATE, window, noise_samples, wide, smoothing="ko:10", snr=5.0)
        assert np.isfinite(kept).all() and np.isnan(gone).all()
    data[2, 3000:] /= 4  # one component drowned is enough
    assert np.isnan(windowed_hvsr(data, RATE, window, (0, 3000), wide, smoothing="ko:10", snr=3.0)).all()


def test_snr_mask_of_components():
    """The mask tells the component that is drowned and where; the curve is NaN there and as before elsewhere."""
    rng = np.random.default_rng(8)
    f = np.fft.rfftfreq(2000, 1 / RATE)
    data = np.concatenate([0.1 * rng.normal(size=(3, 3000)), rng.normal(size=(3, 2000))], axis=1)
    quiet = np.fft.rfft(data[0, 3000:])
    quiet[f > 8] *= 0.05
    data[0, 3000:] = np.fft.irfft(quiet, 2000)
    window, wide = Window(3000, 5000, "pick"), np.array([3.0, 5.0, 12.0, 16.0])
    curve, ok = windowed_hvsr(data, RATE, window, (0, 3000), wide, smoothing="ko:20", return_mask=True)
    assert ok.tolist() == [[True, True, False, False], [True] * 4, [True] * 4]
    whole, all_ok = windowed_hvsr(data, RATE, window, None, wide, smoothing="ko:20", return_mask=True)
    np.testing.assert_array_equal(curve, np.where([1, 1, 0, 0], whole, np.nan))
    assert all_ok.all() and all_ok.shape == (3, 4)
    np.testing.assert_array_equal(windowed_hvsr(data, RATE, window, (0, 3000), wide, smoothing="ko:20"), curve)


def test_noise_too_short_to_judge():
    """Where the noise window holds no bin of the kernel nothing is masked."""
    data = np.random.default_rng(9).normal(size=(3, 3000))
    curve, ok = windowed_hvsr(data, RATE, Window(1000, 3000, "pick"), (0, 300), [0.5, 10.0], snr=50.0, return_mask=True)
    assert ok[:, 0].all() and not ok[:, 1].any()
    assert np.isfinite(curve[0]) and np.isnan(curve[1])


def test_directions_of_equal_components(noise):
    """E = N = Z: 1 along north and east, √2 at 45°, 0 at 135°; over azimuths at most √2, in the median 1."""
    same = np.repeat(noise[:1], 3, axis=0)
    expected = {"azimuth:0": 1, "azimuth:90": 1, "azimuth:45": np.sqrt(2), "rotd100": np.sqrt(2), "rotd50": 1}
    for how, value in expected.items():
        np.testing.assert_allclose(hvsr_array(same, RATE, FREQUENCY, horizontal=how), value, rtol=1e-12)
    assert (hvsr_array(same, RATE, FREQUENCY, horizontal="azimuth:135") < 1e-12).all()


def test_rotd_is_percentile_of_rotated_traces(noise):
    """The slow way: turn the traces, transform and smooth each, take the percentile of the spectra."""
    angles = np.radians(np.arange(180))[:, None]
    turned = np.cos(angles) * noise[1] + np.sin(angles) * noise[0]
    three = np.stack([turned, turned, np.broadcast_to(noise[2], turned.shape)], axis=1)
    along = hvsr_array(three, RATE, FREQUENCY)  # the quadratic mean of twice the same is that
    for percentile in (0, 50, 84):
        curve = hvsr_array(noise, RATE, FREQUENCY, horizontal=f"rotd{percentile:02}")
        np.testing.assert_allclose(curve, np.percentile(along, percentile, axis=0), rtol=1e-11)


def test_rotd_does_not_know_the_sensor(noise):
    """A sensor turned by whole degrees gives the same RotD50, whose azimuths it only reorders."""
    c, s = np.cos(np.radians(37)), np.sin(np.radians(37))
    turned = np.stack([c * noise[0] - s * noise[1], c * noise[1] + s * noise[0], noise[2]])
    for how in ("rotd50", "rotd84"):
        base = hvsr_array(noise, RATE, FREQUENCY, horizontal=how)
        np.testing.assert_allclose(hvsr_array(turned, RATE, FREQUENCY, horizontal=how), base, rtol=1e-10)
    assert not np.allclose(hvsr_array(turned, RATE, FREQUENCY, horizontal="azimuth:0"), base, rtol=0.01)


def test_many_records_and_kinds_of_numbers():
    """More records than one pass holds, of float32 or integers: what each gives alone."""
    data = np.random.default_rng(3).integers(-1000, 1000, size=(495, 3, 200))
    base = hvsr_array(data, RATE, [5.0, 9.0], smoothing="ko:10")
    for i in (0, 11, 12, 479, 480, 494):
        np.testing.assert_allclose(base[i], hvsr_array(data[i], RATE, [5.0, 9.0], smoothing="ko:10"), rtol=1e-12)
    single = hvsr_array(data.astype("f4"), RATE, [5.0, 9.0], smoothing="ko:10")
    np.testing.assert_allclose(single, base, rtol=1e-4)


def test_lognormal_statistics():
    """1, 2, 4 have the log-mean 2 and the ln deviation ln 2 (ddof 1); NaN is left out, not counted."""
    curves = np.array([[1.0, np.nan, np.nan], [2.0, 3.0, np.nan], [4.0, np.nan, np.nan]])
    median, sigma, n = lognormal(curves)
    np.testing.assert_allclose(median, [2, 3, np.nan])
    np.testing.assert_allclose(sigma, [np.log(2), np.nan, np.nan])
    assert n.tolist() == [3, 1, 0]


def slow_timesnet_gen(data):
    """The definition of SCIENCE §1 word by word: time-domain filter, dense weights at every FFT frequency."""
    from scipy.signal import butter, detrend, sosfiltfilt

    sos = butter(2, 0.05, "highpass", fs=RATE, output="sos")
    amplitude = [np.abs(np.fft.rfft(sosfiltfilt(sos, np.pad(detrend(x), 6000)))) for x in data]
    f = np.fft.rfftfreq(data.shape[1] + 12000, 1 / RATE)
    centre = f[(f >= 1) & (f <= 20)]
    weights = np.exp(-40 * np.log(f[1:] / centre[:, None]) ** 2)
    weights /= weights.sum(axis=1, keepdims=True)
    return centre, weights @ np.sqrt(amplitude[0] * amplitude[1])[1:] / (weights @ amplitude[2][1:])


def test_timesnet_gen_definition():
    """The fast form equals the slow one to 1e-5 and finds the same f0, a multiple of 1/180 Hz."""
    rng = np.random.default_rng(5)
    data = rng.normal(size=(3, 6000)) * np.exp(-(((np.arange(6000) - 2000) / 800) ** 2)) + np.linspace(0, 0.3, 6000)
    centre, slow = slow_timesnet_gen(data)
    np.testing.assert_allclose(timesnet_gen.fft_frequencies(6000, RATE), centre)
    np.testing.assert_allclose(hvsr_array(data, RATE, centre, compat="timesnet-gen"), slow, rtol=1e-5)
    f0 = timesnet_gen.record_f0(data[None], RATE)[0]
    assert f0 == centre[slow.argmax()]
    assert f0 * 180 == pytest.approx(round(f0 * 180), abs=1e-6)


def test_timesnet_gen_padding_matters_not_position():
    """Zeros around or behind a record give the same amplitudes: a shift changes phases only."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=(1, 3, 4000))
    grid = timesnet_gen.frequencies()
    assert grid.size == 400 and grid[[0, -1]].tolist() == [1.0, 20.0]
    curve = hvsr_array(x, RATE, grid, compat="timesnet-gen")
    np.testing.assert_allclose(hvsr_array(-3 * x, RATE, grid, compat="timesnet-gen"), curve, rtol=1e-9)


def test_argmax():
    """The largest value inside the band, band limits included; an empty curve gives NaN."""
    frequency = np.array([0.5, 1.0, 2.0, 4.0])
    curves = np.array([[9.0, 1.0, 2.0, 3.0], [np.nan] * 4])
    np.testing.assert_array_equal(f0_argmax(curves, frequency, (1.0, 4.0)), [4.0, np.nan])
    assert f0_argmax(curves[0], frequency) == 0.5


def test_unknown_compat(noise):
    """An unknown definition raises and names the known one."""
    with pytest.raises(TNGError, match="timesnet-gen"):
        hvsr_array(noise, RATE, FREQUENCY, compat="excel")
