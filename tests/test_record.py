"""records(): what becomes a record, in which order, units and window, and why the rest does not."""

import dataclasses
import re
import shutil
from pathlib import Path

import numpy as np
import obspy
import pytest
from obspy import Stream, UTCDateTime

from obspy_tng.errors import FormatError, RecordError, TNGError
from obspy_tng.record import Record, Records, read_records, records, require_mps2
from obspy_tng.simulation import simulate

SAMPLES = Path(__file__).parents[1] / "data_samples"
START = UTCDateTime(2021, 3, 4, 5)


@pytest.fixture(scope="module")
def made():
    """One simulated record of 30 s, E N Z."""
    return simulate(seed=1, duration_s=30.0, distance_km=10.0, starttime=START)


@pytest.fixture
def stream(made):
    """A copy that a test may damage."""
    return made.copy()


def reason(stream, **settings):
    """Return why the only record of a stream was left out."""
    got = records(stream, **settings)
    assert not got and len(got.skipped) == 1, (got, got.skipped)
    return got.skipped[0].reason


# --- what a record is


def test_rows_are_east_north_up(stream):
    """Whatever the order of traces, the rows are E, N, Z in float64, with the ids beside them."""
    (record,) = records(Stream([stream[2], stream[1], stream[0]]))
    np.testing.assert_array_equal(record.data, np.array([t.data for t in stream], dtype=np.float64))
    assert record.channels == ("HNE", "HNN", "HNZ")
    assert (record.units, record.sampling_rate, record.npts, record.starttime) == ("m/s2", 100.0, 3000, START)
    assert record.duration_s == pytest.approx(29.99)


def test_truth_travels_along(stream):
    """Event, place, Vs30 and onsets are those of the simulation."""
    (record,) = records(stream)
    truth, event = stream[0].stats.simulation, stream[0].stats.event
    assert (record.p_s, record.s_s, record.onset_source) == (truth.p_s, truth.s_s, "pick")
    assert (record.magnitude, record.event_id, record.origin_time) == (4.5, event.id, event.origin_time)
    assert (record.latitude_deg, record.longitude_deg, record.elevation_m) == (38.0, 27.0, 0.0)
    assert record.distance_km == pytest.approx(10.0, rel=1e-3)
    # 25 m at 200 m/s over 5 m at 800 m/s
    assert record.vs30_mps == pytest.approx(30 / (25 / 200 + 5 / 800))


def test_input_is_left_as_it_is(made):
    """Neither samples nor headers of the caller's Stream change, whatever has to be done to them."""
    stream = made.copy()
    stream[0].stats.starttime += 1
    stream[1] = stream[1].slice(endtime=START + 20)
    stream += made[1].slice(starttime=START + 20.01)
    before = stream.copy()
    assert len(records(stream, units="gal")) == 1
    for trace, old in zip(stream, before, strict=True):
        np.testing.assert_array_equal(trace.data, old.data)
        assert trace.stats == old.stats


def test_record_is_a_stream_again(stream):
    """record.stream() holds the samples, ids, times and place it was made of, and makes the same record."""
    (record,) = records(stream)
    back = record.stream()
    for trace, old in zip(back, stream, strict=True):
        assert (trace.id, trace.stats.starttime) == (old.id, old.stats.starttime)
        np.testing.assert_array_equal(trace.data, old.data)
        assert trace.stats.coordinates.latitude == 38.0
    back[0].data[:] = 0
    assert record.data[0].any(), "the Stream shares memory with the record"
    (again,) = records(record.stream(), units="m/s2")
    np.testing.assert_array_equal(again.data, record.data)


def test_record_is_immutable_and_named(stream):
    """Fields cannot be set; code and id are NET.STA and NET.STA.LOC.EVENT, the time for an unknown event."""
    (record,) = records(stream)
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.p_s = 1.0
    assert (record.code, record.id) == ("XX.SIM", f"XX.SIM.00.{stream[0].stats.event.id}")
    bare = dataclasses.replace(record, network="", event_id="")
    assert (bare.code, bare.id) == ("SIM", ".SIM.00.20210304T050000")


# --- grouping


