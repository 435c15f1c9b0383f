"""Training the CVAE baseline: what it sees of records, and what it is trained for in phases 0, 1a and 1b.

Phase 0: a plain variational autoencoder. Phase 1a: the KL term (Eq. 2) pulls each station's codes to a prior of its
own. Phase 1b: the centres are the stations' mean codes; Eqs. 3 to 5 sharpen the clusters around them.

Options
-------
inversion : {"phase", "griffin-lim"}, optional
    "phase": phases are regressed beside amplitudes, as in the paper (the default of phase 0; further phases keep what
    they start from). "griffin-lim": amplitudes only; phases are found when waveforms are made.
classes : int
    Stations of the phases to come, which set the size of the code: 5 (510 numbers).
kl_weight : float
    Of the KL term (β-VAE). 1, the paper's, reconstructs best; larger ones fill the prior better.
cluster_weight : float
    a of Eq. 5, 100 in the paper, which does not tell the unit of L_VAE. Here: nats per number of the code. In nats per
    record 100 changes nothing, per number of the spectrogram it spoils the reconstruction (see ``benchmarks/cvae.py``).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from obspy_tng import spectrogram, training_waveform
from obspy_tng.errors import ModelError, RecordError
from obspy_tng.preprocessing import NPTS
from obspy_tng.training_team import ALONE, Part

PHASES = {0: False, "1a": True, "1b": True}
STREAMS = True
INVERSIONS = ("phase", "griffin-lim")
OPTIONS = {"inversion": None, "classes": 5, "kl_weight": 1.0, "cluster_weight": 100.0}
_BEFORE = {0: None, "1a": 0, "1b": "1a"}


def model_name(options: dict) -> str:
    """Return what a card calls the network."""
    return "cvae"


class Source(training_waveform.Source):
    """Training records, jittered in time and turned in azimuth anew each time they are drawn."""

    def draw(self, rows, rng=None, part=slice(None)):
        """Return spectrograms (b, 6, bins, frames) in dB and rad, and station labels (b, S)."""
        x, _, _, labels = super().draw(rows, rng, part)
        return spectrogram.describe(x), labels


def start(card: dict, source: Source, before, options: dict, device: str):
    """Return network, card and objective; see `obspy_tng.training.KINDS`."""
    import torch

    from obspy_tng.models.cvae import Cvae, CvaeConfig, latent_size

    phase, stations = card["phase"], card["stations"]
    kept = before.card["inversion"] if before is not None else "phase"
    inversion = options["inversion"] or kept
    if inversion not in INVERSIONS:
        raise ModelError(f"inversion {inversion!r} not known; accepted: {', '.join(INVERSIONS)}")
    if before is None:
        channels = 6 if inversion == "phase" else 3
        network = Cvae(CvaeConfig(channels, frames=spectrogram.frames(NPTS), size=latent_size(options["classes"])))
        low, high = extent(source)
        network.low.copy_(torch.from_numpy(low[:channels, None, None]))
        network.high.copy_(torch.from_numpy(high[:channels, None, None]))
    else:
        if inversion != kept:
            raise ModelError(f"{before.name} was trained for inversion {kept}, not {inversion}")
        _check(before, phase, stations)
        network = Cvae(replace(before.network.config, n_stations=len(stations)))
        network.load_state_dict({**before.network.state_dict(), "centres": network.centres})
    network.to(device)
    card = {**card, "config": network.config.to_dict(), "inversion": inversion, "kl_weight": options["kl_weight"]}
    if phase == "1b":
        card["cluster_weight"] = options["cluster_weight"]
        network.centres.data.copy_(class_means(network, source, stations))
        network.centres.requires_grad_()
    return network, card, Objective(phase, options["kl_weight"], options["cluster_weight"])


def _check(before, phase, stations):
    from obspy_tng.models.cvae import latent_size

    if before.card["phase"] != _BEFORE[phase]:
        raise ModelError(f"phase {phase} starts from a model of phase {_BEFORE[phase]}, not {before.card['phase']}")
    if before.stations and before.stations != list(stations):
        raise ModelError(f"phase {phase} needs the stations of {before.name}: {', '.join(before.stations)}")
    if stations and before.network.config.size % len(stations):
        needed = latent_size(len(stations))
        raise ModelError(
            f"a code of {before.network.config.size} numbers cannot be tiled by {len(stations)} stations; "
            f"train phase 0 with classes={len(stations)} ({needed} numbers)"
        )


def extent(source: Source) -> tuple[np.ndarray, np.ndarray]:
    """Return least and largest (6,) of amplitudes and phases over all training records: the min–max scaling."""
    low, high = np.full(6, np.inf, np.float32), np.full(6, -np.inf, np.float32)
    for first in range(0, len(source), 64):
        drawn, _ = source.draw(range(first, min(first + 64, len(source))))
        low, high = np.minimum(low, drawn.min((0, 2, 3))), np.maximum(high, drawn.max((0, 2, 3)))
    # one range for the three components, one for the three phases
    return (np.repeat(f(x.reshape(2, 3), 1), 3).astype(np.float32) for f, x in ((np.min, low), (np.max, high)))


def class_means(network, source: Source, stations):
    """Return the mean code (S, size) of each station's training records: the initial centres of phase 1b."""
    import torch

    device, out = network.low.device, []
    for k, station in enumerate(stations):
        members = np.flatnonzero(source.labels[:, k])
        if members.size < 2:
            raise RecordError(f"station {station} has {members.size} training record(s); at least 2 are needed")
        drawn, _ = source.draw(members)
        x = torch.from_numpy(drawn[:, : network.config.channels]).to(device)
        with torch.no_grad():
            out.append(network.encode(network.scale(x))[0].mean(0))
    return torch.stack(out)


class Objective:
    """What the network is trained for: L_VAE, in phase 1b + a L_c (Eq. 5); told in nats per number of a spectrogram."""

    def __init__(self, phase, kl_weight: float = 1.0, cluster_weight: float = 100.0):
        self.phase, self.kl_weight, self.cluster_weight = phase, kl_weight, cluster_weight

    def __call__(self, network, batch, train: bool, part: Part | None = None) -> dict:
        import torch

        from obspy_tng.models import cvae

        spectrograms, labels = batch
        part = part or ALONE.part(len(labels))
        config = network.config
        x = network.scale(spectrograms[:, : config.channels])
        mean, ln_variance = (v.float() for v in network.encode(x))
        z = mean + (0.5 * ln_variance).exp() * part.normal(mean) if train else mean
        y = network.decode(z).float()
        with torch.autocast(x.device.type, enabled=False):
            likelihood, squares = cvae.misfit(y, x, config.channels // 3, part.mean)
            prior = labels @ cvae.priors(config.n_stations, config.size).to(x.device) if config.n_stations else 0.0
            kl = part.mean(cvae.kl_to_prior(mean, ln_variance, prior).mean())
            total = likelihood + self.kl_weight * kl
            terms = {f"{name}_rms": s.sqrt() for name, s in zip(("amplitude", "phase"), squares, strict=False)}
            terms["kl"] = kl
            if self.phase == "1b":
                q = cvae.assignments(mean, network.centres)
                sharp = cvae.sharpened(part.gather(q))[part.rows]  # balanced between stations over the whole batch
                terms["cluster"] = part.mean(cvae.cluster_loss(sharp, q))
                total = total + self.cluster_weight * config.size * terms["cluster"]
            terms["total"] = total / x[0].numel()
        return terms
