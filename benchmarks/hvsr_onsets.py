"""S onsets told from the energy against S picks: today's rule and the one before it (5 % of the energy).

    python benchmarks/hvsr_onsets.py --data ../shared/data

All Ridgecrest records that have an S pick, whole and in counts-free m/s² as `records` gives them.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from obspy_tng.record import iter_records
from obspy_tng.site.windows import energy_onsets


def husid(data, rate):
    """Return the S onset in s by the former rule: where 5 % of the horizontal energy has come."""
    power = (data - data.mean(axis=1, keepdims=True)) ** 2
    energy = np.cumsum(power[0] + power[1])
    return np.searchsorted(energy, 0.05 * energy[-1]) / rate


def main():
    """Print the errors of both rules."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    folder = parser.parse_args().data / "ridgecrest"
    files = sorted((folder / "waveforms").glob("*.mseed"))
    if not files:
        print(f"{folder} is absent: no picks to compare with")
        return
    rules = {"5 % of the energy": husid, "change of variance": lambda data, rate: energy_onsets(data, rate)[1]}
    errors, taken = {name: [] for name in rules}, dict.fromkeys(rules, 0.0)
    for part in iter_records(files, inventory=folder / "stations.xml", events=folder / "events.xml"):
        for record in (r for r in part if r.onset_source == "pick" and np.isfinite(r.s_s)):
            for name, rule in rules.items():
                begin = time.thread_time()
                errors[name].append(rule(record.data, record.sampling_rate) - record.s_s)
                taken[name] += time.thread_time() - begin
    print(f"{'':20}{'records':>8}{'median s':>10}{'quartiles s':>16}{'within 1 s':>12}{'2 s':>6}{'ms':>7}")
    for name, given in errors.items():
        given = np.array(given)
        low, middle, high = np.quantile(given, [0.25, 0.5, 0.75])
        one, two = (100 * np.mean(np.abs(given) <= limit) for limit in (1, 2))
        ms = 1e3 * taken[name] / given.size
        print(f"{name:20}{given.size:8}{middle:10.2f}{low:9.2f}{high:7.2f}{one:10.0f} %{two:4.0f} %{ms:7.2f}")


if __name__ == "__main__":
    main()
