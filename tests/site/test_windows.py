"""S and noise windows against hand-made records whose onsets are known."""

import numpy as np
import pytest

from obspy_tng.errors import RecordError, TNGError
from obspy_tng.site.windows import (
    Window,
    before_second_earthquake,
    energy_onsets,
    noise_window,
    signal_window,
    sliding,
    window_length,
)


def test_length_rule():
    """20 s without a band; max(15 s, 10 / fmin) with one; a number is itself; full and noise are None."""
    assert window_length("s") == 20
    assert window_length("s", (1.0, 20.0)) == 15
    assert window_length("s", (0.4, 20.0)) == pytest.approx(25)
    assert window_length("12.5", (0.4, 20.0)) == 12.5
    assert window_length("full") is None
    assert window_length("noise") is None
    for wrong in ("p", "3", -1, "nan"):
        with pytest.raises(TNGError, match="accepted"):
            window_length(wrong)


def test_starts_half_a_second_before_s():
    """S at 30 s, 100 Hz: samples 2950 to 4950; cut at the end of the record; too little left raises."""
    assert signal_window(9000, 100.0, 30.0, "pick", 20.0) == (2950, 4950, "pick")
    assert signal_window(4000, 100.0, 30.0, "pick", 20.0) == (2950, 4000, "pick")
    assert signal_window(9000, 100.0, 0.2, "pick", 20.0)[:2] == (0, 2000)
    assert signal_window(9000, 100.0, np.nan, "", None) == (0, 9000, "full")
    with pytest.raises(RecordError, match=r"only 2\.5 s after S"):
        signal_window(3200, 100.0, 30.0, "pick", 20.0)


def test_noise_ends_before_p_in_whole_seconds():
    """P at 12.9 s: 12 s that end at 12.4 s; P unknown or under 5 s of noise: none."""
    assert noise_window(100.0, 12.9, 5000) == (40, 1240)
    assert noise_window(100.0, 5.4, 5000) is None
    assert noise_window(100.0, np.nan, 5000) is None
    assert noise_window(100.0, 40.0, 1000) == (0, 1000)


def shaken(p_s, s_s, duration_s=60.0, rate=100.0, size=1.0, seed=3):
    """Return noise (3, n) with a P of 8 (horizontals) and 30 times and an S of 150 and 60 times its amplitude."""
    t = np.arange(round(duration_s * rate)) / rate
    p_wave, s_wave = np.exp(-(t - p_s) / 4) * (t >= p_s), np.exp(-(t - s_s) / 6) * (t >= s_s)
    grow = np.array([[8.0], [8.0], [30.0]]) * p_wave + np.array([[150.0], [150.0], [60.0]]) * s_wave
    return np.random.default_rng(seed).normal(size=(3, t.size)) * (1 + size * grow)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("p_s", "s_s"), [(15.0, 22.0), (2.0, 5.0), (40.0, 52.0), (10.0, 11.5)])
def test_energy_onsets_of_a_synthetic(p_s, s_s, seed):
    """P and S within 0.15 s, with little noise in front as with much."""
    p, s = energy_onsets(shaken(p_s, s_s, seed=seed), 100.0)
    assert p == pytest.approx(p_s, abs=0.15)
    assert s == pytest.approx(s_s, abs=0.15)


def test_energy_onsets_of_raw_records():
    """An offset, a drift, a scale, padding with zeros, float32: S as before to 0.1 s; other rates; input kept."""
    data = shaken(15.0, 22.0)
    p, s = energy_onsets(data, 100.0)
    ramp = np.linspace(-1, 1, data.shape[1])
    raw = (1e-6 * (data + 1000 * ramp[::-1] ** 2 + 5e3)).astype(np.float32)
    kept = raw.copy()
    assert energy_onsets(raw, 100.0) == pytest.approx((p, s), abs=0.1)
    np.testing.assert_array_equal(raw, kept)
    padded = np.concatenate([np.zeros((3, 1000)), data, np.zeros((3, 3000))], axis=1)
    assert energy_onsets(padded, 100.0) == pytest.approx((p + 10, s + 10), abs=1e-9)
    assert energy_onsets(shaken(15.0, 22.0, rate=200.0), 200.0)[1] == pytest.approx(22, abs=0.15)
    assert energy_onsets(shaken(15.0, 22.0, rate=20.0), 20.0)[1] == pytest.approx(22, abs=0.15)


