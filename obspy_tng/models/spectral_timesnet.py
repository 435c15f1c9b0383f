"""Spectral TimesNet-Gen: how a record's energy is spread over time, frequency and component, in a short code.

The network of arXiv 2512.04694 codes the waveform, so that mixing codes averages waveforms. Here TimesBlocks see the ln
power of a record on a lattice of frames tied to P and S (`obspy_tng.spectral`) and the decoder returns the smooth power
the record was a realisation of; the ln Fourier spectrum, which carries the site, goes by uncoded. Mixing such codes
mixes energies, and the synthesis draws new phases.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import nn

from obspy_tng.models.timesnet import Inception, TimesBlock
from obspy_tng.spectral_extra import EARLY_SHAPE, N_OWN, N_SECTIONS
from obspy_tng.spectral_missed import SHAPE


@dataclass(frozen=True)
class SpectralConfig:
    """Sizes of the network.

    Attributes
    ----------
    frames, bins : int
        Of the lattice of ln power, per component.
    spectrum : int
        Numbers of the ln Fourier spectrum of all components.
    channels : int
        Width of the TimesBlocks.
    latent : int
        Numbers per code step; a step is four frames.
    blocks : int
        TimesBlocks in the encoder, and again in the decoder.
    periods : tuple of int
        Lattice of periods in frames.
    kernels : tuple of int
        Of the Inception blocks.
    told : int
        Numbers of the description beside powers and spectrum whose mean excess is known; see `obspy_tng.calibration`.
    """

    frames: int
    bins: int
    spectrum: int
    channels: int = 96
    latent: int = 40
    blocks: int = 2
    periods: tuple[int, ...] = (2, 3, 4, 6, 8, 12, 16, 32)
    kernels: tuple[int, ...] = (1, 3, 5)
    told: int = 0

    @property
    def steps(self) -> int:
        """Return the number of code steps."""
        return self.frames // 4

    def to_dict(self) -> dict:
        """Return the sizes as plain JSON types."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict) -> SpectralConfig:
        """Return the sizes a card holds."""
        return cls(**{**values, "periods": tuple(values["periods"]), "kernels": tuple(values["kernels"])})


class SpectralTimesNet(nn.Module):
    """Encoder and decoder of ln power (batch, component × bin, frame), each with a linear and a TimesNet path."""

    def __init__(self, config: SpectralConfig):
        super().__init__()
        self.config = config
        c, rows = config.channels, 3 * config.bins
        halve = dict(kernel_size=8, stride=4, padding=2)
        self.register_buffer("mean", torch.zeros(rows, config.frames))
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("power_excess", torch.zeros(rows, config.frames))  # what motion has too much of
        self.register_buffer("extra_excess", torch.zeros(config.told))
        self.register_buffer("usually_missed", torch.zeros(SHAPE))  # by codes, of smoothed power
        self.register_buffer("own_power", torch.ones(SHAPE))  # shares of a record's deviations, see `spectral_own`
        self.register_buffer("own_early", torch.ones(EARLY_SHAPE))
        self.register_buffer("own_coherency", torch.full((N_OWN,), 0.7))  # likewise, of coherency
        self.register_buffer("coherency_gain", torch.ones(N_SECTIONS, config.bins))  # see `spectral_noise.Coherence`
        self.register_buffer("polarised", torch.zeros(N_SECTIONS, config.bins))
        self.register_buffer("spectrum_mean", torch.zeros(config.spectrum))
        self.register_buffer("spectrum_scale", torch.ones(()))
        self.stem = nn.Conv1d(rows, c, 3, padding=1)
        self.encoder_condition = nn.Linear(config.spectrum, c)
        self.encoder = _blocks(config)
        self.to_latent = nn.Conv1d(c, config.latent, **halve)
        self.analysis = nn.Conv1d(rows, config.latent, **halve)
        self.from_latent = nn.ConvTranspose1d(config.latent, c, **halve)
        self.decoder_condition = nn.Linear(config.spectrum, c)
        self.decoder = _blocks(config)
        self.to_power = nn.Conv1d(c, rows, 3, padding=1)
        self.synthesis = nn.ConvTranspose1d(config.latent, rows, **halve)
        for layer in (self.to_latent, self.to_power):  # training starts at the linear path
            if layer.weight.is_meta:
                continue
            nn.init.normal_(layer.weight, 0, 0.01)
            nn.init.zeros_(layer.bias)

    @torch.no_grad()
    def standardise(self, power, spectrum) -> None:
        """Take mean and scale of ln power (N, rows, frames) and of ln spectra (N, spectrum) from training records."""
        self.mean.copy_(power.mean(0))
        self.scale.copy_((power - self.mean).std())
        self.spectrum_mean.copy_(spectrum.mean(0))
        self.spectrum_scale.copy_((spectrum - self.spectrum_mean).std())

    def encode(self, power, spectrum):
        """Return the code (B, latent, steps) of smoothed ln power (B, rows, frames) and ln spectrum (B, spectrum)."""
        x, s = (power - self.mean) / self.scale, (spectrum - self.spectrum_mean) / self.spectrum_scale
        h = self.stem(x) + self.encoder_condition(s)[..., None]
        for block in self.encoder:
            h = block(h)
        return self.to_latent(h) + self.analysis(x)

    def decode(self, code, spectrum):
        """Return ln power (B, rows, frames): the smooth one a record is a realisation of."""
        s = (spectrum - self.spectrum_mean) / self.spectrum_scale
        h = self.from_latent(code) + self.decoder_condition(s)[..., None]
        for block in self.decoder:
            h = block(h)
        return (self.to_power(h) + self.synthesis(code)) * self.scale + self.mean

    def fuse(self) -> SpectralTimesNet:
        """Replace the Inception branches by single kernels (to ship), in place; returns itself."""
        for module in self.modules():
            if isinstance(module, Inception) and module.weight is None:
                module.fuse()
        return self


def _blocks(config) -> nn.ModuleList:
    c = config.channels
    return nn.ModuleList(TimesBlock(c, c, config.periods, kernels=config.kernels) for _ in range(config.blocks))


class SpectralLoss(nn.Module):
    """Whittle likelihood of the periodograms, and squared error of their smoothed logarithms.

    Whittle (1953): a periodogram cell I of a process of power S is exponential, -ln L = ln S + I / S. Cells above 30
    times the power are clipped; frames before P, noise, count half.

    Parameters
    ----------
    frames_before_p : int
        Frames of the lattice that lie before P.
    ln_mse : float
        Weight of the squared error.
    """

    def __init__(self, frames_before_p: int, ln_mse: float = 0.3):
        super().__init__()
        self.before, self.ln_mse = frames_before_p, ln_mse

    def forward(self, decoded, power, smoothed, weight) -> dict:
        """Return the terms for decoded, raw and smoothed ln power (B, rows, frames), weight (B, frames)."""
        weight = weight.clone()
        weight[:, : self.before] *= 0.5
        weight = weight[:, None, :]
        difference = power - decoded
        whittle = ((torch.exp(difference.clamp(max=3.4)) - 1 - difference) * weight).mean()
        ln_mse = ((decoded - smoothed).square() * weight).mean()
        return {"total": whittle + self.ln_mse * ln_mse, "whittle": whittle, "ln_mse": ln_mse}
