"""Curves of windows with a peak where it is asked for, for the tests of rejection."""

import numpy as np

FREQUENCY_HZ = np.geomspace(0.5, 20, 120)


def curves_of(f0_hz, height=3.0, seed=0):
    """Return curves with one peak each, 2 % noise in ln, flat at 1 elsewhere."""
    f0_hz = np.asarray(f0_hz, dtype=float)[:, None]
    ln = np.log(height) * np.exp(-((np.log(FREQUENCY_HZ / f0_hz) / 0.25) ** 2))
    return np.exp(ln + 0.02 * np.random.default_rng(seed).normal(size=ln.shape))


def mixed(seed=0):
    """Return f0 of 60 windows of a site at 2 Hz (sd 0.05 in ln) and 10 of one at 7 Hz."""
    rng = np.random.default_rng(seed)
    return np.exp(np.r_[rng.normal(np.log(2), 0.05, 60), rng.normal(np.log(7), 0.05, 10)])
