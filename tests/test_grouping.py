"""Which traces belong together: rates that change, overlaps that disagree, components that are missing."""

import time
import zipfile

import numpy as np
import obspy
import pytest
from obspy import Stream, Trace, UTCDateTime

from obspy_tng import grouping, hvsr
from obspy_tng.record import records

START = UTCDateTime(2021, 3, 4, 5)


def noise(rate_hz=50.0, length_s=300.0, start=START, seed=0, channels=("HHE", "HHN", "HHZ")):
    """Return integer noise of three components."""
    rng, n = np.random.default_rng(seed), round(length_s * rate_hz)
    header = {"network": "XX", "station": "A", "sampling_rate": rate_hz, "starttime": start}
    return Stream([Trace(rng.normal(0, 1000, n).astype(np.int32), header | {"channel": c}) for c in channels])


def write(stream, path):
    stream.write(str(path), format="MSEED")
    return path


# --- rates


@pytest.mark.parametrize("how", ["files", "one file", "stream", "zip"])
def test_rate_change(tmp_path, how):
    """A day at 50 Hz and one at 100 Hz are two recordings, in two files, in one, in memory or in a zip archive."""
    first, second = noise(50.0), noise(100.0, start=START + 86400, seed=1)
    one, two = write(first, tmp_path / "a.mseed"), write(second, tmp_path / "b.mseed")
    data = {"files": [one, two], "stream": first + second}.get(how)
    if how == "one file":
        data = write(first + second, tmp_path / "c.mseed")
    if how == "zip":
        data = tmp_path / "c.zip"
        with zipfile.ZipFile(data, "w") as archive:
            for path in (one, two):
                archive.write(path, path.name)
    got = hvsr(data, window="sliding:60")
    assert got.attrs["skipped"] == []
    assert got.sampling_rate_hz.values.tolist() == [50.0] * 5 + [100.0] * 5
    alone = [hvsr(part, window="sliding:60").hvsr.values for part in (first, second)]
    np.testing.assert_array_equal(got.hvsr.values, np.concatenate(alone))


@pytest.mark.parametrize("how", ["files", "zip"])
def test_two_rates_at_the_same_time(tmp_path, how):
    """Two recorders of one name at one time: each is a recording of its own, and neither drops the other."""
    paths = [write(noise(rate, seed=k), tmp_path / f"{k}.mseed") for k, rate in enumerate((50.0, 100.0))]
    if how == "zip":
        with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
            for path in paths:
                archive.write(path, path.name)
        paths = [tmp_path / "c.zip"]
    got = hvsr(paths, window="sliding:60")
    assert got.sampling_rate_hz.values.tolist().count(50.0) == got.sampling_rate_hz.values.tolist().count(100.0) == 5
    assert len(set(got.record.values)) == 10 and len(set(got.record_id.values)) == 2


def test_components_of_different_rates():
    """No rate has all three components: one reason with both rates."""
    stream = noise()
    stream[0].stats.sampling_rate = 25.0
    got = records(stream)
    assert not got and got.skipped[0].reason == "components differ in sampling rate: 25, 50 Hz"


def test_rest_of_another_rate():
    """A whole triple at 50 Hz is used; the lone component at 100 Hz beside it is told as incomplete."""
    got = records(noise() + noise(100.0)[:1])
    assert [r.sampling_rate for r in got] == [50.0]
    assert "channels HHE are not a triple" in got.skipped[0].reason


def test_single_components_of_two_rates_are_not_mixed(tmp_path):
    """Files of one component each, two rates at one time: siblings are found by their rate."""
    for rate, seed in ((50.0, 0), (100.0, 1)):
        for trace in noise(rate, seed=seed):
            trace.write(str(tmp_path / f"{trace.stats.channel}{rate:g}.sac"), format="SAC")
    got = hvsr(tmp_path, window="full")
    assert sorted(got.sampling_rate_hz.values) == [50.0, 100.0] and not got.attrs["skipped"]


# --- overlaps


def overlapping(change):
    """Return 15 min of which 10 s from 5 min on are held twice, the second time with `change` added."""
    stream, out = noise(length_s=900.0), Stream()
    for trace in stream:
        second = trace.slice(START + 300).copy()
        if trace.stats.channel == "HHN":
            second.data[:500] += change
        out += Stream([trace.slice(endtime=START + 310), second])
    return stream, out


@pytest.mark.parametrize("how", ["file", "stream"])
def test_disagreeing_overlap_is_a_gap(tmp_path, how):
    """10 s that disagree cost the windows that hold them, and a line; the rest is as without them."""
    plain, twice = overlapping(7)
    got = hvsr(write(twice, tmp_path / "a.mseed") if how == "file" else twice, window="sliding:60")
    (line,) = got.attrs["skipped"]
    assert "HHN overlap and disagree from 2021-03-04T05:05:00 to 2021-03-04T05:05:10" in line
    assert got.sizes["record"] == 4 + 9  # 299.9 s before, 589.9 s after
    whole = hvsr(plain, window="sliding:60")
    np.testing.assert_array_equal(got.hvsr.values[:4], whole.hvsr.values[:4])


