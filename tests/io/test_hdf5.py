"""HDF5 from elsewhere is looked through by a child process, once."""

import h5py
import numpy as np
import pytest

from obspy_tng.errors import FormatError
from obspy_tng.io import hdf5


@pytest.fixture
def sound(tmp_path):
    """Write a small file in order."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(5)
    return path


def test_sound_file_is_looked_at_once(sound, monkeypatch):
    """A file in order passes; it is asked for again only when it changed."""
    asked = []
    ask = hdf5._ask
    monkeypatch.setattr(hdf5, "_ask", lambda *args: asked.append(args) or ask(*args))
    hdf5.require_sound(sound)
    hdf5.require_sound(sound)
    assert len(asked) == 1
    with h5py.File(sound, "a") as file:
        file["y"] = np.zeros(10**5)
    hdf5.require_sound(sound)
    assert len(asked) == 2


def test_limit(sound):
    """A dataset that states more than the limit is refused by name and size."""
    with h5py.File(sound, "a") as file:
        file.create_dataset("big", shape=(10**12,), chunks=(100,), dtype="f8")
    with pytest.raises(FormatError, match=r"/big states 8000000000000 bytes"):
        hdf5.require_sound(sound)


@pytest.mark.parametrize("kind", ["held", "zeros", "index"])
def test_limit_of_what_is_held(sound, kind):
    """Beyond the limit what is held is in order; packed zeros, or an index that says they take more, are not."""
    n = 10**6
    noise = np.random.default_rng(0).integers(-60, 60, n).astype(np.int8)
    with h5py.File(sound, "a") as file:
        data = file.create_dataset(
            "big", data=noise if kind == "held" else 0 * noise, chunks=(n // 2,), compression="gzip"
        )
        packed = data.id.get_chunk_info(0).size
    if kind == "index":
        raw = sound.read_bytes()
        assert raw.count(packed.to_bytes(4, "little")) == 2
        sound.write_bytes(raw.replace(packed.to_bytes(4, "little"), n.to_bytes(4, "little")))
        with h5py.File(sound) as file:
            assert file["big"].id.get_storage_size() == 2 * n
    if kind == "held":
        hdf5.require_sound(sound, limit_bytes=n - 1)
    else:
        with pytest.raises(FormatError, match=r"/big states 1000000 bytes and holds \d+;"):
            hdf5.require_sound(sound, limit_bytes=n - 1)


def test_no_interpreter_to_start(sound, monkeypatch):
    """Where no child can be started the look is taken here, with the same result."""
    monkeypatch.setattr(hdf5.sys, "executable", "/nonexistent/python")
    hdf5.require_sound(sound)
    with h5py.File(sound, "a") as file:
        file["link"] = h5py.ExternalLink("/etc/passwd", "/x")
    with pytest.raises(FormatError, match="link to another place"):
        hdf5.require_sound(sound)


def test_endless_file(sound, monkeypatch, tmp_path):
    """A file the library does not come to an end with is refused after the time limit."""
    script = tmp_path / "sleeps.py"
    script.write_text("import time\ntime.sleep(30)\n")
    monkeypatch.setattr(hdf5._probe, "__file__", str(script))
    monkeypatch.setattr(hdf5, "SECONDS", 0.2)
    with pytest.raises(FormatError, match="does not come to an end"):
        hdf5.require_sound(sound)
