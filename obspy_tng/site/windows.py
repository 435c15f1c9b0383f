"""Which samples are S wave and which are noise.

Onsets come from picks, else travel times (both already in a record), else from the energy of the record
itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from obspy_tng.errors import RecordError, TNGError

BEFORE_S = 0.5  # the window starts this long before S
LENGTH_S = 20.0  # without a band
MIN_LENGTH_S = 15.0  # with a band
CYCLES = 10.0  # with a band: of its lowest frequency
SHORTEST_S = 5.0  # less S wave, or less noise, is not used
BEFORE_P = 0.5  # the noise ends this long before P
SECOND_RATIO = 3.0  # amplitude of a second earthquake over that of the first S


class Window(NamedTuple):
    """Samples ``start : stop`` and what placed them: pick, travel time, energy or full."""

    start: int
    stop: int
    source: str


def window_length(window: str | float, band_hz=None) -> float | None:
    """Return the length of the S window in seconds, or None for the whole record.

    Parameters
    ----------
    window : {"s", "full"} or float
        ``"s"``: 20 s, or with a band max(15 s, 10 / fmin); a number is a length in seconds.
    band_hz : (float, float), optional
        Lowest and highest frequency in Hz the user asked for.

    Raises
    ------
    TNGError
        Neither ``"s"``, ``"full"`` nor a length of 5 s or more.
    """
    if window == "full":
        return None
    if window == "s":
        return LENGTH_S if band_hz is None else max(MIN_LENGTH_S, CYCLES / band_hz[0])
    try:
        length = float(window)
    except (TypeError, ValueError):
        length = np.nan
    if not SHORTEST_S <= length < np.inf:
        raise TNGError(f"window {window!r} not known; accepted: s, full, or a length of {SHORTEST_S:g} s or more")
    return length


def energy_onsets(data: np.ndarray, sampling_rate: float) -> tuple[float, float]:
    """Tell P and S from the record alone.

    P is the change point of the variance (Akaike's criterion); S the Husid time at which the horizontals have
    released 5 % of their energy since P. Rough (a second or so), but never far from the strong motion.

    Parameters
    ----------
    data : numpy.ndarray, shape (3, n)
        E, N, Z acceleration in any unit.
    sampling_rate : float
        In Hz.

    Returns
    -------
    p_s, s_s : float
        Seconds after the first sample.

    References
    ----------
    Maeda (1985), A method for reading and checking phase time in auto-processing system of seismic wave data,
    Zisin 38, 365-379. Husid (1969), Características de terremotos, Revista del IDIEM 8, 21-42.
    """
    power = (data - data.mean(axis=1, keepdims=True)) ** 2
    horizontal = power[0] + power[1]
    s = _husid(horizontal, 0.05)
    before = power[:, : max(s, 3)].sum(axis=0)
    p = _change_point(before)
    s = p + _husid(horizontal[p:], 0.05)
    return p / sampling_rate, s / sampling_rate


def _husid(power, fraction) -> int:
    energy = np.cumsum(power)
    return int(np.searchsorted(energy, fraction * energy[-1]))


def _change_point(power) -> int:
    """Return the sample that best splits a series in two of constant variance each (Akaike)."""
    n = power.size
    k = np.arange(1, n)
    total = np.cumsum(power)
    tiny = np.finfo(float).tiny
    early, late = total[:-1] / k, (total[-1] - total[:-1]) / (n - k)
    return int(np.argmin(k * np.log(early + tiny) + (n - k) * np.log(late + tiny))) + 1 if n > 2 else 0


def signal_window(
    npts: int, sampling_rate: float, s_s: float, source: str, length_s: float | None, taper: float = 0.0
) -> Window:
    """Return the window to analyse: from 0.5 s before S, `length_s` long or as far as the record reaches.

    The ramps of the taper come on top, before and behind: the onset of S, where most of its energy is, must not be
    tapered away.

    Parameters
    ----------
    npts : int
        Samples of the record.
    sampling_rate : float
        In Hz.
    s_s : float
        S onset in seconds after the first sample.
    source : str
        What told the onset; kept in the window.
    length_s : float or None
        None: the whole record.
    taper : float
        Each ramp's share of the window's whole length.

    Raises
    ------
    RecordError
        Less than 5 s would be left.
    """
    if length_s is None:
        if npts < SHORTEST_S * sampling_rate:
            raise RecordError(f"record holds only {npts / sampling_rate:.1f} s; {SHORTEST_S:g} s needed")
        return Window(0, npts, "full")
    whole_s = length_s / (1 - 2 * taper)
    start = max(round((s_s - BEFORE_S - taper * whole_s) * sampling_rate), 0)
    stop = min(start + round(whole_s * sampling_rate), npts)
    left = (stop - max(round((s_s - BEFORE_S) * sampling_rate), 0)) / sampling_rate
    if left < SHORTEST_S:
        left = max(left, 0.0)
        raise RecordError(f"record holds only {left:.1f} s after S ({source}); {SHORTEST_S:g} s needed")
    return Window(start, stop, source)


def noise_window(sampling_rate: float, p_s: float, before: int) -> tuple[int, int] | None:
    """Return the samples of noise: what there is before P, in whole seconds; None under 5 s.

    Parameters
    ----------
    sampling_rate : float
        In Hz.
    p_s : float
        P onset in seconds after the first sample; NaN when unknown.
    before : int
        First sample of the S window; noise ends before it at the latest.

    Returns
    -------
    (int, int) or None
        First sample and the one after the last. Whole seconds, so that few spectrum lengths occur.
    """
    if not np.isfinite(p_s):
        return None
    stop = min(int((p_s - BEFORE_P) * sampling_rate), before)
    length = int(int(max(stop, 0) / sampling_rate) * sampling_rate)
    if length < SHORTEST_S * sampling_rate:
        return None
    return stop - length, stop


def before_second_earthquake(
    data: np.ndarray, sampling_rate: float, window: Window, magnitude: float = np.nan
) -> Window:
    """Return the window cut where a second, stronger earthquake begins; the same window when there is none.

    S decays. Where the motion of a later second exceeds that of the first seconds by more than 3, another
    earthquake has come (in aftershock sequences one record in fifty, and its P makes H/V small); the cut is
    at the quietest second before it. Ruptures of large earthquakes grow by themselves: the first seconds are
    5 s and twice the source duration.

    Parameters
    ----------
    data : numpy.ndarray, shape (3, n)
        E, N, Z acceleration of the whole record, any unit.
    sampling_rate : float
        In Hz.
    window : Window
        S window.
    magnitude : float
        Of the earthquake; NaN when unknown, taken as small.

    Raises
    ------
    RecordError
        Less than 5 s would be left.
    """
    step = round(sampling_rate)
    part = data[:, window.start : window.stop]
    seconds = part.shape[1] // step
    part = part[:, : seconds * step] - part.mean(axis=1, keepdims=True)
    power = (part**2).sum(axis=0).reshape(seconds, step).mean(axis=1)
    source_s = 3 * 10 ** (0.5 * (magnitude - 6)) if np.isfinite(magnitude) else 0.0
    first = int(np.ceil(SHORTEST_S + 2 * source_s))
    if seconds <= first:
        return window
    later = np.flatnonzero(power[first:] > SECOND_RATIO**2 * power[:first].max())
    if not later.size:
        return window
    begin = int(np.argmax(power[:first]))
    quiet = begin + int(np.argmin(power[begin : first + later[0]]))
    if quiet < SHORTEST_S:
        raise RecordError(f"a second, stronger earthquake begins {quiet - BEFORE_S:.1f} s after S")
    return window._replace(stop=window.start + quiet * step)
