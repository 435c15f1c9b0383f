"""f0 of a station: the lowest clear peak of its log-mean HVSR curve, or the reason why there is none."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from obspy_tng.errors import TNGError

MIN_AMPLITUDE = 2.0  # SESAME (2004), criterion iii of a clear peak
MIN_PROMINENCE = 0.25  # in ln
FIT_LN = 0.1  # half-width of the parabola in ln f: half the Konno-Ohmachi window of b = 40
SAME_PEAK_LN = 0.35  # peaks of resamplings within half an octave are the same one
MIN_SUPPORT = 0.8  # share of resamplings in which a peak must be clear too; tuned on simulated sites
MIN_RECORDS = 3  # frequencies with fewer valid records take no part (unless the station has fewer)
CONFIDENCE = 0.68


class Peak(NamedTuple):
    """A local maximum: place in Hz, amplitude, prominence in ln."""

    frequency_hz: float
    amplitude: float
    prominence_ln: float


def f0_argmax(curves: np.ndarray, frequency_hz, band_hz: tuple[float, float] | None = None) -> np.ndarray:
    """Return the frequency of the largest value of each curve; it always reports something, also on flat rock.

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


def peaks(curve: np.ndarray, frequency_hz: np.ndarray) -> list[Peak]:
    """Return the local maxima of a curve from low to high frequency; its ends are none.

    Parameters
    ----------
    curve : numpy.ndarray, shape (f,)
        HVSR; NaN splits it, and the sides of a gap are ends.
    frequency_hz : numpy.ndarray, shape (f,)
        Rising, in Hz.

    Returns
    -------
    list of Peak
        Prominence is the height in ln above the higher of the two lowest points that separate the peak from a higher
        one, or from an end, on either side. Place and amplitude come from a least-squares parabola in ln f - ln A
        through the points within 0.1 of the maximum in ln f.
    """
    out = []
    x = np.log(frequency_hz)
    with np.errstate(invalid="ignore", divide="ignore"):
        y = np.log(curve)
    finite = np.flatnonzero(np.isfinite(y))
    for run in np.split(finite, np.flatnonzero(np.diff(finite) > 1) + 1):
        if run.size < 3:
            continue
        part = y[run]
        for i in np.flatnonzero((part[1:-1] > part[:-2]) & (part[1:-1] >= part[2:])) + 1:
            higher = np.flatnonzero(part[:i] > part[i])
            left = part[(higher[-1] if higher.size else 0) : i + 1].min()
            higher = np.flatnonzero(part[i:] > part[i])
            right = part[i : (i + higher[0] if higher.size else part.size)].min()
            place, height = _parabola(x[run], part, i)
            out.append(Peak(float(np.exp(place)), float(np.exp(height)), float(part[i] - max(left, right))))
    return out


def _parabola(x, y, i) -> tuple[float, float]:
    """Return the vertex of the least-squares parabola around sample i, or the sample where that makes no sense."""
    near = np.flatnonzero(np.abs(x - x[i]) <= FIT_LN)
    if near.size < 3:
        near = np.arange(i - 1, i + 2)
    u, v = x[near] - x[i], y[near]
    basis = np.stack([np.ones_like(u), u, u * u], axis=1)
    c, b, a = np.linalg.solve(basis.T @ basis, basis.T @ v)
    if not a < 0 or abs(b / (2 * a)) > FIT_LN:
        return x[i], y[i]
    return x[i] - b / (2 * a), c - b * b / (4 * a)


def clear_peaks(
    curve: np.ndarray,
    frequency_hz: np.ndarray,
    min_amplitude: float = MIN_AMPLITUDE,
    min_prominence: float = MIN_PROMINENCE,
) -> list[Peak]:
    """Return the peaks that are high and prominent enough, from low to high frequency.

    Parameters
    ----------
    curve : numpy.ndarray, shape (f,)
        HVSR inside the band; NaN where unknown.
    frequency_hz : numpy.ndarray, shape (f,)
        In Hz, rising.
    min_amplitude, min_prominence : float
        Smallest amplitude and smallest prominence in ln.
    """
    return [
        p
        for p in peaks(curve, frequency_hz)
        if p.amplitude >= min_amplitude and p.prominence_ln >= min_prominence
    ]


