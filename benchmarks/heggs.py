"""HEGGS on earthquakes it never saw, against its unpaired variant and two trivial baselines.

    obspy-tng train runs/corpus --model heggs --out runs/heggs
    obspy-tng train runs/corpus --model heggs --unpaired --out runs/heggs-unpaired
    python benchmarks/heggs.py runs/heggs --unpaired runs/heggs-unpaired

Every record of the held-out events is made anew from its condition: from noise, and from the record of another station
of the event. Onsets of what was made come from one automatic picker and are compared with analysts' picks only, times
since the origin re-timed on the event's P onsets; "real" is the same picker on the real record. Baselines: the source
record cut at its predicted S, both parts moved to the predicted P and S of the target, scaled by BSSA14's ratio of
PGA; and the training record nearest in place and magnitude. "Residual" is that of ln PGA to the real record.
"""

import argparse
import json

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

COLUMNS = {
    "P error": "s, mean", "P median": "s", "S error": "s, mean", "S median": "s", "both found": "share",
    "envelope": "corr.", "spec. MSE": "decades²", "SNR": "dB", "lnPGA bias": "ln", "lnPGA sd": "ln",
}  # fmt: skip


def main():
    """Print the table and the slopes; --json keeps them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--unpaired", help="A model trained with --unpaired.")
    parser.add_argument("--corpus", default="runs/corpus")
    parser.add_argument("--steps", type=int, nargs="*", default=[12])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json")
    args = parser.parse_args()
    model = tng.load_model(args.model)
    held, known = (load(Corpus(args.corpus), model.card[key]) for key in ("events_validation", "events_train"))
    rng = np.random.default_rng(args.seed)
    source = np.array([rng.choice(np.flatnonzero((held.event == e) & (held.code != k)))
                       for e, k in zip(held.event, held.code, strict=True)])  # fmt: skip
    made = {"real": held.waves, "source moved and scaled": moved(model, held, source), "nearest": nearest(held, known)}
    models = {"HEGGS": model} | ({"unpaired": tng.load_model(args.unpaired)} if args.unpaired else {})
    for name, one in models.items():
        runs = [("direct", 1)] + [("ddim", k) for k in args.steps]
        for sampler, steps in runs:
            for label, x in (("noise", None), ("source", held.rows[source])):
                ln = one.ln_amplitude(held.c, np.random.default_rng(1), x, sampler, steps)
                word = f"{name}, {label}, {sampler}" + (f" {steps}" if sampler == "ddim" else "")
                made[word] = spectrogram.from_noise(ln, np.random.default_rng(2))
                if name == "HEGGS" and sampler == "direct":
                    made[f"{word}, Griffin-Lim"] = spectrogram.griffin_lim(ln, np.random.default_rng(2))
    table = {word: measure(held, waves) for word, waves in made.items()}
    print(f"{len(held.c)} records of {len(set(held.event))} events held out, {int(held.picked.sum())} with both picks")
    print(
        " " * 34
        + "".join(f"{c:>12}" for c in COLUMNS)
        + "\n"
        + " " * 34
        + "".join(f"{u:>12}" for u in COLUMNS.values())
    )
    for word, row in table.items():
        print(f"{word:34}" + "".join(f"{row[c]:12.3f}" for c in COLUMNS))
    slopes = scaling(model, held)
    for word, (ours, theirs, real) in slopes.items():
        print(f"{word}: HEGGS {ours:.2f}, BSSA14 {theirs:.2f}, real {real:.2f}, ratio to BSSA14 {ours / theirs:.2f}")
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"table": table, "slopes": slopes}, file, indent=1)


class Held:
    """Records of some events on the axis from the origin."""

    def __init__(self, records):
        terms = conditions.event_terms(records)
        self.records, self.c = records, conditions.conditions(records)
        self.event = np.array([r.event_id for r in records])
        self.code = np.array([r.code for r in records])
        self.picked = np.array([r.onset_source == "pick" for r in records])
        self.onsets_s = conditions.onsets_s(records, terms)
        origin = [r.origin_time - r.starttime + terms[r.event_id] for r in records]
        self.rows = np.array([spectrogram.rows(r, o) for r, o in zip(records, origin, strict=True)])
        cuts = [conditions.on_axis(r, o) for r, o in zip(records, origin, strict=True)]
        self.waves = np.array([x for x, _, _ in cuts])
        self.inside = np.array([(np.arange(NPTS) >= a) & (np.arange(NPTS) < b) for _, a, b in cuts])


def load(corpus, events):
    """Return the records of some events."""
    return Held([r for r in corpus.records([i for i, e in enumerate(corpus.event_ids()) if e in set(events)])
                 if np.isfinite(r.p_s)])  # fmt: skip


def ln_gmm(c):
    """Return BSSA14's ln PGA in m/s² of conditions (n, 6)."""
    zero = {"pga_mps2": np.zeros(len(c))}
    epicentral = np.sqrt(np.maximum(conditions.hypocentral_km(c) ** 2 - c[:, 4] ** 2, 0))
    return -gmm_residuals(zero, c[:, 5], epicentral)[0]["pga_mps2"]


