"""The page: what it says of a result of known content, and how it looks in a browser."""

import json
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import drawing, words
from obspy_tng.evaluation.report import render, report

xr = pytest.importorskip("xarray")
pytest.importorskip("matplotlib")

METHODS = ("generated", "real vs real", "copy", "mean of five", "phase-shuffled")
MEASURES = (  # name, group, unit, ideal, against, floor, value of the generator, limit of the floor
    ("lnPGA bias", "intensity", "ln", 0.0, "pool", "copy", 0.1, 0.2),
    ("σ lnPGA ratio", "intensity", "1", 1.0, "pool", "copy", 0.4, 0.1),
    ("D5–95 ratio", "intensity", "1", 1.0, "pool", "copy", 1.15, 0.1),
    ("W1 S−P", "arrivals", "s", 0.0, "pool", "copy", np.nan, np.nan),
    ("|Δ lnHVSR|", "site", "ln", 0.0, "held-out events", "real vs real", 0.08, 0.09),
    ("W1 ln f0", "f0", "ln", 0.0, "held-out events", "real vs real", 0.3, 0.1),
)
REMARK = 'no pool given & <nothing> "known"'


def made_result(stations=("CI.CWC", "CI.WMF"), seed=0, n_records=20, npts=6000):
    """Return a Dataset of the layout of `evaluate`, of random numbers."""
    rng, n = np.random.default_rng(seed), len(stations)
    sets, period = ["real", "generated", "pool"], np.geomspace(0.01, 5, 19)
    frequency, wide = np.geomspace(0.5, 20, 100), np.geomspace(0.2, 40, 60)
    names, _, _, ideal, _, _, value, limit = map(list, zip(*MEASURES, strict=True))
    value = np.array(value) + np.arange(len(METHODS))[:, None] * 0.05
    peak = rng.uniform(1, 10, n)[:, None]
    hvsr = 1 + 4 * np.exp(-((np.log(frequency / peak) / 0.4) ** 2)) * rng.uniform(0.9, 1.1, (3, n, 1))
    time = np.arange(npts) / 100
    burst = np.exp(-((time - 20) ** 2) / 60) + 0.3 * np.exp(-((time - 12) ** 2) / 4)
    matrix = rng.uniform(0, 1, (2 * n, 2 * n))
    labels = [f"{s} {k}" for s in stations for k in ("real", "generated")]
    rows = [(k, s) for k in sets for s in stations for _ in range(n_records)]
    eas, bias = np.geomspace(0.5, 20, 25), rng.normal(0, 0.2, (len(METHODS), n, 19))
    decay = np.exp(-np.abs(np.log(eas[:, None] / eas)))
    return xr.Dataset(
        {
            "value": (("ensemble", "measure"), value),
            **{k: (("ensemble", "measure"), value + v) for k, v in (("low", -0.05), ("high", 0.05), ("split_mean", 0))},
            "station_value": (("ensemble", "station", "measure"), rng.normal(size=(len(METHODS), n, len(names)))),
            "floor_limit": ("measure", limit),
            "inside_floor": ("measure", np.abs(value[0] - ideal) <= limit),
            **{
                k: (("ensemble", "station", "period"), bias + m)
                for k, m in (("psa_ln_bias", 0), ("psa_sigma_ratio", 1))
            },
            "hvsr_ln_difference": (("ensemble", "station", "frequency"), rng.normal(0, 0.1, (len(METHODS), n, 100))),
            "hvsr_median": (("set", "station", "frequency"), hvsr),
            "hvsr_mean": (("set", "station", "frequency"), 1.1 * hvsr),
            "hvsr_sigma_ln": (("set", "station", "frequency"), np.full((3, n, 100), 0.3)),
            "fas_median": (
                ("set", "station", "component", "fas_frequency"),
                1e-3 * wide / (1 + wide**2) * rng.uniform(0.8, 1.2, (3, n, 3, 1)),
            ),
            "fas_sigma_ln": (("set", "station", "component", "fas_frequency"), np.full((3, n, 3, 60), 0.8)),
            "psa_median": (("set", "station", "period"), period / (0.1 + period**2) * rng.uniform(0.8, 1.2, (3, n, 1))),
            "psa_sigma_ln": (("set", "station", "period"), np.full((3, n, 19), 0.7)),
            "n_records": (("set", "station"), np.full((3, n), n_records)),
            "f0_hz": ("record", rng.lognormal(1.2, 0.4, len(rows))),
            "similarity": (("row", "column"), matrix),
            "similarity_true_jsd": (("row", "column"), matrix**2),
            "alignment_score": (("sets", "form"), np.array([[0.95, 0.91]])),
            "saturation": ("reference", np.array([0.95, 0.91, 0.56])),
            "correlation": (("correlation_set", "eas_frequency", "eas_frequency_2"), np.stack([decay] * 3)),
            "novelty": (("novelty_ensemble", "likeness", "statistic"), rng.uniform(0, 1, (2, 2, 3))),
            "novelty_record": (("novelty_row", "likeness"), rng.uniform(0.1, 0.6, (40, 2))),
            "novelty_real": (("novelty_real_row", "likeness"), rng.uniform(0.1, 0.6, (60, 2))),
            "c2st_auc": (("c2st_set", "classifier"), np.full((4, 4), 0.987)),
            "c2st_low": (("c2st_set", "classifier"), np.full((4, 4), 0.9)),
            "c2st_high": (("c2st_set", "classifier"), np.full((4, 4), 0.99)),
            **{f"gmm_residual_{k}": (("gmm_set", "gmm_measure"), np.full((2, 2), 0.31)) for k in ("mean", "sd")},
            "waveform": (
                ("panel", "component", "time"),
                (rng.normal(size=(4 * n, 3, npts)) * burst * rng.uniform(0.05, 2, (4 * n, 1, 1))).astype(np.float32),
                {"units": "m/s2"},
            ),
        },
        {
            "ensemble": list(METHODS),
            "measure": names,
            **{
                key: ("measure", [m[i] for m in MEASURES])
                for i, key in ((1, "measure_group"), (2, "measure_unit"), (3, "ideal"), (4, "against"), (5, "floor"))
            },
            "station": list(stations),
            "period": period,
            "frequency": frequency,
            "set": sets,
            "component": list("ENZ"),
            "fas_frequency": wide,
            "record_set": ("record", [r[0] for r in rows]),
            "record_station": ("record", [r[1] for r in rows]),
            "row": labels,
            "column": labels,
            "sets": ["real, generated"],
            "form": ["distance", "divergence"],
            "reference": ["oracle", "collapsed", "blind"],
            "correlation_set": ["real", "generated", "Bayless & Abrahamson"],
            "eas_frequency": eas,
            "eas_frequency_2": eas,
            "novelty_ensemble": ["generated", "copy"],
            "likeness": ["correlation", "power correlation"],
            "statistic": ["median", "p95", "share above real p99"],
            "novelty_station": ("novelty_row", ["CI.CWC"] * 40),
            "novelty_nearest": ("novelty_row", [f"parent {i}" for i in range(40)]),
            "c2st_set": ["real vs real", "generated", "mean of five", "phase-shuffled"],
            "classifier": ["features", "network", "counts", "group spectrum"],
            "gmm_set": ["real", "generated"],
            "gmm_measure": ["PGA", "PGV"],
            "panel_station": ("panel", [s for s in stations for _ in range(4)]),
            "panel_set": ("panel", ["real", "real", "generated", "generated"] * n),
            "panel_record": ("panel", [f"record {i}" for i in range(4 * n)]),
            "time": time,
        },
        {
            "remarks": json.dumps([REMARK]),
            "skipped": json.dumps({"real": [["bad<1>", "too short"]], "generated": []}),
            "provenance": json.dumps([{"station": s, "pool_kind": "adjusted", "sampler": "vp"} for s in stations]),
            "settings": json.dumps({"n_splits": 20, "seed": 3}),
            "alignment_remark": "The alignment score saturates: real f0 would score 0.95.",
            "c2st_valid": 1,
            "c2st_remark": "mean of five reaches 0.99",
            "gmm": "BSSA14",
        },
    )


