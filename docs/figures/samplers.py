"""What samplers keep of the scatter of a pool: amplitudes of its records and of mixes."""

import matplotlib.pyplot as plt
import numpy as np

from obspy_tng import sampling
from obspy_tng.pool import find_pool

pool = find_pool("CI.WMF")
scale = pool.ln_sd.reshape(len(pool), -1).mean(axis=1)
grid = np.linspace(scale.mean() - 4, scale.mean() + 4, 200)


def density(values):
    """Return a Gaussian kernel estimate on the grid."""
    width = 1.06 * values.std() * len(values) ** -0.2
    return np.exp(-0.5 * ((grid[:, None] - values) / width) ** 2).sum(axis=1) / (
        len(values) * width * np.sqrt(2 * np.pi)
    )


figure, axis = plt.subplots(figsize=(7, 3))
axis.fill_between(grid, density(scale), color="0.85", label=f"{len(pool)} records, σ {scale.std(ddof=1):.2f}")
for name in ("vp", "mean", "dirichlet", "encoded"):
    rng, mixed = np.random.default_rng(1), []
    for _ in range(1500):
        mixture, members = sampling.draw(name, rng, pool.groups, 3)
        mixed.append(mixture.apply(scale, members))
    axis.plot(grid, density(np.array(mixed)), label=f"{name}, σ {np.std(mixed):.2f}")
axis.set(xlabel="ln scale of the record", ylabel="density", ylim=(0, None))
axis.legend()
