"""The training loop: epochs, steps, validation, checkpoints; the same for all kinds, in one process or a team."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from obspy_tng.checkpoint import go_on
from obspy_tng.errors import ModelError
from obspy_tng.models.weights import write_text
from obspy_tng.training_team import Step, Team, shared

KEPT_STEPS = 1000  # whose losses are kept


class Plan(NamedTuple):
    """What is gone through.

    Attributes
    ----------
    epochs, batch, seed, phase : int
        `phase` is its number among those of the kind.
    device : str
    half : bool
        bf16 where it is safe.
    settings : dict
        That must be equal for a run to be resumed.
    resume : bool
    checkpoint_s : float
        Greatest age of the last checkpoint in s.
    """

    epochs: int
    batch: int
    seed: int
    phase: int
    device: str
    half: bool
    settings: dict
    resume: bool
    checkpoint_s: float


def fit(run, training, validating, objective, plan: Plan, out: Path, team: Team, say: Callable[[str], None]) -> None:
    """Train ``run.network``; afterwards ``run.average`` and ``run.history`` hold what came of it.

    Parameters
    ----------
    run : checkpoint.Run
    training, validating : Source
        Of a kind; see `obspy_tng.training.KINDS`.
    objective : callable
    plan : Plan
    out : Path
        Folder of the checkpoint and of the tables ``history.csv`` and ``steps.csv``.
    team : Team
        Its first process writes.
    say : callable
        Is told a line per epoch.
    """
    path = out / "checkpoint.safetensors"
    first, within = run.restore(path, plan.settings) if plan.resume else (0, None)
    team.agree([first, run.done], "checkpoint")
    step = shared(Step(run.network, objective, plan.device, plan.half), team)
    started = stored = time.monotonic()
    for epoch in range(first, plan.epochs):
        rng = np.random.default_rng([plan.seed, plan.phase, epoch])
        torch.manual_seed(plan.seed * 100003 + epoch)
        run.network.train()
        order = training.order(rng) if hasattr(training, "order") else rng.permutation(len(training))
        begin, sums = 0, {}
        if within:
            go_on(within, rng)
            begin, sums, within = within["begin"], within["sums"], None
        for k in range(begin, len(order), plan.batch):
            if team.first and k > begin and time.monotonic() - stored >= plan.checkpoint_s:
                run.store(path, epoch, plan.settings, {"rng": rng, "begin": k, "sums": sums})
                stored = time.monotonic()
            rows = order[k : k + plan.batch]
            part = team.part(len(rows))
            terms = step(_tensors(training.draw(rows, rng, part.rows), plan.device), part)
            if not torch.isfinite(terms["total"]):
                peak = f"lower the learning rate ({run.peak:g})"
                raise ModelError(f"loss is not finite in epoch {epoch + 1}; {peak}")
            run.step(terms["total"])
            if len(run.losses) < KEPT_STEPS:
                run.losses.append(float(f"{float(terms['total'].detach()):.7g}"))
            for key, value in terms.items():
                sums[key] = sums.get(key, 0.0) + float(value.detach()) * len(rows) / len(order)
        values = {f"train_{k}": v for k, v in sums.items()}
        values |= {f"valid_{k}": v for k, v in _validate(run.average, validating, objective, plan, team).items()}
        run.history.append({"epoch": epoch + 1, **{k: round(v, 5) for k, v in values.items()}})
        if team.first:
            run.store(path, epoch + 1, plan.settings)
        stored = time.monotonic()
        told = ", ".join(f"{k} {values['valid_' + k]:.3f}" for k in sums if k != "total")
        left = (time.monotonic() - started) / (epoch + 1 - first) * (plan.epochs - epoch - 1)
        say(
            f"epoch {epoch + 1}/{plan.epochs}  loss {values['train_total']:.3f}  "
            f"validation {values['valid_total']:.3f} ({told})  {left / 60:.0f} min left"
        )
    if team.first:
        _write_table(out / "history.csv", run.history)
        _write_table(out / "steps.csv", [{"step": i + 1, "loss": loss} for i, loss in enumerate(run.losses)])


def _validate(network, source, objective, plan: Plan, team: Team) -> dict[str, float]:
    """Return the mean terms of the loss over all records of a source."""
    sums: dict[str, float] = {}
    with torch.no_grad():
        for first in range(0, len(source), plan.batch):
            rows = np.arange(first, min(first + plan.batch, len(source)))
            part = team.part(len(rows))
            batch = _tensors(source.draw(rows, None, part.rows), plan.device)
            for key, value in objective(network, batch, train=False, part=part).items():
                sums[key] = sums.get(key, 0.0) + float(value.detach()) * len(rows) / len(source)
    return sums


def _tensors(arrays, device):
    return [torch.from_numpy(a).to(device) for a in arrays]


def _write_table(path, rows: list[dict]) -> None:
    if rows:
        lines = [",".join(rows[0])] + [",".join(str(v) for v in row.values()) for row in rows]
        write_text(path, "\n".join(lines) + "\n")
