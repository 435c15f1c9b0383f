"""Figures of the report that take all stations together."""

from __future__ import annotations

import numpy as np

from obspy_tng.evaluation import drawing
from obspy_tng.evaluation.drawing import MUTED, STYLES

NAME_PX = 11  # a station's name beside a similarity matrix needs
NUMBER_PX = 28  # a number in a cell of it needs
NAMED = ("real vs real", "copy", "mean of five")


def confusion(result, variable: str, heading: str):
    """Draw a similarity matrix of f0 distributions (the paper's Figure 6), blocks of stations outlined.

    Parameters
    ----------
    result : xarray.Dataset
        Of `obspy_tng.evaluate`.
    variable : str
        Of dimensions (row, column).
    heading : str

    Returns
    -------
    matplotlib.figure.Figure
        Wider than the others where the stations are too many for their names.
    """
    from matplotlib.patches import Rectangle

    values = result[variable].values
    stations = list(dict.fromkeys(str(row).split(" ")[0] for row in result.row.values))
    n_sets = len(values) // len(stations)
    names_px, top = 14 + 7 * max(map(len, stations)), 26
    left = names_px + 16
    side_px = max(drawing.WIDTH_PX - left - 14, len(stations) * NAME_PX)
    width_px, height_px = left + side_px + 14, top + side_px + left + 60

    figure, (axis,) = drawing.canvas(
        width_px=width_px, height_px=height_px, margins_px=(left, width_px - left - side_px, top, left + 60)
    )
    image = axis.imshow(values, vmin=0, vmax=1, cmap="Blues", interpolation="nearest", aspect="auto")
    centres = n_sets * np.arange(len(stations)) + (n_sets - 1) / 2
    axis.set_xticks(centres, stations, rotation=90, size=drawing.TICK_PT)
    axis.set_yticks(centres, stations, size=drawing.TICK_PT)
    axis.tick_params(length=0)
    drawing.label(axis, x="station", y="station")
    axis.grid(visible=False)
    for i in range(len(stations)):
        corner = (n_sets * i - 0.5, n_sets * i - 0.5)
        axis.add_patch(Rectangle(corner, n_sets, n_sets, fill=False, edgecolor="#c8322b", linewidth=1))
    if side_px / len(values) >= NUMBER_PX:
        for (i, j), value in np.ndenumerate(values):
            colour = "white" if value > 0.6 else "black"
            axis.text(j, i, f"{value:.2f}", ha="center", va="center", size=drawing.TICK_PT, color=colour)
    bar = figure.add_axes((left / width_px, 38 / height_px, side_px / width_px, 9 / height_px))
    figure.colorbar(image, cax=bar, orientation="horizontal")
    bar.tick_params(labelsize=drawing.TICK_PT, length=2, pad=2)
    drawing.label(bar, x="similarity (1: the same distribution)")
    drawing.title(axis, heading)
    return figure


def bias(result, variable: str):
    """Draw a curve over period or frequency of every method beside those of the generator's single stations.

    Parameters
    ----------
    result : xarray.Dataset
    variable : {"psa_ln_bias", "psa_sigma_ratio", "hvsr_ln_difference"}

    Returns
    -------
    matplotlib.figure.Figure
    """
    heading, ordinate, perfect = {
        "psa_ln_bias": ("Response spectra: bias against the pool", "mean ln PSA, less the pool's (ln)", 0.0),
        "psa_sigma_ratio": ("Response spectra: spread against the pool", "σ ln PSA over the pool's (ratio)", 1.0),
        "hvsr_ln_difference": ("HVSR: bias against held-out events", "mean ln HVSR, less the real (ln)", 0.0),
    }[variable]
    figure, (axis,) = drawing.canvas()
    array = result[variable]
    x = array[array.dims[-1]].values
    single = np.atleast_2d(array.sel(ensemble="generated").values)
    if len(single) > 1:
        lines = axis.plot(x, single.T, color=STYLES["generated"][0], linewidth=0.5, alpha=0.3)
        lines[0].set_label("one station each")
    for name in ("generated", *NAMED):
        if name in array.ensemble.values:
            colour, dashes = STYLES[name]
            mean = _mean(array.sel(ensemble=name).values)
            width = 2 if name == "generated" else 1.3
            axis.plot(x, mean, color=colour, linestyle=dashes, linewidth=width, label=name)
    axis.axhline(perfect, color="0.2", linewidth=0.8)
    low, high = axis.get_ylim()
    low, high = min(low, perfect - 0.5), max(high, perfect + 0.5)
    axis.set_ylim(low, high + 0.3 * (high - low))
    if array.dims[-1] == "period":
        drawing.period_axis(axis, x)
    else:
        drawing.frequency_axis(axis, x)
    drawing.label(axis, y=ordinate)
    drawing.title(axis, heading)
    drawing.legend(axis, loc="upper left", ncols=2)
    for handle in axis.get_legend().get_lines():
        handle.set_alpha(1)
    return figure