def ln_pga(waves):
    """Return ln of the geometric mean of the horizontals' peaks."""
    return np.log(np.abs(waves[:, :2]).max(-1)).mean(-1)


def moved(model, held, source):
    """Return source records with P and S where the targets' are predicted, scaled by the GMM."""
    t = ((model.travel_times(held.c) + ORIGIN_AT_S) * SAMPLING_RATE_HZ).round().astype(int)
    out = np.zeros_like(held.waves)
    factor = np.exp(ln_gmm(held.c) - ln_gmm(held.c[source]))
    for i, k in enumerate(source):
        (p, s), (p0, s0) = t[i], t[k]
        early = np.arange(NPTS) - p  # samples after P
        span = max(s0 - p0 - 20, 1)
        early = np.where(early < span, early, span - 1 - np.abs((early - span) % (2 * span) - span + 1))  # to and fro
        first = held.waves[k][:, np.clip(early + p0, 0, NPTS - 1)]
        late = held.waves[k][:, np.clip(np.arange(NPTS) - s + s0, 0, NPTS - 1)]
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
    """Return the row of the table."""
    real, waves = (np.stack([inside(x, m) for x, m in zip(w, held.inside, strict=True)]) for w in (held.waves, waves))
    found = np.full((2, len(waves)), np.nan)
    for i, (x, m) in enumerate(zip(waves, held.inside, strict=True)):  # the picker must not see the edge
        one = onsets(x[None, :, m])
        found[:, i] = np.array([one.p_s[0], one.s_s[0]]) + np.argmax(m) / SAMPLING_RATE_HZ
    p, s = (x - ORIGIN_AT_S - held.onsets_s[:, k] for k, x in enumerate(found))
    p, s = np.abs(p[held.picked]), np.abs(s[held.picked])
    residual = ln_pga(waves) - ln_pga(real)
    with np.errstate(divide="ignore"):
        snr = reconstruction_snr_db(real, waves)
    values = [
        np.nanmean(p), np.nanmedian(p), np.nanmean(s), np.nanmedian(s), np.isfinite(p + s).mean(),
        np.nanmean(envelope_correlation(real, waves)), spectrogram_mse(real, waves).mean(), np.median(snr),
        residual.mean(), residual.std(ddof=1),
    ]  # fmt: skip
    return dict(zip(COLUMNS, map(float, values), strict=True))


def inside(x, mask):
    """Return a record conditioned where the real one reaches, zero elsewhere."""
    out = np.zeros_like(x)
    out[:, mask] = condition(x[:, mask])
    return out


def scaling(model, held, draws=2):
    """Return slopes of ln PGA (HEGGS from noise, BSSA14, real) with magnitude, and with ln distance within events."""

    def median(c):
        rngs = (np.random.default_rng([7, k]) for k in range(draws))
        return np.mean([ln_pga(condition(spectrogram.from_noise(model.ln_amplitude(c, r), r))) for r in rngs], axis=0)

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
