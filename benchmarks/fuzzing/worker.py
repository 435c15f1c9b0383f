"""One target in one process: libFuzzer calls it, errors that are documented pass, all others are saved."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

import atheris

SLOW_S = 30.0


def work(name: str, folder: Path, flags: list[str]) -> None:
    """Fuzz one target with the flags of libFuzzer; does not return."""
    warnings.simplefilter("ignore")
    with atheris.instrument_imports(include=["obspy_tng"]):
        from fuzzing import seeds, targets
    scratch = Path(tempfile.mkdtemp())
    made = Path(folder) / "seeds"
    made.mkdir(parents=True, exist_ok=True)
    sizes = [1024]
    for i, raw in enumerate(seeds.SEEDS[name](scratch)):
        (made / f"{i}").write_bytes(raw)
        sizes.append(len(raw))
    target = targets.TARGETS[name](scratch)
    known: set[str] = set()

    def one(data):
        began = time.monotonic()
        try:
            target(data)
        except targets.EXPECTED:
            pass
        except Exception as err:
            _save(folder, data, err, known)
        if time.monotonic() - began > SLOW_S:
            _save(folder, data, TimeoutError(f"{time.monotonic() - began:.0f} s"), known)

    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)  # readers and their libraries may talk
    atheris.Setup([sys.argv[0], *flags, str(made), f"-max_len={max(sizes) * 5 // 4}"], one)
    atheris.Fuzz()


def _save(folder, data, err, known) -> None:
    """Keep the first input of every place that raised."""
    frames = traceback.extract_tb(err.__traceback__)
    ours = [f for f in frames if "obspy_tng" in f.filename] or frames
    place = f"{type(err).__name__} {ours[-1].filename}:{ours[-1].lineno}" if ours else type(err).__name__
    if place in known:
        return
    known.add(place)
    key = hashlib.sha256(place.encode()).hexdigest()[:10]
    (Path(folder) / f"unexpected-{key}.bin").write_bytes(data)
    text = "".join(traceback.format_exception(err))
    (Path(folder) / f"unexpected-{key}.txt").write_text(f"{place}\n\n{text}", errors="replace")
