"""Figures of the report: what is drawn is what the Dataset holds, at the size and place that is meant."""

import numpy as np
import pytest
from axes import box_px, drawn, legend_of, ticks_of
from test_report import made_result

pytest.importorskip("matplotlib")
from matplotlib.colors import to_rgba

from obspy_tng.evaluation import drawing, figures, figures_overall
from obspy_tng.evaluation.confusion import default_bins

STATION = "CI.CWC"


@pytest.fixture
def result():
    """A result of two stations whose pool is not its real set."""
    return made_result()


def test_waveforms_share_their_ordinate():
    """Three rows E, N, Z of the record, ± the limit, over the whole time."""
    data, time_s = np.random.default_rng(0).normal(size=(3, 500)), np.arange(500) / 100 + 2
    figure = figures.waveform(data, time_s, "head", 7.5, "#3a7d44")
    assert [a.texts[0].get_text() for a in figure.axes] == ["E", "N", "Z"]
    for axis, row in zip(figure.axes, data, strict=True):
        x, y = axis.lines[0].get_data()
        assert np.array_equal(x, time_s) and np.array_equal(y, row) and axis.lines[0].get_color() == "#3a7d44"
        assert axis.get_ylim() == (-7.5, 7.5) and axis.get_xlim() == pytest.approx((2, 6.99))
        inside = [v for v in axis.get_yticks() if -7.5 <= v <= 7.5]
        assert len(inside) <= 3 and inside == [-v for v in reversed(inside)]
    assert figure.axes[0].get_title(loc="left") == "head" and figure.axes[2].get_xlabel() == "time (s)"
    assert figure.get_supylabel() == "acceleration (m/s²)" and figure.axes[0].get_xlabel() == ""
    boxes = [box_px(a) for a in figure.axes]
    assert [b[0] for b in boxes] == pytest.approx([66] * 3) and boxes[2][1] == pytest.approx(42)


def test_hvsr_draws_median_spread_and_average(result):
    """Median of every set; its band for real, edges at median · exp(± σ) for generated; average thin for both."""
    result["hvsr_sigma_ln"][:] = np.linspace(0.1, 0.5, 100)
    axis = figures.hvsr(result, STATION).axes[0]
    one, lines = result.sel(station=STATION), drawn(axis)
    assert list(lines) == ["real", "pool", "generated"] == legend_of(axis)
    for name, (x, y) in lines.items():
        assert np.array_equal(x, result.frequency) and np.array_equal(y, one.hvsr_median.sel(set=name))
    thin = [line.get_ydata() for line in axis.lines if line.get_linewidth() == 0.6]
    median, sigma = (one[k].sel(set="generated").values for k in ("hvsr_median", "hvsr_sigma_ln"))
    expected = [one.hvsr_mean.sel(set="real"), median * np.exp(-sigma), median * np.exp(sigma)]
    expected.append(one.hvsr_mean.sel(set="generated"))
    assert len(thin) == 4 and all(np.allclose(a, b) for a, b in zip(thin, expected, strict=True))
    band = axis.collections[0].get_paths()[0].vertices
    real = one.hvsr_median.sel(set="real").values
    assert band[:, 1].min() == pytest.approx((real * np.exp(-sigma)).min())
    assert band[:, 1].max() == pytest.approx((real * np.exp(sigma)).max())
    assert len(axis.collections) == 2 and axis.get_yscale() == "log"
    assert ticks_of(axis.yaxis)[0] == [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]
    assert axis.get_ylabel() == "H/V spectral ratio" and axis.get_xlim() == pytest.approx((0.5, 20))
    assert axis.get_title(loc="left") == f"{STATION}: HVSR, median and (thin) average"
    low, high = axis.get_ylim()
    highest = max(line.get_ydata().max() for line in axis.lines)
    # a sixth of the height (0.2 of 1.2) is left above the curves for the legend, and matplotlib's margin of 5 %
    assert 0.72 < np.log(highest / low) / np.log(high / low) < 0.84


def test_pool_that_is_the_real_set_is_drawn_once(result):
    """The same curves: real only; a set of nothing but NaN is left out."""
    assert figures.shown_sets(result, "hvsr_median", STATION) == ["real", "pool", "generated"]
    result["hvsr_median"].loc[{"set": "pool"}] = result.hvsr_median.sel(set="real")
    assert figures.shown_sets(result, "hvsr_median", STATION) == ["real", "generated"]
    result["hvsr_median"].loc[{"set": "generated", "station": STATION}] = np.nan
    assert figures.shown_sets(result, "hvsr_median", STATION) == ["real"]
    assert figures.shown_sets(result, "hvsr_median", "CI.WMF") == ["real", "generated"]


