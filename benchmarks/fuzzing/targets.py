"""What is fuzzed: for each name a function that prepares, and returns the function called with every input."""

from __future__ import annotations

import contextlib
import io
import os
import signal
from dataclasses import replace

import atheris
import h5py
import numpy as np
import obspy
import torch
from obspy.core.util.obspy_types import ObsPyException

from fuzzing import seeds
from obspy_tng import adjustment, conditions, corpus, event_synthesis, grouping, pieces, pool, record
from obspy_tng.checkpoint import Run
from obspy_tng.errors import TNGError
from obspy_tng.events import EventTable
from obspy_tng.io import _probe, at2, blocks, dyna, files, hdf5, matlab, nsmn
from obspy_tng.models import autoencoder, weights
from obspy_tng.response import to_acceleration
from obspy_tng.site import hv_file, rejection
from obspy_tng.site.f0 import pick_f0
from obspy_tng.site.hvsr import hvsr

EXPECTED = (TNGError, ObsPyException)  # FileNotFoundError does not occur: the files are there


def _reader(is_format, read):
    """Return a target of a waveform plug-in: the detector never raises, the reader FormatError only."""

    def run(data):
        is_format(io.BytesIO(data))
        for headonly in (True, False):
            read(io.BytesIO(data), headonly=headonly)

    return lambda scratch: run


def _at2(scratch):
    def run(data):
        at2._is_at2(io.BytesIO(data))
        stream = at2._read_at2(io.BytesIO(data))
        at2._write_at2(stream, io.BytesIO())

    return run


def _matlab(scratch):
    return lambda data: matlab.read_eq_mat(data, name="20190808112500_0097.mat")


def _path(read, name):
    """Return a target that reads a file of that name."""

    def prepare(scratch):
        path = scratch / name

        def run(data):
            path.write_bytes(data)
            read(path)

        return run

    return prepare


def _members(path):
    """Read a file as `hvsr` and `generate --source` do, down to records."""
    skipped = []
    stream = obspy.Stream()
    for _, part in files.read_members(path, skipped):
        stream += part
    record.records(stream)
    record.records(stream, split_gaps=True, units="gal")


def _blocks(path):
    skipped = []
    found = pieces.pieces(path, skipped, window_s=2.0, overlap=0.5, piece_s=6.0)
    for piece in found[:20]:
        if piece.stretch:
            record.records(pieces.cut(piece))
    if blocks.is_miniseed(path):
        try:
            held = blocks.index(path)
        except Exception:  # documented: whatever ObsPy raises
            return
        assert all(b.sampling_rate > 0 for b in held)


def _odd_stream(data, triple=False):
    """Return a Stream with headers of whatever the bytes say; `triple`: three components, most of them good."""
    take = atheris.FuzzedDataProvider(data)
    rng = np.random.default_rng(take.ConsumeIntInRange(0, 9))
    rates = (100.0, 1.0, 0.0, -1.0, 1e300, 1e-300, np.nan, np.inf, 200.0)
    out = obspy.Stream()
    if triple:
        n, rate = take.PickValueInList([400, 3000, 9000]), take.PickValueInList([100.0, 50.0, 200.0, 12.5])
        for name in take.PickValueInList(["ENZ", "123", "12Z", "UNE"]):
            x = rng.normal(size=n) * np.exp(-np.abs(np.arange(n) - n / 3) / n * take.ConsumeIntInRange(0, 30))
            for _ in range(max(0, take.ConsumeIntInRange(0, 9) - 7)):
                at, length = take.ConsumeIntInRange(0, n - 1), take.ConsumeIntInRange(1, n)
                x[at : at + length] = take.PickValueInList(
                    [0.0, 1e300, 1e-300, np.nan, np.inf, 7.0, take.ConsumeFloat()]
                )
            if take.ConsumeIntInRange(0, 9) == 9:
                x = np.ma.masked_where(rng.random(n) < take.PickValueInList([0.001, 0.1, 1.0]), x)
            header = {"sampling_rate": rate, "channel": "HN" + name, "station": "A", "starttime": 10**9}
            out.append(obspy.Trace(x, header))
            if take.ConsumeIntInRange(0, 9) == 9:
                out[-1].stats.starttime += take.PickValueInList([0.001, 0.013, 1.0, -2.0])
    for _ in range(take.ConsumeIntInRange(0 if triple else 1, 2 if triple else 7)):
        n = take.PickValueInList([0, 1, 2, 50, 400, 3000])
        rate = take.PickValueInList([*rates, take.ConsumeFloat()])
        x = rng.normal(size=n) * take.PickValueInList([1.0, 0.0, 1e300, 1e-300])
        kind = take.ConsumeIntInRange(0, 7)
        if n and kind < 4:
            x = [x, np.round(x), np.where(rng.random(n) < 0.1, np.nan, x), np.ma.masked_where(rng.random(n) < 0.1, x)][
                kind
            ]
        try:
            trace = obspy.Trace(x, {"sampling_rate": rate, "channel": take.ConsumeUnicode(3) or "HNZ"})
            if take.ConsumeBool():
                trace.stats.channel = "HN" + take.PickValueInList(list("ENZ123UV"))
            trace.stats.starttime = obspy.UTCDateTime(ns=take.ConsumeInt(8) if take.ConsumeBool() else 10**18)
            trace.stats.station, trace.stats.network = take.ConsumeUnicode(4), take.ConsumeUnicode(2)
            trace.stats.calib = take.PickValueInList([1.0, 0.0, np.nan, take.ConsumeFloat()])
        except Exception:  # ObsPy itself refuses such a header
            continue
        for key in ("sac", "coordinates", "event", "site", "at2", "matlab"):
            if take.ConsumeIntInRange(0, 5) == 0:
                names = ["evla", "evlo", "b", "o", "a", "t0", "latitude", "longitude", "latitude_deg", "magnitude",
                         "AZIMUTH", "PTIME", "vs30_mps", "origin_time", "id"]  # fmt: skip
                values = [take.ConsumeFloat(), "x", None, 0.0, 10**12]
                trace.stats[key] = obspy.core.AttribDict(
                    {take.PickValueInList(names): take.PickValueInList(values) for _ in range(3)}
                )
        out.append(trace)
    return out


