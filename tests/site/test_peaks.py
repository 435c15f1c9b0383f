"""Peaks of curves: exact parabolas, scipy's prominences, what records have near f0."""

import numpy as np
import pytest

from obspy_tng.site.peaks import clear_peaks, edge_hint, peaks, record_peaks

FREQUENCY = np.geomspace(0.5, 20, 200)


def parabola(f0_hz, ln_height, sharpness=3.0):
    """Return a curve that is a parabola in ln f - ln A."""
    return np.exp(ln_height - sharpness * np.log(FREQUENCY / f0_hz) ** 2)


def test_parabola_is_exact():
    """On a parabola in ln f - ln A the vertex comes back to 1e-9, although it lies between grid points."""
    (peak,) = peaks(parabola(3.3, 1.2), FREQUENCY)
    assert peak.frequency_hz == pytest.approx(3.3, rel=1e-9)
    assert peak.amplitude == pytest.approx(np.exp(1.2), rel=1e-9)


def test_prominence_is_scipys():
    """Prominences in ln are those of scipy.signal.peak_prominences on a rough curve, also when some are left out."""
    from scipy.signal import find_peaks

    y = np.cumsum(np.random.default_rng(0).normal(size=200)) * 0.1
    for least in (0.0, 0.2):
        _, found = find_peaks(y, prominence=max(least, 1e-300))
        ours = peaks(np.exp(y), FREQUENCY, least)
        np.testing.assert_allclose([p.prominence_ln for p in ours], found["prominences"])
    assert 0 < len(ours) < len(peaks(np.exp(y), FREQUENCY))


def test_gap_splits_the_curve():
    """NaN between a peak and its higher neighbour: prominence is counted to the gap, and the gap is no peak."""
    curve = np.maximum(parabola(2.0, 1.0), parabola(8.0, 2.0))
    whole = peaks(curve, FREQUENCY)
    curve[(FREQUENCY > 2.3) & (FREQUENCY < 4)] = np.nan
    cut = peaks(curve, FREQUENCY)
    assert [p.frequency_hz for p in cut] == pytest.approx([2.0, 8.0])
    at = FREQUENCY[FREQUENCY <= 2.3][-1]
    assert cut[0].prominence_ln == pytest.approx(3 * np.log(at / 2) ** 2, abs=0.01)
    assert cut[0].prominence_ln < whole[0].prominence_ln


def test_clear_needs_both():
    """High but not prominent, prominent but not high, both: only the last is clear."""
    flat = np.full(200, 3.0)
    assert clear_peaks(flat * np.exp(0.1 * np.exp(-(np.log(FREQUENCY / 3) ** 2) / 0.02)), FREQUENCY) == []
    assert clear_peaks(parabola(3.0, np.log(1.9)), FREQUENCY) == []
    assert len(clear_peaks(parabola(3.0, np.log(2.1)), FREQUENCY)) == 1


def test_edge_hint_tells_the_side():
    """A curve that falls from its low end hints below, one that rises to its high end above, a peak nothing."""
    assert "below the band" in edge_hint(4 / FREQUENCY, FREQUENCY)
    assert "above the band" in edge_hint(FREQUENCY, FREQUENCY)
    assert edge_hint(parabola(3.0, 1.5), FREQUENCY) == ""


def test_record_peaks_are_the_highest_near_f0():
    """Exact vertices inside [f0 / 1.5, 1.5 f0]; a higher peak outside does not count; gaps and flat records: NaN."""
    curves = np.array(
        [
            parabola(3.3, 1.0),
            np.maximum(parabola(2.6, 0.8, 30), parabola(3.7, 1.0, 30)),
            np.maximum(parabola(3.0, 0.8, 30), parabola(6.0, 2.0, 30)),
            parabola(5.0, 1.0),
            np.full(200, np.nan),
        ]
    )
    holed = curves[0].copy()
    holed[FREQUENCY > 3.6] = np.nan
    holed[FREQUENCY < 2] = np.nan
    found = record_peaks(np.vstack([curves, holed]), FREQUENCY, 3.0)
    np.testing.assert_allclose(found, [3.3, 3.7, 3.0, np.nan, np.nan, 3.3], rtol=1e-9)
    assert np.isnan(record_peaks(curves, FREQUENCY, 100.0)).all()
