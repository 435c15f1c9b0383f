"""How many hosts: f0 of recorded stations taken as sites of which only the median H/V curve is known.

    python benchmarks/hosts.py --corpus runs/corpus

Each of ten Ridgecrest stations with a clear f0 in turn is a target, all others are its hosts, as in
`obspy_tng.adjustment.retarget`, but of all their records, made once for all targets. f0 of the records made is compared
with that of its own records as `afad.py` does.
"""

import argparse

import numpy as np
from afad import distances
from site_generation import stations

from obspy_tng.adjustment import GLANCE, ITERATIONS, REALISATIONS, apply_ratio
from obspy_tng.corpus import Corpus
from obspy_tng.models.cores import on_all_cores
from obspy_tng.pool import LatentPool, pool_files
from obspy_tng.preprocessing import land
from obspy_tng.site.curves import hvsr_array
from obspy_tng.site.timesnet_gen import hvsr_curves, record_f0
from obspy_tng.synthesis import model_of, realise

HZ = np.geomspace(1, 20, 104)
BINS = np.linspace(1, 20, 21)


def main():
    """Print a row per number of hosts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="runs/corpus")
    parser.add_argument("--hosts", type=int, nargs="+", default=[1, 3, 5, 7, 10])
    parser.add_argument("--targets", type=int, default=10)
    parser.add_argument("-n", type=int, default=60, help="records judged, per host")
    args = parser.parse_args()
    pools = {code: LatentPool.load(path) for code, path in pool_files().items()}
    pools = {code: pool for code, pool in pools.items() if pool.kind == "recorded"}
    model = model_of(next(iter(pools.values())))
    waves = {c: realise(p, model, "vp", 0, range(REALISATIONS + args.n))[0] for c, p in pools.items()}
    seen = {code: curves(x[:REALISATIONS]) for code, x in waves.items()}
    targets = [code for code, pool in pools.items() if np.isfinite(pool.f0_hz)][::2][: args.targets]
    real, made = {}, {}
    for code, (_, own, _) in stations(Corpus(args.corpus), targets).items():
        real[code] = record_f0(own, 100.0)
        wanted = np.log(np.median(hvsr_curves(own, 100.0, HZ), axis=0))
        away = {c: np.abs(wanted - np.median(x[:GLANCE], axis=0)).mean() for c, x in seen.items() if c != code}
        made[code] = [adjusted_f0(waves[c], seen[c], wanted) for c in sorted(away, key=away.get)[: max(args.hosts)]]
    print(f"{'hosts':>5} {'alignment':>10} {'on 40 bins':>11} {'JS distance':>12} {'W1 of f0 (Hz)':>14}")
    for n in args.hosts:
        drawn = np.mean([distances(real, drawn_of(made, n, seed), BINS) for seed in range(20)], axis=0)
        print("{:5d} {:10.3f} {:11.3f} {:12.3f} {:14.3f}".format(n, *drawn))


def curves(waves):
    """Return ln H/V (n, frequency) of generated records."""

    def one(i):
        return hvsr_array(land(waves[i : i + 1]), 100.0, HZ, compat="timesnet-gen")[0]

    return np.log(np.array(on_all_cores(one, range(len(waves)))))


def adjusted_f0(waves, ln_curves, wanted):
    """Return f0 of a host's records that its ratio was not found with."""
    ln_ratio, some = np.zeros(len(HZ)), waves[: len(ln_curves)]
    for k in range(1 + ITERATIONS):
        now = curves(apply_ratio(some, HZ, ln_ratio)) if k else ln_curves
        ln_ratio = ln_ratio + wanted - np.median(now, axis=0)
    return record_f0(apply_ratio(waves[len(ln_curves) :], HZ, ln_ratio), 100.0)


def drawn_of(made, n, seed):
    """Return 200 f0 of each target from its n nearest hosts."""
    rng = np.random.default_rng(seed)
    return {code: rng.choice(np.concatenate(each[:n]), 200) for code, each in made.items()}


if __name__ == "__main__":
    main()
