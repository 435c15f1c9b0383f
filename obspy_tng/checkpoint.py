"""The state of a training run: optimiser, schedule, averaged weights, history; stored so that it resumes to the bit.

A checkpoint is one safetensors file (no pickle), written under a temporary name and renamed.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import torch

from obspy_tng.errors import ModelError
from obspy_tng.models.weights import read_tensors, write_tensors

EMA_STEPS = 200  # time constant of the averaged weights that are kept
_WARM_STEPS = 200


class Run:
    """Optimiser, schedule, averaged weights, history: what a checkpoint must hold."""

    def __init__(self, network, learning_rate, steps):
        self.network, self.average = network, copy.deepcopy(network).eval()
        self.optimiser = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=1e-4, betas=(0.9, 0.98))
        self.peak, self.steps, self.done = learning_rate, max(steps, 1), 0
        self.history: list[dict] = []

    def step(self, loss):
        """Go one step down the gradient: one-cycle rate, clipped gradient, averaged weights."""
        warm = max(1, min(_WARM_STEPS, self.steps // 10))
        progress = min(1.0, max(0, self.done - warm) / max(1, self.steps - warm))
        rate = self.peak * min(1.0, (self.done + 1) / warm) * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * progress)))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.done += 1
        keep = 1 - 1 / min(EMA_STEPS, self.done + 1)
        with torch.no_grad():
            for a, p in zip(self.average.parameters(), self.network.parameters(), strict=True):
                a.lerp_(p, 1 - keep)

    def store(self, path, epoch, settings):
        """Write the checkpoint of a finished epoch."""
        tensors = {f"network.{k}": v.detach().cpu().contiguous() for k, v in self.network.state_dict().items()}
        tensors |= {f"average.{k}": v.detach().cpu().contiguous() for k, v in self.average.state_dict().items()}
        for i, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{i}.{k}": v.detach().cpu().contiguous() for k, v in state.items()}
        facts = {"epoch": epoch, "done": self.done, "settings": settings, "history": self.history}
        write_tensors(path, tensors, {"facts": json.dumps(facts)})

    def restore(self, path, settings) -> int:
        """Take up a checkpoint and return the epochs done; 0 when there is none yet."""
        if not Path(path).is_file():
            return 0
        tensors, metadata = read_tensors(path)
        facts = json.loads(metadata.get("facts", "{}"))
        if facts.get("settings") != settings:
            old = facts.get("settings", {})
            differ = sorted(k for k in settings if settings[k] != old.get(k))
            raise ModelError(f"{path} belongs to a run with other settings ({', '.join(differ)}); use another folder")
        part = lambda head: {k[len(head) :]: v for k, v in tensors.items() if k.startswith(head)}  # noqa: E731
        self.network.load_state_dict(part("network."))
        self.average.load_state_dict(part("average."))
        state = self.optimiser.state_dict()
        for key, value in part("optimiser.").items():
            index, field = key.split(".", 1)
            state["state"].setdefault(int(index), {})[field] = value
        self.optimiser.load_state_dict(state)
        self.done, self.history = facts["done"], facts["history"]
        return facts["epoch"]
