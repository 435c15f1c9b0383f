"""The result as text and as plain types: every figure where it belongs."""

import json
import math

import numpy as np
import pytest
from test_report import made_result

from obspy_tng.evaluation.text import as_json, as_text

xr = pytest.importorskip("xarray")

HEAD = """\
2 station(s): CI.CWC, CI.WMF
against the pool: amplitude, duration, arrivals; against held-out events: site and f0

measure                        unit  ideal             generated [95 %]      real vs real            copy
— against the pool, floor: copy
lnPGA bias                       ln      0         0.100 [0.050, 0.150] =           0.150           0.200
σ lnPGA ratio                     1      1         0.400 [0.350, 0.450]             0.450           0.500
D5–95 ratio                       1      1         1.150 [1.100, 1.200]             1.200           1.250
W1 S−P                            s      0                     – [–, –]                 –               –
— against held-out events, floor: real vs real
|Δ lnHVSR|                       ln      0         0.080 [0.030, 0.130] =           0.130           0.180
W1 ln f0                         ln      0         0.300 [0.250, 0.350]             0.350           0.400

2 of 5 measures lie inside the floor (=): their mean over splits is no further from the ideal than 95 % of the floor's \
splits"""


@pytest.fixture
def result():
    """The table, and parts that were computed from known numbers."""
    made = made_result().isel(ensemble=[0, 1, 2])
    made["novelty"][:] = np.arange(12).reshape(2, 2, 3) * 4.5
    made["c2st_auc"][:] = np.arange(16).reshape(4, 4) / 100
    made["gmm_residual_mean"][:] = [[-0.123, 0.456], [1.5, 0]]
    return made


def test_table_line_by_line(result):
    """Columns of fixed width, one rule per side of the comparison, "=" for what lies inside the floor."""
    assert as_text(result).startswith(HEAD + "\n")


def test_parts_below_the_table(result):
    """Novelty, classifiers and residuals with their columns; remarks last."""
    lines = as_text(result).split("\n")[14:]
    assert lines[0] == "The alignment score saturates: real f0 would score 0.95."
    assert lines[1:5] == [
        "",
        "novelty: largest likeness of a record to any pool record (real vs real: to any other real one)",
        "correlation                             median                       p95      share above real p99",
        "  generated                              0.000                     4.500                     9.000",
    ]
    assert (
        lines[8] == "  copy                                    40.5                      45.0                      49.5"
    )
    assert lines[9:12] == [
        "",
        "C2ST, AUC (.5: nobody can tell)         real vs real         generated      mean of five    phase-shuffled",
        "  features                                     0.000             0.040             0.080             0.120",
    ]
    assert (
        lines[14].startswith("  group spectrum                               0.030")
        and lines[15] == "mean of five reaches 0.99"
    )
    assert lines[16:] == [
        "ln residuals to BSSA14, real: PGA -0.12 ± 0.31; PGV +0.46 ± 0.31",
        "ln residuals to BSSA14, generated: PGA +1.50 ± 0.31; PGV +0.00 ± 0.31",
        'note: no pool given & <nothing> "known"',
    ]


def test_parts_that_are_rarely_there(result):
    """Purity of codes, correlations, envelopes and pairs, a line each."""
    result.attrs |= {"latent_purity": 0.91, "latent_purity_chance": 1 / 6, "pair_set": "reconstructed", "n_pairs": 7}
    result["correlation_difference"] = xr.DataArray([0.1234, 0.5], {"pair": ["a – b", "c – d"]})
    result["mean_envelope_correlation"] = xr.DataArray(
        [[0.8, 0.9], [0.25, 0.75]], {"envelope_set": ["generated", "phase-shuffled"], "station": result.station}
    )
    result["pair_value"] = xr.DataArray([20.0, np.nan], {"pair_measure": ["SNR (dB)", "S (s)"]})
    lines = as_text(result).split("\n")
    assert lines[15] == "nearest-neighbour station purity of the latents 0.910, chance 0.167"
    assert lines[31:35] == [
        "",
        "inter-frequency correlation, mean |difference|: a – b 0.123; c – d 0.500",
        "mean envelope against that of the real records, correlation: generated 0.850; phase-shuffled 0.500",
        "reconstructed records against their originals, median of 7: SNR (dB) 20.0; S (s) –",
    ]


def test_parts_that_are_missing(result):
    """Without novelty, classifiers, residuals and remarks the text ends with the table."""
    names = ["novelty", "c2st_auc", "gmm_residual_mean"]
    bare = result.drop_vars(names)
    bare.attrs = {}
    assert as_text(bare) == HEAD


def test_json_holds_the_same(result):
    """Every number of the table by name, NaN as None, arrays by their labels, JSON attributes unpacked."""
    plain = as_json(result)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["stations"] == ["CI.CWC", "CI.WMF"] and plain["n_records"]["pool"] == {"CI.CWC": 20, "CI.WMF": 20}
    row = plain["measures"]["σ lnPGA ratio"]
    assert {k: row[k] for k in ("unit", "ideal", "against", "floor", "floor_limit", "inside_floor")} == {
        "unit": "1", "ideal": 1.0, "against": "pool", "floor": "copy", "floor_limit": 0.1, "inside_floor": False,
    }  # fmt: skip
    assert list(row["methods"]) == ["generated", "real vs real", "copy"]
    assert row["methods"]["copy"] == pytest.approx({"value": 0.5, "low": 0.45, "high": 0.55})
    expected = result.station_value.sel(ensemble="generated", measure="σ lnPGA ratio")
    assert row["stations"] == {str(s): float(v) for s, v in zip(result.station.values, expected, strict=True)}
    empty = plain["measures"]["W1 S−P"]
    assert empty["floor_limit"] is None and empty["methods"]["generated"] == dict.fromkeys(("value", "low", "high"))
    assert plain["measures"]["lnPGA bias"]["inside_floor"] is True
    assert plain["novelty"]["copy"]["correlation"]["p95"] == 31.5
    assert plain["c2st_auc"]["generated"]["network"] == 0.05
    assert plain["alignment_score"] == {"real, generated": {"distance": 0.95, "divergence": 0.91}}
    assert plain["saturation"] == {"oracle": 0.95, "collapsed": 0.91, "blind": 0.56}
    assert plain["settings"] == {"n_splits": 20, "seed": 3} and plain["skipped"]["real"] == [["bad<1>", "too short"]]
    assert plain["c2st_valid"] == 1 and plain["gmm"] == "BSSA14" and "pair_value" not in plain
    result.attrs["number"] = math.nan
    assert as_json(result)["number"] is None
