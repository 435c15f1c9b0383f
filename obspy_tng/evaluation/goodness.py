"""Goodness-of-fit scores: Anderson, Olsen and Mayhew, response-spectral bias, time-frequency envelope and phase.

Both published scores of two positive numbers depend on the ln of their ratio alone, so everything here takes ln
values. Pairs (a reconstruction and its original) are compared record by record; ensembles (generated and real
records of one site) by their geometric means, in which case criteria that need the waveform of a pair are left out.
"""

from __future__ import annotations

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.evaluation.intensity import NAMES as INTENSITY_NAMES
from obspy_tng.evaluation.intensity import PERIODS_S, psa_single
from obspy_tng.site.smoothing import smooth, smoothing_matrix

# Anderson's bands where the records have a band (high-pass 0.1 Hz, Nyquist 50 Hz); the last is broad
ANDERSON_BANDS_HZ = (
    (0.1, 0.2),
    (0.2, 0.5),
    (0.5, 1.0),
    (1.0, 2.0),
    (2.0, 5.0),
    (5.0, 10.0),
    (10.0, 20.0),
    (20.0, 40.0),
    (0.1, 40.0),
)
ANDERSON_CRITERIA = (
    "C1 Arias duration",
    "C2 energy duration",
    "C3 Arias intensity",
    "C4 energy integral",
    "C5 peak acceleration",
    "C6 peak velocity",
    "C7 peak displacement",
    "C8 response spectrum",
    "C9 Fourier spectrum",
    "C10 cross-correlation",
)
# criteria that need no pair -> the measure they are taken of; C11 stands in for the shape criteria C1 and C2
_ENSEMBLE = {
    "C3": "arias_mps",
    "C4": "energy_m2ps",
    "C5": "pga_mps2",
    "C6": "pgv_mps",
    "C7": "pgd_m",
    "C8": "psa_mps2",
    "C9": "fas_mps",
    "C11": "d5_95_s",
}
_OLSEN_MAYHEW = ("pga_mps2", "pgv_mps", "pgd_m", "psa_mps2", "fas_mps", "d5_95_s", "energy_m2ps", "arias_mps")


def anderson_score(ln_ratio) -> np.ndarray:
    """Return Anderson's score of two positive numbers from the ln of their ratio.

    Parameters
    ----------
    ln_ratio : array_like

    Returns
    -------
    numpy.ndarray, same shape
        ``10 exp(-((p1 - p2) / min(p1, p2))**2)``: 10 equal, 3.7 at a factor of 2. NaN stays NaN.

    Examples
    --------
    >>> anderson_score(np.log([1, 1.5, 2])).round(2)
    array([10.  ,  7.79,  3.68])

    References
    ----------
    Anderson (2004), Quantitative measure of the goodness-of-fit of synthetic seismograms, 13th World Conference on
    Earthquake Engineering, paper 243.
    """
    return 10 * np.exp(-(np.expm1(np.minimum(np.abs(ln_ratio), 100.0)) ** 2))


def olsen_mayhew_score(ln_ratio) -> np.ndarray:
    """Return Olsen and Mayhew's score of two positive numbers from the ln of their ratio, `ln_ratio`.

    Returns
    -------
    numpy.ndarray, same shape
        ``100 erfc(2 |x - y| / (x + y))``: 100 equal, 35 at a factor of 2. NaN stays NaN.

    Examples
    --------
    >>> olsen_mayhew_score(np.log([1, 1.5, 2])).round(1)
    array([100. ,  57.2,  34.6])

    References
    ----------
    Olsen & Mayhew (2010), Goodness-of-fit criteria for broadband synthetic seismograms, with application to the
    2008 Mw 5.4 Chino Hills, California, earthquake, SRL 81(5), 715-723.
    """
    from scipy.special import erfc

    return 100 * erfc(2 * np.tanh(np.abs(ln_ratio) / 2))


