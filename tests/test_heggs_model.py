"""HEGGS: its loss, its parts, training on pairs, generation of one earthquake."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from obspy import UTCDateTime

import obspy_tng as tng
from obspy_tng import event_scatter, training_heggs
from obspy_tng.cli import group
from obspy_tng.errors import ModelError, StationError, TNGError
from obspy_tng.events import distance_km
from obspy_tng.models import heggs

QUICK = dict(kind="heggs", epochs=2, batch=4, precision="fp32", seed=3, threads=1)
EVENT = (36.1, -117.7, 8.0, 4.5)


@dataclass(frozen=True)
class Narrow(heggs.HeggsConfig):
    """The network with fewer channels."""

    latent: int = 16
    shallow: int = 24
    width: int = 24
    deep: int = 32
    tokens: int = 32


@pytest.fixture(scope="module", autouse=True)
def narrow():
    """Train narrow networks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heggs, "HeggsConfig", Narrow)
        yield


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    """Return the folder of a two-epoch training."""
    out = tmp_path_factory.mktemp("runs") / "heggs"
    tng.train(corpus, out, **QUICK)
    return out


@pytest.fixture(scope="module")
def model(trained):
    """Return the model of that training."""
    return tng.load_model(trained)


# --- parts


def test_noise_schedule():
    """Signal power falls from 1 by cos² to 0.001, and noisy codes keep the power of clean ones."""
    t = torch.tensor([0.0, 0.5, 1.0])
    assert heggs.abar(t).tolist() == pytest.approx([1.0, 0.5005, 0.001], abs=1e-6)
    z = heggs.unit(torch.randn(3, 48, 4000))
    assert (z**2).mean(1).flatten().tolist() == pytest.approx([1.0] * 12000, abs=1e-4)
    mixed = heggs.noised(z, t, torch.randn_like(z))
    assert (mixed**2).mean((1, 2)).tolist() == pytest.approx([1.0] * 3, abs=0.02)


def test_size_is_that_of_the_brief():
    """The network has 3 to 5 million parameters."""
    assert 3e6 < sum(p.numel() for p in heggs.Heggs().parameters()) < 5e6


def test_amplitude_correction_leaves_what_comes_before_p():
    """Whatever it has learned, the correction is nothing a second before P, and fades to its P part long after S."""
    torch.manual_seed(0)
    acm = heggs.AmplitudeCorrection(heggs.HeggsConfig())
    for parameter in acm.parameters():
        torch.nn.init.normal_(parameter)
    onsets_s = torch.tensor([[10.0, 17.0]])
    added = acm(torch.zeros(1, 99, 376), torch.ones(1, 10), onsets_s)[0].detach()
    t_s = np.arange(376) * 0.16 - 6.0
    assert added[:, t_s < 9].abs().max() < 0.01 * added.abs().max()
    plain = added[:, (t_s > 11.5) & (t_s < 15.5)]
    np.testing.assert_allclose(plain, plain[:, :1].expand_as(plain), rtol=0.02, atol=0.02)
    assert (added[:, t_s > 17.5][:, 0] - plain[:, 0]).abs().max() > 10 * (added[:, -1] - plain[:, 0]).abs().max()


def test_ln_peak_is_half_the_ln_of_the_largest_mean_power():
    """13 frames of amplitude 3 in each of 33 rows among frames of 1: ln of sqrt(33 * 9)."""
    x = torch.zeros(1, 99, 376)
    x[:, :33, 100:113] = np.log(3.0)
    assert heggs.ln_peak(x)[0].tolist() == pytest.approx([np.log(33 * 9) / 2, np.log(33) / 2, np.log(33) / 2], abs=1e-5)


class _Plain(torch.nn.Module):
    """A network whose parts do nothing: the loss is what the equation says of its inputs."""

    mean, sd = torch.zeros(99, 1), torch.ones(99, 1)
    encode = decode = staticmethod(lambda x: x)
    predict = staticmethod(lambda z, t, c, onsets_s: z)
    correct = staticmethod(lambda x, c, onsets_s: x)

    def forward(self, z, t, c, onsets_s):
        return z


