"""The small stand-in for xarray: what is read of it is what the Dataset holds."""

import numpy as np
import pytest
import xarray as xr

from obspy_tng import simulate
from obspy_tng.record import records
from obspy_tng.site.f0 import pick_f0
from obspy_tng.site.hvsr import finished, rows_of, tabulate
from obspy_tng.site.rejection import reject
from obspy_tng.site.sesame import sesame
from obspy_tng.site.settings import check
from obspy_tng.site.table import Table, like


@pytest.fixture(scope="module")
def table():
    """Return the table of 12 records of two stations."""
    made = simulate(n=6, seed=1, duration_s=40) + simulate(n=6, seed=2, station="TWO", duration_s=40)
    return tabulate(made, check())


def test_reads_as_its_dataset(table):
    """Names, sizes, values and attributes are those of the Dataset; an unknown name raises as there."""
    data = table.dataset()
    assert isinstance(data, xr.Dataset) and table.sizes == dict(data.sizes)
    for name in data.variables:
        assert name in table and table[name].dims == data[name].dims
        np.testing.assert_array_equal(getattr(table, name).values, data[name].values)
    assert table.attrs == data.attrs and "nothing" not in table
    with pytest.raises(AttributeError, match="nothing"):
        table.nothing  # noqa: B018


def test_f0_and_verdicts_are_the_same(table):
    """f0, SESAME and rejection of the table are those of the Dataset, and come as what they were given."""
    left = finished(table, ["zscore:2"])
    data = left.dataset()
    assert not data.accepted.all()
    for function in (pick_f0, sesame):
        ours, theirs = function(left), function(data)
        assert isinstance(ours, Table) and isinstance(theirs, xr.Dataset)
        assert ours.dataset().identical(theirs)


def test_like():
    """A Dataset is answered by a Dataset."""
    made = like(xr.Dataset(), {"a": ("x", [1, 2], {"units": "Hz"})}, {"x": [5, 6]}, {"b": 1})
    assert made.a.sel(x=6) == 2 and made.a.units == "Hz" and made.attrs == {"b": 1}


def test_rows_do_not_depend_on_how_they_came(table):
    """Tables of the same rows in any order are identical: what a cluster returns is what one process makes."""
    from obspy_tng.site.dataset import build

    made = records(simulate(n=6, seed=1, duration_s=40))
    settings = check(window="sliding:10")
    rows, _ = rows_of(made, settings=settings)
    assert len(rows) == 24
    back = build(rows[::-1], [], settings).dataset()
    assert build(rows, [], settings).dataset().identical(back)


@pytest.mark.parametrize("how", ["api", "command"])
def test_read_back_from_netcdf(table, tmp_path, how):
    """Saved, read and analysed again: f0, verdicts and rejection are those of before, lists being arrays by then."""
    pytest.importorskip("h5netcdf")
    from obspy_tng.cli.hvsr_output import merged

    data = finished(table, ["zscore:2"]).dataset()
    f0, verdicts = pick_f0(data), sesame(data)
    held = merged(data, f0, verdicts) if how == "command" else data
    held.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "a.nc", engine="h5netcdf") as file:
        back = file.load()
    again = pick_f0(back)
    assert again.equals(f0) and again.attrs == f0.attrs
    assert sesame(back).equals(verdicts)
    assert pick_f0(back, rule="argmax").equals(pick_f0(data, rule="argmax"))
    ours, theirs = reject(back, "zscore:2", "cox:1"), reject(data, "zscore:2", "cox:1")
    assert ours.attrs["rejection"] == theirs.attrs["rejection"] == ["zscore:2", "cox:1"]
    assert ours.attrs["skipped"] == theirs.attrs["skipped"]
    assert ours.accepted.equals(theirs.accepted) and not ours.accepted.equals(data.accepted)
