"""Members of folders, globs and zip archives: what is read, what is skipped, and why."""

import bz2
import gzip
import io
import os
import shutil
import tarfile
import zipfile

import numpy as np
import obspy
import pytest
from obspy import Trace

import obspy_tng as tng
from obspy_tng.io import files, packed
from obspy_tng.io.files import read_members

FORK = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X"


def collect(paths, **kwargs):
    """Return (names read, {name skipped: reason})."""
    skipped = []
    names = [name for name, _ in read_members(paths, skipped, **kwargs)]
    return names, dict(skipped)


@pytest.fixture
def archive(tmp_path, dyna, nsmn):
    """A zip of two records among everything else that archives hold."""
    dyna, nsmn = dyna(), nsmn()
    buffer = io.BytesIO()
    Trace(np.arange(100.0)).write(buffer, format="MSEED")
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("inside.mseed", buffer.getvalue())
    path = tmp_path / "event.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("b/old.txt", nsmn.read_bytes())
        file.writestr("a/new.asc", dyna.read_bytes())
        file.writestr("a/._new.asc", FORK)
        file.writestr("__MACOSX/a/._new.asc", FORK)
        file.writestr("__MACOSX/readme.txt", "x")
        file.writestr("fork.asc", FORK)
        file.writestr(".DS_Store", "x")
        file.writestr("cut.asc", dyna.read_bytes()[:-6])
        file.writestr("stations.xml", '<?xml version="1.0"?><FDSNStationXML schemaVersion="1.2"/>')
        file.writestr("events.xml", '<?xml version="1.0"?><q:quakeml xmlns:q="http://quakeml.org/xmlns/quakeml/1.2"/>')
        file.writestr("notes.pdf", "%PDF-1.4")
        file.writestr("empty.asc", "")
        file.writestr("bad.mat", "not matlab")
        file.writestr("more.zip", inner.getvalue())
        file.writestr("../../escape.asc", dyna.read_bytes())
        file.writestr("folder/", "")
    dyna.unlink()
    nsmn.unlink()
    return path


def test_zip_with_mixed_members(archive, tmp_path):
    """Records are read in order of names, the rest is skipped with reasons, and no file appears."""
    before = sorted(tmp_path.parent.rglob("*"))
    names, skipped = collect(archive)
    assert names == [
        "event.zip/../../escape.asc",
        "event.zip/a/new.asc",
        "event.zip/b/old.txt",
        "event.zip/more.zip/inside.mseed",
    ]
    assert skipped == {
        "event.zip/.DS_Store": "hidden file",
        "event.zip/__MACOSX/a/._new.asc": "macOS resource fork, not a record",
        "event.zip/__MACOSX/readme.txt": "macOS resource fork, not a record",
        "event.zip/a/._new.asc": "macOS resource fork, not a record",
        "event.zip/bad.mat": skipped["event.zip/bad.mat"],
        "event.zip/cut.asc": "NDATA promises 4 numbers, the file holds 3; it is cut short",
        "event.zip/empty.asc": "empty file",
        "event.zip/events.xml": "QuakeML: metadata, not waveforms",
        "event.zip/fork.asc": "macOS resource fork, not a record",
        "event.zip/notes.pdf": "not a waveform format ObsPy knows",
        "event.zip/stations.xml": "StationXML: metadata, not waveforms",
    }
    assert "expected" in skipped["event.zip/bad.mat"] or "EQ.anEQ" in skipped["event.zip/bad.mat"]
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_source_file_and_headonly(archive):
    """Every trace knows its member; headonly leaves the samples out."""
    for name, stream in read_members([archive], [], headonly=True):
        for trace in stream:
            assert trace.stats.source_file == name
            assert trace.stats.npts > 0
            assert len(trace.data) == 0


def test_folder_glob_and_file(tmp_path, dyna, archive):
    """A folder is searched through, archives inside included; globs and single files mix with it."""
    folder = tmp_path / "event folder [1]"
    (folder / "sub" / ".git").mkdir(parents=True)
    shutil.copy(archive, folder / "sub")
    shutil.copy(dyna(), folder / "b[2].asc")
    (folder / "._b.asc").write_bytes(FORK)
    (folder / "a.csv").write_text("f,a\n1,2\n")
    names, skipped = collect(folder)
    assert names[0] == "event folder [1]/b[2].asc"
    assert names[1:] == [f"event folder [1]/sub/{name}" for name in collect(archive)[0]]
    assert skipped["event folder [1]/._b.asc"] == "macOS resource fork, not a record"
    assert skipped["event folder [1]/a.csv"] == "not a waveform format ObsPy knows"
    assert skipped["event folder [1]/sub/.git"] == "hidden file"
    assert collect([tmp_path / "rec*.asc", folder / "b[2].asc"])[0] == ["record.asc", "b[2].asc"]


def test_missing_paths_are_named_at_once(tmp_path, dyna):
    """A path or glob that matches nothing raises by the call itself and names what was given."""
    with pytest.raises(FileNotFoundError, match=r"nowhere\.asc"):
        read_members([dyna(), tmp_path / "nowhere.asc"], [])
    with pytest.raises(FileNotFoundError, match=r"no file matches .*\*\.xyz"):
        read_members(str(tmp_path / "*.xyz"), [])


