"""Training TimesNet-Gen: two phases, progress, checkpoints that resume to the same numbers.

Phase 0 trains the unconditioned autoencoder on a corpus without the target stations (used alone: "zero-shot").
Phase 1 fine-tunes on the target stations with their one-hot label and noise of each station's own latent spread.
The spectral network, the shipped default, has phase 0 only: see `training_spectral`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from obspy_tng.assembly import COMPONENTS
from obspy_tng.checkpoint import Run
from obspy_tng.corpus import Corpus, split_events
from obspy_tng.errors import ModelError, RecordError
from obspy_tng.preprocessing import NPTS, SAMPLING_RATE_HZ, cut, resampled, standardise, window_start

JITTER_S = 3.0  # training windows start up to this much earlier or later
TARGETS = ("CI.CWC", "CI.WMF", "CI.ISA", "CI.HAR", "CI.SLA")


def train(
    corpus, out, *, phase: int = 0, init=None, stations: Sequence[str] = (), exclude: Sequence[str] = (),
    epochs: int = 100, batch: int = 16, learning_rate: float = 1e-3, seed: int = 0, validation: float = 0.2,
    resume: bool = False, device: str = "cpu", precision: str = "auto", threads: int | None = None,
    reference: bool = False, name: str | None = None, log_stft: float = 0.1, ln_hvsr: float = 0.1,
    latent_noise: float = 1.0, spectral: bool = False, progress: Callable[[str], None] | None = None,
):  # fmt: skip
    """Train TimesNet-Gen and return the model.

    Parameters
    ----------
    corpus : Corpus, str or path
        See `build_corpus`.
    out : str or path
        Folder for checkpoint, weights (``model.safetensors``), card and ``history.csv``.
    phase : {0, 1}
        0: unconditioned. 1: conditioned on `stations`, starting from `init`.
    init : str or path, optional
        Model to start from; phase 1 needs a phase-0 model.
    stations : sequence of str
        ``NET.STA`` codes; phase 1 uses these only.
    exclude : sequence of str
        Codes left out in phase 0: the stations the model shall never have seen.
    epochs, batch : int
        Passes over the training records; records per step.
    learning_rate : float
        Peak of the one-cycle schedule.
    seed : int
        Of weights, augmentation and event split.
    validation : float
        Share of events (not records) never trained on.
    resume : bool
        Go on from the checkpoint in `out`; the result equals an uninterrupted run.
    device, precision : str
        ``precision`` "bf16", "fp32" or "auto" (bf16 where the processor computes it).
    threads : int, optional
        CPU threads; torch's default when left out.
    reference : bool
        Train the published architecture instead (slow: 450 GMAC per record).
    spectral : bool
        Train the spectral network, whose latents are energies instead of waveforms; phase 0 only.
    name : str, optional
        Name in the card; the folder's when left out.
    log_stft, ln_hvsr : float
        Loss weights.
    latent_noise : float
        Phase 1: noise added to the code, in units of the station's own latent sd.
    progress : callable, optional
        Is told a line per epoch.

    Returns
    -------
    Autoencoder

    Raises
    ------
    ModelError
        `init` or checkpoint do not fit; the loss is no longer finite.
    RecordError
        Too few records or events.
    """
    import torch

    from obspy_tng.models import load_model
    from obspy_tng.models.losses import Loss
    from obspy_tng.models.weights import save

    if spectral and (phase or reference or init is not None):
        raise ModelError("the spectral network has phase 0 only, no reference form and no init=")
    if threads:
        torch.set_num_threads(threads)
    say = progress or (lambda line: None)
    corpus, out = corpus if isinstance(corpus, Corpus) else Corpus(corpus), Path(out)
    if phase not in (0, 1):
        raise ModelError(f"phase {phase!r} not known; accepted: 0, 1")
    chosen = _chosen(corpus, phase, stations, exclude)
    events = [corpus.event_ids()[i] for i in chosen]
    before = _start(init, phase, reference)
    train_events, valid_events = _split(events, validation, seed, before)
    say(f"reading {len(chosen)} records of {len(set(events))} events")
    codes = [corpus.codes()[i] for i in chosen]
    held = set(valid_events)
    source = _Source
    if spectral:
        from obspy_tng import training_spectral

        source = training_spectral.Source
    training = source(corpus, [i for i, e in zip(chosen, events, strict=True) if e not in held], stations)
    validating = source(corpus, [i for i, e in zip(chosen, events, strict=True) if e in held], stations)

    torch.manual_seed(seed)
    card = {
        "name": name or out.name, "model": _model_name(spectral, reference),
        "phase": phase, "stations": list(stations) if phase == 1 else [], "excluded": sorted(exclude),
        "trained_stations": sorted(set(codes)), "events_train": train_events, "events_validation": valid_events,
        "records_train": len(training), "records_validation": len(validating), "epochs": epochs, "batch": batch,
        "learning_rate": learning_rate, "seed": seed, "loss_weights": {"log_stft": log_stft, "ln_hvsr": ln_hvsr},
        "paper": "arXiv 2512.04694", "torch": torch.__version__,
    }  # fmt: skip
    if spectral:
        del card["loss_weights"]
        network, card = training_spectral.start(card, training)
    else:
        network, card = _network(card, phase, before, reference, len(stations))
    network.to(device)
    half = precision == "bf16" or (precision == "auto" and _computes_bf16(device))
    card["training_precision"] = "bf16" if half else "fp32"
    sigma = _latent_sigma(network, training, stations, device) if phase == 1 else None
    if spectral:
        objective = training_spectral.Objective()
    else:
        loss = Loss(NPTS, SAMPLING_RATE_HZ, log_stft, ln_hvsr).to(device)
        objective = _Objective(loss, phase, sigma, latent_noise)
    run = Run(network, learning_rate, epochs * -(-len(training) // batch))
    first = run.restore(out / "checkpoint.safetensors", _settings(card)) if resume else 0
    started = time.monotonic()
    for epoch in range(first, epochs):
        rng = np.random.default_rng([seed, phase, epoch])
        torch.manual_seed(seed * 100003 + epoch)
        network.train()
        sums: dict[str, float] = {}
        order = rng.permutation(len(training))
        for k in range(0, len(order), batch):
            rows = order[k : k + batch]
            batch_ = [torch.from_numpy(a).to(device) for a in training.draw(rows, rng)]
            with torch.autocast(str(device).split(":")[0], dtype=torch.bfloat16, enabled=half):
                terms = objective(network, batch_, train=True)
            if not torch.isfinite(terms["total"]):
                raise ModelError(
                    f"loss is not finite in epoch {epoch + 1}; lower the learning rate ({learning_rate:g})"
                )
            run.step(terms["total"])
            for key, value in terms.items():
                sums[key] = sums.get(key, 0.0) + float(value.detach()) * len(rows) / len(order)
        values = {f"train_{k}": v for k, v in sums.items()}
        values |= {f"valid_{k}": v for k, v in _validate(run.average, validating, objective, batch, device).items()}
        run.history.append({"epoch": epoch + 1, **{k: round(v, 5) for k, v in values.items()}})
        run.store(out / "checkpoint.safetensors", epoch + 1, _settings(card))
        told = ", ".join(f"{k} {values['valid_' + k]:.3f}" for k in terms if k != "total")
        left = (time.monotonic() - started) / (epoch + 1 - first) * (epochs - epoch - 1)
        say(
            f"epoch {epoch + 1}/{epochs}  loss {values['train_total']:.3f}  validation {values['valid_total']:.3f} "
            f"({told})  {left / 60:.0f} min left"
        )
    card["losses"] = run.history[-1] if run.history else {}
    card = save(out / "model.safetensors", run.average, card)
    _write_history(out / "history.csv", run.history)
    return load_model(out, device=device)


class _Source:
    """Training records in memory, cut and turned anew each time they are drawn."""

    def __init__(self, corpus, indices, stations):
        if not indices:
            raise RecordError("no record is left for training or validation; use more events or fewer exclusions")
        self.records = [replace(r, data=r.data.astype(np.float32)) for r in map(resampled, corpus.records(indices))]
        self.labels = np.zeros((len(self.records), len(stations)), np.float32)
        for i, record in enumerate(self.records):
            if record.code in stations:
                self.labels[i, list(stations).index(record.code)] = 1

    def __len__(self):
        return len(self.records)

    def draw(self, rows, rng=None):
        """Return x, ln_sd, s_s and label of records; with `rng` jittered in time, turned in azimuth, sign flipped."""
        x, s_s = np.zeros((len(rows), len(COMPONENTS), NPTS)), np.zeros(len(rows), np.float32)
        for k, i in enumerate(rows):
            record = self.records[i]
            first = window_start(record)
            data = record.data
            if rng is not None:
                jitter = int(rng.uniform(-JITTER_S, JITTER_S) * SAMPLING_RATE_HZ)
                first = int(np.clip(first + jitter, min(0, first), max(first, record.npts - NPTS)))
                angle = rng.uniform(0, 2 * np.pi)
                turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
                data = np.concatenate([turn @ data[:2], data[2:] * rng.choice([-1, 1])])
            x[k] = cut(data, first)
            s_s[k] = record.s_s - first / SAMPLING_RATE_HZ
        x, ln_sd = standardise(x)
        return x, ln_sd.astype(np.float32), s_s, self.labels[rows]


def _model_name(spectral: bool, reference: bool) -> str:
    if spectral:
        return "spectral-timesnet-gen"
    return "timesnet-gen-reference" if reference else "timesnet-gen"


def _settings(card: dict) -> dict:
    """Return what must be equal for a run to be resumed."""
    left_out = ("losses", "torch", "name")
    return json.loads(json.dumps({k: v for k, v in card.items() if k not in left_out}))


def _chosen(corpus, phase, stations, exclude) -> list[int]:
    codes = corpus.codes()
    unknown = sorted((set(stations) | set(exclude)) - set(codes)) if phase == 1 else sorted(set(stations) - set(codes))
    if unknown:
        raise RecordError(f"station(s) {', '.join(unknown)} are not in the corpus ({', '.join(sorted(set(codes)))})")
    if phase == 1 and not stations:
        raise RecordError("phase 1 needs stations= to be conditioned on")
    if phase == 1:
        return [i for i, c in enumerate(codes) if c in stations]
    return [i for i, c in enumerate(codes) if c not in exclude]


def _start(init, phase, reference):
    """Return the model training starts from, or None."""
    from obspy_tng.models import load_model

    if init is None:
        if phase == 1:
            raise ModelError("phase 1 needs init=, a phase-0 model to start from")
        return None
    before = load_model(init)
    model = "timesnet-gen-reference" if reference else "timesnet-gen"
    if before.card["model"] != model or before.card.get("fused"):
        raise ModelError(f"{init} cannot be trained on: it is another model than {model}, or its kernels are fused")
    return before


def _split(events, validation, seed, before):
    """Split by event; what the model to start from held out stays held out."""
    held = set(before.card["events_validation"]) & set(events) if before else set()
    if held and held != set(events):
        return sorted(set(events) - held), sorted(held)
    return split_events(events, validation, seed)


def _network(card, phase, before, reference, n_stations):
    from obspy_tng.models.autoencoder import build
    from obspy_tng.models.reference import ReferenceConfig
    from obspy_tng.models.timesnet_gen import Config

    labels = n_stations if phase == 1 else 0
    config = ReferenceConfig(n_stations=labels) if reference else Config(n_stations=labels)
    if before is not None:
        config = replace(before.network.config, n_stations=labels)
        card["init_sha256"] = before.sha256
    card["config"] = config.to_dict()
    network = build(card)
    if before is None and not reference:
        network.start_as_lapped_transform()
    if before is not None:
        import torch

        network.load_state_dict(before.network.state_dict(), strict=False)
        for module in network.modules():
            condition = getattr(module, "condition", None)
            if isinstance(condition, torch.nn.Conv2d):  # starts as the identity: the label is learned, not imposed
                torch.nn.init.zeros_(condition.weight)
                torch.nn.init.zeros_(condition.bias)
                channels = condition.weight.shape[0]
                condition.weight.data[:, :channels, 0, 0] = torch.eye(channels)
    return network, card


def _latent_sigma(network, source, stations, device):
    """Return the sd of each latent channel over a station's training records, (S, latent): the paper's sigma_s."""
    import torch

    rows = []
    with torch.no_grad():
        for k in range(len(stations)):
            members = np.flatnonzero(source.labels[:, k])
            if members.size < 2:
                raise RecordError(f"station {stations[k]} has {members.size} training record(s); at least 2 are needed")
            x, _, _, label = source.draw(members)
            z = network.encode(torch.from_numpy(x).to(device), torch.from_numpy(label).to(device))
            rows.append(z.std(0).mean(-1))
    return torch.stack(rows)


class _Objective:
    """What the waveform network is trained for: forward pass and loss of a batch."""

    def __init__(self, loss, phase, sigma, latent_noise):
        self.loss, self.phase, self.sigma, self.latent_noise = loss, phase, sigma, latent_noise

    def __call__(self, network, batch, train: bool) -> dict:
        import torch

        x, ln_sd, s_s, label = batch
        noise = None
        if train and self.sigma is not None:
            drawn = torch.randn(len(x), self.sigma.shape[1], network.config.steps, device=x.device)
            noise = self.latent_noise * (label @ self.sigma)[..., None] * drawn
        y = network(x, label if self.phase == 1 else None, noise)
        with torch.autocast(x.device.type, enabled=False):
            return self.loss(y.float(), x, ln_sd, s_s)


def _validate(network, source, objective, batch, device) -> dict[str, float]:
    import torch

    sums: dict[str, float] = {}
    with torch.no_grad():
        for first in range(0, len(source), batch):
            rows = np.arange(first, min(first + batch, len(source)))
            terms = objective(network, [torch.from_numpy(a).to(device) for a in source.draw(rows)], train=False)
            for key, value in terms.items():
                sums[key] = sums.get(key, 0.0) + float(value.detach()) * len(rows) / len(source)
    return sums


def _computes_bf16(device) -> bool:
    """Say whether bf16 pays: on a GPU, or on a processor with bf16 instructions."""
    import torch

    if str(device) != "cpu":
        return True
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None) or getattr(torch.cpu, "_is_avx512_supported", None)
    return bool(probe and probe())


def _write_history(path, history) -> None:
    from obspy_tng.models.weights import write_text

    if history:
        lines = [",".join(history[0])] + [",".join(str(v) for v in row.values()) for row in history]
        write_text(path, "\n".join(lines) + "\n")
