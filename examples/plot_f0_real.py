"""
f0 of a real station, from one record
=====================================

BW.RJOB, Jochberg, at the edge of the Bavarian Alps: the local earthquake of 24 August 2009 that ObsPy
brings as its example. One record is little. This is what one can say of it, and what one cannot.
"""

# %%
# A short-period velocity record in counts; the responses are in ObsPy's example inventory. Any Stream
# and any Inventory will do: files, an archive, an FDSN client.
import matplotlib.pyplot as plt
import numpy as np
import obspy

import obspy_tng as tng

stream = obspy.read()
inventory = obspy.read_inventory()
(record,) = tng.records(stream, inventory=inventory)
print(record.id, record.data.shape, record.units, f"{record.sampling_rate:g} Hz")
print("largest acceleration of E, N, Z (m/s²):", np.abs(record.data).max(axis=1))

# %%
# H/V of the S window, 20 s from 0.5 s before S. No picks are given, so S is found by the energy of the
# record. Only frequencies count at which the window stands three times above the noise before P.
curves = tng.hvsr([record], window="s")
f0 = tng.pick_f0(curves).isel(station=0)
found = f"{f0.f0_hz.item():.2f} Hz, H/V {f0.a0.item():.1f}" if np.isfinite(f0.f0_hz) else "none"
print(f"f0: {found}. {f0.reason.item()}")

# %%
# How much of it is choice? Five smoothings and combinations of the horizontals:
choices = {
    "ko:40, quadratic": {},
    "ko:20": {"smoothing": "ko:20"},
    "ko:80": {"smoothing": "ko:80"},
    "geometric mean": {"horizontal": "geometric"},
    "RotD50": {"horizontal": "rotd50"},
}
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
seconds = np.arange(record.npts) / record.sampling_rate
step = 1.5 * np.abs(record.data).max() * 1e6
for row, (name, wave) in enumerate(zip("ENZ", record.data * 1e6, strict=True)):
    left.plot(seconds, wave - row * step, linewidth=0.6, label=name)
left.set_yticks([0, -step, -2 * step], ["E", "N", "Z"])
left.set_title(f"{record.code}, largest {np.abs(record.data).max() * 1e6:.1f} µm/s²", loc="left", fontsize=10)
left.set_xlabel("time (s)")
for label, options in choices.items():
    curve = tng.hvsr([record], window="s", **options).isel(station=0)
    right.loglog(curve.frequency, curve.curve, label=label, linewidth=2 if not options else 0.9)
right.axhline(2, color="0.6", linewidth=0.7, linestyle=":")
right.set_xlim(0.5, 20)
right.set_xticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
right.set_yticks([0.5, 1, 2, 5], ["0.5", "1", "2", "5"])
right.minorticks_off()
right.set_title("H/V of the S window; a clear peak reaches 2", loc="left", fontsize=10)
right.set_xlabel("frequency (Hz)")
right.legend(fontsize=8)

# %%
# With a dozen earthquakes the same call gives a curve with its scatter, and f0 with an interval: see
# :ref:`sphx_glr_gallery_plot_f0.py`.
plt.show()