def test_many_stations_and_events_in_one_stream():
    """3 stations and 4 events, shuffled: 12 records in the order of station and time, samples unmixed."""
    whole, expected = Stream(), {}
    for station in ("AAA", "0205", "BBB"):
        for event in range(4):
            part = simulate(
                station=station, seed=10 * event + len(expected), duration_s=30.0, distance_km=10.0,
                starttime=START + 100 * event,
            )  # fmt: skip
            for trace in part:
                trace.stats.location = ""
            expected[(station, str(START + 100 * event))] = part
            whole += part
    traces = list(whole)
    np.random.default_rng(0).shuffle(traces)
    got = records(Stream(traces))
    assert not got.skipped
    assert [(r.station, str(r.starttime)) for r in got] == sorted(expected)
    for record in got:
        part = expected[(record.station, str(record.starttime))]
        np.testing.assert_array_equal(record.data, [t.data.astype(float) for t in part])


def test_instruments_and_locations_are_not_mixed(stream):
    """A broadband beside an accelerometer, and a second location, are records of their own."""
    for band, location in (("HH", "00"), ("HN", "10")):
        for trace in stream[:3].copy():
            trace.stats.channel, trace.stats.location = band + trace.stats.channel[-1], location
            stream += trace
    got = records(stream)
    assert sorted((r.location, r.channels[0]) for r in got) == [("00", "HHE"), ("00", "HNE"), ("10", "HNE")]


def test_knet_names(stream):
    """EW, NS, UD of K-NET and EW1, EW2 of KiK-net (borehole and surface) become E, N, Z."""
    for digit in ("1", "2"):
        for trace, name in zip(stream[:3].copy(), ("EW", "NS", "UD"), strict=True):
            trace.stats.channel = name + digit
            stream += trace
    for trace, name in zip(stream, ("EW", "NS", "UD"), strict=False):
        trace.stats.channel = name
    got = records(stream)
    assert sorted(r.channels for r in got) == [(f"EW{d}", f"NS{d}", f"UD{d}") for d in ("", "1", "2")]
    for record in got:
        np.testing.assert_array_equal(record.data, np.array([t.data for t in stream[:3]], dtype=float))


def test_knet_file():
    """ObsPy's own K-NET file: m/s² by its calib; peak, place and event as its header has them."""
    path = Path(obspy.__file__).parent / "io/nied/tests/data/test.knet"
    if not path.is_file():
        pytest.skip("this ObsPy was installed without its test data")
    east = obspy.read(str(path))[0]
    north, up = east.copy(), east.copy()
    north.stats.channel, up.stats.channel = "NS", "UD"
    north.data, up.data = east.data[::-1].copy(), -east.data
    (record,) = records(Stream([up, north, east]))
    assert record.units == "m/s2"
    # the header's maximum, in gal, is of the record without its offset
    motion = record.data - record.data.mean(axis=1, keepdims=True)
    assert np.abs(motion).max() * 100 == pytest.approx(4.383, abs=0.01)
    assert (record.latitude_deg, record.longitude_deg, record.magnitude) == (39.6069, 140.3213, 5.9)
    away_m = obspy.geodetics.gps2dist_azimuth(38.92, 140.63, 39.6069, 140.3213)[0]
    assert record.distance_km == pytest.approx(away_m / 1e3, rel=0.005)


def test_up_and_vertical_letters(stream):
    """The last letters U and V are verticals, too."""
    for letter in "UV":
        stream[2].stats.channel = f"HN{letter}"
        (record,) = records(stream)
        assert record.channels[2] == f"HN{letter}"


# --- the common window


def test_shifted_starts_are_cut_to_the_common_window(stream):
    """A component that starts 1.5 s late and one that ends early: all rows show the same instants."""
    east, north, up = stream
    late, short = north.slice(starttime=START + 1.5), up.slice(endtime=START + 25)
    (record,) = records(Stream([east, late, short]))
    assert record.starttime == START + 1.5
    assert record.npts == 2351  # 1.5 to 25 s, both ends included
    np.testing.assert_array_equal(record.data, [t.data[150:2501].astype(float) for t in (east, north, up)])
    assert record.p_s == pytest.approx(east.stats.simulation.p_s - 1.5)


def test_unequal_lengths_are_cut_not_filled(stream):
    """Three lengths within a few samples: the shortest counts."""
    for trace, npts in zip(stream, (3000, 2998, 2995), strict=True):
        trace.data = trace.data[:npts]
    (record,) = records(stream)
    assert record.data.shape == (3, 2995)


