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
    window_length,
)


def test_length_rule():
    """20 s without a band; max(15 s, 10 / fmin) with one; a number is itself; full is None."""
    assert window_length("s") == 20
    assert window_length("s", (1.0, 20.0)) == 15
    assert window_length("s", (0.4, 20.0)) == pytest.approx(25)
    assert window_length("12.5", (0.4, 20.0)) == 12.5
    assert window_length("full") is None
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


def test_energy_onsets_of_a_synthetic():
    """Noise, P of 30 times its amplitude at 15 s, S of 150 times at 22 s: both told within 1.5 s."""
    rng = np.random.default_rng(3)
    data = rng.normal(size=(3, 6000))
    t = np.arange(6000) / 100.0
    p_wave, s_wave = np.exp(-(t - 15) / 4) * (t >= 15), np.exp(-(t - 22) / 6) * (t >= 22)
    data *= 1 + np.array([[8.0], [8.0], [30.0]]) * p_wave + np.array([[150.0], [150.0], [60.0]]) * s_wave
    p, s = energy_onsets(data, 100.0)
    assert p == pytest.approx(15, abs=0.5)
    assert s == pytest.approx(22, abs=1.5)


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
    assert 3100 <= before_second_earthquake(record(33, 6.0), 100.0, window).stop <= 3300
    assert before_second_earthquake(record(33, 1.0), 100.0, window) == window
    assert before_second_earthquake(record(33, 6.0), 100.0, window, magnitude=7.5) == window
    with pytest.raises(RecordError, match="second, stronger earthquake"):
        before_second_earthquake(record(24, 12.0) * (1 + 9 * (t > 26)), 100.0, window)
