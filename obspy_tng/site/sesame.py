"""SESAME's criteria for a reliable HVSR curve and a clear peak, as data.

SESAME (2004), Guidelines for the implementation of the H/V spectral ratio technique on ambient vibrations:
measurements, processing and interpretation, deliverable D23.12 of the European research project SESAME, Part I,
section 3.3 (the table of criteria).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.site.table import like

if TYPE_CHECKING:
    import xarray as xr

    from obspy_tng.site.hv_file import HVFile

CRITERIA = {  # name -> what must hold
    "window length": "f0 > 10 / window length",
    "cycles": "window length x windows x f0 > 200",
    "spread of the curve": "largest sigma_A in f0/2 - 2 f0 < 2 (f0 below 0.5 Hz: < 3)",
    "lower flank": "smallest A in f0/4 - f0 < A0 / 2",
    "upper flank": "smallest A in f0 - 4 f0 < A0 / 2",
    "amplitude": "A0 > 2",
    "peak of A with sigma_A": "peaks of A sigma_A and A / sigma_A within 5 % of f0",
    "spread of f0": "sigma_f < epsilon(f0)",
    "spread at f0": "sigma_A(f0) < theta(f0)",
}
N_RELIABILITY = 3
CLEAR = 5  # of the six criteria of clarity
F0_LIMITS_HZ = (0.2, 0.5, 1.0, 2.0)  # a limit belongs to the range above it
EPSILON = (0.25, 0.20, 0.15, 0.10, 0.05)  # over f0
THETA = (3.0, 2.5, 2.0, 1.78, 1.58)
FLANK = 4.0  # flanks, and peaks of single windows, are sought within this factor of f0


class Verdict(NamedTuple):
    """What was compared with what, and the outcome, in the order of `CRITERIA`.

    Attributes
    ----------
    passed : numpy.ndarray of bool, shape (9,)
    value, threshold : numpy.ndarray, shape (9,)
        NaN where there is nothing to compare.
    a0 : float
        Amplitude of the curve at f0.
    reason : str
        Why criteria could not be judged; empty when all were.
    """

    passed: np.ndarray
    value: np.ndarray
    threshold: np.ndarray
    a0: float = np.nan
    reason: str = ""

    def __str__(self):
        """Return ``reliability/clarity`` in digits, such as ``111/111101``."""
        digits = "".join(str(int(p)) for p in self.passed)
        return f"{digits[:N_RELIABILITY]}/{digits[N_RELIABILITY:]}"


def thresholds(f0_hz: float) -> tuple[float, float]:
    """Return epsilon in Hz, the limit of the spread of f0, and theta, that of the curve's spread at f0 (`f0_hz`).

    Examples
    --------
    >>> thresholds(0.7)
    (0.105, 2.0)
    """
    at = int(np.searchsorted(F0_LIMITS_HZ, f0_hz, side="right"))
    return round(EPSILON[at] * f0_hz, 12), THETA[at]


def criteria(
    curve: np.ndarray,
    sigma_ln: np.ndarray,
    frequency_hz,
    f0_hz: float,
    n_windows: int,
    window_s: float,
    f0_std_hz: float,
    *,
    min_amplitude: float = 2.0,
) -> Verdict:
    """Return SESAME's verdict on one curve; never an exception for what the curve is like.

    Parameters
    ----------
    curve, sigma_ln : numpy.ndarray, shape (f,)
        exp(mean ln HVSR) and standard deviation of ln; NaN where unknown.
    frequency_hz : array_like, shape (f,)
        In Hz, rising.
    f0_hz : float
        NaN when there is no peak: nothing is passed then.
    n_windows : int
        That the curve is the mean of.
    window_s : float
        Length of a window in seconds.
    f0_std_hz : float
        Standard deviation of the windows' f0 in Hz.
    min_amplitude : float
        Smallest amplitude of H/V, 2; 2 √2 suits total-energy horizontals.

    Returns
    -------
    Verdict
        The peaks of A σ and A / σ are the highest local maxima within the stretch around f0 over which the curve
        stays at or below A0: the whole curve when f0 is its highest point, what belongs to the peak when a
        higher one lies elsewhere.

    Raises
    ------
    TNGError
        The arrays differ in shape.

    Examples
    --------
    >>> import numpy as np
    >>> f = np.geomspace(0.2, 20, 500)
    >>> curve = 1 + 4 * np.exp(-8 * np.log(f / 2) ** 2)
    >>> str(criteria(curve, np.full(500, 0.3), f, 2.0, n_windows=30, window_s=60.0, f0_std_hz=0.05))
    '111/111111'
    """
    curve, sigma_ln = np.asarray(curve, dtype=np.float64), np.asarray(sigma_ln, dtype=np.float64)
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    if not curve.shape == sigma_ln.shape == frequency.shape or curve.ndim != 1:
        shapes = f"{curve.shape}, {sigma_ln.shape}, {frequency.shape}"
        raise TNGError(f"curve, sigma and frequency of shapes {shapes} given; accepted: three of one shape (f,)")
    known = np.isfinite(curve) & (curve > 0)
    if not np.isfinite(f0_hz):
        return _nothing("no f0")
    if not known.any() or not frequency[known][0] <= f0_hz <= frequency[known][-1]:
        return _nothing(f"the curve has no value at f0 = {f0_hz:.3g} Hz")
    x, at = np.log(frequency), np.log(f0_hz)
    a0 = float(np.exp(np.interp(at, x[known], np.log(curve[known]))))
    spread = known & np.isfinite(sigma_ln)
    sigma_a0 = float(np.exp(np.interp(at, x[spread], sigma_ln[spread]))) if spread.any() else np.nan
    epsilon, theta = thresholds(f0_hz)

    def part(values, which, low, high, of):
        inside = which & (frequency >= low * f0_hz) & (frequency <= high * f0_hz)
        return float(of(values[inside])) if inside.any() else np.nan

    stretch = _stretch(curve, known, frequency, f0_hz, a0)
    off = [
        abs(peak / f0_hz - 1)
        for peak in (_highest_peak(curve * np.exp(sign * sigma_ln), frequency, stretch & spread) for sign in (1, -1))
    ]
    rows = [  # value, threshold, value must be the larger
        (f0_hz, 10 / window_s if window_s > 0 else np.nan, True),
        (window_s * n_windows * f0_hz, 200.0, True),
        (part(np.exp(sigma_ln), spread, 0.5, 2, np.max), 3.0 if f0_hz < 0.5 else 2.0, False),
        (part(curve, known, 1 / FLANK, 1, np.min), a0 / 2, False),
        (part(curve, known, 1, FLANK, np.min), a0 / 2, False),
        (a0, min_amplitude, True),
        (max(off) if np.isfinite(off).all() else np.nan, 0.05, False),
        (f0_std_hz, epsilon, False),
        (sigma_a0, theta, False),
    ]
    value, threshold = np.array([(v, t) for v, t, _ in rows], dtype=np.float64).T
    more = np.array([larger for *_, larger in rows])
    with np.errstate(invalid="ignore"):
        passed = np.where(more, value > threshold, value < threshold)
    # "within" 5 % includes 5 %
    passed[6] = value[6] <= threshold[6]
    missing = [name for name, v in zip(CRITERIA, value + threshold, strict=True) if not np.isfinite(v)]
    return Verdict(passed, value, threshold, a0, f"not known: {', '.join(missing)}" if missing else "")


def _nothing(reason) -> Verdict:
    n = len(CRITERIA)
    return Verdict(np.zeros(n, bool), np.full(n, np.nan), np.full(n, np.nan), reason=reason)


def _stretch(curve, known, frequency, f0_hz, a0):
    """Return which frequencies belong to the peak at f0: those on either side before the curve exceeds A0."""
    # a vertex fitted between samples may lie a little below the sample beside it
    higher = known & (curve > a0 * 1.02) & (np.abs(np.log(frequency / f0_hz)) > 0.05)
    left, right = frequency[higher & (frequency < f0_hz)], frequency[higher & (frequency > f0_hz)]
    low, high = (left[-1] if left.size else 0.0), (right[0] if right.size else np.inf)
    return (frequency > low) & (frequency < high)


def _highest_peak(curve, frequency, which) -> float:
    """Return the frequency of the highest local maximum among some frequencies, NaN without one."""
    values = np.where(which, curve, np.nan)
    middle = values[1:-1]
    peak = (middle > values[:-2]) & (middle >= values[2:])
    return float(frequency[1:-1][np.where(peak, middle, -np.inf).argmax()]) if peak.any() else np.nan


def window_f0(curves: np.ndarray, frequency_hz, f0_hz: float, average: np.ndarray) -> np.ndarray:
    """Return f0 of each window: its highest local maximum near the station's peak.

    Parameters
    ----------
    curves : numpy.ndarray, shape (window, f)
    frequency_hz : array_like, shape (f,)
        In Hz, rising.
    f0_hz : float
        Of the station.
    average : numpy.ndarray, shape (f,)
        The station's curve.

    Returns
    -------
    numpy.ndarray, shape (window,)
        In Hz, sought within a factor of 4 of f0 and where the average stays at or below its value at f0; NaN for
        windows without a local maximum there.
    """
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    known = np.isfinite(average) & (average > 0)
    if not np.isfinite(f0_hz) or not known.any():
        return np.full(len(curves), np.nan)
    a0 = float(np.exp(np.interp(np.log(f0_hz), np.log(frequency[known]), np.log(average[known]))))
    near = _stretch(average, known, frequency, f0_hz, a0)
    near &= (frequency >= f0_hz / FLANK) & (frequency <= f0_hz * FLANK)
    return np.array([_highest_peak(c, frequency, near & np.isfinite(c)) for c in curves])


def sesame(dataset: xr.Dataset | HVFile, f0: xr.Dataset | float | None = None) -> xr.Dataset:
    """Return SESAME's nine criteria for every station of an HVSR Dataset.

    Parameters
    ----------
    dataset : xarray.Dataset or hv_file.HVFile
        Of `obspy_tng.hvsr`; accepted rows are the windows. Of a file: its number of windows and, where it tells them,
        their length and the standard deviation of their f0 are used; what it does not tell is not judged.
    f0 : xarray.Dataset or float, optional
        Of `pick_f0`, or f0 of every station in Hz. Default: `pick_f0` of the Dataset, or f0 from average of a file.

    Returns
    -------
    xarray.Dataset
        ``passed``, ``value``, ``threshold`` (station, criterion); per station ``reliability`` ("111"), ``clarity``
        ("111101"), ``verdict`` ("111/111101"), ``reliable`` (all three), ``clear`` (at least five of six),
        ``f0_hz``, ``a0``, ``f0_std_hz`` (of the windows' peaks, see `window_f0`, ddof 1), ``n_windows``,
        ``window_s`` (median length) and ``reason``, why criteria could not be judged. A station without f0 passes
        nothing. Coordinate ``rule`` words each criterion.

    Raises
    ------
    TNGError
        `f0` is of other stations.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> curves = tng.hvsr("data_samples/network/*.mseed", events="data_samples/network/events.xml")
    >>> sesame(curves).verdict.to_series().to_dict()
    {'XT.ROCK': '000/000000', 'XT.SOFT': '111/111111', 'XT.STIFF': '111/111101', 'XT.TWO': '111/111001'}
    """
    if isinstance(dataset, tuple):
        return _of_file(dataset, f0)
    if not hasattr(dataset, "record_station"):
        raise TNGError(f"{type(dataset).__name__} given; accepted: a Dataset of hvsr, or what hv_file.read returns")
    if f0 is None:
        from obspy_tng.site.f0 import pick_f0

        f0 = pick_f0(dataset)
    stations, frequency = dataset.station.values, dataset.frequency.values
    accepted = dataset.accepted.values if "accepted" in dataset else np.ones(dataset.sizes["record"], bool)
    length = dataset.window_end_s.values - dataset.window_start_s.values
    scale = np.sqrt(2) if dataset.attrs.get("horizontal") == "total-energy" else 1.0
    rows, verdicts = [], []
    for i, station in enumerate(stations):
        mine = accepted & (dataset.record_station.values == station)
        here, why = _f0_of(f0, station)
        curve, sigma_ln = (dataset[name].values[i] for name in ("curve", "sigma_ln"))
        each = window_f0(dataset.hvsr.values[mine], frequency, here, curve)
        each = each[np.isfinite(each)]
        row = {
            "f0_hz": here,
            "f0_std_hz": float(each.std(ddof=1)) if each.size > 1 else np.nan,
            "n_windows": int(mine.sum()),
            "window_s": float(np.median(length[mine])) if mine.any() else np.nan,
        }
        names = ("f0_hz", "n_windows", "window_s", "f0_std_hz")
        verdict = criteria(curve, sigma_ln, frequency, *(row[n] for n in names), min_amplitude=2.0 * scale)
        reason = f"no f0: {why}" if why and not np.isfinite(here) else verdict.reason
        rows.append(row | {"a0": verdict.a0, "reason": reason})
        verdicts.append(verdict)
    return _dataset(dataset, stations, rows, verdicts)


def _of_file(hv, f0):
    """Return the Dataset of one `HVFile`, its station without a name."""
    from xarray import Dataset

    here = hv.f0_average_hz if f0 is None else float(f0)
    row = {"f0_hz": here, "f0_std_hz": hv.f0_std_hz, "n_windows": hv.n_windows, "window_s": hv.window_s}
    verdict = criteria(hv.average, hv.sigma_ln, hv.frequency_hz, here, hv.n_windows, hv.window_s, hv.f0_std_hz)
    return _dataset(Dataset(), np.array([""]), [row | {"a0": verdict.a0, "reason": verdict.reason}], [verdict])


def _dataset(given, stations, rows, verdicts):
    """Return verdicts on stations, and the numbers they came from, as what was given holds its own."""
    texts = [str(v).split("/") for v in verdicts]
    passed = np.array([v.passed for v in verdicts])
    table = ("station", "criterion")
    units = {"f0_hz": "Hz", "f0_std_hz": "Hz", "window_s": "s", "a0": "1"}
    variables = {
        "passed": (table, passed, {"long_name": "criterion is met"}),
        "value": (table, np.array([v.value for v in verdicts]), {"long_name": "what is compared"}),
        "threshold": (table, np.array([v.threshold for v in verdicts]), {"long_name": "with what it is compared"}),
        "reliability": ("station", np.array([t[0] for t in texts], dtype=object)),
        "clarity": ("station", np.array([t[1] for t in texts], dtype=object)),
        "verdict": ("station", np.array([str(v) for v in verdicts], dtype=object)),
        "reliable": ("station", passed[:, :N_RELIABILITY].all(axis=1)),
        "clear": ("station", passed[:, N_RELIABILITY:].sum(axis=1) >= CLEAR),
    }
    for name in rows[0]:
        values = np.array([row[name] for row in rows], dtype=object if name == "reason" else None)
        variables[name] = ("station", values, {"units": units[name]} if name in units else {})
    coords = {
        "station": stations,
        "criterion": list(CRITERIA),
        "rule": ("criterion", list(CRITERIA.values())),
    }
    return like(given, variables, coords, {"source": "SESAME (2004), deliverable D23.12"})


def _f0_of(f0, station) -> tuple[float, str]:
    """Return f0 of a station in Hz and why there is none."""
    if not hasattr(f0, "f0_hz"):
        return float(f0), ""
    if station not in f0.station.values:
        raise TNGError(f"f0 of {', '.join(map(str, f0.station.values))} given; {station} is needed too")
    i = int(np.flatnonzero(f0.station.values == station)[0])
    return float(f0.f0_hz.values[i]), str(f0.reason.values[i]) if "reason" in f0 else ""
