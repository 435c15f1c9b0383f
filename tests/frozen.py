"""Numbers that shall stay where they are: sums of what functions return for fixed input, kept in a JSON file.

No truth is claimed here, that is tested elsewhere. Where a definition is a choice (bands, thresholds, lengths of
frames), nothing but such a sum notices that it has changed, and tables of today and of last year would be compared
that mean different things. A change that is meant: FREEZE=1 python -m pytest tests/site/test_frozen_curves.py, and a
line in CHANGELOG.md.
"""

import json
import os

import numpy as np

RELATIVE = 2e-5  # other versions of numpy and scipy, other processors


def motion(n: int, seed: int = 0, npts: int = 6000, rate_hz: float = 100.0) -> np.ndarray:
    """Return n earthquake-like records (n, 3, npts): noise, P at 10 s, S at 14 to 18 s, decaying, 0.2-12 Hz, m/s²."""
    rng = np.random.default_rng(seed)
    time_s, frequency_hz = np.arange(npts) / rate_hz, np.fft.rfftfreq(npts, 1 / rate_hz)
    shape = (frequency_hz / 0.5) ** 2 / (1 + (frequency_hz / 0.5) ** 2) / (1 + (frequency_hz / 8) ** 4)
    out = np.empty((n, 3, npts))
    for i, s_s in enumerate(rng.uniform(14, 18, n)):
        after_p, after_s = np.maximum(time_s - 10, 0), np.maximum(time_s - s_s, 0)
        envelope = 0.003 + 0.3 * (after_p > 0) * np.exp(-after_p / 6) + (after_s > 0) * np.exp(-after_s / 7)
        site = 1 + 2 * np.exp(-((np.log(np.maximum(frequency_hz, 0.1) / 3) / 0.3) ** 2))
        for k in range(3):
            noise = np.fft.rfft(rng.standard_normal(npts)) * shape * (site if k < 2 else 1)
            out[i, k] = np.fft.irfft(noise, npts) * envelope * (1.0 if k < 2 else 0.6) * 0.05
    return out


def numbers(value) -> list[float]:
    """Return what stands for a value: how many numbers, how many known, size, and two sums with fixed weights."""
    if isinstance(value, dict):
        return [x for key in sorted(value) for x in numbers(value[key])]
    if isinstance(value, (tuple, list)) and not isinstance(value, np.ndarray):
        return [x for item in value for x in numbers(item)]
    if value is None or isinstance(value, str):
        return []
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        return [float(array.size)]
    flat = array.astype(float).ravel()
    known = np.isfinite(flat)
    weights = np.random.default_rng(7).normal(size=(2, flat.size))[:, known]
    flat = flat[known]
    size = float(np.sqrt((flat**2).sum()))
    return [float(array.size), float(known.sum()), size, *(float(w @ flat) for w in weights)]


def compare(path, name: str, value) -> None:
    """Hold the numbers of a value against those kept, or keep them."""
    now = numbers(value)
    kept = json.loads(path.read_text()) if path.exists() else {}
    if os.environ.get("FREEZE"):
        kept[name] = [float(f"{x:.9g}") for x in now]
        path.write_text(json.dumps(kept, indent=0, sort_keys=True) + "\n")
        return
    before = kept[name]
    assert len(now) == len(before), f"{name}: another number of arrays"
    for i, (a, b) in enumerate(zip(now, before, strict=True)):
        of = i - i % 5 if len(now) % 5 == 0 else i
        scale = max(abs(before[of + 2]) if of + 2 < len(before) and of != i else 0.0, abs(b), 1e-12)
        assert abs(a - b) <= RELATIVE * scale, f"{name}, number {i}: {a:.9g}, was {b:.9g}"
