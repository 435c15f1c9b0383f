"""Which windows speak for a station: rules that leave some out, and masks made by hand.

A rejected window stays in the Dataset, with the rule that rejected it; only the statistics of its station are made
without it.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from obspy_tng.errors import FormatError, TNGError
from obspy_tng.site.curves import lognormal
from obspy_tng.site.outliers import cox, window_f0, zscore
from obspy_tng.site.table import band_of, texts_of
from obspy_tng.writing import whole

if TYPE_CHECKING:
    import xarray as xr

    from obspy_tng import hints

RULES = {
    "cox": ((2.0,), "cox[:N[:FMIN:FMAX]]"),
    "zscore": ((3.0,), "zscore[:N]"),
    "sta-lta": ((0.2, 2.5), "sta-lta[:MIN:MAX]"),
    "maximum": ((0.9,), "maximum[:SHARE]"),
}


class Rule(NamedTuple):
    """A rule and its numbers; ``str(rule)`` is the text that makes it."""

    name: str
    values: tuple[float, ...]

    def __str__(self):
        """Return the rule as `parse` reads it."""
        return ":".join([self.name, *(f"{v:g}" for v in self.values)])


def parse(text: str | Rule) -> Rule:
    """Return the rule a text names; numbers left out are the defaults.

    Parameters
    ----------
    text : str
        ``"cox:2"`` or ``"cox:2:0.3:10"`` (search range in Hz), ``"zscore:3"``, ``"sta-lta:0.2:2.5"``,
        ``"maximum:0.9"``; see `reject`.

    Raises
    ------
    TNGError
        No such rule, or numbers that make no sense.

    Examples
    --------
    >>> parse("cox"), str(parse("sta-lta"))
    (Rule(name='cox', values=(2.0,)), 'sta-lta:0.2:2.5')
    """
    name, *given = str(text).strip().lower().split(":")
    accepted = ", ".join(how for _, how in RULES.values())
    if name not in RULES:
        raise TNGError(f"rejection rule {text!r} not known; accepted: {accepted}")
    try:
        values = tuple(map(float, given)) or RULES[name][0]
    except ValueError:
        values = ()
    counts = (1, 3) if name == "cox" else (len(RULES[name][0]),)
    good = len(values) in counts and all(0 < v < np.inf for v in values)
    if not good or (len(values) > 1 and not values[-2] < values[-1]):
        raise TNGError(f"rejection rule {text!r} given; accepted: {accepted}, numbers above 0, MIN < MAX")
    return Rule(name, values)


def reject(
    dataset: xr.Dataset, *rules: str, mask: Sequence[bool] | Sequence[str] | np.ndarray | hints.Path | None = None
) -> xr.Dataset:
    """Leave windows out of the statistics of their stations.

    The mask comes first, then the rules one after another, each among the windows of one station that are still
    accepted. A rule that was applied before (``attrs["rejection"]``) is not applied again: outliers of what an outlier
    rule left are not what one asked for.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `hvsr`; left as it is.
    *rules : str
        ``"cox:N[:FMIN:FMAX]"``: windows whose peak lies more than N standard deviations of ln f0 from the mean
        (`outliers.cox`); peaks are searched in the range given, else in the band. ``"zscore:N"``: windows whose curve
        lies more than N robust standard deviations from the median curve, root mean square over the band, or more
        than 2 N over a third of an octave (`outliers.zscore`). ``"sta-lta:MIN:MAX"``: windows in which STA/LTA leaves
        these limits (`outliers.sta_lta`). ``"maximum:SHARE"``: windows with a sample larger than that share of the
        largest of the whole record.
    mask : array_like of bool, list of str, or path, optional
        Per row, False to leave out (what `mask` returns); or the ids to leave out, of windows (``record``) or of
        all windows of a record (``record_id``); or a file of `write_mask`.

    Returns
    -------
    xarray.Dataset
        ``accepted`` and ``rejected_by`` (the rule, that a mask file names, or ``"mask"``) tell of every row;
        ``curve``, ``sigma_ln`` and ``n_valid``, and the statistics of azimuths where there are some, are those of the
        accepted ones. A station with none left has NaN and is listed in ``attrs["skipped"]``.

    Raises
    ------
    TNGError
        A rule or id that is not known, a mask of another length, or windows without the numbers a rule needs.

    References
    ----------
    Cox, Cheng, Vantassel & Manuel (2020), A statistical representation and frequency-domain window-rejection
    algorithm for single-station HVSR measurements, GJI 221(3), 2170-2183. SESAME (2004), Guidelines for the
    implementation of the H/V spectral ratio technique on ambient vibrations, 2.2 (STA/LTA).

    Examples
    --------
    >>> import obspy_tng as tng
    >>> curves = tng.hvsr("data_samples/network/*.mseed")
    >>> kept = reject(curves, "zscore:3", mask=[str(curves.record_id.values[0])])
    >>> int(kept.accepted.sum()), str(kept.rejected_by.values[0])
    (30, 'mask')
    """
    rules = [parse(rule) for rule in rules]
    by = np.array(dataset.rejected_by.values if "rejected_by" in dataset else [""] * dataset.sizes["record"], object)
    done = texts_of(dataset, "rejection")
    if mask is not None:
        given = _by_mask(dataset, mask)
        by = np.where(by == "", given, by)
        done.append("mask")
    stations = dataset.record_station.values
    for rule in rules:
        if str(rule) in done:
            continue
        for station in dataset.station.values:
            rows = np.flatnonzero((stations == station) & (by == ""))
            if rows.size:
                by[rows[~_RULES[rule.name](dataset, rows, *rule.values)]] = str(rule)
        done.append(str(rule))
    return _with_statistics(dataset, by, list(dict.fromkeys(done)))


def restore(dataset):
    """Return `dataset` with every window accepted, as if nothing had been rejected.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> curves = tng.hvsr("data_samples/network/*.mseed")
    >>> bool(restore(reject(curves, mask=[str(curves.record_id.values[0])])).accepted.all())
    True
    """
    return _with_statistics(dataset, np.full(dataset.sizes["record"], "", object), [])


def _with_statistics(dataset, by, done):
    """Return the Dataset with rows rejected as told, statistics of the rest, and what was done."""
    accepted, stations = by == "", dataset.record_station.values
    curves = dataset.hvsr.values
    stats = [lognormal(curves[accepted & (stations == station)]) for station in dataset.station.values]
    new = {"accepted": ("record", accepted), "rejected_by": ("record", by)}
    new |= {
        name: (("station", "frequency"), np.array(values))
        for name, values in zip(("curve", "sigma_ln", "n_valid"), zip(*stats, strict=True), strict=True)
    }
    out = dataset.assign({k: (*v, dataset[k].attrs if k in dataset else {}) for k, v in new.items()})
    empty = []
    for station in dataset.station.values:
        mine = by[stations == station]
        if mine.size and (mine != "").all():
            empty.append(f"{station}{_EMPTY}: {', '.join(dict.fromkeys(mine))}")
    skipped = [text for text in texts_of(dataset, "skipped") if _EMPTY not in text]
    out = out.assign_attrs(rejection=done, skipped=[*skipped, *empty])
    if "curve_azimuth" in out:
        from obspy_tng.site.dataset import with_azimuth_statistics

        return with_azimuth_statistics(out)
    return out


_EMPTY = ": every window rejected"


def _by_mask(dataset, mask) -> np.ndarray:
    """Return what leaves out each row, "" where a mask keeps it, shape (record,)."""
    n = dataset.sizes["record"]
    why = _read(mask) if isinstance(mask, str | Path) else {}
    given = np.asarray(list(why) if isinstance(mask, str | Path) else mask)
    if given.size == 0:
        return np.full(n, "", object)
    if given.dtype == bool:
        if given.shape != (n,):
            raise TNGError(f"mask of shape {given.shape} given; accepted: ({n},), one per row, or a list of record ids")
        return np.where(given, "", "mask").astype(object)
    names = [dataset[k].values.astype(str) for k in ("record", "record_id") if k in dataset.coords]
    reasons = {i: why.get(i, "mask") for i in map(str, given)}
    known = {name for ids in names for name in ids.tolist()}
    unknown = [i for i in reasons if i not in known]
    if unknown:
        raise TNGError(f"{len(unknown)} id(s) of the mask not in the result, {unknown[0]} first")
    return np.array([next(filter(None, map(reasons.get, ids)), "") for ids in zip(*names, strict=True)], object)


def mask(dataset) -> np.ndarray:
    """Return which rows of `dataset` are accepted, bool of shape (record,); `reject` takes it as ``mask=``.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> curves = tng.hvsr("data_samples/network/*.mseed")
    >>> int(mask(reject(curves, mask=[str(curves.record_id.values[0])])).sum())
    31
    """
    return np.array(dataset.accepted.values, bool)


def write_mask(path, dataset) -> None:
    """Write the ids of rejected windows of `dataset` and what rejected them as CSV, for `read_mask` and people to edit.

    Examples
    --------
    >>> import tempfile
    >>> import obspy_tng as tng
    >>> curves = tng.hvsr("data_samples/network/*.mseed")
    >>> path = tempfile.mkdtemp() + "/out.csv"
    >>> write_mask(path, reject(curves, mask=[str(curves.record_id.values[0])]))
    >>> len(read_mask(path))
    1
    """
    rejected = ~mask(dataset)
    with whole(path) as part, open(part, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["record", "rejected_by"])
        rows.writerows(
            zip(dataset.record.values[rejected], dataset.rejected_by.values[rejected], strict=True),
        )


def read_mask(path) -> list[str]:
    """Return the ids of windows to leave out from a file: one per line, first column; a header may come first.

    Raises
    ------
    FormatError
        The file is no text.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "out.csv")
    >>> _ = path.write_text("XX.A..20240101T000000#7,cox:2\\n")
    >>> read_mask(path)
    ['XX.A..20240101T000000#7']
    """
    return list(_read(path))


def _read(path) -> dict[str, str]:
    """Return ids of a mask file and what it says left them out, "mask" where it says nothing."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file) if row and row[0].strip()]
    except (UnicodeDecodeError, csv.Error) as err:
        raise FormatError(f"{path} is no list of record ids: {err}") from err
    rows = [row for row in rows if row[0] != "record" and not row[0].startswith("#")]
    return {row[0]: (row[1] if len(row) > 1 else "") or "mask" for row in rows}


