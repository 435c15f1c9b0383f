"""From a Record to what a network sees: 100 Hz, 60 s with P at 10 s, tapered, high-passed, standardised; and back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from obspy_tng.errors import RecordError
from obspy_tng.record import Record

SAMPLING_RATE_HZ = 100.0
NPTS = 6000
P_AT_S = 10.0  # where the P onset stands in the window
HIGHPASS_HZ = 0.1
TAPER_START_S, TAPER_END_S = 1.0, 3.0
_SHORTEST_S = 15.0
_LONGEST_S, _LOWEST_HZ = 86400.0, 1.0  # what is resampled fits into memory


class Windows(NamedTuple):
    """What a network is given of n records.

    Attributes
    ----------
    x : numpy.ndarray, shape (n, 3, NPTS), float32
        Standardised acceleration: zero mean, unit sd per record and component.
    ln_sd : numpy.ndarray, shape (n, 3)
        ln of the standard deviation in m/s² that was divided out; ``x * exp(ln_sd)`` is m/s² again.
    s_s : numpy.ndarray, shape (n,)
        S onset in seconds after the first sample, NaN unknown.
    """

    x: np.ndarray
    ln_sd: np.ndarray
    s_s: np.ndarray


def windows(records: Sequence[Record]) -> Windows:
    """Cut, condition and standardise records.

    Parameters
    ----------
    records : sequence of Record
        In m/s², any sampling rate and length from 15 s on.

    Returns
    -------
    Windows

    Raises
    ------
    RecordError
        A record is shorter than 15 s.
    """
    x = np.zeros((len(records), 3, NPTS))
    s_s = np.full(len(records), np.nan)
    for i, record in enumerate(records):
        record = resampled(record)
        first = window_start(record)
        x[i] = cut(record.data, first)
        s_s[i] = record.s_s - first / SAMPLING_RATE_HZ
    return Windows(*standardise(x), s_s)


def resampled(record: Record) -> Record:
    """Return the record at 100 Hz (polyphase, anti-aliased)."""
    if record.duration_s < _SHORTEST_S:
        raise RecordError(f"{record.id} is {record.duration_s:.1f} s long; at least {_SHORTEST_S:g} s are needed")
    if np.isclose(record.sampling_rate, SAMPLING_RATE_HZ, rtol=1e-4):
        return record
    if record.duration_s > _LONGEST_S or record.sampling_rate < _LOWEST_HZ:
        raise RecordError(
            f"{record.id} has {record.duration_s:.0f} s at {record.sampling_rate:g} Hz; accepted: up to "
            f"{_LONGEST_S:g} s, {_LOWEST_HZ:g} Hz or more"
        )
    from dataclasses import replace
    from fractions import Fraction

    from scipy.signal import resample_poly

    ratio = Fraction(SAMPLING_RATE_HZ / record.sampling_rate).limit_denominator(1000)
    mean = record.data.mean(axis=1, keepdims=True)  # the filter rings at a step from zero
    data = resample_poly(record.data - mean, ratio.numerator, ratio.denominator, axis=1) + mean
    return replace(record, data=data, sampling_rate=SAMPLING_RATE_HZ)


def window_start(record: Record) -> int:
    """Return the first sample of the model's window: P at 10 s; an unknown P is told from the energy.

    Without a P onset, the time at which 0.5 % of the Arias intensity has arrived stands for it. A record that fits
    into the window whole is not moved beyond its ends.
    """
    if np.isfinite(record.p_s):
        onset = int(round(record.p_s * record.sampling_rate))
    else:
        energy = np.cumsum(((record.data - record.data.mean(axis=1, keepdims=True)) ** 2).sum(axis=0))
        onset = int(np.searchsorted(energy, 0.005 * energy[-1]))
    first = onset - int(P_AT_S * record.sampling_rate)
    if record.npts >= NPTS:
        return int(np.clip(first, 0, record.npts - NPTS))
    return int(np.clip(first, record.npts - NPTS, 0))


def cut(data: np.ndarray, first: int) -> np.ndarray:
    """Return NPTS conditioned samples from `first` on, zero where the record does not reach.

    Parameters
    ----------
    data : numpy.ndarray, shape (3, n), m/s²
    first : int
        May be negative: the record then begins inside the window.
    """
    inside = data[:, max(first, 0) : max(first, 0) + NPTS - max(-first, 0)]
    out = np.zeros((3, NPTS))
    at = max(-first, 0)
    out[:, at : at + inside.shape[1]] = condition(inside)
    return out


def condition(data: np.ndarray, sampling_rate: float = SAMPLING_RATE_HZ) -> np.ndarray:
    """Demean, taper (1 s, 3 s) and high-pass without phase shift at 0.1 Hz.

    Parameters
    ----------
    data : numpy.ndarray, shape (..., n)
    sampling_rate : float
        In Hz.

    Returns
    -------
    numpy.ndarray, same shape
        The high-pass is a squared second-order Butterworth gain in the Fourier domain, padded to twice the length.
    """
    from scipy.fft import irfft

    npts = data.shape[-1]
    spectrum, nfft = _high_passed(data, sampling_rate)
    return irfft(spectrum, nfft)[..., :npts] * taper(npts, sampling_rate)


def _high_passed(data, sampling_rate):
    """Return the transform of demeaned, tapered and high-passed data, and the length it is padded to."""
    from scipy.fft import next_fast_len, rfft

    npts = data.shape[-1]
    out = (data - data.mean(axis=-1, keepdims=True)) * taper(npts, sampling_rate)
    nfft = next_fast_len(2 * npts, real=True)
    with np.errstate(divide="ignore"):
        gain = 1 / (1 + (HIGHPASS_HZ / np.fft.rfftfreq(nfft, 1 / sampling_rate)) ** 4)
    return rfft(out, nfft) * gain, nfft


def taper(npts: int, sampling_rate: float = SAMPLING_RATE_HZ) -> np.ndarray:
    """Return cosine ramps of 1 s at the start and 3 s at the end, ones between."""
    out = np.ones(npts)
    for width, ends in ((TAPER_START_S, slice(None)), (TAPER_END_S, slice(None, None, -1))):
        n = max(1, min(int(width * sampling_rate), npts // 4))
        out[ends][:n] *= 0.5 * (1 - np.cos(np.pi * np.arange(n) / n))
    return out


def standardise(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (x / sd, ln sd) per record and component; no floor, so the unit of x does not matter.

    Raises
    ------
    RecordError
        A component is all zero.
    """
    sd = x.std(axis=-1)
    if not (sd > 0).all():
        raise RecordError(f"{int((sd <= 0).any(axis=-1).sum())} window(s) hold a component without motion")
    return (x / sd[..., None]).astype(np.float32), np.log(sd)


