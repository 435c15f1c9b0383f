"""The parts beside the table: copies, correlation, residuals, pairs, classifiers, on sets of known content."""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import frozen

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import c2st, features, gmm, sets, verdicts
from obspy_tng.evaluation.intensity import PERIODS_S

xr = pytest.importorskip("xarray")


@pytest.fixture(scope="module")
def groups():
    """Eight real records of A, two of B, and other ones as generated; 60 s, P at 10 s."""
    station, event = np.repeat(["A", "B"], [8, 2]), np.array([f"e{i}" for i in range(10)])
    real = sets.of_arrays(frozen.motion(10), station, event)
    real = replace(
        real, magnitude=np.full(10, 4.5), distance_km=np.linspace(10, 40, 10), id=np.array(list("abcdefghij"))
    )
    made = sets.of_arrays(frozen.motion(10, seed=1), station, np.array([f"#{i}" for i in range(10)]))
    return {"real": real, "generated": made}


@pytest.fixture(scope="module")
def measured(groups):
    """The same, measured."""
    return {name: features.compute(g, jobs=1) for name, g in groups.items()}


def told():
    """Return a function for `tell` and the list of what it was told."""
    said = []
    return lambda *words: said.append(words), said


def test_copies_and_new_records(groups):
    """A set of three pool records and new ones: three at 1, their parents by name; stations below three left out."""
    pool = groups["real"]
    made = replace(groups["generated"], data=groups["generated"].data.copy())
    made.data[[0, 3, 5]] = pool.data[[6, 2, 7]]
    tell, said = told()
    found = verdicts.novelty({"pool": pool, "generated": made}, pool.id, ["A", "B"], 1, tell)
    best = found.novelty_record.sel(likeness="correlation").values
    assert np.flatnonzero(best > 0.99).tolist() == [0, 3, 5] and best.size == 8
    assert found.novelty_nearest.values[[0, 3, 5]].tolist() == ["g", "c", "h"]
    assert set(found.novelty_station.values) == {"A"} and found.novelty_real.shape == (8, 2)
    assert found.novelty_ensemble.values.tolist() == ["generated", "real vs real", "copy"]
    assert said == [("looking for copies", 1, 2), ("looking for copies", 2, 2)]
    table = {n: found.novelty.sel(novelty_ensemble=n) for n in found.novelty_ensemble.values}
    for likeness in found.likeness.values:
        real = found.novelty_real.sel(likeness=likeness).values
        mine = found.novelty_record.sel(likeness=likeness).values
        row = dict(zip(verdicts.STATISTICS, table["generated"].sel(likeness=likeness).values, strict=True))
        assert row["median"] == pytest.approx(np.median(mine)) and row["p95"] == pytest.approx(np.percentile(mine, 95))
        assert row["median over real"] == pytest.approx(np.median(mine) / np.median(real))
        assert row["p95 over real"] == pytest.approx(np.percentile(mine, 95) / np.percentile(real, 95))
        assert row["share above real p99"] == np.mean(mine > np.percentile(real, 99))
        assert table["real vs real"].sel(likeness=likeness, statistic="median over real") == 1
        assert table["copy"].sel(likeness=likeness, statistic="median") == pytest.approx(1, abs=1e-3)


def test_at_most_fifty_are_searched_and_five_copies(groups, monkeypatch):
    """Records per station and method, so that large sets take no hours."""
    sizes = []
    original = verdicts.likeness.novelty
    monkeypatch.setattr(
        verdicts.likeness, "novelty", lambda a, b, r: sizes.append((len(a), len(b), r)) or original(a, b, r)
    )
    many = groups["generated"].take(np.arange(60) % 8)
    verdicts.novelty({"pool": groups["real"], "generated": many}, groups["real"].id, ["A"], 1, told()[0])
    assert sorted(sizes) == [(5, 8, 100.0), (50, 8, 100.0)]


def test_too_few_records_are_not_searched(groups):
    """Two records of the pool, or no generated record of the station: an empty Dataset."""
    found = verdicts.novelty(
        {"pool": groups["real"], "generated": groups["generated"]}, groups["real"].id, ["B"], 1, told()[0]
    )
    assert isinstance(found, xr.Dataset) and not found
    none = groups["generated"].take(np.array([8, 9]))
    assert not verdicts.novelty({"pool": groups["real"], "generated": none}, groups["real"].id, ["A"], 1, told()[0])


