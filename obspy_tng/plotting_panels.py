"""Panels of HVSR figures: each function draws one thing on matplotlib axes."""

from __future__ import annotations

import numpy as np

RECORD, MEDIAN, SPREAD, F0, REJECTED = "#9aa5b1", "#12355b", "#7fb2d9", "#c8322b", "#e8a49c"
MAX_RECORDS = 300  # thin lines drawn per station
MAX_ROWS = 60  # records whose windows are told apart
TICKS_HZ = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
_RECORD_HEIGHT = 3.55  # three traces and a line of words
_POINTS = 3000  # of one trace; more cannot be seen


def curves(axis, dataset, f0, station, *, every: bool = True) -> None:
    """Draw the curves of one station; `every` adds those of single windows, rejected ones dashed."""
    frequency = dataset.frequency.values
    i = _index(dataset, station)
    verdict = f0.sel(station=station)
    if every:
        _all_curves(axis, dataset, station, frequency)
    median, sigma = dataset.curve.values[i], dataset.sigma_ln.values[i]
    low, high = median * np.exp(-sigma), median * np.exp(sigma)
    label = "± 1 sd of ln"
    if np.isfinite(low).any():  # one window has no spread
        axis.fill_between(frequency, low, high, color=SPREAD, alpha=0.45, linewidth=0, zorder=2, label=label)
    axis.plot(frequency, median, color=MEDIAN, linewidth=1.8, zorder=4, label="exp(mean ln)")
    limit = f0.attrs.get("min_amplitude", 2.0)
    axis.axhline(limit, color="0.4", linewidth=0.8, linestyle=":", zorder=0, label=f"clear from {limit:.3g}")
    f0_mark(axis, verdict, amplitude=True)
    other = alternative(verdict)
    if np.isfinite(other):
        axis.axvline(other, color=F0, linewidth=1, linestyle=(0, (2, 2)), zorder=3, label="f0 may be here instead")
    for k, (place, height) in enumerate(further_peaks(verdict)):
        label = "further clear peak" if k == 0 else None
        axis.plot(place, height, "v", color="white", markeredgecolor=F0, markersize=6, zorder=5, label=label)
    axis.set_yscale("log")
    ratio_axis(axis, dataset)


