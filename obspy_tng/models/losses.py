"""What TimesNet-Gen is trained on: normalised waveform, log-spectrogram and ln-HVSR misfit.

The waveform term alone keeps f0 within 10 % on about a quarter of records; the two spectral terms bring it above 90 %.
All terms work on standardised records, so a large event weighs no more than a small one.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

_STFT = ((64, 16), (256, 64), (1024, 256))  # window and hop in samples
S_BEFORE_S, S_LENGTH_S = 0.5, 20.0
BELOW_HZ = 45.0  # spectrograms above do not count: records hold nothing there, and ln of nothing is as steep as a wall
ROUND = 0.05  # ln units: closer to zero than this, absolute differences go over into squares


class Loss(nn.Module):
    """Normalised MSE + a·multi-resolution log-STFT + b·ln-HVSR.

    Parameters
    ----------
    npts : int
        Samples per component.
    sampling_rate : float
        In Hz.
    log_stft, ln_hvsr : float
        Weights a and b.
    """

    def __init__(self, npts: int, sampling_rate: float = 100.0, log_stft: float = 0.1, ln_hvsr: float = 0.1):
        super().__init__()
        self.rate, self.weights = sampling_rate, {"log_stft": log_stft, "ln_hvsr": ln_hvsr}
        self.register_buffer("smoothing", torch.from_numpy(_konno_ohmachi(npts, sampling_rate)), persistent=False)
        for n, _ in _STFT:
            self.register_buffer(f"window{n}", torch.hann_window(n), persistent=False)

    def forward(self, y, x, ln_sd, s_s) -> dict[str, torch.Tensor]:
        """Return the terms and their weighted sum ``"total"``.

        Parameters
        ----------
        y, x : tensor (B, 3, npts)
            Reconstruction and truth, standardised.
        ln_sd : tensor (B, 3)
            ln of what was divided out, per component.
        s_s : tensor (B,)
            S onset in s, NaN unknown.
        """
        return self.summed({**self.waveform(y, x), "ln_hvsr": self.hvsr(y, x, ln_sd, s_s)})

    def summed(self, terms: dict) -> dict:
        """Return the terms with their weighted sum ``"total"``."""
        return {**terms, "total": terms["mse"] + sum(w * terms[k] for k, w in self.weights.items())}

    def waveform(self, y, x) -> dict:
        """Return the terms of waveforms and their spectrograms."""
        return {
            "mse": (y - x).square().mean(),
            "log_stft": sum(self._log_stft(y, x, n, hop) for n, hop in _STFT) / len(_STFT),
        }

    def hvsr(self, y, x, ln_sd, s_s):
        """Return the misfit of ln HVSR, of whole records and of their S windows."""
        whole = _absolute(self._ln_hvsr(y, ln_sd) - self._ln_hvsr(x, ln_sd)).mean()
        window = self._s_window(s_s, x.shape[-1])
        a, b = (self._ln_hvsr(u * window[:, None], ln_sd) for u in (y, x))
        return 0.5 * (whole + _absolute(a - b).mean())

    def _log_stft(self, y, x, n, hop):
        window = getattr(self, f"window{n}")
        Y, X = (torch.stft(u.flatten(0, 1), n, hop, window=window, return_complex=True).abs().square() for u in (y, x))
        floor = 1e-4 * X.mean((-2, -1), keepdim=True) + 1e-12
        misfit = (Y + floor).log() - (X + floor).log()
        return 0.5 * _absolute(misfit[:, : int(n * BELOW_HZ / self.rate) + 1]).mean()

    def _ln_hvsr(self, u, ln_sd):
        """Return ln HVSR (B, F) in 0.5-25 Hz of records u; quadratic horizontals, Konno-Ohmachi b = 40."""
        power = torch.fft.rfft(u).abs().square() * (2 * ln_sd).exp()[..., None]
        power = power / (power.mean((1, 2), keepdim=True) + 1e-30) + 1e-9
        horizontal = (0.5 * (power[:, 0] + power[:, 1])).sqrt() @ self.smoothing
        vertical = power[:, 2].sqrt() @ self.smoothing
        return horizontal.log() - vertical.log()

    def _s_window(self, s_s, npts):
        """Return the boxcar (B, npts) of 20 s from 0.5 s before S; ones where S is unknown."""
        t = torch.arange(npts, device=s_s.device) / self.rate
        start = torch.nan_to_num(s_s, nan=-1e9)[:, None] - S_BEFORE_S
        inside = (t >= start) & (t < start + S_LENGTH_S)
        return torch.where(torch.isnan(s_s)[:, None], torch.ones_like(inside), inside).float()


def _absolute(x):
    """Return |x| without its corner, where the sign of the gradient would hang on rounding."""
    return (x.square() + ROUND**2).sqrt() - ROUND


def _konno_ohmachi(npts: int, rate: float, b: float = 40.0) -> np.ndarray:
    """Return smoothing weights (npts // 2 + 1, 96), columns sum to one, DC left out."""
    f = np.fft.rfftfreq(npts, 1 / rate)
    centre = np.geomspace(0.5, 25.0, 96)
    with np.errstate(divide="ignore", invalid="ignore"):
        u = b * np.log10(f[:, None] / centre)
        w = (np.sin(u) / u) ** 4
    w[u == 0] = 1.0
    w[~np.isfinite(w)] = 0.0
    w[0] = 0.0
    w[np.abs(u) > np.pi] = 0.0
    return (w / w.sum(0)).astype(np.float32)
