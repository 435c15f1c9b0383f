"""evaluate() end to end on simulated stations: what is true of a set by construction is what the table says."""

import json
from dataclasses import replace

import numpy as np
import pytest
from obspy import Stream, UTCDateTime

import obspy_tng as tng
from obspy_tng.evaluation.text import as_json, as_text
from obspy_tng.simulation import Layer

SITES = {"SIMA": 2.0, "SIMB": 5.0}  # f0 in Hz
N_EVENTS = 14


def site(f0_hz):
    """Return 20 m of soft soil over rock whose quarter wavelength is f0."""
    return (Layer(20.0, 80.0 * f0_hz, 1.8, 0.02), Layer(0.0, 400.0 * f0_hz, 2.2, 0.005))


def records(seed, n=N_EVENTS, day=0, location=False):
    """Return n earthquakes at both stations; `location` numbers them as generated records are."""
    rng = np.random.default_rng(seed)
    out = Stream()
    for i, (magnitude, distance) in enumerate(zip(rng.uniform(3.5, 5, n), rng.uniform(15, 45, n), strict=True)):
        for k, (station, f0) in enumerate(SITES.items()):
            made = tng.simulate(site(f0), magnitude, distance, station=station, seed=1000 * seed + 2 * i + k)
            for trace in made:
                trace.stats.pop("event", None)
                trace.stats.starttime = UTCDateTime(2020, 1, 1) + 86400 * day + 3600 * i
                if location:
                    trace.stats.starttime = UTCDateTime(0)
                    trace.stats.location = f"{i:02d}"
            out += made
    return out


@pytest.fixture(scope="module")
def real():
    """The recorded set."""
    return records(1)


def evaluate(real, other, **settings):
    """Return the Dataset without classifiers, with few splits."""
    return tng.evaluate(real, other, c2st=False, n_splits=4, jobs=2, **settings)


def value(result, measure, ensemble="generated"):
    """Return one number of the table."""
    return float(result.value.sel(ensemble=ensemble, measure=measure))


@pytest.fixture(scope="module")
def identical(real):
    """The set against itself."""
    return evaluate(real, real)


@pytest.fixture(scope="module")
def fresh(real):
    """Other earthquakes at the same sites."""
    return evaluate(real, records(2, location=True))


def test_identical_sets_have_no_distance(identical):
    """Every measure of a set against itself is its ideal value, but for the joint ones that are of another scale."""
    away = np.abs(identical.value.sel(ensemble="generated") - identical.ideal)
    assert float(away.sel(measure=[m for m in identical.measure.values if not m.startswith("alignment")]).max()) < 1e-6
    assert np.allclose(identical.psa_ln_bias.sel(ensemble="generated"), 0)
    assert bool(identical.inside_floor.sel(measure=["lnPGA bias", "|Δ lnHVSR|", "W1 ln f0"]).all())


def test_scaled_by_two(real, identical):
    """Twice the amplitude is ln 2 in PGA, PGV, CAV and PSA, 2 ln 2 in Arias, nothing in H/V and duration."""
    twice = real.copy()
    for trace in twice:
        trace.data = trace.data * 2
    result = evaluate(real, twice)
    assert value(result, "lnPGA bias") == pytest.approx(np.log(2), abs=1e-4)
    assert value(result, "lnPGV bias") == pytest.approx(np.log(2), abs=1e-4)
    assert value(result, "lnCAV bias") == pytest.approx(np.log(2), abs=1e-4)
    assert value(result, "lnArias bias") == pytest.approx(2 * np.log(2), abs=1e-4)
    assert value(result, "PSA ln bias, largest") == pytest.approx(np.log(2), abs=1e-4)
    for measure in ("σ lnPGA ratio", "D5–95 ratio", "σ lnHVSR ratio"):
        assert value(result, measure) == pytest.approx(1, abs=1e-4)
    for measure in ("|Δ lnHVSR|", "W1 ln f0", "W1 S−P"):
        assert value(result, measure) == pytest.approx(0, abs=1e-4)


def test_delay_changes_nothing(real):
    """Three seconds of zeros in front, nothing cut: no intensity measure and no site measure changes."""
    late = real.copy()
    for trace in late:
        trace.data = np.concatenate([np.zeros(300, trace.data.dtype), trace.data])
    result = evaluate(real, late)
    assert np.allclose(result.value.sel(ensemble="generated", measure=result.measure_group == "intensity"),
                       result.ideal.sel(measure=result.measure_group == "intensity"), atol=1e-5)  # fmt: skip
    assert value(result, "|Δ lnHVSR|") == pytest.approx(0, abs=1e-6)


def test_copies_are_found(identical, fresh):
    """Copies correlate with the pool at 1; other earthquakes at the same sites no more than real ones do."""
    found = identical.novelty.sel(novelty_ensemble="generated", likeness="correlation")
    assert float(found.sel(statistic="median")) == pytest.approx(1, abs=1e-3)
    assert float(found.sel(statistic="share above real p99")) == 1
    assert set(identical.novelty_nearest.values) == set(identical.record_id.values)
    other = fresh.novelty.sel(novelty_ensemble="generated", likeness="correlation")
    assert float(other.sel(statistic="median over real")) == pytest.approx(1, abs=0.15)
    scrambled = fresh.novelty.sel(novelty_ensemble="phase-scrambled", likeness="power correlation")
    assert float(scrambled.sel(statistic="share above real p99")) > 0.8


def test_mean_of_five_is_seen_through(fresh):
    """Averaging five shrinks the spread of PGA and stretches the record (SCIENCE, measured: .58 and 1.26 to 1.39)."""
    assert value(fresh, "σ lnPGA ratio", "mean of five") < 0.8
    assert value(fresh, "D5–95 ratio", "mean of five") > 1.1
    assert value(fresh, "σ lnPGA ratio", "copy") == pytest.approx(1, abs=0.15)


