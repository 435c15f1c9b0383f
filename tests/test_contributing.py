"""CONTRIBUTING.md is true: its examples work as written, its tables name what there is."""

import configparser
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SAMPLES = ROOT / "data_samples" / "network"


def _blocks(what):
    """Return the blocks of code below the heading of an example."""
    (section,) = re.findall(rf"^### … {what}\n(.*?)(?=^##)", TEXT + "\n##", re.M | re.S)
    return re.findall(r"^```(?:python|ini)\n(.*?)^```$", section, re.M | re.S)


@pytest.fixture
def copy(tmp_path):
    """A copy of the package to change, weights linked; and a function that runs code in it."""
    package = tmp_path / "obspy_tng"
    shutil.copytree(ROOT / "obspy_tng", package, ignore=shutil.ignore_patterns("weights", "__pycache__"))
    (package / "weights").symlink_to(ROOT / "obspy_tng" / "weights")
    return package


def _run(copy, code):
    """Run code in a new process that imports the copy; return what it prints."""
    env = {**os.environ, "PYTHONPATH": str(copy.parent), "OMP_NUM_THREADS": "1"}
    check = f"import obspy_tng; assert obspy_tng.__file__.startswith({str(copy)!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", check + code], cwd=copy.parent, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _append(path, text):
    path.write_text(path.read_text(encoding="utf-8") + "\n\n" + text, encoding="utf-8")


def _insert(path, after, text):
    """Put text behind the one place that reads `after`."""
    source = path.read_text(encoding="utf-8")
    assert source.count(after) == 1, f"{path.name}: {after!r} {source.count(after)} times"
    path.write_text(source.replace(after, after + text), encoding="utf-8")


def test_sampler_as_written(copy):
    """It is found by name, its records are of three parents in equal shares, and its own test holds."""
    sampler, test = _blocks("a sampler")
    _append(copy / "sampling.py", sampler)
    printed = _run(
        copy,
        "import numpy as np, pytest\nfrom obspy_tng import sampling\nimport obspy_tng as tng\n"
        f"{test}\ntest_thirds_keeps_the_variance()\n"
        "made = tng.generate('CI.CWC', sampler='thirds', seed=1)[0].stats.tng\n"
        "print(made.sampler, made.parent_weights)",
    )
    assert printed.split()[0] == "thirds" and printed.count("0.333") == 3


def test_measure_as_written(copy):
    """Tm of a sine is its period, and the table of an evaluation has the new line with a value."""
    function, features, scores = _blocks("a measure to the evaluation")
    _append(copy / "evaluation" / "intensity.py", function)
    field, line = features.split("    ...\n")
    _insert(copy / "evaluation" / "features.py", "    ln_hvsr: np.ndarray\n", field)
    _insert(copy / "evaluation" / "features.py", '        "ln_hvsr": curve.ln_hvsr,\n', line)
    measure, number = scores.split("...\n")
    _insert(
        copy / "evaluation" / "scores.py",
        "\nPOOL_MEASURES = (\n",
        f"    *{measure.splitlines()[0].split(chr(35))[0].rstrip()},\n",
    )
    place = '    out["σ lnPSA ratio"] = np.nanmean(sigma[_IN_BAND])\n'
    _insert(copy / "evaluation" / "scores.py", place, "    " + number)
    printed = _run(
        copy,
        "import numpy as np\nimport obspy_tng as tng\nfrom obspy_tng.evaluation.intensity import mean_period\n"
        "wave = np.sin(2 * np.pi * 2.5 * np.arange(6000) / 100)\n"
        "print(mean_period(np.stack([wave] * 3)[None], 100.0)[0])\n"
        "kw = dict(magnitude=4.5, distance_km=30.0, n=6, seed=1)\n"
        "soft, stiff = ((25, 200, 1.8, 0.02), (0, 800, 2.2, 0.01)), ((15, 360, 1.9, 0.02), (0, 1500, 2.2, 0.01))\n"
        "result = tng.evaluate(tng.simulate(soft, **kw), tng.simulate(stiff, **kw), c2st=False, n_splits=2)\n"
        "print(float(result.value.sel(ensemble='generated', measure='lnTm bias')))",
    )
    period_s, bias = map(float, printed.split())
    assert period_s == pytest.approx(0.4, rel=1e-3)
    assert -1.5 < bias < -0.1  # the stiff site shakes at shorter periods


def test_format_as_written(copy):
    """ObsPy detects and reads it, `records` makes m/s² of it, and a damaged file is told in one line."""
    module, entries = _blocks("a format")
    (copy / "io" / "demo.py").write_text(module, encoding="utf-8")
    _insert(copy / "assembly.py", "\n_CALIBRATED = (", '"demo", ')
    metadata = copy.parent / "demo_format-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: demo-format\nVersion: 1.0\n", encoding="utf-8")
    parser = configparser.ConfigParser(delimiters="=")
    parser.read_string("[x]\n" + entries)
    points = "".join(f"[{group}]{names}\n" for group, names in parser["x"].items())
    points = points.replace("obspy.plugin.waveform.demo", "obspy.plugin.waveform.DEMO")  # configparser lowers keys
    (metadata / "entry_points.txt").write_text(points, encoding="utf-8")
    for channel in ("HNE", "HNN", "HNZ"):
        (copy.parent / f"{channel}.demo").write_text(f"DEMO STA {channel} 100\n" + "5\n-20\n" * 1500, encoding="utf-8")
    (copy.parent / "bad.demo").write_text("DEMO STA\n1\n", encoding="utf-8")
    printed = _run(
        copy,
        "import obspy, obspy_tng as tng\nstream = obspy.read('HN?.demo')\n"
        "print(stream[0].stats._format, len(stream), obspy.read('HNE.demo', headonly=True)[0].stats.npts)\n"
        "record = tng.records(stream)[0]\nprint(abs(record.data).max(), record.units)\n"
        "try:\n    obspy.read('bad.demo')\nexcept tng.TNGError as err:\n    print(err)",
    )
    lines = printed.splitlines()
    assert lines[0] == "DEMO 3 3000" and lines[1] == "0.2 m/s2"
    assert lines[2] == "bad.demo: first line is b'DEMO STA'; expected DEMO STATION CHANNEL RATE"


