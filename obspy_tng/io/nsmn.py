"""AFAD strong-motion text files of the years before 2019 (Turkish National Strong-Motion Network).

A title, fourteen ``KEY : value`` lines, two copyright lines and a row ``N-S E-W U-D`` over three columns in
gal. Encodings are UTF-8 or ISO-8859-9, place names hold HTML entities, and the station in the file name may
be wrong: the header is trusted.

References
----------
gmprocess ``io/nsmn/core.py``; AFAD, doi:10.7914/SN/TK.
"""

import html
import re

from obspy import Stream
from obspy.core import AttribDict

from ..errors import FormatError
from ._text import (
    coordinates,
    count,
    epicentre,
    interval,
    known,
    load,
    make_trace,
    number,
    parse_time,
    peek,
    positive,
    quoted,
    samples,
    split_header,
)

_TITLE = b"STRONG GROUND MOTION RECORDS OF T"  # TURKIYE, TURKEY, or either with umlauts in some encoding
_CHANNELS = {b"N-S": "HNN", b"E-W": "HNE", b"U-D": "HNZ"}
_POSITION = re.compile(r"([\d.]+)\s*([NS])\s*-\s*([\d.]+)\s*([EW])")


def _is_nsmn(filename):
    """Tell whether a path or file object is an old AFAD text file; reads at most 4 kB and never raises."""
    return peek(filename).removeprefix(b"\xef\xbb\xbf").lstrip().upper().startswith(_TITLE)


def _read_nsmn(filename, headonly=False, **kwargs):
    """Read an old AFAD text file into three traces (``HNN``, ``HNE``, ``HNZ``, the file's order), in gal.

    Parameters
    ----------
    filename : str, path or binary file object
        One three-component record.
    headonly : bool
        Return the headers and ``npts`` only.

    Returns
    -------
    obspy.Stream
        float64 samples as in the file; ``stats.calib`` (0.01) makes m/s². Network ``TK``, station a
        four-digit string. The header is in ``stats.nsmn`` (strings; ``RAW PGA VALUES (gal)`` becomes
        ``RAW_PGA_VALUES_GAL``).

    Raises
    ------
    FormatError
        The file is damaged or holds fewer or more samples than NUMBER OF DATA.
    """
    raw, name = load(filename, "NSMN")
    lines, body = split_header(raw, _is_column_row, name, "NSMN")
    header = _parse_header(lines)
    get = header.get
    *columns, numbers = [*body.split(None, 3), b""][:4]

    npts = count(get("NUMBER_OF_DATA"), "NUMBER OF DATA", name)
    delta = interval(get("SAMPLING_INTERVAL_SEC"), "SAMPLING INTERVAL (sec)", name)
    start = parse_time(get("RECORD_TIME", ""))
    if start is None:
        raise FormatError(f"{name}: RECORD TIME is {quoted(get('RECORD_TIME'))}; expected dd/mm/yyyy HH:MM:SS (GMT)")
    if not get("STATION_ID"):
        raise FormatError(f"{name}: the NSMN header lacks STATION ID")
    data = samples(numbers, 3 * npts, "NUMBER OF DATA (3 columns)", name, headonly=headonly)

    stream = Stream()
    for i, column in enumerate(columns):
        stream += make_trace(
            # contiguous, because MiniSEED and most numerical code want it
            None if data is None else data[i::3].copy(),
            npts,
            network="TK",
            station=get("STATION_ID").zfill(4),  # AFAD codes are two digits of province, two of station
            channel=_CHANNELS[column.upper()],
            starttime=start,
            delta=delta,
            calib=0.01,
            units="m/s^2",
            coordinates=coordinates(*_position(get("STATION_COORDINATES", "")), number(get("STATION_ALTITUDE_M"))),
            event=_event(header),
            nsmn=AttribDict(header),
        )
    return stream


def _is_column_row(line):
    """The row of column names, in whatever order, ends the header."""
    return sorted(line.upper().split()) == sorted(_CHANNELS)


def _parse_header(lines):
    """Return the ``KEY : value`` lines as an AttribDict; keys keep letters, digits and ``_`` only."""
    header = AttribDict()
    for line in lines:
        key, colon, value = line.partition(":")
        if colon:
            header[re.sub(r"[^A-Z0-9]+", "_", key.upper()).strip("_")] = html.unescape(value.strip())
    return header


def _position(text):
    """Return (latitude, longitude) in degrees of ``38.75008N-40.55931E``, or (None, None)."""
    match = _POSITION.search(text.upper())
    if match is None:
        return None, None
    latitude, longitude = number(match[1]), number(match[3])
    if latitude is None or longitude is None:
        return None, None
    return latitude * (-1 if match[2] == "S" else 1), longitude * (-1 if match[4] == "W" else 1)


def _event(header):
    """Return ``stats.event`` with whatever the header tells of the earthquake; its size reads ``6.5 Mw``."""
    size, _, scale = header.get("EARTHQUAKE_MAGNITUDE", "").partition(" ")
    magnitude = positive(size)
    origin_time = parse_time(header.get("EARTHQUAKE_DATE", ""))
    return known(
        # AFAD names its events by their time, so files of one earthquake share this id
        id=None if origin_time is None else origin_time.strftime("%Y%m%d%H%M%S"),
        origin_time=origin_time,
        **epicentre(*_position(header.get("EPICENTER_COORDINATES", ""))),
        depth_km=number(header.get("EARTHQUAKE_DEPTH_KM")),
        magnitude=magnitude,
        magnitude_type=scale.strip() or None if magnitude is not None else None,
    )
