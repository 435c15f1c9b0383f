"""
A site of which only the H/V curve is known
===========================================

A microtremor measurement, or a published curve, is enough: the records of well-recorded stations are
adjusted until they have the target's H/V. H/V is not amplification, so the amplitudes of such records
are nominal.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

import obspy_tng as tng
from obspy_tng.site.timesnet_gen import frequencies, hvsr_curves, record_f0

# %%
# A smooth curve with one peak of 4 at 3 Hz. Yours may be a CSV file: ``hvsr="curve.csv"``, frequency
# in Hz, amplitude.
frequency = np.geomspace(0.5, 20, 60)
target = 1.2 + 2.8 * np.exp(-0.5 * (np.log(frequency / 3.0) / 0.25) ** 2)

# %%
# ``generate(hvsr=...)`` makes the pool on the way; `obspy_tng.retarget` makes it once and keeps it.
pool = tng.retarget((frequency, target), station="SITE", network="XX", source="example curve")
stream = tng.generate(pool=pool, n=20, seed=5)
print(pool.kind, "-", pool.about["made_of"])

# %%
waves = np.array([trace.data for trace in stream]).reshape(20, 3, -1)
f0 = record_f0(waves, 100.0)
print(f"median f0 {np.median(f0):.2f} Hz, target 3.00 Hz")

figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
grid = frequencies()
curves = hvsr_curves(waves, 100.0, grid)
axis.loglog(grid, curves.T, color="0.8", linewidth=0.5)
axis.loglog(grid, np.median(curves, axis=0), label="median of 20 generated")
axis.loglog(frequency, target, "--", color="0.2", label="target")
axis.set_xlim(1, 20)
axis.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
axis.set_yticks([1, 2, 5], ["1", "2", "5"])
axis.minorticks_off()
axis.set_xlabel("frequency (Hz)")
axis.set_ylabel("H/V spectral ratio")
axis.legend()

plt.show()
