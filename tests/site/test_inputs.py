"""What users hold: zips with foreign members, directories, gaps, turned sensors, unequal components, bad records."""

import re
import zipfile

import numpy as np
import pytest
from obspy import Stream, Trace, UTCDateTime
from obspy.core.inventory import Channel, Inventory, Network, Station

from obspy_tng import hvsr, pick_f0, simulate
from obspy_tng.errors import TNGError
from obspy_tng.site.hvsr import NothingComputedError

RATE = 50.0


def microtremor(seconds, seed=0, *, channels=("HHE", "HHN", "HHZ"), station="MIC"):
    """Return white noise, horizontals twice the vertical, as integers."""
    rng = np.random.default_rng(seed)
    start = UTCDateTime(2024, 5, 1)
    stream = Stream()
    for channel, size in zip(channels, (2, 2, 1), strict=True):
        data = (1000 * size * rng.normal(size=round(seconds * RATE))).astype(np.int32)
        header = {"network": "XX", "station": station, "channel": channel, "sampling_rate": RATE, "starttime": start}
        stream.append(Trace(data, header))
    return stream


def test_zip_directory_and_glob(tmp_path):
    """A zip, a folder and a glob of the same records give the same curves; foreign members are listed."""
    made = simulate(n=3, magnitude=4.5, seed=1, duration_s=40)
    folder = tmp_path / "records"
    folder.mkdir()
    for i in range(3):
        made[3 * i : 3 * i + 3].write(str(folder / f"{i}.mseed"), format="MSEED")
    (folder / "readme.txt").write_text("no waveform")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
        archive.writestr("._0.mseed", b"\x00\x05\x16\x07")
    base = hvsr(folder)
    assert base.sizes["record"] == 3 and "readme.txt" in base.attrs["skipped"][0]
    whole = hvsr(tmp_path / "all.zip")
    assert {s.split(":")[0] for s in whole.attrs["skipped"]} == {"all.zip/._0.mseed", "all.zip/readme.txt"}
    for other in (
        whole,
        hvsr(str(folder / "*.mseed")),
        hvsr([folder / "0.mseed", folder / "1.mseed", folder / "2.mseed"]),
    ):
        np.testing.assert_array_equal(other.hvsr, base.hvsr)


def test_turned_sensor():
    """1 and 2 of a sensor turned by 30° become E and N by the inventory's azimuths: the curve along north is as
    that of the sensor that stood right, and without the inventory it is not.
    """
    right = microtremor(120)
    right[1].data = right[1].data * 3  # north moves more
    east, north = (t.data.astype(float) for t in right[:2])
    angle = np.radians(30)
    turned = right.copy()
    turned[1].data = north * np.cos(angle) + east * np.sin(angle)  # 1: azimuth 30
    turned[0].data = east * np.cos(angle) - north * np.sin(angle)  # 2: azimuth 120
    turned[1].stats.channel, turned[0].stats.channel = "HH1", "HH2"
    place = {"latitude": 35, "longitude": 30, "elevation": 0}
    channels = [
        Channel(code, "", depth=0, azimuth=azimuth, dip=dip, **place)
        for code, azimuth, dip in (("HH1", 30, 0), ("HH2", 120, 0), ("HHZ", 0, -90))
    ]
    inventory = Inventory([Network("XX", [Station("MIC", channels=channels, **place)])])
    settings = {"window": "sliding:30", "horizontal": "azimuth:0"}
    truth = hvsr(right, **settings)["curve"]
    np.testing.assert_allclose(hvsr(turned, inventory=inventory, units="m/s2", **settings)["curve"], truth, rtol=1e-9)
    assert np.abs(np.log(hvsr(turned, **settings)["curve"] / truth)).mean() > 0.05


def test_components_of_unequal_length():
    """Components that begin and end some samples apart are cut to what they share; nothing given is changed."""
    stream = microtremor(60)
    uneven = Stream([t.copy() for t in stream])
    uneven[0].trim(starttime=stream[0].stats.starttime + 3 / RATE)
    uneven[1].trim(endtime=stream[1].stats.endtime - 5 / RATE)
    before = [t.data.copy() for t in uneven]
    data = hvsr(uneven, window="full")
    assert data.window_end_s.values[0] == pytest.approx((60 * RATE - 8) / RATE)
    common = np.array([t.data[3 : 60 * int(RATE) - 5] for t in stream])
    np.testing.assert_allclose(data.hvsr, hvsr(common, sampling_rate_hz=RATE, window="full").hvsr, rtol=1e-12)
    for trace, samples in zip(uneven, before, strict=True):
        np.testing.assert_array_equal(trace.data, samples)


def test_gaps_are_passed_over(tmp_path):
    """Sliding windows lie on either side of a gap of one component, in a Stream as in a file; an S window does not."""
    whole = microtremor(200)
    start = whole[0].stats.starttime
    gappy = Stream(whole[1:]) + whole[0].slice(endtime=start + 95) + whole[0].slice(starttime=start + 101)
    gappy.write(str(tmp_path / "gap.mseed"), format="MSEED", encoding="STEIM2")
    for given in (gappy, tmp_path / "gap.mseed"):
        data = hvsr(given, window="sliding:30")
        times = [
            UTCDateTime(s) + w - start for s, w in zip(data.starttime.values, data.window_start_s.values, strict=True)
        ]
        assert sorted(times) == pytest.approx([0, 30, 60, 101, 131, 161])
        expected = hvsr(whole, window="sliding:30")
        np.testing.assert_allclose(data.hvsr.values[:3], expected.hvsr.values[:3], rtol=1e-9)
    with pytest.raises(NothingComputedError, match=r"gap of 5\.98 s in HHE"):
        hvsr(gappy, window="full")


