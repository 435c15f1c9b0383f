"""From a spectral description to motion: fresh Gaussian noise, shaped in time, frequency and polarisation.

A record is the noise that was there before P and goes on, plus a signal that begins at P. Each is a sum of narrow
bands of complex noise, mixed among the components to the wanted coherency and multiplied by an envelope. The spectra
of both are then brought to the described ones: of the signal by a filter of minimum phase, which lets nothing out
before the onset.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.fft import ifft, irfft, rfft

from obspy_tng import spectral as sp
from obspy_tng.preprocessing import HIGHPASS_HZ, NPTS, P_AT_S, SAMPLING_RATE_HZ
from obspy_tng.spectral import NB, NP_, SPEC_HZ, spectrum

_STEP = 10  # samples of a cell of the envelopes
_BEFORE = 64  # samples of noise before the first one kept, at least
_LENGTH = 6144
_PADDED = 2 * _LENGTH
_SHARPENINGS = 6
_CORRECTIONS = 2


def synthesise(
    ln_power: np.ndarray, ln_spectrum: np.ndarray, extra: np.ndarray, ln_scale: float, ln_sp: float,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Make motion of a description.

    Parameters
    ----------
    ln_power : numpy.ndarray, shape (3, NT, NB)
        Smooth, as a decoder gives it or `smooth_power`.
    ln_spectrum : numpy.ndarray, shape (3, len(SPEC_HZ))
        Not smoothed further: its scatter is not added here.
    extra : numpy.ndarray, shape (N_EXTRA,)
    ln_scale, ln_sp : float
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray, shape (3, NPTS), m/s²
        Not yet conditioned: `preprocessing.land` brings it to rest.
    """
    onset_s, ln_noise, coherency = sp.split_extra(extra)
    sp_s = float(np.clip(np.exp(ln_sp), *sp.S_MINUS_P_S))
    p = int(round((P_AT_S + onset_s) * SAMPLING_RATE_HZ))
    start = -(-(_BEFORE + p) // _STEP) * _STEP - p  # first sample kept; P stands at the edge of a cell
    cells = _cells(np.exp(np.asarray(ln_power, dtype=float)), sp.lattice(sp_s, p / SAMPLING_RATE_HZ), start, p)
    noise_power, signal_power = _apart(cells, (start + p) // _STEP)
    bands = _coherent(_bands(rng), coherency, sp.parts(p / SAMPLING_RATE_HZ, sp_s) * SAMPLING_RATE_HZ + start)
    noise = _shaped(bands, noise_power)
    signal = _shaped(bands, signal_power, start + p)
    noise = _like_before(noise, ln_noise, start, p)
    keep = slice(start, start + NPTS)
    target = ln_spectrum - _conditioning(SPEC_HZ)
    for _ in range(_CORRECTIONS):
        rest = np.exp(2 * target) - np.exp(2 * spectrum(noise[:, keep]))
        wanted = 0.5 * np.log(np.maximum(rest, 0.1 * np.exp(2 * target)))
        signal = _causal(signal, wanted - spectrum(signal[:, keep]))
    return (noise + signal)[:, keep] * np.exp(float(ln_scale))


def _conditioning(frequency_hz):
    """Return the ln gain of the high-pass that motion is given once more before it leaves."""
    return -np.log1p((HIGHPASS_HZ / np.asarray(frequency_hz)) ** 4)


# --- envelopes


def _cells(power, times_s, start, p):
    """Return power in cells of _STEP samples, shape (3, NB, cell), of which the frames' power is the mean.

    Frames see some 0.3 s (or 1.3 s at low frequencies) to each side. The iteration of Richardson (1972) and Lucy (1974)
    finds cells that explain them, beginning with frames interpolated on each side of P alone.
    """
    last = np.flatnonzero(times_s < NPTS / SAMPLING_RATE_HZ - 1.5)[-1]
    power, times_s = power[:, : last + 1].transpose(0, 2, 1), times_s[: last + 1]
    n_cells = _LENGTH // _STEP
    middle_s = ((np.arange(n_cells) + 0.5) * _STEP - start) / SAMPLING_RATE_HZ
    before = middle_s < p / SAMPLING_RATE_HZ
    ln = np.log(power)
    first = np.empty((3, NB, n_cells))
    first[..., before] = _between(middle_s[before], times_s[:NP_], ln[..., :NP_])
    first[..., ~before] = _between(middle_s[~before], times_s[NP_:], ln[..., NP_:])
    out = np.exp(first)
    for rows, n in ((slice(0, sp.N_LOW), sp.N_LONG), (slice(sp.N_LOW, NB), sp.N_SHORT)):
        see = _seen(times_s * SAMPLING_RATE_HZ + start, n, n_cells)
        weight = see.sum(axis=0)
        back = see / np.maximum(weight, 1e-9)
        known = weight > 1e-6
        for _ in range(_SHARPENINGS):
            ratio = power[:, rows] / (out[:, rows] @ see.T)
            out[:, rows] *= np.where(known, ratio @ back, 1.0)
    return out


def _between(x, at, values):
    """Interpolate linearly along the last axis, the ends held."""
    k = np.clip(np.searchsorted(at, x) - 1, 0, len(at) - 2)
    w = np.clip((x - at[k]) / np.maximum(at[k + 1] - at[k], 1e-9), 0, 1)
    return values[..., k] * (1 - w) + values[..., k + 1] * w


def _seen(centre, n, n_cells):
    """Return the share of each cell in the power of each frame, shape (frame, cell)."""
    edges = np.arange(n_cells + 1) * _STEP
    total = np.concatenate([[0], np.cumsum(sp.hann(n) ** 2)])
    at = np.clip(edges - (np.rint(centre)[:, None] - n // 2), 0, n).astype(int)
    share = np.diff(total[at], axis=1)
    return share / np.maximum(share.sum(axis=1, keepdims=True), 1e-9)


def _apart(cells, p_cell):
    """Return power of the noise, which goes on after P as it was just before, and of the signal."""
    noise = cells.copy()
    level = np.exp(np.log(cells[..., p_cell - 30 : p_cell - 4]).mean(axis=-1, keepdims=True))
    noise[..., p_cell - 4 :] = level
    signal = np.maximum(cells - noise, 0.02 * cells)
    signal[..., :p_cell] = 0
    return noise, signal


# --- noise


@lru_cache(maxsize=1)
def _hats():
    """Return amplitudes of the bands over lines, shape (NB, _LENGTH), whose squares sum to one above 0 Hz."""
    line = np.fft.rfftfreq(_LENGTH, 1 / SAMPLING_RATE_HZ)
    eye = np.eye(NB)
    out = np.zeros((NB, _LENGTH), dtype=np.float32)
    out[:, : len(line)] = np.sqrt([np.interp(line, sp.BAND_HZ, row) for row in eye])
    out[:, 0] = 0
    return out


def _bands(rng):
    """Return complex noise of three components in narrow bands, shape (NB, 3, _LENGTH), real parts adding to white."""
    white = rng.standard_normal((3, 2, _LENGTH // 2 + 1), dtype=np.float32)
    half = white[:, 0] + 1j * white[:, 1]
    spectra = np.zeros((NB, 3, _LENGTH), dtype=np.complex64)
    hats = _hats()
    spectra[..., : half.shape[-1]] = hats[:, None, : half.shape[-1]] * half * np.float32(np.sqrt(_LENGTH))
    return ifft(spectra, axis=-1, overwrite_x=True)


def _coherent(bands, coherency, edges):
    """Mix the components of the noise so that each part and band has exactly the coherency asked for."""
    edges = np.concatenate([[0], edges[1:, 0], [bands.shape[-1]]]).astype(int)
    which = np.clip(np.searchsorted(sp.COHERENCY_HZ, sp.BAND_HZ, side="right") - 1, 0, len(sp.COHERENCY_HZ) - 2)
    out = np.empty(bands.shape, dtype=np.float32)
    for part, (a, b) in enumerate(pairwise(edges)):
        for band in range(len(sp.COHERENCY_HZ) - 1):
            rows = np.flatnonzero(which == band)
            rows = slice(rows[0], rows[-1] + 1)
            piece = bands[rows, :, a:b]
            own = np.einsum("bit,bjt->ij", piece, piece.conj()) / (piece.shape[0] * piece.shape[-1])
            mix = _factor(_matrix(coherency[part, band])) @ np.linalg.inv(_factor(_tempered(own)))
            out[rows, :, a:b] = (mix.astype(np.complex64) @ piece).real
    return out


def _tempered(covariance):
    """Return a covariance moved a little towards its mean, so that few samples do no harm."""
    return 0.95 * covariance + 0.05 * np.eye(3) * np.trace(covariance).real / 3


def _matrix(pairs):
    """Return the nearest coherency matrix, Hermitian and positive definite, of the values of pairs."""
    out = np.eye(3, dtype=complex)
    for c, (a, b) in zip(pairs, sp.PAIRS, strict=True):
        out[a, b], out[b, a] = c, np.conj(c)
    values, vectors = np.linalg.eigh(out)
    out = (vectors * np.maximum(values, 0.02)) @ vectors.conj().T
    size = np.sqrt(np.diag(out).real)
    return out / np.outer(size, size)


def _factor(matrix):
    """Return the Hermitian square root, which treats the components alike."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 1e-6))) @ vectors.conj().T


def _shaped(bands, power, first=0):
    """Return the sum of bands times envelopes, which are linear from cell to cell, shape (3, _LENGTH)."""
    amplitude = np.sqrt(power).astype(np.float32)  # (3, NB, cell), of cells' middles
    n_cells = amplitude.shape[-1]
    p_cell = first // _STEP
    if first:
        amplitude[..., p_cell - 1] = amplitude[..., p_cell]
    w = ((np.arange(_STEP) + 0.5) / _STEP).astype(np.float32)
    edge = np.concatenate([amplitude[..., :1], amplitude, amplitude[..., -1:]], axis=-1)
    ramps = edge[..., :-1, None] * (1 - w) + edge[..., 1:, None] * w
    envelope = ramps.reshape(3, NB, -1)[..., _STEP // 2 : _STEP // 2 + n_cells * _STEP]
    out = np.zeros((3, _LENGTH))
    out[:, : n_cells * _STEP] = np.einsum("bit,ibt->it", bands[..., : n_cells * _STEP], envelope)
    if first:
        out[:, :first] = 0
    return out


# --- spectra


def _like_before(noise, ln_noise, start, p):
    """Return noise whose spectrum before P is the one asked for."""
    keep = slice(start, start + NPTS)
    change = ln_noise - sp.noise_spectrum(noise[:, keep], p / SAMPLING_RATE_HZ)
    line = np.fft.rfftfreq(_LENGTH, 1 / SAMPLING_RATE_HZ)
    gain = np.exp([_on_lines(line, sp.NOISE_HZ, row) for row in np.clip(change, -2, 2)])
    return irfft(rfft(noise, axis=-1) * gain, _LENGTH, axis=-1)


def _on_lines(line, frequency_hz, values):
    return np.interp(np.log(np.maximum(line, 1e-3)), np.log(frequency_hz), values)


def _causal(x, ln_gain):
    """Filter by a ln gain at SPEC_HZ with minimum phase (from the folded cepstrum)."""
    line = np.fft.rfftfreq(_PADDED, 1 / SAMPLING_RATE_HZ)
    ln = np.array([_on_lines(line, SPEC_HZ, row) for row in np.clip(ln_gain, -3, 3)])
    cepstrum = irfft(ln, _PADDED, axis=-1)
    cepstrum[:, 1 : _PADDED // 2] *= 2
    cepstrum[:, _PADDED // 2 + 1 :] = 0
    response = np.exp(rfft(cepstrum, axis=-1))
    return irfft(rfft(x, _PADDED, axis=-1) * response, _PADDED, axis=-1)[:, :_LENGTH]
