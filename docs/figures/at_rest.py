"""Acceleration, velocity and displacement of one generated record, integrated as it is."""

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import cumulative_trapezoid

import obspy_tng as tng

trace = tng.generate("CI.CWC", magnitude=4.2, distance_km=80, seed=4)[1]
seconds = trace.times()
acceleration = trace.data.astype(float)
velocity = cumulative_trapezoid(acceleration, seconds, initial=0)
displacement = cumulative_trapezoid(velocity, seconds, initial=0)

figure, axes = plt.subplots(3, 1, figsize=(7, 4.5), sharex=True)
for ax, values, label in zip(axes, (acceleration, velocity, displacement), ("mm/s²", "mm/s", "mm"), strict=True):
    ax.axhline(0, color="0.7", linewidth=0.6)
    ax.plot(seconds, 1e3 * values, "C0", linewidth=0.6)
    ax.set_ylabel(label)
ends = [np.abs(x[-50:]).mean() / np.abs(x).max() for x in (velocity, displacement)]
axes[0].set_title("acceleration, velocity and displacement N of a generated record", fontsize=10)
axes[2].set(xlabel="time (s)", xlim=(0, seconds[-1]))
axes[2].text(
    0.01, 0.06, f"in the last 0.5 s: {ends[0]:.3f} of the largest velocity, {ends[1]:.3f} of the largest displacement",
    transform=axes[2].transAxes, fontsize=8,
)  # fmt: skip
