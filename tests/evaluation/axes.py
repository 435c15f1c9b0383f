"""What stands in the axes of a figure, for the tests of figures."""

import numpy as np


def drawn(axis):
    """Return {label: (x, y)} of the labelled lines."""
    named = [line for line in axis.lines if not line.get_label().startswith("_")]
    return {line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in named}


def box_px(axis):
    """Return left, bottom, width and height of axes in CSS pixels."""
    width, height = axis.figure.get_size_inches() * 96
    return np.array(axis.get_position().bounds) * [width, height, width, height]


def legend_of(axis):
    """Return the words of the legend."""
    return [text.get_text() for text in axis.get_legend().get_texts()]


def ticks_of(axis):
    """Return values and words of the major ticks; there are no minor ones."""
    assert axis.get_minorticklocs().size == 0
    values = [float(v) for v in axis.get_majorticklocs()]
    return values, [axis.get_major_formatter()(v, None) for v in values]
