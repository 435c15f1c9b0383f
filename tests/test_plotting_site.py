"""Figures of HVSR show the numbers of the Dataset: what is drawn is read back from matplotlib's artists."""

import numpy as np
import pytest
import xarray as xr

from obspy_tng import plotting_panels as panels
from obspy_tng import plotting_site
from obspy_tng.errors import TNGError

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

FREQUENCY_HZ = np.geomspace(0.4, 25, 120)


def dataset(stations=("XX.AAA",), n=12, *, windows=1, light=False):
    """Return the Dataset of records with a peak at 2 Hz; `light` leaves out all that came later than the curves."""
    rng = np.random.default_rng(0)
    rows = n * windows * len(stations)
    shape = np.exp(1.5 * np.exp(-((np.log(FREQUENCY_HZ / 2.0) / 0.3) ** 2)))
    hvsr = shape * np.exp(rng.normal(0, 0.2, (rows, 1)) + rng.normal(0, 0.05, (rows, FREQUENCY_HZ.size)))
    station = np.repeat(stations, n * windows)
    record = np.repeat([f"{s}..{k}" for s in stations for k in range(n)], windows)
    start = np.tile(20.0 * np.arange(windows), n * len(stations)) + 30
    logs = [np.log(hvsr[station == s]) for s in stations]
    variables = {
        "hvsr": (("record", "frequency"), hvsr),
        "curve": (("station", "frequency"), np.exp([x.mean(axis=0) for x in logs])),
        "sigma_ln": (("station", "frequency"), np.array([x.std(axis=0, ddof=1) for x in logs])),
        "n_valid": (("station", "frequency"), np.full((len(stations), FREQUENCY_HZ.size), n * windows)),
    }
    coords = {
        "frequency": FREQUENCY_HZ,
        "station": list(stations),
        "record": [f"{name}#{k}" for k, name in enumerate(record)] if windows > 1 else record,
        "record_station": ("record", station),
        "window_start_s": ("record", start),
        "window_end_s": ("record", start + 20),
        "window_source": ("record", np.full(rows, "pick")),
    }
    if not light:
        accepted = np.arange(rows) % 4 != 0
        variables["accepted"] = ("record", accepted)
        variables["f0_record_hz"] = ("record", 2 * np.exp(rng.normal(0, 0.1, rows)))
        azimuth = np.exp(0.2 * np.cos(np.radians(2 * np.arange(0, 180, 30.0))))
        variables["hvsr_azimuth"] = (("record", "azimuth", "frequency"), hvsr[:, None] * azimuth[None, :, None])
        coords |= {
            "azimuth": np.arange(0, 180, 30.0),
            "record_id": ("record", record),
            "noise_start_s": ("record", np.full(rows, 2.0)),
            "noise_end_s": ("record", np.full(rows, 25.0)),
            "magnitude": ("record", np.full(rows, 4.5)),
            "distance_km": ("record", np.full(rows, 31.0)),
        }
    attrs = {"band_hz": [0.5, 20.0], "horizontal": "quadratic", "smoothing": "ko:40", "snr": 3.0, "compat": ""}
    return xr.Dataset(variables, coords, attrs)


def f0_of(data, found=True):
    """Return f0 of 2 Hz, interval 1.9-2.1 Hz, a further peak at 7 Hz; or no f0 and a reason."""
    n = data.sizes["station"]
    values = {"f0_hz": 2.0, "f0_low_hz": 1.9, "f0_high_hz": 2.1, "a0": 4.5, "sigma_ln": 0.2, "support": 1.0}
    out = {name: ("station", np.full(n, value if found else np.nan)) for name, value in values.items()}
    out |= {"n_records": ("station", np.full(n, 12)), "n_used": ("station", np.full(n, 12))}
    out["reason"] = ("station", np.full(n, "" if found else "flat: largest amplitude 1.4 < 2"))
    peaks = np.tile([2.0, 7.0, np.nan] if found else [np.nan] * 3, (n, 1))
    out["peak_frequency_hz"], out["peak_amplitude"] = (("station", "peak"), peaks), (("station", "peak"), peaks * 0 + 3)
    return xr.Dataset(out, {"station": data.station}, {"min_amplitude": 2.0})


