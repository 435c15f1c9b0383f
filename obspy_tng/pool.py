"""LatentPool: what a model remembers of a site, and how pools are found and saved.

A pool holds the codes of a station's records, their amplitudes and where they came from; no waveform. An adjusted pool
holds codes of host stations and, per host, the spectral ratio that turns the host's HVSR into the target's.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from obspy_tng.errors import ModelError, StationError
from obspy_tng.io import hdf5
from obspy_tng.models import DEFAULT, SHIPPED
from obspy_tng.pool_check import OF_SITE, check_arrays, unknown_station
from obspy_tng.writing import whole, writable

if TYPE_CHECKING:
    import xarray as xr

    from obspy_tng import hints

KINDS = ("recorded", "adjusted", "simulated")
SHIPPED_POOLS = SHIPPED / "pools"
_FORMAT = "obspy-tng pool 1"
_LIMIT_BYTES = 5 * 10**7  # of an array that a file states without holding it
_NUMBERS = ("latitude_deg", "longitude_deg", "elevation_m", "vs30_mps", "f0_hz")
_ARRAYS = ("ln_sd", "magnitude", "distance_km", "pga_mps2", "groups", "ratio_frequency_hz", "ln_ratio")


@dataclass(frozen=True, eq=False)
class LatentPool:
    """Codes of the records of one site, from a file: ``LatentPool.load("CI.CWC.h5")``.

    Attributes
    ----------
    latents : numpy.ndarray, shape (N, numbers per step, steps), float32
        Codes of energy (the default model) or of waveforms.
    ln_sd : numpy.ndarray, shape (N, 3)
        ln amplitudes. Codes of waveforms: standard deviation of each component in m/s². Codes of energy: scale of the
        record (`spectral.Description`), the same for all three.
    parents : list of str
        Record ids.
    station, network : str
    kind : {"recorded", "adjusted", "simulated"}
        What the pool is made of.
    model, model_sha256 : str
        The model the codes belong to.
    magnitude, distance_km, pga_mps2 : numpy.ndarray, shape (N,)
        NaN where unknown.
    groups : numpy.ndarray of int, shape (N,)
        Host of each record (adjusted pools); zeros otherwise.
    ratio_frequency_hz, ln_ratio : numpy.ndarray, shapes (F,), (hosts, F)
        Adjusted pools: ln of target over host HVSR.
    missed : numpy.ndarray, shape (hosts, ...), float16
        What codes miss of the records of each host (`obspy_tng.spectral_missed`); of size 0 for other models.
    coherency : numpy.ndarray, shape (hosts, ...), float16
        How its components hang together (`obspy_tng.spectral_coherency`); likewise.
    p_lines : numpy.ndarray, shape (hosts, ...), float16
        ln gain of the lines of its P (`obspy_tng.spectral_first`); likewise.
    p_mixing : numpy.ndarray, shape (hosts, ...), float16
        How its components are mixed after P (`obspy_tng.spectral_p`); likewise.
    rough : numpy.ndarray, shape (hosts, ...), float16
        How rough its spectra are (`obspy_tng.spectral_rough`); likewise.
    sharp : numpy.ndarray, shape (hosts, 3), float16
        How sharp the peaks of its S are (`obspy_tng.spectral_own.sharper`); likewise.
    hum : numpy.ndarray, shape (hosts, ...), float16
        ln gain of the lines of its noise (`obspy_tng.spectral_hum`); likewise, and nothing in adjusted pools.
    f0_hz : float
        Of the records the pool was built from (chosen or not), or of the target curve; NaN without a clear peak.
    about : dict
        Text facts: citation of the data, hosts, target.
    path : Path or None
        Where it was read from.
    """

    latents: np.ndarray
    ln_sd: np.ndarray
    parents: list[str]
    station: str
    network: str
    kind: str
    model: str
    model_sha256: str
    magnitude: np.ndarray
    distance_km: np.ndarray
    pga_mps2: np.ndarray
    groups: np.ndarray
    ratio_frequency_hz: np.ndarray = field(default_factory=lambda: np.zeros(0))
    ln_ratio: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    missed: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float16))
    coherency: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float16))
    p_lines: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float16))
    p_mixing: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float16))
    rough: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float16))
    sharp: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float16))
    hum: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float16))
    latitude_deg: float = np.nan
    longitude_deg: float = np.nan
    elevation_m: float = np.nan
    vs30_mps: float = np.nan
    f0_hz: float = np.nan
    about: dict = field(default_factory=dict)
    path: Path | None = None

    def __len__(self) -> int:
        return len(self.parents)

    @property
    def code(self) -> str:
        """Return ``NET.STA``."""
        return f"{self.network}.{self.station}" if self.network else self.station

    def of_site(self, host: int = 0) -> dict[str, np.ndarray]:
        """Return what is kept of a host beside codes, as `model.site` takes it."""
        return {key: getattr(self, key)[host] for key in OF_SITE if getattr(self, key).size}

    def sha256(self) -> str:
        """Return a digest of all that shapes what is generated."""
        digest = hashlib.sha256()
        rest = (getattr(self, key) for key in ("ln_sd", "groups", "ratio_frequency_hz", "ln_ratio", *OF_SITE))
        for array in (*quantise(self.latents), *rest):
            digest.update(np.ascontiguousarray(array).tobytes())
        digest.update("\n".join([self.code, self.kind, self.model_sha256, *self.parents]).encode())
        return digest.hexdigest()

    def save(self, path: hints.Path) -> Path:
        """Write HDF5, whole or not at all; the codes are stored as one byte per number and a scale per row.

        Raises
        ------
        WriteError
            The file cannot be written.
        """
        import h5py

        path = Path(path)
        codes, scale = quantise(self.latents)
        held = io.BytesIO()  # HDF5 that cannot write to its file may end the process; bytes are an OSError
        with h5py.File(held, "w") as file:
            file.attrs["format"] = _FORMAT
            for key in ("station", "network", "kind", "model", "model_sha256", *_NUMBERS):
                file.attrs[key] = getattr(self, key)
            for key, value in self.about.items():
                file.attrs[f"about_{key}"] = value
            packed = dict(compression="gzip", shuffle=True, track_times=False)
            file.create_dataset("codes", data=codes, **packed)
            file.create_dataset("scale", data=scale, **packed)
            for key in (*_ARRAYS, *OF_SITE):
                file.create_dataset(key, data=getattr(self, key), track_times=False)
            file.create_dataset("parents", data=self.parents, dtype=h5py.string_dtype(), track_times=False)
        with writable(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as part:
            part.write_bytes(held.getbuffer())
        hdf5.trusted(path)
        return path

    @classmethod
    def load(cls, path: hints.Path) -> LatentPool:
        """Read a pool.

        Raises
        ------
        ModelError
            The file is missing, damaged or no pool.
        """
        import h5py

        path = Path(path)
        if not path.is_file():
            raise ModelError(f"no pool file {path}")
        try:
            if SHIPPED_POOLS not in path.parents:
                hdf5.require_sound(path, limit_bytes=_LIMIT_BYTES)
            with h5py.File(path, "r") as file:
                if str(file.attrs.get("format")) != _FORMAT:
                    raise ModelError(f"{path} is HDF5, but no {_FORMAT!r}; make one with: obspy-tng pool build")
                names = (*_ARRAYS, *(key for key in OF_SITE if key in file))  # older ones lack some
                arrays = {key: file[key][()] for key in names}
                codes, scale = file["codes"][()], file["scale"][()]
                parents = [str(p) for p in file["parents"].asstr()[()]]
                text = {k: str(file.attrs[k]) for k in ("station", "network", "kind", "model", "model_sha256")}
                numbers = {k: float(file.attrs[k]) for k in _NUMBERS}
                about = {k[6:]: str(v) for k, v in file.attrs.items() if k.startswith("about_")}
        except Exception as err:  # h5py raises whatever numpy and the library do
            if isinstance(err, ModelError):
                raise
            reason = (str(err).strip() or type(err).__name__).splitlines()[0]
            raise ModelError(f"{path} is not a readable pool: {reason}") from err
        check_arrays(path, codes, scale, arrays, len(parents))
        latents = codes.astype(np.float32) * scale[..., None]
        if text["kind"] not in KINDS or not np.isfinite(latents).all() or not np.isfinite(arrays["ln_sd"]).all():
            raise ModelError(f"{path} is damaged: kind {text['kind'][:40]!r}, or codes that are not finite")
        return cls(latents=latents, parents=parents, about=about, path=path, **arrays, **text, **numbers)


def quantise(latents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (codes int8, scale float32): latents ≈ codes · scale, a scale per record and latent row."""
    scale = (np.abs(latents).max(axis=-1) / 127).astype(np.float32)
    scale[scale == 0] = 1
    return np.rint(latents / scale[..., None]).astype(np.int8), scale