def _mean(curves):
    """Return the mean over stations, NaN where none has a value."""
    count = np.isfinite(curves).sum(axis=0)
    return np.where(count > 0, np.nansum(curves, axis=0) / np.maximum(count, 1), np.nan)


def correlation(result, name: str):
    """Draw the inter-frequency correlation of one set.

    Parameters
    ----------
    result : xarray.Dataset
    name : str
        Of the set, or "Bayless & Abrahamson".

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (axis,) = drawing.canvas(width_px=drawing.WIDTH_PX, height_px=372, margins_px=(54, 20, 26, 98))
    array = result.correlation
    values = array.sel({array.dims[0]: name}).values
    frequency_hz = result.eas_frequency.values
    image = axis.pcolormesh(
        frequency_hz, frequency_hz, values, vmin=-1, vmax=1, cmap="RdBu_r", shading="nearest", rasterized=True
    )
    drawing.frequency_axis(axis, frequency_hz)
    axis.set_yscale("log")
    axis.set_ylim(frequency_hz[0], frequency_hz[-1])
    drawing.ticks(axis.yaxis, drawing.frequency_ticks(frequency_hz))
    drawing.label(axis, y="frequency (Hz)")
    axis.grid(visible=False)
    box = figure.add_axes((54 / 364, 38 / 372, 290 / 364, 9 / 372))
    figure.colorbar(image, cax=box, orientation="horizontal", ticks=[-1, -0.5, 0, 0.5, 1])
    box.tick_params(labelsize=drawing.TICK_PT, length=2, pad=2)
    drawing.label(box, x="correlation of ln amplitudes (1)")
    drawing.title(axis, name)
    return figure


def novelty(result, kind: str):
    """Draw how alike generated records are to pool records, beside how alike real records are to each other.

    Parameters
    ----------
    result : xarray.Dataset
    kind : str
        Of likeness.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (axis,) = drawing.canvas()
    made, real = (
        _finite(array.sel({array.dims[1]: kind}).values) for array in (result.novelty_record, result.novelty_real)
    )
    both = np.concatenate([made, real])
    edges = np.linspace(min(both.min(), 0), max(both.max(), 1), 41) if both.size else np.linspace(0, 1, 41)
    for values, name, text in ((real, "real", "real, to other real"), (made, "generated", "generated, to the pool")):
        if not values.size:
            continue
        colour, dashes = STYLES[name]
        share = 100 * np.histogram(values, edges)[0] / values.size
        if name == "real":
            axis.stairs(share, edges, fill=True, color=colour, alpha=0.25)
        axis.stairs(share, edges, color=colour, linestyle=dashes, linewidth=1.4, label=text)
    if real.size:
        axis.axvline(np.quantile(real, 0.99), color=MUTED, linewidth=1.2, label="99 % of real are below")
    axis.set_xlim(edges[0], edges[-1])
    axis.set_ylim(0, 1.45 * max(axis.get_ylim()[1], 1))
    drawing.label(axis, x=f"highest {kind} (1: a copy)", y="share of records (%)")
    drawing.title(axis, f"Novelty: {kind}")
    drawing.legend(axis, loc="upper right")
    return figure


def _finite(values):
    return values[np.isfinite(values)]
