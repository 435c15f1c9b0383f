"""Tables of the report: cells, classes and words."""

import re

import numpy as np
import pytest
from test_report import made_result

from obspy_tng.evaluation import tables

xr = pytest.importorskip("xarray")


def rows(page):
    """Return the cells of a table's rows as text, the head first; entities and tags taken out."""
    found = re.findall(r"<tr.*?</tr>", page)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in found]
    return [[re.sub(r"<[^>]+>", "", c).replace("&nbsp;", " ").replace("&#x27;", "'") for c in row] for row in cells]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "", "0.00"),
        (0.1, "", "0.10"), (0.0996, "", "0.100"), (-0.05, "ln", "−0.050&nbsp;ln"), (9.994, "1", "9.99"),
        (10, "s", "10.0&nbsp;s"), (99.94, "", "99.9"), (100, "", "100"), (-1234.5, "%", "−1234&nbsp;%"),
        (np.nan, "s", "–"), (np.inf, "", "–"), (1, "<m>", "1.00&nbsp;&lt;m&gt;"),
    ],
)  # fmt: skip
def test_numbers_have_the_digits_they_deserve(value, unit, text):
    """Three digits, a true minus sign, a space that does not break."""
    assert tables.number(value, unit) == text


def test_html_cell_by_cell():
    """Heads, a heading across, classes, labels for cards; a dash is marked as blank."""
    page = tables.html(
        ["a", "b<br>c", "d"], ["group", ["x", "1", ("2", "made")], ["y", "–", ("–", "floor")]], "cap", kind="wide"
    )
    assert page == (
        '<p class="caption">cap</p><div class="scroll"><table class="wide">\n'
        '<thead><tr><th scope="col">a</th><th scope="col">b<br>c</th><th scope="col">d</th></tr></thead><tbody>\n'
        '<tr class="group"><th colspan="3" scope="colgroup">group</th></tr>\n'
        '<tr><th scope="row">x</th><td class="" data-label="b">1</td><td class="made" data-label="d">2</td></tr>\n'
        '<tr><th scope="row">y</th><td class="blank" data-label="b">–</td><td class="floor blank" data-label="d">–</td>'
        "</tr>\n</tbody></table></div>"
    )
    with pytest.raises(ValueError, match="longer"):
        tables.html(["a", "b"], [["only one"]], "")


def test_main_table():
    """A group's heading once, value with its interval, verdict, floor; the floor's own column is marked."""
    result = made_result()
    page = tables.measures(result)
    head, *body = rows(page)
    assert head[:4] == ["measure", "ideal", "generated95 % interval", "verdict"]
    assert head[4:] == ["floor95 % within ideal ±", "real vs real", "copy", "mean of five", "phase-shuffled"]
    assert [r[0] for r in body if len(r) == 1] == [
        "Amplitude and duration, against the pool's own records", "Arrivals, against the pool's own records",
        "Site, against events the generator did not have", "f0, against events the generator did not have",
    ]  # fmt: skip
    numbers = {r[0]: r[1:] for r in body if len(r) > 1}
    assert numbers["lnPGA bias (ln)"] == [
        "0.00", "0.10 0.050 … 0.15", "✓ inside the floor", "± 0.20", "0.15", "0.20 floor", "0.25", "0.30",
    ]  # fmt: skip
    assert numbers["σ lnPGA ratio"][2:6] == ["✗ 6.00 × floor", "± 0.10", "0.45", "0.50 floor"]
    assert numbers["W1 S−P (s)"] == ["0.00", "–", "not measured", "–", "–", "–", "–", "–"]
    assert numbers["|Δ lnHVSR| (ln)"][3:6] == ["± 0.090", "0.13 floor", "0.18"]
    assert len(numbers) == 6 and 'class="cards two"' in page
    assert page.count('class="inside"') == 2 and page.count('class="outside"') == 3 and page.count('class="made"') == 6


