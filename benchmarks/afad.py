"""f0 of generated records of the five AFAD stations beside that of the real ones, which no pool has seen.

    python benchmarks/afad.py --data ../shared/data

f0 as the published code defines it. Alignment (TimesNet-Gen, section II-E): Pearson correlation of the 10 x 10 matrix
of 1 - JS distance between f0 histograms (real, generated; 20 bins of 1-20 Hz) with the ideal block matrix.
"""

import argparse
from pathlib import Path

import numpy as np

import obspy_tng as tng
from obspy_tng.site.timesnet_gen import record_f0

STATIONS = ("0205", "1716", "2020", "3130", "4628")


def js_distance(p, q):
    """Return the Jensen-Shannon distance (base 2) of two histograms."""
    p, q = (h / h.sum() + 1e-10 for h in (p, q))
    m = (p + q) / 2
    divergence = 0.5 * (p * np.log2(p / m)).sum() + 0.5 * (q * np.log2(q / m)).sum()
    return np.sqrt(max(divergence, 0.0))


def alignment(groups, bins):
    """Return the score of groups of f0 lists: station i of group a should match station i of every group only."""
    histograms = [np.histogram(f, bins)[0] for group in groups for f in group]
    matrix = np.array([[1 - js_distance(a, b) for b in histograms] for a in histograms])
    n = len(groups[0])
    ideal = np.tile(np.eye(n), (len(groups), len(groups)))
    return np.corrcoef(matrix.ravel(), ideal.ravel())[0, 1]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("-n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    real, made, authors = [], [], []
    print(f"{'station':8} {'median f0 (Hz) real':>20} {'generated':>10} {'middle half, real':>20} {'generated':>16}")
    for station in STATIONS:
        with np.load(args.data / "timesnet_gen_reference" / f"hvsr_f0_station_{station}.npz") as file:
            real.append(file["f0_real"].astype(float))
            authors.append(file["f0_timesnet"].astype(float))
            bins = file["f0_bins"]
        stream = tng.generate(station, n=args.n, seed=args.seed)
        waves = np.array([t.data for t in stream], dtype=float).reshape(args.n, 3, -1)
        made.append(record_f0(waves, 100.0))
        quartiles = ["{:.2f}-{:.2f}".format(*np.quantile(f, [0.25, 0.75])) for f in (real[-1], made[-1])]
        print(
            f"{station:8} {np.median(real[-1]):20.2f} {np.median(made[-1]):10.2f} {quartiles[0]:>20} {quartiles[1]:>16}"
        )
    print(f"alignment, real and generated:                    {alignment([real, made], bins):.3f}")
    print(f"alignment, real and the authors' reconstructions: {alignment([real, authors], bins):.3f}")
    flat = [np.full(args.n, np.median(f)) for f in real]
    print(f"alignment, real and the station's median always:  {alignment([real, flat], bins):.3f}")


if __name__ == "__main__":
    main()