def test_damaged_archives(tmp_path, archive, dyna):
    """A cut archive and a member with a wrong checksum are skipped with reasons, the rest goes on."""
    (tmp_path / "cut.zip").write_bytes(archive.read_bytes()[:200])
    raw = dyna().read_bytes()
    path = tmp_path / "flipped.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("one.asc", raw)
        file.writestr("two.asc", raw)
    flipped = bytearray(path.read_bytes())
    flipped[100] ^= 255
    path.write_bytes(flipped)
    names, skipped = collect([tmp_path / "cut.zip", path])
    assert names == ["flipped.zip/two.asc"]
    assert "damaged zip archive" in skipped["cut.zip"]
    assert "cannot be unpacked" in skipped["flipped.zip/one.asc"]


def test_oversized_member_is_refused(archive, monkeypatch):
    """A member that would unpack above the limit is not unpacked."""
    monkeypatch.setattr(files, "MEMBER_LIMIT_BYTES", 100)
    names, skipped = collect(archive)
    assert names == []
    assert "members above 100 are refused" in skipped["event.zip/a/new.asc"]


def test_real_folders(shared_data):
    """The loose AFAD and ESM records: 18 + 29 + 15 + 6 files, 18 + 87 + 45 + 6 traces, none skipped."""
    afad = shared_data / "afad"
    skipped = []
    paths = [afad / "asc", afad / "mat", afad / "kyh", shared_data / "formats" / "esm"]
    n_traces = [len(stream) for _, stream in read_members(paths, skipped, headonly=True)]
    assert (len(n_traces), sum(n_traces), skipped) == (68, 156, [])


def test_hv_file_is_told(tmp_path):
    """A curve among the waveforms: the line says what it is and what reads it."""
    (tmp_path / "o.hv").write_text("# GEOPSY output version 1.1\n# Number of windows = 1\n")
    names, skipped = collect(tmp_path / "o.hv")
    assert names == [] and "hv_file" in skipped["o.hv"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_are_not_waited_for(tmp_path, dyna):
    """A named pipe in a folder is skipped; opening it would wait for a writer for ever."""
    dyna(name="a.asc")
    os.mkfifo(tmp_path / "b.asc")
    names, skipped = collect(tmp_path)
    assert [name.rpartition("/")[2] for name in names] == ["a.asc"]
    assert skipped[f"{tmp_path.name}/b.asc"] == "neither a file nor a folder"


def test_compressed_files_and_tar(tmp_path, dyna):
    """gzip, bzip2 and tar are told by their first bytes, in archives too, and unpacked in memory."""
    raw = dyna().read_bytes()
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as file:
        info = tarfile.TarInfo("in.asc")
        info.size = len(raw)
        file.addfile(info, io.BytesIO(raw))
    (tmp_path / "a.gz").write_bytes(gzip.compress(raw))
    (tmp_path / "b.dat").write_bytes(bz2.compress(raw))
    (tmp_path / "c.tgz").write_bytes(gzip.compress(tar.getvalue()))
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as file:
        file.writestr("e.asc.gz", gzip.compress(raw))
    names, skipped = collect([tmp_path / name for name in ("a.gz", "b.dat", "c.tgz", "d.zip")])
    assert names == ["a.gz", "b.dat", "c.tgz/in.asc", "d.zip/e.asc.gz"] and not skipped


def test_archive_of_archives_has_one_budget(tmp_path, monkeypatch, dyna):
    """All members together may unpack to so much, however they are nested."""
    monkeypatch.setattr(packed, "_TOTAL_BYTES", 1300)
    monkeypatch.setattr(packed, "_TOTAL_RATIO", 0)
    raw = dyna().read_bytes()
    assert 500 < len(raw) < 600
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name in ("1.asc", "2.asc", "3.asc", "4.asc"):
            file.writestr(name, raw)
    names, skipped = collect(tmp_path / "a.zip")
    assert names == ["a.zip/1.asc", "a.zip/2.asc"]
    assert "far more than it holds" in skipped["a.zip/3.asc"]


def test_gse_is_not_decoded_here(tmp_path):
    """Damaged GSE2 takes ObsPy's decoder and the process along: files are refused with a way out, a Stream is taken."""
    stream = obspy.read()
    for trace in stream:
        trace.data = trace.data.astype("int32")
    stream.write(str(tmp_path / "a.gse2"), format="GSE2")
    names, skipped = collect(tmp_path / "a.gse2")
    assert not names and "obspy.read" in skipped["a.gse2"]
    assert len(tng.records(obspy.read(str(tmp_path / "a.gse2")))) == 1


def test_member_without_a_name(tmp_path, dyna):
    """A zip member whose name is empty is skipped or read like any other; its neighbours are read."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("x", b"nothing")
        file.writestr("b.asc", dyna().read_bytes())
    raw = bytearray((tmp_path / "a.zip").read_bytes())
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        at = file.start_dir
    assert raw[at : at + 4] == b"PK\x01\x02" and raw[at + 46 : at + 47] == b"x"
    raw[at + 28] = 0  # length of the name
    raw[at + 32] = 1  # the byte is a comment now
    (tmp_path / "a.zip").write_bytes(raw)
    names, skipped = collect(tmp_path / "a.zip")
    assert names == ["a.zip/b.asc"] and len(skipped) == 1
