"""Numbers of what the shipped networks and pools make, few and coarse: `test_reproducible.py` holds them in place.

``python tests/golden.py --write`` writes them anew, after weights, pools or synthesis were changed on purpose;
without ``--write`` it prints how far today's numbers are from those kept, in parts of the tolerance.
"""

import argparse
import json
from pathlib import Path

import numpy as np

PATH = Path(__file__).with_name("golden.json")
# (station, model): a recorded and an adjusted pool of the default, a pool of waveforms
CASES = (("CI.CWC", None), ("TK.0205", None), ("CI.CWC", "tng-ridgecrest-1"))
# Relative, of numbers that are sums over thousands of samples: processors, BLAS and FFT differ in the last bits of
# float32 (1e-7), networks of some layers make 1e-5 of it; another weight or another draw makes 1e-2 and more.
RTOL = 1e-3
BANDS_HZ = ((0.2, 1), (1, 4), (4, 10), (10, 30))


def numbers() -> dict[str, list[float]]:
    """Return the numbers of every case: of two realisations, per component, and of the codes of one known record."""
    return {f"{station} {model or 'default'}": _of(station, model) for station, model in CASES}


def _of(station, model) -> list[float]:
    import obspy_tng as tng
    from obspy_tng.models import load_model
    from obspy_tng.pool_build import told_windows

    out = []
    for trace in tng.generate(station, n=2, seed=20261121, model=model):
        x = trace.data.astype(float)
        power = np.abs(np.fft.rfft(x)) ** 2
        f_hz = np.fft.rfftfreq(x.size, trace.stats.delta)
        energy = np.cumsum(x**2)
        out += [np.abs(x).max(), np.sqrt((x**2).mean()), np.interp(energy[-1] / 2, energy, np.arange(x.size))]
        out += [np.sqrt(power[(f_hz >= low) & (f_hz < high)].sum()) for low, high in BANDS_HZ]
    record = tng.records(tng.simulate(n=1, seed=1), units="m/s2")
    codes, ln_sd = load_model(model).describe(told_windows(record))
    out += [np.abs(codes).sum(), np.sqrt((codes.astype(float) ** 2).sum()), *np.exp(ln_sd[0])]
    return [float(f"{value:.8g}") for value in out]


def kept() -> dict[str, list[float]]:
    """Return the numbers that are kept."""
    return json.loads(PATH.read_text(encoding="utf-8"))


def distance(new: list[float], old: list[float]) -> float:
    """Return the largest relative difference, in parts of the tolerance; infinite when the counts differ."""
    if len(new) != len(old):
        return np.inf
    return float(np.max(np.abs(np.subtract(new, old)) / np.abs(old)) / RTOL)


def main():
    """Write the numbers, or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    new = numbers()
    if parser.parse_args().write:
        PATH.write_text(json.dumps(new) + "\n", encoding="utf-8")
        print(f"wrote {PATH}")
        return
    for name, values in new.items():
        print(f"{name:30} {distance(values, kept().get(name, [])):.3g} of the tolerance")


if __name__ == "__main__":
    main()
