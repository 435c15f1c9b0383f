"""HEGGS on earthquakes it never saw, against its unpaired variant and two trivial baselines.

    obspy-tng train runs/corpus --model heggs --out runs/heggs
    obspy-tng train runs/corpus --model heggs --unpaired --out runs/heggs-unpaired
    python benchmarks/heggs.py runs/heggs --unpaired runs/heggs-unpaired

Every record of the held-out events is made anew from its condition: from noise, and from the record of another station
of the event. Onsets of what was made come from one automatic picker and are compared with analysts' picks only, times
since the origin re-timed on the event's P onsets; "real" is the same picker on the real record. "Other phases" are
those of noise on the real record's own spectrogram: what the representation leaves. Baselines: the source record cut
at its predicted S, both parts moved to the predicted P and S of the target, scaled by BSSA14's ratio of PGA; and the
training record nearest in place and magnitude. lnPGA is that of the made record less that of the real one.

For places it never saw: train with --exclude CI.CWC ..., then --station CI.CWC ... scores those alone.
"""

import argparse
import json
from copy import copy

import numpy as np

import obspy_tng as tng
from obspy_tng import conditions
from obspy_tng import origin_spectrogram as spectrogram
from obspy_tng.conditions import ORIGIN_AT_S
from obspy_tng.corpus import Corpus
from obspy_tng.evaluation.arrivals import onsets
from obspy_tng.evaluation.gmm import gmm_residuals
from obspy_tng.evaluation.heggs import envelope_correlation, reconstruction_snr_db, spectrogram_mse
from obspy_tng.preprocessing import NPTS, SAMPLING_RATE_HZ, condition

# of the paper, on SCEDC: many more events and stations, onsets by PhaseNet, other spectrograms and envelopes; by way of
# a third party's notes. Published beside ours, not comparable.
PUBLISHED = {
    "published, noise": (0.503, 0.800, 0.796, 0.153),
    "published, source": (0.476, 0.548, 0.819, 0.151),
}
BEST = "HEGGS, noise, ddim 12"  # what generate() does; the others are compared with it
COLUMNS = {
    "P error": "s, mean", "P median": "s", "S error": "s, mean", "S median": "s", "both found": "share",
    "envelope": "corr.", "spec. MSE": "decades²", "SNR": "dB", "PSNR": "dB", "lnPGA bias": "ln", "lnPGA sd": "ln",
}  # fmt: skip


