"""Types that several public signatures share; for type checkers, imported by nothing at run time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, TypeAlias, Union

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from numpy.typing import ArrayLike
    from obspy import Catalog, Inventory, Stream
    from obspy.core.event import Event

    from obspy_tng.models.autoencoder import Autoencoder
    from obspy_tng.pool import LatentPool
    from obspy_tng.record import Record

# Union with names in quotes: `|` between strings is no type at run time, when tools ask for it
Path: TypeAlias = Union[str, "PathLike[str]"]
Paths: TypeAlias = Path | Sequence[Path]
Metadata: TypeAlias = Union["Inventory", Path]  # StationXML
Events: TypeAlias = Union["Catalog", Path]  # QuakeML
Waveforms: TypeAlias = Union["Stream", Path, Sequence[Union["Stream", "Record", Path]]]
Curve: TypeAlias = Union[tuple["ArrayLike", "ArrayLike"], Path, "xr.DataArray"]  # frequency in Hz and amplitude
Source: TypeAlias = Union["Record", "Stream", Path]
Earthquake: TypeAlias = Union[tuple[float, float, float, float], "Event"]  # degrees, degrees, km, magnitude
Model: TypeAlias = Union["Autoencoder", Path]
Pools: TypeAlias = Union["LatentPool", Path]
Codes: TypeAlias = Mapping[str, "np.ndarray"]  # of each station, (record, ...)
