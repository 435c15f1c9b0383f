"""What is compared: padding, cutting, alignment, events and provenance of sets of known content."""

import json
from pathlib import Path

import numpy as np
import pytest
from obspy import Stream, Trace, UTCDateTime

import obspy_tng as tng
from obspy_tng.errors import RecordError
from obspy_tng.evaluation import sets
from obspy_tng.preprocessing import P_AT_S
from obspy_tng.record import Records

RATE = 100.0
START = UTCDateTime(2020, 1, 1)


def record(npts=4000, rate=RATE, p_s=np.nan, station="AAA", start=START, event="", seed=0, **more):
    """Return a record of noise that is never exactly zero."""
    data = np.random.default_rng(seed).uniform(0.001, 0.01, (3, npts))
    return tng.Record(data, rate, start, "XX", station, p_s=p_s, event_id=event, **more)


def pulse(npts, at_s, rate=RATE):
    """Return a record that is a smooth pulse of 2 Hz at a known time over faint noise."""
    time = np.arange(npts) / rate - at_s
    wave = np.exp(-((time / 0.3) ** 2)) * np.cos(2 * np.pi * 2 * time)
    noise = 1e-6 * np.random.default_rng(1).normal(size=(3, npts))
    return tng.Record(wave + noise, rate, START, "XX", "AAA", p_s=at_s)


def stream(item):
    """Return the traces of a record without any word on their units."""
    return Stream([Trace(t.data, dict(t.stats)) for t in item.stream()])


# padding


def test_padding_is_taken_off_and_times_move():
    """Zeros at both ends go, onsets and the start time move with them, the samples between stay as they are."""
    whole = record(p_s=10.0, s_s=15.0)
    data = np.pad(whole.data, ((0, 0), (300, 200)))
    padded = tng.Record(data, RATE, START, "XX", "AAA", p_s=13.0, s_s=18.0)
    bare = sets.without_padding(padded)
    assert np.array_equal(bare.data, whole.data)
    assert (bare.p_s, bare.s_s) == pytest.approx((10.0, 15.0))
    assert bare.starttime - START == pytest.approx(3.0)


def test_zero_of_one_component_is_no_padding():
    """Only samples that are zero on all three components at the very ends are padding."""
    item = record()
    item.data[0, :500] = 0
    item.data[:, 2000:2100] = 0
    assert sets.without_padding(item) is item


def test_all_zeros_leave_nothing():
    """A record of zeros has no samples left."""
    assert sets.without_padding(tng.Record(np.zeros((3, 100)), RATE, START, "XX", "AAA")).npts == 0


# arrays


def test_long_records_are_cut_with_p_at_10_s():
    """A pulse 40 s into a 120 s record stands at 10 s of a 60 s window."""
    made = sets.arrays(Records([pulse(12000, 40.0)]), 60.0)
    assert made.data.shape == (1, 3, 6000) and made.data.dtype == np.float32
    assert made.p_s[0] == pytest.approx(P_AT_S)
    assert made.duration_s[0] == pytest.approx(60.0)
    assert np.abs(made.data[0]).argmax(axis=1) / RATE == pytest.approx([10.0] * 3, abs=0.02)


@pytest.mark.parametrize("at_s, expected", [(4.0, 4.0), (115.0, 55.0)])
def test_the_window_stays_inside_the_record(at_s, expected):
    """Near an end of the record P keeps its place in the window; nothing is padded in front."""
    made = sets.arrays(Records([pulse(12000, at_s)]), 60.0)
    assert made.p_s[0] == pytest.approx(expected)
    assert np.abs(made.data[0, 0]).argmax() / RATE == pytest.approx(expected, abs=0.02)


def test_short_records_stay_whole():
    """A record shorter than the window is not moved; zeros stand behind it and are not counted."""
    made = sets.arrays(Records([pulse(4000, 15.0)]), 60.0)
    assert made.p_s[0] == 15.0 and made.duration_s[0] == 40.0
    assert not made.data[0, :, 4000:].any() and made.data[0, :, 3000:3900].any()
    assert np.abs(made.data[0, 0]).argmax() / RATE == pytest.approx(15.0, abs=0.02)


def test_200_hz_become_100():
    """A pulse sampled at 200 Hz has the same samples as the pulse sampled at 100 Hz."""
    fine, coarse = (sets.arrays(Records([pulse(int(60 * rate), 20.0, rate)]), 60.0).data[0] for rate in (200.0, 100.0))
    assert np.abs(fine - coarse).max() < 1e-3 * np.abs(coarse).max()


