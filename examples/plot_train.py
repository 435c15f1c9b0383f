"""
Train on your own corpus
========================

From waveforms, StationXML and QuakeML to a network, a pool and new records. The sample network has 32
records of 8 earthquakes and trains here for a few passes, half a minute, to show the way: what comes
out is no network to use. The shipped one was trained on 751 records, 36 times each.
"""

# %%
# A corpus is a folder in SeisBench's layout: waveforms in HDF5, a line of metadata per record.
import csv
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import obspy_tng as tng

NETWORK = next(p for p in map(Path, ("data_samples/network", "../data_samples/network")) if p.is_dir())
folder = Path(tempfile.mkdtemp())
inventory, events = NETWORK / "stations.xml", NETWORK / "events.xml"
corpus, skipped = tng.build_corpus(sorted(NETWORK.glob("*.mseed")), folder / "corpus", inventory, events)
print(f"{len(corpus)} records of {len(set(corpus.event_ids()))} events at {sorted(set(corpus.codes()))}")

# %%
# A fifth of the earthquakes, never records of them alone, is held out for validation. XT.SOFT is the
# station we shall generate for: the network must not have seen it.
model = tng.train(
    corpus, folder / "run", kind="spectral", exclude=["XT.SOFT"], epochs=4, batch=8, seed=1, threads=1,
    precision="fp32", progress=print,
)  # fmt: skip
print(f"held out: {model.card['events_validation']}")

# %%
# ``history.csv`` has a line per epoch; ``--resume`` would go on from the checkpoint beside it.
with open(folder / "run" / "history.csv", encoding="utf-8") as file:
    history = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
losses, left = plt.subplots(figsize=(6, 3.5), layout="constrained")
for kind in ("train", "valid"):
    left.plot([row["epoch"] for row in history], [row[f"{kind}_total"] for row in history], "o-", label=kind)
left.set(xlabel="epoch", ylabel="loss", xticks=[row["epoch"] for row in history])
left.legend()

# %%
# A pool of the station in the codes of this network, and records from it.
records = tng.read_records(sorted(NETWORK.glob("*.mseed")), inventory=inventory, events=events)
pool = tng.build_pool(records, station="XT.SOFT", model=model, kind="simulated", about={"source": "sample records"})
stream = tng.generate(pool=pool, model=model, n=3, seed=1)
print(stream.select(component="E"))

waves, right = plt.subplots(figsize=(8, 3.5), layout="constrained")
for row, trace in enumerate(stream.select(component="E")):
    right.plot(trace.times(), trace.data / np.abs(trace.data).max() - 2 * row, linewidth=0.5)
right.set_yticks([0, -2, -4], [f"PGA {np.abs(t.data).max():.1e}" for t in stream.select(component="E")], fontsize=8)
right.set(xlabel="time (s)", title="XT.SOFT, east (m/s²), each at its own scale")

# %%
# On the command line::
#
#     obspy-tng corpus build records/ --inventory stations.xml --events events.xml --out corpus
#     obspy-tng train corpus --model spectral --exclude XT.SOFT --epochs 100 --out run
#     obspy-tng pool build records/ --inventory stations.xml --station XT.SOFT --model run --out XT.SOFT.h5
#     obspy-tng generate --pool XT.SOFT.h5 --model run -n 20 --out generated
plt.show()
