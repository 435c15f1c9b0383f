"""How figures of the report look: size, type, colours, axes. matplotlib's global state is never touched.

Every figure has its size in CSS pixels and is shown at that size, on a wide screen and on a telephone, so that its
text is never scaled below 10 pixels.
"""

from __future__ import annotations

import io

import numpy as np

WIDTH_PX, HEIGHT_PX = 364, 282  # three beside each other at 1280 px; one fits a telephone of 390 px
TICK_PT, LABEL_PT, TITLE_PT = 8, 8.5, 9  # 1 pt is 4/3 CSS pixels
PIXELS = 2  # of the image per CSS pixel
COLOURS = 256
STYLES = {  # set -> colour, dashes, so that no line is told by its colour alone
    "real": ("#12355b", "-"),
    "generated": ("#c8322b", (0, (5, 1.5))),
    "reconstructed": ("#3a7d44", "-."),
    "pool": ("#5b6773", ":"),
    "copy": ("#5b6773", "-."),
    "real vs real": ("#12355b", "-"),
    "mean of five": ("#b8860b", ":"),
}
MUTED = "#9aa5b1"
FREQUENCY_TICKS_HZ = (0.2, 0.5, 1, 2, 5, 10, 20, 50)
PERIOD_TICKS_S = (0.01, 0.03, 0.1, 0.3, 1, 3)
RATIO_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


def canvas(rows: int = 1, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX, margins_px=(54, 10, 26, 42)):
    """Return an empty figure and its axes, one below the other with a shared abscissa.

    Parameters
    ----------
    rows : int
    width_px, height_px : int
        CSS pixels.
    margins_px : tuple of 4 float
        Left, right, top, bottom: fixed, as laying out hundreds of figures anew would take most of the time.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : numpy.ndarray of matplotlib.axes.Axes, shape (rows,)
    """
    from matplotlib.figure import Figure

    left, right, top, bottom = margins_px
    figure = Figure(figsize=(width_px / 96, height_px / 96), dpi=96)
    figure.subplots_adjust(left / width_px, bottom / height_px, 1 - right / width_px, 1 - top / height_px, hspace=0.08)
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    for axis in axes:
        axis.tick_params(labelsize=TICK_PT, width=0.6, length=3, pad=2)
        axis.grid(color="0.9", linewidth=0.6)
        axis.set_axisbelow(True)
        for spine in axis.spines.values():
            spine.set_linewidth(0.6)
    return figure, axes


def png(figure) -> tuple[bytes, int, int]:
    """Return a figure as PNG of few colours, and its width and height in CSS pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    width, height = (int(round(x * 96)) for x in figure.get_size_inches())
    figure.set_dpi(96 * PIXELS)
    drawn = FigureCanvasAgg(figure)
    drawn.draw()
    image = Image.fromarray(np.asarray(drawn.buffer_rgba())[..., :3])
    image = image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue(), width, height


def period_axis(axis, period_s) -> None:
    """Make a logarithmic axis of periods."""
    axis.set_xscale("log")
    axis.set_xlim(period_s[0], period_s[-1])
    ticks(axis.xaxis, [t for t in PERIOD_TICKS_S if period_s[0] <= t <= period_s[-1]])
    label(axis, x="period (s)")


def frequency_axis(axis, frequency_hz) -> None:
    """Make the abscissa logarithmic, of frequencies."""
    axis.set_xscale("log")
    axis.set_xlim(frequency_hz[0], frequency_hz[-1])
    ticks(axis.xaxis, frequency_ticks(frequency_hz))
    label(axis, x="frequency (Hz)")


def frequency_ticks(frequency_hz) -> list[float]:
    """Return the frequencies to write at an axis."""
    low, high = frequency_hz[0] / 1.001, frequency_hz[-1] * 1.001
    return [t for t in FREQUENCY_TICKS_HZ if low <= t <= high]


def ticks(axis, values) -> None:
    """Put plain numbers at an axis (xaxis or yaxis), nothing between them."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axis.set_major_locator(FixedLocator(values))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))


def decades(axis) -> None:
    """Make the ordinate logarithmic; plain numbers, as exponents would be too small to read."""
    axis.set_yscale("log")
    low, high = np.log10(axis.get_ylim())
    step = 1 if high - low < 6 else 2
    ticks(axis.yaxis, [10.0**k for k in range(int(np.floor(low)), int(np.ceil(high)) + 1, step)])
    axis.set_ylim(10**low, 10**high)


def label(axis, x: str | None = None, y: str | None = None) -> None:
    """Write what the axes show, with the unit."""
    if x:
        axis.set_xlabel(x, size=LABEL_PT, labelpad=2)
    if y:
        axis.set_ylabel(y, size=LABEL_PT, labelpad=2)


def title(axis, text: str) -> None:
    """Write the heading of a figure."""
    axis.set_title(text, loc="left", size=TITLE_PT, weight="bold", pad=5)


def legend(axis, **settings) -> None:
    """Draw the legend of all labelled lines, if any."""
    if axis.get_legend_handles_labels()[0]:
        axis.legend(
            fontsize=TICK_PT,
            framealpha=0.85,
            edgecolor="0.85",
            borderpad=0.3,
            labelspacing=0.25,
            handlelength=2.2,
            **settings,
        )
