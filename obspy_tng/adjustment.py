"""Host-to-target adjustment: a pool for a site of which only the H/V curve is known.

Records of well-recorded host stations are generated, their horizontals multiplied by sqrt(r) and their vertical divided
by it, r(f) = target HVSR / host HVSR, corrected three times until the adjusted records have the target's curve. H/V is
not amplification: the split changes amplitudes, so PGA of such a pool is nominal, and the pool says it is adjusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from obspy_tng.errors import ModelError, TNGError
from obspy_tng.pool import LatentPool, pool_files
from obspy_tng.pool_check import OF_SITE
from obspy_tng.preprocessing import SAMPLING_RATE_HZ, land
from obspy_tng.site.curves import hvsr_array
from obspy_tng.site.peaks import clear_peaks

if TYPE_CHECKING:
    from obspy_tng import hints

N_HOSTS = 10  # f0 is met as well as with 5, better than with 1 to 3 (benchmarks/hosts.py); one odd host is a tenth
RECORDS_PER_HOST = 18  # at most, spread evenly
ITERATIONS = 3
GLANCE, REALISATIONS = 12, 40  # per host: to choose it, to measure its curve
OF_RECORD = "latents", "ln_sd", "magnitude", "distance_km", "pga_mps2"  # arrays of a pool, a row per record
_LARGEST_LN_RATIO = np.log(20.0)
_GRID_PER_OCTAVE = 24
_LARGEST_CURVE_BYTES = 10**7


def retarget(
    curve: hints.Curve, *, station: str, network: str = "",
    hosts: LatentPool | hints.Path | Sequence[LatentPool] | None = None, n_hosts: int = N_HOSTS,
    compat: str | None = "timesnet-gen",
    model: hints.Model | None = None, sampler: str = "vp", seed: int = 0, latitude_deg: float = np.nan,
    longitude_deg: float = np.nan, elevation_m: float = np.nan, vs30_mps: float = np.nan, source: str = "",
) -> LatentPool:  # fmt: skip
    """Make an adjusted pool of a site from its H/V curve.

    Parameters
    ----------
    curve : (frequency_hz, amplitude), path or xarray.DataArray
        Median HVSR of the target; a path is a CSV file with two columns, frequency in Hz and amplitude.
    station, network : str
        Codes of the target.
    hosts : sequence of LatentPool, str or path, optional
        Recorded pools to adjust; the shipped ones when left out. Of each, `RECORDS_PER_HOST` records are used.
    n_hosts : int
        Use so many of them: those whose curve is nearest to the target's, so that least must be adjusted.
    compat : {"timesnet-gen", None}
        Definition the curve was computed with: that of the published code, or `hvsr_array` of whole records.
    model : str or path, optional
        The hosts' model when left out.
    sampler : str
        Sampler the hosts are measured with.
    seed : int
        Of the realisations the hosts are measured with.
    latitude_deg, longitude_deg, elevation_m, vs30_mps : float
        Of the target, when known.
    source : str
        Where the curve comes from; kept with the pool.

    Returns
    -------
    LatentPool
        ``kind`` is ``"adjusted"``; one group per host.

    Raises
    ------
    TNGError
        The curve is not a usable H/V curve, or there are no hosts.

    Examples
    --------
    >>> hz = np.geomspace(0.5, 20, 60)
    >>> curve = 1.2 + 2.8 * np.exp(-0.5 * (np.log(hz / 3.0) / 0.25) ** 2)
    >>> pool = retarget((hz, curve), station="SITE", network="XX")  # doctest: +SKIP
    >>> pool.save("XX.SITE.h5")  # doctest: +SKIP
    """
    from obspy_tng.synthesis import model_of, realise

    frequency, target = read_curve(curve)
    pools = [_thinned(p) for p in _hosts(hosts)]
    loaded = model_of(pools[0], model)
    n = max(8, int(round(np.log2(frequency[-1] / frequency[0]) * _GRID_PER_OCTAVE)))
    grid = np.geomspace(frequency[0], frequency[-1], n)
    ln_target = np.interp(np.log(grid), np.log(frequency), np.log(target))

    def ln_curve(waves):
        return np.median(np.log(hvsr_array(land(waves), SAMPLING_RATE_HZ, grid, compat=compat)), axis=0)

    def distance(pool):
        waves, _ = realise(pool, loaded, sampler, seed, range(GLANCE))
        return float(np.abs(ln_target - ln_curve(waves)).mean())

    used = sorted(pools, key=distance)[:n_hosts] if len(pools) > n_hosts else pools
    ratios = []
    for pool in used:
        waves, _ = realise(pool, loaded, sampler, seed, range(REALISATIONS))
        ln_ratio = np.zeros(n)
        for _ in range(1 + ITERATIONS):
            step = ln_target - ln_curve(apply_ratio(waves, grid, ln_ratio))
            ln_ratio = np.clip(ln_ratio + step, -_LARGEST_LN_RATIO, _LARGEST_LN_RATIO)
        ratios.append(ln_ratio)
    peaks = clear_peaks(np.exp(ln_target), grid)

    def stack(name):
        return np.concatenate([getattr(p, name) for p in used])

    return replace(
        used[0], parents=[i for p in used for i in p.parents],
        groups=np.concatenate([np.full(len(p), k) for k, p in enumerate(used)]),
        station=station, network=network, kind="adjusted", ratio_frequency_hz=grid, ln_ratio=np.array(ratios),
        **{name: stack(name) for name in (*OF_RECORD, *OF_SITE)},
        latitude_deg=latitude_deg, longitude_deg=longitude_deg, elevation_m=elevation_m, vs30_mps=vs30_mps,
        f0_hz=peaks[0].frequency_hz if peaks else np.nan, path=None,
        about={
            "made_of": f"records of {', '.join(p.code for p in used)} adjusted to an H/V curve; amplitudes nominal",
            "target": source or "H/V curve given by the user", "target_definition": compat or "whole record",
            **({"layout": loaded.layout} if loaded.layout else {}),
        },
    )  # fmt: skip


def apply_ratio(waves: np.ndarray, frequency_hz: np.ndarray, ln_ratio: np.ndarray) -> np.ndarray:
    """Filter accelerograms so that their HVSR is multiplied by exp(ln_ratio), without phase shift.

    Parameters
    ----------
    waves : numpy.ndarray, shape (..., 3, n)
        E, N, Z at 100 Hz. Horizontals are multiplied by sqrt(r), the vertical divided by it.
    frequency_hz, ln_ratio : numpy.ndarray, shape (F,)
        Beyond them the ratio goes back to 1 within half an octave.
    """
    npts = waves.shape[-1]
    frequency = np.fft.rfftfreq(2 * npts, 1 / SAMPLING_RATE_HZ)
    nodes = np.log([frequency_hz[0] / np.sqrt(2), *frequency_hz, frequency_hz[-1] * np.sqrt(2)])
    ln_r = np.interp(np.log(np.maximum(frequency, 1e-3)), nodes, [0.0, *ln_ratio, 0.0])
    gain = np.exp(0.5 * ln_r)
    return np.fft.irfft(np.fft.rfft(waves, 2 * npts) * np.array([gain, gain, 1 / gain]), 2 * npts)[..., :npts]


def read_curve(curve) -> tuple[np.ndarray, np.ndarray]:
    """Return frequency in Hz (rising) and amplitude of an H/V curve.

    Raises
    ------
    TNGError
        Fewer than 8 points, not finite, not positive.

    Examples
    --------
    >>> hz, amplitude = read_curve((np.geomspace(20, 0.5, 8), np.ones(8)))
    >>> hz[[0, -1]].round(1).tolist()
    [0.5, 20.0]
    """
    if isinstance(curve, (str, Path)):
        values = _columns(Path(curve))
    elif hasattr(curve, "frequency"):
        values = np.array([np.asarray(curve.frequency), np.asarray(curve)])
    else:
        values = np.array([np.asarray(part, dtype=float).ravel() for part in curve])
    if values.shape[1] < 8 or not np.isfinite(values).all() or (values <= 0).any():
        raise TNGError(
            f"an H/V curve needs at least 8 points of frequency in Hz and amplitude, all above 0; got {values.shape[1]}"
        )
    order = np.argsort(values[0])
    frequency, amplitude = values[:, order]
    if (np.diff(frequency) == 0).any() or frequency[0] < 0.1 or frequency[-1] > 0.45 * SAMPLING_RATE_HZ:
        raise TNGError(
            f"frequencies {frequency[0]:g} to {frequency[-1]:g} Hz given; accepted: 0.1 to 45 Hz, none twice"
        )
    return frequency, amplitude


def _columns(path: Path) -> np.ndarray:
    """Return (2, n) of a text file: the first two columns, or those a header names frequency_hz and hvsr."""
    try:
        if path.stat().st_size > _LARGEST_CURVE_BYTES:
            raise TNGError(f"{path} has {path.stat().st_size} bytes; a curve has {_LARGEST_CURVE_BYTES} at most")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as err:
        raise TNGError(f"{path} is no text file with two columns: {err}") from err
    at, rows, stations = (0, 1), [], set()
    for number, line in enumerate(lines, 1):
        cells = line.replace(",", " ").replace(";", " ").split()
        if not cells or cells[0].startswith("#"):
            continue
        if not rows and not _is_number(cells[-1]):  # a header
            if {"frequency_hz", "hvsr"} <= set(cells):
                at = cells.index("frequency_hz"), cells.index("hvsr")
            continue
        if at[0]:
            stations.add(cells[0])
        if len(cells) <= max(at) or not all(_is_number(cells[i]) and 0 < float(cells[i]) < np.inf for i in at):
            raise TNGError(
                f"{path}, line {number}: {line.strip()[:60]!r}; wanted: frequency in Hz, amplitude, both above 0"
            )
        rows.append([float(cells[i]) for i in at])
    if len(stations) > 1:
        raise TNGError(f"{path} holds the curves of {', '.join(sorted(stations))}; keep one")
    return np.array(rows).reshape(-1, 2).T


def _thinned(pool: LatentPool) -> LatentPool:
    """Return a recorded pool of `RECORDS_PER_HOST` of its records at most, without machines that hum at its site."""
    n = len(pool)
    rows = np.unique(np.linspace(0, n - 1, min(n, RECORDS_PER_HOST)).round().astype(int))
    kept = {name: getattr(pool, name)[rows] for name in (*OF_RECORD, "groups")}
    return replace(pool, parents=[pool.parents[i] for i in rows], hum=np.zeros_like(pool.hum), **kept)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _hosts(hosts) -> list[LatentPool]:
    if hosts is None:
        pools = [LatentPool.load(p) for p in pool_files().values()]
    else:
        pools = [h if isinstance(h, LatentPool) else LatentPool.load(h) for h in hosts]
    pools = [p for p in pools if p.kind != "adjusted"]
    if not pools:
        raise TNGError("no recorded pool to adjust; give hosts=")
    if len({p.model_sha256 for p in pools}) > 1:
        raise ModelError("the host pools were made with different weights; build them with one model")
    return pools