def test_too_short_is_listed():
    """Records below 15 s are skipped by name; when none is left, an error tells the reason."""
    items = Records([pulse(6000, 20.0), record(npts=1000, station="BBB")])
    assert list(sets.arrays(items, 60.0).station) == ["XX.AAA"]
    assert "XX.BBB" in items.skipped[0].name and "15 s" in items.skipped[0].reason
    with pytest.raises(RecordError, match=r"no usable record, 1 skipped.*15 s"):
        sets.arrays(Records([record(npts=1000)]), 60.0)


# windows on P


def test_aligned_moves_p_to_10_s():
    """Early and late pulses both stand at 10 s; what the record does not reach is zero."""
    made = sets.arrays(Records([pulse(6000, 4.0), pulse(6000, 25.0)]), 60.0)
    moved = sets.aligned(made, 60.0)
    assert moved.shape == (2, 3, 6000)
    assert np.abs(moved).argmax(axis=2) / RATE == pytest.approx(np.full((2, 3), 10.0), abs=0.02)
    assert not moved[0, :, :600].any() and moved[0, :, 600:700].any()
    assert not moved[1, :, 4500:].any()


def test_cropped_keeps_what_fills_the_window():
    """8 s before to 20 s after P: a record whose P is too early, or that ends too soon, is left out."""
    made = sets.arrays(Records([pulse(6000, 12.0), pulse(6000, 5.0), pulse(3000, 12.0)]), 60.0)
    windows, kept = sets.cropped(made, made.p_s, 8.0, 20.0)
    assert list(kept) == [0] and windows.shape == (1, 3, 2800)
    assert np.array_equal(windows[0], made.data[0, :, 400:3200])
    none, kept = sets.cropped(made, made.p_s, 30.0, 20.0)
    assert none.shape == (0, 3, 5000) and not kept.size


def test_onsets_are_filled_in_order():
    """A known P stays, an unknown one is the picker's, and 10 s where the picker found none either."""
    made = sets.arrays(Records([record(6000), record(6000), record(6000, p_s=7.0)]), 60.0)
    assert list(sets.with_onsets(made, np.array([3.0, np.nan, 4.0])).p_s) == [3.0, P_AT_S, 7.0]


# events


def test_events_are_told_from_start_times():
    """Records that begin within a minute of the one before share an event; a known event keeps its id."""
    after_s = [0, 50, 3600, 3590, 100, 7200]
    known = ["", "", "", "", "", "ci1"]
    items = [record(start=START + t, event=e) for t, e in zip(after_s, known, strict=True)]
    assert list(sets._events(items)) == ["#0", "#0", "#1", "#1", "#0", "ci1"]


# gather


def test_floats_of_unknown_units_are_taken_as_mps2_with_a_note():
    """Floats without a word on units are used and noted; ``units=`` settles it and scales."""
    found, remarks, made, _ = sets.gather(stream(record()), "real")
    assert len(found) == 1 and made == []
    assert len(remarks) == 1 and remarks[0].startswith("real: units of 1 records not known (first XX.AAA")
    in_g, remarks, *_ = sets.gather(stream(record()), "real", units="g")
    assert remarks == []
    assert np.abs(in_g[0].data).max() == pytest.approx(9.80665 * np.abs(found[0].data).max())


def test_counts_are_refused_by_name():
    """Whole numbers without units are left out; alone they are an error that names the remedy."""
    counts = record(seed=3, station="CNT")
    counts = tng.Record(np.round(counts.data * 1e6), RATE, START, "XX", "CNT")
    found, *_ = sets.gather([stream(record()), stream(counts)], "real")
    assert [r.station for r in found] == ["AAA"]
    assert "XX.CNT" in found.skipped[0].name and "counts?" in found.skipped[0].reason
    with pytest.raises(RecordError, match=r"real: no usable record, 1 skipped.*give an inventory or units="):
        sets.gather(stream(counts), "real")


def test_the_error_tells_the_commonest_reason():
    """One dead component before many records in counts: the error speaks of the counts."""
    dead = record(start=START)
    dead.data[0] = 0.0
    parts = [stream(dead)]
    for i in range(1, 4):
        item = record(start=START + 3600 * i)
        parts.append(stream(tng.Record(np.round(item.data * 1e6), RATE, item.starttime, "XX", "CNT")))
    with pytest.raises(RecordError, match=r"4 skipped; mostly: .*counts.*: give an inventory"):
        sets.gather(parts, "real")


def test_implausible_amplitudes_are_noted():
    """More than any accelerogram ever recorded is used, and noted."""
    loud = stream(record())
    for trace in loud:
        trace.data = trace.data * 1e5
    _, remarks, *_ = sets.gather(loud, "generated", units="m/s2")
    assert len(remarks) == 1 and "1 records exceed 50 m/s²" in remarks[0]


def test_other_types_are_refused():
    """A number is neither Stream nor path."""
    with pytest.raises(tng.TNGError, match="real: int given; accepted: Stream"):
        sets.gather(3, "real")