def _records(scratch):
    def run(data):
        stream = _odd_stream(data, triple=len(data) % 3 == 0)
        for found in (record.records(stream, split_gaps=True), record.records(stream, units="g")):
            for one in found:
                one.stream()
                assert one.id

        grouping.complete(stream, {})

    return run


def _hvsr(scratch):
    windows = ["s", "full", "noise", "sliding:4", "sliding:10"]
    rules = ["cox:2", "zscore:2", "sta-lta:0.2:2.5", "maximum:0.5"]

    def run(data):
        take = atheris.FuzzedDataProvider(data)
        window, rest = take.PickValueInList(windows), data[1:]
        for split in (True, False):
            found = record.records(_odd_stream(rest, triple=True), split_gaps=split)
            curves = hvsr(found, n_frequency=20, window=window)
            with contextlib.suppress(TNGError):
                curves = rejection.reject(curves, take.PickValueInList(rules))
            pick_f0(curves, n_bootstrap=5)

    return run


def _inventory(scratch):
    path = scratch / "stations.xml"
    data3 = np.random.default_rng(0).normal(size=(3, 300))

    def run(data):
        path.write_bytes(data)
        found = record.read_inventory(path)
        table = EventTable(None, found)
        for network in found:
            for station in network:
                for channel in station.channels[:3]:
                    code = f"{network.code}.{station.code}.{channel.location_code or ''}.{channel.code}"
                    to_acceleration(data3, [code] * 3, obspy.UTCDateTime(2021, 6, 1), 100.0, found)
        assert not table.events

    return run


def _events(scratch):
    path = scratch / "events.xml"
    one = record.Record(
        data=np.random.default_rng(0).normal(size=(3, 6000)), sampling_rate=100.0, latitude_deg=38.0,
        longitude_deg=27.0, starttime=obspy.UTCDateTime(2021, 3, 4, 2, 11), network="XX", station="TNG1",
    )  # fmt: skip

    def run(data):
        path.write_bytes(data)
        EventTable(record.read_events(path)).attach(one)

    return run


def _card(scratch):
    from safetensors.torch import save_file

    path = scratch / "model.safetensors"
    save_file(torch.nn.Linear(3, 2).state_dict(), path)

    def run(data):
        path.with_suffix(".json").write_bytes(data)
        autoencoder.Autoencoder.load(path)

    return run


def _weights(scratch):
    path = scratch / "model.safetensors"

    def run(data):
        path.write_bytes(data)
        weights.shapes(path)
        weights.load_into(torch.nn.Linear(3, 2), path, {})

    return run


def _checkpoint(scratch):
    path = scratch / "checkpoint.safetensors"

    def run(data):
        path.write_bytes(data)
        Run(torch.nn.Linear(3, 2), 1e-3, 10).restore(path, {"seed": 1})

    return run


