"""The result of an evaluation as one HTML page: figures inside it, nothing fetched from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import drawing, figures, figures_overall, tables, words
from obspy_tng.evaluation.tables import number
from obspy_tng.writing import whole

if TYPE_CHECKING:
    import xarray as xr

    from obspy_tng import hints

OPEN = 3  # stations whose figures are shown without a click
SKIPPED = 300  # records listed of each set
CURVES = (("psa_ln_bias", "bias of response spectra"), ("psa_sigma_ratio", "ratio of σ of response spectra"),
          ("hvsr_ln_difference", "difference of ln HVSR"))  # fmt: skip


def report(dataset: xr.Dataset, path: hints.Path) -> Path:
    """Write the result of `obspy_tng.evaluate` as one self-contained HTML page.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `obspy_tng.evaluate`, or the same read back from netCDF. A part that is missing (novelty, C2ST …) is named
        as missing.
    path : str or path-like
        Of the page; an existing file is replaced once the new one is complete.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    TNGError
        `dataset` is not such a result, the folder does not exist, or matplotlib is not there.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> tng.report(tng.evaluate("records/", tng.generate("CI.CWC", n=50)), "r.html")  # doctest: +SKIP
    """
    missing = [n for n in ("value", "floor_limit", "station_value") if n not in getattr(dataset, "data_vars", ())]
    if missing:
        raise TNGError(
            f"{type(dataset).__name__} without {', '.join(missing)} given; accepted: the Dataset of tng.evaluate"
        )
    if find_spec("matplotlib") is None:
        raise TNGError("the report needs matplotlib, which is not installed: pip install obspy-tng[plot]")
    path = Path(path)
    if not path.parent.is_dir():
        raise TNGError(f"folder {path.parent} does not exist")
    page = render(dataset.load())
    with whole(path) as part:
        part.write_text(page, encoding="utf-8")
    return path


def render(result) -> str:
    """Return the page as text; see `report`."""
    stations = [str(s) for s in result.station.values]
    sections = [(name, make) for name, make in SECTIONS if make is not None]
    anchors = {name: f"s{i}" for i, (name, _) in enumerate(sections)}
    many = len(stations) > 1
    title = f"Generated strong motion beside recorded: {f'{len(stations)} stations' if many else stations[0]}"
    body = [f"<h1>{escape(title)}</h1>", f"<p>{_counts(result, stations)}</p>"]
    body.append(f'<p class="lead">{words.verdict(result)}</p>')
    body.append(_remarks(result))
    body.append("<nav>" + " ".join(f'<a href="#{anchors[name]}">{name}</a>' for name, _ in sections) + "</nav>")
    for name, make in sections:
        body.append(f'<h2 id="{anchors[name]}">{name}</h2>')
        body.extend(make(result))
    template = Template(files("obspy_tng.evaluation").joinpath("report.html").read_text(encoding="utf-8"))
    return template.substitute(title=escape(title), body="\n".join(part for part in body if part))


def picture(figure, alt: str, caption: str = "", kind: str = "") -> str:
    """Return a figure as HTML at its own size, the image inside."""
    data, width, height = drawing.png(figure)
    caption = f"<figcaption>{caption}</figcaption>" if caption else ""
    source = base64.b64encode(data).decode("ascii")
    return (
        f'<figure class="{kind}"><img width="{width}" height="{height}" alt="{escape(alt)}" '
        f'src="data:image/png;base64,{source}">{caption}</figure>'
    )


def _counts(result, stations) -> str:
    text = f"Station{'s' if len(stations) > 1 else ''} {escape(', '.join(stations))}."
    if "n_records" in result:
        sums = result.n_records.sum("station")
        counts = [f"{int(n)} {escape(str(s))}" for s, n in zip(sums["set"].values, sums, strict=True)]
        text += f" Records: {', '.join(counts)}."
    return text


def _remarks(result) -> str:
    remarks = words.from_json(result, "remarks", [])
    if not remarks:
        return ""
    items = "".join(f"<li>{escape(str(r))}</li>" for r in remarks)
    return f'<section class="remarks"><h2>To be known before reading on</h2><ul>{items}</ul></section>'


def _absent(text) -> str:
    return f'<p class="note">{text}</p>'


def _provenance(result) -> Iterator[str]:
    yield words.provenance(result)


def _measures(result) -> Iterator[str]:
    yield tables.measures(result)
    if "n_records" in result:
        yield "<h3>Station by station</h3>" + tables.stations(result)
    if "latent_purity" in result.attrs:
        purity, chance = result.attrs["latent_purity"], result.attrs["latent_purity_chance"]
        yield f"<p>Nearest-neighbour station purity of the latents: {number(purity)} (chance {number(chance)}).</p>"


def _curves(result) -> Iterator[str]:
    found = [(name, alt) for name, alt in CURVES if name in result and np.isfinite(result[name]).any()]
    if not found:
        yield _absent("No bias curves: no station has three records on either side.")
        return
    alts = [f"Curves: {alt} of generated records, floors and the mean of five, mean over stations" for _, alt in found]
    shown = [picture(figures_overall.bias(result, name), alt) for (name, _), alt in zip(found, alts, strict=True)]
    yield _absent("Means over the stations; pale lines: the generator at single stations.")
    yield f'<div class="grid">{"".join(shown)}</div>'


def _stations(result) -> Iterator[str]:
    yield _absent(
        "Waveforms: the record of median PGA and the one at its upper fifth, real beside generated, at one amplitude "
        "scale for the two. Spectra and HVSR: median and ± 1 standard deviation of the logarithm."
    )
    for i, station in enumerate(str(s) for s in result.station.values):
        pictures = list(_station(result, station))
        inside = f'<div class="grid">{"".join(pictures)}</div>' if pictures else _absent("Nothing to draw.")
        summary = f"{escape(station)} <span>{_summary(result, station)}</span>"
        yield f"<details{' open' if i < OPEN else ''}><summary>{summary}</summary>{inside}</details>"


def _summary(result, station) -> str:
    parts = []
    if "n_records" in result:
        counts = result.n_records.sel(station=station)
        parts.append(
            ", ".join(f"{int(n)} {s}" for s, n in zip(counts["set"].values, counts, strict=True) if s != "pool")
        )
    for name in ("|Δ lnHVSR|", "lnPGA bias"):
        if name in result.measure.values:
            value = result.station_value.sel(ensemble="generated", station=station, measure=name)
            parts.append(f"{name} {number(value)}")
    return "; ".join(parts)


def _station(result, station) -> Iterator[str]:
    """Yield the figures of a station, in the order of three columns: real, generated, site."""
    site = list(_site(result, station))
    for rank, pair in enumerate(_waveforms(result, station)):
        yield from pair
        yield from site[rank : rank + 1]
    if "waveform" not in result or not (result.panel_station.values == station).any():
        yield from site
    if "fas_median" in result and figures.shown_sets(result, "fas_median", station):
        for vertical in (False, True):
            name = "vertical" if vertical else "horizontal"
            alt = f"{station}: median {name} Fourier amplitude spectra with spread, by set"
            yield picture(figures.fourier(result, station, vertical), alt, kind="spectra")
    if "psa_median" in result and figures.shown_sets(result, "psa_median", station):
        alt = f"{station}: median response spectra (RotD50, 5 % damping) with spread, by set"
        yield picture(figures.response(result, station), alt, kind="spectra")


def _site(result, station) -> Iterator[str]:
    if "hvsr_median" in result and figures.shown_sets(result, "hvsr_median", station):
        alt = f"{station}: H/V spectral ratio against frequency, median, average and spread, by set"
        yield picture(figures.hvsr(result, station), alt, kind="site")
    if "f0_hz" in result and np.isfinite(result.f0_hz.values[result.record_station.values == station]).any():
        alt = f"{station}: histogram of f0 of real and generated records, 1 to 20 Hz"
        yield picture(figures.f0_histogram(result, station), alt, kind="site")


def _waveforms(result, station) -> Iterator[list[str]]:
    """Yield pairs of pictures, a real record and a generated one at one scale."""
    if "waveform" not in result:
        return
    of_station = result.panel_station.values == station
    rows = [np.flatnonzero(of_station & (result.panel_set.values == name)) for name in ("real", "generated")]
    for pair in zip(*rows, strict=False):
        waves = [result.waveform.values[row] for row in pair]
        pga = [float(np.abs(wave).max()) for wave in waves]
        out = []
        for row, wave, peak, name in zip(pair, waves, pga, ("real", "generated"), strict=True):
            heading = f"{station} {name}, peak {peak:.3g} m/s²"
            colour = drawing.STYLES[name][0]
            figure = figures.waveform(wave, result.time.values, heading, 1.08 * (max(pga) or 1.0), colour)
            record = str(result.panel_record.values[row])
            alt = f"{station}, {name} record {record}: acceleration of E, N and Z, peak {peak:.3g} m/s²"
            out.append(picture(figure, alt, f"{name}: {escape(record)}"))
        yield out


def _alignment(result) -> Iterator[str]:
    remark = result.attrs.get("alignment_remark", "")
    matrices = [str(name) for name, array in result.data_vars.items() if array.dims == ("row", "column")]
    if not matrices:
        yield _absent(escape(remark) or "No f0 was compared: there are fewer than two stations with an f0.")
        return
    first = str(result.row.values[0]).split(" ")[0]
    order = [str(r).split(" ", 1)[1] for r in result.row.values if str(r).split(" ")[0] == first]
    shown = []
    for name in matrices:
        form = "1 − true JS divergence" if name.endswith("jsd") else "1 − JS distance (authors)"
        shown.append(
            picture(figures_overall.confusion(result, name, f"f0: {form}"), f"Similarity matrix of f0, {form}")
        )
    said = f"<p><b>What the score is worth.</b> {escape(remark)}</p>" if remark else ""
    if "saturation" in result:
        said += tables.simple(result.saturation, "Score (authors' form) of generators of known quality.", "f0")
    yield f'<div class="row">{"".join(shown)}<div class="aside">{said}</div></div>'
    yield _absent(f"Rows and columns of a station (red block), in this order: {escape(', '.join(order))}.")
    if "alignment_score" in result:
        yield tables.simple(
            result.alignment_score, "Alignment score: correlation of the matrix with the ideal one.", "sets"
        )


def _correlation(result) -> Iterator[str]:
    if "correlation" not in result:
        yield _absent("Not computed: there are too few records.")
        return
    names = [str(n) for n in result.correlation[result.correlation.dims[0]].values]
    shown = [
        picture(figures_overall.correlation(result, n), f"Inter-frequency correlation of Fourier amplitudes, {n}")
        for n in names
        if np.isfinite(result.correlation.sel({result.correlation.dims[0]: n})).any()
    ]
    yield f'<div class="grid">{"".join(shown)}</div>'
    if "correlation_difference" in result:
        yield tables.simple(result.correlation_difference, "Mean |difference| of the correlations.", "pair")


def _novelty(result) -> Iterator[str]:
    if "novelty" not in result and "novelty_record" not in result:
        yield _absent("Not looked at.")
        return
    if "novelty_record" in result and "novelty_real" in result:
        kinds = [str(s) for s in result[result.novelty_record.dims[1]].values]
        shown = [
            picture(figures_overall.novelty(result, k), f"Histogram of the highest {k} with the pool") for k in kinds
        ]
        yield f'<div class="grid">{"".join(shown)}</div>'
    if "novelty" in result:
        yield tables.novelty(result)
    if "novelty_record" in result and "novelty_nearest" in result.coords:
        yield tables.nearest(result)


def _classifiers(result) -> Iterator[str]:
    if "c2st_auc" not in result:
        yield _absent(escape(result.attrs.get("c2st_remark", "")) or "Not run (c2st=False, or too few records).")
        return
    valid, remark = result.attrs.get("c2st_valid"), escape(result.attrs.get("c2st_remark", ""))
    said = remark or ("" if valid is None else "Valid." if int(valid) else "Not valid.")
    yield f"<p><b>{said}</b></p>"
    yield tables.classifiers(result)


def _others(result) -> Iterator[str]:
    if "gmm_residual_mean" in result:
        model = escape(str(result.attrs.get("gmm", "ground-motion model")))
        yield f"<h3>Residuals to {model}</h3>" + tables.residuals(result)
    else:
        yield _absent("No residuals to a ground-motion model: magnitude and distance of the records are not known.")
    if "pair_value" in result:
        yield tables.simple(
            result.pair_value, "Records of one station and event in both sets, median over pairs.", "measure"
        )
    else:
        yield _absent("No reconstructed records, so no pairs to compare wave by wave.")


def _skipped(result) -> Iterator[str]:
    skipped = {k: v for k, v in words.from_json(result, "skipped", {}).items() if v}
    if not skipped:
        yield _absent("None.")
    for name, items in skipped.items():
        rows = "".join(f"<li>{escape(str(i[0]))}: {escape(str(i[1]))}</li>" for i in items[:SKIPPED])
        more = f"<p>… and {len(items) - SKIPPED} more.</p>" if len(items) > SKIPPED else ""
        yield f"<details><summary>{escape(name)}: {len(items)} left out</summary><ul>{rows}</ul>{more}</details>"


def _definitions(result) -> Iterator[str]:
    yield words.definitions()


def _settings(result) -> Iterator[str]:
    settings = words.from_json(result, "settings", {})
    known = {k: settings[k] for k in ("n_splits", "seed", "c2st") if k in settings}
    call = "".join(f", {k}={v!r}" for k, v in known.items())
    command = settings.pop("command", None)
    version = escape(str(result.attrs.get("version", "")))
    if settings:
        rows = [[escape(str(k)), escape(str(v))] for k, v in settings.items()]
        yield tables.html(["setting", "value"], rows, f"obspy-tng {version}", kind="wide words")
    text = command or f'tng.report(tng.evaluate("REAL", "SYNTHETIC"{call}), "report.html")'
    yield f"<p>To repeat:</p><pre>{escape(str(text))}</pre>"


SECTIONS = (
    ("Where the records come from", _provenance),
    ("Measures", _measures),
    ("Stations", _stations),
    ("f0 alignment", _alignment),
    ("Bias curves", _curves),
    ("Inter-frequency correlation", _correlation),
    ("Novelty", _novelty),
    ("Can a classifier tell?", _classifiers),
    ("Residuals and pairs", _others),
    ("Records left out", _skipped),
    ("Definitions", _definitions),
    ("Settings", _settings),
)