def test_station_of_another_f0_is_told(real):
    """Records of the wrong site are outside the floor in H/V, f0 and alignment."""
    swapped = records(2, location=True)
    for trace in swapped:
        trace.stats.station = {"SIMA": "SIMB", "SIMB": "SIMA"}[trace.stats.station]
    result = evaluate(real, swapped)
    for measure in ("|Δ lnHVSR|", "W1 ln f0", "alignment"):
        assert not bool(result.inside_floor.sel(measure=measure))
    assert value(result, "W1 ln f0") > 0.5


def test_pool_divides_amplitude_from_site(real, fresh):
    """With a pool, amplitudes are compared with it and site measures with the events it does not hold."""
    pool = Stream([t for t in real if t.stats.starttime < UTCDateTime(2020, 1, 1, 6, 30)])
    result = evaluate(real, pool, pool=pool)
    assert value(result, "lnPGA bias") == pytest.approx(0, abs=1e-6)
    assert value(result, "|Δ lnHVSR|") > 0
    assert not any("no pool given" in remark for remark in json.loads(result.attrs["remarks"]))
    assert any("no pool given" in remark for remark in json.loads(fresh.attrs["remarks"]))


def test_same_seed_same_table(real, fresh):
    """Threads do not change a figure."""
    again = tng.evaluate(real, records(2, location=True), c2st=False, n_splits=4, jobs=1)
    assert np.array_equal(fresh.value, again.value, equal_nan=True)
    assert np.array_equal(fresh.novelty, again.novelty, equal_nan=True)


def test_pairs_of_one_event(shared_data):
    """A record and itself plus noise of a tenth: SNR 20 dB, envelopes alike, arrivals equal."""
    files = sorted((shared_data / "ridgecrest" / "waveforms").glob("*.mseed"))[:6]
    meta = [shared_data / "ridgecrest" / name for name in ("stations.xml", "events.xml")]
    items = tng.read_records([str(f) for f in files], *meta)
    chosen = [r for r in items if r.code in ("CI.WBS", "CI.WMF", "CI.CWC")]
    rng = np.random.default_rng(0)
    noisy = []
    for r in chosen:
        noise = rng.normal(size=r.data.shape) * 0.1 * r.data.std(axis=1, keepdims=True)
        noisy.append(replace(r, data=r.data + noise))
    result = evaluate(chosen, noisy)
    found = dict(zip(result.pair_measure.values, result.pair_value.values, strict=True))
    assert result.attrs["n_pairs"] == len(chosen)
    assert found["SNR of the waveform (dB)"] == pytest.approx(20, abs=2)
    assert found["envelope correlation"] > 0.99 and found["S arrival error (s)"] < 0.2


def test_inputs_stay_as_they_are(real):
    """evaluate() leaves Streams alone."""
    before = [t.data.copy() for t in real]
    evaluate(real, real)
    assert all(np.array_equal(a, t.data) for a, t in zip(before, real, strict=True))


def test_text_and_json_name_every_measure(fresh):
    """Both forms hold each measure and the floor; JSON has no NaN."""
    text, plain = as_text(fresh), as_json(fresh)
    for measure in fresh.measure.values:
        assert measure in text and measure in plain["measures"]
    again = json.loads(json.dumps(plain, allow_nan=False))
    row = again["measures"]["lnPGA bias"]["methods"]["generated"]
    assert row["value"] == pytest.approx(value(fresh, "lnPGA bias"))
    assert row["low"] <= row["value"] <= row["high"]


def test_what_cannot_be_compared(real):
    """No common station, no usable record, another type: one line that says so."""
    other = records(2, n=3, location=True)
    for trace in other:
        trace.stats.station = "X" + trace.stats.station
    with pytest.raises(tng.TNGError, match=r"no station in common: real XX\.SIMA, XX\.SIMB; gen"):
        evaluate(real, other)
    with pytest.raises(tng.TNGError, match="generated: no usable record"):
        evaluate(real, Stream())
    with pytest.raises(tng.TNGError, match="accepted: Stream"):
        evaluate(real, 3)


def test_bad_records_are_listed(real):
    """A dead component and counts without a response are left out by name; the rest is compared."""
    bad = records(2, location=True)
    bad[0].data = np.zeros_like(bad[0].data)
    for trace in bad[6:9]:
        trace.stats.pop("simulation", None)
        trace.data = np.round(trace.data * 1e6)
    result = evaluate(real, bad)
    reasons = dict(json.loads(result.attrs["skipped"])["generated"])
    assert len(reasons) == 2 and any("dead component" in r for r in reasons.values())
    assert any("counts" in r for r in reasons.values())
    assert int(result.n_records.sel(set="generated").sum()) == 2 * N_EVENTS - 2


def test_real_ridgecrest(shared_data):
    """The mean of five of real records: σ lnPGA about .6 and D5–95 1.25 to 1.45 of the pool's (SCIENCE §2)."""
    files = [str(f) for f in sorted((shared_data / "ridgecrest" / "waveforms").glob("*.mseed"))[:24]]
    items = tng.read_records(
        files, shared_data / "ridgecrest" / "stations.xml", shared_data / "ridgecrest" / "events.xml"
    )
    codes = ("CI.CWC", "CI.WMF", "CI.WBS", "CI.SLA")
    chosen = type(items)([r for r in items if r.code in codes])
    result = evaluate(chosen, Stream().extend([t for c in codes for t in tng.generate(c, 12, seed=1)]))
    assert 0.45 < value(result, "σ lnPGA ratio", "mean of five") < 0.75
    assert 1.2 < value(result, "D5–95 ratio", "mean of five") < 1.6
    assert result.sizes["gmm_measure"] == 6