def pool_files(folder=None, model=None) -> dict[str, Path]:
    """Return ``NET.STA`` -> file of the pools in a folder; without it of those shipped for a model or the default."""
    if folder is None:
        shipped = model is not None and (SHIPPED_POOLS / str(model)).is_dir()
        folder = SHIPPED_POOLS / (str(model) if shipped else DEFAULT)
    return {p.stem: p for p in sorted(Path(folder).glob("*.h5"))}


def find_pool(station: str | None, pool=None, model=None) -> LatentPool:
    """Return the pool of a station: a given one, one of a given folder, or one shipped for a model.

    Raises
    ------
    TypeError
        `station` is no string: an int would have lost its leading zeros.
    StationError
        No pool is known for it; the message names the nearest codes.
    """
    if station is not None and not isinstance(station, str):
        raise TypeError(f"station must be a string such as '0205', not {station!r}: leading zeros would be lost")
    if isinstance(pool, LatentPool):
        found = pool
    elif pool is not None and Path(pool).is_file():
        found = LatentPool.load(pool)
    else:
        if pool is not None and not Path(pool).is_dir():
            raise ModelError(f"no pool file or folder {pool}")
        files = pool_files(pool, model)
        if station is None:
            raise StationError(f"which station? known: {', '.join(files) or 'none'}")
        hits = [c for c in files if station.upper() in (c.upper(), c.split(".")[-1].upper())]
        if len(hits) != 1:
            raise StationError(unknown_station(station, list(files), hits))
        found = LatentPool.load(files[hits[0]])
    if station is not None and station.upper() not in (found.code.upper(), found.station.upper()):
        raise StationError(f"the pool given is of station {found.code}, not {station}")
    return found


def stations(folder: hints.Path | None = None) -> xr.Dataset:
    """List what can be generated.

    Parameters
    ----------
    folder : str or path, optional
        Pools of your own; the shipped ones when left out.

    Returns
    -------
    xarray.Dataset
        Along ``station``: kind, n_records, f0_hz, latitude_deg, longitude_deg, model, made_of.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> str(tng.stations().kind.sel(station="TK.0205").item())
    'adjusted'
    """
    import xarray as xr

    pools = [LatentPool.load(p) for p in pool_files(folder).values()]
    if not pools:
        raise StationError(f"no pools in {folder or SHIPPED_POOLS}")
    columns = {
        "kind": [p.kind for p in pools], "n_records": [len(p) for p in pools], "f0_hz": [p.f0_hz for p in pools],
        "latitude_deg": [p.latitude_deg for p in pools], "longitude_deg": [p.longitude_deg for p in pools],
        "model": [p.model for p in pools], "made_of": [p.about.get("made_of", "") for p in pools],
    }  # fmt: skip
    return xr.Dataset({k: ("station", v) for k, v in columns.items()}, coords={"station": [p.code for p in pools]})
