"""Histograms of f0, how alike they are, and the confusion matrix of stations that TimesNet-Gen is judged by.

Per station the f0 of real, reconstructed and generated records make histograms; the similarity of every pair of
histograms makes a matrix, which is correlated with the ideal one: 1 within a station, 0 between stations. The paper
writes "complement of the Jensen-Shannon divergence"; the authors' code takes the distance, its root. Both are here.

References
----------
Yilmaz et al. (2025), TimesNet-Gen: deep learning-based site specific strong motion generation, arXiv:2512.04694,
section II-E and Figure 6. Lin (1991), Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37(1).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from obspy_tng.errors import TNGError

BAND_HZ = (1.0, 20.0)
N_BINS = 20
FLOOR = 1e-10  # added to every probability, as the authors do
FORMS = ("distance", "divergence")
SETS = ("real", "reconstructed", "generated")


class Matrix(NamedTuple):
    """Similarities of all histograms, station by station as in the paper's Figure 6."""

    values: np.ndarray  # (row, row)
    labels: list  # (station, set) of each row
    stations: list
    sets: list


def default_bins() -> np.ndarray:
    """Return the edges of the authors' histograms: 20 linear bins of 1-20 Hz, float32, in Hz."""
    return np.linspace(*BAND_HZ, N_BINS + 1, dtype=np.float32)


def histograms(f0_by_station: dict, bins=None) -> np.ndarray:
    """Return the f0 histogram of each station.

    f0 values are taken as float32: those of 60 s records at 100 Hz are multiples of 1/180 Hz and many lie on an
    edge, which float64 would put into the other bin.

    Parameters
    ----------
    f0_by_station : dict of str to array_like
        f0 in Hz of each record; what is not finite is left out, so is what lies outside of the bins.
    bins : array_like, shape (b + 1,), optional
        Edges in Hz, taken as they are; default `default_bins`.

    Returns
    -------
    numpy.ndarray, shape (station, b)
        Rows sum to 1, or are NaN for a station without f0 in the bins.

    Examples
    --------
    >>> histograms({"A": [2.1, 2.2], "B": [7.0]}).sum(axis=1).tolist()
    [1.0, 1.0]
    """
    bins = default_bins() if bins is None else np.asarray(bins)
    out = np.full((len(f0_by_station), len(bins) - 1), np.nan)
    for i, f0_hz in enumerate(f0_by_station.values()):
        counts = np.histogram(finite_f0(f0_hz).astype(np.float32), bins)[0]
        if counts.any():
            out[i] = counts / counts.sum()
    return out


def similarity(p: np.ndarray, q: np.ndarray, form: str = "distance") -> np.ndarray:
    """Return how alike histograms are: 1 for equal ones, 0 for those without a common bin.

    Parameters
    ----------
    p, q : numpy.ndarray, shape (r, b) and (c, b)
        Probabilities.
    form : {"distance", "divergence"}
        ``"distance"``: 1 - root of the Jensen-Shannon divergence, as the authors' code; ``"divergence"``: 1 - the
        divergence itself, as the paper writes. Base 2, 1e-10 added to every probability.

    Returns
    -------
    numpy.ndarray, shape (r, c)

    Raises
    ------
    TNGError
        `form` is neither.

    Examples
    --------
    >>> similarity(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])).round(6)
    array([[1., 0.]])
    """
    if form not in FORMS:
        raise TNGError(f"form {form!r} not known; accepted: {', '.join(FORMS)}")
    p, q = np.asarray(p)[:, None] + FLOOR, np.asarray(q)[None] + FLOOR
    middle = (p + q) / 2
    divergence = 0.5 * (p * np.log2(p / middle) + q * np.log2(q / middle)).sum(axis=-1)
    divergence = np.maximum(divergence, 0.0)
    return 1 - (np.sqrt(divergence) if form == "distance" else divergence)


def matrix(real: dict, reconstructed: dict | None = None, generated: dict | None = None, *, bins=None, form="distance"):
    """Return the similarities of all f0 histograms of the stations that every set has.

    Parameters
    ----------
    real, reconstructed, generated : dict of str to array_like
        f0 in Hz of the records of each station; a set that is None has no rows.
    bins, form
        See `histograms` and `similarity`.

    Returns
    -------
    Matrix
        Rows in the paper's order: first station real, reconstructed, generated, then the next; 15 x 15 for its five
        stations and three sets.

    Raises
    ------
    TNGError
        No station is in all sets.
    """
    given = {n: s for n, s in zip(SETS, (real, reconstructed, generated), strict=True) if s is not None}
    stations = common_stations(*given.values())
    # (station, set, bin) -> rows station by station
    probability = np.stack([histograms({s: f0[s] for s in stations}, bins) for f0 in given.values()], axis=1)
    rows = probability.reshape(-1, probability.shape[-1])
    labels = [(station, name) for station in stations for name in given]
    return Matrix(similarity(rows, rows, form), labels, stations, list(given))


def score(values: np.ndarray, n_sets: int, diagonal: bool = True) -> float:
    """Return the alignment score: correlation of a matrix with the ideal one of ones within and zeros between stations.

    Parameters
    ----------
    values : numpy.ndarray, shape (row, row)
        Similarities, `n_sets` rows per station.
    n_sets : int
        Number of sets: real, reconstructed, generated.
    diagonal : bool
        False: leave out the diagonal, where a histogram meets itself.

    Returns
    -------
    float
        Pearson correlation, up to 1; NaN for a single station. Pairs without a similarity (NaN) take no part.

    Raises
    ------
    TNGError
        The matrix does not hold `n_sets` rows for each station.
    """
    values = np.asarray(values)
    if values.ndim != 2 or values.shape[0] != values.shape[1] or len(values) % n_sets:
        raise TNGError(f"matrix of shape {values.shape} given; accepted: square, {n_sets} rows for each station")
    ideal = np.kron(np.eye(len(values) // n_sets), np.ones((n_sets, n_sets)))
    used = np.isfinite(values) & (diagonal | ~np.eye(len(values), dtype=bool))
    x, y = values[used], ideal[used]
    if not x.size or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def common_stations(*sets) -> list:
    """Return the stations every set has, in the order of the first."""
    stations = [s for s in sets[0] if all(s in other for other in sets)]
    if not stations:
        listed = "; ".join(", ".join(map(str, list(s)[:5])) or "none" for s in sets)
        raise TNGError(f"no station is in all sets; given: {listed}")
    return stations


def finite_f0(f0_hz) -> np.ndarray:
    values = np.asarray(f0_hz, dtype=np.float64).ravel()
    return values[np.isfinite(values) & (values > 0)]
