"""``obspy-tng hvsr`` as a user runs it: on the sample network, with every output and exit code."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from obspy import Stream, Trace, read

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
    needed |= {"n_windows", "n_rejected", "sesame", "peaks", "support", "sigma_ln", "windows", "skipped"}
    assert all(needed <= set(row) for row in rows.values())
    # eight events: f0 of single events scatters by 3 %, the resampling interval is the honest width
    assert rows["XT.SOFT"]["f0_hz"] == pytest.approx(2.0, rel=0.12)
    assert rows["XT.STIFF"]["f0_hz"] == pytest.approx(6.0, rel=0.1)
    assert rows["XT.TWO"]["f0_hz"] == pytest.approx(1.74, rel=0.12)
    assert rows["XT.STIFF"]["sesame"].startswith("111/1")
    assert rows["XT.TWO"]["peaks"][0]["frequency_hz"] > rows["XT.TWO"]["f0_hz"]
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
     ["--horizontal", "up"], ["--snr", "-1"], ["--inventory", "absent.xml"], ["--overlap", "0.5"], ["--overlap", "1"],
     ["--window", "sliding:0"], ["--taper", "0.6"], ["--nf", "1"], ["--max-windows", "0"], ["--azimuths", "0"],
     ["--azimuths", "10", "--compat", "geopsy"], ["--reject", "cox:x"], ["--reject", "nothing"], ["--jobs", "0"],
     ["--mask", "absent.csv"], ["--compat", "none"]],
)  # fmt: skip
def test_usage_errors_come_first(wrong, monkeypatch):
    """A wrong option is a usage error (exit 2) before any file is read."""
    monkeypatch.setattr("obspy_tng.site.hvsr.map_parts", lambda *_, **__: pytest.fail("work was started"))
    assert run(*ARGUMENTS, *wrong).exit_code == 2


def test_nothing_computed_is_one(tmp_path):
    """Only foreign files: exit 1, one error line, the file listed with its reason, an empty JSON array."""
    (tmp_path / "notes.txt").write_text("no waveform here")
    result = run(tmp_path, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == []
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
    """One MiniSEED without inventory, events or figure imports no torch, scipy.signal, matplotlib or xarray."""
    code = (
        "import sys, click\n"
        "from click.testing import CliRunner\n"
        "from obspy_tng.cli.hvsr import hvsr\n"
        f"assert CliRunner().invoke(hvsr, [{str(next(NETWORK.glob('*.mseed')))!r}]).exit_code == 0\n"
        "print([m for m in ('torch', 'scipy.signal', 'matplotlib', 'xarray', 'dask') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def tremor(tmp_path_factory):
    """Return a file of 20 min of noise, the horizontals with a resonance at 2 Hz; one minute has a spike."""
    rng = np.random.default_rng(1)
    rate, n = 50.0, 60_000
    frequency = np.fft.rfftfreq(n, 1 / rate)
    gain = 1 + 4 * np.exp(-((np.log(np.maximum(frequency, 1e-3) / 2) / 0.2) ** 2))
    stream = Stream()
    for channel in ("HHE", "HHN", "HHZ"):
        data = rng.normal(size=n)
        if channel != "HHZ":
            data = np.fft.irfft(np.fft.rfft(data) * gain, n)
        data[30_500:30_600] *= 40
        header = {"network": "XX", "station": "MIC", "channel": channel, "sampling_rate": rate}
        stream.append(Trace((1e4 * data).astype(np.int32), header))
    path = tmp_path_factory.mktemp("tremor") / "tremor.mseed"
    stream.write(str(path), format="MSEED")
    return path


def test_microtremor(tremor, tmp_path):
    """Sliding windows tell the resonance; two processes write the same bytes; without them the user is told so."""
    result = run(tremor, "--window", "sliding:60", "--json", "--out", tmp_path / "one.csv")
    (row,) = json.loads(result.stdout)
    assert row["f0_hz"] == pytest.approx(2.0, rel=0.05)
    assert (row["n_windows"], row["n_records"], row["windows"]) == (20, 1, {"sliding": 20})
    assert run(tremor, "--window", "sliding:60", "--jobs", 2, "--out", tmp_path / "two.csv").exit_code == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert "--window sliding:60" in run(tremor).stderr


def workers(pid):
    """Return the processes that a process has started to work for it."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(OSError):  # it has ended
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the workers")
def test_killed_worker(tmp_path):
    """Kill -9 of a worker with work in hand: exit 0, nothing skipped, and the bytes of an undisturbed run."""
    for k in range(3):
        rows = np.random.default_rng(k).normal(0, 1e4, (3, 30_000)).astype(np.int32)
        header = {"network": "XX", "station": f"M{k}", "sampling_rate": 50.0}
        whole = Stream([Trace(row, {**header, "channel": f"HH{c}"}) for row, c in zip(rows, "ENZ", strict=True)])
        whole.write(str(tmp_path / f"{k}.mseed"), format="MSEED")
    files = [str(path) for path in sorted(tmp_path.iterdir())]
    assert run(*files, "--window", "sliding:60", "--out", tmp_path / "one.csv").exit_code == 0
    command = [sys.executable, "-m", "obspy_tng.cli", "hvsr", *files, "--window", "sliding:60", "--jobs", "2"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*command, "--out", tmp_path / "two.csv"], **quiet)
    while not (found := workers(process.pid)):  # as soon as there is one: it still imports, pieces are given out
        assert process.poll() is None, process.stderr.read()
    os.kill(found[0], signal.SIGKILL)
    stderr = process.communicate(timeout=60)[1]
    assert process.returncode == 0 and stderr == f"wrote {tmp_path / 'two.csv'}\n"
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_rejection_and_mask(tremor, tmp_path):
    """The minute with the spike is rejected by STA/LTA; its mask, written and read again, gives the same curve."""
    mask = tmp_path / "mask.csv"
    rule = ["--reject", "sta-lta:0.1:4", "--mask-out", mask]
    result = run(tremor, "--window", "sliding:60", *rule, "--json", "--out", tmp_path / "a.csv")
    assert json.loads(result.stdout)[0]["n_rejected"] == 1
    assert "#10,sta-lta" in mask.read_text()
    again = run(tremor, "--window", "sliding:60", "--mask", mask, "--out", tmp_path / "b.csv")
    assert "19/20" in again.stdout
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_azimuths_are_written(tremor, tmp_path):
    """--azimuths puts curves, weighted statistics and f0 of every azimuth in the netCDF; here all are alike."""
    xr = pytest.importorskip("xarray")
    path = tmp_path / "a.nc"
    assert run(tremor, "--window", "sliding:60", "--azimuths", 45, "--out", path).exit_code == 0
    with xr.open_dataset(path, engine="h5netcdf") as data:
        assert data.azimuth.values.tolist() == [0, 45, 90, 135]
        assert data.curve_azimuth.sizes == {"station": 1, "azimuth": 4, "frequency": data.sizes["frequency"]}
        assert np.log(data.f0_azimuth_hz / 2).values == pytest.approx(np.zeros((1, 4)), abs=0.1)
        assert float(data.f0_all_azimuths_hz[0]) == pytest.approx(2.0, rel=0.1)
        logs = np.log(data.curve_azimuth.values)
        np.testing.assert_allclose(np.log(data.curve_all_azimuths.values), logs.mean(axis=1), rtol=1e-6)