def test_little_in_common_is_a_reason(stream):
    """Components that share less than half of the longest are no record, and the reason has the numbers."""
    stream[1].data = stream[1].data[:1000]
    assert "1000 of 3000" in reason(stream)


def test_pieces_are_joined(stream):
    """Contiguous and agreeing overlapping pieces, in any order, are the record they were cut from."""
    (whole,) = records(stream)
    east = stream[0]
    pieces = [east.slice(START + 18, None), east.slice(None, START + 10), east.slice(START + 9.5, START + 18)]
    (joined,) = records(Stream([*pieces, stream[1], stream[2]]))
    np.testing.assert_array_equal(joined.data, whole.data)


def test_repeated_packet_is_no_gap(stream):
    """A packet that came twice lies inside its predecessor; what follows that one is still contiguous."""
    east = stream[0]
    pieces = [east.slice(None, START + 20), east.slice(START + 5, START + 6), east.slice(START + 20.01, None)]
    (joined,) = records(Stream([*pieces, stream[1], stream[2]]))
    np.testing.assert_array_equal(joined.data[0], east.data.astype(float))


def test_pieces_of_two_types_are_joined(stream):
    """A recorder that changed its encoding midway: ObsPy's merge refuses, the samples are fine."""
    east = stream[0]
    pieces = [east.slice(None, START + 10), east.slice(START + 10.01, None)]
    pieces[1].data = pieces[1].data.astype(np.float64)
    (joined,) = records(Stream([*pieces, stream[1], stream[2]]))
    np.testing.assert_array_equal(joined.data[0], east.data.astype(float))


# --- reasons


def test_gap_is_a_reason(stream):
    """0.5 s are missing: named with length, channel and time, and nothing is filled."""
    pieces = [stream[0].slice(None, START + 10), stream[0].slice(START + 10.51, None)]
    text = reason(Stream([*pieces, stream[1], stream[2]]))
    assert "gap of 0.50 s in HNE" in text and "05:00:10" in text


def test_masked_samples_are_a_gap(stream):
    """What ObsPy's merge leaves of a gap is a gap."""
    merged = Stream([stream[0].slice(None, START + 10), stream[0].slice(START + 12, None)]).merge()
    assert "gap in HNE" in reason(Stream([*merged, stream[1], stream[2]]))


def test_disagreeing_overlap_is_a_reason(stream):
    """Two versions of the same second: neither is chosen."""
    pieces = [stream[0].slice(None, START + 11), stream[0].slice(START + 10, None)]
    pieces[1].data = pieces[1].data + np.float32(1e-3)
    assert "overlap and disagree" in reason(Stream([*pieces, stream[1], stream[2]]))


@pytest.mark.parametrize(("value", "count"), [(np.nan, 1), (np.inf, 3)])
def test_nan_is_a_reason(stream, value, count):
    """One bad sample is enough, and they are counted."""
    stream[1].data[100 : 100 + count] = value
    assert f"{count} samples of HNN are NaN or infinite" in reason(stream)


@pytest.mark.parametrize("scale", [0.0, 1e-5])
def test_dead_component_is_a_reason(stream, scale):
    """Constant, or 100 000 times below the other components, as CI.WCS2's vertical at times."""
    stream[2].data = (stream[2].data * scale + 3e-4).astype(np.float64)
    assert "dead component HNZ" in reason(stream)


def test_weak_component_is_no_dead_one(stream):
    """A vertical ten times below the horizontals is nature's business."""
    stream[2].data = stream[2].data / 10
    assert len(records(stream)) == 1


def test_clipped_component_is_a_reason(stream):
    """Cut at half its peak the record sits at the extreme; the same peak untouched does not."""
    peak = np.abs(stream[0].data).max()
    stream.filter("lowpass", freq=3.0)
    assert len(records(stream)) == 1
    stream[0].data = np.clip(stream[0].data, -0.2 * peak, 0.2 * peak)
    assert "clipped component HNE" in reason(stream)


def test_missing_component_is_a_reason(stream):
    """E and Z alone: what is missing, what is there and what would do."""
    text = reason(Stream([stream[0], stream[2]]))
    assert "component N is missing" in text and "HNE, HNZ" in text and "E N Z" in text


