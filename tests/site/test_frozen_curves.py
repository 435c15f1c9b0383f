"""H/V and what is told of it keep their numbers; see `frozen`."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import frozen
from simulated_windows import FREQUENCY_HZ, curves_of, mixed

import obspy_tng as tng
from obspy_tng.site import (
    azimuth,
    curves,
    geopsy,
    outliers,
    peaks,
    sesame,
    smoothing,
    timesnet_gen,
    uncertainty,
    windows,
)

KEPT = Path(__file__).with_name("frozen_curves.json")
RATE = 100.0
GRID_HZ = np.geomspace(0.5, 20, 40)
SAMPLES = Path(__file__).parents[2] / "data_samples" / "network"


@pytest.fixture(scope="module")
def waves():
    """Twelve records; left as they are."""
    data = frozen.motion(12)
    data.flags.writeable = False
    return data


CURVES = curves_of(mixed())
CASES = {
    **{
        f"horizontal {how}": lambda w, how=how: curves.hvsr_array(w[:3], RATE, GRID_HZ, horizontal=how)
        for how in ("geometric", "arithmetic", "quadratic", "maximum", "azimuth:30", "rotd50", "total-energy")
    },
    **{
        f"smoothing {kind}": lambda w, kind=kind: curves.hvsr_array(w[:3], RATE, GRID_HZ, smoothing=kind)
        for kind in ("ko:20", "tri:0.5", "rect:0.51", "logtri:0.05", "logrect:0.051", "parzen:0.5", "loggauss:20")
    },
    "lognormal": lambda w: curves.lognormal(CURVES),
    "windowed": lambda w: curves.windowed_hvsr(
        w[0], RATE, windows.Window(1400, 3400, "s"), (0, 900), GRID_HZ, return_mask=True
    ),
    "azimuths": lambda w: azimuth.azimuthal(w[:2], RATE, GRID_HZ),
    "azimuth statistics": lambda w: (
        azimuth.statistics(azimuth.azimuthal(w, RATE, GRID_HZ), np.arange(12) % 4 > 0)._asdict()
    ),
    "published code": lambda w: timesnet_gen.hvsr_curves(w[:3], RATE, timesnet_gen.frequencies()),
    "published f0": lambda w: timesnet_gen.record_f0(w, RATE),
    "geopsy": lambda w: geopsy.hvsr_of_windows(w[:3], RATE, geopsy.output_frequency()),
    "geopsy triangles": lambda w: (
        geopsy.hvsr_of_windows(w[:3], RATE, GRID_HZ, smoothing="ko:15", horizontal="azimuth:20")
    ),
    "geopsy windows": lambda w: [
        geopsy.window_bounds(n, 100.0, 20.0, overlap=o) for n in (6000, 6001, 18123) for o in (0, 0.3)
    ],
    "geopsy f0": lambda w: tuple(geopsy.f0_from_windows(CURVES, FREQUENCY_HZ)),
    "onsets": lambda w: [windows.energy_onsets(x, RATE) for x in w],
    "onsets 50 Hz": lambda w: [windows.energy_onsets(x[:, ::2], 50.0) for x in w[:5]],
    "sta lta": lambda w: outliers.sta_lta(w[:6], RATE),
    "cox": lambda w: outliers.cox(outliers.window_f0(CURVES, FREQUENCY_HZ), CURVES, FREQUENCY_HZ),
    "zscore": lambda w: outliers.zscore(CURVES, FREQUENCY_HZ),
    "peaks": lambda w: [tuple(p) for p in peaks.peaks(np.exp(np.log(CURVES).mean(axis=0)), FREQUENCY_HZ)],
    "record peaks": lambda w: peaks.record_peaks(CURVES, FREQUENCY_HZ, 2.0),
    "sesame window f0": lambda w: sesame.window_f0(CURVES, FREQUENCY_HZ, 2.0, CURVES.mean(axis=0)),
    "uncertainty": lambda w: [
        uncertainty.interval(2.0, np.random.default_rng(0).normal(2, 0.1, 200), n) for n in (3, 8, 40)
    ],
    "resampled": lambda w: uncertainty.resampled_curves(
        np.log(CURVES), np.isfinite(CURVES), np.ones(120, bool), 20, 5, np.random.default_rng(0)
    ),
    "kernels": lambda w: [
        smoothing.smoothing_matrix(3000, RATE, GRID_HZ, k).toarray() for k in ("ko:40", "parzen:0.4", "tri:1")
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_of_arrays(waves, name):
    """What is computed of twelve records or of seventy curves."""
    frozen.compare(KEPT, name, CASES[name](waves))


NETWORK = {
    "default": {},
    "full": {"window": "full"},
    "noise": {"window": "noise", "smoothing": "rect:0.5"},
    "15 s, no noise judged": {"window": 15, "snr": 0, "taper": 0.05},
    "sliding": {"window": "sliding:20", "overlap": 0.5, "max_windows": 3, "group": "record"},
    "geopsy": {"window": 20, "compat": "geopsy", "overlap": 0.25},
    "published": {"compat": "timesnet-gen"},
    "azimuths": {"azimuth_step_deg": 45, "band_hz": (1, 10), "n_frequency": 30},
    "rejected": {"window": "sliding:10", "reject": ("cox:2", "sta-lta:0.2:2.5", "zscore")},
}


@pytest.fixture(scope="module")
def network():
    """Two events of the sample network."""
    files = sorted(SAMPLES.glob("*.mseed"))[:2]
    return tng.read_records([str(f) for f in files], SAMPLES / "stations.xml", SAMPLES / "events.xml")


@pytest.mark.parametrize("name", list(NETWORK))
def test_of_a_network(network, name):
    """Every variable and coordinate of the Dataset, f0 and SESAME's criteria."""
    found = tng.hvsr(network, **NETWORK[name])
    frozen.compare(KEPT, f"network, {name}", {str(k): found[k].values for k in (*found.data_vars, *found.coords)})
    f0 = tng.pick_f0(found)
    frozen.compare(KEPT, f"network, {name}, f0", {str(k): f0[k].values for k in f0.data_vars})