class Page(HTMLParser):
    """Collect tags and text, and see that every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The page of two stations, and what there was to read in each of its figures."""
    drawn, original = [], drawing.png
    path = tmp_path_factory.mktemp("report") / "r.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "png", lambda figure: (original(figure), drawn.append(figure))[0])
        assert report(made_result(), str(path)) == path
    return path, drawn


def test_page_is_self_contained(made):
    """One file, no script, no address fetched; every image inside, with words for those who do not see it."""
    path, drawn = made
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(images) == len(drawn) == 2 * 9 + 2 + 3 + 3 + 2
    assert all(i["src"].startswith("data:image/png;base64,") and len(i["alt"]) > 20 for i in images)
    assert not {"script", "iframe", "object", "svg"} & {tag for tag, _ in page.tags}
    assert "http" not in text and "url(" not in text and "@import" not in text
    assert [attrs["href"] for tag, attrs in page.tags if tag == "link"] == ["data:,"]
    assert list(path.parent.iterdir()) == [path]


def test_page_says_what_the_numbers_say(made):
    """Verdict, marks in words, provenance, what was skipped: all told from the Dataset, all escaped."""
    text = " ".join(Page(made[0].read_text(encoding="utf-8")).text)
    assert "2 of 5 measures lie inside the floor" in text and "(1 could not be measured)" in text
    assert "It is worst at σ lnPGA ratio (0.40, ideal 1.00, 6.00 times the floor); W1 ln f0" in text
    assert text.count("✓ inside the floor") == 2 and text.count("not measured") == 1
    for words_ in (
        REMARK,
        "bad<1>: too short",
        "amplitudes are nominal",
        "real f0 would score 0.95",
        "n_splits=20, seed=3",
    ):
        assert words_ in text


