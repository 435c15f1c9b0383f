"""The first motion of P: brought to the power, direction and phase between components that its description tells.

P of an earthquake sets in as one pulse, the same on all components but for its size and sign, and of one direction for
all earthquakes from one side. Noise of the right coherency on average has another direction in each record, and a
classifier needs no more. So the cross spectra of the frame of 1.28 s about P are brought about, not left to chance.

Which lines of the next two seconds a component is strong in is the site's: of that a pool keeps a mean.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.fft import irfft, rfft

from obspy_tng import spectral_extra as se
from obspy_tng.preprocessing import SAMPLING_RATE_HZ
from obspy_tng.spectral import running_mean
from obspy_tng.spectral_noise import nearest, roots

_SAMPLES, _PADDED = 128, 512  # of the motion that is moved, which fades from .15 to .5 s after P
_P = se.FRAME  # sample of P in the short record that is looked at
_MOVED = slice(_P, _P + _SAMPLES)
_FADE = np.cos(np.pi / 2 * np.clip((np.arange(_SAMPLES) / SAMPLING_RATE_HZ - 0.15) / 0.35, 0, 1)) ** 2
_SPLIT_HZ = 1.2, 2.0, 3.5, 5.0, 7.0, 10.0, 14.0, 20.0, 30.0  # bands that are moved by themselves
_ROUNDS = 3
_LARGEST_TURN = 10.0
_LEAST_WANTED, _LEAST_NOW = 0.0005, 0.002  # of the smallest eigenvalue over their sum
_RIDGE = 0.001
_FEW_LINES = 13  # bands of fewer count as if they had as many
_LATER_S = 0.75  # the frame so long after P should stay as it is
_LOW_SAMPLES, _LOW_LINES = 512, slice(1, 9)  # and so should 0.2 to 1.6 Hz of what follows
_KEPT = (3, 0.25), (2, 0.4)  # of both: lines to each side over which their power is smoothed, and weight
AFTER_P_S = 0.35, 0.85, 1.5  # centres of frames in which P has lines of its own at each site
_END_S = 2.2
SHAPE = len(AFTER_P_S), 3, se.FRAME // 2  # of what a pool keeps of them: moment, component, line
_REACH = 1024  # samples after P, in which it fades away


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
    out, begin = signal.copy(), first - _P
    noise, signal = (x[:, begin : first + _LOW_SAMPLES] for x in (noise, out))
    size = np.exp(known.ln_first.T / 2)
    wanted = _positive(nearest(known.coherency[se.ONSET]) * size[:, :, None] * size[:, None], _LEAST_WANTED)
    band = se.first_bands(_views()[0].shape[-1])
    weight = 1 / np.sqrt(np.einsum("lii->il", wanted[band]).real)
    weight *= np.sqrt(np.maximum(1, _FEW_LINES / np.bincount(band)[band]))
    for _ in range(_ROUNDS):
        motion = noise + signal
        lines, *kept = _lines(motion)
        now = se.cross_spectra(lines)
        turn = transport(_positive(now, _LEAST_NOW), wanted)[band]
        lack = (np.einsum("lij,jl->il", turn, lines) - lines) * weight
        moves = (signal[:, _MOVED] @ _moving()).reshape(-1, _SAMPLES)
        told, *others = (moves @ view for view in _views())
        effect = [told * weight[:, None]]  # (component, move, line)
        for of_moves, of_motion, (aside, keep) in zip(others, kept, _KEPT, strict=True):
            power = running_mean(of_motion.real**2 + of_motion.imag**2, aside, -1) + 1e-60
            effect.append(of_moves * (keep / np.sqrt(power))[:, None])
        effect = np.concatenate([part for x in effect for part in (x.real, x.imag)], axis=-1)
        goal = np.concatenate([lack.real, lack.imag], axis=-1)
        square = effect @ effect.swapaxes(1, 2)
        square += _RIDGE * square * np.eye(len(moves))
        shares = np.linalg.solve(square, effect[..., : goal.shape[-1]] @ goal[..., None])[..., 0]
        signal[:, _MOVED] += shares @ moves  # of `out`, too
    return out


def lines_after(x: np.ndarray, p_s: float) -> np.ndarray:
    """Return the ln power of the lines of frames after P, without that of 0 Hz, shape SHAPE."""
    lines = se.frame_lines(x, p_s + np.array(AFTER_P_S))[..., 1:]
    return np.log(np.abs(lines) ** 2 + 1e-60).swapaxes(0, 1)


def as_of_site(signal: np.ndarray, ln_gain: np.ndarray, first: int) -> np.ndarray:
    """Return the signal, its first two seconds filtered by what a site's P has of its own, with minimum phase.

    Parameters
    ----------
    signal : numpy.ndarray, shape (3, sample)
        Begins with P.
    ln_gain : numpy.ndarray, shape SHAPE
        Of amplitude; from one moment to the next it fades over.
    first : int
        Sample of P.
    """
    share, line = fades(AFTER_P_S, _END_S), np.fft.rfftfreq(2 * _REACH, 1 / SAMPLING_RATE_HZ)
    at = np.arange(1, SHAPE[2] + 1) * SAMPLING_RATE_HZ / se.FRAME
    ln = np.array([[np.interp(line, at, row) for row in rows] for rows in ln_gain])
    parts = share[:, None] * signal[:, first : first + share.shape[-1]]
    change = irfft(rfft(parts, 2 * _REACH) * (minimum_phase(ln) - 1), 2 * _REACH).sum(axis=0)
    out = signal.copy()
    out[:, first : first + _REACH] += change[:, :_REACH]
    return out


@lru_cache(maxsize=2)
def fades(moments_s: tuple[float, ...], end_s: float) -> np.ndarray:
    """Return the share of each sample from P to the end that is of each moment after P, shape (moment, sample)."""
    time_s = np.arange(int(end_s * SAMPLING_RATE_HZ)) / SAMPLING_RATE_HZ
    nodes = np.eye(len(moments_s) + 1)[:-1]
    return np.array([np.interp(time_s, [*moments_s, end_s], row) for row in nodes])


def minimum_phase(ln_gain: np.ndarray) -> np.ndarray:
    """Return responses of minimum phase (from the folded cepstrum) of ln gains at Fourier lines, to Nyquist."""
    n = 2 * (ln_gain.shape[-1] - 1)
    cepstrum = irfft(ln_gain, n, axis=-1)
    cepstrum[..., 1 : n // 2] *= 2
    cepstrum[..., n // 2 + 1 :] = 0
    ln = rfft(cepstrum, axis=-1).astype(np.complex64)  # a fourth of the time, and accurate to 1e-6
    response = np.empty_like(ln)
    size = np.exp(ln.real)  # in parts: NumPy's exponential of complex numbers takes three times as long
    response.real, response.imag = size * np.cos(ln.imag), size * np.sin(ln.imag)
    return response


def _lines(x):
    """Return lines of the short record: of the frame about P, the one later, and 0.2 to 1.6 Hz of what follows P."""
    p_s, part = _P / SAMPLING_RATE_HZ, x[:, _P : _P + _LOW_SAMPLES]
    fall = np.cos(np.pi / 2 * np.arange(_LOW_SAMPLES) / _LOW_SAMPLES) ** 2
    return se.first_lines(x, p_s), se.first_lines(x, p_s + _LATER_S), rfft(part * fall, axis=-1)[:, _LOW_LINES]


@lru_cache(maxsize=1)
def _views():
    """Return `_lines` of each moved sample by itself, three arrays of shape (_SAMPLES, line)."""
    alone = np.zeros((_SAMPLES, _P + _LOW_SAMPLES))
    alone[:, _MOVED] = np.eye(_SAMPLES)
    return _lines(alone)


@lru_cache(maxsize=1)
def _moving():
    """Return what each moved sample makes of all moves of its component, shape (_SAMPLES, band × _SAMPLES)."""
    moves = irfft(rfft(np.eye(_SAMPLES), _PADDED)[:, None] * _split(), _PADDED)[..., :_SAMPLES] * _FADE
    return moves.reshape(_SAMPLES, -1)


def _positive(matrices, least):
    """Return Hermitian matrices whose eigenvalues are at least a share of their sum."""
    values, vectors = np.linalg.eigh(matrices)
    total = np.maximum(np.einsum("bii->b", matrices).real, 1e-60)
    return _made(np.maximum(values, least * total[:, None]), vectors)


def transport(now: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the Hermitian A with A now A = wanted, shape (..., 3, 3), that moves least (Olkin and Pukelsheim 1982)."""
    root = roots(wanted, 1e-60)
    values, vectors = np.linalg.eigh(root @ np.linalg.inv(roots(root @ now @ root, 1e-60)) @ root)
    return _made(np.minimum(values, _LARGEST_TURN), vectors)


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
