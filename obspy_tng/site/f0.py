"""f0 of a station: the lowest clear peak of its log-mean HVSR curve, or the reason why there is none."""

from __future__ import annotations

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.site.peaks import MIN_AMPLITUDE, MIN_PROMINENCE, clear_peaks, edge_hint, no_peak_reason

SAME_PEAK_LN = 0.35  # peaks of resamplings within half an octave are the same one
MIN_SUPPORT = 0.8  # share of resamplings in which a peak must be clear too; tuned on simulated sites
MIN_RECORDS = 3  # frequencies with fewer valid records take no part (unless the station has fewer)
CONFIDENCE = 0.68


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
    dataset,
    *,
    band_hz: tuple[float, float] | None = None,
    min_amplitude: float | None = None,
    min_prominence: float = MIN_PROMINENCE,
    min_support: float = MIN_SUPPORT,
    rule: str | None = None,
    n_bootstrap: int = 200,
    seed: int = 0,
):
    """Tell f0 of every station of an HVSR Dataset.

    f0 is the lowest peak of the station's log-mean curve with an amplitude of at least 2 and a ln-prominence
    of at least 0.25 that stays clear in most resamplings of its records; a station without one gets NaN and a
    reason.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `hvsr`.
    band_hz : (float, float), optional
        Accept peaks only there, in Hz; default the band of the dataset. Flanks beyond it still tell how far a peak
        stands out.
    min_amplitude : float, optional
        Default 2, or 2 √2 for total-energy horizontals.
    min_prominence : float
        In ln; 0.25 is a factor of 1.28.
    min_support : float
        Share of resamplings of the records in which the peak must be clear too, within half an octave; 0.8.
        Stations with fewer than three records are not resampled.
    rule : {"lowest clear peak", "argmax"}, optional
        ``"argmax"``, the default for ``compat="timesnet-gen"``: median of the records' f0, each the largest
        value of its curve.
    n_bootstrap : int
        Resamplings of the records.
    seed : int
        Of the resampling.

    Returns
    -------
    xarray.Dataset
        Per station: ``f0_hz``, ``f0_low_hz`` and ``f0_high_hz`` (68 % of the resamplings that have the peak),
        ``a0`` and ``sigma_ln`` there, ``support`` (share of resamplings that have it), ``n_records``,
        ``n_used`` (valid at f0, or at any frequency when there is none), ``reason`` (remarks when there is an
        f0).

    Raises
    ------
    TNGError
        `rule` is not known, or the band holds fewer than three frequencies.
    """
    import xarray as xr

    default = "argmax" if dataset.attrs.get("compat") == "timesnet-gen" else "lowest clear peak"
    rule = rule or default
    if rule not in ("argmax", "lowest clear peak"):
        raise TNGError(f"rule {rule!r} not known; accepted: lowest clear peak, argmax")
    if min_amplitude is None:
        min_amplitude = MIN_AMPLITUDE * (np.sqrt(2) if dataset.attrs.get("horizontal") == "total-energy" else 1)
    frequency = dataset.frequency.values
    given_band, band_hz = band_hz is not None, tuple(band_hz or dataset.attrs.get("band_hz") or frequency[[0, -1]])
    inside = _inside(frequency, band_hz)
    if inside.sum() < 3:
        raise TNGError(f"band {band_hz} Hz holds {inside.sum()} of the curve's frequencies; at least 3 needed")
    stations = dataset.station.values
    rows = []
    for station in stations:
        mine = dataset.record_station.values == station
        curves = dataset.hvsr.values[mine]
        rng = np.random.default_rng(seed)
        if rule == "argmax":
            given = dataset.f0_record_hz.values[mine] if "f0_record_hz" in dataset and not given_band else None
            rows.append(_median_of_records(curves[:, inside], frequency[inside], given, rng, n_bootstrap))
        else:
            limits = (min_amplitude, min_prominence)
            rows.append(_of_curves(curves, frequency, inside, limits, min_support, rng, n_bootstrap))
    units = {"f0_hz": "Hz", "f0_low_hz": "Hz", "f0_high_hz": "Hz"}
    out = {
        name: (
            "station",
            np.array([row[name] for row in rows]),
            {"units": units.get(name, "1")} if name in units else {},
        )
        for name in rows[0]
    }
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
    return xr.Dataset(out, {"station": stations}, attrs)


