"""The paper's baseline: a conditional variational autoencoder of spectrograms (arXiv 2512.04694, §II-B).

Four 3×3 convolutions, two linear layers to mean and ln variance of the code; a linear layer, four transposed
convolutions and a sigmoid back. Stations enter by the prior only: each has a mean of its own (phase 1a), around which
codes are then drawn closer (phase 1b). No code was published; widths and strides are ours.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

LATENT = 510  # the paper's, for five stations


def latent_size(classes: int) -> int:
    """Return the least multiple of `classes` from 510 on: one-hot labels then tile the code evenly.

    Examples
    --------
    >>> latent_size(5), latent_size(4)
    (510, 512)
    """
    return classes * -(-LATENT // classes)


@dataclass(frozen=True)
class CvaeConfig:
    """Sizes of the network.

    Attributes
    ----------
    channels : int
        6: amplitudes and phases; 3: amplitudes only.
    bins, frames : int
        Of a spectrogram; multiples of 16.
    widths : tuple of int
        Channels after each convolution.
    size : int
        Numbers of the code, each with a mean and a variance.
    n_stations : int
        Stations with a prior of their own; 0 in phase 0.
    """

    channels: int = 6
    bins: int = 64
    frames: int = 96
    widths: tuple[int, ...] = (32, 64, 128, 256)
    size: int = LATENT
    n_stations: int = 0

    @property
    def latent(self) -> int:
        """Return the rows of a latent: mean and ln variance."""
        return 2

    @property
    def steps(self) -> int:
        """Return the numbers of a row."""
        return self.size

    def to_dict(self) -> dict:
        """Return the sizes as plain JSON types."""
        return {**asdict(self), "widths": list(self.widths)}

    @classmethod
    def from_dict(cls, values: dict) -> CvaeConfig:
        """Return the sizes a card holds."""
        return cls(**{**values, "widths": tuple(values["widths"])})


class Cvae(nn.Module):
    """Encoder and decoder; spectrograms are (batch, channel, bin, frame), in dB and rad, min–max scaled inside."""

    def __init__(self, config: CvaeConfig = CvaeConfig()):
        super().__init__()
        self.config = config
        halved = 2 ** len(config.widths)
        if config.bins % halved or config.frames % halved:
            raise ValueError(f"{config.bins} bins, {config.frames} frames cannot be halved {len(config.widths)} times")
        self.inner = config.widths[-1], config.bins // halved, config.frames // halved
        outside = (config.channels, *config.widths)
        pairs = list(pairwise(outside))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in pairs)
        self.to_mean = nn.Linear(math.prod(self.inner), config.size)
        self.to_ln_variance = nn.Linear(math.prod(self.inner), config.size)
        self.from_code = nn.Linear(config.size, math.prod(self.inner))
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 3, 2, 1, 1) for a, b in reversed(pairs))
        self.register_buffer("low", torch.zeros(config.channels, 1, 1))
        self.register_buffer("high", torch.ones(config.channels, 1, 1))
        # of the clusters, (S, size): the priors until phase 1b moves them
        self.centres = nn.Parameter(priors(config.n_stations, config.size), requires_grad=False)

    def scale(self, x):
        """Return spectrograms in 0 to 1, the range of the training records."""
        return ((x - self.low) / (self.high - self.low)).clamp(0, 1)

    def unscale(self, y):
        """Return spectrograms in dB and rad."""
        return self.low + y * (self.high - self.low)

    def encode(self, x):
        """Return mean and ln variance (B, size) of the codes of scaled spectrograms."""
        with torch.autocast(x.device.type, enabled=False):  # a phase in bf16 would be known to 2 rad
            x = self.down[0](x.float())
        for layer in self.down[1:]:
            x = layer(F.leaky_relu(x, 0.2))
        x = F.leaky_relu(x, 0.2).flatten(1)
        return self.to_mean(x), self.to_ln_variance(x).clamp(-12, 6)

    def decode(self, z):
        """Return scaled spectrograms of codes (B, size)."""
        y = F.leaky_relu(self.from_code(z), 0.2).unflatten(1, self.inner)
        for layer in self.up[:-1]:
            y = F.leaky_relu(layer(y), 0.2)
        with torch.autocast(y.device.type, enabled=False):
            return torch.sigmoid(self.up[-1](y.float()))


def priors(n_stations: int, size: int) -> torch.Tensor:
    """Return the prior means (S, size) of phase 1a: one-hot labels, tiled."""
    return torch.eye(n_stations).repeat(1, size // n_stations) if n_stations else torch.zeros(0, size)


def kl_to_prior(mean, ln_variance, prior_mean, prior_variance=1.0):
    """Return KL(q(z|c) ‖ p(z|c)) in nats, shape (B,): Eq. 2, with the sum over the numbers of the code."""
    ratio = ln_variance.exp() / prior_variance
    return 0.5 * (ratio + (mean - prior_mean) ** 2 / prior_variance - 1 - ratio.log()).sum(-1)


def assignments(z, centres):
    """Return q_ij (B, S), how much code i belongs to centre j: Eq. 3, Student's t of one degree of freedom."""
    kernel = 1 / (1 + (z[:, None] - centres).square().sum(-1))
    return kernel / kernel.sum(1, keepdim=True)


def sharpened(q):
    """Return p_ij (B, S), q_ij squared and balanced between centres: Eq. 4, the sums over i over the batch."""
    weight = q.square() / q.sum(0)
    return weight / weight.sum(1, keepdim=True)


def cluster_loss(p, q):
    """Return KL(p ‖ q) in nats per record: L_c of Eq. 5."""
    return (p * (p.clamp_min(1e-30).log() - q.clamp_min(1e-30).log())).sum(1).mean()


def misfit(y, x, groups: int, average=lambda squares: squares):
    """Return the reconstruction's negative ln likelihood in nats per record, and the mean squares of its groups.

    Gaussian of one variance per group of channels (amplitudes, phases), which is set to the batch's own mean square
    (σ-VAE: Rybkin, Daniilidis & Levine 2021): the paper tells no weights between amplitude, phase and KL.

    Parameters
    ----------
    y, x : tensor (B, channels, bins, frames)
    groups : int
        1 or 2.
    average : callable
        Of the mean squares (groups,) of these records, makes those of the batch they are part of.
    """
    squares = average((y - x).square().unflatten(1, (groups, -1)).mean((0, 2, 3, 4)))  # (groups,)
    numbers = x[0].numel() / groups
    return 0.5 * numbers * squares.clamp_min(1e-8).log().sum(), squares
