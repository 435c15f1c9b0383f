"""Histograms and their confusion matrix against hand calculation, scipy and the authors' own files."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import confusion

STATIONS = ("2020", "0205", "4628", "1716", "3130")


def test_default_bins_are_those_of_the_files(shared_data):
    """20 bins of 1-20 Hz in float32, bit for bit."""
    with np.load(shared_data / "timesnet_gen_reference" / "hvsr_f0_station_2020.npz") as file:
        np.testing.assert_array_equal(confusion.default_bins(), file["f0_bins"])


def test_histograms_are_those_of_the_files(shared_data):
    """The authors' stored densities of 1716 and 3130, whose f0 lie on bin edges: on float64 edges they differ."""
    moved = 0
    for station in STATIONS:
        with np.load(shared_data / "timesnet_gen_reference" / f"hvsr_f0_station_{station}.npz") as file:
            for name in ("real", "timesnet", "vae"):
                f0, density = {station: file[f"f0_{name}"]}, file[f"pdf_{name}"]
                mine = confusion.histograms(f0, file["f0_bins"])[0]
                np.testing.assert_allclose(mine, density / density.sum(), atol=2e-6)
                # the same values come as multiples of 1/180 Hz in float64 from a record
                exact = {station: np.round(file[f"f0_{name}"].astype(float) * 180) / 180}
                np.testing.assert_array_equal(confusion.histograms(exact)[0], mine)
                moved += (confusion.histograms(f0, np.linspace(1, 20, 21))[0] != mine).any()
    assert moved > 0


def test_similarity_as_scipy():
    """Both forms against scipy's Jensen-Shannon distance."""
    p, q = np.random.default_rng(0).dirichlet(np.ones(20), size=(2, 4))
    distance = [[jensenshannon(a, b, base=2) for b in q] for a in p]
    np.testing.assert_allclose(confusion.similarity(p, q), 1 - np.array(distance), atol=1e-6)
    np.testing.assert_allclose(confusion.similarity(p, q, "divergence"), 1 - np.square(distance), atol=1e-6)
    with pytest.raises(TNGError, match="distance, divergence"):
        confusion.similarity(p, q, "js")


def test_similarity_of_half_shared_histograms():
    """{1/2, 1/2} against {1, 0}: divergence 3/2 log2(2) - 3/4 log2(3) = 0.3113 bits, by hand."""
    value = confusion.similarity([[0.5, 0.5]], [[1.0, 0.0]], "divergence")[0, 0]
    assert 1 - value == pytest.approx(1.5 - 0.75 * np.log2(3), abs=1e-8)


def test_matrix_of_stations_apart():
    """Stations without a common bin and equal sets make the ideal matrix: score 1, also without the diagonal."""
    f0 = {"A": [2.0, 2.1], "B": [5.0, np.nan], "C": [12.0]}
    made = confusion.matrix(f0, f0, f0)
    assert made.labels[:4] == [("A", "real"), ("A", "reconstructed"), ("A", "generated"), ("B", "real")]
    np.testing.assert_allclose(made.values, np.kron(np.eye(3), np.ones((3, 3))), atol=1e-4)
    assert confusion.score(made.values, 3) == pytest.approx(1, abs=1e-6)
    assert confusion.score(made.values, 3, diagonal=False) == pytest.approx(1, abs=1e-6)


def test_score_by_hand():
    """Two stations, two sets, similar only on the diagonal: 4 of 8 ones found, r = sqrt(3) / 3; off it nothing."""
    assert confusion.score(np.eye(4), 2) == pytest.approx(1 / np.sqrt(3))
    assert np.isnan(confusion.score(np.eye(4), 2, diagonal=False))
    assert np.isnan(confusion.score(np.ones((2, 2)), 2))  # one station: nothing to tell apart
    with pytest.raises(TNGError, match="square"):
        confusion.score(np.eye(5), 2)


def test_station_without_f0_takes_no_part():
    """A station of NaN has no similarity and leaves the score of the others as it is; unknown stations are refused."""
    real = {"A": [2.0, 3.0], "B": [6.0, 3.0], "C": [9.0]}
    full = confusion.matrix(real, generated=real)
    gap = confusion.matrix(real | {"D": [np.nan]}, generated=real | {"D": [4.0]})
    assert gap.values.shape == (8, 8)
    assert np.isnan(gap.values[6]).all()
    assert confusion.score(gap.values[:6, :6], 2) == confusion.score(full.values, 2)
    with pytest.raises(TNGError, match="no station"):
        confusion.matrix(real, generated={"X": [1.0]})