def _of_curves(curves, frequency, inside, limits, min_support, rng, n_bootstrap) -> dict:
    """Return what `pick_f0` tells of one station, by the lowest clear peak of its log-mean curve."""
    n = len(curves)
    valid = np.isfinite(curves)
    usable = valid.sum(axis=0) >= min(MIN_RECORDS, n)
    logs = np.where(valid, np.log(np.where(valid, curves, 1.0)), 0.0)

    def mean_curves(counts):  # (trial, record) -> (trial, f)
        weight = counts @ valid.astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(usable & (weight > 0), np.exp(counts @ logs / weight), np.nan)

    curve = mean_curves(np.ones((1, n)))[0]
    out = _nothing(n, int(valid.any(axis=1).sum()))
    low, high = frequency[inside][[0, -1]]
    found = [p for p in clear_peaks(curve, frequency, *limits) if low <= p.frequency_hz <= high]
    if not found:
        return out | {"reason": no_peak_reason(curve[inside], frequency[inside], *limits)}
    trials = []
    if n >= MIN_RECORDS and n_bootstrap:
        counts = rng.multinomial(n, np.full(n, 1 / n), size=n_bootstrap).astype(float)
        trials = [np.array([p.frequency_hz for p in clear_peaks(c, frequency, *limits)]) for c in mean_curves(counts)]
    weak = ""
    for peak in found:
        same = [t[np.argmin(np.abs(np.log(t / peak.frequency_hz)))] for t in trials if t.size]
        same = np.array([f for f in same if abs(np.log(f / peak.frequency_hz)) <= SAME_PEAK_LN])
        support = same.size / n_bootstrap if trials else np.nan
        if not support < min_support:
            break
        weak = weak or (
            f"the peak at {peak.frequency_hz:.2f} Hz, amplitude {peak.amplitude:.1f}, is clear in only "
            f"{int(100 * support)} % of resamplings"
        )
    else:
        return out | {"reason": f"no clear peak: {weak}"}
    at = int(np.argmin(np.abs(np.log(frequency / peak.frequency_hz))))
    here = logs[valid[:, at], at]
    hint = edge_hint(curve[inside], frequency[inside], *limits)
    few = f"only {n} record(s): f0 is uncertain, not tested by resampling" if n < MIN_RECORDS else ""
    remarks = [few, weak, hint if "below" in hint else ""]
    out |= {
        "f0_hz": peak.frequency_hz,
        "a0": peak.amplitude,
        "support": support,
        "n_used": int(here.size),
        "reason": "; ".join(r for r in remarks if r),
    }
    if here.size > 1:
        out["sigma_ln"] = float(here.std(ddof=1))
    if trials:
        out["f0_low_hz"], out["f0_high_hz"] = map(float, np.quantile(same, _QUANTILES))
    return out


def _nothing(n_records, n_used) -> dict:
    names = ("f0_hz", "f0_low_hz", "f0_high_hz", "a0", "sigma_ln", "support")
    return dict.fromkeys(names, np.nan) | {"n_records": n_records, "n_used": n_used, "reason": ""}


def _median_of_records(curves, frequency, f0, rng, n_bootstrap) -> dict:
    """Return what `pick_f0` tells of one station as the median of the records' largest values."""
    if f0 is None:
        f0 = f0_argmax(curves, frequency)
    f0 = f0[np.isfinite(f0)]
    out = _nothing(len(curves), int(f0.size)) | {"reason": "no valid curve"}
    if not f0.size:
        return out
    median = float(np.median(f0))
    column = np.log(curves[:, np.argmin(np.abs(frequency - median))])
    column = column[np.isfinite(column)]
    out |= {"f0_hz": median, "a0": float(np.exp(column.mean())), "reason": ""}
    if column.size > 1:
        out["sigma_ln"] = float(column.std(ddof=1))
    if f0.size >= 3 and n_bootstrap:
        trials = np.median(f0[rng.integers(f0.size, size=(n_bootstrap, f0.size))], axis=1)
        out["f0_low_hz"], out["f0_high_hz"] = map(float, np.quantile(trials, _QUANTILES))
        out["support"] = float((np.abs(np.log(f0 / median)) <= SAME_PEAK_LN).mean())
    return out


_QUANTILES = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)


def _inside(frequency, band_hz):
    """Return which frequencies lie in the band, limits included despite rounding."""
    low, high = band_hz
    return (frequency >= low * (1 - 1e-9)) & (frequency <= high * (1 + 1e-9))
