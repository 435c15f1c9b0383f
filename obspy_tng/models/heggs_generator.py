"""A trained HEGGS: conditions in, accelerograms on the axis from the origin out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch

from obspy_tng import conditions
from obspy_tng import origin_spectrogram as spectrogram
from obspy_tng.errors import ModelError
from obspy_tng.models.autoencoder import Autoencoder
from obspy_tng.models.heggs import abar, noised

SAMPLERS = ("direct", "ddim")
STEPS = 12
SOURCE_T = 0.1  # noise on a source's code in "direct"
SOURCE_START_T = 0.5  # where "ddim" starts from a source's code
_BATCH = 32


class HeggsGenerator(Autoencoder):
    """Network, card and device of a trained HEGGS; has no pools, and codes that are of no use without a condition."""

    layout = "heggs 1"

    @property
    def places(self) -> dict[str, list[float]]:
        """Return latitude, longitude and elevation of the stations it was trained on, by code."""
        return self.card.get("places", {})

    @property
    def scatter(self) -> dict:
        """Return how records scatter around what it makes (`obspy_tng.event_scatter.measured`); empty: not known."""
        return self.card.get("scatter") or {}

    def travel_times(self, c: np.ndarray) -> np.ndarray:
        """Return predicted P and S in s after the origin, (n, 2), of conditions (n, 6)."""
        return conditions.travel_times(c, self.network.config.travel)

    @torch.no_grad()
    def ln_amplitude(
        self, c: np.ndarray, rng: np.random.Generator, source: np.ndarray | None = None, sampler: str = "ddim",
        steps: int = STEPS,
    ) -> np.ndarray:  # fmt: skip
        """Return generated ln amplitudes (n, 3, bins, frames); see `origin_spectrogram`.

        Parameters
        ----------
        c : numpy.ndarray, shape (n, 6)
            Conditions of the targets; see `conditions.conditions`.
        rng : numpy.random.Generator
        source : numpy.ndarray, shape (n, rows, frames), optional
            ln amplitudes of records of the same earthquakes elsewhere (`origin_spectrogram.rows`); noise without.
        sampler : {"ddim", "direct"}
            "ddim": deterministic steps (Song et al. 2021, arXiv 2010.02502) from pure noise, or from the source's code
            half drowned in noise, down to the clean code. "direct": the network's one guess from pure noise, or from
            the source's code with little noise.
        steps : int
            Of "ddim".

        Raises
        ------
        ModelError
            Unknown sampler, or fewer than one step.
        TNGError
            A condition is impossible.
        """
        if sampler not in SAMPLERS or not steps >= 1:
            raise ModelError(f"sampler {sampler!r}, {steps} steps given; accepted: {', '.join(SAMPLERS)}; 1 or more")
        c = conditions.check(c)
        config, out = self.network.config, []
        for first in range(0, len(c), _BATCH):
            some = slice(first, first + _BATCH)
            told = told_of(c[some], config, self.device)
            noise = torch.from_numpy(rng.standard_normal((len(told[0]), config.latent, config.frames // 4)))
            noise = noise.float().to(self.device)
            code, start = torch.zeros_like(noise), 1.0
            if source is not None:
                x = torch.from_numpy(np.ascontiguousarray(source[some], dtype=np.float32)).to(self.device)
                code, start = self.network.encode(x), SOURCE_T if sampler == "direct" else SOURCE_START_T
            times = torch.linspace(start, 0, (steps if sampler == "ddim" else 1) + 1, device=self.device)
            z = noised(code, times[:1].expand(len(noise)), noise) if source is not None else noise
            for now, after in pairwise(times):
                code = self.network.predict(z, now.expand(len(z)), *told)
                share = abar(now)
                left = (z - share.sqrt() * code) / (1 - share).sqrt()
                z = abar(after).sqrt() * code + (1 - abar(after)).sqrt() * left
            x = self.network.correct(self.network.decode(code), *told)
            out.append((x * self.network.sd + self.network.mean).cpu().numpy())
        rows = np.concatenate(out).astype(np.float64)
        return rows.reshape(-1, 3, spectrogram.N_BINS, config.frames)

    def waves(self, ln_amplitude: np.ndarray, rng: np.random.Generator, phases: str = "noise") -> np.ndarray:
        """Return waveforms (..., 3, NPTS) in m/s² of `ln_amplitude`.

        Parameters
        ----------
        phases : {"noise", "griffin-lim"}
            See `origin_spectrogram.from_noise` and `origin_spectrogram.griffin_lim`.
        """
        made = (spectrogram.griffin_lim if phases == "griffin-lim" else spectrogram.from_noise)(ln_amplitude, rng)
        excess = self.network.config.excess
        return spectrogram.weaken(made, excess) if excess else made


def told_of(c: np.ndarray, config, device="cpu"):
    """Return features (n, N_FEATURES) and predicted onsets (n, 2) of conditions (n, 6), as float32 tensors."""
    told = conditions.features(c, config.centre), conditions.travel_times(c, config.travel).astype(np.float32)
    return tuple(torch.from_numpy(x).to(device) for x in told)
