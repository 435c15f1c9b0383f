"""All systems in one table: TimesNet-Gen, the default, CVAE, HEGGS, copies and naive baselines, by event splits.

    obspy-tng train runs/corpus --model heggs --epochs 22 --batch 16 --learning-rate 0.002 --threads 1 --out runs/heggs
    python benchmarks/systems.py --corpus runs/corpus --heggs runs/heggs --work runs/equal --out benchmarks/systems.json

TimesNet-Gen "conditioned" and both CVAEs are trained by `equal_time`: the same records, the same thread time (about
30 min in all, when they are not there yet). "Zero-shot" is the shipped waveform model, the default the shipped spectral
one; neither saw the five stations. What was trained on them ("seen") saw 34 of the 42 events, on both sides of every
split: the splits part pools from judges, not trainings.

Per split the events are halved. One half makes the pools, and judges amplitude, duration and arrivals; the other judges
H/V, f0 and alignment. HEGGS has no pools: it makes motion of the earthquakes and places of the pool's records, drawn
like copies; its windows are moved so that the predicted P stands where it does in the others; amplitudes scatter as its
card tells ("median": they do not). A cell is the mean of the
splits and the range that holds 95 % of them. Alignment differences are paired: both systems on the same split.

What is done is kept per system in --work/scores and not done again; --only does some systems, for several processes.
"""

import argparse
import json
import sys
import time
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import equal_time
import numpy as np
import site_generation as common
from heggs import load

import obspy_tng as tng
from obspy_tng import event_scatter
from obspy_tng.corpus import Corpus
from obspy_tng.evaluation import arrivals, features, intensity, sets, site
from obspy_tng.evaluation.scores import HELDOUT_MEASURES, POOL_MEASURES, against_heldout, against_pool
from obspy_tng.evaluation.statistics import event_splits, interval
from obspy_tng.models import DEFAULT, WAVEFORM
from obspy_tng.models.cores import one_thread
from obspy_tng.preprocessing import NPTS, P_AT_S, SAMPLING_RATE_HZ, land
from obspy_tng.synthesis import realise
from obspy_tng.training import TARGETS

MEASURES = (
    "alignment", "|Δ lnHVSR|", "σ lnHVSR ratio", "W1 ln f0", "lnPGA bias", "σ lnPGA ratio", "D5–95 ratio",
    "S picked, difference", "largest correlation, over real", "largest power correlation, over real",
)  # fmt: skip
HEADS = ("alignment", "Δ lnHVSR", "σ lnHVSR", "W1 ln f0", "lnPGA bias", "σ lnPGA", "D5-95", "S picked", "cc/real",
         "power/real")  # fmt: skip
NAMES = [m.name for m in POOL_MEASURES + HELDOUT_MEASURES] + list(common.NOVELTY)
SEED = 0
FLOOR = "real vs real"  # one half of the events against the other
HEGGS_DRAWS = 2  # realisations of each recorded condition
BLOCK = 16  # records measured at once
LIKENED = 12  # records per station and split that are compared with every record of the pool


class Data:
    """Real records of the stations, measured once, and the splits."""

    def __init__(self, corpus, splits, n):
        self.n, self.by_station = n, common.stations(corpus, TARGETS)
        self.records = [r for records, _, _ in self.by_station.values() for r in records]
        items = [sets.of_arrays(waves, code, ids) for code, (_, waves, ids) in self.by_station.items()]
        self.whole = sets.join(items)
        self.real = measured(self.whole)[0]
        self.splits = event_splits(self.whole.event, splits, np.random.default_rng(SEED))

    def members(self, rows, code):
        """Return those of `rows` that are records of a station."""
        return rows[self.whole.station[rows] == code]

    def drawn(self, number, rng_of=0):
        """Return rows drawn from the pools of a split, n per station: what copies and HEGGS are made of."""
        rng = np.random.default_rng([SEED, number, rng_of])
        return np.concatenate([rng.choice(self.members(self.splits[number][0], c), self.n) for c in TARGETS])


# A system: called with the data and the number of a split, returns features and waveforms (n, 3, npts) of its sample.


def of_pool(model, sampler):
    """Return a system that mixes the codes of each split's pools."""
    loaded = tng.load_model(model)
    pools: dict = {}

    def sample(data, number):
        if not pools:
            pools.update({c: tng.build_pool(r, model=loaded) for c, (r, _, _) in data.by_station.items()})
        made = []
        for code in TARGETS:
            first = np.flatnonzero(data.whole.station == code)[0]
            some = part(pools[code], data.members(data.splits[number][0], code) - first)
            made.append(sets.of_arrays(realise(some, loaded, sampler, number, range(data.n))[0], code))
        return measured(sets.join(made))

    return sample


def part(pool, rows):
    """Return a pool of some records of a pool."""
    kept = ("latents", "ln_sd", "magnitude", "distance_km", "pga_mps2", "groups")
    chosen = {name: getattr(pool, name)[rows] for name in kept}
    return replace(pool, parents=[pool.parents[i] for i in rows], **chosen)


