"""HVSR of records and stations: simulated sites of known f0, inputs of every kind and settings."""

import numpy as np
import pytest
from obspy import Stream

from obspy_tng import hvsr, pick_f0, simulate
from obspy_tng.errors import TNGError
from obspy_tng.record import Records, read_records, records
from obspy_tng.simulation import Layer
from obspy_tng.site import geopsy, timesnet_gen
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


def test_one_record(stream):
    """A single Record is taken as a list of one is."""
    record = records(stream[:3])[0]
    assert np.array_equal(hvsr(record).curve, hvsr([record]).curve, equal_nan=True)


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
     {"band_hz": (5, 1)}, {"snr": -1}, {"window": "sliding:x"}, {"overlap": 0.5}, {"taper": 0.5},
     {"max_windows": -1}, {"n_frequency": -1}, {"azimuth_step_deg": -1}, {"azimuth_step_deg": 5, "compat": "geopsy"}],
)  # fmt: skip
def test_wrong_settings_raise(stream, settings):
    """An unknown setting raises before anything is computed and names the value."""
    with pytest.raises(TNGError, match=r"x|p|5|-1"):
        hvsr(stream[:3], **settings)


def test_every_window_is_a_row(stream):
    """Sliding windows cover the record one after another, named by record and number; each has its own curve."""
    data = hvsr(stream[:3], window="sliding:10", overlap=0.5)
    npts, rate = stream[0].stats.npts, stream[0].stats.sampling_rate
    start = np.arange(data.sizes["record"]) * 5.0
    np.testing.assert_allclose(data.window_start_s, start)
    np.testing.assert_allclose(data.window_end_s, start + 10)
    assert data.window_end_s.values[-1] <= npts / rate < data.window_end_s.values[-1] + 5
    assert len(set(data.record_id.values)) == 1
    assert data.record.values.tolist() == [f"{data.record_id.values[0]}#{k}" for k in data.window_index.values]
    array = np.array([stream.select(component=c)[0].data for c in "ENZ"])
    alone = hvsr(array[:, 500:1500], sampling_rate_hz=rate, window="full")
    np.testing.assert_allclose(data.hvsr.values[1], alone.hvsr.values[0], rtol=1e-9)
    assert float(data.peak_over_record.max()) == 1
    assert bool(data.accepted.all()) and set(data.rejected_by.values) == {""}


def test_noise_windows_lie_before_p(stream):
    """window="noise" analyses what there is before P; signal and noise windows of S are kept in seconds."""
    p = np.array([t.stats.simulation.p_s for t in stream[:9:3]])
    data = hvsr(stream[:9], window="noise").sortby("starttime")
    assert (data.window_source == "noise").all()
    assert (data.window_end_s.values <= p - 0.49).all() and (data.window_end_s.values > p - 0.52).all()
    kept = hvsr(stream[:9]).sortby("starttime")
    np.testing.assert_allclose(kept.noise_end_s, data.window_end_s)
    np.testing.assert_allclose(kept.noise_end_s - kept.noise_start_s, kept.noise_length_s)
    assert (kept.noise_end_s < kept.window_end_s).all()


def test_mask_of_each_component():
    """A curve is NaN exactly where one of the three components does not stand out of the noise."""
    data = hvsr(simulate(n=5, magnitude=2.0, seed=2, duration_s=60, noise_mps2=2e-5))
    ok = data.snr_ok.values
    np.testing.assert_array_equal(np.isfinite(data.hvsr.values), ok.all(axis=1))
    assert data.component.values.tolist() == ["E", "N", "Z"]
    assert not ok.all() and not np.array_equal(ok[:, 0], ok[:, 2])


