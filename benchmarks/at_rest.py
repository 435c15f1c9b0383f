"""Do generated records come to rest? Velocity and displacement of real and generated records, integrated as they are.

    python benchmarks/at_rest.py --corpus runs/corpus

Per record and component: mean of |v| over the last 0.5 s over the largest |v|, the same of displacement, and the
displacement's linear trend over the record over its largest value. Median and 95th percentile over stations no network
was trained on. Real records are cut as they are and brought to rest once, as generated ones are (`preprocessing.land`):
codes are of records that went through its high-pass once.
"""

import argparse

import numpy as np
from site_generation import GENERATORS, stations

import obspy_tng as tng
from obspy_tng.corpus import Corpus
from obspy_tng.preprocessing import NPTS, land, resampled, window_start
from obspy_tng.synthesis import realise
from obspy_tng.training import TARGETS

RATE_HZ, END_S = 100.0, 0.5


def at_rest(waves: np.ndarray) -> np.ndarray:
    """Return the three ratios of accelerograms (n, 3, npts), shape (3, 3n)."""
    from scipy.integrate import cumulative_trapezoid

    velocity = cumulative_trapezoid(waves, dx=1 / RATE_HZ, axis=-1, initial=0)
    displacement = cumulative_trapezoid(velocity, dx=1 / RATE_HZ, axis=-1, initial=0)
    last = slice(-int(END_S * RATE_HZ), None)
    ends = [np.abs(x[..., last]).mean(axis=-1) / np.abs(x).max(axis=-1) for x in (velocity, displacement)]
    t = np.linspace(-0.5, 0.5, waves.shape[-1])
    trend = np.abs(displacement @ t / (t @ t)) / np.abs(displacement).max(axis=-1)
    return np.array([*ends, trend]).reshape(3, -1)


def landed(record) -> np.ndarray:
    """Return the window of a record, conditioned once and at rest, shape (3, NPTS)."""
    record = resampled(record)
    first = window_start(record)
    out = np.zeros((3, NPTS))
    inside = record.data[:, max(first, 0) : first + NPTS]
    out[:, max(-first, 0) :][:, : inside.shape[1]] = land(inside)
    return out


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="runs/corpus")
    parser.add_argument("-n", type=int, default=60, help="records per station")
    args = parser.parse_args()
    data = stations(Corpus(args.corpus), TARGETS)
    found = {
        "real": np.concatenate(
            [at_rest(np.array([landed(r) for r in records])) for records, *_ in data.values()], axis=1
        )
    }
    for name in ("energy vp", "waveform vp"):
        model = tng.load_model(GENERATORS[name][0])
        pools = [tng.build_pool(records, model=model) for records, _, _ in data.values()]
        made = [at_rest(realise(pool, model, GENERATORS[name][1], 1, range(args.n))[0]) for pool in pools]
        found[name] = np.concatenate(made, axis=1)
    print(f"{'median (95th percentile)':26} {'velocity at end':>18} {'displacement':>18} {'trend':>18}")
    for name, values in found.items():
        middle, high = np.quantile(values, [0.5, 0.95], axis=1)
        cells = [f"{m:.4f} ({h:.4f})" for m, h in zip(middle, high, strict=True)]
        print(f"{name:26}" + "".join(f"{cell:>19}" for cell in cells))


if __name__ == "__main__":
    main()