def texts(figure):
    """Return all words of a figure."""
    from matplotlib.text import Text

    return "\n".join(t.get_text() for t in figure.findobj(Text))


def segments(axis, colour):
    """Return the curves of a LineCollection of that colour."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import same_color

    held = [c for c in axis.collections if isinstance(c, LineCollection) and same_color(c.get_color()[0][:3], colour)]
    return [s for c in held for s in c.get_segments()]


def test_page_shows_the_curves():
    """Accepted and rejected curves are drawn apart, each with its own values; the median is the Dataset's."""
    data = dataset()
    figure = plotting_site.plot_hvsr(data, f0_of(data))
    axis = figure.axes[0]
    accepted, rejected = segments(axis, panels.RECORD), segments(axis, panels.REJECTED)
    assert (len(accepted), len(rejected)) == (9, 3)
    assert np.allclose(accepted[0][:, 1], data.hvsr.values[1])
    assert np.allclose(rejected[1][:, 1], data.hvsr.values[4])
    assert any(np.array_equal(line.get_ydata(), data.curve.values[0]) for line in axis.lines)


def test_page_shows_f0_interval_and_further_peaks():
    """The line stands at f0, the band spans its interval, triangles mark the other peaks, the title tells both."""
    from matplotlib.patches import Polygon, Rectangle

    data = dataset()
    figure = plotting_site.plot_hvsr(data, f0_of(data))
    axis = figure.axes[0]
    assert any(np.allclose(line.get_xdata(), 2.0) for line in axis.lines)
    (span,) = (p for p in axis.patches if isinstance(p, Polygon | Rectangle))
    edges = axis.transData.inverted().transform(span.get_window_extent())[:, 0]
    assert np.allclose(edges, (1.9, 2.1))
    assert [line.get_xdata()[0] for line in axis.lines if line.get_marker() == "v"] == [7.0]
    assert "f0 = 2.00 Hz (1.90–2.10), A0 = 4.5" in texts(figure)


def test_page_without_f0_tells_why():
    """No f0: no line, and the reason in words."""
    data = dataset()
    figure = plotting_site.plot_hvsr(data, f0_of(data, found=False))
    assert not any(np.allclose(line.get_xdata(), 2.0) for line in figure.axes[0].lines)
    assert "flat: largest amplitude 1.4 < 2" in texts(figure)


def test_page_draws_traces_with_their_windows():
    """A record is drawn with its signal window at zero time and its noise window before; its event is told."""
    data = dataset()
    samples = np.random.default_rng(1).normal(size=(3, 8000))
    figure = plotting_site.plot_hvsr(
        data, f0_of(data), traces=[("XX.AAA..3", samples, 100.0), ("XX.BBB..1", samples, 1.0)]
    )
    assert "XX.AAA..3  M 4.5, 31 km" in texts(figure)
    assert "XX.BBB" not in texts(figure)
    axis = next(a for a in figure.axes if "window's start" in a.get_xlabel())
    boxes = [path.get_extents() for c in axis.collections for path in c.get_paths() if len(path.vertices) == 5]
    assert {(round(b.x0), round(b.x1)) for b in boxes} == {(0, 20), (-28, -5)}


def test_thinned_trace_keeps_its_extremes():
    """A trace of many samples is drawn as its envelope: the peaks are in it at their time."""
    row = np.zeros(1_000_000)
    row[123_456], row[700_000] = 5, -3
    time, low, high = panels._thinned(row, 100.0)
    assert len(time) <= 3001
    assert (high.max(), low.min()) == (5, -3)
    assert time[high.argmax()] == pytest.approx(1234.56, abs=4)


def test_page_of_windows_without_traces():
    """Sliding windows are counted as such, and shown in time for each record."""
    data = dataset(windows=5)
    figure = plotting_site.plot_hvsr(data, f0_of(data))
    assert "45 windows" in texts(figure)
    assert "15 windows rejected" in texts(figure)
    assert any(a.get_ylabel() == "12 records" for a in figure.axes)


