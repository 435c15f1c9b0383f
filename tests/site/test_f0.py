"""The lowest clear peak: reasons, further peaks, records of known sites, resampling, rejected and overlapping rows."""

import csv

import numpy as np
import pytest
import xarray as xr

from obspy_tng.errors import TNGError
from obspy_tng.site.curves import hvsr_array
from obspy_tng.site.f0 import pick_f0
from obspy_tng.site.peaks import clear_peaks, no_peak_reason

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


def test_another_peak_that_f0_may_be():
    """A low peak that half of the resamplings hold: f0 is the next one up, and the other is told with its share."""
    rng = np.random.default_rng(5)
    height = rng.normal(size=20)
    height = np.exp(np.log(2.0) + 0.6 * (height - height.mean()))
    curves = np.array([bump(6.0, 4.0) * bump(1.5, h) for h in height])
    f0 = pick_f0(dataset(curves))
    share = float(f0.f0_alternative_support[0])
    assert float(f0.f0_hz[0]) == pytest.approx(6.0, rel=0.02)
    assert float(f0.f0_alternative_hz[0]) == pytest.approx(1.5, rel=0.02)
    assert str(f0.reason.values[0]) == f"f0 may be 1.50 Hz instead (support {share:.2f})"
    # the share is that of resampled means of the bump that reach an amplitude of 2 (and little else of the curve there)
    logs = np.log([c[np.argmin(np.abs(FREQUENCY - 1.5))] for c in curves])
    means = logs[rng.integers(20, size=(20_000, 20))].mean(axis=1)
    assert share == pytest.approx((means >= np.log(2)).mean(), abs=0.1) and 0.2 < share < 0.8


def test_no_other_peak():
    """A site of one peak, or of two that both stand in every resampling, has no alternative."""
    rng = np.random.default_rng(6)
    scatter = np.exp(0.05 * rng.normal(size=(20, 1)))
    for curve in (bump(3.0, 4.0), bump(1.5, 3.0) * bump(8.0, 6.0)):
        f0 = pick_f0(dataset(curve * scatter))
        assert np.isnan(f0.f0_alternative_hz[0]) and np.isnan(f0.f0_alternative_support[0])
        assert str(f0.reason.values[0]) == ""


def test_further_peaks_have_their_own_place():
    """Two clear peaks and a weak one: `peak` holds the two from low to high, the first is f0; NaN pads a station that
    has one.
    """
    rng = np.random.default_rng(2)
    scatter = np.exp(0.05 * rng.normal(size=(2, 12, 1)))
    both = np.concatenate([bump(1.5, 3.0) * bump(8.0, 6.0) * scatter[0], bump(4.0, 3.0) * scatter[1]])
    data = dataset(both).assign_coords(record_station=("record", ["XX.A"] * 12 + ["XX.B"] * 12))
    f0 = pick_f0(data.drop_vars("station").assign_coords(station=["XX.A", "XX.B"]))
    assert f0.peak_frequency_hz.dims == ("station", "peak")
    np.testing.assert_allclose(f0.peak_frequency_hz, [[1.5, 8.0], [4.0, np.nan]], rtol=0.02)
    np.testing.assert_allclose(f0.peak_amplitude, [[3.0, 6.0], [3.0, np.nan]], rtol=0.08)
    np.testing.assert_allclose(f0.peak_prominence_ln, np.log([[3.0, 6.0], [3.0, np.nan]]), atol=0.08)
    for first, station in {
        "peak_frequency_hz": "f0_hz",
        "peak_low_hz": "f0_low_hz",
        "peak_high_hz": "f0_high_hz",
        "peak_amplitude": "a0",
        "peak_support": "support",
    }.items():
        np.testing.assert_array_equal(f0[first].isel(peak=0), f0[station])


