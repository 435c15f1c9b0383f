"""Station and event files, plain, compressed and in archives."""

import gzip
import zipfile
from pathlib import Path

import pytest

from obspy_tng.errors import FormatError
from obspy_tng.record import read_events, read_inventory

NETWORK = Path(__file__).parents[2] / "data_samples" / "network"


def test_compressed_metadata(tmp_path):
    """gzip and zip hold the same stations and events as the plain files, several members add up."""
    (tmp_path / "s.xml.gz").write_bytes(gzip.compress((NETWORK / "stations.xml").read_bytes()))
    plain = read_inventory(NETWORK / "stations.xml")
    assert [s.code for n in read_inventory(tmp_path / "s.xml.gz") for s in n] == [s.code for n in plain for s in n]
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as file:
        file.write(NETWORK / "events.xml", "a.xml")
        file.write(NETWORK / "events.xml", "b.xml")
    assert len(read_events(tmp_path / "e.zip")) == 2 * len(read_events(NETWORK / "events.xml"))


def test_names_that_look_like_globs(tmp_path):
    """A file whose name holds brackets is that file."""
    path = tmp_path / "s[1].xml"
    path.write_bytes((NETWORK / "stations.xml").read_bytes())
    assert len(read_inventory(path)) == len(read_inventory(NETWORK / "stations.xml"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_document_types_are_refused(tmp_path, encoding):
    """A declaration of a document type is found in any encoding of XML."""
    path = tmp_path / "e.xml"
    path.write_bytes('<?xml version="1.0"?><!DOCTYPE q [<!ENTITY a "b">]><q>&a;</q>'.encode(encoding))
    with pytest.raises(FormatError, match="DOCTYPE"):
        read_events(path)
