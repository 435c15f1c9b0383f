"""Windows for the network: where P stands, what the filters do, and that nothing depends on the unit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from obspy import UTCDateTime

from obspy_tng.errors import RecordError
from obspy_tng.preprocessing import (
    NPTS,
    SAMPLING_RATE_HZ,
    condition,
    cut,
    land,
    resampled,
    signal_to_noise,
    standardise,
    taper,
    window_start,
    windows,
)
from obspy_tng.record import Record, read_records, records
from obspy_tng.simulation import simulate

NETWORK = Path(__file__).parents[1] / "data_samples" / "network"


def record(data, rate=100.0, **fields):
    """Return a record of three rows."""
    data = np.asarray(data, dtype=float)
    data = np.array([data] * 3) if data.ndim == 1 else data
    return Record(data, rate, UTCDateTime(2020, 1, 1), "XX", "STA", **fields)


def noise(seconds, rate=100.0, seed=0):
    """Return three rows of white noise."""
    return np.random.default_rng(seed).normal(size=(3, round(seconds * rate)))


def velocity_displacement(a, dt=0.01):
    """Integrate twice by the trapezoidal rule."""
    v = np.concatenate([np.zeros(a.shape[:-1] + (1,)), np.cumsum((a[..., 1:] + a[..., :-1]) / 2, -1) * dt], -1)
    d = np.concatenate([np.zeros(a.shape[:-1] + (1,)), np.cumsum((v[..., 1:] + v[..., :-1]) / 2, -1) * dt], -1)
    return v, d


# --- the window


@pytest.mark.parametrize("p_s", [10.0, 12.34, 25.0])
def test_p_stands_at_ten_seconds(p_s):
    """A pulse at P of a long record is at sample 1000 of the window, and S keeps its distance from P."""
    data = noise(100) * 1e-3
    data[:, round(p_s * 100)] = 50.0
    made = windows([record(data, p_s=p_s, s_s=p_s + 7.5)])
    assert made.x.shape == (1, 3, NPTS) == (1, 3, 6000) and made.x.dtype == np.float32
    assert list(np.abs(made.x[0]).argmax(axis=1)) == [1000] * 3
    assert made.s_s[0] == pytest.approx(17.5, abs=0.005)


@pytest.mark.parametrize(("p_s", "at"), [(4.0, 400), (75.0, 3500)])
def test_window_stays_inside_a_long_record(p_s, at):
    """P too near an end of a record longer than the window: no zeros are put in, P stands elsewhere."""
    data = noise(100) * 1e-3
    data[:, round(p_s * 100)] = 50.0
    made = windows([record(data, p_s=p_s)])
    assert list(np.abs(made.x[0]).argmax(axis=1)) == [at] * 3
    assert np.isnan(made.s_s[0])


@pytest.mark.parametrize(("seconds", "p_s", "first"), [(30, 8.0, 200), (30, 10.0, 0), (50, 3.0, 700)])
def test_short_records_are_padded_with_zeros(seconds, p_s, first):
    """30 s with P at 8 s: samples from 2 s on, exact zeros before and after; P at 10 s."""
    data = noise(seconds)
    data[:, round(p_s * 100)] += 100.0
    (x,), _, _ = windows([record(data, p_s=p_s)])
    last = first + seconds * 100
    assert not x[:, :first].any() and not x[:, last:].any()
    # tapers, not zeros, at the ends of the record itself
    assert (np.abs(x[:, first + 10 : first + 100]).max(axis=1) > 0).all()
    assert list(np.abs(x).argmax(axis=1)) == [1000] * 3


def test_record_that_fits_is_kept_whole():
    """P at 40 of 50 s: moving it to 10 s would cut the record, so it is not moved beyond the window's start."""
    made = record(noise(50), p_s=40.0)
    assert window_start(made) == 0
    assert np.count_nonzero(windows([made]).x[0, 0]) > 0.98 * 5000


def test_unknown_p_is_told_from_energy():
    """0.5 % of the Arias intensity of steady shaking from 20 s to 60 s has come after 0.2 s: P at 20.2 s."""
    data = noise(100) * 1e-4
    data[:, 2000:6000] *= 1e4
    assert window_start(record(data + 5.0)) == pytest.approx(2020 - 1000, abs=8)