def test_interfrequency_correlation(measured):
    """Matrices of real and generated, of real without event terms, of the model; differences of the right pairs."""
    found = verdicts.correlation(measured)
    free = "real, event terms removed"
    assert found.correlation_set.values.tolist() == ["real", "generated", free, "Bayless & Abrahamson"]
    by = {n: found.correlation.sel(correlation_set=n).values for n in found.correlation_set.values}
    x = measured["real"]
    assert np.allclose(by["real"], gmm.interfrequency_correlation(x.ln_eas, x.station), equal_nan=True)
    assert np.allclose(by[free], gmm.interfrequency_correlation(x.ln_eas, x.station, x.event), equal_nan=True)
    assert np.allclose(by["Bayless & Abrahamson"], gmm.bayless_abrahamson(features.EAS_HZ))
    expected = [
        gmm.correlation_difference(by["generated"], by["real"]),
        gmm.correlation_difference(by[free], by["Bayless & Abrahamson"]),
    ]
    assert np.allclose(found.correlation_difference, expected, equal_nan=True)
    assert found.pair.values.tolist() == ["generated – real", f"{free} – Bayless & Abrahamson"]
    assert np.array_equal(found.eas_frequency, features.EAS_HZ) and found.eas_frequency.attrs == {"units": "Hz"}


def test_residuals_of_records_with_magnitude_and_distance(groups, measured):
    """Known ones only, three at least; unknown ground is rock of 760 m/s; mean and sd of ln ratios."""
    real = replace(groups["real"], magnitude=np.r_[np.full(8, 4.5), np.nan, 4.5], vs30_mps=np.full(10, np.nan))
    real.vs30_mps[0] = 300.0
    remarks: list[str] = []
    found = verdicts.gmm_residuals({"real": real, "generated": groups["generated"]}, measured, remarks)
    assert found.gmm_set.values.tolist() == ["real"]
    names = found.gmm_measure.values.tolist()
    assert names == ["PGA", "PGV", "PSA 0.1 s", "PSA 0.3 s", "PSA 1 s", "PSA 3 s"]
    x, known = measured["real"], np.r_[np.arange(8), 9]
    columns = [int(np.flatnonzero(t == PERIODS_S)[0]) for t in (0.1, 0.3, 1, 3)]
    im = {"pga_mps2": x.im("pga_mps2"), "pgv_mps": x.im("pgv_mps"), "psa_mps2": x.ln_psa[:, columns]}
    vs30 = np.r_[300.0, np.full(9, 760.0)]
    ln, _ = gmm.gmm_residuals(im, real.magnitude, real.distance_km, periods_s=PERIODS_S[columns], vs30_mps=vs30)
    table = np.column_stack([ln["pga_mps2"], ln["pgv_mps"], ln["psa_mps2"]])[known]
    assert np.allclose(found.gmm_residual_mean[0], table.mean(axis=0))
    assert np.allclose(found.gmm_residual_sd[0], table.std(axis=0, ddof=1))
    assert found.gmm_residual_mean.attrs == {"units": "ln"} and "2014" in found.attrs["gmm"]
    assert all(r.startswith("real: ") for r in remarks)
    few = replace(groups["real"], magnitude=np.r_[4.5, 4.5, np.full(8, np.nan)])
    found = verdicts.gmm_residuals({"real": few}, measured, remarks)
    assert isinstance(found, xr.Dataset) and not found


def test_pairs_are_records_of_one_station_and_event(groups, measured):
    """Station and event must both be the same; events told from start times pair nothing; identical sets neither."""
    real = groups["real"]
    noisy = real.data + 0.1 * real.data.std(axis=-1, keepdims=True) * np.random.default_rng(0).normal(
        size=real.data.shape
    )
    event = real.event.copy()
    event[[0, 1]] = "other", "#1"
    other = replace(real, data=noisy.astype(np.float32), event=event, station=np.r_[real.station[:9], ["C"]])
    late = replace(measured["real"], p_s=measured["real"].p_s + 0.25, s_s=measured["real"].s_s - 0.5)
    found = verdicts.pairs(
        {"real": real, "reconstructed": other, "generated": other}, measured | {"reconstructed": late}
    )
    values = dict(zip(found.pair_measure.values, found.pair_value.values, strict=True))
    assert found.attrs == {"n_pairs": 7, "pair_set": "reconstructed"}
    assert values["P arrival error (s)"] == pytest.approx(0.25) and values["S arrival error (s)"] == pytest.approx(0.5)
    assert values["SNR of the waveform (dB)"] == pytest.approx(20, abs=0.3)
    assert values["envelope correlation"] > 0.95 and 0 < values["spectrogram MSE"] < 3
    assert all(6 < values[k] <= 10 for k in values if "of 10" in k)
    found = verdicts.pairs({"real": real, "generated": other}, measured | {"generated": late})
    assert found.attrs["pair_set"] == "generated"
    for same in (real, groups["generated"]):
        empty = verdicts.pairs({"real": real, "generated": same}, measured)
        assert isinstance(empty, xr.Dataset) and not empty


