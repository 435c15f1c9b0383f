"""The standard benchmark: every sampler and every naive baseline on Ridgecrest stations, by event splits.

    python benchmarks/site_generation.py --corpus runs/corpus --out benchmarks/site_generation.json

Per split the events of the corpus, common to all stations, are halved: one half makes the pools a generator draws
from, the other judges the site measures (H/V, f0, shape of PSA); amplitude, duration and arrivals are compared with the
pool's own records. "real vs real" compares the two halves, "copy" draws real records of the pool: what copying
reaches. "energy" generators mix codes of the spectral network (the default), "waveform" ones codes of the paper's: its
zero-shot mode is "waveform mean", its version 3 "waveform dirichlet". Stations are the five no shipped model was
trained on. Means over stations and splits, 95 % range of the splits.
"""

import argparse
import json
import os
import sys
import time

import numpy as np

import obspy_tng as tng
from obspy_tng.corpus import Corpus
from obspy_tng.evaluation import baselines, features, novelty, sets
from obspy_tng.evaluation.intensity import PERIODS_S
from obspy_tng.evaluation.scores import HELDOUT_MEASURES, POOL_MEASURES, PSA_BAND_S, against_heldout, against_pool
from obspy_tng.evaluation.statistics import event_splits, interval
from obspy_tng.models import DEFAULT, WAVEFORM
from obspy_tng.preprocessing import land, signal_to_noise, windows
from obspy_tng.synthesis import realise
from obspy_tng.training import TARGETS

GENERATORS = {  # name -> model, sampler
    "energy vp": (DEFAULT, "vp"),
    "energy mean": (DEFAULT, "mean"),
    "energy dirichlet": (DEFAULT, "dirichlet"),
    "waveform vp": (WAVEFORM, "vp"),
    "waveform mean": (WAVEFORM, "mean"),
    "waveform dirichlet": (WAVEFORM, "dirichlet"),
}
BASELINES = {
    "mean of five": lambda waves, n, rng: baselines.mean_of_five(waves, n, rng, min(5, len(waves)))[0],
    "phase-shuffled": lambda waves, n, rng: baselines.phase_shuffled(waves, rng),
    "phase-scrambled": lambda waves, n, rng: baselines.phase_scrambled(waves, rng),
}
NOVELTY = (
    "largest correlation, over real", "its 95th percentile, over real", "largest power correlation, over real",
    "95th percentile of power, over real", "share above real p99",
)  # fmt: skip
NAMES = [m.name for m in POOL_MEASURES + HELDOUT_MEASURES] + list(NOVELTY)
IN_BAND = (np.array(PERIODS_S) >= PSA_BAND_S[0]) & (np.array(PERIODS_S) <= PSA_BAND_S[1])
PRINTED = (
    "lnPGA bias", "σ lnPGA ratio", "D5–95 ratio", "PSA ln bias, largest", "|Δ lnHVSR|", "σ lnHVSR ratio", "W1 ln f0",
    "alignment", "S picked, difference", "onsets, difference", *NOVELTY,
)  # fmt: skip


def stations(corpus, codes):
    """Return code -> (records, conditioned waveforms (n, 3, npts), events)."""
    every, out = np.array(corpus.codes()), {}
    for code in codes:
        records = [r for r in corpus.records(np.flatnonzero(every == code)) if not signal_to_noise(r) < 2.0]
        x, ln_sd, _ = windows(records)
        waves = land(x.astype(float) * np.exp(ln_sd)[..., None])
        out[code] = records, waves, np.array([r.event_id for r in records])
    return out


def likeness(made, pool):
    """Return the novelty columns of one station."""
    found = novelty.novelty(made, pool)
    numbers = novelty.summary(found)
    percentiles = [numbers[f"{name}_p95"] / numbers[f"{name}_real_p95"] for name in ("correlation", "power")]
    return [numbers["correlation_ratio"], percentiles[0], numbers["power_ratio"], percentiles[1], numbers["above_p99"]]


