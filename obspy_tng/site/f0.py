"""f0 of a station: the lowest clear peak of its log-mean HVSR curve, or the reason why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.site import uncertainty
from obspy_tng.site.missing import why_no_curve
from obspy_tng.site.peaks import (
    MIN_AMPLITUDE,
    MIN_PROMINENCE,
    clear_peaks,
    edge_hint,
    no_peak_reason,
    record_peaks,
)
from obspy_tng.site.table import band_of, checked_band, like
from obspy_tng.site.uncertainty import CONFIDENCE, QUANTILES, SAME_PEAK_LN, same_peak

if TYPE_CHECKING:
    import xarray as xr

MIN_SUPPORT = 0.8  # share of resamplings in which a peak must be clear too; tuned on simulated sites
MIN_DOUBT = 0.2  # share of resamplings that have a clear peak below f0: f0 may be that
MIN_RECORDS = 3  # frequencies with fewer valid records take no part (unless the station has fewer)
RULES = ("lowest clear peak", "argmax")
# variable -> unit, of every peak and, for the lowest one, of the station
OF_PEAK = {
    "peak_frequency_hz": "Hz",
    "peak_low_hz": "Hz",
    "peak_high_hz": "Hz",
    "peak_amplitude": "1",
    "peak_prominence_ln": "1",
    "peak_support": "1",
}
OF_STATION = {
    "f0_hz": "Hz",
    "f0_low_hz": "Hz",
    "f0_high_hz": "Hz",
    "a0": "1",
    "sigma_ln": "1",
    "support": "1",
    "f0_record_sigma_ln": "1",
    "f0_alternative_hz": "Hz",
    "f0_alternative_support": "1",
}


def f0_argmax(curves: np.ndarray, frequency_hz, band_hz: tuple[float, float] | None = None) -> np.ndarray:
    """Return the frequency of the largest value of each curve; it reports something even on flat rock.

    Parameters
    ----------
    curves : numpy.ndarray, shape (..., f)
    frequency_hz : array_like, shape (f,)
        In Hz.
    band_hz : (float, float), optional
        Limits of the search in Hz, both included.

    Returns
    -------
    numpy.ndarray, shape (...)
        In Hz; NaN where a curve has no finite value.
    """
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    inside = np.ones(frequency.size, bool) if band_hz is None else _inside(frequency, band_hz)
    part = np.where(np.isfinite(curves[..., inside]), curves[..., inside], -np.inf)
    out = frequency[inside][np.argmax(part, axis=-1)]
    return np.where(part.max(axis=-1) > -np.inf, out, np.nan)


def pick_f0(
    dataset: xr.Dataset,
    *,
    band_hz: tuple[float, float] | None = None,
    min_amplitude: float | None = None,
    min_prominence: float = MIN_PROMINENCE,
    min_support: float = MIN_SUPPORT,
    rule: str | None = None,
    n_bootstrap: int = 200,
    seed: int = 0,
) -> xr.Dataset:
    """Tell f0 of every station of an HVSR Dataset.

    f0 is the lowest peak of the station's log-mean curve with an amplitude of at least 2 and a ln-prominence
    of at least 0.25 that stays clear in most resamplings of its records; a station without one gets NaN and a
    reason. Rows that are not ``accepted`` take no part.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `hvsr`.
    band_hz : (float, float), optional
        Accept peaks only there, in Hz; default the band of the dataset. Flanks beyond it still tell how far a peak
        stands out.
    min_amplitude : float, optional
        Smallest amplitude of H/V; default 2, or 2 √2 for total-energy horizontals.
    min_prominence : float
        In ln; 0.25 is a factor of 1.28.
    min_support : float
        Share of resamplings of the records in which the peak must be clear too, within half an octave; 0.8.
        Stations with fewer than three records are not resampled.
    rule : {"lowest clear peak", "argmax"}, optional
        ``"argmax"``, the default for ``compat="timesnet-gen"``: median of the records' f0, each the largest
        value of its curve.
    n_bootstrap : int
        Resamplings of the records; 0 for none, then every clear peak counts and there is no interval.
    seed : int
        Of the resampling.

    Returns
    -------
    xarray.Dataset
        Per ``station``: ``f0_hz``, ``f0_low_hz`` and ``f0_high_hz`` (68 % interval of `uncertainty.interval`),
        ``a0`` and ``sigma_ln`` there, ``support`` (share of resamplings that have the peak), ``n_records``,
        ``n_windows`` (accepted rows), ``n_used`` (those valid at f0, or at any frequency when there is none),
        ``reason`` (remarks when there is an f0). ``f0_alternative_hz`` is the place of another, lower peak that is
        clear in at least a fifth of the resamplings, ``f0_alternative_support``, and could as well be f0; NaN when
        there is none. The interval is that of the peak chosen, and does not tell of the other.

        Per ``station`` and ``peak``, the first of them f0, from low to high, NaN where there are fewer:
        ``peak_frequency_hz``, ``peak_low_hz``, ``peak_high_hz``, ``peak_amplitude``, ``peak_prominence_ln``,
        ``peak_support``.

        Per ``record``: ``f0_record_hz``, the highest local maximum of its own curve in [f0 / 1.5, 1.5 f0] (for
        ``argmax`` its largest value); ``f0_record_sigma_ln`` (station) is its standard deviation in ln, ddof 1:
        how much a single record's f0 scatters, while the interval tells how well the station's f0 is known. It
        cannot exceed 0.23 much, which a peak anywhere in that range would give.

    Raises
    ------
    TNGError
        `rule` is not known, or the band holds fewer than three frequencies.

    References
    ----------
    SESAME (2004), Guidelines for the implementation of the H/V spectral ratio technique (A0 > 2). That f0, the
    interval of it and the scatter of the records are told without a person choosing a peak is in the style of
    Yazdi, Motamed & Anderson (2022), A new set of automated methodologies for estimating site fundamental frequency
    and its uncertainty using horizontal-to-vertical spectral ratio curves, SRL 93(3); the steps are our own.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> curves = tng.hvsr(tng.simulate(n=20, seed=1))
    >>> tng.pick_f0(curves).f0_hz.round(1).item()
    2.0
    """
    default = "argmax" if dataset.attrs.get("compat") == "timesnet-gen" else "lowest clear peak"
    rule = rule or default
    if rule not in RULES:
        raise TNGError(f"rule {rule!r} not known; accepted: {', '.join(RULES)}")
    if min_amplitude is None:
        min_amplitude = MIN_AMPLITUDE * (np.sqrt(2) if dataset.attrs.get("horizontal") == "total-energy" else 1)
    frequency = dataset.frequency.values
    given_band = band_hz is not None
    band_hz = checked_band(band_hz if given_band else band_of(dataset) or frequency[[0, -1]])
    inside = _inside(frequency, band_hz)
    if inside.sum() < 3:
        raise TNGError(f"band {band_hz} Hz holds {inside.sum()} of the curve's frequencies; at least 3 needed")
    stations, station_of = dataset.station.values, dataset.record_station.values
    accepted = dataset.accepted.values if "accepted" in dataset else np.ones(station_of.size, bool)
    if rule == default == "argmax" and "f0_record_hz" in dataset and not given_band:
        own_f0 = dataset.f0_record_hz.values.copy()
    elif rule == "argmax":
        own_f0 = f0_argmax(dataset.hvsr.values[:, inside], frequency[inside])
    else:
        own_f0 = np.full(station_of.size, np.nan)
    rows, peaks = [], []
    for station in stations:
        mine = np.flatnonzero((station_of == station) & accepted)
        curves, counts = dataset.hvsr.values[mine], _counts(dataset, mine)
        rng = np.random.default_rng(seed)
        if rule == "argmax":
            row, found = _median_of_records(curves[:, inside], frequency[inside], own_f0[mine], rng, n_bootstrap)
        else:
            limits = (min_amplitude, min_prominence)
            row, found = _of_curves(
                curves, frequency, inside, limits, min_support, rng, n_bootstrap, counts["n_independent"]
            )
            if found:
                own_f0[mine] = record_peaks(curves, frequency, row["f0_hz"])
        if not found:
            row["reason"] = why_no_curve(dataset, station_of == station, inside, MIN_RECORDS) or row["reason"]
        own = np.log(own_f0[mine][np.isfinite(own_f0[mine])])
        row["f0_record_sigma_ln"] = float(own.std(ddof=1)) if own.size > 1 else np.nan
        rows.append(row | {name: counts[name] for name in ("n_records", "n_windows")})
        peaks.append(found)
    out = {name: ("station", np.array([row[name] for row in rows]), {"units": u}) for name, u in OF_STATION.items()}
    out |= {
        name: ("station", np.array([row[name] for row in rows]))
        for name in ("n_records", "n_windows", "n_used", "reason")
    }
    n_peak = max(1, *map(len, peaks))
    for column, (name, unit) in enumerate(OF_PEAK.items()):
        values = [[p[column] for p in found] + [np.nan] * (n_peak - len(found)) for found in peaks]
        out[name] = (("station", "peak"), np.array(values, float), {"units": unit})
    out["f0_record_hz"] = ("record", own_f0, {"units": "Hz"})
    coords = {"station": stations, "peak": np.arange(n_peak)}
    if "record" in dataset.coords:
        coords["record"] = dataset.record.values
    keep = {k: dataset.attrs[k] for k in ("window", "horizontal", "smoothing", "snr", "compat") if k in dataset.attrs}
    attrs = keep | {
        "rule": rule,
        "min_amplitude": float(min_amplitude),
        "min_prominence": float(min_prominence),
        "min_support": min_support,
        "band_hz": list(map(float, band_hz)),
        "n_bootstrap": n_bootstrap,
        "seed": seed,
        "interval": CONFIDENCE,
    }
    return like(dataset, out, coords, attrs)


def _counts(dataset, mine) -> dict:
    """Return how many records and windows a station has, and how many windows do not overlap."""
    n = len(mine)
    out = {"n_records": n, "n_windows": n, "n_independent": n}
    if "record_id" in dataset.coords:
        record_id = dataset.record_id.values[mine]
        out["n_records"] = np.unique(record_id).size
        if out["n_records"] < n:
            times = dataset.window_start_s.values[mine], dataset.window_end_s.values[mine]
            out["n_independent"] = uncertainty.n_independent(record_id, *times)
    return out


def _of_curves(curves, frequency, inside, limits, min_support, rng, n_bootstrap, n_independent):
    """Return what `pick_f0` tells of one station and its peaks, by the lowest clear peak of its log-mean curve."""
    n = len(curves)
    valid = np.isfinite(curves)
    usable = valid.sum(axis=0) >= min(MIN_RECORDS, max(n, 1))
    logs = np.where(valid, np.log(np.where(valid, curves, 1.0)), 0.0)
    curve = uncertainty.mean_curves(np.ones((1, n)), logs, valid, usable)[0]
    out = _nothing(int(valid.any(axis=1).sum()))
    low, high = frequency[inside][[0, -1]]
    found = [p for p in clear_peaks(curve, frequency, *limits) if low <= p.frequency_hz <= high]
    if not n:
        return out | {"reason": "no accepted record"}, []
    if not found:
        return out | {"reason": no_peak_reason(curve[inside], frequency[inside], *limits)}, []
    trials = []
    if n_independent >= MIN_RECORDS and n_bootstrap:
        again = uncertainty.resampled_curves(logs, valid, usable, n_independent, n_bootstrap, rng)
        trials = [np.array([p.frequency_hz for p in clear_peaks(c, frequency, *limits)]) for c in again]
    kept, weak, told = [], "", np.nan
    for peak in found:
        same = same_peak(trials, peak.frequency_hz)
        support = same.size / n_bootstrap if trials else np.nan
        if support < min_support:
            if not (kept or weak):
                told = peak.frequency_hz
                weak = (
                    f"the peak at {peak.frequency_hz:.2f} Hz, amplitude {peak.amplitude:.1f}, is clear in only "
                    f"{int(100 * support)} % of resamplings"
                )
            continue
        limit = uncertainty.interval(peak.frequency_hz, same, n_independent) if trials else (np.nan, np.nan)
        kept.append((peak.frequency_hz, *limit, peak.amplitude, peak.prominence_ln, support))
    out |= _alternative(trials, kept[0][0] if kept else np.inf, (low, high))
    if not kept:
        return out | {"reason": f"no clear peak: {weak}"}, []
    f0, f0_low, f0_high, a0, _, support = kept[0]
    other, share = out["f0_alternative_hz"], out["f0_alternative_support"]
    doubt = f"f0 may be {other:.2f} Hz instead (support {share:.2f})" if share > 0 else ""
    if weak and abs(np.log(told / other)) <= SAME_PEAK_LN:
        weak = ""  # the same peak
    at = int(np.argmin(np.abs(np.log(frequency / f0))))
    here = logs[valid[:, at], at]
    hint = edge_hint(curve[inside], frequency[inside], *limits)
    what = "record(s)" if n == n_independent else "window(s) without overlap"
    few = f"only {n_independent} {what}: f0 is uncertain, not tested by resampling"
    remarks = [few if n_independent < MIN_RECORDS else "", doubt, weak, hint if "below" in hint else ""]
    out |= {
        "f0_hz": f0,
        "f0_low_hz": f0_low,
        "f0_high_hz": f0_high,
        "a0": a0,
        "support": support,
        "n_used": int(here.size),
        "reason": "; ".join(r for r in remarks if r),
    }
    if here.size > 1:
        out["sigma_ln"] = float(here.std(ddof=1))
    return out, kept


def _alternative(trials, f0_hz, band_hz) -> dict:
    """Return the peak below f0, inside the band, that most resamplings have, if enough of them do."""
    low_hz, high_hz = band_hz[0], min(band_hz[1], f0_hz * np.exp(-SAME_PEAK_LN))
    inside = [t[(t >= low_hz) & (t <= high_hz)] for t in trials]
    places = np.sort(np.concatenate([[], *inside]))
    found = [same_peak(inside, place) for place in places[:: -(-places.size // 50) or 1]]
    if not found:
        return {}
    place = float(np.median(max(found, key=len)))
    share = same_peak(inside, place).size / len(trials)
    return {"f0_alternative_hz": place, "f0_alternative_support": share} if share >= MIN_DOUBT else {}


def _nothing(n_used) -> dict:
    names = ("f0_hz", "f0_low_hz", "f0_high_hz", "a0", "sigma_ln", "support")
    names += ("f0_alternative_hz", "f0_alternative_support")
    return dict.fromkeys(names, np.nan) | {"n_used": n_used, "reason": ""}


def _median_of_records(curves, frequency, f0, rng, n_bootstrap):
    """Return what `pick_f0` tells of one station and its peak as the median of the records' largest values."""
    f0 = f0[np.isfinite(f0)]
    out = _nothing(int(f0.size)) | {"reason": "no valid curve"}
    if not f0.size:
        return out, []
    median = float(np.median(f0))
    column = np.log(curves[:, np.argmin(np.abs(frequency - median))])
    column = column[np.isfinite(column)]
    out |= {"f0_hz": median, "a0": float(np.exp(column.mean())), "reason": ""}
    if column.size > 1:
        out["sigma_ln"] = float(column.std(ddof=1))
    if f0.size >= MIN_RECORDS and n_bootstrap:
        trials = np.median(f0[rng.integers(f0.size, size=(n_bootstrap, f0.size))], axis=1)
        out["f0_low_hz"], out["f0_high_hz"] = map(float, np.quantile(trials, QUANTILES))
        out["support"] = float((np.abs(np.log(f0 / median)) <= SAME_PEAK_LN).mean())
    return out, [(median, out["f0_low_hz"], out["f0_high_hz"], out["a0"], np.nan, out["support"])]


def _inside(frequency, band_hz):
    """Return which frequencies lie in the band, limits included despite rounding."""
    low, high = band_hz
    return (frequency >= low * (1 - 1e-9)) & (frequency <= high * (1 + 1e-9))
