"""Does every station keep its own f0? The alignment scores of TimesNet-Gen, and what they are worth.

References
----------
Yilmaz et al. (2025), TimesNet-Gen: deep learning-based site specific strong motion generation, arXiv:2512.04694,
section II-E.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from obspy_tng.evaluation.confusion import (
    FORMS,
    Matrix,
    common_stations,
    finite_f0,
    histograms,
    matrix,
    score,
    similarity,
)
from obspy_tng.evaluation.statistics import wasserstein

N_PAPER = 50  # records the paper generates per station
SATURATED = 0.1  # the score tells little when a constant f0 comes this close to real records


class Scores(NamedTuple):
    """Alignment scores: both forms, with the trivial diagonal and without."""

    distance: float  # the authors' form
    distance_off_diagonal: float
    divergence: float
    divergence_off_diagonal: float


class StationDistances(NamedTuple):
    """How far f0 of other records lies from the real ones, one number per station."""

    stations: list
    js_distance: np.ndarray
    w1_f0_hz: np.ndarray
    w1_ln_f0: np.ndarray


class Saturation(NamedTuple):
    """Scores (authors' form) that generators of known quality would get."""

    oracle: float  # draws from the real f0 of the station
    collapsed: float  # always the station's median f0
    blind: float  # draws from the real f0 of all stations


class Alignment(NamedTuple):
    """All about f0 of one evaluation."""

    matrix: Matrix  # authors' form, all sets
    matrix_divergence: Matrix
    scores: Scores  # of all sets: the 15 x 15 with reconstructed records, else the 10 x 10
    scores_generated: Scores  # real and generated
    scores_reconstructed: Scores | None  # real and reconstructed
    generated: StationDistances
    reconstructed: StationDistances | None
    saturation: Saturation
    remark: str


def scores(real: dict, reconstructed: dict | None = None, generated: dict | None = None, *, bins=None) -> Scores:
    """Return the alignment score in both forms, with and without the diagonal; parameters as for `matrix`."""
    made = [matrix(real, reconstructed, generated, bins=bins, form=form) for form in FORMS]
    return Scores(*(score(m.values, len(m.sets), diagonal) for m in made for diagonal in (True, False)))


def station_distances(real: dict, other: dict, *, bins=None) -> StationDistances:
    """Return the distances of f0 distributions station by station.

    Parameters
    ----------
    real, other : dict of str to array_like
        f0 in Hz.
    bins : array_like, optional
        Of the Jensen-Shannon distance; see `histograms`.

    Returns
    -------
    StationDistances
        Jensen-Shannon distance (base 2, 0 to 1), Wasserstein-1 distance of f0 in Hz and of ln f0.

    Raises
    ------
    TNGError
        No station is in both.
    """
    stations = common_stations(real, other)
    p, q = (histograms({s: f0[s] for s in stations}, bins) for f0 in (real, other))
    pairs = [(finite_f0(other[s]), finite_f0(real[s])) for s in stations]
    return StationDistances(
        stations,
        1 - np.diagonal(similarity(p, q)),
        np.array([wasserstein(a, b) for a, b in pairs]),
        np.array([wasserstein(np.log(a), np.log(b)) for a, b in pairs]),
    )


def saturation(
    real: dict,
    rng: np.random.Generator,
    *,
    reconstructed: dict | None = None,
    bins=None,
    n_generated: int = N_PAPER,
    n_trials: int = 20,
) -> Saturation:
    """Tell what generators of known quality would score, which says what a score is worth at these stations.

    Parameters
    ----------
    real, reconstructed : dict of str to array_like
        f0 in Hz; `reconstructed` rows take part in the matrix when given.
    rng : numpy.random.Generator
    bins : array_like, optional
        See `histograms`.
    n_generated : int
        Records drawn per station; the paper's 50.
    n_trials : int
        Draws the scores are the mean of.

    Returns
    -------
    Saturation
        Scores (authors' form, with the diagonal) of an oracle that resamples the station's real f0, of one that
        always returns the station's median, and of a station-blind one that resamples the f0 of all stations.
    """
    f0 = {station: finite_f0(values) for station, values in real.items()}
    f0 = {station: values for station, values in f0.items() if values.size}
    if not f0:
        return Saturation(*[float("nan")] * 3)
    everything = np.concatenate(list(f0.values()))

    def of(draw):
        made = matrix(f0, reconstructed, {s: draw(v) for s, v in f0.items()}, bins=bins)
        return score(made.values, len(made.sets))

    oracle = [of(lambda v: rng.choice(v, n_generated)) for _ in range(n_trials)]
    blind = [of(lambda v: rng.choice(everything, n_generated)) for _ in range(n_trials)]
    return Saturation(float(np.mean(oracle)), of(lambda v: np.full(n_generated, np.median(v))), float(np.mean(blind)))


def saturation_remark(known: Saturation, value: float | None = None) -> str:
    """Say in words what a score is worth.

    Parameters
    ----------
    known : Saturation
    value : float, optional
        The score to judge, of the same sets.

    Returns
    -------
    str
        One or two sentences; empty when no score can be told (one station).
    """
    oracle, collapsed, blind = known
    if not np.isfinite([oracle, collapsed, blind]).all():
        return ""
    levels = (
        f"records with real f0 would score {oracle:.2f}, the station's median f0 every time {collapsed:.2f}, "
        f"f0 of any station at random {blind:.2f}"
    )
    judged = "" if value is None or not np.isfinite(value) else f"; {value:.2f} is {_place(known, value)}"
    if oracle - collapsed >= SATURATED:
        return f"Levels of the alignment score: {levels}{judged}."
    return (
        f"The alignment score saturates: {levels}{judged}. "
        "It tells whether stations are kept apart, not whether f0 varies as it should."
    )


def _place(known, value) -> str:
    if value >= known.oracle - 0.01:
        return "as good as real f0"
    if value >= known.collapsed:
        return "above a constant f0 per station"
    if value > known.blind:
        return "no better than a constant f0 per station"
    return "no better than ignoring the station"


def alignment(real: dict, generated: dict, reconstructed: dict | None = None, *, bins=None, seed: int = 0) -> Alignment:
    """Return everything about f0: matrices, scores in both forms, distances per station, what the score is worth.

    Parameters
    ----------
    real, generated, reconstructed : dict of str to array_like
        f0 in Hz of the records of each station, by the definition of the published code for numbers that compare
        with the paper's.
    bins : array_like, optional
        See `histograms`.
    seed : int
        Of `saturation`.

    Returns
    -------
    Alignment

    Raises
    ------
    TNGError
        No station is in all sets.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real = {name: rng.lognormal(np.log(f0), 0.2, 200) for name, f0 in (("A", 2.0), ("B", 8.0))}
    >>> bool(alignment(real, real).scores.distance > 0.9)
    True
    """
    sets = [None if s is None else dict(s) for s in (real, reconstructed, generated)]
    stations = common_stations(*(s for s in sets if s is not None))
    real, reconstructed, generated = (None if s is None else {k: s[k] for k in stations} for s in sets)
    made = int(np.median([finite_f0(f0).size for f0 in generated.values()]))  # a larger number fills histograms better
    known = saturation(
        real, np.random.default_rng(seed), reconstructed=reconstructed, bins=bins, n_generated=max(made, 1)
    )
    all_sets = scores(real, reconstructed, generated, bins=bins)
    return Alignment(
        matrix=matrix(real, reconstructed, generated, bins=bins),
        matrix_divergence=matrix(real, reconstructed, generated, bins=bins, form="divergence"),
        scores=all_sets,
        scores_generated=scores(real, None, generated, bins=bins),
        scores_reconstructed=None if reconstructed is None else scores(real, reconstructed, bins=bins),
        generated=station_distances(real, generated, bins=bins),
        reconstructed=None if reconstructed is None else station_distances(real, reconstructed, bins=bins),
        saturation=known,
        remark=saturation_remark(known, all_sets.distance),
    )
