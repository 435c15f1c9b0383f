"""P onsets of the spectral description against the picks of analysts.

    python benchmarks/p_onsets.py --corpus runs/corpus

All records with a picked P, which stands at 10 s of their windows. Beside the rule of `spectral_onset` stands what was
the heart of the one before: the least AIC of two variances (Maeda, 1985) of the differenced motion.
"""

import argparse

import numpy as np

from obspy_tng import spectral_onset
from obspy_tng.corpus import Corpus
from obspy_tng.preprocessing import P_AT_S, SAMPLING_RATE_HZ, windows


def differenced(x):
    """Return the onset in s after P_AT_S by the differences of the motion, each component over its own variance."""
    step = np.diff(x, axis=-1)
    p, reach = int(P_AT_S * SAMPLING_RATE_HZ), int(spectral_onset.LATEST_S * SAMPLING_RATE_HZ)
    return spectral_onset._two_variances(step / step[:, p - 150 : p + 150].std(axis=-1, keepdims=True), p, reach)


def main():
    """Print how late each rule is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="runs/corpus")
    rules = {"noise whitened": spectral_onset.onset, "differences, AIC": differenced}
    late = {name: [] for name in rules}
    for part in Corpus(parser.parse_args().corpus).parts():
        picked = [record for record in part if record.onset_source == "pick"]
        if not picked:
            continue
        found = windows(picked)
        for wave in found.x * np.exp(found.ln_sd.astype(float))[..., None]:
            for name, rule in rules.items():
                late[name].append(rule(wave))
    print(f"{'':18}{'records':>8}{'median s':>10}{'quartiles s':>16}{'within .05 s':>14}{'.1 s':>6}")
    for name, given in late.items():
        given = np.array(given)
        low, middle, high = np.quantile(given, [0.25, 0.5, 0.75])
        near, nearly = (100 * np.mean(np.abs(given) <= limit + 1e-6) for limit in (0.05, 0.1))
        print(f"{name:18}{given.size:8}{middle:10.2f}{low:9.2f}{high:7.2f}{near:12.0f} %{nearly:4.0f} %")


if __name__ == "__main__":
    main()
