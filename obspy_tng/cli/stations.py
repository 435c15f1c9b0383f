"""``obspy-tng stations``: what can be generated."""

import click


@click.command()
@click.option(
    "--pool",
    type=click.Path(exists=True, file_okay=False),
    help="Folder of pools of your own.  [default: the shipped ones]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array on stdout.  [default: off]")
def stations(pool, as_json):
    """List the stations that can be generated, and what their pools are made of."""
    import json
    import math

    from obspy_tng.cli.output import tell
    from obspy_tng.errors import ModelError
    from obspy_tng.pool import LatentPool, pool_files

    pools = []
    for path in pool_files(pool).values():
        try:
            pools.append(LatentPool.load(path))
        except ModelError as err:
            click.echo(f"skipped {path.name}: {err}", err=True)
    if not pools:
        raise ModelError(f"no readable pool in {pool}")
    if as_json:
        rows = [
            {
                "station": p.code, "kind": p.kind, "n_records": len(p),
                "f0_hz": None if math.isnan(p.f0_hz) else p.f0_hz,
                "model": p.model, "made_of": p.about.get("made_of", ""),
            }
            for p in pools
        ]  # fmt: skip
        tell(json.dumps(rows))
        return
    lines = [f"{'station':10} {'kind':9} {'records':>7} {'f0 (Hz)':>8}  made of"]
    for p in pools:
        f0 = "-" if math.isnan(p.f0_hz) else f"{p.f0_hz:.2f}"
        lines.append(f"{p.code:10} {p.kind:9} {len(p):7} {f0:>8}  {p.about.get('made_of', '')}")
    tell("\n".join(lines))