def test_page_of_a_dataset_without_the_newer_variables():
    """A Dataset of curves and windows alone is enough; all its records count."""
    data = dataset(light=True)
    figure = plotting_site.plot_hvsr(data, f0_of(data).drop_vars(["peak_frequency_hz", "peak_amplitude"]))
    assert len(segments(figure.axes[0], panels.RECORD)) == 12
    assert "rejected" not in texts(figure)


def test_page_without_any_accepted_window():
    """A station that lost all its windows is drawn, its curve being NaN."""
    data = dataset()
    data["accepted"] = ("record", np.zeros(12, bool))
    for name in ("curve", "sigma_ln"):
        data[name][:] = np.nan
    data["n_valid"][:] = 0
    figure = plotting_site.plot_hvsr(data, f0_of(data, found=False))
    assert len(segments(figure.axes[0], panels.REJECTED)) == 12
    figure.canvas.draw()


def test_sesame_is_written():
    """The verdict of SESAME stands below that of f0."""
    data = dataset()
    sesame = xr.Dataset({"verdict": ("station", ["111/111101"])}, {"station": data.station})
    assert "reliability/clarity: 111/111101" in texts(plotting_site.plot_hvsr(data, f0_of(data), sesame=sesame))


def test_histogram_counts_accepted_records():
    """Its bars hold every accepted record once, the text their median."""
    from matplotlib.colors import same_color

    data = dataset()
    figure = plotting_site.plot_f0_histogram(data, f0_of(data))
    bars = [p for p in figure.axes[0].patches if same_color(p.get_facecolor(), panels.RECORD)]
    assert sum(p.get_height() for p in bars) == 9
    assert f"median {np.median(data.f0_record_hz.values[data.accepted.values]):.2f} Hz" in texts(figure)
    with pytest.raises(TNGError, match="f0_record_hz"):
        plotting_site.plot_f0_histogram(dataset(light=True), f0_of(data))


def test_azimuths_are_means_of_accepted_records():
    """The colours are the log-mean curves of accepted rows; a known factor per azimuth comes back."""
    data = dataset()
    values = panels.by_azimuth(data, "XX.AAA")
    mean = np.exp(np.log(data.hvsr.values[data.accepted.values]).mean(axis=0))
    assert np.allclose(values / mean, np.exp(0.2 * np.cos(np.radians(2 * data.azimuth.values)))[:, None])
    mesh = plotting_site.plot_azimuths(data, f0_of(data)).axes[0].collections[0]
    assert np.allclose(mesh.get_array(), values)
    with pytest.raises(TNGError, match="azimuth"):
        plotting_site.plot_azimuths(dataset(light=True), f0_of(data))


def test_overview_names_every_station():
    """One mark with interval and one panel per station; those without f0 say why; windows used of all."""
    data = dataset([f"XX.S{k:02d}" for k in range(6)], n=4)
    found = f0_of(data)
    found["f0_hz"][3] = np.nan
    found["reason"] = ("station", ["", "", "", "flat: low", "", ""])
    figure = plotting_site.plot_overview(data, found)
    assert len(figure.axes) == 7
    assert [line.get_ydata()[0] for line in figure.axes[0].lines if line.get_marker() == "|"] == [0, 1, 2, 4, 5]
    titles = [a.get_title(loc="left") for a in figure.axes[1:]]
    assert [t.split()[0] for t in titles] == [f"XX.S{k:02d}" for k in range(6)]
    assert "no f0 (flat)" in titles[3]
    data = dataset(["XX.S01"], n=4, windows=5)
    assert "2.00 Hz, A0 4.5, 12/20" in texts(plotting_site.plot_overview(data, f0_of(data)))


def test_overview_titles_stay_in_their_panels():
    """A long reason is cut short with an ellipsis before it runs into the neighbour."""
    data = dataset([f"XX.S{k:02d}" for k in range(4)], n=4)
    found = f0_of(data, found=False)
    found["reason"] = ("station", ["band 30-60 Hz lies above the Nyquist frequency, 25 Hz"] * 4)
    figure = plotting_site.plot_overview(data, found)
    panels_ = figure.axes[1:]
    figure.canvas.draw()
    ends = [axis._left_title.get_window_extent().x1 for axis in panels_]
    assert all(end < axis.get_window_extent().x0 for end, axis in zip(ends, panels_[1:], strict=False))
    assert panels_[0].get_title(loc="left").endswith("…")


