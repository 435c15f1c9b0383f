"""Files of HVSR curves in Geopsy's own layout (``.hv``), read and written; those of hvsrpy 0.x are read too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from obspy_tng.errors import FormatError, TNGError
from obspy_tng.site.geopsy import f0_from_windows
from obspy_tng.writing import whole

VERSION = "1.1"
MAGIC = "# GEOPSY output version"
HVSRPY = "# hvsrpy output version"
COLUMNS = "# Frequency\tAverage\tMin\tMax"


class HVFile(NamedTuple):
    """What a ``.hv`` file holds; NaN or None where it says nothing.

    Attributes
    ----------
    frequency_hz, average, minimum, maximum : numpy.ndarray, shape (f,)
        Frequencies in Hz; exp(mean ln) of the windows' HVSR, the same divided and multiplied by exp(sigma).
    n_windows : int
    f0_average_hz : float
        Frequency of the largest value of the average.
    n_windows_f0 : int
        Windows that have an f0; 0: none was told from windows.
    f0_windows_hz : (float, float, float) or None
        Mean of the windows' f0 and the mean -/+ one standard deviation.
    peak_amplitude : float
        Value of the average at the mean of the windows' f0.
    position_m : (float, float, float) or None
        None in files of Geopsy 2.
    category : str or None
    window_s : float
        Length of a window; hvsrpy only.
    f0_std_hz : float
        Standard deviation of the windows' f0.

    Examples
    --------
    >>> hz = np.array([1.0, 2.0])
    >>> made = HVFile(hz, np.full(2, 2.0), np.ones(2), np.full(2, 4.0), n_windows=3, f0_average_hz=1.5)
    >>> made.sigma_ln.round(2).tolist()
    [0.69, 0.69]
    """

    frequency_hz: np.ndarray
    average: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    n_windows: int
    f0_average_hz: float
    n_windows_f0: int = 0
    f0_windows_hz: tuple[float, float, float] | None = None
    peak_amplitude: float = np.nan
    position_m: tuple[float, float, float] | None = (0.0, 0.0, 0.0)
    category: str | None = "Default"
    window_s: float = np.nan
    f0_std_hz: float = np.nan
    version: str = VERSION

    @property
    def sigma_ln(self) -> np.ndarray:
        """Standard deviation of ln HVSR, shape (f,); 0 for a single window."""
        return np.log(self.maximum / self.minimum) / 2


def read(path) -> HVFile:
    """Return what a ``.hv`` file of Geopsy, or of hvsrpy before 1.0, holds.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    FormatError
        The file cannot be read, is none of these or is damaged; the message tells the line.

    Examples
    --------
    >>> hz = np.geomspace(0.5, 20, 5)
    >>> made = HVFile(hz, np.full(5, 2.0), np.full(5, 1.0), np.full(5, 4.0), n_windows=40, f0_average_hz=1.5)
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "a.hv")
    >>> _ = path.write_text(text(made))
    >>> read(path).average.tolist(), read(path).n_windows
    ([2.0, 2.0, 2.0, 2.0, 2.0], 40)
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(max(len(MAGIC), len(HVSRPY)))
            if not head.startswith((MAGIC.encode(), HVSRPY.encode())):
                raise FormatError(f"{path}: no .hv file: begins with {head[:24]!r}; expected {MAGIC!r}")
            content = (head + file.read()).decode("utf-8")
    except OSError as err:
        raise FormatError(f"{path}: cannot be read: {err.strerror}") from err
    except UnicodeDecodeError as err:
        raise FormatError(f"{path}: no .hv file: byte {err.start} is no text") from err
    return parse(content, str(path))


