"""What the samplers keep of a station: spread of amplitude, duration, HVSR, and how near they come to copying.

    python benchmarks/samplers.py --corpus runs/corpus

Per split the events of the corpus, common to all stations, are halved: one half makes the pools, the other judges the
site measures (H/V); amplitude and duration are compared with the pool's own records. "copy" draws real records of the
pool (the ceiling), "real, other half" is the floor: how far real records of other events are apart. Stations are the
five the model was never trained on. Means over stations and splits, 90 % interval over splits.
"""

import argparse
import sys

import numpy as np

import obspy_tng as tng
from obspy_tng.corpus import Corpus
from obspy_tng.preprocessing import land, signal_to_noise, windows
from obspy_tng.site.curves import hvsr_array
from obspy_tng.synthesis import realise
from obspy_tng.training import TARGETS

GRID_HZ = np.geomspace(1.0, 20.0, 100)
NFFT = 12000
COLUMNS = ("ln PGA bias", "sd ln PGA ratio", "D5-95 ratio", "|d ln HVSR|", "sd ln HVSR ratio", "max cc")


def duration_s(waves):
    """Return the 5-95 % duration in s of the horizontals' Arias intensity, (n,)."""
    energy = np.cumsum((waves[:, :2] ** 2).sum(axis=1), axis=1)
    energy /= energy[:, -1:]
    return ((energy < 0.95).sum(axis=1) - (energy < 0.05).sum(axis=1)) / 100.0


def highest_correlation(made, real):
    """Return, of each made record, the largest correlation over lags and components with any real one."""
    unit = [np.fft.rfft(w / np.linalg.norm(w, axis=-1, keepdims=True), NFFT) for w in (made, real)]
    return np.array([np.abs(np.fft.irfft(m[None] * unit[1].conj(), NFFT)).max() for m in unit[0]])


def compare(made, pool, held):
    """Return the columns of the table for made records."""
    ln_pga = [np.log(np.abs(w[:, :2]).max(axis=(1, 2))) for w in (made, pool)]
    curves = [np.log(hvsr_array(w, 100.0, GRID_HZ, compat="timesnet-gen")) for w in (made, held)]
    return [
        ln_pga[0].mean() - ln_pga[1].mean(),
        ln_pga[0].std(ddof=1) / ln_pga[1].std(ddof=1),
        duration_s(made).mean() / duration_s(pool).mean(),
        np.abs(curves[0].mean(axis=0) - curves[1].mean(axis=0)).mean(),
        (curves[0].std(axis=0, ddof=1) / curves[1].std(axis=0, ddof=1)).mean(),
        np.median(highest_correlation(made[:20], pool)),
    ]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="runs/corpus")
    parser.add_argument("--model", default=None)
    parser.add_argument("--splits", type=int, default=8)
    parser.add_argument("-n", type=int, default=60, help="realisations per station and split")
    args = parser.parse_args()
    corpus, model = Corpus(args.corpus), tng.load_model(args.model)
    codes, events = np.array(corpus.codes()), np.array(corpus.event_ids())
    stations = {}
    for code in TARGETS:
        records = [r for r in corpus.records(np.flatnonzero(codes == code)) if not signal_to_noise(r) < 2.0]
        x, ln_sd, _ = windows(records)
        stations[code] = (
            records,
            land(x.astype(float) * np.exp(ln_sd)[..., None]),
            np.array([r.event_id for r in records]),
        )
    table = {}
    for split in range(args.splits):
        rng = np.random.default_rng(split)
        half = set(rng.permutation(sorted(set(events)))[: len(set(events)) // 2])
        for records, waves, ids in stations.values():
            mine = np.isin(ids, list(half))
            pool = tng.build_pool([r for r, m in zip(records, mine, strict=True) if m], model=model)
            real, held = waves[mine], waves[~mine]
            rows = {"real, other half (floor)": held, "copy": real[rng.integers(len(real), size=args.n)]}
            for sampler in ("vp", "mean", "dirichlet"):
                rows[sampler] = realise(pool, model, sampler, split, range(args.n))[0]
            for name, made in rows.items():
                judge = real if made is held else held
                table.setdefault(name, {}).setdefault(split, []).append(compare(made, real, judge))
        print(f"split {split + 1}/{args.splits} done", file=sys.stderr)
    print(f"{len(stations)} stations, {args.splits} event splits, n = {args.n}, model {model.name}")
    print(f"{'':26}" + "".join(f"{c:>24}" for c in COLUMNS))
    for name, splits in table.items():
        values = np.array([np.mean(rows, axis=0) for rows in splits.values()])
        low, high = np.quantile(values, [0.05, 0.95], axis=0)
        cells = [f"{m:.2f} ({a:.2f}..{b:.2f})" for m, a, b in zip(values.mean(axis=0), low, high, strict=True)]
        print(f"{name:26}" + "".join(f"{c:>24}" for c in cells))


if __name__ == "__main__":
    main()