def test_rejected_rows_take_no_part():
    """Rows that are not accepted change nothing but have no f0 of their own; none accepted: NaN and a reason."""
    good = np.array([bump(3.0 * (1 + 0.01 * i), 4.0) for i in range(8)])
    bad = np.repeat(bump(0.8, 50.0)[None], 8, axis=0)
    data = dataset(np.concatenate([bad, good]))
    f0 = pick_f0(data.assign(accepted=("record", [False] * 8 + [True] * 8)))
    alone = pick_f0(dataset(good))
    assert f0.drop_vars("f0_record_hz").identical(alone.drop_vars("f0_record_hz"))
    np.testing.assert_array_equal(f0.f0_record_hz[8:], alone.f0_record_hz)
    assert np.isnan(f0.f0_record_hz[:8]).all()
    none = pick_f0(data.assign(accepted=("record", [False] * 16)))
    assert np.isnan(none.f0_hz[0]) and str(none.reason.values[0]) == "no accepted record"
    assert np.isnan(pick_f0(data.assign(accepted=("record", [False] * 16)), rule="argmax").f0_hz[0])


def test_records_own_f0():
    """Records of known f0 give it back to 1e-3, their sd in ln too; it is not the width of the interval."""
    ln = 0.06 * np.random.default_rng(4).normal(size=30)
    f0 = pick_f0(dataset([bump(3.0 * np.exp(v), 4.0, 0.3) for v in ln]))
    np.testing.assert_allclose(f0.f0_record_hz, 3.0 * np.exp(ln), rtol=1e-3)
    assert float(f0.f0_record_sigma_ln[0]) == pytest.approx(ln.std(ddof=1), rel=1e-2)
    assert float(np.log(f0.f0_high_hz[0] / f0.f0_low_hz[0])) < 0.06


def test_overlapping_windows_do_not_narrow_the_interval():
    """Every window twice, as half overlapping ones nearly are: the same interval, not one narrower by √2."""
    curves = [bump(3.0 * np.exp(0.05 * z), 4.0, 0.4) for z in np.random.default_rng(7).normal(size=40)]
    start = 60.0 * np.arange(40)

    def windows(curves, start):
        ends = {"window_start_s": ("record", start), "window_end_s": ("record", start + 60)}
        return dataset(curves).assign_coords(record_id=("record", ["a"] * len(start)), **ends)

    apart = pick_f0(windows(curves, start), n_bootstrap=400)
    half = pick_f0(windows(np.repeat(curves, 2, axis=0), np.sort(np.r_[start, start + 30])), n_bootstrap=400)
    assert (int(apart.n_records[0]), int(apart.n_windows[0]), int(half.n_windows[0])) == (1, 40, 80)
    width = [float(np.log(f.f0_high_hz[0] / f.f0_low_hz[0])) for f in (apart, half)]
    assert width[1] == pytest.approx(width[0], rel=0.12)


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


def test_records_of_analytic_sites(shared_data):
    """Records drawn from the analytic amplifications: f0 of S1 and the lower peak of S3 within 5 %, none on flat S4."""
    folder = shared_data / "hvsr" / "analytic"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/hvsr/analytic (absent)")
    with open(folder / "EXPECTED.csv", encoding="utf-8") as file:
        expected = {row["site"]: float(row["f_peak1"]) for row in csv.DictReader(file)}
    rng = np.random.default_rng(11)
    bins = np.fft.rfftfreq(4000, 0.01)
    for site in ("S1_single_2Hz", "S3_two_contrast", "S4_rock_flat"):
        gain = np.interp(bins, *np.loadtxt(folder / f"{site}.csv", delimiter=",", skiprows=1, unpack=True))
        spectra = np.fft.rfft(rng.normal(size=(60, 3, 4000)))
        spectra[:, :2] *= gain
        curves = hvsr_array(np.fft.irfft(spectra), 100.0, FREQUENCY)
        f0 = pick_f0(dataset(curves))
        if site == "S4_rock_flat":
            assert np.isnan(f0.f0_hz[0]) and "flat" in str(f0.reason.values[0])
            assert np.isfinite(pick_f0(dataset(curves), rule="argmax").f0_hz[0])
        else:
            assert float(f0.f0_hz[0]) == pytest.approx(expected[site], rel=0.05)
            assert f0.f0_low_hz[0] < expected[site] * 1.05 and f0.f0_high_hz[0] > expected[site] / 1.05
