"""Files that are not what they seem, made from scratch: nothing of anybody's data, a few kB each.

`make` writes them all into a folder and returns their paths by kind. A file that is unpickled or executed anywhere
leaves `CANARY` behind.
"""

import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import obspy
from scipy.io import savemat

CANARY = "executed"

DYNA = (
    "EVENT_NAME: X\nEVENT_ID: e\nSTATION_CODE: BAD\nNETWORK: XX\nSTREAM: HNE\nUNITS: cm/s^2\n"
    "DATE_TIME_FIRST_SAMPLE_YYYYMMDD_HHMMSS: 20190728_160919.870\nSAMPLING_INTERVAL_S: {dt}\nNDATA: {n}\nUSER5:\n"
)
AT2 = "PEER\nEVENT, 1/1/2000, STA, 090\nACCELERATION TIME SERIES IN UNITS OF G\nNPTS= {n}, DT= {dt} SEC\n"
BODY = "1.0\n-2.0\n3.5\n0.25\n"


class _Runs:
    """What a pickle calls when it is loaded."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return open, (str(self.canary), "w")


def make(folder: Path) -> dict[str, list[Path]]:
    """Write the files; kinds: "waveforms", "pools", "weights", "curves", "inventories", "events", "corpora"."""
    canary = folder / CANARY
    groups = {
        "waveforms": _texts() | _binaries() | _archives() | _pickles(canary),
        "pools": _pools(folder, canary),
        "curves": _curves(canary),
        "inventories": _metadata("FDSNStationXML", "http://www.fdsn.org/xml/station/1", folder),
        "events": _metadata("q:quakeml", "http://quakeml.org/xmlns/bed/1.2", folder),
    }
    out = {}
    for kind, files in groups.items():
        (folder / kind).mkdir()
        for name, raw in files.items():
            (folder / kind / name).write_bytes(raw if isinstance(raw, bytes) else raw.encode())
        out[kind] = sorted((folder / kind).iterdir())
    out["weights"] = _weights(folder / "weights", canary)
    out["corpora"] = _corpora(folder / "corpora")
    return out


def _texts():
    files = {
        "cut.asc": DYNA.format(n=5000, dt=0.01) + BODY,
        "more.asc": DYNA.format(n=2, dt=0.01) + BODY,
        "gigantic.asc": DYNA.format(n=10**12, dt=0.01) + BODY,
        "digits.asc": DYNA.format(n="9" * 6000, dt=0.01) + BODY,
        "header_only.asc": DYNA.format(n=4, dt=0.01),
        "word.asc": DYNA.format(n=4, dt=0.01) + "1\n2\nx\n4\n",
        "gigantic.at2": AT2.format(n=10**12, dt=0.01) + BODY,
        "cut.at2": AT2.format(n=40, dt=0.01) + BODY,
        "nsmn.txt": "STRONG GROUND MOTION RECORDS OF TURKIYE\nNUMBER OF DATA : 999999999999\n"
        "RECORD TIME : 07/08/2017 22:30:59 (GMT)\nSTATION ID : 1\nSAMPLING INTERVAL (sec) : 0.01\nN-S E-W U-D\n1 2 3\n",
    }
    for name, dt in (("zero", 0), ("negative", -0.01), ("nan", "nan"), ("tiny", "1e-300"), ("huge", "1e300")):
        files[f"rate_{name}.asc"] = DYNA.format(n=4, dt=dt) + BODY
        files[f"rate_{name}.at2"] = AT2.format(n=4, dt=dt) + BODY
    return files


def _binaries():
    rng = np.random.default_rng(0)
    trace = obspy.Trace(rng.integers(-99, 99, 500).astype(np.int32), {"station": "BAD", "channel": "HNZ"})
    held = io.BytesIO()
    obspy.Stream([trace]).write(held, format="MSEED")
    mseed = held.getvalue()
    sac = bytearray(632) + np.zeros(50, "<f4").tobytes()
    sac[316:320] = struct.pack("<i", 2**31 - 1)  # NPTS
    struct.pack_into("<i", sac, 304, 6)  # NVHDR
    gse = b"WID2 1999/01/01 00:00:00.000 BAD   HNZ      CM6 999999999  100.000000  1.00e+00   1.000 STS-2  0.0 -1.0\n"
    mat = io.BytesIO()
    savemat(mat, {"EQ": {"anEQ": {"Accel": np.ones((5, 3)), "sampling": 0.01}}})
    lying = bytearray(mat.getvalue())
    struct.pack_into("<I", lying, 132, 2**31)  # size of the first element
    objects = io.BytesIO()
    savemat(objects, {"EQ": {"anEQ": {"Accel": np.array([[{"a": 1}, 2, 3]], dtype=object), "sampling": 0.01}}})
    flags = struct.pack("<4I", 6, 8, 1, 0) + struct.pack("<2I2i", 5, 8, 2**20, 2**10) + struct.pack("<2I", 1, 0)
    cells = mat.getvalue()[:128] + struct.pack("<2I", 14, len(flags)) + flags  # a cell array of 10^9 cells, none there
    bomb = zlib.compress(struct.pack("<2I", 14, 22 * 10**7) + bytes(22 * 10**7), 1)
    return {
        "rubbish.bin": rng.bytes(5000), "rubbish.mseed": rng.bytes(5000), "rubbish.sac": rng.bytes(700),
        "rubbish.mat": rng.bytes(3000), "zeros.mseed": bytes(4096), "empty.mseed": b"", "letters.asc": b"A" * 70_000,
        "cut.mseed": mseed[:300], "flipped.mseed": mseed[:40] + b"\xff" * 20 + mseed[60:], "gigantic.sac": bytes(sac),
        "gigantic.gse": gse + b"DAT2\n", "cut.mat": mat.getvalue()[:200], "lying.mat": bytes(lying),
        "objects.mat": objects.getvalue(),
        "cells.mat": cells, "bomb.mat": mat.getvalue()[:128] + struct.pack("<2I", 15, len(bomb)) + bomb,
        "other.hdf5": _hdf5(lambda f: f.create_dataset("x", data=np.arange(5))),
    }  # fmt: skip


def _archives():
    good = DYNA.format(n=10**12, dt=0.01) + BODY

    def packed(*members, method=zipfile.ZIP_DEFLATED):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", method) as file:
            for name, raw in members:
                file.writestr(name, raw)
        return held.getvalue()

    link = zipfile.ZipInfo("link.asc")
    link.external_attr = 0o120777 << 16
    bomb = packed(("bomb.asc", bytes(22 * 10**7)))
    lying = bytearray(bomb)  # says that it unpacks to ten bytes
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", lying, lying.index(mark) + at, 10)
    nested = packed(("a.asc", good))
    for _ in range(6):
        nested = packed(("in.zip", nested))
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as file:
        for name, kind in (("../../up.asc", tarfile.REGTYPE), ("to", tarfile.SYMTYPE), ("null", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            info.size = len(good) if kind == tarfile.REGTYPE else 0
            file.addfile(info, io.BytesIO(good.encode()) if info.size else None)
    gzipped = zlib.compressobj(1, zlib.DEFLATED, 31)
    return {
        "paths.zip": packed(("../../up.asc", good), ("/abs.asc", good), (link, "/etc/passwd"), ("c:\\x.asc", good)),
        "bomb.zip": bomb, "lying.zip": bytes(lying), "nested.zip": nested, "cut.zip": nested[:60],
        "tricks.tar": tar.getvalue(), "cut.tar": tar.getvalue()[:700],
        "bomb.gz": gzipped.compress(bytes(22 * 10**7)) + gzipped.flush(), "cut.gz": b"\x1f\x8b\x08" + bytes(9),
        "cut.bz2": b"BZh91AY" + bytes(9),
    }  # fmt: skip


def _pickles(canary):
    text = f"c__builtin__\nopen\n(S'{canary}'\nS'w'\ntR.".encode()
    stream = pickle.dumps([obspy.Stream(), _Runs(canary)])
    wfdisc = f"BAD    HNZ      {0:17.5f} {1:8} {1:8} 1990001 {9.0:17.5f} {100:8} {100.0:11.7f} {1.0:16.6f}".encode()
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as file:
        info = tarfile.TarInfo("a.mseed")
        info.size = len(stream)
        file.addfile(info, io.BytesIO(stream))
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("a.pickle", stream)
    array = io.BytesIO()
    np.save(array, np.array([_Runs(canary)], dtype=object), allow_pickle=True)
    return {
        "stream.pickle": stream, "stream.mseed": stream, "stream0.sac": text, "pickled.tar.gz": held.getvalue(),
        "pickled.zip": zipped.getvalue(), "objects.npy": array.getvalue(), "other.wfdisc": wfdisc,
    }  # fmt: skip


def _hdf5(fill):
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        fill(file)
    return held.getvalue()


def _pools(folder, canary):
    from obspy_tng.pool import LatentPool

    n = np.full(3, np.nan)
    whole = LatentPool(
        latents=np.ones((3, 4, 5), np.float32), ln_sd=np.zeros((3, 3)), parents=["a", "b", "c"], station="BAD",
        network="XX", kind="recorded", model="m", model_sha256="0", magnitude=n, distance_km=n, pga_mps2=n,
        groups=np.zeros(3, int),
    ).save(folder / "whole.h5")  # fmt: skip
    raw = whole.read_bytes()
    whole.unlink()

    def changed(change):
        held = io.BytesIO(raw)
        with h5py.File(held, "r+") as file:
            change(file)
        return held.getvalue()

    def put(key, value):
        def change(file):
            del file[key]
            file[key] = value

        return changed(change)

    def huge(file):
        del file["codes"]
        file.create_dataset("codes", shape=(3, 10**6, 10**6), chunks=(1, 10, 10), dtype="i1")

    def links(file):
        del file["codes"]
        file["codes"] = h5py.ExternalLink("/etc/passwd", "/codes")

    def elsewhere(file):
        del file["codes"]
        file.create_dataset("codes", shape=(3, 4, 5), dtype="i1", external=[("/etc/passwd", 0, 60)])

    def loop(file):
        file["again"] = h5py.SoftLink("/again")

    return {
        "rubbish.h5": np.random.default_rng(1).bytes(4000), "text.h5": b"no pool\n", "cut.h5": raw[: len(raw) // 2],
        "tail.h5": raw[:-100], "other.h5": _hdf5(lambda f: f.create_dataset("x", data=[1])), "pickle.h5": _runs(canary),
        "huge.h5": changed(huge), "external.h5": changed(links), "stored_outside.h5": changed(elsewhere),
        "loop.h5": changed(loop), "text_codes.h5": put("codes", "text"), "shape.h5": put("ln_sd", np.zeros((3, 2))),
        "parents.h5": put("parents", [b"a"]), "nan.h5": put("ln_sd", np.full((3, 3), np.nan)),
        "groups.h5": put("groups", np.array([0, 7, -1])), "kind.h5": changed(lambda f: f.attrs.modify("kind", "odd")),
        "complex.h5": put("scale", np.ones((3, 4), complex)), "header.h5": raw[:8] + b"\xff" * 88 + raw[96:],
    }  # fmt: skip


def _runs(canary):
    return pickle.dumps(_Runs(canary))


def _curves(canary):
    rows = "".join(f"{f},2\n" for f in range(1, 20))
    return {
        "short.csv": "1,2\n2,3\n", "words.csv": rows + "x,y\n", "nan.csv": rows + "20,nan\n",
        "inf.csv": rows + "20,inf\n",
        "zero.csv": rows + "20,0\n", "twice.csv": rows + "19,3\n", "far.csv": rows + "1e300,2\n", "empty.csv": "",
        "rubbish.csv": np.random.default_rng(2).bytes(3000), "pickle.csv": _runs(canary), "nul.csv": "\0" * 500,
        "one_column.csv": "\n".join(map(str, range(1, 30))), "long.csv": "1" * 100_000, "commas.csv": ",,,,\n" * 20,
    }  # fmt: skip


def _metadata(root, namespace, folder):
    secret = folder / "secret.txt"
    secret.write_text("secret")
    prefix = f' xmlns:q="{namespace}"' if ":" in root else ""
    body = f'<{root} xmlns="{namespace}"{prefix} schemaVersion="1.1">{{}}</{root}>'
    laughs = (
        '<!DOCTYPE l [<!ENTITY a0 "ha">'
        + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
        + "]>"
    )
    outside = f'<!DOCTYPE l [<!ENTITY x SYSTEM "file://{secret}">]>'
    return {
        "laughs.xml": laughs + body.format("<Source>&a11;</Source>"),
        "outside.xml": outside + body.format("<Source>&x;</Source>"),
        "utf16.xml": (laughs + body.format("<Source>&a11;</Source>")).encode("utf-16"),
        "empty_root.xml": body.format(""), "cut.xml": body.format("<Network code='X'>")[:-20], "text.xml": "no XML\n",
        "rubbish.xml": np.random.default_rng(3).bytes(2000), "empty.xml": b"",
        "html.xml": "<html><body>404</body></html>",
        "deep.xml": body.format("<a>" * 20_000), "zero.zip": b"PK\x03\x04" + bytes(30),
    }  # fmt: skip


def _weights(folder, canary):
    """Return weights files, their cards beside them."""
    folder.mkdir()
    config = {"frames": 128, "bins": 39, "spectrum": 288, "periods": [2, 3], "kernels": [1, 3]}
    card = {"model": "spectral-timesnet-gen", "config": config}
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    plain = struct.pack("<Q", len(header)) + header + bytes(8)
    lying = json.dumps({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}).encode()
    cards = {
        "hash": card | {"weights_sha256": "0" * 64}, "names": card, "nothing": {}, "list": [1],
        "model": card | {"model": [1]},
        "unknown": card | {"model": "odd"}, "gigantic": card | {"config": config | {"channels": 10**9}},
        "wide": card | {"config": config | {"channels": 90_000, "latent": 90_000}},
        "blocks": card | {"config": config | {"blocks": 10**6}}, "negative": card | {"config": config | {"latent": -4}},
        "text": card | {"config": "odd"}, "missing": card | {"config": {}}, "stations": card | {"stations": 7},
        "infinite": card | {"config": config | {"bins": float("inf")}},
    }  # fmt: skip
    for name, values in cards.items():
        (folder / f"{name}.safetensors").write_bytes(plain)
        (folder / f"{name}.json").write_text(json.dumps(values))
    files = {
        "pickle": _runs(canary), "empty": b"", "cut": plain[:20], "lying": struct.pack("<Q", len(lying)) + lying,
        "header": struct.pack("<Q", 2**62) + header, "zip": _archives()["paths.zip"],
    }  # fmt: skip
    for name, raw in files.items():
        (folder / f"{name}.safetensors").write_bytes(raw)
        (folder / f"{name}.json").write_text(json.dumps(card))
    for name, text in (("deep", "[" * 100_000), ("digits", '{"model": ' + "1" * 5000 + "}"), ("rubbish", "\xff\0")):
        (folder / f"{name}.safetensors").write_bytes(plain)
        (folder / f"{name}.json").write_text(text, encoding="latin-1")
    return sorted(folder.glob("*.safetensors"))


def _corpora(folder):
    """Return folders of the layout of a corpus, each wrong in one way."""
    head = "trace_name,station_code,trace_start_time,trace_sampling_rate_hz"
    row = "a,BAD,2020-01-01T00:00:00,100"
    wave = _hdf5(lambda f: f.create_dataset("data/a", data=np.ones((3, 50), np.float32)))

    def huge(file):
        file.create_dataset("data/a", shape=(3, 10**12), chunks=(3, 100), dtype="f4")

    def out(file):
        file["data"] = h5py.ExternalLink("/etc/passwd", "/data")

    cases = {
        "rubbish": (f"{head}\n{row}\n", b"\x89HDF\r\n\x1a\n" + bytes(500)), "not_hdf5": (f"{head}\n{row}\n", b"text"),
        "cut": (f"{head}\n{row}\n", wave[: len(wave) // 2]), "huge": (f"{head}\n{row}\n", _hdf5(huge)),
        "link": (f"{head}\n{row}\n", _hdf5(out)), "no_data": (f"{head}\n{row}\n", _hdf5(lambda f: None)),
        "columns": ("a,b\n1,2\n", wave), "counts": (f"{head}\n{row},7,8\n", wave), "binary": ("\0\1\2\xff", wave),
        "rate_zero": (f"{head}\n{row[:-3]}0\n", wave), "rate_nan": (f"{head}\n{row[:-3]}nan\n", wave),
        "rate_huge": (f"{head}\n{row[:-3]}1e300\n", wave), "time": (f"{head}\na,BAD,never,100\n", wave),
        "path": (f"{head}\n../../etc/passwd,BAD,2020-01-01,100\n", wave),
        "text": (f"{head}\n{row}\n", _hdf5(lambda f: f.create_dataset("data/a", data="text"))),
        "group": (f"{head}\n{row}\n", _hdf5(lambda f: f.create_group("data/a"))),
    }  # fmt: skip
    for name, (table, raw) in cases.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "metadata.csv").write_text(table, encoding="latin-1")
        (folder / name / "waveforms.hdf5").write_bytes(raw)
    return sorted(folder.iterdir())


def bytes_in(folder) -> int:
    """Return how large all files below a folder are together."""
    return sum(os.path.getsize(path) for path in Path(folder).rglob("*") if path.is_file())
