"""
One earthquake, anywhere: a record section
==========================================

HEGGS generates the motion of a given earthquake at a given place, without a pool. No weights of it are
shipped, so this example trains one for less than a minute on the 32 sample records: moveout and
envelopes come out, the decay of amplitude with distance does not. A network to use needs thousands of
records and hours.
"""

# %%
import tempfile
from pathlib import Path

import numpy as np
from obspy import Stream
from obspy.geodetics import kilometers2degrees

import obspy_tng as tng
from obspy_tng.plotting_section import plot_section

NETWORK = next(p for p in map(Path, ("data_samples/network", "../data_samples/network")) if p.is_dir())
files, inventory, events = sorted(NETWORK.glob("*.mseed")), NETWORK / "stations.xml", NETWORK / "events.xml"
folder = Path(tempfile.mkdtemp())
corpus, _ = tng.build_corpus(files, folder / "corpus", inventory, events)
model = tng.train(
    corpus, folder / "heggs", kind="heggs", epochs=12, batch=4, learning_rate=3e-3, seed=1, threads=1,
    precision="fp32", progress=print,
)  # fmt: skip

# %%
# An earthquake that training never saw: latitude, longitude (degrees), depth (km), magnitude, and its
# record at the nearest station. From these, motion at eight places on a line to the south.
held = model.card["events_validation"][0]
records = tng.read_records(files, inventory=inventory, events=events)
real = sorted((r for r in records if r.event_id == held), key=lambda r: r.distance_km)
source = real[0]
quake = (source.event_latitude_deg, source.event_longitude_deg, source.event_depth_km, source.magnitude)
print(f"event {held}: {quake[0]:.2f}°, {quake[1]:.2f}°, {quake[2]:.0f} km, M {quake[3]}; source {source.id}")
distances_km = np.linspace(20, 50, 8)
section = Stream()
for distance_km in distances_km:
    place = (quake[0] - kilometers2degrees(distance_km), quake[1])
    section += tng.generate(
        f"XX.P{distance_km:.0f}", event=quake, source=source, coordinates=place, model=model, seed=1, scatter=False
    )
print(section[:3])

# %%
# Time since the origin against epicentral distance, each trace at its own scale; grey are the records of
# the four stations, which the model was not shown but for the nearest. The dashes are P and S as it
# predicts them, from travel times fitted to the training records.
figure = plot_section(section, real=real, component="E")

# %%
# ``scatter=False`` gives the median. How far such a training is from the records:
for distance_km, trace in zip(distances_km, section.select(component="E"), strict=True):
    print(f"{trace.id} {distance_km:5.1f} km  PGA {np.abs(trace.data).max():.1e} m/s²")
for record in real:
    print(f"{record.code:14} {record.distance_km:5.1f} km  PGA {np.abs(record.data[0]).max():.1e} m/s², recorded")
