"""Where the time goes: start-up, generation, pool building, training, HVSR, each beside a peer or a floor.

    python benchmarks/speed.py --data ../shared/data

Every pair runs side by side, in turns, in one go, and the shorter of the times counts, so that the ratio says more than
either number. A floor is what nobody can go below: the interpreter with the libraries the command cannot do without,
the FFTs alone, a matrix product (GEMM) with as many operations, bytes written to the disk. Peers are the published
architecture (`models/reference.py`), hvsrpy where it is installed, and ObsPy reading the same files. "times" tells how
many times the other one's time ours is (floors: above 1), or the other one's is ours (peers: above 1 is faster).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "data_samples" / "network"
LINE = "{:34}{:>12}{:>14}  {:50}{:>12}"


class Row(NamedTuple):
    """One comparison."""

    name: str
    ours_s: float
    other_s: float
    other: str  # what it is
    peer: bool  # else a floor

    @property
    def ratio(self) -> float:
        """Return how many times as fast as the peer, or how many times the floor."""
        return self.other_s / self.ours_s if self.peer else self.ours_s / self.other_s


def in_turns(ours, other, repeat: int) -> tuple[float, float]:
    """Return the shortest time of each in s; the first run of both is thrown away when there are several."""
    taken = []
    for _ in range(repeat + (repeat > 1)):
        times = []
        for function in (ours, other):
            began = time.perf_counter()
            function()
            times.append(time.perf_counter() - began)
        taken.append(times)
    return tuple(np.min(taken[repeat > 1 :], axis=0))


def command(*words):
    """Return a function that runs the command line in a process of its own."""
    program = "import sys; from obspy_tng.cli import main; sys.argv[0] = 'obspy-tng'; main()"
    return process(program, *words)


def process(program: str, *words):
    """Return a function that runs a Python program in a process of its own."""

    def run():
        done = subprocess.run(
            [sys.executable, "-c", program, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, words))}: {done.stderr}")

    return run


def cold(repeat: int, folder: Path) -> list[Row]:
    """Start-up, HVSR of the sample network and generation of 250 records, each in a fresh process."""
    files = sorted(map(str, SAMPLES.glob("*.mseed")))
    read = f"import obspy\nfor f in {files!r}: obspy.read(f)"
    out = folder / "made"
    hvsr = ("hvsr", SAMPLES, "--inventory", SAMPLES / "stations.xml", "--out", folder / "curves.csv")
    generate = ("generate", "--station", "0205", "-n", 250, "--seed", 1, "--out", out)
    floor = f"""
import numpy, obspy, os, scipy.fft, torch
waves = numpy.random.default_rng(0).standard_normal((250, 3, 6000), dtype=numpy.float32)
for wave in waves: scipy.fft.irfft(scipy.fft.rfft(wave))
os.makedirs({str(folder / "floor")!r}, exist_ok=True)
for i, wave in enumerate(waves):
    with open({str(folder / "floor")!r} + f"/{{i}}", "wb") as file: file.write(wave.tobytes())
"""
    pairs = [
        ("--help", command("--help"), "python -c 'import click'", process("import click")),
        ("hvsr of 8 files", command(*hvsr), "ObsPy reads the same files", process(read)),
        ("generate 250 records", command(*generate), "imports, noise, one FFT and back, bytes to disk", process(floor)),
    ]
    return [Row(f"cold: {name}", *in_turns(run, other, repeat), text, False) for name, run, text, other in pairs]


def gemm_s(flops: float) -> float:
    """Return the seconds a matrix product of so many operations takes at the rate of 1024 x 1024 float32."""
    import torch

    a = torch.randn(1024, 1024)
    times = []
    for _ in range(8):
        began = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - began)
    return flops * min(times) / (2 * 1024**3)


def flops_of(function) -> float:
    """Return the operations torch counts in a call: products and convolutions."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        function()
    return float(counter.get_total_flops())


def records(data: Path, n: int):
    """Return records of one station, the whole ones of real data where they are, else of the sample network."""
    import obspy_tng as tng

    folder = data / "ridgecrest"
    if folder.is_dir():
        files = sorted((folder / "waveforms").glob("*.mseed"))
        found = []
        for path in files:
            every = tng.read_records(path, folder / "stations.xml", folder / "events.xml")
            found += [r for r in every if r.code == "CI.CWC"]
            if len(found) >= n:
                return found[:n]
    every = tng.read_records(SAMPLES, SAMPLES / "stations.xml", SAMPLES / "events.xml")
    code = every[0].code
    return [r for r in every if r.code == code][:n]


