"""Whether the arrays of a pool file fit together; what to say of a station that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np

from obspy_tng.errors import ModelError

# arrays a pool keeps of each host beside its codes
OF_SITE = ("missed", "coherency", "p_lines", "p_mixing", "rough", "sharp", "hum")


def check_arrays(path, codes: np.ndarray, scale: np.ndarray, arrays: dict, n: int) -> None:
    """Raise ModelError unless the arrays of a pool are numbers, of one length, with a ratio for each group.

    Parameters
    ----------
    path : path
        Of the file, for messages.
    codes, scale : numpy.ndarray, shapes (n, rows, steps), (n, rows)
    arrays : dict
        The others by name, see `pool.LatentPool`.
    n : int
        Number of parents.
    """
    every = {"codes": codes, "scale": scale, **arrays}
    # HDF5 holds single numbers, text and nothing at all, too
    odd = [key for key, array in every.items() if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu"]
    if odd:
        raise ModelError(f"{path} is damaged: {', '.join(odd)} are no arrays of numbers")
    shapes = {"codes": codes.shape[:1], "scale": codes.shape[:2], "ln_sd": (n, 3), "groups": (n,)}
    shapes |= dict.fromkeys(("magnitude", "distance_km", "pga_mps2"), (n,)) | {"codes": (n, *codes.shape[1:])}
    wrong = [f"{key} {every[key].shape}" for key, shape in shapes.items() if every[key].shape != shape]
    if wrong or codes.ndim != 3 or not codes.size:
        raise ModelError(f"{path} is damaged: {n} parents, codes {codes.shape}; of other shape: {', '.join(wrong)}")
    groups, ratio, frequency = arrays["groups"], arrays["ln_ratio"], arrays["ratio_frequency_hz"]
    if groups.dtype.kind == "f" or groups.min() < 0 or groups.max() >= n:
        raise ModelError(f"{path} is damaged: groups are no numbers of hosts")
    if ratio.size and (ratio.ndim != 2 or len(ratio) <= groups.max() or frequency.shape != ratio.shape[1:]):
        raise ModelError(f"{path} is damaged: ratios {ratio.shape} at {frequency.shape} frequencies")
    for key in OF_SITE:
        kept = arrays.get(key, np.zeros(0))
        if kept.size and (len(kept) <= groups.max() or not np.isfinite(kept).all()):
            raise ModelError(f"{path} is damaged: {key} is of shape {kept.shape}, or not finite")
    if (
        not np.isfinite(ratio).all()
        or not ((frequency > 0) & np.isfinite(frequency)).all()
        or (np.diff(frequency, axis=-1) <= 0).any()
    ):
        raise ModelError(f"{path} is damaged: ratios not finite, or frequencies that do not rise")


def unknown_station(station: str, codes: Sequence[str], hits: Sequence[str]) -> str:
    """Return the message about a station that none or several of the known codes fit, with the nearest ones."""
    if hits:
        return f"station {station!r} is ambiguous: {', '.join(hits)}"
    names = {c.split(".")[-1]: c for c in codes} | {c: c for c in codes}
    near = dict.fromkeys(names[m] for m in difflib.get_close_matches(station.upper(), names, 6, 0.3))
    return (
        f"no pool for station {station!r}; nearest known: {', '.join(near) or ', '.join(codes)}. "
        "A pool is made of your own records with: obspy-tng pool build FILES --out POOL.h5"
    )