# --- the rules on rows of one station


def _cox(dataset, rows, n, *band_hz):
    frequency = dataset.frequency.values
    band_hz = band_hz or band_of(dataset)
    curves = dataset.hvsr.values[rows]
    return cox(window_f0(curves, frequency, band_hz), curves, frequency, n, band_hz=band_hz)


def _zscore(dataset, rows, n):
    frequency = dataset.frequency.values
    low, high = band_of(dataset) or (0, np.inf)
    inside = (frequency >= low * (1 - 1e-9)) & (frequency <= high * (1 + 1e-9))
    return ~(zscore(dataset.hvsr.values[rows][:, inside], frequency[inside]) > n)


def _sta_lta(dataset, rows, low, high):
    smallest, largest = (_needed(dataset, name, "sta-lta")[rows] for name in ("sta_lta_min", "sta_lta_max"))
    return ~((smallest < low) | (largest > high))


def _maximum(dataset, rows, share):
    return ~(_needed(dataset, "peak_over_record", "maximum")[rows] > share)


def _needed(dataset, name, rule):
    """Return a coordinate of rows; TNGError where no row has it."""
    values = np.asarray(dataset[name].values, float) if name in dataset.coords else np.array([np.nan])
    if np.isnan(values).all():
        raise TNGError(f"rejection rule {rule} needs {name}, which these windows lack; it is for sliding windows")
    return values


_RULES = {"cox": _cox, "zscore": _zscore, "sta-lta": _sta_lta, "maximum": _maximum}
