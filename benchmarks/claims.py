"""Every number of README's "How good", measured now: what is claimed, what is found, their ratio, and a verdict.

    python benchmarks/claims.py --data ../shared/data        (or: make bench)

Claims are read from README.md itself; `tests/test_claims.py` holds that each number there is one. Sizes are small
(fewer sites, splits and seeds than the tables of RESULTS.md), seeds fixed, so tolerances are those of so few: about two
standard errors; a third of its value for times and their ratios, which drift with the machine. What is the same at any
size is measured whole. Without the folder of real records most claims cannot be measured, and the table says so.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SECTION = "How good"


class Claim(NamedTuple):
    """Numbers of one phrase of README: a pattern with a group per number, and a key and a tolerance for each.

    A tolerance is absolute; "30 %" is relative, "≥ 70 %" is a lower limit (larger is better), "≤ 10 x" an upper one.
    """

    text: str
    pattern: str
    keys: tuple[str, ...]
    tolerance: float | str


N = r"([-−]?\d*\.?\d+(?:e-?\d+)?)"  # a number
CLAIMS = (
    Claim("H/V: records", f"{N} records of 60 s in {N} ms", ("hvsr records", "hvsr ms"), "≤ 300 %"),
    Claim("H/V: times hvsrpy", f"{N} times as fast as hvsrpy 2.1 as shipped", ("hvsr shipped",), "≥ 67 %"),
    Claim("H/V: times hvsrpy, not padded", f"{N} times as fast as without its padding", ("hvsr unpadded",), "≥ 67 %"),
    Claim("H/V: difference to hvsrpy", rf"equal numbers \({N}\)", ("hvsr difference",), "≤ 1000 %"),
    Claim("f0 within 5 %, least and most", f"within 5 % on {N}–{N} % of", ("f0 least", "f0 most"), 13.0),
    Claim("f0 by argmax, least and most", f"stations, argmax {N}–{N} %", ("argmax least", "argmax most"), 13.0),
    Claim("rock without f0", f"on rock none is reported in {N} %", ("f0 rock",), 5.0),
    Claim("interval holds f0", f"68 % interval holds the true f0 in {N} %", ("f0 interval",), 12.0),
    Claim("records reconstructed, events", f"On {N} records of {N} events", ("held records", "held events"), 0.0),
    Claim("f0 kept", f"f0 stays within 10 % on {N}–{N} %", ("kept least", "kept most"), 1.0),
    Claim("f0 kept, random weights", rf"random weights: {N}–{N} %", ("random least", "random most"), 5.0),
    *(
        Claim(f"f0 of {s}, generated and real", rf"{s} {N} / {N}", (f"afad {s}", f"afad {s} real"), "8 %")
        for s in ("0205", "1716", "2020", "3130", "4628")
    ),
    Claim("alignment", f"Alignment score {N} ", ("alignment",), 0.01),
    Claim("alignment of the authors", rf"the authors. reconstructions {N}", ("alignment authors",), 0.001),
    Claim("alignment of a constant f0", rf"a constant f0 {N}", ("alignment constant",), 0.001),
    Claim("σ lnPGA, over the pool's", f"σ lnPGA × {N} of the pool", ("vp σ lnPGA ratio",), 0.15),
    Claim("  averaging five", rf"averaging five records: × {N}", ("five σ lnPGA ratio",), 0.15),
    Claim("lnPGA bias", f"lnPGA bias {N}", ("vp lnPGA bias",), 0.2),
    Claim("PSA bias, largest", f"PSA within {N} from 0.05 to 3 s", ("vp psa",), 0.2),
    Claim("D5–95, averages in brackets", rf"D5–95 × {N} \(× {N}\)", ("vp D5–95 ratio", "five D5–95 ratio"), 0.1),
    Claim("σ lnHVSR", f"σ lnHVSR × {N}", ("vp σ lnHVSR ratio",), 0.1),
    Claim("|Δ lnHVSR|", f"mean .Δ lnHVSR. {N} against", ("vp |Δ lnHVSR|",), 0.03),
    Claim("  copies", f"copies of records {N},", ("copy |Δ lnHVSR|",), 0.03),
    Claim("  real", rf"copies of records [^,]*, real against real {N}\)", ("real |Δ lnHVSR|",), 0.03),
    Claim("correlation with the pool", f"Correlation with a pool record {N} of", ("vp correlation",), 0.1),
    Claim("  averages", rf"have with each other \(averages {N}\)", ("five correlation",), 0.4),
    Claim("C2ST, AUC", f"AUC {N}", ("auc vp",), 0.05),
    Claim("  averages, real", rf"averages {N}, real against real {N}\),", ("auc five", "auc real"), 0.05),
    Claim("size of codes", f"{N} times smaller codes", ("smaller codes",), 0.5),
    Claim("encoding", f"encoding about {N} times", ("faster encoding",), "≥ 67 %"),
    Claim("training step", f"a training step about {N} times", ("faster step",), "≥ 67 %"),
)  # fmt: skip
# numbers that are no claims but say what was measured
CONDITIONS = (
    "60 s", "hvsrpy 2.1", "within 5 %", "68 % interval", "within 10 %", "Median f0 of 200", "0205", "1716", "2020",
    "3130", "4628", "from 0.05 to 3 s", "D5–95",
)  # fmt: skip


def section(readme: str) -> str:
    """Return README's section without line breaks and emphasis."""
    text = re.search(rf"^## {SECTION}\n(.*?)^## ", readme, re.M | re.S).group(1)
    return re.sub(r"\s+", " ", text.replace("*", ""))


