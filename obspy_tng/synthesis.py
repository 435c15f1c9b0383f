"""generate(): from a station's pool to a Stream of new accelerograms, each with its provenance."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from obspy import Stream, Trace, UTCDateTime
from obspy.core import AttribDict

from obspy_tng import sampling
from obspy_tng.adjustment import apply_ratio
from obspy_tng.assembly import COMPONENTS
from obspy_tng.errors import ModelError, TNGError
from obspy_tng.pool import LatentPool, find_pool
from obspy_tng.preprocessing import SAMPLING_RATE_HZ, land
from obspy_tng.provenance import base36, mark
from obspy_tng.scaling import scaling

if TYPE_CHECKING:
    from obspy_tng import hints

MAX_REALISATIONS = 36**2  # two base-36 characters of the location code
_CHUNK = 256


def generate(
    station: str | None = None, n: int = 1, *, hvsr: hints.Curve | None = None, magnitude: float | None = None,
    distance_km: float | None = None, model: hints.Model | None = None,
    pool: hints.Pools | None = None, sampler: str | None = None, latent_noise: float = 0.0,
    seed: int | None = None, starttime: UTCDateTime | str | float | None = None, instrument: str = "X",
    device: str = "cpu", event: hints.Earthquake | None = None, source: hints.Source | None = None,
    coordinates: Sequence[float] | None = None, scatter: bool = True,
) -> Stream:  # fmt: skip
    """Generate three-component accelerograms that shake like a station.

    Parameters
    ----------
    station : str
        ``"0205"``, ``"TK.0205"`` or ``"CI.CWC"``: see `stations`. May be left out when `pool` is one pool.
    n : int
        Realisations, 1 to 1296; more belong in a corpus.
    hvsr : (frequency_hz, amplitude), path or xarray.DataArray, optional
        Instead of a station: the H/V curve of the site (see `retarget`, which also keeps the pool made of it).
    magnitude, distance_km : float, optional
        Of the earthquakes (epicentral distance), within the range of the pool's records or little beyond; see
        `obspy_tng.scaling`. Left out: as the pool's earthquakes scatter.
    model : str or path, optional
        The model of the pool when left out.
    pool : LatentPool or path, optional
        A pool of your own, or a folder of them; the shipped ones when left out.
    sampler : {"vp", "mean", "dirichlet", "encoded", "prior"}, optional
        Default ``"vp"``, which keeps the station's spread from event to event; see `obspy_tng.sampling`. ``"encoded"``
        draws from the normal distribution of the pool's codes, ``"prior"`` from that a CVAE was trained towards.
    latent_noise : float
        Gaussian noise added to the code, in units of the pool's own sd (TimesNet-Gen Eq. 1 has 1; it blurs f0).
    seed : int, optional
        Drawn and recorded in ``stats.tng.seed`` when left out. Realisation i depends on station, seed and i only.
    starttime : UTCDateTime, optional
        Of every trace; default 1970-01-01, never now.
    instrument : {"X", "N"}
        Channel code ``HX?`` (FDSN: synthetic), or ``HN?`` for tools that insist on an accelerometer.
    device : str
        Where the model runs.
    event, source, coordinates, scatter : optional
        HEGGS, which has no pools: one earthquake, (latitude, longitude, depth in km, magnitude) or an obspy Event; a
        record of it elsewhere to start from; latitude and longitude of any place instead of a station; whether
        amplitudes scatter as records do. See `obspy_tng.event_synthesis.generate_event`.

    Returns
    -------
    obspy.Stream
        3n traces, E N Z per realisation: 6000 samples at 100 Hz, float32, m/s², ids told apart by the location code
        (base 36). ``stats.tng`` says what they were made of.

    Raises
    ------
    TypeError
        `station` is no string.
    StationError
        No pool is known for it.
    ModelError
        Model, pool and sampler do not fit.
    TNGError
        `n` is out of range.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> stream = tng.generate("CI.CWC", n=2, seed=1)
    >>> len(stream), stream[0].id, stream[0].stats.npts
    (6, 'CI.CWC.00.HXE', 6000)
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or not 1 <= n <= MAX_REALISATIONS:
        raise TNGError(
            f"n={n!r} realisations asked for; 1 to {MAX_REALISATIONS} fit into a Stream (two-character locations). "
            "For more, call generate() with several seeds and collect them in a corpus: obspy-tng corpus build"
        )
    require_settings(instrument, latent_noise)
    if station is not None and not isinstance(station, str):
        raise TypeError(f"station must be a string such as '0205', not {station!r}: leading zeros would be lost")
    seed = secrets.randbits(32) if seed is None else int(seed)
    if model == "heggs" or any(x is not None for x in (event, source, coordinates)):
        from obspy_tng.event_synthesis import generate_event

        if any(x is not None for x in (hvsr, pool, magnitude, distance_km)) or latent_noise:
            raise TNGError("an event has its own magnitude, distance and place: leave out hvsr, pool, latent_noise …")
        return generate_event(
            station, range(n), event=event, source=source, coordinates=coordinates, model=model, sampler=sampler,
            seed=seed, starttime=starttime, instrument=instrument, device=device, scatter=scatter,
        )  # fmt: skip
    if hvsr is not None:
        if station is not None or pool is not None:
            raise TNGError("give either hvsr= or station=/pool=, not both")
        from obspy_tng.adjustment import retarget

        pool = retarget(hvsr, station="SITE", network="XX", model=model)
    pool = find_pool(station, pool, getattr(model, "name", model))
    model = model_of(pool, model, device)
    sampler = sampler or sampling.DEFAULT
    start = UTCDateTime(starttime) if starttime is not None else UTCDateTime(0)
    pool_sha256 = pool.sha256()
    event = scaling(pool, magnitude, distance_km)
    stream = Stream()
    for first in range(0, n, _CHUNK):
        numbers = range(first, min(first + _CHUNK, n))
        waves, mixtures = realise(pool, model, sampler, seed, numbers, latent_noise, event)
        for i, wave, mixture in zip(numbers, waves, mixtures, strict=True):
            made = {
                **origin(pool, pool_sha256, model, sampler, seed, i, mixture),
                "latent_noise": float(latent_noise), "magnitude": magnitude, "distance_km": distance_km,
            }  # fmt: skip
            for component, row in zip(COMPONENTS, wave, strict=True):
                header = dict(
                    network=pool.network, station=pool.station, location=base36(i), channel=f"H{instrument}{component}",
                    sampling_rate=SAMPLING_RATE_HZ, starttime=start,
                )  # fmt: skip
                trace = Trace(data=np.ascontiguousarray(row, dtype=np.float32), header=header)
                if np.isfinite(pool.latitude_deg):
                    trace.stats.coordinates = AttribDict(
                        latitude=pool.latitude_deg, longitude=pool.longitude_deg, elevation=pool.elevation_m
                    )
                stream.append(mark(trace, made))
    return stream


