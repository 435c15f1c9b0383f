"""Noise times the root of a decoded power, band by band, adds up to a record."""

import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import butter, sosfilt

import obspy_tng as tng
from obspy_tng import spectral, spectral_extra
from obspy_tng.pool import find_pool

BANDS_HZ = (1.0, 3.5, 10.0)
RATE_HZ, NPTS = 100.0, 5700

pool = find_pool("CI.CWC")
model = tng.load_model(pool.model)
row = int(np.argmin(np.abs(pool.magnitude - 4.2)))
parts = model.unpack(pool.latents[row][None])
p_s = spectral.P_AT_S + spectral_extra.split_extra(parts.extra[0]).onset_s
frames_s = spectral.lattice(np.exp(parts.ln_sp[0]), p_s)
ln_power = model.power(parts)[0][0]  # (frame, band) of E
seconds = np.arange(NPTS) / RATE_HZ
noise = np.random.default_rng(2).normal(size=NPTS)
motion = model.render(pool.latents[row], pool.ln_sd[row], np.random.default_rng(1))

figure, axes = plt.subplots(4, 2, figsize=(9, 6), sharex=True)
for (left, right), hz in zip(axes, BANDS_HZ, strict=False):
    band = butter(2, (hz / 1.25, hz * 1.25), "bandpass", fs=RATE_HZ, output="sos")
    narrow = sosfilt(band, noise)
    root = np.exp(np.interp(seconds, frames_s, ln_power[:, np.argmin(np.abs(spectral.BAND_HZ - hz))]) / 2)
    left.plot(seconds, narrow / narrow.std(), "0.6", linewidth=0.4)
    left.set(title=f"noise about {hz:g} Hz", yticks=[])
    right.plot(seconds, root * narrow / narrow.std(), "C0", linewidth=0.4)
    right.plot(seconds, 2 * root, "C3", linewidth=0.9)
    right.set(title=f"times √power at {hz:g} Hz (red: twice that)", yticks=[])
axes[3, 0].plot(frames_s, np.arange(len(frames_s)), ".", markersize=3)
axes[3, 0].set(title="the 128 frames: dense at P and S", xlabel="time (s)", ylabel="frame")
axes[3, 1].plot(seconds, motion[0][:NPTS], "C0", linewidth=0.5)
axes[3, 1].set(
    title="all bands, spectrum corrected: acceleration E", xlabel="time (s)", xlim=(0, seconds[-1]), yticks=[]
)
