"""The curves of one record: which windows it gives, and the HVSR of each."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from obspy_tng.errors import RecordError
from obspy_tng.record import Record
from obspy_tng.site import curves, timesnet_gen
from obspy_tng.site.settings import GROUPS, Settings
from obspy_tng.site.windows import (
    CYCLES,
    SHORTEST_S,
    Window,
    before_second_earthquake,
    energy_onsets,
    noise_window,
    signal_window,
)


class Row(NamedTuple):
    """Curve of one window and where it came from; small enough to send between processes.

    Attributes
    ----------
    record : Record
        Its samples dropped.
    curve : numpy.ndarray, shape (f,)
    window, noise
        Samples of the record.
    snr_ok : numpy.ndarray of bool, shape (3, f), or None
        Where E, N, Z stand out of the noise; None: not judged.
    peak, record_peak : float
        Largest absolute sample of the window and of the record, means removed.
    by_azimuth : numpy.ndarray, shape (azimuth, f), or None
    """

    record: Record
    group: str
    curve: np.ndarray
    window: Window
    noise: tuple[int, int] | None = None
    snr_ok: np.ndarray | None = None
    cut: bool = False  # before a second earthquake
    f0_hz: float = np.nan
    sta_lta: tuple[float, float] = (np.nan, np.nan)
    peak: float = np.nan
    record_peak: float = np.nan
    by_azimuth: np.ndarray | None = None


def rows(record: Record, settings: Settings) -> list[Row]:
    """Return the curves of one record, one for each of its windows.

    Parameters
    ----------
    record : Record
        Left as it is.
    settings : Settings

    Returns
    -------
    list of Row
        One, or as many as sliding windows fit.

    Raises
    ------
    RecordError
        Too short, samples that are no numbers, or a component without energy.
    """
    bad = ~np.isfinite(record.data).all(axis=1)
    if bad.any():
        count = int((~np.isfinite(record.data)).sum())
        raise RecordError(f"{count} samples of component {_letters(bad)} are NaN or infinite")
    if settings.kind == "sliding":
        return _sliding(record, settings)
    if settings.kind == "s":
        return [_earthquake(record, settings)]
    return [_single(record, settings)]


def _letters(which) -> str:
    return ", ".join(letter for letter, is_it in zip("ENZ", which, strict=True) if is_it)


def _need_energy(data):
    """Raise RecordError when a component does not move."""
    dead = np.ptp(data, axis=-1) == 0
    if dead.any():
        raise RecordError(f"component {_letters(dead)} is constant inside the window")


def _row(record, settings, curve, window, **more) -> Row:
    light = replace(record, data=np.empty((3, 0)))
    return Row(light, GROUPS[settings.group](record), curve, window, **more)


def _peaks(record, windows):
    """Return the largest absolute sample of each window and of the whole record, means removed."""
    size = np.abs(record.data - record.data.mean(axis=1, keepdims=True)).max(axis=0)
    return [float(size[w.start : w.stop].max()) for w in windows], float(size.max())


def _earthquake(record, settings) -> Row:
    """Return the curve of the S window."""
    data, rate = record.data, record.sampling_rate
    p, s, source = record.p_s, record.s_s, record.onset_source
    if not np.isfinite(s):
        picked_p = p
        p, s = energy_onsets(data, rate)
        p, source = (picked_p if np.isfinite(picked_p) else p), "energy"
    whole = window = signal_window(record.npts, rate, s, source, settings.length_s, settings.taper)
    if source != "energy":  # an S told from the energy may be P, and its S no second earthquake
        window = before_second_earthquake(data, rate, window, record.magnitude)
    noise = noise_window(rate, p, window.start)
    _need_energy(data[:, window.start : window.stop])
    curve, snr_ok = _windowed(record, window, noise, settings)
    length_s = (window.stop - window.start) / rate
    if length_s < settings.length_s - 1 / rate:  # cut short: too few cycles
        cycles = min(CYCLES, settings.length_s * settings.band_hz[0])
        curve[settings.frequency_hz * length_s < cycles * (1 - 1e-9)] = np.nan
    (peak,), record_peak = _peaks(record, [window])
    more = {"noise": noise, "snr_ok": snr_ok, "cut": window != whole, "peak": peak, "record_peak": record_peak}
    return _row(record, settings, curve, window, **more)


def _windowed(record, window, noise, settings):
    """Return a curve (f,) and where its components stand out of the noise (3, f)."""
    return curves.windowed_hvsr(
        record.data,
        record.sampling_rate,
        window,
        noise,
        settings.frequency_hz,
        how=settings.horizontal,
        smoothing=settings.smoothing,
        snr=settings.snr,
        taper=settings.taper,
    ), None


def _single(record, settings) -> Row:
    """Return the curve of the whole record, or of the noise before P."""
    data, rate, f0_hz = record.data, record.sampling_rate, np.nan
    window = signal_window(record.npts, rate, np.nan, "full", None)
    if settings.kind == "noise":
        p = record.p_s if np.isfinite(record.p_s) else energy_onsets(data, rate)[0]
        noise = noise_window(rate, p, record.npts)
        if noise is None:
            raise RecordError(f"record holds less than {SHORTEST_S:g} s of noise before P")
        window = Window(*noise, "noise")
    part = data[:, window.start : window.stop]
    _need_energy(part)
    if settings.compat == "timesnet-gen":
        curve = timesnet_gen.hvsr_curves(part[None], rate, settings.frequency_hz)[0]
        f0_hz = float(timesnet_gen.record_f0(part[None], rate, settings.band_hz)[0])
    else:
        curve, _ = _windowed(record, window, None, settings)
    (peak,), record_peak = _peaks(record, [window])
    return _row(record, settings, curve, window, f0_hz=f0_hz, peak=peak, record_peak=record_peak)


def _sliding(record, settings) -> list[Row]:
    """Return the curves of windows of one length, side by side or overlapping."""
    rate, n = record.sampling_rate, round(settings.length_s * record.sampling_rate)
    step = max(round(n * (1 - settings.overlap)), 1)
    windows = [Window(i, i + n, "sliding") for i in range(0, record.npts - n + 1, step)][: settings.max_windows]
    if not windows:
        raise RecordError(f"record holds only {record.npts / rate:.1f} s; one window of {settings.length_s:g} s needed")
    parts = np.stack([record.data[:, w.start : w.stop] for w in windows])
    alive = np.flatnonzero((np.ptp(parts, axis=-1) > 0).all(axis=1))
    if not alive.size:
        _need_energy(parts[0])
    values = curves.hvsr_array(
        parts[alive],
        rate,
        settings.frequency_hz,
        horizontal=settings.horizontal,
        smoothing=settings.smoothing,
        taper=settings.taper,
    )
    windows = [windows[i] for i in alive]
    peaks, record_peak = _peaks(record, windows)
    return [
        _row(record, settings, curve, window, peak=peak, record_peak=record_peak)
        for curve, window, peak in zip(values, windows, peaks, strict=True)
    ]
