"""The curves of one record: which windows it gives, and the HVSR of each."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from obspy_tng.errors import RecordError
from obspy_tng.record import Record
from obspy_tng.site import curves, timesnet_gen
from obspy_tng.site.azimuth import azimuthal
from obspy_tng.site.outliers import sta_lta
from obspy_tng.site.settings import GROUPS, Settings
from obspy_tng.site.windows import (
    CYCLES,
    SHORTEST_S,
    Window,
    before_second_earthquake,
    energy_onsets,
    noise_window,
    signal_window,
    sliding,
)

_BLOCK = 16  # sliding windows per pass


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
        Largest absolute sample of the window and of the record, means removed; of a recording cut in sliding
        windows, that of a window stands for both, and the Dataset takes the largest of all.
    length_s : float
        Of the record.
    by_azimuth : numpy.ndarray, shape (azimuth, f), or None
    trace : numpy.ndarray, shape (3, n), float32, or None
        The samples of the record, for a figure.
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
    length_s: float = np.nan
    by_azimuth: np.ndarray | None = None
    trace: np.ndarray | None = None


def rows(record: Record, settings: Settings, stretch=None) -> list[Row]:
    """Return the curves of one record, one for each of its windows.

    Parameters
    ----------
    record : Record
        Left as it is.
    settings : Settings
    stretch : pieces.Stretch, optional
        Which part of a longer recording the record is; its windows then count from the start of that.

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
        return _sliding(record, settings, stretch)
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
    """Return the row of a record with one window."""
    size = np.abs(record.data - record.data.mean(axis=1, keepdims=True)).max(axis=0)
    peaks = {"peak": float(size[window.start : window.stop].max()), "record_peak": float(size.max())}
    peaks["length_s"] = record.npts / record.sampling_rate
    directions = _by_azimuth(record.data[None, :, window.start : window.stop], record.sampling_rate, settings)
    if directions is not None:
        peaks["by_azimuth"] = np.where(np.isfinite(curve), directions[0], np.nan)
    light = replace(record, data=np.empty((3, 0)))
    return Row(light, GROUPS[settings.group](record), curve, window, **peaks, **more)


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
        window = before_second_earthquake(data, rate, window, s, record.magnitude)
    noise = noise_window(rate, p, window.start)
    _need_energy(data[:, window.start : window.stop])
    curve, snr_ok = _windowed(record, window, noise, settings)
    length_s = (window.stop - window.start) / rate
    if length_s < settings.length_s - 1 / rate:  # cut short: too few cycles
        cycles = min(CYCLES, settings.length_s * settings.band_hz[0])
        curve[settings.frequency_hz * length_s < cycles * (1 - 1e-9)] = np.nan
    return _row(record, settings, curve, window, noise=noise, snr_ok=snr_ok, cut=window != whole)


def _by_azimuth(parts, rate, settings):
    """Return the curves (window, azimuth, f) of cut windows (window, 3, n) along each azimuth, None for none."""
    if not settings.azimuths_deg:
        return None
    how = {"azimuths_deg": settings.azimuths_deg, "smoothing": settings.smoothing, "taper": settings.taper}
    return azimuthal(parts, rate, settings.frequency_hz, **how).astype(np.float32)


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
        return_mask=True,
    )


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
        if rate / 2 <= settings.band_hz[0]:
            band = "{:g}-{:g} Hz".format(*settings.band_hz)
            raise RecordError(f"band {band} lies above the Nyquist frequency, {rate / 2:g} Hz")
        curve = timesnet_gen.hvsr_curves(part[None], rate, settings.frequency_hz)[0]
        f0_hz = float(timesnet_gen.record_f0(part[None], rate, settings.band_hz)[0])
    else:
        curve = _of_windows(part[None], rate, settings)[0]
    return _row(record, settings, curve, window, f0_hz=f0_hz)


def _sliding(record, settings, stretch) -> list[Row]:
    """Return the curves of windows of one length, side by side or overlapping."""
    rate, shift = record.sampling_rate, 0
    light = replace(record, data=np.empty((3, 0)))
    if stretch is not None:
        shift = round((record.starttime - stretch.origin) * rate)
        record = replace(record, data=record.data[:, : stretch.npts])
        unknown = {"event_id": "", "origin_time": None, "magnitude": np.nan, "distance_km": np.nan}
        light = replace(light, starttime=stretch.origin, source="", **unknown)
    group, out = GROUPS[settings.group](light), []
    windows = _fixed(record, settings, stretch)
    for i in range(0, len(windows), _BLOCK):
        block = windows[i : i + _BLOCK]
        parts = np.stack([record.data[:, w.start : w.stop] for w in block])
        alive = np.flatnonzero((np.ptp(parts, axis=-1) > 0).all(axis=1))
        size = np.abs(parts - parts.mean(axis=-1, keepdims=True)).max(axis=(1, 2))
        ratios, directions = sta_lta(parts, rate), _by_azimuth(parts, rate, settings)
        for k, curve in zip(alive, _of_windows(parts[alive], rate, settings), strict=True):
            window = block[k]
            out.append(
                Row(
                    light,
                    group,
                    curve,
                    window._replace(start=window.start + shift, stop=window.stop + shift),
                    sta_lta=(float(ratios[0][k]), float(ratios[1][k])),
                    peak=float(size[k]),
                    record_peak=float(size[k]),
                    length_s=(record.npts + shift) / rate,
                    by_azimuth=None if directions is None else directions[k],
                )
            )
    if not out:
        _need_energy(record.data)
        raise RecordError("in every window a component is constant")
    return out


def _fixed(record, settings, stretch) -> list[Window]:
    """Return the sliding windows of a record."""
    limit = settings.max_windows if stretch is None else stretch.n_windows
    if settings.compat == "geopsy":
        from obspy_tng.site.geopsy import window_bounds

        limits = {"overlap": settings.overlap, "max_windows": limit}
        bounds = window_bounds(record.npts, record.sampling_rate, settings.length_s, **limits)
        return [Window(int(start), int(stop), "sliding") for start, stop in bounds]
    return sliding(record.npts, record.sampling_rate, settings.length_s, settings.overlap)[:limit]


def _of_windows(parts, rate, settings):
    """Return the curves (window, f) of cut windows (window, 3, n)."""
    how = {"horizontal": settings.horizontal, "smoothing": settings.smoothing, "taper": settings.taper}
    if settings.compat == "geopsy":
        from obspy_tng.site.geopsy import hvsr_of_windows

        return hvsr_of_windows(parts, rate, settings.frequency_hz, **how)
    return curves.hvsr_array(parts, rate, settings.frequency_hz, **how)
