"""DYNA 1.0/1.2 text files: AFAD-TADAS ``.asc`` (Türkiye), ESM ``.ASC`` (Europe) and ITACA (Italy).

About 64 ``KEY: value`` lines, then one sample per line; one component per file. The three agencies differ in
their dates, in what LOCATION means and in the number of lines, so the header is read by key up to the first
number, never by line count.

References
----------
Header keys: ITACA 2.2 user information ("64 rows header"); ESM, https://esm-db.eu; ObsPy pull request 833.
"""

import re

from obspy import Stream, UTCDateTime
from obspy.core import AttribDict

from ..errors import FormatError
from ._text import (
    STANDARD_GRAVITY_MPS2,
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

# units of the file -> (factor to SI, SI unit); DYNA is cgs, the others occur in converted copies
_UNITS = {
    "cm/s^2": (0.01, "m/s^2"),
    "cm/s2": (0.01, "m/s^2"),
    "cm/s/s": (0.01, "m/s^2"),
    "gal": (0.01, "m/s^2"),
    "m/s^2": (1.0, "m/s^2"),
    "g": (STANDARD_GRAVITY_MPS2, "m/s^2"),
    "cm/s": (0.01, "m/s"),
    "cm": (0.01, "m"),
}
_FIRST_SAMPLE = "DATE_TIME_FIRST_SAMPLE_YYYYMMDD_HHMMSS"


def _is_dyna(filename):
    """Tell whether a path or binary file object holds a DYNA header; reads at most 4 kB and never raises."""
    head = peek(filename).removeprefix(b"\xef\xbb\xbf").lstrip()
    # "EVENT_NAME:" alone would also claim ITACA 1.x, whose header is another
    return head.startswith((b"EVENT_NAME:", b"AAD_")) and all(
        key in head for key in (b"EVENT_NAME:", b"STATION_CODE:", _FIRST_SAMPLE.encode() + b":")
    )


def _read_dyna(filename, headonly=False, **kwargs):
    """Read a DYNA file into a Stream of one trace, in the file's units.

    Parameters
    ----------
    filename : str, path or binary file object
        One component.
    headonly : bool
        Return the header and ``npts`` only.

    Returns
    -------
    obspy.Stream
        float64 samples as in the file; ``stats.calib`` turns them into the SI unit named by ``stats.units``
        (``m/s^2`` for an accelerogram). The header is in ``stats.dyna`` (strings; ``/`` and ``^`` of the keys
        are ``_``).

    Raises
    ------
    FormatError
        The file is damaged, holds fewer or more samples than NDATA, is a response spectrum, or has unknown
        units.

    Examples
    --------
    >>> st = obspy.read("20201030115124_3516_mp_RawAcc_E.asc", apply_calib=True)  # doctest: +SKIP
    """
    raw, name = load(filename, "DYNA")
    lines, body = split_header(raw, _starts_data, name, "DYNA")
    header = _parse_header(lines)
    get = header.get

    if "SPECTR" in get("DATA_TYPE", "").upper():
        raise FormatError(f"{name}: DATA_TYPE is {quoted(get('DATA_TYPE'))}; a response spectrum is not a waveform")
    missing = [key for key in ("STATION_CODE", "SAMPLING_INTERVAL_S", "NDATA", "STREAM", "UNITS") if key not in header]
    if missing:
        raise FormatError(f"{name}: the DYNA header lacks {', '.join(missing)}")
    try:
        calib, units = _UNITS[get("UNITS").lower()]
    except KeyError:
        raise FormatError(f"{name}: UNITS is {quoted(get('UNITS'))}; expected one of {', '.join(_UNITS)}") from None
    npts = count(get("NDATA"), "NDATA", name)
    delta = interval(get("SAMPLING_INTERVAL_S"), "SAMPLING_INTERVAL_S", name)
    data = samples(body, npts, "NDATA", name, headonly=headonly)

    trace = make_trace(
        data,
        npts,
        network=get("NETWORK", ""),
        station=get("STATION_CODE"),
        location=_location(get("LOCATION", "")),
        channel=_channel(get("STREAM")),
        starttime=_start(get(_FIRST_SAMPLE, ""), name),
        delta=delta,
        calib=calib,
        units=units,
        coordinates=coordinates(
            number(get("STATION_LATITUDE_DEGREE")),
            number(get("STATION_LONGITUDE_DEGREE")),
            number(get("STATION_ELEVATION_M")),
        ),
        event=_event(header),
        site=known(vs30_mps=positive(get("VS30_M_S"))),
        dyna=header,
    )
    return Stream([trace])


def _starts_data(line):
    """Samples begin at the first line that is a number (a spectrum has two of them)."""
    return b":" not in line and number(line.split()[0] if line else None) is not None


def _parse_header(lines):
    """Return the header as an AttribDict of strings; a line without a colon becomes an empty key."""
    header = AttribDict()
    for line in lines:
        key, _, value = line.partition(":")
        if key := re.sub(r"[/^]", "_", key.strip().upper()):
            header[key] = value.strip()
    return header


def _location(text):
    """ESM and ITACA give the SEED location code; AFAD puts a place name there, which fits no SEED field."""
    return text if re.fullmatch(r"[A-Z0-9]{2}", text) else ""


def _channel(stream):
    """Return the SEED channel of STREAM, which may be a bare component letter; up may be called U."""
    stream = stream.upper()
    channel = stream if len(stream) == 3 else f"HN{stream[-1:]}"
    return channel[:2] + "Z" if channel.endswith("U") else channel


def _start(text, name):
    """Return the first sample's time; 1970-01-01 where an analogue record had no clock."""
    if not text:
        return UTCDateTime(0)
    time = parse_time(text)
    if time is None:
        raise FormatError(
            f"{name}: {_FIRST_SAMPLE} is {quoted(text)}; "
            "expected 20190728_160919.870, 2020/10/30 11:51:11.98 or 14/11/2010 23:09:19.3"
        )
    return time


def _event(header):
    """Return ``stats.event`` with whatever the header tells of the earthquake."""
    get = header.get
    magnitude_w, magnitude_l = positive(get("MAGNITUDE_W")), positive(get("MAGNITUDE_L"))
    magnitude, magnitude_type = (magnitude_w, "Mw") if magnitude_w is not None else (magnitude_l, "ML")
    return known(
        id=get("EVENT_ID") or get("EVENT_NAME") or None,
        origin_time=parse_time(f"{get('EVENT_DATE_YYYYMMDD', '')} {get('EVENT_TIME_HHMMSS', '')}"),
        **epicentre(number(get("EVENT_LATITUDE_DEGREE")), number(get("EVENT_LONGITUDE_DEGREE"))),
        depth_km=number(get("EVENT_DEPTH_KM")),
        magnitude=magnitude,
        magnitude_type=magnitude_type if magnitude is not None else None,
    )