def test_another_peak_is_drawn():
    """The peak that f0 may be instead: a dashed line on the page, a question mark in the overview."""
    data = dataset()
    found = f0_of(data).assign(f0_alternative_hz=("station", [0.8]))
    axis = plotting_site.plot_hvsr(data, found).axes[0]
    assert [line.get_xdata()[0] for line in axis.lines if line.get_label() == "f0 may be here instead"] == [0.8]
    axis = plotting_site.plot_overview(data, found).axes[0]
    assert [float(line.get_xdata()[0]) for line in axis.lines if line.get_marker() == "$?$"] == [0.8]


def test_page_of_one_record():
    """One record: in the singular, and without a spread, which one curve does not have."""
    with np.errstate(invalid="ignore"):
        data = dataset(n=1)
    data["accepted"] = ("record", [True])
    data["sigma_ln"] = data.sigma_ln * np.nan
    figure = plotting_site.plot_hvsr(data, f0_of(data))
    words = texts(figure)
    assert "1 record\n" in words and "nan" not in words and "± 1 sd" not in words


def test_page_of_a_day_of_which_an_hour_is_kept():
    """Time ends where the samples do, and the label says that they are the first of more."""
    data = dataset(n=1, windows=40)
    data = data.assign_coords(record_length_s=("record", np.full(40, 86_400.0)))
    samples = np.random.default_rng(1).normal(size=(3, 3600))
    figure = plotting_site.plot_hvsr(data, f0_of(data), traces=[("XX.AAA..0", samples[:, :400], 1.0)])
    assert "first 400 s of 86400 s" in texts(figure)
    axis = next(a for a in figure.axes if a.get_xlabel() == "time (s)")
    assert axis.get_xlim()[1] == pytest.approx(400)


def test_azimuth_panel_has_a_legend():
    """The dots of the largest values and the line of f0 are named."""
    data = dataset()
    axis = plotting_site.plot_azimuths(data, f0_of(data)).axes[0]
    assert [t.get_text() for t in axis.get_legend().get_texts()] == ["largest value", "f0"]


def test_save_tells_what_it_wrote(tmp_path):
    """One station: its page. Several: the overview, and in a PDF a page of each too."""
    one, two = dataset(n=3), dataset(("XX.AAA", "XX.BBB"), n=3)
    assert plotting_site.save(one, f0_of(one), tmp_path / "a.svg") == "page of XX.AAA"
    assert "overview of 2" in plotting_site.save(two, f0_of(two), tmp_path / "a.png")
    assert "page of each" in plotting_site.save(two, f0_of(two), tmp_path / "a.pdf")
    raw = (tmp_path / "a.pdf").read_bytes()
    assert raw.count(b"/Type /Page ") + raw.count(b"/Type /Page\n") == 3
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_station_must_be_known():
    """Several stations and none chosen, or one that is not there: the error names those that are."""
    data = dataset(("XX.AAA", "XX.BBB"), n=3)
    with pytest.raises(TNGError, match=r"XX\.AAA, XX\.BBB"):
        plotting_site.plot_hvsr(data, f0_of(data))
    with pytest.raises(TNGError, match=r"XX\.NONE"):
        plotting_site.plot_hvsr(data, f0_of(data), "XX.NONE")


def test_drawing_changes_nothing():
    """Datasets and samples given are left as they are."""
    data, samples = dataset(), np.random.default_rng(1).normal(size=(3, 500)) + 3
    found, before = f0_of(data), samples.copy()
    copies = data.copy(deep=True), found.copy(deep=True)
    plotting_site.plot_hvsr(data, found, traces=[("XX.AAA..3", samples, 100.0)])
    assert data.identical(copies[0])
    assert found.identical(copies[1])
    assert np.array_equal(samples, before)
