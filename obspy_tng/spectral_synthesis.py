"""From a spectral description to motion: fresh Gaussian noise, shaped in time, frequency and polarisation.

A record is the noise that was there before P and goes on, plus a signal that begins at P. Each is a sum of narrow
bands of complex noise, mixed among the components to the wanted coherency and multiplied by an envelope. The spectra
of both are then brought to the described ones: of the signal by a filter of minimum phase, which lets nothing out
before the onset. The first motion of P, one pulse, is turned to the described direction at last.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.fft import irfft, rfft

from obspy_tng import spectral as sp
from obspy_tng import spectral_extra as se
from obspy_tng.preprocessing import HIGHPASS_HZ, NPTS, P_AT_S, SAMPLING_RATE_HZ
from obspy_tng.spectral import SPEC_HZ, spectrum
from obspy_tng.spectral_coherency import SiteCoherency, at_bands
from obspy_tng.spectral_envelopes import between, bounded, cells, shaped
from obspy_tng.spectral_first import as_first, as_of_site, minimum_phase
from obspy_tng.spectral_hum import humming
from obspy_tng.spectral_noise import AS_TOLD, LENGTH, STEP, Coherence, cells_of_part, coherent, narrow, polarised
from obspy_tng.spectral_p import mixed
from obspy_tng.spectral_rough import MIDDLE_HZ, USUAL

_BEFORE = 64  # samples of noise before the first one kept, at least
_PADDED = 2 * LENGTH
_CORRECTIONS = 2
_LEVEL = 0.02  # ln; for what peaks still lack that `spectral_own.sharper` does not give them
_LEAST_LEAK_HZ = 0.5
_LEAK_CORNER = 0.9  # of the next lower band
_LARGEST_CHANGE = 1.5  # of ln amplitude in the first instants after P
_STEEP_HZ = 45.0  # towards Nyquist spectra are too steep for their smoothing: corrected by more than they lack
_MOST_HUM, _HUM_HZ = -0.5, 0.25  # ln of noise over all there is, at lower frequencies
_WEAK = 0.1  # of the largest power
_EVERYWHERE_HZ = 0.2, 0.4, 1.0, 2.0  # between, a correction is of the whole signal; else of strong motion alone
_ROUGH_HZ = 0.8  # step of a random gain


def synthesise(
    ln_power: np.ndarray, ln_spectrum: np.ndarray, extra: np.ndarray, ln_scale: float, ln_sp: float,
    rng: np.random.Generator, coherence: Coherence = AS_TOLD, site: SiteCoherency | None = None,
    p_lines: np.ndarray | None = None, p_mixing: np.ndarray | None = None, rough: np.ndarray = USUAL,
    hum: np.ndarray | None = None,
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
    coherence : Coherence
        What a calibration found; of itself, motion is a little less coherent than it is told to be.
    site : SiteCoherency, optional
        What the site is known for.
    p_lines : numpy.ndarray, shape spectral_first.SHAPE, optional
        ln gain of the lines of P that is the site's.
    p_mixing : numpy.ndarray, shape spectral_p.SHAPE, optional
        How components are mixed after P at the site.
    rough : numpy.ndarray, shape spectral_rough.SHAPE
        sd of a random ln gain that makes spectra as rough as those of the site.
    hum : numpy.ndarray, shape spectral_hum.SHAPE, optional
        ln gain of the lines of noise that machines of the site are heard in.

    Returns
    -------
    numpy.ndarray, shape (3, NPTS), m/s²
        Not yet conditioned: `preprocessing.land` brings it to rest.
    """
    known = se.split_extra(extra)
    sp_s = float(np.clip(np.exp(ln_sp), *sp.S_MINUS_P_S))
    p = int(round((P_AT_S + known.onset_s) * SAMPLING_RATE_HZ))
    start = -(-(_BEFORE + p) // STEP) * STEP - p  # first sample kept; P stands at the edge of a cell
    times_s = sp.lattice(sp_s, p / SAMPLING_RATE_HZ)
    noise_power, signal_power = cells(np.exp(bounded(ln_power, times_s)), times_s, start, p)
    edges = se.sections(p / SAMPLING_RATE_HZ, sp_s)[1:, 0] * SAMPLING_RATE_HZ + start
    edges = np.concatenate([[0], edges, [LENGTH]]).astype(int)
    both = noise_power + signal_power
    weight = np.array([both[..., cells_of_part(*span, both)].sum(axis=(0, 2)) for span in pairwise(edges)])
    coherency = at_bands(known, weight, site)
    bands = polarised(narrow(rng), edges, coherence.polarised, rng)
    bands = coherent(bands, both, coherency, edges, coherence.gain)
    # after P noise and signal are of different times of the same bands, lest they interfere
    far = np.roll(bands.imag, LENGTH // 2, axis=-1)
    far[..., : start + p] = bands.imag[..., : start + p]
    fine = _fall(ln_spectrum) + _rough(rng, rough)
    noise = shaped(far, noise_power)
    if hum is not None:
        noise = humming(noise, hum)
    noise = _like_before(noise, known.ln_noise, fine, start, p)
    signal = _without_leaks(bands.real, signal_power, start + p)
    keep = slice(start, start + NPTS)
    target = ln_spectrum - _conditioning(SPEC_HZ)
    noise = _less_hum(noise, target - spectrum(noise[:, keep]))
    rest = np.exp(2 * target) - np.exp(2 * spectrum(noise[:, keep]))
    wanted = 0.5 * np.log(np.maximum(rest, 0.1 * np.exp(2 * target)))
    strong = _strong(signal_power, start + p)
    haste = np.where(SPEC_HZ > _STEEP_HZ, 1.6, 1.0)
    low = _EVERYWHERE_HZ[1] > SPEC_HZ
    everywhere = np.interp(SPEC_HZ, _EVERYWHERE_HZ, (0.0, 1.0, 1.0, 0.0))
    signal = _causal(signal, np.zeros_like(target), fine)
    weak, strong = signal * (1 - strong), signal * strong
    for _ in range(_CORRECTIONS):
        weak = weak + _earlier(noise, weak + strong, known.ln_early, start + p)
        change = (wanted - spectrum((weak + strong)[:, keep])) * haste
        weaker = change * everywhere  # what strong motion leaks below its bands is cut everywhere
        weaker[:, low] = np.minimum(change, weaker)[:, low]
        weaker[:2] = weaker[:2].mean(axis=0)  # E/N of little motion scatters enough by itself
        both = _causal(np.concatenate([strong, weak]), np.concatenate([change, weaker]))
        strong, weak = both[:3], both[3:]
    signal = weak + strong
    if p_lines is not None:
        signal = as_of_site(signal, p_lines, start + p)
    if p_mixing is not None:
        signal = mixed(signal, p_mixing, start + p)
    signal = signal + _earlier(noise, signal, known.ln_early, start + p)
    signal = as_first(noise, signal, known, start + p)
    return _without_drift(noise + signal)[:, keep] * np.exp(float(ln_scale) + _LEVEL)


def _conditioning(frequency_hz):
    """Return the ln gain of the high-pass that motion is given once more before it leaves."""
    return -np.log1p((HIGHPASS_HZ / np.asarray(frequency_hz)) ** 4)


# --- motion


def _strong(power, first):
    """Return how much of the signal is strong motion, shape (LENGTH,): there lies what the spectrum is made of."""
    level = (power / power.max(axis=-1, keepdims=True)).mean(axis=(0, 1))[None, None]
    return shaped(np.ones((1, 3, LENGTH), dtype=np.float32), np.tile((level / (level + _WEAK)) ** 2, (3, 1, 1)), first)


def _without_leaks(bands, power, first):
    """Return the signal, its bands kept from leaking below themselves, where a sharp onset spreads them."""
    low = [shaped(bands[b : b + 1], power[:, b : b + 1], first) for b in range(sp.N_LOW)]
    each = np.array([*low, shaped(bands[sp.N_LOW :], power[:, sp.N_LOW :], first)], dtype=np.float32)
    spectra = (rfft(each, _PADDED, axis=-1) * _keepers()[:, None]).sum(axis=0)
    return irfft(spectra, _PADDED, axis=-1)[:, :LENGTH].astype(float)


@lru_cache(maxsize=1)
def _keepers():
    """Return responses of high-passes at lines of _PADDED for each low band and all high ones.

    An onset is a pulse of displacement, whose acceleration falls with the square of frequency below its corner; what is
    left of it below _LEAST_LEAK_HZ would be more than records have.
    """
    line = np.minimum(np.fft.rfftfreq(_PADDED, 1 / SAMPLING_RATE_HZ), 49.999)
    out = np.ones((sp.N_LOW + 1, len(line)), dtype=np.complex64)
    least = _high_pass(line, _LEAST_LEAK_HZ)
    for band in range(2, sp.N_LOW + 1):
        corner_hz = _LEAK_CORNER * sp.BAND_HZ[band - 1] if band < sp.N_LOW else 2.2
        out[band] = _high_pass(line, corner_hz) * (least**2 if sp.BAND_HZ[band - 1] > _LEAST_LEAK_HZ else 1)
    return out


def _high_pass(line, corner_hz):
    """Return a Butterworth high-pass of second order, bilinear: the analogue one would ring before the onset."""
    s = 1j * np.tan(np.pi * line / SAMPLING_RATE_HZ) / np.tan(np.pi * corner_hz / SAMPLING_RATE_HZ)
    return s * s / (s * s + np.sqrt(2) * s + 1)


# --- spectra


def _earlier(noise, signal, ln_early, first):
    """Return what the signal lacks, or has too much, in the first instants after P, shape (3, LENGTH)."""
    p_s = first / SAMPLING_RATE_HZ
    now, motion = se.early(signal, p_s)
    target = np.exp(ln_early)
    wanted = np.maximum(target - np.exp(se.early(noise, p_s)[0]), 0.1 * target)
    change = np.clip(0.5 * (np.log(wanted) - now), -_LARGEST_CHANGE, _LARGEST_CHANGE)
    at = np.append((se.EARLY_S[1:] + se.EARLY_S[:-1]) / 2, se.EARLY_S[-1] + 0.5)
    change = np.concatenate([change, np.zeros_like(change[..., :1])], axis=-1)
    gain = np.exp(between(np.arange(motion.shape[-1]) / SAMPLING_RATE_HZ, at, change)) - 1
    out = np.zeros_like(signal)
    out[:, first : first + motion.shape[-1]] = (gain * motion).sum(axis=1)
    return out


def _fall(ln_spectrum):
    """Return the ln gain at lines of _PADDED next to Nyquist, steeper than a smoothed spectrum tells, shape (3, line).

    Anti-alias filters end there. Measured on Ridgecrest records, and in proportion to the fall of the spectrum.
    """
    line = np.fft.rfftfreq(_PADDED, 1 / SAMPLING_RATE_HZ)
    drop = ln_spectrum[:, np.searchsorted(SPEC_HZ, 47.0)] - ln_spectrum[:, -1]
    return -np.clip(drop / 1.5, 0, 1)[:, None] * np.maximum((line - 48.2) / 1.6, 0) ** 3


def _without_drift(x):
    """Return motion that falls below the lowest described frequency as records do.

    Acceleration with the square of frequency, and with the high-pass they were conditioned with.
    """
    below = np.clip(np.fft.rfftfreq(_PADDED, 1 / SAMPLING_RATE_HZ), 1e-3, SPEC_HZ[0])
    ln_gain = _conditioning(below) - _conditioning(SPEC_HZ[0]) + 2 * np.log(below / SPEC_HZ[0])
    return irfft(rfft(x, _PADDED, axis=-1) * np.exp(ln_gain), _PADDED, axis=-1)[:, :LENGTH]


def _rough(rng, size):
    """Return a random ln gain of given sd at lines of _PADDED: spectra are rougher than the described ones.

    The same for all components: ratios of theirs scatter enough by chance.
    """
    nodes_hz = np.arange(0, 50 + _ROUGH_HZ, _ROUGH_HZ)
    line = np.fft.rfftfreq(_PADDED, 1 / SAMPLING_RATE_HZ)
    size = np.interp(line, MIDDLE_HZ, size)
    return size * np.interp(line, nodes_hz, rng.standard_normal(len(nodes_hz))) - size**2  # mean power stays


def _like_before(noise, ln_noise, fine, start, p):
    """Return noise whose spectrum before P is the one asked for."""
    keep = slice(start, start + NPTS)
    change = ln_noise - se.noise_spectrum(noise[:, keep], p / SAMPLING_RATE_HZ)
    gain = np.exp([_on_lines(LENGTH, se.NOISE_HZ, row) for row in np.clip(change, -2, 2)] + fine[:, ::2])
    return irfft(rfft(noise, axis=-1) * gain, LENGTH, axis=-1)


def _less_hum(noise, room):
    """Return noise that leaves the signal room below the lowest frequencies noise is described at."""
    ln_gain = np.minimum(room + _MOST_HUM, 0) * (SPEC_HZ < _HUM_HZ)
    gain = np.exp([_on_lines(LENGTH, SPEC_HZ, row) for row in ln_gain])
    return irfft(rfft(noise, axis=-1) * gain, LENGTH, axis=-1)


def _on_lines(samples, frequency_hz, values):
    """Return values at the Fourier lines of so many samples, linear in ln frequency."""
    return np.interp(_ln_lines(samples), np.log(frequency_hz), values)


@lru_cache(maxsize=2)
def _ln_lines(samples):
    return np.log(np.maximum(np.fft.rfftfreq(samples, 1 / SAMPLING_RATE_HZ), 1e-3))


def _causal(x, ln_gain, more=0.0):
    """Filter by a ln gain at SPEC_HZ with minimum phase (from the folded cepstrum)."""
    ln = np.array([_on_lines(_PADDED, SPEC_HZ, row) for row in np.clip(ln_gain, -3, 3)])
    return irfft(rfft(x, _PADDED, axis=-1) * minimum_phase(ln + more), _PADDED, axis=-1)[:, :LENGTH]
