"""Naive generators that every table shows beside the one under test: arrays of records in, arrays of records out.

All take the records of one station, aligned on P, as (record, component, sample) in m/s², leave them as they are and
return float32. What each keeps and loses tells what a measure can see.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import ifft, irfft, next_fast_len, rfft

from obspy_tng.errors import TNGError

# Bands and walk of `phase_scrambled`, tuned on 28 Ridgecrest stations: see there.
BAND_SHARE = 0.15
NARROWEST_HZ = 0.5
WALK = 0.035
_PAD_S = 4.0  # two periods of the lowest band: what a band rings beyond the end does not come in at the start


def mean_of_five(data: np.ndarray, n: int, rng: np.random.Generator, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Average k standardised records: what the published code of TimesNet-Gen does, without its network.

    Each record is standardised per component, k are drawn *with replacement* (as in the published code), averaged, and
    the average is multiplied by the *arithmetic mean* of the parents' standard deviations; it is not standardised
    again, so that where parents do not interfere it comes out too weak. At 28 Ridgecrest stations against their own
    pool: sigma of ln PGA times 0.55, ln PGA bias -0.25, D5-95 times 1.33 (ratio of means; 1.44 in the mean of ln).

    Parameters
    ----------
    data : numpy.ndarray, shape (m, 3, npts), m/s²
    n : int
        Number of records to make.
    rng : numpy.random.Generator
    k : int
        Number of parents.

    Returns
    -------
    records : numpy.ndarray, shape (n, 3, npts), float32, m/s²
    parents : numpy.ndarray of int, shape (n, k)
        Rows of `data`.

    Raises
    ------
    TNGError
        No records, or not of shape (m, 3, npts).

    References
    ----------
    Yilmaz et al. (2025), TimesNet-Gen: deep learning-based site specific strong motion generation, arXiv:2512.04694,
    Eq. 1 without noise. The decoder of the published code is one linear layer, so decoding a mean of codes gives
    the mean of the standardised records (to 1e-5).

    Examples
    --------
    >>> data = np.random.default_rng(0).normal(size=(8, 3, 1000))
    >>> means, parents = mean_of_five(data, 2, np.random.default_rng(0))
    >>> means.shape, parents.shape
    ((2, 3, 1000), (2, 5))
    """
    data = checked(data)
    sd = data.std(axis=-1, dtype=np.float64)
    parents = rng.integers(len(data), size=(n, k))
    out = np.zeros((n, *data.shape[1:]), dtype=np.float32)
    scale = np.where(sd > 0, sd, 1.0).astype(np.float32)[..., None]
    mean = data.mean(axis=-1, keepdims=True)
    for i, rows in enumerate(parents):
        average = ((data[rows] - mean[rows]) / scale[rows]).mean(axis=0)
        out[i] = average * sd[rows].mean(axis=0).astype(np.float32)[:, None]
    return out, parents


