"""Onset of P of the spectral description: a closed form, a hum, silence, and picks of analysts."""

import numpy as np
import pytest

from obspy_tng.preprocessing import P_AT_S, windows
from obspy_tng.spectral_onset import LATEST_S, onset


def noise(rms=1.0, seed=0):
    """Return white noise (3, 6000)."""
    return rms * np.random.default_rng(seed).normal(size=(3, 6000))


@pytest.mark.parametrize("late", [-20, 0, 30])
def test_a_step_of_variance(late):
    """Motion thirty times the noise is found where it begins."""
    x = noise()
    x[:, 1000 + late :] *= 30
    assert onset(x) == pytest.approx(late / 100 - 0.01, abs=0.015)


def test_a_slow_first_motion_under_a_hum():
    """A pulse of 1.5 Hz is seen where it begins, under a hum of 45 Hz, before the loud high frequencies that follow."""
    t = np.arange(6000) / 100
    hum = np.sin(2 * np.pi * 45 * t) * [[1.0], [0.6], [0.8]]
    since = t - P_AT_S - 0.05
    pulse = np.where(since > 0, 3 * np.sin(2 * np.pi * 1.5 * since), 0.0) * [[0.5], [0.3], [1.0]]
    loud = np.where(since > 0.3, 100.0, 0.0) * noise(seed=1)
    assert onset(hum + noise(0.02) + pulse + loud) == pytest.approx(0.05, abs=0.03)


def test_nothing_stands_out():
    """Motion that rises to twice the noise: the least AIC tells where; and never farther than it may."""
    x = noise()
    x[:, 1010:] *= 2
    assert onset(x) == pytest.approx(0.1, abs=0.05)
    assert abs(onset(noise(seed=3))) <= LATEST_S


def test_silence_before_p():
    """Zeros before P can be whitened as well."""
    x = noise()
    x[:, :1005] = 0
    assert onset(x) == pytest.approx(0.04, abs=0.02)


def test_size_does_not_matter():
    """The onset of motion in m/s² is that of the same motion in counts."""
    x = noise()
    x[:, 1012:] *= 9
    assert onset(1e-7 * x) == onset(1e5 * x)


def test_picks_of_analysts(shared_data):
    """Of records with a picked P, most begin within .1 s of it, as many before as after (Ridgecrest)."""
    from obspy_tng.record import read_records

    records = read_records(
        sorted((shared_data / "ridgecrest" / "waveforms").glob("*.mseed"))[:4],
        shared_data / "ridgecrest" / "stations.xml", shared_data / "ridgecrest" / "events.xml",
    )  # fmt: skip
    records = [r for r in records if r.onset_source == "pick"]
    found = windows(records)
    late = np.array([onset(x) for x in found.x * np.exp(found.ln_sd)[..., None]])
    assert len(late) > 30
    assert np.mean(np.abs(late) <= 0.1) > 0.75
    assert abs(np.median(late)) < 0.03
