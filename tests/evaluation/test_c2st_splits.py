"""Training and test records of the classifier two-sample test: events, stations, parents."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import c2st_splits as s

STATION = np.tile(["A", "B", "C"], 20)
EVENT = np.repeat([f"e{i}" for i in range(20)], 3)
MADE = np.repeat(["A", "B", "C"], [30, 12, 50])
UNKNOWN = np.full((92, 1), "")


def draw(event_generated=UNKNOWN, seed=0, **kwargs):
    """Return ten splits of the small sets above."""
    return s.draw_splits(STATION, EVENT, MADE, event_generated, 10, np.random.default_rng(seed), **kwargs)


def test_no_event_in_training_and_test():
    """Real training and test records share no event, and no record stands on both sides."""
    for split in draw():
        assert not set(EVENT[split.train_real]) & set(EVENT[split.test_real])
        assert not set(split.train_generated) & set(split.test_generated)


def test_classes_have_equal_stations():
    """Both classes hold as many records of each station, in training and in test."""
    for split in draw():
        for real, made in (split[:2], split[2:]):
            np.testing.assert_array_equal(np.sort(STATION[real]), np.sort(MADE[made]))
            assert len(np.unique(real)) == len(real)
            assert len(np.unique(made)) == len(made)
            assert np.count_nonzero(MADE[made] == "B") == 6  # half of what was generated there


def test_parents_decide_the_side():
    """A generated record stands with most of its parents' events."""
    rng = np.random.default_rng(1)
    parents = np.array([rng.choice(np.unique(EVENT), 5, replace=False) for _ in MADE])
    for split in draw(parents):
        train = set(EVENT[split.train_real])
        share = np.array([[p in train for p in row] for row in parents]).mean(axis=1)
        assert (share[split.train_generated] > 0.5).all()
        assert (share[split.test_generated] < 0.5).all()


def test_halves_of_events_do_not_depend_on_the_generated():
    """Two generated sets are judged by the same halves of the events."""
    a, b = draw(), draw(np.random.default_rng(1).choice(np.unique(EVENT), (92, 2)))
    for one, other in zip(a, b, strict=True):
        assert set(EVENT[one.train_real]) == set(EVENT[other.train_real])


def test_floor_takes_four_disjoint_quarters():
    """The classes of the floor, and their training and test records, share no event; stations are equal."""
    for split in s.draw_floor_splits(STATION, EVENT, 10, np.random.default_rng(0)):
        events = [set(EVENT[rows]) for rows in split]
        assert sum(map(len, events)) == len(set().union(*events)) == 20
        for a, b in (split[:2], split[2:]):
            np.testing.assert_array_equal(np.sort(STATION[a]), np.sort(STATION[b]))


def test_most_is_kept():
    """No class holds more records than asked for; stations stay equal."""
    for split in draw(most=21):
        assert all(len(rows) <= 21 for rows in split)
        np.testing.assert_array_equal(np.sort(STATION[split.train_real]), np.sort(MADE[split.train_generated]))
    wide = np.repeat([f"S{i}" for i in range(40)], 20)
    event = np.tile(np.unique(EVENT), 40)
    for split in s.draw_floor_splits(wide, event, 3, np.random.default_rng(0), most=100):
        _, count = np.unique(wide[split.train_real], return_counts=True)
        assert len(count) == 10  # most / 10 stations
        assert (count == 5).all()


def test_station_means_are_those_of_real_training():
    """Columns are told from the station's real training mean; a new set of the same shift keeps it."""
    offset = {"A": 0.0, "B": 100.0, "C": -50.0}
    rng = np.random.default_rng(2)
    real = np.array([offset[c] for c in STATION])[:, None] + rng.normal(size=(60, 4))
    made = np.array([offset[c] for c in MADE])[:, None] + rng.normal(size=(92, 4)) + 3
    split = draw()[0]
    train, label, test, truth = s.standardised(real, made, STATION, MADE, split)
    np.testing.assert_allclose(train[label == 0].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(train.std(axis=0), 1, atol=0.05)
    assert len(train) == len(label) == 2 * len(split.train_real)
    gap = test[truth == 1].mean(axis=0) - test[truth == 0].mean(axis=0)
    np.testing.assert_allclose(gap, 3 / np.sqrt(1 + 1.5**2), atol=0.4)


def test_errors():
    """Too few events or records are told with what was given."""
    with pytest.raises(TNGError, match="3 events given"):
        s.draw_floor_splits(np.full(3, "A"), np.array(["a", "b", "c"]), 1, np.random.default_rng(0))
    with pytest.raises(TNGError, match="no station with 5 or more"):
        s.draw_splits(STATION, EVENT, np.full(92, "D"), UNKNOWN, 1, np.random.default_rng(0))
