"""``obspy-tng hvsr``: f0 and HVSR curves of stations from files of earthquakes or microtremor."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

SUFFIXES = (".nc", ".csv", ".json", ".hv")
FIGURES = (".png", ".pdf", ".svg")
FILE = click.Path(exists=True, dir_okay=False)


def _suffix(accepted):
    def check(_ctx, _param, value):
        if value is not None and accepted and Path(value).suffix.lower() not in accepted:
            raise click.BadParameter(f"{value!r} ends in none of {' '.join(accepted)}")
        if value is not None and not Path(value).absolute().parent.is_dir():
            raise click.BadParameter(f"folder {str(Path(value).parent)!r} does not exist")
        return value

    return check


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILES|DIRS...")
@click.option(
    "--inventory",
    type=FILE,
    metavar="FILE",
    help="StationXML: responses, coordinates, azimuths.  [default: none, the ratio of the numbers as they are]",
)
@click.option(
    "--events",
    type=FILE,
    metavar="FILE",
    help="QuakeML: P and S picks, travel times.  [default: none, S from the energy of the record]",
)
@click.option(
    "--group",
    type=click.Choice(["station", "sensor", "record", "all"]),
    default="station",
    show_default=True,
    help="What one curve is made of.",
)
@click.option(
    "--window",
    default="s",
    show_default=True,
    metavar="WINDOW",
    help="s: S window of 20 s from 0.5 s before S; with --band max(15 s, 10/FMIN). SECONDS: S window of that length. "
    "full: whole record. noise: what there is before P. sliding:SECONDS: windows of that length through the whole "
    "record, for microtremor; with --compat geopsy SECONDS alone means this, and 59.99, as its log tells it, 60.",
)
@click.option(
    "--overlap",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="Of sliding windows, share of their length.",
)
@click.option(
    "--max-windows",
    type=click.IntRange(min=1),
    metavar="N",
    help="Sliding windows of each record, the first ones.  [default: all]",
)
@click.option(
    "--taper",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Of the window, for each cosine ramp; with --compat geopsy its alpha, for both ramps.  [default: 0.1]",
)
@click.option(
    "--horizontal",
    default="quadratic",
    show_default=True,
    metavar="HOW",
    help="How E and N make one horizontal: quadratic, geometric, arithmetic, total-energy, maximum, rotd50 (or any "
    "rotdNN), azimuth:DEG (clockwise from north).",
)
@click.option(
    "--smoothing",
    default="ko:40",
    show_default=True,
    metavar="KIND:B",
    help="ko:B Konno-Ohmachi, loggauss:B log-Gaussian; parzen:HZ, rect:HZ, tri:HZ of that width in Hz; "
    "logrect:DECADES, logtri:DECADES.",
)
@click.option(
    "--band",
    "band_hz",
    type=(float, float),
    metavar="FMIN FMAX",
    help="Frequencies in Hz.  [default: 0.5 20; geopsy 0.3 40]",
)
@click.option(
    "--nf",
    "n_frequency",
    type=click.IntRange(min=3),
    metavar="N",
    help="Frequencies in the band, log-spaced.  [default: 200; geopsy 2048]",
)
@click.option(
    "--snr",
    type=click.FloatRange(min=0),
    default=3.0,
    show_default=True,
    metavar="RATIO",
    help="Of S windows, smallest signal/noise amplitude ratio on every component; 0 for no mask.",
)
@click.option(
    "--azimuths",
    "azimuth_step_deg",
    type=click.FloatRange(0, 90, min_open=True),
    metavar="DEGREES",
    help="Also the curves of single azimuths, every so many degrees, and their weighted statistics (in .nc and the "
    "figure).  [default: none]",
)
@click.option(
    "--reject",
    multiple=True,
    metavar="RULE",
    help="Leave windows out of the statistics: cox:2 (sd of f0), zscore:3, sta-lta:0.2:2.5, maximum:0.9; several are "
    "applied in turn.  [default: none]",
)
@click.option("--mask", type=FILE, metavar="FILE", help="Leave out the windows this file lists.  [default: none]")
@click.option(
    "--mask-out",
    callback=_suffix(()),
    metavar="FILE",
    help="Write the list of windows that were left out, for --mask.  [default: none]",
)
@click.option(
    "--compat",
    type=click.Choice(["geopsy", "timesnet-gen"]),
    help="geopsy: as Geopsy, sliding windows of 60 s. timesnet-gen: as the published code, whole record, geometric "
    "mean, 1-20 Hz, f0 = median of the records' largest values.  [default: none]",
)
@click.option(
    "--units",
    type=click.Choice(["m/s2", "cm/s2", "gal", "g"]),
    help="What the numbers are, where files cannot tell; H/V does not depend on it.  [default: none]",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes on this machine.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Of a running dask cluster, tcp://HOST:PORT, which does the work instead.  [default: none]",
)
@click.option(
    "--out",
    callback=_suffix(SUFFIXES),
    metavar="FILE",
    help="Write curves: .nc (all, netCDF), .csv (station curves), .json (f0 and station curves), .hv (Geopsy's "
    "layout, a file per station).  [default: none]",
)
@click.option(
    "--plot",
    callback=_suffix(FIGURES),
    metavar="FILE",
    help="Write a figure: .png, .pdf or .svg.  [default: none]",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON array on stdout, an object per station.  [default: off]"
)
def hvsr(paths, out, plot, as_json, mask, mask_out, **settings):
    """Tell f0 and the HVSR curve of stations from earthquakes or microtremor.

    FILES|DIRS are files ObsPy reads, directories, globs or zip archives. f0 is the lowest clear peak of a
    station's log-mean curve (amplitude 2 or more, ln-prominence 0.25 or more) with its 68 % interval, or none
    and the reason. A ? behind the interval: f0 may be another, lower peak, which the remark names. SESAME gives
    the criteria met of reliability (3) and clarity (6). What was skipped, and why, is listed on stderr.

    \b
    Exit code: 0 something was computed, 1 nothing, 2 usage.
    """
    from obspy_tng.errors import TNGError
    from obspy_tng.site.settings import check

    _check_outputs(plot)
    work = {name: settings.pop(name) for name in ("inventory", "events", "units", "jobs", "scheduler")}
    reject = settings.pop("reject")
    try:
        settings = check(**settings)
        if reject:
            from obspy_tng.site.rejection import parse

            reject = [str(parse(rule)) for rule in reject]
    except TNGError as err:
        raise click.UsageError(str(err)) from None
    from obspy_tng.cli.hvsr_output import summary, table, write
    from obspy_tng.cli.output import tell
    from obspy_tng.site.f0 import pick_f0
    from obspy_tng.site.hvsr import NothingComputedError, finished, tabulate
    from obspy_tng.site.missing import LEAST
    from obspy_tng.site.sesame import sesame

    work |= {"progress": _progress if sys.stderr.isatty() else None, "n_traces": 3 if plot else 0}
    try:
        curves = tabulate(list(paths), settings, **work)
    except NothingComputedError as err:
        _list_skipped([f"{s.name}: {s.reason}" for s in err.skipped])
        click.echo(f"Error: {str(err).split('; first')[0]}", err=True)
        if as_json:
            click.echo("[]")
        raise SystemExit(1) from None
    curves = finished(curves, reject, mask)
    if plot or Path(out or "").suffix.lower() in (".nc", ".hv"):  # the rest does without xarray
        curves = curves.dataset()
    f0 = pick_f0(curves)
    verdicts = sesame(curves, f0)
    _list_skipped(curves.attrs["skipped"])
    _remark(curves, work["events"])
    rows = summary(curves, f0, verdicts)
    tell(json.dumps(rows, indent=1) if as_json else table(rows))  # first: a full disk must not take it along
    files = ((out, write(out, curves, f0, rows, verdicts)), (mask_out, _masked(mask_out, curves)))
    files += ((plot, _drawn(plot, curves, f0, verdicts)),)
    whole = [_written(lines) for wanted, lines in files if wanted]
    if all(row["n_values"] < LEAST for row in rows):
        click.echo("Error: no station has a value of H/V; the remarks tell why", err=True)
        raise SystemExit(1)
    if not all(whole):
        raise SystemExit(1)


def _written(lines) -> bool:
    """Run a generator that writes files, say what it wrote, or why it could not; return whether it could."""
    from obspy_tng.errors import TNGError

    try:
        for line in lines:
            click.echo(line, err=True)
    except TNGError as err:
        click.echo(f"Error: {err}", err=True)
        return False
    return True


def _masked(path, curves):
    from obspy_tng.cli.output import replace
    from obspy_tng.site.rejection import write_mask

    replace(path, lambda part: write_mask(part, curves))
    yield f"wrote {path}"


def _drawn(path, curves, f0, verdicts):
    from obspy_tng.cli.output import replace
    from obspy_tng.plotting_site import save

    replace(path, lambda part: save(curves, f0, part, traces=_traces(curves), sesame=verdicts))
    yield f"wrote {path}"


def _check_outputs(plot):
    """Raise a usage error before any work when a figure cannot be drawn here."""
    from importlib.util import find_spec

    if plot and find_spec("matplotlib") is None:
        raise click.UsageError("--plot needs matplotlib: pip install 'obspy-tng[plot]'")


def _remark(curves, events):
    """Say on stderr what is not known of records, when energy told S windows, and what looks like microtremor."""
    for note in curves.attrs["notes"]:
        click.echo(f"note: {note}", err=True)
    energy = int((curves.window_source.values == "energy").sum())
    if not energy or events:
        return
    long = curves.record_length_s.values[curves.window_source.values == "energy"].max()
    if long >= 600:
        click.echo(f"a record of {long:.0f} s and no event: microtremor wants --window sliding:60", err=True)
    click.echo(
        f"{energy} S window(s) placed by the record's energy, which can miss S by seconds; --events gives picks "
        "and travel times",
        err=True,
    )


def _traces(curves):
    """Return the records to draw: id, samples (3, n), sampling rate in Hz."""
    whole = zip(curves.trace_record_id.values, curves.trace.values, curves.trace_rate_hz.values, strict=True)
    return [(str(name), data[:, data[0] == data[0]], float(rate)) for name, data, rate in whole]


def _progress(done, total):
    """Count pieces of work on stderr."""
    click.echo(f"\r{done} of {total} parts" + ("\n" if done == total else ""), err=True, nl=False)


def _list_skipped(skipped):
    for line in skipped:
        click.echo(f"skipped {line}", err=True)