def phase_shuffled(data: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Keep each record's Fourier amplitudes, draw its phases anew: stationary noise of the same spectrum.

    The same random phase is added to the three components, so that amplitudes *and* the coherence and phase between
    components are exactly those of the record (HVSR of the whole window unchanged); only time is lost.

    Parameters
    ----------
    data : numpy.ndarray, shape (n, 3, npts), m/s²
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray, shape (n, 3, npts), float32, m/s²
        Record i has the amplitude spectrum of ``data[i]``.

    References
    ----------
    Prichard & Theiler (1994), Generating surrogate data for time series with several simultaneously measured
    variables, Phys. Rev. Lett. 73, 951-954.

    Examples
    --------
    >>> data = np.random.default_rng(0).normal(size=(2, 3, 1000))
    >>> new = phase_shuffled(data, np.random.default_rng(1))
    >>> bool(np.allclose(abs(np.fft.rfft(new))[..., 1:-1], abs(np.fft.rfft(data))[..., 1:-1], rtol=1e-3))
    True
    """
    data = checked(data)
    npts = data.shape[-1]
    spectrum = rfft(data, axis=-1)
    turn = np.exp(2j * np.pi * rng.random((len(data), 1, spectrum.shape[-1])))
    turn[..., 0] = 1.0  # zero frequency and Nyquist are real
    if npts % 2 == 0:
        turn[..., -1] = 1.0
    return irfft(spectrum * turn, npts, axis=-1).astype(np.float32)


def phase_scrambled(data: np.ndarray, rng: np.random.Generator, sampling_rate: float = 100.0) -> np.ndarray:
    """Copy records band by band, each band's phase on a random walk: same energy in time and frequency, new waveform.

    The hard case for every measure of marginals: a copy that no sample-by-sample comparison finds. Bands are 15 % of
    their frequency wide, at least 0.5 Hz, and overlap by half with gains whose squares add to one, so that power is
    kept on average; phases start anywhere and diffuse by ``sqrt(2 pi 0.035 B t)`` rad in a band of width B. The same
    walk turns the three components: polarisation and HVSR stay.

    Measured at 28 Ridgecrest stations: sigma ln PGA times 1.00, ln PGA bias -0.04, D5-95 times 1.00, energy within
    10 % (one standard deviation), mean abs difference of lnHVSR to the other half of the events 0.089 (plain copy:
    0.072), highest correlation with the pool 0.45 (real-real 0.32).

    Parameters
    ----------
    data : numpy.ndarray, shape (n, 3, npts), m/s²
    rng : numpy.random.Generator
    sampling_rate : float
        In Hz.

    Returns
    -------
    numpy.ndarray, shape (n, 3, npts), float32, m/s²
        Record i is the scrambled ``data[i]``.

    Examples
    --------
    >>> data = np.random.default_rng(0).normal(size=(2, 3, 4000))
    >>> phase_scrambled(data, np.random.default_rng(1)).shape
    (2, 3, 4000)
    """
    data = checked(data)
    npts = data.shape[-1]
    nfft = next_fast_len(npts + round(_PAD_S * sampling_rate), real=True)
    frequency_hz = np.fft.rfftfreq(nfft, 1 / sampling_rate)
    # on this axis every band is one wide: linear below NARROWEST_HZ / BAND_SHARE, logarithmic above
    axis = np.arcsinh(BAND_SHARE * frequency_hz / NARROWEST_HZ) / BAND_SHARE
    widths_hz = np.hypot(NARROWEST_HZ, BAND_SHARE * frequency_hz)
    out = np.zeros(data.shape, dtype=np.float32)
    for i, record in enumerate(data):
        spectrum = rfft(record, nfft)
        for band in range(int(axis[-1]) + 2):
            inside = np.flatnonzero(np.abs(axis - band) < 1)
            if not inside.size:
                continue
            gain = np.cos(np.pi / 2 * (axis[inside] - band))
            gain = gain * np.where((inside == 0) | (2 * inside == nfft), 1.0, 2.0)
            analytic = np.zeros((3, nfft), dtype=np.complex64)
            analytic[:, inside] = spectrum[:, inside] * gain
            step = np.sqrt(2 * np.pi * WALK * widths_hz[inside].mean() / sampling_rate)
            phase = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(scale=step, size=npts))
            turn = np.exp(1j * phase).astype(np.complex64)
            out[i] += (ifft(analytic)[:, :npts] * turn).real
    return out


def checked(data) -> np.ndarray:
    """Return records as float32; complain when they are not (n, 3, npts).

    Raises
    ------
    TNGError
        Wrong shape, no record, or no sample.
    """
    data = np.asarray(data, dtype=np.float32)
    if data.ndim != 3 or data.shape[1] != 3 or not data.size:
        raise TNGError(f"records of shape {data.shape} given; accepted: (n, 3, npts) with n and npts above 0")
    return data
