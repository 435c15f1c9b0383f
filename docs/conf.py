"""Sphinx settings: numpydoc and autosummary, click pages, the examples; needs no network."""

import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

import obspy_tng  # noqa: E402
from obspy_tng.models import SHIPPED  # noqa: E402

project = "obspy-tng"
author = "The obspy-tng developers"
copyright = "The obspy-tng developers, MIT licence"
version = release = obspy_tng.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_click",
    "sphinx_gallery.gen_gallery",
    "model_cards",
    "markdown_changes",
]
exclude_patterns = ["_build", "gallery/*.py", "gallery/*.ipynb", "sg_execution_times.rst"]
templates_path = ["_templates"]
smartquotes = False  # they would turn --out into an en dash
default_role = "obj"  # `name` in docstrings is a link where there is a target, code elsewhere
suppress_warnings = ["sphinx_gallery.space_in_filename"]  # a clone may lie in "My Documents"

HAVE_WEIGHTS = any(SHIPPED.glob("*.safetensors"))
if not HAVE_WEIGHTS:
    suppress_warnings += ["image.not_readable"]  # the figure of the page "How it works" is an example's

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc says them, with units
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "alabaster"
html_static_path = ["_static"]
html_theme_options = {
    "description": "Site-specific strong motion and site analysis for ObsPy",
    "fixed_sidebar": True,
    "page_width": "1080px",
    "sidebar_width": "230px",
}
html_title = f"obspy-tng {release}"
html_copy_source = False

sphinx_gallery_conf = {
    "examples_dirs": str(HERE.parent / "examples"),
    "gallery_dirs": "gallery",
    "filename_pattern": "/plot_",
    "ignore_pattern": r"demo\.py",
    "plot_gallery": HAVE_WEIGHTS,  # without weights the examples are shown, not run
    "abort_on_example_error": True,
    "image_scrapers": ("figure_scraper",),
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "within_subsection_order": "FileNameSortKey",
}
warnings.filterwarnings("ignore", message=".*non-interactive.*")
