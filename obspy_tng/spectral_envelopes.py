"""Envelopes of the synthesis' bands: from the power of frames to that of cells of a tenth of a second."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from obspy_tng import spectral as sp
from obspy_tng import spectral_extra as se
from obspy_tng.preprocessing import NPTS, SAMPLING_RATE_HZ
from obspy_tng.spectral import NB, NP_
from obspy_tng.spectral_noise import LENGTH, STEP

_SHARPENINGS = 8, 2  # of long and of short frames
_LEAST_LN = -0.35  # noise after P is at least this much below all motion: what was before P may have been a coda
_SMOOTHED_S = 1.1  # frames this near to those that see P were smoothed with them
_LATE_S, _LATE_LN = 12.0, 2.0  # the coda does not grow by more than this ln in the last seconds
_OVERSHOOT = 5.0  # most that low bands may have in the first instants over those that follow
_RISE_S = 0.2, 0.2, 0.06  # E, N, Z; measured on Ridgecrest records
_END_S = 1.5  # before the end of the record: frames beyond see its ramp


def bounded(ln_power: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Return ln power of frames, shape (3, NT, NB), that does not grow at the end of the record.

    The last frames of long records lie beyond their end: mixed into shorter ones they would be a burst of nothing.
    """
    out, end_s = np.array(ln_power, dtype=float), NPTS / SAMPLING_RATE_HZ
    late = times_s > end_s - _LATE_S
    coda = ~late & (times_s > end_s - 2 * _LATE_S)
    out[:, late] = np.minimum(out[:, late], out[:, coda].mean(axis=1, keepdims=True) + _LATE_LN)
    return out


