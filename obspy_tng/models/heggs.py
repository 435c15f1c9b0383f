"""HEGGS: diffusion from one station's spectrogram of an earthquake to another's (Jung et al. 2025, arXiv 2412.17333).

As published: an encoder E and a decoder D of spectrograms, a denoiser m that is a U-Net with cross-attention to the
condition, trained together and end to end on pairs of stations of one event,
``E |X_tgt - D(m(z_t, c_tgt, t))|²`` with ``z_t = sqrt(abar_t) E(X_src) + sqrt(1 - abar_t) eps``, and an amplitude
correction module (ACM) behind the decoder. No code, widths, schedule or sampler was published. Ours:

- frequencies are channels, convolutions run along time only: 3.6 M parameters, trained on two cores in minutes;
- X is the standardised ln amplitude, 3 × 33 rows, 376 frames of 0.16 s from 6 s before the origin (`describe`);
- the code has 48 numbers per 0.64 s, normalised to unit power at every step: without that the encoder would learn to
  shout down the noise;
- a cosine schedule in continuous t (Nichol & Dhariwal 2021, arXiv 2102.09672);
- m and, as a condition too, time relative to the predicted P and S (`conditions.travel_times`), which the six numbers
  imply: a few dozen events are not enough to learn geometry from;
- the ACM adds two numbers per component and frequency, one from the predicted P on and one around the predicted S,
  told from what was decoded and from the condition; means of logarithms are low at peaks, so it is also trained for
  the largest power over two seconds (`ln_peak`);
- a small term ``|X_tgt - D(E(X_tgt))|²`` so that what m predicts and what E encodes are one language: a sampler of
  several steps needs that.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn

from obspy_tng.conditions import N_FEATURES, ORIGIN_AT_S, UNIFORM

_SCALES_S = (0.3, 1.0, 4.0, 15.0)  # of time relative to P and S
_N_POSITION = 2 * len(_SCALES_S) + 2
_STRIDE = 4  # frames per step of the code
BURST_S = 5.0  # how long the amplitude correction's burst at S takes to fade
LEAST_SIGNAL = 1e-3  # abar at t = 1


@dataclass(frozen=True)
class HeggsConfig:
    """Sizes of the network, and what the conditions are measured from.

    Attributes
    ----------
    rows, frames : int
        Components times frequencies, and frames, of a spectrogram.
    frame_s : float
        From frame to frame.
    latent, shallow, width, deep : int
        Numbers per step of the code; channels at twice the code's rate, in the denoiser at the code's rate, and in the
        denoiser at half of it, also in encoder and decoder at the code's.
    tokens, heads : int
        Size of a token of the condition; heads of attention.
    centre : tuple of float
        Latitude and longitude that coordinates are measured from.
    travel : tuple of tuple of float
        Travel times, see `conditions.travel_times`.
    excess : tuple of float
        Of low frequencies, see `origin_spectrogram.ln_excess`; none when empty.
    """

    rows: int = 99
    frames: int = 376
    frame_s: float = 0.16
    latent: int = 48
    shallow: int = 160
    width: int = 192
    deep: int = 224
    tokens: int = 128
    heads: int = 4
    centre: tuple[float, float] = (35.7, -117.6)
    travel: tuple[tuple[float, ...], ...] = UNIFORM
    excess: tuple[float, ...] = ()

    def to_dict(self) -> dict:
        """Return plain JSON types."""
        lists = {"centre": list(self.centre), "travel": [list(x) for x in self.travel], "excess": list(self.excess)}
        return {**asdict(self), **lists}

    @classmethod
    def from_dict(cls, values: dict) -> HeggsConfig:
        """Return the sizes a card holds."""
        tuples = {"centre": tuple(values["centre"]), "travel": tuple(tuple(x) for x in values["travel"])}
        return cls(**{**values, **tuples, "excess": tuple(values.get("excess", ()))})


class Heggs(nn.Module):
    """Encoder, denoiser, decoder and amplitude correction; spectrograms are (batch, row, frame), standardised."""

    def __init__(self, config: HeggsConfig = HeggsConfig()):
        super().__init__()
        self.config = config
        c = config
        self.register_buffer("mean", torch.zeros(c.rows, 1))
        self.register_buffer("sd", torch.ones(c.rows, 1))
        self.encoder = nn.Sequential(
            nn.Conv1d(c.rows, c.shallow, 6, 2, 2), _Block(c.shallow), nn.Conv1d(c.shallow, c.deep, 4, 2, 1),
            _Block(c.deep), nn.GELU(), nn.Conv1d(c.deep, c.latent, 1),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Conv1d(c.latent, c.deep, 3, 1, 1), _Block(c.deep), nn.ConvTranspose1d(c.deep, c.shallow, 4, 2, 1),
            _Block(c.shallow), nn.GELU(), nn.ConvTranspose1d(c.shallow, c.rows, 6, 2, 2),
        )  # fmt: skip
        self.denoiser = Denoiser(c)
        self.acm = AmplitudeCorrection(c)

    def standardise(self, mean, sd):
        """Take over means and standard deviations of the training spectrograms, (rows,) each."""
        self.mean.copy_(mean[:, None])
        self.sd.copy_(sd[:, None])

    def encode(self, x):
        """Return codes (batch, latent, steps) of ln amplitudes (batch, rows, frames)."""
        return unit(self.encoder((x - self.mean) / self.sd))

    def decode(self, z):
        """Return what the decoder alone makes of codes, standardised (batch, rows, frames)."""
        return self.decoder(z)

    def predict(self, z_t, t, c, onsets_s):
        """Return the clean code of the target (batch, latent, steps) predicted from a noisy one of its source.

        Parameters
        ----------
        z_t : tensor, shape (batch, latent, steps)
        t : tensor, shape (batch,)
            0 (clean) to 1 (noise).
        c : tensor, shape (batch, N_FEATURES)
        onsets_s : tensor, shape (batch, 2)
            Predicted P and S, in s after the origin.
        """
        return unit(self.denoiser(z_t, t, c, onsets_s))

    def correct(self, x, c, onsets_s):
        """Return decoded spectrograms with their amplitudes corrected, both standardised."""
        return x + self.acm(x, c, onsets_s)

    def forward(self, z_t, t, c, onsets_s):
        """Return the standardised spectrogram of the target (batch, rows, frames); arguments as of `predict`."""
        return self.correct(self.decode(self.predict(z_t, t, c, onsets_s)), c, onsets_s)


class Denoiser(nn.Module):
    """U-Net along time with cross-attention to the condition; predicts the clean code of the target."""

    def __init__(self, config: HeggsConfig):
        super().__init__()
        c = config
        self.config = c
        size = c.tokens
        self.tokens = Tokens(size)
        self.time = nn.Sequential(nn.Linear(17, size), nn.GELU(), nn.Linear(size, size))
        self.first = nn.Conv1d(c.latent + _N_POSITION, c.width, 3, 1, 1)
        self.down1, self.look1 = _Block(c.width, size), _Look(c.width, size, c.heads)
        self.gather = nn.Conv1d(c.width, c.deep, 2, 2)
        self.middle1, self.look2 = _Block(c.deep, size), _Look(c.deep, size, c.heads)
        self.middle2 = _Block(c.deep, size)
        self.spread = nn.ConvTranspose1d(c.deep, c.width, 2, 2)
        self.join = nn.Conv1d(2 * c.width + _N_POSITION, c.width, 1)
        self.up1, self.look3 = _Block(c.width, size), _Look(c.width, size, c.heads)
        self.up2 = _Block(c.width, size)
        self.last = nn.Conv1d(c.width, c.latent, 3, 1, 1)

    def forward(self, z, t, c, onsets_s):
        """Return the code before normalisation, (batch, latent, steps)."""
        tokens = self.tokens(c)  # (b, token, size)
        turns = torch.linspace(0, 3, 8, device=t.device).exp() * t[:, None]
        told = self.time(torch.cat([t[:, None], turns.sin(), turns.cos()], 1)) + tokens.mean(1)
        where = self.positions(onsets_s, z.shape[-1])
        a = self.look1(self.down1(self.first(torch.cat([z, where], 1)), told), tokens)
        b = self.look2(self.middle1(self.gather(a), told), tokens)
        b = self.spread(self.middle2(b, told))
        b = self.join(torch.cat([a, b, where], 1))
        return self.last(F.gelu(self.up2(self.look3(self.up1(b, told), tokens), told)))

    def positions(self, onsets_s, steps):
        """Return time relative to P and to S on four scales, and since the origin: (batch, 10, steps)."""
        middle = (torch.arange(steps, device=onsets_s.device) + 0.5) * _STRIDE - 0.5
        t_s = middle * self.config.frame_s - ORIGIN_AT_S
        since = t_s - onsets_s[..., None]  # (b, 2, steps)
        bent = [torch.tanh(since / scale) for scale in _SCALES_S]
        plain = (t_s / 30).expand(len(onsets_s), 1, -1)
        return torch.cat([*bent, plain, plain**2], 1)


class AmplitudeCorrection(nn.Module):
    """ACM: what the decoder missed of each component's and frequency's amplitude, from P on and around S."""

    def __init__(self, config: HeggsConfig, hidden: int = 128):
        super().__init__()
        self.config = config
        rows = config.rows
        self.line = nn.Linear(N_FEATURES, 2 * rows)
        self.net = nn.Sequential(nn.Linear(N_FEATURES + rows, hidden), nn.GELU(), nn.Linear(hidden, 2 * rows))
        for layer in (self.line, self.net[-1]):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x, c, onsets_s):
        """Return what to add to a standardised spectrogram (batch, rows, frames)."""
        t_s = torch.arange(x.shape[-1], device=x.device) * self.config.frame_s - ORIGIN_AT_S
        since = t_s - onsets_s[..., None]  # (b, 2, frames)
        gates = torch.sigmoid(since / 0.2)
        gates = torch.stack([gates[:, 0], gates[:, 1] * torch.exp(-since[:, 1].clamp(min=0) / BURST_S)], 1)
        level = (x * gates[:, :1]).sum(-1) / gates[:, 0].sum(-1, keepdim=True)
        told = self.line(c) + self.net(torch.cat([c, level], 1))
        return torch.einsum("brg,bgt->brt", told.unflatten(1, (self.config.rows, 2)), gates)


class Tokens(nn.Module):
    """Each number of the condition as a token, (batch, N_FEATURES + 1, size); the last is told by all of them."""

    def __init__(self, size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(N_FEATURES, 3, size) / 3**0.5)
        self.bias = nn.Parameter(0.5 * torch.randn(N_FEATURES, size))
        self.each = nn.Sequential(nn.LayerNorm(size), nn.Linear(size, size), nn.GELU(), nn.Linear(size, size))
        self.all = nn.Sequential(nn.Linear(N_FEATURES, size), nn.GELU(), nn.Linear(size, size))

    def forward(self, c):
        seen = torch.stack([c, torch.sin(2 * c), torch.cos(2 * c)], -1)  # (b, n, 3)
        each = self.each(torch.einsum("bnk,nks->bns", seen, self.weight) + self.bias)
        return torch.cat([each, self.all(c)[:, None]], 1)


class _Block(nn.Module):
    """Two convolutions around which the input goes by; scaled and shifted by what is told."""

    def __init__(self, width: int, told: int = 0):
        super().__init__()
        self.norm1, self.norm2 = _ChannelNorm(width), _ChannelNorm(width)
        self.conv1, self.conv2 = (nn.Conv1d(width, width, 3, 1, 1) for _ in range(2))
        self.told = nn.Linear(told, 2 * width) if told else None
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x, told=None):
        y = self.norm2(self.conv1(F.gelu(self.norm1(x))))
        if self.told is not None:
            scale, shift = self.told(told)[..., None].chunk(2, 1)
            y = y * (1 + scale) + shift
        return x + self.conv2(F.gelu(y))


class _Look(nn.Module):
    """Cross-attention of every step to the tokens of the condition."""

    def __init__(self, width: int, size: int, heads: int):
        super().__init__()
        self.heads, self.norm = heads, _ChannelNorm(width)
        self.query = nn.Linear(width, size, bias=False)
        self.key_value = nn.Linear(size, 2 * size, bias=False)
        self.out = nn.Linear(size, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x, tokens):
        split = lambda y: y.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # noqa: E731  (b, head, place, size)
        key, value = self.key_value(tokens).chunk(2, -1)
        seen = F.scaled_dot_product_attention(split(self.query(self.norm(x).transpose(1, 2))), split(key), split(value))
        return x + self.out(seen.transpose(1, 2).flatten(2)).transpose(1, 2)


class _ChannelNorm(nn.LayerNorm):
    """LayerNorm over channels at each time: contrasts along time, which are the onsets, stay."""

    def forward(self, x):
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


def unit(z):
    """Return codes of unit mean power over the channels of each step."""
    return z * torch.rsqrt((z.float() ** 2).mean(1, keepdim=True) + 1e-6).to(z.dtype)


def ln_peak(ln_amplitude, frames: int = 13):
    """Return half the ln of each component's largest mean power over `frames` frames, (batch, 3)."""
    power = (2 * ln_amplitude).unflatten(1, (3, -1)).clamp(max=30).exp().sum(2)  # (b, 3, frames)
    return 0.5 * F.avg_pool1d(power, frames, 1).amax(-1).clamp(min=1e-24).log()


def abar(t):
    """Return the share of signal power at t from 0 to 1: cosine schedule, LEAST_SIGNAL at the end."""
    return torch.cos(t * torch.pi / 2) ** 2 * (1 - LEAST_SIGNAL) + LEAST_SIGNAL


def noised(z, t, noise):
    """Return z_t of clean codes z at t, (batch,)."""
    share = abar(t)[:, None, None]
    return share.sqrt() * z + (1 - share).sqrt() * noise
