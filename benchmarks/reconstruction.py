"""Does the model keep a site's f0? Reconstruction of records of events it was never trained on.

    python benchmarks/reconstruction.py --corpus runs/corpus

f0 of a record is the largest value of its H/V curve in 1-20 Hz, by two definitions: that of the published code (whole
record) and the S window of Lermo & Chavez-Garcia (20 s, Konno-Ohmachi b = 40). The same network with random weights
stands beside it, so that the number is seen to mean something. The linear line is the start of the training: the lapped
cosine transform alone.
"""

import argparse
import json
from dataclasses import replace

import numpy as np
import torch

import obspy_tng as tng
from obspy_tng.corpus import Corpus
from obspy_tng.models import WAVEFORM
from obspy_tng.models.autoencoder import build
from obspy_tng.preprocessing import SAMPLING_RATE_HZ, windows
from obspy_tng.site.curves import hvsr_array
from obspy_tng.site.f0 import f0_argmax
from obspy_tng.site.timesnet_gen import record_f0

GRID_HZ = np.geomspace(1.0, 20.0, 200)


def held_out(model, corpus):
    """Return the corpus' records of the events the model was never trained on."""
    return corpus.records([i for i, e in enumerate(corpus.event_ids()) if e in model.card["events_validation"]])


def f0_kept(model, records) -> dict:
    """Return shares of records whose f0 stays within 10 %, and the misfit of waveform and ln HVSR."""
    x, ln_sd, s_s = windows(records)
    y = model.decode(model.encode(x))
    scale = np.exp(ln_sd)[..., None]
    real, made = x * scale, y * scale
    out = {"records": len(records), "waveform_mse": float(((x - y) ** 2).mean())}
    whole = [record_f0(a.astype(float), SAMPLING_RATE_HZ) for a in (real, made)]
    out["f0_kept_timesnet_gen"] = float((np.abs(whole[1] / whole[0] - 1) <= 0.1).mean())
    first = ((s_s - 0.5) * SAMPLING_RATE_HZ).round()
    usable = np.flatnonzero((first >= 0) & (first + 2000 <= x.shape[-1]))
    cut = [np.array([a[i, :, int(first[i]) : int(first[i]) + 2000] for i in usable]) for a in (real, made)]
    curves = [hvsr_array(a, SAMPLING_RATE_HZ, GRID_HZ) for a in cut]
    f0 = [f0_argmax(c, GRID_HZ) for c in curves]
    out["f0_kept_s_window"] = float((np.abs(f0[1] / f0[0] - 1) <= 0.1).mean())
    out["mean_abs_dlnhvsr_s_window"] = float(np.abs(np.log(curves[1] / curves[0])).mean())
    return {k: round(v, 4) for k, v in out.items()}


def variants(model):
    """Yield (name, model): as trained, the linear start, random weights."""
    yield "trained", model
    card = {k: v for k, v in model.card.items() if k != "fused"}
    yield "linear path alone (start)", replace(model, network=build(card).start_as_lapped_transform().eval())
    torch.manual_seed(0)
    yield "random weights", replace(model, network=build(card).eval())


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="runs/corpus")
    parser.add_argument("--model", default=None)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    model, corpus = tng.load_model(args.model or WAVEFORM), Corpus(args.corpus)
    records = held_out(model, corpus)
    rows = {name: f0_kept(variant, records) for name, variant in variants(model)}
    unseen = [r for r in records if r.code in model.card["excluded"]]
    rows["trained, stations never seen either"] = f0_kept(model, unseen)
    if args.json:
        print(json.dumps(rows))
        return
    print(f"{'':36} records  f0 kept (published def.)  f0 kept (S window)  |d ln HVSR|  waveform mse")
    for name, r in rows.items():
        print(
            f"{name:36} {r['records']:7} {r['f0_kept_timesnet_gen']:25.3f} {r['f0_kept_s_window']:19.3f} "
            f"{r['mean_abs_dlnhvsr_s_window']:12.4f} {r['waveform_mse']:13.3f}"
        )


if __name__ == "__main__":
    main()
