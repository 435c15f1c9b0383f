"""f0 of generated records of the five AFAD stations beside that of the real ones, which no pool has seen.

    python benchmarks/afad.py --data ../shared/data

f0 as the published code defines it. Alignment (TimesNet-Gen, section II-E): Pearson correlation of the 10 x 10 matrix
of 1 - JS distance between f0 histograms (real, generated; 20 bins of 1-20 Hz) with the ideal block matrix.
"""

import argparse
from pathlib import Path

import numpy as np

import obspy_tng as tng
from obspy_tng.evaluation.alignment import scores, station_distances
from obspy_tng.site.timesnet_gen import hvsr_curves, record_f0

STATIONS = ("0205", "1716", "2020", "3130", "4628")
FINE = np.linspace(1, 20, 41).astype(np.float32)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("-n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    real, made, authors, misfit = {}, {}, {}, []
    print(f"{'station':8} {'median f0 (Hz) real':>20} {'generated':>10} {'middle half, real':>20} {'generated':>16}")
    for station in STATIONS:
        with np.load(args.data / "timesnet_gen_reference" / f"hvsr_f0_station_{station}.npz") as file:
            real[station] = file["f0_real"]
            authors[station] = file["f0_timesnet"]
            bins = file["f0_bins"]
            frequency, median = file["hvsr_freq_real"], file["hvsr_median_real"]
        stream = tng.generate(station, n=args.n, seed=args.seed)
        waves = np.array([t.data for t in stream], dtype=float).reshape(args.n, 3, -1)
        made[station] = record_f0(waves, 100.0)
        curve = np.median(hvsr_curves(waves, 100.0, frequency), axis=0)
        misfit.append(np.sqrt(np.mean(np.log(curve / median) ** 2)))
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
        away = station_distances(real, other, bins=bins)
        print(
            f"{text} alignment {scores(real, generated=other, bins=bins).distance:.3f}, on 40 bins "
            f"{scores(real, generated=other, bins=FINE).distance:.3f}; mean JS distance {away.js_distance.mean():.3f}; "
            f"mean W1 of f0 {away.w1_f0_hz.mean():.3f} Hz"
        )
    print(f"median H/V curves of the generated records, rms ln difference: {np.mean(misfit):.3f}")


if __name__ == "__main__":
    main()
