"""Intensity measures of records: response spectra, peaks, Arias intensity, CAV, durations, Fourier spectra.

Everything here is linear (or a norm) and time-invariant: nothing is demeaned, tapered or cut, and zeros in front of
a record change no number. Acceleration goes in as m/s², rows E, N, Z.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.evaluation.rotd import ANGLES_DEG, check_horizontals, check_percentile, directional_peaks, rotd
from obspy_tng.site import smoothing as site_smoothing
from obspy_tng.site import spectra

PERIODS_S = np.array([0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5])
PERIODS_S.flags.writeable = False
NAMES = ("pga_mps2", "pga_vertical_mps2", "pgv_mps", "arias_mps", "cav_mps", "d5_75_s", "d5_95_s")
GRAVITY_MPS2 = 9.80665
# Corner of the high-pass under integrals: below the band of the records (0.1 Hz), high enough to hold a baseline
VELOCITY_CORNER_HZ = 0.05
BLOCK = 16  # records at a time
# (longest period, upsampling at 100 Hz): response peaks within 0.4 % of 32-fold upsampling on Ridgecrest and noise
_SAMPLES = ((0.045, 8), (0.12, 4), (np.inf, 2))
_GUARD_S = 0.5  # room for the tails of band-limited interpolation before and behind the record


def psa(
    horizontals: np.ndarray,
    sampling_rate: float,
    periods_s=PERIODS_S,
    *,
    damping: float = 0.05,
    percentile: float = 50,
) -> np.ndarray:
    """Return the pseudo-spectral acceleration RotDnn of horizontal records.

    Parameters
    ----------
    horizontals : numpy.ndarray, shape (n, 2, npts)
        Acceleration of two perpendicular horizontals in m/s². Left as they are.
    sampling_rate : float
        In Hz.
    periods_s : array_like, shape (p,)
        Oscillator periods in s, above 0.
    damping : float
        Fraction of critical, between 0 and 1.
    percentile : float
        Over the directions 0, 1, ... 179 degrees.

    Returns
    -------
    numpy.ndarray, shape (n, p), m/s²
        NaN where a horizontal is dead (one value throughout) or not finite.

    Raises
    ------
    TNGError
        Shape, period, damping or percentile that is not accepted.

    Notes
    -----
    The oscillator acts in the frequency domain on the band-limited record, upsampled until a parabola finds the
    peak between samples. The record is at rest before its first sample: what a periodic spectrum wraps around is
    free vibration, and taken off in closed form, so that few zeros behind a record do for any damping. Free
    vibration after the record's end counts. Content at Nyquist itself is ambiguous between samples: there, and at
    periods of 0.03 s and less, another record length may move a value by up to 1e-3.

    Examples
    --------
    >>> t = np.arange(6000) / 100
    >>> a = np.sin(2 * np.pi * t) * np.hanning(6000)
    >>> psa(np.stack([a, a])[None], 100, [0.01, 1.0]).round(1)
    array([[1. , 9.7]])
    """
    horizontals = check_horizontals(horizontals)
    check_percentile(percentile)
    out = np.full((len(horizontals), np.size(periods_s)), np.nan)
    peaks = np.empty((BLOCK, len(ANGLES_DEG)))
    alive = _alive(horizontals)
    for rows, period, response in _responses(horizontals, sampling_rate, periods_s, damping, alive):
        for i, (x, y) in enumerate(response):
            peaks[i] = directional_peaks(x, y, between_samples=True)
        out[rows, period] = np.percentile(peaks[: len(rows)], percentile, axis=1)
    return out


def psa_single(traces: np.ndarray, sampling_rate: float, periods_s=PERIODS_S, *, damping: float = 0.05) -> np.ndarray:
    """Return the pseudo-spectral acceleration of single traces, as recorded (no rotation).

    Parameters
    ----------
    traces : numpy.ndarray, shape (n, npts)
        Acceleration in m/s².
    sampling_rate, periods_s, damping
        As in `psa`.

    Returns
    -------
    numpy.ndarray, shape (n, p), m/s²; NaN where a trace is dead or not finite

    Examples
    --------
    >>> seconds = np.arange(6000) / 100
    >>> sine = 2.0 * np.sin(2 * np.pi * 0.2 * seconds)[None]  # 2 m/s², 0.2 Hz
    >>> psa_single(sine, 100.0, [0.01]).round(1).tolist()  # a stiff oscillator follows the ground
    [[2.0]]
    """
    traces = np.asarray(traces)[:, None]
    out = np.full((len(traces), np.size(periods_s)), np.nan)
    for rows, period, response in _responses(traces, sampling_rate, periods_s, damping, _alive(traces)):
        for row, (x,) in zip(rows, response, strict=True):
            i = int(np.clip(np.argmax(np.abs(x)), 1, x.size - 2))
            before, peak, after = (float(v) for v in x[i - 1 : i + 2])
            bend = 2 * peak - before - after
            out[row, period] = abs(peak) + ((after - before) ** 2 / (8 * abs(bend)) if bend * peak > 0 else 0.0)
    return out


def _alive(data: np.ndarray) -> np.ndarray:
    """Tell which records are finite and move on every component."""
    with np.errstate(invalid="ignore"):
        moves = (data.max(axis=-1) > data.min(axis=-1)).all(axis=1)
    return moves & np.isfinite(data).all(axis=(1, 2))


def _responses(data, sampling_rate, periods_s, damping, alive) -> Iterator[tuple[np.ndarray, int, np.ndarray]]:
    """Yield (rows, index of period, response float32 (rows, components, samples)) for blocks of living records."""
    from scipy.fft import irfft, rfft

    periods_s = np.asarray(periods_s, dtype=np.float64)
    if periods_s.ndim != 1 or not (periods_s > 0).all():
        raise TNGError(f"periods {periods_s} are not accepted; accepted: a list of numbers above 0, in s")
    if not 0 < damping < 1:
        raise TNGError(f"damping {damping} is not accepted; accepted: between 0 and 1, e.g. 0.05")
    # half a cycle of the slowest oscillator behind the record, where free vibration may peak
    span = data.shape[-1] + int(np.ceil(0.6 * periods_s.max(initial=0.0) * sampling_rate))
    guard = int(_GUARD_S * sampling_rate)
    npts = _coarse_length(span + 2 * guard)
    omega = 2 * np.pi * np.arange(npts // 2 + 1) * sampling_rate / npts
    # state just before the record, below half of Nyquist: the interpolation's tails are near Nyquist
    below = np.cos(np.pi * np.clip(2 * omega / omega[-1] - 1, 0, 1) / 2) ** 2
    state = below * np.exp(-1j * omega * guard / sampling_rate) * 2 / npts
    state[0] /= 2
    state = np.stack([state, 1j * omega * state], axis=1)
    oscillators = [_oscillator(period, damping, omega, guard, span, sampling_rate) for period in periods_s]
    living = np.flatnonzero(alive)
    for rows in np.split(living, range(BLOCK, len(living), BLOCK)) if living.size else ():
        spectrum = rfft(data[rows].astype(np.float64), npts)
        for i, (gain, finer, free) in enumerate(oscillators):
            moved = spectrum * gain
            initial = None if free is None else (moved @ state).real
            moved[..., -1] /= 2  # Nyquist is no longer the last bin once upsampled
            # float32: the rounding is 1e-6 of this oscillator's own response
            response = irfft(moved.astype(np.complex64), npts * finer)[..., : span * finer]
            response *= finer
            if free is not None:
                response -= (initial @ free).astype(np.float32)
            yield rows, i, response


def _coarse_length(least):
    """Return the first of 4, 5, 6, 7 times 2**k from `least` on: coarse, so that a short delay leaves it as it is."""
    unit = 1 << max(int(least - 1).bit_length() - 3, 1)
    return -(-least // unit) * unit


def _oscillator(period_s, damping, omega, guard, span, sampling_rate):
    """Return gain at `omega`, upsampling, and free vibration (2, samples) from unit displacement and velocity."""
    natural = 2 * np.pi / period_s
    gain = natural**2 / (natural**2 - omega**2 + 2j * damping * natural * omega)
    finer = next(n for longest, n in _SAMPLES if period_s <= longest)
    finer = max(int(np.ceil(finer * 100.0 / sampling_rate)), 2)
    if damping * natural * guard / sampling_rate > 14:
        return gain, finer, None
    damped = natural * np.sqrt(1 - damping**2)
    time_s = guard / sampling_rate + np.arange(span * finer) / (sampling_rate * finer)
    decay = np.exp(-damping * natural * time_s)
    sine = decay * np.sin(damped * time_s) / damped
    return gain, finer, np.stack([decay * np.cos(damped * time_s) + damping * natural * sine, sine])


def measures(data: np.ndarray, sampling_rate: float, *, more: bool = False) -> dict[str, np.ndarray]:
    """Return scalar intensity measures of three-component records.

    Parameters
    ----------
    data : numpy.ndarray, shape (n, 3, npts)
        Acceleration in m/s², rows E, N, Z. Left as it is.
    sampling_rate : float
        In Hz.
    more : bool
        Add the two measures that only the scores of Olsen and Mayhew ask for.

    Returns
    -------
    dict of numpy.ndarray, shape (n,)
        ``pga_mps2`` RotD50 of the horizontals' samples; ``pga_vertical_mps2``; ``pgv_mps`` RotD50, between samples;
        ``arias_mps`` mean of the two horizontals; ``cav_mps`` geometric mean of the two, exact for straight lines
        between samples; ``d5_75_s``, ``d5_95_s`` from the summed energy of both horizontals. With `more`:
        ``pgd_m`` RotD50; ``energy_m2ps`` mean of the two horizontals' integrals of squared velocity.
        NaN where a component concerned is dead (one value throughout) or not finite.

    Raises
    ------
    TNGError
        The shape is another.

    Notes
    -----
    Velocity and displacement are integrals in the frequency domain, behind a zero-phase high-pass of gain
    ``f**4 / (f**4 + fc**4)`` with fc = `VELOCITY_CORNER_HZ`, and enough zeros that nothing wraps around.

    References
    ----------
    Arias (1970); EPRI NP-5930 (1988) for CAV; Trifunac & Brady (1975), BSSA 65(3), 581-626, for durations.

    >>> measures(np.ones((1, 3, 1)) * np.sin(np.arange(6000) / 16), 100.0)["d5_95_s"].round().tolist()  # 60 s of 1 Hz
    [54.0]
    """
    data = check_records(data)
    horizontal = _alive(data[:, :2])
    out = {name: np.full(len(data), np.nan) for name in NAMES + ("pgd_m", "energy_m2ps") * more}
    vertical = _alive(data[:, 2:])
    out["pga_vertical_mps2"][vertical] = np.abs(data[vertical, 2]).max(axis=-1)
    living = np.flatnonzero(horizontal)
    for rows in np.split(living, range(BLOCK, len(living), BLOCK)) if living.size else ():
        pair = data[rows, :2].astype(np.float64)
        energy = (pair**2).sum(axis=1).cumsum(axis=-1) / sampling_rate
        out["pga_mps2"][rows] = rotd(pair)
        out["arias_mps"][rows] = np.pi / (2 * GRAVITY_MPS2) * energy[:, -1] / 2
        out["cav_mps"][rows] = np.sqrt(_absolute_integral(pair, sampling_rate).prod(axis=1))
        t5, t75, t95 = _husid_times(energy, sampling_rate, (0.05, 0.75, 0.95)).T
        out["d5_75_s"][rows], out["d5_95_s"][rows] = t75 - t5, t95 - t5
        velocity, displacement = integrals(pair, sampling_rate)
        out["pgv_mps"][rows] = rotd(velocity, between_samples=True)
        if more:
            out["pgd_m"][rows] = rotd(displacement, between_samples=True)
            out["energy_m2ps"][rows] = (velocity**2).sum(axis=(1, 2)) / sampling_rate / 2
    return out


def integrals(acceleration: np.ndarray, sampling_rate: float, *, corner_hz: float = VELOCITY_CORNER_HZ):
    """Return velocity and displacement behind the zero-phase high-pass of `measures`.

    Parameters
    ----------
    acceleration : numpy.ndarray, shape (..., npts)
        In m/s².
    sampling_rate, corner_hz : float
        In Hz.

    Returns
    -------
    velocity, displacement : numpy.ndarray, shape (..., npts + zeros), m/s and m
        Longer than the input: the filter's tails are behind it (and, before its start, at the very end).
    """
    from scipy.fft import irfft, next_fast_len, rfft

    # the filter's kernel decays as exp(-sqrt(2) pi fc t): 2e-6 after 3 / fc
    npts = next_fast_len(acceleration.shape[-1] + int(3 / corner_hz * sampling_rate), real=True)
    frequency_hz = np.arange(npts // 2 + 1) * sampling_rate / npts
    once = frequency_hz**3 / (2j * np.pi * (frequency_hz**4 + corner_hz**4))
    twice = -(frequency_hz**2) / (4 * np.pi**2 * (frequency_hz**4 + corner_hz**4))
    spectrum = rfft(acceleration, npts)
    return irfft(spectrum * once, npts), irfft(spectrum * twice, npts)


def _absolute_integral(data, sampling_rate):
    """Return the integral of ``|a|`` over straight lines between samples, from zero to zero."""
    size = np.abs(data)
    crossing = np.maximum(-data[..., 1:] * data[..., :-1], 0)  # |a b| where the sign changes
    chord = size[..., 1:] + size[..., :-1]
    excess = np.divide(crossing, chord, out=np.zeros_like(crossing), where=crossing > 0)
    return (size.sum(axis=-1) - excess.sum(axis=-1)) / sampling_rate


def _husid_times(energy, sampling_rate, shares):
    """Return times in s at which cumulated energy (n, npts) reaches `shares` of its end, (n, shares)."""
    time_s = np.arange(energy.shape[-1] + 1) / sampling_rate
    curves = np.concatenate([np.zeros((len(energy), 1)), energy], axis=1)
    return np.array([np.interp(np.array(shares) * curve[-1], curve, time_s) for curve in curves])


def fourier(data: np.ndarray, sampling_rate: float, frequency_hz, *, smoothing: str = "ko:40") -> np.ndarray:
    """Return ln of smoothed Fourier amplitudes of acceleration.

    Parameters
    ----------
    data : numpy.ndarray, shape (n, 3, npts)
        In m/s². Not padded, not tapered.
    sampling_rate : float
        In Hz.
    frequency_hz : array_like, shape (f,)
        Centre frequencies in Hz.
    smoothing : str
        As in `obspy_tng.site.smoothing`.

    Returns
    -------
    numpy.ndarray, shape (n, 3, f)
        ln of m/s. NaN where a component is dead or not finite, or the frequency lies outside the spectrum.
    """
    data = check_records(data)
    matrix = site_smoothing.smoothing_matrix(data.shape[-1], sampling_rate, frequency_hz, smoothing)
    amplitude = np.abs(spectra.fourier(data.astype(np.float64), 0.0)) / sampling_rate
    return _log(site_smoothing.smooth(amplitude, matrix))


def eas(data: np.ndarray, sampling_rate: float, frequency_hz, *, smoothing: str = "ko:188.5") -> np.ndarray:
    """Return ln of the effective amplitude spectrum (EAS) of the horizontals.

    Parameters
    ----------
    data, sampling_rate, frequency_hz
        As in `fourier`.
    smoothing : str
        The published one, a thirtieth of a decade wide, is what models of inter-frequency correlation are for.

    Returns
    -------
    numpy.ndarray, shape (n, f)
        ln of m/s; NaN as in `fourier`. A record of 60 s holds bins for ``ko:188.5`` from about 0.3 Hz on.

    References
    ----------
    Goulet, Kottke, Boore, Bozorgnia, Hollenback, Kishida, Der Kiureghian, Ktenidou, Kuehn, Rathje, Silva, Thompson
    & Wang (2018), Effective amplitude spectrum (EAS) as a metric for ground motion modeling using Fourier
    amplitudes, Seismology of the Americas Meeting.
    """
    data = check_records(data)
    matrix = site_smoothing.smoothing_matrix(data.shape[-1], sampling_rate, frequency_hz, smoothing)
    east, north = np.moveaxis(spectra.fourier(data[:, :2].astype(np.float64), 0.0), 1, 0)
    smooth = site_smoothing.smooth(spectra.horizontal(east, north) / sampling_rate, matrix)
    smooth[~_alive(data[:, :2])] = np.nan
    return _log(smooth)


def _log(amplitude):
    return np.log(amplitude, out=np.full_like(amplitude, np.nan), where=amplitude > 0)


def check_records(data) -> np.ndarray:
    """Return `data` as floating point of shape (n, 3, npts), else raise TNGError."""
    data = np.asarray(data)
    if data.ndim != 3 or data.shape[1] != 3 or data.shape[2] < 3:
        raise TNGError(f"records have shape {data.shape}; accepted: (records, 3, samples), 3 samples or more")
    return data if data.dtype.kind == "f" else data.astype(np.float64)
