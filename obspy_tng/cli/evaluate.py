"""``obspy-tng evaluate``: how well generated records stand for real ones."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import click

from obspy_tng.cli.output import replace, tell, write_netcdf


@click.command()
@click.argument("real", type=click.Path(exists=True))
@click.argument("synthetic", type=click.Path(exists=True))
@click.option(
    "--pool",
    type=click.Path(exists=True),
    metavar="PATH",
    help="Records the generator drew from.  [default: parents the generated records name, else REAL]",
)
@click.option(
    "--reconstructed",
    type=click.Path(exists=True),
    metavar="PATH",
    help="Real records passed through a model, for the three-set matrix.  [default: none]",
)
@click.option(
    "--latents",
    type=click.Path(exists=True),
    metavar="PATH",
    help="Pool file or folder of pools, for the station purity of their codes.  [default: none]",
)
@click.option(
    "--inventory",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="StationXML of the real records: responses, coordinates.  [default: none]",
)
@click.option(
    "--events",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="QuakeML: which records share an event, magnitudes, picks.  [default: events told from start times]",
)
@click.option(
    "--units",
    type=click.Choice(["m/s2", "cm/s2", "gal", "g"]),
    help="What the numbers are, where files cannot tell.  [default: m/s2, with a note]",
)
@click.option(
    "--report", type=click.Path(dir_okay=False), metavar="FILE.html", help="Write a page to look at.  [default: none]"
)
@click.option(
    "--out", type=click.Path(dir_okay=False), metavar="FILE.nc", help="Write everything as netCDF.  [default: none]"
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout instead of the table.  [default: off]"
)
@click.option(
    "--c2st/--no-c2st", default=True, show_default=True, help="Train classifiers to tell real from generated."
)
@click.option(
    "--splits",
    metavar="N",
    type=click.IntRange(2),
    default=20,
    show_default=True,
    help="Random halves of the events (intervals).",
)
@click.option(
    "--seed", metavar="N", type=int, default=0, show_default=True, help="Of splits, baselines and classifiers."
)
@click.option("--jobs", metavar="N", type=click.IntRange(1), help="Threads.  [default: all cores]")
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Of a running dask cluster, tcp://HOST:PORT, which measures the records instead.  [default: none]",
)
def evaluate(real, synthetic, report, out, as_json, latents, splits, **settings):
    """Measure how well generated records stand for real ones.

    REAL and SYNTHETIC are files ObsPy reads, directories, zip archives or corpora; stations are matched by NET.STA.
    Prints a table of the generated records beside the real-vs-real floor and naive baselines.
    """
    import obspy_tng as tng
    from obspy_tng.evaluation.text import as_json as plain
    from obspy_tng.evaluation.text import as_text

    for path in filter(None, (report, out)):
        if not Path(path).absolute().parent.is_dir():
            raise click.UsageError(f"folder {str(Path(path).parent)!r} does not exist")
    if report and Path(report).suffix.lower() not in (".html", ".htm"):
        raise click.UsageError(f"--report {report!r} ends in neither .html nor .htm")
    if out and Path(out).suffix.lower() != ".nc":
        raise click.UsageError(f"--out {out!r} does not end in .nc")
    progress = _Progress()
    result = tng.evaluate(real, synthetic, latents=_codes(latents), n_splits=splits, progress=progress.tell, **settings)
    progress.end()
    settings = json.loads(result.attrs["settings"])
    settings["command"] = shlex.join([click.get_current_context().command_path, *sys.argv[2:]])
    result.attrs["settings"] = json.dumps(settings)
    for name, items in json.loads(result.attrs["skipped"]).items():
        for record, reason in items:
            click.echo(f"skipped ({name}): {record}: {reason}", err=True)
    tell(json.dumps(plain(result), ensure_ascii=False) if as_json else as_text(result))
    if out:
        replace(out, lambda path: write_netcdf(path, result))
        click.echo(f"wrote {out}", err=True)
    if report:
        tng.report(result, report)
        click.echo(f"wrote {report}", err=True)


def _codes(path):
    """Return station -> codes of the pools in a file or folder."""
    if path is None:
        return None
    from obspy_tng.pool import find_pool

    files = sorted(Path(path).glob("*.h5")) if Path(path).is_dir() else [Path(path)]
    if not files:
        raise click.UsageError(f"--latents: no pool (*.h5) in {path}")
    pools = [find_pool(None, file) for file in files]
    return {pool.code: pool.latents for pool in pools}


class _Progress:
    """A line on stderr that is rewritten on a terminal and printed now and then elsewhere."""

    def __init__(self):
        self.live = sys.stderr.isatty()
        self.last = ("", -1)

    def tell(self, what: str, done: int, total: int) -> None:
        share = int(10 * done / max(total, 1))
        if not self.live and (what, share) == self.last:
            return
        self.last = (what, share)
        end = "" if self.live else "\n"
        click.echo(("\r\x1b[K" if self.live else "") + f"{what}: {done} of {total}{end}", err=True, nl=False)

    def end(self) -> None:
        if self.live:
            click.echo("", err=True)