def baseline(make):
    """Return a naive baseline of `site_generation`."""

    def sample(data, number):
        rng, made = np.random.default_rng([SEED, number, 1]), []
        for code in TARGETS:
            waves = data.whole.data[data.members(data.splits[number][0], code)]
            made.append(sets.of_arrays(make(waves, data.n, rng)[: data.n], code))
        return measured(sets.join(made))

    return sample


def of_event(path, corpus, source, scatter):
    """Return HEGGS: motion of the pool records' own earthquakes and places, from noise or from another station."""
    made: list = []

    def sample(data, number):
        if not made:
            made.append(measured(conditioned(path, corpus, source, scatter, data)))
        found, waves = made[0]
        rows = data.drawn(number)
        which = np.random.default_rng([SEED, number, 2]).integers(HEGGS_DRAWS, size=len(rows))
        return found.take(rows + which * len(data.whole)), waves[rows + which * len(data.whole)]

    return sample


def conditioned(path, corpus, source, scatter, data):
    """Return HEGGS_DRAWS times the set of real records, made anew from their conditions."""
    model, rng = tng.load_model(path), np.random.default_rng(SEED)
    everyone = load(corpus, set(corpus.event_ids()))
    at = {r.id: i for i, r in enumerate(everyone.records)}
    rows = np.array([at[r.id] for r in data.records])
    c, p_s = everyone.c[rows], model.travel_times(everyone.c[rows])[:, 0]
    waves = []
    for number in range(HEGGS_DRAWS):
        x = None
        if source:
            event, code = everyone.event, everyone.code
            others = [np.flatnonzero((event == event[i]) & (code != code[i])) for i in rows]
            x = everyone.rows[[rng.choice(k) for k in others]]
        with one_thread():
            made = land(model.waves(model.ln_amplitude(c, rng, x), rng))
        if scatter:
            terms = [event_scatter.draw(model.scatter, SEED, number, row[2:], row[:2]) for row in c]
            made = made * np.exp(np.sum(terms, axis=1))[:, None, None]
        waves += [moved(w, round((P_AT_S - 6.0 - p) * SAMPLING_RATE_HZ)) for w, p in zip(made, p_s, strict=True)]
    codes = np.tile(data.whole.station, HEGGS_DRAWS)
    return sets.of_arrays(np.array(waves), codes)


def moved(wave, later):
    """Return a record (3, NPTS) some samples later, zeros where it does not reach."""
    out = np.zeros_like(wave)
    out[:, max(0, later) : NPTS + min(0, later)] = wave[:, max(0, -later) : NPTS - max(0, later)]
    return out


def recorded(rows_of):
    """Return real records as a sample."""

    def sample(data, number):
        rows = rows_of(data, number)
        return data.real.take(rows), data.whole.data[rows]

    return sample


def measured(items):
    """Return features and waveforms of a set; response and Fourier spectra, two thirds of the time, are left out."""
    count, blocks = len(items), []
    for first in range(0, count, BLOCK):
        data = items.data[first : first + BLOCK].astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            im = intensity.measures(data, SAMPLING_RATE_HZ)
            ln_im = np.log(np.stack([im[name] for name in intensity.NAMES], axis=-1))
        curve, onset = site.record_hvsr(data, SAMPLING_RATE_HZ), arrivals.onsets(data, SAMPLING_RATE_HZ)
        ln_im = np.where(np.isfinite(ln_im), ln_im, np.nan)
        blocks.append((ln_im, curve.ln_hvsr, curve.f0_hz, onset.p_s, onset.s_s, onset.n_onsets))
    ln_im, *rest = (np.concatenate(x) for x in zip(*blocks, strict=True))

    def unknown(*shape):
        return np.full((count, *shape), np.nan)

    spectra = unknown(len(intensity.PERIODS_S)), unknown(3, len(features.FREQUENCY_HZ)), unknown(len(features.EAS_HZ))
    return features.Features(items.station, items.event, ln_im, *spectra, *rest, unknown()), items.data


def systems(args, corpus):
    """Return name -> (function that returns the system, whether it saw the stations)."""
    out = {
        FLOOR: (lambda: recorded(lambda data, k: data.splits[k][1]), ""),
        "copy": (lambda: recorded(lambda data, k: data.drawn(k)), ""),
        "mean of five": (lambda: baseline(common.BASELINES["mean of five"]), ""),
        "phase-shuffled": (lambda: baseline(repeated), ""),
        "default (spectral)": (lambda: of_pool(DEFAULT, "vp"), "no"),
    }
    for sampler in ("mean", "dirichlet"):
        out[f"TimesNet-Gen zero-shot, {sampler}"] = (partial(of_pool, WAVEFORM, sampler), "no")
    heads = {"timesnet": "TimesNet-Gen cond", "cvae-phase": "CVAE 1", "cvae-griffin-lim": "CVAE 1"}
    chosen = [k for k, head in heads.items() if args.only is None or any(x.startswith(head) for x in args.only)]
    folders = equal_time.trained(corpus, args.work, chosen)
    for sampler in ("mean", "dirichlet"):
        folder = folders.get(("timesnet", 1))
        out[f"TimesNet-Gen conditioned, {sampler}"] = (partial(of_pool, folder, sampler), "yes")
    for inversion in ("phase", "griffin-lim"):
        for phase in ("1a", "1b"):
            for sampler in ("encoded", "prior"):
                folder = folders.get((f"cvae-{inversion}", phase))
                out[f"CVAE {phase}, {inversion}, {sampler}"] = (partial(of_pool, folder, sampler), "yes")
    for word in ("noise", "source", "noise, median"):
        settings = word == "source", "median" not in word
        out[f"HEGGS from {word}"] = (partial(of_event, args.heggs, corpus, *settings), "yes")
    return out, equal_time.thread_s(folders)


