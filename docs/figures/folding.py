"""What a TimesBlock does: a series folded by one of its periods becomes an image whose columns are alike."""

import matplotlib.pyplot as plt
import numpy as np

PERIOD = 24
time = np.arange(20 * PERIOD)
rng = np.random.default_rng(3)
series = np.sin(2 * np.pi * time / PERIOD + 0.6 * np.sin(time / 90)) * np.exp(-(((time - 200) / 130) ** 2))
series += 0.12 * rng.normal(size=len(time))

figure, axes = plt.subplots(1, 3, figsize=(9, 2.6), width_ratios=(2, 1.4, 1))
axes[0].plot(time, series, linewidth=0.8)
axes[0].set(title="series $h$", xlabel="step")
power = np.abs(np.fft.rfft(series)) ** 2
periods = len(time) / np.arange(4, 60)
axes[1].semilogx(periods, power[4:60])
axes[1].axvline(PERIOD, color="C3", linestyle=":")
axes[1].set_xticks([10, 24, 100], ["10", "24", "100"])
axes[1].minorticks_off()
axes[1].set(title="energy $A_p$ by period", xlabel="period $p$ (steps)", yticks=[])
axes[2].imshow(series.reshape(-1, PERIOD), aspect="auto", cmap="RdBu")
axes[2].set(title="fold$_{24}(h)$", xlabel="step in the period", ylabel="period")
