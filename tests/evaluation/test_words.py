"""What the report says in words."""

import json

import numpy as np
import pytest
from test_report import made_result
from test_tables import rows

from obspy_tng.evaluation import words

pytest.importorskip("xarray")


@pytest.fixture
def result():
    """Six measures: two inside the floor, three outside, one not measured."""
    return made_result()


def test_the_worst_three_come_first(result):
    """By distance over the floor's limit; a floor of zero is beaten by none, and has no "times"."""
    result["floor_limit"][:] = [0.01, 0.3, 0.1, np.nan, 0.01, 0.0]
    result["inside_floor"][:] = False
    said = words.verdict(result)
    assert "<b>0 of 5 measures lie inside the floor</b> (1 could not be measured)" in said
    first = "W1 ln f0 (0.30&nbsp;ln, ideal 0.00); lnPGA bias (0.10&nbsp;ln, ideal 0.00, 10.0 times the floor); "
    assert f"It is worst at {first}|Δ lnHVSR| (0.080&nbsp;ln, ideal 0.00, 8.00 times the floor)." in said


def test_all_inside_and_all_measured(result):
    """Nothing is worst, nothing is missing."""
    result["inside_floor"][:] = True
    result["floor_limit"][3] = 1
    result["value"][:, 3] = 0
    result["split_mean"][:, 3] = 0
    said = words.verdict(result)
    assert "<b>6 of 6 measures lie inside the floor</b>: there" in said and "outside the floor in none." in said


@pytest.mark.parametrize(
    ("highest", "said"),
    [
        ([0.5, 0.899], "No record is a copy: the largest correlation with a pool record is 0.90 (a copy: 1)."),
        ([0.9, 0.2], "<b>1 generated records are copies</b> of a pool record: the largest correlation"),
        ([np.nan, np.nan], "Whether records are copies could not be measured."),
    ],
)
def test_copies(result, highest, said):
    """From a correlation of 0.9 on a record is a copy."""
    result["novelty_record"][:, 0] = 0.1 if np.isfinite(highest[0]) else np.nan
    result["novelty_record"][:2, 0] = highest
    assert said in words.verdict(result)


def test_shares_nearer_than_real_ones(result):
    """Of the generated set, per likeness, chance 1 %; what is not known is left out."""
    result["novelty"][0, :, 2] = [0.25, 0.02]
    end = "25.0&nbsp;% by correlation, 2.00&nbsp;% by power correlation (chance: 1 %)."
    assert f"Nearer to the pool than 99 % of real records are to each other: {end}" in words.verdict(result)
    result["novelty"][0, 0, 2] = np.nan
    assert "each other: 2.00&nbsp;% by power correlation (chance" in words.verdict(result)
    assert "Nearer to the pool" not in words.verdict(result.isel(statistic=[0, 1]))
    assert "Nearer to the pool" not in words.verdict(result.drop_vars("novelty"))
    assert "No record is a copy" in words.verdict(result.drop_vars("novelty"))
    only = result.assign_coords(likeness=["waveform", "power correlation"])
    assert "copy" not in words.verdict(only)


@pytest.mark.parametrize(
    ("auc", "said"),
    [
        (0.95, "nearly always"),
        (0.949, "mostly"),
        (0.75, "mostly"),
        (0.749, "sometimes"),
        (0.6, "sometimes"),
        (0.59, "hardly"),
    ],
)
def test_auc_in_words(result, auc, said):
    """Limits .95, .75 and .6; the floor beside it, the generated column only."""
    result["c2st_auc"][:] = 0.5
    result["c2st_auc"][1, 2] = auc
    text = words.verdict(result)
    assert f"A classifier can {said} tell generated from real (C2ST, AUC {auc:.2f}; real from real: 0.50)." in text
    assert text.endswith(" The test is valid.")


def test_classifier_without_validity_floor_or_figure(result):
    """What is not known is not said."""
    result["c2st_auc"][:] = 0.5
    bare = result.isel(c2st_set=[1, 2])
    bare.attrs.pop("c2st_valid")
    assert words.verdict(bare).endswith("tell generated from real (C2ST, AUC 0.50).")
    assert "No classifier was trained" in words.verdict(result.isel(c2st_set=[0, 2]))
    result["c2st_auc"][:] = np.nan
    assert "The classifier test (C2ST) gave no figure." in words.verdict(result)


def test_provenance_groups_what_is_alike(result):
    """A sentence per kind of pool, a row per set of equal facts; hashes are cut, unknown facts a dash."""
    made = [
        {"station": "B", "pool_kind": "recorded", "sampler": "vp", "weights_sha256": "a" * 64},
        {"station": "A", "pool_kind": "recorded", "sampler": "vp", "weights_sha256": "a" * 64},
        {"station": "A", "pool_kind": "recorded", "sampler": "vp", "weights_sha256": "a" * 64},
        {"station": "C", "pool_kind": "adjusted", "sampler": None, "note": "x y " * 16},
        {"sampler": "<vp>"},
    ]
    result.attrs["provenance"] = json.dumps(made)
    page = words.provenance(result)
    assert "<p>Pool <b>recorded</b> (A, B): records of the station itself.</p>" in page
    assert "<p>Pool <b>adjusted</b> (C): records of other stations" in page
    assert "<p>Pool <b>not said</b> (?): what kind of pool is not known.</p>" in page
    head, *body = rows(page)
    assert head == ["station", "pool", "sampler", "weights sha256", "note"]
    assert body == [
        ["B, A", "recorded", "vp", "aaaaaaaaaaaa…", "–"], ["C", "adjusted", "–", "–", "x y " * 16],
        ["?", "not said", "&lt;vp&gt;", "–", "–"],
    ]  # fmt: skip
    assert 'class="cards words"' in page
    result.attrs["provenance"] = "[]"
    assert "do not say where they come from" in words.provenance(result)
