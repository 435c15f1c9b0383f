"""The result in words and numbers: a table for people, a dictionary for machines."""

from __future__ import annotations

import json
import math

import numpy as np

_WIDTH = 14


def as_text(result) -> str:
    """Return the table of all methods, novelty, C2ST and remarks as text.

    Parameters
    ----------
    result : xarray.Dataset
        Of `evaluate`.
    """
    methods = [str(m) for m in result.ensemble.values]
    lines = [
        f"{result.sizes['station']} station(s): {', '.join(result.station.values)}",
        "against the pool: amplitude, duration, arrivals; against held-out events: site and f0",
        "",
    ]
    head = f"{'measure':27}{'unit':>8}{'ideal':>7}  {'generated [95 %]':>27}  "
    lines.append(head + "".join(f"{m:>{_WIDTH + 2}}" for m in methods if m != "generated"))
    against = ""
    for i, name in enumerate(result.measure.values):
        one = result.isel(measure=i)
        if str(one.against.item()) != against:
            against = str(one.against.item())
            lines.append(f"— against {'the pool' if against == 'pool' else against}, floor: {one.floor.item()}")
        made = one.sel(ensemble="generated")
        mark = "=" if bool(one.inside_floor) else " "
        interval = f"{_number(made.value)} [{_number(made.low)}, {_number(made.high)}]"
        row = f"{name:27}{one.measure_unit.item():>8}{one.ideal.item():>7g}  {interval:>27} {mark}"
        row += "".join(f"{_number(one.sel(ensemble=m).value):>{_WIDTH + 2}}" for m in methods if m != "generated")
        lines.append(row)
    n_inside = int(result.inside_floor.sum())
    n_measured = int(np.isfinite(result.split_mean.sel(ensemble="generated") + result.floor_limit).sum())
    lines += [
        "",
        f"{n_inside} of {n_measured} measures lie inside the floor (=): their mean over splits is no "
        "further from the ideal than 95 % of the floor's splits",
    ]
    if "alignment_remark" in result.attrs:
        lines.append(result.attrs["alignment_remark"])
    if "latent_purity" in result.attrs:
        lines.append(
            f"nearest-neighbour station purity of the latents {result.attrs['latent_purity']:.3f}, "
            f"chance {result.attrs['latent_purity_chance']:.3f}"
        )
    lines += _novelty(result) + _c2st(result) + _others(result)
    lines += [f"note: {remark}" for remark in json.loads(result.attrs.get("remarks", "[]"))]
    return "\n".join(lines)


def _novelty(result) -> list[str]:
    if "novelty" not in result:
        return []
    lines = ["", "novelty: largest likeness of a record to any pool record (real vs real: to any other real one)"]
    statistics = [str(s) for s in result.statistic.values]
    for kind in result.likeness.values:
        lines.append(f"{kind:20}" + "".join(f"{s:>26}" for s in statistics))
        for m in result.novelty_ensemble.values:
            row = result.novelty.sel(novelty_ensemble=m, likeness=kind)
            lines.append(f"  {m:18}" + "".join(f"{_number(row.sel(statistic=s)):>26}" for s in statistics))
    return lines


def _c2st(result) -> list[str]:
    if "c2st_auc" not in result:
        return []
    sets = [str(s) for s in result.c2st_set.values]
    lines = ["", f"{'C2ST, AUC (.5: nobody can tell)':34}" + "".join(f"{s:>18}" for s in sets)]
    for name in result.classifier.values:
        row = result.c2st_auc.sel(classifier=name)
        lines.append(f"  {name:32}" + "".join(f"{_number(row.sel(c2st_set=s)):>18}" for s in sets))
    return [*lines, result.attrs.get("c2st_remark", "")]


def _others(result) -> list[str]:
    lines = []
    if "correlation_difference" in result:
        pairs = [
            f"{name} {_number(value)}"
            for name, value in zip(result.pair.values, result.correlation_difference.values, strict=True)
        ]
        lines += ["", "inter-frequency correlation, mean |difference|: " + "; ".join(pairs)]
    if "mean_envelope_correlation" in result:
        means = result.mean_envelope_correlation.mean("station")
        pairs = [
            f"{name} {_number(value)}" for name, value in zip(means.envelope_set.values, means.values, strict=True)
        ]
        lines.append("mean envelope against that of the real records, correlation: " + "; ".join(pairs))
    if "pair_value" in result:
        pairs = [
            f"{name} {_number(value)}"
            for name, value in zip(result.pair_measure.values, result.pair_value, strict=True)
        ]
        lines.append(
            f"{result.attrs['pair_set']} records against their originals, median of {result.attrs['n_pairs']}: "
            + "; ".join(pairs)
        )
    if "gmm_residual_mean" in result:
        for name in result.gmm_set.values:
            row = result.sel(gmm_set=name)
            text = "; ".join(
                f"{m} {float(a):+.2f} ± {float(b):.2f}"
                for m, a, b in zip(result.gmm_measure.values, row.gmm_residual_mean, row.gmm_residual_sd, strict=True)
            )
            lines.append(f"ln residuals to {result.attrs['gmm']}, {name}: {text}")
    return lines


def _number(value) -> str:
    value = float(value)
    if not math.isfinite(value):
        return "–"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def as_json(result) -> dict:
    """Return the result without waveforms and curves as plain types; NaN become None.

    Parameters
    ----------
    result : xarray.Dataset
        Of `evaluate`.
    """
    methods = [str(m) for m in result.ensemble.values]
    table = {}
    for i, name in enumerate(result.measure.values):
        one = result.isel(measure=i)
        table[str(name)] = {
            "unit": one.measure_unit.item(),
            "ideal": one.ideal.item(),
            "against": one.against.item(),
            "floor": one.floor.item(),
            "floor_limit": _plain(one.floor_limit),
            "inside_floor": bool(one.inside_floor),
            "methods": {
                m: {key: _plain(one[key].sel(ensemble=m)) for key in ("value", "low", "high")} for m in methods
            },
            "stations": {
                str(code): _plain(one.station_value.sel(ensemble="generated", station=code))
                for code in result.station.values
            },
        }
    out = {
        "stations": [str(s) for s in result.station.values],
        "n_records": {
            str(name): {str(c): int(result.n_records.sel(set=name, station=c)) for c in result.station.values}
            for name in result.set.values
        },
        "measures": table,
    }
    for name in (
        "novelty",
        "c2st_auc",
        "alignment_score",
        "saturation",
        "correlation_difference",
        "pair_value",
        "mean_envelope_correlation",
    ):
        if name in result:
            out[name] = _nested(result[name])
    for key, value in result.attrs.items():
        out[key] = json.loads(value) if isinstance(value, str) and value[:1] in "[{" else _plain(value)
    return out


def _nested(array):
    """Return a labelled array as dictionaries in dictionaries."""
    if not array.dims:
        return _plain(array)
    dim = array.dims[0]
    return {str(label): _nested(array.isel({dim: i})) for i, label in enumerate(array[dim].values)}


def _plain(value):
    if isinstance(value, str):
        return value
    value = np.asarray(value).item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
