"""The documentation as it stands in the tree: public names, examples, links and paths. Building it is `make docs`."""

import ast
import doctest
import importlib
import importlib.util
import inspect
import re
import shutil
from pathlib import Path

import pytest

import obspy_tng

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [p for p in sorted(DOCS.rglob("*.rst")) if not {"gallery", "_build", "generated", "_templates"} & set(p.parts)]
MARKDOWN = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/RESULTS.md", "data_samples/README.md")]
API = (DOCS / "api" / "index.rst").read_text(encoding="utf-8")
PUBLIC = sorted({*re.findall(r"^   ([A-Za-z_]\w*(?:\.\w+)*)$", API, re.M)} - {"inside"})


def found(name):
    """Return the object that a name of the API page stands for."""
    try:
        return importlib.import_module(f"obspy_tng.{name}")
    except ModuleNotFoundError:
        holder, _, last = name.rpartition(".")
        return getattr(importlib.import_module(f"obspy_tng.{holder}".rstrip(".")), last)


def test_every_public_name_is_on_the_api_page():
    """What ``from obspy_tng import *`` would give is listed."""
    assert {*obspy_tng.__all__} - {"__version__"} <= {*PUBLIC}


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_is_documented(name):
    """A public name has a docstring that names every parameter, an example, and no unfinished word."""
    what = found(name)
    text = inspect.getdoc(what) or ""
    assert len(text.split("\n")[0]) > 10
    if inspect.ismodule(what) or (inspect.isclass(what) and issubclass(what, Exception)):
        return
    called = f"``{name.split('.')[-1]}"  # of a class, a call in the text may do
    assert ">>>" in text or (inspect.isclass(what) and (f"{called}(" in text or f"{called}." in text)), "no example"
    if inspect.isclass(what):
        return
    given = [p for p in inspect.signature(what).parameters if p not in ("args", "kwargs")]
    assert not [p for p in given if not re.search(rf"\b{p}\b", text)], "parameters that are not told"


UNITS = (  # what a number without a unit in its name is told to be
    r"\b(Hz|s|km|m|m/s|m/s²|ln|dB|degrees?|share|ratio|samples?|records?|ms|decades?|counts?|fraction|percentile|epochs?|"
    r"standard deviations?|sd|amplitude|directions?|over the window length|magnitude|any unit|per step)\b|shape|"
    r"see `|as (in )?`"
)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_quantity_has_a_unit(name):
    """A parameter that is a float says its unit: in its name, or in what the docstring says of it."""
    what = found(name)
    if inspect.ismodule(what) or inspect.isclass(what):
        return
    text = inspect.getdoc(what)
    for key, parameter in inspect.signature(what).parameters.items():
        if str(parameter.annotation).split(" ")[0] != "float" or re.search(
            r"_(hz|s|km|deg|m|mps|mpa|mps2|share)$", key
        ):
            continue
        said = re.search(rf"^(?:\w+, )*{key}\b.*\n(?: .*\n?)+", text, re.M)
        assert re.search(UNITS, said[0] if said else text, re.I), f"{key}: no unit"


MODULES = [p for p in sorted((ROOT / "obspy_tng").rglob("*.py")) if ">>>" in p.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT / "obspy_tng")))
def test_examples_of_docstrings_run(path, monkeypatch):
    """Each example prints what its docstring says it prints."""
    monkeypatch.chdir(ROOT)
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(DOCS)))
def test_python_of_pages_parses(path):
    """Python shown in a page is Python, and what it takes from the package exists."""
    for block in re.findall(r"\.\. code-block:: python\n\n((?:   .*\n|\n)+)", path.read_text(encoding="utf-8")):
        tree = ast.parse(inspect.cleandoc("\n" + block))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "tng":
                assert hasattr(obspy_tng, node.attr), node.attr
            if isinstance(node, ast.ImportFrom) and node.module.startswith("obspy_tng"):
                module = importlib.import_module(node.module)
                for one in node.names:
                    assert hasattr(module, one.name) or importlib.util.find_spec(f"{node.module}.{one.name}")


@pytest.mark.parametrize("name", ["records", "hvsr", "provenance"])
def test_python_of_pages_runs(name, tmp_path, monkeypatch):
    """What these pages of the guide show runs as it stands, block after block, beside the sample records."""
    (tmp_path / "data_samples").symlink_to(ROOT / "data_samples")
    monkeypatch.chdir(tmp_path)
    names = {}
    text = (DOCS / "guide" / f"{name}.rst").read_text(encoding="utf-8")
    for block in re.findall(r"\.\. code-block:: python\n\n((?:   .*\n|\n)+)", text):
        exec(compile(inspect.cleandoc("\n" + block), f"{name}.rst", "exec"), names)
    assert "tng" in names


