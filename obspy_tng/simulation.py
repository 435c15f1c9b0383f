"""Accelerograms with a known truth: a stochastic point source seen through damped soil layers.

Source and path follow the stochastic method, the site is the one-dimensional SH transfer function of layers
over a half-space. It is simple on purpose: every number one may look for in the record (f0, onset of P and S,
magnitude, distance) is known beforehand and travels in ``trace.stats.simulation``.

References
----------
Boore (2003), Simulation of ground motion using the stochastic method, doi:10.1007/PL00012553.
Boore and Thompson (2014), Path durations for use in the stochastic-method simulation, doi:10.1785/0120140058.
Kramer (1996), Geotechnical Earthquake Engineering, section 7.2.1 (after Haskell, 1953).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, replace
from itertools import pairwise

import numpy as np
from obspy import Stream, Trace, UTCDateTime
from obspy.core import AttribDict

from .errors import TNGError

S_VELOCITY_KMS, P_VELOCITY_KMS = 3.5, 6.06  # crust at the source (Boore, 2003); a Poisson solid
DENSITY_KGM3 = 2800.0
RADIATION_S, FREE_SURFACE = 0.55, 2.0  # average over the focal sphere
HORIZONTAL_PARTITION = 1 / np.sqrt(2)  # S energy shared by two horizontals
P_TO_S = (0.12, 0.25)  # P amplitude relative to S at the source, on a horizontal and on the vertical
HIGH_PASS_HZ = 0.05
CLEAR_PEAK = 2.0  # amplification below which a maximum is not called a peak (SESAME, 2004: A0 > 2)
MAX_REALIZATIONS = 36**2  # SEED location: two base-36 characters
BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# ln standard deviations from event to event: stress drop, path, kappa, noise, crustal velocity
EVENT_SCATTER = (0.5, 0.2, 0.15, 0.4, 0.03)


@dataclass(frozen=True)
class Layer:
    """One soil layer; the last of a sequence is the half-space, whose thickness is not used.

    Thickness in m, shear-wave velocity in m/s, mass density in t/m³ (only ratios between layers matter),
    damping as a fraction of critical, the same at all frequencies: ``Layer(25.0, 200.0, 1.8, 0.02)``.
    """

    thickness_m: float
    vs_mps: float
    density: float = 2.0
    damping: float = 0.02


SOFT_SITE = (Layer(25.0, 200.0, 1.8, 0.02), Layer(0.0, 800.0, 2.2, 0.005))  # f0 = 200 / (4 * 25) = 2 Hz


def simulate(
    layers: Sequence[Layer | tuple[float, float, float, float]] = SOFT_SITE,
    magnitude: float = 4.5, distance_km: float = 30.0, n: int = 1, *,
    sampling_rate: float = 100.0, duration_s: float = 60.0, seed: int | None = None,
    station: str = "SIM", network: str = "XX", stress_drop_mpa: float = 8.0, kappa_s: float = 0.03,
    depth_km: float = 10.0, coordinates: tuple[float, float] = (38.0, 27.0),
    event_scatter: float = 1.0, vs_scatter: float = 0.03, noise_mps2: float = 1e-5,
    starttime: UTCDateTime | None = None, instrument: str = "N",
) -> Stream:  # fmt: skip
    """Simulate `n` earthquakes of one magnitude and distance, recorded at one layered site.

    S waves are Gaussian noise in the exponential window of Saragoni and Hart, given the spectrum of
    `source_spectrum` and, on the horizontals, of `transfer_function`. P waves are made alike, weaker and
    earlier. The vertical of S is that of the rock horizontal, *not* amplified by the layers, so the expected
    H/V of S is the transfer function itself (nature has P resonances, too). The three components are
    independent noise. Signals are causal but for the zero-phase high-pass (0.05 Hz).

    Parameters
    ----------
    layers : sequence of Layer or of (thickness_m, vs_mps, density, damping)
        From the surface down, half-space last.
    magnitude, distance_km, depth_km : float
        Moment magnitude, epicentral distance, depth; spreading and travel time use the hypocentral distance.
    n : int
        Number of realisations, at most 1296 (two characters of SEED location).
    sampling_rate, duration_s : float
        In Hz and s. P arrives after 15 to 25 % of the duration.
    seed : int, optional
        Each realisation has its own generator, so number 3 of 5 is number 3 of 50. None draws a seed and
        records it.
    station, network, instrument : str
        SEED codes; instrument "N" is an accelerometer, "X" synthetic.
    stress_drop_mpa, kappa_s : float
        Median Brune stress drop (MPa) and site attenuation (s).
    coordinates : tuple of float
        Latitude and longitude of the station (degrees); events lie around it at random azimuths.
    event_scatter : float
        Factor on the ln standard deviations `EVENT_SCATTER`; 0 repeats the same event with new phases.
    vs_scatter : float
        Standard deviation of ln vs of the soil, common to all its layers: the scatter of f0 between events.
    noise_mps2 : float
        Median root mean square of the ambient noise on rock (m/s²), before kappa.
    starttime : UTCDateTime, optional
        Time of the first sample, 1970-01-01 unless given.

    Returns
    -------
    Stream
        3n float32 traces in m/s²: E N Z of realisation 0, then of 1, ... Location: realisation in base 36.
        ``stats`` has ``coordinates``, ``event``, ``site`` and the truth in ``simulation``: ``f0_hz`` of the
        layers, ``f0_realization_hz`` of this event (NaN: no clear peak), onsets ``p_s``, ``s_s``, ...

    Raises
    ------
    TNGError
        If an argument is out of range, or the record is too short for the distance.
    TypeError
        If `station` is no string: leading zeros would be lost.

    Examples
    --------
    >>> stream = simulate(magnitude=4.0, distance_km=20.0, n=2, seed=1)
    >>> stream[0].id, len(stream), round(stream[0].stats.simulation.f0_hz, 3)
    ('XX.SIM.00.HNE', 6, 2.0)
    """
    layers = _check_layers(layers)
    whole = (int, np.integer)
    if not isinstance(station, str):
        raise TypeError(f"station must be a string, got {station!r}: a number loses its leading zeros")
    _check(isinstance(n, whole) and 1 <= n <= MAX_REALIZATIONS, n, "n", f"1 to {MAX_REALIZATIONS}, whole")
    limits = {
        "magnitude": (magnitude, -1, 8.5), "distance_km": (distance_km, 0, 1000),
        "depth_km": (depth_km, 0.1, 700), "sampling_rate": (sampling_rate, 10, 1000),
        "duration_s": (duration_s, 5, 3600), "stress_drop_mpa": (stress_drop_mpa, 0.001, 1000),
        "kappa_s": (kappa_s, 0, 1), "event_scatter": (event_scatter, 0, 10),
        "vs_scatter": (vs_scatter, 0, 1), "noise_mps2": (noise_mps2, 0, 1),
    }  # fmt: skip
    for name, (value, low, high) in limits.items():
        _between(value, name, low, high)
    _check(1 <= len(station) <= 5, station, "station", "1 to 5 characters")
    _check(len(network) <= 2, network, "network", "up to 2 characters")
    _check(np.shape(coordinates) == (2,), coordinates, "coordinates", "latitude and longitude in degrees")
    _check(instrument in ("N", "X"), instrument, "instrument", "'N' or 'X'")
    _check(seed is None or (isinstance(seed, whole) and seed >= 0), seed, "seed", "a whole number from 0")
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else int(seed)
    starttime = UTCDateTime(0 if starttime is None else starttime)
    hypocentral_km = float(np.hypot(distance_km, depth_km))
    travel_p_s, travel_s_s = hypocentral_km / P_VELOCITY_KMS, hypocentral_km / S_VELOCITY_KMS
    # P comes at a share of the duration, so a longer record gains only the rest of it.
    needed_s = (travel_s_s - travel_p_s + _shaking_s(magnitude, hypocentral_km, stress_drop_mpa)) / 0.75
    enough = f"at least {np.ceil(needed_s):.0f} s for magnitude {magnitude:g} at {hypocentral_km:.0f} km"
    _check(duration_s >= needed_s, duration_s, "duration_s", enough)

    known = {"f0_hz": fundamental_frequency(layers), "layers": [asdict(layer) for layer in layers]}
    known |= {"magnitude": float(magnitude), "distance_km": float(distance_km), "seed": seed}
    latitude, longitude = map(float, coordinates)
    npts = round(duration_s * sampling_rate)
    band = "H" if sampling_rate >= 80 else "B"  # FDSN band codes
    traces = []
    for index, child in enumerate(np.random.SeedSequence(seed).spawn(int(n))):
        rng = np.random.default_rng(child)
        # All scatter is drawn first and in a fixed order, so a changed setting does not reshuffle the phases.
        factor = np.exp(event_scatter * np.array(EVENT_SCATTER) * rng.standard_normal(5))
        vs_factor = np.exp(vs_scatter * rng.standard_normal())
        p_s, azimuth_deg = rng.uniform(0.15, 0.25) * duration_s, rng.uniform(0, 360)
        drop, path, kappa, noise, slowness = factor * (stress_drop_mpa, 1, kappa_s, noise_mps2, 1)
        s_s = p_s + (travel_s_s - travel_p_s) * slowness
        names = "hypocentral_km", "stress_drop_mpa", "kappa_s", "path", "p_s", "s_s"
        own = dict(zip(names, map(float, (hypocentral_km, drop, kappa, path, p_s, s_s)), strict=True))
        soil = [replace(layer, vs_mps=layer.vs_mps * vs_factor) for layer in layers[:-1]] + [layers[-1]]
        data = _accelerogram(rng, magnitude, AttribDict(own), soil, noise, sampling_rate, npts)
        place = _destination(latitude, longitude, distance_km, azimuth_deg)
        event = dict(zip(("latitude_deg", "longitude_deg"), place, strict=True), depth_km=float(depth_km))
        event |= {"id": f"sim-{seed}-{index}", "origin_time": starttime + p_s - travel_p_s * slowness}
        event |= {"magnitude": float(magnitude), "magnitude_type": "Mw"}
        own |= {"realization": index, "f0_realization_hz": fundamental_frequency(soil)}
        location = BASE36[index // 36] + BASE36[index % 36]
        for component, samples in zip("ENZ", data, strict=True):
            trace = Trace(samples.astype(np.float32))
            trace.id = f"{network}.{station}.{location}.{band}{instrument}{component}"
            trace.stats.update({"starttime": starttime, "sampling_rate": float(sampling_rate)})
            trace.stats.coordinates = AttribDict(latitude=latitude, longitude=longitude, elevation=0.0)
            trace.stats.event = AttribDict(event)
            trace.stats.site = AttribDict(vs30_mps=vs30(layers))
            trace.stats.simulation = AttribDict(known | own)
            traces.append(trace)
    return Stream(traces)


def transfer_function(frequency_hz: np.ndarray, layers: Sequence[Layer]) -> np.ndarray:
    """Amplification of vertical SH waves: motion at the surface over motion of outcropping half-space.

    Parameters
    ----------
    frequency_hz : (m,) array, Hz
    layers : sequence of Layer or of (thickness_m, vs_mps, density, damping), half-space last

    Returns
    -------
    (m,) complex array, 1 at zero frequency; phases follow exp(+iωt), numpy's convention.

    Notes
    -----
    Kramer (1996), section 7.2.1, "layered, damped soil on elastic rock": recursion of up- and down-going
    amplitudes from the surface down, with complex velocity vs·(1 + i·damping). For one layer without damping
    the modulus is 1/sqrt(cos²kH + α² sin²kH), α the impedance ratio, which peaks at vs/4H.

    >>> abs(transfer_function(np.array([2.0]), [Layer(25.0, 200.0, 2.0, 0.0), Layer(0.0, 800.0)])).round(1).tolist()
    [4.0]
    """
    layers = _check_layers(layers)
    omega = 2 * np.pi * np.asarray(frequency_hz, float)
    up = down = np.ones(omega.shape, complex)
    for upper, lower in pairwise(layers):
        velocity = upper.vs_mps * (1 + 1j * upper.damping)
        alpha = upper.density * velocity / (lower.density * lower.vs_mps * (1 + 1j * lower.damping))
        delay = np.exp(1j * omega * upper.thickness_m / velocity)
        up, down = up * delay, down / delay
        up, down = (up + down + alpha * (up - down)) / 2, (up + down - alpha * (up - down)) / 2
    return 1 / up


def fundamental_frequency(layers: Sequence[Layer], *, clear: float = CLEAR_PEAK) -> float:
    """Frequency (Hz) of the first peak of the transfer function, NaN without a clear one.

    The maximum is looked for without damping, where it is the resonance itself: exactly vs/4H for one layer
    (2 % of damping moves the maximum down by 0.5 %). Clear means a damped amplification of at least
    `clear`, between 0.05 and 50 Hz.
    """
    layers = _check_layers(layers)
    lossless = [replace(layer, damping=0.0) for layer in layers]
    grid = np.geomspace(0.05, 50, 8001)
    curve = np.abs(transfer_function(grid, lossless))
    for i in np.flatnonzero((curve[1:-1] > curve[:-2]) & (curve[1:-1] >= curve[2:])) + 1:
        low, high = grid[i - 1], grid[i + 1]
        for _ in range(3):  # each pass narrows the bracket 50-fold
            fine = np.linspace(low, high, 101)
            best = int(np.argmax(np.abs(transfer_function(fine, lossless))))
            low, high = fine[max(best - 1, 0)], fine[min(best + 1, 100)]
        if abs(transfer_function(fine[best], layers)) >= clear:
            return float(fine[best])
    return float("nan")


def vs30(layers: Sequence[Layer]) -> float:
    """Mean shear-wave velocity (m/s) of the upper 30 m, by travel time."""
    layers = _check_layers(layers)
    left_m, time_s = 30.0, 0.0
    for layer in layers[:-1]:
        thickness_m = min(layer.thickness_m, left_m)
        left_m, time_s = left_m - thickness_m, time_s + thickness_m / layer.vs_mps
    return 30.0 / (time_s + left_m / layers[-1].vs_mps)


def corner_frequency(magnitude: float, stress_drop_mpa: float) -> float:
    """Brune corner frequency (Hz), 0.4906 β (Δσ/M0)^(1/3) in SI units (Boore, 2003)."""
    return 490.6 * S_VELOCITY_KMS * (stress_drop_mpa * 1e6 / _moment_nm(magnitude)) ** (1 / 3)


def source_spectrum(frequency_hz, magnitude, hypocentral_km, stress_drop_mpa=8.0, kappa_s=0.03):
    """Fourier spectrum of S acceleration on one horizontal of a rock outcrop, in m/s (= m/s² times s).

    Brune source, 1/R spreading, Q = 180 f^0.45 and kappa (Boore, 2003; no crustal amplification), the root
    mean square over random phases. The phase is that of the causal filter 1/(1 + i f/fc)², whose modulus is
    Brune's, so that no energy precedes the onset. Takes (m,) frequencies in Hz, returns (m,) complex.
    """
    f = np.asarray(frequency_hz, float)
    beta = S_VELOCITY_KMS * 1e3
    constant = RADIATION_S * HORIZONTAL_PARTITION * FREE_SURFACE / (4 * np.pi * DENSITY_KGM3 * beta**3)
    brune = (2 * np.pi * f) ** 2 / (1 + 1j * f / corner_frequency(magnitude, stress_drop_mpa)) ** 2
    # f/Q is written as f^0.55/180 so that zero frequency needs no exception
    attenuation = f**0.55 * hypocentral_km / (180 * S_VELOCITY_KMS) + kappa_s * f
    return constant * _moment_nm(magnitude) * brune * np.exp(-np.pi * attenuation) / (hypocentral_km * 1e3)


def _accelerogram(rng, magnitude, own, layers, noise_mps2, sampling_rate, npts):
    """Return (3, npts) samples in m/s², order E N Z: P, S and noise of one realisation."""
    # Twice the length, so that what the filters ring out does not come back at the start.
    f = np.fft.rfftfreq(2 * npts, 1 / sampling_rate)
    time = np.arange(2 * npts) / sampling_rate
    source = magnitude, own.hypocentral_km, own.stress_drop_mpa
    rock = source_spectrum(f, *source, own.kappa_s) * own.path * sampling_rate
    site = transfer_function(f, layers)
    noise_shape = noise_mps2 * np.exp(-np.pi * own.kappa_s * f)
    # The last twentieth of the record fades the signal out, so cutting there leaves no step.
    fade = np.clip((npts / sampling_rate - time) / (0.05 * npts / sampling_rate), 0, 1)
    fade = 0.5 - 0.5 * np.cos(np.pi * fade)
    high_pass = np.zeros(f.size)
    high_pass[1:] = 1 / np.sqrt(1 + (HIGH_PASS_HZ / f[1:]) ** 8)
    data = np.empty((3, npts))
    for row, component in enumerate("ENZ"):
        vertical = component == "Z"
        response = np.ones_like(site) if vertical else site
        wave = _windowed_noise(rng, time - own.s_s, _shaking_s(*source))
        wave = wave + P_TO_S[vertical] * _windowed_noise(rng, time - own.p_s, _shaking_s(*source))
        wave *= rock * response
        ambient = noise_shape * response * np.fft.rfft(rng.standard_normal(time.size))
        spectrum = np.fft.rfft(np.fft.irfft(wave, time.size) * fade) + ambient
        data[row] = np.fft.irfft(spectrum * high_pass, time.size)[:npts]
    return data


def _windowed_noise(rng, time, shaking_s):
    """Return the spectrum, of unit mean square, of noise in a Saragoni–Hart window that opens at time 0."""
    # Boore (2003): epsilon, eta and f_Tgm, a peak at a fifth and 5 % left at the end of twice the shaking
    epsilon, eta, span_s = 0.2, 0.05, 2.0 * shaking_s
    b = -epsilon * np.log(eta) / (1 + epsilon * (np.log(epsilon) - 1))
    x = np.clip(time, 0, None) / (epsilon * span_s)
    window = (np.e * x) ** b * np.exp(-b * x)
    return np.fft.rfft(window * rng.standard_normal(time.size)) / np.sqrt(np.sum(window**2))


def _shaking_s(magnitude, hypocentral_km, stress_drop_mpa):
    """Return the duration (s) of S: source 1/fc, and the path duration of Boore and Thompson (2014)."""
    path_s = np.interp(hypocentral_km, (0, 7, 45, 125, 175, 270), (0, 2.4, 8.4, 10.9, 17.4, 34.2))
    return 1 / corner_frequency(magnitude, stress_drop_mpa) + path_s + 0.156 * max(hypocentral_km - 270, 0)


def _moment_nm(magnitude):
    return 10 ** (1.5 * magnitude + 9.05)


def _destination(latitude, longitude, distance_km, azimuth_deg):
    """Return latitude and longitude (degrees) at a distance and azimuth on the sphere of 6371 km."""
    arc, azimuth, phi = distance_km / 6371.0, np.radians(azimuth_deg), np.radians(latitude)
    phi2 = np.arcsin(np.sin(phi) * np.cos(arc) + np.cos(phi) * np.sin(arc) * np.cos(azimuth))
    east = np.arctan2(np.sin(azimuth) * np.sin(arc) * np.cos(phi), np.cos(arc) - np.sin(phi) * np.sin(phi2))
    return float(np.degrees(phi2)), float((longitude + np.degrees(east) + 180) % 360 - 180)


def _check(passed, value, name, accepted):
    if not passed:
        raise TNGError(f"{name}={value!r} is not accepted: {accepted}")


def _between(value, name, low, high):
    try:
        passed = low <= value <= high
    except TypeError:
        passed = False
    _check(passed, value, name, f"a number from {low} to {high}")


def _check_layers(layers):
    """Return a tuple of Layer, half-space last."""
    accepted = "a sequence of (thickness_m > 0, vs_mps > 0, density > 0, 0 <= damping < 0.5), half-space last"
    try:
        soil = tuple(layer if isinstance(layer, Layer) else Layer(*layer) for layer in layers)
        thickness, vs, density, damping = np.array([astuple(layer) for layer in soil], float).T
    except (TypeError, ValueError):
        raise TNGError(f"layers={layers!r} is not accepted: {accepted}") from None
    positive = np.concatenate([thickness[:-1], vs, density])
    sound = np.all(np.isfinite(positive) & (positive > 0)) and np.all((damping >= 0) & (damping < 0.5))
    _check(sound, layers, "layers", accepted)
    return soil
