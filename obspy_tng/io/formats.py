"""Bytes of a waveform file to a Stream, by those of ObsPy's readers that neither run code nor open other files.

``obspy.read`` asks every installed reader in turn, and its PICKLE reader unpickles whatever it is shown, which runs
the code a pickle may hold. Here the readers are asked one by one, without these.
"""

import io
from functools import lru_cache
from importlib.metadata import entry_points

import obspy
from obspy.core.util.base import ENTRY_POINTS, NamedTemporaryFile

from ..errors import FormatError
from .at2 import _is_at2
from .dyna import _is_dyna
from .nsmn import _is_nsmn

# PICKLE runs code of the file; CSS and NNSA_KB_CORE are tables that name other files, anywhere, to be read
REFUSED = frozenset({"PICKLE", "CSS", "NNSA_KB_CORE"})
# ObsPy's decoder of compressed GSE writes beyond its memory on damaged files and takes the process along
_FRAGILE = frozenset({"GSE1", "GSE2"})
_OURS = {"DYNA": _is_dyna, "NSMN": _is_nsmn, "AT2": _is_at2}
_PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def read_waveform(raw, name, *, headonly=False):
    """Return the Stream that a file's bytes hold.

    Parameters
    ----------
    raw : bytes
        The whole file, unpacked.
    name : str
        File name: our readers put it into their messages, and AT2 keeps its record number there.
    headonly : bool
        Return headers only.

    Returns
    -------
    obspy.Stream

    Raises
    ------
    FormatError
        No reader knows the bytes, or they are a Python pickle or GSE.
    Exception
        Whatever ObsPy's readers raise on damaged files.
    """
    source = io.BytesIO(raw)
    source.name = name
    # the detectors of all sixty take longer than reading
    kind = next((kind for kind, is_kind in _OURS.items() if is_kind(source)), None) or _detect(source, raw)
    if kind is None:
        if raw.startswith(_PICKLE_STARTS):
            raise FormatError(f"{name}: a Python pickle, which may hold code to run; write MSEED, SAC or AT2")
        raise FormatError(f"{name}: not a waveform format ObsPy knows")
    if kind in _FRAGILE:
        raise FormatError(
            f"{name}: {kind}, whose decoder in ObsPy does not survive damaged files; write MSEED, or give the Stream "
            "that obspy.read returns"
        )
    return obspy.read(source, format=kind, headonly=headonly)


def _detect(source, raw):
    """Return the name of the first of ObsPy's readers that claims the bytes, or None."""
    for kind, is_kind in _detectors():
        if _claims(is_kind, source):
            return kind
    with NamedTemporaryFile() as file:  # a few detectors know paths only, and say no to anything else
        file.write(raw)
        file.flush()
        return next((kind for kind, is_kind in _detectors() if _claims(is_kind, file.name)), None)


def _claims(is_kind, source):
    try:
        return bool(is_kind(source))
    except Exception:  # on foreign bytes detectors raise whatever they like
        return False
    finally:
        if hasattr(source, "seek"):
            source.seek(0)


@lru_cache(maxsize=1)
def _detectors():
    """Return (name, isFormat) of the readers that may be asked, in ObsPy's order."""
    out = []
    for kind in ENTRY_POINTS["waveform"]:
        if kind in REFUSED or kind in _OURS:
            continue
        for entry in entry_points(group=f"obspy.plugin.waveform.{kind}", name="isFormat"):
            try:
                out.append((kind, entry.load()))
            except ImportError:  # a plug-in whose own dependency is missing
                continue
    return out