def test_unknown_p_of_simulated_records():
    """Without onsets, the energy of the sample network comes between P and S."""
    got = read_records(sorted(NETWORK.glob("*.mseed"))[:2], NETWORK / "stations.xml", NETWORK / "events.xml")
    assert len(got) == 8
    for one in got:
        quiet = np.zeros((3, 2000))  # longer, so that the window is free to move
        blind = replace(one, data=np.hstack([quiet, one.data, quiet]), p_s=np.nan, s_s=np.nan)
        onset_s = (window_start(blind) + 1000 - 2000) / 100
        assert one.p_s - 0.5 < onset_s < one.s_s + 0.5, one.id


def test_too_short_is_an_error():
    """Less than 15 s tell nothing: the id, the length and the limit are named."""
    with pytest.raises(RecordError, match=r"XX\.STA.* is 14\.0 s long; at least 15 s"):
        windows([record(noise(14.01), p_s=3.0)])
    assert windows([record(noise(15.01), p_s=3.0)]).x.any()


def test_no_records():
    """Nothing in, nothing out, in shape."""
    assert windows([]).x.shape == (0, 3, NPTS)


def test_windows_do_not_depend_on_each_other():
    """A record alone and among others gives the same window."""
    made = [record(noise(70, seed=i), p_s=15.0) for i in range(3)]
    together = windows(made)
    for i, one in enumerate(made):
        np.testing.assert_array_equal(windows([one]).x[0], together.x[i])


def test_input_is_left_as_it_is():
    """The record's samples do not change."""
    data = noise(70) + 3.0
    made = record(data.copy(), p_s=15.0)
    windows([made])
    np.testing.assert_array_equal(made.data, data)


# --- resampling


@pytest.mark.parametrize(("rate", "npts"), [(200.0, 12000), (50.0, 3000), (125.0, 7500), (99.9, 6000)])
def test_resampling_keeps_a_sine(rate, npts):
    """5 Hz at any rate is 5 Hz at 100 Hz: amplitude within 1 %, phase within a degree, offset kept."""
    t = np.arange(npts) / rate
    made = resampled(record(3.0 + np.sin(2 * np.pi * 5.0 * t + 0.3), rate))
    assert made.sampling_rate == SAMPLING_RATE_HZ == 100.0
    assert made.npts == pytest.approx(npts * 100 / rate, abs=2)
    u = np.arange(made.npts) / 100.0
    inner = slice(500, 4500)
    parts = np.array([np.sin(2 * np.pi * 5 * u), np.cos(2 * np.pi * 5 * u), np.ones(u.size)])[:, inner]
    a, b, mean = np.linalg.lstsq(parts.T, made.data[0, inner], rcond=None)[0]
    assert np.hypot(a, b) == pytest.approx(1.0, rel=0.01)
    assert np.degrees(np.arctan2(b, a) - 0.3) == pytest.approx(0.0, abs=1.0)
    assert mean == pytest.approx(3.0, abs=0.005)


def test_resampling_does_not_alias():
    """70 Hz at 200 Hz has no place at 100 Hz, where it would show as 30 Hz."""
    t = np.arange(8000) / 200.0
    made = resampled(record(np.sin(2 * np.pi * 70.0 * t), 200.0))
    assert np.abs(made.data[:, 300:-300]).max() < 0.01


def test_onsets_survive_resampling():
    """P stands at 10 s for a record at 200 Hz, too."""
    t = np.arange(16000) / 200.0
    pulse = np.exp(-(((t - 17.3) / 0.05) ** 2))
    made = windows([record(pulse, 200.0, p_s=17.3, s_s=20.0)])
    assert list(made.x[0].argmax(axis=1)) == [1000] * 3
    assert made.s_s[0] == pytest.approx(12.7, abs=0.005)


def test_rates_equal_within_a_clock_error_are_left():
    """99.9999 Hz is 100 Hz with a slow clock: the same object comes back."""
    made = record(noise(30), 99.9999)
    assert resampled(made) is made


# --- conditioning


