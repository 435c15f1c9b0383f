"""TimesNet-Gen and CVAE trained on the same records for the same time of one thread; what `systems.py` compares.

    python benchmarks/equal_time.py --corpus runs/corpus --work runs/equal         (30 min of one thread)

Phase 0 sees the records of all stations but the five targets, further phases those of the five; the same events are
held out everywhere. Augmentation, optimiser and averaging of weights are the same code. Epochs are chosen so that each
of the three trainings takes about BUDGET_S of thread time (`time.process_time`, one thread) on the machine they were
chosen on; what they took is kept per phase in ``thread_s.csv`` and printed. A training whose result is there is
skipped, an interrupted one goes on to the same weights.
"""

import argparse
import csv
import sys
import time
from pathlib import Path

import obspy_tng as tng
from obspy_tng.corpus import Corpus
from obspy_tng.training import TARGETS

BUDGET_S = 540
_CVAE = {  # phase -> phase it starts from, settings
    0: (None, dict(epochs=60, batch=32, learning_rate=1e-3)),
    "1a": (0, dict(epochs=60, batch=16, learning_rate=5e-4)),
    "1b": ("1a", dict(epochs=30, batch=16, learning_rate=5e-4)),
}
_TIMESNET = {
    0: (None, dict(epochs=9, batch=8, learning_rate=6e-4)),
    # a tenth of the paper's noise on the code keeps f0 better, see conditioning.py
    1: (0, dict(epochs=15, batch=8, learning_rate=3e-4, latent_noise=0.1)),
}
SYSTEMS = {  # name -> kind, settings of all phases, phases
    "timesnet": ("waveform", {}, _TIMESNET),
    "cvae-phase": ("cvae", {"inversion": "phase"}, _CVAE),
    "cvae-griffin-lim": ("cvae", {"inversion": "griffin-lim"}, _CVAE),
}


def trained(corpus, work, names=tuple(SYSTEMS)) -> dict:
    """Return (system, phase) -> folder of the trained network; trains what is missing."""
    out = {}
    for name in names:
        kind, common, phases = SYSTEMS[name]
        for phase, (start, settings) in phases.items():
            out[name, phase] = folder = Path(work) / f"{name}-{phase}"
            if (folder / "model.safetensors").exists():
                continue
            who = dict(exclude=TARGETS) if start is None else dict(stations=TARGETS, init=out[name, start])
            clock = Clock(folder)
            tng.train(
                corpus, folder, kind=kind, phase=phase, seed=1, threads=1, resume=True, precision="auto",
                progress=clock.tell, **common, **settings, **who,
            )  # fmt: skip
    return out


class Clock:
    """Keeps the thread time of each finished epoch in a file beside the network, over interruptions."""

    def __init__(self, folder):
        self.path, self.last = folder / "thread_s.csv", time.process_time()
        if not (folder / "checkpoint.safetensors").exists():
            self.path.unlink(missing_ok=True)

    def tell(self, line):
        """Print a line of progress; after an epoch keep the time since the line before."""
        now = time.process_time()
        if line.startswith("epoch"):
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{line.split()[1].partition('/')[0]},{now - self.last:.2f}\n")
        self.last = now
        print(f"{self.path.parent.name}: {line}", file=sys.stderr, flush=True)


def thread_s(folders) -> dict[str, dict[str, float]]:
    """Return seconds of thread time by system and phase, and their sum, of the folders of `trained`."""
    out: dict[str, dict[str, float]] = {}
    for (name, phase), folder in folders.items():
        if not (folder / "thread_s.csv").exists():  # trained by another script
            continue
        with (folder / "thread_s.csv").open(encoding="utf-8") as file:
            out.setdefault(name, {})[str(phase)] = round(sum(float(row[1]) for row in csv.reader(file)), 1)
    return {name: {**found, "sum": round(sum(found.values()), 1)} for name, found in out.items()}


def main():
    """Train and print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="runs/corpus")
    parser.add_argument("--work", type=Path, default=Path("runs/equal"))
    parser.add_argument("--only", nargs="+", default=list(SYSTEMS), choices=list(SYSTEMS))
    args = parser.parse_args()
    for name, found in thread_s(trained(Corpus(args.corpus), args.work, args.only)).items():
        print(f"{name:18}" + ", ".join(f"{phase} {value:.0f} s" for phase, value in found.items()))


if __name__ == "__main__":
    main()
