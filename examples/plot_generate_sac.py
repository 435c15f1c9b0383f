"""
Generate records for a station and write SAC
============================================

Five realisations for CI.CWC (Ridgecrest, California), a station whose records took no part in
training the network.
"""

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import obspy

import obspy_tng as tng

stream = tng.generate("CI.CWC", n=5, seed=7)
print(stream[:6])

# %%
# The same seed gives the same samples, and realisation 3 does not depend on how many are asked for.
# What a record was made of travels with it.
made = stream[0].stats.tng
print(f"pool: {made.pool_kind}, model {made.model}, sampler {made.sampler}, run {made.run_id}")
for parent, weight in zip(made.parents, made.parent_weights, strict=True):
    print(f"  {weight:.2f} {parent}")

# %%
# A folder of SAC files with a StationXML sidecar. SAC holds the coordinates and, in KUSER0 to KUSER2,
# the run id.
folder = Path(tempfile.mkdtemp()) / "cwc"
files = tng.write(stream, folder)
print(len(files), "files, the last is", files[-1].name)
back = obspy.read(str(files[0]))[0]
print(back.id, back.stats.sac.stla, back.stats.sac.stlo, "".join(back.stats.sac[f"kuser{i}"] for i in range(3)))

# %%
figure, axes = plt.subplots(5, 1, figsize=(8, 6), sharex=True, sharey=True, layout="constrained")
for axis, trace in zip(axes, stream.select(component="N"), strict=True):
    axis.plot(trace.times(), trace.data, linewidth=0.6)
    axis.set_title(trace.id, loc="left", fontsize=9)
    axis.set_ylabel("m/s²")
axes[-1].set_xlabel("time (s)")

plt.show()
