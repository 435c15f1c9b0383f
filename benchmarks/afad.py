"""f0 of generated records of the five AFAD stations beside that of the real ones, which no pool has seen.

    python benchmarks/afad.py --data ../shared/data

f0 as the published code defines it. Alignment (TimesNet-Gen, section II-E): Pearson correlation of the 10 x 10 matrix
of 1 - JS distance between f0 histograms (real, generated; 20 bins of 1-20 Hz) with the ideal block matrix.
"""

import argparse
from pathlib import Path

import numpy as np

import obspy_tng as tng
from obspy_tng.evaluation.alignment import scores
from obspy_tng.site.timesnet_gen import record_f0

STATIONS = ("0205", "1716", "2020", "3130", "4628")


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("-n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    real, made, authors = {}, {}, {}
    print(f"{'station':8} {'median f0 (Hz) real':>20} {'generated':>10} {'middle half, real':>20} {'generated':>16}")
    for station in STATIONS:
        with np.load(args.data / "timesnet_gen_reference" / f"hvsr_f0_station_{station}.npz") as file:
            real[station] = file["f0_real"]
            authors[station] = file["f0_timesnet"]
            bins = file["f0_bins"]
        stream = tng.generate(station, n=args.n, seed=args.seed)
        waves = np.array([t.data for t in stream], dtype=float).reshape(args.n, 3, -1)
        made[station] = record_f0(waves, 100.0)
        pair = (real[station], made[station])
        quartiles = ["{:.2f}-{:.2f}".format(*np.quantile(f, [0.25, 0.75])) for f in pair]
        medians = "{:20.2f} {:10.2f}".format(*map(np.median, pair))
        print(f"{station:8} {medians} {quartiles[0]:>20} {quartiles[1]:>16}")
    flat = {station: np.full(args.n, np.median(f)) for station, f in real.items()}
    for text, other in (
        ("real and generated:                   ", made),
        ("real and the authors' reconstructions:", authors),
        ("real and the station's median always: ", flat),
    ):
        print(f"alignment, {text} {scores(real, generated=other, bins=bins).distance:.3f}")


if __name__ == "__main__":
    main()
