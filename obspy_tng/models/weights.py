"""Weights on disk: safetensors beside a JSON card, checked by hash, never pickle."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch

from obspy_tng.errors import ModelError, WriteError
from obspy_tng.writing import whole, writable


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
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with writable(path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part:
        try:
            save_file(tensors, part, metadata=metadata)
        except SafetensorError as err:  # among them those of the system: a full disk
            raise WriteError(f"{path} cannot be written: {err}") from err
        part.chmod(0o644)  # safetensors makes private files


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
        values = json.loads(card.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path} has no card {card.name} beside it") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as err:
        raise ModelError(f"{card} is not a model card: {err}") from err
    if not isinstance(values, dict) or "config" not in values or "model" not in values:
        raise ModelError(f"{card} is not a model card: 'model' and 'config' are needed")
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
    except (SafetensorError, OSError, ValueError) as err:
        raise ModelError(f"{path} is not a readable safetensors file: {err}") from err


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
    try:
        network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in tensors.items()})
    except RuntimeError as err:
        raise ModelError(f"{path} does not fit the network its card describes: {str(err).splitlines()[0]}") from err
