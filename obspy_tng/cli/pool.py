"""``obspy-tng pool``: build, inspect and retarget station pools."""

import click


@click.group()
def pool():
    """Build, inspect and retarget station pools."""


@pool.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=False))
@click.option("--out", required=True, type=click.Path(), help="File (.h5) for one station, folder for several.")
@click.option("--station", metavar="NET.STA", help="Only this one.  [default: all there are]")
@click.option("--inventory", type=click.Path(exists=True), help="StationXML: responses, coordinates.  [default: none]")
@click.option("--events", type=click.Path(exists=True), help="QuakeML: events and picks.  [default: none]")
@click.option(
    "--units",
    metavar="UNIT",
    help="What the numbers are if the files cannot tell: m/s2, cm/s2, gal, g.  [default: none]",
)
@click.option("--model", metavar="MODEL", help="Name or path.  [default: the shipped one]")
@click.option(
    "--max-records",
    type=int,
    metavar="N",
    help="Keep at most so many, spread over the range of PGA.  [default: all]",
)
@click.option(
    "--kind",
    type=click.Choice(["recorded", "simulated"]),
    default="recorded",
    show_default=True,
    help="What the records are.",
)
@click.option("--source", metavar="TEXT", default="", help="Citation of the data, kept with the pool.  [default: none]")
def build(paths, out, station, inventory, events, units, model, max_records, kind, source):
    """Build pools from your own records with the frozen model."""
    from pathlib import Path

    from obspy_tng.errors import RecordError
    from obspy_tng.models import load_model
    from obspy_tng.pool_build import build_pool
    from obspy_tng.record import read_records

    records = read_records(paths, inventory, events, units=units)
    for name, reason in records.skipped:
        click.echo(f"skipped {name}: {reason}", err=True)
    codes = sorted({r.code for r in records})
    if station is not None:
        codes = [c for c in codes if station.upper() in (c.upper(), c.split(".")[-1].upper())]
    if not codes:
        raise RecordError(f"no usable record{f' of {station}' if station else ''} ({len(records.skipped)} skipped)")
    one = Path(out).suffix == ".h5"
    if one and len(codes) > 1:
        raise click.UsageError(f"{len(codes)} stations ({', '.join(codes)}): give a folder as --out, or --station")
    loaded, made = load_model(model), 0
    for code in codes:
        try:
            built = build_pool(
                [r for r in records if r.code == code], model=loaded, max_records=max_records, kind=kind,
                about={"source": source} if source else None,
            )  # fmt: skip
        except RecordError as err:
            click.echo(f"skipped {code}: {err}", err=True)
            continue
        path = built.save(out if one else Path(out) / f"{code}.h5")
        made += 1
        click.echo(f"{path}: {len(built)} records, {built.kind}, f0 {_hz(built.f0_hz)}")
    if not made:
        raise SystemExit(1)


@pool.command()
@click.argument("curve", type=click.Path(exists=True, dir_okay=False))
@click.option("--station", metavar="CODE", required=True, help="NET.STA or STA of the target.")
@click.option("--out", required=True, type=click.Path(), help="Pool file to write (.h5).")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    type=click.Path(exists=True),
    help="Recorded pool to adjust; repeat.  [default: the shipped ones]",
)
@click.option("--n-hosts", metavar="N", default=10, show_default=True, help="How many of them to use.")
@click.option(
    "--compat",
    type=click.Choice(["timesnet-gen", "none"]),
    default="timesnet-gen",
    show_default=True,
    help="Definition the curve was computed with.",
)
@click.option("--latitude", type=float, metavar="DEGREES", help="Of the target, north.  [default: unknown]")
@click.option("--longitude", type=float, metavar="DEGREES", help="Of the target, east.  [default: unknown]")
@click.option(
    "--source", metavar="TEXT", default="", help="Where the curve comes from, kept with the pool.  [default: none]"
)
def retarget(curve, station, out, hosts, n_hosts, compat, latitude, longitude, source):
    """Adjust recorded pools to a site of which only the H/V CURVE is known.

    CURVE is a CSV file of frequency (Hz) and H/V amplitude. H/V is not amplification: the amplitudes of an
    adjusted pool are nominal.
    """
    from obspy_tng.adjustment import retarget as run

    network, _, code = station.rpartition(".")
    nan = float("nan")
    made = run(
        curve, station=code, network=network, hosts=hosts or None, n_hosts=n_hosts,
        compat=None if compat == "none" else compat, source=source,
        latitude_deg=nan if latitude is None else latitude, longitude_deg=nan if longitude is None else longitude,
    )  # fmt: skip
    click.echo(f"{made.save(out)}: {made.about['made_of']}; f0 {_hz(made.f0_hz)}")


@pool.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.  [default: off]")
def info(path, as_json):
    """Tell what a pool is made of."""
    import json
    import math

    from obspy_tng.pool import LatentPool

    p = LatentPool.load(path)
    facts = {
        "station": p.code, "kind": p.kind, "n_records": len(p), "f0_hz": None if math.isnan(p.f0_hz) else p.f0_hz,
        "model": p.model, "model_sha256": p.model_sha256, "sha256": p.sha256(), "parents": p.parents, **p.about,
    }  # fmt: skip
    if as_json:
        click.echo(json.dumps(facts))
        return
    for key, value in facts.items():
        click.echo(f"{key:14} {' '.join(value) if isinstance(value, list) else value}")


def _hz(value):
    return "not clear" if value != value else f"{value:.2f} Hz"
