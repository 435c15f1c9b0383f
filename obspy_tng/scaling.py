"""Magnitude and distance: how the codes of a station change with the earthquake, learned from its pool alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from obspy_tng.errors import ModelError

LEAST_RECORDS = 8
BEYOND_M, BEYOND_LN_KM = 0.5, 0.4  # how far outside the pool's range an earthquake may lie
_RIDGE = 1.0  # records' worth of belief in no dependence at all


class Scaling(NamedTuple):
    """Change of latents and ln amplitudes per unit of magnitude and of ln distance.

    Attributes
    ----------
    target : numpy.ndarray, shape (p,)
        What was asked for: magnitude, ln distance, or one of them.
    known : numpy.ndarray, shape (N, p)
        The same of the pool's records.
    latent : numpy.ndarray, shape (p, ...)
        Slopes of the latents.
    ln_sd : numpy.ndarray, shape (p, 3)
        Slopes of the ln amplitudes.
    """

    target: np.ndarray
    known: np.ndarray
    latent: np.ndarray
    ln_sd: np.ndarray

    def shift(self, mixture, members) -> tuple[np.ndarray, np.ndarray]:
        """Return what brings a mixture of records to the earthquake asked for."""
        step = self.target - mixture.apply(self.known, members)
        return np.tensordot(step, self.latent, axes=1), step @ self.ln_sd


def scaling(pool, magnitude: float | None, distance_km: float | None) -> Scaling | None:
    """Regress the pool's codes on magnitude and ln distance (ridge, about the pool's mean).

    A mixture of records is linear in their codes, so it stands for an earthquake of the mixed magnitude and ln
    distance; what is missing to the one asked for is added along the slopes. The scatter about them stays the pool's.

    Parameters
    ----------
    pool : LatentPool
    magnitude : float, optional
        Of the catalogue the pool's records come from.
    distance_km : float, optional
        Epicentral.

    Returns
    -------
    Scaling or None
        None when neither is asked for.

    Raises
    ------
    ModelError
        The pool's records do not carry them, are too few, or all lie far from what is asked for.

    Examples
    --------
    >>> from obspy_tng.pool import find_pool
    >>> pool = find_pool("CI.WMF")
    >>> magnitude, ln_distance = scaling(pool, 4.5, 40.0).target
    >>> float(magnitude), round(float(np.exp(ln_distance)))
    (4.5, 40)
    """
    wanted = {"magnitude": magnitude, "distance_km": distance_km}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    if not wanted:
        return None
    if pool.kind == "adjusted":
        raise ModelError(f"the pool of {pool.code} is adjusted and its amplitudes nominal: no magnitude, no distance")
    columns, target = [], []
    for name, value in wanted.items():
        values = getattr(pool, name)
        if not np.isfinite(value) or (name == "distance_km" and value <= 0):
            raise ModelError(
                f"{name}={value!r} given; accepted: a finite number" + (" above 0" if "km" in name else "")
            )
        finite = np.isfinite(values)
        if not finite.all() or len(values) < LEAST_RECORDS:
            raise ModelError(
                f"{name}= needs a pool of {LEAST_RECORDS} records or more that carry it; "
                f"that of {pool.code} has {int(finite.sum())} of {len(values)}"
            )
        ln = np.log if name == "distance_km" else (lambda x: x)
        low, high, beyond = values.min(), values.max(), BEYOND_LN_KM if name == "distance_km" else BEYOND_M
        if not ln(low) - beyond <= ln(value) <= ln(high) + beyond:
            unit = " km" if name == "distance_km" else ""
            raise ModelError(
                f"{name}={value:g} lies outside what the pool of {pool.code} tells of: {low:g} to {high:g}{unit}"
            )
        columns.append(ln(values))
        target.append(ln(value))
    known = np.stack(columns, axis=1)
    centred = known - known.mean(axis=0)
    spread = np.diag(centred.var(axis=0))
    solve = np.linalg.solve(centred.T @ centred + _RIDGE * spread, centred.T)  # (p, N)
    slopes = [np.tensordot(solve, values - values.mean(axis=0), axes=1) for values in (pool.latents, pool.ln_sd)]
    return Scaling(np.array(target), known, *slopes)
