"""Figures of the report, one station each (the paper's Figures 3 to 5)."""

from __future__ import annotations

import numpy as np

from obspy_tng.evaluation import drawing
from obspy_tng.evaluation.confusion import default_bins
from obspy_tng.evaluation.drawing import STYLES

SPECTRA_PX = (66, 10, 26, 42)  # margins: room for small numbers at the ordinate


def waveform(data, time_s, heading: str, limit_mps2: float, colour: str = STYLES["real"][0]):
    """Draw the components of one record below each other.

    Parameters
    ----------
    data : array_like, shape (3, n)
        E, N, Z in m/s².
    time_s : array_like, shape (n,)
    heading : str
    limit_mps2 : float
        Both ends of all ordinates, common to the records that stand beside each other.
    colour : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.ticker import MaxNLocator

    data, time_s = np.asarray(data), np.asarray(time_s)
    figure, axes = drawing.canvas(3, margins_px=(66, 10, 26, 42))
    for axis, row, component in zip(axes, data, "ENZ", strict=True):
        axis.plot(time_s, row, color=colour, linewidth=0.6)
        axis.text(
            0.99, 0.9, component, transform=axis.transAxes, ha="right", va="top", size=drawing.TITLE_PT, weight="bold"
        )
        axis.set(xlim=(time_s[0], time_s[-1]), ylim=(-limit_mps2, limit_mps2))
        axis.yaxis.set_major_locator(MaxNLocator(3, symmetric=True, prune="both"))
        axis.yaxis.set_major_formatter("{x:.3g}")
        axis.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    figure.supylabel("acceleration (m/s²)", size=drawing.LABEL_PT, x=0.005, ha="left", va="center", y=0.52)
    drawing.label(axes[-1], x="time (s)")
    drawing.title(axes[0], heading)
    return figure


def hvsr(result, station: str):
    """Draw the HVSR of a station (the paper's Figure 5): median ± 1 sd, average, for every set.

    Parameters
    ----------
    result : xarray.Dataset
        Of `obspy_tng.evaluate`.
    station : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (axis,) = drawing.canvas()
    one = result.sel(station=station)
    for name in shown_sets(result, "hvsr_median", station):
        colour, dashes = STYLES[name]
        median, sigma = one.hvsr_median.sel(set=name).values, one.hvsr_sigma_ln.sel(set=name).values
        _band(axis, result.frequency.values, median, sigma, name)
        axis.plot(result.frequency, median, color=colour, linestyle=dashes, linewidth=1.5, label=name)
        if name in ("real", "generated"):
            mean = one.hvsr_mean.sel(set=name).values
            axis.plot(result.frequency, mean, color=colour, linestyle=dashes, linewidth=0.6)
    axis.set_yscale("log")
    drawing.ticks(axis.yaxis, drawing.RATIO_TICKS)
    drawing.frequency_axis(axis, result.frequency.values)
    drawing.label(axis, y="H/V spectral ratio")
    drawing.title(axis, f"{station}: HVSR, median and (thin) average")
    drawing.legend(axis, loc="upper right")
    low, high = axis.get_ylim()
    axis.set_ylim(low, high * (high / low) ** 0.2)
    return figure


def f0_histogram(result, station: str):
    """Draw the distribution of f0 at a station (the paper's Figure 4), in the paper's 20 bins.

    Parameters
    ----------
    result : xarray.Dataset
    station : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (axis,) = drawing.canvas()
    bins = default_bins()
    names, of_station = result.record_set.values.astype(str), result.record_station.values.astype(str) == station
    for name in ("real", "reconstructed", "generated"):
        f0_hz = result.f0_hz.values[(names == name) & of_station]
        f0_hz = f0_hz[np.isfinite(f0_hz)]
        if not f0_hz.size:
            continue
        colour, dashes = STYLES[name]
        share = 100 * np.histogram(np.clip(f0_hz, bins[0], bins[-1]), bins)[0] / f0_hz.size
        text = f"{name}, {f0_hz.size} records"
        if name == "real":
            axis.stairs(share, bins, fill=True, color=colour, alpha=0.25)
        axis.stairs(share, bins, color=colour, linestyle=dashes, linewidth=1.4, label=text)
    axis.set_xlim(bins[0], bins[-1])
    axis.set_xticks([1, 5, 10, 15, 20])
    highest = max(axis.get_ylim()[1], 1)
    axis.set_yticks([t for t in axis.get_yticks() if t <= 100])
    axis.set_ylim(0, 1.3 * highest)
    drawing.label(axis, x="f0 (Hz)", y="share of records (%)")
    drawing.title(axis, f"{station}: f0 of each record")
    drawing.legend(axis, loc="upper right")
    return figure


def fourier(result, station: str, vertical: bool):
    """Draw Fourier amplitudes of a station: median ± 1 sd of every set.

    Parameters
    ----------
    result : xarray.Dataset
    station : str
    vertical : bool
        The vertical, or else the geometric mean of E and N.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (axis,) = drawing.canvas(margins_px=SPECTRA_PX)
    rows = [2] if vertical else [0, 1]
    one = result.sel(station=station).isel(component=rows)
    for name in shown_sets(result, "fas_median", station):
        median = np.exp(np.log(one.fas_median.sel(set=name).values).mean(axis=0))
        sigma = np.sqrt(np.square(one.fas_sigma_ln.sel(set=name).values).mean(axis=0))
        _line(axis, result.fas_frequency.values, median, sigma, name)
    drawing.decades(axis)
    drawing.frequency_axis(axis, result.fas_frequency.values)
    drawing.label(axis, y="Fourier amplitude (m/s)")
    drawing.title(axis, f"{station}: Fourier spectra, {'vertical' if vertical else 'horizontal'}")
    drawing.legend(axis, loc="lower center")
    return figure


def response(result, station: str):
    """Draw response spectra of a station: median ± 1 sd of RotD50 PSA, 5 % damping, of every set.

    Parameters
    ----------
    result : xarray.Dataset
    station : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (axis,) = drawing.canvas(margins_px=SPECTRA_PX)
    one = result.sel(station=station)
    for name in shown_sets(result, "psa_median", station):
        median, sigma = one.psa_median.sel(set=name).values, one.psa_sigma_ln.sel(set=name).values
        _line(axis, result.period.values, median, sigma, name)
    drawing.decades(axis)
    drawing.period_axis(axis, result.period.values)
    drawing.label(axis, y="PSA, 5 % damping (m/s²)")
    drawing.title(axis, f"{station}: response spectra")
    drawing.legend(axis, loc="lower left")
    return figure


def shown_sets(result, variable: str, station: str) -> list[str]:
    """Return the sets to draw: those with values, the pool only where it is not the real records themselves."""
    curves = result[variable].sel(station=station)
    names = [n for n in ("real", "pool", "reconstructed", "generated") if n in curves["set"].values]
    names = [n for n in names if np.isfinite(curves.sel(set=n)).any()]
    if "pool" in names and "real" in names:
        same = np.array_equal(curves.sel(set="pool").values, curves.sel(set="real").values, equal_nan=True)
        names = [n for n in names if n != "pool" or not same]
    return names


def _line(axis, x, median, sigma_ln, name):
    colour, dashes = STYLES[name]
    _band(axis, x, median, sigma_ln, name)
    text = f"{name} ± 1 sd of ln" if name in ("real", "generated") else name
    axis.plot(x, median, color=colour, linestyle=dashes, linewidth=1.5, label=text)


def _band(axis, x, median, sigma_ln, name):
    """Draw the spread: filled for real records, outlined for generated ones, none for the others."""
    colour = STYLES[name][0]
    low, high = median * np.exp(-sigma_ln), median * np.exp(sigma_ln)
    if name == "real":
        axis.fill_between(x, low, high, color="#7fb2d9", alpha=0.4, linewidth=0)
    elif name == "generated":
        axis.fill_between(x, low, high, color=colour, alpha=0.08, linewidth=0)
        for edge in (low, high):
            axis.plot(x, edge, color=colour, linestyle=(0, (2, 2)), linewidth=0.6)