def test_f0_histogram_counts_in_per_cent(result):
    """Shares of each set's records in the paper's 20 bins; beyond them in the outermost; NaN not counted."""
    of_station = result.record_station == STATION
    chosen = np.flatnonzero((of_station & (result.record_set == "real")).values)
    result["f0_hz"][chosen] = [0.3] * 5 + [30.0] * 5 + [4.8] * 8 + [np.nan] * 2
    axis = figures.f0_histogram(result, STATION).axes[0]
    assert legend_of(axis) == ["real, 18 records", "generated, 20 records"]
    steps = [p.get_data() for p in axis.patches if hasattr(p, "get_data")]
    bins = default_bins()
    assert len(steps) == 3 and all(np.array_equal(s.edges, bins) for s in steps)
    values = np.zeros(len(bins) - 1)
    values[0] = values[-1] = 100 * 5 / 18
    values[np.searchsorted(bins, 4.8) - 1] = 100 * 8 / 18
    assert steps[0].values == pytest.approx(values) and np.array_equal(steps[0].values, steps[1].values)
    assert steps[2].values.sum() == pytest.approx(100)
    assert [p.get_fill() for p in axis.patches if hasattr(p, "get_data")] == [True, False, False]
    assert axis.get_xlim() == (bins[0], bins[-1]) and list(axis.get_xticks()) == [1, 5, 10, 15, 20]
    assert axis.get_ylim()[0] == 0 and axis.get_ylim()[1] == pytest.approx(1.3 * 1.05 * 100 * 8 / 18)
    assert max(axis.get_yticks()) <= 100
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("f0 (Hz)", "share of records (%)")


def test_f0_histogram_of_nothing(result):
    """No f0 at all: empty axes up to 1.3 %, no legend."""
    result["f0_hz"][:] = np.nan
    axis = figures.f0_histogram(result, STATION).axes[0]
    assert not axis.patches and axis.get_legend() is None and axis.get_ylim() == pytest.approx((0, 1.3))


@pytest.mark.parametrize("vertical", [False, True])
def test_fourier_spectra(result, vertical):
    """Horizontal: geometric mean of E and N, spread by the root of the mean square of σ; vertical: Z."""
    result["fas_sigma_ln"][:] = np.array([0.3, 0.7, 1.1])[:, None]
    result["fas_median"].loc[{"component": "N"}] *= 5
    axis = figures.fourier(result, STATION, vertical).axes[0]
    one, lines = result.sel(station=STATION), drawn(axis)
    assert list(lines) == ["real ± 1 sd of ln", "pool", "generated ± 1 sd of ln"]
    for name, (x, y) in zip(("real", "pool", "generated"), lines.values(), strict=True):
        e, n, z = one.fas_median.sel(set=name).values
        assert np.array_equal(x, result.fas_frequency) and np.allclose(y, z if vertical else np.sqrt(e * n))
    sigma = 1.1 if vertical else np.sqrt((0.3**2 + 0.7**2) / 2)
    low, high = (line.get_ydata() for line in axis.lines if line.get_linewidth() == 0.6)
    median = lines["generated ± 1 sd of ln"][1]
    assert np.allclose(low, median * np.exp(-sigma)) and np.allclose(high, median * np.exp(sigma))
    assert axis.get_title(loc="left") == f"{STATION}: Fourier spectra, {'vertical' if vertical else 'horizontal'}"
    assert axis.get_yscale() == axis.get_xscale() == "log" and axis.get_ylabel() == "Fourier amplitude (m/s)"
    assert axis.get_xlim() == pytest.approx((0.2, 40)) and box_px(axis) == pytest.approx([66, 42, 288, 214])


def test_response_spectra(result):
    """Medians over period and their spread."""
    axis = figures.response(result, STATION).axes[0]
    lines = drawn(axis)
    for name, (x, y) in zip(("real", "pool", "generated"), lines.values(), strict=True):
        assert np.array_equal(x, result.period)
        assert np.array_equal(y, result.psa_median.sel(station=STATION, set=name))
    low, high = (line.get_ydata() for line in axis.lines if line.get_linewidth() == 0.6)
    assert np.allclose(np.log(high / low), 1.4)
    assert axis.get_ylabel() == "PSA, 5 % damping (m/s²)" and axis.get_xlabel() == "period (s)"
    assert axis.get_title(loc="left") == f"{STATION}: response spectra"
    assert axis.get_yscale() == axis.get_xscale() == "log" and legend_of(axis) == list(lines)


