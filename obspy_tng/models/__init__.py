"""The models by name: shipped weights, folders of a training run, weight files."""

from __future__ import annotations

from pathlib import Path

from obspy_tng.errors import ModelError

SHIPPED = Path(__file__).parent.parent / "weights"
DEFAULT = "tng-spectral-1"
WAVEFORM = "tng-ridgecrest-1"  # the paper's: latents of waveforms


def list_models() -> dict[str, dict]:
    """Return the shipped models: name -> card.

    Examples
    --------
    >>> import obspy_tng as tng
    >>> sorted(tng.list_models())
    ['tng-ridgecrest-1', 'tng-spectral-1']
    """
    from obspy_tng.models.weights import read_card

    return {p.stem: read_card(p) for p in sorted(SHIPPED.glob("*.safetensors"))}


def load_model(name_or_path=None, *, device: str = "cpu"):
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
    from obspy_tng.models.autoencoder import Autoencoder
    from obspy_tng.models.weights import read_card

    path = find(name_or_path or DEFAULT)
    if read_card(path)["model"] == "spectral-timesnet-gen":
        from obspy_tng.models.spectral_autoencoder import SpectralAutoencoder

        return SpectralAutoencoder.load(path, device=device)
    return Autoencoder.load(path, device=device)


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
