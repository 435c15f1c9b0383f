"""build_pool(): what the frozen model remembers of a site's records, and what motion made of that still lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from obspy_tng.errors import RecordError
from obspy_tng.pool import LatentPool, quantise

if TYPE_CHECKING:
    from obspy_tng import hints
    from obspy_tng.record import Record

F0_BAND_HZ = (1.0, 20.0)  # the paper's
_BLOCK = 64  # records described at once: in between that takes 1 MB each


def build_pool(
    records: Sequence[Record], *, model: hints.Model | None = None, station: str | None = None,
    kind: str = "recorded", max_records: int | None = None, about: Mapping[str, str] | None = None,
) -> LatentPool:  # fmt: skip
    """Make the pool of one station from its records with the frozen model.

    Parameters
    ----------
    records : sequence of Record
        In m/s²; see `read_records`.
    model : str, path or Autoencoder, optional
        The shipped default when left out.
    station : str, optional
        ``NET.STA`` or ``STA``; needed when the records are of several stations.
    kind : {"recorded", "simulated"}
    max_records : int, optional
        Keep at most so many, spread evenly over the range of PGA, so that their spread stays the station's.
    about : dict of str, optional
        Facts to keep with the pool (citation).

    Returns
    -------
    LatentPool

    Raises
    ------
    RecordError
        Units are unknown, stations are mixed, or fewer than two records are left.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> pool = tng.build_pool(tng.read_records("my_records"))  # doctest: +SKIP
    >>> stream = tng.generate(pool=pool, n=5)  # doctest: +SKIP
    """
    from obspy_tng.models import load_model
    from obspy_tng.record import require_mps2
    from obspy_tng.site.f0 import pick_f0
    from obspy_tng.site.hvsr import hvsr

    model = load_model(model) if model is None or isinstance(model, str | PathLike) else model  # str has encode(), too
    codes = sorted({r.code for r in records})
    if station is not None:
        records = [r for r in records if station.upper() in (r.code.upper(), r.station.upper())]
    elif len(codes) > 1:
        raise RecordError(f"records of several stations ({', '.join(codes)}): say which with station=")
    if len(records) < 2:
        raise RecordError(f"a pool needs at least 2 records, got {len(records)} of station {station or codes}")
    require_mps2(records, "a pool")
    f0_hz = float(pick_f0(hvsr(records, band_hz=F0_BAND_HZ)).f0_hz[0])
    pga = np.array([np.abs(r.data - r.data.mean(axis=1, keepdims=True))[:2].max() for r in records])
    if max_records and len(records) > max_records:
        order = np.argsort(pga)
        keep = sorted(order[np.linspace(0, len(order) - 1, max_records).round().astype(int)])
        records, pga = [records[i] for i in keep], pga[keep]
    first, code = records[0], records[0].code if model.stations else None
    blocks = (records[i : i + _BLOCK] for i in range(0, len(records), _BLOCK))
    told = (model.remembered(told_windows(b), code) for b in blocks)
    latents, ln_sd, missed = map(np.concatenate, zip(*told, strict=True))
    latents, kept = _as_stored(latents), {"missed": model.of_site(missed)}
    if kept["missed"].size and model.site_shapes:
        from obspy_tng.calibration_site import compared, tuned

        cut = told_windows([records[i] for i in compared(len(records))])
        waves = (cut.x * np.exp(cut.ln_sd)[..., None]).astype(np.float32)
        kept = tuned(model, waves, latents, ln_sd, kept["missed"])
    return LatentPool(
        latents=latents, ln_sd=ln_sd, parents=[r.id for r in records],
        station=first.station, network=first.network, kind=kind, model=model.name, model_sha256=model.sha256,
        magnitude=np.array([r.magnitude for r in records]), distance_km=np.array([r.distance_km for r in records]),
        pga_mps2=pga, groups=np.zeros(len(records), int), **{key: array[None] for key, array in kept.items()},
        latitude_deg=first.latitude_deg, longitude_deg=first.longitude_deg,
        elevation_m=first.elevation_m, vs30_mps=first.vs30_mps, f0_hz=f0_hz,
        about={
            "made_of": f"{len(records)} {kind} accelerograms of {first.code}", **(about or {}),
            **({"layout": model.layout} if model.layout else {}),
        },
    )  # fmt: skip


def told_windows(records):
    """Return `preprocessing.windows` of records in which an unknown S onset is told from the energy."""
    from obspy_tng.preprocessing import SAMPLING_RATE_HZ, windows
    from obspy_tng.site.windows import energy_onsets

    cut = windows(records)
    s_s = cut.s_s.copy()
    for i in np.flatnonzero(np.isnan(s_s)):
        s_s[i] = energy_onsets(cut.x[i], SAMPLING_RATE_HZ)[1]
    return cut._replace(s_s=s_s)


def _as_stored(latents: np.ndarray) -> np.ndarray:
    """Return latents as they will be after a round trip through a file, so that both generate the same."""
    codes, scale = quantise(latents)
    return codes.astype(np.float32) * scale[..., None]
