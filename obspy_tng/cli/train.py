"""``obspy-tng train``: train a network on a corpus."""

import click


@click.command()
@click.argument("corpus", type=click.Path(exists=True))
@click.option("--out", required=True, type=click.Path(), help="Folder for checkpoint, weights, card.")
@click.option(
    "--model",
    "kind",
    type=click.Choice(["waveform", "spectral", "cvae", "heggs"]),
    default="waveform",
    show_default=True,
    help="waveform: TimesNet-Gen as published; spectral: the shipped default; cvae: the paper's baseline; "
    "heggs: one earthquake anywhere.",
)
@click.option(
    "--phase",
    type=click.Choice(["0", "1", "1a", "1b"]),
    default="0",
    show_default=True,
    help="0: unconditioned; 1: fine-tune with station labels (waveform); 1a, 1b: class priors, sharpened (cvae).",
)
@click.option(
    "--init", type=click.Path(exists=True), help="Model to start from; phases after 0 need one.  [default: none]"
)
@click.option(
    "--station",
    "stations",
    metavar="NET.STA",
    multiple=True,
    help="Phases after 0: to condition on; repeat.  [default: none]",
)
@click.option("--exclude", metavar="NET.STA", multiple=True, help="Phase 0: to leave out; repeat.  [default: none]")
@click.option("--epochs", metavar="N", default=100, show_default=True, help="Passes over the records.")
@click.option("--batch", metavar="N", default=8, show_default=True, help="Records per step.")
@click.option(
    "--learning-rate", metavar="RATE", default=1e-3, show_default=True, help="Peak of the schedule, per step."
)
@click.option("--validation", metavar="SHARE", default=0.2, show_default=True, help="Share of events held out.")
@click.option(
    "--latent-noise",
    type=float,
    metavar="SD",
    help="Phase 1: noise on the code, in sd of the station's codes.  [default: 1]",
)
@click.option("--seed", metavar="N", default=0, show_default=True, help="Weights, augmentation, event split.")
@click.option("--device", metavar="DEVICE", default="cpu", show_default=True, help="cpu or cuda.")
@click.option(
    "--precision",
    type=click.Choice(["auto", "bf16", "fp32"]),
    default="fp32",
    show_default=True,
    help="Of the network; fp32: losses depend least on the number of processes; auto: bf16, faster, where the "
    "processor computes it.",
)
@click.option("--threads", type=int, metavar="N", help="Of the CPU.  [default: torch's choice]")
@click.option("--name", metavar="NAME", help="In the model card.  [default: the folder's]")
@click.option(
    "--inversion",
    type=click.Choice(["phase", "griffin-lim"]),
    help="cvae: phases are regressed, or found for the amplitudes.  [default: phase]",
)
@click.option("--classes", type=int, metavar="N", help="cvae, phase 0: stations of the phases to come.  [default: 5]")
@click.option(
    "--reference", is_flag=True, default=None, help="waveform: the published architecture (slow).  [default: off]"
)
@click.option(
    "--unpaired",
    "paired",
    flag_value=False,
    default=None,
    type=bool,
    help="heggs: the target itself is the source.  [default: off]",
)
@click.option(
    "--noise-share",
    type=float,
    metavar="SHARE",
    help="heggs: share of the training that starts from pure noise.  [default: 0.2]",
)
@click.option(
    "--checkpoint-every",
    "checkpoint_s",
    type=click.FloatRange(0, min_open=True),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="Also within an epoch; one is kept after each anyway.",
)
@click.option(
    "--memory",
    "memory_gb",
    type=click.FloatRange(0, min_open=True),
    metavar="GB",
    help="What records may take; a corpus that does not fit is read in chunks.  [default: half of the machine's]",
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in --out.  [default: off]")
def train(corpus, out, phase, stations, resume, **settings):
    """Train a network on CORPUS (see: obspy-tng corpus build).

    Progress goes to stderr, a line per epoch; the last checkpoint is kept in --out, and --resume goes on from it to
    the same result.

    \b
    Several processes, GPUs or machines train one network, with the same losses:
        torchrun --nproc-per-node 2 -m obspy_tng.cli train CORPUS --out RUN
    """
    from pathlib import Path

    from obspy_tng.training import train as run

    if not resume and (Path(out) / "checkpoint.safetensors").exists():
        raise click.UsageError(f"{out} holds a training run; add --resume to go on, or choose another folder")
    settings = {k: v for k, v in settings.items() if v is not None}
    model = run(
        corpus, out, phase=phase, stations=stations, resume=resume,
        progress=lambda line: click.echo(line, err=True), **settings,
    )  # fmt: skip
    if model is not None:  # the first process tells
        click.echo(f"{out}/model.safetensors  {model.card['weights_sha256']}")
