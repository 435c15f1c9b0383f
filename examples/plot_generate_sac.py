"""
Generate records for a station and write SAC
============================================

Twenty records for AFAD's station 0205 (Adıyaman), three components of 60 s in m/s², as SAC files. No
AFAD record is in them: the pool of 0205 is of Californian records, adjusted to the median H/V curve
published for it. H/V and f0 are those of the site, amplitudes are nominal.
"""

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import obspy

import obspy_tng as tng
from obspy_tng.site.timesnet_gen import record_f0

N = 20
stream = tng.generate("0205", n=N, seed=1)
print(stream[:6])

# %%
# The same seed gives the same samples, and realisation 3 does not depend on how many are asked for.
# What a record was made of travels with it.
made = stream[0].stats.tng
print(f"pool: {made.pool_kind}, model {made.model}, sampler {made.sampler}, run {made.run_id}")
for parent, weight in zip(made.parents, made.parent_weights, strict=True):
    print(f"  {weight:.2f} {parent}")

# %%
# f0 as the publication defines it for these stations, the largest H/V in 1-20 Hz of each record; theirs
# is 2.6 Hz (Table I of arXiv 2512.04694).
waves = np.array([trace.data for trace in stream]).reshape(N, 3, -1)  # m/s², E N Z
median_f0_hz = float(np.median(record_f0(waves, 100.0)))
print(f"median f0 {median_f0_hz:.2f} Hz, published 2.6 Hz")

# %%
# A folder of SAC files with a StationXML sidecar. SAC holds the coordinates and, in KUSER0 to KUSER2,
# the run id.
folder = Path(tempfile.mkdtemp()) / "0205"
files = tng.write(stream, folder)
print(len(files), "files, the last is", files[-1].name)
back = obspy.read(str(files[0]))[0]
print(back.id, back.stats.sac.stla, back.stats.sac.stlo, "".join(back.stats.sac[f"kuser{i}"] for i in range(3)))

# %%
# A generated Stream is a Stream: ``stream.plot()``, ``filter``, ``select`` and ``write`` work as always.
figure, axes = plt.subplots(5, 1, figsize=(8, 6), sharex=True, layout="constrained")
for axis, trace in zip(axes, stream.select(component="N"), strict=False):
    axis.plot(trace.times(), trace.data, linewidth=0.6)
    axis.set_title(f"{trace.id}, PGA {np.abs(trace.data).max():.4f} m/s²", loc="left", fontsize=9)
    axis.set_ylabel("m/s²")
axes[-1].set_xlabel("time (s)")

plt.show()