def require_settings(instrument: str, latent_noise: float) -> None:
    """Raise TNGError unless `generate` accepts these."""
    if instrument not in ("X", "N"):
        raise TNGError(f"instrument {instrument!r} not known; accepted: 'X' (synthetic), 'N' (accelerometer)")
    if not 0 <= latent_noise <= 10:
        raise TNGError(f"latent_noise {latent_noise!r} given; accepted: 0 to 10, in sd of the pool's codes")


def model_of(pool: LatentPool, model=None, device: str = "cpu"):
    """Return the model a pool's codes belong to; refuse another one.

    Raises
    ------
    ModelError
        The model's weights are not those the pool was made with.
    """
    from obspy_tng.models import load_model

    loaded = model if hasattr(model, "decode") else load_model(model or pool.model, device=device)
    if pool.model_sha256 and loaded.sha256 != pool.model_sha256:
        raise ModelError(
            f"the pool of {pool.code} was made with other weights ({pool.model}, {pool.model_sha256[:12]}…) than "
            f"{loaded.name} ({loaded.sha256[:12]}…); build the pool anew with this model, or give the pool's model"
        )
    if pool.about.get("layout", "") != loaded.layout:
        raise ModelError(
            f"the pool of {pool.code} was made by another version of this package: its codes mean "
            f"{pool.about.get('layout', '')!r}, here {loaded.layout!r}; build it anew"
        )
    shape = getattr(loaded, "latent_shape", pool.latents.shape[1:])
    if pool.latents.shape[1:] != tuple(shape):
        raise ModelError(
            f"the pool of {pool.code} is damaged: codes of shape {pool.latents.shape[1:]}, {loaded.name} has {shape}"
        )
    for key, array in pool.of_site().items():
        if array.shape != getattr(loaded, "site_shapes", {}).get(key):
            raise ModelError(f"the pool of {pool.code} is damaged: {key} is of shape {array.shape} for each site")
    return loaded


