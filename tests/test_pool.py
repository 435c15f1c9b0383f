"""Pools: files, lookup by station, building from records."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

import obspy_tng as tng
from obspy_tng.errors import ModelError, RecordError, StationError
from obspy_tng.io import hdf5
from obspy_tng.pool import LatentPool, find_pool, pool_files, quantise

SAMPLES = Path(__file__).parents[1] / "data_samples" / "network"
RIDGECREST = 28
AFAD = {"TK.0205", "TK.1716", "TK.2020", "TK.3130", "TK.4628"}


@pytest.fixture(scope="module")
def records():
    """Return the records of the sample network."""
    return tng.read_records(SAMPLES, SAMPLES / "stations.xml", SAMPLES / "events.xml")


@pytest.fixture(scope="module")
def pool(records):
    """Return a pool of the soft sample station."""
    return tng.build_pool(records, station="SOFT", kind="simulated", about={"source": "data_samples"})


def test_build_keeps_parents_and_amplitudes(pool, records):
    """A pool lists its records, in m/s² amplitudes, with magnitude and distance."""
    mine = [r for r in records if r.station == "SOFT"]
    assert pool.parents == [r.id for r in mine]
    assert pool.latents.shape == (len(mine), *tng.load_model().latent_shape)
    assert pool.kind == "simulated"
    peaks = [np.abs(r.data[:2]).max() for r in mine]
    assert pool.pga_mps2 == pytest.approx(peaks, rel=1e-3)
    assert np.isfinite(pool.magnitude).all()
    assert pool.model_sha256 == tng.load_model().sha256


def test_pool_round_trip_is_exact(pool, tmp_path):
    """A saved pool generates the same samples as the one in memory, and has the same hash."""
    again = LatentPool.load(pool.save(tmp_path / "deep" / "p.h5"))
    assert again.sha256() == pool.sha256()
    a, b = tng.generate(pool=pool, n=2, seed=5), tng.generate(pool=again, n=2, seed=5)
    assert all(np.array_equal(x.data, y.data) for x, y in zip(a, b, strict=True))
    assert again.about["source"] == "data_samples"


def test_quantisation_error_is_below_half_a_step():
    """One byte per number: the error is at most half of max/127 per row, and repeating it changes nothing."""
    z = np.random.default_rng(0).normal(size=(3, 4, 50)).astype(np.float32)
    codes, scale = quantise(z)
    back = codes * scale[..., None]
    assert (np.abs(back - z) <= 0.5001 * np.abs(z).max(-1, keepdims=True) / 127).all()
    assert np.array_equal(quantise(back)[0], codes)
    assert np.array_equal(quantise(np.zeros((1, 2, 3)))[0], np.zeros((1, 2, 3)))


def test_max_records_keeps_the_range_of_pga(records):
    """The chosen records span the station's PGA from smallest to largest."""
    full = tng.build_pool(records, station="SOFT")
    some = tng.build_pool(records, station="SOFT", max_records=4)
    assert len(some) == 4
    assert {some.pga_mps2.min(), some.pga_mps2.max()} == {full.pga_mps2.min(), full.pga_mps2.max()}


def test_build_refuses_what_it_cannot_use(records):
    """Mixed stations, one record, and unknown units are named."""
    with pytest.raises(RecordError, match="several stations"):
        tng.build_pool(records)
    with pytest.raises(RecordError, match="at least 2"):
        tng.build_pool(records[:1])
    with pytest.raises(RecordError, match="at least 2"):
        tng.build_pool(records, station="NOPE")
    with pytest.raises(RecordError, match="unknown units"):
        tng.build_pool([replace(r, units="unknown") for r in records], station="SOFT")


def test_shipped_pools_say_what_they_are_made_of():
    """28 recorded Ridgecrest pools of up to 42 listed records, 5 adjusted AFAD pools; each says so."""
    shipped = {code: LatentPool.load(path) for code, path in pool_files().items()}
    assert {c for c, p in shipped.items() if p.kind == "adjusted"} == AFAD
    assert len(shipped) == RIDGECREST + len(AFAD)
    for code, p in shipped.items():
        assert p.code == code
        assert p.about["made_of"]
        assert p.model_sha256 == tng.load_model().sha256
        if p.kind == "recorded":
            assert 2 <= len(set(p.parents)) == len(p) <= 42
        else:
            assert "adjusted" in p.about["made_of"]
            assert "nominal" in p.about["made_of"]
            assert not any(parent.startswith("TK") for parent in p.parents)