def test_confusion_matrix_in_cells(result):
    """The matrix as it is, 0 to 1, a number in each cell, white on dark, blocks of stations outlined."""
    values = np.array([[1.0, 0.61, 0.6, 0.0], [0.61, 1, 0.3, 0.2], [0.6, 0.3, 1, 0.1], [0, 0.2, 0.1, 1]])
    result["similarity"][:] = values
    figure = figures_overall.confusion(result, "similarity", "head")
    axis, bar = figure.axes
    assert np.array_equal(axis.images[0].get_array(), values) and axis.images[0].get_clim() == (0, 1)
    cells = {t.get_position(): (t.get_text(), t.get_color()) for t in axis.texts}
    assert cells[1, 0] == ("0.61", "white") and cells[2, 0] == ("0.60", "black") and len(cells) == 16
    assert cells[3, 0] == ("0.00", "black") == cells[0, 3]
    assert [tuple(p.get_bbox().bounds) for p in axis.patches] == [(-0.5, -0.5, 2, 2), (1.5, 1.5, 2, 2)]
    assert not any(p.get_fill() for p in axis.patches)
    for one in (axis.xaxis, axis.yaxis):
        assert list(one.get_ticklocs()) == [0.5, 2.5]
        assert [t.get_text() for t in one.get_ticklabels()] == ["CI.CWC", "CI.WMF"]
        assert one.get_tick_params().get("length", 0) == 0 and not one.get_tick_params()["gridOn"]
    assert axis.get_xlabel() == axis.get_ylabel() == "station" and axis.get_title(loc="left") == "head"
    assert bar.get_xlabel() == "similarity (1: the same distribution)"
    left = 14 + 7 * 6 + 16
    x, y, width, height = box_px(axis)
    assert (x, width) == pytest.approx((left, 364 - left - 14)) and height == pytest.approx(width)
    assert y == pytest.approx(left + 60) and figure.get_size_inches()[1] * 96 == pytest.approx(y + height + 26)
    assert box_px(bar) == pytest.approx([x, 38, width, 9])


def test_confusion_matrix_of_many_has_no_numbers():
    """Cells below 28 px hold no number: 12 rows on 278 px."""
    big = made_result(tuple(f"CI.S{i}" for i in range(6)))
    assert not figures_overall.confusion(big, "similarity", "head").axes[0].texts


@pytest.mark.parametrize(
    ("variable", "perfect", "ordinate"),
    [
        ("psa_ln_bias", 0, "mean ln PSA, less the pool's (ln)"),
        ("psa_sigma_ratio", 1, "σ ln PSA over the pool's (ratio)"),
        ("hvsr_ln_difference", 0, "mean ln HVSR, less the real (ln)"),
    ],
)
def test_bias_curves(result, variable, perfect, ordinate):
    """Single stations thin, means over stations of the methods drawn, the ideal as a line; room for the legend."""
    axis = figures_overall.bias(result, variable).axes[0]
    array = result[variable]
    lines = drawn(axis)
    assert legend_of(axis) == ["one station each", "generated", "real vs real", "copy", "mean of five"]
    single = [line for line in axis.lines if line.get_linewidth() == 0.5]
    assert [list(s.get_ydata()) for s in single] == [list(row) for row in array.sel(ensemble="generated").values]
    for name in ("generated", "real vs real", "copy", "mean of five"):
        assert np.allclose(lines[name][1], array.sel(ensemble=name).mean("station"))
        assert np.array_equal(lines[name][0], array[array.dims[-1]])
    widths = {line.get_label(): line.get_linewidth() for line in axis.lines}
    assert widths["generated"] == 2 and widths["copy"] == 1.3
    ideal = [line for line in axis.lines if len(set(line.get_ydata())) == 1 and len(line.get_ydata()) == 2]
    assert [list(line.get_ydata()) for line in ideal] == [[perfect, perfect]]
    assert axis.get_ylabel() == ordinate and axis.get_xscale() == "log"
    assert axis.get_xlabel() == ("frequency (Hz)" if "hvsr" in variable else "period (s)")
    assert all(line.get_alpha() == 1 for line in axis.get_legend().get_lines())
    assert axis.get_title(loc="left").startswith("HVSR: bias" if "hvsr" in variable else "Response spectra: ")
    low, high = axis.get_ylim()
    values = np.concatenate([line.get_ydata() for line in axis.lines])
    least, most = min(values.min(), perfect - 0.5), max(values.max(), perfect + 0.5)
    assert low <= least < low + 0.12 * (high - low) and 0.68 < (most - low) / (high - low) < 0.78