def main():
    """Print the table and the slopes; --json keeps them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--unpaired", help="A model trained with --unpaired.")
    parser.add_argument("--corpus", default="runs/corpus")
    parser.add_argument("--steps", type=int, nargs="*", default=[12])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--station", action="append", help="Score these only; repeat.")
    parser.add_argument("--json")
    args = parser.parse_args()
    model = tng.load_model(args.model)
    corpus = Corpus(args.corpus)
    known = load(corpus, model.card["events_train"], without=model.card["excluded"])
    held = load(corpus, model.card["events_validation"])
    rng = np.random.default_rng(args.seed)
    source = np.array([rng.choice(np.flatnonzero((held.event == e) & (held.code != k)))
                       for e, k in zip(held.event, held.code, strict=True)])  # fmt: skip
    if args.station:
        rows = np.flatnonzero(np.isin(held.code, args.station))
        everyone, held, source = held, held.take(rows), source[rows]
    else:
        everyone = held
    made = {
        "real": held.waves,
        "source moved and scaled": moved(model, held, everyone, source),
        "nearest": nearest(held, known),
    }
    cells = held.rows.reshape(-1, 3, spectrogram.N_BINS, spectrogram.N_FRAMES)
    made["real spectrogram, other phases"] = model.waves(cells + spectrogram.LN_NOISE[:, None], rng)
    models = {"HEGGS": model} | ({"unpaired": tng.load_model(args.unpaired)} if args.unpaired else {})
    for name, one in models.items():
        runs = [("direct", 1)] + [("ddim", k) for k in args.steps]
        for sampler, steps in runs:
            for label, x in (("noise", None), ("source", everyone.rows[source])):
                ln = one.ln_amplitude(held.c, np.random.default_rng(1), x, sampler, steps)
                word = f"{name}, {label}, {sampler}" + (f" {steps}" if sampler == "ddim" else "")
                made[word] = one.waves(ln, np.random.default_rng(2))
                if name == "HEGGS" and sampler == "direct":
                    made[f"{word}, Griffin-Lim"] = one.waves(ln, np.random.default_rng(2), "griffin-lim")
    singles = {word: measure(held, waves) for word, waves in made.items()}
    table = {word: row(one) for word, one in singles.items()}
    print(f"{len(held.c)} records of {len(set(held.event))} events held out, {int(held.picked.sum())} with both picks")
    for line in (COLUMNS, COLUMNS.values()):
        print(" " * 36 + "".join(f"{word:>12}" for word in line))
    for word, values in table.items():
        print(f"{word:36}" + "".join(f"{values[c]:12.3f}" for c in COLUMNS))
    for word, (p, s, envelope, mse) in PUBLISHED.items():
        given = {"P error": p, "S error": s, "envelope": envelope, "spec. MSE": mse}
        print(f"{word:36}" + "".join(f"{given.get(c, float('nan')):12.3f}" for c in COLUMNS))
    print(f"\n{BEST} less …, mean and 90 % interval over events (bootstrap)")
    differences = {}
    for word in singles:
        if word not in (BEST, "real", "real spectrogram, other phases"):
            differences[word] = less(held, singles[BEST], singles[word])
            told = (f"{name} {m:+.3f} ({a:+.3f} to {b:+.3f})" for name, (m, a, b) in differences[word].items())
            print(f"  {word:36}" + ", ".join(told))
    slopes = scaling(model, held)
    for word, (ours, theirs, real) in slopes.items():
        print(f"{word}: HEGGS {ours:.2f}, BSSA14 {theirs:.2f}, real {real:.2f}, ratio to BSSA14 {ours / theirs:.2f}")
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"table": table, "differences": differences, "slopes": slopes}, file, indent=1)


class Held:
    """Records of some events on the axis from the origin."""

    def __init__(self, records):
        terms = conditions.event_terms(records)
        self.records, self.c = list(records), conditions.conditions(records)
        self.event = np.array([r.event_id for r in records])
        self.code = np.array([r.code for r in records])
        self.picked = np.array([r.onset_source == "pick" for r in records])
        self.onsets_s = conditions.onsets_s(records, terms)
        origin = [r.origin_time - r.starttime + terms[r.event_id] for r in records]
        self.rows = np.array([spectrogram.rows(r, o) for r, o in zip(records, origin, strict=True)])
        cuts = [conditions.on_axis(r, o) for r, o in zip(records, origin, strict=True)]
        self.waves = np.array([x for x, _, _ in cuts])
        self.inside = np.array([(np.arange(NPTS) >= a) & (np.arange(NPTS) < b) for _, a, b in cuts])

    def take(self, rows):
        """Return some of the records."""
        out = copy(self)
        for name, value in vars(self).items():
            setattr(out, name, [value[i] for i in rows] if isinstance(value, list) else value[rows])
        return out


def load(corpus, events, without=()):
    """Return the records of some events, but for some stations."""
    codes = corpus.codes()
    rows = [i for i, e in enumerate(corpus.event_ids()) if e in set(events) and codes[i] not in without]
    return Held([r for r in corpus.records(rows) if np.isfinite(r.p_s)])


def ln_gmm(c):
    """Return BSSA14's ln PGA in m/s² of conditions (n, 6)."""
    zero = {"pga_mps2": np.zeros(len(c))}
    epicentral = np.sqrt(np.maximum(conditions.hypocentral_km(c) ** 2 - c[:, 4] ** 2, 0))
    return -gmm_residuals(zero, c[:, 5], epicentral)[0]["pga_mps2"]


def ln_pga(waves):
    """Return ln of the geometric mean of the horizontals' peaks."""
    return np.log(np.abs(waves[:, :2]).max(-1)).mean(-1)


def moved(model, held, everyone, source):
    """Return source records with P and S where the targets' are predicted, scaled by the GMM."""
    t, t0 = (((model.travel_times(x.c) + ORIGIN_AT_S) * SAMPLING_RATE_HZ).round().astype(int) for x in (held, everyone))
    out = np.zeros_like(held.waves)
    factor = np.exp(ln_gmm(held.c) - ln_gmm(everyone.c[source]))
    for i, k in enumerate(source):
        (p, s), (p0, s0) = t[i], t0[k]
        early = np.arange(NPTS) - p  # samples after P
        span = max(s0 - p0 - 20, 1)
        early = np.where(early < span, early, span - 1 - np.abs((early - span) % (2 * span) - span + 1))  # to and fro
        first = everyone.waves[k][:, np.clip(early + p0, 0, NPTS - 1)]
        late = everyone.waves[k][:, np.clip(np.arange(NPTS) - s + s0, 0, NPTS - 1)]
        weight = np.clip((np.arange(NPTS) - s) / 20 + 1, 0, 1)  # S comes in over 0.2 s
        out[i] = factor[i] * ((1 - weight) * first + weight * late)
    return out