def test_copies_are_named():
    """Three records that correlate at 0.95 are copies; none of 0.89 is."""
    result = made_result()
    result["novelty_record"][:, 0] = 0.89
    assert "No record is a copy: the largest correlation with a pool record is 0.89" in words.verdict(result)
    result["novelty_record"][4:7, 0] = 0.95
    assert "3 generated records are copies" in words.verdict(result)


@pytest.mark.parametrize(("auc", "valid", "said"), [(0.52, 1, "hardly"), (0.8, 1, "mostly"), (0.99, 0, "not valid")])
def test_classifier_in_words(auc, valid, said):
    """What AUC and validity mean."""
    result = made_result()
    result["c2st_auc"][:] = auc
    result.attrs["c2st_valid"] = valid
    assert said in words.verdict(result)


def test_missing_parts_are_named():
    """One station, no events, no C2ST, no novelty, no waveforms: the page says so and is still a page."""
    result = made_result(("CI.CWC",))
    keep = ["value", "low", "high", "station_value", "floor_limit", "inside_floor"]
    bare = result[keep].assign(floor_limit=result.floor_limit * np.nan, inside_floor=result.inside_floor & False)
    bare.attrs = {}
    text = " ".join(Page(render(bare)).text)
    for said in (
        "No measure has both a value and a floor", "do not say where they come from", "No classifier was trained",
        "Whether records are copies was not looked at", "fewer than two stations", "No reconstructed records",
        "Nothing to draw",
    ):  # fmt: skip
        assert said in text


