"""How the energy of a record is spread over time, frequency and component: the spectral description of motion.

A description holds no phases. It is what the default generator codes, mixes and decodes; `spectral_synthesis` makes
motion of it from fresh noise. Its parts:

- ln power on a lattice of frames that follows the onsets (dense at P and S, ever wider into the coda), so that the
  frames of records with different S−P times stand for the same phase of the motion;
- the ln Fourier spectrum of the whole record, finely: the site;
- "extra" numbers (`spectral_extra`): the P onset to a hundredth of a second, the spectrum of the noise before P, the
  first instants after it, and the complex coherency of the components in six parts of the record.

All of them may be mixed linearly. Levels are relative to the record's scale, so that magnitude does not drown the site.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.fft import rfft

from obspy_tng import spectral_extra as se
from obspy_tng.errors import TNGError
from obspy_tng.preprocessing import NPTS, P_AT_S, SAMPLING_RATE_HZ, taper
from obspy_tng.spectral_extra import frames, hann, smoothing
from obspy_tng.spectral_onset import onset

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
_SCALED = slice(*np.searchsorted(SPEC_HZ, (0.5, 20.0)))

# raise the number when a meaning changes
LAYOUT = f"energy 6: {NT} {NB} {len(SPEC_HZ)} {se.N_NOISE} {se.N_EARLY} {se.N_FIRST} {se.N_COHERENCY}"
_FLOOR = 1e-16  # of power over the record's


class Description(NamedTuple):
    """Records described.

    Attributes
    ----------
    ln_power : numpy.ndarray, shape (n, 3, NT, NB), float32
        ln of raw periodograms of the lattice's frames, over the square of the scale.
    ln_spectrum : numpy.ndarray, shape (n, 3, len(SPEC_HZ)), float32
        ln of the smoothed Fourier amplitude of the whole record, over the scale.
    extra : numpy.ndarray, shape (n, spectral_extra.N_EXTRA), float32
        Onset, noise, first instants and coherency, see `spectral_extra.split_extra`.
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
    onset_s = onset(x)
    p_s = P_AT_S + onset_s
    sp_s = float(np.clip(s_s - p_s, *S_MINUS_P_S))
    ln_spectrum = spectrum(x)
    scale = scale_of(ln_spectrum)
    power = periodograms(x, lattice(sp_s, p_s))
    ln_power = np.log(power + _FLOOR * np.exp(2 * scale)) - 2 * scale
    told = se.told(x, p_s) - scale * se.TOLD_POWERS
    extra = se.join(onset_s, told, *se.coherency(x, p_s, sp_s))
    return ln_power, ln_spectrum - scale, extra, scale, np.log(sp_s)


def scale_of(ln_spectrum: np.ndarray) -> float:
    """Return the ln scale of a record of a ln spectrum (3, len(SPEC_HZ)): the mean from 0.5 to 20 Hz."""
    return float(ln_spectrum[:, _SCALED].mean())


def periodograms(x: np.ndarray, times_s: np.ndarray, times_longer: int = 1) -> np.ndarray:
    """Return power on the lattice, shape (3, time, NB), in (m/s²)² per sample; ramps at the ends are made up for.

    Parameters
    ----------
    x : numpy.ndarray, shape (3, NPTS), m/s²
    times_s : numpy.ndarray
        Of the frames' centres, in s after the first sample.
    times_longer : int
        Frames are so many times as long as those of a description; the frequencies are the same.
    """
    out = []
    for n, bins in ((N_LONG, LONG_BINS), (N_SHORT, SHORT_BINS)):
        n, bins = n * times_longer, bins * times_longer
        lost = (frames(taper(NPTS) ** 2, times_s, n) * hann(n) ** 2).sum(axis=-1)
        transform = rfft(frames(x, times_s, n) * hann(n), axis=-1)[..., bins]
        out.append((transform.real**2 + transform.imag**2) / np.maximum(lost, 0.05)[:, None])
    return np.concatenate(out, axis=-1)


def inside(ln_sp: np.ndarray) -> np.ndarray:
    """Tell which frames lie inside the record, shape (..., NT); what a frame beyond its end holds means nothing."""
    times = np.array([lattice(sp) for sp in np.exp(np.atleast_1d(ln_sp))])
    return (times < (NPTS / SAMPLING_RATE_HZ - 1.5)).reshape(*np.shape(ln_sp), NT)


def spectrum(x: np.ndarray) -> np.ndarray:
    """Return the ln smoothed Fourier amplitude of whole records at SPEC_HZ, shape (..., len(SPEC_HZ))."""
    return np.log(np.abs(rfft(x, axis=-1)) @ smoothing(x.shape[-1], tuple(SPEC_HZ)).T + 1e-30)


def smooth_power(ln_power: np.ndarray, frames_aside: int = 2, bands_aside: int = 1) -> np.ndarray:
    """Smooth raw periodograms by a running mean over frames and bands, not across P; ln in, ln out.

    Parameters
    ----------
    ln_power : numpy.ndarray, shape (..., NT, NB)
    frames_aside, bands_aside : int
        Neighbours on each side that are averaged.
    """
    out = np.empty(np.shape(ln_power), dtype=np.float32)
    for some in (slice(0, NP_), slice(NP_, None)):
        for bands in (slice(0, N_LOW), slice(N_LOW, None)):
            piece = np.asarray(ln_power[..., some, bands], dtype=float)
            # flat first: a mean over a slope is not its middle
            flat = piece.mean(axis=-2, keepdims=True) + piece.mean(axis=-1, keepdims=True)
            flat = flat - piece.mean(axis=(-2, -1), keepdims=True)
            power = running_mean(running_mean(np.exp(piece - flat), frames_aside, -2), bands_aside, -1)
            out[..., some, bands] = np.log(power) + flat
    return out


def running_mean(x: np.ndarray, aside: int, axis: int) -> np.ndarray:
    """Return means over 2·aside + 1 neighbours along an axis, the ends repeated."""
    x = np.moveaxis(x, axis, -1)
    padded = np.concatenate([np.repeat(x[..., :1], aside, -1), x, np.repeat(x[..., -1:], aside, -1)], axis=-1)
    out = sum(padded[..., k : k + x.shape[-1]] for k in range(2 * aside + 1)) / (2 * aside + 1)
    return np.moveaxis(out, -1, axis)
