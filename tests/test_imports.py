"""The import order of the rooms, read from the source, and what start-up may load."""

import ast
import resource
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "obspy_tng"

# Room -> rooms of the package that it may import, at module level or inside a function.
# A room is a file at the top, or a folder. Whoever widens a line says in the commit why.
ALLOWED = {
    "__init__": set(),  # names modules in a table, imports none
    "errors": set(),
    "hints": {"models", "pool", "record"},  # types for checkers: any room may name them, none imports them at run time
    "io": {"errors"},
    "writing": {"errors"},  # files whole or not at all
    "simulation": {"errors"},
    "response": {"errors"},
    "events": {"errors"},
    "grouping": set(),
    "assembly": {"errors", "grouping", "response"},
    "record": {"errors", "assembly", "events", "grouping", "io"},
    "pieces": {"errors", "grouping", "io", "record"},
    "crew": set(),
    "archive": {"crew", "errors", "events", "grouping", "io", "pieces", "record"},
    "site": {"errors", "archive", "record", "events", "writing"},  # archive: the same work on this machine or a cluster
    "corpus_table": {"errors"},
    "corpus": {"corpus_table", "errors", "assembly", "io", "record", "writing"},
    "preprocessing": {"errors", "record"},
    "spectrogram": set(),
    "conditions": {"errors", "events", "preprocessing"},
    "origin_spectrogram": {"conditions", "preprocessing"},
    # preprocessing, spectrogram, conditions, origin_spectrogram: a model's numbers are of windows they describe
    "models": {
        "errors",
        "preprocessing",
        "spectral",
        "spectral_coherency",
        "spectral_extra",
        "spectral_missed",
        "spectral_noise",
        "spectral_first",
        "spectral_hum",
        "spectral_own",
        "spectral_p",
        "spectral_rough",
        "spectral_synthesis",
        "spectrogram",
        "conditions",
        "origin_spectrogram",
        "writing",
    },
    "checkpoint": {"errors", "models"},
    "training_team": {"errors"},  # processes that train together
    "training_store": {"errors", "preprocessing"},
    "training_loop": {"errors", "models", "checkpoint", "training_team"},
    "training": {
        "errors",
        "corpus",
        "models",
        "checkpoint",
        "training_loop",
        "training_store",
        "training_team",
    },  # kinds by name
    "training_waveform": {"errors", "training_store", "assembly", "preprocessing", "models", "training_team"},
    "training_cvae": {"errors", "preprocessing", "models", "spectrogram", "training_team", "training_waveform"},
    "training_spectral": {
        "errors",
        "calibration",
        "training_store",
        "models",
        "preprocessing",
        "spectral",
        "spectral_extra",
        "training_team",
    },
    "training_heggs": {"errors", "conditions", "event_scatter", "models", "origin_spectrogram", "training_team"},
    "pool_check": {"errors"},
    "pool": {"errors", "io", "models", "pool_check", "site", "writing"},
    "pool_build": {"calibration_site", "errors", "models", "pool", "preprocessing", "record", "site"},
    "sampling": {"errors"},
    "spectral_onset": {"preprocessing"},
    "spectral_extra": {"preprocessing", "spectral_onset"},
    "spectral": {"errors", "preprocessing", "spectral_extra", "spectral_onset"},
    "spectral_coherency": {"spectral", "spectral_extra"},
    "spectral_missed": {"spectral"},
    "spectral_own": {"spectral", "spectral_extra", "spectral_missed"},
    "spectral_noise": {"preprocessing", "spectral", "spectral_coherency", "spectral_extra"},
    "spectral_envelopes": {"preprocessing", "spectral", "spectral_extra", "spectral_noise"},
    "spectral_first": {"preprocessing", "spectral", "spectral_extra", "spectral_noise"},
    "spectral_hum": {"preprocessing", "spectral_extra"},
    "spectral_p": {"preprocessing", "spectral_extra", "spectral_first", "spectral_noise"},
    "spectral_rough": {"preprocessing", "spectral_extra"},
    "spectral_synthesis": {
        "preprocessing",
        "spectral",
        "spectral_coherency",
        "spectral_envelopes",
        "spectral_extra",
        "spectral_first",
        "spectral_hum",
        "spectral_noise",
        "spectral_p",
        "spectral_rough",
    },
    "calibration": {
        "calibration_coherence",
        "models",
        "sampling",
        "preprocessing",
        "spectral",
        "spectral_coherency",
        "spectral_extra",
        "spectral_missed",
        "spectral_onset",
        "spectral_own",
    },
    "calibration_coherence": {"preprocessing", "spectral", "spectral_coherency", "spectral_extra"},
    "calibration_site": {
        "calibration",
        "calibration_coherence",
        "models",
        "preprocessing",
        "spectral",
        "spectral_coherency",
        "spectral_first",
        "spectral_hum",
        "spectral_missed",
        "spectral_own",
        "spectral_p",
        "spectral_rough",
    },
    "provenance": {"errors", "writing", "__init__"},  # __version__
    "adjustment": {"errors", "pool", "pool_check", "preprocessing", "site", "synthesis"},
    "scaling": {"errors"},
    "event_scatter": {"errors", "conditions", "preprocessing"},
    "event_synthesis": {
        "errors",
        "assembly",
        "conditions",
        "event_scatter",
        "events",
        "models",
        "origin_spectrogram",
        "preprocessing",
        "provenance",
        "record",
        "sampling",
    },
    "synthesis": {
        "errors",
        "assembly",
        "adjustment",
        "event_synthesis",
        "models",
        "pool",
        "preprocessing",
        "provenance",
        "sampling",
        "scaling",
    },
    "corpus_synthesis": {
        "errors",
        "__init__",  # __version__
        "corpus",
        "pool",
        "preprocessing",
        "provenance",
        "record",
        "sampling",
        "scaling",
        "site",
        "spectral",
        "spectral_extra",
        "synthesis",
        "writing",
    },
    "plotting_panels": set(),
    "plotting_overview": {"errors", "plotting_panels", "site"},
    "plotting_section": {"errors", "events"},
    "plotting_site": {"errors", "plotting_overview", "plotting_panels"},
    "plotting": {"errors", "plotting_panels", "plotting_site", "site"},
    # judges Streams of any origin: knows no model, pool or sampler
    # archive, corpus: records of many files, measured on one machine or a cluster
    "evaluation": {"archive", "corpus", "errors", "__init__", "events", "record", "preprocessing", "site", "writing"},
}
# adjustment measures its hosts by generating from them; one of the two imports is inside a function
CYCLES = {frozenset({"adjustment", "synthesis"})}
TORCH = {  # nothing else imports torch itself
    "models",
    "checkpoint",
    "training",
    "training_loop",
    "training_team",
    "training_waveform",
    "training_cvae",
    "training_spectral",
    "training_heggs",
    "evaluation",
}
OUTSIDE = {
    "io": {"numpy", "obspy", "scipy.io", "h5py"},
    "site": {"numpy", "obspy", "scipy.fft", "scipy.sparse", "xarray"},
    "simulation": {"numpy", "obspy"},
    "record": {"numpy", "obspy"},
    "errors": set(),
}


