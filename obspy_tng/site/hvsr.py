"""HVSR of records and stations: waveforms in, xarray Dataset out."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from obspy_tng.errors import RecordError, TNGError
from obspy_tng.record import Record, Skipped
from obspy_tng.site import curves, timesnet_gen
from obspy_tng.site.inputs import record_parts
from obspy_tng.site.smoothing import parse
from obspy_tng.site.spectra import check_horizontal
from obspy_tng.site.windows import (
    CYCLES,
    Window,
    before_second_earthquake,
    energy_onsets,
    noise_window,
    signal_window,
    window_length,
)

BAND_HZ = (0.5, 20.0)  # without a band
N_FREQUENCY = 200
TAPER = 0.1
GROUPS = {
    "station": lambda r: r.code,
    "sensor": lambda r: f"{r.network}.{r.station}.{r.location}.{r.channels[2][:-1]}",
    "record": lambda r: r.id,
    "all": lambda r: "all",
}


class _Result(NamedTuple):
    """Curve of one record and where it came from."""

    record: Record  # its samples dropped
    group: str
    curve: np.ndarray
    window: Window
    noise: tuple[int, int] | None
    cut: bool  # before a second earthquake
    f0_hz: float


def hvsr(
    data,
    *,
    inventory=None,
    events=None,
    band_hz: tuple[float, float] | None = None,
    window: str | float = "s",
    horizontal: str = "quadratic",
    smoothing: str = "ko:40",
    snr: float = 3.0,
    n_frequency: int | None = None,
    compat: str | None = None,
    group: str = "station",
    units: str | None = None,
    sampling_rate_hz: float | None = None,
):
    """Compute the earthquake HVSR of records and the log-mean curve of every station.

    Per record: S window cut, mean removed, 10 % cosine ramps outside of it, Fourier amplitudes at exactly the window's
    length, horizontals combined, H and V smoothed, divided. A frequency at which the smoothed spectrum of any
    component is less than `snr` times that of the noise before P is NaN for that record.

    Parameters
    ----------
    data : Stream, list of Stream, list of Record, path, list of paths, or numpy.ndarray
        Waveforms; not modified. Paths are files ObsPy reads, directories, globs or zip archives, read one by
        one. An array is (record, 3, n) or (3, n), components E, N, Z, with `sampling_rate_hz`.
    inventory, events : ObsPy object or path, optional
        StationXML (responses, coordinates) and QuakeML (P and S picks, travel times).
    band_hz : (float, float), optional
        Lowest and highest frequency in Hz. Default 0.5-20 Hz with a window of 20 s; when given the window is
        max(15 s, 10 / fmin), as far as the record reaches.
    window : {"s", "full"} or float
        S window, whole record, or S window of that many seconds.
    horizontal : {"quadratic", "geometric", "arithmetic", "total-energy", "maximum"}
        How the horizontals are combined, before smoothing.
    smoothing : str
        ``"ko:B"``: Konno-Ohmachi of bandwidth B.
    snr : float
        Smallest signal/noise ratio of smoothed amplitudes per sqrt(length); 0 for no mask. Records with less
        than 5 s before P are not masked: their ``noise_length_s`` is 0.
    n_frequency : int, optional
        Number of log-spaced frequencies in the band, default 200; curves also cover half an octave beyond either end.
    compat : {None, "timesnet-gen"}
        ``"timesnet-gen"``: as the published code, see `timesnet_gen`; whole record, 400 linear frequencies
        1-20 Hz; `horizontal`, `smoothing` and `snr` are not used.
    group : {"station", "sensor", "record", "all"}
        What one curve is made of: NET.STA, NET.STA.LOC.CH, one record, everything.
    units : {"m/s2", "cm/s2", "gal", "g"}, optional
        What the numbers are; the ratio does not depend on it.
    sampling_rate_hz : float, optional
        Of an array, in Hz.

    Returns
    -------
    xarray.Dataset
        ``hvsr`` (record, frequency); ``curve``, ``sigma_ln``, ``n_valid`` (station, frequency): exp(mean ln),
        standard deviation of ln (ddof 1), number of valid records. Coordinates say station, event, distance
        and the window of every record; attributes hold the settings and ``skipped``, what was left out and
        why.

    Raises
    ------
    TNGError
        A setting is not known, or nothing could be computed.

    References
    ----------
    Lermo & Chávez-García (1993), BSSA 83(5), 1574-1594; Konno & Ohmachi (1998), BSSA 88(1), 228-241.

    Examples
    --------
    >>> import obspy
    >>> from obspy_tng import hvsr
    >>> dict(hvsr(obspy.read(), window="full").sizes)
    {'record': 1, 'frequency': 200, 'station': 1}
    """
    settings = _settings(band_hz, window, horizontal, smoothing, snr, n_frequency, compat, group)
    results: list[_Result] = []
    skipped: list[Skipped] = []
    for part in record_parts(data, inventory, events, units, sampling_rate_hz):
        skipped.extend(getattr(part, "skipped", ()))
        for record in part:
            try:
                results.append(_curve(record, settings))
            except RecordError as err:
                skipped.append(Skipped(_name(record), str(err)))
    if not results:
        raise NothingComputedError(skipped)
    return _dataset(results, skipped, settings)


class NothingComputedError(TNGError):
    """No record could be used; ``skipped`` holds the reasons."""

    def __init__(self, skipped):
        first = f"; first: {skipped[0].name}: {skipped[0].reason}" if skipped else ""
        super().__init__(f"no HVSR could be computed: {len(skipped)} file(s) or record(s) skipped{first}")
        self.skipped = list(skipped)


def _settings(band_hz, window, horizontal, smoothing, snr, n_frequency, compat, group) -> dict:
    """Return the checked settings, with the output frequencies."""
    curves.check_compat(compat)
    check_horizontal(horizontal)
    if group not in GROUPS:
        raise TNGError(f"group {group!r} not known; accepted: {', '.join(GROUPS)}")
    if not snr >= 0:
        raise TNGError(f"snr {snr!r} is not a number of 0 or more")
    if band_hz is not None:
        band_hz = tuple(map(float, band_hz))
        if len(band_hz) != 2 or not 0 < band_hz[0] < band_hz[1] < np.inf:
            raise TNGError(f"band {band_hz} is not 0 < FMIN < FMAX in Hz")
    length_s = window_length(window, band_hz)
    if compat == "timesnet-gen":
        band = band_hz or timesnet_gen.BAND_HZ
        frequency = np.linspace(*band, n_frequency or timesnet_gen.N_FREQUENCY)
        return {
            "band_hz": band,
            "frequency_hz": frequency,
            "length_s": None,
            "window": "full",
            "horizontal": "geometric",
            "smoothing": timesnet_gen.SMOOTHING,
            "snr": 0.0,
            "taper": 0.0,
            "compat": compat,
            "group": group,
        }
    band = band_hz or BAND_HZ
    return {
        "band_hz": band,
        "frequency_hz": _with_flanks(*band, n_frequency or N_FREQUENCY),
        "length_s": length_s,
        "window": str(window),
        "horizontal": horizontal,
        "smoothing": str(parse(smoothing)),
        "snr": float(snr),
        "taper": TAPER,
        "compat": "",
        "group": group,
    }


def _with_flanks(low_hz, high_hz, n) -> np.ndarray:
    """Return n log-spaced frequencies over a band and, at the same spacing, half an octave beyond either end.

    A peak near an end of the band can only be judged by both its flanks.
    """
    step = np.log(high_hz / low_hz) / (n - 1)
    beyond = int(np.log(2) / 2 / step)
    return low_hz * np.exp(step * np.arange(-beyond, n + beyond))


def _name(record):
    return f"{record.source}: {record.id}" if record.source else record.id


def _curve(record, settings) -> _Result:
    """Return the curve of one record.

    Raises
    ------
    RecordError
        Too short after S, or a component without energy.
    """
    data, rate, f0 = record.data, record.sampling_rate, np.nan
    p, s, source = record.p_s, record.s_s, record.onset_source
    window_only = settings["length_s"] is None
    if not np.isfinite(s) and not window_only:
        picked_p = p
        p, s = energy_onsets(data, rate)
        p, source = (picked_p if np.isfinite(picked_p) else p), "energy"
    window = signal_window(record.npts, rate, s, source, settings["length_s"], settings["taper"])
    whole = window
    if not window_only and source != "energy":  # an S told from the energy may be P, and its S no second earthquake
        window = before_second_earthquake(data, rate, window, record.magnitude)
    noise = None if window_only else noise_window(rate, p, window.start)
    if (np.ptp(data[:, window.start : window.stop], axis=1) == 0).any():
        raise RecordError("a component is constant inside the window")
    if settings["compat"] == "timesnet-gen":
        curve = timesnet_gen.hvsr_curves(data[None], rate, settings["frequency_hz"])[0]
        f0 = timesnet_gen.record_f0(data[None], rate, settings["band_hz"])[0]
    else:
        curve = curves.windowed_hvsr(
            data,
            rate,
            window,
            noise,
            settings["frequency_hz"],
            how=settings["horizontal"],
            smoothing=settings["smoothing"],
            snr=settings["snr"],
            taper=settings["taper"],
        )
        length_s = (window.stop - window.start) / rate
        if not window_only and length_s < settings["length_s"] - 1 / rate:  # cut short: too few cycles
            cycles = min(CYCLES, settings["length_s"] * settings["band_hz"][0])
            curve[settings["frequency_hz"] * length_s < cycles * (1 - 1e-9)] = np.nan
    light = replace(record, data=np.empty((3, 0)))
    return _Result(light, GROUPS[settings["group"]](record), curve, window, noise, window != whole, f0)


def _dataset(results, skipped, settings):
    """Return the Dataset of all curves, with the statistics of every station."""
    import xarray as xr

    results = sorted(results, key=lambda r: (r.group, r.record.starttime))
    group = np.array([r.group for r in results])
    stations = np.unique(group)
    curve = np.array([r.curve for r in results])
    stats = [curves.lognormal(curve[group == s]) for s in stations]
    rate = np.array([r.record.sampling_rate for r in results])
    start = np.array([r.window.start for r in results]) / rate
    stop = np.array([r.window.stop for r in results]) / rate
    noise = np.array([(r.noise[1] - r.noise[0]) if r.noise else 0 for r in results]) / rate

    def of(name):
        return [getattr(r.record, name) for r in results]

    def middle(name):
        return [np.median(np.array(of(name))[group == s]) for s in stations]

    variables = {
        "hvsr": (("record", "frequency"), curve, _attrs("horizontal-to-vertical spectral ratio", "1")),
        "curve": (
            ("station", "frequency"),
            np.array([s[0] for s in stats]),
            _attrs("exp(mean ln HVSR)", "1"),
        ),
        "sigma_ln": (
            ("station", "frequency"),
            np.array([s[1] for s in stats]),
            _attrs("std of ln HVSR, ddof 1", "1"),
        ),
        "n_valid": (("station", "frequency"), np.array([s[2] for s in stats]), _attrs("records used", "1")),
    }
    if settings["compat"]:
        f0 = np.array([r.f0_hz for r in results])
        variables["f0_record_hz"] = ("record", f0, _attrs("frequency of the largest value", "Hz"))
    coords = {
        "frequency": ("frequency", settings["frequency_hz"], _attrs("frequency", "Hz")),
        "record": ("record", [r.record.id for r in results]),
        "station": ("station", stations),
        "record_station": ("record", group),
        "event": ("record", of("event_id")),
        "starttime": ("record", [str(r.record.starttime) for r in results]),
        "magnitude": ("record", of("magnitude")),
        "distance_km": ("record", of("distance_km"), _attrs("epicentral distance", "km")),
        "window_start_s": ("record", start, _attrs("start of the window after the first sample", "s")),
        "window_end_s": ("record", stop, _attrs("end of the window after the first sample", "s")),
        "window_source": ("record", [r.window.source for r in results]),
        "window_cut": ("record", [r.cut for r in results], {"long_name": "cut before a second earthquake"}),
        "noise_length_s": ("record", noise, _attrs("noise before P; 0: no SNR mask", "s")),
        "latitude_deg": ("station", middle("latitude_deg"), _attrs("latitude", "degree")),
        "longitude_deg": ("station", middle("longitude_deg"), _attrs("longitude", "degree")),
    }
    attrs = {k: settings[k] for k in ("window", "horizontal", "smoothing", "snr", "taper", "compat", "group")}
    attrs |= {"band_hz": list(settings["band_hz"]), "window_length_s": settings["length_s"] or 0.0}
    attrs["skipped"] = [f"{s.name}: {s.reason}" for s in skipped]
    return xr.Dataset(variables, coords, attrs)


def _attrs(long_name, units):
    return {"long_name": long_name, "units": units}