@pytest.mark.parametrize("paired", [True, False])
def test_loss_is_the_published_one(paired):
    """|X_tgt - (sqrt(abar) X_src + sqrt(1 - abar) eps)|² by hand; unpaired, the source is the target."""
    target, source = torch.randn(5, 99, 376), torch.randn(5, 99, 376)
    c = torch.tensor([[36.0, -117.5, *EVENT]] * 5, dtype=torch.float64)
    objective = training_heggs.Objective(heggs.HeggsConfig(), paired, 0.0)
    terms = objective(_Plain(), (target, source, c), train=False)
    random = torch.Generator().manual_seed(0)
    noise = torch.randn(target.shape, generator=random)
    share = (np.cos(torch.rand(5, generator=random) * np.pi / 2) ** 2 * 0.999 + 0.001)[:, None, None]
    z = share**0.5 * (source if paired else target) + (1 - share) ** 0.5 * noise
    assert float(terms["target"]) == pytest.approx(float(((z - target) ** 2).mean()), rel=1e-5)
    assert float(terms["autoencoder"]) == 0


def test_pairs_are_two_stations_of_one_event(corpus):
    """Sources are records of the target's event at another station, and all of them occur."""
    source = training_heggs.Source(corpus, range(len(corpus)), ())
    name = {source.x[i].tobytes(): source.records[i] for i in range(len(source))}
    rng, seen = np.random.default_rng(0), set()
    for _ in range(20):
        target, other, _ = source.draw(np.arange(len(source)), rng)
        for a, b in zip(target, other, strict=True):
            (one, two) = name[a.tobytes()].split("."), name[b.tobytes()].split(".")
            assert one[3] == two[3]
            assert one[1] != two[1]
            seen.add((name[a.tobytes()], name[b.tobytes()]))
    assert len(seen) == sum(len(others) for others in source.others)


# --- training


def test_resumed_run_equals_an_uninterrupted_one(corpus, trained, tmp_path):
    """Killed after its first epoch and resumed, the training ends in the same weights to the bit."""

    class KilledError(Exception):
        pass

    def kill(line):
        if "epoch 1/" in line:
            raise KilledError

    with pytest.raises(KilledError):
        tng.train(corpus, tmp_path / "r", progress=kill, **QUICK)
    tng.train(corpus, tmp_path / "r", resume=True, **QUICK)
    a, b = (tng.load_model(x).network.state_dict() for x in (trained, tmp_path / "r"))
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_card_tells_what_it_was_trained_on(model, corpus):
    """No event on both sides; places, travel times and limits of the conditions are kept."""
    card = model.card
    assert not set(card["events_train"]) & set(card["events_validation"])
    assert set(model.places) == set(corpus.codes())
    assert card["model"] == "heggs"
    assert card["paired"] is True


def test_card_tells_how_records_scatter(model, corpus):
    """The spreads in the card are those of the training records around the model, measured anew from the corpus."""
    told, records = model.card["scatter"], corpus.records()
    known = [r for r in records if r.event_id in model.card["events_train"] and np.isfinite(r.p_s)]
    found = event_scatter.measured(model, known, np.random.default_rng(0))
    assert told["records"] == model.card["records_train"] and told["events"] == len(model.card["events_train"])
    assert found == pytest.approx(told, rel=1e-3)


def test_settings_that_do_not_fit_are_refused(corpus, tmp_path):
    """A share beyond one, and a model to start from."""
    with pytest.raises(ModelError, match="noise_share=2"):
        tng.train(corpus, tmp_path / "a", noise_share=2, **QUICK)


# --- generation


