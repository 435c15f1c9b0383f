"""The published architecture against ours: size, latent, time to encode and to train on one record.

    python benchmarks/reference_architecture.py [--threads 2]

Timed in turns in one run, untrained weights, fp32, one record at a time; the ratio is the result, the times
drift with the machine. The published network runs at 6000 steps per record (about 450 GMAC).
"""

import argparse
import copy
import time

import torch

from obspy_tng.models.reference import Reference, ReferenceConfig
from obspy_tng.models.timesnet import Inception
from obspy_tng.models.timesnet_gen import Config, TimesNetGen

LINE = "{:34} {:>14} {:>14} {:>10}"


def clock() -> float:
    """Return seconds: of this process where it has one thread, which other programs hardly change, else of the wall."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def encode_s(network, x):
    """Return seconds to encode x."""
    with torch.no_grad():
        started = clock()
        network.encode(x)
        return clock() - started


def step_s(network, x):
    """Return seconds for a forward and a backward pass of x."""
    started = clock()
    (network(x) - x).square().mean().backward()
    return clock() - started


def batch_effect(network, x):
    """Return the relative change of the first record's code when others are encoded beside it."""
    with torch.no_grad():
        alone, together = network.encode(x[:1]), network.encode(x)[:1]
    return float((alone - together).norm() / alone.norm())


def branch_by_branch(network):
    """Return a copy whose Inception blocks compute their six convolutions one by one, as published."""
    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, Inception):
            module.forward = lambda x, kernel=None, module=module: module.forward_branches(x)
    return network


def records(n):
    """Return n standardised noises of different colour (n, 3, 6000)."""
    x = torch.randn(n, 3, 6000, generator=torch.Generator().manual_seed(0))
    gain = torch.linspace(0, 1, 3001)[None, None] * 50
    centre = torch.linspace(1, 15, n)[:, None, None]
    x = torch.fft.irfft(torch.fft.rfft(x) * torch.exp(-((gain - centre) ** 2) / 8), 6000)
    return x / x.std(-1, keepdim=True)


def raced(published, ours, x, repeat) -> dict:
    """Return the shortest of `repeat` times in s, published and ours, run in turns: {"encode": (a, b), "step": …}."""
    times = {}
    for name, measure in (("encode", encode_s), ("step", step_s)):
        measure(ours, x[:1])
        both = [(measure(published, x[:1]), min(measure(ours, x[:1]) for _ in range(5))) for _ in range(repeat)]
        times[name] = [min(column) for column in zip(*both, strict=True)]
    return times


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    published, ours = Reference(ReferenceConfig()), TimesNetGen(Config())
    x = records(4)
    times = raced(published, ours, x, args.repeat)
    size = [sum(p.numel() for p in n.parameters()) / 1e6 for n in (published, ours)]
    effect = batch_effect(ours.eval(), x)
    fused = TimesNetGen(Config())
    fused.load_state_dict(ours.state_dict())
    with torch.no_grad():
        before = branch_by_branch(ours).eval()(x[:1])
        difference = float((fused.fuse().eval()(x[:1]) - before).abs().max())
    rows = [
        ("parameters (million)", *[f"{v:.1f}" for v in size], f"{size[0] / size[1]:.1f}"),
        ("  fused, as shipped", "", f"{sum(p.numel() for p in fused.parameters()) / 1e6:.1f}", ""),
    ]
    for name, label in (("encode", "encode one record (ms)"), ("step", "training step, one record (ms)")):
        a, b = times[name]
        rows.append((label, f"{1e3 * a:.0f}", f"{1e3 * b:.1f}", f"{a / b:.0f}"))
    latent = [n.config.latent * n.config.steps * 4 for n in (published, ours)]
    rows.append(("latent (bytes, fp32)", *map(str, latent), f"{latent[0] / latent[1]:.0f}"))
    rows.append(("  in a pool (bytes)", "", str(ours.config.latent * (ours.config.steps + 4)), ""))
    print(f"{args.threads} threads, torch {torch.__version__}; ratio: published / ours")
    print(LINE.format("", "published", "ours", "ratio"))
    for row in rows:
        print(LINE.format(*row))
    print(f"ours, fused against branch by branch: largest difference {difference:.1e}")
    print(f"ours, a record alone against in a batch: relative difference of its code {effect:.1e}")


if __name__ == "__main__":
    main()
