"""f0 of a station: the lowest clear peak of its log-mean HVSR curve, or the reason why there is none."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from obspy_tng.errors import TNGError

MIN_AMPLITUDE = 2.0  # SESAME (2004), criterion iii of a clear peak
MIN_PROMINENCE = 0.25  # in ln
FIT_LN = 0.1  # half-width of the parabola in ln f: half the Konno-Ohmachi window of b = 40
SAME_PEAK_LN = 0.2  # peaks of bootstrap trials closer than this in ln f are the same one
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


def lowest_clear_peak(
    curve: np.ndarray, frequency_hz: np.ndarray, min_amplitude: float = MIN_AMPLITUDE,
    min_prominence: float = MIN_PROMINENCE,
) -> tuple[Peak | None, str]:
    """Return the lowest peak that is high and prominent enough, or None, and a remark or the reason.

    Parameters
    ----------
    curve : numpy.ndarray, shape (f,)
        HVSR inside the band; NaN where unknown.
    frequency_hz : numpy.ndarray, shape (f,)
        In Hz, rising.
    min_amplitude, min_prominence : float
        Smallest amplitude and smallest prominence in ln.
    """
    known = np.flatnonzero(np.isfinite(curve))
    if known.size < 3:
        return None, "no frequency with enough valid records"
    found = peaks(curve, frequency_hz)
    rising = _edge(curve[known], frequency_hz[known], min_amplitude, min_prominence)
    for peak in found:
        if peak.amplitude >= min_amplitude and peak.prominence_ln >= min_prominence:
            return peak, rising if "below" in rising else ""
    if rising:
        return None, rising
    largest = float(curve[known].max())
    if largest < min_amplitude:
        return None, f"flat: largest amplitude {largest:.1f} < {min_amplitude:.3g}"
    top = max((p for p in found), key=lambda p: p.amplitude, default=None)
    if top is None or top.amplitude < min_amplitude:
        return None, f"no peak inside the band: amplitude reaches {largest:.1f} at its edge only"
    return None, (
        f"no clear peak: the largest, {top.amplitude:.1f} at {top.frequency_hz:.2f} Hz, "
        f"stands out by {top.prominence_ln:.2f} < {min_prominence:g} in ln"
    )


def _edge(curve, frequency_hz, min_amplitude, min_prominence) -> str:
    """Return a remark when the curve is high at an end of the band and falls from there: no peak, but a hint."""
    y = np.log(curve)
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
    min_prominence: float = MIN_PROMINENCE, rule: str | None = None, n_bootstrap: int = 200, seed: int = 0,
):
    """Tell f0 of every station of an HVSR Dataset.

    f0 is the lowest peak of the station's log-mean curve with an amplitude of at least 2 and a ln-prominence of at
    least 0.25; a station without one gets NaN and a reason. Records are resampled with replacement for the interval.

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
        Per station: ``f0_hz``, ``f0_low_hz`` and ``f0_high_hz`` (68 % interval over resamplings that have a clear peak),
        ``a0`` and ``sigma_ln`` there, ``support`` (share of resamplings whose f0 is the same peak, within 0.2 in ln f),
        ``n_records``, ``n_used`` (valid at f0, or at any frequency when there is none), ``reason`` ("" when all is
        clear).

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
            rows.append(_of_curves(curves, frequency[inside], min_amplitude, min_prominence, rng, n_bootstrap))
    units = dict(f0_hz="Hz", f0_low_hz="Hz", f0_high_hz="Hz")
    out = {
        name: ("station", np.array([row[name] for row in rows]), {"units": units.get(name, "1")} if name in units else {})
        for name in rows[0]
    }
    keep = {k: dataset.attrs[k] for k in ("window", "horizontal", "smoothing", "snr", "compat") if k in dataset.attrs}
    attrs = keep | dict(
        rule=rule, min_amplitude=float(min_amplitude), min_prominence=float(min_prominence),
        band_hz=list(map(float, band_hz)) if band_hz is not None else [float(frequency[0]), float(frequency[-1])],
        n_bootstrap=n_bootstrap, seed=seed, interval=CONFIDENCE,
    )  # fmt: skip
    return xr.Dataset(out, {"station": stations}, attrs)


def _of_curves(curves, frequency, min_amplitude, min_prominence, rng, n_bootstrap) -> dict:
    """Return what `pick_f0` tells of one station, by the lowest clear peak of its log-mean curve."""
    n = len(curves)
    valid = np.isfinite(curves)
    needed = min(MIN_RECORDS, n)
    usable = valid.sum(axis=0) >= needed
    logs = np.where(valid, np.log(np.where(valid, curves, 1.0)), 0.0)

    def mean_curves(counts):  # (trial, record) -> (trial, f)
        weight = counts @ valid.astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(usable & (weight > 0), np.exp(counts @ logs / weight), np.nan)

    peak, reason = lowest_clear_peak(mean_curves(np.ones((1, n)))[0], frequency, min_amplitude, min_prominence)
    out = dict(
        f0_hz=np.nan, f0_low_hz=np.nan, f0_high_hz=np.nan, a0=np.nan, sigma_ln=np.nan, support=np.nan,
        n_records=n, n_used=int(valid.any(axis=1).sum()), reason=reason,
    )  # fmt: skip
    if peak is None:
        return out
    at = int(np.argmin(np.abs(np.log(frequency / peak.frequency_hz))))
    here = logs[valid[:, at], at]
    out |= dict(f0_hz=peak.frequency_hz, a0=peak.amplitude, n_used=int(here.size))
    if here.size > 1:
        out["sigma_ln"] = float(here.std(ddof=1))
    if n >= 3 and n_bootstrap:
        counts = rng.multinomial(n, np.full(n, 1 / n), size=n_bootstrap).astype(float)
        picks = [lowest_clear_peak(c, frequency, min_amplitude, min_prominence)[0] for c in mean_curves(counts)]
        f0 = np.array([p.frequency_hz for p in picks if p is not None])
        out["support"] = float((np.abs(np.log(f0 / peak.frequency_hz)) <= SAME_PEAK_LN).sum() / n_bootstrap)
        if f0.size > 1:
            out["f0_low_hz"], out["f0_high_hz"] = map(float, np.quantile(f0, _QUANTILES))
    return out


def _median_of_records(curves, frequency, f0, rng, n_bootstrap) -> dict:
    """Return what `pick_f0` tells of one station as the median of the records' largest values."""
    if f0 is None:
        f0 = f0_argmax(curves, frequency)
    f0 = f0[np.isfinite(f0)]
    out = dict(
        f0_hz=np.nan, f0_low_hz=np.nan, f0_high_hz=np.nan, a0=np.nan, sigma_ln=np.nan, support=np.nan,
        n_records=len(curves), n_used=int(f0.size), reason="no valid curve",
    )  # fmt: skip
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
