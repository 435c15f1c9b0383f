"""Alignment scores against the numbers that the authors' files give."""

import numpy as np
import pytest

from obspy_tng.evaluation import alignment as al

STATIONS = ("2020", "0205", "4628", "1716", "3130")


@pytest.fixture(scope="module")
def reference(shared_data):
    """f0 lists of real, TimesNet and VAE records, and the bins, of the authors' files."""
    f0 = {"real": {}, "timesnet": {}, "vae": {}}
    for station in STATIONS:
        with np.load(shared_data / "timesnet_gen_reference" / f"hvsr_f0_station_{station}.npz") as file:
            for name, lists in f0.items():
                lists[station] = file[f"f0_{name}"]
            bins = file["f0_bins"]
    return f0, bins


@pytest.mark.parametrize(
    ("model", "expected", "js", "w1_hz"),
    [("timesnet", (0.953, 0.913, 0.884), 0.135, 0.188), ("vae", (0.822, 0.651, 0.797), 0.429, 0.878)],
)
def test_published_files(reference, model, expected, js, w1_hz):
    """10 x 10 of real and reconstructed: both forms, off the diagonal, mean JS distance and W1 of f0."""
    f0, bins = reference
    made = al.scores(f0["real"], f0[model], bins=bins)
    assert made[:3] == pytest.approx(expected, abs=0.002)
    apart = al.station_distances(f0["real"], f0[model], bins=bins)
    assert apart.js_distance.mean() == pytest.approx(js, abs=0.001)
    assert apart.w1_f0_hz.mean() == pytest.approx(w1_hz, abs=0.001)


def test_saturation_of_the_paper(reference):
    """15 x 15: an oracle .95, the median f0 every time .91, a station-blind generator .56; the remark says so."""
    f0, bins = reference
    known = al.saturation(f0["real"], np.random.default_rng(0), reconstructed=f0["timesnet"], bins=bins)
    assert known == pytest.approx((0.950, 0.908, 0.56), abs=0.01)
    remark = al.saturation_remark(known, 0.93)
    assert "saturates" in remark
    assert "0.95" in remark
    assert "0.91" in remark
    assert "0.93 is above a constant f0" in remark


def test_saturation_remark_without_saturation():
    """Where a constant f0 does score badly the remark gives the levels only; with one station it is silent."""
    assert "saturates" not in al.saturation_remark(al.Saturation(0.95, 0.6, 0.3), 0.2)
    assert "no better than ignoring" in al.saturation_remark(al.Saturation(0.95, 0.6, 0.3), 0.2)
    assert al.saturation_remark(al.saturation({"A": [2.0, 3.0]}, np.random.default_rng(0))) == ""


def test_alignment_holds_all(reference):
    """With the real lists as generated ones: distance 0 everywhere, score above the reconstructions', 15 x 15."""
    f0, bins = reference
    made = al.alignment(f0["real"], f0["real"], f0["timesnet"], bins=bins)
    assert made.matrix.values.shape == (15, 15)
    assert made.scores_reconstructed.distance == pytest.approx(0.953, abs=0.002)
    assert made.scores_generated.distance > made.scores.distance > made.scores_reconstructed.distance
    for name in ("js_distance", "w1_f0_hz", "w1_ln_f0"):
        np.testing.assert_array_equal(getattr(made.generated, name), 0)
    assert "saturates" in made.remark


def test_alignment_without_reconstructed():
    """f0 twice as high: W1 of ln f0 is ln 2, of f0 the mean f0; only stations of both sets count."""
    real = {"A": np.array([1.5, 2.5]), "B": np.array([4.0, 6.0, 5.0]), "only": [3.0]}
    made = al.alignment(real, {s: 2 * real[s] for s in ("B", "A")})
    assert made.generated.stations == ["A", "B"]
    np.testing.assert_allclose(made.generated.w1_ln_f0, np.log(2))
    np.testing.assert_allclose(made.generated.w1_f0_hz, [2, 5])
    assert made.reconstructed is None
    np.testing.assert_array_equal(made.scores, made.scores_generated)
    assert np.isfinite(made.scores).all()
