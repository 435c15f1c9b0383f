"""The published architecture trained on the same data for the same time of one thread, in the standard benchmark.

    python benchmarks/reference_row.py --corpus runs/corpus --work runs/equal          (about 40 min of one thread)

A step of the published network takes seconds per record, so BUDGET_S is one pass over a random share of the training
records, which is printed. Beside it stands our architecture after the same time (`equal_time.py`, "timesnet-0"). Both
are used zero-shot, as the paper does: codes of five records averaged ("mean"). Few splits and realisations: encoding
and decoding a record takes seconds too.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import site_generation
import torch
from equal_time import BUDGET_S, trained
from reference_architecture import records, step_s

import obspy_tng as tng
from obspy_tng.corpus import Corpus
from obspy_tng.models.reference import Reference, ReferenceConfig
from obspy_tng.training import TARGETS

VALIDATION = 0.1


class Share(Corpus):
    """Some records of a corpus."""

    def __init__(self, path, indices):
        self.indices = [int(i) for i in indices]
        super().__init__(path)

    def __len__(self):
        return len(self.indices)

    def codes(self):
        """Return the station of each record."""
        every = super().codes()
        return [every[i] for i in self.indices]

    def event_ids(self):
        """Return the event of each record."""
        every = super().event_ids()
        return [every[i] for i in self.indices]

    def records(self, indices=None):
        """Return records by their number in the share."""
        return super().records([self.indices[i] for i in (range(len(self)) if indices is None else indices)])


def reference(corpus: Path, work: Path) -> Path:
    """Train the published architecture for BUDGET_S of one thread, unless that is done; return its folder."""
    folder = work / "reference-0"
    if (folder / "model.safetensors").exists():
        return folder
    torch.set_num_threads(1)
    network = Reference(ReferenceConfig())
    with torch.autocast("cpu", torch.bfloat16):  # as it is trained
        per_record_s = min(step_s(network, records(1)) for _ in range(2))
    n = max(int(BUDGET_S / per_record_s / (1 - VALIDATION)), 20)
    allowed = [i for i, code in enumerate(Corpus(corpus).codes()) if code not in TARGETS]
    share = Share(corpus, np.sort(np.random.default_rng(1).permutation(allowed)[:n]))
    print(f"{per_record_s:.1f} s a record: one pass over {n} of {len(allowed)} records", flush=True)
    began = time.process_time()
    tng.train(
        share, folder, reference=True, epochs=1, batch=2, learning_rate=6e-4, seed=1, threads=1,
        validation=VALIDATION, precision="auto", progress=print,
    )  # fmt: skip
    print(f"{time.process_time() - began:.0f} s of one thread", flush=True)
    return folder


def remembering(model):
    """Make a model describe each record alone, and once."""
    describe, known = model.describe, {}

    def once(windows, station=None):
        parts = []
        for i in range(len(windows.x)):
            one = type(windows)(*(column[i : i + 1] for column in windows))
            key = one.x.tobytes()
            if key not in known:
                known[key] = describe(one, station)
            parts.append(known[key])
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    object.__setattr__(model, "describe", once)  # models are frozen
    return model


def main():
    """Train, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path("runs/corpus"))
    parser.add_argument("--work", type=Path, default=Path("runs/equal"))
    parser.add_argument("--splits", type=int, default=4)
    parser.add_argument("-n", type=int, default=6)
    args = parser.parse_args()
    folders = {
        "published mean": reference(args.corpus, args.work),
        "ours mean": trained(Corpus(args.corpus), args.work, ["timesnet"])["timesnet", 0],
    }
    site_generation.GENERATORS.update({name: (name, "mean") for name in folders})
    models = {name: remembering(tng.load_model(folder)) for name, folder in folders.items()}
    words = ["--corpus", str(args.corpus), "--splits", str(args.splits), "-n", str(args.n), "--jobs", "1"]
    options = site_generation.parsed([*words, "--only", *folders])
    site_generation.report(*site_generation.measured(options, models), options)


if __name__ == "__main__":
    main()
