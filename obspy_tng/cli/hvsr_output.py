"""What ``obspy-tng hvsr`` tells: rows for machines, a table for people, files."""

from __future__ import annotations

import json
import math
from pathlib import Path

from obspy_tng.cli.output import replace, write_netcdf
from obspy_tng.errors import TNGError

NUMBERS = ("f0_hz", "f0_low_hz", "f0_high_hz", "a0", "sigma_ln", "support", "f0_record_sigma_ln")
NUMBERS += ("f0_alternative_hz", "f0_alternative_support")


def summary(curves, f0, verdicts=None) -> list[dict]:
    """Return one plain dictionary per station, NaN as None, ready for JSON.

    Parameters
    ----------
    curves, f0, verdicts : xarray.Dataset
        Of `hvsr`, `pick_f0` and `sesame`.
    """
    import numpy as np

    values = {name: f0[name].values for name in (*NUMBERS, "n_used", "reason")}
    length_s = curves.window_end_s.values - curves.window_start_s.values
    skipped = curves.attrs["skipped"]
    low, high = curves.attrs["band_hz"]
    inside = (curves.frequency.values >= low * (1 - 1e-9)) & (curves.frequency.values <= high * (1 + 1e-9))
    in_band = np.isfinite(curves.curve.values) & inside
    rows = []
    for i, station in enumerate(map(str, f0.station.values)):
        mine = curves.record_station.values == station
        names, counts = np.unique(curves.window_source.values[mine], return_counts=True)
        rows.append(
            {"station": station}
            | {name: _number(values[name][i]) for name in NUMBERS}
            | {
                "n_records": int(np.unique(curves.record_id.values[mine]).size),
                "n_windows": int(mine.sum()),
                "n_rejected": int((~curves.accepted.values[mine]).sum()),
                "n_used": int(values["n_used"][i]),
                "n_values": int(in_band[i].sum()),
                "sesame": "" if verdicts is None else str(verdicts.verdict.values[i]),
                "peaks": _peaks(f0, i),
                "reason": str(values["reason"][i]),
                "windows": dict(zip(names.tolist(), counts.tolist(), strict=True)),
                "window_s": _number(length_s[mine].max()),
                "n_cut": int(curves.window_cut.values[mine].sum()),
                "n_without_snr": int((curves.noise_length_s.values[mine] == 0).sum()),
                "skipped": [s for s in skipped if f"{station}." in s],
            }
        )
    return rows


def _peaks(f0, i) -> list[dict]:
    """Return the further clear peaks of a station, above f0."""
    names = ("frequency_hz", "low_hz", "high_hz", "amplitude", "prominence_ln", "support")
    values = zip(*(f0[f"peak_{name}"].values[i, 1:].tolist() for name in names), strict=True)
    return [dict(zip(names, map(_number, peak), strict=True)) for peak in values if math.isfinite(peak[0])]


def _number(value):
    return float(f"{value:.6g}") if math.isfinite(value) else None


def table(rows) -> str:
    """Return the human table: one line per station."""
    width = max(7, *(len(r["station"]) for r in rows))
    several = any(r["n_windows"] > r["n_records"] for r in rows)
    lines = [
        f"{'station':<{width}} {'f0 Hz':>6} {'68 % interval':>14} {'A0':>5} {'sd ln':>5} {'support':>7} "
        f"{'windows' if several else 'records':>9} {'SESAME':>10}  remark"
    ]
    for r in rows:
        f0, a0, sigma, support = (_text(r[name]) for name in ("f0_hz", "a0", "sigma_ln", "support"))
        interval = "-" if r["f0_low_hz"] is None else f"{r['f0_low_hz']:.2f}-{r['f0_high_hz']:.2f}"
        interval += "?" if r["f0_hz"] and r["f0_alternative_hz"] else ""
        used = f"{r['n_used']}/{r['n_windows']}"
        also = ", ".join(f"{p['frequency_hz']:.2f}" for p in r["peaks"])
        remark = "; ".join(filter(None, [f"further peaks {also} Hz" if also else "", r["reason"]]))
        lines.append(
            f"{r['station']:<{width}} {f0:>6} {interval:>14} {a0:>5} {sigma:>5} {support:>7} "
            f"{used:>9} {r['sesame'] if r['f0_hz'] else '-':>10}  {remark}"
        )
    return "\n".join(line.rstrip() for line in lines)


def _text(value):
    return "-" if value is None else f"{value:.2f}"


def write(path, curves, f0, rows, verdicts=None):
    """Write the curves in the format the name of the file asks for, and yield a line on each file.

    ``.hv`` holds one station: several make a file each, ``NAME.NET.STA.hv``. One without a curve is passed over.

    Raises
    ------
    TNGError
        A file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".hv":
        from obspy_tng.site import hv_file

        stations = [str(s) for s in curves.station.values]
        names = [path] if len(stations) == 1 else [path.with_name(f"{path.stem}.{s}{path.suffix}") for s in stations]
        for station, name in zip(stations, names, strict=True):
            try:
                hv = hv_file.from_dataset(curves, station)
            except TNGError as err:
                yield f"skipped {name}: {err}"
                continue
            replace(name, lambda part, hv=hv: hv_file.write(part, hv))
            yield f"wrote {name}"
        return
    if suffix == ".nc":
        replace(path, lambda part: write_netcdf(part, merged(curves, f0, verdicts)))
    else:
        replace(path, lambda part: _csv(part, curves) if suffix == ".csv" else _json(part, curves, rows))
    yield f"wrote {path}"


def merged(curves, f0, verdicts=None):
    """Return curves, f0 and verdicts as one Dataset that netCDF can hold."""
    both = curves.drop_vars("f0_record_hz", errors="ignore")  # f0 has it too
    for name, other in (("f0", f0), ("sesame", verdicts)):
        if other is not None:
            clash = {n: f"{name}_{n}" for n in other.data_vars if n in both.variables}
            both = both.merge(other.rename(clash), combine_attrs="override")
    return both.assign_attrs(skipped=json.dumps(both.attrs["skipped"]))


def _csv(path, curves):
    with open(path, "w", encoding="utf-8") as file:
        file.write("station,frequency_hz,hvsr,sigma_ln,n_valid\n")
        for i, station in enumerate(curves.station.values):
            of_station = (curves[name].values[i] for name in ("curve", "sigma_ln", "n_valid"))
            for f, c, s, n in zip(curves.frequency.values, *of_station, strict=True):
                file.write(f"{station},{f:.6g},{_cell(c)},{_cell(s)},{n}\n")


def _json(path, curves, rows):
    whole = []
    for i, row in enumerate(rows):
        values = {"frequency_hz": curves.frequency.values, "hvsr": curves["curve"].values[i]}
        values["hvsr_sigma_ln"] = curves.sigma_ln.values[i]
        lists = {name: [_number(v) for v in value.tolist()] for name, value in values.items()}
        whole.append(row | lists | {"n_valid": curves.n_valid.values[i].tolist()})
    with open(path, "w", encoding="utf-8") as file:
        json.dump(whole, file, indent=1)


def _cell(value):
    return f"{value:.6g}" if math.isfinite(value) else ""
