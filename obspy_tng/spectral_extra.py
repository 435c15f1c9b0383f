"""What goes by the network's code as it is: onset, noise before P, the first instants after it, coherency.

Also the frames and the smoothing all of the description uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.fft import irfft, rfft

from obspy_tng.preprocessing import NPTS, SAMPLING_RATE_HZ
from obspy_tng.spectral_onset import LATEST_S

# --- noise
NOISE_HZ = np.concatenate([np.geomspace(0.2, 36.0, 27), np.linspace(38.0, 45.0, 4), np.linspace(45.8, 49.8, 8)])
NOISE_S = 1.0, 0.2  # from this long after the start of a record to this long before P

# --- coherency
COHERENCY_HZ = np.array([0.0, 2.0, 5.0, 10.0, 20.0, 50.1])  # of the parts until the coda
FINE_HZ = np.array([0, 2, 3.5, 5, 7, 10, 13, 16, 20, 23, 26, 29, 32, 35, 37.5, 40, 42, 44, 46, 48, 50.1])  # of the coda
PAIRS = ((0, 1), (0, 2), (1, 2))  # E-N, E-Z, N-Z
N_PARTS, ONSET = 6, 1  # before P, onset, first seconds of P, rest of P, S, coda
PART_OF = np.array([0, 1, 2, 3, 4, 4, 5, 5, 5])  # of sections: S has its first instants, and the coda three by itself
N_SECTIONS = len(PART_OF)
FRAME = 128  # samples; of the one about P the onset is told
_ONSET_S, _FIRST_S = 0.35, 2.5
_FIRST_S_S, _CODA_S = 1.5, (4.0, 10.0)  # lengths of the first section of S, and of the first two of the coda
_HOPS = 16, 0, 8, 16, 16, 16  # samples from frame to frame, by part
_COHERENCY_MARGIN_S = (0, -0.9), (0, 0), (0, -0.1), (0, 0), (0, 0), (0, 0)  # where frames' centres lie
LARGEST_Z = 2.6

# --- the first instants of P
EARLY_HZ = np.array([0.7, 1.4, 2.8, 5.6, 11.2])  # edges of bands
EARLY_S = np.array([0.25, 0.75])  # edges of windows after the onset
_EARLY_BEFORE_S, _EARLY_FFT = 3.0, 1024
EARLY_SHAPE = (3, len(EARLY_HZ) - 1, len(EARLY_S) - 1)
N_EARLY = int(np.prod(EARLY_SHAPE))

_N_PAIRS = len(PAIRS)
_COARSE = (N_PARTS - 1, len(COHERENCY_HZ) - 1, _N_PAIRS)
_N_COARSE, _N_FINE = int(np.prod(_COARSE)), (len(FINE_HZ) - 1) * _N_PAIRS
_FIRST_SHAPE = (3, _COARSE[1])
N_FIRST = int(np.prod(_FIRST_SHAPE))
N_NOISE, N_COHERENCY = 3 * len(NOISE_HZ), 2 * (_N_COARSE + _N_FINE)
N_TOLD = N_NOISE + N_EARLY + N_FIRST  # amplitudes and powers, behind the onset
TOLD_POWERS = np.repeat([1.0, 2.0], [N_NOISE, N_EARLY + N_FIRST])  # of amplitude
N_EXTRA = 1 + N_TOLD + N_COHERENCY


_IS_ONSET = np.arange(_N_COARSE + _N_FINE) // (_COARSE[1] * _N_PAIRS) == ONSET
OF_ONSET = np.tile(_IS_ONSET, 2)  # which of the N_COHERENCY numbers are
N_OWN = _N_COARSE // _N_PAIRS + len(FINE_HZ) - 1  # parts and bands of coherency


class Extra(NamedTuple):
    """What `extra` holds.

    Attributes
    ----------
    onset_s : float
        P onset after P_AT_S.
    ln_noise : numpy.ndarray, shape (3, len(NOISE_HZ))
        ln of the noise's Fourier amplitude at NOISE_HZ as if it lasted the whole record, over the scale.
    ln_early : numpy.ndarray, shape (3, band, window)
        ln mean square of causally band-passed motion (EARLY_HZ) soon after P (EARLY_S), over the square of the scale.
    ln_first : numpy.ndarray, shape (3, band)
        ln power of the frame of 1.28 s about P in bands of COHERENCY_HZ, over the square of the scale.
    coherency : numpy.ndarray, shape (N_PARTS - 1, band, pair), complex
        Between components, of magnitude below 1, in bands of COHERENCY_HZ of the parts until the coda. That of the
        onset is of the frame about P.
    fine : numpy.ndarray, shape (band, pair), complex
        In bands of FINE_HZ of the coda: much of it is the instrument's and the building's, and of all parts.
    """

    onset_s: float
    ln_noise: np.ndarray
    ln_early: np.ndarray
    ln_first: np.ndarray
    coherency: np.ndarray
    fine: np.ndarray


def split_extra(extra: np.ndarray) -> Extra:
    """Return what the extra numbers of one record, shape (N_EXTRA,), stand for."""
    extra = np.asarray(extra, dtype=float)
    _, noise, early, first, z = np.split(extra, np.cumsum([1, N_NOISE, N_EARLY, N_FIRST]))
    real, imaginary = z[: _N_COARSE + _N_FINE], z[_N_COARSE + _N_FINE :]
    z = real + 1j * imaginary
    size = np.maximum(np.abs(z), 1e-9)
    c = z / size * np.tanh(np.minimum(size, LARGEST_Z))
    return Extra(
        float(np.clip(extra[0], -LATEST_S, LATEST_S)),
        noise.reshape(3, -1),
        early.reshape(EARLY_SHAPE),
        first.reshape(_FIRST_SHAPE),
        c[:_N_COARSE].reshape(_COARSE),
        c[_N_COARSE:].reshape(-1, _N_PAIRS),
    )


def join(onset_s, told, coherency, fine) -> np.ndarray:
    """Return the numbers of one record, shape (N_EXTRA,), of which `split_extra` gives back the meaning."""
    z = fisher_z(np.concatenate([coherency.ravel(), fine.ravel()]))
    return np.concatenate([[onset_s], told, z.real, z.imag])


def fisher_z(c: np.ndarray) -> np.ndarray:
    """Return Fisher's z of complex coherency, its phase kept; its size is LARGEST_Z at most."""
    size = np.clip(np.abs(c), 1e-9, np.tanh(LARGEST_Z))
    return c / np.maximum(np.abs(c), 1e-9) * np.arctanh(size)