def stated(readme: str) -> dict[str, tuple[Claim, float]]:
    """Return {key: (claim, what README says)}; a phrase that is not there any more is an error."""
    text, out = section(readme), {}
    for claim in CLAIMS:
        found = re.search(claim.pattern, text)
        if not found:
            raise SystemExit(f"README no longer says {claim.pattern!r}: mend CLAIMS of benchmarks/claims.py")
        for key, value in zip(claim.keys, found.groups(), strict=True):
            out[key] = claim, float(value.replace("−", "-"))
    return out


def holds(value: float, said: float, tolerance: float | str) -> bool:
    """Tell whether what was measured is what README says, within a tolerance as `Claim` has it."""
    if not isinstance(tolerance, str):
        return abs(value - said) <= tolerance + 1e-9
    limit = float(re.search(r"[\d.]+", tolerance).group()) / 100
    if tolerance.startswith("≥"):
        return value >= limit * said
    if tolerance.startswith("≤"):
        return value <= limit * said
    return abs(value / said - 1) <= limit


def hvsr(args) -> dict:
    """Race hvsrpy, and compare numbers where the definitions are the same."""
    import hvsr_speed
    from threadpoolctl import threadpool_limits

    data, _ = hvsr_speed.windows(args.data, 348)
    with threadpool_limits(1):
        _, median = hvsr_speed.raced(data, 3)
        *same, _ = hvsr_speed.agreement(data[:40])
    ours = median["obspy-tng"][0]
    return {
        "hvsr records": len(data),
        "hvsr ms": 1e3 * ours,
        "hvsr shipped": median["hvsrpy as shipped"][0] / ours,
        "hvsr unpadded": median["hvsrpy fft n=None"][0] / ours,
        "hvsr difference": max(difference for _, difference in same),
    }


def f0(args) -> dict:
    """Which peak is f0, on simulated sites no threshold was chosen on."""
    import f0_rule

    sites = f0_rule.simulated(60, 2)
    ours = f0_rule.score(sites, lambda m: f0_rule.pick(m, *f0_rule.OURS))[1]
    other = f0_rule.score(sites, lambda m: m.argmax_hz)[1]
    soil, argmax = (row[0:12:4] for row in (ours, other))
    return {
        "f0 least": min(soil), "f0 most": max(soil), "argmax least": min(argmax), "argmax most": max(argmax),
        "f0 rock": ours[12],
    }  # fmt: skip


def interval(args) -> dict:
    """How often the 68 % interval holds the true f0."""
    import f0_coverage

    _, found, _, _ = f0_coverage.measured(100, 20, 2022, n_truth=2000)
    return {"f0 interval": 100 * np.mean([low <= 0 <= high for low, high in (f["interval"] for f in found)])}


def reconstruction(args) -> dict:
    """Whether the waveform network keeps f0 of records it never saw; whole."""
    import reconstruction as script

    import obspy_tng as tng
    from obspy_tng.corpus import Corpus
    from obspy_tng.models import WAVEFORM

    model = tng.load_model(WAVEFORM)
    records = script.held_out(model, Corpus(args.corpus))
    out = {"held records": len(records), "held events": len({r.event_id for r in records})}
    for name, variant in script.variants(model):
        if name in ("trained", "random weights"):
            row = script.f0_kept(variant, records)
            kept = [100 * row[k] for k in ("f0_kept_timesnet_gen", "f0_kept_s_window")]
            word = {"trained": "kept"}.get(name, "random")
            out |= {f"{word} least": min(kept), f"{word} most": max(kept)}
    return out


def afad(args) -> dict:
    """f0 of the AFAD stations, one seed of 200 records each."""
    import afad as script

    real, made, rows, _ = script.measured(args.data, 200, [1])
    out = {f"afad {s}": np.median(made[s]) for s in script.STATIONS}
    out |= {f"afad {s} real": np.median(real[s]) for s in script.STATIONS}
    for key, row in (("", "mean of"), (" authors", "authors"), (" constant", "median always")):
        out[f"alignment{key}"] = next(values[0] for text, values in rows.items() if row in text)
    return out


