"""Classifier two-sample test: can a classifier tell generated from real records of events that it never saw?

The area under its ROC curve (AUC) is .5 where it cannot and 1 where it always can (Lopez-Paz & Oquab 2017, Revisiting
classifier two-sample tests, ICLR). Three classifiers are asked: logistic regression and gradient boosting on the
features of `c2st_features`, and the network of `c2st_network`. The largest of their three *means over splits* counts:
the largest of each split would be above .5 for equal laws already.

What keeps the test honest:

- Split by event. Train and test never share an event of real records. A generated record that names its parents is
  put on the side that holds most of them; without that, copies of test records would be shown to the classifier as
  generated, and it would call the real ones generated too (an AUC far *below* .5: copies, not a good generator).
- Both classes hold the same number of records of each station, in training and in test.
- The mean of the real training records of its station is taken from each record, real or generated, so that what
  differs between stations is no clue and what the generator adds to a station is one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.evaluation.c2st_features import features
from obspy_tng.evaluation.c2st_network import images, network_scores
from obspy_tng.evaluation.c2st_splits import MOST, draw_floor_splits, draw_splits, standardised
from obspy_tng.evaluation.statistics import Interval, interval
from obspy_tng.preprocessing import P_AT_S

VALID_AUC = {"mean of five": 0.90, "phase-shuffled": 0.95}
LOGISTIC = dict(C=0.01, max_iter=300)
BOOSTING = dict(
    max_iter=40, max_leaf_nodes=6, min_samples_leaf=5, max_bins=32, max_features=0.2, learning_rate=0.2,
    early_stopping=False,
)  # fmt: skip


class Described(NamedTuple):
    """Records as the classifiers see them, see `describe`.

    Attributes
    ----------
    features : dict of str to numpy.ndarray, shape (n, k)
    images : numpy.ndarray, shape (n, 6, frame, frequency), or None
        None: no network is asked.
    station : numpy.ndarray of str, shape (n,)
    event : numpy.ndarray of str, shape (n, parents)
        Events a record stems from, empty strings where unknown; one column for real records.
    """

    features: dict[str, np.ndarray]
    images: np.ndarray | None
    station: np.ndarray
    event: np.ndarray


class Scores(NamedTuple):
    """Result of the test.

    Attributes
    ----------
    auc : float
        The one that counts: the largest mean over splits of the classifiers.
    classifier : str
        Whose it is.
    classifiers : dict of str to numpy.ndarray, shape (split,)
        AUC of ``logistic regression``, ``boosting`` and ``network``.
    groups : dict of str to numpy.ndarray, shape (split,)
        AUC with one group of features alone, of logistic regression or boosting, whichever has the larger mean;
        empty when not asked for.
    n_train, n_test : int
        Records per class of the smallest split.
    n_stations : int
        Stations of the smallest split.
    """

    auc: float
    classifier: str
    classifiers: dict[str, np.ndarray]
    groups: dict[str, np.ndarray]
    n_train: int
    n_test: int
    n_stations: int


def describe(data, sampling_rate: float, station, event=None, *, p_s: float = P_AT_S, network=True) -> Described:
    """Return what the classifiers are told of records, once for all comparisons.

    Parameters
    ----------
    data : numpy.ndarray, shape (n, 3, npts), m/s²
        E, N, Z; windows of one length with P at one time, conditioned alike. A difference in length, padding or
        alignment between two sets would be found at once, and say nothing of the motion.
    sampling_rate : float
        In Hz.
    station : array_like of str, shape (n,)
    event : array_like of str, shape (n,) or (n, parents), optional
        Event of real records; events of the parents of generated ones, empty where unknown.
    p_s : float
        P onset in s after the first sample.
    network : bool
        Whether the network is to be asked as well.

    Returns
    -------
    Described

    Raises
    ------
    TNGError
        Lengths do not agree, or `features` cannot use the records.
    """
    data, station = np.asarray(data), np.asarray(station, dtype=str)
    event = np.asarray(np.full(len(data), "") if event is None else event, dtype=str)
    event = event[:, None] if event.ndim == 1 else event
    if not len(data) == len(station) == len(event):
        raise TNGError(f"{len(data)} records, {len(station)} stations and {len(event)} events given; one each needed")
    return Described(
        features(data, sampling_rate, p_s=p_s), images(data, sampling_rate) if network else None, station, event
    )


def c2st(
    real: Described, generated: Described, *, n_splits: int = 20, seed: int = 0, most: int = MOST, groups: bool = True,
    progress: Callable[[str], None] | None = None,
) -> Scores:  # fmt: skip
    """Tell generated from real records by classifiers trained on other events.

    Parameters
    ----------
    real, generated : Described
        See `describe`. Stations that are not in both are left out. Describe `real` once for several sets.
    n_splits : int
        Random halves of the events: one to train, one to test.
    seed : int
        The result is the same for the same seed; the halves of the events are the same for any generated set.
    most : int
        Records per class in training, and in test; more are drawn from at random.
    groups : bool
        Whether each group of features is tried alone as well, which takes half of the time.
    progress : callable, optional
        Called with a line of text after each split.

    Returns
    -------
    Scores

    Raises
    ------
    TNGError
        Too few records or events, or scikit-learn is absent.

    Notes
    -----
    A generator fed with all events knows those of the test as well. One that is right in law then stands a little
    below .5 rather than at it, since what the training half has too much of, the test half has too little of.
    """
    rng = np.random.default_rng(seed)
    splits = draw_splits(real.station, real.event[:, 0], generated.station, generated.event, n_splits, rng, most)
    return _scores(real, generated, splits, seed, groups, progress, "C2ST")


def real_floor(
    real: Described, *, n_splits: int = 60, seed: int = 0, most: int = MOST, groups: bool = True,
    progress: Callable[[str], None] | None = None,
) -> Scores:  # fmt: skip
    """Tell real from real records: random halves of the events are the classes, each split by event again.

    The level to compare `c2st` with. Its expectation is .5; with a quarter of 42 events on each side one split scatters
    by about .1, hence more splits than the test itself needs.

    Parameters
    ----------
    real : Described
    n_splits, seed, most, groups, progress
        See `c2st`.

    Returns
    -------
    Scores

    Raises
    ------
    TNGError
        Too few records or events, or scikit-learn is absent.
    """
    splits = draw_floor_splits(real.station, real.event[:, 0], n_splits, np.random.default_rng(seed), most)
    return _scores(real, real, splits, seed, groups, progress, "C2ST floor")


def c2st_validity(mean_of_five: Scores, phase_shuffled: Scores) -> tuple[bool, str]:
    """Tell whether the classifiers can see what they must see: an AUC of a blind classifier proves nothing.

    Parameters
    ----------
    mean_of_five, phase_shuffled : Scores
        Of the baselines against the same real records. Phase-shuffled records have one parent each: name its event in
        `describe`.

    Returns
    -------
    valid : bool
        AUC of at least .90 and .95.
    remark : str
        One sentence with the numbers.
    """
    found = dict(zip(VALID_AUC, (mean_of_five.auc, phase_shuffled.auc), strict=True))
    valid = all(found[name] >= least for name, least in VALID_AUC.items())
    numbers = ", ".join(f"{name} {found[name]:.3f} (needed {least:.2f})" for name, least in VALID_AUC.items())
    return valid, f"C2ST is {'valid' if valid else 'NOT valid'}: the same classifiers give {numbers}"


def summary(scores: Scores) -> dict[str, Interval]:
    """Return mean and 95 % range over splits by classifier, and of each group as ``"group: name"``."""
    rows = {**scores.classifiers, **{f"group: {name}": values for name, values in scores.groups.items()}}
    return {name: interval(values) for name, values in rows.items()}


def _scores(real, generated, splits, seed, alone, progress, what):
    """Return Scores over splits."""
    fixed = {"logistic regression": _logistic, "boosting": _boosting}
    whole: dict[str, list] = {name: [] for name in fixed}
    groups: dict[str, dict[str, list]] = {}
    columns = {"": tuple(np.concatenate(list(d.features.values()), axis=1) for d in (real, generated))}
    if alone:
        groups = {name: {kind: [] for kind in fixed} for name in real.features}
        columns |= {name: (real.features[name], generated.features[name]) for name in groups}
    pictures = None
    if real.images is not None and generated.images is not None:
        pictures = tuple(d.images.reshape(len(d.images), -1) for d in (real, generated))
        whole["network"] = []
    for number, split in enumerate(splits):
        stations = real.station, generated.station, split
        for name, both in columns.items():
            train, label, test, truth = standardised(*both, *stations)
            for kind, classifier in fixed.items():
                found = _auc(classifier(train, label, test, seed + number), truth)
                (groups[name][kind] if name else whole[kind]).append(found)
        if pictures:
            train, label, test, truth = standardised(*pictures, *stations)
            train, test = (x.reshape(len(x), *real.images.shape[1:]) for x in (train, test))
            whole["network"].append(_auc(network_scores(train, label, test, seed + number), truth))
        if progress:
            progress(f"{what}: split {number + 1} of {len(splits)}")
    classifiers = {name: np.array(values) for name, values in whole.items()}
    best = max(classifiers, key=lambda name: classifiers[name].mean())
    return Scores(
        auc=float(classifiers[best].mean()),
        classifier=best,
        classifiers=classifiers,
        groups={name: np.array(max(kinds.values(), key=np.mean)) for name, kinds in groups.items()},
        n_train=min(len(s.train_real) for s in splits),
        n_test=min(len(s.test_real) for s in splits),
        n_stations=min(len(np.unique(real.station[s.train_real])) for s in splits),
    )


def _logistic(train, label, test, seed):
    """Return ln odds; of values and their sizes, since a generator's spread gives it away as much as its mean."""
    linear_model = _sklearn("linear_model")
    train, test = (np.concatenate([x, np.abs(x)], axis=1) for x in (train, test))
    with _one_thread():
        return linear_model.LogisticRegression(**LOGISTIC, random_state=seed).fit(train, label).decision_function(test)


def _boosting(train, label, test, seed):
    """Return ln odds."""
    ensemble = _sklearn("ensemble")
    with _one_thread():
        model = ensemble.HistGradientBoostingClassifier(**BOOSTING, random_state=seed)
        return model.fit(train, label).decision_function(test)


def _auc(score, truth):
    return float(_sklearn("metrics").roc_auc_score(truth, score))


def _one_thread():
    """Return a context in which sums are made in one order, on one core."""
    from threadpoolctl import threadpool_limits  # scikit-learn brings it

    return threadpool_limits(1)


def _sklearn(part):
    """Return a part of scikit-learn."""
    from importlib import import_module

    try:
        return import_module(f"sklearn.{part}")
    except ImportError as err:
        raise TNGError("the classifier two-sample test needs scikit-learn (pip install scikit-learn)") from err