def no_peak_reason(
    curve: np.ndarray,
    frequency_hz: np.ndarray,
    min_amplitude: float = MIN_AMPLITUDE,
    min_prominence: float = MIN_PROMINENCE,
) -> str:
    """Say why a curve has no clear peak; parameters as in `clear_peaks`."""
    known = np.flatnonzero(np.isfinite(curve))
    if known.size < 3:
        return "no frequency with enough valid records"
    if hint := edge_hint(curve, frequency_hz, min_amplitude, min_prominence):
        return hint
    largest = float(curve[known].max())
    if largest < min_amplitude:
        return f"flat: largest amplitude {largest:.1f} < {min_amplitude:.3g}"
    top = max(peaks(curve, frequency_hz), key=lambda p: p.amplitude, default=None)
    if top is None or top.amplitude < min_amplitude:
        return f"no peak inside the band: amplitude reaches {largest:.1f} at its edge only"
    return (
        f"no clear peak: the largest, {top.amplitude:.1f} at {top.frequency_hz:.2f} Hz, "
        f"stands out by {top.prominence_ln:.2f} < {min_prominence:g} in ln"
    )


def edge_hint(
    curve: np.ndarray,
    frequency_hz: np.ndarray,
    min_amplitude: float = MIN_AMPLITUDE,
    min_prominence: float = MIN_PROMINENCE,
) -> str:
    """Return a remark when the curve is high at an end of the band and falls from there: no peak, but a hint."""
    known = np.isfinite(curve)
    y, frequency_hz = np.log(curve[known]), frequency_hz[known]
    for end, text in ((slice(None), "below"), (slice(None, None, -1), "above")):
        part = y[end]
        higher = np.flatnonzero(part > part[0])
        fall = part[0] - part[: higher[0] if higher.size else part.size].min()
        if part[0] >= np.log(min_amplitude) and fall >= min_prominence:
            at = frequency_hz[end][0]
            return f"f0 may lie {text} the band: the curve still rises to {np.exp(part[0]):.1f} at {at:.3g} Hz"
    return ""