def warm(data: Path, repeat: int, threads: int) -> list[Row]:
    """Generation, pool building and a training step of the default, against the published network and floors."""
    import torch

    import obspy_tng as tng
    from obspy_tng import spectral
    from obspy_tng.models.reference import Reference, ReferenceConfig
    from obspy_tng.models.spectral_autoencoder import inputs
    from obspy_tng.models.spectral_autoencoder import rows as as_rows
    from obspy_tng.models.spectral_timesnet import SpectralConfig, SpectralLoss, SpectralTimesNet
    from obspy_tng.preprocessing import windows

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model, mine = tng.load_model(), records(data, 24)
    published = Reference(ReferenceConfig())
    wave = torch.randn(1, 3, 6000)
    with torch.no_grad():
        code = published.encode(wave)
    seen = windows(mine)
    waves = seen.x * np.exp(seen.ln_sd)[..., None]
    known = spectral.describe(waves, seen.s_s)
    some = np.arange(32) % len(waves)  # a batch of the training
    smoothed, spectra = (torch.from_numpy(x[some]) for x in inputs(known))
    power = torch.from_numpy(as_rows(known.ln_power)[some])
    weight = torch.from_numpy(spectral.inside(known.ln_sp).astype(np.float32)[some])
    network, loss = (
        SpectralTimesNet(SpectralConfig(spectral.NT, spectral.NB, 3 * len(spectral.SPEC_HZ))),
        SpectralLoss(spectral.NP_),
    )

    def step():
        decoded = network.decode(network.encode(smoothed, spectra), spectra)
        loss(decoded, power, smoothed, weight)["total"].backward()

    def published_step():
        (published(wave) - wave).square().mean().backward()

    @torch.no_grad()
    def published_decode():
        published.decode(code)

    @torch.no_grad()
    def published_encode():
        published.encode(wave)

    n = 64
    generate, _ = in_turns(lambda: tng.generate("0205", n=n, seed=1), lambda: None, repeat)
    pool, _ = in_turns(lambda: tng.build_pool(mine, model=model), lambda: None, repeat)
    training, _ = in_turns(step, lambda: None, repeat)
    their_decode, their_encode = in_turns(published_decode, published_encode, 1)
    their_step, _ = in_turns(published_step, lambda: None, 1)
    fft, _ = in_turns(lambda: [np.fft.irfft(np.fft.rfft(w)) for w in waves], lambda: None, 3)
    floor_of_step = gemm_s(flops_of(step))
    return [
        Row("generate, one record", generate / n, their_decode, "published network decodes one", True),
        Row("generate, one record", generate / n, fft / len(waves), "floor: FFT of 3 x 6000 and back", False),
        Row("pool build, one record", pool / len(mine), their_encode, "published network encodes one", True),
        Row("pool build, one record", pool / len(mine), fft / len(waves), "floor: FFT of 3 x 6000 and back", False),
        Row("training step, one record", training / 32, their_step, "published network's step", True),
        Row("training step, batch of 32", training, floor_of_step, "floor: GEMM of as many operations", False),
    ]


def hvsr(data: Path, runs: int) -> list[Row]:
    """HVSR of windows in memory beside hvsrpy and the floor, one thread; see `hvsr_speed`."""
    import hvsr_speed
    from threadpoolctl import threadpool_limits

    waves, _ = hvsr_speed.windows(data, 100)
    with threadpool_limits(1):
        _, median = hvsr_speed.raced(waves, runs)
    ours = median["obspy-tng"][0]
    return [
        Row("H/V of 100 records", ours, median["hvsrpy as shipped"][0], "hvsrpy as shipped", True),
        Row("H/V of 100 records", ours, median["hvsrpy fft n=None"][0], "hvsrpy without its padding", True),
        Row("H/V of 100 records", ours, median["floor (rfft + sparse)"][0], "floor: FFT and sparse smoothing", False),
    ]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    if not args.data.is_dir():
        print(f"{args.data} is absent: simulated records of data_samples/ and white noise instead of real records")
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    print(f"{args.threads} threads, shortest of {args.repeat} in turns")
    print(LINE.format("", "ours (ms)", "other (ms)", "other", "times"), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        show(cold(args.repeat, Path(folder)))
    show(warm(args.data, args.repeat, args.threads))
    try:
        show(hvsr(args.data, args.repeat))
    except ModuleNotFoundError as err:
        print(f"hvsrpy is absent ({err}): pip install '.[bench]'")


def show(rows: list[Row]) -> None:
    """Print rows of the table."""
    for row in rows:
        times = f"{row.ratio:.1f}" + (" faster" if row.peer else " floor")
        print(
            LINE.format(row.name, f"{1e3 * row.ours_s:.1f}", f"{1e3 * row.other_s:.1f}", row.other, times), flush=True
        )


if __name__ == "__main__":
    main()