def test_model_as_written(copy, corpus):
    """It trains, its loss falls, and a pool in its codes generates records."""
    network, training, tables = _blocks("a kind of model")
    (copy / "models" / "linear.py").write_text(network, encoding="utf-8")
    (copy / "training_linear.py").write_text(training, encoding="utf-8")
    kinds, models = tables.strip().splitlines()
    _append(copy / "training.py", kinds)
    _append(copy / "models" / "__init__.py", models)
    printed = _run(
        copy,
        "import csv, obspy_tng as tng\n"
        f"corpus = tng.Corpus({str(corpus.path)!r})\n"
        "model = tng.train(corpus, 'run', kind='linear', epochs=4, batch=8, threads=1, precision='fp32')\n"
        "losses = [float(row['valid_total']) for row in csv.DictReader(open('run/history.csv'))]\n"
        "records = corpus.records([i for i, c in enumerate(corpus.codes()) if c == 'XT.SOFT'])\n"
        "pool = tng.build_pool(records, model='run', kind='simulated')\n"
        "stream = tng.generate(pool=pool, model='run', n=2, seed=1)\n"
        "print(losses[-1] / losses[0], len(stream), stream[0].stats.npts, stream[0].stats.tng.model)",
    )
    ratio, traces, npts, name = printed.split()
    assert float(ratio) < 0.95 and (traces, npts, name) == ("6", "6000", "run")


def test_examples_are_short():
    """Each worked example is below 40 lines of code in a block."""
    for what in ("a sampler", "a kind of model", "a measure to the evaluation", "a format"):
        assert max(len(block.splitlines()) for block in _blocks(what)) < 40, what


def test_every_dependency_has_a_reason():
    """setup.cfg and the table name the same packages, with the extras they belong to."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")

    def names(text):
        return {re.split(r"[<>=!~ \[]", line.strip())[0] for line in text.splitlines() if line.strip()}

    required = names(parser["options"]["install_requires"])
    for extra in parser["options.extras_require"].values():
        required |= names(extra)
    section = TEXT.split("## Dependencies, each with its reason")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", section, re.M)[1:]
    listed = {name.strip() for row, _ in rows for name in re.sub(r"`\[\w+\]`", "", row).split(",")} - {"---"}
    assert {n.lower() for n in listed} == {n.lower() for n in required}
    assert all(len(reason.strip()) > 4 for _, reason in rows)


def test_every_room_is_on_the_map():
    """Each module of the package stands in the list of where things live."""
    house = TEXT.split("## Where things live")[1].split("## Dependencies")[0]
    words = set(re.findall(r"[a-z_0-9]+", house))
    words |= {"training_" + word for word in words}  # the list writes it once, then what follows
    package = ROOT / "obspy_tng"
    rooms = {p.stem for p in package.glob("*.py")} | {p.parent.name for p in package.glob("*/__init__.py")}
    assert rooms - {"__init__"} <= words


def test_picture_is_of_the_imports(tmp_path):
    """The picture of the rooms is what the imports draw today, and each box stands below what it imports."""
    house = runpy.run_path(str(ROOT / "docs" / "figures" / "house.py"))
    edges = house["graph"]()
    rows = house["levels"](edges)
    assert all(rows[other] < rows[title] for title, others in edges.items() for other in others)
    assert "records" in edges["site"] and "models" not in edges["evaluation"]
    drawn = (ROOT / "docs" / "_static" / "house.svg").read_text(encoding="utf-8")
    assert drawn == house["svg"](edges), "draw it anew: python docs/figures/house.py"


def test_templates_and_hooks_are_valid():
    """Issue forms have what GitHub asks for; hooks are local and need no network."""
    forms = [p for p in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if p.name != "config.yml"]
    assert len(forms) >= 3
    for path in forms:
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert form["name"] and form["description"] and form["body"]
        ids = [part["id"] for part in form["body"]]
        assert len(ids) == len(set(ids))
        assert all(part["attributes"]["label"] for part in form["body"])
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repo["repo"] for repo in hooks["repos"]] == ["local"]
    assert all(hook["language"] == "system" for hook in hooks["repos"][0]["hooks"])


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(name):
    """Each file that is linked to exists, and a heading behind # is one of it."""
    text = re.sub(r"^```.*?^```$", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.M | re.S)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        assert (ROOT / path).exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", (ROOT / path).read_text(encoding="utf-8"), re.M)
            slugs = {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}  # as GitHub does
            assert anchor in slugs, link
