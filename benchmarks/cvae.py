"""The CVAE baseline: trained in its phases, then what it reconstructs, how it keeps stations apart, what it generates.

    python benchmarks/cvae.py --corpus runs/corpus --work runs --splits 20        (40 min on one busy core)

A training whose result is there is skipped, an interrupted one goes on. Two networks: "phase" regresses phases beside
amplitudes, "griffin-lim" codes amplitudes only. Phase 0 sees the other stations, phases 1a and 1b the five target
stations; the events held out in phase 0 are never trained on. Reconstruction: rms of amplitudes in dB on events held
out, of the decoded mean code, against the mean spectrogram of the training records (of all, and of the record's own
station). Purity: see `evaluation.latents`; neighbours of another event. Generation: `site_generation`, same data, same
splits, beside its generators.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import site_generation

import obspy_tng as tng
from obspy_tng import spectrogram
from obspy_tng.corpus import Corpus
from obspy_tng.evaluation.latents import purity
from obspy_tng.preprocessing import windows
from obspy_tng.training import TARGETS

INVERSIONS = ("phase", "griffin-lim")
PHASES = {  # phase -> phase it starts from, settings
    "0": (None, dict(epochs=60, batch=32, learning_rate=1e-3)),
    "1a": ("0", dict(epochs=60, batch=16, learning_rate=5e-4)),
    "1b": ("1a", dict(epochs=30, batch=16, learning_rate=5e-4)),
}
SAMPLERS = ("encoded", "prior")


def trained(args, corpus):
    """Return (inversion, phase) -> folder; trains what is missing."""
    out = {}
    for inversion in INVERSIONS:
        for phase, (start, settings) in PHASES.items():
            out[inversion, phase] = folder = args.work / f"cvae-{inversion}-{phase}"
            if (folder / "model.safetensors").exists():
                continue
            who = dict(exclude=TARGETS) if start is None else dict(stations=TARGETS, init=out[inversion, start])
            tng.train(
                corpus, folder, kind="cvae", phase=phase, inversion=inversion, seed=1, threads=args.threads,
                resume=True, precision="auto", progress=lambda line: print(line, file=sys.stderr), **who, **settings,
            )  # fmt: skip
    return out


def spectrograms(corpus, chosen):
    """Return windows, amplitude spectrograms, stations and events of records of the corpus."""
    x = windows(corpus.records(chosen)).x
    codes, events = (np.array(a)[chosen] for a in (corpus.codes(), corpus.event_ids()))
    return x, spectrogram.describe(x)[:, :3], codes, events


def rms(a, b=0.0):
    """Return the root of the mean square difference."""
    return float(np.sqrt(np.mean((a - b) ** 2)))


def reconstruction(models, corpus):
    """Return rms in dB on held-out events of each model, of the mean spectrogram and of the station's mean."""
    out = {}
    codes, events = np.array(corpus.codes()), np.array(corpus.event_ids())
    for (inversion, phase), model in models.items():
        mine = np.isin(codes, TARGETS) if phase != "0" else ~np.isin(codes, TARGETS)
        held = np.isin(events, model.card["events_validation"])
        x, amplitude, station, _ = spectrograms(corpus, np.flatnonzero(mine & held))
        _, known, known_station, _ = spectrograms(corpus, np.flatnonzero(mine & ~held))
        means = np.array([known[known_station == s].mean(axis=0) for s in station])
        decoded = model.spectrograms(model.encode(x)[:, 0])[:, :3]
        out[f"{inversion} {phase}"] = {
            "records": len(x), "decoded": rms(decoded, amplitude),
            "mean spectrogram": rms(known.mean(axis=0), amplitude), "station's mean": rms(means, amplitude),
        }  # fmt: skip
    return out


def purities(models, corpus):
    """Return station purity of the target stations' mean codes: held-out records, and all."""
    chosen = np.flatnonzero(np.isin(corpus.codes(), TARGETS))
    x, _, station, event = spectrograms(corpus, chosen)
    out = {}
    for (inversion, phase), model in models.items():
        codes = model.encode(x)[:, 0]
        held = np.isin(event, model.card["events_validation"])
        a, b = purity(codes[held], station[held], event[held]), purity(codes, station, event)
        out[f"{inversion} {phase}"] = {
            "held out": a.purity, "records held out": a.n_records, "all": b.purity, "chance": b.chance,
        }  # fmt: skip
    return out


def main():
    """Train, print three tables, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="runs/corpus")
    parser.add_argument("--work", type=Path, default=Path("runs"), help="where trained networks are")
    parser.add_argument("--splits", type=int, default=20, help="of site_generation; 0 leaves it out")
    parser.add_argument("--beside", nargs="*", default=["waveform mean", "waveform vp"], help="its generators")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", default=None, help="JSON file; generation goes to the same name with _generation")
    args = parser.parse_args()
    began, corpus = time.time(), Corpus(args.corpus)
    folders = trained(args, corpus)
    models = {key: tng.load_model(folder) for key, folder in folders.items()}
    found = {"amplitude rms, dB": reconstruction(models, corpus), "station purity": purities(models, corpus)}
    for title, rows in found.items():
        print(title)
        for name, values in rows.items():
            print(f"  {name:18}" + "  ".join(f"{k} {v:.3g}" for k, v in values.items()))
    print(f"{time.time() - began:.0f} s", file=sys.stderr)
    if args.out:
        Path(args.out).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if args.splits:
        made = {
            f"cvae {phase} {inversion} {sampler}": (str(folders[inversion, phase]), sampler)
            for inversion in INVERSIONS for phase in ("1a", "1b") for sampler in SAMPLERS
        }  # fmt: skip
        site_generation.GENERATORS |= made
        to = ["--out", str(Path(args.out).with_suffix("")) + "_generation.json"] if args.out else []
        sys.argv = [
            "site_generation", "--corpus", args.corpus, "--splits", str(args.splits), "--jobs", str(args.threads), *to,
            "--only", *args.beside, *made,
        ]  # fmt: skip
        site_generation.main()


if __name__ == "__main__":
    main()
