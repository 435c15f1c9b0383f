"""Can a classifier tell (C2ST)? AUC of real records against generated ones and baselines, by group of features.

    python benchmarks/give_away.py --corpus runs/corpus

Stations no network was trained on, pools of all their records with a signal/noise ratio of 2 or more. Means over event
splits, and over seeds of the records, whose least and largest AUC stand below. .5: nobody can tell.
"""

import argparse

import numpy as np
from site_generation import GENERATORS, stations

import obspy_tng as tng
from obspy_tng.corpus import Corpus
from obspy_tng.evaluation import baselines, c2st
from obspy_tng.synthesis import realise
from obspy_tng.training import TARGETS

SETS = ("energy vp", "waveform vp", "mean of five")


def main():
    """Print a row per set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="runs/corpus")
    parser.add_argument("--splits", type=int, default=8)
    parser.add_argument("--only", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("-n", type=int, default=60, help="records per station and set")
    parser.add_argument("--seeds", type=int, default=1, help="sets of records")
    args = parser.parse_args()
    rows = measured(args.corpus, args.splits, args.only, args.n, args.seeds)
    print(f"{'':22}" + "".join(f"{name:>15}" for name in rows))
    for label in next(iter(rows.values())):
        print(f"{label:22}" + "".join(f"{np.mean(row[label]):15.3f}" for row in rows.values()))
    if args.seeds > 1:
        ranges = (f"{min(row['counts']):.3f}-{max(row['counts']):.3f}" for row in rows.values())
        print(f"{'counts, by seed':22}" + "".join(f"{x:>15}" for x in ranges))


def measured(corpus, splits: int, only, n: int, seeds: int = 1) -> dict:
    """Return {set: {group of features: AUC by seed}}, "real vs real" first, which has one."""
    data = stations(Corpus(corpus), TARGETS)
    made: dict[str, list] = {name: [[] for _ in range(seeds)] for name in only}  # by seed and station
    parents: list[list] = [[] for _ in range(seeds)]
    for records, waves, ids in data.values():
        for name in made.keys() & GENERATORS.keys():
            model = tng.load_model(GENERATORS[name][0])
            pool = tng.build_pool(records, model=model)
            for k in range(seeds):
                made[name][k].append(realise(pool, model, GENERATORS[name][1], 3 + k, range(n))[0])
        if "mean of five" in made:
            for k in range(seeds):
                mixed, rows = baselines.mean_of_five(waves, n, np.random.default_rng(k))
                made["mean of five"][k].append(mixed)
                parents[k].append(ids[rows])
    codes = np.concatenate([np.full(len(w), c) for c, (_, w, _) in data.items()])
    real = c2st.describe(
        np.concatenate([w for _, w, _ in data.values()]), 100.0, codes, np.concatenate([i for *_, i in data.values()])
    )
    found = {"real vs real": [c2st.real_floor(real, n_splits=4 * splits)]}
    for name, sets in made.items():
        found[name] = []
        for waves, ids in zip(sets, parents, strict=True):
            event = np.concatenate(ids) if name == "mean of five" else None
            other = c2st.describe(np.concatenate(waves), 100.0, np.repeat(list(data), n), event)
            found[name].append(c2st.c2st(real, other, n_splits=splits))
    return {name: _by_seed(scores) for name, scores in found.items()}


def _by_seed(scores):
    """Return the AUC of the classifier that counts, of all, and of groups of features, a value per seed."""
    each = [{"counts": s.auc} | {k: v.mean() for k, v in (s.classifiers | s.groups).items()} for s in scores]
    return {label: [one[label] for one in each] for label in each[0]}


if __name__ == "__main__":
    main()
