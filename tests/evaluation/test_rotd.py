"""Directional peaks against the full projection of every sample on every angle."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import rotd

UNIT = np.stack([np.cos(np.radians(np.arange(180))), np.sin(np.radians(np.arange(180)))], axis=1)


@pytest.mark.parametrize("flatness", [1.0, 0.1, 1e-3, 0.0])
def test_pruning_loses_no_peak(flatness):
    """From round to straight trajectories, rotated: all 180 peaks are those of the full projection."""
    rng = np.random.default_rng(0)
    for turn in rng.uniform(0, np.pi, 20):
        x, y = rng.normal(size=(2, 500)) * np.array([[1.0], [flatness]])
        x, y = np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y
        full = np.abs(UNIT @ np.stack([x, y])).max(axis=1)
        np.testing.assert_allclose(rotd.directional_peaks(x, y), full, rtol=1e-9, atol=1e-6 * full.max())


def test_peak_between_samples():
    """A coarse circle, 12 samples a cycle with none on an axis: radius 1 in all directions to 0.3 %."""
    phase = 2 * np.pi * (np.arange(600) / 12 + 0.01)
    x, y = np.cos(phase), np.sin(phase)
    assert rotd.directional_peaks(x, y).min() < 0.97
    made = rotd.directional_peaks(x, y, between_samples=True)
    np.testing.assert_allclose(made, 1, atol=3e-3)


def test_peak_at_the_ends_is_the_sample():
    """A peak at the first or last sample is taken as it stands, nothing is extrapolated."""
    ramp = np.linspace(0, 1, 50)
    for trace in (ramp, ramp[::-1]):
        made = rotd.rotd(np.stack([trace, 0 * trace])[None], percentile=100, between_samples=True)
        assert made == pytest.approx([1.0])


def test_percentiles_of_straight_motion():
    """Along E alone: 0, cos 45°, 1."""
    pair = np.zeros((1, 2, 100))
    pair[0, 0, 40] = -2.0
    made = [rotd.rotd(pair, percentile=p)[0] for p in (0, 50, 100)]
    np.testing.assert_allclose(made, [0, np.sqrt(2), 2], atol=1e-12)


def test_missing_samples_and_no_motion():
    """NaN for a record with a missing sample, 0 for one at rest."""
    pair = np.zeros((2, 2, 10))
    pair[0, 1, 3] = np.nan
    np.testing.assert_array_equal(rotd.rotd(pair), [np.nan, 0.0])


@pytest.mark.parametrize("shape", [(2, 100), (1, 3, 100), (1, 2, 2)])
def test_shapes_not_accepted(shape):
    """Anything but (records, 2, samples) is named."""
    with pytest.raises(TNGError, match="accepted"):
        rotd.rotd(np.zeros(shape))
