"""How the energy of a record is spread over time, frequency and component: the spectral description of motion.

A description holds no phases. It is what the default generator codes, mixes and decodes; `spectral_synthesis` makes
motion of it from fresh noise. Its parts:

- ln power on a lattice of frames that follows the onsets (dense at P and S, ever wider into the coda), so that the
  frames of records with different S−P times stand for the same phase of the motion;
- the ln Fourier spectrum of the whole record, finely: the site;
- "extra" numbers: the P onset to a hundredth of a second, the spectrum of the noise before P, and the complex
  coherency of the components in five parts of the record (Fisher's z).

All of them may be mixed linearly. Levels are relative to the record's scale, so that magnitude does not drown the site.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.fft import rfft

from obspy_tng.errors import TNGError
from obspy_tng.preprocessing import NPTS, P_AT_S, SAMPLING_RATE_HZ, taper

# --- lattice
N_LONG, N_SHORT = 256, 64  # samples of a frame
LONG_BINS = np.arange(8)  # 0 to 2.7 Hz
SHORT_BINS = np.arange(2, 33)  # 3.1 to 50 Hz
BAND_HZ = np.concatenate([LONG_BINS * SAMPLING_RATE_HZ / N_LONG, SHORT_BINS * SAMPLING_RATE_HZ / N_SHORT])
NB, N_LOW = len(BAND_HZ), len(LONG_BINS)
_BEFORE_P_S = -np.array([9.2, 8, 6.8, 5.6, 4.4, 3.4, 2.6, 2.0, 1.5, 1.1, 0.8, 0.56, 0.4, 0.26, 0.13])
_AFTER_S_S = np.concatenate([np.arange(24) * 0.12, 2.88 + np.cumsum(np.geomspace(0.13, 1.25, 72))])
NP_ = len(_BEFORE_P_S)  # frames before P
N_PS = 17  # frames from P to S
NT = NP_ + N_PS + len(_AFTER_S_S)
S_MINUS_P_S = 0.3, 25.0  # least and largest

# --- spectra
SPEC_HZ = np.concatenate([np.geomspace(0.12, 38.0, 80), np.linspace(38.0, 49.8, 17)[1:]])
NOISE_HZ = np.concatenate([np.geomspace(0.2, 36.0, 28), np.linspace(38.0, 45.0, 4), np.linspace(45.8, 49.8, 8)])
NOISE_S = 1.0, 0.2  # from this long after the start of a record to this long before P
_SCALED = slice(*np.searchsorted(SPEC_HZ, (0.5, 20.0)))

# --- coherency
COHERENCY_HZ = np.array([0.0, 2.0, 5.0, 10.0, 20.0, 50.1])
PAIRS = ((0, 1), (0, 2), (1, 2))  # E-N, E-Z, N-Z
N_PARTS = 5  # before P, onset, P, S, coda
_ONSET_S = 0.35
_COHERENCY_MARGIN_S = (0, -0.9), (-0.15, -0.25), (0, 0), (0, 0), (0, 0)  # where frames' centres lie in the parts
_LARGEST_Z = 2.6
_LATEST_ONSET_S = 0.35
_EARLIER_S = 0.03  # motion is above the noise this long before the criterion is least; measured

_SHAPE = (N_PARTS, len(COHERENCY_HZ) - 1, len(PAIRS))
N_NOISE, N_COHERENCY = 3 * len(NOISE_HZ), 2 * int(np.prod(_SHAPE))
N_EXTRA = 1 + N_NOISE + N_COHERENCY
LAYOUT = f"energy 1: {NT} {NB} {len(SPEC_HZ)} {N_NOISE} {N_COHERENCY}"  # raise the number when a meaning changes
_FLOOR = 1e-16  # of power over the record's


class Description(NamedTuple):
    """Records described.

    Attributes
    ----------
    ln_power : numpy.ndarray, shape (n, 3, NT, NB), float32
        ln of raw periodograms of the lattice's frames, over the square of the scale.
    ln_spectrum : numpy.ndarray, shape (n, 3, len(SPEC_HZ)), float32
        ln of the smoothed Fourier amplitude of the whole record, over the scale.
    extra : numpy.ndarray, shape (n, N_EXTRA), float32
        Onset, noise and coherency, see `split_extra`.
    ln_scale : numpy.ndarray, shape (n,), float32
        Mean ln spectrum of the three components from 0.5 to 20 Hz, m/s² times samples.
    ln_sp : numpy.ndarray, shape (n,), float32
        ln of S−P in s.
    """

    ln_power: np.ndarray
    ln_spectrum: np.ndarray
    extra: np.ndarray
    ln_scale: np.ndarray
    ln_sp: np.ndarray


class Extra(NamedTuple):
    """What `extra` holds.

    Attributes
    ----------
    onset_s : float
        P onset after P_AT_S.
    ln_noise : numpy.ndarray, shape (3, len(NOISE_HZ))
        ln of the noise's Fourier amplitude at NOISE_HZ as if it lasted the whole record, over the scale.
    coherency : numpy.ndarray, shape (N_PARTS, band, pair), complex
        Between components, of magnitude below 1.
    """

    onset_s: float
    ln_noise: np.ndarray
    coherency: np.ndarray


def lattice(sp_s: float, p_s: float = P_AT_S) -> np.ndarray:
    """Return the times of the frames' centres in s, shape (NT,).

    Parameters
    ----------
    sp_s : float
        S−P in s.
    p_s : float
        P onset in s after the first sample.
    """
    return p_s + np.concatenate([_BEFORE_P_S, sp_s * np.arange(N_PS) / N_PS, sp_s + _AFTER_S_S])


def describe(waves: np.ndarray, s_s: np.ndarray) -> Description:
    """Describe records.

    Parameters
    ----------
    waves : numpy.ndarray, shape (n, 3, NPTS), m/s²
        Conditioned windows at 100 Hz with P at 10 s (`preprocessing.windows`). Left as they are.
    s_s : numpy.ndarray, shape (n,)
        S onset in s after the first sample; all known.

    Returns
    -------
    Description

    Raises
    ------
    TNGError
        Wrong shape, an unknown S onset or a component without motion.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(2, 3, 6000))
    >>> describe(noise, [14.0, 15.0]).ln_power.shape
    (2, 3, 128, 39)
    """
    waves, s_s = np.asarray(waves), np.asarray(s_s, dtype=float)
    if waves.ndim != 3 or waves.shape[1:] != (3, NPTS) or s_s.shape != waves.shape[:1]:
        raise TNGError(f"waves of shape {waves.shape} and S of shape {s_s.shape} given; accepted: (n, 3, {NPTS}), (n,)")
    if not np.isfinite(s_s).all():
        raise TNGError(f"{int((~np.isfinite(s_s)).sum())} of {len(s_s)} S onsets are not known; all are needed")
    if not (np.ptp(waves, axis=-1) > 0).all():
        raise TNGError("a component without motion cannot be described")
    parts = [_describe(wave.astype(float), s) for wave, s in zip(waves, s_s, strict=True)]
    columns = zip(*parts, strict=True) if parts else [np.zeros((0, 3, NT, NB))] * 5
    return Description(*(np.array(column, dtype=np.float32) for column in columns))


def _describe(x, s_s):
    """Return the fields of one record."""
    onset_s = _onset(x)
    p_s = P_AT_S + onset_s
    sp_s = float(np.clip(s_s - p_s, *S_MINUS_P_S))
    ln_spectrum = spectrum(x)
    scale = ln_spectrum[:, _SCALED].mean()
    power = periodograms(x, lattice(sp_s, p_s))
    ln_power = np.log(power + _FLOOR * np.exp(2 * scale)) - 2 * scale
    z = _z(coherency(x, p_s, sp_s))
    extra = np.concatenate([[onset_s], (noise_spectrum(x, p_s) - scale).ravel(), z.real.ravel(), z.imag.ravel()])
    return ln_power, ln_spectrum - scale, extra, scale, np.log(sp_s)


def split_extra(extra: np.ndarray) -> Extra:
    """Return what the extra numbers of one record, shape (N_EXTRA,), stand for."""
    extra = np.asarray(extra, dtype=float)
    z = extra[1 + N_NOISE :].reshape(2, *_SHAPE)
    z = z[0] + 1j * z[1]
    size = np.maximum(np.abs(z), 1e-9)
    return Extra(
        float(np.clip(extra[0], -_LATEST_ONSET_S, _LATEST_ONSET_S)),
        extra[1 : 1 + N_NOISE].reshape(3, -1),
        z / size * np.tanh(np.minimum(size, _LARGEST_Z)),
    )


def _z(c):
    """Return Fisher's z of complex coherency, its phase kept."""
    size = np.clip(np.abs(c), 1e-9, np.tanh(_LARGEST_Z))
    return c / np.maximum(np.abs(c), 1e-9) * np.arctanh(size)


