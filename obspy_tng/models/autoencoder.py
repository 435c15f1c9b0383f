"""A trained model as the rest of the package sees it: numpy in, numpy out, with its card and hash."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import ClassVar

import numpy as np
import torch

from obspy_tng.errors import ModelError
from obspy_tng.models import MODELS, part
from obspy_tng.models.weights import load_into, read_card, require_fit

_BATCH = 16


@dataclass(frozen=True)
class Autoencoder:
    """Network, card and device of a trained TimesNet-Gen.

    Attributes
    ----------
    network : torch.nn.Module
    card : dict
        Data, events, losses, seed, hash: see the shipped JSON files.
    """

    network: torch.nn.Module
    card: dict
    device: str = "cpu"

    @classmethod
    def load(cls, path: str | PathLike[str], *, device: str = "cpu") -> Autoencoder:
        """Read weights and card; see `obspy_tng.load_model`."""
        card = read_card(path)
        require_fit(build, path, card)
        with torch.random.fork_rng(devices=[]):  # of weights that are replaced at once: no draw of the user's
            network = build(card)
        load_into(network, path, card)
        try:
            # channels last: convolutions of images two or three pixels wide take a third of the time
            return cls(network.to(device, memory_format=torch.channels_last).eval(), card, device)
        except (RuntimeError, AssertionError) as err:
            raise ModelError(f"device {device!r} cannot be used: {err}") from err

    @property
    def name(self) -> str:
        """Return the model's name."""
        return self.card.get("name", self.card["model"])

    @property
    def sha256(self) -> str:
        """Return the digest of the weights, as the card states it."""
        return self.card.get("weights_sha256", "")

    @property
    def stations(self) -> list[str]:
        """Return the station labels of a conditioned model, [] of an unconditioned one."""
        return list(self.card.get("stations", []))

    #: what the numbers of a latent mean, where the weights alone do not say it
    layout = ""
    #: of what a pool keeps of its site beside the codes, by name; see `pool_check.OF_SITE`
    site_shapes: ClassVar[dict[str, tuple[int, ...]]] = {}
    #: records a variance-preserving mix draws; waveforms that are mixed from fewer correlate too much with one of them
    mixed = 5

    @property
    def latent_shape(self) -> tuple[int, int]:
        """Return (numbers per step, steps)."""
        return self.network.config.latent, self.network.config.steps

    def encode(self, x: np.ndarray, station: str | None = None) -> np.ndarray:
        """Return latents (n, latent, steps) of standardised windows x (n, 3, npts), float32."""
        return self._map(self.network.encode, x, station)

    def decode(self, z: np.ndarray, station: str | None = None) -> np.ndarray:
        """Return standardised windows (n, 3, npts) of latents z (n, latent, steps), float32."""
        return self._map(self.network.decode, z, station)

    def describe(self, windows, station: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return what a pool keeps of records: latents (n, rows, steps) and ln amplitudes (n, 3).

        Parameters
        ----------
        windows : preprocessing.Windows
        """
        return self.encode(windows.x, station), windows.ln_sd

    def remembered(self, windows, station: str | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return `describe`, and what each code misses (n, ...); nothing is kept of that here."""
        return *self.describe(windows, station), np.zeros((len(windows.x), 0))

    def of_site(self, missed: np.ndarray) -> np.ndarray:
        """Return what a pool keeps of what the codes of its records miss."""
        return missed[0]

    def render(self, latent: np.ndarray, ln_sd: np.ndarray, rng, station: str | None = None, site=None) -> np.ndarray:
        """Return the accelerogram (3, npts) in m/s² of one latent and its ln amplitudes; `rng` is not used here.

        `site` is what motion of one site shares (`site()`); nothing here.
        """
        # one at a time: a sample must not depend, in its last bit, on how many are asked for
        x = self.decode(latent[None], station)[0].astype(np.float64)
        x -= x.mean(axis=-1, keepdims=True)
        return x / x.std(axis=-1, keepdims=True) * np.exp(ln_sd)[:, None]

    def site(self, latents: np.ndarray, **kept: np.ndarray):
        """Return what motion of one site shares, of its latents and what its pool keeps beside them; nothing here."""

    def settled(self, latent: np.ndarray, site, main: np.ndarray) -> np.ndarray:
        """Return a mixed latent as it is to be rendered, `main` being that of its main parent: here, as it is."""
        return latent

    def prior(self, station: str | None = None) -> np.ndarray:
        """Refuse: codes here follow no prior, only those of a CVAE do."""
        raise ModelError(f"model {self.name} has no prior; accepted samplers: vp, mean, dirichlet, encoded")

    def _label(self, station: str | None, n: int):
        if not self.stations:
            return None
        if station not in self.stations:
            raise ModelError(f"model {self.name} is conditioned on {', '.join(self.stations)}; not on {station!r}")
        label = torch.zeros(n, len(self.stations), device=self.device)
        label[:, self.stations.index(station)] = 1
        return label

    @torch.no_grad()
    def _map(self, function, values, station):
        out = []
        for first in range(0, len(values), _BATCH):
            batch = torch.from_numpy(np.ascontiguousarray(values[first : first + _BATCH], dtype=np.float32))
            out.append(function(batch.to(self.device), self._label(station, len(batch))).float().cpu().numpy())
        return np.concatenate(out) if out else np.zeros((0, *self.latent_shape), np.float32)


def build(card: dict) -> torch.nn.Module:
    """Return the untrained network a card describes.

    Raises
    ------
    ModelError
        The model or its sizes are not known here.
    """
    model = card["model"]
    if model not in MODELS:
        raise ModelError(f"model {model!r} not known; accepted: {', '.join(MODELS)}")
    try:
        network = part(MODELS[model].network)(part(MODELS[model].config).from_dict(card["config"]))
        return network.fuse() if card.get("fused") else network
    except (TypeError, KeyError, ValueError) as err:
        raise ModelError(f"the card's sizes are not those of {model}: {err}") from err
