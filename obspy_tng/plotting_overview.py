"""The overview of many stations: f0 of all with intervals, and a small panel of each."""

from __future__ import annotations

import numpy as np

from obspy_tng import plotting_panels as panels
from obspy_tng.errors import TNGError

WIDTH_IN = 8.27  # A4; text of 7-9 pt stays readable at the width of a page
PER_PAGE = 24  # small panels of one page
ROW_IN = 1.5


def plot_overview(dataset, f0=None, columns: int = 4):
    """Draw f0 of all stations with intervals, and below a small panel of each: median, spread, f0 or why there is none.

    Parameters
    ----------
    dataset, f0 : xarray.Dataset
        As in `plot_hvsr`.
    columns : int
        Panels side by side.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import obspy_tng as tng
    >>> curves = tng.hvsr("data_samples/network/*.mseed")
    >>> figure = plot_overview(curves, tng.pick_f0(curves))
    >>> figure.savefig("f0.png")  # doctest: +SKIP
    """
    f0, stations = picked(dataset, f0), stations_of(dataset)
    columns = min(columns, len(stations))
    table, grid = _table_height(stations), ROW_IN * -(-len(stations) // columns)
    figure = sheet(table + grid + 1.35)
    total = figure.get_figheight()
    _dots(figure.add_axes(box(0.35, table, total)), dataset, f0)
    _grid(figure, stations, dataset, f0, columns, 0.35 + table + 0.6, total)
    return figure


def pages(dataset, f0, stations):
    """Yield the figures of the overview, each of the size of a page or a little more."""
    if len(stations) <= 12:
        yield plot_overview(dataset, f0)
        return
    table = _table_height(stations)
    figure = sheet(table + 0.85)
    _dots(figure.add_axes(box(0.35, table, table + 0.85)), dataset, f0)
    yield figure
    for k in range(0, len(stations), PER_PAGE):
        part = stations[k : k + PER_PAGE]
        figure = sheet(ROW_IN * -(-len(part) // 4) + 0.75)
        _grid(figure, part, dataset, f0, 4, 0.35, figure.get_figheight())
        yield figure


def _table_height(stations):
    return 0.17 * len(stations) + 0.2


def _dots(axis, dataset, f0):
    """Draw f0 with its interval, and numbers beside it, one line per station."""
    stations = stations_of(dataset)
    for y, station in enumerate(stations):
        one = f0.sel(station=station)
        f0_hz, low, high = (float(one[name]) for name in ("f0_hz", "f0_low_hz", "f0_high_hz"))
        right = {"transform": axis.get_yaxis_transform(), "fontsize": 6.5, "va": "center", "clip_on": False}
        if not np.isfinite(f0_hz):
            axis.text(0.01, y, verdict_text(one, short=True), color="0.45", **right)
            continue
        if np.isfinite(low):
            axis.plot([low, high], [y, y], color=panels.F0, linewidth=5, alpha=0.4, solid_capstyle="butt")
        axis.plot(f0_hz, y, "|", color=panels.F0, markersize=7, markeredgewidth=1.1)  # leaves a narrow interval seen
        axis.plot(panels.alternative(one), y, marker="$?$", color=panels.F0, markersize=5)
        for place, _ in panels.further_peaks(one):
            axis.plot(place, y, "v", color="white", markeredgecolor=panels.F0, markersize=4)
        sizes = f"{int(one.n_used)}/{int((dataset.record_station.values == station).sum())}"
        text = f"{f0_hz:.2f} Hz, A0 {float(one.a0):.1f}, {sizes}"
        axis.text(0.99, y, text, ha="right", color="0.25", **right)
    panels.frequency_axis(axis, dataset)
    low, high = panels.band(dataset)
    axis.set_xlim(low, high * (high / low) ** 0.32)  # room for the numbers
    axis.set_ylim(len(stations) - 0.4, -0.6)
    axis.set_yticks(range(len(stations)), stations, fontsize=7)
    axis.tick_params(axis="y", length=0)
    axis.tick_params(axis="x", labelsize=7)
    axis.set_xlabel("f0 and 68 % interval (Hz)", fontsize=8, labelpad=1)
    axis.set_title(
        "f0 of all stations (? f0 may be here); right: f0, amplitude, curves used/all", loc="left", fontsize=9
    )


def _grid(figure, stations, dataset, f0, columns, top_in, total_in):
    """Draw a small panel per station below `top_in`."""
    width, gap = (0.90 + 0.025) / columns, 0.025
    for k, station in enumerate(stations):
        row, column = divmod(k, columns)
        place = box(top_in + ROW_IN * row + 0.2, ROW_IN - 0.3, total_in, 0.07 + width * column, width - gap)
        axis = figure.add_axes(place)
        panels.curves(axis, dataset, f0, station, every=False)
        one = f0.sel(station=station)
        colour = "0.15" if np.isfinite(one.f0_hz) else "0.45"
        title = f"{station}  {verdict_text(one, short=True)}"
        axis.set_title(_short(title, int(120 / columns)), loc="left", fontsize=7, color=colour, pad=2)
        panels.frequency_axis(axis, dataset)
        last = k + columns >= len(stations)
        axis.tick_params(labelsize=7, labelbottom=last, labelleft=column == 0)
        if column == 0:
            axis.set_ylabel("H/V", fontsize=7, labelpad=1)
        if last:
            axis.set_xlabel("frequency (Hz)", fontsize=7, labelpad=1)


def _short(text, n):
    return text if len(text) <= n else f"{text[: n - 1].rstrip()}…"


# --- shared with the pages


def verdict_text(verdict, *, short: bool = False) -> str:
    """Return f0 of a station, or why there is none, in words; remarks after a line break."""
    if not np.isfinite(verdict.f0_hz):
        reason = str(verdict.reason.item())
        return f"no f0 ({reason.split(':')[0]})" if short else f"no f0\n{reason}"
    text = f"f0 = {verdict.f0_hz.item():.2f} Hz"
    if short:
        return text
    if np.isfinite(verdict.f0_low_hz):
        text += f" ({verdict.f0_low_hz.item():.2f}–{verdict.f0_high_hz.item():.2f})"
    text += f", A0 = {verdict.a0.item():.1f}"
    if np.isfinite(verdict.support):
        text += f", support {100 * verdict.support.item():.0f} %"
    reason = str(verdict.reason.item())
    return f"{text}\n{reason}" if reason else text


def sheet(height_in):
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH_IN, height_in))


def box(top_in, height_in, total_in, left=0.13, width=0.84):
    return [left, 1 - (top_in + height_in) / total_in, width, height_in / total_in]


def stations_of(dataset):
    return [str(s) for s in dataset.station.values]


def chosen(dataset, station):
    known = stations_of(dataset)
    if station is None and len(known) == 1:
        return known[0]
    if station not in known:
        raise TNGError(f"station {station!r} given; accepted: {', '.join(known)}")
    return station


def picked(dataset, f0):
    if f0 is not None:
        return f0
    from obspy_tng.site.f0 import pick_f0

    return pick_f0(dataset)
