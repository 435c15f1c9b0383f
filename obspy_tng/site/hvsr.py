"""HVSR of records and stations: waveforms in, xarray Dataset out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from obspy_tng.errors import RecordError, TNGError
from obspy_tng.record import Record, Skipped
from obspy_tng.site.dataset import build, notes_of, with_azimuth_statistics
from obspy_tng.site.inputs import map_parts
from obspy_tng.site.rows import Row, rows
from obspy_tng.site.settings import Settings, check
from obspy_tng.site.table import Table

if TYPE_CHECKING:
    import xarray as xr

    from obspy_tng import hints


def hvsr(
    data: hints.Waveforms | np.ndarray,
    *,
    inventory: hints.Metadata | None = None,
    events: hints.Events | None = None,
    band_hz: tuple[float, float] | None = None,
    window: str | float = "s",
    overlap: float = 0.0,
    max_windows: int | None = None,
    taper: float | None = None,
    horizontal: str = "quadratic",
    smoothing: str = "ko:40",
    snr: float = 3.0,
    n_frequency: int | None = None,
    azimuth_step_deg: float | None = None,
    reject: str | Sequence[str] = (),
    mask: Sequence[bool] | Sequence[str] | np.ndarray | hints.Path | None = None,
    compat: str | None = None,
    group: str = "station",
    units: str | None = None,
    sampling_rate_hz: float | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    n_traces: int = 0,
) -> xr.Dataset:
    """Compute the HVSR of records and the log-mean curve of every station.

    Per window: cut, mean removed, cosine ramps of 10 % (outside of an S window), Fourier amplitudes at exactly the
    window's length, horizontals combined, H and V smoothed, divided. A frequency at which the smoothed spectrum of
    any component is less than `snr` times that of the noise before P is NaN for that record.

    Parameters
    ----------
    data : Stream, list of Stream, list of Record, path, list of paths, or numpy.ndarray
        Waveforms; not modified. Paths are files ObsPy reads, directories, globs or zip archives, read one by
        one. An array is (record, 3, n) or (3, n), components E, N, Z, with `sampling_rate_hz`.
    inventory, events : ObsPy object or path, optional
        StationXML (responses, coordinates) and QuakeML (P and S picks, travel times).
    band_hz : (float, float), optional
        Lowest and highest frequency in Hz. Default 0.5-20 Hz with an S window of 20 s; when given that is
        max(15 s, 10 / fmin), as far as the record reaches.
    window : {"s", "full", "noise"}, "sliding:SECONDS" or float
        S window, whole record, noise before P, windows of fixed length through the whole record (microtremor), or
        S window of that many seconds.
    overlap : float
        Of sliding windows, as a share of their length.
    max_windows : int, optional
        Of each record, the first ones; default all.
    taper : float, optional
        Each cosine ramp's share of the window, default 0.1.
    horizontal : str
        How the horizontals are combined, before smoothing; see `spectra.horizontal`.
    smoothing : str
        ``"kind:bandwidth"``, such as ``"ko:40"``; see `smoothing.parse`.
    snr : float
        Smallest signal/noise ratio of smoothed amplitudes per sqrt(length); 0 for no mask. Records with less
        than 5 s before P are not masked: their ``noise_length_s`` is 0. Only S windows are masked.
    n_frequency : int, optional
        Number of log-spaced frequencies in the band, default 200; curves also cover half an octave beyond either end.
    azimuth_step_deg : float, optional
        Also compute the curves of single azimuths, 0° (north) to 180°, at this step; see
        `dataset.with_azimuth_statistics`.
    reject : str or sequence of str
        Rules that take windows out of a station's statistics, such as ``"cox:2"``; see `rejection.reject`.
    mask : optional
        Windows to take out by hand: bool per row, False to take out, or ids, or a file; see `rejection.reject`.
    compat : {None, "geopsy", "timesnet-gen"}
        ``"geopsy"``: as Geopsy, see `geopsy`; sliding windows of `window` seconds (default 60), 2048 frequencies
        0.3-40 Hz. ``"timesnet-gen"``: as the published code, see `timesnet_gen`; whole record, 400 linear
        frequencies 1-20 Hz; `horizontal`, `smoothing`, `taper` and `snr` are not used.
    group : {"station", "sensor", "record", "all"}
        What one curve is made of: NET.STA, NET.STA.LOC.CH, one record, everything.
    units : {"m/s2", "cm/s2", "gal", "g"}, optional
        What the numbers are; the ratio does not depend on it.
    sampling_rate_hz : float, optional
        Of an array, in Hz.
    jobs, scheduler, progress
        Of paths: processes on this machine, or the address of a dask scheduler; see `archive.map_records`. The
        numbers are the same however the work is shared out.
    n_traces : int
        Records of each station, its first ones, whose samples are kept as ``trace``, for a figure.

    Returns
    -------
    xarray.Dataset
        A row of dimension ``record`` is one window. ``hvsr`` (record, frequency); ``accepted``, ``rejected_by``
        (record); ``snr_ok`` (record, component, frequency); over accepted rows ``curve``, ``sigma_ln``, ``n_valid``
        (station, frequency): exp(mean ln), standard deviation of ln (ddof 1), number of valid rows. Coordinates say
        station, event, distance, window and noise of every row; attributes hold the settings, ``skipped``, what was
        left out and why, and ``notes``, what to know of the rest.

    Raises
    ------
    TNGError
        A setting is not known, or nothing could be computed.

    References
    ----------
    Lermo & Chávez-García (1993), BSSA 83(5), 1574-1594; Konno & Ohmachi (1998), BSSA 88(1), 228-241.

    Examples
    --------
    >>> import obspy
    >>> from obspy_tng import hvsr
    >>> data = hvsr(obspy.read(), window="full")
    >>> data.sizes["frequency"], data.station.values.tolist()
    (236, ['BW.RJOB'])
    """
    settings = check(
        band_hz=band_hz,
        window=window,
        overlap=overlap,
        max_windows=max_windows,
        taper=taper,
        horizontal=horizontal,
        smoothing=smoothing,
        snr=snr,
        n_frequency=n_frequency,
        compat=compat,
        group=group,
        azimuth_step_deg=azimuth_step_deg,
    )
    given = {"inventory": inventory, "events": events, "units": units, "sampling_rate_hz": sampling_rate_hz}
    how = {"jobs": jobs, "scheduler": scheduler, "progress": progress, "n_traces": n_traces}
    return finished(tabulate(data, settings, **given, **how), reject, mask).dataset()


def tabulate(
    data,
    settings: Settings,
    *,
    inventory=None,
    events=None,
    units: str | None = None,
    sampling_rate_hz: float | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    n_traces: int = 0,
) -> Table:
    """Return the curves of all windows and the statistics of stations, nothing rejected; parameters as in `hvsr`.

    Raises
    ------
    NothingComputedError
        No record could be used.
    """
    found: list[Row] = []
    skipped: list[Skipped] = []
    archive = {"jobs": jobs, "scheduler": scheduler, "progress": progress}
    sliding = settings.kind == "sliding"
    if sliding:
        archive |= {"window_s": settings.length_s, "overlap": settings.overlap, "max_windows": settings.max_windows}
        archive["shorter"] = int(settings.compat == "geopsy")
    given = {"inventory": inventory, "events": events, "units": units, "sampling_rate_hz": sampling_rate_hz}
    function = partial(rows_of, settings=settings, n_traces=n_traces)
    for value, reasons in map_parts(function, data, split_gaps=sliding, **given, **archive):
        skipped.extend(reasons)
        found.extend(value[0] if value else ())
        skipped.extend(value[1] if value else ())
    if not found:
        raise NothingComputedError(skipped)
    return build(found, skipped, settings, n_traces, notes=notes_of(found, settings, inventory is not None))


def finished(table: Table, reject: str | Sequence[str] = (), mask=None) -> Table:
    """Return a table with its windows rejected as told and the statistics of azimuths where it has them.

    Parameters
    ----------
    table : Table
        Of `tabulate`.
    reject, mask
        See `hvsr`.
    """
    if reject or mask is not None:
        from obspy_tng.site import rejection

        table = rejection.reject(table, *([reject] if isinstance(reject, str) else reject), mask=mask)
    return with_azimuth_statistics(table) if "hvsr_azimuth" in table else table


class NothingComputedError(TNGError):
    """No record could be used; ``skipped`` holds the reasons."""

    def __init__(self, skipped):
        text = "nothing to read was given, or the folder is empty"
        if skipped:
            text = f"{len(skipped)} file(s) or record(s) skipped; first: {skipped[0].name}: {skipped[0].reason}"
        super().__init__(f"no HVSR could be computed: {text}")
        self.skipped = list(skipped)


def rows_of(
    records: Sequence[Record], piece=None, *, settings: Settings, n_traces: int = 0
) -> tuple[list[Row], list[Skipped]]:
    """Return the curves of records, and which of them gave none for what reason; one piece of work of an archive.

    Parameters
    ----------
    records : sequence of Record
    piece : pieces.Piece, optional
        What was read for it.
    settings : Settings
        Of `settings.check`.
    n_traces : int
        Records of each station whose samples are kept.
    """
    found, skipped, keep = [], [], Counter()
    for record in records:
        try:
            more = rows(record, settings, piece and piece.stretch)
        except RecordError as err:
            skipped.append(Skipped(f"{record.source}: {record.id}" if record.source else record.id, str(err)))
            continue
        if keep[more[0].group] < n_traces and not (piece and piece.stretch and piece.stretch.first_window):
            keep[more[0].group] += 1
            more[0] = more[0]._replace(trace=record.data.astype(np.float32))
        found.extend(more)
    return found, skipped
