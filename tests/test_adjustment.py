"""Host-to-target adjustment: the filter, the curve reader, a target hit, what the shipped pools were made from."""

import ast
from pathlib import Path

import numpy as np
import pytest

import obspy_tng as tng
from obspy_tng.adjustment import apply_ratio, read_curve
from obspy_tng.errors import TNGError
from obspy_tng.pool import find_pool
from obspy_tng.site.curves import hvsr_array


def test_filter_multiplies_the_ratio_and_shifts_no_phase():
    """A constant r multiplies horizontals by sqrt(r), divides the vertical by it; a symmetric pulse stays symmetric."""
    t = np.arange(6000) - 3000
    pulse = np.exp(-((t / 40.0) ** 2)) * np.cos(2 * np.pi * t * 0.05)
    waves = np.broadcast_to(pulse, (2, 3, 6000)).copy()
    grid = np.geomspace(0.6, 40.0, 50)
    out = apply_ratio(waves, grid, np.full(50, np.log(4.0)))
    assert np.abs(out[0, 0] - 2 * pulse).max() < 0.02
    assert np.abs(out[0, 2] - pulse / 2).max() < 0.01
    assert np.abs(out[..., 1:] - out[..., :0:-1]).max() < 1e-9
    assert np.allclose(apply_ratio(waves, grid, np.zeros(50)), waves, atol=1e-12)


def test_curve_from_file_array_and_dataarray(tmp_path):
    """CSV with header, comma or blanks, unsorted, is the same curve as two arrays."""
    frequency, amplitude = np.geomspace(1, 20, 30), np.linspace(1, 3, 30)
    rows = list(zip(frequency, amplitude, strict=True))[::-1]
    path = tmp_path / "curve.csv"
    path.write_text("frequency_hz,hvsr\n# site A\n" + "\n".join(f"{f:.9g},{a:.9g}" for f, a in rows))
    for given in (path, str(path), (frequency, amplitude)):
        f, a = read_curve(given)
        assert f == pytest.approx(frequency)
        assert a == pytest.approx(amplitude)


def test_own_csv_is_accepted_and_bad_lines_are_named(tmp_path):
    """What `obspy-tng hvsr --out x.csv` wrote for one station is a curve; a bad line is quoted with its number."""
    head = "station,frequency_hz,hvsr,sigma_ln,n_valid\n"
    frequency, amplitude = np.geomspace(0.4, 25, 20), np.linspace(1, 4, 20)
    rows = [f"XX.A,{f:.9g},{a:.9g},0.3,8\n" for f, a in zip(frequency, amplitude, strict=True)]
    path = tmp_path / "own.csv"
    path.write_text(head + "".join(rows))
    assert read_curve(path)[1] == pytest.approx(amplitude)
    path.write_text(head + "".join(rows) + rows[0].replace("XX.A", "XX.B"))
    with pytest.raises(TNGError, match=r"XX\.A, XX\.B"):
        read_curve(path)
    for bad in ("5.0,nan", "5.0,-1", "5.0", "five,2"):
        path.write_text("1.0,2.0\n" + bad + "\n")
        with pytest.raises(TNGError, match="line 2"):
            read_curve(path)


@pytest.mark.parametrize(
    "curve",
    [([1, 2], [1, 2]), (np.geomspace(1, 20, 9), np.zeros(9)), (np.geomspace(1, 200, 9), np.ones(9)),
     (np.ones(9), np.ones(9)), (np.geomspace(1, 20, 9), np.full(9, np.nan))],
)  # fmt: skip
def test_unusable_curves_are_refused(curve):
    """Too few points, zeros, frequencies beyond 45 Hz, repeated, NaN: one clear error."""
    with pytest.raises(TNGError, match="Hz"):
        read_curve(curve)


def test_generated_records_have_the_target_curve():
    """From hosts of another f0 the median H/V of generated records comes within 10 % of a target peaked at 3 Hz."""
    frequency = np.geomspace(1, 20, 80)
    target = 1 + 3 * np.exp(-(np.log(frequency / 3.0) ** 2) / (2 * 0.2**2))
    hosts = [find_pool(code) for code in ("CI.ISA", "CI.WOR", "CI.MPM")]
    pool = tng.retarget((frequency, target), station="HERE", hosts=hosts, n_hosts=2)
    assert pool.kind == "adjusted"
    assert "adjusted" in pool.about["made_of"]
    assert pool.f0_hz == pytest.approx(3.0, rel=0.05)
    assert np.bincount(pool.groups).tolist() == [18, 18]  # of more, evenly
    known = {host.parents[i]: (host.latents[i], host.ln_sd[i]) for host in hosts for i in range(len(host))}
    for parent, *codes in zip(pool.parents, pool.latents, pool.ln_sd, strict=True):
        assert all(map(np.array_equal, codes, known[parent]))
    stream = tng.generate(pool=pool, n=60, seed=99)  # other realisations than those it was fitted on
    waves = np.array([t.data for t in stream], dtype=float).reshape(60, 3, -1)
    median = np.median(hvsr_array(waves, 100.0, frequency, compat="timesnet-gen"), axis=0)
    assert np.abs(np.log(median / target)).mean() < 0.1
    assert frequency[median.argmax()] == pytest.approx(3.0, rel=0.1)


def test_generate_from_a_curve_says_it_is_adjusted():
    """tng.generate(hvsr=...) needs no station and tells what it is."""
    frequency = np.geomspace(1, 20, 40)
    stream = tng.generate(hvsr=(frequency, 1 + 2 * np.exp(-(np.log(frequency / 5.0) ** 2) / 0.1)), n=1, seed=1)
    assert stream[0].id == "XX.SITE.00.HXE"
    assert stream[0].stats.tng.pool_kind == "adjusted"


def test_shipped_targets_read_the_median_curve_only(shared_data, monkeypatch):
    """Making an adjusted pool takes two arrays out of the reference file, frequency and median; never an f0 list."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    import make_default

    asked = []
    load = np.load

    class Spy:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            self.file.close()

        def __getitem__(self, key):
            asked.append(key)
            return self.file[key]

    monkeypatch.setattr(np, "load", lambda *a, **k: Spy(load(*a, **k)))
    for station in make_default.AFAD:
        frequency, median = make_default.target_curve(shared_data, station)
        assert frequency.shape == median.shape == (400,)
    assert set(asked) == {"hvsr_freq_real", "hvsr_median_real"}


def test_no_module_of_the_package_names_an_f0_list():
    """Neither the package nor the script that makes the default holds the name of the reference f0 arrays."""
    root = Path(__file__).parents[1]
    for path in [*(root / "obspy_tng").rglob("*.py"), root / "benchmarks" / "make_default.py"]:
        strings = {n.value for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Constant)}
        assert not {"f0_real", "f0_timesnet", "f0_vae", "pdf_real"} & {s for s in strings if isinstance(s, str)}, path
