"""Time-frequency goodness of fit against ObsPy's own and against what was done to a trace."""

import math

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.evaluation.time_frequency import time_frequency_gof

RATE_HZ = 100.0


def noise(n, npts=1500, seed=0):
    """Return (n, npts) noise of 1-10 Hz or so in an envelope."""
    rng = np.random.default_rng(seed)
    window = np.hanning(npts)
    return np.cumsum(rng.normal(size=(n, npts)), axis=1) * window + rng.normal(size=(n, npts)) * window


def test_agrees_with_obspy():
    """Envelope and phase goodness of unrelated and of similar traces as obspy.signal.tf_misfit has them."""
    from obspy.signal.tf_misfit import eg, pg

    a, b = noise(2), noise(2, seed=1)
    b[1] = 0.8 * a[1] + 0.2 * b[1]
    band = {"fmin": 1.0, "fmax": 15.0, "nf": 20}
    made = time_frequency_gof(a, b, RATE_HZ, fmin_hz=1.0, fmax_hz=15.0, n_frequencies=20)
    for i in range(2):
        assert made["envelope"][i] == pytest.approx(eg(a[i], b[i], dt=0.01, **band), abs=0.01)
        assert made["phase"][i] == pytest.approx(pg(a[i], b[i], dt=0.01, **band), abs=0.02)
    assert made["envelope"][1] > made["envelope"][0]


def test_twice_the_trace_and_its_negative():
    """Twice: envelope 10 exp(-1), phase 10. Negative: envelope 10, phase 0. Same: both 10."""
    a = noise(2)
    for factor, envelope, phase in ((2.0, 10 * math.exp(-1), 10.0), (-1.0, 10.0, 0.0), (1.0, 10.0, 10.0)):
        made = time_frequency_gof(factor * a, a, RATE_HZ)
        np.testing.assert_allclose(made["envelope"], envelope, atol=1e-3)
        np.testing.assert_allclose(made["phase"], phase, atol=1e-2)


def test_dead_traces_and_shapes():
    """NaN where a trace is dead; any leading shape; unequal shapes and bands above Nyquist are named."""
    a = noise(6).reshape(2, 3, -1)
    b = a.copy()
    b[1, 2] = 0
    b[0, 1, 700] = np.nan
    for made in time_frequency_gof(a, b, RATE_HZ).values():
        assert made.shape == (2, 3)
        np.testing.assert_array_equal(np.isnan(made), [[False, True, False], [False, False, True]])
    with pytest.raises(TNGError, match="accepted"):
        time_frequency_gof(a, b[:1], RATE_HZ)
    with pytest.raises(TNGError, match="accepted"):
        time_frequency_gof(a, b, RATE_HZ, fmax_hz=50.0)
