"""Two-phase conditioned, zero-shot: does the station label help? f0 of reconstructions at the five target stations.

    for noise in 1.0 0.1: obspy-tng train runs/corpus --out runs/phase1-$noise --phase 1 --init runs/phase0 \\
        --station CI.CWC --station CI.WMF --station CI.ISA --station CI.HAR --station CI.SLA \\
        --epochs 15 --learning-rate 3e-4 --seed 1 --latent-noise $noise
    python benchmarks/conditioning.py runs/phase0 runs/phase1-1.0 runs/phase1-0.1

Records of the held-out events; the zero-shot model (phase 0) never saw the stations, a conditioned one was fine-tuned
on their other records with its station label.
"""

import argparse
from pathlib import Path

import numpy as np
from reconstruction import held_out

import obspy_tng as tng
from obspy_tng.corpus import Corpus
from obspy_tng.preprocessing import windows
from obspy_tng.site.timesnet_gen import record_f0
from obspy_tng.training import TARGETS


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "models", nargs="*", default=sorted(str(p.parent) for p in Path("runs").glob("phase*/model.json"))
    )
    parser.add_argument("--corpus", default="runs/corpus")
    args = parser.parse_args()
    corpus = Corpus(args.corpus)
    print(f"{'model':40} {'records':>7} {'f0 kept':>8} {'waveform mse':>13}")
    for path in args.models:
        model = tng.load_model(path)
        kept, errors = [], []
        for code in TARGETS:
            records = [r for r in held_out(model, corpus) if r.code == code]
            x, ln_sd, _ = windows(records)
            label = code if model.stations else None
            y = model.decode(model.encode(x, label), label)
            f0 = [record_f0((a * np.exp(ln_sd)[..., None]).astype(float), 100.0) for a in (x, y)]
            kept.extend(np.abs(f0[1] / f0[0] - 1) <= 0.1)
            errors.extend(((x - y) ** 2).mean(axis=(1, 2)))
        name = f"{path} ({'conditioned' if model.stations else 'zero-shot'})"
        print(f"{name:40} {len(kept):7} {np.mean(kept):8.3f} {np.mean(errors):13.3f}")


if __name__ == "__main__":
    main()