# provenance


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Four generated records as a Stream, as MiniSEED and as SAC."""
    folder = tmp_path_factory.mktemp("made")
    new = tng.generate("CI.CWC", n=4, seed=1)
    tng.write(new, folder / "mseed" / "cwc.mseed")
    tng.write(new, folder / "sac", format="SAC")
    return new, folder


@pytest.mark.parametrize("name", ["mseed", "mseed/cwc.mseed", "sac"])
def test_provenance_is_read_from_sidecars(written, name):
    """Folders and files give what the Stream itself gives: units known, pool kind, seed; samples to the last digit."""
    new, folder = written
    found, remarks, made, _ = sets.gather(folder / name, "generated")
    direct, _, same, _ = sets.gather(new, "generated")
    assert remarks == []
    assert [r.location for r in found] == ["00", "01", "02", "03"]
    for a, b in zip(found, direct, strict=True):
        assert np.array_equal(a.data, b.data)
    assert len(made) == 1 and (made[0]["pool_kind"], made[0]["station"], made[0]["seed"]) == ("recorded", "CI.CWC", 1)
    assert [made[0][k] for k in ("sampler", "weights_sha256")] == [same[0][k] for k in ("sampler", "weights_sha256")]
    assert "parents" not in json.dumps(made).replace("n_parents", "")


def test_without_sidecar_nothing_is_claimed(written, tmp_path):
    """The same MiniSEED without its sidecar: units taken on trust, no provenance."""
    (tmp_path / "cwc.mseed").write_bytes((written[1] / "mseed" / "cwc.mseed").read_bytes())
    found, remarks, made, _ = sets.gather(tmp_path, "generated")
    assert len(found) == 4 and made == []
    assert "units of 4 records not known" in remarks[0]


def test_a_sidecar_of_another_program_is_not_believed(written, tmp_path):
    """StationXML that this package did not write says nothing of units."""
    (tmp_path / "cwc.mseed").write_bytes((written[1] / "mseed" / "cwc.mseed").read_bytes())
    text = (written[1] / "mseed" / "cwc.xml").read_text().replace("obspy-tng", "other")
    (tmp_path / "cwc.xml").write_text(text)
    _, remarks, made, _ = sets.gather(tmp_path, "generated")
    assert made == [] and "units of 4 records not known" in remarks[0]


def test_the_inventory_of_a_simulated_network_is_no_sidecar():
    """Responses given for the sample network, whose StationXML this package made, are removed: m/s², as hvsr reads."""
    network = Path(__file__).parents[2] / "data_samples" / "network"
    file = network / "20210304T021130.mseed"
    found, remarks, made, _ = sets.gather(network, "real", inventory=str(network / "stations.xml"))
    assert made == [] and remarks == []
    direct = tng.read_records([str(file)], str(network / "stations.xml"))
    same = {r.id: r for r in found}
    assert len(direct) and all(r.units == "m/s2" for r in direct)
    for record in direct:
        assert np.array_equal(same[record.id].data, sets.without_padding(record).data)


def test_only_channels_with_provenance_are_taken_as_generated(written, tmp_path):
    """A sidecar that lost the comment of a record's channels vouches for the other records only."""
    from obspy import read_inventory

    (tmp_path / "cwc.mseed").write_bytes((written[1] / "mseed" / "cwc.mseed").read_bytes())
    sidecar = read_inventory(str(written[1] / "mseed" / "cwc.xml"))
    for channel in sidecar[0][0]:
        if channel.location_code == "02":
            channel.comments = []
    sidecar.write(str(tmp_path / "cwc.xml"), format="STATIONXML")
    found, remarks, _, _ = sets.gather(tmp_path, "generated")
    assert len(found) == 4 and len(remarks) == 1
    assert "units of 1 records not known (first CI.CWC.02" in remarks[0]


def test_damaged_sidecars_are_passed_over(tmp_path):
    """StationXML beside the records that is cut, or whose comments are no JSON, does not end the evaluation."""
    made = {"station": "XX.GEN", "seed": 1, "model": "m"}
    rows = np.random.default_rng(0).normal(size=(3, 3000)).astype(np.float32)
    header = {"network": "XX", "station": "GEN", "sampling_rate": 100.0, "tng": made}
    stream = Stream([Trace(x, {**header, "channel": f"HX{c}"}) for c, x in zip("ENZ", rows, strict=True)])
    tng.write(stream, tmp_path / "a.mseed")
    text = (tmp_path / "a.xml").read_text()
    (tmp_path / "b.xml").write_text(text[: len(text) // 2])
    (tmp_path / "c.xml").write_text(text.replace("{&quot;", "[[").replace('{"', "[["))
    found = sets.gather(str(tmp_path), "set")
    assert len(found.records) == 1 and found.made[0]["station"] == "XX.GEN"
