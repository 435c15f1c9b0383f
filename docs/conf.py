"""Sphinx settings: numpydoc and autosummary, click pages, the examples, figures; needs no network."""

import shutil
import sys
import warnings
from importlib.resources import files
from pathlib import Path

HERE = Path(__file__).parent
MATHJAX = files("sphinx-mathjax-offline") / "static" / "mathjax" / "tex-svg.js"
sys.path.insert(0, str(HERE / "_ext"))

import obspy_tng  # noqa: E402

project = "obspy-tng"
author = "The obspy-tng developers"
copyright = "The obspy-tng developers, MIT licence"
version = release = obspy_tng.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "matplotlib.sphinxext.plot_directive",
    "myst_parser",
    "numpydoc",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "sphinxcontrib.bibtex",
    "model_cards",
]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
exclude_patterns = ["_build", "gallery/*.py", "gallery/*.ipynb", "gallery/*.md", "sg_execution_times.rst"]
templates_path = ["_templates"]
smartquotes = False  # they would turn --out into an en dash
default_role = "obj"  # `name` in docstrings is a link where there is a target, code elsewhere
suppress_warnings = ["sphinx_gallery.space_in_filename"]  # a clone may lie in "My Documents"

shutil.rmtree(HERE / "api" / "generated", ignore_errors=True)  # pages of names that are gone would be warnings
autosummary_generate = True
autodoc_typehints = "none"  # numpydoc says them, with units
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

bibtex_bibfiles = ["references.bib"]
bibtex_reference_style = "author_year"
bibtex_default_style = "plain"

plot_formats = [("png", 150)]
plot_html_show_formats = False
plot_html_show_source_link = False
plot_working_directory = str(HERE.parent)
plot_rcparams = {"figure.constrained_layout.use": True, "font.size": 10}

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"

html_theme = "furo"
html_static_path = ["_static", str(MATHJAX)]
html_css_files = ["custom.css"]
html_favicon = "_static/favicon.svg"
mathjax_path = MATHJAX.name  # of this site: equations need no network
mathjax3_config = {"svg": {"displayOverflow": "overflow"}, "options": {"enableMenu": False}}
html_theme_options = {"top_of_page_buttons": []}
html_title = f"obspy-tng {release}"
html_copy_source = False
html_show_search_summary = False  # browsers fetch no pages for it where the site is opened as files

sphinx_gallery_conf = {
    "examples_dirs": str(HERE.parent / "examples"),
    "gallery_dirs": "gallery",
    "filename_pattern": "/plot_",
    "ignore_pattern": r"demo\.py",
    "abort_on_example_error": True,
    "capture_repr": (),  # what is printed is shown, not what a call returns
    "image_scrapers": ("figure_scraper",),
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "within_subsection_order": "FileNameSortKey",
}
warnings.filterwarnings("ignore", message=".*non-interactive.*")
