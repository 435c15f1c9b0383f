"""Where P begins: the first motion that the noise before it does not explain."""

from __future__ import annotations

import numpy as np

from obspy_tng.preprocessing import P_AT_S, SAMPLING_RATE_HZ

LATEST_S = 0.35  # an onset lies at most this far from P_AT_S
_NOISE_S = 7.0, 0.6  # before P_AT_S: the noise that is learnt
_ORDER = 20  # of the noise's autoregression
_LOUD = 4.0  # over the rms of what the autoregression leaves of the noise
_LOUD_SAMPLES, _LOUD_SHARE = 10, 0.4  # this share of the samples that follow are loud
_EARLIER_S = 0.01
_VARIANCE_S = 1.5  # on each side of P_AT_S: where two variances are compared


def onset(x: np.ndarray) -> float:
    """Return where P begins, in s after P_AT_S.

    The noise before P is whitened by its own autoregression, fitted by Yule and Walker's equations. A first motion of
    low frequency under a hum of high frequency stands out then, which it does not in the motion nor in its differences.
    Where nothing stands out, P begins at the least AIC of two variances (Maeda, 1985, A method for reading and checking
    phase times in autoprocessing system of seismic wave data).

    Parameters
    ----------
    x : numpy.ndarray, shape (3, NPTS)
        P near P_AT_S.

    Returns
    -------
    float
        At most LATEST_S early or late.
    """
    p, reach = int(P_AT_S * SAMPLING_RATE_HZ), int(LATEST_S * SAMPLING_RATE_HZ)
    white = _whitened(x, p)
    loud = (np.abs(white[:, p - reach : p + reach + _LOUD_SAMPLES]) > _LOUD).any(axis=0)
    goes_on = np.convolve(loud, np.ones(_LOUD_SAMPLES) / _LOUD_SAMPLES)[_LOUD_SAMPLES - 1 :]
    begun = np.flatnonzero(loud[: 2 * reach + 1] & (goes_on[: 2 * reach + 1] > _LOUD_SHARE))
    at = (begun[0] - reach) / SAMPLING_RATE_HZ if begun.size else _two_variances(white, p, reach)
    return float(np.clip(at - _EARLIER_S, -LATEST_S, LATEST_S))


def _whitened(x, p):
    """Return what an autoregression of the noise does not predict, over its rms before P."""
    from scipy.linalg import solve_toeplitz
    from scipy.signal import lfilter

    first, last = (p - int(s * SAMPLING_RATE_HZ) for s in _NOISE_S)
    out = np.empty(x.shape)
    for row, whole in enumerate(np.asarray(x, dtype=float)):
        noise = whole[first:last] - whole[first:last].mean()
        lags = np.array([noise[: len(noise) - k] @ noise[k:] for k in range(_ORDER + 1)])
        lags[0] = lags[0] * (1 + 1e-4) + 1e-12 * (whole @ whole) + 1e-300  # silence can be whitened too
        left = lfilter(np.append(1, -solve_toeplitz(lags[:-1], lags[1:])), 1, whole)
        rms = np.sqrt((left[first + _ORDER : last] ** 2).mean())
        out[row] = left / max(rms, 1e-6 * np.abs(left).max(), 1e-300)
    return out


def _two_variances(white, p, reach):
    """Return the least AIC in s after P_AT_S."""
    half = int(_VARIANCE_S * SAMPLING_RATE_HZ)
    square = (white[:, p - half : p + half] ** 2).sum(axis=0)
    n, before = len(square), np.cumsum(square)[:-1]
    k = np.arange(1, n)
    aic = k * np.log(before / k + 1e-12) + (n - k) * np.log((before[-1] + square[-1] - before) / (n - k) + 1e-12)
    near = np.abs(k - half) <= reach
    return (k[near][np.argmin(aic[near])] - half) / SAMPLING_RATE_HZ
