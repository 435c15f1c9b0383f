"""obspy-tng: site-specific strong motion generation and site analysis for ObsPy.

Everything public is reached from here and imported on first use (PEP 562), so ``import obspy_tng`` costs nothing.
"""

import importlib

__version__ = "0.1.0"

# public name -> module that holds it
_PUBLIC = {
    "Corpus": "corpus",
    "LatentPool": "pool",
    "Record": "record",
    "TNGError": "errors",
    "build_corpus": "corpus",
    "build_pool": "pool_build",
    "evaluate": "evaluation.compare",
    "generate": "synthesis",
    "generate_corpus": "corpus_synthesis",
    "hvsr": "site.hvsr",
    "inventory": "provenance",
    "list_models": "models",
    "load_model": "models",
    "pick_f0": "site.f0",
    "read_records": "record",
    "records": "record",
    "reject": "site.rejection",
    "report": "evaluation.report",
    "retarget": "adjustment",
    "sesame": "site.sesame",
    "show_versions": "provenance",
    "simulate": "simulation",
    "stations": "pool",
    "train": "training",
    "write": "provenance",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> object:
    if name in _PUBLIC:
        value = getattr(importlib.import_module(f"obspy_tng.{_PUBLIC[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'obspy_tng' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
