"""A trained CVAE as the rest of the package sees it: the distributions of records' codes in, accelerograms out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from obspy_tng import spectrogram
from obspy_tng.errors import ModelError
from obspy_tng.models.autoencoder import Autoencoder
from obspy_tng.models.cvae import priors
from obspy_tng.preprocessing import NPTS

INVERSIONS = ("phase", "griffin-lim")
_BATCH = 16


class CvaeAutoencoder(Autoencoder):
    """Network, card and device of a trained CVAE; latents are means and ln variances of codes, shape (n, 2, size)."""

    layout = "cvae 1"
    mixed = 3  # spectrograms of three records are no copy of any

    @property
    def inversion(self) -> str:
        """Return how waveforms are made: of regressed phases, or by phases found for the amplitudes."""
        return self.card["inversion"]

    def inverting(self, inversion: str) -> CvaeAutoencoder:
        """Return the same model with another inversion, "phase" or "griffin-lim".

        Raises
        ------
        ModelError
            It is not known, or the network has no phases.
        """
        if inversion not in INVERSIONS:
            raise ModelError(f"inversion {inversion!r} not known; accepted: {', '.join(INVERSIONS)}")
        if inversion == "phase" and self.network.config.channels == 3:
            raise ModelError(f"model {self.name} was trained on amplitudes only: accepted: griffin-lim")
        return replace(self, card={**self.card, "inversion": inversion})

    def describe(self, windows, station: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return latents (n, 2, size) and ln amplitudes (n, 3); the encoder needs no station."""
        return self.encode(windows.x), windows.ln_sd

    def encode(self, x: np.ndarray, station: str | None = None) -> np.ndarray:
        """Return mean and ln variance of the codes (n, 2, size) of standardised windows x (n, 3, npts), float32."""
        known = spectrogram.describe(x)[:, : self.network.config.channels]
        out = [np.zeros((0, *self.latent_shape), np.float32)]
        with torch.no_grad():
            for first in range(0, len(x), _BATCH):
                batch = torch.from_numpy(known[first : first + _BATCH]).to(self.device)
                out.append(torch.stack(self.network.encode(self.network.scale(batch)), 1).float().cpu().numpy())
        return np.concatenate(out)

    def decode(self, z: np.ndarray, station: str | None = None) -> np.ndarray:
        """Return standardised windows (n, 3, npts) of the means of latents z (n, 2, size), float32."""
        made = self.spectrograms(z[:, 0])
        return np.array([self._invert(s, np.random.default_rng(0)) for s in made], np.float32).reshape(-1, 3, NPTS)

    def prior(self, station: str | None = None) -> np.ndarray:
        """Return the prior's latent (2, size): that of a station (Eq. 2), the standard normal one of phase 0."""
        size = self.network.config.size
        out = np.zeros((2, size), np.float32)
        if self.stations:
            self._label(station, 1)  # refuses a station the model does not know
            out[0] = priors(len(self.stations), size)[self.stations.index(station)].numpy()
        return out

    def render(self, latent: np.ndarray, ln_sd: np.ndarray, rng, station: str | None = None, site=None) -> np.ndarray:
        """Return an accelerogram (3, npts) in m/s² of a code drawn from a latent's distribution."""
        code = latent[0] + np.exp(0.5 * latent[1]) * rng.standard_normal(latent.shape[1])
        x = self._invert(self.spectrograms(code[None])[0], rng)
        x -= x.mean(axis=-1, keepdims=True)
        return x / x.std(axis=-1, keepdims=True) * np.exp(ln_sd)[:, None]

    def spectrograms(self, codes: np.ndarray) -> np.ndarray:
        """Return decoded amplitudes in dB and, where the network has them, phases in rad: (n, 3 or 6, bins, frames)."""
        with torch.no_grad():
            z = torch.from_numpy(np.ascontiguousarray(codes, dtype=np.float32)).to(self.device)
            return self.network.unscale(self.network.decode(z)).float().cpu().numpy()

    def _invert(self, made, rng):
        if self.inversion == "phase":
            return spectrogram.waveform(made[:3], made[3:], NPTS)
        return spectrogram.griffin_lim(made[:3], NPTS, rng)
