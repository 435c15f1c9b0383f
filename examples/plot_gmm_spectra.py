"""
Response spectra of an ensemble against a ground-motion model
=============================================================

Fifty records for CI.WMF, M 4.5 at 40 km, beside two published models. A pool is of one station and a
few dozen small earthquakes; a ground-motion model is of many stations. They need not agree: the
difference is the site, the region and the sequence.
"""

# %%
# ``magnitude`` and ``distance_km`` follow a regression on the pool's own records (M 2.0 to 5.4,
# Ridgecrest 2019). It is no ground-motion model, and reaches little beyond these records.
import matplotlib.pyplot as plt
import numpy as np
import pygmm

import obspy_tng as tng
from obspy_tng.evaluation import intensity
from obspy_tng.evaluation.gmm import gmm_residuals

MAGNITUDE, DISTANCE_KM, VS30_MPS = 4.5, 40.0, 760.0  # Vs30 is assumed: none was measured at CI.WMF
stream = tng.generate("CI.WMF", n=50, magnitude=MAGNITUDE, distance_km=DISTANCE_KM, seed=1)
waves = np.array([trace.data for trace in stream], dtype=float).reshape(50, 3, -1)  # m/s², E N Z

# %%
# 5 % damped RotD50, as the models predict it, in g.
periods_s = np.geomspace(0.02, 5, 40)
psa_g = intensity.psa(waves[:, :2], 100.0, periods_s) / intensity.GRAVITY_MPS2
low, median, high = np.quantile(psa_g, [0.16, 0.5, 0.84], axis=0)

figure, axis = plt.subplots(figsize=(6.5, 5), layout="constrained")
axis.loglog(periods_s, psa_g.T, color="0.8", linewidth=0.4, zorder=0)
axis.loglog(periods_s, median, color="#2166ac", linewidth=2, label="generated: median, 16-84 %")
axis.fill_between(periods_s, low, high, color="#2166ac", alpha=0.2)
models = {
    "Boore et al. (2014)": (pygmm.BooreStewartSeyhanAtkinson2014, {"dist_jb": DISTANCE_KM, "mechanism": "U"}),
    "Abrahamson et al. (2014)": (
        pygmm.AbrahamsonSilvaKamai2014,
        {"dist_rup": np.hypot(DISTANCE_KM, 8.0), "dist_jb": DISTANCE_KM, "mechanism": "SS", "dip": 90.0},
    ),
}
for (label, (model, scenario)), colour in zip(models.items(), ("#b2182b", "#e08214"), strict=True):
    told = model(pygmm.Scenario(mag=MAGNITUDE, v_s30=VS30_MPS, **scenario))
    axis.loglog(told.periods, told.spec_accels, color=colour, label=f"{label}: median, ± σ")
    for sign in (-1, 1):
        axis.loglog(told.periods, told.spec_accels * np.exp(sign * told.ln_stds), "--", color=colour, linewidth=0.8)
axis.set_xlim(0.02, 5)
axis.set_ylim(3e-6, 0.3)
axis.set_xlabel("period (s)")
axis.set_ylabel("PSA, RotD50, 5 % (g)")
axis.set_title(f"CI.WMF, M {MAGNITUDE}, {DISTANCE_KM:g} km; models at Vs30 {VS30_MPS:g} m/s", loc="left", fontsize=10)
axis.legend(fontsize=8)

# %%
# The same as numbers: ln(generated / median of the model). One station and one sequence have a narrower
# scatter than a model of many.
ln_psa = np.log(psa_g * intensity.GRAVITY_MPS2)
residuals, remark = gmm_residuals(
    {"psa_mps2": ln_psa}, [MAGNITUDE] * 50, [DISTANCE_KM] * 50, periods_s=periods_s, vs30_mps=VS30_MPS
)
for period_s in (0.1, 0.3, 1.0, 3.0):
    k = int(np.argmin(np.abs(np.log(periods_s / period_s))))
    one = residuals["psa_mps2"][:, k]
    print(f"PSA {periods_s[k]:4.2f} s: ln residual to BSSA14 {one.mean():+.2f}, σ {one.std(ddof=1):.2f}")
print(remark or "inside the range of the model")

plt.show()