def parse(content: str, name: str = "text") -> HVFile:
    """Return what the text of a ``.hv`` file holds; `name` stands in messages. See `read`.

    Examples
    --------
    >>> made = HVFile(np.array([1.0, 2.0]), np.ones(2), np.ones(2), np.ones(2), n_windows=3, f0_average_hz=1.5)
    >>> parse(text(made)).f0_average_hz
    1.5
    """
    lines = content.splitlines()
    header = [line[1:].strip() for line in lines if line.startswith("#")]
    if content.startswith(HVSRPY):
        return _of_hvsrpy(_table(lines, ",", name), header, name)
    frequency, average, minimum, maximum = _table(lines, None, name)
    said = {}
    for line in header:
        key, _, value = line.partition(" = " if " = " in line else "\t")
        said.setdefault(key.strip(), value.strip())
    windows = _numbers(said, "f0 from windows", 3, name)
    position = _numbers(said, "Position", 3, name)
    return HVFile(
        frequency,
        average,
        minimum,
        maximum,
        _whole(said, "Number of windows", name),
        _one(said, "f0 from average", name),
        _whole(said, "Number of windows for f0", name, 0),
        windows,
        _one(said, "Peak amplitude", name),
        position,
        said.get("Category"),
        f0_std_hz=(windows[2] - windows[1]) / 2 if windows else np.nan,
        version=header[0].removeprefix(MAGIC[2:]).strip() or VERSION,
    )


def _of_hvsrpy(columns, header, name) -> HVFile:
    frequency, average, minimum, maximum = columns
    # "Mean f0 (Hz)" or "Mean f0 (Hz) [LMf0]": the bracket depends on the distribution
    said = {key.partition("[")[0].strip(): value for key, _, value in (line.partition(",") for line in header)}
    n = _whole(said, "Number of Accepted Windows ()", name)
    std = _one(said, "Standard deviation f0 (Hz)", name)
    mean = _one(said, "Mean f0 (Hz)", name)
    return HVFile(
        frequency,
        average,
        minimum,
        maximum,
        n,
        _one(said, "Median Curve Peak Frequency (Hz)", name),
        n if np.isfinite(mean) else 0,
        (mean, mean - std, mean + std) if np.isfinite(mean + std) else None,
        window_s=_one(said, "Window Length (s)", name),
        f0_std_hz=std,
    )


def _table(lines, separator, name) -> np.ndarray:
    """Return the four columns, shape (4, f)."""
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            row = [float(cell) for cell in line.split(separator)]
        except ValueError:
            row = []
        if len(row) != 4 or not np.isfinite(row).all() or min(row) <= 0:
            raise FormatError(
                f"{name}, line {number}: {line[:60]!r}; expected frequency, average, min, max, all above 0"
            )
        if rows and row[0] <= rows[-1][0]:
            raise FormatError(
                f"{name}, line {number}: frequency {row[0]:g} Hz after {rows[-1][0]:g} Hz; they must rise"
            )
        rows.append(row)
    if len(rows) < 2:
        raise FormatError(f"{name}: {len(rows)} frequencies; at least 2 needed")
    return np.array(rows).T


def _numbers(said, key, count, name) -> tuple[float, ...] | None:
    if key not in said:
        return None
    try:
        values = tuple(float(word) for word in said[key].split())
    except ValueError:
        values = ()
    if len(values) != count:
        raise FormatError(f"{name}: {key!r} says {said[key]!r}; expected {count} number(s)")
    return values


def _one(said, key, name, needed=False) -> float:
    value = _numbers(said, key, 1, name) if said.get(key, "NA") != "NA" else None
    if value is None and needed:
        raise FormatError(f"{name}: the line {key!r} is missing")
    return np.nan if value is None else value[0]


def _whole(said, key, name, missing: int | None = None) -> int:
    """Return a count; `missing` where the file does not tell it, or FormatError."""
    value = _one(said, key, name, needed=missing is None)
    if missing is not None and said.get(key, "NA") == "NA":
        return missing
    if not (0 <= value < 1e9 and value == int(value)):
        raise FormatError(f"{name}: {key!r} says {said[key]!r}; expected a whole number")
    return int(value)


