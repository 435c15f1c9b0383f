"""Writing generated records: whole at every moment, whenever it ends, over older ones too."""

import json
import os

import numpy as np
import obspy
import pytest

import obspy_tng as tng
from obspy_tng.errors import WriteError


@pytest.fixture(scope="module")
def stream():
    """Return two realisations of a station."""
    return tng.generate("CI.CWC", n=2, seed=1)


@pytest.fixture(scope="module")
def other():
    """Return two realisations of the same station by another sampler: the same names, other samples."""
    return tng.generate("CI.CWC", n=2, seed=1, sampler="mean")


def stopped_at(monkeypatch, k):
    """Let the k-th rename fail as if the process were killed there."""
    real, count = os.replace, [0]

    def replace(source, target):
        count[0] += 1
        if count[0] > k:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)


def sampler_of(sidecar):
    """Return the sampler a sidecar tells of."""
    (comment,) = obspy.read_inventory(str(sidecar))[0][0][0].comments
    return json.loads(comment.value)["sampler"]


@pytest.mark.parametrize("k", [0, 1, 2, 3])
def test_waves_never_stand_beside_a_sidecar_of_others(stream, other, tmp_path, monkeypatch, k):
    """Over an older pair, ended between any two steps: where there are waves, the sidecar is theirs."""
    path = tmp_path / "a.mseed"
    tng.write(other, path)
    mine = {"mean": obspy.read(str(path))[0].data, "vp": stream[0].data}
    assert not np.array_equal(mine["mean"], mine["vp"])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stopped_at(patch, k)
        tng.write(stream, path)
    if path.exists():
        assert np.array_equal(obspy.read(str(path))[0].data, mine[sampler_of(tmp_path / "a.xml")])
    tng.write(stream, path)
    assert np.array_equal(obspy.read(str(path))[0].data, mine["vp"]) and sampler_of(tmp_path / "a.xml") == "vp"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mseed", "a.xml"]


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_an_old_pair_comes_back(stream, other, tmp_path, monkeypatch, k):
    """One rename of the four fails: an error, and the old pair stands there as before."""
    path = tmp_path / "a.mseed"
    before = {p: p.read_bytes() for p in tng.write(other, path)}
    real, count = os.replace, [0]

    def replace(source, target):
        count[0] += 1
        if count[0] == k:
            raise OSError(5, "Input/output error")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(WriteError, match=f"^{path} cannot be written: Input/output error"):
        tng.write(stream, path)
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_the_same_written_again_is_never_gone(stream, tmp_path, monkeypatch):
    """Over an equal pair nothing is removed first: whenever it ends, both stand there."""
    path = tmp_path / "a.mseed"
    tng.write(stream, path)
    before = path.read_bytes()
    for k in (0, 1):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            stopped_at(patch, k)
            tng.write(stream, path)
        assert path.read_bytes() == before and (tmp_path / "a.xml").exists()


def test_a_new_folder_appears_whole(stream, tmp_path, monkeypatch):
    """SAC: ended before the one rename there is no folder; after it all files are there."""
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stopped_at(patch, 0)
        tng.write(stream, tmp_path / "sac")
    assert list(tmp_path.iterdir()) == []
    stopped_at(monkeypatch, 1)
    files = tng.write(stream, tmp_path / "sac")
    assert len(files) == 7 and all(f.is_file() for f in files)


@pytest.mark.parametrize("k", [0, 1, 5, 6])
def test_an_old_folder_is_whole_when_it_has_a_sidecar(stream, other, tmp_path, monkeypatch, k):
    """Into an older folder: ended in the middle it has no stations.xml; what is the user's stays."""
    tng.write(other, tmp_path / "sac")
    (tmp_path / "sac" / "notes.txt").write_text("mine")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stopped_at(patch, k)
        tng.write(stream, tmp_path / "sac")
    assert not (tmp_path / "sac" / "stations.xml").exists()
    tng.write(stream, tmp_path / "sac")
    assert sampler_of(tmp_path / "sac" / "stations.xml") == "vp"
    assert (tmp_path / "sac" / "notes.txt").read_text() == "mine"
