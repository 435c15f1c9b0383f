"""Figures. matplotlib is imported on use and its global state (pyplot) never touched: no display needed."""

from __future__ import annotations

import numpy as np

from obspy_tng.errors import TNGError

RECORD, MEDIAN, SPREAD, F0 = "#9aa5b1", "#12355b", "#7fb2d9", "#c8322b"
MAX_RECORDS = 300  # thin lines drawn per station
TICKS_HZ = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


def plot_hvsr(dataset, f0=None, station: str | None = None):
    """Draw the HVSR page of one station: all curves, median and spread, f0 with its interval, records used.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `obspy_tng.hvsr`.
    f0 : xarray.Dataset, optional
        Of `obspy_tng.pick_f0`; computed when not given.
    station : str, optional
        Needed when the Dataset holds several.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TNGError
        `station` is not in the Dataset, or not given where there are several.
    """
    from matplotlib.figure import Figure

    known = [str(s) for s in dataset.station.values]
    if station is None and len(known) == 1:
        station = known[0]
    if station not in known:
        raise TNGError(f"station {station!r} given; accepted: {', '.join(known)}")
    f0 = _picked(dataset, f0)
    figure = Figure(figsize=(8, 6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    _draw(top, dataset, f0, station, records=True)
    one, verdict = dataset.sel(station=station), f0.sel(station=station)
    top.set_title(f"{station}: {_verdict(verdict)}", loc="left", fontsize=12, fontweight="bold", color=_colour(verdict))
    top.set_ylabel("H/V spectral ratio")
    legend = top.legend(loc="upper right", fontsize=9, framealpha=0.9)
    for handle in legend.get_lines():
        handle.set_alpha(1)
    bottom.fill_between(dataset.frequency, one.n_valid, step="mid", color=SPREAD, alpha=0.6, linewidth=0)
    bottom.set_ylim(0, 1.1 * max(int(verdict.n_records), 1))
    bottom.set_ylabel("records valid")
    _frequency_axis(bottom, dataset)
    bottom.set_xlabel("frequency (Hz)")
    figure.text(0.005, -0.005, _settings_line(dataset, station), fontsize=8, color="0.35", va="top")
    return figure


def plot_overview(dataset, f0=None, columns: int = 4):
    """Draw one small panel per station: median and spread, f0 or the reason why there is none.

    Parameters
    ----------
    dataset, f0 : xarray.Dataset
        As in `plot_hvsr`.
    columns : int
        Panels side by side.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    f0 = _picked(dataset, f0)
    stations = [str(s) for s in dataset.station.values]
    columns = min(columns, len(stations))
    rows = -(-len(stations) // columns)
    figure = Figure(figsize=(3.2 * columns, 2.3 * rows + 0.5), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axis, station in zip(axes, stations, strict=False):
        _draw(axis, dataset, f0, station, records=False)
        verdict = f0.sel(station=station)
        axis.set_title(f"{station}  {_verdict(verdict, short=True)}", loc="left", fontsize=9, color=_colour(verdict))
        _frequency_axis(axis, dataset)
    for axis in axes[len(stations) :]:
        axis.set_visible(False)
    for i in range(len(stations)):
        if i % columns == 0:
            axes[i].set_ylabel("H/V")
        if i + columns >= len(stations):
            axes[i].set_xlabel("frequency (Hz)")
            axes[i].tick_params(labelbottom=True)
    return figure


def save_hvsr(dataset, f0, path) -> None:
    """Write the page of one station, or the overview of several, to an image or PDF file."""
    one = dataset.sizes["station"] == 1
    figure = plot_hvsr(dataset, f0) if one else plot_overview(dataset, f0)
    figure.savefig(path, dpi=130, bbox_inches="tight")


def plot_generated(stream, published_f0_hz: float | None = None):
    """Draw generated records: the first realisation, and the H/V curves of all.

    Parameters
    ----------
    stream : obspy.Stream
        From `obspy_tng.generate`.
    published_f0_hz : float, optional
        Drawn beside the f0 of the records.

    Returns
    -------
    matplotlib.figure.Figure
        f0 is the median over records of the largest H/V in 1-20 Hz (definition of the published code).
    """
    from matplotlib.figure import Figure

    from obspy_tng.site.timesnet_gen import frequencies, hvsr_curves, record_f0

    if len(stream) == 0 or len(stream) % 3 or "tng" not in stream[0].stats:
        raise TNGError("a stream of generate() is needed: three traces per realisation, with stats.tng")
    made, rate = stream[0].stats.tng, stream[0].stats.sampling_rate
    waves = np.array([trace.data for trace in stream], dtype=float).reshape(len(stream) // 3, 3, -1)  # m/s²
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    grid = figure.add_gridspec(3, 2, width_ratios=(1.5, 1))
    time, limit = np.arange(waves.shape[-1]) / rate, 1.05 * np.abs(waves[0]).max()
    for row, component in enumerate("ENZ"):
        axis = figure.add_subplot(grid[row, 0])
        axis.plot(time, waves[0, row], color=MEDIAN, linewidth=0.6)
        axis.set(xlim=(0, time[-1]), ylim=(-limit, limit), ylabel=f"{component} (m/s²)")
        axis.tick_params(labelbottom=row == 2)
        if row == 0:
            axis.set_title(f"{made.station}, realisation 0 of {len(waves)} ({made.pool_kind} pool)", loc="left")
    axis.set_xlabel("time (s)")
    frequency, f0_hz = frequencies(), float(np.median(record_f0(waves, rate)))
    curves = hvsr_curves(waves, rate, frequency)
    axis = figure.add_subplot(grid[:, 1])
    axis.loglog(frequency, curves[:MAX_RECORDS].T, color=RECORD, linewidth=0.5)
    axis.loglog(frequency, np.median(curves, axis=0), color=MEDIAN, linewidth=2, label="median of the generated")
    axis.axvline(f0_hz, color=F0, linewidth=1.2, label=f"f0 of the generated, {f0_hz:.2f} Hz")
    if published_f0_hz is not None:
        axis.axvline(
            published_f0_hz, color="0.2", linestyle="--", linewidth=1.2, label=f"f0 published, {published_f0_hz} Hz"
        )
    axis.set_xlim(frequency[0], frequency[-1])
    axis.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axis.set_yticks([0.2, 0.5, 1, 2, 5, 10, 20], ["0.2", "0.5", "1", "2", "5", "10", "20"])
    axis.set_ylim(0.6 * curves.min(), 2 * curves.max())
    axis.minorticks_off()
    axis.set(xlabel="frequency (Hz)", ylabel="H/V spectral ratio")
    axis.set_title("H/V of the generated records", loc="left")
    axis.legend(fontsize=8, loc="upper right")
    return figure


def _picked(dataset, f0):
    if f0 is not None:
        return f0
    from obspy_tng.site.f0 import pick_f0

    return pick_f0(dataset)


def _draw(axis, dataset, f0, station, *, records):
    """Draw the curves of one station; `records` adds every record's own."""
    frequency = dataset.frequency.values
    one, verdict = dataset.sel(station=station), f0.sel(station=station)
    if records:
        curves = dataset.hvsr.values[dataset.record_station.values == station]
        shown = curves[:: -(-len(curves) // MAX_RECORDS)]
        lines = axis.plot(frequency, shown.T, color=RECORD, linewidth=0.5, alpha=0.5, zorder=1)
        lines[0].set_label(f"{len(curves)} records")
    median, sigma = one.curve.values, one.sigma_ln.values
    axis.fill_between(
        frequency,
        median * np.exp(-sigma),
        median * np.exp(sigma),
        color=SPREAD,
        alpha=0.45,
        linewidth=0,
        zorder=2,
        label="± 1 sd of ln",
    )
    axis.plot(frequency, median, color=MEDIAN, linewidth=1.8, zorder=4, label="exp(mean ln)")
    limit = f0.attrs.get("min_amplitude", 2.0)
    axis.axhline(limit, color="0.4", linewidth=0.8, linestyle=":", zorder=0, label=f"clear from {limit:.3g}")
    if np.isfinite(verdict.f0_hz):
        if np.isfinite(verdict.f0_low_hz):
            axis.axvspan(
                verdict.f0_low_hz.item(),
                verdict.f0_high_hz.item(),
                color=F0,
                alpha=0.18,
                linewidth=0,
                zorder=0,
            )
        axis.axvline(verdict.f0_hz.item(), color=F0, linewidth=1.2, zorder=3, label="f0, 68 % interval")
        axis.plot(verdict.f0_hz, verdict.a0, "o", color=F0, markersize=4, zorder=5)
    axis.set_yscale("log")
    _ratio_axis(axis, dataset)


def _ratio_axis(axis, dataset):
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    values = dataset.curve.values
    low, high = np.nanmin(values, initial=0.5), np.nanmax(values, initial=5.0)
    axis.set_ylim(0.4 * low, 2.2 * high)
    axis.yaxis.set_major_locator(FixedLocator([0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axis.grid(color="0.9", linewidth=0.6)


def _frequency_axis(axis, dataset):
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axis.set_xscale("log")
    low, high = dataset.attrs.get("band_hz", dataset.frequency.values[[0, -1]])
    axis.set_xlim(low, high)
    axis.xaxis.set_major_locator(FixedLocator([t for t in TICKS_HZ if low <= t * 1.001 and t <= high * 1.001]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axis.grid(color="0.9", linewidth=0.6)


def _verdict(verdict, *, short=False) -> str:
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


def _colour(verdict):
    return "0.15" if np.isfinite(verdict.f0_hz) else "0.45"


def _settings_line(dataset, station) -> str:
    a = dataset.attrs
    mine = dataset.record_station.values == station
    sources, counts = np.unique(dataset.window_source.values[mine], return_counts=True)
    length = (dataset.window_end_s - dataset.window_start_s).values[mine]
    windows = ", ".join(f"{n} by {s}" if s != "full" else f"{n} whole" for s, n in zip(sources, counts, strict=True))
    mask = f"signal/noise ≥ {a['snr']:g}" if a["snr"] else "no noise mask"
    definition = f", as {a['compat']}" if a["compat"] else ""
    how = f"{a['horizontal']} horizontal; {a['smoothing']}; {mask}{definition}"
    return f"windows {np.median(length):.0f} s ({windows}); {how}"