@pytest.mark.parametrize("how", ["file", "stream"])
def test_agreeing_overlap_is_none(tmp_path, how):
    """The same samples twice change nothing."""
    plain, twice = overlapping(0)
    got = hvsr(write(twice, tmp_path / "a.mseed") if how == "file" else twice, window="sliding:60")
    np.testing.assert_array_equal(got.hvsr.values, hvsr(plain, window="sliding:60").hvsr.values)
    assert got.attrs["skipped"] == []


def test_disagreements():
    """Spans are those held by both; a NaN in the same place of both is no disagreement."""
    header = {"channel": "HHZ", "sampling_rate": 10.0, "starttime": START}
    one = Trace(np.r_[np.arange(99.0), np.nan], header)
    same = Trace(np.r_[np.nan, np.arange(50.0)], header | {"starttime": START + 9.9})
    other = Trace(np.zeros(51), header | {"starttime": START + 9.0})
    assert grouping.disagreements([one, same]) == []
    assert grouping.disagreements([other, one]) == [(START + 9.0, START + 9.9)]


def test_many_gaps_take_no_longer_each():
    """2000 gaps of every component, at other times on each, cut a record in 6000 in seconds; it took hours."""
    n, every = 2000, 50
    traces = []
    for shift, name in enumerate("ENZ"):
        held = np.ma.masked_equal(np.arange(n * every) % every, 7 * shift + 1)
        traces.append(Trace(held, {"channel": "HH" + name, "sampling_rate": 100.0, "starttime": START}))
    began = time.process_time()
    cut = grouping.stretches(traces)
    assert time.process_time() - began < 20  # 2 s where it was written
    lengths = [[t.stats.npts for t in traces] for traces in cut]
    assert lengths[:3] == [[6, 6, 6], [6, 6, 6], [35, 35, 35]]  # between 1, 8 and 15, and from 15 to 51
    assert sum(length for length, *_ in lengths) == n * (every - 3) - 1  # the first sample stands alone


def test_without():
    """Holes cut spans in two, shorten them or take them away."""
    assert grouping.without([(0, 10), (20, 30)], [(4, 6), (25, 40)]) == [(0, 4), (6, 10), (20, 25)]
    assert grouping.without([(0, 10)], [(-1, 11)]) == []


# --- missing


@pytest.mark.parametrize(
    ("channels", "text"),
    [
        (["HNE", "HNZ"], "component N is missing: channels HNE, HNZ are not a triple"),
        (["HH1", "HHZ"], "component 2 is missing: channels HH1, HHZ"),
        (["HHE", "HHN"], "component Z is missing: "),
        (["HHZ"], "channels HHZ are not a triple; accepted: E N Z, 1 2 Z or 1 2 3"),
    ],
)
def test_missing_component_is_named(channels, text):
    """Two of three: the third is named; of one alone there is no telling which triple it is of."""
    assert grouping.not_a_triple(channels).startswith(text)


def test_single_sample_has_a_line(tmp_path):
    """A file of one sample is listed as too short for a window, not passed over."""
    path = write(noise(length_s=0.02), tmp_path / "one.mseed")
    assert len(obspy.read(str(path))[0]) == 1
    with pytest.raises(Exception, match=r"longest of 0\.02 s, are shorter than a window of 60 s"):
        hvsr(path, window="sliding:60")


@pytest.mark.parametrize(
    ("rate", "start", "said"),
    [
        (float("inf"), 0, "inf Hz"),
        (0.0, 0, "0 Hz"),
        (1.7e308, 0, "to the nanosecond"),
        (1e-9, 0, "outside the years"),
        (100.0, 10**19, "outside the years"),
    ],
)
def test_headers_that_cannot_be(rate, start, said):
    """A trace of an impossible rate, or before 1800 or after 2200, is told of."""
    trace = Trace(np.zeros(100))
    trace.stats.starttime = UTCDateTime(ns=start)
    trace.stats.sampling_rate = rate
    assert said in grouping.out_of_time(trace)
    assert grouping.out_of_time(Trace(np.zeros(100))) == ""


def test_one_sample_of_impossible_rate():
    """A single sample has no length, and yet its interval would overflow where it is added to a time."""
    stream = Stream([Trace(np.ones(1), {"channel": f"HH{c}", "sampling_rate": 1e-300}) for c in "EENNZZ"])
    assert "outside the years" in records(stream, split_gaps=True).skipped[0].reason


def test_rate_that_overflows_with_a_gap():
    """ObsPy splits a masked trace of the largest number of Hz into pieces of infinitely many (found by fuzzing)."""
    data = np.ma.masked_equal(np.arange(30.0) % 10, 3)
    stream = Stream([Trace(data, {"channel": f"HH{c}", "sampling_rate": 1.7976931348623157e308}) for c in "ENZ"])
    assert {s.reason for s in records(stream, split_gaps=True).skipped} == {
        "sampling rate 1.79769e+308 Hz: times are told to the nanosecond only"
    }
