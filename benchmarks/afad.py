"""f0 of generated records of the five AFAD stations beside that of the real ones, which no pool has seen.

    python benchmarks/afad.py --data ../shared/data

f0 as the published code defines it. Alignment (TimesNet-Gen, section II-E): Pearson correlation of the 10 x 10 matrix
of 1 - JS distance between f0 histograms (real, generated; 20 bins of 1-20 Hz) with the ideal block matrix. The authors'
reconstructions are of the very records they are compared with; how near records of the same station are that are not
the same ones is told by two halves of the real f0 lists.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import gaussian_kde

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
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4])
    args = parser.parse_args()
    print(f"{'station':8} {'median f0 (Hz) real':>20} {'generated':>10} {'middle half, real':>20} {'generated':>16}")
    real, made, rows, misfit = measured(args.data, args.n, args.seeds)
    for station in STATIONS:
        pair = real[station], made[station]
        quartiles = ["{:.2f}-{:.2f}".format(*np.quantile(f, [0.25, 0.75])) for f in pair]
        medians = "{:20.2f} {:10.2f}".format(*map(np.median, pair))
        print(f"{station:8} {medians} {quartiles[0]:>20} {quartiles[1]:>16}")
    print(f"{'':40} {'alignment':>10} {'on 40 bins':>11} {'JS distance':>12} {'W1 of f0 (Hz)':>14}")
    for text, row in rows.items():
        print(f"{text:40} {row[0]:10.3f} {row[1]:11.3f} {row[2]:12.3f} {row[3]:14.3f}")
    print(f"median H/V curves of the generated records, rms ln difference: {misfit:.3f}")


def measured(data: Path, n: int, seeds):
    """Return f0 of real records and of those of the first seed, rows of `distances`, and the misfit of the curves."""
    real, authors, curve = {}, {}, {}
    for station in STATIONS:
        with np.load(data / "timesnet_gen_reference" / f"hvsr_f0_station_{station}.npz") as file:
            real[station], authors[station], bins = file["f0_real"], file["f0_timesnet"], file["f0_bins"]
            curve[station] = file["hvsr_freq_real"], file["hvsr_median_real"]
    rows, misfit, first = [], [], {}
    for seed in seeds:
        made = {}
        for station, (frequency, median) in curve.items():
            stream = tng.generate(station, n=n, seed=seed)
            waves = np.array([t.data for t in stream], dtype=float).reshape(n, 3, -1)
            made[station] = record_f0(waves, 100.0)
            middle = np.median(hvsr_curves(waves, 100.0, frequency), axis=0)
            misfit.append(np.sqrt(np.mean(np.log(middle / median) ** 2)))
        first = first or made
        rows.append(distances(real, made, bins))
    flat = {station: np.full(n, np.median(f)) for station, f in real.items()}
    lines = {
        f"real and generated, mean of {len(rows)} seeds": np.mean(rows, axis=0),
        "  its range over seeds": np.ptp(rows, axis=0),
        "one half of real and the other, 100 draws": np.mean(halves(real, n, bins), axis=0),
        "real and the authors' reconstructions": distances(real, authors, bins),
        "real and the station's median always": distances(real, flat, bins),
        "real and log-normals fitted to the lists": np.mean(drawn(real, n, bins, log_normal), axis=0),
        "real and kernel estimates of the lists": np.mean(drawn(real, n, bins, kernel), axis=0),
    }
    return real, first, lines, np.mean(misfit)


def halves(real, n, bins, draws=100):
    """Return `distances` of half of the real records and n drawn from the other half: what is between real and real."""
    rng, out = np.random.default_rng(0), []
    for _ in range(draws):
        mixed = {station: rng.permutation(f) for station, f in real.items()}
        one = {station: f[: len(f) // 2] for station, f in mixed.items()}
        other = {station: rng.choice(f[len(f) // 2 :], n) for station, f in mixed.items()}
        out.append(distances(one, other, bins))
    return out


def drawn(real, n, bins, law, draws=100):
    """Return `distances` of the real lists and n values of a law fitted to each of them: a generator told the lists."""
    rng = np.random.default_rng(1)
    return [distances(real, {s: np.exp(law(rng, np.log(f), n)) for s, f in real.items()}, bins) for _ in range(draws)]


def log_normal(rng, ln_f0, n):
    """Return n draws of the normal law of mean and sd of the values."""
    return rng.normal(ln_f0.mean(), ln_f0.std(), n)


def kernel(rng, ln_f0, n):
    """Return n draws of a Gaussian kernel estimate, of Scott's width."""
    return gaussian_kde(ln_f0).resample(n, seed=rng)[0]


def distances(real, other, bins):
    """Return alignment on the files' bins and on 40, mean JS distance and mean W1 of f0."""
    away = station_distances(real, other, bins=bins)
    on = [scores(real, generated=other, bins=b).distance for b in (bins, FINE)]
    return [*on, away.js_distance.mean(), away.w1_f0_hz.mean()]


if __name__ == "__main__":
    main()