def test_closed_forms():
    """N = E = Z gives 1, total energy √2; a scaled record and a turned one (quadratic) give the same curve."""
    x = np.random.default_rng(0).normal(size=(3, 12_000))
    same, settings = x[[2, 2, 2]], {"sampling_rate_hz": 100.0, "window": "sliding:30"}
    for horizontal in ("quadratic", "geometric", "arithmetic", "maximum", "azimuth:0", "azimuth:90"):
        np.testing.assert_allclose(hvsr(same, horizontal=horizontal, **settings).hvsr, 1, rtol=1e-9)
    np.testing.assert_allclose(hvsr(same, horizontal="total-energy", **settings).hvsr, np.sqrt(2), rtol=1e-9)
    base = hvsr(x, **settings).hvsr
    np.testing.assert_allclose(hvsr(1e-6 * x, **settings).hvsr, base, rtol=1e-9)
    c, s = np.cos(0.7), np.sin(0.7)
    turned = np.array([c * x[0] - s * x[1], s * x[0] + c * x[1], x[2]])
    np.testing.assert_allclose(hvsr(turned, **settings).hvsr, base, rtol=1e-9)


def test_azimuths(stream):
    """Curves along an azimuth are those of horizontal="azimuth:DEG", masked alike; rejection renews the statistics."""
    data = hvsr(stream[:9], azimuth_step_deg=30)
    assert data.azimuth.values.tolist() == [0, 30, 60, 90, 120, 150]
    single = hvsr(stream[:9], horizontal="azimuth:60")
    np.testing.assert_allclose(data.hvsr_azimuth.sel(azimuth=60), single.hvsr, rtol=1e-5)
    np.testing.assert_allclose(data.curve_azimuth.sel(azimuth=60), single["curve"], rtol=1e-5)
    left = hvsr(stream[:9], azimuth_step_deg=30, mask=[data.record.values[0]])
    expected = np.exp(np.log(data.hvsr_azimuth.values[1:].astype(float)).mean(axis=0))
    np.testing.assert_allclose(left.curve_azimuth.values[0], expected, rtol=1e-5)


def test_rejection_and_traces(stream):
    """reject= and mask= act on the statistics; n_traces keeps the samples of a station's first records."""
    base = hvsr(stream)
    names = base.record.values[:2].tolist()
    data = hvsr(stream, reject="zscore:1.5", mask=names, n_traces=2)
    out = ~data.accepted.values
    assert set(data.rejected_by.values[:2]) == {"mask"} and out.sum() > 2
    logs = np.log(base.hvsr.values[~out])
    np.testing.assert_allclose(np.log(data["curve"].values[0]), np.nanmean(logs, axis=0), rtol=1e-9)
    assert data.trace.shape[:2] == (2, 3) and data.trace_record_id.values.tolist() == base.record_id.values[:2].tolist()
    samples = {r.id: r.data for r in records(stream)}
    np.testing.assert_allclose(data.trace[0], samples[str(data.trace_record_id.values[0])], rtol=1e-6)


def test_running_twice_gives_the_same(stream):
    """Two runs give the same bits, and so do records in another order."""
    one, two, shuffled = hvsr(stream), hvsr(stream), hvsr([stream[3 * i : 3 * i + 3] for i in range(19, -1, -1)])
    for other in (two, shuffled):
        assert one.identical(other)


def test_geopsy_settings():
    """compat="geopsy": a length means sliding windows of one sample less, 2048 frequencies from 0.3 to 40 Hz."""
    x = np.random.default_rng(0).normal(size=(3, 18_001))
    data = hvsr(x, sampling_rate_hz=100.0, compat="geopsy", window=60)
    assert data.window_start_s.values.tolist() == [0, 60, 120]
    assert data.window_end_s.values.tolist() == [59.99, 119.99, 179.99]
    assert data.frequency.values[[0, -1]] == pytest.approx([0.3, 40]) and data.sizes["frequency"] == 2048
    single = hvsr(x, sampling_rate_hz=100.0, compat="geopsy", window=60, max_windows=1)
    assert single.window_end_s.values.tolist() == [60]
    whole = hvsr(x, sampling_rate_hz=100.0, compat="geopsy", window="full", taper=1.0)
    expected = geopsy.hvsr_of_windows(x, 100.0, whole.frequency.values, taper=1.0)
    np.testing.assert_array_equal(whole.hvsr.values[0], expected)


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
    assert value["CI.CWC"] == pytest.approx(4.22, rel=0.05)  # published, of five other earthquakes
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