@pytest.mark.parametrize("path", [*PAGES, *MARKDOWN], ids=lambda p: str(p.relative_to(ROOT)))
def test_paths_in_pages_exist(path):
    """Files and folders of the tree that a page names, and pages it links to, are there."""
    text = path.read_text(encoding="utf-8")
    named = re.findall(r"\b((?:examples|benchmarks|data_samples|obspy_tng|tests|docs)/[\w./*-]*[\w*])(?![\w<{])", text)
    for name in {*named} if path.name != "CONTRIBUTING.md" else ():  # which tells of files to be written
        assert [*ROOT.glob(name)] or (path.parent / name).exists() or name.startswith("docs/_build"), name
    for link in re.findall(r"\]\((?!https?:)([^)#\s]+)", text) if path.suffix == ".md" else ():
        assert (path.parent / link).exists(), link
    for link in re.findall(r":doc:`(?:[^`<]*<)?([^`>]+)>?`", text):
        base = DOCS if link.startswith("/") else path.parent
        page = base / link.lstrip("/")
        assert any(page.with_suffix(s).exists() for s in (".rst", ".md")) or "gallery" in link, link


def test_links_between_pages_resolve():
    """Labels, examples of the gallery, glossary words and works that pages refer to exist."""
    text = {path: path.read_text(encoding="utf-8") for path in PAGES}
    everything = "\n".join(text.values())
    labels = {*re.findall(r"^\.\. _([\w-]+):$", everything, re.M)}
    for label in re.findall(r":ref:`(?:[^`<]*<)?([^`>]+)>?`", everything):
        if label.startswith("sphx_glr_gallery_"):
            assert (ROOT / "examples" / label.removeprefix("sphx_glr_gallery_")).is_file(), label
        else:
            assert label in labels, label
    for figure in re.findall(r"gallery/images/sphx_glr_(\w+?)_\d{3}\.png", everything):
        assert (ROOT / "examples" / f"{figure}.py").is_file(), figure
    terms = {line.strip().lower() for line in re.findall(r"^   (\S.*)$", text[DOCS / "glossary.rst"], re.M)}
    for term in re.findall(r":term:`(?:[^`<]*<)?([^`>]+)>?`", everything):
        assert term.lower() in terms, term
    works = {*re.findall(r"^@\w+\{(\w+),", (DOCS / "references.bib").read_text(encoding="utf-8"), re.M)}
    for keys in re.findall(r":cite:\w:`([^`]+)`", everything):
        assert {*keys.split(",")} <= works, keys


@pytest.fixture
def check_site():
    """The module docs/check_site.py."""
    spec = importlib.util.spec_from_file_location("check_site", DOCS / "check_site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_check_site_sees_broken_links(check_site, tmp_path):
    """Missing files, missing anchors and what is loaded from elsewhere are faults; links to elsewhere are none."""
    (tmp_path / "other.html").write_text('<p id="here">x</p>', encoding="utf-8")
    good = '<a href="other.html#here">a</a><a href="https://x.org">b</a><img src="data:image/png;base64,AA">'
    (tmp_path / "index.html").write_text(good, encoding="utf-8")
    assert check_site.faults_of_links(tmp_path) == []
    bad = '<a href="gone.html">a</a><a href="other.html#gone">b</a><script src="https://x.org/a.js"></script>'
    (tmp_path / "index.html").write_text(good + bad + '<img src="no.png">', encoding="utf-8")
    faults = check_site.faults_of_links(tmp_path)
    assert len(faults) == 4
    for word in ("gone.html", "#gone", "a.js", "no.png"):
        assert sum(word in fault for fault in faults) == 1, word


def test_check_site_sees_faults_of_pages(check_site, tmp_path):
    """A broken image, an error of a script, a page wider than a phone and a button that copies nothing are faults."""
    pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if shutil.which("chromium") is None:
        pytest.skip("needs chromium")
    found = "".join(f'<li><a href="guide/{name}.html">x</a></li>' for name in ("hvsr", *"abcd"))
    head = '<!doctype html><link rel="icon" href="data:,">'
    (tmp_path / "search.html").write_text(f'{head}<ul class="search">{found}</ul>', encoding="utf-8")
    copies = "navigator.clipboard.writeText(this.nextElementSibling.innerText)"
    block = '<div class="highlight"><button class="copybtn" onclick="{}">c</button><pre>import obspy</pre></div>'
    (tmp_path / "quickstart.html").write_text(head + block.format(copies), encoding="utf-8")
    assert check_site.faults_in_browser(tmp_path, progress=lambda _: None) == []
    wide = '<div style="width: 900px">x</div><img src="data:image/png;base64,AA"><script>console.error("oh")</script>'
    (tmp_path / "index.html").write_text(head + wide, encoding="utf-8")
    (tmp_path / "quickstart.html").write_text(
        head + block.format("navigator.clipboard.writeText('y')"), encoding="utf-8"
    )
    faults = check_site.faults_in_browser(tmp_path, progress=lambda _: None)
    assert sum("px wide" in fault for fault in faults) == 1  # the phone
    for word in ("broken image", "): oh", "copied"):
        assert sum(word in fault for fault in faults) == 2, word
