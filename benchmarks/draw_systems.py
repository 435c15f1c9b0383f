"""Figures of the page "Systems": one earthquake by HEGGS, records by CVAE, and the table of `systems.py`.

    python benchmarks/draw_systems.py --heggs runs/heggs --work runs/equal --corpus runs/corpus --out docs/_static

Everything drawn is generated; no recorded waveform is in them.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import obspy_tng as tng
from obspy_tng.corpus import Corpus
from obspy_tng.plotting_section import plot_section
from obspy_tng.preprocessing import signal_to_noise

EVENT = (35.77, -117.60, 8.0, 4.0)
STATION = "CI.WMF"
COLUMNS = {"alignment": "alignment", "|Δ lnHVSR|": "|Δ lnHVSR|", "σ lnPGA ratio": "σ lnPGA / real"}


def section(path, out):
    """Draw one earthquake at all stations HEGGS knows."""
    model = tng.load_model(path)
    stream = None
    for code in model.places:
        one = tng.generate(code, event=EVENT, model=model, seed=1, scatter=False)
        stream = one if stream is None else stream + one
    plot_section(stream).savefig(out / "heggs-section.png", dpi=80)


def records(work, corpus, out):
    """Draw a record of each system for one station, and its amplitudes over time and frequency."""
    known = corpus.records(np.flatnonzero(np.array(corpus.codes()) == STATION))
    known = [r for r in known if signal_to_noise(r) > 2]
    systems = {
        "TimesNet-Gen, conditioned": ("timesnet-1", "mean"),
        "CVAE 1b, regressed phases": ("cvae-phase-1b", "encoded"),
        "CVAE 1b, Griffin–Lim": ("cvae-griffin-lim-1b", "encoded"),
        "default": (None, "vp"),
    }
    figure = Figure(figsize=(8.27, 7), layout="constrained")
    axes = figure.subplots(len(systems), 2, sharex="col")
    for (name, (folder, sampler)), (left, right) in zip(systems.items(), axes, strict=True):
        model = tng.load_model(work / folder if folder else None)
        stream = tng.generate(pool=tng.build_pool(known, model=model), model=model, sampler=sampler, seed=3)
        trace = stream[0]
        left.plot(trace.times(), trace.data, linewidth=0.4, color="#2166ac")
        left.set_title(f"{name}: {trace.id[:6]}, east (m/s²)", loc="left", fontsize=9)
        power = right.specgram(trace.data, NFFT=128, Fs=100, noverlap=96, cmap="cividis")[0]
        largest = 10 * np.log10(power.max())
        right.images[0].set_clim(largest - 70, largest)
        right.set_ylabel("Hz")
        left.set_xlim(0, 60)
    axes[-1, 0].set_xlabel("s")
    axes[-1, 1].set_xlabel("s")
    figure.savefig(out / "cvae-records.png", dpi=80)


def table(path, out):
    """Draw three measures of all systems with their intervals."""
    found = json.loads(Path(path).read_text(encoding="utf-8"))["mean, low, high"]
    names = list(found)[::-1]
    figure = Figure(figsize=(8.27, 0.9 + 0.22 * len(names)), layout="constrained")
    axes = figure.subplots(1, len(COLUMNS), sharey=True)
    for axis, (measure, label) in zip(axes, COLUMNS.items(), strict=True):
        mean, low, high = np.array([found[name][measure] for name in names]).T
        axis.hlines(range(len(names)), low, high, color="0.6", linewidth=2)
        axis.plot(mean, range(len(names)), "o", markersize=4, color="#2166ac")
        axis.axvline(found["real vs real"][measure][0], color="#b2182b", linewidth=0.8, linestyle="--")
        axis.set_xlabel(label)
    axes[0].set_yticks(range(len(names)), names, fontsize=8)
    figure.savefig(out / "systems.png", dpi=80)


def main():
    """Draw all three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heggs", default="runs/heggs")
    parser.add_argument("--work", type=Path, default=Path("runs/equal"))
    parser.add_argument("--corpus", default="runs/corpus")
    parser.add_argument("--table", default="benchmarks/systems.json")
    parser.add_argument("--out", type=Path, default=Path("docs/_static"))
    args = parser.parse_args()
    section(args.heggs, args.out)
    records(args.work, Corpus(args.corpus), args.out)
    table(args.table, args.out)


if __name__ == "__main__":
    main()