def test_generates_one_earthquake_at_any_place(model):
    """Three traces a realisation, m/s², at rest at their ends, with the place, the event and predicted onsets."""
    stream = tng.generate("XX.HILL", 2, event=EVENT, coordinates=(36.0, -117.5, 800), model=model, seed=5)
    assert [t.id for t in stream][:4] == ["XX.HILL.00.HXE", "XX.HILL.00.HXN", "XX.HILL.00.HXZ", "XX.HILL.01.HXE"]
    made = stream[0].stats.tng
    assert stream[0].stats.npts == 6000
    assert stream[0].stats.coordinates.elevation == 800
    r = np.hypot(distance_km(36.0, -117.5, *EVENT[:2]), EVENT[2])
    assert made.s_s > made.p_s > made.origin_after_start_s == 6.0
    assert made.p_s == pytest.approx(6 + r / 6, abs=0.5)
    assert all(abs(t.data[0]) < 1e-6 + 1e-3 * np.abs(t.data).max() for t in stream)
    assert tng.inventory(stream)[0][0].latitude == 36.0


def test_realisation_depends_on_seed_and_number_only(model):
    """The second of two equals the second of three, whatever else is made; another seed differs."""
    many = tng.generate(event=EVENT, coordinates=(36, -117.5), n=3, model=model, seed=5)
    few = tng.generate(event=EVENT, coordinates=(36, -117.5), n=2, model=model, seed=5)
    other = tng.generate(event=EVENT, coordinates=(36, -117.5), n=2, model=model, seed=6)
    np.testing.assert_array_equal(many[3].data, few[3].data)
    assert not np.array_equal(few[0].data, many[3].data)
    assert not np.array_equal(few[0].data, other[0].data)


def test_places_have_noise_of_their_own(model):
    """Ten metres apart all a network is told is the same; phases are not, of the same seed."""
    a, b = (tng.generate(event=EVENT, coordinates=(36 + x, -117.5), model=model, seed=5)[0].data for x in (0, 1e-4))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.5


@pytest.mark.parametrize("sampler", ["direct", "ddim:1", "ddim:3"])
def test_samplers(model, sampler):
    """Each makes finite motion and is told in stats; from noise one step of ddim is the direct guess."""
    stream = tng.generate(event=EVENT, coordinates=(36, -117.5), model=model, seed=1, sampler=sampler)
    assert np.isfinite(stream[0].data).all()
    assert stream[0].stats.tng.sampler == sampler
    if sampler == "ddim:1":
        same = tng.generate(event=EVENT, coordinates=(36, -117.5), model=model, seed=1, sampler="direct")
        np.testing.assert_array_equal(stream[0].data, same[0].data)


def test_source_record_matters_and_is_told(model, corpus):
    """From a record of the event the motion differs from that from noise, and the event is the record's own."""
    record = corpus.records([0])[0]
    place = dict(coordinates=(38.4, 27.2), model=model, seed=1)
    stream = tng.generate(source=record, **place)
    assert all(np.isfinite(trace.data).all() for trace in stream)
    assert stream[0].stats.tng.source == record.id
    assert stream[0].stats.tng.event[3] == record.magnitude
    assert stream[0].stats.starttime == record.origin_time - 6
    with_stream = tng.generate(source=record.stream(), event=stream[0].stats.tng.event, **place)
    assert with_stream[0].stats.tng.source.startswith(record.code)
    assert not np.allclose(with_stream[0].data, 0)
    plain = tng.generate(event=stream[0].stats.tng.event, **place)
    assert plain[0].stats.starttime == UTCDateTime(0)
    assert not np.allclose(stream[0].data, plain[0].data)


def test_amplitudes_scatter_by_what_the_card_tells(model):
    """A card with spreads: realisations are the medians times the factors they tell; --median leaves them."""
    told = replace(model, card={**model.card, "scatter": {"between": 0.3, "within": 0.5}})
    settings = dict(n=3, event=EVENT, coordinates=(36.0, -117.5), sampler="direct", seed=1)
    median = tng.generate(model=told, scatter=False, **settings)
    silent = replace(model, card={k: v for k, v in model.card.items() if k != "scatter"})
    plain = tng.generate(model=silent, **settings)
    made = tng.generate(model=told, **settings)
    assert "ln_scatter" not in median[0].stats.tng and median[0].stats.tng.run_id == plain[0].stats.tng.run_id
    factors = [np.exp(sum(t.stats.tng.ln_scatter)) for t in made]
    assert np.std(factors[::3]) > 0.05
    for a, b, c, factor in zip(made, median, plain, factors, strict=True):
        np.testing.assert_array_equal(b.data, c.data)
        np.testing.assert_allclose(a.data, factor * b.data, rtol=2e-5)


