"""Training the spectral TimesNet-Gen: what it sees of records, and what it is trained for."""

from __future__ import annotations

import numpy as np

from obspy_tng import spectral, training_store
from obspy_tng.errors import ModelError, RecordError
from obspy_tng.preprocessing import SAMPLING_RATE_HZ, cut, resampled, window_start
from obspy_tng.spectral_extra import N_TOLD
from obspy_tng.training_team import ALONE, Part

PHASES = {0: False}
OPTIONS: dict = {}
STREAMS = True
LATENT_NOISE = 0.1  # of the code's sd, in training: near codes shall mean near energies


def model_name(options: dict) -> str:
    """Return what a card calls the network."""
    return "spectral-timesnet-gen"


class Source:
    """Training records, turned in azimuth anew each time they are drawn."""

    def __init__(self, corpus, indices, stations, together=None):
        if not indices:
            raise RecordError("no record is left for training or validation; use more events or fewer exclusions")
        if together is not None:
            known = corpus.rows.column("trace_s_arrival_sample")
            indices = [i for i in indices if known[i]]
        self.items = training_store.prepared(corpus, indices, _as_kept, together)
        if not len(self.items):
            raise RecordError("no record with an S onset: give the corpus picks or events")

    def __len__(self):
        return len(self.items)

    def order(self, rng):
        """Return the order of an epoch."""
        return training_store.order(self.items, rng)

    def draw(self, rows, rng=None, part=slice(None)):
        """Return ln periodograms, smoothed ones (b, rows, frames), ln spectra (b, spectrum), weight (b, frames)."""
        from obspy_tng.models.spectral_autoencoder import inputs
        from obspy_tng.models.spectral_autoencoder import rows as as_rows

        angles = rng.uniform(0, 2 * np.pi, len(rows))[part] if rng is not None else None
        rows = rows[part]
        items = [self.items[i] for i in rows]
        waves = np.array([wave for wave, _, _ in items], dtype=np.float64)
        if angles is not None:
            for wave, angle in zip(waves, angles, strict=True):
                turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
                wave[:2] = turn @ wave[:2]
        s_s = np.array([s_s for _, s_s, _ in items])
        known = spectral.describe(waves, s_s)
        return as_rows(known.ln_power), *inputs(known), spectral.inside(known.ln_sp).astype(np.float32)


def _as_kept(record):
    """Return window, S onset in s and station, None without S: the lattice has no place to stand on."""
    record = resampled(record)
    first = window_start(record)
    s_s = record.s_s - first / SAMPLING_RATE_HZ
    return (cut(record.data, first).astype(np.float32), s_s, record.code) if np.isfinite(s_s) else None


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
    config = SpectralConfig(spectral.NT, spectral.NB, 3 * len(spectral.SPEC_HZ), told=N_TOLD)
    network = SpectralTimesNet(config)
    rows = training_store.sampled(source.items)
    drawn = [source.draw(rows[i : i + 64])[1:3] for i in range(0, len(rows), 64)]
    network.standardise(*(torch.from_numpy(np.concatenate(parts)) for parts in zip(*drawn, strict=True)))
    return network, {**card, "config": config.to_dict()}, Objective()


def measured(network, card: dict, training: Source, validating, device: str, say=None) -> dict:
    """Calibrate a trained network (see `obspy_tng.calibration`) and return what the card is to tell of it."""
    from obspy_tng.calibration import LEAST, MOST, calibrate
    from obspy_tng.models.spectral_autoencoder import SpectralAutoencoder

    if len(training.items) < LEAST:
        return {"calibration": f"none: {len(training.items)} training records, {LEAST} are needed"}
    rows = np.unique(np.linspace(0, len(training.items) - 1, MOST).round().astype(int))
    waves, s_s, codes = (np.array(x) for x in zip(*(training.items[i] for i in rows), strict=True))
    rounds = calibrate(SpectralAutoencoder(network, card, device), waves.astype(float), s_s, codes, progress=say)
    return {"calibration": {"records": len(rows), "rms mean excess": rounds}}
