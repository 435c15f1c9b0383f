"""
How good are generated records?
===============================

Earthquakes simulated at a soft site (f0 2 Hz) and a stiff one (6 Hz). Twelve make the pools, twelve
more are held out. Records generated from the pools are measured against both, beside the noise floor
and naive baselines.
"""

# %%
import numpy as np
from obspy import Stream, UTCDateTime

import obspy_tng as tng
from obspy_tng.evaluation import figures
from obspy_tng.evaluation.text import as_text

SITES = {  # thickness (m), vs (m/s), density (t/m³), damping; f0 = vs / 4 thickness
    "SOFT": ((25.0, 200.0, 1.8, 0.02), (0.0, 800.0, 2.2, 0.005)),
    "STIFF": ((15.0, 360.0, 1.9, 0.02), (0.0, 1500.0, 2.2, 0.005)),
}
rng = np.random.default_rng(1)
stream = Stream()
for number in range(24):
    magnitude, distance_km = rng.uniform(3.5, 5.0), rng.uniform(15, 45)
    for row, (station, layers) in enumerate(SITES.items()):
        stream += tng.simulate(
            layers, magnitude, distance_km, station=station, seed=2 * number + row,
            starttime=UTCDateTime(2024, 1, 1 + number),
        )  # fmt: skip
records = tng.records(stream)
pool = [r for r in records if r.starttime < UTCDateTime(2024, 1, 13)]
print(f"{len(records)} records, {len(pool)} of them for the pools")

# %%
# ``pool`` is what the generator drew from. Amplitude, duration and novelty are judged by it; H/V and
# f0 by the events it does not hold. The trained classifiers (C2ST) take minutes and are left out.
generated = Stream()
for station in SITES:
    made_of = tng.build_pool(pool, station=f"XX.{station}", kind="simulated", about={"source": "tng.simulate"})
    generated += tng.generate(pool=made_of, n=20, seed=1)
result = tng.evaluate(records, generated, pool=pool, c2st=False, n_splits=20)

# %%
# One line per measure: the value of the generated records, the range of 95 % of the splits, "=" where it
# is inside the floor, and the same measure for real records, copies and three naive baselines.
print(as_text(result))

# %%
# The result is an xarray Dataset. Copies would have a correlation of 1 with a pool record.
novelty = result.novelty.sel(likeness="correlation", statistic="median")
print(novelty.to_series().round(2).to_string())

# %%
# H/V of the soft site: median with its standard deviation, and (thin) average.
soft = figures.hvsr(result, "XX.SOFT")

# %%
# Response spectra: amplitude and its spread.
spectra = figures.response(result, "XX.SOFT")

# %%
# ``tng.report(result, "report.html")`` puts all of it on one page.
