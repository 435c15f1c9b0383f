"""``obspy-tng corpus``: build and inspect training corpora."""

import click


@click.group()
def corpus():
    """Build and inspect training corpora (SeisBench layout)."""


@corpus.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=False))
@click.option("--out", required=True, type=click.Path(), help="Folder to make; must not exist.")
@click.option("--inventory", type=click.Path(exists=True), help="StationXML: responses, coordinates.  [default: none]")
@click.option("--events", type=click.Path(exists=True), help="QuakeML: events and picks.  [default: none]")
@click.option(
    "--units",
    metavar="UNIT",
    help="What the numbers are if the files cannot tell: m/s2, cm/s2, gal, g.  [default: none]",
)
def build(paths, out, inventory, events, units):
    """Build a corpus from waveform files, folders, globs and zip archives."""
    from obspy_tng.corpus import build_corpus

    def progress(line):
        click.echo(f"\r{line[:100]:<100}", err=True, nl=False)

    made, skipped = build_corpus(paths, out, inventory, events, units=units, progress=progress)
    click.echo("", err=True)
    for name, reason in skipped:
        click.echo(f"skipped {name}: {reason}", err=True)
    _describe(made)


@corpus.command()
@click.argument("path", type=click.Path(exists=True))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.  [default: off]")
def info(path, as_json):
    """Tell what a corpus holds."""
    from obspy_tng.corpus import Corpus

    _describe(Corpus(path), as_json)


def _describe(made, as_json=False):
    import json

    codes = made.codes()
    counts = {code: codes.count(code) for code in sorted(set(codes))}
    facts = {
        "path": str(made.path), "records": len(made), "events": len(set(made.event_ids())), "stations": counts,
    }  # fmt: skip
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(f"{facts['path']}: {len(made)} records, {len(counts)} stations, {facts['events']} events")
    click.echo("  " + ", ".join(f"{code} {n}" for code, n in counts.items()))
