"""Published ground-motion models as reference: ln residuals, and correlation of amplitudes between frequencies."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.evaluation.intensity import GRAVITY_MPS2, PERIODS_S

# name -> class of pygmm, scenario from magnitude, distance and vs30
MODELS = {
    "BSSA14": (
        "BooreStewartSeyhanAtkinson2014",
        lambda m, r, v: {"mag": m, "dist_jb": r, "v_s30": v, "mechanism": "U"},
    ),
    "ASK14": (
        "AbrahamsonSilvaKamai2014",
        lambda m, r, v: {"mag": m, "dist_rup": r, "dist_jb": r, "v_s30": v, "mechanism": "SS", "dip": 90.0},
    ),
}


def gmm_residuals(
    ln_im: dict,
    magnitude,
    distance_km,
    *,
    periods_s=PERIODS_S,
    vs30_mps=760.0,
    model: str = "BSSA14",
) -> tuple[dict[str, np.ndarray], str]:
    """Return ln(observed / median of a ground-motion model).

    Parameters
    ----------
    ln_im : dict of numpy.ndarray
        ln of any of ``pga_mps2`` (n,), ``pgv_mps`` (n,), ``psa_mps2`` (n, p); other names are passed over.
    magnitude, distance_km : array_like, shape (n,)
        Moment magnitude, and distance in km: Joyner-Boore for BSSA14, rupture for ASK14. For the small earthquakes
        of most pools that is the epicentral and the hypocentral distance.
    periods_s : array_like, shape (p,)
        In s; NaN outside 0.01 to 10 s.
    vs30_mps : float or array_like, shape (n,)
        In m/s.
    model : str
        ``"BSSA14"`` or ``"ASK14"`` (strike slip, vertical). Both predict RotD50.

    Returns
    -------
    residuals : dict of numpy.ndarray
        By name, shapes as given. NaN where magnitude or distance is not finite.
    remark : str
        How many records lie outside the model's range, where it is extrapolated; empty when none.

    Raises
    ------
    TNGError
        Unknown model, or lengths differ.

    References
    ----------
    Boore, Stewart, Seyhan & Atkinson (2014), Earthquake Spectra 30(3), 1057-1085; Abrahamson, Silva & Kamai (2014),
    Earthquake Spectra 30(3), 1025-1055. Code: pygmm.

    Examples
    --------
    >>> residual, words = gmm_residuals({"pga_mps2": np.log([0.5])}, [5.0], [20.0])  # 0.5 m/s², M 5, 20 km
    >>> residual["pga_mps2"].round(1).tolist()
    [0.6]
    """
    if model not in MODELS:
        raise TNGError(f"ground-motion model {model!r} not known; accepted: {', '.join(MODELS)}")
    import pygmm

    name, scenario = MODELS[model]
    prediction = getattr(pygmm, name)
    magnitude, distance_km = np.asarray(magnitude, float), np.asarray(distance_km, float)
    given = {k: np.asarray(ln_im[k], float) for k in ("pga_mps2", "pgv_mps", "psa_mps2") if k in ln_im}
    lengths = {len(magnitude), len(distance_km), *(len(v) for v in given.values())}
    if len(lengths) > 1:
        raise TNGError(f"measures, magnitudes and distances have lengths {sorted(lengths)}; accepted: one length")
    vs30 = np.broadcast_to(np.asarray(vs30_mps, float), magnitude.shape)
    known = np.isfinite(magnitude) & np.isfinite(distance_km) & np.isfinite(vs30)
    median = {k: np.full(v.shape, np.nan) for k, v in given.items()}
    with _quiet():
        for i in np.flatnonzero(known):
            at = prediction(pygmm.Scenario(**scenario(float(magnitude[i]), float(distance_km[i]), float(vs30[i]))))
            value = {
                "pga_mps2": lambda at=at: np.log(at.pga * GRAVITY_MPS2),
                "pgv_mps": lambda at=at: np.log(at.pgv / 100),
                "psa_mps2": lambda at=at: at.interp_ln_spec_accels(periods_s) + np.log(GRAVITY_MPS2),
            }
            for k, row in median.items():
                row[i] = value[k]()
    remark = _outside(prediction, scenario, magnitude[known], distance_km[known], vs30[known])
    return {k: v - median[k] for k, v in given.items()}, f"{model}: {remark}" if remark else ""


@contextmanager
def _quiet():
    """Silence pygmm, which warns of every record outside its range by warnings and on the root logger."""
    root, nothing = logging.getLogger(), logging.NullHandler()

    def other(record):
        return "pygmm" not in record.pathname

    root.addFilter(other)
    root.addHandler(nothing)  # else logging.warning sets up handlers of its own
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.removeHandler(nothing)
        root.removeFilter(other)


def _outside(prediction, scenario, magnitude, distance_km, vs30_mps):
    """Return in words how many records lie outside the ranges that the model states."""
    limits = {p.name: (p.min, p.max) for p in prediction.PARAMS if hasattr(p, "min")}
    stated = {"magnitude": ("mag", magnitude), "Vs30": ("v_s30", vs30_mps)}
    stated["distance"] = ("dist_jb" if limits.get("dist_jb", (None, None))[1] else "dist_rup", distance_km)
    parts, any_outside = [], np.zeros(len(magnitude), bool)
    for label, (key, values) in stated.items():
        low, high = (default if x is None else x for x, default in zip(limits[key], (0.0, np.inf), strict=True))
        outside = (values < low) | (values > high)
        any_outside |= outside
        if outside.any():
            parts.append(f"{label} {low:g}-{high:g}: {outside.sum()}")
    if not parts:
        return ""
    return f"{any_outside.sum()} of {len(magnitude)} records outside its range, extrapolated ({'; '.join(parts)})"


def interfrequency_correlation(ln_eas: np.ndarray, *groups) -> np.ndarray:
    """Return the correlation between frequencies of ln amplitude spectra.

    Parameters
    ----------
    ln_eas : numpy.ndarray, shape (n, f)
        Of `intensity.eas`. Records with a missing value at a frequency that others have are left out.
    *groups : array_like, shape (n,)
        Labels whose means are taken off first, alternately until they vanish: stations, and events where known.
        Without any the overall mean is taken off.

    Returns
    -------
    numpy.ndarray, shape (f, f)
        NaN at frequencies without values, and throughout with fewer than 3 records.

    Raises
    ------
    TNGError
        A group has another length.

    Notes
    -----
    Event and station terms raise the correlation of distant frequencies; a set of records with no event labels
    (generated ones) can only be compared with another treated alike.
    """
    ln_eas = np.asarray(ln_eas, dtype=np.float64)
    for labels in groups:
        if len(labels) != len(ln_eas):
            raise TNGError(f"{len(labels)} labels for {len(ln_eas)} records; accepted: one label per record")
    out = np.full((ln_eas.shape[1],) * 2, np.nan)
    live = np.isfinite(ln_eas).any(axis=0)
    rows = np.isfinite(ln_eas[:, live]).all(axis=1)
    if rows.sum() < 3 or not live.any():
        return out
    values = ln_eas[np.ix_(rows, live)]
    values = values - values.mean(axis=0)
    numbers = [np.unique(np.asarray(labels)[rows], return_inverse=True)[1].ravel() for labels in groups]
    for _ in range(100 if len(numbers) > 1 else 1):
        largest = 0.0
        for number in numbers:
            means = np.stack([np.bincount(number, column) for column in values.T], axis=1)
            means /= np.bincount(number)[:, None]
            values -= means[number]
            largest = max(largest, np.abs(means).max())
        if largest < 1e-9:
            break
    scale = np.sqrt((values**2).sum(axis=0))
    varies = scale > 1e-9
    normal = np.divide(values, scale, out=np.full_like(values, np.nan), where=varies)
    out[np.ix_(live, live)] = normal.T @ normal
    return out


def bayless_abrahamson(frequency_hz) -> np.ndarray:
    """Return the published correlation of EAS residuals between frequencies.

    Parameters
    ----------
    frequency_hz : array_like, shape (f,)
        In Hz. Beyond the model's 0.1 to 24 Hz the coefficients of its ends are used.

    Returns
    -------
    numpy.ndarray, shape (f, f)
        Of total residuals (event, site and record terms together), for spectra smoothed with ``ko:188.5``.

    References
    ----------
    Bayless & Abrahamson (2019), An empirical model for the interfrequency correlation of epsilon for Fourier
    amplitude spectra, BSSA 109(3), 1058-1070. Code: pygmm (there under 2018, the year of the report).

    Examples
    --------
    >>> bayless_abrahamson([1.0, 2.0]).diagonal().tolist()
    [1.0, 1.0]
    """
    from pygmm.bayless_abrahamson_2018 import BaylessAbrahamson2018

    return BaylessAbrahamson2018.corr(np.asarray(frequency_hz, dtype=np.float64))


def correlation_difference(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean absolute difference of two correlation matrices off the diagonal; NaN is left out."""
    difference = np.abs(np.asarray(a) - np.asarray(b))[~np.eye(len(a), dtype=bool)]
    finite = difference[np.isfinite(difference)]
    return float(finite.mean()) if finite.size else float("nan")
