"""The network: fusing, folding, independence of the batch, sizes, losses, files."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch

import obspy_tng as tng
from obspy_tng.errors import ModelError
from obspy_tng.models import WAVEFORM, weights
from obspy_tng.models.autoencoder import build
from obspy_tng.models.cores import one_thread
from obspy_tng.models.losses import Loss
from obspy_tng.models.reference import Reference, ReferenceConfig
from obspy_tng.models.timesnet import KERNELS, Inception, TimesBlock
from obspy_tng.models.timesnet_gen import Config, TimesNetGen
from obspy_tng.preprocessing import windows


@pytest.fixture(scope="module")
def model():
    """Return the shipped default."""
    return tng.load_model(WAVEFORM)


@pytest.fixture(scope="module")
def sample_windows():
    """Return windows of the sample network: simulated, never trained on."""
    here = Path(__file__).parents[1] / "data_samples" / "network"
    return windows(tng.read_records(sorted(here.glob("*.mseed"))[:3], here / "stations.xml", here / "events.xml"))


def test_fused_inception_equals_its_branches():
    """One 11x11 kernel gives what the mean of six convolutions gives, also on images narrower than the kernel."""
    torch.manual_seed(0)
    block = Inception(4, 5)
    assert [b.weight.shape[-1] for b in block.branches] == list(KERNELS)
    for height, width in ((30, 40), (94, 2), (2, 94), (1, 7)):
        x = torch.randn(2, 4, height, width)
        assert torch.allclose(block(x), block.forward_branches(x), atol=1e-5)


def test_fused_network_equals_unfused():
    """Fused kernels change no output by more than 1e-5 against the published form, convolution by convolution."""
    torch.manual_seed(1)
    network = TimesNetGen(Config(latent=8, channels=16, hidden=16)).eval()
    branches = copy.deepcopy(network)
    for module in branches.modules():
        if isinstance(module, Inception):
            module.forward = lambda x, kernel=None, module=module: module.forward_branches(x)
    x = torch.randn(2, 3, 6000)
    with torch.no_grad():
        before = branches(x)
        after = network.fuse()(x)
    assert torch.allclose(before, after, atol=1e-5)
    assert not any(isinstance(m, torch.nn.Conv2d) and m.kernel_size == (11, 11) for m in network.modules())


def test_block_folds_at_the_period_that_is_there():
    """Of a pure sine the block chooses the period of the lattice nearest to its own."""
    block = TimesBlock(1, 2, periods=(2, 4, 6, 10, 16, 27, 47, 94), top_k=1)
    for period in block.periods[1:]:
        x = torch.sin(2 * torch.pi * torch.arange(188) / period)[None, None]
        assert block.periods[int(block.band_energy(x).argmax())] == period


def test_encoding_alone_equals_encoding_in_a_batch(model, sample_windows):
    """The code of a record depends on the record alone (1e-5), unlike in the published network."""
    x = sample_windows.x[:6]
    together = model.encode(x)
    alone = np.concatenate([model.encode(x[i : i + 1]) for i in range(len(x))])
    assert np.abs(together - alone).max() <= 1e-5 * np.abs(together).max()


def test_published_architecture_has_its_size_and_its_flaw():
    """38.3 M parameters, 3.07 MB of latent, and a code that depends on the neighbours in the batch."""
    config = ReferenceConfig()
    assert sum(p.numel() for p in Reference(config).parameters()) == pytest.approx(38.3e6, rel=2e-3)
    assert config.latent * config.steps * 4 == pytest.approx(3.07e6, rel=1e-2)
    torch.manual_seed(0)
    small = Reference(ReferenceConfig(npts=600, channels=8, hidden=8)).eval()
    t = torch.arange(600) / 100
    x = torch.stack([a * torch.sin(2 * torch.pi * f * t).expand(3, -1) for f, a in ((1.0, 1), (5.0, 9), (9.0, 9))])
    with torch.no_grad():
        change = (small.encode(x)[:1] - small.encode(x[:1])).abs().max()
    assert change > 1e-2


def test_linear_start_is_a_perfect_reconstruction_transform():
    """With room for all 96 coefficients per step the lapped cosine transform gives the record back."""
    network = TimesNetGen(Config(latent=96)).start_as_lapped_transform().eval()
    x = torch.randn(1, 3, 6000)
    with torch.no_grad():
        y = network(x)
    assert torch.allclose(y[..., 32:-64], x[..., 32:-64], atol=1e-4)


def test_reconstruction_keeps_f0_and_random_weights_do_not(model, sample_windows):
    """On simulated records no network saw f0 stays within 10 % on 90 %; the same network untrained fails."""
    from obspy_tng.site.timesnet_gen import record_f0

    x, ln_sd, _ = sample_windows

    def kept(network):
        y = network.decode(network.encode(x))
        f0 = [record_f0((a * np.exp(ln_sd)[..., None]).astype(float), 100.0) for a in (x, y)]
        return (np.abs(f0[1] / f0[0] - 1) <= 0.1).mean()

    torch.manual_seed(0)
    card = {k: v for k, v in model.card.items() if k != "fused"}
    untrained = type(model)(build(card).eval(), card)
    assert kept(model) >= 0.9
    assert kept(untrained) < 0.5


def test_reconstruction_of_unseen_events_on_real_records(model, shared_data):
    """The figure of the card: f0 within 10 % on at least 90 % of real records of events never trained on."""
    from obspy_tng.site.timesnet_gen import record_f0

    event = model.card["events_validation"][0]
    folder = shared_data / "ridgecrest"
    records = tng.read_records(folder / "waveforms" / f"{event}.mseed", folder / "stations.xml", folder / "events.xml")
    x, ln_sd, _ = windows(records)
    y = model.decode(model.encode(x))
    f0 = [record_f0((a * np.exp(ln_sd)[..., None]).astype(float), 100.0) for a in (x, y)]
    assert event not in model.card["events_train"]
    assert len(records) > 10
    assert (np.abs(f0[1] / f0[0] - 1) <= 0.1).mean() >= 0.9


def test_loss_is_zero_for_the_truth_and_ignores_units():
    """Every term vanishes for a perfect reconstruction, and none depends on the unit of the record."""
    torch.manual_seed(0)
    loss, x = Loss(6000), torch.randn(2, 3, 6000)
    ln_sd, s_s = torch.randn(2, 3), torch.tensor([20.0, float("nan")])
    assert all(float(v) == pytest.approx(0, abs=1e-6) for v in loss(x, x, ln_sd, s_s).values())
    y = x + 0.5 * torch.randn_like(x)
    a, b = loss(y, x, ln_sd, s_s), loss(y, x, ln_sd + 9.0, s_s)
    assert all(float(a[k]) == pytest.approx(float(b[k]), rel=1e-3) for k in a)
    assert float(a["mse"]) == pytest.approx(0.25, rel=0.05)


def test_loss_has_no_wall_at_the_nyquist_frequency():
    """Where records hold nothing, a thousandth of 50 Hz counts as its square does; 44 Hz counts as it always did.

    The last layer makes pairs of samples: a step of training moves all of them against each other by as much.
    """
    loss, rng = Loss(6000), np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.normal(size=(2, 3, 6000)))
    spectrum[..., np.fft.rfftfreq(6000, 0.01) > 43] = 0
    x = torch.from_numpy(np.fft.irfft(spectrum, 6000)).float()
    rest = torch.zeros(2, 3), torch.tensor([20.0, float("nan")])
    t = torch.arange(6000) / 100
    told = {hz: loss(x + 2e-2 * torch.cos(2 * torch.pi * hz * t), x, *rest) for hz in (44, 50)}
    assert float(told[50]["log_stft"]) < 1e-3 < 5e-3 < float(told[44]["log_stft"])
    assert float(told[50]["mse"]) == pytest.approx(4e-4, rel=0.01)


def test_ln_hvsr_of_the_loss_is_the_site_modules(sample_windows):
    """The ln HVSR a network is trained on agrees with the site module's, whole record, within 0.02 on the mean."""
    from obspy_tng.site.curves import hvsr_array

    x, ln_sd, _ = sample_windows
    mine = Loss(6000)._ln_hvsr(torch.from_numpy(x), torch.from_numpy(ln_sd).float()).numpy()
    grid = np.geomspace(0.5, 25.0, 96)
    real = x * np.exp(ln_sd)[..., None]
    theirs = np.log(hvsr_array(real.astype(float), 100.0, grid, taper=0.0))
    inside = (grid > 1) & (grid < 20)
    assert np.abs(mine - theirs)[:, inside].mean() < 0.02