def test_highpass_halves_amplitude_at_a_tenth_of_a_hertz():
    """1 / (1 + (0.1/f)⁴): 0.5 at 0.1 Hz, 1/17 at 0.05 Hz, 16/17 at 0.2 Hz, 1 above 0.5 Hz, without phase shift."""
    t = np.arange(200_000) / 100.0
    for f, gain in ((0.05, 1 / 17), (0.1, 0.5), (0.2, 16 / 17), (0.5, 625 / 626), (5.0, 1.0)):
        sine = np.sin(2 * np.pi * f * t)
        got = condition(sine)[50_000:150_000]
        a = 2 * np.mean(got * sine[50_000:150_000])
        b = 2 * np.mean(got * np.cos(2 * np.pi * f * t)[50_000:150_000])
        assert a == pytest.approx(gain, rel=0.01), f
        assert b == pytest.approx(0.0, abs=0.002), f


def test_conditioning_is_without_phase():
    """A symmetric pulse in the middle stays symmetric and where it is."""
    n = 8001
    pulse = np.exp(-(((np.arange(n) - 4000) / 30.0) ** 2))
    got = condition(pulse)[2000:6001]
    assert got.argmax() == 2000
    np.testing.assert_allclose(got, got[::-1], atol=2e-4)


def test_mean_and_unit_do_not_matter():
    """An offset vanishes and a factor stays a factor."""
    data = noise(60)
    np.testing.assert_allclose(condition(data + 1e3), condition(data), atol=1e-9)
    np.testing.assert_allclose(condition(data * 7), condition(data) * 7, rtol=1e-10, atol=1e-10)


def test_taper_is_one_and_three_seconds():
    """Half-cosines of 1 s and 3 s: 0 at the ends, 0.5 half-way, 1 between; short records get a quarter each."""
    window = taper(6000)
    assert window[0] == 0 and window[-1] == 0
    assert window[50] == pytest.approx(0.5) and window[-1 - 150] == pytest.approx(0.5)
    assert (window[100:-300] == 1).all() and (np.diff(window[:100]) > 0).all()
    assert (taper(400, 100.0)[100:300] == 1).all()


def test_cut_matches_conditioning_of_the_part():
    """The record outside the window has no say in it."""
    data = noise(100)
    np.testing.assert_array_equal(cut(data, 500), condition(data[:, 500:6500]))
    far = data.copy()
    far[:, :400] += 1e6
    far[:, 6600:] -= 1e6
    np.testing.assert_array_equal(cut(far, 500), cut(data, 500))


# --- standardising


def test_standardise_inverts():
    """x · exp(ln_sd) is the input; sd of x is 1 per record and component."""
    data = np.random.default_rng(1).normal(size=(4, 3, 500)) * np.geomspace(1e-6, 10, 12).reshape(4, 3, 1)
    x, ln_sd = standardise(data)
    assert x.dtype == np.float32 and ln_sd.shape == (4, 3)
    np.testing.assert_allclose(x.std(axis=-1), 1.0, rtol=1e-5)
    back = x * np.exp(ln_sd)[..., None]
    np.testing.assert_allclose(back, data, rtol=1e-6, atol=1e-6 * np.abs(data).max(axis=-1, keepdims=True).min())


