"""Another region, frozen: pools of AFAD stations made by the networks trained on Ridgecrest, no fine-tuning.

    python benchmarks/cross_region.py --data ../shared/data

The pools are tiny (5, 4 and 3 records), so every figure is compared with drawing the same records again (copy). The
purity is the share of records whose nearest other latent is of the same station, among the AFAD stations of two
records or more and the five Ridgecrest stations no network was trained on.
"""

import argparse
from pathlib import Path

import numpy as np

import obspy_tng as tng
from obspy_tng.corpus import Corpus
from obspy_tng.evaluation import features, sets
from obspy_tng.evaluation.latents import purity
from obspy_tng.evaluation.scores import HELDOUT_MEASURES, POOL_MEASURES, against_heldout, against_pool
from obspy_tng.models import DEFAULT, WAVEFORM
from obspy_tng.pool_build import told_windows
from obspy_tng.preprocessing import land, windows
from obspy_tng.synthesis import realise
from obspy_tng.training import TARGETS

STATIONS = ("4627", "4614", "0208")
MODES = {
    "energy vp": (DEFAULT, "vp"),
    "waveform vp": (WAVEFORM, "vp"),
    "waveform dirichlet (v3)": (WAVEFORM, "dirichlet"),
}
PRINTED = (
    "lnPGA bias",
    "σ lnPGA ratio",
    "D5–95 ratio",
    "PSA ln bias, largest",
    "|Δ lnHVSR|",
    "σ lnHVSR ratio",
    "W1 ln f0",
)
NAMES = [m.name for m in POOL_MEASURES + HELDOUT_MEASURES]


def main():
    """Print a table per station and the purity of either latent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--corpus", default="runs/corpus")
    parser.add_argument("-n", type=int, default=200)
    args = parser.parse_args()
    records = tng.read_records([str(args.data / "afad" / "mat"), str(args.data / "afad" / "asc")])
    records = [r for r in records if r.duration_s >= 30]
    models = {name: tng.load_model(name) for name, _ in MODES.values()}
    for station in STATIONS:
        own = [r for r in records if r.station == station]
        x, ln_sd, _ = windows(own)
        real = features.compute(sets.of_arrays(land(x * np.exp(ln_sd)[..., None]), station), jobs=2)
        samples = {"copy": real.take(np.random.default_rng(0).integers(len(own), size=args.n))}
        for mode, (name, sampler) in MODES.items():
            pool = tng.build_pool(own, model=models[name])
            waves, _ = realise(pool, models[name], sampler, 0, range(args.n))
            samples[mode] = features.compute(sets.of_arrays(waves, station), jobs=2)
        print(f"{station}: {len(own)} records, f0 of the records {np.round(np.sort(real.f0_hz), 2)} Hz")
        print(f"{'':26}" + "".join(f"{m:>22}" for m in PRINTED))
        for mode, sample in samples.items():
            a, b = against_pool(sample, real, [station]), against_heldout(sample, real, [station])
            values = dict(zip(NAMES, [*a.overall, *b.overall], strict=True))
            print(f"{mode:26}" + "".join(f"{values[m]:22.2f}" for m in PRINTED))
    corpus = Corpus(args.corpus)
    codes = np.array(corpus.codes())
    many = [r for r in records if sum(q.station == r.station for q in records) > 1]
    many += corpus.records(np.flatnonzero(np.isin(codes, TARGETS)))
    for name, model in models.items():
        latents = model.describe(told_windows(many))[0]
        found = purity(latents, [r.code for r in many])
        print(f"purity of {name}: {found.purity:.2f}, chance {found.chance:.2f}, {found.n_records} records")


if __name__ == "__main__":
    main()