def room(path):
    """Return the room of a source file."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def imports(path):
    """Yield (dotted name, whether it stands at module level) of every import in a source file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        or (isinstance(function, ast.If) and ast.unparse(function.test) == "TYPE_CHECKING")  # never at run time
        for node in ast.walk(function)
    }
    package = ("obspy_tng", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(tree):
        top = id(node) not in inside
        if isinstance(node, ast.Import):
            yield from ((alias.name, top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from obspy_tng import sampling` names the room only in the alias
            if module == "obspy_tng":
                yield from ((f"obspy_tng.{alias.name}", top) for alias in node.names)
            else:
                yield from ((f"{module}.{alias.name}", top) for alias in node.names)


def own(name):
    """Return the room that an import names, None when it is not of this package."""
    parts = name.split(".")
    if parts[0] != "obspy_tng":
        return None
    known = len(parts) > 1 and ((PACKAGE / f"{parts[1]}.py").exists() or (PACKAGE / parts[1]).is_dir())
    return parts[1] if known else "__init__"


SOURCES = sorted(p for p in PACKAGE.rglob("*.py"))


def test_every_room_has_a_line():
    """A new module needs a place in the order before it is merged; a line without a module is stale."""
    rooms = {room(path) for path in SOURCES} - {"cli"}
    assert rooms == set(ALLOWED)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_import_order(path):
    """Each module imports only the rooms its line allows; the command line is imported by nobody."""
    here = room(path)
    used = {own(name) for name, _ in imports(path)} - {None, here}
    if here == "cli":
        return
    assert "cli" not in used
    used -= {"hints"}  # under TYPE_CHECKING only, see test_hints_cost_nothing
    assert used <= ALLOWED[here], f"{here} imports {sorted(used - ALLOWED[here])}"


def test_table_has_no_cycle():
    """The allowed imports themselves form an order, but for the one pair stated."""

    def reach(start, now, seen):
        for other in ALLOWED[now] - {now}:
            if frozenset({now, other}) in CYCLES or other in seen:
                continue
            assert other != start, f"{start} imports itself by way of {now}"
            seen.add(other)
            reach(start, other, seen)

    for name in ALLOWED:
        reach(name, name, set())


def test_site_and_io_know_no_models():
    """HVSR and the readers work without any of the generating rooms, in the table and by it."""
    generating = {
        "models",
        "checkpoint",
        "training",
        "pool",
        "sampling",
        "synthesis",
        "event_synthesis",
        "adjustment",
        "provenance",
    }
    for name in (
        "io",
        "site",
        "record",
        "grouping",
        "assembly",
        "response",
        "events",
        "corpus",
        "preprocessing",
        "simulation",
    ):
        assert not ALLOWED[name] & generating, name


@pytest.mark.parametrize("name", sorted(OUTSIDE))
def test_packages_from_outside(name):
    """Light rooms import numpy and ObsPy, and the heavy rest only as stated."""
    found = set()
    for path in (p for p in SOURCES if room(p) == name):
        for module, _ in imports(path):
            parts = module.split(".")
            if parts[0] not in sys.stdlib_module_names and parts[0] != "obspy_tng":
                found.add(".".join(parts[:2]) if parts[0] == "scipy" else parts[0])
    assert found <= OUTSIDE[name]


def test_heavy_packages_are_imported_late():
    """torch only in its own rooms; scipy.signal, xarray, matplotlib, h5py at no module's top level."""
    for path in SOURCES:
        for name, top in imports(path):
            first, two = name.split(".")[0], ".".join(name.split(".")[:2])
            where = f"{path.relative_to(PACKAGE)} imports {name}"
            assert first != "torch" or room(path) in TORCH, where
            assert not top or first not in ("xarray", "matplotlib", "pandas", "safetensors", "h5py"), where
            assert not top or two not in ("scipy.signal", "scipy.io", "scipy.sparse", "scipy.stats"), where
            assert not top or first != "torch" or room(path) in TORCH, where


# --- start-up


def loaded(code):
    """Return the names in sys.modules after code ran in a fresh Python, and its own output."""
    tail = "\nimport sys\nprint('MODULES', *sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True)
    *output, last = done.stdout.splitlines()
    return set(last.split()[1:]), "\n".join(output)


def test_import_loads_nothing():
    """`import obspy_tng` brings neither numpy nor ObsPy, nor anything of the package but itself."""
    modules, _ = loaded("import obspy_tng")
    heavy = {"numpy", "obspy", "torch", "scipy", "xarray", "matplotlib", "click", "h5py", "pandas"}
    assert not modules & heavy
    assert {name for name in modules if name.startswith("obspy_tng")} == {"obspy_tng"}


def test_help_loads_little():
    """`obspy-tng --help` lists all commands without torch, scipy, xarray, ObsPy or a command's module."""
    modules, output = loaded(
        "from click.testing import CliRunner\nfrom obspy_tng.cli import group\n"
        "result = CliRunner().invoke(group, ['--help'])\nassert result.exit_code == 0\nprint(result.output)"
    )
    assert not modules & {"torch", "scipy", "xarray", "obspy", "numpy", "h5py", "matplotlib"}
    assert not {name for name in modules if name.startswith("obspy_tng.cli.")}
    for command in ("hvsr", "generate", "stations", "pool", "corpus", "train", "info"):
        assert f"\n  {command} " in output


@pytest.mark.parametrize("command", ["hvsr", "generate", "stations", "pool", "corpus", "train", "info"])
def test_help_of_commands_loads_little(command):
    """The help of a command needs no torch, scipy.signal, xarray or ObsPy."""
    modules, output = loaded(
        "from click.testing import CliRunner\nfrom obspy_tng.cli import group\n"
        f"result = CliRunner().invoke(group, ['{command}', '--help'])\nassert result.exit_code == 0\n"
        "print(result.output)"
    )
    assert "Usage" in output
    assert not modules & {"torch", "scipy.signal", "xarray", "obspy", "h5py", "matplotlib"}


@pytest.mark.parametrize("name", ["dyna", "nsmn", "at2"])
def test_detectors_are_light(name):
    """ObsPy imports these for every file it does not recognise: no torch, no scipy.signal, and no other room."""
    modules, _ = loaded(f"import obspy_tng.io.{name}")
    assert not modules & {"torch", "scipy.signal", "xarray", "h5py", "matplotlib.pyplot", "pandas"}
    ours = {name for name in modules if name.startswith("obspy_tng.")}
    assert ours <= {"obspy_tng.errors", "obspy_tng.io", "obspy_tng.io._text", f"obspy_tng.io.{name}"}


@pytest.mark.parametrize(
    "name", ["record", "corpus", "site.hvsr", "site.f0", "sampling", "simulation", "pool", "synthesis"]
)
def test_rooms_without_torch(name):
    """Records, HVSR, corpora, pools and the door of generate are at hand without torch, scipy.signal or xarray."""
    modules, _ = loaded(f"import obspy_tng.{name}")
    assert not modules & {"torch", "scipy.signal", "xarray", "matplotlib.pyplot"}


def test_public_names_resolve():
    """Every public name is found where the table says, and dir() and a wrong name behave as of a module."""
    import obspy_tng

    for name in obspy_tng.__all__:
        assert getattr(obspy_tng, name) is not None
    assert set(dir(obspy_tng)) >= {"generate", "hvsr", "records", "simulate", "write"}
    with pytest.raises(AttributeError, match="nonsense"):
        obspy_tng.nonsense  # noqa: B018


def test_import_takes_no_time():
    """`import obspy_tng` costs at most 0.05 s over plain Python, the best of five fresh starts."""
    code = "import time; a = time.process_time(); import obspy_tng; print(time.process_time() - a)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(5)]
    assert min(float(run.stdout) for run in runs) <= 0.05


def test_help_takes_little_time():
    """`obspy-tng --help` ≤ 0.15 s of the processor over plain Python, the best of five."""

    def used():
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        return spent.ru_utime + spent.ru_stime

    def seconds(code):  # of the processor: a busy machine is no slow import
        begin = used()
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        return used() - begin

    help_ = "import sys; sys.argv = ['obspy-tng', '--help']; from obspy_tng.cli import main; main()"
    assert min(seconds(help_) for _ in range(5)) - min(seconds("pass") for _ in range(5)) <= 0.15
