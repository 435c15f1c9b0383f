"""HVSR of records and stations: simulated sites of known f0, inputs of every kind and settings."""

import numpy as np
import pytest
from obspy import Stream

from obspy_tng import hvsr, pick_f0, simulate
from obspy_tng.errors import TNGError
from obspy_tng.record import Records, read_records, records
from obspy_tng.simulation import Layer
from obspy_tng.site import timesnet_gen
from obspy_tng.site.hvsr import NothingComputedError

ROCK = [Layer(20.0, 1000.0, 2.2, 0.01), Layer(0.0, 1200.0, 2.3, 0.005)]


@pytest.fixture(scope="module")
def stream():
    """Return 20 simulated records of a site with f0 = 2 Hz."""
    return simulate(n=20, magnitude=4.5, seed=11, duration_s=60)


@pytest.fixture(scope="module")
def curves(stream):
    return hvsr(stream)


def test_soft_site(curves):
    """200 m/s over 25 m: 2 Hz within 5 %, every resampling agrees, every window placed by the truth."""
    f0 = pick_f0(curves).isel(station=0)
    assert float(f0.f0_hz) == pytest.approx(2.0, rel=0.05)
    assert float(f0.a0) > 2 and float(f0.support) == 1
    assert int(f0.n_records) == 20
    assert set(curves.window_source.values) == {"pick"}


def test_rock_site_has_no_f0():
    """A gentle contrast on rock never reaches 2: no f0, with a reason, where an argmax would name one."""
    data = hvsr(simulate(ROCK, n=20, magnitude=4.5, seed=3, duration_s=60))
    f0 = pick_f0(data).isel(station=0)
    assert np.isnan(f0.f0_hz) and str(f0.reason.values) != ""


def test_two_contrasts_lower_peak():
    """A deep and a shallow contrast: f0 is the deep one's within 10 %, though the shallow one is higher."""
    layers = [Layer(6.0, 180.0, 1.8, 0.03), Layer(55.0, 480.0, 2.0, 0.02), Layer(0.0, 1600.0, 2.3, 0.005)]
    made = simulate(layers, n=40, magnitude=4.5, seed=5, duration_s=60)
    f0 = pick_f0(hvsr(made)).isel(station=0)
    assert float(f0.f0_hz) == pytest.approx(made[0].stats.simulation.f0_hz, rel=0.1)


def test_windows_follow_the_settings(stream):
    """The kept window is 20 s from 0.5 s before S, or max(15 s, 10 / fmin), or the length given, or
    everything; a ramp of 10 % of the whole window comes on top at either end.
    """
    cases = [({}, 20.0), ({"band_hz": (0.4, 20)}, 25.0), ({"band_hz": (1, 20)}, 15.0), ({"window": 10}, 10.0)]
    for settings, length in cases:
        data = hvsr(stream[:3], **settings)
        window = (data.window_end_s - data.window_start_s).values[0]
        assert window == pytest.approx(length / 0.8, abs=0.011)
        onset = stream[0].stats.simulation.s_s
        assert data.window_start_s.values[0] == pytest.approx(onset - 0.5 - 0.1 * window, abs=0.02)
    assert (hvsr(stream[:3], window="full").window_source.values == "full").all()


def test_energy_window_without_onsets(stream):
    """Records that tell no onset are windowed by energy, and say so; f0 is found all the same."""
    bare = Stream([t.copy() for t in stream])
    for trace in bare:
        del trace.stats["simulation"], trace.stats["event"]
    data = hvsr(bare)
    assert set(data.window_source.values) == {"energy"}
    truth = np.array([t.stats.simulation.s_s for t in stream[::3]])
    window = (data.window_end_s - data.window_start_s).values
    error = data.window_start_s.values + 0.1 * window + 0.5 - truth  # the onset lies behind the ramp
    assert np.median(np.abs(error)) < 1.5
    assert float(pick_f0(data).f0_hz[0]) == pytest.approx(2.0, rel=0.1)


def test_inputs_of_every_kind(stream, tmp_path):
    """Stream, list of Streams, Records, list of Record, path, array: the same curves, and nothing is
    modified.
    """
    few = stream[:6]
    before = [t.data.copy() for t in few]
    base = hvsr(few)
    few.write(str(tmp_path / "a.mseed"), format="MSEED")
    made = records(few)
    for given in ([few[:3], few[3:]], made, list(made), Records(made)):
        np.testing.assert_allclose(hvsr(given).hvsr, base.hvsr, rtol=1e-12)
    array = np.stack([r.data for r in made])
    from_array = hvsr(array, sampling_rate_hz=100.0, window="full")
    np.testing.assert_allclose(from_array.hvsr, hvsr(few, window="full").hvsr, rtol=1e-9)
    from_file = hvsr(tmp_path / "a.mseed", window="full", group="all")
    np.testing.assert_allclose(from_file.curve, from_array.curve, rtol=1e-6)
    for trace, data in zip(few, before, strict=True):
        np.testing.assert_array_equal(trace.data, data)


def test_statistics_of_the_station(curves):
    """The station curve is exp(mean ln) over records with values, sigma has ddof 1, n_valid counts them."""
    logs = np.log(curves.hvsr.values)
    i = int(np.argmin(np.abs(curves.frequency.values - 2.0)))
    column = logs[np.isfinite(logs[:, i]), i]
    assert float(curves["curve"][0, i]) == pytest.approx(np.exp(column.mean()))
    assert float(curves.sigma_ln[0, i]) == pytest.approx(column.std(ddof=1))
    assert int(curves.n_valid[0, i]) == column.size


