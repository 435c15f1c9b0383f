"""One record -> its curves: windows, noise, peaks and what goes along, on records of known content."""

from dataclasses import replace

import numpy as np
import pytest
from obspy import UTCDateTime

from obspy_tng.errors import RecordError
from obspy_tng.pieces import Stretch
from obspy_tng.record import Record
from obspy_tng.site import curves, outliers, windows
from obspy_tng.site.rows import rows
from obspy_tng.site.settings import check

RATE = 100.0
START = UTCDateTime(2020, 1, 1)


def record(npts=6000, p_s=10.0, s_s=15.0, rate=RATE, seed=0, **more):
    """Return a record: noise, P ten times that, S a hundred times, decaying."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(npts) / rate
    size = 1 + 9.0 * (time_s >= 10) + 90 * (time_s >= 15) * np.exp(-np.maximum(time_s - 15, 0) / 5)
    data = rng.normal(size=(3, npts)) * size
    more = {"channels": ("HNE", "HNN", "HNZ"), "event_id": "e1", "onset_source": "pick"} | more
    return Record(data, rate, START, "XX", "AAA", "00", p_s=p_s, s_s=s_s, **more)


def only(item, **settings):
    """Return the one row of a record."""
    (row,) = rows(item, check(**settings))
    return row


def test_s_window_and_its_company():
    """From 0.5 s before S, ramps on top; noise before P; largest values without the mean; samples are not kept."""
    item = record()
    item.data[:] += np.array([[5.0], [-7.0], [100.0]])
    row = only(item, window=10, taper=0.1, snr=0)
    whole_s = 10 / 0.8
    assert row.window == windows.Window(
        round((14.5 - 0.1 * whole_s) * RATE), round((14.5 + 0.9 * whole_s) * RATE), "pick"
    )
    assert row.noise == windows.noise_window(RATE, 10.0, row.window.start)
    size = np.abs(item.data - item.data.mean(axis=1)[:, None]).max(axis=0)
    assert row.peak == size[row.window.start : row.window.stop].max() and row.record_peak == size.max()
    assert row.length_s == 60 and row.group == "XX.AAA" and row.by_azimuth is None and not row.cut
    assert row.record.data.shape == (3, 0) and row.record.starttime == START and row.record.s_s == 15
    expected = curves.windowed_hvsr(
        item.data, RATE, row.window, row.noise, check(window=10).frequency_hz, snr=0, taper=0.1
    )
    assert np.allclose(row.curve, expected, equal_nan=True) and row.snr_ok.shape == (3, row.curve.size)
    outside = replace(item, data=item.data.copy())
    outside.data[:, 5000] = 1e6
    assert only(outside, window=10, snr=0).peak < 1e4 < only(outside, window=10, snr=0).record_peak


@pytest.mark.parametrize(
    ("group", "name"), [("station", "XX.AAA"), ("sensor", "XX.AAA.00.HN"), ("record", None), ("all", "all")]
)
def test_groups(group, name):
    """Rows are put together by station, sensor, record or all."""
    item = record()
    assert only(item, group=group).group == (name or item.id)


def test_onsets_told_from_the_energy():
    """Without an S both onsets are told from the energy; a P that is known stays; so is said."""
    blind = record(p_s=np.nan, s_s=np.nan)
    p_s, s_s = windows.energy_onsets(blind.data, RATE)
    row = only(blind, window=10)
    assert row.window == windows.signal_window(6000, RATE, s_s, "energy", 10.0, 0.1)
    assert row.noise == windows.noise_window(RATE, p_s, row.window.start)
    early = only(record(p_s=8.0, s_s=np.nan), window=10)
    assert early.noise == windows.noise_window(RATE, 8.0, row.window.start) != row.noise


def test_second_earthquake_cuts_only_behind_a_known_s():
    """Where S is known, a stronger earthquake later ends the window; told from the energy, S may be that one's P."""
    item = record(npts=9000)
    item.data[:, 3000:4000] *= 3000
    cut = only(item, window=40)
    assert cut.cut and cut.window.stop <= 3000
    assert cut.window == windows.before_second_earthquake(
        item.data, RATE, windows.signal_window(9000, RATE, 15.0, "pick", 40.0, 0.1), 15.0
    )
    # P of the first earthquake taken for S: a record that begins with it
    blind = replace(item, p_s=np.nan, s_s=np.nan)
    assert not only(blind, window=40).cut
    large = replace(item, magnitude=8.5)  # grows by itself for longer than the window
    assert not only(large, window=40).cut


def test_short_windows_leave_out_low_frequencies():
    """Cut short, the curve begins where ten cycles fit, or as many as the asked length holds at the band's end."""
    item = record(npts=2300)
    row = only(item, window=30, band_hz=(0.5, 20), snr=0)
    length_s = (row.window.stop - row.window.start) / RATE
    frequency_hz = check(window=30, band_hz=(0.5, 20)).frequency_hz
    assert length_s < 30
    known = np.isfinite(row.curve)
    assert (
        np.array_equal(known, frequency_hz * length_s >= windows.CYCLES * (1 - 1e-9)) and 0 < known.sum() < known.size
    )
    wide = only(item, window=30, band_hz=(0.2, 20), snr=0)  # 30 s hold six cycles of 0.2 Hz
    frequency_hz = check(window=30, band_hz=(0.2, 20)).frequency_hz
    assert np.array_equal(np.isfinite(wide.curve), frequency_hz * length_s >= 6 * (1 - 1e-9))
    assert np.isfinite(only(record(), window=30, band_hz=(0.5, 20), snr=0).curve).all()


