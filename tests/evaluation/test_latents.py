"""Station purity of latents."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.evaluation.latents import purity


def test_purity_of_clusters_and_of_noise():
    """Stations far apart are pure; without station in the codes purity is at chance, which is 19/99 for 5 x 20."""
    rng = np.random.default_rng(0)
    station = np.repeat(list("ABCDE"), 20)
    noise = rng.normal(size=(100, 6))
    apart = purity(noise + 50 * np.repeat(np.eye(5, 6), 20, axis=0), station)
    assert apart.purity == 1
    assert apart.chance == pytest.approx(19 / 99)
    assert apart.by_station == dict.fromkeys("ABCDE", 1.0)
    blind = [purity(rng.normal(size=(100, 6)), station).purity for _ in range(40)]
    assert np.mean(blind) == pytest.approx(19 / 99, abs=0.025)


def test_purity_as_scikit_learn():
    """The nearest neighbours are scikit-learn's."""
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(1)
    codes, station = 1000 + rng.normal(size=(80, 3, 4)), rng.choice(list("AB"), size=80)
    flat = codes.reshape(80, -1)
    nearest = NearestNeighbors(n_neighbors=2).fit(flat).kneighbors(flat, return_distance=False)[:, 1]
    assert purity(codes, station).purity == pytest.approx(np.mean(station[nearest] == station))


def test_purity_without_same_event():
    """Codes in the order of events: no neighbour is of its station; across events only both ends meet theirs."""
    event, station = np.repeat(np.arange(10), 3), np.tile(list("ABC"), 10)
    codes = event[:, None] * 10.0 + np.tile([[0.0], [1.0], [2.0]], (10, 1))
    assert purity(codes, station).purity == 0
    apart = purity(codes, station, event)
    assert apart.n_records == 30
    assert apart.chance == pytest.approx(1 / 3)
    assert apart.purity == pytest.approx(2 / 30)  # first A and last C; else A meets the C before it, C the A behind it
    with pytest.raises(TNGError, match="3 latents"):
        purity(np.zeros((3, 2)), ["A"])
