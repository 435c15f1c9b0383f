"""Small files of every kind to start from, made of data_samples/ and of objects written here."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import obspy
from obspy.core.util.base import NamedTemporaryFile

SAMPLES = Path(__file__).parents[2] / "data_samples"
N = 24  # samples of a component


def _stream(n=300):
    """Return three components that move, as ObsPy has them."""
    rng = np.random.default_rng(0)
    header = dict(network="XX", station="FUZZ", sampling_rate=100.0, starttime=obspy.UTCDateTime(2021, 3, 4, 2, 11))
    return obspy.Stream(
        obspy.Trace(rng.normal(size=n).astype(np.float32), {**header, "channel": f"HN{c}"}) for c in "ENZ"
    )


def _written(obj, kind):
    """Return the bytes that ObsPy writes; some of its writers know paths only."""
    with NamedTemporaryFile() as file:
        obj.write(file.name, format=kind)
        return Path(file.name).read_bytes()


def _short(path, mark, field, n, per_line=1):
    """Return a text file with `n` samples only: header up to and with the line of `mark`, `field` rewritten."""
    lines = path.read_bytes().splitlines()
    first = next(i for i, line in enumerate(lines) if mark(line))
    head = [field(line) for line in lines[:first]]
    return b"\n".join([*head, *lines[first : first + n * per_line]]) + b"\n"


def _number(line):
    try:
        float(line.split()[0])
    except (ValueError, IndexError):
        return False
    return True


def dyna(_):
    """AFAD and ESM."""
    files = sorted([*SAMPLES.glob("*.asc"), *SAMPLES.glob("*.ASC")])[:4]

    def field(line):
        return f"NDATA: {N}".encode() if line.startswith(b"NDATA") else line

    return [_short(f, lambda line: b":" not in line and _number(line), field, N) for f in files]


def nsmn(_):
    """AFAD before 2019."""

    def field(line):
        key = line.partition(b":")[0]
        return key + f": {N}".encode() if line.startswith(b"NUMBER OF DATA") else line

    return [_short(f, lambda line: b"U-D" in line, field, N + 1) for f in SAMPLES.glob("*.txt")]


def at2(_):
    """PEER, as published and as written here."""
    trace = _stream(N)[0]
    trace.stats.units = "m/s^2"
    lines = next(SAMPLES.glob("*.AT2")).read_bytes().splitlines()
    cut = [*lines[:3], b"NPTS=     20, DT= .0100 SEC", *lines[4:8]]
    return [_written(obspy.Stream([trace]), "AT2"), b"\n".join(cut)]


def matlab(scratch):
    """EQ.anEQ, packed and not."""
    from scipy.io import savemat

    one = {"Accel": np.ones((8, 3)), "sampling": 0.01, "statID": 205.0, "statco": [38.0, 27.0], "alt": 100.0,
           "epicenter": [38.5, 27.5], "depth": 9000.0, "magnitudeval": 4.5, "magnitudetype": "Mw"}  # fmt: skip
    out = []
    for packed in (True, False):
        held = io.BytesIO()
        savemat(held, {"EQ": {"anEQ": one}}, do_compression=packed)
        out.append(held.getvalue())
    return out


def hv(_):
    """Geopsy's curves and hvsrpy's."""
    from obspy_tng.site import hv_file

    f = np.geomspace(0.5, 20, 12)
    whole = hv_file.HVFile(f, f + 1, f, f + 2, 20, 2.0, 18, (2.0, 1.5, 2.5), 3.0)
    bare = hv_file.HVFile(f, f + 1, f, f + 2, 20, 2.0, position_m=None, category=None)
    table = "\n".join(",".join(f"{x:g}" for x in row) for row in zip(f, f + 1, f, f + 2, strict=True))
    old = (
        "# hvsrpy output version 0.4.2\n# File Name (),a\n# Window Length (s),60\n# Number of Accepted Windows (),5\n"
        "# Mean f0 (Hz) [LMf0],1.2\n# Standard deviation f0 (Hz) [],0.3\n"
        "# Median Curve Peak Frequency (Hz) [f0mc],1.1\n"
    )
    return [hv_file.text(whole).encode(), hv_file.text(bare).encode(), (old + table + "\n").encode()]


def curve(_):
    """H/V curves of two columns, and as `hvsr --out x.csv` writes them."""
    rows = [(f, 2 + f / 9) for f in np.geomspace(0.5, 20, 12)]
    plain = "\n".join(f"{f:.4f},{a:.4f}" for f, a in rows)
    named = "\n".join(f"XX.A,{f:.4f},{a:.4f},0.3" for f, a in rows)
    return [
        plain.encode(),
        b"station,frequency_hz,hvsr,sigma_ln\n" + named.encode(),
        plain.replace(",", " ; ").encode(),
    ]


def mask(_):
    """Lists of rejected windows."""
    return [b"record,rejected_by\nXX.A..1,cox\nXX.A..2,mask\n", b"XX.A..1\n"]


def waveforms(_):
    """One of each format that is written here, and the text formats."""
    stream = _stream(60)
    whole = obspy.Stream(obspy.Trace((t.data * 1000).astype(np.int32), t.stats) for t in stream)
    out = [_written(whole, kind) for kind in ("MSEED", "GSE2", "SLIST", "TSPAIR")] + [_written(whole[:1], "WAV")]
    out += [_written(stream[:1], "SAC"), _written(stream[:1], "SACXY")]
    return [*out, *dyna(_)[:1], *at2(_)[:1], *matlab(_)[:1]]


def archives(_):
    """Zip archives with tricks in their names, tar, gzip, bzip2."""
    inner = _written(_stream(60), "MSEED")
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("a.mseed", "../../b.mseed", "/etc/c.mseed", "__MACOSX/._a", "d\\e.asc"):
            file.writestr(name, inner if "mseed" in name else b"x" * 500)
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("more.zip", zip_of(inner))
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as file:
        info = tarfile.TarInfo("../a.mseed")
        info.size = len(inner)
        file.addfile(info, io.BytesIO(inner))
    return [held.getvalue(), zip_of(inner), tar.getvalue(), gzip.compress(tar.getvalue()), bz2.compress(inner)]


def zip_of(raw):
    """Return a zip archive of one member."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("in.mseed", raw)
    return held.getvalue()


