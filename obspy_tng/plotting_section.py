"""Record sections: motion of one earthquake against time since its origin, ordered by distance."""

from __future__ import annotations

import numpy as np

from obspy_tng.errors import TNGError

GENERATED, REAL, ONSET = "#2166ac", "0.6", "#b2182b"
SIZE = 0.035  # height of the largest swing, as a share of the distances drawn


def plot_section(stream, real=(), component: str = "Z"):
    """Draw generated records of one earthquake over epicentral distance.

    Parameters
    ----------
    stream : obspy.Stream
        From `obspy_tng.generate` with an event; Streams of several stations may be added up.
    real : sequence of Record
        Records of the same earthquake, drawn below in grey; they must know its origin time and their distance.
    component : {"E", "N", "Z"}

    Returns
    -------
    matplotlib.figure.Figure
        Every trace has its own scale. Dashes are the P and S that the model predicts.

    Raises
    ------
    TNGError
        The stream holds no such trace of one earthquake.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> quake = (35.77, -117.60, 8.0, 4.0)  # latitude, longitude, depth in km, magnitude
    >>> stream = tng.generate("CI.CWC", n=3, event=quake, model="run-heggs")  # doctest: +SKIP
    >>> plot_section(stream).savefig("section.png")  # doctest: +SKIP
    """
    from matplotlib.figure import Figure

    from obspy_tng.events import distance_km

    traces = [t for t in stream if t.id.endswith(component) and t.stats.get("tng", {}).get("pool_kind") == "event"]
    if not traces or len({tuple(t.stats.tng.event) for t in traces}) > 1:
        raise TNGError("a stream of generate(event=...) is needed: traces of one earthquake, with stats.tng")
    rows = []
    for trace in traces:
        made = trace.stats.tng
        zero = made.origin_after_start_s
        at = distance_km(*made.coordinates, *made.event[:2])
        rows.append((at, trace.times() - zero, trace.data, made.station, (made.p_s - zero, made.s_s - zero)))
    places = np.array([at for at, *_ in rows])
    span = max(np.ptp(places), 10.0)
    figure = Figure(figsize=(8.27, 2.5 + 0.22 * len(rows)), layout="constrained")
    axis = figure.add_subplot()
    for record in real:
        since = record.starttime - record.origin_time + np.arange(record.npts) / record.sampling_rate
        wave = record.data["ENZ".index(component)]
        _trace(axis, record.distance_km, since, wave - wave.mean(), span, REAL, 1)
    for at, since, wave, _, _ in rows:
        _trace(axis, at, since, wave, span, GENERATED, 2)
    order = np.argsort(places)
    for k, phase in enumerate("PS"):
        onset = np.array([row[4][k] for row in rows])[order]
        axis.plot(onset, places[order], "--", color=ONSET, linewidth=0.9, zorder=3)
        axis.annotate(
            phase, (onset[-1], places[order][-1]), xytext=(3, 5), textcoords="offset points", color=ONSET, fontsize=9
        )
    named = -np.inf
    for k in order:
        if places[k] - named > 0.028 * span:  # names must not overlap
            axis.annotate(
                rows[k][3], (1.005, places[k]), xycoords=("axes fraction", "data"), va="center", fontsize=7, color="0.3"
            )
            named = places[k]
    axis.set(xlabel="time since origin (s)", ylabel="epicentral distance (km)")
    axis.set_xlim(-3, rows[0][1][-1])
    lat, lon, depth, magnitude = traces[0].stats.tng.event
    told = f"M {magnitude:.1f}, {lat:.3f}°, {lon:.3f}°, {depth:.1f} km deep; {component}, each at its own scale"
    axis.set_title(told + (", grey: recorded" if len(real) else ""), loc="left", fontsize=9)
    return figure


def _trace(axis, at, since, wave, span, color, order):
    peak = np.abs(wave).max()
    if peak > 0:
        axis.plot(since, at + SIZE * span * wave / peak, color=color, linewidth=0.4, alpha=0.8, zorder=order)
