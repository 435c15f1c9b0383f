"""As much of an xarray Dataset as telling f0 takes, without importing xarray.

That import takes longer (0.3 s, 0.7 s where dask is installed) than the HVSR of a file, so the command does without
unless it writes netCDF. Users of Python get Datasets.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np

from obspy_tng.errors import TNGError


class Column(NamedTuple):
    """One variable: names of its axes, values, attributes."""

    dims: tuple[str, ...]
    values: np.ndarray
    attrs: dict[str, Any]


class Table:
    """Variables on named axes, read as those of a Dataset are: ``table.hvsr.values``, ``"hvsr" in table``.

    Parameters
    ----------
    variables, coords, attrs
        As `xarray.Dataset` takes them: name to (dims, values, attributes).
    """

    def __init__(self, variables: dict, coords: dict, attrs: dict):
        self._given = variables, coords, attrs
        self.attrs = dict(attrs)
        self.coords = {name: _column(name, value) for name, value in coords.items()}
        self._columns = {name: _column(name, value) for name, value in variables.items()} | self.coords
        self.sizes = {d: n for c in self._columns.values() for d, n in zip(c.dims, c.values.shape, strict=True)}

    def __contains__(self, name):
        """Tell whether there is a variable or coordinate of this name."""
        return name in self._columns

    def __getitem__(self, name) -> Column:
        """Return a variable or coordinate."""
        return self._columns[name]

    def __getattr__(self, name) -> Column:
        """Return a variable or coordinate."""
        try:
            return self.__dict__["_columns"][name]
        except KeyError:
            raise AttributeError(name) from None

    def assign(self, variables: dict) -> Table:
        """Return a Table with variables, as (dims, values, attributes), added or replaced."""
        return Table(self._given[0] | variables, self._given[1], self.attrs)

    def assign_attrs(self, **attrs) -> Table:
        """Return a Table with attributes added or replaced."""
        return Table(*self._given[:2], self.attrs | attrs)

    def dataset(self):
        """Return the same as an xarray.Dataset."""
        import xarray as xr

        return xr.Dataset(*self._given)


def like(given, variables: dict, coords: dict, attrs: dict):
    """Return variables as what was given holds its own: a `Table` for a Table, else an xarray.Dataset."""
    table = Table(variables, coords, attrs)
    return table if isinstance(given, Table) else table.dataset()


def band_of(dataset) -> tuple[float, float] | None:
    """Return the band in Hz that a Dataset's attributes tell, a list or, read back from netCDF, an array."""
    band = np.atleast_1d(dataset.attrs.get("band_hz", ())).astype(float)
    return (float(band[0]), float(band[1])) if band.size == 2 else None


def checked_band(band_hz) -> tuple[float, float]:
    """Return a band as two numbers; TNGError when it is none."""
    try:
        low_hz, high_hz = map(float, band_hz)
    except (TypeError, ValueError):
        raise TNGError(f"band {band_hz!r} given; accepted: two frequencies in Hz, (FMIN, FMAX)") from None
    return low_hz, high_hz


def texts_of(dataset, name: str) -> list[str]:
    """Return the texts of an attribute, a list or, read back from netCDF, an array, one text or JSON."""
    held = dataset.attrs.get(name, ())
    if isinstance(held, str) and held.startswith("["):
        held = json.loads(held)
    return [str(text) for text in np.atleast_1d(held).tolist()]


def _column(name, value) -> Column:
    if not isinstance(value, tuple):
        value = (name, value)
    dims = (value[0],) if isinstance(value[0], str) else tuple(value[0])
    return Column(dims, np.asarray(value[1]), value[2] if len(value) > 2 else {})
