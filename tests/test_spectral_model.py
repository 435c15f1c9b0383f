"""The spectral network: loss, code, packing; and the shipped default as a generator."""

from dataclasses import replace

import numpy as np
import obspy
import pytest
import torch

import obspy_tng as tng
from obspy_tng import spectral, spectral_extra
from obspy_tng.evaluation import features, sets
from obspy_tng.evaluation.baselines import mean_of_five
from obspy_tng.evaluation.novelty import novelty, summary
from obspy_tng.evaluation.scores import POOL_MEASURES, against_pool
from obspy_tng.models.spectral_autoencoder import Parts, SpectralAutoencoder
from obspy_tng.models.spectral_timesnet import SpectralConfig, SpectralLoss, SpectralTimesNet
from obspy_tng.pool import pool_files
from obspy_tng.preprocessing import land, windows
from obspy_tng.synthesis import realise

SMALL = SpectralConfig(32, 5, 30, channels=8, latent=3, periods=(2, 4, 8), kernels=(1, 3))


def small():
    """Return a small untrained network."""
    torch.manual_seed(0)
    return SpectralTimesNet(SMALL).eval()


def test_whittle_is_least_at_the_power():
    """Of exponential periodograms of known power the loss is least at that power: its mean is Euler's constant."""
    rng = np.random.default_rng(0)
    power = rng.normal(size=(1, 4, 1))
    cells = torch.tensor(np.log(rng.exponential(size=(64, 4, 4000)).clip(max=20)) + power)
    loss = SpectralLoss(0, ln_mse=0.0)
    flat = torch.ones(64, 4000)
    at = [float(loss(torch.tensor(power + d).expand(64, 4, 4000), cells, cells, flat)["total"]) for d in (-0.1, 0, 0.1)]
    assert at[1] < min(at[0], at[2])
    assert at[1] == pytest.approx(np.euler_gamma, abs=0.01)


def test_noise_before_p_counts_half():
    """The first frames weigh half, frames outside the record nothing."""
    zero, one = torch.zeros(1, 2, 4), torch.zeros(1, 2, 4)
    one[..., :2] = 1.0
    full = SpectralLoss(0)(zero, one, zero, torch.ones(1, 4))["whittle"]
    half = SpectralLoss(2)(zero, one, zero, torch.ones(1, 4))["whittle"]
    assert float(half) == pytest.approx(0.5 * float(full))
    assert float(SpectralLoss(0)(zero, one, zero, torch.zeros(1, 4))["total"]) == 0


def test_fused_is_the_same_network():
    """Fusing the Inception branches changes nothing but the last bits."""
    network = small()
    x, s = torch.randn(2, 15, 32), torch.randn(2, 30)
    with torch.no_grad():
        before = network.decode(network.encode(x, s), s)
        after = network.fuse().decode(network.encode(x, s), s)
    assert torch.allclose(before, after, atol=1e-4)


def test_alone_as_in_a_batch():
    """The code of a record does not depend on its neighbours."""
    network = small()
    x, s = torch.randn(5, 15, 32), torch.randn(5, 30)
    with torch.no_grad():
        assert torch.allclose(network.encode(x, s)[2], network.encode(x[2:3], s[2:3])[0], atol=1e-5)


def test_latents_are_packed_and_unpacked():
    """Every part comes back from the latent to the bit."""
    model = SpectralAutoencoder(small(), {"model": "spectral-timesnet-gen"})
    rng = np.random.default_rng(0)
    parts = Parts(
        *(
            rng.normal(size=shape).astype(np.float32)
            for shape in ((2, 3, 8), (2, 3, 10), (2, spectral_extra.N_EXTRA), (2,))
        )
    )
    latents = model.pack(parts)
    assert latents.shape == (2, *model.latent_shape) and latents[0].size >= 24 + 30 + spectral_extra.N_EXTRA + 1
    for before, after in zip(parts, model.unpack(latents), strict=True):
        assert np.array_equal(before, after)


# --- the shipped default


@pytest.fixture(scope="module")
def model():
    """The shipped default."""
    return tng.load_model()


@pytest.fixture(scope="module")
def pool():
    """The pool of a station the default was never trained on."""
    return tng.LatentPool.load(pool_files()["CI.CWC"])


def test_default_is_small(model, pool):
    """At most 2,000 numbers and 8 kB per record."""
    assert np.prod(model.latent_shape) <= 2000
    assert pool.path.stat().st_size / len(pool) < 8000


def test_codes_mix_to_a_record_that_is_none_of_them(model, pool):
    """A record of one code has its spectrum; two draws of noise share it and nothing else."""
    rng = np.random.default_rng(0)
    waves = np.stack([model.render(pool.latents[0], pool.ln_sd[0], rng) for _ in range(2)])
    described = spectral.describe(waves, np.full(2, 10 + np.exp(model.unpack(pool.latents[:1]).ln_sp[0])))
    wanted = model.unpack(pool.latents[:1]).ln_spectrum[0]
    inner = slice(10, -8)  # the ends are shaped by taper and high-pass
    for i in range(2):
        away = described.ln_spectrum[i] + described.ln_scale[i] - wanted - pool.ln_sd[0][0]
        assert np.abs(away[:, inner]).mean() < 0.15
    assert abs(np.corrcoef(waves[0, 0], waves[1, 0])[0, 1]) < 0.1


def test_codes_of_another_meaning_are_refused(pool):
    """A pool whose numbers meant something else when it was built is not read as if they did not."""
    stale = replace(pool, about={**pool.about, "layout": "energy 0: 1 2 3"})
    with pytest.raises(tng.TNGError, match="another version"):
        tng.generate(pool=stale, n=1, seed=0)


