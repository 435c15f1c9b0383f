"""The page's parts: which figures and tables stand where, and what is said when something is missing."""

import json
import re

import numpy as np
import pytest
from test_report import Page, made_result

from obspy_tng.evaluation import drawing, figures, figures_overall, report
from obspy_tng.evaluation.report import render

xr = pytest.importorskip("xarray")
pytest.importorskip("matplotlib")


@pytest.fixture
def drawn(monkeypatch):
    """Nothing is drawn, which takes seconds; returns what would be: names of figures and what they were given."""
    found = []

    def stand_in(name):
        return lambda *given: found.append((name, given)) or name

    for module, names in (
        (figures, ("waveform", "hvsr", "f0_histogram", "fourier", "response")),
        (figures_overall, ("confusion", "bias", "correlation", "novelty")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, stand_in(name))
    monkeypatch.setattr(drawing, "png", lambda figure: (figure.encode(), 364, 282))
    return found


def alts(page):
    """Return the words of all images."""
    return [attrs["alt"] for tag, attrs in Page(page).tags if tag == "img"]


def plain(page):
    """Return the text of the page, white space normalised."""
    return re.sub(r"\s+", " ", " ".join(Page(page).text))


def test_head_counts_and_anchors(drawn):
    """Title, stations and records; every entry of the menu leads to its heading."""
    page = render(made_result())
    assert "<h1>Generated strong motion beside recorded: 2 stations</h1>" in page
    assert "<p>Stations CI.CWC, CI.WMF. Records: 40 real, 40 generated, 40 pool.</p>" in page
    menu = re.findall(r'<a href="#(\w+)">([^<]+)</a>', page)
    assert menu == re.findall(r'<h2 id="(\w+)">([^<]+)</h2>', page) and len(menu) == len(report.SECTIONS)
    assert [name for _, name in menu] == [name for name, _ in report.SECTIONS]
    one = render(made_result(("CI.CWC",)))
    assert "beside recorded: CI.CWC</h1>" in one and "<p>Station CI.CWC. Records: 20 real" in one


def test_figures_of_a_station_in_three_columns(drawn):
    """Real, generated, site in turns; spectra last; two stations, one after the other."""
    page = render(made_result())
    start = page.index("<details open><summary>CI.CWC ")
    of_first = alts(page[start : page.index("<summary>CI.WMF")].rsplit("<details", 1)[0])
    words = ("CI.CWC, real record record 0", "CI.CWC, generated record record 2", "CI.CWC: H/V spectral ratio",
             "CI.CWC, real record record 1", "CI.CWC, generated record record 3", "CI.CWC: histogram of f0",
             "CI.CWC: median horizontal Fourier", "CI.CWC: median vertical Fourier",
             "CI.CWC: median response")  # fmt: skip
    assert len(of_first) == len(words)
    assert all(alt.startswith(word) for alt, word in zip(of_first, words, strict=True))
    assert "<figcaption>generated: record 2</figcaption>" in page
    assert [a[1:] for name, a in drawn if name == "fourier"][:2] == [("CI.CWC", False), ("CI.CWC", True)]
    assert page.count('<figure class="site">') == 4 and page.count('<figure class="spectra">') == 6


def test_pairs_of_waveforms_share_a_scale(drawn):
    """Both at 1.08 times the larger peak, each with its own peak in words; silence gets a scale, too."""
    result = made_result(("CI.CWC",))
    result["waveform"][0] *= 2 / float(np.abs(result.waveform[0]).max())
    result["waveform"][2] *= 5 / float(np.abs(result.waveform[2]).max())
    result["waveform"][[1, 3]] = 0
    page = render(result)
    given = [arguments for name, arguments in drawn if name == "waveform"]
    assert [a[2] for a in given] == [
        f"CI.CWC {s}, peak {p} m/s²" for p1 in ((2, 5), (0, 0)) for s, p in zip(("real", "generated"), p1, strict=True)
    ]
    assert [a[3] for a in given] == pytest.approx([5.4, 5.4, 1.08, 1.08])
    assert [a[4] for a in given] == [drawing.STYLES[s][0] for s in ("real", "generated")] * 2
    assert np.array_equal(given[1][0], result.waveform[2]) and np.array_equal(given[0][1], result.time)
    assert "acceleration of E, N and Z, peak 5 m/s²" in page


def test_first_three_stations_are_open(drawn):
    """The others need a click; the summary holds counts but the pool's, and two measures."""
    result = made_result(tuple(f"CI.S{i}" for i in range(5)), npts=200)
    result["station_value"][:] = 0.25
    page = render(result)
    opened = re.findall(r"<details( open)?><summary>(CI\.S\d) <span>([^<]*)</span>", page)
    assert [bool(o) for o, *_ in opened] == [True] * 3 + [False] * 2
    assert {text for *_, text in opened} == {"20 real, 20 generated; |Δ lnHVSR| 0.25; lnPGA bias 0.25"}
    bare = result.drop_vars("n_records").isel(measure=[1])
    assert "<summary>CI.S0 <span></span>" in render(bare)


def test_site_figures_without_waveforms(drawn):
    """No records to show: site and spectra stand by themselves; nothing at all: it is said."""
    result = made_result(("CI.CWC",))
    names = ["waveform"]
    found = alts(render(result.drop_vars(names)))
    assert [a.split(":")[1].split(" ")[1] for a in found[:3]] == ["H/V", "histogram", "median"]
    result["f0_hz"][:] = np.nan
    result["hvsr_median"][:] = np.nan
    found = alts(render(result.drop_vars(names)))
    assert [a.split(":")[1].split(" ")[2] for a in found[:3]] == ["horizontal", "vertical", "response"]
    # of another station: nothing is drawn for this one
    other = made_result(("CI.CWC",)).assign_coords(panel_station=("panel", ["CI.X"] * 4))
    assert not any("record record" in a for a in alts(render(other)))


def test_parts_that_are_said_to_be_missing(drawn):
    """Each part has its own words."""
    result = made_result(("CI.CWC",))
    for names, said in {
        ("correlation",): "Not computed: there are too few records.",
        ("novelty", "novelty_record"): "Not looked at.",
        ("gmm_residual_mean", "gmm_residual_sd"): "magnitude and distance of the records are not known.",
        ("psa_ln_bias", "psa_sigma_ratio", "hvsr_ln_difference"): "No bias curves: no station has three records",
    }.items():
        assert said not in plain(render(result)) and said in plain(render(result.drop_vars(list(names))))
    for name in ("psa_ln_bias", "psa_sigma_ratio", "hvsr_ln_difference"):
        result[name][:] = np.nan
    assert "No bias curves" in plain(render(result))
    assert "No reconstructed records" in plain(render(result))
    without = result.drop_vars("c2st_auc")
    assert "mean of five reaches 0.99" in plain(render(without))
    without.attrs.pop("c2st_remark")
    assert "Not run (c2st=False, or too few records)." in plain(render(without))


def test_validity_of_the_classifier_test(drawn):
    """The remark, or else whether it is valid, or nothing."""
    result = made_result(("CI.CWC",))
    assert "<p><b>mean of five reaches 0.99</b></p>" in render(result)
    result.attrs["c2st_remark"] = ""
    assert "<p><b>Valid.</b></p>" in render(result)
    result.attrs["c2st_valid"] = 0
    assert "<p><b>Not valid.</b></p>" in render(result)
    result.attrs.pop("c2st_valid")
    assert "<p><b></b></p>" in render(result)


def test_alignment_in_both_forms(drawn):
    """Two matrices, the order of the sets within a block, scores, and what they are worth."""
    page = render(made_result())
    matrices = [a for a in alts(page) if a.startswith("Similarity")]
    assert matrices == [
        f"Similarity matrix of f0, {f}" for f in ("1 − JS distance (authors)", "1 − true JS divergence")
    ]
    assert [a[1:] for name, a in drawn if name == "confusion"] == [
        ("similarity", "f0: 1 − JS distance (authors)"), ("similarity_true_jsd", "f0: 1 − true JS divergence")
    ]  # fmt: skip
    assert "Rows and columns of a station (red block), in this order: real, generated." in page
    assert "<b>What the score is worth.</b> The alignment score saturates: real f0 would score 0.95.</p>" in page
    bare = made_result().drop_vars(["saturation", "alignment_score"])
    bare.attrs.pop("alignment_remark")
    assert "What the score is worth" not in render(bare) and "Alignment score: correlation" not in render(bare)
    assert "Alignment score: correlation" in page and "generators of known quality" in page


def test_pairs_purity_and_correlations(drawn):
    """Tables of what is only sometimes there; a correlation of nothing is not drawn."""
    result = made_result(("CI.CWC",))
    result["pair_value"] = xr.DataArray([20.0], {"pair_measure": ["SNR (dB)"]})
    result["correlation_difference"] = xr.DataArray([0.12], {"pair": ["a – b"]})
    result["correlation"][1] = np.nan
    result.attrs |= {"latent_purity": 0.91, "latent_purity_chance": 0.17}
    page = render(result)
    assert "purity of the latents: 0.91 (chance 0.17).</p>" in page and "SNR (dB)" in page and "a – b" in page
    assert "No reconstructed records" not in page
    assert [a[1] for name, a in drawn if name == "correlation"] == ["real", "Bayless & Abrahamson"]


def test_long_lists_are_cut(drawn):
    """300 records left out are listed, the others counted."""
    result = made_result(("CI.CWC",))
    result.attrs["skipped"] = json.dumps({"real": [[f"r{i}", "why"] for i in range(302)], "pool": []})
    page = render(result)
    assert page.count(": why</li>") == 300 and "<p>… and 2 more.</p>" in page
    assert "real: 302 left out" in page and "pool: 0" not in page
    result.attrs["skipped"] = json.dumps({"real": [[f"r{i}", "why"] for i in range(300)]})
    assert "more.</p>" not in render(result)
    result.attrs["skipped"] = json.dumps({"real": []})
    assert '<p class="note">None.</p>' in render(result)


def test_how_to_repeat(drawn):
    """The call of Python, or the command that was typed; settings in a table without it."""
    result = made_result(("CI.CWC",))
    result.attrs["version"] = "1.2"
    page = plain(render(result))
    assert 'tng.report(tng.evaluate("REAL", "SYNTHETIC", n_splits=20, seed=3), "report.html")' in page
    assert "obspy-tng 1.2" in page
    result.attrs["settings"] = json.dumps({"command": "obspy-tng evaluate <a> b", "seed": 1})
    page = plain(render(result))
    assert "obspy-tng evaluate <a> b" in page and "tng.report(" not in page
    assert "command" not in re.findall(r'<th scope="row">(\w+)</th>', render(result))
