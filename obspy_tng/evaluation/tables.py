"""Tables of the report, as HTML."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

GROUPS = {  # of measures -> heading, what the records are compared with
    "intensity": "Amplitude and duration, against the pool's own records",
    "goodness": "Goodness of fit, against the pool's own records",
    "arrivals": "Arrivals, against the pool's own records",
    "site": "Site, against events the generator did not have",
    "f0": "f0, against events the generator did not have",
}
SHOWN = ("real vs real", "copy", "reconstructed", "mean of five", "phase-shuffled", "phase-scrambled")
STATION_MEASURES = (
    "|Δ lnHVSR|", "σ lnHVSR ratio", "W1 ln f0", "lnPGA bias", "σ lnPGA ratio", "D5–95 ratio", "W1 S−P",
)  # fmt: skip
PLAIN = {  # labels of the alignment scores
    "distance": "1 − JS distance (authors' form)",
    "distance_off_diagonal": "1 − JS distance, off-diagonal",
    "divergence": "1 − true JSD",
    "divergence_off_diagonal": "1 − true JSD, off-diagonal",
    "oracle": "real f0 of the station, drawn again",
    "collapsed": "the station's median f0 every time",
    "blind": "f0 of any station at random",
}


def number(value, unit: str = "") -> str:
    """Return a number with the digits it deserves, a true minus sign, and its unit; "–" when not known."""
    value = float(value)
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 or size == 0 else 3
    text = f"{value:.{digits}f}".replace("-", "−")
    return f"{text}&nbsp;{escape(unit)}" if unit not in ("", "1") else text


def html(head: Sequence[str], rows: Iterable, caption: str, *, kind: str = "cards") -> str:
    """Return a table; on a telephone each row becomes a card, or the table scrolls in a box of its own.

    Parameters
    ----------
    head : sequence of str
        HTML of the column headings.
    rows : iterable of (list of str or str or tuple)
        HTML of the cells, the first one heading its row; a cell may be a pair of HTML and class; a plain text
        makes a heading across the table.
    caption : str
        HTML.
    kind : {"cards", "cards two", "cards words", "wide"}
        Numbers, those of the baselines in two columns, words, or a table that scrolls.
    """
    out = [f'<p class="caption">{caption}</p><div class="scroll"><table class="{kind}">']
    out.append("<thead><tr>" + "".join(f'<th scope="col">{h}</th>' for h in head) + "</tr></thead><tbody>")
    # the first words of a heading label the cells of a card
    labels = [h.split("<")[0] for h in head]
    for row in rows:
        if isinstance(row, str):
            out.append(f'<tr class="group"><th colspan="{len(head)}" scope="colgroup">{row}</th></tr>')
            continue
        cells = [f'<th scope="row">{row[0]}</th>']
        for text, name in zip(row[1:], labels[1:], strict=True):
            text, style = text if isinstance(text, tuple) else (text, "")
            style = f"{style} blank".strip() if text == "–" else style
            cells.append(f'<td class="{style}" data-label="{name}">{text}</td>')
        out.append("<tr>" + "".join(cells) + "</tr>")
    return "\n".join([*out, "</tbody></table></div>"])


def measures(result) -> str:
    """Return the main table: every measure, the generator, its floor, the baselines."""
    methods = [str(m) for m in result.ensemble.values]
    shown = [m for m in SHOWN if m in methods]
    head = [
        "measure",
        "ideal",
        "generated<br><small>95 % interval</small>",
        "verdict",
        "floor<br><small>95 % within ideal ±</small>",
    ]
    rows, group = [], None
    for i in range(result.sizes["measure"]):
        one = result.isel(measure=i)
        if str(one.measure_group.item()) != group:
            group = str(one.measure_group.item())
            rows.append(escape(GROUPS.get(group, group)))
        unit, floor = str(one.measure_unit.item()), str(one.floor.item())
        made = one.sel(ensemble="generated")
        name = escape(str(one.measure.item())) + (f" <small>({escape(unit)})</small>" if unit != "1" else "")
        cells = [
            name,
            number(one.ideal),
            (f"<span><b>{number(made.value)}</b>{_interval(made)}</span>", "made"),
            verdict(one),
        ]
        cells.append((f"±&nbsp;{number(one.floor_limit)}", "floor") if math.isfinite(one.floor_limit) else "–")
        for method in shown:
            value = number(one.value.sel(ensemble=method))
            is_floor = method == floor and value != "–"
            cells.append((f"<span>{value} <small>floor</small></span>", "floor") if is_floor else value)
        rows.append(cells)
    caption = (
        "Means over stations. Generated records are compared with all real ones; in small print the range of 95 % of "
        "the splits, each against half of the held-out events or with the records drawn again. “Inside the floor”: "
        "the mean over splits is no further from the ideal than 95 % of the floor's splits are, so that with these "
        "records nothing better could be told."
    )
    return html(head + [escape(m) for m in shown], rows, caption, kind="cards two")


def verdict(one) -> tuple[str, str]:
    """Return in words where the generator stands in one measure, and the class of the cell."""
    distance, limit = excess(one)
    if not math.isfinite(distance):
        return "not measured", "text"
    if bool(one.inside_floor):
        return "✓ inside the floor", "inside"
    if not math.isfinite(limit):
        return "no floor", "text"
    return (f"✗ {number(distance / limit)} × floor" if limit > 0 else "✗ outside the floor"), "outside"


def judged(one) -> float:
    """Return the figure that is held against the floor: the mean over splits, as the floor's own."""
    return float((one.split_mean if "split_mean" in one else one.value).sel(ensemble="generated"))


