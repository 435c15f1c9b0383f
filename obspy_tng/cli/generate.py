"""``obspy-tng generate``: accelerograms for a site."""

import click


@click.command()
@click.option("--station", help="Code, such as 0205, TK.0205 or CI.CWC (see: obspy-tng stations).")
@click.option(
    "--hvsr",
    "curve",
    type=click.Path(exists=True, dir_okay=False),
    help="Instead: CSV of frequency (Hz) and H/V amplitude of the site.",
)
@click.option("--magnitude", type=float, help="Of the earthquakes.  [default: as the pool's earthquakes scatter]")
@click.option("--distance", "distance_km", type=float, help="Epicentral, in km.  [default: as in the pool]")
@click.option("-n", "n", default=1, show_default=True, help="Realisations, 1 to 1296.")
@click.option("--seed", type=int, help="Drawn and printed when left out.")
@click.option("--model", help="Model name or path; the pool's own when left out.")
@click.option("--pool", type=click.Path(exists=True), help="Pool file, or folder of pools.")
@click.option(
    "--sampler",
    type=click.Choice(["vp", "mean", "dirichlet", "encoded", "prior"]),
    default="vp",
    show_default=True,
    help="How the pool's records are mixed; prior: the model's own (CVAE).",
)
@click.option(
    "--latent-noise", default=0.0, show_default=True, help="Noise on the code, in sd of the pool's codes (paper: 1)."
)
@click.option(
    "--instrument",
    type=click.Choice(["X", "N"]),
    default="X",
    show_default=True,
    help="Channel code HX? (synthetic) or HN?.",
)
@click.option("--starttime", help="UTC time of the first sample; 1970-01-01 when left out.")
@click.option("--format", "format_", default="MSEED", show_default=True, help="MSEED, SAC, AT2, PICKLE …")
@click.option("--out", default=".", show_default=True, type=click.Path(), help="Folder to write to.")
@click.option("--plot", is_flag=True, help="Also draw a realisation and all H/V curves (PNG).")
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda.")
def generate(station, curve, n, seed, sampler, instrument, starttime, format_, out, plot, **settings):
    """Generate three-component accelerograms that shake like a site (m/s², 100 Hz, 60 s).

    Writes the waveforms and a StationXML sidecar with their provenance to --out.
    """
    from pathlib import Path

    import obspy_tng as tng
    from obspy_tng.errors import TNGError
    from obspy_tng.pool import find_pool

    if curve is not None and (station is not None or settings["pool"] is not None):
        raise click.UsageError("--hvsr stands for the site: leave out --station and --pool")
    if station is None and curve is None and settings["pool"] is None:
        raise click.UsageError("say for which site: --station CODE or --hvsr CURVE.csv, or --pool POOL.h5")
    start = None
    if starttime is not None:
        from obspy import UTCDateTime

        try:
            start = UTCDateTime(starttime)
        except (ValueError, TypeError):
            raise click.BadParameter(
                f"{starttime!r} is no time; accepted: 2023-02-06T01:17:32", param_hint="--starttime"
            ) from None
    stream = tng.generate(
        station, n, hvsr=curve, sampler=sampler, seed=seed, starttime=start, instrument=instrument, **settings
    )
    made = stream[0].stats.tng
    name = f"{made.station}_{made.seed}"
    folder_format = format_.upper() in ("SAC", "AT2")
    suffix = {"MSEED": ".mseed", "PICKLE": ".pickle", "H5": ".h5"}.get(format_.upper(), f".{format_.lower()}")
    target = Path(out) / (name if folder_format else name + suffix)
    try:
        files = tng.write(stream, target, format=format_.upper())
    except (TypeError, ValueError) as err:
        if isinstance(err, TNGError):
            raise
        raise TNGError(f"format {format_!r} cannot be written: {err}") from err
    if plot:
        from obspy_tng.plotting import plot_generated

        files.append(Path(out) / f"{name}.png")
        plot_generated(stream).savefig(files[-1], dpi=130)
    peaks = sorted(max(abs(t.data).max() for t in stream[3 * i : 3 * i + 2]) for i in range(n))  # horizontals
    pga = f"PGA {peaks[0]:.2g}" + (f" to {peaks[-1]:.2g}" if n > 1 else "") + " m/s²"
    if made.pool_kind != "adjusted":
        pool_max = find_pool(station, settings["pool"], settings["model"]).pga_mps2.max()
        above = sum(p > pool_max for p in peaks)
        pga += f", {above} of {n} above the pool's largest ({pool_max:.2g})"
    nominal = ", nominal: amplitudes are those of the host records" if made.pool_kind == "adjusted" else ""
    click.echo(
        f"{n} realisation(s) of {made.station} ({made.pool_kind} pool), seed {made.seed}; {pga}{nominal}", err=True
    )
    for path in files if len(files) < 6 else [target, *files[-1:]]:
        click.echo(str(path))