def of_pairs(values: np.ndarray) -> np.ndarray:
    """Return values of parts and bands, shape (N_OWN,), for each of the N_COHERENCY numbers."""
    return np.tile(np.repeat(values, _N_PAIRS), 2)


def told(x: np.ndarray, p_s: float) -> np.ndarray:
    """Return ln amplitudes of the noise, ln powers of the first instants and of the frame about P, shape (N_TOLD,)."""
    first = np.log(np.einsum("bii->ib", first_motion(x, p_s)).real + 1e-60)
    return np.concatenate([noise_spectrum(x, p_s).ravel(), early(x, p_s)[0].ravel(), first.ravel()])


def told_noise(told: np.ndarray) -> np.ndarray:
    """Return the ln amplitudes of the noise, ``(..., 3, len(NOISE_HZ))``, of told numbers, ``(..., N_TOLD)``."""
    return told[..., :N_NOISE].reshape(*told.shape[:-1], 3, -1)


def told_early(told: np.ndarray) -> np.ndarray:
    """Return the ln powers of the first instants, ``(..., *EARLY_SHAPE)``, of told numbers, ``(..., N_TOLD)``."""
    return told[..., N_NOISE : N_NOISE + N_EARLY].reshape(*told.shape[:-1], *EARLY_SHAPE)