def repeated(waves, n, rng):
    """Return n phase-shuffled records, drawn from `waves`."""
    return common.BASELINES["phase-shuffled"](waves[rng.integers(len(waves), size=n)], n, rng)


def scores(name, make, data, folder):
    """Return the measures of a system, (split, measure); from the folder when they are there."""
    path = folder / f"{name.replace(', ', '_').replace(' ', '-')}_{len(data.splits)}_{data.n}.npy"
    if path.exists():
        return np.load(path)
    began, sample, out = time.time(), make(), []
    for number, (mine, held) in enumerate(data.splits):
        found, waves = sample(data, number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # spectra are left out
            a = against_pool(found, data.real.take(mine), TARGETS)
        b = against_heldout(found, data.real.take(mine if name == FLOOR else held), TARGETS)
        near = []
        for code in TARGETS:
            ours = np.flatnonzero(found.station == code)[:LIKENED]
            near.append(common.likeness(waves[ours], data.whole.data[data.members(mine, code)]))
        out.append([*a.overall, *b.overall, *np.mean(near, axis=0)])
    folder.mkdir(parents=True, exist_ok=True)
    np.save(path.with_name(f".{path.name}"), np.array(out))
    path.with_name(f".{path.name}").replace(path)
    print(f"{name}: {time.time() - began:.0f} s", file=sys.stderr, flush=True)
    return np.array(out)


def differences(table):
    """Return alignment of TimesNet-Gen less that of each CVAE, split by split: mean, low, high, share above 0."""
    column, out = NAMES.index("alignment"), {}
    for ours in [name for name in table if name.startswith("TimesNet-Gen")]:
        for theirs in [name for name in table if name.startswith("CVAE")]:
            d = table[ours][:, column] - table[theirs][:, column]
            out[f"{ours} less {theirs}"] = [*(round(float(x), 3) for x in interval(d)), round(float((d > 0).mean()), 2)]
    return out


def main():
    """Print the table and the differences; --out keeps them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="runs/corpus")
    parser.add_argument("--work", type=Path, default=Path("runs/equal"), help="networks of equal_time, scores")
    parser.add_argument("--heggs", default="runs/heggs", help="a trained HEGGS: folder or file")
    parser.add_argument("--only", nargs="+", help="systems, by name")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("-n", type=int, default=24, help="records per station and split")
    parser.add_argument("--out", default=None, help="JSON file")
    args = parser.parse_args()
    corpus = Corpus(args.corpus)
    made, seconds = systems(args, corpus)
    unknown = sorted(set(args.only or ()) - set(made))
    if unknown:
        parser.error(f"{', '.join(unknown)}: no such system; there are: {'; '.join(made)}")
    data = Data(corpus, args.splits, args.n)
    table = {
        name: scores(name, make, data, args.work / "scores")
        for name, (make, _) in made.items() if args.only is None or name in args.only
    }  # fmt: skip
    found = {name: interval(values) for name, values in table.items()}
    print(f"{', '.join(TARGETS)}; {args.splits} event splits, {args.n} records per station and split")
    print(f"{'':38}{'seen':5}" + "".join(f"{head:>22}" for head in HEADS))
    for name, x in found.items():
        cells = []
        for i in map(NAMES.index, MEASURES):
            cells.append(f"{x.mean[i]:.2f} ({x.low[i]:.2f}..{x.high[i]:.2f})")
        print(f"{name:38}{made[name][1]:5}" + "".join(f"{cell:>22}" for cell in cells))
    apart = differences(table)
    print("\nalignment, paired over splits: mean (95 % of splits), share of splits above 0")
    for name, (mean, low, high, share) in apart.items():
        print(f"  {name:72}{mean:+.3f} ({low:+.3f}..{high:+.3f})  {share:.2f}")
    print("\nthread time of the trainings, s")
    for name, values in seconds.items():
        print(f"  {name:18}" + ", ".join(f"{phase} {value:.0f}" for phase, value in values.items()))
    if args.out:
        plain = {
            name: {m: [round(float(v[NAMES.index(m)]), 4) for v in x] for m in MEASURES} for name, x in found.items()
        }
        about = {"stations": list(TARGETS), "splits": args.splits, "n": args.n, "thread time, s": seconds}
        about["left out (--only)"] = [name for name in made if name not in found]
        about |= {"mean, low, high": plain, "alignment difference: mean, low, high, share above 0": apart}
        Path(args.out).write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