def nearest(held, known):
    """Return training records nearest in place (10 km of station, 5 km of event) and magnitude (0.5)."""

    def scaled(c):
        east = np.cos(np.radians(35.7))
        return c * 111.2 * np.array([0.1, 0.1 * east, 0.2, 0.2 * east, 0.2 / 111.2, 2 / 111.2])

    a, b = scaled(held.c), scaled(known.c)
    return known.waves[((a[:, None] - b[None]) ** 2).sum(-1).argmin(1)]


def measure(held, waves):
    """Return measures of single records, (n,) each; onset errors are NaN where nobody picked."""
    real, waves = (np.stack([inside(x, m) for x, m in zip(w, held.inside, strict=True)]) for w in (held.waves, waves))
    found = np.full((2, len(waves)), np.nan)
    for i, (x, m) in enumerate(zip(waves, held.inside, strict=True)):  # the picker must not see the edge
        one = onsets(x[None, :, m])
        found[:, i] = np.array([one.p_s[0], one.s_s[0]]) + np.argmax(m) / SAMPLING_RATE_HZ
    p, s = (np.where(held.picked, np.abs(x - ORIGIN_AT_S - held.onsets_s[:, k]), np.nan) for k, x in enumerate(found))
    with np.errstate(divide="ignore"):
        snr = reconstruction_snr_db(real, waves)
        missed = ((real - waves) ** 2).sum((1, 2)) / (3 * held.inside.sum(1))
        psnr = 10 * np.log10((real**2).max((1, 2)) / missed)
    return {
        "P": p, "S": s, "envelope": envelope_correlation(real, waves), "MSE": spectrogram_mse(real, waves), "SNR": snr,
        "PSNR": psnr, "lnPGA": ln_pga(waves) - ln_pga(real), "picked": held.picked,
    }  # fmt: skip


def row(one):
    """Return the row of the table."""
    p, s = (one[k][one["picked"]] for k in "PS")
    values = [
        np.nanmean(p), np.nanmedian(p), np.nanmean(s), np.nanmedian(s), np.isfinite(p + s).mean(),
        np.nanmean(one["envelope"]), one["MSE"].mean(), np.median(one["SNR"]), np.median(one["PSNR"]),
        one["lnPGA"].mean(), one["lnPGA"].std(ddof=1),
    ]  # fmt: skip
    return dict(zip(COLUMNS, map(float, values), strict=True))


def less(held, a, b, draws=2000):
    """Return mean differences a - b over records both have, with a 90 % interval over events."""
    rng, out = np.random.default_rng(0), {}
    events = sorted(set(held.event))
    for name in ("P", "S", "envelope", "MSE"):
        difference = a[name] - b[name]
        sums = np.array([np.nansum(difference[held.event == e]) for e in events])
        counts = np.array([np.isfinite(difference[held.event == e]).sum() for e in events])
        chosen = rng.integers(len(events), size=(draws, len(events)))
        drawn = sums[chosen].sum(1) / np.maximum(counts[chosen].sum(1), 1)
        out[name] = [float(x) for x in (sums.sum() / counts.sum(), *np.percentile(drawn, (5, 95)))]
    return out


def inside(x, mask):
    """Return a record conditioned where the real one reaches, zero elsewhere."""
    out = np.zeros_like(x)
    out[:, mask] = condition(x[:, mask])
    return out


def scaling(model, held, draws=2):
    """Return slopes of ln PGA (HEGGS from noise, BSSA14, real) with magnitude, and with ln distance within events."""

    def median(c):
        rngs = (np.random.default_rng([7, k]) for k in range(draws))
        return np.mean([ln_pga(condition(model.waves(model.ln_amplitude(c, r), r))) for r in rngs], axis=0)

    out = {}
    for low, high in ((2.5, 3.5), (3.0, 4.0), (3.5, 4.5), (4.0, 5.0)):
        pair = [np.concatenate([held.c[::6, :5], np.full((len(held.c[::6]), 1), m)], 1) for m in (low, high)]
        ours, theirs = (float((f(pair[1]) - f(pair[0])).mean()) for f in (median, ln_gmm))
        out[f"per magnitude, {low:g} to {high:g}"] = (ours, theirs, float("nan"))
    ln_r = np.log(conditions.hypocentral_km(held.c))
    slopes = [within(held.event, ln_r, y) for y in (median(held.c), ln_gmm(held.c), ln_pga(condition(held.waves)))]
    out["per ln distance"] = tuple(slopes)
    return out


def within(group, x, y):
    """Return the slope of y with x, means of groups taken off."""
    x, y = (v - np.array([v[group == g].mean() for g in group]) for v in (x, y))
    return float((x * y).sum() / (x**2).sum())


if __name__ == "__main__":
    main()
