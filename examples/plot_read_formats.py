"""
Read strong-motion files
========================

obspy-tng teaches ``obspy.read`` three more formats: DYNA (AFAD-TADAS, ESM, ITACA), NSMN (AFAD text
until 2018) and AT2 (PEER/NGA). The files keep their own numbers in gal or g; ``stats.calib`` is the
factor to m/s².
"""

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import obspy

import obspy_tng as tng

DATA = next(p for p in (Path("data_samples"), Path("../data_samples")) if p.is_dir())

# %%
# With ``apply_calib=True`` the samples are m/s², whatever the file holds.
files = {
    "AFAD-TADAS .asc": "20210214030714_0099_mp_RawAcc_N.asc",
    "ESM .ASC": "IT.TNG2..HNN.D.20210214.030714.C.ACC.ASC",
    "AFAD text until 2018": "20160509102033_0098.txt",
    "PEER AT2": "RSN99004_SIMULATED_TNG4-360.AT2",
}
figure, axes = plt.subplots(len(files), 1, figsize=(8, 7), layout="constrained")
for axis, (label, name) in zip(axes, files.items(), strict=True):
    trace = obspy.read(str(DATA / name), apply_calib=True)[0]
    axis.plot(trace.times(), trace.data, linewidth=0.6)
    axis.set_title(f"{label}: {trace.id}, {trace.stats._format}", loc="left", fontsize=9)
    axis.set_ylabel("m/s²")
    print(f"{label:21} {trace.id:15} {np.abs(trace.data).max():.4f} m/s²")
axes[-1].set_xlabel("time (s)")

# %%
# The header of the file stays with the trace.
stream = obspy.read(str(DATA / files["AFAD-TADAS .asc"]))
print(stream[0].stats.event)
print(stream[0].stats.coordinates)

# %%
# Most of the package works on records: three components in m/s² in the order E, N, Z. Read without
# ``apply_calib`` here: `obspy_tng.records` applies ``stats.calib`` itself. Folders, globs and zip
# archives are read member by member; what is no record is listed with its reason.
records = tng.read_records(DATA / "20210214030714_0099.zip")
for record in records:
    print(record.id, record.data.shape, record.units, f"M {record.magnitude}", f"{record.distance_km:.1f} km")
for name, reason in records.skipped:
    print("skipped", name, "-", reason)

plt.show()