def test_mean_envelopes(groups):
    """A set against itself correlates at 1; noise without shape does not; a station without records has no value."""
    flat = replace(groups["generated"], data=np.random.default_rng(0).normal(size=(10, 3, 6000)).astype(np.float32))
    found = verdicts.envelopes(
        {"real": groups["real"], "generated": groups["real"], "phase-scrambled": flat}, ["A", "C"]
    )
    assert found.envelope_set.values.tolist() == ["generated", "phase-scrambled"]
    values = found.mean_envelope_correlation
    assert values.sel(envelope_set="generated", station="A") == pytest.approx(1)
    assert values.sel(envelope_set="phase-scrambled", station="A") < 0.6
    assert np.isnan(values.sel(station="C")).all()


def stand_ins(monkeypatch, given):
    """Replace the classifier test by one that notes what it is given; AUC .5 and .9, .95 for the mean of five."""

    def describe(data, rate, station, event, p_s):
        given.append((data.shape, rate, list(station), event, p_s))
        return len(given)

    def run(auc):
        return lambda *a, seed, progress, **more: (
            progress("x: split 2 of 3") or SimpleNamespace(auc=auc, a=a, seed=seed, classifier="b", **more)
        )

    calls = iter((0.9, 0.95, 0.97))
    monkeypatch.setattr(c2st, "describe", describe)
    monkeypatch.setattr(c2st, "real_floor", run(0.5))
    monkeypatch.setattr(c2st, "c2st", lambda *a, **k: run(next(calls))(*a, **k))
    monkeypatch.setattr(c2st, "c2st_validity", lambda five, shuffled: ((five.auc, shuffled.auc) == (0.95, 0.97), "why"))
    monkeypatch.setattr(
        c2st, "summary", lambda s: {"b": (s.auc, s.auc - 0.1, s.auc + 0.1), "group: hvsr": (0.6, 0.5, 0.7)}
    )  # fmt: skip


def test_classifiers_see_windows_cut_alike(groups, measured, monkeypatch):
    """Onsets of one picker, 8 s before P or what there is, the same length for all; the order of sets and labels."""
    given: list = []
    stand_ins(monkeypatch, given)
    onset = replace(measured["real"], p_s=np.r_[np.full(9, 9.0), np.nan])
    every = groups | {"mean of five": groups["real"], "phase-shuffled": groups["real"]}
    tell, said = told()
    found = verdicts.c2st(every, dict.fromkeys(every, onset), 3, 7, [], tell)
    assert found.c2st_set.values.tolist() == ["real vs real", "generated", "mean of five", "phase-shuffled"]
    assert found.classifier.values.tolist() == ["counts", "b", "group hvsr"]
    assert np.allclose(found.c2st_auc.sel(classifier="b"), [0.5, 0.9, 0.95, 0.97])
    assert np.allclose(found.c2st_auc.sel(classifier="counts"), found.c2st_auc.sel(classifier="b"))
    assert np.allclose(found.c2st_low.sel(c2st_set="generated"), [0.8, 0.8, 0.5])
    assert np.allclose(found.c2st_high.sel(c2st_set="generated"), [1.0, 1.0, 0.7])
    assert found.attrs == {"c2st_valid": 1, "c2st_remark": "why"}
    # P at 9 s (the unknown one at 10 s): 8 s before it; after it what 95 % have: 5 % quantile of 51 s and 50 s
    after_s = np.quantile([51.0] * 9 + [50.0], 0.05)
    assert [(g[0][2], g[1], g[4]) for g in given] == [(800 + int(after_s * 100), 100.0, 8.0)] * 4
    assert given[1][3] is None and list(given[0][3]) == list(groups["real"].event[: len(given[0][3])])
    assert said == [(f"C2ST, {name}: splits", 2, 3) for name in found.c2st_set.values]
    early = replace(measured["real"], p_s=np.full(10, 3.0))
    given.clear()
    stand_ins(monkeypatch, given)
    verdicts.c2st(every, dict.fromkeys(every, early), 3, 7, [], tell)
    assert given[0][4] == 3.0 and given[0][0] == (10, 3, 300 + 5700)


def test_classifiers_without_records(groups, measured, monkeypatch):
    """No mean of five: too few records; what the test itself refuses is told as its reason."""
    found = verdicts.c2st(groups, measured, 3, 0, [], told()[0])
    assert found.attrs == {"c2st_remark": "C2ST left out: fewer than five records per station"} and not found
    monkeypatch.setattr(c2st, "describe", lambda *a, **k: (_ for _ in ()).throw(TNGError("too short")))
    every = groups | {"mean of five": groups["real"], "phase-shuffled": groups["real"]}
    found = verdicts.c2st(every, dict.fromkeys(every, measured["real"]), 3, 0, [], told()[0])
    assert found.attrs == {"c2st_remark": "C2ST left out: too short"}
