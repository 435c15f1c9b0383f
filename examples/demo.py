"""Generate records for a station, write and draw them, compare f0 with the published one (``make demo``)."""

import argparse
from pathlib import Path

import numpy as np

import obspy_tng as tng
from obspy_tng.site.timesnet_gen import frequencies, hvsr_curves, record_f0

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
    hosts = sorted(
        {".".join(parent.split(".")[:2]) for trace in stream for parent in trace.stats.tng.parents}
    )
    published_hz = PUBLISHED_F0_HZ.get(code.split(".")[-1])

    args.out.mkdir(parents=True, exist_ok=True)
    mseed, sidecar = tng.write(stream, args.out / f"{code}.mseed")
    sac = tng.write(stream, args.out / "sac")
    figure = draw(stream, waves, f0_hz, published_hz, args.out / f"{code}.png")

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


def draw(stream, waves, f0_hz, published_hz, path):
    """Draw one realisation, and the H/V curves of all."""
    from matplotlib.figure import Figure

    made, rate = stream[0].stats.tng, stream[0].stats.sampling_rate
    time = np.arange(waves.shape[-1]) / rate
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    grid = figure.add_gridspec(3, 2, width_ratios=(1.5, 1))
    shown = waves[0] - waves[0].mean(axis=-1, keepdims=True)
    for row, component in enumerate("ENZ"):
        axis = figure.add_subplot(grid[row, 0])
        axis.plot(time, shown[row], color="#12355b", linewidth=0.6)
        axis.set_ylim(-1.05 * np.abs(shown).max(), 1.05 * np.abs(shown).max())
        axis.set_xlim(0, time[-1])
        axis.set_ylabel(f"{component} (m/s²)")
        axis.tick_params(labelbottom=row == 2)
        if row == 0:
            axis.set_title(
                f"{made.station}, realisation 0 of {len(waves)} ({made.pool_kind} pool)", loc="left"
            )
    axis.set_xlabel("time (s)")
    frequency = frequencies()
    curves = hvsr_curves(waves, rate, frequency)
    axis = figure.add_subplot(grid[:, 1])
    axis.loglog(frequency, curves.T, color="#9aa5b1", linewidth=0.5)
    axis.loglog(
        frequency, np.median(curves, axis=0), color="#12355b", linewidth=2, label="median of the generated"
    )
    axis.axvline(f0_hz, color="#c8322b", linewidth=1.2, label=f"f0 of the generated, {f0_hz:.2f} Hz")
    if published_hz is not None:
        axis.axvline(
            published_hz, color="0.2", linestyle="--", linewidth=1.2, label=f"f0 published, {published_hz} Hz"
        )
    axis.set_xlim(frequency[0], frequency[-1])
    axis.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axis.set_yticks([0.2, 0.5, 1, 2, 5, 10, 20], ["0.2", "0.5", "1", "2", "5", "10", "20"])
    axis.set_ylim(0.6 * curves.min(), 2 * curves.max())
    axis.minorticks_off()
    axis.set_xlabel("frequency (Hz)")
    axis.set_ylabel("H/V spectral ratio")
    axis.set_title("H/V of the generated records", loc="left")
    axis.legend(fontsize=8, loc="upper right")
    figure.savefig(path, dpi=150)
    return path


if __name__ == "__main__":
    main()
