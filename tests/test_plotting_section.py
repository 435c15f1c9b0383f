"""Record sections: traces stand where and when they should, without any model."""

import numpy as np
import pytest
from obspy import Stream, Trace, UTCDateTime
from obspy.core import AttribDict
from obspy.geodetics import gps2dist_azimuth

from obspy_tng.errors import TNGError
from obspy_tng.plotting_section import GENERATED, ONSET, REAL, SIZE, plot_section
from obspy_tng.record import Record

EVENT = [35.77, -117.6, 8.0, 4.0]
PLACES = {"XT.A": [35.8, -117.5], "XT.B": [36.2, -117.6], "XT.C": [35.0, -117.0]}
ORIGIN_AT_S = 6.0


def made(code, peak_at_s, event=EVENT, component="Z", amplitude=1.0):
    """Return a trace of one earthquake whose only sample that is not zero stands at `peak_at_s` since its origin."""
    data = np.zeros(6000)
    data[round((ORIGIN_AT_S + peak_at_s) * 100)] = amplitude
    network, station = code.split(".")
    header = dict(network=network, station=station, channel=f"HX{component}", sampling_rate=100.0)
    trace = Trace(data=data, header=header)
    trace.stats.tng = AttribDict(
        pool_kind="event", event=event, coordinates=PLACES[code], station=code, origin_after_start_s=ORIGIN_AT_S,
        p_s=ORIGIN_AT_S + peak_at_s - 2, s_s=ORIGIN_AT_S + peak_at_s,
    )  # fmt: skip
    return trace


def km(code):
    """Return the epicentral distance of a place on the ellipsoid."""
    return gps2dist_azimuth(*PLACES[code], *EVENT[:2])[0] / 1000


def lines(figure, color):
    """Return the lines of a colour."""
    return [line for line in figure.axes[0].lines if line.get_color() == color]


@pytest.fixture
def stream():
    """Return three stations of one earthquake, of very different amplitudes."""
    times = {"XT.A": 3.0, "XT.B": 12.0, "XT.C": 28.0}
    return Stream([made(code, at, amplitude=10.0**-k) for k, (code, at) in enumerate(times.items())])


def test_traces_stand_at_their_distance_and_time(stream):
    """Base line at the epicentral distance, peak at its time since the origin, equally high whatever the amplitude."""
    drawn = lines(plot_section(stream), GENERATED)
    span = km("XT.C") - km("XT.A")
    for line, code, at in zip(drawn, PLACES, (3.0, 12.0, 28.0), strict=True):
        y = line.get_ydata()
        assert np.median(y) == pytest.approx(km(code), rel=5e-3)
        assert line.get_xdata()[np.argmax(y)] == pytest.approx(at, abs=0.006)
        assert y.max() - np.median(y) == pytest.approx(SIZE * span, rel=5e-3)


def test_dashes_are_the_predicted_onsets(stream):
    """P and S are joined from the nearest place to the farthest, whatever the order of the stream."""
    p, s = lines(plot_section(stream[::-1]), ONSET)
    np.testing.assert_allclose(p.get_xdata(), [1.0, 10.0, 26.0])
    np.testing.assert_allclose(s.get_xdata(), [3.0, 12.0, 28.0])
    assert np.all(np.diff(p.get_ydata()) > 0)


def test_only_the_component_asked_for(stream):
    """Traces of other components are left out."""
    both = stream + Stream([made("XT.A", 3.0, component="E")])
    assert len(lines(plot_section(both), GENERATED)) == 3
    assert len(lines(plot_section(both, component="E"), GENERATED)) == 1


def test_real_records_lie_below_in_grey(stream):
    """A real record's peak stands at its time since the origin, at its own distance; its mean is taken off."""
    origin = UTCDateTime(2019, 7, 6)
    data = np.full((3, 5000), 7.0)
    data[2, 1500] += 1
    record = Record(
        data=data, sampling_rate=50.0, starttime=origin - 10, network="XT", station="R", units="m/s2",
        origin_time=origin, distance_km=50.0,
    )  # fmt: skip
    figure = plot_section(stream, real=[record])
    (line,) = lines(figure, REAL)
    assert line.get_xdata()[np.argmax(line.get_ydata())] == pytest.approx(1500 / 50 - 10)
    assert np.median(line.get_ydata()) == pytest.approx(50.0, abs=0.01)
    assert line.get_zorder() < lines(figure, GENERATED)[0].get_zorder()
    assert "grey: recorded" in figure.axes[0].get_title(loc="left")


def test_names_do_not_overlap():
    """Two realisations of one place are named once."""
    twice = Stream([made("XT.A", 3.0), made("XT.A", 3.0), made("XT.C", 28.0)])
    names = [text.get_text() for text in plot_section(twice).axes[0].texts if "XT." in text.get_text()]
    assert sorted(names) == ["XT.A", "XT.C"]


def test_a_flat_trace_is_left_out(stream):
    """A trace without motion has no scale, and draws nothing instead of failing."""
    stream[0].data[:] = 0
    assert len(lines(plot_section(stream), GENERATED)) == 2


def test_what_is_no_section_is_refused(stream):
    """Nothing, records of pools, and two earthquakes at once are refused in one line."""
    other = Stream([made("XT.B", 12.0, event=[35.0, -117.0, 5.0, 3.0])])
    pooled = stream.copy()
    for trace in pooled:
        trace.stats.tng.pool_kind = "recorded"
    for wrong in (Stream(), Stream([Trace(np.zeros(10))]), pooled, stream + other):
        with pytest.raises(TNGError, match="one earthquake"):
            plot_section(wrong)
