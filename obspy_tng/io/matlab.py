"""The MATLAB records of the TimesNet-Gen authors: one ``EQ.anEQ`` structure per file, AFAD records in gal.

Not an ObsPy plug-in, since ``.mat`` says nothing of its content. The columns of ``Accel`` are north, east,
up: the ``pga`` field and AFAD's own text files of the same records agree, although the authors' script says
east, north, up.
"""

import io
import re
import struct
from pathlib import Path

import numpy as np
from obspy import Stream, UTCDateTime
from obspy.core import AttribDict

from ..errors import FormatError
from ._mat5 import checked
from ._text import INTERVALS_S, coordinates, epicentre, known, make_trace, positive

_NAME = re.compile(r"(\d{14})_(\w{1,5})\.mat$", re.IGNORECASE)
# a MATLAB datetime is one double, milliseconds since 1970, as a 1 x 1 matrix of type miDOUBLE in the file's
# object workspace
_DATETIME = struct.pack("<8I", 5, 8, 1, 1, 1, 0, 9, 8)


def read_eq_mat(path_or_bytes, *, name=None, headonly=False):
    """Read one ``EQ.anEQ`` record into three traces (``HNN``, ``HNE``, ``HNZ``, the file's order), in gal.

    Parameters
    ----------
    path_or_bytes : str, path or bytes
        The ``.mat`` file or its content.
    name : str, optional
        File name ``<yyyymmddHHMMSS>_<station>.mat`` when content is given: it holds the origin time and the
        station code with its leading zero, which the content has lost. Taken from the path otherwise.
    headonly : bool
        Return the headers and ``npts`` only.

    Returns
    -------
    obspy.Stream
        float64 samples as in the file; ``stats.calib`` (0.01) makes m/s². Network ``TK``. ``stats.matlab``
        keeps the scalar and text fields (upper-case keys), picks ``PTIME`` and ``STIME`` in seconds after the
        first sample among them.

    Raises
    ------
    FormatError
        Not a MATLAB 5 file, or no ``EQ.anEQ`` with three columns of acceleration.
    """
    if isinstance(path_or_bytes, bytes):
        raw, name = path_or_bytes, Path(name).name if name else "MATLAB data"
    else:
        raw, name = Path(path_or_bytes).read_bytes(), Path(name or path_or_bytes).name
    eq, workspace = _load(raw, name)

    acceleration = np.atleast_2d(np.asarray(getattr(eq, "Accel", np.empty((0, 3)))))
    if (
        acceleration.dtype.kind not in "fiu"
        or acceleration.ndim != 2
        or acceleration.shape[1] != 3
        or not len(acceleration)
    ):
        raise FormatError(
            f"{name}: EQ.anEQ.Accel has shape {acceleration.shape}; expected (samples, 3), columns N, E, U"
        )
    if not np.isfinite(acceleration).all():
        raise FormatError(f"{name}: EQ.anEQ.Accel holds values that are not finite")
    delta = _scalar(eq, "sampling")
    if delta is None or not INTERVALS_S[0] <= delta <= INTERVALS_S[1]:
        raise FormatError(f"{name}: EQ.anEQ.sampling is {delta}; expected the sampling interval in seconds, above zero")

    origin, station, start = _identity(eq, workspace, name)
    stats = {
        "network": "TK",
        "station": station,
        "starttime": start,
        "delta": delta,
        "calib": 0.01,
        "units": "m/s^2",
        "coordinates": coordinates(*_pair(eq, "statco"), _scalar(eq, "alt")),
        "event": _event(eq, origin),
        "site": known(vs30_mps=positive(_scalar(eq, "Vs30"))),
    }
    header = _header(eq)
    return Stream(
        make_trace(
            None if headonly else np.array(column, dtype=np.float64),
            len(column),
            channel=channel,
            matlab=AttribDict(header),
            **stats,
        )
        for channel, column in zip(("HNN", "HNE", "HNZ"), acceleration.T, strict=True)
    )