def test_geopsy_file_of_several_stations(tmp_path):
    """--out NAME.hv of several stations is a file each, which reads back with Geopsy's names of columns."""
    from obspy_tng.site import hv_file

    result = run(*ARGUMENTS, "--compat", "geopsy", "--window", 20, "--nf", 64, "--out", tmp_path / "o.hv")
    assert result.exit_code == 0, result.output
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == ["o.XT.ROCK.hv", "o.XT.SOFT.hv", "o.XT.STIFF.hv", "o.XT.TWO.hv"]
    assert all(f"wrote {tmp_path / name}" in result.stderr for name in names)
    assert "# Frequency\tAverage\tMin\tMax" in (tmp_path / names[0]).read_text()
    assert hv_file.read(tmp_path / names[0]).frequency_hz.size == 64


@pytest.mark.parametrize("window", [60, 59.99])
@pytest.mark.parametrize(
    ("reference", "options"),
    [
        ("UT_STN11_c050", []),
        ("UT_STN11_c50_single_c", ["--max-windows", 1, "--smoothing", "ko:10"]),
        ("UT_STN11_c50_single_e", ["--max-windows", 1, "--taper", 0.2]),
        ("UT_STN11_c50_single_g", ["--max-windows", 1, "--nf", 512]),
        ("UT_STN11_c50_single_n", ["--max-windows", 1, "--horizontal", "azimuth:30"]),
    ],
)
def test_geopsy_references(shared_data, tmp_path, reference, options, window):
    """Geopsy's own files, the window given as set or as its log tells it: average and limits within 2e-5, f0 and its
    interval to the last digit printed.
    """
    from obspy_tng.site import hv_file

    folder = shared_data / "hvsr" / "geopsy"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/hvsr/geopsy (absent)")
    out = tmp_path / "o.hv"
    source = folder / "UT.STN11.A2_C50.miniseed"
    assert run(source, "--window", window, "--compat", "geopsy", *options, "--out", out).exit_code == 0
    ours, theirs = hv_file.read(out), hv_file.read(folder / f"{reference}.hv")
    for name in ("average", "minimum", "maximum"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=2e-5)
    assert ours.f0_windows_hz == theirs.f0_windows_hz
    assert np.argmax(ours.average) == np.argmax(theirs.average)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda s: s[2].data.fill(0), "dead component"),
        (lambda s: s.pop(0), "not a triple"),
        (lambda s: s.trim(endtime=s[0].stats.starttime + 3), "3.0 s"),
        (lambda s: setattr(s[1].stats, "sampling_rate", 50.0), "sampling rate: 50, 100 Hz"),
        (lambda s: setattr(s[1], "data", np.where(np.arange(s[1].stats.npts) == 9, np.nan, s[1].data)), "NaN"),
    ],
)
def test_one_line_for_each_bad_file(tmp_path, spoil, reason):
    """A bad file alone ends with 1 and its line; beside a good one with 0, the same line, and the good one's row."""
    good = read(str(next(NETWORK.glob("*.mseed"))))
    good = good.select(station=good[0].stats.station)
    bad = good.copy()
    spoil(bad)
    for trace in bad:
        trace.stats.station, trace.data = "BAD", trace.data.astype(np.float64)
        trace.stats.pop("mseed", None)
    bad.write(str(tmp_path / "bad.mseed"), format="MSEED")
    alone = run(tmp_path / "bad.mseed", "--window", "full")
    assert (alone.exit_code, alone.stdout) == (1, "")
    (line,) = [text for text in alone.stderr.splitlines() if text.startswith("skipped")]
    assert "BAD" in line and reason in line
    good.write(str(tmp_path / "good.mseed"), format="MSEED")
    both = run(tmp_path, "--window", "full")
    assert both.exit_code == 0 and line in both.stderr.replace(f"{tmp_path.name}/", "")
    assert good[0].stats.station in both.stdout
