"""The lowest clear peak: parabola, prominence, reasons, transfer functions of known sites, resampling."""

import csv

import numpy as np
import pytest
import xarray as xr

from obspy_tng.errors import TNGError
from obspy_tng.site.f0 import pick_f0
from obspy_tng.site.peaks import clear_peaks, no_peak_reason, peaks

FREQUENCY = np.geomspace(0.5, 20, 200)


def bump(f0, height, width=0.2, base=1.0):
    """Return a curve with a Gaussian bump of `height` times the base in ln f - ln A."""
    return base * np.exp(np.log(height) * np.exp(-0.5 * (np.log(FREQUENCY / f0) / width) ** 2))


def dataset(curves, **attrs):
    """Return what pick_f0 needs of an HVSR Dataset: curves of one station."""
    curves = np.atleast_2d(curves)
    return xr.Dataset(
        {"hvsr": (("record", "frequency"), curves)},
        {"frequency": FREQUENCY, "station": ["XX.A"], "record_station": ("record", ["XX.A"] * len(curves))},
        attrs,
    )


def test_parabola_is_exact():
    """On a parabola in ln f - ln A the vertex comes back to 1e-9, although it lies between grid points."""
    curve = np.exp(1.2 - 3.0 * np.log(FREQUENCY / 3.3) ** 2)
    (peak,) = peaks(curve, FREQUENCY)
    assert peak.frequency_hz == pytest.approx(3.3, rel=1e-9)
    assert peak.amplitude == pytest.approx(np.exp(1.2), rel=1e-9)


def test_prominence_is_scipys():
    """Prominences in ln are those of scipy.signal.peak_prominences on a rough curve."""
    from scipy.signal import find_peaks

    y = np.cumsum(np.random.default_rng(0).normal(size=200)) * 0.1
    at, found = find_peaks(y, prominence=0)
    ours = peaks(np.exp(y), FREQUENCY)
    np.testing.assert_allclose([p.prominence_ln for p in ours], found["prominences"])
    assert len(ours) == at.size


def test_lowest_not_highest():
    """Peaks of 3 at 1.5 Hz and 6 at 8 Hz: f0 is the lower one; a bump of 1.8 below it is not clear."""
    curve = bump(1.5, 3.0) * bump(8.0, 6.0) * bump(0.7, 1.8, 0.1)
    f0 = pick_f0(dataset(curve))
    assert float(f0.f0_hz[0]) == pytest.approx(1.5, rel=0.01)
    assert float(f0.a0[0]) == pytest.approx(3.0, rel=0.02)


@pytest.mark.parametrize(
    ("curve", "reason"),
    [
        (np.full(200, 1.4), "flat: largest amplitude 1.4 < 2"),
        (bump(3.0, 1.9), "flat: largest amplitude 1.9 < 2"),
        (4.0 / FREQUENCY, "below the band"),
        (FREQUENCY / 4.0, "above the band"),
        (np.full(200, np.nan), "enough valid"),
        (bump(3.0, 1.2, 0.1, base=2.5), "stands out by 0.18 < 0.25"),
    ],
)
def test_reasons(curve, reason):
    """No clear peak: NaN and the reason in words, for each way to have none; a band edge is no peak."""
    f0 = pick_f0(dataset(curve))
    assert np.isnan(f0.f0_hz[0])
    assert reason in str(f0.reason.values[0])


def test_total_energy_needs_more():
    """A peak of 2.4 is clear for the quadratic mean, not for total energy, whose limit is 2 √2."""
    curve = bump(3.0, 2.4)
    assert float(pick_f0(dataset(curve)).f0_hz[0]) == pytest.approx(3.0, rel=0.01)
    assert "2.4 < 2.83" in str(pick_f0(dataset(curve, horizontal="total-energy")).reason.values[0])


def test_interval_of_known_scatter():
    """f0 of 40 records scattered by 5 % in ln: the 68 % interval of their mean is about ± 5 % / √40 wide."""
    rng = np.random.default_rng(7)
    curves = np.array([bump(3.0 * np.exp(0.05 * z), 4.0, 0.4) for z in rng.normal(size=40)])
    f0 = pick_f0(dataset(curves), n_bootstrap=400)
    half = float(np.log(f0.f0_high_hz[0] / f0.f0_low_hz[0])) / 2
    assert half == pytest.approx(0.05 / np.sqrt(40), rel=0.3)
    assert float(f0.support[0]) == 1 and int(f0.n_used[0]) == 40
    again = pick_f0(dataset(curves), n_bootstrap=400)
    assert f0.identical(again)


def test_peak_of_few_records_is_not_clear():
    """A peak that two of twelve records make by themselves disappears in resamplings: no f0, and it says
    so.
    """
    curves = np.repeat(bump(9.0, 1.2)[None], 12, axis=0)
    curves[:2] *= bump(2.0, 90.0)
    f0 = pick_f0(dataset(curves))
    assert np.isnan(f0.f0_hz[0])
    assert "clear in only" in str(f0.reason.values[0]) and "2.00 Hz" in str(f0.reason.values[0])


def test_band_and_rule_are_checked():
    """A band restricts the search; an empty one, or an unknown rule, raises."""
    curve = bump(1.5, 3.0) * bump(8.0, 6.0)
    assert float(pick_f0(dataset(curve), band_hz=(4, 20)).f0_hz[0]) == pytest.approx(8.0, rel=0.01)
    assert float(pick_f0(dataset(curve), rule="argmax").f0_hz[0]) == pytest.approx(8.0, rel=0.02)
    with pytest.raises(TNGError, match="at least 3"):
        pick_f0(dataset(curve), band_hz=(30, 40))
    with pytest.raises(TNGError, match="lowest clear peak"):
        pick_f0(dataset(curve), rule="by eye")


def test_analytic_sites(shared_data):
    """1-D transfer functions: S1 and S3 give their lowest peak (not S3's highest), flat S4 none inside
    0.5-20 Hz.
    """
    folder = shared_data / "hvsr" / "analytic"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/hvsr/analytic (absent)")
    with open(folder / "EXPECTED.csv", encoding="utf-8") as file:
        expected = {row["site"]: row for row in csv.DictReader(file)}
    for site in ("S1_single_2Hz", "S3_two_contrast"):
        frequency, curve = np.loadtxt(folder / f"{site}.csv", delimiter=",", skiprows=1, unpack=True)
        inside = (frequency >= 0.5) & (frequency <= 20)
        lowest = clear_peaks(curve[inside], frequency[inside])[0]
        assert lowest.frequency_hz == pytest.approx(float(expected[site]["f_peak1"]), rel=0.01)
        assert lowest.amplitude == pytest.approx(float(expected[site]["A1"]), rel=0.02)
    frequency, curve = np.loadtxt(folder / "S4_rock_flat.csv", delimiter=",", skiprows=1, unpack=True)
    inside = (frequency >= 0.5) & (frequency <= 20)
    assert clear_peaks(curve[inside], frequency[inside]) == []
    assert "flat: largest amplitude 1." in no_peak_reason(curve[inside], frequency[inside])