def test_days_of_files_without_loading_them(tmp_path):
    """Windows of a recording spread over files are those of the whole Stream, with overlap and with a limit."""
    whole = microtremor(400)
    start = whole[0].stats.starttime
    for k, (a, b) in enumerate([(0, 150), (150, 290), (290, 400)]):
        part = whole.slice(start + a, start + b - 1 / RATE)
        part.write(str(tmp_path / f"{k}.mseed"), format="MSEED", encoding="STEIM2")
    for more in ({}, {"overlap": 0.5}, {"overlap": 0.5, "max_windows": 5}):
        expected = hvsr(whole, window="sliding:40", **more)
        data = hvsr(tmp_path, window="sliding:40", **more)
        np.testing.assert_array_equal(data.hvsr, expected.hvsr)
        for name in ("record", "window_start_s", "window_end_s", "peak_over_record"):
            np.testing.assert_array_equal(data[name], expected[name])


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda s: setattr(s[2], "data", np.zeros(3000)), "dead component HHZ"),
        (
            lambda s: setattr(s[0], "data", np.where(np.arange(3000) == 7, np.nan, s[0].data)),
            "1 samples of HHE are NaN",
        ),
        (lambda s: s.pop(1), "component N is missing: channels HHE, HHZ are not a triple"),
        (lambda s: s.trim(endtime=s[0].stats.starttime + 3), "holds only 3.0 s"),
        (lambda s: setattr(s[1].stats, "sampling_rate", 25.0), "differ in sampling rate: 25, 50 Hz"),
    ],
)
def test_bad_records_have_one_line_each(spoil, reason):
    """A zero vertical, NaN, a missing component, 3 s of record, two sampling rates: named, and the rest computed."""
    bad = microtremor(60, station="BAD")
    spoil(bad)
    data = hvsr(bad + microtremor(60), window="full")
    assert data.station.values.tolist() == ["XX.MIC"]
    (line,) = data.attrs["skipped"]
    assert "XX.BAD" in line and reason in line and "\n" not in line


def test_bad_arrays():
    """In an array, NaN and a vertical without motion are named by component; shape and rate must be told."""
    good = np.random.default_rng(0).normal(size=(3, 3000))
    dead, nan = good.copy(), good.copy()
    dead[2], nan[0, 5] = 0, np.nan
    data = hvsr(np.stack([good, dead, nan]), sampling_rate_hz=RATE, window="full")
    assert data.sizes["record"] == 1
    assert "component Z is constant" in data.attrs["skipped"][0]
    assert "1 samples of component E are NaN" in data.attrs["skipped"][1]
    for given, rate in ((good, None), (good[:2], RATE), (good[0], RATE)):
        with pytest.raises(TNGError, match=r"accepted|sampling_rate_hz"):
            hvsr(given, sampling_rate_hz=rate, window="full")
    with pytest.raises(TNGError, match="int given"):
        hvsr([5])


@pytest.mark.parametrize(
    ("given", "settings", "text"),
    [
        (None, {}, "NoneType given; accepted: Stream"),
        (5, {}, "int given; accepted: Stream"),
        ([Stream(), 5], {}, "int given; accepted: Stream"),
        (np.zeros((3, 6000)), {"sampling_rate_hz": 50.0, "band_hz": 3}, "band 3 given; accepted: two frequencies"),
        (np.zeros((3, 6000)), {"sampling_rate_hz": 50.0, "band_hz": (1, 2, 3)}, "accepted: two frequencies in Hz"),
        (np.zeros((3, 6000)), {"sampling_rate_hz": 50.0, "units": "x"}, "units 'x' not known; accepted: m/s2"),
        (np.zeros((3, 6000)), {"sampling_rate_hz": 50.0, "jobs": 0}, "jobs 0 given; accepted: 1 or more"),
    ],
)
def test_wrong_arguments_are_told(given, settings, text):
    """Nothing, a number, a band of one or three, unknown units, no jobs: one line on what is accepted."""
    with pytest.raises(TNGError, match=re.escape(text)):
        hvsr(given, window="full", **settings)
    with pytest.raises(TNGError, match="band 3 given"):
        pick_f0(hvsr(microtremor(60), window="full"), band_hz=3)


def test_nothing_given(tmp_path):
    """An empty folder or list: the message says that there was nothing, not that nothing was skipped."""
    for given in (tmp_path, [], Stream()):
        with pytest.raises(NothingComputedError, match="nothing to read was given, or the folder is empty"):
            hvsr(given, window="full")


def test_bursts_of_the_horizontals_do_not_kill_the_vertical():
    """Three of thirty windows with horizontals a thousand times the rest: the vertical is as alive as before. One that
    puts out a few counts while its siblings move by thousands is dead, bursts or not, and so is one that only ever
    shows its digitiser's noise beside siblings that are quiet between the bursts.
    """
    stream = microtremor(900)
    for trace in stream[:2]:
        for k in (3, 11, 19):
            trace.data[k * 1500 : (k + 1) * 1500] *= 1000
    assert hvsr(stream, window="sliding:30").sizes["record"] == 30
    dead = stream.copy()
    dead[2].data = np.random.default_rng(1).integers(-2, 3, dead[2].stats.npts).astype(np.int32)
    for live in (dead, dead.copy()):
        if live is not dead:
            for trace in live[:2]:
                trace.data = (trace.data / 1000).astype(np.int32)
        with pytest.raises(NothingComputedError, match="dead component HHZ"):
            hvsr(live, window="sliding:30")
