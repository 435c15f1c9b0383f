"""How records scatter around HEGGS: variance components against simulated truth, draws that earthquakes share."""

import numpy as np
import pytest

from obspy_tng import conditions, event_scatter
from obspy_tng.errors import RecordError

QUAKE, PLACE = (36.1, -117.7, 8.0, 4.5), (36.0, -117.5)


def test_spreads_are_those_of_a_simulation():
    """Unequal numbers of records of 400 events: both spreads and the mean come back within their errors."""
    rng = np.random.default_rng(0)
    event = np.repeat(np.arange(400), rng.integers(1, 12, 400))
    residual = 0.2 + 0.4 * rng.standard_normal(400)[event] + 0.5 * rng.standard_normal(len(event))
    found = event_scatter.spreads(residual, event)
    assert found["between"] == pytest.approx(0.4, abs=0.05)
    assert found["within"] == pytest.approx(0.5, abs=0.03)
    assert found["bias"] == pytest.approx(0.2, abs=0.06)
    assert (found["records"], found["events"]) == (len(event), 400)


def test_spreads_without_a_term_of_the_event():
    """Records that differ more within events than events do have no term of the event, never a negative variance."""
    assert event_scatter.spreads([1, -1, 1.1, -1.1], list("aabb"))["between"] == 0


@pytest.mark.parametrize("event", ["aaaa", "abcd"])
def test_too_few_to_tell_is_refused(event):
    """One event, or one record of each, tells nothing of one of the terms."""
    with pytest.raises(RecordError, match="2 events or more"):
        event_scatter.spreads(np.arange(4.0), list(event))


def test_draws_have_the_spreads():
    """Over 2000 realisations both terms are normal of the sds asked for and independent of each other."""
    x = np.array([event_scatter.draw({"between": 0.3, "within": 0.6}, 1, i, QUAKE, PLACE) for i in range(2000)])
    np.testing.assert_allclose(x.std(0), [0.3, 0.6], rtol=0.05)
    np.testing.assert_allclose(x.mean(0), 0, atol=0.04)
    assert abs(np.corrcoef(x.T)[0, 1]) < 0.06


def test_places_of_one_earthquake_share_its_term():
    """With the same seed and number: another place has the same term of the event, another event has not."""
    one = {"between": 0.3, "within": 0.6}
    here, there = (event_scatter.draw(one, 1, 0, QUAKE, place) for place in (PLACE, (35.0, -117.0)))
    assert here.between == there.between and here.within != there.within
    other = event_scatter.draw(one, 1, 0, (*QUAKE[:3], 4.6), PLACE)
    assert other.between != here.between and other.within != here.within
    assert event_scatter.draw(one, 1, 0, list(QUAKE), list(PLACE)) == here


class Doubled:
    """A model whose motion is the real one times a factor of the event and one of the record."""

    def __init__(self, records, ln_factor):
        terms = conditions.event_terms(records)
        origin = [r.origin_time - r.starttime + terms[r.event_id] for r in records]
        made = [conditions.on_axis(r, s)[0] for r, s in zip(records, origin, strict=True)]
        self.made, self.done = np.array(made) * np.exp(ln_factor)[:, None, None], 0

    def ln_amplitude(self, c, rng):
        return c

    def waves(self, c, rng):
        self.done += len(c)
        return self.made[self.done - len(c) : self.done]


def test_measured_finds_what_was_put_in(corpus):
    """Records against themselves, weakened by known factors: bias and spreads are those of the factors."""
    records = [r for r in corpus.records() if np.isfinite(r.p_s)]
    rng, events = np.random.default_rng(0), [r.event_id for r in records]
    factor = dict(zip(sorted(set(events)), rng.normal(size=len(set(events))), strict=True))
    ln_factor = np.array([factor[e] for e in events]) + 0.2 * rng.normal(size=len(events))
    found = event_scatter.measured(Doubled(records, ln_factor), records, rng)
    wanted = event_scatter.spreads(-ln_factor, events)
    for name in wanted:
        assert found[name] == pytest.approx(wanted[name], abs=1e-6)
