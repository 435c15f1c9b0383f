"""What ``obspy-tng hvsr`` does when not all can be written or computed: nothing is lost, and the line says why."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from obspy import Stream, Trace

from obspy_tng.cli.hvsr import hvsr
from obspy_tng.cli.output import replace, write_netcdf
from obspy_tng.errors import TNGError


def run(*arguments):
    return CliRunner().invoke(hvsr, [str(a) for a in arguments])


def noise(station="MIC", rate_hz=50.0, length_s=600.0, seed=1):
    """Return integer noise of three components, the horizontals with a resonance at 2 Hz."""
    rng, n = np.random.default_rng(seed), round(length_s * rate_hz)
    frequency = np.fft.rfftfreq(n, 1 / rate_hz)
    gain = 1 + 4 * np.exp(-((np.log(np.maximum(frequency, 1e-3) / 2) / 0.2) ** 2))
    stream = Stream()
    for channel in ("HHE", "HHN", "HHZ"):
        data = np.fft.irfft(np.fft.rfft(rng.normal(size=n)) * (1 if channel == "HHZ" else gain), n)
        header = {"network": "XX", "station": station, "channel": channel, "sampling_rate": rate_hz}
        stream.append(Trace((1e4 * data).astype(np.int32), header))
    return stream


@pytest.fixture(scope="module")
def tremor(tmp_path_factory):
    """Return a file of 10 min of noise at 50 Hz."""
    path = tmp_path_factory.mktemp("tremor") / "tremor.mseed"
    noise().write(str(path), format="MSEED")
    return path


LIMITED = """
import resource, signal, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
from obspy_tng.cli import main
sys.argv = ["obspy-tng", "hvsr", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("name", ["a.nc", "a.csv"])
def test_full_disk(tremor, tmp_path, name):
    """No room: one line with the name the user gave, exit 1, no leftovers, and the answer on stdout all the same."""
    command = [sys.executable, "-c", LIMITED, tremor, "--window", "sliding:60", "--json", "--out", tmp_path / name]
    # a process whose coverage is measured would fail to write that, and say so
    env = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 1  # HDF5 itself: -11, a segmentation fault at exit
    assert done.stderr.splitlines() == [f"Error: {tmp_path / name} cannot be written: File too large"]
    assert json.loads(done.stdout)[0]["f0_hz"] == pytest.approx(2.0, rel=0.1)
    assert not list(tmp_path.iterdir())


def test_netcdf_is_what_xarray_writes(tmp_path):
    """Made in memory, the file reads back as the Dataset that xarray itself would write."""
    numbers = np.array([[1.5, np.nan], [3.0, 4.0]])
    data = xr.Dataset(
        {"a": (("x", "y"), numbers), "b": ("x", [True, False]), "c": ("y", ["p", "qq"])},
        {"x": [5, 6]},
        {"list": ["u", "v"], "number": 2.5},
    )
    write_netcdf(tmp_path / "ours.nc", data)
    data.to_netcdf(tmp_path / "theirs.nc", engine="h5netcdf")
    ours, theirs = (xr.load_dataset(tmp_path / f"{n}.nc", engine="h5netcdf") for n in ("ours", "theirs"))
    assert ours.identical(theirs)


def test_replace_names_the_file_of_the_user(tmp_path):
    """A folder that is not there: the message has the user's path, not that of the temporary file."""
    target = tmp_path / "absent" / "a.csv"
    with pytest.raises(TNGError, match=f"^{target} cannot be written: No such file or directory$"):
        replace(target, lambda path: Path(path).write_text("x"))


def test_hv_of_a_station_without_a_curve(tmp_path):
    """A station of 1 Hz has no curve to write: a line, and the other station's file and the table all the same."""
    noise().write(str(tmp_path / "good.mseed"), format="MSEED")
    noise("SLOW", 1.0).write(str(tmp_path / "slow.mseed"), format="MSEED")
    (tmp_path / "out").mkdir()
    result = run(tmp_path, "--window", "sliding:60", "--out", tmp_path / "out" / "o.hv")
    assert result.exit_code == 0
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["o.XX.MIC.hv"]
    assert f"wrote {tmp_path}/out/o.XX.MIC.hv" in result.stderr
    (line,) = [text for text in result.stderr.splitlines() if "o.XX.SLOW.hv" in text]
    assert line.startswith("skipped") and "have a value" in line
    assert "XX.MIC" in result.stdout and "XX.SLOW" in result.stdout


def test_no_value_at_all_is_one(tremor):
    """A band above the Nyquist frequency: the table says so and the exit code is 1."""
    result = run(tremor, "--window", "sliding:60", "--band", 30, 60)
    assert result.exit_code == 1
    assert "lies above the Nyquist frequency, 25 Hz" in result.stdout
    assert [text for text in result.stderr.splitlines() if text.startswith("Error")] == [
        "Error: no station has a value of H/V; the remarks tell why"
    ]