def stations(args) -> dict:
    """Generation at stations never trained on, fewer event splits."""
    import site_generation as script

    words = ["--corpus", str(args.corpus), "--only", "energy vp", "--baselines", "mean of five", "--splits", "4"]
    table, psa = script.measured(script.parsed([*words, "--jobs", str(args.threads)]))
    short = {"energy vp": "vp", "mean of five": "five", "copy": "copy", "real vs real": "real"}
    mean = {short[name]: dict(zip(script.NAMES, np.nanmean(v, axis=0), strict=True)) for name, v in table.items()}
    out = {f"{who} {name}": value for who, row in mean.items() for name, value in row.items()}
    out |= {f"{who} correlation": row["largest correlation, over real"] for who, row in mean.items()}
    return out | {"vp psa": np.abs(np.nanmean(psa["energy vp"], axis=(0, 1))).max()}


def classifier(args) -> dict:
    """C2ST on records of stations never trained on."""
    import give_away

    rows = give_away.measured(args.corpus, 4, ["energy vp", "mean of five"], 60)
    short = {"auc vp": "energy vp", "auc five": "mean of five", "auc real": "real vs real"}
    return {key: rows[name]["counts"][0] for key, name in short.items()}


def architecture(args) -> dict:
    """The published network against ours: code, encoding, training step."""
    import reference_architecture as script
    import torch

    torch.set_num_threads(1)  # the time of one thread drifts least
    torch.manual_seed(0)
    published, ours = script.Reference(script.ReferenceConfig()), script.TimesNetGen(script.Config())
    times = script.raced(published, ours, script.records(1), 2)
    code = [n.config.latent * n.config.steps for n in (published, ours)]
    ratios = {key: a / b for key, (a, b) in times.items()}
    return {"smaller codes": code[0] / code[1], "faster encoding": ratios["encode"], "faster step": ratios["step"]}


MEASURES = (hvsr, f0, interval, reconstruction, afad, stations, classifier, architecture)
NEED_DATA = (reconstruction, afad, stations, classifier)


def measured(args) -> tuple[dict, list[str]]:
    """Return {key: value} of all measures, and why some are missing."""
    out, missing = {}, []
    for measure in MEASURES:
        if measure in NEED_DATA and not args.data.is_dir():
            missing.append(f"{measure.__name__}: needs real records, {args.data} is absent")
            continue
        began = time.time()
        try:
            out |= measure(args)
        except ModuleNotFoundError as err:
            if err.name != "hvsrpy":  # the one that is no dependency of the package
                raise
            missing.append(f"{measure.__name__}: {err}; pip install '.[bench]'")
        print(f"{measure.__name__}: {time.time() - began:.0f} s", file=sys.stderr, flush=True)
    return out, missing


def corpus_of(args, folder: str) -> Path:
    """Return the corpus of the real records, built in `folder` if there is none."""
    if args.corpus.is_dir() or not args.data.is_dir():
        return args.corpus
    import obspy_tng as tng

    ridgecrest, out = args.data / "ridgecrest", Path(folder) / "corpus"
    tng.build_corpus(ridgecrest / "waveforms", out, ridgecrest / "stations.xml", ridgecrest / "events.xml")
    return out


def main():
    """Print the table; exit 1 when a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--corpus", type=Path, default=Path("runs/corpus"), help="made in a temporary folder if absent")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    claims = stated((ROOT / "README.md").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        args.corpus = corpus_of(args, folder)
        values, missing = measured(args)
    line = "{:34} {:>10} {:>10} {:>7} {:>10}  {}"
    print(line.format("claim", "README", "now", "ratio", "tolerance", "verdict"))
    wrong = 0
    for key, (claim, said) in claims.items():
        label = claim.text if key == claim.keys[0] else f"  … {key}"
        tolerance = claim.tolerance if isinstance(claim.tolerance, str) else f"± {claim.tolerance:g}"
        if key not in values:
            print(line.format(label, f"{said:g}", "-", "-", tolerance, "not measured"))
            continue
        good = holds(values[key], said, claim.tolerance)
        wrong += not good
        ratio = f"{values[key] / said:.2f}" if said else "-"
        print(line.format(label, f"{said:g}", f"{values[key]:.3g}", ratio, tolerance, "holds" if good else "DIFFERS"))
    for reason in missing:
        print(f"not measured: {reason}")
    found = sum(key in values for key in claims)
    print(f"{found - wrong} of {len(claims)} claims hold, {wrong} differ, {len(claims) - found} were not measured")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