def anderson(a: np.ndarray, b: np.ndarray, sampling_rate: float, *, bands_hz=ANDERSON_BANDS_HZ) -> np.ndarray:
    """Return Anderson's ten scores of pairs of traces in frequency bands.

    Parameters
    ----------
    a, b : numpy.ndarray, shape (n, npts)
        Acceleration in m/s²; row i of `a` is compared with row i of `b`, both on one time axis.
    sampling_rate : float
        In Hz.
    bands_hz : sequence of (low, high)
        Below the Nyquist frequency.

    Returns
    -------
    numpy.ndarray, shape (n, bands, 10)
        0 to 10, in the order of `ANDERSON_CRITERIA`. NaN where a trace is dead or not finite.

    Raises
    ------
    TNGError
        Shapes differ, or a band is not below Nyquist.

    Notes
    -----
    Bands are passed by a zero-phase Butterworth gain of order 4 with zeros behind the trace. C8 and C9 compare the
    spectra of the whole trace at the periods and frequencies inside the band, the latter smoothed with ``ko:40``.
    C10 is the correlation without lag, 0 when negative.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    a, b = _pair(a, b, 2)
    npts, nyquist_hz = a.shape[-1], sampling_rate / 2
    for low, high in bands_hz:
        if not 0 < low < high < nyquist_hz:
            raise TNGError(f"band {low:g}-{high:g} Hz is not accepted; accepted: 0 < low < high < {nyquist_hz:g} Hz")
    with np.errstate(invalid="ignore"):
        dead = ~((np.ptp(a, axis=-1) > 0) & (np.ptp(b, axis=-1) > 0))
    traces = np.stack([a, b])
    traces[:, dead] = 0.0
    padded = next_fast_len(npts + int(3 * sampling_rate / min(low for low, _ in bands_hz)), real=True)
    frequency_hz = np.arange(1, padded // 2 + 1) * sampling_rate / padded
    spectrum = rfft(traces, padded)[..., 1:]
    out = np.empty((len(a), len(bands_hz), 10))
    for k, (low, high) in enumerate(bands_hz):
        gain = 1 / np.sqrt((1 + (low / frequency_hz) ** 8) * (1 + (frequency_hz / high) ** 8))
        motion = []
        for order in range(3):  # acceleration, velocity, displacement
            passed = np.zeros((*spectrum.shape[:-1], padded // 2 + 1), dtype=complex)
            passed[..., 1:] = spectrum * (gain / (2j * np.pi * frequency_hz) ** order)
            motion.append(irfft(passed, padded))
        for i in range(2):
            out[:, k, i], out[:, k, 2 + i] = _shape_and_energy(*motion[i])
        for i in range(3):
            out[:, k, 4 + i] = anderson_score(_ln_ratio(*np.abs(motion[i]).max(axis=-1)))
        (x, y), norm = motion[0], np.sqrt((motion[0] ** 2).sum(axis=-1).prod(axis=0))
        product = np.einsum("ij,ij->i", x, y)
        out[:, k, 9] = 10 * np.maximum(np.divide(product, norm, out=np.zeros_like(norm), where=norm > 0), 0)
    out[:, :, 7], out[:, :, 8] = _spectral_scores(traces, sampling_rate, bands_hz)
    out[dead] = np.nan
    return out


def _shape_and_energy(x, y):
    """Return scores of the normalised cumulative squares and of their ends, (n,) each."""
    curves = np.stack([x, y]) ** 2
    total = curves.sum(axis=-1, keepdims=True)
    share = np.cumsum(np.divide(curves, total, out=np.zeros_like(curves), where=total > 0), axis=-1)
    return 10 * (1 - np.abs(share[0] - share[1]).max(axis=-1)), anderson_score(_ln_ratio(*total[..., 0]))


def _spectral_scores(traces, sampling_rate, bands_hz):
    """Return scores of response and Fourier spectra in bands, (n, bands) each."""
    response, fourier = (np.empty((traces.shape[1], len(bands_hz))) for _ in range(2))
    amplitude = np.abs(np.fft.rfft(traces))
    for k, (low, high) in enumerate(bands_hz):
        centre_hz = np.geomspace(low, high, int(np.ceil(10 * np.log10(high / low))) + 1)
        smoothed = smooth(amplitude, smoothing_matrix(traces.shape[-1], sampling_rate, centre_hz))
        fourier[:, k] = _mean(anderson_score(_ln_ratio(*smoothed)))
    periods = np.unique(np.concatenate([PERIODS_S, *([1 / np.sqrt(low * high)] for low, high in bands_hz)]))
    lowest, highest = np.min(bands_hz), np.max(bands_hz)
    periods = periods[(1 / periods >= lowest) & (1 / periods <= highest)]
    score = anderson_score(_ln_ratio(*(psa_single(trace, sampling_rate, periods) for trace in traces)))
    for k, (low, high) in enumerate(bands_hz):
        response[:, k] = _mean(score[:, (1 / periods >= low) & (1 / periods <= high)])
    return response, fourier


def _ln_ratio(x, y):
    """Return ln(x / y), NaN unless both are above 0."""
    good = (x > 0) & (y > 0)
    ratio = np.divide(x, y, out=np.full(np.shape(x), np.nan), where=good)
    return np.log(ratio, out=ratio, where=good)


def _mean(values, axis=-1):
    """Return the mean of what is finite, NaN where nothing is, without a warning."""
    finite = np.isfinite(values)
    count = finite.sum(axis=axis)
    total = np.where(finite, values, 0.0).sum(axis=axis)
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)


def _pair(a, b, ndim):
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.ndim != ndim or a.shape != b.shape:
        raise TNGError(f"pairs have shapes {a.shape} and {b.shape}; accepted: two equal shapes of {ndim} dimensions")
    return a, b


def anderson_ensemble(ln_a: dict, ln_b: dict) -> dict[str, float]:
    """Return Anderson's scores of two unpaired sets of records, from their geometric means.

    Parameters
    ----------
    ln_a, ln_b : dict of array_like, shape (n, ...) and (m, ...)
        ln of measures by the names of `intensity.measures`, and ``psa_mps2`` (n, periods), ``fas_mps`` (n, ...).
        Only what both hold is scored.

    Returns
    -------
    dict of float
        0 to 10: ``C3`` to ``C9``, ``C11`` (5-95 % duration) as far as given, and their ``mean``. C1, C2 and C10
        need the waveforms of a pair and are left out; C11 is the addition of Taborda & Jacob.

    References
    ----------
    Anderson (2004), as in `anderson_score`; Taborda & Bielak (2013), Ground-motion simulation and validation of the
    2008 Chino Hills, California, earthquake, BSSA 103(1), 131-156, for C11.
    """
    names = {criterion: name for criterion, name in _ENSEMBLE.items() if name in ln_a and name in ln_b}
    return _with_mean({c: _mean(anderson_score(_difference(ln_a[n], ln_b[n])), None) for c, n in names.items()})


def olsen_mayhew(ln_a: dict, ln_b: dict, *, paired: bool = False) -> dict:
    """Return the scores of Olsen and Mayhew, of pairs or of two sets of records.

    Parameters
    ----------
    ln_a, ln_b : dict of array_like, shape (n, ...) and (m, ...)
        ln of measures: ``pga_mps2``, ``pgv_mps``, ``pgd_m``, ``psa_mps2``, ``fas_mps``, ``d5_95_s`` (duration),
        ``energy_m2ps`` and ``arias_mps`` (cumulative energy). Only what both hold is scored.
    paired : bool
        True: row by row, n = m. False: geometric means of the two sets.

    Returns
    -------
    dict of float, or of numpy.ndarray of shape (n,) if `paired`
        0 to 100 by name of measure (spectra: mean over ordinates), and their ``mean`` with equal weights. The
        ratio of inelastic to elastic response and the cross-correlation of the paper are not among them.

    Raises
    ------
    TNGError
        `paired`, and the sets differ in shape.
    """
    out = {}
    for name in (n for n in _OLSEN_MAYHEW if n in ln_a and n in ln_b):
        if paired:
            x, y = np.asarray(ln_a[name]), np.asarray(ln_b[name])
            if x.shape != y.shape:
                raise TNGError(f"pairs of {name} have shapes {x.shape} and {y.shape}; accepted: equal shapes")
            out[name] = _mean(olsen_mayhew_score(x - y).reshape(len(x), -1))
        else:
            out[name] = _mean(olsen_mayhew_score(_difference(ln_a[name], ln_b[name])), None)
    return _with_mean(out)


def ensemble_scores(a, b) -> tuple[float, float]:
    """Return the mean ensemble scores of Anderson (of 10) and of Olsen and Mayhew (of 100).

    Parameters
    ----------
    a, b : features.Features
        Two sets of records. Fourier spectra of the horizontals only.
    """
    names = sorted({*_ENSEMBLE.values(), *_OLSEN_MAYHEW} & set(INTENSITY_NAMES))
    sets = []
    for x in (a, b):
        sets.append({name: x.im(name) for name in names} | {"psa_mps2": x.ln_psa, "fas_mps": x.ln_fas[:, :2]})
    return anderson_ensemble(*sets)["mean"], olsen_mayhew(*sets)["mean"]


def _difference(a, b):
    """Return mean(a) - mean(b) over records."""
    return _mean(np.asarray(a), 0) - _mean(np.asarray(b), 0)


def _with_mean(scores):
    if not scores:
        raise TNGError("no measure in common; accepted: names of intensity.measures, psa_mps2, fas_mps")
    scores["mean"] = _mean(np.stack(list(scores.values())), 0)
    return {k: float(v) if np.ndim(v) == 0 else v for k, v in scores.items()}
