"""Training HEGGS: pairs of stations of one event, and what the network is trained for (see `models.heggs`)."""

from __future__ import annotations

from functools import partial

import numpy as np

from obspy_tng import conditions, event_scatter
from obspy_tng.errors import ModelError, RecordError
from obspy_tng.origin_spectrogram import LN_NOISE, N_BINS, ln_excess, rows
from obspy_tng.training_team import ALONE, Part

PHASES = {0: False}
OPTIONS = {"paired": True, "noise_share": 0.2}
AUTOENCODER = 0.3  # weight of |X_tgt - D(E(X_tgt))|²
PEAK = 0.1  # weight of the difference of ln peaks
SAMPLE = 200  # records that tell what white phases get wrong
JITTER = 0.02  # sd added to features in training: locations are known to about a kilometre


def model_name(options: dict) -> str:
    """Return what a card calls the network."""
    return "heggs"


def usable(corpus, indices):
    """Return the records of a corpus that have a P onset."""
    return [r for r in corpus.records(indices) if np.isfinite(r.p_s)]


class Source:
    """Spectrograms, conditions and events of training records; drawn with a record of another station as source."""

    def __init__(self, corpus, indices, stations):
        if not indices:
            raise RecordError("no record is left for training or validation; use more events or fewer exclusions")
        records = usable(corpus, indices)
        if not records:
            raise RecordError("no record with a P onset: give the corpus picks or events")
        self.read = partial(usable, corpus, indices)
        self.terms = conditions.event_terms(records)
        self.records = [r.id for r in records]
        self.c = conditions.check(conditions.conditions(records))
        self.travel = conditions.fit_travel_times(records, self.terms)
        self.places = {r.code: [r.latitude_deg, r.longitude_deg, r.elevation_m] for r in records}
        seen = np.unique([r.event_id for r in records], return_inverse=True)[1]
        self.others = [np.flatnonzero((seen == e) & (np.arange(len(seen)) != i)) for i, e in enumerate(seen)]
        origins = [r.origin_time - r.starttime + self.terms[r.event_id] for r in records]
        self.x = np.array([rows(r, at) for r, at in zip(records, origins, strict=True)])
        some = range(0, len(records), max(1, len(records) // SAMPLE))
        waves = np.array([conditions.on_axis(records[i], origins[i])[0] for i in some])
        self.excess = ln_excess(waves, self.x[some].reshape(-1, 3, N_BINS, self.x.shape[-1]), np.random.default_rng(0))

    def __len__(self):
        return len(self.x)

    def draw(self, chosen, rng=None, part=slice(None)):
        """Return target and source (b, rows, frames) and condition of the target (b, 6).

        The source is a record of another station of the event, the target itself when there is none; with `rng` any
        of them, else the next.
        """
        sources = []
        for i in chosen:
            others = self.others[i] if len(self.others[i]) else np.array([i])
            sources.append(rng.choice(others) if rng is not None else others[np.searchsorted(others, i) % len(others)])
        chosen, sources = chosen[part], sources[part]
        return self.x[chosen], self.x[sources], self.c[chosen]


class Objective:
    """Squared difference of the target's spectrogram to what is made of the noisy code of the source."""

    def __init__(self, config, paired: bool, noise_share: float):
        import torch

        self.config, self.paired, self.noise_share = config, paired, noise_share
        self.rise = -torch.from_numpy(np.tile(LN_NOISE, 3)).float()[:, None]  # from the mean of ln to the ln of the rms

    def __call__(self, network, batch, train: bool, part: Part | None = None) -> dict:
        import torch

        from obspy_tng.models.heggs import ln_peak, noised
        from obspy_tng.models.heggs_generator import told_of

        target, source, c = batch
        part = part or ALONE.part(len(target))
        told, onsets_s = told_of(c.cpu().numpy(), self.config, target.device)
        device = target.device
        clean = network.encode(source if self.paired else target)
        random = None if train else torch.Generator(device).manual_seed(0)
        noise = part.normal(torch.empty(clean.shape, device=device), random)
        t = part.uniform(target, random)
        if train:
            told = told + JITTER * part.normal(told)
            t = torch.where(part.uniform(target) < self.noise_share, torch.ones_like(t), t)
        wanted = (target - network.mean) / network.sd

        few, of_few = part.every(4 if train else 1, target)  # a quarter does, and saves a third of the time
        decoded = network.decode(network.predict(noised(clean, t, noise), t, told, onsets_s))
        made = network.correct(decoded, told, onsets_s)
        # peaks teach the amplitude correction alone: they would shout down the rest
        lifted = network.correct(decoded.detach(), told, onsets_s)
        again = network.decode(network.encode(few))
        with torch.autocast(device.type, enabled=False):
            peaks = [ln_peak(x) for x in (lifted.float() * network.sd + network.mean + self.rise.to(device), target)]
            terms = {
                "target": part.mean(((made.float() - wanted) ** 2).mean()),
                "peak": part.mean(torch.nn.functional.smooth_l1_loss(*peaks)),
                "autoencoder": of_few.mean(((again.float() - (few - network.mean) / network.sd) ** 2).mean()),
            }
        if not train:
            for name, level in (("from_source", 0.1), ("from_noise", 1.0)):
                t = torch.full_like(t, level)
                made = network(noised(network.encode(source), t, noise), t, told, onsets_s)
                terms[name] = part.mean(((made.float() - wanted) ** 2).mean())
        return {"total": terms["target"] + PEAK * terms["peak"] + AUTOENCODER * terms["autoencoder"], **terms}


def start(card: dict, source: Source, before, options: dict, device: str):
    """Return an untrained network, its input scaled by the training records, card and objective."""
    import torch

    from obspy_tng.models.heggs import Heggs, HeggsConfig

    if before is not None:
        raise ModelError("HEGGS is trained from random weights: leave out init=")
    if not 0 <= options["noise_share"] <= 1:
        raise ModelError(f"noise_share={options['noise_share']} given; accepted: 0 to 1")
    centre = tuple(float(x) for x in np.median(source.c[:, 2:4], axis=0))
    config = HeggsConfig(
        source.x.shape[1],
        source.x.shape[2],
        centre=centre,
        travel=source.travel,
        excess=tuple(float(x) for x in source.excess),
    )
    network = Heggs(config)
    x = torch.from_numpy(source.x)
    network.standardise(x.mean((0, 2)), x.std((0, 2)).clamp(min=1e-3))
    card = {**card, **options, "paper": "arXiv 2412.17333", "config": config.to_dict(), "places": source.places}
    card["limits"] = {"least": source.c.min(0).tolist(), "largest": source.c.max(0).tolist()}
    return network, card, Objective(config, options["paired"], options["noise_share"])


def measured(network, card: dict, training: Source, validating: Source, device: str, say=None) -> dict:
    """Return how the training records scatter around the trained network, or why they do not tell."""
    from obspy_tng.models.heggs_generator import HeggsGenerator

    model = HeggsGenerator(network.eval(), card, device)
    try:
        return {"scatter": event_scatter.measured(model, training.read(), np.random.default_rng(0))}
    except RecordError as err:
        return {"scatter_unknown": str(err)}
