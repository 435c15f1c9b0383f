"""A trained spectral TimesNet-Gen: latents of records in, accelerograms of fresh noise out."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np
import torch

from obspy_tng import (
    spectral,
    spectral_coherency,
    spectral_first,
    spectral_hum,
    spectral_missed,
    spectral_own,
    spectral_p,
    spectral_rough,
)
from obspy_tng.errors import ModelError
from obspy_tng.models.autoencoder import Autoencoder
from obspy_tng.spectral_extra import N_COHERENCY, N_EXTRA, N_TOLD, OF_ONSET, of_pairs, told_early, told_noise
from obspy_tng.spectral_noise import Coherence
from obspy_tng.spectral_synthesis import synthesise

_BATCH = 16


class Parts(NamedTuple):
    """The parts of a latent: what the network coded, and what goes by as it is."""

    code: np.ndarray  # (n, latent, steps)
    ln_spectrum: np.ndarray  # (n, 3, frequency)
    extra: np.ndarray  # (n, K)
    ln_sp: np.ndarray  # (n,), S - P in s


class Site(NamedTuple):
    """What all motion of one site shares."""

    mean: np.ndarray  # latent
    power: np.ndarray  # (3, NT, NB), ln, of the mean code
    told: np.ndarray  # (N_TOLD,), of the mean
    missed: np.ndarray | float  # ln power that codes miss, on the lattice
    share: np.ndarray  # of a deviation from `power` that is a record's own, on the lattice
    noise_share: np.ndarray  # likewise, of noise before P
    coherency: spectral_coherency.SiteCoherency | None
    p_lines: np.ndarray | None  # ln gain of the lines of P, see `spectral_first.as_of_site`
    p_mixing: np.ndarray | None  # see `spectral_p`
    rough: np.ndarray  # sd of the random ln gain, see `spectral_rough`
    sharp: np.ndarray  # see `spectral_own.sharper`
    hum: np.ndarray | None  # ln gain of lines of noise, see `spectral_hum`


class SpectralAutoencoder(Autoencoder):
    """Network, card and device of a trained spectral TimesNet-Gen; latents are energies, not waveforms."""

    layout = spectral.LAYOUT
    site_shapes: ClassVar[dict] = {
        "missed": spectral_missed.SHAPE, "coherency": spectral_coherency.SHAPE, "p_lines": spectral_first.SHAPE,
        "p_mixing": spectral_p.SHAPE, "rough": spectral_rough.SHAPE, "sharp": spectral_own.SHARPER.shape,
        "hum": spectral_hum.SHAPE,
    }  # fmt: skip
    mixed = 3  # energies of three records are no copy of any

    @property
    def latent_shape(self) -> tuple[int, int]:
        """Return (rows, steps)."""
        config = self.network.config
        tail = config.spectrum + N_EXTRA + 1
        return config.latent + -(-tail // config.steps), config.steps

    def describe(self, windows, station: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return latents (n, rows, steps) and the ln scale of each record, for all three components (n, 3)."""
        return self.remembered(windows)[:2]

    def remembered(self, windows, station: str | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return `describe`, and what each code misses, ``(n, *spectral_missed.SHAPE)``, ln of power."""
        waves = windows.x * np.exp(windows.ln_sd)[..., None]
        known = spectral.describe(waves, windows.s_s)
        latents, missed = self.coded(known)
        return latents, np.repeat(known.ln_scale[:, None], 3, axis=1), missed

    def coded(self, known: spectral.Description) -> tuple[np.ndarray, np.ndarray]:
        """Return latents (n, rows, steps) of descriptions, and what they miss.

        That is what smoothed power is over that of the code, less what it is so of training records: what is taken out
        before motion is made (`take_out`) is no matter here.
        """
        power, spectrum = inputs(known)
        parts = Parts(self.code(power, spectrum), known.ln_spectrum, known.extra, known.ln_sp)
        missed = spectral_missed.block_means(self._by_component(power) - self._decoded(parts), known.ln_sp)
        return self.pack(parts), missed - self.network.usually_missed.cpu().numpy()

    def take_as_usual(self, missed: np.ndarray) -> None:
        """Take what codes of training records of many sites were found to miss as what is usual from now on."""
        found, counts = np.nansum(missed, axis=0), np.maximum(np.isfinite(missed).sum(axis=0), 1)
        self.network.usually_missed += torch.from_numpy(found / counts)

    def of_site(self, missed: np.ndarray) -> np.ndarray:
        """Return what codes of a site miss on average; nothing unless calibration told what is usual."""
        return spectral_missed.of_site(missed) if self.network.usually_missed.any() else np.zeros(0, np.float16)

    def take_as_own(self, power: np.ndarray | None, early: np.ndarray | None) -> None:
        """Take these shares of a record's deviations from its site as its own from now on, unless they are None."""
        for buffer, found in ((self.network.own_power, power), (self.network.own_early, early)):
            if found is not None:
                buffer.copy_(torch.from_numpy(found))

    def site(
        self, latents: np.ndarray, missed: np.ndarray | None = None, coherency: np.ndarray | None = None,
        p_lines: np.ndarray | None = None, p_mixing: np.ndarray | None = None,
        rough: np.ndarray = spectral_rough.USUAL, sharp: np.ndarray = spectral_own.SHARPER,
        hum: np.ndarray | None = None,
    ) -> Site:  # fmt: skip
        """Return what motion made of latents (n, rows, steps) of a site shares; the others are what its pool keeps."""
        mean = latents.mean(axis=0)
        parts = self.unpack(mean[None])
        lacking = 0.0 if missed is None else spectral_missed.spread(missed)
        own = self.network.own_power.cpu().numpy()
        shares = spectral_missed.spread(own), spectral_own.of_noise(own)
        finely = None if coherency is None else spectral_coherency.SiteCoherency.kept(coherency, len(latents))
        told = parts.extra[0, 1 : 1 + N_TOLD]
        return Site(mean, self.power(parts)[0], told, lacking, *shares, finely, p_lines, p_mixing, rough, sharp, hum)

    def settled(self, latent: np.ndarray, site: Site, main: np.ndarray) -> np.ndarray:
        """Return a mixed latent with the onset and the coherency of a parent, this nearer to the mean of the pool.

        What is measured of one record holds what chance made of its noise; fresh noise brings chance of its own. How
        far P is from its pick is nearly nothing of most records and much of a few, and so is coherency where some
        records hold what is common to components, as noise of the instrument: a mix would hold a little of it always.
        And a mix of directions from which P came is none: its components are less coherent than those of any P.
        """
        config = self.network.config
        out, middle, main = latent.ravel().copy(), site.mean.ravel(), main.ravel()
        last = config.latent * config.steps + config.spectrum + N_EXTRA
        some, onset = slice(last - N_COHERENCY, last), last - N_EXTRA
        share = np.where(OF_ONSET, 1.0, of_pairs(self.own_coherency()))
        out[some] = middle[some] + share * (main[some] - middle[some])
        out[onset] = main[onset]
        return out.reshape(latent.shape)

    def render(
        self, latent: np.ndarray, ln_sd: np.ndarray, rng, station: str | None = None, site: Site | None = None
    ) -> np.ndarray:
        """Return an accelerogram (3, npts) in m/s² with the energy of a latent and phases of its own."""
        parts = self.unpack(latent[None])
        power, extra = self.power(parts)[0], parts.extra[0].copy()
        told = extra[1 : 1 + N_TOLD]  # changed in place
        if site is not None:
            deviation = spectral_own.own(power - site.power, site.share)
            power = site.power + deviation + spectral_own.sharper(deviation, site.sharp) + site.missed
            for view, share in ((told_noise, site.noise_share), (told_early, self.network.own_early.cpu().numpy())):
                mine, middle = view(told), view(site.told)
                mine[...] = middle + spectral_own.own(mine - middle, share)
        told -= self.network.extra_excess.cpu().numpy()
        of_site = () if site is None else (site.coherency, site.p_lines, site.p_mixing, site.rough, site.hum)
        return synthesise(power, parts.ln_spectrum[0], extra, ln_sd[0], parts.ln_sp[0], rng, self.coherence(), *of_site)

    def encode(self, x, station=None):
        """Refuse: there is no code of a waveform here."""
        raise ModelError(f"model {self.name} codes energies: use describe() and render(), or a waveform model")

    decode = encode

    @torch.no_grad()
    def code(self, power: np.ndarray, spectrum: np.ndarray) -> np.ndarray:
        """Return the network's code (n, latent, steps) of `inputs`."""
        out = [np.zeros((0, self.network.config.latent, self.network.config.steps), np.float32)]
        for i in range(0, len(power), _BATCH):
            batch = (torch.from_numpy(x[i : i + _BATCH]).to(self.device) for x in (power, spectrum))
            out.append(self.network.encode(*batch).float().cpu().numpy())
        return np.concatenate(out)

    def power(self, parts: Parts) -> np.ndarray:
        """Return ln power to make motion of (n, 3, frames, bins), relative to each record's scale."""
        return self._decoded(parts) - self._by_component(self.network.power_excess.cpu().numpy()[None])

    @torch.no_grad()
    def _decoded(self, parts):
        code, spectrum = (
            torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32)).to(self.device)
            for x in (parts.code, parts.ln_spectrum.reshape(len(parts.code), -1))
        )
        return self._by_component(self.network.decode(code, spectrum).float().cpu().numpy())

    def _by_component(self, rows):
        """Return rows of the network, (n, 3 bins, frames), as (n, 3, frames, bins)."""
        return rows.reshape(len(rows), 3, self.network.config.bins, -1).swapaxes(2, 3)

    def taken_out(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what is taken out of ln power (3, frames, bins) and of `extra` (N_TOLD,), before motion is made."""
        power, extra = (x.cpu().double().numpy() for x in (self.network.power_excess, self.network.extra_excess))
        return self._by_component(power[None])[0].copy(), extra.copy()

    def take_out(self, ln_power: np.ndarray, extra: np.ndarray) -> None:
        """Set what motion has too much of, ln power (3, frames, bins) and `extra` (N_TOLD,), to be taken out."""
        rows = np.ascontiguousarray(ln_power.swapaxes(1, 2)).reshape(self.network.power_excess.shape)
        self.network.power_excess.copy_(torch.from_numpy(rows))
        self.network.extra_excess.copy_(torch.from_numpy(extra))

    def coherence(self) -> Coherence:
        """Return what makes motion as coherent as records."""
        return Coherence(self.network.coherency_gain.cpu().numpy(), self.network.polarised.cpu().numpy())

    def own_coherency(self) -> np.ndarray:
        """Return the share of deviations of coherency from the mean of a site that mixes keep, shape (N_OWN,)."""
        return self.network.own_coherency.cpu().numpy()

    def take_own_coherency(self, share: np.ndarray) -> None:
        """Take this share from now on."""
        self.network.own_coherency.copy_(torch.from_numpy(share))

    def take_coherence(self, coherence: Coherence) -> None:
        """Take this from now on."""
        for buffer, found in zip((self.network.coherency_gain, self.network.polarised), coherence, strict=True):
            buffer.copy_(torch.from_numpy(found))

    def pack(self, parts: Parts) -> np.ndarray:
        """Return latents (n, rows, steps), filled up with zeros."""
        n, (rows, steps) = len(parts.code), self.latent_shape
        tail = np.concatenate([parts.ln_spectrum.reshape(n, -1), parts.extra, parts.ln_sp[:, None]], axis=1)
        out = np.zeros((n, rows * steps), dtype=np.float32)
        first = parts.code.shape[1] * steps
        out[:, :first] = parts.code.reshape(n, -1)
        out[:, first : first + tail.shape[1]] = tail
        return out.reshape(n, rows, steps)

    def unpack(self, latents: np.ndarray) -> Parts:
        """Return the parts of latents (n, rows, steps)."""
        config, n = self.network.config, len(latents)
        flat = latents.reshape(n, -1)
        edges = np.cumsum([config.latent * config.steps, config.spectrum, N_EXTRA])
        code, spectrum, extra, rest = np.split(flat, edges, axis=1)
        return Parts(code.reshape(n, config.latent, config.steps), spectrum.reshape(n, 3, -1), extra, rest[:, 0])


def inputs(known) -> tuple[np.ndarray, np.ndarray]:
    """Return what the network sees of descriptions: smoothed ln power (n, rows, frames), ln spectra (n, spectrum)."""
    n = len(known.ln_spectrum)
    smoothed = spectral.smooth_power(known.ln_power)
    return rows(smoothed), known.ln_spectrum.reshape(n, -1).astype(np.float32)


def rows(ln_power: np.ndarray) -> np.ndarray:
    """Return ln power (n, 3, frames, bins) as the network has it, (n, 3 bins, frames)."""
    n, _, frames, _ = ln_power.shape
    return np.ascontiguousarray(ln_power.swapaxes(2, 3).reshape(n, -1, frames), dtype=np.float32)
