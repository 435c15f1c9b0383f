"""Weights on disk: safetensors beside a JSON card, checked by hash, never pickle."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch

from obspy_tng.errors import ModelError
from obspy_tng.writing import whole, writable

_LARGEST_CARD_BYTES = 10**7
_LARGEST_SIZE, _LONGEST_LIST, _MOST_BLOCKS = 10**5, 1000, 64
_CARD = {  # what is read without further checks, and its types
    "model": str, "config": dict, "name": str, "weights_sha256": str, "stations": list, "events_validation": list,
    "inversion": str, "places": dict,
}  # fmt: skip


def sha256(path) -> str:
    """Return the hex digest of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(file)


def _digest(file) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def save(path, network, card: dict, *, half: bool = False) -> dict:
    """Write ``path`` (safetensors) and ``path`` with suffix .json (the card), each whole or not at all.

    Parameters
    ----------
    path : str or path
        Ends in .safetensors.
    network : torch.nn.Module
    card : dict
        JSON types. ``weights_sha256`` is set here.
    half : bool
        Store float16.

    Returns
    -------
    dict
        The card as written.
    """
    tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    if half:
        tensors = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    write_tensors(path, tensors)
    card = {**card, "weights_sha256": sha256(path), "precision": "float16" if half else "float32"}
    write_text(Path(path).with_suffix(".json"), json.dumps(card, indent=1) + "\n")
    return card


def write_tensors(path, tensors: dict, metadata: dict | None = None) -> None:
    """Write a safetensors file, whole or not at all.

    Raises
    ------
    WriteError
        It cannot be written.
    """
    from safetensors.torch import save as as_bytes

    with writable(path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part:
        part.write_bytes(as_bytes(tensors, metadata))


def write_text(path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with writable(path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part:
        part.write_text(text, encoding="utf-8")


def read_card(path) -> dict:
    """Return the card beside a weights file.

    Raises
    ------
    ModelError
        There is none, or it is no JSON object.
    """
    card = Path(path).with_suffix(".json")
    try:
        if card.stat().st_size > _LARGEST_CARD_BYTES:
            raise ModelError(f"{card} is not a model card: {card.stat().st_size} bytes long")
        values = json.loads(card.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path} has no card {card.name} beside it") from None
    except (ValueError, RecursionError) as err:  # no text, no JSON, a number of 5,000 digits, [[[[[[ …
        if isinstance(err, ModelError):
            raise
        raise ModelError(f"{card} is not a model card: {str(err).splitlines()[0]}") from err
    if not isinstance(values, dict) or "config" not in values or "model" not in values:
        raise ModelError(f"{card} is not a model card: 'model' and 'config' are needed")
    for key, kinds in _CARD.items():
        if key in values and not isinstance(values[key], kinds):
            raise ModelError(f"{card} is damaged: {key!r} is {str(values[key])[:40]!r}")
    for key in ("stations", "events_validation"):
        if not all(isinstance(item, str) for item in values.get(key, ())):
            raise ModelError(f"{card} is damaged: {key!r} holds other things than text")
    return values


def read_tensors(path) -> tuple[dict, dict]:
    """Return (tensors, metadata) of a safetensors file.

    Raises
    ------
    ModelError
        The file is missing, truncated or something else.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            return {k: file.get_tensor(k) for k in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except FileNotFoundError:
        raise ModelError(f"no weights file {path}") from None
    except (SafetensorError, OSError, ValueError, TypeError, RuntimeError) as err:
        raise ModelError(f"{path} is not a readable safetensors file: {err}") from err


def shapes(path) -> dict:
    """Return the shapes of the tensors of a safetensors file by name, from its header; raises as `read_tensors`."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            return {k: tuple(file.get_slice(k).get_shape()) for k in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise ModelError(f"no weights file {path}") from None
    except (SafetensorError, OSError, ValueError, TypeError, RuntimeError) as err:
        raise ModelError(f"{path} is not a readable safetensors file: {err}") from err


def require_fit(make, path, card: dict) -> None:
    """Raise ModelError unless a weights file holds the tensors of the network that its card describes.

    Parameters
    ----------
    make : callable
        ``make(card)`` builds the network; called without memory for its weights, so that a card which describes one
        of terabytes does no harm.
    """
    if not Path(path).is_file():
        raise ModelError(f"no weights file {path}")
    _require_plain(card["config"], path)
    try:
        with torch.device("meta"):
            wanted = {k: tuple(v.shape) for k, v in make(card).state_dict().items()}
    except ModelError:
        raise
    except Exception as err:  # sizes that do not go together fail in as many ways as torch has
        raise ModelError(f"the card's sizes are not those of {card['model']}: {str(err).splitlines()[:1]}") from err
    held = shapes(path)
    differ = sorted(k for k in {*wanted, *held} if wanted.get(k) != held.get(k))
    if differ:
        raise ModelError(
            f"{path} does not fit the network its card describes: {len(differ)} tensor(s) differ, {differ[0]!r} first"
        )


def _require_plain(config, path) -> None:
    """Raise ModelError when the sizes of a card are none: a million blocks take for ever to be laid out."""
    values = list(config.values()) if isinstance(config, dict) else [None]
    for value in values:
        if isinstance(value, (list, tuple)) and len(value) <= _LONGEST_LIST:
            values.extend(value)
        elif not isinstance(value, (int, float, str, bool)) or (
            isinstance(value, (int, float)) and not abs(value) <= _LARGEST_SIZE
        ):
            raise ModelError(f"the card of {path} is damaged: {str(value)[:40]!r} among its sizes")
        if len(values) > _LONGEST_LIST:
            raise ModelError(f"the card of {path} is damaged: more than {_LONGEST_LIST} sizes")
    if isinstance(config.get("blocks", 0), str) or config.get("blocks", 0) > _MOST_BLOCKS:
        raise ModelError(f"the card of {path} is damaged: {str(config['blocks'])[:40]!r} blocks")


def load_into(network: torch.nn.Module, path, card: dict) -> None:
    """Fill a network from a weights file whose hash the card states.

    Raises
    ------
    ModelError
        Hash, names or shapes do not fit.
    """
    stated = card.get("weights_sha256")
    if not Path(path).is_file():
        raise ModelError(f"no weights file {path}")
    if stated and sha256(path) != stated:
        raise ModelError(f"{path} is damaged or was exchanged: its sha256 is not the one its card states")
    tensors, _ = read_tensors(path)
    if not all(torch.isfinite(v).all() for v in tensors.values() if v.is_floating_point()):
        raise ModelError(f"{path} is damaged: it holds weights that are not finite")
    try:
        network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in tensors.items()})
    except RuntimeError as err:
        raise ModelError(f"{path} does not fit the network its card describes: {str(err).splitlines()[0]}") from err