def test_known_stations_need_no_coordinates(model):
    """A station of the training is placed by its code, alone or with its network; another is refused with a list."""
    quake = (38.4, 27.3, 8.0, 4.0)
    stream = tng.generate("XT.TWO", event=quake, model=model, seed=1)
    assert stream[0].stats.coordinates.latitude == model.places["XT.TWO"][0]
    assert tng.generate("TWO", event=quake, model=model, seed=1)[0].id == stream[0].id
    with pytest.raises(StationError, match=r"XT\.TWO"):
        tng.generate("CI.NONE", event=EVENT, model=model)


def test_missing_weights_say_how_to_get_them(monkeypatch, tmp_path):
    """Where the optional weights are not at hand, one line says which command makes them."""
    monkeypatch.setattr("obspy_tng.models.SHIPPED", tmp_path)
    with pytest.raises(ModelError, match="train CORPUS --model heggs"):
        tng.generate("CI.CWC", event=EVENT, model="heggs")
    with pytest.raises(ModelError, match="nothing"):
        tng.generate("CI.CWC", event=EVENT, model="nothing")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (dict(event=(1, 2, 3)), "magnitude"),
        (dict(event="M5"), "magnitude"),
        (dict(event=EVENT, sampler="ddim:0"), "ddim"),
        (dict(event=EVENT, sampler="vp"), "direct"),
        (dict(event=(38.4, 27.3, 8.0, 4.0)), "km apart"),
        (dict(event=EVENT, magnitude=5.0), "leave out"),
        (dict(event=(36, -117, 8, 40)), "accepted"),
        (dict(), "event="),
    ],
)
def test_what_does_not_fit_is_refused(model, given, words):
    """Events that are none, samplers of other models, and a second magnitude are refused in one line."""
    with pytest.raises(TNGError, match=words) as caught:
        tng.generate(coordinates=(36, -117.5), model=model, **given)
    assert "\n" not in str(caught.value)


def test_command_line(trained, tmp_path):
    """Generate --event writes waveforms and sidecar; coordinates without an event are refused."""
    words = [
        "generate",
        "--model",
        str(trained),
        "--coordinates",
        "36",
        "-117.5",
        "--seed",
        "4",
        "--out",
        str(tmp_path),
    ]
    done = CliRunner().invoke(group, [*words, "--event", *map(str, EVENT), "--sampler", "ddim:2"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "XX.SITE_4.mseed").is_file()
    assert "one event" in done.output
    assert CliRunner().invoke(group, words).exit_code == 2


def test_section(model):
    """A section has a line per record and the predicted P and S as dashes at the predicted times."""
    from obspy_tng.plotting_section import plot_section

    places = [(36.0, -117.5), (35.8, -117.3), (35.5, -117.0)]
    stream = sum(
        (tng.generate(f"XX.S{k}", event=EVENT, coordinates=x, model=model, seed=1) for k, x in enumerate(places)),
        start=tng.generate("XX.S9", event=EVENT, coordinates=(36.3, -118.0), model=model, seed=1),
    )
    axis = plot_section(stream).axes[0]
    dashes = [line for line in axis.lines if line.get_linestyle() == "--"]
    assert len(axis.lines) == 4 + 2
    told = sorted(t.stats.tng.p_s - 6 for t in stream[::3])
    np.testing.assert_allclose(sorted(dashes[0].get_xdata()), told)
    with pytest.raises(TNGError, match="event"):
        plot_section(stream[:0])


def test_trains_from_the_command_line(corpus, tmp_path):
    """Train --model heggs --unpaired says so in its card, and keeps the share of noise."""
    words = ["train", str(corpus.path), "--model", "heggs", "--unpaired", "--epochs", "1", "--threads", "1"]
    done = CliRunner().invoke(group, [*words, "--noise-share", "0.5", "--out", str(tmp_path / "u")])
    assert done.exit_code == 0, done.output
    card = tng.load_model(tmp_path / "u").card
    assert (card["paired"], card["noise_share"]) == (False, 0.5)
