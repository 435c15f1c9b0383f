"""train(): a network of any kind on a corpus; progress, checkpoints that resume to the same numbers.

The loop is the same for all; what a kind sees of records and what it is trained for stands in its module (`KINDS`).
Phase 0 trains on a corpus without the target stations; kinds that know stations are fine-tuned to them in further
phases.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obspy_tng.corpus import Corpus, split_events
from obspy_tng.errors import ModelError, RecordError

if TYPE_CHECKING:
    from obspy_tng import hints
    from obspy_tng.models.autoencoder import Autoencoder

TARGETS = ("CI.CWC", "CI.WMF", "CI.ISA", "CI.HAR", "CI.SLA")

# --model -> module, which has
#   PHASES     dict: phase -> whether it must start from a model (init=); 0 trains on all but `exclude`, any other phase
#              on `stations` only
#   OPTIONS    dict: further settings of train() and their defaults
#   model_name(options) -> what the card calls the network: a key of `obspy_tng.models.MODELS`
#   Source(corpus, indices, stations), with len() and draw(rows, rng=None, part=slice(None)) -> tuple of arrays, a row
#              per record; rng None: as they are (validation); part: these of the rows, though `rng` is asked for all
#   start(card, source, before, options, device) -> (network, card, objective): `before` is the model of init= or None;
#              the card comes back with "config" and whatever else must be equal for a run to be resumed;
#              with "warm_steps" where the learning rate is to reach its peak after so many, in any run
#   STREAMS    True where Source takes together=, how many chunks to hold of a corpus that is streamed
#              (`training_store`), and has order(rng), the order of an epoch; optional
#   objective(network, batch, train, part) -> dict of loss terms of the whole batch, "total" among them; `batch` holds
#              the rows of `part`, a `training_team.Part`, which puts together what belongs to all rows
# and may have
#   measured(network, card, training, validating, device, say) -> dict: what the card is to tell of the trained network
KINDS = {
    "waveform": "training_waveform",
    "spectral": "training_spectral",
    "cvae": "training_cvae",
    "heggs": "training_heggs",
}


def train(
    corpus: Corpus | hints.Path, out: hints.Path, *, kind: str = "waveform", phase: int | str = 0,
    init: hints.Path | None = None, stations: Sequence[str] = (),
    exclude: Sequence[str] = (), epochs: int = 100, batch: int = 16, learning_rate: float = 1e-3, seed: int = 0,
    validation: float = 0.2, resume: bool = False, device: str = "cpu", precision: str = "fp32",
    threads: int | None = None, name: str | None = None, checkpoint_s: float = 600.0, memory_gb: float | None = None,
    progress: Callable[[str], None] | None = None, **options: Any,
) -> Autoencoder:  # fmt: skip
    """Train a network and return the model.

    Started by torchrun, all processes train one network together: the batches, their order and all random numbers are
    those of one process, each works on its rows of every batch, and the losses are the same up to rounding. Corpus,
    `init` and `out` must be seen by all of them; the first one writes.

    Parameters
    ----------
    corpus : Corpus, str or path
        See `build_corpus`.
    out : str or path
        Folder for checkpoint, weights (``model.safetensors``), card, ``history.csv`` (losses of epochs) and
        ``steps.csv`` (the loss of each of the first 1000 steps).
    kind : {"waveform", "spectral", "cvae", "heggs"}
        TimesNet-Gen as published, with latents of waveforms; the shipped default, with latents of energies; the
        paper's baseline, a conditional variational autoencoder of spectrograms; HEGGS, a diffusion from one station
        of an earthquake to another.
    phase : int or str
        0: unconditioned. "waveform" 1: conditioned on `stations`, starting from `init`. "cvae" "1a": class priors,
        from a phase 0; "1b": clusters sharpened, from a phase 1a. "spectral" and "heggs" have phase 0 only.
    init : str or path, optional
        Model to start from.
    stations : sequence of str
        ``NET.STA`` codes; phases after 0 use these only.
    exclude : sequence of str
        Codes left out in phase 0: the stations the model shall never have seen.
    epochs, batch : int
        Passes over the training records; records per step, of all processes together.
    learning_rate : float
        Peak of the one-cycle schedule, per step.
    seed : int
        Of weights, augmentation and event split.
    validation : float
        Share of events (not records) never trained on.
    resume : bool
        Go on from the checkpoint in `out`; the result equals an uninterrupted run, also with other processes.
    device, precision : str
        ``precision`` "fp32", whose losses depend least on the number of processes (see the guide); "bf16", faster
        on processors that compute it; "auto", bf16 on those.
    threads : int, optional
        CPU threads of each process; torch's default when left out.
    name : str, optional
        Name in the card; the folder's when left out.
    checkpoint_s : float
        A checkpoint is written after every epoch, and inside of one when the last is so many seconds old.
    memory_gb : float, optional
        What the records may take in memory, 10⁹ bytes; half of the machine's when left out. A corpus that does not fit
        is read chunk by chunk, and shuffled by chunk; "heggs" refuses it.
    progress : callable, optional
        Is told a line per epoch.
    **options
        Of the kind. "waveform": `reference` (False; True trains the published architecture, slow: 450 GMAC per
        record), `log_stft` and `ln_hvsr` (0.1; loss weights), `latent_noise` (1.0; phase 1: noise added to the code,
        in units of the station's own latent sd). "cvae": see `obspy_tng.training_cvae`.

    Returns
    -------
    Autoencoder
        None on processes other than the first.

    Raises
    ------
    ModelError
        `init`, options or checkpoint do not fit; the loss is no longer finite; another process ended.
    RecordError
        Too few records or events.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> model = tng.train("corpus", "run", kind="spectral", epochs=36, batch=32)  # doctest: +SKIP
    >>> pool = tng.build_pool(records, model=model)  # doctest: +SKIP
    """
    from obspy_tng.training_team import gathered

    if not checkpoint_s > 0:
        raise ModelError(f"checkpoint_s={checkpoint_s!r} given; accepted: seconds above 0")
    if memory_gb is not None and not memory_gb > 0:
        raise ModelError(f"memory_gb={memory_gb!r} given; accepted: 10⁹ bytes, above 0")
    module, phase, options = _kind(kind, phase, options)
    if threads:
        import torch

        torch.set_num_threads(threads)
    with gathered(device) as (team, device):
        say = progress if progress and team.first else lambda line: None
        return _train(
            corpus, Path(out), module, phase, options, team, say, init=init, stations=stations, exclude=exclude,
            epochs=epochs, batch=batch, learning_rate=learning_rate, seed=seed, validation=validation, resume=resume,
            device=device, precision=precision, name=name, checkpoint_s=checkpoint_s, memory_gb=memory_gb,
        )  # fmt: skip


def _train(
    corpus, out, module, phase, options, team, say, *, init, stations, exclude, epochs, batch, learning_rate, seed,
    validation, resume, device, precision, name, checkpoint_s, memory_gb,
):  # fmt: skip
    """Return the model of `train`, as one process of a team goes about it."""
    import torch

    from obspy_tng.checkpoint import Run
    from obspy_tng.models import load_model
    from obspy_tng.models.weights import save
    from obspy_tng.training_loop import Plan, fit
    from obspy_tng.training_store import CHUNK, plan

    corpus = corpus if isinstance(corpus, Corpus) else Corpus(corpus)
    team.agree([len(corpus)], "corpus")
    chosen = _chosen(corpus, phase, stations, exclude)
    events, codes = ([values[i] for i in chosen] for values in (corpus.event_ids(), corpus.codes()))
    model_name = module.model_name(options)
    before = _start(init, phase, module.PHASES[phase], model_name)
    train_events, valid_events = _split(events, validation, seed, before)
    say(f"reading {len(chosen)} records of {len(set(events))} events")
    held = set(valid_events)
    together = plan(corpus, chosen, memory_gb)
    team.agree([together or 0], "memory")
    how = {} if together is None else {"together": together}
    if how and not getattr(module, "STREAMS", False):
        raise ModelError(f"{model_name} holds all records in memory, and {len(chosen)} are more than memory_gb= allows")
    if how:
        say(f"records do not fit into memory: read in chunks of {CHUNK}, {together} of them at a time")
    training, validating = (
        module.Source(corpus, [i for i, e in zip(chosen, events, strict=True) if (e in held) is part], stations, **how)
        for part in (False, True)
    )

    torch.manual_seed(seed)
    card = {
        "name": name or out.name, "model": model_name,
        "phase": phase, "stations": list(stations) if phase != 0 else [], "excluded": sorted(exclude),
        "trained_stations": sorted(set(codes)), "events_train": train_events, "events_validation": valid_events,
        "records_train": len(training), "records_validation": len(validating), "epochs": epochs, "batch": batch,
        "learning_rate": learning_rate, "seed": seed, "paper": "arXiv 2512.04694", "torch": torch.__version__,
    }  # fmt: skip
    if how:
        card["streamed"] = [CHUNK, together]  # the order depends on it
    if before is not None:
        card["init_sha256"] = before.sha256
    network, card, objective = module.start(card, training, before, options, device)
    network.to(device)
    half = precision == "bf16" or (precision == "auto" and _computes_bf16(device))
    card["training_precision"] = "bf16" if half else "fp32"
    run = Run(network, learning_rate, epochs * -(-len(training) // batch), card.get("warm_steps"))
    course = Plan(
        epochs, batch, seed, list(module.PHASES).index(phase), device, half, _settings(card), resume, checkpoint_s
    )
    fit(run, training, validating, objective, course, out, team, say)
    if team.first:
        card["losses"] = run.history[-1] if run.history else {}
        if hasattr(module, "measured"):
            card |= module.measured(run.average, card, training, validating, device, say)
        save(out / "model.safetensors", run.average, card)
    team.wait()
    return load_model(out, device=device) if team.first else None


def _kind(kind: str, phase, options: dict):
    """Return module, phase and all options of a kind; refuse what it does not have."""
    if kind not in KINDS:
        raise ModelError(f"model kind {kind!r} not known; accepted: {', '.join(KINDS)}")
    module = import_module(f"obspy_tng.{KINDS[kind]}")
    phases = {str(p): p for p in module.PHASES}
    if str(phase) not in phases:
        raise ModelError(f"phase {phase!r} not known; accepted by {kind}: {', '.join(phases)}")
    unknown = sorted(set(options) - set(module.OPTIONS))
    if unknown:
        accepted = ", ".join(module.OPTIONS) or "none"
        raise ModelError(f"option(s) {', '.join(unknown)} not known; accepted by {kind}: {accepted}")
    return module, phases[str(phase)], module.OPTIONS | options


def _settings(card: dict) -> dict:
    """Return what must be equal for a run to be resumed."""
    left_out = ("losses", "torch", "name")
    return json.loads(json.dumps({k: v for k, v in card.items() if k not in left_out}))


def _chosen(corpus, phase, stations, exclude) -> list[int]:
    codes = corpus.codes()
    named = set(stations) | set(exclude) if phase != 0 else set(stations)
    unknown = sorted(named - set(codes))
    if unknown:
        raise RecordError(f"station(s) {', '.join(unknown)} are not in the corpus ({', '.join(sorted(set(codes)))})")
    if phase != 0 and not stations:
        raise RecordError(f"phase {phase} needs stations= to be conditioned on")
    if phase != 0:
        return [i for i, c in enumerate(codes) if c in stations]
    return [i for i, c in enumerate(codes) if c not in exclude]


def _start(init, phase, needed: bool, model: str):
    """Return the model training starts from, or None."""
    from obspy_tng.models import load_model

    if init is None:
        if needed:
            raise ModelError(f"phase {phase} needs init=, a model to start from")
        return None
    before = load_model(init)
    if before.card["model"] != model or before.card.get("fused"):
        raise ModelError(f"{init} cannot be trained on: it is another model than {model}, or its kernels are fused")
    return before


def _split(events, validation, seed, before):
    """Split by event; what the model to start from held out stays held out."""
    held = set(before.card["events_validation"]) & set(events) if before else set()
    if held and held != set(events):
        return sorted(set(events) - held), sorted(held)
    return split_events(events, validation, seed)


def _computes_bf16(device) -> bool:
    """Say whether bf16 pays: on a GPU, or on a processor with bf16 instructions."""
    import torch

    if str(device) != "cpu":
        return True
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None) or getattr(torch.cpu, "_is_avx512_supported", None)
    return bool(probe and probe())
