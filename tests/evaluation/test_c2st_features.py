"""Features of records against closed forms."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import c2st_features as f

RATE = 100.0


@pytest.fixture(scope="module")
def noise():
    """White noise of independent components."""
    return np.random.default_rng(0).normal(size=(40, 3, 6000))


def sine(frequency_hz, n=2):
    """Return records whose components are sines of one frequency and amplitude 2."""
    t = np.arange(6000) / RATE
    return np.tile(2 * np.sin(2 * np.pi * frequency_hz * t + 0.3), (n, 3, 1))


def test_groups_shapes_and_input_untouched(noise):
    """Every group has finite rows for every record, and the records stay as they are."""
    before = noise.copy()
    out = f.features(noise, RATE)
    assert tuple(out) == f.GROUPS
    assert all(v.shape[0] == 40 and v.ndim == 2 and np.isfinite(v).all() for v in out.values())
    np.testing.assert_array_equal(noise, before)


def test_batches_do_not_matter(noise):
    """A record's features do not depend on the records described with it."""
    whole, alone = f.features(noise, RATE), f.features(noise[37:38], RATE)
    for name in f.GROUPS:
        np.testing.assert_allclose(whole[name][37], alone[name][0], atol=1e-4, err_msg=name)


def test_only_pga_knows_the_level(noise):
    """A record of twice the size has ln 2 more PGA, and nothing else changes."""
    a, b = f.features(noise[:3], RATE), f.features(2 * noise[:3], RATE)
    for name in f.GROUPS:
        np.testing.assert_allclose(b[name] - a[name], np.log(2) if name == "pga" else 0, atol=1e-4, err_msg=name)


def test_sine():
    """A sine of 5 Hz crosses zero 10 times a second, has a crest of sqrt 2, a kurtosis of 1.5 and its amplitude."""
    out = f.features(sine(5), RATE)
    np.testing.assert_allclose(out["zero crossings"][:, :3], np.log(10), atol=0.01)
    np.testing.assert_allclose(out["zero crossings"], np.log(10), atol=0.15)  # parts end between crossings
    np.testing.assert_allclose(out["crest"], np.log(2) / 2, atol=0.01)
    np.testing.assert_allclose(out["kurtosis"][:, :6], np.log(1.5), atol=0.01)
    np.testing.assert_allclose(out["pga"], np.log(2), atol=0.01)


def test_husid_of_steady_motion():
    """Energy of steady motion arrives evenly over the 56 s between the ramps."""
    expected = np.repeat(np.array(f.HUSID_SHARES) * 56, 2)
    np.testing.assert_allclose(f.features(sine(5), RATE)["husid"], np.tile(expected, (2, 1)), atol=0.1)


def test_white_noise(noise):
    """White noise has a flat spectrum, H/V of 1, the level 1 everywhere and the kurtosis of a Gaussian."""
    out = {name: values.mean(axis=0) for name, values in f.features(noise, RATE).items()}
    np.testing.assert_allclose(out["spectrum"].reshape(3, 32)[:, 16:], 0, atol=0.05)  # lower bands hold few lines
    np.testing.assert_allclose(out["hvsr"][8:], 0, atol=0.05)
    np.testing.assert_allclose(out["envelope"], 0, atol=0.04)
    np.testing.assert_allclose(out["kurtosis"][:6], np.log(3), atol=0.02)


def test_hvsr_and_components_of_known_ratios(noise):
    """E three times and N once as large as Z, all three the same motion: ratios and coherence as told."""
    one = noise[:4, :1]
    out = f.features(np.concatenate([3 * one, one, one], axis=1), RATE)
    np.testing.assert_allclose(out["hvsr"], 0.5 * np.log((9 + 1) / 2), atol=1e-3)
    columns = out["components"].reshape(4, 8, -1)  # ratio E/N, H/Z, then size and sign of three pairs
    np.testing.assert_allclose(columns[:, 0], np.log(9), atol=1e-3)
    np.testing.assert_allclose(columns[:, 1], np.log(10), atol=1e-3)
    np.testing.assert_allclose(columns[:, 2:], np.arctanh(0.999), atol=1e-3)


def test_components_tell_delay_and_sign_apart(noise):
    """Opposite components are coherent with a negative correlation; independent ones have little of either."""
    e, z = noise[:8, 0], noise[:8, 2]
    columns = f.features(np.stack([e, -e, z], axis=1), RATE)["components"].reshape(8, 8, 4, 5)
    np.testing.assert_allclose(columns[:, 2], np.arctanh(0.999), atol=1e-3)
    np.testing.assert_allclose(columns[:, 3], -np.arctanh(0.999), atol=1e-3)
    assert columns[:, 4].mean() < 0.3  # E-Z, about 1 / sqrt(independent cells)
    assert abs(columns[:, 5].mean()) < 0.05


def test_envelope_and_onset_of_a_step(noise):
    """A record that is a hundred times stronger from P on shows ln 100 across P in both envelopes."""
    data = noise[:8].copy()
    data[..., :1000] /= 100
    out = f.features(data, RATE)
    onset = out["onset"].reshape(8, 2, -1).mean(axis=(0, 1))
    assert onset[4] - onset[3] == pytest.approx(np.log(100), abs=0.15)
    envelope = out["envelope"].reshape(8, 2, -1).mean(axis=(0, 1))
    assert envelope[6] - envelope[5] == pytest.approx(np.log(100), abs=0.1)


def test_spectrogram_keeps_power(noise):
    """The mean over frames of both signs of frequency is the mean square, by Parseval's theorem."""
    spectra, frequency_hz = f.spectrogram(noise[:4], RATE)
    power = np.abs(spectra) ** 2
    both = power[..., 0] + 2 * power[..., 1:-1].sum(axis=-1) + power[..., -1]
    assert both.mean() == pytest.approx((noise[:4] ** 2).mean(), rel=0.02)
    assert frequency_hz[-1] == RATE / 2


def test_kurtosis_of_known_laws():
    """Kurtosis is 9/5 for a uniform law, 1 for two values, 3 for a Gaussian."""
    rng = np.random.default_rng(1)
    assert f.kurtosis(np.linspace(-1, 1, 100_001)) == pytest.approx(1.8, rel=1e-3)
    assert f.kurtosis(np.tile([-1.0, 1.0], 50)) == pytest.approx(1)
    assert f.kurtosis(rng.normal(size=200_000)) == pytest.approx(3, rel=0.03)


def test_conditioning_twice_changes_little(noise):
    """Ramps and high-pass applied once more shift no feature by a quarter of its scatter between records."""
    from obspy_tng.preprocessing import condition

    once = condition(noise)
    a, b = f.features(once, RATE), f.features(condition(once), RATE)
    for name in f.GROUPS:
        assert (np.abs(b[name] - a[name]).mean(axis=0) < 0.25 * a[name].std(axis=0)).all(), name


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.ones((2, 6000)), "shape"),
        (np.ones((2, 3, 1000)), "10 s"),
        (np.zeros((2, 3, 6000)), "no motion"),
        (np.full((2, 3, 6000), np.nan), "finite"),
        (np.ones((0, 3, 6000)), "no record"),
    ],
)
def test_errors(data, message):
    """What cannot be described is told in one line."""
    with pytest.raises(TNGError, match=message):
        f.features(data, RATE)
