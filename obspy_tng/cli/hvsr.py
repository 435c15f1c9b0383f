"""``obspy-tng hvsr``: f0 and HVSR curves of stations from files of real records."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import click

from obspy_tng.cli.output import replace

SUFFIXES = (".nc", ".csv", ".json")
FIGURES = (".png", ".pdf", ".svg")


def _suffix(accepted):
    def check(_ctx, _param, value):
        if value is not None and Path(value).suffix.lower() not in accepted:
            raise click.BadParameter(f"{value!r} ends in none of {' '.join(accepted)}")
        if value is not None and not Path(value).absolute().parent.is_dir():
            raise click.BadParameter(f"folder {str(Path(value).parent)!r} does not exist")
        return value

    return check


def _window(_ctx, _param, value):
    from obspy_tng.errors import TNGError
    from obspy_tng.site.windows import window_length

    try:
        window_length(value)
    except TNGError as err:
        raise click.BadParameter(str(err)) from None
    return value


def _smoothing(_ctx, _param, value):
    from obspy_tng.errors import TNGError
    from obspy_tng.site.smoothing import parse

    try:
        return str(parse(value))
    except TNGError as err:
        raise click.BadParameter(str(err)) from None


def _band(_ctx, _param, value):
    if value is not None and not 0 < value[0] < value[1] < math.inf:
        raise click.BadParameter(f"{value[0]:g} {value[1]:g} is not 0 < FMIN < FMAX")
    return value


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILES|DIRS...")
@click.option(
    "--inventory",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="StationXML: responses, coordinates. Default none: the ratio of the numbers as they are.",
)
@click.option(
    "--events",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="QuakeML: P and S picks, travel times. Default none: S from the energy of the record.",
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
    callback=_window,
    metavar="s|full|SECONDS",
    help="S window, whole record, or S window of that length in s. s: 20 s from 0.5 s before S; with "
    "--band max(15 s, 10/FMIN).",
)
@click.option(
    "--horizontal",
    default="quadratic",
    show_default=True,
    type=click.Choice(["quadratic", "geometric", "arithmetic", "total-energy", "maximum"]),
    help="How E and N make one horizontal.",
)
@click.option(
    "--smoothing",
    default="ko:40",
    show_default=True,
    callback=_smoothing,
    metavar="ko:B",
    help="Konno-Ohmachi window of bandwidth B.",
)
@click.option(
    "--band",
    type=(float, float),
    metavar="FMIN FMAX",
    callback=_band,
    help="Frequencies in Hz.  [default: 0.5 20]",
)
@click.option(
    "--snr",
    type=click.FloatRange(min=0),
    default=3.0,
    show_default=True,
    help="Smallest signal/noise amplitude ratio on every component; 0 for no mask.",
)
@click.option(
    "--compat",
    type=click.Choice(["timesnet-gen"]),
    help="Follow the published code instead: whole record, geometric mean, 1-20 Hz, f0 = median of "
    "the records' largest values.  [default: none]",
)
@click.option(
    "--units",
    type=click.Choice(["m/s2", "cm/s2", "gal", "g"]),
    help="What the numbers are, where files cannot tell; H/V does not depend on it.  [default: none]",
)
@click.option(
    "--out",
    callback=_suffix(SUFFIXES),
    metavar="FILE",
    help="Write curves: .nc (all, netCDF), .csv (station curves), .json (f0 and station curves).  [default: none]",
)
@click.option(
    "--plot",
    callback=_suffix(FIGURES),
    metavar="FILE",
    help="Write a figure: .png, .pdf or .svg.  [default: none]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array on stdout, an object per station.")
def hvsr(paths, inventory, events, units, out, plot, as_json, **settings):
    """Tell f0 and the HVSR curve of stations from real records.

    FILES|DIRS are files ObsPy reads, directories, globs or zip archives. f0 is the lowest clear peak of a
    station's log-mean curve (amplitude 2 or more, ln-prominence 0.25 or more) with its 68 % bootstrap
    interval, or none and the reason. What was skipped, and why, is listed on stderr.

    \b
    Exit code: 0 something was computed, 1 nothing, 2 usage.
    """
    _check_outputs(out, plot)
    from obspy_tng.record import iter_records
    from obspy_tng.site.f0 import pick_f0
    from obspy_tng.site.hvsr import NothingComputedError
    from obspy_tng.site.hvsr import hvsr as compute

    parts = _progress(iter_records(list(paths), inventory, events, units=units))
    try:
        curves = compute(parts, band_hz=settings.pop("band"), **settings)
    except NothingComputedError as err:
        _list_skipped([f"{s.name}: {s.reason}" for s in err.skipped])
        click.echo(f"Error: {str(err).split('; first')[0]}", err=True)
        raise SystemExit(1) from None
    f0 = pick_f0(curves)
    _list_skipped(curves.attrs["skipped"])
    energy = int((curves.window_source.values == "energy").sum())
    if energy and not events:
        click.echo(
            f"{energy} S window(s) placed by the record's energy, which can miss S by seconds; --events gives picks "
            "and travel times",
            err=True,
        )
    rows = summary(curves, f0)
    if out:
        replace(out, lambda path: _write(path, curves, f0, rows))
        click.echo(f"wrote {out}", err=True)
    if plot:
        from obspy_tng.plotting import save_hvsr

        replace(plot, lambda path: save_hvsr(curves, f0, path))
        click.echo(f"wrote {plot}", err=True)
    click.echo(json.dumps(rows, indent=1) if as_json else table(rows))


def summary(curves, f0) -> list[dict]:
    """Return one plain dictionary per station, NaN as None, ready for JSON."""
    import numpy as np

    numbers = ("f0_hz", "f0_low_hz", "f0_high_hz", "a0", "sigma_ln", "support")
    values = {name: f0[name].values for name in (*numbers, "n_records", "n_used", "reason")}
    sources = curves.window_source.values
    length_s = curves.window_end_s.values - curves.window_start_s.values
    rows = []
    for i, station in enumerate(map(str, f0.station.values)):
        mine = curves.record_station.values == station
        names, counts = np.unique(sources[mine], return_counts=True)
        rows.append(
            {"station": station}
            | {name: _number(values[name][i]) for name in numbers}
            | {
                "n_records": int(values["n_records"][i]),
                "n_used": int(values["n_used"][i]),
                "reason": str(values["reason"][i]),
                "windows": dict(zip(names.tolist(), counts.tolist(), strict=True)),
                "window_s": _number(length_s[mine].max()),
                "n_cut": int(curves.window_cut.values[mine].sum()),
                "n_without_snr": int((curves.noise_length_s.values[mine] == 0).sum()),
                "skipped": [s for s in curves.attrs["skipped"] if f"{station}." in s],
            }
        )
    return rows


def _number(value):
    return float(f"{value:.6g}") if math.isfinite(value) else None


def table(rows) -> str:
    """Return the human table: one line per station."""
    width = max(7, *(len(r["station"]) for r in rows))
    lines = [
        f"{'station':<{width}} {'f0 Hz':>6} {'68 % interval':>14} {'A0':>5} {'sd ln':>5} {'support':>7} "
        f"{'records':>8}  remark"
    ]
    for r in rows:
        f0, a0, sigma, support = (_text(r[name]) for name in ("f0_hz", "a0", "sigma_ln", "support"))
        interval = "-" if r["f0_low_hz"] is None else f"{r['f0_low_hz']:.2f}-{r['f0_high_hz']:.2f}"
        lines.append(
            f"{r['station']:<{width}} {f0:>6} {interval:>14} {a0:>5} {sigma:>5} {support:>7} "
            f"{r['n_used']:>4}/{r['n_records']:<3}  {r['reason']}"
        )
    return "\n".join(line.rstrip() for line in lines)


def _text(value):
    return "-" if value is None else f"{value:.2f}"


def _check_outputs(out, plot):
    """Raise a usage error before any work when an output cannot be written here."""
    from importlib.util import find_spec

    if plot and find_spec("matplotlib") is None:
        raise click.UsageError("--plot needs matplotlib: pip install 'obspy-tng[plot]'")


def _progress(parts):
    """Pass parts on, counting files and records on stderr when it is a terminal."""
    n = 0
    live = sys.stderr.isatty()
    for i, part in enumerate(parts, 1):
        n += len(part)
        if live:
            click.echo(f"\r{i} files, {n} records", err=True, nl=False)
        yield part
    if live:
        click.echo("", err=True)


def _list_skipped(skipped):
    for line in skipped:
        click.echo(f"skipped {line}", err=True)


def _write(path, curves, f0, rows):
    suffix = Path(path).suffix.lower()
    if suffix == ".nc":
        whole = curves.merge(f0.rename({"sigma_ln": "f0_sigma_ln"}), combine_attrs="override")
        whole.attrs["skipped"] = json.dumps(whole.attrs["skipped"])
        whole.to_netcdf(path, engine="h5netcdf")
        return
    frequency = curves.frequency.values
    by_station = [(str(s), curves.sel(station=s)) for s in curves.station.values]
    if suffix == ".csv":
        with open(path, "w", encoding="utf-8") as file:
            file.write("station,frequency_hz,hvsr,sigma_ln,n_valid\n")
            for station, one in by_station:
                columns = (frequency, one.curve.values, one.sigma_ln.values, one.n_valid.values)
                for f, c, s, n in zip(*columns, strict=True):
                    file.write(f"{station},{f:.6g},{_cell(c)},{_cell(s)},{n}\n")
        return
    whole = []
    for row, (_, one) in zip(rows, by_station, strict=True):
        values = {"frequency_hz": frequency, "hvsr": one.curve.values, "hvsr_sigma_ln": one.sigma_ln.values}
        lists = {name: [_number(v) for v in value] for name, value in values.items()}
        whole.append(row | lists | {"n_valid": one.n_valid.values.tolist()})
    with open(path, "w", encoding="utf-8") as file:
        json.dump(whole, file, indent=1)


def _cell(value):
    return f"{value:.6g}" if math.isfinite(value) else ""
