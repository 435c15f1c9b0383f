"""``obspy-tng hvsr`` as a user runs it: on the sample network, with every output and exit code."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from obspy_tng.cli.hvsr import hvsr

FLANK = 18  # frequencies in half an octave beyond either end of 0.5-20 Hz at 200 in the band
NETWORK = Path(__file__).parents[1] / "data_samples" / "network"
ARGUMENTS = [
    str(NETWORK), "--inventory", str(NETWORK / "stations.xml"), "--events", str(NETWORK / "events.xml"),
]  # fmt: skip


def run(*arguments):
    return CliRunner().invoke(hvsr, [str(a) for a in arguments])


def test_json_is_one_array_of_stations():
    """Stdout is one JSON array: SOFT 2 Hz, STIFF 6 Hz, TWO its lower peak (1.74 Hz), ROCK none and a
    reason.
    """
    result = run(*ARGUMENTS, "--json")
    assert result.exit_code == 0
    rows = {row["station"]: row for row in json.loads(result.stdout)}
    needed = {"station", "f0_hz", "f0_low_hz", "f0_high_hz", "a0", "n_records", "n_used", "reason"}
    assert all(needed <= set(row) for row in rows.values())
    # eight events: f0 of single events scatters by 3 %, the resampling interval is the honest width
    assert rows["XT.SOFT"]["f0_hz"] == pytest.approx(2.0, rel=0.12)
    assert rows["XT.STIFF"]["f0_hz"] == pytest.approx(6.0, rel=0.1)
    assert rows["XT.TWO"]["f0_hz"] == pytest.approx(1.74, rel=0.12)
    assert rows["XT.ROCK"]["f0_hz"] is None and "flat" in rows["XT.ROCK"]["reason"]
    assert rows["XT.SOFT"]["n_records"] == 8
    assert "skipped network/stations.xml" in result.stderr


def test_table_and_outputs(tmp_path):
    """The table names every station; .csv, .json, .nc and .png are written whole, with no leftovers."""
    import xarray as xr

    for name in ("r.csv", "r.json", "r.nc"):
        if name == "r.nc":
            pytest.importorskip("h5netcdf")
        result = run(*ARGUMENTS, "--out", tmp_path / name, "--plot", tmp_path / "f.png")
        assert result.exit_code == 0, result.output
        assert "XT.ROCK" in result.stdout and "flat" in result.stdout
    lines = (tmp_path / "r.csv").read_text().splitlines()
    assert lines[0] == "station,frequency_hz,hvsr,sigma_ln,n_valid" and len(lines) == 1 + 4 * (200 + 2 * FLANK)
    whole = json.loads((tmp_path / "r.json").read_text())
    assert len(whole[0]["hvsr"]) == len(whole[0]["frequency_hz"]) == 200 + 2 * FLANK
    with xr.open_dataset(tmp_path / "r.nc", engine="h5netcdf") as data:
        assert data.sizes["record"] == 32 and data.f0_hz.sizes == {"station": 4}
        assert json.loads(data.attrs["skipped"])
    assert (tmp_path / "f.png").read_bytes()[:4] == b"\x89PNG"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.png", "r.csv", "r.json", "r.nc"]


@pytest.mark.parametrize(
    "wrong",
    [["--out", "r.xlsx"], ["--plot", "f.gif"], ["--out", "nowhere/r.csv"], ["--band", "5", "1"],
     ["--window", "p"], ["--smoothing", "ko:x"],
     ["--horizontal", "up"], ["--snr", "-1"], ["--inventory", "absent.xml"]],
)  # fmt: skip
def test_usage_errors_come_first(wrong, monkeypatch):
    """A wrong option is a usage error (exit 2) before any file is read."""
    monkeypatch.setattr("obspy_tng.record.iter_records", lambda *_, **__: pytest.fail("work was started"))
    assert run(*ARGUMENTS, *wrong).exit_code == 2


def test_nothing_computed_is_one(tmp_path):
    """Only foreign files: exit 1, one error line, the file listed with its reason, an empty stdout."""
    (tmp_path / "notes.txt").write_text("no waveform here")
    result = run(tmp_path, "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "notes.txt" in result.stderr
    assert sum(line.startswith("Error") for line in result.stderr.splitlines()) == 1


def test_something_computed_is_zero(tmp_path):
    """One good file beside a foreign one: exit 0 and the foreign one listed."""
    shutil.copy(next(NETWORK.glob("*.mseed")), tmp_path)
    (tmp_path / "broken.mseed").write_bytes(b"\x00" * 600)
    result = run(tmp_path, "--json")
    assert result.exit_code == 0
    assert "broken.mseed" in result.stderr
    assert all(row["n_records"] == 1 for row in json.loads(result.stdout))


def test_missing_path_is_one_line():
    """A path that does not exist ends in one line and exit code 1, as the whole program is run."""
    done = subprocess.run(
        [sys.executable, "-m", "obspy_tng.cli", "hvsr", "absent.mseed"],
        capture_output=True,
        text=True,
        check=False,
    )
    if "No module named obspy_tng.cli.__main__" in done.stderr:
        code = "import sys; from obspy_tng.cli import main; sys.argv[1:] = ['hvsr', 'absent.mseed']; main()"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "absent.mseed" in done.stderr


def test_help_fits_80_columns():
    """Every help line fits a terminal of 80 columns and every option has a help text."""
    result = CliRunner().invoke(hvsr, ["--help"], terminal_width=80)
    assert max(map(len, result.output.splitlines())) <= 80
    assert all(p.help for p in hvsr.params if isinstance(p, click.Option))


def test_cold_imports():
    """One MiniSEED without inventory, events or figure imports no torch, scipy.signal or matplotlib."""
    code = (
        "import sys, click\n"
        "from click.testing import CliRunner\n"
        "from obspy_tng.cli.hvsr import hvsr\n"
        f"assert CliRunner().invoke(hvsr, [{str(next(NETWORK.glob('*.mseed')))!r}]).exit_code == 0\n"
        "print([m for m in ('torch', 'scipy.signal', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