def _all_curves(axis, dataset, station, frequency):
    from matplotlib.collections import LineCollection

    mine, accepted = dataset.record_station.values == station, taken(dataset)
    unit = "window" if is_windowed(dataset, mine) else "record"
    for which, style, text in (
        (
            mine & ~accepted,
            {"colors": REJECTED, "linestyles": (0, (4, 2)), "linewidths": 0.9, "zorder": 1.5},
            " rejected",
        ),
        (mine & accepted, {"colors": RECORD, "linewidths": 0.5, "alpha": 0.5, "zorder": 1}, ""),
    ):
        n = int(which.sum())
        if n:
            shown = dataset.hvsr.values[which][:: -(-n // MAX_RECORDS)]
            lines = [np.column_stack([frequency, row]) for row in shown]
            style = style | {"rasterized": True, "label": f"{n} {unit}{'s' * (n > 1)}{text}"}
            axis.add_collection(LineCollection(lines, **style), autolim=False)


def f0_mark(axis, verdict, *, amplitude: bool = False) -> None:
    """Draw f0 as a line, its interval as a band behind, and the peak as a dot; nothing without f0."""
    f0_hz, low, high = (float(verdict[name]) for name in ("f0_hz", "f0_low_hz", "f0_high_hz"))
    if not np.isfinite(f0_hz):
        return
    if np.isfinite(low):
        axis.axvspan(low, high, color=F0, alpha=0.18, linewidth=0, zorder=0)
    label = "f0, 68 % interval" if np.isfinite(low) else "f0"
    axis.axvline(f0_hz, color=F0, linewidth=1.2, zorder=3, label=label)
    if amplitude:
        axis.plot(f0_hz, float(verdict.a0), "o", color=F0, markersize=4, zorder=5)


def alternative(verdict) -> float:
    """Return the other peak in Hz that f0 may be, NaN where there is none."""
    return float(verdict.f0_alternative_hz) if "f0_alternative_hz" in verdict else np.nan


def further_peaks(verdict) -> list[tuple[float, float]]:
    """Return frequency in Hz and amplitude of the further clear peaks of a station, if any were told."""
    if "peak_frequency_hz" not in verdict:
        return []
    pairs = zip(verdict.peak_frequency_hz.values, verdict.peak_amplitude.values, strict=True)
    first = float(verdict.f0_hz)
    return [(float(f), float(a)) for f, a in pairs if np.isfinite(f) and not np.isclose(f, first, rtol=1e-6)]


def valid(axis, dataset, station) -> None:
    """Draw how many accepted windows have a value at each frequency."""
    i = _index(dataset, station)
    mine = (dataset.record_station.values == station) & taken(dataset)
    axis.fill_between(dataset.frequency, dataset.n_valid.values[i], step="mid", color=SPREAD, alpha=0.6, linewidth=0)
    axis.set_ylim(0, 1.15 * max(int(mine.sum()), 1))
    axis.set_ylabel("valid")
    axis.grid(color="0.9", linewidth=0.6)


def traces(axis, given, dataset) -> None:
    """Draw records and shade their windows: signal blue, noise grey, rejected red.

    Parameters
    ----------
    given : list of (str, numpy.ndarray of shape (3, n), float)
        Record id, samples E, N, Z, sampling rate in Hz; each is drawn in units of its own peak.
    """
    ids, end = row_ids(dataset), 0.0
    for k, (name, data, rate) in enumerate(given):
        rows = np.flatnonzero(ids == name)
        at = -_RECORD_HEIGHT * k
        origin = _starts(dataset)[rows[0]] if len(rows) == 1 else 0.0
        _shade(axis, dataset, rows, origin, at - 2.5, 3.0)
        centred = data - data.mean(axis=1, keepdims=True)
        peak = np.abs(centred).max() or 1.0
        for row, y in zip(centred, (at, at - 1, at - 2), strict=True):
            time, low, high = _thinned(row / (2 * peak), rate)
            axis.fill_between(time - origin, y + low, y + high, color=MEDIAN, linewidth=0.4, rasterized=True, zorder=3)
        event = _event_text(dataset, rows[0]) if len(rows) else ""
        whole_s, shown_s = _length_s(dataset, rows), data.shape[1] / rate
        cut = f"first {shown_s:.0f} s of {whole_s:.0f} s" if whole_s > shown_s + 1 else ""
        end = max(end, (shown_s if cut else whole_s) - origin)
        label = "  ".join(filter(None, [name, event, cut]))
        axis.text(0.004, at + 0.56, label, fontsize=6.5, color="0.25", transform=axis.get_yaxis_transform(), zorder=4)
    axis.set_ylim(-_RECORD_HEIGHT * len(given) + 0.85, 1.1)
    places = [-_RECORD_HEIGHT * k - j for k in range(len(given)) for j in range(3)]
    axis.set_yticks(places, list("ENZ") * len(given), fontsize=7)
    axis.tick_params(axis="y", length=0)
    axis.autoscale(axis="x", tight=True)
    axis.set_xlim(right=min(axis.get_xlim()[1], end))  # windows go on where the samples are not kept
    single = all((ids == name).sum() == 1 for name, *_ in given)
    axis.set_xlabel("time after the window's start (s)" if single else "time (s)")


def spans(axis, dataset, station) -> None:
    """Draw when the windows of each record lie: signal blue, noise grey, rejected red."""
    mine = np.flatnonzero(dataset.record_station.values == station)
    ids = row_ids(dataset)[mine]
    names = list(dict.fromkeys(ids))
    shown = names[:: -(-len(names) // MAX_ROWS)]
    for y, name in enumerate(shown):
        _shade(axis, dataset, mine[ids == name], 0.0, y - 0.4, 0.8)
    axis.set_ylim(len(shown) - 0.4, -0.6)
    axis.set_yticks([])
    some = "" if len(shown) == len(names) else f"{len(shown)} of "
    axis.set_ylabel(f"{some}{len(names)} record{'s' * (len(names) > 1)}")
    axis.set_xlabel("time after the first sample (s)")
    axis.autoscale(axis="x", tight=True)
    axis.set_xlim(left=min(0.0, axis.get_xlim()[0]))


def _shade(axis, dataset, rows, origin, bottom, height):
    """Shade the windows of some rows, alternating in tone where they touch."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    starts, ends, accepted = _starts(dataset), dataset.window_end_s.values, taken(dataset)
    boxes = {"0.82": [], SPREAD: [], REJECTED: []}
    if "noise_start_s" in dataset.coords:
        begin, end = dataset.noise_start_s.values, dataset.noise_end_s.values
        for i in rows:
            if np.isfinite(begin[i]) and end[i] > begin[i]:
                boxes["0.82"].append(Rectangle((begin[i] - origin, bottom), end[i] - begin[i], height))
    for i in rows:
        width = ends[i] - starts[i]
        boxes[SPREAD if accepted[i] else REJECTED].append(Rectangle((starts[i] - origin, bottom), width, height))
    for colour, patches in boxes.items():
        edge = "white" if len(rows) > 1 else "none"
        style = {"facecolor": colour, "edgecolor": edge, "linewidth": 0.3, "alpha": 0.75, "zorder": 1}
        axis.add_collection(PatchCollection(patches, **style))


def histogram(axis, dataset, f0, station) -> bool:
    """Draw the f0 of single windows or records; return False where none are known."""
    values = record_f0(dataset, f0, station)
    if values is None or not np.isfinite(values).any():
        return False
    values = values[np.isfinite(values)]
    low, high = band(dataset)
    edges = np.geomspace(low, high, max(8, int(np.log2(high / low) * 8)) + 1)  # an eighth of an octave
    axis.hist(values, edges, color=RECORD, edgecolor="white", linewidth=0.3)
    f0_mark(axis, f0.sel(station=station))
    middle, sd = float(np.median(values)), float(np.log(values).std(ddof=1)) if values.size > 1 else np.nan
    spread = f"sd ln {sd:.2f}\n" if np.isfinite(sd) else ""
    text = f"median {middle:.2f} Hz\n{spread}n {values.size}"
    left = np.log(middle / low) > 0.5 * np.log(high / low)
    place = {"x": 0.03 if left else 0.97, "ha": "left" if left else "right"}
    axis.text(y=0.96, s=text, va="top", fontsize=7, transform=axis.transAxes, **place)
    axis.yaxis.get_major_locator().set_params(integer=True)
    axis.set_axisbelow(True)
    axis.set_ylabel("count")
    return True


def azimuths(axis, dataset, f0, station):
    """Draw the curve of each azimuth as colours; return the mappable, None where azimuths are not known."""
    from matplotlib.colors import LogNorm

    values = by_azimuth(dataset, station)
    if values is None:
        return None
    frequency, degrees = dataset.frequency.values, dataset.azimuth.values.astype(float)
    inside = (frequency >= band(dataset)[0]) & (frequency <= band(dataset)[1])
    finite = values[:, inside][np.isfinite(values[:, inside])]
    low, high = (finite.min(), finite.max()) if finite.size else (0.5, 5.0)
    norm = LogNorm(max(low, 1e-3), max(high, 1.01 * low))
    image = axis.pcolormesh(frequency, degrees, values, norm=norm, cmap="cividis", shading="nearest", rasterized=True)
    with np.errstate(invalid="ignore"):
        tops = [frequency[inside][np.nanargmax(row)] if np.isfinite(row).any() else np.nan for row in values[:, inside]]
    axis.plot(tops, degrees, ".", color="white", markersize=3, label="largest value")
    f0_hz = float(f0.sel(station=station).f0_hz)
    if np.isfinite(f0_hz):
        axis.axvline(f0_hz, color="white", linewidth=0.8, linestyle="--", label="f0")
    legend = {"facecolor": "0.25", "labelcolor": "white", "framealpha": 0.7, "edgecolor": "none"}
    axis.legend(loc="upper right", fontsize=6, ncols=2, borderpad=0.3, handlelength=1.6, **legend)
    axis.set_ylim(degrees.min() - 0.5 * _step(degrees), degrees.max() + 0.5 * _step(degrees))
    axis.set_yticks([t for t in (0, 45, 90, 135, 180) if t <= degrees.max() + 0.5 * _step(degrees)])
    axis.set_ylabel("azimuth (°)")
    return image


def by_azimuth(dataset, station) -> np.ndarray | None:
    """Return the curves of one station by azimuth, shape (azimuth, f), None where they are not known."""
    whole = _with_dims(dataset, ("station", "azimuth", "frequency"))
    if whole is not None:
        return whole.sel(station=station).transpose("azimuth", "frequency").values
    single = _with_dims(dataset, ("record", "azimuth", "frequency"))
    if single is None:
        return None
    mine = (dataset.record_station.values == station) & taken(dataset)
    rows = single.transpose("record", "azimuth", "frequency").values[mine]
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(rows)
    known = np.isfinite(logs)
    with np.errstate(invalid="ignore"):
        return np.exp(np.where(known, logs, 0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan))


def _with_dims(dataset, dims):
    """Return the first variable with these dimensions that is no spread."""
    named = (v for n, v in dataset.data_vars.items() if "sigma" not in n and v.dtype.kind == "f")
    return next((v for v in named if set(v.dims) == set(dims)), None)


# --- axes and what the dataset holds


def ratio_axis(axis, dataset, station=None) -> None:
    """Set up the axis of H/V, the same for all stations, or to hold nearly all curves of one."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    inside = (dataset.frequency.values >= band(dataset)[0]) & (dataset.frequency.values <= band(dataset)[1])
    if station is None:
        values, room = dataset.curve.values[:, inside], (0.6, 2.0)
    else:
        mine = (dataset.record_station.values == station) & taken(dataset)
        values, room = dataset.hvsr.values[mine][:, inside], (0.8, 1.6)
        values = np.nanquantile(values, [0.002, 1.0]) if np.isfinite(values).any() else values
    axis.set_ylim(room[0] * np.nanmin(values, initial=0.5), room[1] * np.nanmax(values, initial=5.0))
    axis.yaxis.set_major_locator(FixedLocator([0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axis.grid(color="0.9", linewidth=0.6)


def frequency_axis(axis, dataset) -> None:
    """Set up the axis of frequency over the band of the dataset."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    low, high = band(dataset)
    axis.set_xscale("log")
    axis.set_xlim(low, high)
    axis.xaxis.set_major_locator(FixedLocator([t for t in TICKS_HZ if low <= t * 1.001 and t <= high * 1.001]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axis.grid(color="0.9", linewidth=0.6)


def band(dataset) -> tuple[float, float]:
    """Return the lowest and highest frequency in Hz that were asked for."""
    low, high = dataset.attrs.get("band_hz", dataset.frequency.values[[0, -1]])
    return float(low), float(high)


def taken(dataset) -> np.ndarray:
    """Return which rows take part in the statistics; all where nothing was rejected."""
    if "accepted" in dataset:
        return dataset.accepted.values.astype(bool)
    return np.ones(dataset.sizes["record"], bool)


def row_ids(dataset) -> np.ndarray:
    """Return the record that each row is a window of."""
    name = "record_id" if "record_id" in dataset.coords else "record"
    return dataset[name].values.astype(str)


def is_windowed(dataset, mine) -> bool:
    """Tell whether records have several windows."""
    ids = row_ids(dataset)[mine]
    return len(set(ids)) < len(ids)


def record_f0(dataset, f0, station) -> np.ndarray | None:
    """Return the f0 of accepted rows of a station in Hz, None where they were not told."""
    held = next((d for d in (f0, dataset) if "f0_record_hz" in d), None)
    if held is None or held.f0_record_hz.size != dataset.sizes["record"]:
        return None
    return held.f0_record_hz.values[(dataset.record_station.values == station) & taken(dataset)]


def _index(dataset, station):
    return int(np.flatnonzero(dataset.station.values.astype(str) == station)[0])


def _starts(dataset):
    return dataset.window_start_s.values


def _length_s(dataset, rows):
    """Return the length of the record that rows are windows of, or what the windows reach to."""
    if not len(rows):
        return 0.0
    if "record_length_s" in dataset.coords:
        return float(dataset.record_length_s.values[rows[0]])
    return float(dataset.window_end_s.values[rows].max())


def _step(degrees):
    return float(np.diff(degrees).min()) if degrees.size > 1 else 1.0


def _event_text(dataset, row):
    magnitude = float(dataset.magnitude.values[row]) if "magnitude" in dataset.coords else np.nan
    distance = float(dataset.distance_km.values[row]) if "distance_km" in dataset.coords else np.nan
    known = ((f"M {magnitude:.1f}", magnitude), (f"{distance:.0f} km", distance))
    return ", ".join(text for text, value in known if np.isfinite(value))


def _thinned(row, rate):
    """Return times in s and the envelope of a trace of so many points as can be seen."""
    n = -(-row.size // _POINTS)
    cut = row[: row.size // n * n].reshape(-1, n)
    low, high = cut.min(axis=1), cut.max(axis=1)
    if n == 1:  # a line: from each sample to the next
        after = np.append(row[1:], row[-1])
        low, high = np.minimum(row, after), np.maximum(row, after)
    return np.arange(len(low)) * n / rate, low, high