def land(acceleration: np.ndarray, sampling_rate: float = SAMPLING_RATE_HZ) -> np.ndarray:
    """Make accelerograms begin and end at rest: velocity and displacement are zero at the first and last sample.

    High-passed as `condition` does; then displacement, not acceleration, is faded out: with a ramp r over the tapers'
    1 s and 3 s, (r d)'' = r a + 2 r' v + r'' d. What the trapezoidal rule is still off by at the end, next to nothing,
    is taken out by the smallest smooth correction w(t)·(a + b·t), w a sine-squared window. That correction alone would
    do as well, but spread over the record it makes most of the displacement: a drift no ground has made.

    Parameters
    ----------
    acceleration : numpy.ndarray, shape (..., n), m/s²

    Returns
    -------
    numpy.ndarray, same shape
    """
    from scipy.fft import irfft

    npts, dt = acceleration.shape[-1], 1 / sampling_rate
    spectrum, nfft = _high_passed(acceleration, sampling_rate)
    once = 2j * np.pi * np.fft.rfftfreq(nfft, dt)
    once[0] = 1  # nothing is left at 0 Hz
    motion = [irfft(spectrum / once**k, nfft)[..., :npts] for k in range(3)]
    a = sum(factor * ramp * x for factor, ramp, x in zip((1, 2, 1), _ramps(npts, sampling_rate), motion, strict=True))
    return a - _ends(a, dt) @ _corrections(npts, dt)


@lru_cache(maxsize=4)
def _corrections(npts, dt):
    """Return slow motion that ends with a velocity, or a displacement, of 1, shape (2, npts)."""
    t = np.arange(npts) * dt
    window = np.sin(np.pi * t / t[-1]) ** 2
    window[-1] = 0  # not the square of 1e-16
    shapes = np.array([window, window * (t / t[-1] - 0.5)])
    return np.linalg.inv(np.array([_ends(shape, dt) for shape in shapes])) @ shapes


@lru_cache(maxsize=4)
def _ramps(npts, sampling_rate):
    """Return ramps of the tapers' lengths whose first two derivatives have no steps, and these, shape (3, npts)."""
    out = np.array([np.ones(npts), np.zeros(npts), np.zeros(npts)])
    for width_s, sign in ((TAPER_START_S, 1), (TAPER_END_S, -1)):
        n = max(2, min(int(width_s * sampling_rate), npts // 4))
        u = np.arange(n) / n
        rise = u**3 * (10 - 15 * u + 6 * u**2), 30 * (u * (1 - u)) ** 2, 60 * u * (1 - u) * (1 - 2 * u)
        for order, row in enumerate(rise):
            out[order, ::sign][:n] = row * (sign * sampling_rate / n) ** order
    return out


def _ends(a: np.ndarray, dt: float) -> np.ndarray:
    """Return velocity and displacement at the last sample (trapezoidal rule), shape (..., 2)."""
    v = np.zeros(a.shape)
    v[..., 1:] = np.cumsum(0.5 * (a[..., 1:] + a[..., :-1]), axis=-1) * dt
    d = (v.sum(axis=-1) - 0.5 * v[..., -1]) * dt
    return np.stack([v[..., -1], d], axis=-1)


def signal_to_noise(record: Record) -> float:
    """Return the least ratio over components of rms in 20 s from S (or P) on to rms before P; NaN without 3 s of noise.

    Both are taken of the record high-passed at 0.5 Hz, so that microseisms do not count.
    """
    from scipy.signal import butter, sosfiltfilt

    rate = record.sampling_rate
    begin = record.s_s if np.isfinite(record.s_s) else record.p_s
    before = int((record.p_s - 1.0) * rate) if np.isfinite(record.p_s) else 0
    if before < 3 * rate or not 0 <= begin < record.duration_s:
        return np.nan
    data = sosfiltfilt(butter(2, 0.5, "highpass", fs=rate, output="sos"), record.data, axis=1)
    noise = data[:, int(1.0 * rate) : before].std(axis=1)
    signal = data[:, int(begin * rate) : int((begin + 20.0) * rate)].std(axis=1)
    return float((signal / np.where(noise > 0, noise, np.nan)).min())