def test_energy_onsets_with_a_second_earthquake():
    """A weaker one 25 s later changes nothing; of a ten times stronger one the S is told."""
    first = shaken(15.0, 22.0, 80.0)
    noise = np.random.default_rng(4).normal(size=first.shape)
    weak, strong = (first + size * (shaken(40.0, 46.0, 80.0, seed=5) - noise) for size in (0.3, 10.0))
    assert energy_onsets(weak, 100.0)[1] == pytest.approx(22, abs=0.15)
    assert energy_onsets(strong, 100.0)[1] == pytest.approx(46, abs=0.5)


def test_energy_onsets_without_a_record():
    """Zeros only, and less than 4 s of motion: the first sample, no exception."""
    assert energy_onsets(np.zeros((3, 6000)), 100.0) == (0, 0)
    short = np.zeros((3, 6000))
    short[:, 500:700] = 1.0
    assert energy_onsets(short, 100.0) == (5, 5)


def test_energy_onsets_of_ridgecrest(shared_data):
    """Four earthquakes with S picks, counts as recorded: 85 % within 1 s, at most 3 % more than 1 s early.

    The rule before this one (Husid: 5 % of the energy) had 24 % within 1 s and 72 % early.
    """
    from obspy import read, read_events

    folder = shared_data / "ridgecrest"
    files = sorted((folder / "waveforms").glob("*.mseed"))[::12]
    events = {str(e.resource_id).rsplit("/", 1)[-1]: e for e in read_events(str(folder / "events.xml"))}
    errors = []
    for path in files:
        stream = read(str(path))
        for pick in events[path.stem].picks:
            if pick.phase_hint != "S":
                continue
            of = stream.select(network=pick.waveform_id.network_code, station=pick.waveform_id.station_code)
            if len(of) == 3 and len({t.stats.npts for t in of}) == 1:
                traces = [of.select(component=c)[0] for c in "ENZ"]
                s = energy_onsets(np.array([t.data for t in traces], float), 100.0)[1]
                errors.append(s - (pick.time - traces[0].stats.starttime))
    errors = np.array(errors)
    assert errors.size > 50
    assert np.mean(np.abs(errors) <= 1) >= 0.85
    assert np.mean(errors < -1) <= 0.03


def test_sliding():
    """By hand: 10 s at 100 Hz, half overlapping, 25 s of record: four windows; a rest is left; one fits exactly."""
    assert sliding(2500, 100.0, 10.0, 0.5) == [
        (0, 1000, "sliding"),
        (500, 1500, "sliding"),
        (1000, 2000, "sliding"),
        (1500, 2500, "sliding"),
    ]
    assert [w.start for w in sliding(3999, 100.0, 10.0)] == [0, 1000, 2000]
    assert sliding(1000, 100.0, 10.0, 0.9) == [(0, 1000, "sliding")]
    with pytest.raises(RecordError, match=r"only 10\.0 s; one window of 20 s"):
        sliding(1000, 100.0, 20.0)
    for length, overlap in ((10.0, 1.0), (10.0, -0.1), (0.0, 0.0), (np.nan, 0.0)):
        with pytest.raises(TNGError, match="accepted"):
            sliding(5000, 100.0, length, overlap)


def test_second_earthquake_cuts_the_window():
    """S at 20 s decays; a second shock, six times its amplitude, at 33 s: it ends within 2 s before.

    A weaker one is left alone, one right after S leaves too little, and a large rupture may grow.
    """
    rng = np.random.default_rng(8)
    t = np.arange(6000) / 100.0
    noise = rng.normal(size=(3, 6000))
    first = np.exp(-(t - 20) / 5) * (t >= 20)

    def record(at, size):
        return noise * (0.01 + first + size * np.exp(-np.abs(t - at) / 5) * (t >= at))

    window = Window(1950, 4450, "pick")
    assert 3100 <= before_second_earthquake(record(33, 6.0), 100.0, window, 20.0).stop <= 3300
    assert before_second_earthquake(record(33, 1.0), 100.0, window, 20.0) == window
    assert before_second_earthquake(record(33, 6.0), 100.0, window, 20.0, magnitude=7.5) == window
    with pytest.raises(RecordError, match="second, stronger earthquake"):
        before_second_earthquake(record(24, 12.0) * (1 + 9 * (t > 26)), 100.0, window, 20.0)


def test_a_late_or_slow_s_is_no_second_earthquake():
    """S strongest 3 s after its onset, ten times what comes before: the window stays, however long its ramp is."""
    t = np.arange(6000) / 100.0
    size = 0.1 * (t >= 12) + 0.1 * (t >= 20) + np.exp(-np.abs(t - 23) / 2)
    slow = np.random.default_rng(9).normal(size=(3, 6000)) * (0.01 + size)
    for start in (1950, 1700, 500):
        window = Window(start, 4450, "travel time")
        assert before_second_earthquake(slow, 100.0, window, 20.0) == window
