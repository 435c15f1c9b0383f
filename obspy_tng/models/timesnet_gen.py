"""TimesNet-Gen: a TimesNet autoencoder of three-component accelerograms (Yilmaz et al., arXiv 2512.04694, §II-A).

The published network keeps 6000×128 numbers per record and decodes them with one linear layer; this one keeps the
idea and makes the code small: 64 numbers per 0.32 s. Two paths add up to the code, and two again to the waveform:
a strided linear one, which training starts as a lapped cosine transform (MDCT, Princen & Bradley 1986) of the
frequencies the code has room for (up to 33 Hz), and a TimesNet one (strided stem, TimesBlocks, sub-pixel upsampling),
which starts at zero and learns what the linear one misses. Both are trained.
`models.reference` builds the published architecture.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn

from obspy_tng.models.timesnet import Inception, TimesBlock

STRIDE = 32  # samples per latent step


@dataclass(frozen=True)
class Config:
    """Sizes of the network.

    Attributes
    ----------
    npts : int
        Samples per component.
    channels, hidden : int
        Width of the TimesBlocks, outside and inside.
    latent : int
        Numbers per latent step.
    blocks : int
        TimesBlocks in the encoder, and again in the decoder.
    periods : tuple of int
        Lattice of periods in latent steps (of 0.32 s at 100 Hz).
    top_k : int
        Periods per record and block.
    n_stations : int
        Station labels; 0 for the unconditioned network (phase 0, zero-shot).
    """

    npts: int = 6000
    channels: int = 64
    hidden: int = 64
    latent: int = 64
    blocks: int = 2
    periods: tuple[int, ...] = (2, 4, 6, 10, 16, 27, 47, 94)
    top_k: int = 2
    n_stations: int = 0

    @property
    def steps(self) -> int:
        """Return the number of latent steps."""
        return -(-self.npts // STRIDE)

    def to_dict(self) -> dict:
        """Return the sizes as plain JSON types."""
        return {**asdict(self), "periods": list(self.periods)}

    @classmethod
    def from_dict(cls, values: dict) -> Config:
        """Return the sizes a card holds."""
        return cls(**{**values, "periods": tuple(values["periods"])})


class TimesNetGen(nn.Module):
    """Encoder and decoder; tensors are (batch, component, time), standardised."""

    def __init__(self, config: Config = Config()):
        super().__init__()
        self.config = config
        c = config.channels
        block = dict(periods=config.periods, top_k=config.top_k, n_stations=config.n_stations)
        self.stem = nn.Sequential(
            nn.Conv1d(3, c // 2, 15, 2, 7), nn.GELU(),
            nn.Conv1d(c // 2, c, 9, 4, 4), nn.GELU(),
            nn.Conv1d(c, c, 9, 4, 4),
        )  # fmt: skip
        self.encoder = nn.ModuleList(TimesBlock(c, config.hidden, **block) for _ in range(config.blocks))
        self.to_latent = nn.Conv1d(c, config.latent, 1)
        self.from_latent = nn.Conv1d(config.latent, c, 1)
        self.decoder = nn.ModuleList(TimesBlock(c, config.hidden, **block) for _ in range(config.blocks))
        self.up1 = nn.Conv1d(2 * c, 4 * c, 5, padding=2)
        self.mid = nn.Conv1d(c, c, 9, padding=4)
        self.up2 = nn.Conv1d(c, 4 * (c // 2), 7, padding=3)
        self.up3 = nn.Conv1d(c // 2, 2 * 3, 15, padding=7)
        lapped = dict(kernel_size=2 * STRIDE, stride=STRIDE, padding=STRIDE // 2, bias=False)
        self.analysis = nn.Conv1d(3, config.latent, **lapped)
        self.synthesis = nn.ConvTranspose1d(config.latent, 3, **lapped)

    @torch.no_grad()
    def start_as_lapped_transform(self) -> TimesNetGen:
        """Set the linear path to its start for training and the TimesNet path to zero, in place; returns itself."""
        basis = lapped_cosines(self.config.latent)
        self.analysis.weight.copy_(basis)
        self.synthesis.weight.copy_(basis)
        for layer in (self.to_latent, self.up3):
            layer.weight.zero_()
            layer.bias.zero_()
        return self

    def encode(self, x, station=None):
        """Return the latent (B, latent, steps) of standardised records x (B, 3, npts)."""
        x = F.pad(x, (0, self.config.steps * STRIDE - x.shape[-1]))
        h = self.stem(x)  # (B, C, steps)
        for block in self.encoder:
            h = block(h, station)
        return self.to_latent(h) + self.analysis(x)

    def decode(self, z, station=None):
        """Return standardised records (B, 3, npts) of latents z (B, latent, steps)."""
        skip = h = self.from_latent(z)
        for block in self.decoder:
            h = block(h, station)
        h = _spread(F.gelu(self.up1(torch.cat([h, skip], 1))), 4)  # (B, C, 4 steps)
        h = h + F.gelu(self.mid(h))
        h = _spread(F.gelu(self.up2(h)), 4)  # (B, C/2, 16 steps)
        h = _spread(self.up3(h), 2) + self.synthesis(z)  # (B, 3, 32 steps)
        return h[..., : self.config.npts]

    def forward(self, x, station=None, noise=None):
        """Reconstruct x; `noise` (B, latent, 1 or steps) is added to the code (phase 1)."""
        z = self.encode(x, station)
        return self.decode(z if noise is None else z + noise, station)

    def fuse(self) -> TimesNetGen:
        """Replace the Inception branches by single kernels (to ship), in place; returns itself."""
        for module in self.modules():
            if isinstance(module, Inception) and module.weight is None:
                module.fuse()
        return self


def lapped_cosines(n: int) -> torch.Tensor:
    """Return n filters (n, 3, 64): the lowest bands of a sine-windowed MDCT, shared out over E, N, Z."""
    t = torch.arange(2 * STRIDE) + 0.5
    window = torch.sin(torch.pi * t / (2 * STRIDE)) * (2 / STRIDE) ** 0.5
    basis = torch.zeros(n, 3, 2 * STRIDE)
    for i in range(n):
        band, component = divmod(i, 3)
        basis[i, component] = window * torch.cos(torch.pi / STRIDE * (t + STRIDE / 2) * (band + 0.5))
    return basis


def _spread(h, factor: int):
    """Turn `factor`-fold channels into `factor`-fold time steps (sub-pixel convolution, Shi et al. 2016)."""
    return h.unflatten(1, (-1, factor)).transpose(2, 3).flatten(2)