def test_weights_round_trip_and_refuse_damage(tmp_path):
    """Weights come back exactly; a flipped byte, a lost card and a foreign file are each named."""
    network = TimesNetGen(Config(latent=4, channels=8, hidden=4, blocks=1))
    card = {"name": "t", "model": "timesnet-gen", "config": network.config.to_dict()}
    path = tmp_path / "model.safetensors"
    weights.save(path, network, card)
    loaded = tng.load_model(path)
    for a, b in zip(loaded.network.parameters(), network.parameters(), strict=True):
        assert torch.equal(a, b)
    assert tng.load_model(tmp_path).sha256 == weights.sha256(path)
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ModelError, match="damaged"):
        tng.load_model(path)
    path.write_bytes(b"no tensors")
    values = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({**values, "weights_sha256": weights.sha256(path)}))
    with pytest.raises(ModelError, match="safetensors"):
        tng.load_model(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match="card"):
        tng.load_model(path)


@pytest.mark.parametrize("name", ["nothing", "timesnet"])
def test_unknown_model_names_the_known(name):
    """An unknown model is refused with the names there are."""
    with pytest.raises(ModelError, match="tng-ridgecrest-1"):
        tng.load_model(name)


def test_card_that_does_not_fit_is_refused(tmp_path):
    """A card of another size or another model gives a ModelError, not a traceback of torch."""
    network = TimesNetGen(Config(latent=4, channels=8, hidden=4, blocks=1))
    for change in ({"config": {**network.config.to_dict(), "latent": 5}}, {"model": "gpt"}, {"config": {"x": 1}}):
        card = {"name": "t", "model": "timesnet-gen", "config": network.config.to_dict(), **change}
        weights.save(tmp_path / "m.safetensors", network, card)
        with pytest.raises(ModelError):
            tng.load_model(tmp_path / "m.safetensors")


def test_shipped_default_is_small_and_says_what_it_is(model):
    """Weights and pools stay under 20 MB; the card names data, events, excluded stations, seed and hash."""
    folder = Path(tng.__file__).parent / "weights"
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) < 20e6
    card = model.card
    assert set(card["excluded"]) == {"CI.CWC", "CI.WMF", "CI.ISA", "CI.HAR", "CI.SLA"}
    assert not set(card["events_train"]) & set(card["events_validation"])
    assert not set(card["excluded"]) & set(card["trained_stations"])
    assert "doi:10.7914/SN/CI" in card["data"]
    assert card["weights_sha256"] == weights.sha256(folder / "tng-ridgecrest-1.safetensors")


def test_one_thread_restores_the_setting():
    """The thread count is as before after the block, also when it raises."""
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), one_thread():
        assert torch.get_num_threads() == 1
        _ = 1 / 0
    assert torch.get_num_threads() == before
