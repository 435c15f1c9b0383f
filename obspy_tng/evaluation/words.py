"""What the report says in words: the verdict, where the records come from, how figures are defined."""

from __future__ import annotations

import json
import math
from html import escape
from importlib.resources import files

import numpy as np

from obspy_tng.evaluation.tables import excess, html, number

COPY = 0.9  # correlation of waveforms from which two records are the same earthquake
POOL_KINDS = {
    "recorded": "records of the station itself",
    "adjusted": "records of other stations, adjusted to this station's H/V curve: their <b>amplitudes are nominal</b>",
    "simulated": "simulated records: no earthquake was recorded there",
}


def from_json(result, name: str, default):
    """Return an attribute kept as JSON, `default` where it is missing."""
    return json.loads(result.attrs[name]) if result.attrs.get(name) else default


def verdict(result) -> str:
    """Return the paragraph on top of the report, as HTML."""
    return " ".join(part for part in (_inside(result), _worst(result), _copies(result), _told(result)) if part)


def _measured(result):
    """Return the measures that have a value and a floor."""
    every = [result.isel(measure=i) for i in range(result.sizes["measure"])]
    return [one for one in every if np.isfinite(excess(one)).all()]


def _inside(result) -> str:
    measured = _measured(result)
    if not measured:
        return "No measure has both a value and a floor: there are too few records or events to judge by."
    inside = sum(bool(one.inside_floor) for one in measured)
    missing = result.sizes["measure"] - len(measured)
    left = f" ({missing} could not be measured)" if missing else ""
    return (
        f"<b>{inside} of {len(measured)} measures lie inside the floor</b>{left}: "
        "there, generated records cannot be told from real ones by the mean over stations."
    )


def _worst(result) -> str:
    outside = [(excess(one), one) for one in _measured(result) if not bool(one.inside_floor)]
    ranked = sorted(outside, key=lambda item: -item[0][0] / max(item[0][1], 1e-9))[:3]
    if not ranked:
        return "The generator is outside the floor in none."
    named = []
    for (distance, limit), one in ranked:
        value = number(one.value.sel({"ensemble": "generated"}), str(one.measure_unit.item()))
        times = f", {number(distance / limit)} times the floor" if limit > 0 else ""
        named.append(f"{escape(str(one.measure.item()))} ({value}, ideal {number(one.ideal)}{times})")
    return f"It is worst at {'; '.join(named)}."


def _copies(result) -> str:
    if "novelty_record" not in result:
        return "Whether records are copies was not looked at."
    text = []
    dim = result.novelty_record.dims[1]
    kinds = [str(s) for s in result[dim].values]
    if "correlation" in kinds:
        highest = result.novelty_record.sel({dim: "correlation"}).values
        if not np.isfinite(highest).any():
            return "Whether records are copies could not be measured."
        copies = int((highest >= COPY).sum())
        said = f"<b>{copies} generated records are copies</b> of a pool record" if copies else "No record is a copy"
        text.append(f"{said}: the largest correlation with a pool record is {number(np.nanmax(highest))} (a copy: 1).")
    shares = []
    for kind in kinds:
        share = _share(result, kind)
        if math.isfinite(share):
            shares.append(f"{number(100 * share, '%')} by {escape(kind)}")
    if shares:
        text.append(
            f"Nearer to the pool than 99 % of real records are to each other: {', '.join(shares)} (chance: 1 %)."
        )
    return " ".join(text)


def _share(result, kind) -> float:
    name = "share above real p99"
    if "novelty" not in result or name not in result.statistic.values:
        return math.nan
    array = result.novelty
    return float(array.sel({array.dims[0]: "generated", array.dims[1]: kind, "statistic": name}))


def _told(result) -> str:
    if "c2st_auc" not in result or "generated" not in result.c2st_set.values:
        return "No classifier was trained to tell generated from real (C2ST)."
    auc = float(result.c2st_auc.sel(classifier="counts", c2st_set="generated"))
    if not math.isfinite(auc):
        return "The classifier test (C2ST) gave no figure."
    told = "nearly always" if auc >= 0.95 else "mostly" if auc >= 0.75 else "sometimes" if auc >= 0.6 else "hardly"
    floor = ""
    if "real vs real" in result.c2st_set.values:
        floor = f"; real from real: {number(result.c2st_auc.sel(classifier='counts', c2st_set='real vs real'))}"
    valid = result.attrs.get("c2st_valid")
    said = "" if valid is None else " The test is valid." if int(valid) else " <b>The test is not valid here.</b>"
    return f"A classifier can {told} tell generated from real (C2ST, AUC {number(auc)}{floor}).{said}"


def provenance(result) -> str:
    """Return where the generated records come from, as HTML."""
    made = from_json(result, "provenance", [])
    if not made:
        return "<p>The generated records do not say where they come from (no obspy-tng metadata).</p>"
    stations: dict[str, list[str]] = {}
    for kind in made:
        stations.setdefault(str(kind.get("pool_kind", "not said")), []).append(str(kind.get("station", "?")))
    out = []
    for kind, codes in stations.items():
        meaning = POOL_KINDS.get(kind, "what kind of pool is not known")
        out.append(f"<p>Pool <b>{escape(kind)}</b> ({escape(', '.join(sorted(set(codes))))}): {meaning}.</p>")
    keys = list(dict.fromkeys(k for item in made for k in item if k not in ("station", "pool_kind")))
    groups: dict[tuple, list[str]] = {}
    for item in made:
        row = (str(item.get("pool_kind", "not said")), *(_short(item.get(k)) for k in keys))
        groups.setdefault(row, []).append(str(item.get("station", "?")))
    rows = []
    for row, codes in groups.items():
        rows.append([escape(", ".join(dict.fromkeys(codes))), *map(escape, row)])
    head = ["station", "pool", *(escape(k.replace("_", " ")) for k in keys)]
    return "\n".join(out) + html(head, rows, "What the generated records say of themselves.", kind="cards words")


def _short(value) -> str:
    text = "–" if value is None else str(value)
    return f"{text[:12]}…" if len(text) == 64 and " " not in text else text


def definitions() -> str:
    """Return how each figure is defined, and the references, as HTML."""
    return files("obspy_tng.evaluation").joinpath("definitions.html").read_text(encoding="utf-8")
