"""The published TimesNet-Gen architecture, for comparison and benchmarks only (arXiv 2512.04694, Wu et al. 2023).

Every sample becomes 128 numbers (convolution plus a learned position), two TimesBlocks with 1–11 Inception kernels work
at full rate and share one LayerNorm, the latent is the 6000×128 map itself, one linear layer (128 → 3) decodes it.
Periods come from the mean spectrum of the batch and weights from raw amplitudes, as published: the code of a record
depends on its neighbours in the batch.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn

from obspy_tng.models.timesnet import Inception


@dataclass(frozen=True)
class ReferenceConfig:
    """Sizes of the published network (38.3 M parameters, 3.07 MB of latent per record)."""

    npts: int = 6000
    channels: int = 128
    hidden: int = 256
    blocks: int = 2
    top_k: int = 2
    n_stations: int = 0

    @property
    def latent(self) -> int:
        """Return the numbers per latent step."""
        return self.channels

    @property
    def steps(self) -> int:
        """Return the latent steps: every sample."""
        return self.npts

    def to_dict(self) -> dict:
        """Return the sizes as plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> ReferenceConfig:
        """Return the sizes a card holds."""
        return cls(**values)


class ReferenceBlock(nn.Module):
    """A TimesBlock at full rate; the batch shares its periods T // bin."""

    def __init__(self, channels: int, hidden: int, top_k: int, n_stations: int):
        super().__init__()
        self.top_k = top_k
        self.inner, self.outer = Inception(channels, hidden), Inception(hidden, channels)
        self.condition = nn.Conv2d(channels + n_stations, channels, 1) if n_stations else None

    def forward(self, x, station=None):
        """Map x (B, C, T) -> (B, C, T), residual added."""
        steps = x.shape[-1]
        amplitude = torch.fft.rfft(x, dim=-1).abs()  # (B, C, F)
        mean = amplitude.mean((0, 1))
        mean[0] = 0
        bins = mean.topk(self.top_k).indices
        weight = torch.softmax(amplitude.mean(1)[:, bins], -1)  # (B, k)
        inner, outer = self.inner.kernel(), self.outer.kernel()
        out = x
        for k, bin_ in enumerate(bins.tolist()):
            period = steps // bin_
            height = -(-steps // period)
            image = F.pad(x, (0, height * period - steps)).unflatten(-1, (height, period))  # (B, C, H, p)
            if self.condition is not None:
                label = station[:, :, None, None].expand(-1, -1, height, period)
                image = self.condition(torch.cat([image, label], 1))
            image = self.outer(F.gelu(self.inner(image, inner)), outer)
            out = out + weight[:, k, None, None] * image.flatten(2)[..., :steps]
        return out


class Reference(nn.Module):
    """Encoder at full rate, linear decoder; tensors are (batch, component, time)."""

    def __init__(self, config: ReferenceConfig = ReferenceConfig()):
        super().__init__()
        self.config = config
        self.embedding = nn.Conv1d(3, config.channels, 3, padding=1, padding_mode="circular", bias=False)
        self.encoder = nn.ModuleList(
            ReferenceBlock(config.channels, config.hidden, config.top_k, config.n_stations)
            for _ in range(config.blocks)
        )
        self.position = nn.Parameter(0.02 * torch.randn(config.channels, config.npts))
        self.norm = nn.LayerNorm(config.channels)
        self.projection = nn.Linear(config.channels, 3)

    def encode(self, x, station=None):
        """Return the latent (B, 128, npts) of x (B, 3, npts)."""
        h = self.embedding(x) + self.position
        for block in self.encoder:
            h = self.norm(block(h, station).transpose(1, 2)).transpose(1, 2)
        return h

    def decode(self, z, station=None):
        """Return records (B, 3, npts) of latents (B, 128, npts): one linear layer."""
        return self.projection(z.transpose(1, 2)).transpose(1, 2)

    def forward(self, x, station=None, noise=None):
        """Reconstruct x."""
        z = self.encode(x, station)
        return self.decode(z if noise is None else z + noise, station)