def origin(pool: LatentPool, pool_sha256: str, model, sampler: str, seed: int, number: int, mixture) -> dict:
    """Return what a realisation was made of, in JSON types."""
    return {
        "model": model.name, "weights_sha256": model.sha256, "pool_sha256": pool_sha256, "pool_kind": pool.kind,
        "station": pool.code, "seed": seed, "realization": number, "sampler": sampler,
        "parents": [pool.parents[k] for k in mixture.indices],
        "parent_weights": [round(float(w), 6) for w in mixture.weights],
        "f0_hz": None if np.isnan(pool.f0_hz) else round(pool.f0_hz, 4),
    }  # fmt: skip


def mixed(pool: LatentPool, model, sampler: str, rng, latent_noise: float = 0.0, event=None):
    """Draw what one realisation is rendered from; `event` is a `scaling.Scaling` or None.

    Returns
    -------
    Mixture
    numpy.ndarray of int
        Rows of the pool its parents come from.
    latent, ln_sd : numpy.ndarray
    """
    mixture, members = sampling.draw(sampler, rng, pool.groups, model.mixed)
    prior = sampler == "prior"
    latent = model.prior(label_of(pool, model)) if prior else mixture.apply(pool.latents, members)
    ln_sd = mixture.apply(pool.ln_sd, members)
    if latent_noise:
        spread = pool.latents[members].std(axis=0)
        latent = latent + latent_noise * spread * rng.standard_normal(latent.shape)
    if event is not None:
        latent, ln_sd = (x + d for x, d in zip((latent, ln_sd), event.shift(mixture, members), strict=True))
    return mixture, members, latent, ln_sd


def label_of(pool: LatentPool, model) -> str | None:
    """Return the station a model is told when it renders codes of a pool."""
    return pool.code if model.stations else None


def realise(pool: LatentPool, model, sampler: str, seed: int, numbers, latent_noise: float = 0.0, event=None):
    """Return accelerograms (n, 3, 6000) in m/s² and their mixtures, realisation numbers `numbers` of a seed.

    `event` is a `scaling.Scaling` or None.
    """
    from obspy_tng.models.cores import on_all_cores

    label = label_of(pool, model)
    sites = {
        host: model.site(pool.latents[pool.groups == host], **pool.of_site(host)) for host in np.unique(pool.groups)
    }

    def one(i):
        rng = sampling.child(seed, i, pool.code)
        mixture, members, latent, ln_sd = mixed(pool, model, sampler, rng, latent_noise, event)
        main = pool.latents[mixture.indices[np.argmax(mixture.weights)]]
        host = pool.groups[members[0]]
        wave = model.render(model.settled(latent, sites[host], main), ln_sd, rng, label, sites[host])
        if pool.ln_ratio.size:
            wave = apply_ratio(wave, pool.ratio_frequency_hz, pool.ln_ratio[host])
        return land(wave), mixture

    waves, mixtures = zip(*on_all_cores(one, numbers), strict=True)
    return np.array(waves), list(mixtures)
