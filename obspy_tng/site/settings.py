"""What an HVSR is computed with, checked before any file is read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.site import geopsy, timesnet_gen
from obspy_tng.site.smoothing import parse
from obspy_tng.site.spectra import check_horizontal
from obspy_tng.site.table import checked_band
from obspy_tng.site.windows import SHORTEST_S, window_length

BAND_HZ = (0.5, 20.0)  # without a band
N_FREQUENCY = 200
TAPER = 0.1
LAST_SAMPLE_S = 0.05  # of recordings of 20 Hz or more
COMPATS = ("geopsy", "timesnet-gen")
GROUPS = {
    "station": lambda r: r.code,
    "sensor": lambda r: f"{r.network}.{r.station}.{r.location}.{r.channels[2][:-1]}",
    "record": lambda r: r.id,
    "all": lambda r: "all",
}


@dataclass(frozen=True, eq=False)
class Settings:
    """Everything that shapes a curve.

    Attributes
    ----------
    kind : {"s", "full", "noise", "sliding"}
        Which windows of a record are analysed.
    length_s : float or None
        Of S and sliding windows.
    taper : float
        Each cosine ramp's share of the window.
    azimuths_deg : tuple of float
        Clockwise from north; empty for none.
    """

    kind: str
    length_s: float | None
    window: str
    band_hz: tuple[float, float]
    frequency_hz: np.ndarray
    overlap: float = 0.0
    max_windows: int | None = None
    taper: float = TAPER
    horizontal: str = "quadratic"
    smoothing: str = "ko:40"
    snr: float = 3.0
    compat: str = ""
    group: str = "station"
    azimuths_deg: tuple[float, ...] = ()

    def attrs(self) -> dict:
        """Return the settings as attributes that netCDF can hold."""
        names = ("window", "horizontal", "smoothing", "snr", "taper", "overlap", "compat", "group")
        return {name: getattr(self, name) for name in names} | {
            "max_windows": self.max_windows or 0,
            "band_hz": list(self.band_hz),
            "window_length_s": self.length_s or 0.0,
        }


def check(
    *,
    band_hz=None,
    window="s",
    overlap=0.0,
    max_windows=None,
    taper=None,
    horizontal="quadratic",
    smoothing="ko:40",
    snr=3.0,
    n_frequency=None,
    compat=None,
    group="station",
    azimuth_step_deg=None,
) -> Settings:
    """Return the checked settings; parameters as in `hvsr.hvsr`.

    Raises
    ------
    TNGError
        One of them is not known or makes no sense; the message tells what is accepted.
    """
    if compat not in (None, *COMPATS):
        raise TNGError(f"compat {compat!r} not known; accepted: {', '.join(COMPATS)}")
    check_horizontal(horizontal)
    smoothing = str(parse(smoothing))
    if group not in GROUPS:
        raise TNGError(f"group {group!r} not known; accepted: {', '.join(GROUPS)}")
    if not snr >= 0:
        raise TNGError(f"snr {snr!r} is not a number of 0 or more")
    if not 0 <= overlap < 1:
        raise TNGError(f"overlap {overlap!r} is not a share of the window's length, 0 <= OVERLAP < 1")
    if max_windows is not None and not max_windows >= 1:
        raise TNGError(f"max_windows {max_windows!r} is not a number of 1 or more")
    if n_frequency is not None and not n_frequency >= 3:
        raise TNGError(f"n_frequency {n_frequency!r} is not a number of 3 or more")
    if band_hz is not None:
        band_hz = checked_band(band_hz)
        if not 0 < band_hz[0] < band_hz[1] < np.inf:
            raise TNGError(f"band {band_hz} is not 0 < FMIN < FMAX in Hz")
    kind, length_s = parse_window(window, band_hz, compat)
    _check_taper(taper, kind, compat)
    if overlap and kind != "sliding":
        raise TNGError(f"overlap is of sliding windows; window {window!r} given, accepted: sliding:SECONDS")
    common = {"group": group, "compat": compat or "", "azimuths_deg": _azimuths(azimuth_step_deg, compat)}
    if compat == "timesnet-gen":
        band = band_hz or timesnet_gen.BAND_HZ
        frequency = np.linspace(*band, n_frequency or timesnet_gen.N_FREQUENCY)
        fixed = {"horizontal": "geometric", "smoothing": timesnet_gen.SMOOTHING, "snr": 0.0, "taper": 0.0}
        return Settings("full", None, "full", band, frequency, **fixed, **common)
    common |= {"overlap": float(overlap), "max_windows": max_windows, "horizontal": horizontal, "smoothing": smoothing}
    text = f"sliding:{length_s:g}" if kind == "sliding" else str(window)
    if compat == "geopsy":
        band = band_hz or geopsy.BAND_HZ
        frequency = geopsy.output_frequency(band, n_frequency or geopsy.N_FREQUENCY)
        taper = geopsy.TAPER if taper is None else float(taper)
        return Settings(kind, length_s, text, band, frequency, taper=taper, snr=0.0, **common)
    band = band_hz or BAND_HZ
    frequency = _with_flanks(*band, n_frequency or N_FREQUENCY)
    taper = TAPER if taper is None else float(taper)
    snr = float(snr) if kind == "s" else 0.0  # no other window has a noise beside it
    return Settings(kind, length_s, text, band, frequency, taper=taper, snr=snr, **common)


def parse_window(window, band_hz=None, compat=None) -> tuple[str, float | None]:
    """Return kind and length in s of what a user calls a window.

    Parameters
    ----------
    window : str or float
        ``"s"``, ``"full"``, ``"noise"``, ``"sliding:SECONDS"`` or the length of an S window in s. With
        ``compat="geopsy"`` a length is that of sliding windows, and ``"s"`` means 60 s; up to 0.05 s less than whole
        seconds means these: Geopsy's log calls a window of 60 s 59.99 s, from its first sample to its last.

    Returns
    -------
    kind : {"s", "full", "noise", "sliding"}
    length_s : float or None
        None for ``"full"`` and ``"noise"``.

    Raises
    ------
    TNGError
        Nothing of this, or under 5 s (sliding windows: under 1 s).
    """
    text = str(window)
    if text in ("full", "noise"):
        return text, None
    given = text.removeprefix("sliding:")
    if given == text and compat != "geopsy":
        try:
            return "s", window_length(window, band_hz)
        except TNGError:
            raise TNGError(
                f"window {window!r} not known; accepted: s, full, noise, sliding:SECONDS, or the length of an S "
                f"window, {SHORTEST_S:g} s or more"
            ) from None
    try:
        length_s = geopsy.WINDOW_S if given == "s" else float(given)
    except ValueError:
        length_s = np.nan
    if compat == "geopsy" and 1 < length_s < np.inf and 0 < np.ceil(length_s) - length_s <= LAST_SAMPLE_S:
        length_s = float(np.ceil(length_s))
    if not 1 <= length_s < np.inf:
        raise TNGError(f"window {window!r} not known; accepted: the length of sliding windows, 1 s or more")
    return "sliding", length_s


def _check_taper(taper, kind, compat):
    """Raise TNGError when ramps would leave nothing of a window, or of S between them."""
    whole = 1.0 if compat == "geopsy" else 0.5
    if taper is None or 0 <= taper < whole or (taper == whole and kind != "s"):
        return
    if compat == "geopsy":
        raise TNGError(f"taper {taper!r} is not the share of both ramps together, 0 <= TAPER <= 1")
    raise TNGError(f"taper {taper!r} is not the share of one ramp, 0 <= TAPER <= 0.5 (S windows: below 0.5)")


def _azimuths(step_deg, compat) -> tuple[float, ...]:
    if step_deg is None:
        return ()
    if compat:
        raise TNGError(f"azimuths are not defined with compat {compat!r}; accepted: compat none")
    if not 0 < step_deg <= 90:
        raise TNGError(f"azimuth step {step_deg!r}° given; accepted: above 0, up to 90")
    return tuple(float(a) for a in np.arange(0, 180, step_deg))


def _with_flanks(low_hz, high_hz, n) -> np.ndarray:
    """Return n log-spaced frequencies over a band and, at the same spacing, half an octave beyond either end.

    A peak near an end of the band can only be judged by both its flanks.
    """
    step = np.log(high_hz / low_hz) / (n - 1)
    beyond = int(np.log(2) / 2 / step)
    return low_hz * np.exp(step * np.arange(-beyond, n + beyond))
