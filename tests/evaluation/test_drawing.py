"""How figures look: sizes, axes, ticks, labels."""

import io

import numpy as np
import pytest
from axes import box_px, legend_of, ticks_of

pytest.importorskip("matplotlib")
from obspy_tng.evaluation import drawing


def test_canvas_has_its_size_and_margins():
    """One pixel of the image per CSS pixel, margins as given, rows of equal height that share their abscissa."""
    figure, (axis,) = drawing.canvas()
    assert tuple(figure.get_size_inches() * 96) == pytest.approx((364, 282))
    assert box_px(axis) == pytest.approx([54, 42, 300, 214])
    figure, axes = drawing.canvas(3, 400, 300, (50, 30, 20, 60))
    boxes = np.array([box_px(a) for a in axes])
    assert boxes[:, 0] == pytest.approx([50] * 3) and boxes[:, 2] == pytest.approx([320] * 3)
    assert boxes[0, 1] + boxes[0, 3] == pytest.approx(280) and boxes[2, 1] == pytest.approx(60)
    gap = boxes[0, 1] - boxes[1, 1] - boxes[1, 3]
    assert 0 < gap == pytest.approx(0.08 * boxes[0, 3])
    assert axes[0].get_shared_x_axes().joined(axes[0], axes[2])
    assert axis.xaxis.get_tick_params()["gridOn"] and axis.get_axisbelow() is True
    assert axis.xaxis.get_tick_params()["labelsize"] == 8
    assert {round(s.get_linewidth(), 6) for s in axis.spines.values()} == {0.6}


def test_png_is_twice_its_size_of_few_colours():
    """364 x 282 CSS pixels, 728 x 564 in the image, a palette of at most 256; drawn twice it is the same."""
    from PIL import Image

    def one():
        figure, (axis,) = drawing.canvas()
        axis.plot([0, 1], [0, 1], color="#c8322b")
        return drawing.png(figure)

    data, width, height = one()
    image = Image.open(io.BytesIO(data))
    assert (width, height, image.size, image.mode) == (364, 282, (728, 564), "P")
    colours = image.convert("RGB").getcolors(256)
    assert colours is not None and max(colours)[1] == (255, 255, 255)
    assert min(sum(abs(a - b) for a, b in zip(c, (200, 50, 43), strict=True)) for _, c in colours) < 12
    assert one()[0] == data


def test_axes_of_periods_frequencies_and_decades():
    """Limits are those of the data, ticks the round numbers inside, written out."""
    _, (axis,) = drawing.canvas()
    drawing.period_axis(axis, np.geomspace(0.03, 3, 9))
    assert axis.get_xscale() == "log" and axis.get_xlim() == pytest.approx((0.03, 3))
    assert ticks_of(axis.xaxis) == ([0.03, 0.1, 0.3, 1, 3], ["0.03", "0.1", "0.3", "1", "3"])
    assert axis.get_xlabel() == "period (s)"
    _, (axis,) = drawing.canvas()
    drawing.frequency_axis(axis, np.geomspace(0.5, 20, 9))
    assert axis.get_xscale() == "log" and axis.get_xlim() == pytest.approx((0.5, 20))
    assert ticks_of(axis.xaxis) == ([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
    assert axis.get_xlabel() == "frequency (Hz)"
    assert drawing.frequency_ticks(np.array([0.2001, 49.99])) == [0.2, 0.5, 1, 2, 5, 10, 20, 50]
    assert drawing.frequency_ticks(np.array([0.21, 49])) == [0.5, 1, 2, 5, 10, 20]
    for limits, expected in (
        ((0.02, 30), [0.01, 0.1, 1, 10, 100]),
        ((2e-5, 3e2), [1e-5, 1e-3, 1e-1, 10, 1000]),
        ((3e-4, 1e2), [1e-4, 1e-3, 0.01, 0.1, 1, 10, 100]),
    ):
        _, (axis,) = drawing.canvas()
        axis.set_ylim(*limits)
        drawing.decades(axis)
        values, words = ticks_of(axis.yaxis)
        assert values == pytest.approx(expected) and words == [f"{v:g}" for v in expected]
        assert axis.get_yscale() == "log" and axis.get_ylim() == pytest.approx(limits)


def test_labels_titles_and_legends():
    """What is not given is left as it was; a legend stands only where a line has a name."""
    _, (axis,) = drawing.canvas()
    drawing.label(axis, x="a (s)")
    drawing.label(axis, y="b (m)")
    drawing.title(axis, "head")
    drawing.legend(axis, loc="upper right")
    assert (axis.get_xlabel(), axis.get_ylabel(), axis.get_title(loc="left")) == ("a (s)", "b (m)", "head")
    assert axis.xaxis.label.get_size() == axis.yaxis.label.get_size() == 8.5
    assert axis._left_title.get_size() == 9 and axis._left_title.get_weight() == "bold"
    assert axis.get_legend() is None
    axis.plot([0, 1], label="one")
    drawing.legend(axis, loc="upper right")
    assert legend_of(axis) == ["one"] and axis.get_legend().get_texts()[0].get_size() == 8
