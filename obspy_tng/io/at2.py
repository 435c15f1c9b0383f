"""PEER/NGA AT2 files: one component of acceleration in g, four header lines, five numbers to a row.

The format has no network, start time or coordinates, and its header changed over the years; the second line
alone tells event, station and component, in free text. Reading keeps that text in ``stats.at2``; writing
fills it from ``stats``.

References
----------
https://peer.berkeley.edu/smcat/data.html; headers of the PEER strong-motion catalogue, NGA and NGA-West2.
"""

import re

import numpy as np
from obspy import Stream, UTCDateTime
from obspy.core import AttribDict

from ..errors import FormatError
from ._text import (
    STANDARD_GRAVITY_MPS2,
    count,
    count_words,
    decode,
    interval,
    known,
    load,
    make_trace,
    peek,
    samples,
    split_header,
)

_QUANTITY = re.compile(r"ACCELERATION\b.*\bUNITS? OF G\b")
_SIZES = re.compile(r"NPTS\s*=\s*([^\s,]+)\s*,?\s*DT\s*=\s*([^\s,]+)|^\s*(\S+)\s+(\S+)\s+NPTS\b")
_DATE = re.compile(r"(\d{1,4}[/-]\d{1,2}[/-]\d{1,4})[ ,]*(\d{4}\b)?")
_VERTICAL = {
    "UP": 1,
    "U": 1,
    "V": 1,
    "Z": 1,
    "VER": 1,
    "VERT": 1,
    "VERTICAL": 1,
    "DWN": -1,
    "DOWN": -1,
    "DN": -1,
}
_LETTERS = {
    "N": 0,
    "NS": 0,
    "N-S": 0,
    "NORTH": 0,
    "S": 180,
    "E": 90,
    "EW": 90,
    "E-W": 90,
    "EAST": 90,
    "W": 270,
}
# a sign that ends one number and begins the next: after a digit, before a mantissa (an exponent has no point)
_STUCK = re.compile(rb"(?<=[0-9.])([-+])(?=[0-9]*\.)")


def _is_at2(filename):
    """Tell whether a path or binary file object holds an AT2 header; reads at most 4 kB and never raises."""
    lines = decode(peek(filename)).upper().splitlines()[:12]
    return any(map(_QUANTITY.search, lines)) and any(map(_SIZES.search, lines))


def _read_at2(filename, headonly=False, **kwargs):
    """Read an AT2 file into a Stream of one trace, in g.

    Parameters
    ----------
    filename : str, path or binary file object
        One component.
    headonly : bool
        Return the header and ``npts`` only.

    Returns
    -------
    obspy.Stream
        float64 samples as in the file; ``stats.calib`` makes m/s² and is negative where the file's positive
        direction is south, west or down (then ``stats.at2.FLIPPED`` is True). Channel ``HNN``, ``HNE``,
        ``HNZ``, or for other azimuths ``HN1`` (within 45° of the north-south line) and ``HN2``.
        ``stats.at2.AZIMUTH``, in degrees, is the direction in which the motion in m/s² is positive. Time
        starts at 1970-01-01.

    Raises
    ------
    FormatError
        The file is damaged or holds fewer or more samples than NPTS.
    """
    raw, name = load(filename, "AT2")
    past_sizes = False

    def starts_data(line):
        # NRC files have more header lines, and the header of the 1990s has a line that begins with numbers
        nonlocal past_sizes
        if past_sizes:
            return re.match(rb"[-+]?\.?\d", line) is not None
        past_sizes = _SIZES.search(decode(line).upper()) is not None
        return False

    lines, body = split_header(raw, starts_data, name, "AT2")
    upper = [line.upper() for line in lines]
    quantity = next((i for i, line in enumerate(upper) if _QUANTITY.search(line)), None)
    if not quantity:
        raise FormatError(f"{name}: no line 'ACCELERATION TIME SERIES IN UNITS OF G' before NPTS, as AT2 has")
    # a line of other encoding than the rest may have ended the header and now read otherwise
    sizes = next(filter(None, map(_SIZES.search, upper)), None)
    if sizes is None:
        raise FormatError(f"{name}: no line 'NPTS= n, DT= s' that can be read")
    n_text, dt_text = [group for group in sizes.groups() if group]
    npts, delta = count(n_text, "NPTS", name), interval(dt_text, "DT", name)
    if count_words(body) != npts:
        body = _STUCK.sub(rb" \1", body)
    data = samples(body, npts, "NPTS", name, headonly=headonly)

    header = _parse_description(lines[quantity - 1])
    header.update({"TITLE": lines[0], "UNITS": "G", "NPTS": npts, "DT": delta})
    if record := re.match(r"RSN(\d{1,9})", name, re.IGNORECASE):
        header["RSN"] = int(record[1])
    channel, sign = _orientation(header)
    event = " ".join(filter(None, (header.EVENT, header.DATE))) if header.EVENT not in ("", "UNKNOWN") else None
    trace = make_trace(
        data,
        npts,
        station=_station_code(header.STATION),
        channel=channel,
        starttime=UTCDateTime(0),
        delta=delta,
        calib=sign * STANDARD_GRAVITY_MPS2,
        units="m/s^2",
        event=known(id=event),
        at2=header,
    )
    return Stream([trace])


