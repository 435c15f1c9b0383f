"""Does a station keep its site response? HVSR of every record, and how far the curves of two sets lie apart.

Real and generated records are treated alike: the S window is told from the energy, picks are not used even where
there are some. Two sets always come in the order (sample, reference), see `statistics`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from obspy_tng.errors import RecordError, TNGError
from obspy_tng.evaluation.statistics import (
    energy_distance,
    ln_bias,
    sd_ratio,
    wasserstein_columns,
)
from obspy_tng.site.curves import windowed_hvsr
from obspy_tng.site.peaks import clear_peaks
from obspy_tng.site.timesnet_gen import record_f0
from obspy_tng.site.windows import CYCLES, LENGTH_S, energy_onsets, noise_window, signal_window

BAND_HZ = (0.5, 20.0)
FREQUENCY_HZ = np.geomspace(*BAND_HZ, 100)
FREQUENCY_HZ.flags.writeable = False
TAPER = 0.1
MIN_VALID = 5  # records a frequency needs in both sets


class RecordHvsr(NamedTuple):
    """HVSR and f0 of each of n records, NaN where there is none."""

    frequency_hz: np.ndarray  # (f,)
    ln_hvsr: np.ndarray  # (n, f), of the S window
    f0_hz: np.ndarray  # (n,), largest value of the curve of the whole record, as the published code
    f0_clear_hz: np.ndarray  # (n,), lowest clear peak of the S window's curve
    n_masked: np.ndarray  # (n,), frequencies of a usable record that do not stand out of the noise
    noise_length_s: np.ndarray  # (n,), 0: no noise before P, no mask
    p_s: np.ndarray  # (n,), told from the energy
    s_s: np.ndarray  # (n,)
    reasons: list  # (n,), why there is no curve; "" where there is one


def record_hvsr(data: np.ndarray, sampling_rate: float, *, snr: float = 3.0) -> RecordHvsr:
    """Return the HVSR curve and f0 of each record, with windows told from the energy alone.

    The S window is 20 s long and begins at the S of the strongest motion, so that a second, stronger earthquake
    takes the place of the first. Frequencies below `snr` times the noise before P are NaN. Zeros in front and behind
    are no part of a record.

    Parameters
    ----------
    data : numpy.ndarray, shape (n, 3, npts)
        E, N, Z acceleration in any unit; left as it is.
    sampling_rate : float
        In Hz.
    snr : float
        Smallest signal/noise ratio; 0 for no mask.

    Returns
    -------
    RecordHvsr
        A record without a curve has NaN and a reason; its f0 (whole record) may still be known.

    Raises
    ------
    TNGError
        The array has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=6000) * np.where(np.arange(6000) < 1500, 0.01, np.exp(-np.arange(6000) / 1500))
    >>> made = record_hvsr(np.stack([2 * x, 2 * x, x])[None], 100.0)
    >>> np.exp(made.ln_hvsr).round(6).min(), np.exp(made.ln_hvsr).round(6).max()
    (np.float64(2.0), np.float64(2.0))
    """
    data = np.asarray(data)
    if data.ndim != 3 or data.shape[1] != 3:
        raise TNGError(f"array of shape {data.shape} given; accepted: (record, 3, sample), components E, N, Z")
    n = len(data)
    logs = np.full((n, FREQUENCY_HZ.size), np.nan)
    f0, clear, p, s = np.full((4, n), np.nan)
    noise_s, masked, reasons = np.zeros(n), np.zeros(n, dtype=int), [""] * n
    whole = []
    for i in range(n):
        try:
            first, record = _motion(data[i])
            whole.append(i)
            onsets = energy_onsets(record, sampling_rate)
            curve, noise = _curve(record, sampling_rate, *onsets, snr)
        except RecordError as err:
            reasons[i] = str(err)
            continue
        p[i], s[i] = onsets[0] + first / sampling_rate, onsets[1] + first / sampling_rate
        noise_s[i], masked[i] = noise, np.isnan(curve).sum()
        logs[i] = np.log(curve)
        found = clear_peaks(curve, FREQUENCY_HZ)
        clear[i] = found[0].frequency_hz if found else np.nan
        if masked[i] == FREQUENCY_HZ.size:
            reasons[i] = "no frequency stands out of the noise"
    if whole:
        f0[whole] = record_f0(data if len(whole) == n else data[whole], sampling_rate)
    return RecordHvsr(FREQUENCY_HZ, logs, f0, clear, masked, noise_s, p, s, reasons)


def _motion(record):
    """Return the first sample that is not zero, and the record between the zeros as float64.

    Raises
    ------
    RecordError
        Samples that are not finite, or a component without motion.
    """
    record = record.astype(np.float64)
    if not np.isfinite(record).all():
        raise RecordError("samples are not all finite")
    moving = np.flatnonzero((record != 0).any(axis=0))
    if not moving.size or (np.ptp(record, axis=1) == 0).any():
        raise RecordError("a component is constant")
    return int(moving[0]), record[:, moving[0] : moving[-1] + 1]


def _curve(record, sampling_rate, p_s, s_s, snr):
    """Return the HVSR of the S window (f,) and the length of the noise before P in seconds.

    Raises
    ------
    RecordError
        Less than 5 s after S, or a component is constant there.
    """
    window = signal_window(record.shape[1], sampling_rate, s_s, "energy", LENGTH_S, TAPER)
    if (np.ptp(record[:, window.start : window.stop], axis=1) == 0).any():
        raise RecordError("a component is constant inside the S window")
    noise = noise_window(sampling_rate, p_s, window.start)
    curve = windowed_hvsr(record, sampling_rate, window, noise, FREQUENCY_HZ, snr=snr, taper=TAPER)
    length_s = (window.stop - window.start) / sampling_rate
    if length_s < LENGTH_S - 1 / sampling_rate:  # cut by the end of the record: too few cycles
        curve[FREQUENCY_HZ * length_s < min(CYCLES, LENGTH_S * BAND_HZ[0]) * (1 - 1e-9)] = np.nan
    return curve, (noise[1] - noise[0]) / sampling_rate if noise else 0.0


def curve_measures(sample: np.ndarray, reference: np.ndarray, *, min_valid: int = MIN_VALID) -> dict:
    """Return how the log-HVSR curves of a sample differ from those of a reference.

    Parameters
    ----------
    sample, reference : numpy.ndarray, shape (n, f) and (m, f)
        ln HVSR of records on the same frequencies (log-spaced, so that means over them are means over ln f); NaN
        where masked.
    min_valid : int
        Frequencies with fewer valid records in either set take no part.

    Returns
    -------
    dict
        ``difference_ln``, ``sigma_ratio_by_frequency`` and ``w1_by_frequency``, shape (f,): of the mean curves,
        sample less reference; of the standard deviations, sample over reference; Wasserstein-1 distance.
        ``mean_abs_difference_ln``, ``sigma_ratio`` (geometric mean) and ``w1``: over all frequencies.
        ``energy_distance``: of whole curves. Real records split by event do not give 0 either: compare with that
        floor.

    Raises
    ------
    TNGError
        The frequencies do not agree.

    Examples
    --------
    >>> curves = np.random.default_rng(0).normal(0.5, 0.2, size=(30, 50))  # ln H/V (record, frequency)
    >>> round(float(curve_measures(curves + 0.1, curves)["mean_abs_difference_ln"]), 3)
    0.1
    """
    sample, reference = (np.asarray(x, dtype=np.float64) for x in (sample, reference))
    if sample.ndim != 2 or reference.ndim != 2 or sample.shape[1] != reference.shape[1]:
        raise TNGError(f"curves of shape {sample.shape} and {reference.shape} given; accepted: (n, f) and (m, f)")
    enough = np.min([np.isfinite(x).sum(axis=0) for x in (sample, reference)], axis=0) >= max(min_valid, 1)
    sample, reference = (np.where(enough, x, np.nan) for x in (sample, reference))
    difference = ln_bias(np.exp(sample), np.exp(reference))
    ratio = sd_ratio(sample, reference)
    w1 = wasserstein_columns(sample, reference)
    with np.errstate(divide="ignore"):
        ln_ratio = np.log(ratio)
    return {
        "mean_abs_difference_ln": _mean(np.abs(difference)),
        "difference_ln": difference,
        "sigma_ratio": float(np.exp(_mean(ln_ratio))),
        "sigma_ratio_by_frequency": ratio,
        "energy_distance": energy_distance(sample, reference),
        "w1": _mean(w1),
        "w1_by_frequency": w1,
    }


def _mean(values) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float("nan")


def joint_distance(ln_pga, ln_f0, ln_pga_reference, ln_f0_reference) -> float:
    """Return how far the joint distribution of PGA and f0 is from that of a reference.

    Version 3 of TimesNet-Gen (abstract; its review asks for a distance and gives none) shows the two clouds. This is
    the unbiased energy distance of (ln PGA, ln f0), each less the mean of the reference and over its standard
    deviation.

    Parameters
    ----------
    ln_pga, ln_f0 : array_like, shape (n,)
        Of the sample, in any unit the reference has too; a record that misses either is left out.
    ln_pga_reference, ln_f0_reference : array_like, shape (m,)

    Returns
    -------
    float
        NaN with fewer than two records in either.

    Raises
    ------
    TNGError
        The lengths do not agree.
    """
    pairs = []
    for pga, f0 in ((ln_pga, ln_f0), (ln_pga_reference, ln_f0_reference)):
        if np.shape(pga) != np.shape(f0) or np.ndim(pga) != 1:
            raise TNGError(
                f"ln PGA of shape {np.shape(pga)} and ln f0 of shape {np.shape(f0)} given; accepted: (n,) each"
            )
        pair = np.stack([pga, f0], axis=1).astype(np.float64)
        pairs.append(pair[np.isfinite(pair).all(axis=1)])
    sample, reference = pairs
    if min(len(sample), len(reference)) < 2:
        return float("nan")
    spread = reference.std(axis=0, ddof=1)
    scale = np.where(spread > 0, spread, 1.0)
    return energy_distance(*((x - reference.mean(axis=0)) / scale for x in pairs))
