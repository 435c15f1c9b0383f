"""TimesBlock: a time series seen as images of its own periods (Wu et al. 2023, TimesNet, arXiv 2210.02186, Eqs. 1-6).

Two changes against the published TimesNet-Gen code, both needed for a code that depends on the record alone:
periods are chosen per record (there: from the mean of the batch), and branch weights are a softmax of log energies with
a learned temperature (there: of raw amplitudes, which saturates to one branch).
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import nn

KERNELS = (1, 3, 5, 7, 9, 11)


class Inception(nn.Module):
    """The mean of parallel square convolutions, computed as the one convolution it is.

    The mean of convolutions with kernels 1, 3, … 11 equals one 11×11 convolution whose kernel is the mean of the
    zero-padded kernels. The branch weights stay the parameters; `fuse` replaces them by the sum.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    kernels : sequence of int
        Odd kernel sizes.
    """

    def __init__(self, n_in: int, n_out: int, kernels=KERNELS):
        super().__init__()
        self.kernels = tuple(kernels)
        self.branches = nn.ModuleList(nn.Conv2d(n_in, n_out, k, padding=k // 2) for k in self.kernels)
        for branch in self.branches:
            if branch.weight.is_meta:  # no numbers to draw, and torch would import its compiler to draw none
                continue
            nn.init.kaiming_normal_(branch.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(branch.bias)
        self.weight = self.bias = None

    def kernel(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return weight (n_out, n_in, K, K) and bias (n_out,) of the one convolution."""
        if self.weight is not None:
            return self.weight, self.bias
        largest, n = max(self.kernels), len(self.kernels)
        weight = sum(
            F.pad(b.weight, [(largest - k) // 2] * 4) for b, k in zip(self.branches, self.kernels, strict=True)
        )
        return weight / n, sum(b.bias for b in self.branches) / n

    def fuse(self) -> None:
        """Replace the branches by their one kernel; the module can then no longer be trained per branch."""
        largest = self.branches[self.kernels.index(max(self.kernels))]
        # without numbers (meta) the shape is all there is, and torch would import its compiler to pad nothing
        weight, bias = (largest.weight, largest.bias) if largest.weight.is_meta else self.kernel()
        self.weight, self.bias = nn.Parameter(weight.detach().clone()), nn.Parameter(bias.detach().clone())
        self.branches = nn.ModuleList()

    def forward(self, x, kernel=None):
        """Convolve x (B, n_in, H, W) -> (B, n_out, H, W); `kernel` saves asking for it again."""
        weight, bias = kernel or self.kernel()
        half = weight.shape[-1] // 2
        # the part of a kernel that reaches beyond the image on every placement only ever meets padding
        rows, columns = min(half, x.shape[-2] - 1), min(half, x.shape[-1] - 1)
        weight = weight[..., half - rows : half + rows + 1, half - columns : half + columns + 1]
        return F.conv2d(x, weight, bias, padding=(rows, columns))

    def forward_branches(self, x):
        """Return the mean of the branches one by one: the published form, for comparison."""
        return torch.stack([b(x) for b in self.branches], -1).mean(-1)


class TimesBlock(nn.Module):
    """Fold the series at its strongest periods, convolve the images, unfold and add with energy weights.

    Parameters
    ----------
    channels, hidden : int
        Channels outside and between the two Inception blocks.
    periods : sequence of int
        The lattice of periods, in steps, each record chooses from.
    top_k : int
        How many periods each record uses.
    n_stations : int
        Length of the one-hot station label; 0 for none (TimesNet-Gen §II-A-1).
    kernels : sequence of int
        Of the Inception blocks.
    """

    def __init__(self, channels: int, hidden: int, periods, top_k: int = 2, n_stations: int = 0, kernels=KERNELS):
        super().__init__()
        self.periods, self.top_k = tuple(periods), top_k
        self.inner, self.outer = Inception(channels, hidden, kernels), Inception(hidden, channels, kernels)
        self.condition = nn.Conv2d(channels + n_stations, channels, 1) if n_stations else None
        self.log_temperature = nn.Parameter(torch.zeros(()))
        self.norm = nn.LayerNorm(channels)

    def band_energy(self, x):
        """Return ln energy (B, P) of x (B, C, T) in the band around each period of the lattice."""
        spectrum = torch.fft.rfft(x.float(), dim=-1).abs().square().mean(1)  # (B, F)
        steps = x.shape[-1]
        centre = [steps / p for p in self.periods]  # in bins
        order = sorted(range(len(centre)), key=lambda i: centre[i])
        edges = [1.0, *((centre[a] * centre[b]) ** 0.5 for a, b in itertools.pairwise(order)), steps / 2 + 1]
        energy = [None] * len(centre)
        for rank, i in enumerate(order):
            low, high = round(edges[rank]), round(edges[rank + 1])
            energy[i] = spectrum[:, low : max(high, low + 1)].sum(-1)
        return torch.stack(energy, -1).clamp_min(1e-12).log()

    def forward(self, x, station=None):
        """Map x (B, C, T) -> (B, C, T); `station` (B, S) one-hot if the block is conditioned."""
        steps = x.shape[-1]
        ln_energy, chosen = self.band_energy(x).topk(self.top_k, -1)  # (B, k)
        weight = torch.softmax(ln_energy * self.log_temperature.exp(), -1)
        inner, outer = self.inner.kernel(), self.outer.kernel()
        out = torch.zeros_like(x)
        for index, period in enumerate(self.periods):
            rows, ranks = (chosen == index).nonzero(as_tuple=True)
            if rows.numel() == 0:
                continue
            height = -(-steps // period)
            image = F.pad(x[rows], (0, height * period - steps)).unflatten(-1, (height, period))  # (b, C, H, p)
            if self.condition is not None:
                label = station[rows][:, :, None, None].expand(-1, -1, height, period)
                image = self.condition(torch.cat([image, label.to(image.dtype)], 1))
            image = self.outer(F.gelu(self.inner(image, inner)), outer)
            branch = image.flatten(2)[..., :steps]
            out = out.index_add(0, rows, branch.to(out.dtype) * weight[rows, ranks, None, None].to(out.dtype))
        return self.norm((x + out).transpose(1, 2)).transpose(1, 2)
