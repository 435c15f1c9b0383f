"""
What a code says
================

A pool keeps no waveforms, only how the energy of each record is spread over time, frequency and
component. Here is the code of one record of CI.CWC, two accelerograms made of it, and a mix of three.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

import obspy_tng as tng
from obspy_tng import sampling, spectral, spectral_extra
from obspy_tng.pool import find_pool
from obspy_tng.preprocessing import land

pool = find_pool("CI.CWC")
model = tng.load_model(pool.model)
row = int(np.argmin(np.abs(pool.magnitude - 4.2)))
code, ln_scale = pool.latents[row], pool.ln_sd[row]
parts = model.unpack(code[None])
s_minus_p_s, onset_s = np.exp(parts.ln_sp[0]), spectral_extra.split_extra(parts.extra[0]).onset_s
print(f"{pool.parents[row]}: M {pool.magnitude[row]}, {pool.distance_km[row]:.0f} km, S-P {s_minus_p_s:.1f} s")
print(f"{code.size} numbers, {parts.code[0].size} of them coded by the network")

# %%
# The decoder makes of the code a smooth power of each component. Its frames are dense at P and S and
# ever wider into the coda. The spectrum of the whole record, which carries the site, stands in the
# code as it is.
ln_power = model.power(parts)[0]  # (component, frame, band)
p_s = spectral.P_AT_S + onset_s
times_s = spectral.lattice(s_minus_p_s, p_s)

# %%
# Realisations have this power and phases of their own: the same earthquake at the same site, drawn
# again. Their waveforms are unrelated.
rng = np.random.default_rng(1)
again = land(np.array([model.render(code, ln_scale, rng) for _ in range(2)]))
print("correlation of the two:", np.corrcoef(again[0, 0], again[1, 0])[0, 1].round(2))

# %%
# A mix of codes is a code: energies are mixed, not waveforms laid over each other, so there is still
# one P and one S.
mixture, members = sampling.draw("vp", rng, pool.groups, model.mixed)
mixed = mixture.apply(pool.latents, members)
new = land(model.render(mixed, mixture.apply(pool.ln_sd, members), rng)[None])[0]
print("mix:", *(f"{w:.2f} × {pool.parents[k]}" for w, k in zip(mixture.weights, mixture.indices, strict=True)))

# %%
# Left: power of the east component, decoded or of the accelerogram on the right, relative to the
# record's own scale. Right, at the top: the spectrum.
measured = spectral.describe(again, np.full(2, p_s + s_minus_p_s)).ln_power
told = model.unpack(mixed[None])
mixed_s = spectral.lattice(np.exp(told.ln_sp[0]), spectral.P_AT_S + spectral_extra.split_extra(told.extra[0]).onset_s)
rows = [
    ("decoded", ln_power[0], times_s, None),
    ("of a realisation", spectral.smooth_power(measured[0])[0], times_s, again[0]),
    ("of another", spectral.smooth_power(measured[1])[0], times_s, again[1]),
    ("of a mix of records, decoded", model.power(told)[0][0], mixed_s, new),
]
figure, axes = plt.subplots(4, 2, figsize=(10, 9), layout="constrained")
for (left, right), (label, power, seconds, wave) in zip(axes, rows, strict=True):
    inside = seconds < 57
    grid = seconds[inside], spectral.BAND_HZ[1:], power[inside, 1:].T
    shade = left.pcolormesh(*grid, shading="nearest", vmin=-12, vmax=-2, rasterized=True)
    left.set(yscale="log", xlim=(0, 57), ylabel="frequency (Hz)")
    left.set_yticks([0.5, 1, 2, 5, 10, 20, 50], ["0.5", "1", "2", "5", "10", "20", "50"])
    left.minorticks_off()
    left.set_title(f"ln power, {label}", loc="left", fontsize=10)
    if wave is not None:
        right.plot(np.arange(wave.shape[1]) / 100, wave[0], linewidth=0.6)
        right.set(xlim=(0, 57), ylabel="m/s²")
figure.colorbar(shade, ax=axes[:, 0], location="left", aspect=60)
axes[0, 1].loglog(spectral.SPEC_HZ, np.exp(parts.ln_spectrum[0] + ln_scale[:, None]).T / 100, label=["E", "N", "Z"])
axes[0, 1].set_title("Fourier amplitude (m/s) against frequency (Hz)", loc="left", fontsize=10)
axes[0, 1].legend()
for axis in axes[-1]:
    axis.set_xlabel("time (s)")

plt.show()