def test_bias_of_one_station_and_of_gaps(result):
    """One station: no thin lines; a station without a value leaves the mean to the other; none at all: a gap."""
    one = figures_overall.bias(result.isel(station=[0]), "psa_ln_bias").axes[0]
    assert "one station each" not in drawn(one)
    array = result.psa_ln_bias
    array[0, 0, 3] = np.nan
    array[0, :, 5] = np.nan
    mean = drawn(figures_overall.bias(result, "psa_ln_bias").axes[0])["generated"][1]
    assert mean[3] == array.values[0, 1, 3] and np.isnan(mean[5]) and np.isfinite(np.delete(mean, 5)).all()


def test_correlation_is_drawn_as_it_is(result):
    """The matrix over two logarithmic axes, -1 to 1, with its scale below."""
    figure = figures_overall.correlation(result, "real")
    axis, bar = figure.axes
    mesh = axis.collections[0]
    assert np.array_equal(np.reshape(mesh.get_array(), (25, 25)), result.correlation[0]) and mesh.get_clim() == (-1, 1)
    assert axis.get_xscale() == axis.get_yscale() == "log"
    assert axis.get_xlim() == pytest.approx((0.5, 20)) and axis.get_ylim() == pytest.approx((0.5, 20))
    assert ticks_of(axis.yaxis) == ticks_of(axis.xaxis) == ([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
    assert axis.get_xlabel() == axis.get_ylabel() == "frequency (Hz)" and axis.get_title(loc="left") == "real"
    assert bar.get_xlabel() == "correlation of ln amplitudes (1)" and list(bar.get_xticks()) == [-1, -0.5, 0, 0.5, 1]
    assert box_px(axis) == pytest.approx([54, 98, 290, 248]) and box_px(bar) == pytest.approx([54, 38, 290, 9])
    assert tuple(figure.get_size_inches() * 96) == pytest.approx((364, 372))
    assert not axis.xaxis.get_tick_params()["gridOn"]


def test_novelty_histograms(result):
    """Shares in 40 bins from 0 to 1 or beyond, and the level 99 % of real records are below."""
    result["novelty_record"][:, 1] = np.linspace(-0.2, 1.3, 40)
    result["novelty_record"][7, 1] = np.nan
    axis = figures_overall.novelty(result, "power correlation").axes[0]
    made, real = result.novelty_record[:, 1].values, result.novelty_real[:, 1].values
    steps = [p.get_data() for p in axis.patches]
    edges = np.linspace(-0.2, 1.3, 41)
    assert np.allclose(steps[0].edges, edges) and np.allclose(axis.get_xlim(), (-0.2, 1.3))
    assert np.allclose(steps[0].values, 100 * np.histogram(real, edges)[0] / 60)
    assert np.array_equal(steps[0].values, steps[1].values)
    assert np.allclose(steps[2].values, 100 * np.histogram(made[np.isfinite(made)], edges)[0] / 39)
    assert [p.get_fill() for p in axis.patches] == [True, False, False]
    (level,) = (line for line in axis.lines)
    assert list(level.get_xdata()) == [np.quantile(real, 0.99)] * 2
    assert legend_of(axis) == ["real, to other real", "generated, to the pool", "99 % of real are below"]
    assert axis.get_ylim() == pytest.approx((0, 1.45 * 1.05 * max(s.values.max() for s in steps)))
    assert axis.get_xlabel() == "highest power correlation (1: a copy)"
    assert axis.get_ylabel() == "share of records (%)" and axis.get_title(loc="left") == "Novelty: power correlation"
    first = figures_overall.novelty(result, "correlation").axes[0]
    assert np.allclose(first.get_xlim(), (0, 1))


def test_novelty_of_nothing(result):
    """All NaN: empty axes from 0 to 1; without real records no level."""
    result["novelty_real"][:] = np.nan
    axis = figures_overall.novelty(result, "correlation").axes[0]
    assert legend_of(axis) == ["generated, to the pool"] and not axis.lines
    result["novelty_record"][:] = np.nan
    axis = figures_overall.novelty(result, "correlation").axes[0]
    assert not axis.patches and axis.get_xlim() == (0, 1) and axis.get_ylim() == pytest.approx((0, 1.45))


def test_sets_are_told_by_colour_and_dashes(result):
    """Each set has a look of its own, in every figure the same."""
    looks = {str(v) for k, v in drawing.STYLES.items() if k != "real vs real"}
    assert len(looks) == len(drawing.STYLES) - 1
    for axis in (figures.hvsr(result, STATION).axes[0], figures.response(result, STATION).axes[0]):
        for line in axis.lines:
            name = line.get_label().split(" ±")[0]
            if name in drawing.STYLES:
                assert to_rgba(line.get_color()) == to_rgba(drawing.STYLES[name][0]) and line.get_linewidth() == 1.5