def text(hv: HVFile) -> str:
    """Return an `HVFile` as Geopsy writes it: tabs, six significant digits.

    Examples
    --------
    >>> made = HVFile(np.array([1.0, 2.0]), np.ones(2), np.ones(2), np.ones(2), n_windows=3, f0_average_hz=1.5)
    >>> text(made).splitlines()[0]
    '# GEOPSY output version 1.1'
    """
    out = [
        f"{MAGIC} {hv.version}",
        f"# Number of windows = {hv.n_windows}",
        f"# f0 from average\t{_digits(hv.f0_average_hz)}",
        f"# Number of windows for f0 = {hv.n_windows_f0}",
    ]
    if hv.f0_windows_hz is not None:
        out.append("# f0 from windows\t" + "\t".join(map(_digits, hv.f0_windows_hz)))
    if np.isfinite(hv.peak_amplitude):
        out.append(f"# Peak amplitude\t{_digits(hv.peak_amplitude)}")
    if hv.position_m is not None:
        out.append("# Position\t" + " ".join(map(_digits, hv.position_m)))
    if hv.category is not None:
        out.append(f"# Category\t{hv.category}")
    if hv.f0_windows_hz is None and hv.position_m is None and hv.category is None:
        out.append("")  # so do files of Geopsy 2
    out.append(COLUMNS)
    columns = (hv.frequency_hz, hv.average, hv.minimum, hv.maximum)
    out.extend("\t".join(map(_digits, row)) for row in zip(*columns, strict=True))
    return "\n".join(out) + "\n"


def _digits(value: float) -> str:
    return re.sub(r"e([+-])0+", r"e\1", f"{float(value):g}")  # Geopsy: 1e-5, not 1e-05


def write(path, result, station: str | None = None) -> None:
    """Write a ``.hv`` file as Geopsy does.

    Parameters
    ----------
    path : str or path
        Replaced when it exists.
    result : HVFile or xarray.Dataset
        A Dataset of `obspy_tng.hvsr`, see `from_dataset`.
    station : str, optional
        Of the Dataset.

    Raises
    ------
    TNGError
        As `from_dataset`.

    Examples
    --------
    >>> import tempfile
    >>> hz = np.array([1.0, 2.0])
    >>> made = HVFile(hz, np.ones(2), np.ones(2), np.ones(2), n_windows=3, f0_average_hz=1.5)
    >>> path = tempfile.mkdtemp() + "/a.hv"
    >>> write(path, made)
    >>> read(path).n_windows
    3
    """
    hv = result if isinstance(result, HVFile) else from_dataset(result, station)
    with whole(path) as part:
        part.write_bytes(text(hv).encode())  # newlines as they are


def from_dataset(dataset, station: str | None = None) -> HVFile:
    """Return a station's curve as Geopsy's files hold it.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `obspy_tng.hvsr`; frequencies outside its band, or without an accepted window, are left out.
    station : str, optional
        Needed when the Dataset has several.

    Returns
    -------
    HVFile
        f0 from average and from windows by Geopsy's rule, see `geopsy.f0_from_windows`, whatever rule `pick_f0`
        would use.

    Raises
    ------
    TNGError
        The station is not in the Dataset or there are several, or fewer than two frequencies have a value.
    """
    stations = [str(s) for s in dataset.station.values]
    if station is None and len(stations) == 1:
        station = stations[0]
    if station not in stations:
        given = "none given" if station is None else f"{station!r} given"
        raise TNGError(f"a .hv file holds one station: {given}; accepted: {', '.join(stations)}")
    mine = dataset.record_station.values == station
    if "accepted" in dataset:
        mine = mine & dataset.accepted.values
    curves, frequency = dataset.hvsr.values[mine], dataset.frequency.values
    average, sigma_ln = (dataset[name].sel(station=station).values for name in ("curve", "sigma_ln"))
    low, high = dataset.attrs.get("band_hz", frequency[[0, -1]])
    keep = np.isfinite(average) & (frequency >= low * (1 - 1e-9)) & (frequency <= high * (1 + 1e-9))
    if keep.sum() < 2:
        raise TNGError(f"{station}: {keep.sum()} frequencies of the curve have a value; a .hv file needs 2 or more")
    frequency, average, sigma_ln = frequency[keep], average[keep], np.nan_to_num(sigma_ln[keep])
    f0 = f0_from_windows(curves[:, keep], frequency, average)
    return HVFile(
        frequency,
        average,
        average / np.exp(sigma_ln),
        average * np.exp(sigma_ln),
        int(mine.sum()),
        float(frequency[average.argmax()]),
        f0.n_windows,
        (f0.f0_hz, f0.low_hz, f0.high_hz) if f0.n_windows else None,
        f0.peak_amplitude,
        window_s=float(np.median((dataset.window_end_s - dataset.window_start_s).values[mine])),
        f0_std_hz=(f0.high_hz - f0.low_hz) / 2,
    )