def blocks(_):
    """MiniSEED of several record lengths."""
    stream = _stream(1500)
    out = []
    for size in (256, 512):
        held = io.BytesIO()
        stream.write(held, format="MSEED", reclen=size)
        out.append(held.getvalue())
    return out


def inventory(_):
    """StationXML of one station with responses, and a generated sidecar."""
    whole = obspy.read_inventory(str(SAMPLES / "network" / "stations.xml"))
    one = whole.select(station=whole[0][0].code)
    return [_written(one, "STATIONXML"), _written(one, "STATIONTXT")]


def events(_):
    """QuakeML of one earthquake with a few picks, and a table."""
    one = obspy.read_events(str(SAMPLES / "network" / "events.xml"))[:1]
    one[0].picks, one[0].origins[0].arrivals = one[0].picks[:4], one[0].origins[0].arrivals[:4]
    return [_written(one, "QUAKEML"), _written(one, "ZMAP")]


def card(_):
    """The cards of the shipped models, without their lists of events."""
    from obspy_tng.models import SHIPPED

    out = []
    for path in sorted(SHIPPED.glob("*.json")):
        whole = json.loads(path.read_text())
        keep = ("name", "model", "config", "fused", "stations", "weights_sha256", "inversion", "places")
        out.append(json.dumps({k: whole[k] for k in keep if k in whole}).encode())
    return out


def weights(_):
    """Tensors of a small network."""
    from safetensors.torch import save
    from torch import nn

    return [save(nn.Linear(3, 2).state_dict()), save({}, {"facts": "{}"})]


def checkpoint(scratch):
    """A run that was stored after a step."""
    from torch import nn

    from obspy_tng.checkpoint import Run

    network = nn.Linear(3, 2)
    run = Run(network, 1e-3, 10)
    run.step(network.weight.sum())
    run.store(scratch / "checkpoint.safetensors", 1, {"seed": 1})
    return [(scratch / "checkpoint.safetensors").read_bytes()]


def corpus(scratch):
    """A corpus of two records; the folder stays in `scratch`."""
    import obspy_tng as tng

    source = scratch / "source.mseed"
    if not (scratch / "corpus").exists():
        _stream(1000).write(str(source), format="MSEED")
        tng.build_corpus(source, scratch / "corpus", units="m/s2")
    return scratch / "corpus"


def corpus_table(scratch):
    """Its table."""
    return [(corpus(scratch) / "metadata.csv").read_bytes()]


def corpus_hdf5(scratch):
    """Its waveforms."""
    return [(corpus(scratch) / "waveforms.hdf5").read_bytes()]


def pool(_):
    """A shipped pool cut to three records."""
    from dataclasses import replace

    from obspy_tng.pool import LatentPool, pool_files

    whole = LatentPool.load(next(iter(pool_files().values())))
    per_record = ("latents", "ln_sd", "parents", "magnitude", "distance_km", "pga_mps2", "groups")
    return replace(whole, **{key: getattr(whole, key)[:3] for key in per_record})


def pool_hdf5(scratch):
    """That pool as a file."""
    return [pool(scratch).save(scratch / "seed.h5").read_bytes()]


def rubbish(_):
    """A few bytes for targets that make their objects of whatever they are given."""
    rng = np.random.default_rng(1)
    return [rng.bytes(200), rng.bytes(600), rng.bytes(601), rng.bytes(602), bytes(100)]


SEEDS = {
    "dyna": dyna, "nsmn": nsmn, "at2": at2, "matlab": matlab, "hv": hv, "curve": curve, "mask": mask,
    "members": waveforms, "archive": archives, "blocks": blocks, "records": rubbish, "hvsr": rubbish,
    "inventory": inventory, "events": events, "card": card, "weights": weights, "checkpoint": checkpoint,
    "corpus_table": corpus_table, "corpus_hdf5": corpus_hdf5, "pool_hdf5": pool_hdf5, "pool_objects": rubbish,
    "conditions": rubbish,
}  # fmt: skip
