"""Measures of the evaluation keep their numbers; see `frozen`."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from obspy import UTCDateTime

sys.path.insert(0, str(Path(__file__).parents[1]))
import frozen

import obspy_tng as tng
from obspy_tng.evaluation import (
    alignment,
    arrivals,
    baselines,
    c2st_features,
    c2st_network,
    c2st_splits,
    confusion,
    features,
    gmm,
    goodness,
    heggs,
    intensity,
    novelty,
    rotd,
    scores,
    sets,
    site,
    statistics,
)
from obspy_tng.evaluation.time_frequency import time_frequency_gof

KEPT = Path(__file__).with_name("frozen_measures.json")
RATE = 100.0


@pytest.fixture(scope="module")
def waves():
    """Twelve records; left as they are."""
    data = frozen.motion(12)
    data.flags.writeable = False
    return data


@pytest.fixture(scope="module")
def measured(waves):
    """Two sets of two stations, measured."""
    station = np.repeat(["A", "B"], 6)
    event = np.tile([f"e{i}" for i in range(6)], 2)
    made = frozen.motion(12, seed=1) * np.linspace(0.5, 2, 12)[:, None, None]
    return [features.compute(sets.of_arrays(w, station, event), jobs=1) for w in (waves, made)]


def f0(seed, n=60):
    """Return f0 of three stations."""
    rng = np.random.default_rng(seed)
    return {k: rng.lognormal(np.log(f), 0.3, n) for k, f in (("A", 1.5), ("B", 4.0), ("C", 9.0))}


CASES = {
    "intensity": lambda w: intensity.measures(w[:4], RATE, more=True),
    "psa": lambda w: intensity.psa(w[:2, :2], RATE),
    "psa_single": lambda w: intensity.psa_single(w[0], RATE, damping=0.1),
    "psa between": lambda w: intensity.psa(w[:1, :2, :3001], 50.0, percentile=100),
    "integrals": lambda w: intensity.integrals(w[:2], RATE),
    "fourier": lambda w: intensity.fourier(w[:3], RATE, np.geomspace(0.3, 30, 20)),
    "eas": lambda w: intensity.eas(w[:3], RATE, np.geomspace(0.3, 30, 20)),
    "rotd": lambda w: [
        rotd.rotd(w[:4, :2], percentile=p, between_samples=b) for p in (0, 50, 100) for b in (True, False)
    ],
    "directional": lambda w: [
        rotd.directional_peaks(x, y, between_samples=b) for x, y, _ in w[:5] for b in (True, False)
    ],
    "onsets": lambda w: arrivals.onsets(w, RATE)._asdict(),
    "onsets 50 Hz": lambda w: arrivals.onsets(w[:4, :, ::2], 50.0)._asdict(),
    "arrivals": lambda w: arrivals.arrival_measures(arrivals.onsets(w[:6]), arrivals.onsets(w[6:])),
    "c2st features": lambda w: c2st_features.features(w, RATE),
    "c2st features, early P": lambda w: c2st_features.features(w[:3, :, 200:5500], RATE, p_s=8.0),
    "c2st spectrogram": lambda w: np.abs(c2st_features.spectrogram(w[:2], RATE)[0]),
    "c2st images": lambda w: c2st_network.images(w[:3], RATE),
    "anderson": lambda w: goodness.anderson(w[:6, 0], w[6:, 0], RATE),
    "novelty": lambda w: novelty.novelty(w[:5], w[5:], RATE)._asdict(),
    "novelty of others": lambda w: novelty.summary(novelty.novelty(w[:5] + 0.5 * w[5:10], w[2:], RATE)),
    "power detail": lambda w: novelty.power_detail(w[:3], RATE),
    "envelopes": lambda w: [heggs.envelopes(w[:3], RATE), heggs.envelope_correlation(w[:6], w[6:], RATE)],
    "spectrogram mse": lambda w: heggs.spectrogram_mse(w[:6], w[6:], RATE),
    "reconstruction snr": lambda w: heggs.reconstruction_snr_db(w[:6], w[6:]),
    "snr": lambda w: heggs.snr_db(w, np.full(12, 10.0), RATE),
    "ensemble": lambda w: heggs.ensemble_measures(w[:6], np.full(6, 10.0), w[6:], np.linspace(9.5, 10.5, 6), RATE),
    "time-frequency": lambda w: time_frequency_gof(w[:2, 0], w[2:4, 0], RATE),
    "mean of five": lambda w: baselines.mean_of_five(w, 6, np.random.default_rng(2)),
    "phase-shuffled": lambda w: baselines.phase_shuffled(w[:3], np.random.default_rng(2)),
    "phase-scrambled": lambda w: baselines.phase_scrambled(w[:3], np.random.default_rng(2), RATE),
    "record hvsr": lambda w: site.record_hvsr(w, RATE)._asdict(),
    "aligned": lambda w: sets.aligned(sets.of_arrays(w[:3], "A"), 50.0),
}


@pytest.mark.parametrize("name", list(CASES))
def test_of_records(waves, name):
    """What is measured of twelve records."""
    frozen.compare(KEPT, name, CASES[name](waves))


PLAIN = {
    "wasserstein": lambda r: statistics.wasserstein(r.normal(size=30), r.normal(1, 2, 41)),
    "wasserstein columns": lambda r: statistics.wasserstein_columns(r.normal(size=(30, 4)), r.normal(1, 2, (41, 4))),
    "energy distance": lambda r: statistics.energy_distance(r.normal(size=(30, 3)), r.normal(0.3, 2, (21, 3))),
    "ln bias": lambda r: statistics.ln_bias(r.normal(size=(9, 3)), r.normal(size=(8, 3))),
    "sd ratio": lambda r: statistics.sd_ratio(r.normal(size=(9, 3)), r.normal(size=(8, 3))),
    "splits": lambda r: statistics.event_splits(np.array([f"e{i % 7}" for i in range(40)]), 5, r),
    "interval": lambda r: statistics.interval(r.normal(size=(50, 3)), 0.9)._asdict(),
    "scores of ratios": lambda r: [
        f(r.normal(size=50)) for f in (goodness.anderson_score, goodness.olsen_mayhew_score)
    ],
    "histograms": lambda r: confusion.histograms(f0(1)),
    "matrix": lambda r: [confusion.matrix(f0(1), f0(2), f0(3), form=f).values for f in ("distance", "divergence")],
    "alignment": lambda r: alignment.scores(f0(1), f0(2), f0(3))._asdict(),
    "alignment of two": lambda r: alignment.scores(f0(1), generated=f0(3))._asdict(),
    "station distances": lambda r: alignment.station_distances(f0(1), f0(3))._asdict(),
    "saturation": lambda r: alignment.saturation(f0(1), r, n_trials=3)._asdict(),
    "bayless": lambda r: gmm.bayless_abrahamson(np.geomspace(0.3, 20, 12)),
    "interfrequency": lambda r: gmm.interfrequency_correlation(
        r.normal(size=(40, 6)) @ r.normal(size=(6, 6)), np.arange(40) % 4
    ),
    "curve measures": lambda r: site.curve_measures(np.exp(r.normal(size=(9, 20))), np.exp(r.normal(0.2, 1, (8, 20)))),
    "joint distance": lambda r: site.joint_distance(*(r.normal(size=30) for _ in range(4))),
    "floor splits": lambda r: [
        (s.train_real, s.test_real) if hasattr(s, "train_real") else tuple(s)
        for s in c2st_splits.draw_floor_splits(np.repeat(["A", "B"], 30), np.tile(np.arange(30), 2).astype(str), 3, r)
    ],
    "splits of both": lambda r: [
        tuple(s)
        for s in c2st_splits.draw_splits(
            np.repeat(["A", "B"], 30), np.tile(np.arange(30), 2).astype(str), np.repeat(["A", "B"], 25),
            np.full((50, 1), ""), 3, r
        )
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", list(PLAIN))
def test_of_numbers(name):
    """What is computed of seeded numbers."""
    frozen.compare(KEPT, name, PLAIN[name](np.random.default_rng(5)))


def test_features_and_scores(measured):
    """All that is measured once per record, and the table of one sample against another."""
    real, made = measured
    frozen.compare(KEPT, "features", {k: v for k, v in vars(real).items() if k not in ("station", "event")})
    frozen.compare(KEPT, "against pool", scores.against_pool(made, real, ["A", "B"])._asdict())
    frozen.compare(KEPT, "ensemble scores", goodness.ensemble_scores(made, real))
    frozen.compare(KEPT, "against held out", scores.against_heldout(made, real, ["A", "B"])._asdict())


def test_a_whole_evaluation():
    """Every variable of the Dataset, with a pool, reconstructed records, codes, stations of one side only."""

    def records(seed, n, codes, generated=False):
        waves, out = frozen.motion(n * len(codes), seed, npts=3000), []
        for k, wave in enumerate(waves):
            i, code = divmod(k, len(codes))
            start = UTCDateTime(2020, 1, 1) + 3600 * (i if not generated else 1000 * seed + k)
            known = {} if generated else {"event_id": f"e{i}", "magnitude": 4.0 + 0.1 * i, "distance_km": 20.0 + i}
            out.append(tng.Record(wave, RATE, start, "XX", codes[code], p_s=10.0, **known))
        return out

    real, made = records(3, 7, "ABC"), records(4, 5, "ABD", generated=True)
    codes = {k: frozen.motion(4, i)[:, :, ::50] for i, k in enumerate("AB")}
    settings = {"reconstructed": records(6, 7, "AB"), "pool": real[:15], "latents": codes}
    found = tng.evaluate(real, made, c2st=False, n_splits=2, seed=2, jobs=1, **settings)
    frozen.compare(KEPT, "evaluation", {str(k): found[k].values for k in (*found.data_vars, *found.coords)})
    remarks = " ".join(json.loads(found.attrs["remarks"]))
    assert "real only, not compared: XX.C" in remarks and "generated only, not compared: XX.D" in remarks
    frozen.compare(KEPT, "evaluation, purity", [found.attrs[k] for k in ("latent_purity", "latent_purity_chance")])
    frozen.compare(KEPT, "evaluation, measures", [float(v) for v in np.nan_to_num(found.value.values.ravel(), nan=-9)])