def test_two_channels_for_one_component_is_a_reason(stream):
    """HNZ and HNU of one sensor: no choice is made between them."""
    extra = stream[2].copy()
    extra.stats.channel = "HNU"
    assert "two channels for component Z" in reason(stream + Stream([extra]))


def test_unknown_component_letter_is_a_reason(stream):
    """A channel HNX is named, with the letters that are accepted."""
    stream[0].stats.channel = "HNX"
    assert "'HNX'" in reason(stream) and "E N Z" in reason(stream)


def test_different_sampling_rates_are_a_reason(stream):
    """100 and 200 Hz in one record."""
    stream[0].stats.sampling_rate = 200.0
    assert "100, 200 Hz" in reason(stream)


def test_good_records_survive_bad_neighbours(made):
    """One dead record among three leaves two, and says which file and record it was."""
    whole = Stream()
    for number in range(3):
        part = made.copy()
        for trace in part:
            trace.stats.starttime += 100 * number
            trace.stats.source_file = f"file{number}.mseed"
        whole += part
    whole[4].data = whole[4].data * 0
    got = records(whole)
    assert [r.source for r in got] == ["file0.mseed", "file2.mseed"]
    ((name, text),) = got.skipped
    assert name.startswith("file1.mseed: XX.SIM.00.HN? 2021-03-04T05:01:40") and "dead component HNN" in text


def _damage(rng, stream):
    """Return a stream with one to three random faults."""
    for _ in range(rng.integers(1, 4)):
        trace = stream[rng.integers(len(stream))]
        n = len(trace.data)
        first, last = sorted(rng.integers(0, max(n, 1), 2)) if n else (0, 0)
        kind = rng.integers(14)
        with np.errstate(all="ignore"):
            data = np.array(trace.data, dtype=rng.choice([np.int32, np.float32, np.float64]))
        if kind == 0 and n:
            data = data.astype(float)
            data[first:last] = rng.choice([np.nan, np.inf, 0.0, 1e300, -1e300])
        elif kind == 1:
            data = data[first:last]
        elif kind == 2:
            data = np.ma.masked_greater(data, 0)
        elif kind == 3:
            data = np.full_like(data, 7)
        elif kind == 4:
            stream.remove(trace) if len(stream) > 1 else None
        elif kind == 5:
            stream.append(trace.copy())
        elif kind == 6:
            stream.append(trace.slice(trace.stats.starttime + first / 100))
        elif kind == 7:
            trace.stats.starttime += float(rng.choice([0.003, -0.5, 40.0, 1e7]))
        elif kind == 8:
            trace.stats.sampling_rate = float(rng.choice([99.9, 1e-3, 250.0]))
        elif kind == 9:
            trace.stats.channel = str(rng.choice(["", "Z", "HN1", "HN2", "HNE", "HN3", "UD", "XYZ1"]))
        elif kind == 10:
            trace.stats.calib = float(rng.choice([0.0, np.nan, -1.0, 1e-30]))
        elif kind == 11:
            trace.stats.units = str(rng.choice(["m/s", "", "?"]))
        elif kind == 12 and n:
            data = np.clip(data, -1e-4, 1e-4)
        elif kind == 13:
            cut = trace.stats.starttime + first / 100
            stream.append(trace.slice(cut + float(rng.choice([0.01, 0.5]))))
            trace.trim(endtime=cut)
            data = np.array(trace.data)
        trace.data = data
    return stream


@pytest.mark.filterwarnings("ignore:Calibration factor", "ignore:overflow")
def test_random_damage_never_raises(made):
    """600 records with random faults: each is a sound record or has a reason of ours, none raises."""
    sound = skipped = 0
    for seed in range(600):
        rng = np.random.default_rng(seed)
        got = records(_damage(rng, made.copy()), units=rng.choice(["gal", None]))
        for record in got:
            sound += 1
            assert record.data.shape[0] == 3 and record.data.dtype == np.float64, seed
            assert np.isfinite(record.data).all(), seed
            assert (np.ptp(record.data, axis=1) > 0).all(), seed
        for name, text in got.skipped:
            skipped += 1
            assert "XX.SIM" in name and text, seed
            assert not text.startswith("unexpected"), (seed, text)
    assert sound > 50 and skipped > 400