def cells(power: np.ndarray, times_s: np.ndarray, start: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    """Return power of noise and signal in cells of STEP samples, each of shape (3, NB, cell).

    Noise goes on after P as it was just before. Frames see some 0.3 s (or 1.3 s at low frequencies) to each side, long
    ones also the next bands. The iteration of Richardson (1972) and Lucy (1974) finds cells of the signal that, with
    the noise, explain them.

    Parameters
    ----------
    power : numpy.ndarray, shape (3, NT, NB)
        Of the frames.
    times_s : numpy.ndarray, shape (NT,)
        Their centres, in s after the first sample of the record.
    start, p : int
        First sample of the record, counted from that of the cells, and P, counted from that of the record.
    """
    n_cells = LENGTH // STEP
    p_s, p_cell = p / SAMPLING_RATE_HZ, (start + p) // STEP
    middle_s = ((np.arange(n_cells) + 0.5) * STEP - start) / SAMPLING_RATE_HZ
    last = np.flatnonzero(times_s < NPTS / SAMPLING_RATE_HZ - _END_S)[-1] + 1
    power, times_s = power[:, :last].transpose(0, 2, 1).astype(np.float32), times_s[:last]  # half the time of float64
    ln = np.log(power)
    ramp = (onset((n_cells - p_cell) * STEP) ** 2).reshape(3, 1, -1, STEP).mean(axis=-1).astype(np.float32)
    noise, signal = np.zeros((2, 3, NB, n_cells), dtype=np.float32)
    low, high = (slice(0, sp.N_LOW), sp.N_LONG), (slice(sp.N_LOW, NB), sp.N_SHORT)
    for (rows, n), sharpenings in zip((low, high), _SHARPENINGS, strict=True):
        half_s = n / 2 / SAMPLING_RATE_HZ
        quiet = np.flatnonzero(times_s < p_s - half_s - _SMOOTHED_S)
        before = between(middle_s[:p_cell], times_s[quiet], ln[:, rows][..., quiet])
        noise[:, rows, :p_cell] = np.exp(before)
        least = between(middle_s[p_cell:], times_s[NP_:], ln[:, rows][..., NP_:]) + _LEAST_LN
        noise[:, rows, p_cell:] = np.exp(np.minimum(before.mean(axis=-1, keepdims=True), least))
        near = times_s > p_s - 0.2 * half_s  # earlier ones see but the first instants of the signal, dimly
        see = _seen(times_s[near] * SAMPLING_RATE_HZ + start, n, n_cells)
        rest = power[:, rows][..., near] - noise[:, rows] @ see.T
        rest = np.maximum(rest, 0.03 * power[:, rows][..., near])
        see = see[:, p_cell:]  # there is no signal before
        weight = see.sum(axis=0)
        back = see / np.maximum(weight, 1e-9)
        out = np.exp(between(middle_s[p_cell:], times_s[NP_:], np.log(rest[..., -len(times_s[NP_:]) :])))
        out *= ramp
        hear = _heard() if n == sp.N_LONG else None
        for _ in range(sharpenings):
            told = out @ see.T
            ratio = rest / ((told if hear is None else hear @ told) + 1e-30)
            ratio = ratio if hear is None else (hear.T / hear.sum(axis=0)[:, None]) @ ratio
            out *= np.where(weight > 1e-6, ratio @ back, 1.0)
        out /= np.maximum(ramp, 1e-3)
        if n == sp.N_LONG:
            k = n // (2 * STEP)
            most = _OVERSHOOT * out[..., k : 2 * k].mean(axis=-1, keepdims=True)
            out[..., :k] = np.minimum(out[..., :k], most)
        signal[:, rows, p_cell:] = out
    return noise, signal


def onset(samples: int) -> np.ndarray:
    """Return the amplitude of the signal after its onset, shape (3, 1, sample): linear, sooner on the vertical."""
    t = (np.arange(samples) + 0.5) / SAMPLING_RATE_HZ
    return np.minimum(t / np.array(_RISE_S)[:, None, None], 1.0)


def between(x: np.ndarray, at: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Interpolate linearly along the last axis, the ends held."""
    k = np.clip(np.searchsorted(at, x) - 1, 0, len(at) - 2)
    w = np.clip((x - at[k]) / np.maximum(at[k + 1] - at[k], 1e-9), 0, 1).astype(values.dtype)
    return values[..., k] * (1 - w) + values[..., k + 1] * w


def shaped(bands: np.ndarray, power: np.ndarray, first: int = 0) -> np.ndarray:
    """Return the sum of bands times envelopes, which are linear from cell to cell, shape (3, LENGTH).

    Parameters
    ----------
    bands : numpy.ndarray, shape (band, 3, LENGTH)
    power : numpy.ndarray, shape (3, band, cell)
        Of the cells' middles.
    first : int
        Where a signal sets in; 0: it is there from the beginning.
    """
    amplitude = np.sqrt(power).astype(np.float32).swapaxes(0, 1)  # (band, 3, cell)
    samples = amplitude.shape[-1] * STEP
    if first:
        amplitude[..., first // STEP - 1] = amplitude[..., first // STEP]
    edge = np.concatenate([amplitude[..., :1], amplitude, amplitude[..., -1:]], axis=-1)
    pairs = np.stack([edge[..., :-1], edge[..., 1:]], axis=-1).reshape(-1, 2)
    w = ((np.arange(STEP) + 0.5) / STEP).astype(np.float32)
    ramps = (pairs @ np.stack([1 - w, w])).reshape(len(bands), 3, -1)  # as a product: half the time
    out = np.zeros((3, LENGTH))
    out[:, :samples] = np.einsum("bit,bit->it", bands[..., :samples], ramps[..., STEP // 2 : STEP // 2 + samples])
    if first:
        out[:, :first] = 0
        out[:, first:] *= onset(LENGTH - first)[:, 0]
    return out


@lru_cache(maxsize=1)
def _heard():
    """Return the share of each low band in the power of each line of long frames, shape (line, band)."""
    hz = np.linspace(0, 5, 501)
    bands = np.array([np.interp(hz, sp.BAND_HZ, row) for row in np.eye(NB)[: sp.N_LOW]])
    bands[:, 0] = 0
    bands[-1, hz > sp.BAND_HZ[sp.N_LOW - 1]] = 1.0  # beyond as there
    t = np.arange(sp.N_LONG) / SAMPLING_RATE_HZ
    shifted = np.exp(-2j * np.pi * np.subtract.outer(hz, sp.BAND_HZ[: sp.N_LOW])[..., None] * t)
    gain = (np.abs(shifted @ se.hann(sp.N_LONG)) ** 2).T
    share = gain @ bands.T
    return (share / share.sum(axis=1, keepdims=True)).astype(np.float32)


def _seen(centre, n, n_cells):
    """Return the share of each cell in the power of each frame, shape (frame, cell)."""
    edges = np.arange(n_cells + 1) * STEP
    total = np.concatenate([[0], np.cumsum(se.hann(n) ** 2)])
    at = np.clip(edges - (np.rint(centre)[:, None] - n // 2), 0, n).astype(int)
    share = np.diff(total[at], axis=1)
    return (share / np.maximum(share.sum(axis=1, keepdims=True), 1e-9)).astype(np.float32)
