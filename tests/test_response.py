"""Counts to acceleration: the simulated truth, ObsPy's own deconvolution, and what is missing."""

import json
from pathlib import Path

import numpy as np
import obspy
import pytest
from obspy import UTCDateTime
from scipy.signal import coherence

from obspy_tng.record import records
from obspy_tng.response import HIGH_NYQUIST, LOW_HZ, to_acceleration
from obspy_tng.simulation import Layer, simulate

NETWORK = Path(__file__).parents[1] / "data_samples" / "network"
TRUTH = json.loads((NETWORK.parent / "truth.json").read_text(encoding="utf-8"))
NAME = "20210527T220214.mseed"


@pytest.fixture(scope="module")
def inventory():
    """The responses of the sample network: a 120-s seismometer in counts of velocity."""
    return obspy.read_inventory(str(NETWORK / "stations.xml"))


@pytest.fixture(scope="module")
def counts():
    """Four stations of one event in counts."""
    return obspy.read(str(NETWORK / NAME))


def band(data, low, high, rate=100.0):
    """Return samples with everything but low to high Hz taken off in the Fourier domain."""
    spectrum = np.fft.rfft(data, axis=-1)
    f = np.fft.rfftfreq(data.shape[-1], 1 / rate)
    return np.fft.irfft(spectrum * ((f >= low) & (f <= high)), data.shape[-1], axis=-1)


def test_peaks_are_the_simulated_ones(counts, inventory):
    """Each component of each record has the PGA of the acceleration the counts were made of, within 1 %."""
    got = records(counts, inventory)
    assert len(got) == 4 and not got.skipped
    for record in got:
        assert record.units == "m/s2"
        peaks = TRUTH[f"network/{NAME}#{record.station}"]["pga_mps2"]
        for row, component in zip(record.data, "ENZ", strict=True):
            assert np.abs(row).max() == pytest.approx(peaks[component], rel=0.01), record.id


def test_waveform_is_the_simulated_one(inventory):
    """Acceleration through the response into rounded counts and back: the same samples within 1 % of the peak."""
    made = simulate(
        (Layer(25.0, 200.0, 1.8, 0.02), Layer(0.0, 800.0, 2.2, 0.005)), 4.5, 20.0, seed=5, duration_s=65.0,
        station="SOFT", network="XT", starttime=UTCDateTime(2021, 5, 27),
    )  # fmt: skip
    true = np.array([trace.data for trace in made], dtype=float)
    response = inventory[0][0][0].response
    f = np.fft.rfftfreq(2 * true.shape[1], 0.01)
    gain = np.nan_to_num(response.get_evalresp_response_for_frequencies(f, output="ACC"))
    seen = np.rint(np.fft.irfft(np.fft.rfft(true, 2 * true.shape[1]) * gain)[:, : true.shape[1]])
    ids = ["XT.SOFT..HHE", "XT.SOFT..HHN", "XT.SOFT..HHZ"]
    got = to_acceleration(seen, ids, made[0].stats.starttime, 100.0, inventory)
    inner = slice(200, -200)
    error = band(got - true, 0.1, 40)[:, inner]
    assert np.abs(error).max() < 0.01 * np.abs(true).max()
    # the phase, too: a delay of one sample would spoil this
    assert np.corrcoef(got[0, inner], true[0, inner])[0, 1] > 0.999


def test_equals_remove_response(counts, inventory):
    """ObsPy's remove_response(output="ACC") gives the same samples within 1 % of the peak, 0.2 to 40 Hz."""
    expected = counts.copy()
    settings = {"pre_filt": (0.02, 0.04, 45, 49), "water_level": None, "taper_fraction": 0.02}
    expected.remove_response(inventory, output="ACC", **settings)
    for record in records(counts, inventory):
        for row, channel in zip(record.data, record.channels, strict=True):
            (trace,) = expected.select(station=record.station, channel=channel)
            a, b = band(row, 0.2, 40)[300:-300], band(trace.data, 0.2, 40)[300:-300]
            assert np.abs(a - b).max() < 0.01 * np.abs(b).max(), record.id
            assert np.std(a) == pytest.approx(np.std(b), rel=0.005)


def test_equals_remove_response_of_real_records(shared_data):
    """The same for one Ridgecrest record in counts, 0.5 to 35 Hz."""
    stations = obspy.read_inventory(str(shared_data / "ridgecrest/stations.xml"))
    path = sorted((shared_data / "ridgecrest/waveforms").glob("*.mseed"))[0]
    stream = obspy.read(str(path))
    stream = stream.select(station=stream[0].stats.station)
    (record,) = records(stream, stations)
    settings = {"pre_filt": (0.02, 0.04, 45, 49), "water_level": None, "taper_fraction": 0.02}
    expected = stream.copy().remove_response(stations, output="ACC", **settings)
    for row, channel in zip(record.data, record.channels, strict=True):
        other = expected.select(channel=channel)[0].data[: row.size]
        a, b = band(row, 0.5, 35)[300:-300], band(other, 0.5, 35)[300:-300]
        assert np.abs(a - b).max() < 0.01 * np.abs(b).max()


