"""Training the spectral TimesNet-Gen: what it sees of records, and what it is trained for."""

from __future__ import annotations

import numpy as np

from obspy_tng import spectral
from obspy_tng.errors import ModelError, RecordError
from obspy_tng.preprocessing import SAMPLING_RATE_HZ, cut, resampled, window_start
from obspy_tng.training_team import ALONE, Part

PHASES = {0: False}
OPTIONS: dict = {}
LATENT_NOISE = 0.1  # of the code's sd, in training: near codes shall mean near energies


def model_name(options: dict) -> str:
    """Return what a card calls the network."""
    return "spectral-timesnet-gen"


class Source:
    """Training records in memory, turned in azimuth anew each time they are drawn."""

    def __init__(self, corpus, indices, stations):
        if not indices:
            raise RecordError("no record is left for training or validation; use more events or fewer exclusions")
        self.waves, self.s_s = [], []
        for record in map(resampled, corpus.records(indices)):
            first = window_start(record)
            s_s = record.s_s - first / SAMPLING_RATE_HZ
            if np.isfinite(s_s):  # without S the lattice has no place to stand on
                self.waves.append(cut(record.data, first).astype(np.float32))
                self.s_s.append(s_s)
        if not self.waves:
            raise RecordError("no record with an S onset: give the corpus picks or events")

    def __len__(self):
        return len(self.waves)

    def draw(self, rows, rng=None, part=slice(None)):
        """Return ln periodograms, smoothed ones (b, rows, frames), ln spectra (b, spectrum), weight (b, frames)."""
        from obspy_tng.models.spectral_autoencoder import inputs
        from obspy_tng.models.spectral_autoencoder import rows as as_rows

        angles = rng.uniform(0, 2 * np.pi, len(rows))[part] if rng is not None else None
        rows = rows[part]
        waves = np.array([self.waves[i] for i in rows], dtype=np.float64)
        if angles is not None:
            for wave, angle in zip(waves, angles, strict=True):
                turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
                wave[:2] = turn @ wave[:2]
        s_s = np.array([self.s_s[i] for i in rows])
        known = spectral.describe(waves, s_s)
        return as_rows(known.ln_power), *inputs(known), spectral.inside(known.ln_sp).astype(np.float32)


class Objective:
    """Whittle likelihood of the periodograms under the decoded power; see `models.spectral_timesnet.SpectralLoss`."""

    def __init__(self):
        from obspy_tng.models.spectral_timesnet import SpectralLoss

        self.loss = SpectralLoss(spectral.NP_)

    def __call__(self, network, batch, train: bool, part: Part | None = None) -> dict:
        import torch

        power, smoothed, spectrum, weight = batch
        part = part or ALONE.part(len(power))
        code = network.encode(smoothed, spectrum)
        if train:
            code = code + LATENT_NOISE * part.gather(code).std() * part.normal(code)
        decoded = network.decode(code, spectrum)
        with torch.autocast(power.device.type, enabled=False):
            terms = self.loss(decoded.float(), power, smoothed, weight)
        return {k: part.mean(v) for k, v in terms.items()}


def start(card: dict, source: Source, before, options: dict, device: str):
    """Return an untrained network, its input scaled by the training records, card and objective."""
    import torch

    from obspy_tng.models.spectral_timesnet import SpectralConfig, SpectralTimesNet

    if before is not None:
        raise ModelError("the spectral network is trained from random weights: leave out init=")
    config = SpectralConfig(spectral.NT, spectral.NB, 3 * len(spectral.SPEC_HZ))
    network = SpectralTimesNet(config)
    drawn = [source.draw(range(i, min(i + 64, len(source)))) for i in range(0, len(source), 64)]
    network.standardise(*(torch.from_numpy(np.concatenate([d[k] for d in drawn])) for k in (1, 2)))
    return network, {**card, "config": config.to_dict()}, Objective()