def noise_spectrum(x: np.ndarray, p_s: float) -> np.ndarray:
    """Return the ln amplitude of the noise before P at NOISE_HZ as if it lasted the whole record, shape (3, ...)."""
    first, last = int(NOISE_S[0] * SAMPLING_RATE_HZ), int(round((p_s - NOISE_S[1]) * SAMPLING_RATE_HZ))
    part = x[:, first:last]
    amplitude = np.abs(rfft((part - part.mean(axis=-1, keepdims=True)) * hann(last - first), axis=-1))
    return np.log(amplitude @ smoothing(last - first, tuple(NOISE_HZ)).T * np.sqrt(x.shape[-1]) + 1e-30)


def early(x: np.ndarray, p_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the ln mean square of the first instants after P, and the band-passed motion it is of.

    The filters are causal: with others the first quarter of a second would hold what comes later.

    Returns
    -------
    ln_square : numpy.ndarray, shape (3, band, window)
    motion : numpy.ndarray, shape (3, band, sample)
        From the onset on.
    """
    onset = int(round(p_s * SAMPLING_RATE_HZ))
    first, last = onset - int(_EARLY_BEFORE_S * SAMPLING_RATE_HZ), onset + int(2 * EARLY_S[-1] * SAMPLING_RATE_HZ)
    motion = irfft(rfft(x[:, None, first:last], _EARLY_FFT) * _band_passes(), _EARLY_FFT)[
        ..., onset - first : last - first
    ]
    edges = np.rint(EARLY_S * SAMPLING_RATE_HZ).astype(int)
    square = np.add.reduceat(motion[..., : edges[-1]] ** 2, edges[:-1], axis=-1) / np.diff(edges)
    return np.log(square + 1e-60), motion


@lru_cache(maxsize=1)
def _band_passes():
    """Return responses of causal Butterworth band passes, shape (band, line), steeper below than above.

    Below a band there is less: motion that sets in at once would be told as some that is not there.
    """
    line = np.minimum(np.fft.rfftfreq(_EARLY_FFT, 1 / SAMPLING_RATE_HZ), 0.4999 * SAMPLING_RATE_HZ)
    s = 1j * np.tan(np.pi * line / SAMPLING_RATE_HZ) / np.tan(np.pi * EARLY_HZ / SAMPLING_RATE_HZ)[:, None]
    low_pass = 1 / (s * s + np.sqrt(2) * s + 1)
    high_pass = s * s * low_pass
    return high_pass[:-1] ** 2 * low_pass[1:]


def first_motion(x: np.ndarray, p_s: float) -> np.ndarray:
    """Return the cross spectra of the components about P in bands of COHERENCY_HZ, shape (band, 3, 3), Hermitian.

    P sets in in the middle of the frame: what it tells is of the first half second, and of the noise before.
    """
    return cross_spectra(first_lines(x, p_s))


def first_lines(x: np.ndarray, p_s: float) -> np.ndarray:
    """Return the Fourier lines of the frame about P, without that of 0 Hz, shape (component, line)."""
    first = int(np.rint(p_s * SAMPLING_RATE_HZ)) - FRAME // 2
    return rfft(x[:, first : first + FRAME] * hann(FRAME), axis=-1)[:, 1:]


def cross_spectra(lines: np.ndarray) -> np.ndarray:
    """Return the cross spectra of `first_lines` in bands of COHERENCY_HZ, shape (band, 3, 3)."""
    products = lines[:, None] * lines[None].conj()
    edges = np.searchsorted(first_bands(lines.shape[-1]), np.arange(len(COHERENCY_HZ) - 1))
    return np.moveaxis(np.add.reduceat(products, edges, axis=-1), -1, 0)


def first_bands(lines: int) -> np.ndarray:
    """Return the band of COHERENCY_HZ each of the lines of `first_lines` lies in."""
    return np.searchsorted(COHERENCY_HZ, np.arange(1, lines + 1) * SAMPLING_RATE_HZ / FRAME, side="right") - 1


def parts(p_s: float, sp_s: float) -> np.ndarray:
    """Return begin and end in s of the parts that have a coherency of their own, shape (N_PARTS, 2)."""
    end = NPTS / SAMPLING_RATE_HZ - 3.0
    s_s = p_s + max(sp_s, 1.0)
    strong = s_s + float(np.clip(sp_s, 4.0, 10.0))
    first = p_s + max(_ONSET_S, min(_FIRST_S, 0.6 * (s_s - p_s)))
    edges = np.array([1.0, p_s, p_s + _ONSET_S, first, s_s, strong, end])
    return np.stack([edges[:-1], edges[1:]], axis=1)


def sections(p_s: float, sp_s: float) -> np.ndarray:
    """Return begin and end in s of the sections of `parts`, shape (N_SECTIONS, 2).

    S sets in with one direction, and what follows has less and less of one. A record tells the coherency of parts, a
    site that of sections.
    """
    begin, end = parts(p_s, sp_s).T
    later = np.minimum(begin[-1] + np.array(_CODA_S), (begin[-1] + 2 * end[-1]) / 3)
    edges = np.concatenate([begin[:-1], [begin[-2] + _FIRST_S_S, begin[-1]], later, end[-1:]])
    return np.stack([edges[:-1], edges[1:]], axis=1)


def coherency(x: np.ndarray, p_s: float, sp_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the complex coherency of pairs of components: of parts by coarse bands, and of the coda by fine ones.

    Cross spectra of frames of 1.28 s are summed over the part and the band.

    Returns
    -------
    numpy.ndarray, shape (N_PARTS - 1, band, pair), and numpy.ndarray, shape (fine band, pair)
    """
    out = [in_bands(lines, part) for part, lines in span_lines(x, parts(p_s, sp_s), range(N_PARTS))]
    return np.array(out[:-1]), out[-1]


def in_bands(lines: np.ndarray, part: int) -> np.ndarray:
    """Return the complex coherency of frames of a part in the bands it is told in, shape (band, pair)."""
    transform = lines[..., 1:]
    edges_hz = FINE_HZ if part == N_PARTS - 1 else COHERENCY_HZ
    edges = np.searchsorted(np.arange(1, lines.shape[-1]) * SAMPLING_RATE_HZ / FRAME, edges_hz[:-1])
    sums = [np.add.reduceat((a * b.conj()).sum(axis=0), edges) for a in transform for b in transform]
    matrix = np.reshape(sums, (3, 3, -1))
    size = np.sqrt(np.einsum("iib->ib", matrix).real)
    return np.array([matrix[a, b] / (size[a] * size[b] + 1e-60) for a, b in PAIRS]).T


def span_lines(x: np.ndarray, spans: np.ndarray, part_of: Iterable[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the part each span is of and the Fourier lines of its frames of 1.28 s, shape (component, frame, line)."""
    for part, (begin, end) in zip(part_of, spans, strict=True):
        chosen = np.array([begin])
        if part != ONSET:
            centre = np.arange(FRAME // 2, NPTS - FRAME // 2, _HOPS[part]) / SAMPLING_RATE_HZ
            early, late = _COHERENCY_MARGIN_S[part]
            chosen = centre[(centre >= begin + early) & (centre < max(end + late, begin + early + 0.3))]
        yield part, frame_lines(x, chosen)


def frame_lines(x: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Return the Fourier lines of frames of FRAME samples about each time, shape (..., time, line)."""
    return rfft(frames(x, times_s, FRAME) * hann(FRAME), axis=-1)


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


@lru_cache(maxsize=8)
def smoothing(npts, centres):
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