def test_noise_masks_low_frequencies():
    """Small events in strong noise lose their low frequencies, not their high ones; snr=0 keeps all."""
    weak = simulate(n=5, magnitude=2.0, seed=2, duration_s=60, noise_mps2=2e-5)
    data = hvsr(weak)
    assert int(data.n_valid[0, 0]) < int(data.n_valid[0].max())
    assert int(hvsr(weak, snr=0).n_valid.min()) == 5


def test_short_noise_is_flagged(stream):
    """With under 5 s before P there is no mask and the noise length is 0."""
    cut = Stream([t.copy() for t in stream[:3]])
    p = cut[0].stats.simulation.p_s
    for trace in cut:
        trace.data = trace.data[int((p - 3) * 100) :].copy()
        trace.stats.simulation = dict(trace.stats.simulation, p_s=3.0, s_s=trace.stats.simulation.s_s - p + 3)
    data = hvsr(cut)
    assert data.noise_length_s.values.tolist() == [0.0]
    assert np.isfinite(data.hvsr).all()


def test_bad_records_are_listed_not_fatal(stream):
    """A two-component record and a too short one are named with their reason; the rest is computed."""
    bad = Stream([t.copy() for t in stream[:9]])
    bad.remove(bad[5])
    for trace in bad[5:]:
        trace.data = trace.data[: int(trace.stats.simulation.s_s * 100) + 200].copy()
    data = hvsr(bad)
    assert data.sizes["record"] == 1
    assert len(data.attrs["skipped"]) == 2
    assert any("after S" in s for s in data.attrs["skipped"])


def test_nothing_computed_raises():
    """No usable record at all: one error that counts what was skipped and carries the reasons."""
    half = simulate(n=1, seed=1)[:2]
    with pytest.raises(NothingComputedError, match="1 file") as err:
        hvsr(half)
    assert err.value.skipped[0].reason


@pytest.mark.parametrize(
    "settings",
    [{"horizontal": "x"}, {"smoothing": "x:1"}, {"window": "p"}, {"compat": "x"}, {"group": "x"},
     {"band_hz": (5, 1)}, {"snr": -1}],
)  # fmt: skip
def test_wrong_settings_raise(stream, settings):
    """An unknown setting raises before anything is computed and names the value."""
    with pytest.raises(TNGError, match=r"x|p|5|-1"):
        hvsr(stream[:3], **settings)


def test_timesnet_gen(stream):
    """compat: 400 linear frequencies, whole records, f0 the median of the records' argmax at FFT
    frequencies.
    """
    data = hvsr(stream, compat="timesnet-gen")
    np.testing.assert_allclose(np.diff(data.frequency), 19 / 399)
    f0 = pick_f0(data).isel(station=0)
    assert float(f0.f0_hz) == pytest.approx(np.median(data.f0_record_hz))
    near = data.frequency.values[np.argmax(data.hvsr.values, axis=1)]
    assert np.abs(near - data.f0_record_hz.values).max() < 0.05
    assert float(f0.f0_hz) == pytest.approx(2.0, rel=0.15)


def test_published_f0_lie_on_our_frequencies(shared_data):
    """The authors' f0 of real 60 s records are multiples of 1/180 Hz, not of 1/60: 60 s of zeros on both
    sides.
    """
    files = sorted((shared_data / "timesnet_gen_reference").glob("hvsr_f0_station_*.npz"))
    if not files:
        pytest.skip("needs ../shared/data/timesnet_gen_reference (absent)")
    f0 = np.concatenate([np.load(f)["f0_real"] for f in files]).astype(float)
    ours = timesnet_gen.fft_frequencies(6000, 100.0)
    assert np.abs(ours[:, None] - f0).min(axis=0).max() < 1e-6
    assert np.abs(f0 * 60 - np.round(f0 * 60)).max() > 0.3


@pytest.fixture(scope="module")
def ridgecrest(shared_data):
    folder = shared_data / "ridgecrest"
    if not (folder / "waveforms").is_dir():
        pytest.skip("needs ../shared/data/ridgecrest (absent)")
    return read_records(folder / "waveforms", folder / "stations.xml", folder / "events.xml")


def test_ridgecrest(ridgecrest):
    """Real stations, values found beforehand by other code (SCIENCE §1): four f0, two flat sites without
    one.
    """
    f0 = pick_f0(hvsr(ridgecrest, band_hz=(1, 20)))
    value = dict(zip(f0.station.values.tolist(), f0.f0_hz.values, strict=True))
    reason = dict(zip(f0.station.values.tolist(), f0.reason.values, strict=True))
    assert len(value) == 28
    assert value["CI.CWC"] == pytest.approx(4.1, rel=0.1)
    assert value["CI.WMF"] == pytest.approx(2.05, rel=0.1)
    assert 1.9 <= value["CI.WBS"] <= 2.5
    assert 1.5 <= value["CI.SLA"] <= 2.1
    for flat in ("CI.WOR", "CI.DAW"):
        assert np.isnan(value[flat]) and reason[flat].startswith("flat")


def test_ridgecrest_below_one_hertz(ridgecrest):
    """CI.HAR peaks at 0.67 Hz, seen with a band from 0.4 Hz only; from 1 Hz the remark says to look lower."""
    har = [r for r in ridgecrest if r.code == "CI.HAR"]
    assert float(pick_f0(hvsr(har, band_hz=(0.4, 20))).f0_hz[0]) == pytest.approx(0.67, rel=0.1)
    assert "below the band" in str(pick_f0(hvsr(har, band_hz=(1, 20))).reason.values[0])
