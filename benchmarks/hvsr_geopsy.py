"""How near ``--compat geopsy`` is to Geopsy's own results: ``obspy-tng hvsr`` with the settings of each .log.

    python benchmarks/hvsr_geopsy.py --data ../shared/data

Thirteen results of one recording of 30 minutes (hvsr/geopsy): 30 windows of 60 s, and single windows with other
lengths, tapers, bandwidths, numbers of frequencies and azimuths.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from obspy_tng.cli.hvsr import hvsr
from obspy_tng.site import hv_file

SETTINGS = {  # of the .log beside each reference
    "UT_STN11_c050": "--window 60",
    "UT_STN11_c50_single_a": "--max-windows 1 --window 60",
    "UT_STN11_c50_single_b": "--max-windows 1 --window 120",
    "UT_STN11_c50_single_c": "--max-windows 1 --window 60 --smoothing ko:10",
    "UT_STN11_c50_single_d": "--max-windows 1 --window 60 --smoothing ko:80",
    "UT_STN11_c50_single_e": "--max-windows 1 --window 60 --taper 0.2",
    "UT_STN11_c50_single_f": "--max-windows 1 --window 60 --taper 0.0002",
    "UT_STN11_c50_single_g": "--max-windows 1 --window 60 --nf 512",
    "UT_STN11_c50_single_h": "--max-windows 1 --window 60 --nf 4096",
    "UT_STN11_c50_single_m": "--max-windows 1 --window 60 --horizontal azimuth:0",
    "UT_STN11_c50_single_n": "--max-windows 1 --window 60 --horizontal azimuth:30",
    "UT_STN11_c50_single_o": "--max-windows 1 --window 60 --horizontal azimuth:90",
    "UT_STN11_c50_single_p": "--max-windows 1 --window 60 --horizontal azimuth:150",
}


def compare(ours: hv_file.HVFile, theirs: hv_file.HVFile) -> str:
    """Return one line: relative differences of the average, of sigma, and whether what is printed of f0 agrees."""
    average = np.abs(ours.average / theirs.average - 1)
    sigma = np.abs(ours.sigma_ln - theirs.sigma_ln).max()
    same = "same" if ours.average.argmax() == theirs.average.argmax() else "OTHER"
    line = f"{average.max():9.1e}{np.median(average):9.1e}{sigma:9.1e}  {same:8}"
    if theirs.f0_windows_hz is None:
        return line + "-"
    f0 = np.max(np.abs(np.divide(ours.f0_windows_hz, theirs.f0_windows_hz) - 1))
    return line + f"f0 {f0:.1e}, amplitude {abs(ours.peak_amplitude / theirs.peak_amplitude - 1):.1e}"


def main():
    """Print a line per reference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    folder = parser.parse_args().data / "hvsr" / "geopsy"
    if not folder.is_dir():
        print(f"{folder} is absent: nothing to compare with")
        return
    print(f"{'':24}{'largest':>9}{'median':>9}{'sigma':>9}  peak bin  from windows")
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "o.hv"
        for name, result, reference in results(folder, out):
            print(f"{name:24}{compare(result, reference)}")


def results(folder: Path, out: Path, names=tuple(SETTINGS)):
    """Yield (name, our result, Geopsy's) of the references in `folder`; ours is written to `out` on the way."""
    for name in names:
        given = [str(folder / "UT.STN11.A2_C50.miniseed"), "--compat", "geopsy", *SETTINGS[name].split()]
        result = CliRunner().invoke(hvsr, [*given, "--out", str(out)])
        if result.exit_code:
            raise SystemExit(f"{name}: {result.output}")
        yield name, hv_file.read(out), hv_file.read(folder / f"{name}.hv")


if __name__ == "__main__":
    main()
