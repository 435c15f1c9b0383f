"""Every script of examples/ runs, in a folder of its own, and finds what is true of the simulated records."""

import json
import runpy
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import obspy
import pytest
from matplotlib.figure import Figure

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted(p.name for p in (ROOT / "examples").glob("plot_*.py"))


def _read_formats(names):
    """The largest samples are those of truth.json, in m/s²."""
    truth = json.loads((ROOT / "data_samples" / "truth.json").read_text(encoding="utf-8"))
    for name in names["files"].values():
        trace = obspy.read(str(names["DATA"] / name), apply_calib=True)[0]
        assert np.abs(trace.data).max() == pytest.approx(truth[name]["pga_mps2"][trace.stats.component], rel=1e-4)
    assert [r.code.split(".")[-1] for r in names["records"]] == ["0099"]


def _f0(names):
    """f0 of three sites within 12 % of the truth, none on rock."""
    f0 = names["f0"].f0_hz.to_series()
    for code, truth_hz in {"XT.SOFT": 2.0, "XT.STIFF": 6.0, "XT.TWO": 1.74}.items():
        assert f0[code] == pytest.approx(truth_hz, rel=0.12)
    assert np.isnan(f0["XT.ROCK"])


def _f0_real(names):
    """The response is that of a seismometer: H/V does not know it, accelerations are of a small earthquake."""
    assert names["record"].code == "BW.RJOB"
    assert 1e-7 < np.abs(names["record"].data).max() < 1e-3
    assert names["curves"].sizes["record"] == 1


def _microtremor(names):
    """f0 lies between those of the two directions, and the three disturbed windows are left out."""
    assert 1.45 < names["f0"].f0_hz.item() < 1.85
    disturbed = {310 // 60, 905 // 60, 1500 // 60}
    assert disturbed <= set(np.flatnonzero(~names["curves"].accepted.values))
    along = names["curves"].f0_azimuth_hz.isel(station=0).values
    assert along[9] == pytest.approx(1.5, rel=0.06) and along[0] == pytest.approx(1.8, rel=0.06)


def _generate_sac(names):
    """SAC holds what the Stream holds; f0 of the records is the published one within 15 %."""
    assert len(names["files"]) == 3 * names["N"] + 1
    traces = [obspy.read(str(path))[0] for path in names["files"][:-1]]
    whole = {(t.id, t.data.tobytes()) for t in names["stream"]}
    assert {(t.id, t.data.astype(np.float32).tobytes()) for t in traces} == whole
    assert names["median_f0_hz"] == pytest.approx(2.6, rel=0.15)


def _own_pool(names):
    """Records and generated ones have their largest H/V near 2 Hz."""
    for dataset in names["curves"].values():
        curve = dataset.curve.isel(station=0)
        assert float(dataset.frequency[int(curve.values.argmax())]) == pytest.approx(2.0, rel=0.15)


def _site_from_hv(names):
    """Half of the records have their f0 within 10 % of the target, or nearly."""
    assert np.median(names["f0"]) == pytest.approx(3.0, rel=0.1)


def _evaluate(names):
    """Copies are known as copies, generated records are none."""
    novelty = names["novelty"].to_series()
    assert novelty["copy"] > 0.99 and novelty["generated"] < 0.7


def _energy_code(names):
    """Two realisations of a code share no waveform."""
    assert abs(np.corrcoef(names["again"][0, 0], names["again"][1, 0])[0, 1]) < 0.2
    assert names["mixture"].weights.sum() == pytest.approx(1)


def _train(names):
    """Both losses fall, and the station was not trained on."""
    first, *_, last = names["history"]
    assert last["train_total"] < first["train_total"] and last["valid_total"] < first["valid_total"]
    assert "XT.SOFT" not in names["model"].card["trained_stations"]
    assert len(names["stream"]) == 9


def _gmm_spectra(names):
    """PSA at the shortest period is PGA; medians are within a factor of 5 of the model's, neither being the other."""
    pga_g = np.abs(names["waves"][:, :2]).max(axis=(1, 2)) / 9.80665
    assert np.median(names["psa_g"][:, 0] / pga_g) == pytest.approx(1.0, abs=0.25)
    mean = names["residuals"]["psa_mps2"].mean(axis=0)
    assert np.isfinite(mean).all() and np.abs(mean).max() < np.log(5)


def _heggs_section(names):
    """Predicted onsets move out at crustal velocities, and most energy comes after the predicted S."""
    traces = names["section"].select(component="E")
    made = [t.stats.tng for t in traces]
    slowness = [np.polyfit(names["distances_km"], [getattr(m, key) for m in made], 1)[0] for key in ("p_s", "s_s")]
    assert 1 / 8 < slowness[0] < 1 / 4 and 1 / 4.5 < slowness[1] < 1 / 2.5  # s/km
    for trace, one in zip(traces, made, strict=True):
        energy = trace.data.astype(float) ** 2
        assert energy[trace.times() > one.s_s - 1].sum() > 0.5 * energy.sum()
    assert {r.event_id for r in names["real"]} == {names["held"]} and len(names["real"]) == 4


def test_there_is_a_check_for_each():
    """A new example needs a check here, and a check its example."""
    assert {f"plot{name}.py" for name in CHECKS} == set(SCRIPTS)


CHECKS = {
    f.__name__: f
    for f in (_read_formats, _f0, _f0_real, _microtremor, _generate_sac, _own_pool, _site_from_hv, _evaluate,
              _energy_code, _train, _gmm_spectra, _heggs_section)
}  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS)
def test_example(script, tmp_path, monkeypatch, capsys):
    """It runs as in a clone, finds what is true, and draws figures whose axes say what they show and in what."""
    (tmp_path / "examples").mkdir()
    (tmp_path / "data_samples").symlink_to(ROOT / "data_samples")
    path = tmp_path / "examples" / script
    path.write_bytes((ROOT / "examples" / script).read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = matplotlib.get_backend()
    plt.switch_backend("Agg")
    try:
        names = runpy.run_path(str(path), run_name="__main__")
        CHECKS[script.removeprefix("plot").removesuffix(".py")](names)
        figures = {id(v): v for v in names.values() if isinstance(v, Figure)}.values()
        assert figures, "no figure"
        for figure in figures:
            figure.draw_without_rendering()
            labels = " ".join(a.get_xlabel() + a.get_ylabel() for a in figure.axes)
            # the curve of a training is the one figure without a quantity
            assert any(unit in labels for unit in ("s)", "Hz)", "epoch")), f"axes without units: {labels!r}"
            assert any(a.lines or a.collections for a in figure.axes), "an empty figure"
    finally:
        plt.close("all")
        plt.switch_backend(before)
    assert capsys.readouterr().out.strip(), "it prints nothing"