def test_netcdf_gives_the_same_page(tmp_path, monkeypatch):
    """Written, read back, and reported again: the same page."""
    pytest.importorskip("h5netcdf")
    monkeypatch.setattr(drawing, "png", lambda figure: (figure.axes[0].get_title(loc="left").encode(), 1, 1))
    result = made_result(("CI.CWC",))
    result.to_netcdf(tmp_path / "r.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "r.nc", engine="h5netcdf") as again:
        assert render(again.load()) == render(result)


def test_what_cannot_be_reported(tmp_path, monkeypatch):
    """Another Dataset, another type, no folder: one clear line; a failure leaves the old page and no rest."""
    for thing in (xr.Dataset(), {"value": 1}, None):
        with pytest.raises(TNGError, match=r"without value.*accepted: the Dataset of tng\.evaluate"):
            report(thing, tmp_path / "r.html")
    monkeypatch.setattr(drawing, "png", lambda _: (b"", 1, 1))
    result = made_result(("CI.CWC",))
    with pytest.raises(TNGError, match="nowhere does not exist"):
        report(result, tmp_path / "nowhere" / "r.html")
    (tmp_path / "r.html").write_text("old")
    monkeypatch.setattr("os.replace", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        report(result, tmp_path / "r.html")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]


def test_every_axis_has_its_unit(made):
    """A label with a unit in parentheses, or a ratio or a name declared here."""
    for figure in made[1]:
        for axis in figure.axes:
            below = [other.get_xlabel() for other in axis.get_shared_x_axes().get_siblings(axis)]
            labels = ["".join(below)] if axis.xaxis.get_ticklocs().size else []
            if axis.yaxis.get_ticklocs().size:
                labels.append(axis.get_ylabel() or figure.get_supylabel())
            assert labels
            for label in labels:
                assert label.endswith(")") or label in ("H/V spectral ratio", "station"), label


def test_figures_can_be_read(made):
    """Images are twice their size in CSS pixels and no wider than a telephone; text is 10 px or more and inside."""
    from matplotlib.text import Text

    for figure in made[1]:
        width, height = figure.canvas.get_width_height()
        assert width == 2 * 364
        texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text()]
        assert min(t.get_size() for t in texts) * 96 / 72 >= 10
        assert not any("$" in t.get_text() for t in texts)  # exponents would be smaller
        for axis in figure.axes:
            named = [axis.xaxis.label, axis.yaxis.label, axis._left_title, *axis.texts]
            for text in (t for t in named if t.get_text() and t.get_visible()):
                x0, y0, x1, y1 = text.get_window_extent().extents
                assert min(x0, y0, width - x1, height - y1) >= -1, text.get_text()


def test_many_stations_have_a_matrix_with_names():
    """40 stations of three sets: wider than a telephone, so that names keep their size."""
    from obspy_tng.evaluation.figures_overall import confusion

    names = [f"CI.S{i:02d} {s}" for i in range(40) for s in ("real", "reconstructed", "generated")]
    matrix = xr.Dataset({"m": (("row", "column"), np.eye(120))}, {"row": names})
    figure = confusion(matrix, "m", "f0")
    data, width, _ = drawing.png(figure)
    assert data[:4] == b"\x89PNG" and width >= 40 * 11
    boxes = [t.get_window_extent() for t in figure.axes[0].get_yticklabels()]
    assert len(boxes) == 40
    middle = [(box.y0 + box.y1) / 2 for box in boxes]
    assert np.abs(np.diff(middle)).min() >= 0.9 * boxes[0].height


BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LOOK = """() => {
  const small = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const size = parseFloat(getComputedStyle(walk.currentNode.parentElement).fontSize);
    if (walk.currentNode.data.trim() && size < 10) small.push(walk.currentNode.data);
  }
  const images = [...document.images];
  return {
    small, overflow: document.documentElement.scrollWidth - innerWidth, images: images.length,
    broken: images.filter(i => !i.complete || i.naturalWidth == 0).length,
    shrunk: images.filter(i => i.getBoundingClientRect().width &&
                               Math.abs(i.getBoundingClientRect().width * 2 - i.naturalWidth) > 1).length,
    cut: images.filter(i => i.parentElement.scrollWidth > i.parentElement.clientWidth).length,
    tall: Math.max(...[...document.querySelectorAll('td, th, p')].map(e => e.getBoundingClientRect().height)),
  };
}"""


@pytest.mark.parametrize("width", [1280, 390])
def test_in_a_browser(made, width):
    """No console message, every image there at its size, no overflow, nothing below 10 px, nothing fetched."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"needs one of {', '.join(BROWSERS)}")
    said, asked = [], []
    with sync_api.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": width, "height": 900})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(made[0].as_uri())
        seen = page.evaluate(LOOK)
        chromium.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [made[0].as_uri()]
    assert seen["images"] == len(made[1])
    assert {k: seen[k] for k in ("small", "broken", "shrunk", "cut")} == {
        "small": [],
        "broken": 0,
        "shrunk": 0,
        "cut": 0,
    }
    assert seen["overflow"] <= 0
    assert seen["tall"] < 600  # words set one letter below the other
