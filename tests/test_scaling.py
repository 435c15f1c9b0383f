"""Magnitude and distance: slopes recovered from pools whose codes follow a known law."""

from types import SimpleNamespace

import numpy as np
import pytest

from obspy_tng.errors import ModelError
from obspy_tng.sampling import variance_preserving
from obspy_tng.scaling import scaling


def pool(n=40, noise=0.0, **fields):
    """Return a pool whose ln amplitude is 1.2 M - 1.5 ln R and whose one latent is 0.5 M."""
    rng = np.random.default_rng(0)
    magnitude, distance = rng.uniform(2, 5, n), np.exp(rng.uniform(2, 4, n))
    ln_sd = (1.2 * magnitude - 1.5 * np.log(distance))[:, None] + noise * rng.normal(size=(n, 3))
    made = dict(
        magnitude=magnitude, distance_km=distance, ln_sd=ln_sd, latents=0.5 * magnitude[:, None, None], kind="recorded",
        code="XX.TEST",
    )  # fmt: skip
    return SimpleNamespace(**{**made, **fields})


def test_mixture_is_brought_to_the_earthquake():
    """Any mixture plus its shift has the amplitude and the latent of the law at the earthquake asked for."""
    made = pool(n=400)
    event = scaling(made, 4.5, 30.0)
    members = np.arange(400)
    for seed in range(5):
        mixture = variance_preserving(np.random.default_rng(seed), members)
        latent, ln_sd = event.shift(mixture, members)
        assert mixture.apply(made.ln_sd, members) + ln_sd == pytest.approx(1.2 * 4.5 - 1.5 * np.log(30), abs=0.05)
        assert mixture.apply(made.latents, members) + latent == pytest.approx(0.5 * 4.5, abs=0.02)


def test_one_of_two_may_be_left_open():
    """With the magnitude alone, distance scatters as in the pool; without either there is nothing to do."""
    event = scaling(pool(), 4.0, None)
    assert event.known.shape == (40, 1) and scaling(pool(), None, None) is None


def test_few_records_shrink_the_slope():
    """The ridge pulls slopes towards none, the more the fewer records there are."""
    few, many = (scaling(pool(n), 4.0, 30.0).ln_sd[0].mean() for n in (8, 400))
    assert few < many < 1.2 and many == pytest.approx(1.2, abs=0.02)


@pytest.mark.parametrize(
    ("change", "magnitude", "distance", "words"),
    [
        ({}, 7.5, None, "outside what the pool of XX.TEST tells of"),
        ({}, None, 2000.0, "outside what the pool"),
        ({}, float("nan"), None, "finite number"),
        ({}, None, -3.0, "above 0"),
        ({"magnitude": np.full(40, np.nan)}, 4.0, None, "0 of 40"),
        ({"kind": "adjusted"}, 4.0, None, "nominal"),
    ],
)
def test_what_the_pool_cannot_tell(change, magnitude, distance, words):
    """Outside the range, unknown, too few, adjusted: an error that says so."""
    with pytest.raises(ModelError, match=words):
        scaling(pool(**change), magnitude, distance)
