"""``obspy-tng evaluate`` as a user runs it: folders in, JSON, page and netCDF out, and what goes wrong on the way."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from obspy import Stream, UTCDateTime

import obspy_tng as tng
from obspy_tng.cli import group
from obspy_tng.evaluation import compare
from obspy_tng.simulation import Layer

xr = pytest.importorskip("xarray")

EVENTS = ((3.5, 15), (3.7, 40), (3.9, 20), (4.1, 35), (4.3, 25), (4.6, 30), (4.8, 18), (5.0, 28))  # magnitude, km
N_EVENTS = len(EVENTS)
SITES = {"SIMA": 2.0, "SIMB": 5.0}  # f0 in Hz
QUICK = ["--no-c2st", "--splits", "4", "--jobs", "2"]


def run(*args):
    """Run the command in this process."""
    return CliRunner().invoke(group, ["evaluate", *map(str, args)])


def parsed(text):
    """Return JSON, refusing NaN and Infinity, which are none."""
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in the JSON"))


def program(*args):
    """Run the whole program in a process of its own."""
    code = "import sys; from obspy_tng.cli import main; sys.argv = ['obspy-tng', 'evaluate', *sys.argv[1:]]; main()"
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", autouse=True)
def few_baselines():
    """Make six records of each naive baseline instead of fifty: files and exit codes are what is tested here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compare, "BASELINE_N", 6)
        yield


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Eight simulated earthquakes at two sites as MiniSEED, and records generated from them, MiniSEED and SAC."""
    root = tmp_path_factory.mktemp("evaluate")
    (root / "real").mkdir()
    items = []
    for i, (magnitude, distance_km) in enumerate(EVENTS):
        start = UTCDateTime(2021, 1, 1) + 3600 * i
        stream = Stream()
        for k, (station, f0_hz) in enumerate(SITES.items()):
            layers = (Layer(20.0, 80.0 * f0_hz, 1.8, 0.02), Layer(0.0, 400.0 * f0_hz, 2.2, 0.005))
            stream += tng.simulate(layers, magnitude, distance_km, station=station, seed=2 * i + k, starttime=start)
        items += tng.records(stream)
        stream.write(str(root / "real" / f"event{i}.mseed"), format="MSEED")
    for station in SITES:
        pool = tng.build_pool(items, station=f"XX.{station}", kind="simulated", about={"source": "test"})
        new = tng.generate(pool=pool, n=6, seed=1)
        tng.write(new, root / "generated" / f"{station}.mseed")
        tng.write(new, root / "sac" / station, format="SAC")
    return root


@pytest.fixture(scope="module")
def done(folders):
    """The command with everything it writes."""
    pytest.importorskip("matplotlib", reason="needs matplotlib")
    out = folders / "out"
    out.mkdir()
    args = [folders / "real", folders / "generated", "--report", out / "r.html", "--out", out / "r.nc", "--json"]
    return run(*args, *QUICK)


def test_json_page_and_netcdf(done, folders):
    """Exit 0; stdout is one JSON object; page and netCDF whole, nothing left beside; progress on stderr."""
    assert done.exit_code == 0, done.stderr
    plain = parsed(done.stdout)
    assert plain["stations"] == ["XX.SIMA", "XX.SIMB"]
    assert plain["n_records"]["real"] == {"XX.SIMA": N_EVENTS, "XX.SIMB": N_EVENTS}
    assert plain["n_records"]["generated"] == {"XX.SIMA": 6, "XX.SIMB": 6}
    assert plain["settings"]["n_splits"] == 4 and plain["settings"]["c2st"] is False
    row = plain["measures"]["lnPGA bias"]["methods"]
    assert row["generated"]["low"] <= row["generated"]["value"] <= row["generated"]["high"]
    assert {"copy", "real vs real", "mean of five", "phase-shuffled"} <= set(row)
    assert sorted(p.name for p in (folders / "out").iterdir()) == ["r.html", "r.nc"]
    assert (folders / "out" / "r.html").read_text().rstrip().endswith("</html>")
    for stage in ("reading: ", "measuring records: ", "comparing: 4 of 4"):
        assert stage in done.stderr


def test_netcdf_holds_the_same(done, folders):
    """The netCDF read back has the figures of the JSON."""
    with xr.open_dataset(folders / "out" / "r.nc", engine="h5netcdf") as data:
        value = float(data.value.sel(ensemble="generated", measure="lnPGA bias"))
        assert value == pytest.approx(parsed(done.stdout)["measures"]["lnPGA bias"]["methods"]["generated"]["value"])


def test_provenance_comes_from_the_sidecars(done, folders):
    """JSON and page say that the pools are simulated, and by which seed: StationXML beside the files told it."""
    made = parsed(done.stdout)["provenance"]
    assert {(m["station"], m["pool_kind"], m["seed"]) for m in made} == {(f"XX.{s}", "simulated", 1) for s in SITES}
    assert "Pool <b>simulated</b>" in (folders / "out" / "r.html").read_text()


def test_floats_are_taken_as_mps2_with_a_note(done):
    """MiniSEED of floats has no units: the real ones are noted; the generated have their sidecar and are not."""
    notes = [remark for remark in parsed(done.stdout)["remarks"] if "units" in remark]
    assert len(notes) == 1 and notes[0].startswith(f"real: units of {2 * N_EVENTS} records not known")


def test_sac_folders_give_the_same_table(done, folders):
    """The same records as folders of SAC files: every figure of the table agrees."""
    again = run(folders / "real", folders / "sac", "--json", *QUICK)
    assert again.exit_code == 0, again.stderr
    first, second = (parsed(result.stdout) for result in (done, again))
    assert second["measures"] == first["measures"] and second["novelty"] == first["novelty"]
    key = "station"
    assert sorted(second["provenance"], key=lambda m: m[key]) == sorted(first["provenance"], key=lambda m: m[key])


def test_what_cannot_be_used_is_listed_and_the_rest_computed(folders, tmp_path):
    """A broken file and records in counts among good ones: named on stderr, the others are in the table."""
    import obspy

    real = tmp_path / "real"
    shutil.copytree(folders / "real", real)
    (real / "broken.mseed").write_bytes(b"\x00" * 600)
    counts = obspy.read(str(real / "event7.mseed"))
    for trace in counts:
        trace.data = np.round(trace.data * 1e7).astype(np.int32)
    counts.write(str(real / "event7.mseed"), format="MSEED", encoding="STEIM2")
    result = run(real, folders / "generated", *QUICK)
    assert result.exit_code == 0, result.stderr
    skipped = [line for line in result.stderr.splitlines() if line.startswith("skipped (real)")]
    assert any("broken.mseed" in line for line in skipped)
    assert sum("counts?" in line and "give an inventory or units=" in line for line in skipped) == 2
    lines = result.stdout.splitlines()
    assert lines[0] == "2 station(s): XX.SIMA, XX.SIMB"
    assert any(line.startswith("lnPGA bias") for line in lines)
    assert f"note: real: units of {2 * N_EVENTS - 2} records not known" in result.stdout


def test_nothing_usable_is_one_line(folders, tmp_path):
    """Only counts: exit 1, nothing on stdout, one line that tells the remedy, no page."""
    import obspy

    counts = obspy.read(str(folders / "real" / "event0.mseed"))
    for trace in counts:
        trace.data = np.round(trace.data * 1e7).astype(np.int32)
    (tmp_path / "real").mkdir()
    counts.write(str(tmp_path / "real" / "a.mseed"), format="MSEED", encoding="STEIM2")
    ended = program(tmp_path / "real", folders / "generated", "--json", "--report", tmp_path / "r.html")
    assert ended.returncode == 1 and ended.stdout == ""
    errors = [line for line in ended.stderr.splitlines() if not line.startswith("reading")]
    assert len(errors) == 1 and errors[0].startswith("Error: real: no usable record, 2 skipped")
    assert "counts" in errors[0] and "inventory" in errors[0]
    assert not (tmp_path / "r.html").exists()


def test_no_common_station_is_one_line(folders, tmp_path):
    """Stations that do not meet: exit 1 and a line with both lists."""
    tng.write(tng.generate("CI.CWC", seed=1), tmp_path / "cwc.mseed")
    ended = program(folders / "real", tmp_path)
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("Error: no station in common: real XX.SIMA, XX.SIMB; generated CI.CWC; ")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "wrong",
    [["--report", "nowhere/r.html"], ["--report", "r.pdf"], ["--out", "nowhere/r.nc"], ["--out", "r.csv"],
     ["--splits", "1"], ["--units", "mg"], ["--inventory", "absent.xml"], ["--pool", "absent"],
     ["--jobs", "0"]],
)  # fmt: skip
def test_usage_errors_come_first(wrong, folders, monkeypatch):
    """A wrong option is a usage error (exit 2) before anything is read."""
    monkeypatch.setattr(tng, "evaluate", lambda *_, **__: pytest.fail("work was started"), raising=False)
    result = run(folders / "real", folders / "generated", *wrong)
    assert result.exit_code == 2 and "Error" in result.stderr


def test_missing_folder_is_a_usage_error(folders):
    """A folder that does not exist: exit 2, and its name."""
    result = run(folders / "real", "absent")
    assert result.exit_code == 2 and "absent" in result.stderr


def test_a_page_that_cannot_be_written_leaves_the_old_one(done, folders, tmp_path, monkeypatch):
    """A full disk at the last moment: the page of before stays, nothing half-written is beside it."""
    from obspy_tng.evaluation import report

    page = tmp_path / "r.html"
    page.write_text("the page of before")
    with xr.open_dataset(folders / "out" / "r.nc", engine="h5netcdf") as data:
        result = data.load()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tng, "evaluate", lambda *_, **__: result, raising=False)
    monkeypatch.setattr(report, "render", lambda _: "<p>the new page</p>")
    monkeypatch.setattr("os.replace", full)
    ended = run(folders / "real", folders / "generated", "--report", page)
    assert isinstance(ended.exception, OSError)  # main() makes a line and exit 1 of it
    assert page.read_text() == "the page of before"
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


def test_cold_import():
    """--help imports neither torch nor scipy, scikit-learn or matplotlib."""
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom obspy_tng.cli import group\n"
        "assert CliRunner().invoke(group, ['evaluate', '--help']).exit_code == 0\n"
        "print([m for m in ('torch', 'scipy', 'sklearn', 'matplotlib', 'obspy') if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
