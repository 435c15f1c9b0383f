"""
Microtremor
===========

Forty minutes of ambient noise above a layer that resonates at 1.5 Hz to the east and at 1.8 Hz to the
north, and somebody walking by: windows of fixed length, rejection, azimuths, SESAME's criteria.
"""

# %%
import tempfile
from pathlib import Path

import numpy as np

import obspy_tng as tng
from obspy_tng.plotting_site import plot_azimuths, plot_hvsr
from obspy_tng.site import hv_file

RATE_HZ, LENGTH_S = 100.0, 2400
rng = np.random.default_rng(4)
white = rng.normal(size=(3, int(LENGTH_S * RATE_HZ)))


def resonator(x, f0_hz, gain=5.0, damping=0.15):
    """Return white noise x with a resonance: its spectrum times `gain` at f0, times 1 far from it."""
    ratio = np.fft.rfftfreq(x.size, 1 / RATE_HZ) / f0_hz
    bump = 2j * damping * ratio / (1 - ratio**2 + 2j * damping * ratio)
    return np.fft.irfft(np.fft.rfft(x) * (1 + (gain - 1) * bump), x.size)


data = np.stack([resonator(white[0], 1.5), resonator(white[1], 1.8), white[2]])
for second in (310, 905, 1500):
    steps = slice(int(second * RATE_HZ), int((second + 15) * RATE_HZ))
    data[:2, steps] += 40 * np.sin(2 * np.pi * 0.6 * np.arange(15 * RATE_HZ) / RATE_HZ)

# %%
# Every window of 60 s is a row. ``cox:2`` leaves out those whose peak lies apart; the mask stays in
# the Dataset. Azimuths come from rotated spectra, without another Fourier transform.
curves = tng.hvsr(
    data,
    sampling_rate_hz=RATE_HZ,
    window="sliding:60",
    band_hz=(0.3, 20),
    azimuth_step_deg=10,
    reject="cox:2",
    n_traces=1,
)
f0 = tng.pick_f0(curves)
print(f"{curves.accepted.sum().item()} of {curves.sizes['record']} windows kept; out: {curves.rejection}")
print(f"f0 {f0.f0_hz.item():.2f} Hz ({f0.f0_low_hz.item():.2f}-{f0.f0_high_hz.item():.2f})")

# %%
# SESAME's criteria are data, with what was compared:
verdict = tng.sesame(curves, f0)
print(verdict.verdict.item())
for criterion in verdict.criterion.values:
    one = verdict.sel(criterion=criterion).isel(station=0)
    mark = "+" if one.passed.item() else "-"
    print(f"{mark} {criterion:24}{one.value.item():8.3g}{one.threshold.item():8.3g}   {one.rule.item()}")

# %%
# The page of the station: what was rejected is dashed.
whole = [(str(curves.trace_record_id.values[0]), data, RATE_HZ)]
page = plot_hvsr(curves, f0, traces=whole, sesame=verdict)
folder = Path(tempfile.mkdtemp())
page.savefig(folder / "microtremor.png", dpi=120, bbox_inches="tight")

# %%
# The two directions of the layer:
azimuths = plot_azimuths(curves, f0)
azimuths.savefig(folder / "azimuths.png", dpi=120, bbox_inches="tight")
print("f0 along the azimuths:", curves.f0_azimuth_hz.isel(station=0).values.round(2))

# %%
# As Geopsy computes it, into a file Geopsy opens:
geopsy = tng.hvsr(data, sampling_rate_hz=RATE_HZ, compat="geopsy", window=60)
hv_file.write(folder / "microtremor.hv", geopsy)
print((folder / "microtremor.hv").read_text(encoding="utf-8")[:400])