def pick_f0(
    dataset, *, band_hz: tuple[float, float] | None = None, min_amplitude: float | None = None,
    min_prominence: float = MIN_PROMINENCE, min_support: float = MIN_SUPPORT, rule: str | None = None,
    n_bootstrap: int = 200, seed: int = 0,
):
    """Tell f0 of every station of an HVSR Dataset.

    f0 is the lowest peak of the station's log-mean curve with an amplitude of at least 2 and a ln-prominence of at
    least 0.25 that stays clear in most resamplings of its records; a station without one gets NaN and a reason.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `hvsr`.
    band_hz : (float, float), optional
        Search only there, in Hz; default the whole band of the curves.
    min_amplitude : float, optional
        Default 2, or 2 √2 for total-energy horizontals.
    min_prominence : float
        In ln; 0.25 is a factor of 1.28.
    min_support : float
        Share of resamplings of the records in which the peak must be clear too, within half an octave; 0.8. Stations
        with fewer than three records are not resampled.
    rule : {"lowest clear peak", "argmax"}, optional
        ``"argmax"``, the default for ``compat="timesnet-gen"``: median of the records' f0, each the largest value of
        its curve.
    n_bootstrap : int
        Resamplings of the records.
    seed : int
        Of the resampling.

    Returns
    -------
    xarray.Dataset
        Per station: ``f0_hz``, ``f0_low_hz`` and ``f0_high_hz`` (68 % of the resamplings that have the peak), ``a0``
        and ``sigma_ln`` there, ``support`` (share of resamplings that have it), ``n_records``, ``n_used`` (valid at
        f0, or at any frequency when there is none), ``reason`` (remarks when there is an f0).

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
    inside = _inside(frequency, band_hz) if band_hz is not None else np.ones(frequency.size, bool)
    if inside.sum() < 3:
        raise TNGError(f"band {band_hz} Hz holds {inside.sum()} of the curve's frequencies; at least 3 needed")
    stations = dataset.station.values
    rows = []
    for station in stations:
        mine = dataset.record_station.values == station
        curves = dataset.hvsr.values[mine][:, inside]
        rng = np.random.default_rng(seed)
        if rule == "argmax":
            given = dataset.f0_record_hz.values[mine] if "f0_record_hz" in dataset and band_hz is None else None
            rows.append(_median_of_records(curves, frequency[inside], given, rng, n_bootstrap))
        else:
            limits = (min_amplitude, min_prominence)
            rows.append(_of_curves(curves, frequency[inside], limits, min_support, rng, n_bootstrap))
    units = dict(f0_hz="Hz", f0_low_hz="Hz", f0_high_hz="Hz")
    out = {
        name: ("station", np.array([row[name] for row in rows]), {"units": units.get(name, "1")} if name in units else {})
        for name in rows[0]
    }
    keep = {k: dataset.attrs[k] for k in ("window", "horizontal", "smoothing", "snr", "compat") if k in dataset.attrs}
    attrs = keep | dict(
        rule=rule, min_amplitude=float(min_amplitude), min_prominence=float(min_prominence), min_support=min_support,
        band_hz=list(map(float, band_hz)) if band_hz is not None else [float(frequency[0]), float(frequency[-1])],
        n_bootstrap=n_bootstrap, seed=seed, interval=CONFIDENCE,
    )  # fmt: skip
    return xr.Dataset(out, {"station": stations}, attrs)


def _of_curves(curves, frequency, limits, min_support, rng, n_bootstrap) -> dict:
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
    found = clear_peaks(curve, frequency, *limits)
    if not found:
        return out | dict(reason=no_peak_reason(curve, frequency, *limits))
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
            f"{100 * support:.0f} % of resamplings"
        )
    else:
        return out | dict(reason=f"no clear peak: {weak}")
    at = int(np.argmin(np.abs(np.log(frequency / peak.frequency_hz))))
    here = logs[valid[:, at], at]
    hint = edge_hint(curve, frequency, *limits)
    remarks = [weak, hint if "below" in hint else ""]
    out |= dict(
        f0_hz=peak.frequency_hz, a0=peak.amplitude, support=support, n_used=int(here.size),
        reason="; ".join(r for r in remarks if r),
    )  # fmt: skip
    if here.size > 1:
        out["sigma_ln"] = float(here.std(ddof=1))
    if trials:
        out["f0_low_hz"], out["f0_high_hz"] = map(float, np.quantile(same, _QUANTILES))
    return out


def _nothing(n_records, n_used) -> dict:
    names = ("f0_hz", "f0_low_hz", "f0_high_hz", "a0", "sigma_ln", "support")
    return dict.fromkeys(names, np.nan) | dict(n_records=n_records, n_used=n_used, reason="")


def _median_of_records(curves, frequency, f0, rng, n_bootstrap) -> dict:
    """Return what `pick_f0` tells of one station as the median of the records' largest values."""
    if f0 is None:
        f0 = f0_argmax(curves, frequency)
    f0 = f0[np.isfinite(f0)]
    out = _nothing(len(curves), int(f0.size)) | dict(reason="no valid curve")
    if not f0.size:
        return out
    median = float(np.median(f0))
    column = np.log(curves[:, np.argmin(np.abs(frequency - median))])
    column = column[np.isfinite(column)]
    out |= dict(f0_hz=median, a0=float(np.exp(column.mean())), reason="")
    if column.size > 1:
        out["sigma_ln"] = float(column.std(ddof=1))
    if f0.size >= 3 and n_bootstrap:
        trials = np.median(f0[rng.integers(f0.size, size=(n_bootstrap, f0.size))], axis=1)
        out["f0_low_hz"], out["f0_high_hz"] = map(float, np.quantile(trials, _QUANTILES))
        out["support"] = float((np.abs(np.log(f0 / median)) <= SAME_PEAK_LN).mean())
    return out


_QUANTILES = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)


def _inside(frequency, band_hz):
    """Return which frequencies lie in the band; a grid that ends at its limits keeps them despite rounding."""
    low, high = band_hz
    return (frequency >= low * (1 - 1e-9)) & (frequency <= high * (1 + 1e-9))