def test_same_seed_same_record():
    """Realisation 2 of 3 is realisation 2 of 5, to the bit."""
    three, five = (tng.generate("CI.CWC", n=n, seed=7) for n in (3, 5))
    assert all(np.array_equal(a.data, b.data) for a, b in zip(three, five, strict=False))


def test_magnitude_raises_and_distance_lowers():
    """PGA follows the pool's own regression on magnitude, and falls with distance."""
    pool = tng.LatentPool.load(pool_files()["CI.WMF"])
    design = np.stack([np.ones(len(pool)), pool.magnitude, np.log(pool.distance_km)], axis=1)
    slope = np.linalg.lstsq(design, np.log(pool.pga_mps2), rcond=None)[0]
    middle, far = np.median(pool.magnitude), np.median(pool.distance_km)

    def ln_pga(**event):
        stream = tng.generate(pool=pool, n=16, seed=1, **event)
        return np.mean([np.log(abs(t.data).max()) for t in stream if t.stats.channel[-1] != "Z"])

    by_magnitude = ln_pga(magnitude=middle + 0.5) - ln_pga(magnitude=middle - 0.5)
    assert by_magnitude == pytest.approx(slope[1], rel=0.4) and by_magnitude > 0.9
    by_distance = ln_pga(distance_km=far * 1.2) - ln_pga(distance_km=far / 1.2)
    assert by_distance / (2 * np.log(1.2)) == pytest.approx(slope[2], abs=0.6)


def test_default_is_ahead_of_the_mean_of_five():
    """On simulated records of one site the default keeps spread, duration and novelty better than averages do."""
    rng = np.random.default_rng(0)
    stream = obspy.Stream()
    for i, (magnitude, distance) in enumerate(zip(rng.uniform(3.5, 5, 16), rng.uniform(15, 45, 16), strict=True)):
        one = tng.simulate(magnitude=magnitude, distance_km=distance, seed=i)
        for trace in one:
            trace.stats.starttime += 86400 * i
        stream += one
    records = tng.records(stream)
    cut = windows(records)
    waves = land(cut.x * np.exp(cut.ln_sd)[..., None])
    pool = tng.build_pool(records, kind="simulated")
    made = {
        "default": np.array([t.data for t in tng.generate(pool=pool, n=40, seed=1)], float).reshape(40, 3, -1),
        "mean of five": mean_of_five(waves, 40, rng)[0],
    }
    real = features.compute(sets.of_arrays(waves, "XX.SIM"))
    away = {}
    for name, other in made.items():
        table = against_pool(features.compute(sets.of_arrays(other, "XX.SIM")), real, ["XX.SIM"]).overall
        values = dict(zip([m.name for m in POOL_MEASURES], table, strict=True))
        near = summary(novelty(other, waves))
        wrong = [abs(np.log(values[m])) for m in ("σ lnPGA ratio", "D5–95 ratio")]
        away[name] = [*wrong, near["correlation_ratio"], near["power_ratio"]]
    assert all(a < b for a, b in zip(away["default"], away["mean of five"], strict=True)), away


def test_comes_to_rest():
    """Velocity and displacement at the end are small against their largest (issue 4: .05 and .10)."""
    waves = np.array([t.data for t in tng.generate("CI.WMF", n=20, seed=2)], dtype=float)
    velocity = np.cumsum(waves, axis=1) / 100
    displacement = np.cumsum(velocity, axis=1) / 100
    for motion, most in ((velocity, 0.05), (displacement, 0.10)):
        assert np.median(np.abs(motion[:, -50:]).max(axis=1) / np.abs(motion).max(axis=1)) <= most


def test_little_is_left_below_the_bands():
    """Strong motion spills below its bands, 3 to 6 times what records hold from .12 to .2 Hz unless it is taken out."""
    pool = tng.LatentPool.load(pool_files()["CI.WRC2"])
    model = tng.load_model(pool.model)
    made, _ = realise(pool, model, "vp", 5, range(96))  # they scatter by 1.9, as records do
    low = spectral.SPEC_HZ < 0.22
    told = model.unpack(pool.latents).ln_spectrum + pool.ln_sd[:, :1, None]
    excess = spectral.spectrum(made)[..., low].mean() - told[..., low].mean()
    assert -0.3 < excess < 0.6, excess


def test_chance_of_one_record_is_not_passed_on():
    """Onset and coherency are a parent's, of whose deviation a share counts, but of the onset all; others are mixed."""
    model = tng.load_model("tng-spectral-1")
    shares = np.linspace(0.1, 1.2, spectral_extra.N_OWN)  # of parts and bands, each of three pairs, twice
    model.network.own_coherency.copy_(torch.from_numpy(shares))
    shares = np.tile(np.repeat(shares, 3), 2)
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(4, *model.latent_shape))
    mean, mixed, main = latents[:2].mean(axis=0), *latents[2:]
    site = model.site(latents[:2])
    a, b, out, parent = (
        model.unpack(x[None].astype(np.float32)) for x in (mean, mixed, model.settled(mixed, site, main), main)
    )
    first, onset = -spectral_extra.N_COHERENCY, spectral_extra.OF_ONSET
    for pick in (lambda p: p.code, lambda p: p.extra[:, 1:first], lambda p: p.ln_spectrum, lambda p: p.ln_sp):
        assert pick(out) == pytest.approx(pick(b), abs=1e-5)
    assert out.extra[0, 0] == pytest.approx(parent.extra[0, 0])
    shares[onset] = 1.0
    middle, mine = a.extra[0, first:], parent.extra[0, first:]
    assert out.extra[0, first:] == pytest.approx(middle + shares * (mine - middle), abs=1e-5)
