"""The first motion of P: brought to the power, direction and phase between components that its description tells.

P of an earthquake sets in as one pulse, the same on all components but for its size and sign, and of one direction for
all earthquakes from one side. Noise of the right coherency on average has another direction in each record, and a
classifier needs no more. So the cross spectra of the frame of 1.28 s about P are brought about, not left to chance.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.fft import irfft, rfft

from obspy_tng import spectral_extra as se
from obspy_tng.preprocessing import SAMPLING_RATE_HZ
from obspy_tng.spectral_noise import nearest

_SAMPLES, _PADDED = 128, 512  # of the motion that is moved, which fades from .3 to .8 s after P
_FADE = np.cos(np.pi / 2 * np.clip((np.arange(_SAMPLES) / SAMPLING_RATE_HZ - 0.3) / 0.5, 0, 1)) ** 2
_SPLIT_HZ = 1.2, 2.0, 3.5, 5.0, 7.0, 10.0, 14.0, 20.0, 30.0  # bands that are moved by themselves
_ROUNDS = 3
_LARGEST_TURN = 10.0
_LEAST_WANTED, _LEAST_NOW = 0.0005, 0.002  # of the smallest eigenvalue over their sum
_RIDGE = 0.001
_LATER_S, _KEEP_LATER = 0.75, 0.25  # the frame so long after P should stay as it is, with this weight
_LOW_SAMPLES, _LOW_LINES, _KEEP_LOW = 512, slice(1, 9), 0.4  # and so should 0.2 to 1.6 Hz of what follows


def as_first(noise: np.ndarray, signal: np.ndarray, known: se.Extra, first: int) -> np.ndarray:
    """Return the signal, its first motion moved until the frame about P has the described cross spectra.

    In each band the lines of the frame are mapped by the A that makes their cross spectra C the described ones D and
    moves them least, A = D^½ (D^½ C D^½)^-½ D^½ (Olkin and Pukelsheim 1982). What is added to a component to get
    there is a sum of its own and the others' first motion in narrow bands, causally filtered: nothing moves before P,
    and little of it at the low frequencies that no pulse has. Its shares are those of least squares.

    Parameters
    ----------
    noise, signal : numpy.ndarray, shape (3, sample)
        Which add to the motion; the signal begins with P.
    known : spectral_extra.Extra
        `ln_first`, and the coherency of the onset.
    first : int
        Sample of P.

    Returns
    -------
    numpy.ndarray, shape (3, sample)
    """
    # all that is looked at, as a short record
    out, begin = signal.copy(), first - se.FIRST_FRAME
    noise, signal = (x[:, begin : first + _LOW_SAMPLES].copy() for x in (noise, signal))
    first -= begin
    p_s, moved = first / SAMPLING_RATE_HZ, slice(first, first + _SAMPLES)
    size = np.exp(known.ln_first.T / 2)
    wanted = _positive(nearest(known.coherency[se.ONSET]) * size[:, :, None] * size[:, None], _LEAST_WANTED)
    for _ in range(_ROUNDS):
        motion = noise + signal
        lines = se.first_lines(motion, p_s)
        band = se.first_bands(lines.shape[-1])
        now = se.first_motion(motion, p_s)
        now.imag[-1] = 0  # as it is told
        turn = _transport(_positive(now, _LEAST_NOW), wanted)[band]
        lack = np.einsum("lij,jl->il", turn, lines) - lines
        moves = irfft(rfft(signal[:, moved], _PADDED)[:, None] * _split(), _PADDED)[..., :_SAMPLES] * _FADE
        moves = moves.reshape(-1, _SAMPLES)
        alone = np.zeros((len(moves), noise.shape[-1]))
        alone[:, moved] = moves
        views = (  # (lines of the moves, lines of the motion, smoothed over so many to each side, weight)
            (se.first_lines(alone, p_s + _LATER_S), se.first_lines(motion, p_s + _LATER_S), 3, _KEEP_LATER),
            (_lowest(alone, first), _lowest(motion, first), 2, _KEEP_LOW),
        )
        told = se.first_lines(alone, p_s)
        for i in range(3):
            weight = 1 / np.sqrt(wanted[band, i, i].real)
            effect = [told * weight]
            for of_moves, of_motion, aside, keep in views:
                effect.append(of_moves * keep / np.sqrt(_mean_power(of_motion[i], aside)))
            effect = _real(np.concatenate(effect, axis=1))
            goal = np.zeros(effect.shape[1] // 2, dtype=complex)
            goal[: lines.shape[-1]] = lack[i] * weight
            square = effect @ effect.T
            share = np.linalg.solve(square + _RIDGE * np.diag(np.diag(square)), effect @ _real(goal))
            signal[i, moved] += share @ moves
    out[:, begin : begin + signal.shape[-1]] = signal
    return out


def _real(x):
    return np.concatenate([x.real, x.imag], axis=-1)


def _lowest(x, first):
    """Return lines of 0.2 to 1.6 Hz of what follows P, shape (component, line)."""
    part = x[:, first : first + _LOW_SAMPLES]
    fall = np.cos(np.pi / 2 * np.arange(part.shape[-1]) / part.shape[-1]) ** 2
    return rfft(part * fall, axis=-1)[:, _LOW_LINES]


def _mean_power(lines, aside):
    """Return the power of lines, a running mean."""
    power = np.pad(np.abs(lines) ** 2, aside, mode="edge")
    return np.convolve(power, np.full(2 * aside + 1, 1 / (2 * aside + 1)), mode="valid") + 1e-60


def _positive(matrices, least):
    """Return Hermitian matrices whose eigenvalues are at least a share of their sum."""
    values, vectors = np.linalg.eigh(matrices)
    total = np.maximum(np.einsum("bii->b", matrices).real, 1e-60)
    return _made(np.maximum(values, least * total[:, None]), vectors)


def _transport(now, wanted):
    """Return the Hermitian A with A now A = wanted."""
    root = _root(wanted)
    values, vectors = np.linalg.eigh(root @ np.linalg.inv(_root(root @ now @ root)) @ root)
    return _made(np.minimum(values, _LARGEST_TURN), vectors)


def _root(matrices):
    values, vectors = np.linalg.eigh(matrices)
    return _made(np.sqrt(np.maximum(values, 1e-60)), vectors)


def _made(values, vectors):
    return (vectors * values[:, None]) @ vectors.conj().swapaxes(1, 2)


@lru_cache(maxsize=1)
def _split():
    """Return responses of causal filters that add to one, shape (band, line)."""
    line = np.minimum(np.fft.rfftfreq(_PADDED, 1 / SAMPLING_RATE_HZ), 49.999)
    out, rest = [], np.ones(len(line), dtype=complex)
    for corner_hz in _SPLIT_HZ:
        s = 1j * np.tan(np.pi * line / SAMPLING_RATE_HZ) / np.tan(np.pi * corner_hz / SAMPLING_RATE_HZ)
        low = 1 / (s * s + np.sqrt(2) * s + 1)
        out.append(rest * low)
        rest = rest * (1 - low)
    return np.array([*out, rest])
