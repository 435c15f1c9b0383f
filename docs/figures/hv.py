"""From a record to a point of its station's curve: the S window, its spectra, their ratio."""

import matplotlib.pyplot as plt
import numpy as np

import obspy_tng as tng
from obspy_tng.site import smoothing, spectra

NETWORK = "data_samples/network"
META = {"inventory": f"{NETWORK}/stations.xml", "events": f"{NETWORK}/events.xml"}

records = [r for r in tng.read_records(f"{NETWORK}/*.mseed", **META) if r.code == "XT.SOFT"]
curves = tng.hvsr(records)
record = records[0]
start_s, end_s = curves.window_start_s.values[0], curves.window_end_s.values[0]
rate = record.sampling_rate
window = record.data[:, round(start_s * rate) : round(end_s * rate)]
hz = np.fft.rfftfreq(window.shape[1], 1 / rate)
spectrum = spectra.fourier(window, 0.1) / rate
centre_hz = np.geomspace(0.5, 20, 200)
smooth = smoothing.smoothing_matrix(window.shape[1], rate, centre_hz, "ko:40")
parts = {"horizontal": spectra.horizontal(*spectrum[:2]), "vertical": np.abs(spectrum[2])}

figure = plt.figure(figsize=(9, 5.2))
axes = figure.subplot_mosaic([["wave", "wave"], ["spectra", "ratio"]])
seconds = np.arange(record.data.shape[1]) / rate
for row, (name, colour) in enumerate(zip("ENZ", ("C0", "C2", "C1"), strict=True)):
    axes["wave"].plot(seconds, record.data[row] / np.abs(record.data).max() - 1.2 * row, colour, linewidth=0.6)
    axes["wave"].text(0.3, -1.2 * row + 0.25, name)
axes["wave"].axvspan(start_s, end_s, color="0.88", zorder=0)
axes["wave"].set(
    title=f"{record.code}: acceleration, S window shaded", xlabel="time (s)", yticks=[], xlim=(0, seconds[-1])
)
for (name, values), colour in zip(parts.items(), ("C0", "C1"), strict=True):
    axes["spectra"].loglog(hz[1:], values[1:], colour, alpha=0.25, linewidth=0.6)
    axes["spectra"].loglog(centre_hz, smooth @ values, colour, label=name)
axes["spectra"].set(
    title="Fourier amplitude (m/s), smoothed", xlabel="frequency (Hz)", xlim=(0.5, 20), ylim=(1e-5, None)
)
axes["spectra"].legend()
axes["ratio"].loglog(curves.frequency, curves.hvsr.T, "0.8", linewidth=0.6)
axes["ratio"].loglog(curves.frequency, curves.hvsr[0], "C0", linewidth=1, label="this record")
axes["ratio"].loglog(curves.frequency, curves.curve[0], "0.2", label=f"log-mean of {len(records)}")
axes["ratio"].axvline(2.0, color="C3", linestyle=":", label="the layers: 2 Hz")
axes["ratio"].set(title="H/V", xlabel="frequency (Hz)", xlim=(0.5, 20))
axes["ratio"].legend(loc="upper right", fontsize=8)
for name in ("spectra", "ratio"):
    axes[name].set_xticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
    axes[name].minorticks_off()
axes["ratio"].set_yticks([0.5, 1, 2, 5], ["0.5", "1", "2", "5"])