def test_azimuths_are_blank_where_the_curve_is():
    """A curve per azimuth of the same window; where noise hides the ratio, it hides it in all directions."""
    item = record()
    row = only(item, window=10, azimuth_step_deg=45, snr=30.0)
    hidden = ~np.isfinite(row.curve)
    assert row.by_azimuth.shape == (4, row.curve.size) and row.by_azimuth.dtype == np.float32 and hidden.any()
    assert np.array_equal(~np.isfinite(row.by_azimuth), np.tile(hidden, (4, 1)))
    east = item.data[0, row.window.start : row.window.stop]
    alone = replace(item, data=np.stack([item.data[0], 1e-9 * item.data[1], item.data[2]]))
    turned = only(alone, window=10, azimuth_step_deg=45, snr=0).by_azimuth
    assert np.ptp(east) > 0 and np.allclose(turned[1] / turned[2], np.sqrt(0.5), rtol=1e-4)  # 45° and 90° from north
    assert (turned[0] < 1e-6 * turned[2]).all()


def test_windows_of_noise():
    """Whole seconds before P; without P told from the energy; refused under 5 s."""
    row = only(record(), window="noise")
    assert row.window == windows.Window(*windows.noise_window(RATE, 10.0, 6000), "noise") and row.noise is None
    blind = only(record(p_s=np.nan), window="noise")
    p_s = windows.energy_onsets(record().data, RATE)[0]
    assert blind.window[:2] == windows.noise_window(RATE, p_s, 6000)
    with pytest.raises(RecordError, match="less than 5 s of noise before P"):
        only(record(p_s=4.0), window="noise")


def test_whole_records_and_the_published_code():
    """All samples; f0 of the published code comes along with its own compat only, and only below Nyquist."""
    item = record()
    row = only(item, window="full")
    assert row.window == windows.Window(0, 6000, "full") and np.isnan(row.f0_hz)
    expected = curves.hvsr_array(item.data[None], RATE, check(window="full").frequency_hz, taper=0.1)[0]
    assert np.allclose(row.curve, expected)
    assert 1 <= only(item, compat="timesnet-gen").f0_hz <= 20
    slow = replace(item, sampling_rate=2.0)
    with pytest.raises(RecordError, match="band 1-20 Hz lies above the Nyquist frequency, 1 Hz"):
        only(slow, compat="timesnet-gen")


def test_sliding_windows_one_row_each():
    """Windows side by side, each with its own STA/LTA and size; more than are handled at once; dead ones left out."""
    item = record(npts=20100)
    item.data[1, 3000:4000] = 7.0
    found = rows(item, check(window="sliding:10", azimuth_step_deg=90))
    assert [r.window for r in found] == [
        windows.Window(i, i + 1000, "sliding") for i in range(0, 20000, 1000) if i != 3000
    ]
    every = np.stack([item.data[:, r.window.start : r.window.stop] for r in found])
    short, long = outliers.sta_lta(every, RATE)
    assert np.allclose([r.sta_lta for r in found], np.stack([short, long], axis=1))
    size = np.abs(every - every.mean(axis=-1, keepdims=True)).max(axis=(1, 2))
    assert np.allclose([r.peak for r in found], size) and all(r.peak == r.record_peak for r in found)
    expected = curves.hvsr_array(every, RATE, check(window="sliding:10").frequency_hz, taper=0.1)
    assert np.allclose([r.curve for r in found], expected)
    assert {r.length_s for r in found} == {201.0} and all(r.by_azimuth.shape == (2, expected.shape[1]) for r in found)
    assert all(r.record.data.shape == (3, 0) and r.record.event_id == "e1" for r in found)
    few = rows(item, check(window="sliding:10", overlap=0.5, max_windows=3))
    assert [r.window.start for r in few] == [0, 500, 1000]


def test_a_stretch_counts_from_the_recording():
    """A piece of a longer recording: its windows count from the first sample of that, its event is not known."""
    item = record(npts=3500)
    item = replace(item, starttime=START + 100, magnitude=5.0, distance_km=10.0, source="part.mseed")
    stretch = Stretch(START + 100, 3000, START + 40, "first.mseed", 6, 2, 20)
    found = rows(item, check(window="sliding:10", max_windows=1), stretch)
    assert [r.window[:2] for r in found] == [(6000, 7000), (7000, 8000)]
    assert {r.length_s for r in found} == {90.0} and all(r.record.starttime == START + 40 for r in found)
    one = found[0].record
    assert (
        one.event_id == one.source == ""
        and one.origin_time is None
        and np.isnan([one.magnitude, one.distance_km]).all()
    )
    assert np.allclose(found[0].curve, rows(item, check(window="sliding:10"))[0].curve)


def test_what_gives_no_curve():
    """NaN, a dead component, a window in which one stands still: refused by name."""
    item = record()
    item.data[2, 7] = np.nan
    item.data[0, 8:10] = np.inf
    with pytest.raises(RecordError, match="3 samples of component E, Z are NaN or infinite"):
        only(item)
    dead = record()
    dead.data[1] = 3.0
    for settings in ({}, {"window": "full"}, {"window": "sliding:10"}):
        with pytest.raises(RecordError, match="component N is constant inside the window"):
            only(dead, **settings)
    holes = record(npts=2000)
    holes.data[0, :1000] = holes.data[1, 1000:] = 0
    with pytest.raises(RecordError, match="in every window a component is constant"):
        only(holes, window="sliding:10")
