"""
A pool from your own records
============================

The network is frozen: it codes records of any station, and a pool is the codes of one station. Here
the records are simulated, eight events at XT.SOFT, a soft site with f0 2 Hz.
"""

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import obspy_tng as tng

NETWORK = next(p for p in map(Path, ("data_samples/network", "../data_samples/network")) if p.is_dir())

records = tng.read_records(
    sorted(NETWORK.glob("*.mseed")), inventory=NETWORK / "stations.xml", events=NETWORK / "events.xml"
)
pool = tng.build_pool(records, station="XT.SOFT", kind="simulated", about={"source": "obspy-tng sample records"})
print(f"{pool.code}: {len(pool)} records, {pool.kind}, f0 {pool.f0_hz:.2f} Hz, {pool.about['made_of']}")

# %%
# ``pool.save("XT.SOFT.h5")`` keeps it; ``tng.generate("XT.SOFT", pool="XT.SOFT.h5")`` finds it again.
stream = tng.generate(pool=pool, n=20, seed=3)
print(stream[:3])

# %%
# Generated beside the pool's own records: the site is the same, the records are new.
own = [r for r in records if r.code == "XT.SOFT"]
curves = {
    "records": tng.hvsr(own, band_hz=(0.5, 20), window="full"),
    "generated": tng.hvsr(stream, band_hz=(0.5, 20), window="full", units="m/s2"),
}
figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
for label, dataset in curves.items():
    curve = dataset.curve.isel(station=0)
    axis.loglog(dataset.frequency, curve, label=f"{label}, {dataset.sizes['record']}")
    peak_hz = float(dataset.frequency[int(curve.values.argmax())])
    print(f"{label}: largest H/V {float(curve.max()):.1f} at {peak_hz:.2f} Hz")
axis.axvline(2.0, color="0.5", linestyle=":", label="f0 of the layers, 2 Hz")
axis.set_xlim(0.5, 20)
axis.set_xticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
axis.set_yticks([1, 2, 5], ["1", "2", "5"])
axis.minorticks_off()
axis.set_xlabel("frequency (Hz)")
axis.set_ylabel("H/V spectral ratio")
axis.legend()

# %%
# Averaging shrinks the spread from event to event; the default sampler gives back much of it.
print("sd of ln PGA of the records:", np.std(np.log(pool.pga_mps2), ddof=1).round(2))
for sampler in ("vp", "mean"):
    waves = np.array([t.data for t in tng.generate(pool=pool, n=30, seed=3, sampler=sampler)])
    pga = np.abs(waves.reshape(30, 3, -1)[:, :2]).max(axis=(1, 2))
    print(f"sd of ln PGA, sampler {sampler}: {np.std(np.log(pga), ddof=1):.2f}")

plt.show()