def test_stations_lists_what_can_be_generated():
    """The table holds code, kind, number of records; codes keep their leading zeros."""
    table = tng.stations()
    assert str(table.kind.sel(station="TK.0205").item()) == "adjusted"
    assert int(table.n_records.sel(station="CI.CWC")) == 12


@pytest.mark.parametrize("code", ["0205", "TK.0205", "tk.0205"])
def test_station_codes_are_found(code):
    """Station alone and NET.STA name the same pool."""
    assert find_pool(code).code == "TK.0205"


def test_unknown_station_names_neighbours_and_the_way_out():
    """The message names the nearest codes and how to build a pool."""
    with pytest.raises(StationError, match=r"TK\.0205.*pool build"):
        find_pool("0206")
    with pytest.raises(TypeError, match="leading zeros"):
        find_pool(205)


def test_pool_of_another_station_is_refused(pool):
    """A pool given for another station than asked for is not used in silence."""
    with pytest.raises(StationError, match="SOFT"):
        find_pool("0205", pool)


def test_damaged_pools_are_named(pool, tmp_path):
    """Missing, foreign, truncated and inconsistent files end in a ModelError that names the file."""
    with pytest.raises(ModelError, match=r"none\.h5"):
        LatentPool.load(tmp_path / "none.h5")
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["data"] = [1, 2]
    with pytest.raises(ModelError, match="pool build"):
        LatentPool.load(tmp_path / "foreign.h5")
    path = pool.save(tmp_path / "p.h5")
    raw = path.read_bytes()
    for length in (0, 100, len(raw) // 2, len(raw) - 10):
        (tmp_path / "cut.h5").write_bytes(raw[:length])
        with pytest.raises(ModelError):
            LatentPool.load(tmp_path / "cut.h5")
    with h5py.File(path, "r+") as file:
        del file["parents"]
        file["parents"] = ["only one"]
    with pytest.raises(ModelError, match="damaged"):
        LatentPool.load(path)


def test_large_pool_is_read(pool, tmp_path, monkeypatch):
    """12,000 records, 54 MB of codes, come back as they were, in a process that has not written them."""
    n, rng = 12_000, np.random.default_rng(0)
    codes = rng.normal(size=(100, 64, 70)).astype(np.float32)
    latents = np.concatenate([np.roll(codes, k, -1) for k in range(n // 100)])
    many = {key: rng.normal(size=n) for key in ("magnitude", "distance_km", "pga_mps2")}
    about = {"ln_sd": rng.normal(size=(n, 3)), "groups": np.zeros(n, int), "parents": [f"XX.A..{k}" for k in range(n)]}
    whole = replace(pool, latents=latents, **many, **about)
    path = whole.save(tmp_path / "p.h5")
    monkeypatch.setattr(hdf5, "_seen", {})
    again = LatentPool.load(path)
    assert again.parents == whole.parents
    assert np.array_equal(again.ln_sd, whole.ln_sd)
    assert np.array_equal(quantise(again.latents[-50:])[0], quantise(whole.latents[-50:])[0])


def test_large_pool_that_holds_nothing_is_refused(pool, tmp_path, monkeypatch):
    """A file of some kB whose codes state 144 MB, written as zeros or not at all, is refused by name and sizes."""
    monkeypatch.setattr(hdf5, "_seen", {})
    for how in ({}, {"data": np.zeros((12_000, 64, 188), np.int8)}):
        path = pool.save(tmp_path / "p.h5")
        with h5py.File(path, "r+") as file:
            del file["codes"]
            file.create_dataset("codes", (12_000, 64, 188), "i1", compression="gzip", **how)
        assert path.stat().st_size < 2_000_000
        with pytest.raises(
            ModelError, match=r"p\.h5 .*/codes states 144384000 bytes and holds \d+; accepted: 50000000"
        ):
            LatentPool.load(path)


def test_failed_save_leaves_nothing(pool, tmp_path, monkeypatch):
    """A save that dies midway leaves neither a pool nor a temporary file."""

    def die(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(h5py.Group, "create_dataset", die)
    with pytest.raises(OSError, match="space"):
        pool.save(tmp_path / "p.h5")
    assert not list(tmp_path.iterdir())
