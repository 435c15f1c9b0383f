"""Figures of HVSR: a page per station, an overview of all, f0 of single records, azimuths.

matplotlib is imported on use and its global state (pyplot) never touched: no display needed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from obspy_tng import plotting_panels as panels
from obspy_tng.errors import TNGError
from obspy_tng.plotting_overview import (
    WIDTH_IN,
    box,
    chosen,
    pages,
    picked,
    plot_overview,
    sheet,
    stations_of,
    verdict_text,
)


def plot_hvsr(dataset, f0=None, station: str | None = None, *, traces=None, sesame=None):
    """Draw the page of one station.

    All curves with median and spread, f0 with its interval and further peaks, windows valid at each frequency,
    example records with their windows, the f0 of single records, and the curves by azimuth where the Dataset has them.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `obspy_tng.hvsr`.
    f0 : xarray.Dataset, optional
        Of `obspy_tng.pick_f0`; computed when not given.
    station : str, optional
        Needed when the Dataset holds several.
    traces : list of (str, numpy.ndarray, float), optional
        Records to show: id as in ``record_id``, samples (3, n) in the order E, N, Z, sampling rate in Hz. Those
        of other stations are left out, the first three shown. Without any, the windows of all records are shown.
    sesame : xarray.Dataset, optional
        Of `obspy_tng.site.sesame.sesame`; its verdict is written below that of f0.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TNGError
        `station` is not in the Dataset, or not given where there are several.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> curves = tng.hvsr("data_samples/network/*.mseed", events="data_samples/network/events.xml")
    >>> figure = plot_hvsr(curves, tng.pick_f0(curves), "XT.SOFT")
    >>> figure.savefig("soft.png")  # doctest: +SKIP
    """
    from matplotlib.figure import Figure

    station, f0 = chosen(dataset, station), picked(dataset, f0)
    verdict = f0.sel(station=station)
    mine = set(panels.row_ids(dataset)[dataset.record_station.values == station])
    shown = [item for item in traces or () if item[0] in mine][:3]
    directions = panels.by_azimuth(dataset, station) is not None
    values = panels.record_f0(dataset, f0, station)
    counted = values is not None and np.isfinite(values).any()
    first, remarks = _words(verdict, sesame, station)
    heights = [3.6, 0.7, *([1.5] if directions else []), 0.3 + 0.85 * max(len(shown), 2) if shown else 1.6]
    head, gap, foot = 0.45 + 0.16 * len(remarks), 0.62, 0.62  # in inches, as the heights
    total = head + sum(heights) + 0.12 * (len(heights) - 2) + gap + foot
    figure = Figure(figsize=(WIDTH_IN, total))
    axes = _stack(figure, heights, head, gap, total, 0.86 if directions else 0.89)
    panels.curves(axes[0], dataset, f0, station)
    panels.ratio_axis(axes[0], dataset, station)
    axes[0].set_ylabel("H/V spectral ratio", fontsize=9)
    panels.valid(axes[1], dataset, station)
    if directions:
        _azimuth_panel(figure, axes[2], dataset, f0, station)
    upper = axes[: 2 + directions]
    for axis in upper:
        panels.frequency_axis(axis, dataset)
        axis.tick_params(labelbottom=axis is upper[-1], labelsize=8)
    if directions:
        axes[2].grid(False)
    upper[-1].set_xlabel("frequency (Hz)", labelpad=1, fontsize=9)
    _legend(axes[0])
    lowest = axes[-1]
    if counted:
        spot = lowest.get_position()
        lowest.set_position([spot.x0, spot.y0, 0.64 * spot.width, spot.height])
        beside = figure.add_axes([spot.x0 + 0.72 * spot.width, spot.y0, 0.28 * spot.width, spot.height])
        panels.histogram(beside, dataset, f0, station)
        panels.frequency_axis(beside, dataset)
        beside.set_xticks([t for t in beside.get_xticks() if t in (0.1, 0.5, 1, 2, 5, 10, 20, 50)])
        beside.set_xlabel("f0 of single curves (Hz)", labelpad=1, fontsize=8)
        beside.yaxis.label.set_size(8)
        beside.tick_params(labelsize=7)
    if shown:
        panels.traces(lowest, shown, dataset)
    else:
        panels.spans(lowest, dataset, station)
    lowest.tick_params(labelsize=8)
    lowest.xaxis.labelpad = 1
    for axis in axes[1:]:
        axis.xaxis.label.set_size(9)
        axis.yaxis.label.set_size(9)
    _window_key(lowest, dataset, station)
    left = axes[0].get_position().x0
    figure.text(left, 1 - 0.15 / total, f"{station}   {first}", fontsize=12, fontweight="bold", va="top")
    figure.text(left, 1 - 0.38 / total, "\n".join(remarks), fontsize=8, color="0.25", va="top")
    figure.text(left, 0.1 / total, _settings_line(dataset, station), fontsize=7, color="0.35", va="bottom")
    return figure


def plot_f0_histogram(dataset, f0=None, station: str | None = None):
    """Draw how the f0 of single records or windows scatter at one station.

    Parameters
    ----------
    dataset, f0, station
        As in `plot_hvsr`; one of the two must hold ``f0_record_hz`` (record).

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TNGError
        Neither holds f0 of single records; or as `plot_hvsr`.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> curves = tng.hvsr("data_samples/network/*.mseed")
    >>> figure = plot_f0_histogram(curves, station="XT.SOFT")
    >>> figure.savefig("f0.png")  # doctest: +SKIP
    """
    from matplotlib.figure import Figure

    station, f0 = chosen(dataset, station), picked(dataset, f0)
    figure = Figure(figsize=(5.5, 3), layout="constrained")
    axis = figure.subplots()
    if not panels.histogram(axis, dataset, f0, station):
        raise TNGError(f"no f0 of single records of {station}: neither Dataset holds a finite f0_record_hz")
    panels.frequency_axis(axis, dataset)
    axis.set_xlabel("f0 of single curves (Hz)")
    axis.set_title(station, loc="left", fontsize=11, fontweight="bold")
    return figure


def plot_azimuths(dataset, f0=None, station: str | None = None):
    """Draw the curves of one station by azimuth, clockwise from north.

    Parameters
    ----------
    dataset, f0, station
        As in `plot_hvsr`; the Dataset must have the dimension ``azimuth``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TNGError
        The Dataset has no azimuths; or as `plot_hvsr`.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> curves = tng.hvsr("data_samples/network/*.mseed", azimuth_step_deg=30)
    >>> figure = plot_azimuths(curves, station="XT.SOFT")
    >>> figure.savefig("azimuths.png")  # doctest: +SKIP
    """
    station, f0 = chosen(dataset, station), picked(dataset, f0)
    figure = sheet(3.2)
    axis = figure.add_axes([0.09, 0.16, 0.78, 0.72])
    if not _azimuth_panel(figure, axis, dataset, f0, station):
        raise TNGError("the Dataset has no curves by azimuth; compute it with azimuth_step_deg=")
    panels.frequency_axis(axis, dataset)
    axis.grid(False)
    axis.set_xlabel("frequency (Hz)")
    axis.set_title(station, loc="left", fontsize=11, fontweight="bold")
    return figure


def save(dataset, f0, path, *, traces=None, sesame=None) -> str:
    """Write the figure of an HVSR: the page of one station; the overview of several, in .pdf with a page of each.

    Parameters
    ----------
    dataset, f0, traces, sesame
        As in `plot_hvsr`.
    path : path
        Its ending tells the format.

    Returns
    -------
    str
        What was written, for people.

    Examples
    --------
    >>> import tempfile
    >>> import obspy_tng as tng
    >>> curves = tng.hvsr("data_samples/network/*.mseed")
    >>> written = save(curves, tng.pick_f0(curves), tempfile.mkdtemp() + "/f0.png")
    """
    f0, stations = picked(dataset, f0), stations_of(dataset)
    more = {"traces": traces, "sesame": sesame}
    if len(stations) == 1:
        plot_hvsr(dataset, f0, stations[0], **more).savefig(path, dpi=150)
        return f"page of {stations[0]}"
    if Path(path).suffix.lower() != ".pdf":
        plot_overview(dataset, f0).savefig(path, dpi=150)
        return f"overview of {len(stations)} stations; a .pdf also holds a page of each"
    from matplotlib.backends.backend_pdf import PdfPages

    with PdfPages(path) as pdf:
        sheets = pages(dataset, f0, stations)
        for figure in sheets:
            pdf.savefig(figure, dpi=150)
        for station in stations:
            pdf.savefig(plot_hvsr(dataset, f0, station, **more), dpi=150)
    return f"overview of {len(stations)} stations and a page of each"


# --- parts of pages


def _stack(figure, heights, head, gap, total, width):
    """Return axes below each other; the first ones, which share their frequencies, close together."""
    axes, top = [], head
    for k, height in enumerate(heights):
        axes.append(figure.add_axes(box(top, height, total, 0.085, width)))
        top += height + (gap if k == len(heights) - 2 else 0.12)
    return axes


def _azimuth_panel(figure, axis, dataset, f0, station) -> bool:
    image = panels.azimuths(axis, dataset, f0, station)
    if image is None:
        return False
    spot = axis.get_position()
    bar = figure.colorbar(image, cax=figure.add_axes([spot.x1 + 0.008, spot.y0, 0.01, spot.height]))
    low, high = image.get_clim()
    bar.set_ticks([t for t in (0.5, 1, 2, 3, 5, 10, 20) if low <= t <= high])
    bar.minorticks_off()
    bar.ax.yaxis.set_major_formatter(lambda v, _: f"{v:g}")
    bar.ax.tick_params(labelsize=6, pad=1)
    bar.ax.set_title("H/V", fontsize=6, pad=2)
    return True


def _legend(axis):
    legend = axis.legend(loc="upper right", fontsize=7.5, framealpha=0.9)
    for handle in legend.get_lines():
        handle.set_alpha(1)


def _window_key(axis, dataset, station):
    """Name the colours of the windows above their panel."""
    mine = dataset.record_station.values == station
    parts = [("signal window", panels.SPREAD)]
    if "noise_start_s" in dataset.coords and np.isfinite(dataset.noise_start_s.values[mine]).any():
        parts.append(("noise", "0.7"))
    if not panels.taken(dataset)[mine].all():
        parts.append(("rejected", panels.REJECTED))
    x = 0.0
    for text, colour in parts:
        axis.text(x, 1.02, f"■ {text}", color=colour, fontsize=7, transform=axis.transAxes, va="bottom")
        x += 0.025 + 0.014 * len(text) * 0.84 / axis.get_position().width


def _words(verdict, sesame, station):
    """Return the title of a page and the lines below it."""
    first, *rest = verdict_text(verdict).split("\n")
    lines = _wrapped("; ".join(rest))[:2]
    if sesame is not None:
        lines.append(f"SESAME (2004), reliability/clarity: {sesame.verdict.sel(station=station).item()}")
    return first, lines


def _wrapped(text):
    import textwrap

    return textwrap.wrap(text, 125)


# --- words


def _settings_line(dataset, station) -> str:
    a = dataset.attrs
    mine = dataset.record_station.values == station
    sources, counts = np.unique(dataset.window_source.values[mine], return_counts=True)
    length = (dataset.window_end_s - dataset.window_start_s).values[mine]
    words = {"full": "whole", "sliding": "sliding", "noise": "of noise"}
    windows = ", ".join(f"{n} {words.get(s, f'by {s}')}" for s, n in zip(sources, counts, strict=True))
    mask = f"signal/noise ≥ {a['snr']:g}" if a.get("snr") else "no noise mask"
    definition = f", as {a['compat']}" if a.get("compat") else ""
    how = f"{a.get('horizontal', '')} horizontal; {a.get('smoothing', '')}; {mask}{definition}"
    return f"windows {np.median(length):.0f} s ({windows}); {how}"
