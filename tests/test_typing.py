"""Type hints of public names: complete, the stub is the package, and a user's script passes mypy --strict."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import obspy_tng as tng

PACKAGE = Path(tng.__file__).parent
SETTINGS = """[mypy]
strict = True
follow_imports = silent
[mypy-obspy.*,h5py.*,scipy.*,sklearn.*,pygmm.*,torch.*,safetensors.*,matplotlib.*,click.*,threadpoolctl.*,distributed.*]
ignore_missing_imports = True
follow_imports = skip
"""
PASSES = '''"""A user's script, which a type checker accepts."""
import numpy as np
import obspy
import xarray as xr

import obspy_tng as tng


def f0_of(path: str) -> dict[str, float]:
    curves: xr.Dataset = tng.hvsr(obspy.read(path), window=20.0, band_hz=(0.5, 20.0), reject="cox:2")
    f0 = tng.pick_f0(tng.reject(curves, "zscore:3"))
    print(tng.sesame(curves, f0).verdict, tng.hvsr(np.zeros((3, 3000)), sampling_rate_hz=100.0))
    return {str(k): float(v) for k, v in zip(f0.station.values, f0.f0_hz.values, strict=True)}


def main() -> None:
    tng.show_versions()
    records = tng.read_records("waveforms", inventory="stations.xml", events="events.xml")
    distances: list[float] = [record.distance_km for record in records]
    reasons: list[str] = [skipped.reason for skipped in records.skipped]
    print(distances, reasons, records[0].data.shape, tng.records(records[0].stream())[0].id)
    corpus, _ = tng.build_corpus(["a", "b"], "corpus")
    model = tng.train(corpus, "run", kind="spectral", epochs=2, progress=print)
    pool = tng.build_pool(records, model=model, station="XX.A", about={"source": "mine"})
    print(pool.save("XX.A.h5"), len(pool), tng.load_model("run").name, sorted(tng.list_models()))
    new = tng.generate(pool=pool, n=3, seed=1, magnitude=4.5, distance_km=30.0)
    new += tng.generate("XX.B", event=(36.0, -117.5, 8.0, 4.5), coordinates=(36.1, -117.0), model=model)
    new += tng.generate(pool=tng.retarget(([0.5, 1.0], [1.0, 2.0]), station="B", hosts=[pool]))
    new += tng.simulate(((25.0, 200.0, 1.8, 0.02), (0.0, 800.0, 2.2, 0.005)), magnitude=4.0, seed=1)
    print(tng.generate_corpus(["XX.A", "XX.B"], 100, "many", pool=pool, seed=1).name)
    for path in tng.write(new, "sac"):
        print(path.name)
    print(tng.inventory(new), tng.stations().sizes["station"])
    page = tng.report(tng.evaluate(records, new, pool=records, c2st=False), "report.html")
    print(page.suffix, tng.__version__)


try:
    main()
except tng.TNGError as err:
    print(err)
'''
FAILS = """import obspy_tng as tng

tng.hvsr("a", n_frequency="3")  # E: arg-type
tng.generate("0205", n="20")  # E: arg-type
tng.generate("0205", 1, seeds=2)  # E: call-arg
tng.nothing  # E: attr-defined
x: int = tng.records  # E: assignment
tng.read_records("a")[0].f0_hz  # E: attr-defined
tng.train("corpus", "run", epochs=None)  # E: arg-type
tng.write(tng.simulate(), 3)  # E: arg-type
"""


def _public():
    """Yield (name, function) of public functions and of the public methods of public classes."""
    for name in tng.__all__:
        value = getattr(tng, name)
        if inspect.isclass(value):
            for key, method in vars(value).items():
                method = getattr(method, "fget", None) or getattr(method, "__func__", method)
                if inspect.isfunction(method) and (not key.startswith("_") or key in ("__init__", "__len__")):
                    yield f"{name}.{key}", method
        elif callable(value):
            yield name, value


@pytest.mark.parametrize(("name", "function"), list(_public()), ids=lambda x: x if isinstance(x, str) else "")
def test_signatures_are_annotated(name, function):
    """Every parameter and what is returned has a type."""
    signature = inspect.signature(function)
    bare = [p.name for p in signature.parameters.values() if p.annotation is p.empty and p.name not in ("self", "cls")]
    assert not bare, f"{name}: no type of {', '.join(bare)}"
    assert signature.return_annotation is not signature.empty, f"{name}: no type of what it returns"


def test_stub_is_the_package():
    """The stub re-exports each public name from the module the package takes it from, and no other."""
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    stub = {a.asname: node.module for node in tree.body if isinstance(node, ast.ImportFrom) for a in node.names}
    assert stub == {name: f"obspy_tng.{module}" for name, module in tng._PUBLIC.items()}
    assert (PACKAGE / "py.typed").is_file()


def test_hints_cost_nothing():
    """Nothing imports the shared types at run time, and type checkers apart nobody names them."""
    code = "import sys, obspy_tng as t; [getattr(t, n) for n in t.__all__]; sys.exit('obspy_tng.hints' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0


def test_mypy_strict(tmp_path):
    """mypy --strict accepts a script that uses every public function, and finds each mistake of another."""
    pytest.importorskip("mypy", reason="needs mypy, extra [dev]")
    (tmp_path / "mypy.ini").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "passes.py").write_text(PASSES, encoding="utf-8")
    (tmp_path / "fails.py").write_text(FAILS, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--no-error-summary", "passes.py", "fails.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env={"MYPYPATH": str(PACKAGE.parent), "PATH": ""}, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    found = {(line.split(":")[0], int(line.split(":")[1]), line.rsplit("[", 1)[-1][:-1])
             for line in done.stdout.splitlines() if ": error:" in line}  # fmt: skip
    wanted = {("fails.py", n, line.split("# E: ")[1]) for n, line in enumerate(FAILS.splitlines(), 1) if "# E" in line}
    assert found == wanted, done.stdout + done.stderr


def test_the_script_uses_every_public_function():
    """A name that is added to the package is added to the script above."""
    used = {n.attr for n in ast.walk(ast.parse(PASSES)) if isinstance(n, ast.Attribute)}
    assert {name for name in tng.__all__ if not inspect.isclass(getattr(tng, name))} <= used
