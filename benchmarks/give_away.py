"""Can a classifier tell (C2ST)? AUC of real records against generated ones and baselines, by group of features.

    python benchmarks/give_away.py --corpus runs/corpus

Stations no network was trained on, pools of all their records with a signal/noise ratio of 2 or more. Means over event
splits; .5: nobody can tell.
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
    args = parser.parse_args()
    rows = measured(args.corpus, args.splits, args.only, args.n)
    print(f"{'':22}" + "".join(f"{name:>15}" for name in rows))
    for label in rows["real vs real"]:
        print(f"{label:22}" + "".join(f"{row[label]:15.3f}" for row in rows.values()))


def measured(corpus, splits: int, only, n: int) -> dict:
    """Return {set: {group of features: AUC}}, "real vs real" first."""
    data = stations(Corpus(corpus), TARGETS)
    made: dict[str, list] = {name: [] for name in only}
    parents = []
    for records, waves, ids in data.values():
        for name in made.keys() & GENERATORS.keys():
            model = tng.load_model(GENERATORS[name][0])
            pool = tng.build_pool(records, model=model)
            made[name].append(realise(pool, model, GENERATORS[name][1], 3, range(n))[0])
        if "mean of five" in made:
            mixed, rows = baselines.mean_of_five(waves, n, np.random.default_rng(0))
            made["mean of five"].append(mixed)
            parents.append(ids[rows])
    codes = np.concatenate([np.full(len(w), c) for c, (_, w, _) in data.items()])
    real = c2st.describe(
        np.concatenate([w for _, w, _ in data.values()]), 100.0, codes, np.concatenate([i for *_, i in data.values()])
    )
    found = {"real vs real": c2st.real_floor(real, n_splits=4 * splits)}
    for name, waves in made.items():
        event = np.concatenate(parents) if name == "mean of five" else None
        other = c2st.describe(np.concatenate(waves), 100.0, np.repeat(list(data), n), event)
        found[name] = c2st.c2st(real, other, n_splits=splits)
    return {
        name: {"counts": s.auc} | {k: v.mean() for k, v in (s.classifiers | s.groups).items()}
        for name, s in found.items()
    }


if __name__ == "__main__":
    main()