@pytest.mark.parametrize(
    ("value", "split", "limit", "inside", "said"),
    [
        (0.3, 0.3, 0.1, False, ("✗ 3.00 × floor", "outside")),
        (0.3, 0.05, 0.1, True, ("✓ inside the floor", "inside")),
        (0.3, 0.3, 0.0, False, ("✗ outside the floor", "outside")),
        (0.3, 0.3, np.nan, False, ("no floor", "text")),
        (0.3, np.nan, 0.1, False, ("not measured", "text")),
    ],
)
def test_verdict_goes_by_the_mean_over_splits(value, split, limit, inside, said):
    """Distance of the split mean from the ideal, over the floor's limit; the value alone where there are no splits."""
    known = {"ideal": 0.0, "floor_limit": limit, "inside_floor": inside}
    values = {"value": ("ensemble", [value]), "split_mean": ("ensemble", [split])}
    one = xr.Dataset(values | known, {"ensemble": ["generated"]})
    assert tables.verdict(one) == said
    assert tables.judged(one.drop_vars("split_mean")) == value
    assert tables.excess(one.assign(ideal=1.0))[0] == pytest.approx(1 - split, nan_ok=True)


def test_stations_novelty_and_nearest():
    """Counts per set and station; shares in per cent; the likest five first, NaN last."""
    result = made_result()
    result["n_records"][:] = [[20, 21], [30, 31], [40, 41]]
    result["station_value"][:] = 0.5
    head, *body = rows(tables.stations(result))
    assert head == ["station", "realrecords", "poolrecords", "generatedrecords", "|Δ lnHVSR|", "W1 ln f0", "lnPGA bias",
                    "σ lnPGA ratio", "D5–95 ratio", "W1 S−P"]  # fmt: skip
    assert body[1] == ["CI.WMF", "21", "41", "31", *["0.50"] * 6] and len(body) == 2
    result["novelty"][:] = np.array([0.2, 0.3, 0.5])
    result["novelty"][1, 0] = np.nan
    head, *body = rows(tables.novelty(result))
    assert head == ["records", "median", "p95", "share above real p99"]
    assert body == [["highest correlation"], ["generated", "0.20", "0.30", "50.0 %"], ["highest power correlation"],
                    ["generated", "0.20", "0.30", "50.0 %"], ["copy", "0.20", "0.30", "50.0 %"]]  # fmt: skip
    values = np.linspace(0.1, 0.49, 40)
    values[[3, 8]] = 0.77, np.nan
    result["novelty_record"][:, 0] = values
    head, *body = rows(tables.nearest(result))
    assert head == ["pool record", "generated for", "highest correlation"]
    assert body == [
        ["parent 3", "CI.CWC", "0.77"],
        *([f"parent {i}", "CI.CWC", f"{values[i]:.2f}"] for i in (39, 38, 37, 36)),
    ]
    assert "The 5 generated records" in tables.nearest(result)
    both = result.assign_coords(
        novelty_nearest=(("novelty_row", "likeness"), [[f"first {i}", f"second {i}"] for i in range(40)])
    )
    assert rows(tables.nearest(both, 2))[1][0] == "first 3" and len(rows(tables.nearest(both, 2))) == 3


def test_classifiers_arrays_and_residuals():
    """AUC with its range, groups apart from classifiers; one and two dimensions; mean ± sd."""
    result = made_result()
    result["c2st_auc"][1, 2] = np.nan
    result["c2st_low"][1, 1] = np.nan
    head, *body = rows(tables.classifiers(result))
    assert head == ["told from real records by", "real vs real", "generated", "mean of five", "phase-shuffled"]
    assert [r[0] for r in body] == [
        "classifiers", "features", "network", "counts: the largest mean",
        "one group of features alone: what gives a set away", "spectrum",
    ]  # fmt: skip
    assert body[1][1] == "0.99 0.90 … 0.99" and body[2][2] == "0.99" and body[3][2] == "–"
    assert rows(tables.simple(result.saturation, "c", "f0")) == [
        ["f0", "value"], ["real f0 of the station, drawn again", "0.95"],
        ["the station's median f0 every time", "0.91"], ["f0 of any station at random", "0.56"],
    ]  # fmt: skip
    assert rows(tables.simple(result.alignment_score, "c", "sets")) == [
        ["sets", "1 − JS distance (authors' form)", "1 − true JSD"],
        ["real, generated", "0.95", "0.91"],
    ]
    assert 'class="wide"' in tables.simple(result.saturation, "c", "f0")
    result["gmm_residual_mean"][1] = np.nan
    result["gmm_residual_sd"][0] = [0.5, 0.25]
    assert rows(tables.residuals(result)) == [["records", "PGA", "PGV"], ["real", "0.31 ± 0.50", "0.31 ± 0.25"]]