def parsed(words=None):
    """Return the options of a command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="runs/corpus")
    parser.add_argument("--only", nargs="+", default=list(GENERATORS), choices=list(GENERATORS))
    parser.add_argument("--stations", nargs="+", default=list(TARGETS))
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("-n", type=int, default=24, help="realisations per station and split")
    parser.add_argument("--pool-size", type=int, default=None, help="records of each pool; all of the half left out")
    parser.add_argument("--baselines", nargs="*", default=list(BASELINES), choices=list(BASELINES))
    parser.add_argument("--without-baselines", action="store_const", const=[], dest="baselines", help="none of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--out", default=None, help="JSON file")
    return parser.parse_args(words)


def main():
    """Print the table and write JSON."""
    args = parsed()
    report(*measured(args), args)


def measured(args, models=None):
    """Return {generator: measures of every split} and {generator: PSA ln bias of every split}; `models` by name."""
    began, models = time.time(), models or {n: tng.load_model(n) for n in {GENERATORS[g][0] for g in args.only}}
    data = stations(Corpus(args.corpus), args.stations)
    whole = sets.join([sets.of_arrays(waves, code, ids) for code, (_, waves, ids) in data.items()])
    real = features.compute(whole, jobs=args.jobs)
    row = {code: np.flatnonzero(whole.station == code) for code in data}
    table: dict[str, list] = {}
    psa: dict[str, list] = {}
    for number, (mine, held) in enumerate(event_splits(whole.event, args.splits, np.random.default_rng(0))):
        rng = np.random.default_rng(number)
        made = {name: {} for name in (*args.only, *args.baselines)}
        drawn = []
        for code, (records, waves, _) in data.items():
            chosen = np.intersect1d(mine, row[code]) - row[code][0]
            if args.pool_size:
                chosen = np.sort(rng.permutation(chosen)[: args.pool_size])
            drawn.append(rng.choice(chosen, args.n) + row[code][0])
            pools = {n: tng.build_pool([records[i] for i in chosen], model=model) for n, model in models.items()}
            for name in args.only:
                model, sampler = GENERATORS[name]
                made[name][code] = realise(pools[model], models[model], sampler, number, range(args.n))[0]
            for name in args.baselines:
                made[name][code] = BASELINES[name](waves[chosen], args.n, rng)
        pool, target = real.take(mine), real.take(held)
        copies = np.concatenate(drawn)
        samples = {"real vs real": (target, pool, held), "copy": (real.take(copies), target, copies)}
        scores = {}
        for name, (sample, judge, _) in samples.items():
            scores[name] = against_pool(sample, pool, list(data)), against_heldout(sample, judge, list(data))
        waveforms = {n: {c: whole.data[np.intersect1d(i, row[c])] for c in data} for n, (_, _, i) in samples.items()}
        for name, by_station in made.items():
            batch = sets.join([sets.of_arrays(waves, code) for code, waves in by_station.items()])
            sample = features.compute(batch, jobs=args.jobs)
            scores[name] = against_pool(sample, pool, list(data)), against_heldout(sample, target, list(data))
        for name, (a, b) in scores.items():
            waves = made.get(name) or waveforms[name]
            near = [likeness(waves[c][:20], whole.data[np.intersect1d(mine, row[c])]) for c in data]
            table.setdefault(name, []).append([*a.overall, *b.overall, *np.mean(near, axis=0)])
            psa.setdefault(name, []).append(a.curves[0][:, IN_BAND])
        print(f"split {number + 1} of {args.splits}, {time.time() - began:.0f} s", file=sys.stderr)
    return table, psa


def report(table, psa, args):
    """Print the measures that matter, write all."""
    codes = list(args.stations)
    found = {name: interval(values) for name, values in table.items()}
    print(f"{', '.join(codes)}; {args.splits} event splits, {args.n} realisations per station and split")
    print(f"{'':38}" + "".join(f"{name:>24}" for name in found))
    for measure in PRINTED:
        i = NAMES.index(measure)
        cells = [f"{x.mean[i]:.2f} ({x.low[i]:.2f}..{x.high[i]:.2f})" for x in found.values()]
        print(f"{measure:38}" + "".join(f"{cell:>24}" for cell in cells))
    print("PSA ln bias, mean of splits and stations, least and largest of the periods from 0.05 to 3 s:")
    for name, curves in psa.items():
        bias = np.nanmean(curves, axis=(0, 1))
        print(f"{name:38}{bias.min():+.2f} at {np.array(PERIODS_S)[IN_BAND][bias.argmin()]:.2g} s", end="")
        print(f"{bias.max():+7.2f} at {np.array(PERIODS_S)[IN_BAND][bias.argmax()]:.2g} s")
    if args.out:
        plain = {
            name: {m: [None if not np.isfinite(v) else round(float(v), 4) for v in (x.mean[i], x.low[i], x.high[i])]
                   for i, m in enumerate(NAMES)}
            for name, x in found.items()
        }  # fmt: skip
        with open(args.out, "w", encoding="utf-8") as file:
            about = {"stations": codes, "splits": args.splits, "n": args.n}
            json.dump({**about, "mean, low, high": plain}, file, indent=1, ensure_ascii=False)
            file.write("\n")


if __name__ == "__main__":
    main()
