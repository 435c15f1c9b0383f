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
_WARM_STEPS = 200  # at most; of shorter runs a tenth


class Run:
    """Optimiser, schedule, averaged weights, history: what a checkpoint must hold.

    `warm` is the number of steps until the learning rate is at its peak, for kinds that need so many in any run.
    """

    def __init__(self, network, learning_rate, steps, warm=None):
        self.network, self.average = network, copy.deepcopy(network).eval()
        self.optimiser = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=1e-4, betas=(0.9, 0.98))
        self.peak, self.steps, self.done = learning_rate, max(steps, 1), 0
        self.warm = warm or max(1, min(_WARM_STEPS, self.steps // 10))
        self.history: list[dict] = []
        self.losses: list[float] = []  # of the first steps

    def step(self, loss):
        """Go one step down the gradient: one-cycle rate, clipped gradient, averaged weights."""
        warm = self.warm
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

    def store(self, path, epoch, settings, within=None):
        """Write the checkpoint of `epoch` finished epochs and, in `within`, of what is done of the next.

        `within` is a dict: ``"rng"``, the generator of the epoch; anything else of JSON types.
        """
        tensors = {f"network.{k}": v.detach().cpu().contiguous() for k, v in self.network.state_dict().items()}
        tensors |= {f"average.{k}": v.detach().cpu().contiguous() for k, v in self.average.state_dict().items()}
        for i, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{i}.{k}": v.detach().cpu().contiguous() for k, v in state.items()}
        facts = {
            "epoch": epoch, "done": self.done, "settings": settings, "history": self.history, "losses": self.losses,
        }  # fmt: skip
        if within:
            facts["within"] = {**within, "rng": within["rng"].bit_generator.state}
            tensors |= {f"random.{device}": state for device, state in _random_states().items()}
        write_tensors(path, tensors, {"facts": json.dumps(facts)})

    def restore(self, path, settings) -> tuple[int, dict | None]:
        """Take up a checkpoint; return the epochs done, 0 when there is none yet, and what was `within` the next."""
        if not Path(path).is_file():
            return 0, None
        tensors, metadata = read_tensors(path)
        try:
            return self._take_up(path, settings, tensors, json.loads(metadata.get("facts", "{}")))
        except ModelError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as err:
            reason = (str(err).strip() or type(err).__name__).splitlines()[0]
            raise ModelError(f"{path} is damaged, or no checkpoint of this network: {reason}") from err

    def _take_up(self, path, settings, tensors, facts):
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
        self.done, self.history, self.losses = facts["done"], facts["history"], facts.get("losses", [])
        within = facts.get("within")
        if within:
            within["random"] = part("random.")
        return facts["epoch"], within


def go_on(within: dict, rng) -> None:
    """Set the generator of the epoch, and those of torch, to where they were in the middle of it."""
    rng.bit_generator.state = within["rng"]
    torch.set_rng_state(within["random"]["cpu"])
    if "cuda" in within["random"] and torch.cuda.is_available():
        torch.cuda.set_rng_state(within["random"]["cuda"])


def _random_states() -> dict:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states["cuda"] = torch.cuda.get_rng_state()
    return states