@pytest.mark.parametrize(
    "headers",
    [{"simulation": "yes"}, {"coordinates": {}}, {"event": {"magnitude": None}}, {"sac": 3}, {"site": None}],
)
def test_odd_headers_never_raise(stream, headers):
    """Headers that hold something else than expected cost this record, with a reason, not the run."""
    odd = stream.copy()
    for trace in odd:
        trace.stats.location = "99"
        trace.stats.update(headers)
    got = records(odd + stream)
    assert [r.location for r in got] == ["00"]
    assert got.skipped[0].reason


def test_skipped_is_a_pair(stream):
    """`.skipped` unpacks as (name, reason) and has both as attributes."""
    got = records(stream[:2])
    ((name, text),) = got.skipped
    assert (got.skipped[0].name, got.skipped[0].reason) == (name, text)
    assert isinstance(got, list) and isinstance(got, Records)
    assert records(Stream()) == []


# --- files


def test_files_of_every_format_become_records():
    """Each sample format gives one record with the peaks of truth.json in m/s², the zip too."""
    import json

    truth = json.loads((SAMPLES / "truth.json").read_text(encoding="utf-8"))
    groups = ["*.asc", "*.zip", "*.ASC", "*.txt", "*.AT2", "*.mat", "*.SAC"]
    for pattern in groups:
        got = read_records(SAMPLES / pattern)
        names = [path.name for path in SAMPLES.glob(pattern)]
        peaks = {k: v for name in names for k, v in truth[name]["pga_mps2"].items()}
        assert len(got) == 1, (pattern, got.skipped)
        assert got[0].units == "m/s2"
        for row, component in zip(got[0].data, "ENZ", strict=True):
            assert np.abs(row).max() == pytest.approx(peaks[component], rel=1e-4), (pattern, component)
        if pattern != "*.AT2":
            assert got[0].station == truth[names[0]]["station"]


def test_single_component_files_wait_for_their_siblings(tmp_path):
    """Three files make one record; two files of another station are no triple and named as such."""
    for file in SAMPLES.glob("*.asc"):
        shutil.copy(file, tmp_path / f"a_{file.name}")
    for file in list(SAMPLES.glob("*.ASC"))[:2]:
        shutil.copy(file, tmp_path / f"z_{file.name}")
    (tmp_path / "notes.txt").write_text("no record")
    got = read_records(tmp_path)
    assert [r.code for r in got] == ["TK.0099"]
    reasons = {re.sub(r".*/", "", name.split(":")[0]): text for name, text in got.skipped}
    assert "notes.txt" in reasons
    (incomplete,) = [text for name, text in reasons.items() if name.startswith("z_")]
    assert "are not a triple" in incomplete


def test_zip_with_foreign_members():
    """The sample zip has a resource fork and a readme: listed with reasons, the record read."""
    got = read_records(SAMPLES / "20210214030714_0099.zip")
    assert [r.code for r in got] == ["TK.0099"]
    assert len(got.skipped) == 2
    assert any("resource fork" in text for _, text in got.skipped)


def test_missing_file_is_an_error(tmp_path):
    """A path that does not exist is the caller's mistake, not a skipped record."""
    with pytest.raises(FileNotFoundError, match="absent"):
        read_records(tmp_path / "absent.mseed")


def test_require_mps2_names_the_first(stream):
    """Unknown units are refused with the id and what would help."""
    (record,) = records(stream)
    require_mps2([record], "a pool")
    with pytest.raises(RecordError, match=r"a pool needs m/s².*XX\.SIM.*units="):
        require_mps2([record, dataclasses.replace(record, units="unknown")], "a pool")


def test_errors_are_of_one_family():
    """RecordError is a TNGError and a ValueError."""
    assert issubclass(RecordError, TNGError) and issubclass(RecordError, ValueError)
    assert dataclasses.is_dataclass(Record)


def test_swapped_metadata_files_are_named():
    """A catalogue given as inventory, an inventory given as catalogue, and rubbish: one FormatError naming the file."""
    network = Path(__file__).parents[1] / "data_samples" / "network"
    for key, name in (
        ("inventory", "events.xml"),
        ("events", "stations.xml"),
        ("events", "2021"),
        ("inventory", "2021"),
    ):
        path = next(network.glob(f"{name}*"))
        with pytest.raises(FormatError, match=path.name):
            read_records(network, **{key: path})
