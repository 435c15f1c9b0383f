"""Figures. matplotlib is imported on use and its global state (pyplot) never touched: no display needed."""

from __future__ import annotations

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.plotting_panels import F0, MAX_RECORDS, MEDIAN, RECORD
from obspy_tng.plotting_site import plot_hvsr, plot_overview

__all__ = ["plot_generated", "plot_hvsr", "plot_overview"]


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

    Examples
    --------
    >>> import obspy_tng as tng
    >>> figure = plot_generated(tng.generate("CI.CWC", n=2, seed=1))
    >>> figure.savefig("generated.png")  # doctest: +SKIP
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