@pytest.mark.parametrize("factor", [1e-9, 0.01, 9.80665, 1e6])
def test_windows_do_not_depend_on_the_unit(factor):
    """The same record in another unit gives the same x, and ln of the factor more in ln_sd."""
    (one,) = records(simulate(seed=2, duration_s=60.0))
    x, ln_sd, _ = windows([one])
    other, other_sd, _ = windows([replace(one, data=one.data * factor)])
    np.testing.assert_allclose(other, x, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(other_sd - ln_sd, np.log(factor), rtol=1e-9)


def test_silent_component_is_an_error():
    """Nothing to divide by: how many windows are concerned."""
    data = np.random.default_rng(1).normal(size=(3, 3, 100))
    data[1, 2] = 0
    with pytest.raises(RecordError, match="1 window"):
        standardise(data)


# --- back to rest


def random_walk(n=5, npts=6000, seed=4):
    """Return accelerations that drift as nothing natural does."""
    return np.cumsum(np.random.default_rng(seed).normal(size=(n, 3, npts)), axis=-1)


def test_landed_motion_ends_at_rest():
    """Velocity and displacement at the end are zero, to 1e-6 of their peaks, even of a random walk."""
    a = land(random_walk())
    v, d = velocity_displacement(a)
    assert np.abs(v[..., -1] / np.abs(v).max(axis=-1)).max() < 1e-6
    assert np.abs(d[..., -1] / np.abs(d).max(axis=-1)).max() < 1e-6
    assert (a[..., [0, -1]] == 0).all()
    # the same walk without: displacement far away
    assert np.abs(velocity_displacement(random_walk())[1][..., -1]).min() > 1.0


def test_landed_records_are_at_rest_in_the_last_half_second():
    """The criterion of the project: median |v| of the last 0.5 s at most 5 % of the peak, |d| at most 10 %."""
    stream = simulate(magnitude=5.5, distance_km=20.0, n=6, seed=8, duration_s=60.0)
    data = np.array([trace.data for trace in stream], dtype=float)
    v, d = velocity_displacement(land(data + 1e-3))
    assert (np.median(np.abs(v[:, -50:]), axis=1) <= 0.05 * np.abs(v).max(axis=1)).all()
    assert (np.median(np.abs(d[:, -50:]), axis=1) <= 0.10 * np.abs(d).max(axis=1)).all()


def test_landing_changes_little():
    """Between the ramps nothing is changed beside conditioning, on them 1 % of the peak of a simulated record."""
    data = np.array([t.data for t in simulate(magnitude=5.0, distance_km=20.0, seed=8, duration_s=60.0)], dtype=float)
    change, peak = np.abs(land(data) - condition(data)), np.abs(data).max()
    assert change.max() < 0.01 * peak
    assert change[:, 100:-300].max() < 1e-6 * peak


def test_landed_displacement_does_not_drift():
    """Its linear trend is a fifth of its peak, even of a random walk that ends in the middle of its motion."""
    _, d = velocity_displacement(land(random_walk()))
    t = np.linspace(-0.5, 0.5, d.shape[-1])
    trend = np.abs(d @ t / (t @ t)) / np.abs(d).max(axis=-1)
    assert np.median(trend) < 0.3, trend  # 0.87 with a correction spread over the record instead


def test_landing_at_other_rates():
    """At 200 Hz and of a single row, too."""
    a = land(random_walk(1, 9000)[0, 0], 200.0)
    v, d = velocity_displacement(a, 0.005)
    assert abs(v[-1]) < 1e-6 * np.abs(v).max() and abs(d[-1]) < 1e-6 * np.abs(d).max()


# --- signal to noise


@pytest.mark.parametrize(("ratio", "rate"), [(10.0, 100.0), (3.0, 100.0), (40.0, 200.0)])
def test_signal_to_noise_is_a_ratio_of_rms(ratio, rate):
    """White noise that grows by a known factor at S, the least factor of three components; drift does not count."""
    data = noise(60, rate, seed=9)
    data[:, round(20 * rate) :] *= np.array([[ratio], [2 * ratio], [5 * ratio]])
    drift = 1e3 * np.sin(2 * np.pi * 0.02 * np.arange(data.shape[1]) / rate)
    made = record(data + drift, rate, p_s=18.0, s_s=20.0)
    assert signal_to_noise(made) == pytest.approx(ratio, rel=0.05)


def test_signal_from_p_without_s():
    """Without S the signal begins at P."""
    data = noise(60, seed=9)
    data[:, 1500:] *= 8.0
    assert signal_to_noise(record(data, p_s=15.0)) == pytest.approx(8.0, rel=0.05)


@pytest.mark.parametrize("fields", [{}, {"p_s": 3.5, "s_s": 10.0}, {"s_s": 10.0}, {"p_s": 20.0, "s_s": 99.0}])
def test_no_noise_no_ratio(fields):
    """Unknown P, less than 3 s of noise, or S beyond the record: NaN, no guess."""
    assert np.isnan(signal_to_noise(record(noise(60), **fields)))


def test_resampling_does_not_fill_the_memory():
    """A record of a rate or length that would grow a thousand times is refused, with both numbers."""
    with pytest.raises(RecordError, match=r"6000000 s at 0.001 Hz; accepted: up to 86400 s, 1 Hz or more"):
        resampled(record(np.zeros(6001), rate=0.001))
    with pytest.raises(RecordError, match="accepted"):
        resampled(record(np.zeros(100_000), rate=1.0))
