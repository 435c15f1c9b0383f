"""What an ObsPy user expects: read, print, write, plot and scan know our formats; generated Streams are Streams."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import obspy
import pytest

import obspy_tng as tng

SAMPLES = Path(__file__).parents[1] / "data_samples"
DYNA = "20210214030714_0099_mp_RawAcc_E.asc"


@pytest.fixture(scope="module")
def generated():
    """Two generated records."""
    return tng.generate("CI.CWC", n=2, seed=1)


def _obspy(command, *args, folder):
    """Run one of ObsPy's command lines with this interpreter; return what it prints."""
    code = f"from obspy.{command} import main; main()"
    env = {**os.environ, "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *args], cwd=folder, env=env, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_read_detects():
    """``obspy.read`` finds the format by itself; a whole folder of three formats is one Stream."""
    assert obspy.read(SAMPLES / DYNA)[0].stats._format == "DYNA"
    stream = (
        obspy.read(str(SAMPLES / "*.asc")) + obspy.read(str(SAMPLES / "*.AT2")) + obspy.read(str(SAMPLES / "*.txt"))
    )
    assert {t.stats._format for t in stream} == {"DYNA", "AT2", "NSMN"} and len(stream) == 9


def test_obspy_print(tmp_path):
    """``obspy-print`` prints the traces of our formats."""
    printed = _obspy(
        "scripts.print", str(SAMPLES / DYNA), str(SAMPLES / "RSN99004_SIMULATED_TNG4-UP.AT2"), folder=tmp_path
    )
    assert "2 Trace(s) in Stream" in printed and "0099" in printed
    assert "100.0 Hz" in printed


def test_obspy_plot(tmp_path):
    """``obspy-plot`` draws them."""
    _obspy("imaging.scripts.plot", str(SAMPLES / DYNA), "-o", "record.png", folder=tmp_path)
    assert (tmp_path / "record.png").read_bytes().startswith(b"\x89PNG")


def test_obspy_scan(tmp_path):
    """``obspy-scan`` finds them in a folder and tells which spans they cover."""
    for path in SAMPLES.glob("*.asc"):
        shutil.copy(path, tmp_path)
    _obspy("imaging.scripts.scan", ".", "-o", "scan.png", "-w", "scan.npz", folder=tmp_path)
    with np.load(tmp_path / "scan.npz") as found:
        ids = {key.removesuffix("_SAMP") for key in found if key.endswith("_SAMP")}
    assert ids == {trace.id for trace in obspy.read(str(tmp_path / "*.asc"))} and len(ids) == 3
    assert (tmp_path / "scan.png").read_bytes().startswith(b"\x89PNG")


def test_write_at2(tmp_path, generated):
    """``Trace.write`` knows AT2 by its suffix, and what is read again is what was written, in g."""
    trace = generated[0]
    trace.write(str(tmp_path / "x.at2"), format="AT2")
    generated[:1].write(str(tmp_path / "y.AT2"))  # by the suffix
    for name in ("x.at2", "y.AT2"):
        back = obspy.read(str(tmp_path / name), apply_calib=True)[0]
        assert back.stats._format == "AT2" and back.stats.npts == trace.stats.npts
        np.testing.assert_allclose(back.data, trace.data, atol=2e-6 * np.abs(trace.data).max())


def test_hvsr_of_a_stream():
    """``tng.hvsr`` takes what ``obspy.read`` gives, and leaves it as it is."""
    stream = obspy.read(str(SAMPLES / "network" / "20210304T021130.mseed"))
    before = stream.copy()
    curves = tng.hvsr(stream)
    assert list(curves.station.values) == ["XT.ROCK", "XT.SOFT", "XT.STIFF", "XT.TWO"]
    assert stream == before


def test_generated_is_a_stream(tmp_path, generated):
    """select, filter, slice, plot and write of a generated Stream are ObsPy's own."""
    assert type(generated) is obspy.Stream and len(generated.select(component="Z")) == 2
    low = generated.copy().filter("lowpass", freq=1.0)
    assert 0 < low[0].data.std() < generated[0].data.std()
    start = generated[0].stats.starttime
    assert generated.slice(start + 10, start + 20)[0].stats.npts == 1001
    generated.plot(outfile=str(tmp_path / "stream.png"), size=(600, 300))
    generated[:1].plot(type="relative", outfile=str(tmp_path / "trace.png"))
    for name in ("stream.png", "trace.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    generated.write(str(tmp_path / "x.mseed"))
    back = obspy.read(str(tmp_path / "x.mseed"))
    assert [t.id for t in back] == [t.id for t in generated]
    assert all(np.array_equal(a.data, b.data) for a, b in zip(back, generated, strict=True))


def test_inventory_of_generated(generated):
    """Its inventory names each channel and goes through StationXML."""
    inventory = tng.inventory(generated)
    assert isinstance(inventory, obspy.Inventory)
    assert set(inventory.get_contents()["channels"]) == {t.id for t in generated}