def test_band_edges():
    """The ramps documented: nothing below 0.04 Hz or at the Nyquist frequency, all from 0.08 to 45 of 50 Hz."""
    assert LOW_HZ == (0.04, 0.08) and HIGH_NYQUIST == (0.9, 1.0)


def test_gain_over_frequency(inventory):
    """Noise through the response and back: ratio of spectra 1 in the band, 0.5 half-way, 0 outside."""
    rng = np.random.default_rng(1)
    seen = rng.normal(size=(3, 2**16)) * 1e6
    ids = ["XT.SOFT..HHE", "XT.SOFT..HHN", "XT.SOFT..HHZ"]
    got = to_acceleration(seen, ids, UTCDateTime(2021, 5, 27), 100.0, inventory)
    f = np.fft.rfftfreq(2**16, 0.01)
    response = inventory[0][0][0].response
    known = np.abs(response.get_evalresp_response_for_frequencies(f[1:], output="ACC"))
    ratio = np.abs(np.fft.rfft(got))[:, 1:] * known / np.abs(np.fft.rfft(seen))[:, 1:]
    f = f[1:]

    def mean(low, high):
        return np.median(ratio[:, (f >= low) & (f <= high)])

    assert mean(0.2, 44.0) == pytest.approx(1.0, abs=0.005)
    assert mean(1.0, 2.0) == pytest.approx(1.0, abs=0.01)
    assert mean(47.4, 47.6) == pytest.approx(0.5, abs=0.05)
    assert mean(0.058, 0.062) == pytest.approx(0.5, abs=0.1)
    assert mean(0.005, 0.03) < 0.15  # what is left leaks from the cut at the record's end
    density = coherence(seen[0], got[0], fs=100.0, nperseg=4096)
    assert density[1][(density[0] > 1) & (density[0] < 40)].min() > 0.99


def test_offset_does_not_matter(counts, inventory):
    """A digitiser's offset of a million counts leaves the acceleration as it is."""
    moved = counts.copy()
    for trace in moved:
        trace.data = trace.data + 1_000_000
    for a, b in zip(records(counts, inventory), records(moved, inventory), strict=True):
        np.testing.assert_allclose(a.data, b.data, atol=1e-9 * np.abs(b.data).max() + 1e-12)


def test_missing_response_is_a_reason(counts, inventory):
    """A station that is not in the inventory is named with channel and date; the others are read."""
    part = inventory.select(station="S*")
    got = records(counts, part)
    assert sorted(r.station for r in got) == ["SOFT", "STIFF"]
    assert len(got.skipped) == 2
    for name, text in got.skipped:
        code = name.split(".")[1]
        assert f"no response for XT.{code}..HHE at 2021-05-27" in text


def test_channel_without_response_is_a_reason(counts, inventory):
    """StationXML of level "channel" has no responses: said so, and no units are guessed."""
    bare = inventory.copy()
    for channel in bare[0][0]:
        channel.response = None
    got = records(counts.select(station=bare[0][0].code), bare)
    assert not got and "no response" in got.skipped[0].reason


def test_broken_response_is_a_reason(counts, inventory):
    """A response whose stages ObsPy cannot evaluate is a reason, not a crash."""
    broken = inventory.copy()
    for channel in broken[0][0]:
        channel.response.response_stages[0]._poles = ["no number"]
    got = records(counts.select(station=broken[0][0].code), broken)
    assert not got and "response cannot be evaluated" in got.skipped[0].reason


def test_inventory_changed_in_place_is_seen(counts, inventory):
    """A response added to an inventory that failed before counts at the next call."""
    code = inventory[0][0].code
    changed, part = inventory.copy(), counts.select(station=code)
    whole = [channel.response for channel in changed[0][0]]
    for channel in changed[0][0]:
        channel.response = None
    assert not records(part, changed)
    for channel, response in zip(changed[0][0], whole, strict=True):
        channel.response = response
    assert len(records(part, changed)) == 1


@pytest.mark.parametrize(("change", "factor"), [("-3600", 0.5), ("+3600", 1.0)])
def test_response_epoch_of_the_hour(counts, inventory, change, factor):
    """A gain doubled an hour before the record counts, one doubled an hour later on the same day does not."""
    code = "SOFT"
    part = counts.select(station=code)
    when = part[0].stats.starttime + float(change)
    two = inventory.select(station=code).copy()
    station = two[0][0]
    for old in list(station.channels):
        new = obspy.core.inventory.Channel(
            old.code, old.location_code, old.latitude, old.longitude, old.elevation, old.depth,
            azimuth=old.azimuth, dip=old.dip, sample_rate=old.sample_rate, start_date=when,
            response=inventory.copy().select(station=code, channel=old.code)[0][0][0].response,
        )  # fmt: skip
        new.response.response_stages[0].stage_gain *= 2
        new.response.instrument_sensitivity.value *= 2
        old.end_date = when
        station.channels.append(new)
    (plain,) = records(part, inventory)
    (record,) = records(part, two)
    np.testing.assert_allclose(record.data, factor * plain.data, rtol=1e-6, atol=1e-12)
