"""Draw the picture of README: a real record of CI.CWC beside a generated one, and the H/V of all.

    python benchmarks/draw_real_beside_generated.py --data ../shared/data

CI.CWC took no part in training the network; its pool holds codes of the real records drawn here. The real record is
the one of median PGA, the generated one is the first of seed 1 for its magnitude and distance: neither was chosen.
Waveforms: SCEDC, network CI (doi:10.7914/SN/CI).
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import obspy

import obspy_tng as tng
from obspy_tng.pool import find_pool
from obspy_tng.preprocessing import SAMPLING_RATE_HZ, cut, resampled, window_start

STATION, N = "CI.CWC", 100
REAL, GENERATED = "0.25", "#2166ac"
SHOWN_S = (5.0, 50.0)  # of the 60 s; P is at 10 s


def real_records(data: Path):
    """Return the real records of the pool, 60 s each: waves (n, 3, 6000) in m/s², magnitudes, distances in km."""
    folder = data / "ridgecrest"
    pool = find_pool(STATION)
    inventory, events = obspy.read_inventory(folder / "stations.xml"), obspy.read_events(folder / "events.xml")
    network, station = STATION.split(".")
    stream = obspy.Stream()
    for event in sorted({parent.rpartition(".")[2] for parent in pool.parents}):
        path = folder / "waveforms" / f"{event}.mseed"
        stream += obspy.read(str(path)).select(network=network, station=station)
    records = [record for record in tng.records(stream, inventory, events) if record.id in pool.parents]
    records = [resampled(record) for record in records]
    waves = np.array([cut(record.data, window_start(record)) for record in records])
    return waves, [r.magnitude for r in records], [r.distance_km for r in records]


def draw(real, generated, curves, title):
    """Return the figure."""
    figure, axes = plt.subplot_mosaic(
        [[f"real{c}", f"made{c}", "hv"] for c in "ENZ"], figsize=(11, 4.2), layout="constrained",
        width_ratios=(1, 1, 0.9),
    )  # fmt: skip
    limit = 1.05 * max(np.abs(real).max(), np.abs(generated).max())
    seconds = np.arange(real.shape[1]) / SAMPLING_RATE_HZ
    for row, component in enumerate("ENZ"):
        for key, wave, colour in (("real", real, REAL), ("made", generated, GENERATED)):
            axis = axes[f"{key}{component}"]
            axis.plot(seconds, wave[row], color=colour, linewidth=0.5)
            axis.set(xlim=SHOWN_S, ylim=(-limit, limit))
            axis.tick_params(labelbottom=component == "Z", labelleft=key == "real")
        axes[f"real{component}"].set_ylabel(f"{component} (m/s²)")
    for key, label in (("real", "recorded"), ("made", "generated")):
        axes[f"{key}E"].set_title(f"{label}, {title}", loc="left", fontsize=10)
        axes[f"{key}Z"].set_xlabel("time (s)")
    axis = axes["hv"]
    for (label, dataset), colour in zip(curves.items(), (REAL, GENERATED), strict=True):
        one, hz = dataset.isel(station=0), dataset.frequency.values
        ln, sd = np.log(one.curve.values), one.sigma_ln.values
        axis.loglog(hz, np.exp(ln), color=colour, label=f"{label}, {dataset.sizes['record']} records")
        axis.fill_between(hz, np.exp(ln - sd), np.exp(ln + sd), color=colour, alpha=0.2, linewidth=0)
    axis.set(xlim=(0.5, 20), xlabel="frequency (Hz)")
    axis.set_xticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
    axis.set_yticks([0.5, 1, 2, 5], ["0.5", "1", "2", "5"])
    axis.minorticks_off()
    axis.set_title("H/V: median, ± one standard deviation", loc="left", fontsize=10)
    axis.legend(fontsize=9, frameon=False)
    return figure


def main():
    """Draw it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the real records")
    parser.add_argument("--out", type=Path, default=Path("docs/_static/real_and_generated.png"), help="figure to write")
    args = parser.parse_args()
    waves, magnitudes, distances_km = real_records(args.data)
    pga = np.abs(waves[:, :2]).max(axis=(1, 2))
    k = int(np.argsort(pga)[len(pga) // 2])
    condition = {"magnitude": magnitudes[k], "distance_km": distances_km[k]}
    one = np.array([trace.data for trace in tng.generate(STATION, 1, seed=1, **condition)])
    many = tng.generate(STATION, N, seed=1)
    made = np.array([trace.data for trace in many]).reshape(N, 3, -1)
    how = {"sampling_rate_hz": SAMPLING_RATE_HZ, "window": "full", "band_hz": (0.5, 20.0)}
    curves = {"recorded": tng.hvsr(waves, **how), "generated": tng.hvsr(made, **how)}
    figure = draw(waves[k], one, curves, f"M {magnitudes[k]:.1f}, {distances_km[k]:.0f} km")
    figure.suptitle(f"Station {STATION}, California", fontsize=11, x=0.01, ha="left")
    figure.savefig(args.out, dpi=150)
    print(f"{args.out}: {len(waves)} real records, the one drawn has PGA {pga[k]:.4f} m/s²")


if __name__ == "__main__":
    main()
