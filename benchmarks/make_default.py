"""Make what is shipped: corpus, training of both networks, export, recorded and adjusted pools.

    python benchmarks/make_default.py --data ../shared/data        (or: make default)

Every step is skipped when its result is there, and the training resumes from its checkpoint; about 50 min on 2 cores.
The target of an adjusted pool is the published median H/V curve and nothing else of the reference files.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
from reconstruction import f0_kept, held_out

import obspy_tng as tng
from obspy_tng.corpus import Corpus
from obspy_tng.errors import RecordError
from obspy_tng.models import DEFAULT, SHIPPED, WAVEFORM
from obspy_tng.models.weights import save
from obspy_tng.preprocessing import signal_to_noise
from obspy_tng.training import TARGETS

SEED = 1
TRAININGS = {  # name -> settings of the training
    WAVEFORM: dict(epochs=36, batch=8, learning_rate=6e-4),
    DEFAULT: dict(epochs=36, batch=32, learning_rate=2e-3, kind="spectral"),
}
FOLDERS = {WAVEFORM: "phase0", DEFAULT: "spectral"}
MAX_RECORDS = 12  # per waveform pool: 12 kB each; codes of energies are 2 kB, all records are kept
MIN_SNR = 3.0
CITATION = (
    "SCEDC, networks CI (doi:10.7914/SN/CI) and NN (doi:10.7914/SN/NN), "
    "records of the SCEC/USGS Ridgecrest stress drop validation set, July 2019"
)
CURVES = "median HVSR of the TimesNet-Gen authors (MIT licence), arXiv 2512.04694"
# coordinates as the headers of AFAD's own files give them; the other three stations are in no file at hand
AFAD = {
    "0205": dict(latitude_deg=37.79177, longitude_deg=38.61597, elevation_m=723.0, vs30_mps=660.0),
    "1716": {},
    "2020": {},
    "3130": {},
    "4628": dict(latitude_deg=38.241198, longitude_deg=36.922805, elevation_m=1228.0, vs30_mps=186.0),
}


def target_curve(data: Path, station: str):
    """Return frequency (Hz) and the median HVSR of a station; the f0 lists in the same file are not read."""
    with np.load(data / "timesnet_gen_reference" / f"hvsr_f0_station_{station}.npz", allow_pickle=False) as file:
        return file["hvsr_freq_real"].astype(float), file["hvsr_median_real"].astype(float)


def main():
    """Run the steps that are not done yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder with ridgecrest/ and the rest"
    )
    parser.add_argument("--work", type=Path, default=Path("runs"), help="corpus and training")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where weights/ and pools go")
    args = parser.parse_args()
    ridgecrest = args.data / "ridgecrest"
    if not (args.work / "corpus").exists():
        _, skipped = tng.build_corpus(
            ridgecrest / "waveforms", args.work / "corpus", ridgecrest / "stations.xml", ridgecrest / "events.xml"
        )
        print(f"corpus built, {len(skipped)} records skipped")
    corpus = Corpus(args.work / "corpus")
    shutil.rmtree(args.out / "pools", ignore_errors=True)
    for name, settings in TRAININGS.items():
        model = trained(name, settings, corpus, args)
        hosts = recorded(model, corpus, args.out / "pools" / name, None if name == DEFAULT else MAX_RECORDS)
        if name == DEFAULT:
            adjusted(model, hosts, args)
    size = sum(p.stat().st_size for p in args.out.rglob("*") if p.is_file())
    print(json.dumps({"weights_and_pools_MB": round(size / 1e6, 2), "sha256": model.sha256}))


def trained(name, settings, corpus, args):
    """Train a network unless that is done, export it with its card, and return it."""
    folder = args.work / FOLDERS[name]
    if not (folder / "model.safetensors").exists():
        tng.train(
            corpus, folder, exclude=TARGETS, seed=SEED, name=name, threads=2, resume=True, precision="auto",
            progress=print, **settings,
        )  # fmt: skip
    model = tng.load_model(folder)
    card = {
        **model.card, "name": name, "fused": True, "data": CITATION,
        "use": "strong motion at 100 Hz, 60 s; trained on weak motion of M 2.0-5.4, no nonlinear soil response",
        "made_with": "python benchmarks/make_default.py",
    }  # fmt: skip
    path = args.out / f"{name}.safetensors"
    save(path, model.network.fuse(), card, half=True)
    if name == WAVEFORM:
        card["init"] = "linear path started as lapped cosine transform"
        card["reconstruction"] = f0_kept(tng.load_model(path), held_out(model, corpus))
        save(path, model.network, card, half=True)
    return tng.load_model(path)


def recorded(model, corpus, folder, limit):
    """Build a pool per station (the targets only when pools are large), and return those fit to be hosts."""
    codes, hosts = np.array(corpus.codes()), []
    for code in sorted(set(codes) if limit is None else TARGETS):
        records = corpus.records(np.flatnonzero(codes == code))
        snr = np.nan_to_num([signal_to_noise(r) for r in records], nan=np.inf)
        # a noisy station keeps its best records
        clear = [records[i] for i in sorted(np.argsort(-snr)[: max(int((snr >= MIN_SNR).sum()), MAX_RECORDS)])]
        try:
            pool = tng.build_pool(clear, model=model, max_records=limit, about={"source": CITATION})
        except RecordError as err:
            print(f"{code}: no pool: {err}")
            continue
        pool.save(folder / f"{code}.h5")
        if (snr >= MIN_SNR).sum() >= MAX_RECORDS:
            hosts.append(folder / f"{code}.h5")
        print(
            f"{code}: {len(pool)} of {len(records)} records used ({(snr >= MIN_SNR).sum()} with SNR >= {MIN_SNR:g}), "
            f"f0 {pool.f0_hz:.2f} Hz"
        )
    return hosts


def adjusted(model, hosts, args):
    """Build the pools of the five AFAD stations from their published median curves."""
    for station, place in AFAD.items():
        pool = tng.retarget(
            target_curve(args.data, station), station=station, network="TK", hosts=hosts, model=model, source=CURVES,
            **place,
        )  # fmt: skip
        pool.save(args.out / "pools" / DEFAULT / f"TK.{station}.h5")
        print(f"TK.{station}: {pool.about['made_of']}; f0 of the curve {pool.f0_hz:.2f} Hz")


if __name__ == "__main__":
    main()
