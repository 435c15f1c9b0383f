"""Why there is no curve: told from the windows, and only where there is none."""

import numpy as np
import pytest

from obspy_tng import hvsr, pick_f0, reject, simulate
from obspy_tng.site.hvsr import NothingComputedError


def noise(rate_hz, length_s=300.0):
    """Return three components of white noise, shape (3, n)."""
    return np.random.default_rng(0).normal(size=(3, round(length_s * rate_hz)))


def reason(data):
    (text,) = pick_f0(data).reason.values
    return text


@pytest.mark.parametrize(
    ("rate_hz", "settings", "text"),
    [
        (50.0, {"band_hz": (30, 60)}, "band 30-60 Hz lies above the Nyquist frequency, 25 Hz"),
        (1.0, {}, "band 0.5-20 Hz lies above the Nyquist frequency, 0.5 Hz"),
        (50.0, {"compat": "geopsy", "window": "sliding:5", "band_hz": (0.02, 0.04)}, "windows of 4.98 s are too short"),
    ],
)
def test_bands_without_values(rate_hz, settings, text):
    """Above Nyquist, or below the first frequency of the windows: no f0, and the two numbers that explain it."""
    data = hvsr(noise(rate_hz), sampling_rate_hz=rate_hz, **{"window": "sliding:60"} | settings)
    assert np.isnan(pick_f0(data).f0_hz.item()) and text in reason(data)


def test_band_partly_above_nyquist():
    """Where half the band has values the curve is judged as ever."""
    data = hvsr(noise(50.0), sampling_rate_hz=50.0, window="sliding:60", band_hz=(5, 60))
    assert reason(data).startswith("flat")


def test_no_signal():
    """Stationary noise with an S window: the mask of signal to noise leaves nothing, and the reason is that mask."""
    data = hvsr(simulate(n=1, seed=1, duration_s=60), snr=1e9)
    assert "signal 1e+09 times the noise before P" in reason(data)
    assert "signal" not in reason(hvsr(simulate(n=1, seed=1, duration_s=60), snr=3))


def test_all_left_out():
    """Windows that were all rejected: how many and by what."""
    data = hvsr(noise(50.0), sampling_rate_hz=50.0, window="sliding:60")
    data = reject(data, mask=np.zeros(5, bool))
    assert reason(data) == "no accepted record: 5 window(s) left out by mask"


def test_published_code_above_nyquist():
    """timesnet-gen, too, names band and Nyquist frequency."""
    with pytest.raises(NothingComputedError, match="band 60-80 Hz lies above the Nyquist frequency, 25 Hz"):
        hvsr(noise(50.0, 60.0), sampling_rate_hz=50.0, compat="timesnet-gen", band_hz=(60, 80))
