"""Does the 68 % interval of f0 hold the truth in 68 % of cases? Simulated sites, 20 records each.

    python benchmarks/f0_coverage.py --sites 450
    python benchmarks/f0_coverage.py --sites 150 --seed 101 --choose

Sites and records are those of `f0_rule` (soil only). The truth is the lowest clear peak of the same pipeline's curve
from 5,000 records. A station whose curve of 20 records has no clear peak, or a site whose curve of 5,000 has none, is
counted apart; another peak than the true one counts as a miss. ``--choose`` compares ways to make an interval; it was
used with other seeds than the report.
"""

import argparse

import numpy as np
import xarray as xr
from f0_rule import BAND_HZ, FREQUENCY_HZ, KINDS, WRONG, draw_site, records

from obspy_tng.site.curves import lognormal
from obspy_tng.site.f0 import MIN_SUPPORT, pick_f0
from obspy_tng.site.peaks import clear_peaks
from obspy_tng.site.uncertainty import mean_curves, resampled_curves, same_peak, stretch

N_TRUTH = 5000


def picked(curves: np.ndarray):
    """Return pick_f0's verdict of one station's curves (record, f)."""
    coords = {"frequency": FREQUENCY_HZ, "station": ["XX.A"], "record_station": ("record", ["XX.A"] * len(curves))}
    dataset = xr.Dataset({"hvsr": (("record", "frequency"), curves)}, coords, {"band_hz": BAND_HZ})
    return pick_f0(dataset).isel(station=0)


def true_peak(curves: np.ndarray) -> float:
    """Return the lowest clear peak of the mean of many curves in Hz, NaN for none."""
    found = [p.frequency_hz for p in clear_peaks(lognormal(curves)[0], FREQUENCY_HZ)]
    return next((f for f in found if BAND_HZ[0] <= f <= BAND_HZ[1]), np.nan)


def candidates(curves: np.ndarray, rng: np.random.Generator, n_trials: int = 200) -> dict:
    """Return f0 and the limits of several kinds of interval, all in ln f; {} without a clear peak."""
    n = len(curves)
    logs, valid, usable = np.log(curves), np.isfinite(curves), np.ones(FREQUENCY_HZ.size, bool)
    mean = mean_curves(np.ones((1, n)), logs, valid, usable)[0]
    again = resampled_curves(logs, valid, usable, n, n_trials, rng)
    trials = [np.array([p.frequency_hz for p in clear_peaks(c, FREQUENCY_HZ)]) for c in again]
    for peak in clear_peaks(mean, FREQUENCY_HZ):
        same = np.log(same_peak(trials, peak.frequency_hz))
        if BAND_HZ[0] <= peak.frequency_hz <= BAND_HZ[1] and same.size >= MIN_SUPPORT * n_trials:
            break
    else:
        return {}
    f0, (low, high), sd = np.log(peak.frequency_hz), np.quantile(same, (0.16, 0.84)), same.std()
    wide = stretch(n)
    delta = wide * np.sqrt((n - 1) / n) * _delta(logs, f0)
    out = {
        "percentile": (low, high),
        "basic": (2 * f0 - high, 2 * f0 - low),
        "bias-corrected": _bias_corrected(same, f0),
        "normal": (f0 - sd, f0 + sd),
        "normal, widened": (f0 - wide * sd, f0 + wide * sd),
        "Student, delta method": (f0 - delta, f0 + delta),
        "percentile, widened": (f0 + wide * (low - f0), f0 + wide * (high - f0)),
    }
    return {"f0": f0} | out


def _delta(logs, f0):
    """Return the standard error of the parabola's vertex from the influence of every record."""
    x = np.log(FREQUENCY_HZ) - f0
    near = np.abs(x) <= 0.1
    basis = np.stack([np.ones(near.sum()), x[near], x[near] ** 2], axis=1)
    _, b, a = np.linalg.lstsq(basis, logs[:, near].T, rcond=None)[0]
    influence = -(b - b.mean()) / (2 * a.mean()) + b.mean() * (a - a.mean()) / (2 * a.mean() ** 2)
    return influence.std(ddof=1) / np.sqrt(len(logs))


def _bias_corrected(same, f0):
    from scipy.stats import norm

    z0 = norm.ppf(np.clip((same < f0).mean() + (same == f0).mean() / 2, 0.02, 0.98))
    return np.quantile(same, norm.cdf(2 * z0 + norm.ppf([0.16, 0.84])))


def main():
    """Print coverage, non-detections and widths."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=450)
    parser.add_argument("--records", type=int, default=20)
    parser.add_argument("--seed", type=int, default=2022)
    parser.add_argument("--choose", action="store_true", help="compare kinds of interval; five stations per site")
    args = parser.parse_args()
    kinds, found, no_truth, none = measured(args.sites, args.records, args.seed, args.choose)
    print(
        f"{args.sites} sites, {args.records} records each, seed {args.seed}: {no_truth} without a clear peak in "
        f"{N_TRUTH} records, {none} stations where none was detected, {len(found)} with f0"
    )
    off = np.array([f["f0"] for f in found])
    other = np.abs(off) > WRONG
    rms = 100 * np.sqrt((off[~other] ** 2).mean())
    print(f"f0 more than 20 % off (counted as misses): {100 * other.mean():.1f} %; rms of the rest {rms:.1f} %")
    error = 100 * np.sqrt(0.68 * 0.32 / len(found))
    for name in list(found[0])[1:]:
        low, high = np.array([f[name] for f in found]).T
        inside = (low <= 0) & (high >= 0)
        sides = f"truth below {100 * (low > 0).mean():4.1f}, above {100 * (high < 0).mean():4.1f} %"
        width = f"median width {100 * np.median(high - low):4.1f} %"
        print(f"{name:24} covers {100 * inside.mean():5.1f} % (± {error:.1f}); {sides}; {width}")
        for kind in () if args.choose else KINDS[:3]:
            mine = np.array(kinds) == kind
            if mine.any():
                print(f"    {kind}: {100 * inside[mine].mean():.1f} % of {mine.sum()}")


def measured(n_sites: int, n_records: int, seed: int, choose: bool = False, n_truth: int = N_TRUTH):
    """Return kinds and ln errors (f0, limits) of stations with f0, and how many had no truth, and how many no f0."""
    rng = np.random.default_rng(seed)
    kinds, found, no_truth, none = [], [], 0, 0
    for i in range(n_sites):
        site = draw_site(rng, KINDS[i % 3])
        curves = records(site, n_truth, rng)
        truth = np.log(true_peak(curves))
        if np.isnan(truth):
            no_truth += 1
            continue
        # fresh records: those of the truth would pull it towards the estimate
        stations = records(site, n_records * (5 if choose else 1), rng).reshape(-1, n_records, curves.shape[1])
        for station in stations:
            if choose:
                limits = candidates(station, rng)
            else:
                one = picked(station)
                limits = {"f0": np.log(one.f0_hz.item()), "interval": np.log([one.f0_low_hz, one.f0_high_hz])}
            if limits and np.isfinite(limits["f0"]):
                found.append({name: np.asarray(value) - truth for name, value in limits.items()})
                kinds.append(KINDS[i % 3])
            else:
                none += 1
    return kinds, found, no_truth, none


if __name__ == "__main__":
    main()
