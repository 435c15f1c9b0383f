"""Generate records for a station, write and draw them, compare f0 with the published one (``make demo``)."""

import argparse
from pathlib import Path

import numpy as np

import obspy_tng as tng
from obspy_tng.plotting import plot_generated
from obspy_tng.site.timesnet_gen import record_f0

# Table I of the TimesNet-Gen paper (arXiv 2512.04694), Hz
PUBLISHED_F0_HZ = {"0205": 2.6, "1716": 6.4, "2020": 5.1, "3130": 12.8, "4628": 1.8}
ORIGIN = {
    "adjusted": "real records of other stations (Ridgecrest, California: {hosts}),\n"
    "          adjusted to the published median H/V curve of {code}. They are not AFAD records, no record\n"
    "          of {code} is in them, and amplitudes are nominal: H/V is not amplification.",
    "recorded": "real records of this station.",
    "simulated": "records of a simulator.",
}


def main():
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--station", default="0205")
    parser.add_argument("-n", type=int, default=20, help="realisations")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder to write to")
    parser.add_argument("--model", help="model instead of the shipped default")
    parser.add_argument("--pool", help="pool file or folder instead of the shipped ones")
    args = parser.parse_args()

    stream = tng.generate(args.station, args.n, seed=args.seed, model=args.model, pool=args.pool)
    made = stream[0].stats.tng
    code = made.station
    waves = np.array([trace.data for trace in stream]).reshape(args.n, 3, -1)  # m/s²
    f0_hz = float(np.median(record_f0(waves, stream[0].stats.sampling_rate)))
    hosts = sorted({".".join(parent.split(".")[:2]) for trace in stream for parent in trace.stats.tng.parents})
    published_hz = PUBLISHED_F0_HZ.get(code.split(".")[-1])

    args.out.mkdir(parents=True, exist_ok=True)
    mseed, sidecar = tng.write(stream, args.out / f"{code}.mseed")
    sac = tng.write(stream, args.out / "sac")
    figure = args.out / f"{code}.png"
    plot_generated(stream, published_hz).savefig(figure, dpi=150)

    print(f"Station   {code}: {args.n} realisations of 60 s, three components, m/s², seed {made.seed}")
    print(f"Model     {made.model}, sampler {made.sampler}")
    print(f"Pool      {made.pool_kind}: {ORIGIN[made.pool_kind].format(hosts=', '.join(hosts), code=code)}")
    print(f"f0        {f0_hz:.2f} Hz  median of the generated records (largest H/V in 1-20 Hz of each,")
    print("          as the published code defines it: compat='timesnet-gen')")
    if published_hz is not None:
        print(f"          {published_hz:.1f} Hz   published (Table I, arXiv 2512.04694)")
    print(f"Written   {mseed}  {len(stream)} traces")
    print(f"          {sidecar}  StationXML: what each record was made of")
    print(f"          {args.out / 'sac'}  {len(sac) - 1} SAC files and stations.xml")
    print(f"          {figure}")


if __name__ == "__main__":
    main()