def _corpus_table(scratch):
    folder = seeds.corpus(scratch)

    def run(data):
        (folder / "metadata.csv").write_bytes(data)
        held = corpus.Corpus(folder)
        held.codes(), held.event_ids()
        for one in held.records():
            one.stream()

    return run


def _forked(path, limit_bytes):
    """Look at an HDF5 file as `hdf5._ask` does, in a child that needs no start-up."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # libFuzzer's own handler came along with the fork
        signal.alarm(5)
        try:
            _probe.look(path, limit_bytes)
            os.write(write, b"ok")
        except BaseException as err:
            os.write(write, f"{type(err).__name__}: {err}".encode()[:200] or b"?")
        os._exit(0)
    os.close(write)
    said = os.read(read, 300)
    os.close(read)
    os.waitpid(child, 0)
    return ["ok"] if said == b"ok" else ["refused", said.decode(errors="replace") or "crashed"]


def _hdf5(read, name, folder=None):
    def prepare(scratch):
        hdf5._ask = _forked
        path = (folder(scratch) if folder else scratch) / name

        def run(data):
            hdf5._seen.clear()
            path.write_bytes(data)
            read(path)

        return run

    return prepare


def _pool_objects(scratch):
    """Pools whose HDF5 is whole and whose content is odd."""
    hdf5._ask = _forked
    whole, path = seeds.pool(scratch), scratch / "odd.h5"
    whole.save(path)
    raw = path.read_bytes()

    def run(data):
        take = atheris.FuzzedDataProvider(data)
        path.write_bytes(raw)
        with h5py.File(path, "r+") as file:
            for _ in range(take.ConsumeIntInRange(1, 3)):
                names = [*file, "other"]
                key = take.PickValueInList(names)
                values = [
                    np.zeros(take.ConsumeIntInRange(0, 5)), np.full((3, 3), take.ConsumeFloat()), b"text", "text",
                    np.zeros((3, take.ConsumeIntInRange(0, 4), 2), np.int8), [b"a", b"b", b"c"], 7, h5py.Empty("f"),
                    np.array([1j, 2, 3]), np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
                ]  # fmt: skip
                if key in file:
                    del file[key]
                what = take.ConsumeIntInRange(0, len(values) + 3)
                if what < len(values):
                    file[key] = values[what]
                elif what == len(values):
                    file.create_dataset(key, shape=(10**12,), chunks=(100,), dtype="f8")
                elif what == len(values) + 1:
                    file[key] = h5py.ExternalLink("/etc/passwd", "/x")
                elif what == len(values) + 2:
                    file.create_group(key)
                if take.ConsumeBool():
                    file.attrs[take.PickValueInList([*file.attrs])] = take.PickValueInList(
                        [take.ConsumeUnicodeNoSurrogates(5).replace("\0", ""), take.ConsumeFloat(), np.zeros(3), 10**9]
                    )
        hdf5._seen.clear()
        held = pool.LatentPool.load(path)
        held.sha256()
        replace(held, station="X").save(scratch / "again.h5")

    return run


def _conditions(scratch):
    def run(data):
        take = atheris.FuzzedDataProvider(data)
        values = [take.ConsumeFloat() for _ in range(take.ConsumeIntInRange(0, 7))]
        try:
            checked = conditions.check(values)
            conditions.features(checked, (35.7, -117.6))
            conditions.travel_times(checked)
        except TNGError:
            pass
        event_synthesis._event(values if take.ConsumeBool() else take.ConsumeUnicode(8), None)

    return run


TARGETS = {
    "dyna": _reader(dyna._is_dyna, dyna._read_dyna),
    "nsmn": _reader(nsmn._is_nsmn, nsmn._read_nsmn),
    "at2": _at2,
    "matlab": _matlab,
    "hv": _path(lambda path: hv_file.text(hv_file.read(path)), "curve.hv"),
    "curve": _path(lambda path: adjustment.read_curve(path), "curve.csv"),
    "mask": _path(lambda path: rejection.read_mask(path), "mask.csv"),
    "members": _path(_members, "record.dat"),
    "archive": _path(_members, "records.zip"),
    "blocks": _path(_blocks, "day.mseed"),
    "records": _records,
    "hvsr": _hvsr,
    "inventory": _inventory,
    "events": _events,
    "card": _card,
    "weights": _weights,
    "checkpoint": _checkpoint,
    "corpus_table": _corpus_table,
    "corpus_hdf5": _hdf5(lambda path: corpus.Corpus(path.parent).records(), "waveforms.hdf5", seeds.corpus),
    "pool_hdf5": _hdf5(lambda path: pool.LatentPool.load(path), "pool.h5"),
    "pool_objects": _pool_objects,
    "conditions": _conditions,
}