def _onset(x):
    """Return where motion begins in s after P_AT_S: least AIC of two variances of the differenced motion.

    Maeda (1985), A method for reading and checking phase times in autoprocessing system of seismic wave data.
    """
    p, half = int(P_AT_S * SAMPLING_RATE_HZ), int(1.5 * SAMPLING_RATE_HZ)
    step = np.diff(x[:, p - half - 1 : p + half], axis=-1)
    square = (step**2 / (step**2).mean(axis=-1, keepdims=True)).sum(axis=0)
    n, before = len(square), np.cumsum(square)[:-1]
    k = np.arange(1, n)
    aic = k * np.log(before / k + 1e-12) + (n - k) * np.log((before[-1] + square[-1] - before) / (n - k) + 1e-12)
    near = np.abs(k - half) <= _LATEST_ONSET_S * SAMPLING_RATE_HZ
    return (k[near][np.argmin(aic[near])] - half) / SAMPLING_RATE_HZ - _EARLIER_S


def frames(x: np.ndarray, times_s: np.ndarray, n: int) -> np.ndarray:
    """Return n samples about each time, zeros beyond the ends, shape (..., time, n)."""
    centre = np.rint(np.asarray(times_s) * SAMPLING_RATE_HZ).astype(int)
    padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(n, n)])
    first = np.clip(centre + n - n // 2, 0, padded.shape[-1] - n)
    return padded[..., first[:, None] + np.arange(n)]


@lru_cache(maxsize=8)
def hann(n: int) -> np.ndarray:
    """Return a periodic Hann window of unit energy."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
    return window / np.sqrt((window**2).sum())


def periodograms(x: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Return power on the lattice, shape (3, time, NB), in (m/s²)² per sample; ramps at the ends are made up for."""
    out = []
    for n, bins in ((N_LONG, LONG_BINS), (N_SHORT, SHORT_BINS)):
        lost = (frames(taper(NPTS) ** 2, times_s, n) * hann(n) ** 2).sum(axis=-1)
        transform = rfft(frames(x, times_s, n) * hann(n), axis=-1)[..., bins]
        out.append((transform.real**2 + transform.imag**2) / np.maximum(lost, 0.05)[:, None])
    return np.concatenate(out, axis=-1)


def inside(ln_sp: np.ndarray) -> np.ndarray:
    """Tell which frames lie inside the record, shape (..., NT); what a frame beyond its end holds means nothing."""
    times = np.array([lattice(sp) for sp in np.exp(np.atleast_1d(ln_sp))])
    return (times < (NPTS / SAMPLING_RATE_HZ - 1.5)).reshape(*np.shape(ln_sp), NT)


@lru_cache(maxsize=8)
def _smoothing(npts, centres):
    """Return weights, shape (centre, line), that smooth amplitudes over about two steps of the centres."""
    centres = np.array(centres)
    line = np.fft.rfftfreq(npts, 1 / SAMPLING_RATE_HZ)
    ratio, step = centres[1] / centres[0], centres[-1] - centres[-2]
    place = np.interp(line, centres, np.arange(len(centres)))
    below, above = line < centres[0], line > centres[-1]
    place[below] = np.log(np.maximum(line[below], 1e-9) / centres[0]) / np.log(ratio)
    place[above] = len(centres) - 1 + (line[above] - centres[-1]) / step
    x = (place - np.arange(len(centres))[:, None]) / 2.8
    weights = np.where(np.abs(x) < 1, np.sinc(x) ** 4, 0.0)
    weights[:, 0] = 0
    return weights / weights.sum(axis=1, keepdims=True)


def spectrum(x: np.ndarray) -> np.ndarray:
    """Return the ln smoothed Fourier amplitude of whole records at SPEC_HZ, shape (..., len(SPEC_HZ))."""
    return np.log(np.abs(rfft(x, axis=-1)) @ _smoothing(x.shape[-1], tuple(SPEC_HZ)).T + 1e-30)


def noise_spectrum(x: np.ndarray, p_s: float) -> np.ndarray:
    """Return the ln amplitude of the noise before P at NOISE_HZ as if it lasted the whole record, shape (3, ...)."""
    first, last = int(NOISE_S[0] * SAMPLING_RATE_HZ), int(round((p_s - NOISE_S[1]) * SAMPLING_RATE_HZ))
    part = x[:, first:last]
    amplitude = np.abs(rfft((part - part.mean(axis=-1, keepdims=True)) * hann(last - first), axis=-1))
    return np.log(amplitude @ _smoothing(last - first, tuple(NOISE_HZ)).T * np.sqrt(x.shape[-1]) + 1e-30)


def parts(p_s: float, sp_s: float) -> np.ndarray:
    """Return begin and end in s of the parts that have a coherency of their own, shape (N_PARTS, 2)."""
    end = NPTS / SAMPLING_RATE_HZ - 3.0
    s_s = p_s + max(sp_s, 1.0)
    strong = s_s + float(np.clip(sp_s, 4.0, 10.0))
    edges = np.array([1.0, p_s, p_s + _ONSET_S, s_s, strong, end])
    return np.stack([edges[:-1], edges[1:]], axis=1)


def coherency(x: np.ndarray, p_s: float, sp_s: float) -> np.ndarray:
    """Return the complex coherency of pairs of components by part and band, shape (N_PARTS, band, pair).

    Cross spectra of frames of 1.28 s (0.64 s at the onset) are summed over the part and the band.
    """
    out = []
    for part, (begin, end) in enumerate(parts(p_s, sp_s)):
        n, hop = (64, 4) if part == 1 else (128, 16)
        centre = np.arange(n // 2, NPTS - n // 2, hop) / SAMPLING_RATE_HZ
        early, late = _COHERENCY_MARGIN_S[part]
        chosen = centre[(centre >= begin + early) & (centre < max(end + late, begin + early + 0.3))]
        transform = rfft(frames(x, chosen, n) * hann(n), axis=-1)[..., 1:]
        which = np.searchsorted(COHERENCY_HZ, np.fft.rfftfreq(n, 1 / SAMPLING_RATE_HZ)[1:], side="right") - 1
        edges = np.searchsorted(which, np.arange(len(COHERENCY_HZ) - 1))
        sums = [np.add.reduceat((a * b.conj()).sum(axis=0), edges) for a in transform for b in transform]
        matrix = np.reshape(sums, (3, 3, -1))
        size = np.sqrt(np.einsum("iib->ib", matrix).real)
        out.append([matrix[a, b] / (size[a] * size[b] + 1e-60) for a, b in PAIRS])
    return np.array(out).swapaxes(1, 2)


def smooth_power(ln_power: np.ndarray, frames_aside: int = 2, bands_aside: int = 1) -> np.ndarray:
    """Smooth raw periodograms by a running mean over frames and bands, not across P; ln in, ln out.

    Parameters
    ----------
    ln_power : numpy.ndarray, shape (..., NT, NB)
    frames_aside, bands_aside : int
        Neighbours on each side that are averaged.
    """
    pieces = []
    for piece in np.split(np.asarray(ln_power, dtype=float), [NP_], axis=-2):
        # flat first: a mean over a slope is not its middle
        flat = piece.mean(axis=-2, keepdims=True) + piece.mean(axis=-1, keepdims=True)
        flat = flat - piece.mean(axis=(-2, -1), keepdims=True)
        power = _running_mean(np.exp(piece - flat), frames_aside, -2)
        bands = [_running_mean(part, bands_aside, -1) for part in np.split(power, [N_LOW], axis=-1)]
        pieces.append(np.log(np.concatenate(bands, axis=-1)) + flat)
    return np.concatenate(pieces, axis=-2).astype(np.float32)


def _running_mean(x, aside, axis):
    """Return means over 2·aside + 1 neighbours, the ends repeated."""
    x = np.moveaxis(x, axis, -1)
    padded = np.concatenate([np.repeat(x[..., :1], aside, -1), x, np.repeat(x[..., -1:], aside, -1)], axis=-1)
    out = sum(padded[..., k : k + x.shape[-1]] for k in range(2 * aside + 1)) / (2 * aside + 1)
    return np.moveaxis(out, -1, axis)
