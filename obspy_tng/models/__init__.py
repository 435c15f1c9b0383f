"""The models by name: shipped weights, folders of a training run, weight files."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from obspy_tng.errors import ModelError

if TYPE_CHECKING:
    from obspy_tng import hints
    from obspy_tng.models.autoencoder import Autoencoder

SHIPPED = Path(__file__).parent.parent / "weights"
DEFAULT = "tng-spectral-1"
WAVEFORM = "tng-ridgecrest-1"  # the paper's: latents of waveforms


class Kind(NamedTuple):
    """Where the parts of a model are found, as "module:name" in this folder."""

    handle: str  # what load_model() returns
    network: str  # made of a config
    config: str  # made of a card's "config"


MODELS = {  # "model" of a card ->
    "timesnet-gen": Kind("autoencoder:Autoencoder", "timesnet_gen:TimesNetGen", "timesnet_gen:Config"),
    "timesnet-gen-reference": Kind("autoencoder:Autoencoder", "reference:Reference", "reference:ReferenceConfig"),
    "spectral-timesnet-gen": Kind(
        "spectral_autoencoder:SpectralAutoencoder",
        "spectral_timesnet:SpectralTimesNet",
        "spectral_timesnet:SpectralConfig",
    ),
    "cvae": Kind("cvae_autoencoder:CvaeAutoencoder", "cvae:Cvae", "cvae:CvaeConfig"),
    "heggs": Kind("heggs_generator:HeggsGenerator", "heggs:Heggs", "heggs:HeggsConfig"),
}


def part(name: str):
    """Return the class "module:name" of this folder."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(f"obspy_tng.models.{module}"), attribute)


def list_models() -> dict[str, dict[str, Any]]:
    """Return the shipped models: name -> card.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> sorted(tng.list_models())
    ['tng-ridgecrest-1', 'tng-spectral-1']
    """
    from obspy_tng.models.weights import read_card

    return {p.stem: read_card(p) for p in sorted(SHIPPED.glob("*.safetensors"))}


def load_model(name_or_path: hints.Path | None = None, *, device: str = "cpu") -> Autoencoder:
    """Return a trained model, ready to encode and decode.

    Parameters
    ----------
    name_or_path : str or path, optional
        A shipped name (see `list_models`), a ``.safetensors`` file with its card beside it, or the folder of a
        training run. The shipped default when left out.
    device : str
        ``"cpu"`` or a CUDA device.

    Returns
    -------
    Autoencoder

    Raises
    ------
    ModelError
        The name is unknown, or the weights are damaged or do not fit.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> tng.load_model().card["model"]
    'spectral-timesnet-gen'
    """
    from obspy_tng.models.weights import read_card

    path = find(name_or_path or DEFAULT)
    model = read_card(path)["model"]
    if model not in MODELS:
        raise ModelError(f"model {model[:60]!r} not known; accepted: {', '.join(MODELS)}")
    return part(MODELS[model].handle).load(path, device=device)


def find(name_or_path) -> Path:
    """Return the weights file a name or path stands for."""
    shipped = SHIPPED / f"{name_or_path}.safetensors"
    if shipped.is_file():
        return shipped
    path = Path(name_or_path)
    if path.is_dir() and (path / "model.safetensors").is_file():
        return path / "model.safetensors"
    if path.is_file():
        return path
    known = ", ".join(sorted(p.stem for p in SHIPPED.glob("*.safetensors"))) or "none shipped"
    raise ModelError(f"no model {str(name_or_path)!r}; accepted: {known}, a .safetensors file or a training folder")