def _parse_description(line):
    """Split ``Event, date, station, component`` (older: ``Event date time, station, component``)."""
    fields = [field.strip() for field in line.split(",")]
    component = fields.pop() if len(fields) > 1 else ""
    station = fields.pop() if len(fields) > 1 else ""
    event = ", ".join(filter(None, fields))
    date = _DATE.search(event)
    if date:
        event = event[: date.start()] + event[date.end() :]
    return AttribDict(
        DESCRIPTION=line,
        EVENT=event.strip(" ,"),
        DATE=date[0].strip(" ,") if date else "",
        STATION=station,
        COMPONENT=component,
    )


def _orientation(header):
    """Return (channel, sign of calib) of the component, and note its azimuth in the header."""
    words = header.COMPONENT.upper().split()
    word = words[0] if words else ""
    if word in _VERTICAL:
        sign = _VERTICAL[word]
        if sign < 0:
            header["FLIPPED"] = True
        return "HNZ", sign
    azimuth = _azimuth(word)
    if azimuth is None:
        # a SEED code, or a word such as LONG: what it means is for the caller to say
        return word, 1
    header["AZIMUTH"] = azimuth
    if azimuth % 90 == 0:
        # with the flipped calib, the motion in m/s² is positive towards north or east, so that is its azimuth
        header["AZIMUTH"] = azimuth % 180
        flipped = azimuth % 360 >= 180
        if flipped:
            header["FLIPPED"] = True
        return ("HNN" if azimuth % 180 == 0 else "HNE"), (-1 if flipped else 1)
    from_north = (azimuth + 90) % 180 - 90
    # open at -45°, so that the pair 045 and 135 does not become two HN1
    return ("HN1" if -45 < from_north <= 45 else "HN2"), 1


def _azimuth(word):
    """Return the azimuth in degrees of ``090``, ``N65E`` or ``EW``, or None."""
    if word in _LETTERS:
        return float(_LETTERS[word])
    if match := re.fullmatch(r"([NS])(\d{1,2})([EW])", word):
        angle = float(match[2]) if match[3] == "E" else -float(match[2])
        return (angle if match[1] == "N" else 180 - angle) % 360
    return float(word) if re.fullmatch(r"\d{1,3}(\.\d*)?", word) and float(word) <= 360 else None


def _station_code(text):
    """Return a code from the station's name: the name when it is one word, else its letters and digits."""
    return text if re.fullmatch(r"[\w-]{1,8}", text, re.ASCII) else re.sub(r"[^A-Z0-9]", "", text.upper())


def _write_at2(stream, filename, **kwargs):
    """Write one trace as AT2, in g.

    ``data * stats.calib`` is taken as m/s², which is how ObsPy's and our strong-motion readers leave it.

    Parameters
    ----------
    stream : obspy.Stream
        One trace: an AT2 file holds one component.
    filename : str, path or binary file object
        Where to write. Start time, network and coordinates have no place in the format and are lost.

    Raises
    ------
    FormatError
        More or less than one trace, no samples, samples that are not finite, or acceleration not in m/s².

    Examples
    --------
    >>> trace.write("RSN1_EXAMPLE_090.AT2", format="AT2")  # doctest: +SKIP
    """
    if len(stream) != 1:
        raise FormatError(
            f"AT2 holds one component, got a Stream of {len(stream)} traces; write each trace to its own file"
        )
    trace = stream[0]
    units = trace.stats.get("units", "m/s^2")
    if units != "m/s^2":
        raise FormatError(f"AT2 holds acceleration, got {trace.id} whose stats.units is {units!r}; expected 'm/s^2'")
    data_g = np.asarray(trace.data, dtype=np.float64) * (trace.stats.calib / STANDARD_GRAVITY_MPS2)
    if data_g.size == 0 or not np.isfinite(data_g).all():
        raise FormatError(
            f"AT2 needs finite samples, got {trace.id} with {data_g.size} samples, some missing or not finite"
        )
    # an exponent of three digits would fill the column and touch its neighbour
    data_g[np.abs(data_g) < 1e-90] = 0.0
    rows, rest = divmod(data_g.size, 5)
    layout = ("%15.7E" * 5 + "\n") * rows + ("%15.7E" * rest + "\n" if rest else "")
    text = (
        "PEER NGA STRONG MOTION DATABASE FORMAT, WRITTEN BY OBSPY-TNG\n"
        f"{_describe(trace.stats)}\n"
        "ACCELERATION TIME SERIES IN UNITS OF G\n"
        f"NPTS={data_g.size:7d}, DT={trace.stats.delta:10.12g} SEC,\n"
    ) + layout % tuple(data_g)
    raw = text.encode("ascii", "replace")
    if hasattr(filename, "write"):
        filename.write(raw)
        return
    with open(filename, "wb") as file:
        file.write(raw)


def _describe(stats):
    """Return the second header line of a trace: event, date, station, component."""
    at2, event = stats.get("at2", {}), stats.get("event", {})
    name = at2.get("EVENT") or event.get("id") or ("SYNTHETIC" if "tng" in stats else "UNKNOWN")
    # the default start 1970-01-01 is no date
    day = event.get("origin_time") or (stats.starttime if stats.starttime != UTCDateTime(0) else None)
    date = at2.get("DATE") or (day.strftime("%m/%d/%Y") if day else "")
    station = at2.get("STATION", "")
    if _station_code(station) != stats.station:
        station = stats.station
    fixed = {"N": "000", "E": "090", "Z": "UP"}
    component = fixed.get(stats.channel[-1:])
    if component is None and "AZIMUTH" in at2:
        component = f"{at2['AZIMUTH']:03.0f}"
    fields = (name, date, station, component or stats.channel)
    return ", ".join(re.sub(r"[\s,]+", " ", str(field)).strip() for field in fields)
