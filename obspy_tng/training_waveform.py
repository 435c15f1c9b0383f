"""Training the TimesNet-Gen of the paper (codes of waveforms): what it sees of records, and what it is trained for.

Phase 1 fine-tunes with one-hot station labels and noise of each station's own latent spread.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from obspy_tng import training_store
from obspy_tng.assembly import COMPONENTS
from obspy_tng.errors import RecordError
from obspy_tng.preprocessing import NPTS, SAMPLING_RATE_HZ, cut, resampled, standardise, window_start
from obspy_tng.training_team import ALONE, Part

PHASES = {0: False, 1: True}  # phase -> whether it needs a model to start from
OPTIONS = {"reference": False, "log_stft": 0.1, "ln_hvsr": 0.1, "latent_noise": 1.0}
STREAMS = True  # its Source can read records chunk by chunk
WARM_STEPS = {0: 500, 1: 100}  # both start close to a perfect reconstruction: large steps would first lead away from it
JITTER_S = 3.0  # training windows start up to this much earlier or later


def model_name(options: dict) -> str:
    """Return what a card calls the network."""
    return "timesnet-gen-reference" if options["reference"] else "timesnet-gen"


class Source:
    """Training records, cut and turned anew each time they are drawn."""

    def __init__(self, corpus, indices, stations, together=None):
        if not indices:
            raise RecordError("no record is left for training or validation; use more events or fewer exclusions")
        self.records = training_store.prepared(corpus, indices, _as_kept, together)
        streamed, known = together is not None, corpus.codes()
        codes = [known[i] for i in indices] if streamed else [record.code for record in self.records]
        self.labels = np.zeros((len(self.records), len(stations)), np.float32)
        for i, code in enumerate(codes):
            if code in stations:
                self.labels[i, list(stations).index(code)] = 1

    def __len__(self):
        return len(self.records)

    def order(self, rng):
        """Return the order of an epoch."""
        return training_store.order(self.records, rng)

    def draw(self, rows, rng=None, part=slice(None)):
        """Return x, ln_sd, s_s and label of records; with `rng` jittered in time, turned in azimuth, sign flipped."""
        if rng is not None:
            chance = [(rng.uniform(-JITTER_S, JITTER_S), rng.uniform(0, 2 * np.pi), rng.choice([-1, 1])) for _ in rows]
            chance = chance[part]
        rows = rows[part]
        x, s_s = np.zeros((len(rows), len(COMPONENTS), NPTS)), np.zeros(len(rows), np.float32)
        for k, i in enumerate(rows):
            record = self.records[i]
            first = window_start(record)
            data = record.data
            if rng is not None:
                jitter_s, angle, sign = chance[k]
                jitter = int(jitter_s * SAMPLING_RATE_HZ)
                first = int(np.clip(first + jitter, min(0, first), max(first, record.npts - NPTS)))
                turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
                data = np.concatenate([turn @ data[:2], data[2:] * sign])
            x[k] = cut(data, first)
            s_s[k] = record.s_s - first / SAMPLING_RATE_HZ
        x, ln_sd = standardise(x)
        return x, ln_sd.astype(np.float32), s_s, self.labels[rows]


def _as_kept(record):
    record = resampled(record)
    return replace(record, data=record.data.astype(np.float32))


def start(card: dict, source: Source, before, options: dict, device: str):
    """Return network, card and objective; see `obspy_tng.training.KINDS`."""
    from obspy_tng.models.losses import BELOW_HZ, ROUND, Loss

    phase, stations = card["phase"], card["stations"]
    terms = {k: options[k] for k in ("log_stft", "ln_hvsr")}
    card = {**card, "loss_weights": terms, "loss_rounded_below": ROUND, "log_stft_below_hz": BELOW_HZ}
    network, card = _network(card, phase, before, options["reference"], len(stations))
    network.to(device)
    sigma = _latent_sigma(network, source, stations, device) if phase == 1 else None
    loss = Loss(NPTS, SAMPLING_RATE_HZ, **terms).to(device)
    return network, card, Objective(loss, phase, sigma, options["latent_noise"])


def _network(card, phase, before, reference, n_stations):
    from obspy_tng.models.autoencoder import build
    from obspy_tng.models.reference import ReferenceConfig
    from obspy_tng.models.timesnet_gen import Config

    labels = n_stations if phase == 1 else 0
    config = ReferenceConfig(n_stations=labels) if reference else Config(n_stations=labels)
    if before is not None:
        config = replace(before.network.config, n_stations=labels)
    card["config"] = config.to_dict()
    network = build(card)
    if not reference:
        card["warm_steps"] = WARM_STEPS[phase]
    if before is None and not reference:
        network.start_as_lapped_transform()
    if before is not None:
        import torch

        network.load_state_dict(before.network.state_dict(), strict=False)
        for module in network.modules():
            condition = getattr(module, "condition", None)
            if isinstance(condition, torch.nn.Conv2d):  # starts as the identity: the label is learned, not imposed
                torch.nn.init.zeros_(condition.weight)
                torch.nn.init.zeros_(condition.bias)
                channels = condition.weight.shape[0]
                condition.weight.data[:, :channels, 0, 0] = torch.eye(channels)
    return network, card


def _latent_sigma(network, source, stations, device):
    """Return the sd of each latent channel over a station's training records, (S, latent): the paper's sigma_s."""
    import torch

    rows = []
    with torch.no_grad():
        for k in range(len(stations)):
            members = np.flatnonzero(source.labels[:, k])
            if members.size < 2:
                raise RecordError(f"station {stations[k]} has {members.size} training record(s); at least 2 are needed")
            x, _, _, label = source.draw(members)
            z = network.encode(torch.from_numpy(x).to(device), torch.from_numpy(label).to(device))
            rows.append(z.std(0).mean(-1))
    return torch.stack(rows)


class Objective:
    """What the waveform network is trained for: forward pass and loss of a batch."""

    def __init__(self, loss, phase, sigma, latent_noise):
        self.loss, self.phase, self.sigma, self.latent_noise = loss, phase, sigma, latent_noise

    def __call__(self, network, batch, train: bool, part: Part | None = None) -> dict:
        import torch

        x, ln_sd, s_s, label = batch
        part = part or ALONE.part(len(x))
        noise = None
        if train and self.sigma is not None:
            drawn = part.normal(torch.empty(len(x), self.sigma.shape[1], network.config.steps, device=x.device))
            noise = self.latent_noise * (label @ self.sigma)[..., None] * drawn
        y = network(x, label if self.phase == 1 else None, noise)
        with torch.autocast(x.device.type, enabled=False):
            y = y.float()
            if part.size == 1:
                return self.loss(y, x, ln_sd, s_s)
            terms = {k: part.mean(v) for k, v in self.loss.waveform(y, x).items()}
            # the gradient of H/V magnifies rounding, which depends on how many records are smoothed at once: all are
            terms["ln_hvsr"] = self.loss.hvsr(part.join(y), part.gather(x), part.gather(ln_sd), part.gather(s_s))
            return self.loss.summed(terms)