def _load(raw, name):
    """Return the structure EQ.anEQ and the bytes of the workspace that holds its datetime objects."""
    from scipy.io import loadmat  # 0.2 s, and only these files need it

    try:
        content = loadmat(io.BytesIO(checked(raw)), squeeze_me=True, struct_as_record=False)
        eq = content["EQ"].anEQ
    except KeyError:
        raise FormatError(f"{name}: a MATLAB file without EQ; expected the structure EQ.anEQ") from None
    except Exception as error:  # scipy raises half a dozen kinds for damaged files
        raise FormatError(f"{name}: not a MATLAB 5 file with EQ.anEQ ({_line(error)})") from None
    workspace = content.get("__function_workspace__", np.empty(0, np.uint8))
    return eq, np.ascontiguousarray(workspace).tobytes()


def _line(error):
    return (str(error).strip() or type(error).__name__).splitlines()[0][:80]


def _identity(eq, workspace, name):
    """Return (origin time or None, station code, time of the first sample).

    scipy does not decode MATLAB's datetime objects; their two doubles (event, first sample) are found by
    pattern. They count only if the first repeats the origin time of the file name, which it does in all files
    seen. Without them the record starts at the origin time.
    """
    match = _NAME.search(name)
    origin = None
    if match:
        try:
            origin = UTCDateTime.strptime(match[1], "%Y%m%d%H%M%S")
        except ValueError:
            match = None
    station = match[2] if match else f"{int(_scalar(eq, 'statID') or 0):04d}"
    times = _datetimes(workspace)
    if len(times) == 2 and (origin is None or abs(times[0] - origin) < 1):
        return times[0], station, times[1]
    return origin, station, origin or UTCDateTime(0)


def _datetimes(workspace):
    """Return the times held by the MATLAB datetime objects of a file, in the order of their fields."""
    values = (
        struct.unpack_from("<d", workspace, match.end())[0]
        for match in re.finditer(re.escape(_DATETIME), workspace)
        if match.end() + 8 <= len(workspace)
    )
    return [UTCDateTime(value / 1000) for value in values if 0 < value < 4e12]


def _event(eq, origin):
    """Return ``stats.event`` with whatever the structure tells of the earthquake; its depth is in metres."""
    depth_m, magnitude = _scalar(eq, "depth"), positive(_scalar(eq, "magnitudeval"))
    scale = str(getattr(eq, "magnitudetype", "")).strip()
    return known(
        id=None if origin is None else origin.strftime("%Y%m%d%H%M%S"),
        origin_time=origin,
        **epicentre(*_pair(eq, "epicenter")),
        depth_km=None if depth_m is None else depth_m / 1000,
        magnitude=magnitude,
        magnitude_type=scale if scale and magnitude is not None else None,
    )


def _header(eq):
    """Return the numbers, short vectors and texts of the structure, without spectra and objects."""
    header = AttribDict()
    for field in eq._fieldnames:
        value = getattr(eq, field)
        if isinstance(value, np.ndarray):
            if value.dtype.kind not in "fiu" or not 0 < value.size <= 3:
                continue
            value = value.ravel().tolist()
        if isinstance(value, str | int | float | list):
            header[field.upper()] = value.strip() if isinstance(value, str) else value
    return header


def _scalar(eq, field):
    """Return a field as a finite float, or None when it is absent, empty or an object."""
    value = getattr(eq, field, None)
    real = isinstance(value, int | float | np.integer | np.floating)
    return float(value) if real and np.isfinite(value) else None


def _pair(eq, field):
    """Return a (latitude, longitude) field in degrees, or (None, None)."""
    value = np.asarray(getattr(eq, field, ()))
    if value.dtype.kind not in "fiu" or value.shape != (2,) or not np.isfinite(value).all():
        return None, None
    return float(value[0]), float(value[1])