def excess(one) -> tuple[float, float]:
    """Return how far the generator is from the ideal in one measure, and how far the floor."""
    return abs(judged(one) - float(one.ideal)), float(one.floor_limit)


def _interval(made) -> str:
    if not (math.isfinite(made.low) and math.isfinite(made.high)):
        return ""
    return f" <small>{number(made.low)} … {number(made.high)}</small>"


def stations(result) -> str:
    """Return one row per station: how many records, and the generator's main measures."""
    names = [m for m in STATION_MEASURES if m in result.measure.values]
    sets = [
        s for s in ("real", "pool", "generated", "reconstructed") if "set" in result.dims and s in result["set"].values
    ]
    rows = []
    for station in result.station.values:
        row = [escape(str(station))]
        row += [str(int(result.n_records.sel(set=s, station=station))) for s in sets]
        row += [number(result.station_value.sel(ensemble="generated", station=station, measure=m)) for m in names]
        rows.append(row)
    head = ["station", *(f"{s}<br><small>records</small>" for s in sets), *map(escape, names)]
    return html(head, rows, "Records compared, and the generator's main measures, station by station.", kind="wide")


def novelty(result) -> str:
    """Return likeness to the pool, for every method."""
    array = result.novelty
    (ensemble, kind), rows = array.dims[:2], []
    for likeness in array[kind].values:
        rows.append(f"highest {escape(str(likeness))}")
        for name in array[ensemble].values:
            row = array.sel({ensemble: name, kind: likeness})
            if np.isfinite(row).any():
                rows.append([escape(str(name)), *(_statistic(row, s) for s in array.statistic.values)])
    head = ["records", *(escape(str(s)) for s in array.statistic.values)]
    caption = (
        "Likeness of each record to the pool record most like it; “real” is each real record and its likest other."
    )
    return html(head, rows, caption)


def _statistic(row, name) -> str:
    value = float(row.sel(statistic=name))
    return number(100 * value, "%") if str(name).startswith("share") else number(value)


def nearest(result, count: int = 5) -> str:
    """Return the generated records most like a pool record, by the first similarity."""
    dim = result.novelty_record.dims[1]
    kind = result[dim].values[0]
    values = result.novelty_record.sel({dim: kind})
    pool = result.novelty_nearest
    pool = (pool.sel({dim: kind}) if dim in pool.dims else pool).values
    order = np.argsort(-np.nan_to_num(values.values, nan=-np.inf))[:count]
    rows = [[escape(str(pool[i])), escape(str(result.novelty_station.values[i])), number(values[i])] for i in order]
    head = ["pool record", "generated for", f"highest {escape(str(kind))}"]
    return html(head, rows, f"The {len(rows)} generated records most like a pool record.")


def classifiers(result) -> str:
    """Return the AUC of every classifier and group of features."""
    rows = []
    names = [str(c) for c in result.classifier.values]
    for group, heading in ((False, "classifiers"), (True, "one group of features alone: what gives a set away")):
        chosen = [n for n in names if n.startswith("group ") == group]
        rows += [heading] if chosen else []
        for name in chosen:
            text = {"counts": "counts: the largest mean"}.get(name, name.removeprefix("group "))
            rows.append([escape(text), *(_auc(result, name, s) for s in result.c2st_set.values)])
    head = ["told from real records by", *(escape(str(s)) for s in result.c2st_set.values)]
    return html(head, rows, "Mean AUC over the splits, and the range of 95 % of them; 0.5: nobody can tell.")


def _auc(result, classifier, name) -> str:
    one = result.sel(classifier=classifier, c2st_set=name)
    if not math.isfinite(one.c2st_auc):
        return "–"
    interval = ""
    if "c2st_low" in result and math.isfinite(one.c2st_low):
        interval = f" <small>{number(one.c2st_low)} … {number(one.c2st_high)}</small>"
    return f"<span>{number(one.c2st_auc)}{interval}</span>"


def simple(array, caption: str, corner: str) -> str:
    """Return an array of one or two dimensions as a table; coordinates head its rows and columns."""
    names = [[escape(PLAIN.get(str(c), str(c))) for c in array[dim].values] for dim in array.dims]
    if array.ndim == 1:
        rows = [[k, number(v)] for k, v in zip(*names, array.values, strict=True)]
        return html([corner, "value"], rows, caption, kind="wide")
    rows = [[k, *map(number, v)] for k, v in zip(names[0], array.values, strict=True)]
    return html([corner, *names[1]], rows, caption)


def residuals(result) -> str:
    """Return mean and sd of the residuals to a ground-motion model."""
    mean, sd = result.gmm_residual_mean, result.gmm_residual_sd
    rows = []
    for name in mean[mean.dims[0]].values:
        a, b = (x.sel({x.dims[0]: name}).values for x in (mean, sd))
        if np.isfinite(a).any():
            rows.append([escape(str(name)), *(f"{number(m)} ± {number(s)}" for m, s in zip(a, b, strict=True))])
    head = ["records", *(escape(str(m)) for m in mean[mean.dims[1]].values)]
    return html(head, rows, "Mean ± sd of ln(observed / model).")
