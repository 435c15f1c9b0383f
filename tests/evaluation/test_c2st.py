"""Classifier two-sample test: .5 for one law, near 1 for two, whatever the stations do."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import c2st as c
from obspy_tng.evaluation.c2st_network import images, network_scores

RATE = 100.0
N_EVENTS, STATIONS = 24, ("A", "B")


def motion(seed, n=N_EVENTS, corner_hz=(2.0, 8.0)):
    """Return noise records of two stations, each with its own corner frequency, and what they are of."""
    rng = np.random.default_rng(seed)
    station = np.repeat(STATIONS, n)
    frequency_hz = np.fft.rfftfreq(3000, 1 / RATE)
    corner = np.array(corner_hz)[np.repeat([0, 1], n)] * np.exp(0.2 * rng.normal(size=2 * n))
    gain = 1 / (1 + (frequency_hz / corner[:, None]) ** 2)
    spectra = np.fft.rfft(rng.normal(size=(2 * n, 3, 3000))) * gain[:, None]
    return np.fft.irfft(spectra), station, np.tile([f"e{i}" for i in range(n)], 2)


def described(seed, event=True, network=False, **kwargs):
    """Return described records of `motion`."""
    data, station, events = motion(seed, **kwargs)
    return c.describe(data, RATE, station, events if event else None, network=network)


@pytest.fixture(scope="module")
def real():
    """Records of two stations and 24 events."""
    return described(0)


def test_one_law_is_not_told_apart(real):
    """Noise of one law, stations far apart in spectrum: AUC near .5."""
    scores = c.c2st(real, described(1, event=False), n_splits=8, groups=False)
    assert scores.auc == pytest.approx(0.5, abs=0.12)
    assert scores.n_train == scores.n_test == 24
    assert scores.n_stations == 2
    assert scores.groups == {}


def test_stations_alone_are_no_clue(real):
    """Generated mostly at one station, real mostly at the other: still near .5, since stations are balanced."""
    made = described(2, event=False, n=60)
    keep = np.r_[0:60, 60:72]
    made = c.Described({k: v[keep] for k, v in made.features.items()}, None, made.station[keep], made.event[keep])
    scores = c.c2st(real, made, n_splits=6, groups=False)
    assert scores.auc == pytest.approx(0.5, abs=0.15)
    assert scores.n_train == 12 + 6


def test_swapped_stations_are_found(real):
    """A generator that gives each station the other's spectrum has the right law over all, and is found."""
    assert c.c2st(real, described(3, event=False, corner_hz=(8.0, 2.0)), n_splits=3, groups=False).auc > 0.95


def test_another_spectrum_and_the_group_that_says_so(real):
    """Noise with other corner frequencies is told apart, by its spectrum and not by its H/V."""
    lines = []
    scores = c.c2st(real, described(4, event=False, corner_hz=(6.0, 24.0)), n_splits=3, progress=lines.append)
    assert scores.auc > 0.95
    assert scores.groups["spectrum"].mean() > 0.95
    assert scores.groups["zero crossings"].mean() > 0.95
    assert scores.groups["hvsr"].mean() < 0.75
    assert lines == [f"C2ST: split {i} of 3" for i in (1, 2, 3)]
    rows = c.summary(scores)
    assert rows["group: spectrum"].mean == pytest.approx(scores.groups["spectrum"].mean())
    assert rows[scores.classifier].mean == scores.auc


def test_less_spread_is_found(real):
    """A generator right in the mean whose records vary less is told apart: sizes of deviations are told as well."""
    data, station, _ = motion(5)
    made = c.describe(data, RATE, station, network=False)
    quiet = {}
    for name, values in made.features.items():
        mean = np.array([values[station == code].mean(axis=0) for code in station])
        quiet[name] = mean + 0.5 * (values - mean)
    assert c.c2st(real, made._replace(features=quiet), n_splits=3, groups=False).auc > 0.95


def test_copies(real):
    """Copies that name their parents are as the real ones; without parents the AUC falls far below .5."""
    rng = np.random.default_rng(6)
    rows = np.concatenate([rng.choice(np.flatnonzero(real.station == code), 40) for code in STATIONS])
    features = {name: values[rows] for name, values in real.features.items()}
    named = c.Described(features, None, real.station[rows], real.event[rows])
    unnamed = named._replace(event=np.full((80, 1), ""))
    assert c.c2st(real, named, n_splits=6, groups=False).auc == pytest.approx(0.5, abs=0.12)
    assert c.c2st(real, unnamed, n_splits=3, groups=False).auc < 0.4


def test_same_seed_same_numbers_with_network():
    """The result repeats to the last bit, the network's too; the caller's torch is left as it was."""
    import torch

    a, b = described(7, network=True), described(8, event=False, network=True)
    torch.manual_seed(0)
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    one, other = (c.c2st(a, b, n_splits=2, groups=False, seed=5) for _ in range(2))
    assert set(one.classifiers) == {"logistic regression", "boosting", "network"}
    for name, values in one.classifiers.items():
        np.testing.assert_array_equal(values, other.classifiers[name])
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.get_num_threads() == threads
    changed = c.c2st(a, b, n_splits=2, groups=False, seed=6)
    assert any((one.classifiers[name] != changed.classifiers[name]).any() for name in one.classifiers)


def test_largest_mean_counts(real):
    """The AUC that counts is the largest mean over splits, not the mean of each split's largest."""
    scores = c.real_floor(real, n_splits=6, groups=False)
    means = {name: values.mean() for name, values in scores.classifiers.items()}
    assert scores.auc == max(means.values()) == means[scores.classifier]
    assert scores.auc <= np.max(list(scores.classifiers.values()), axis=0).mean()


def test_network_learns_and_images_hold_coherence():
    """The network tells a blob of power from none on records it never saw; equal components have coherence 1."""
    data, _, _ = motion(9)
    data[:, 1] = data[:, 0]
    picture = images(data, RATE)
    assert picture.shape[:2] == (48, 6)
    np.testing.assert_allclose(picture[:, 3], np.arctanh(0.99), rtol=1e-3)
    assert picture[:, 4].mean() < 0.9
    x = np.random.default_rng(0).normal(size=(240, 6, 20, 32)).astype(np.float32)
    label = np.arange(240) % 2
    x[label == 1, 0, 5:9, 4:10] += 1.5
    score = network_scores(x[:120], label[:120], x[120:], seed=0)
    assert c._auc(score, label[120:]) > 0.95


def test_validity():
    """The test counts only when averages and shuffled phases are found; the remark holds the numbers."""

    def scores(auc):
        return c.Scores(auc, "boosting", {}, {}, 1, 1, 1)

    assert c.c2st_validity(scores(0.93), scores(0.99))[0]
    valid, remark = c.c2st_validity(scores(0.93), scores(0.94))
    assert not valid
    assert "NOT valid" in remark
    assert "phase-shuffled 0.940 (needed 0.95)" in remark
    assert not c.c2st_validity(scores(0.89), scores(0.99))[0]


def test_errors():
    """Sets that do not fit are told with their sizes."""
    with pytest.raises(TNGError, match="48 records, 3 stations"):
        c.describe(motion(0)[0], RATE, ["A", "B", "C"], network=False)


def test_without_scikit_learn(real, monkeypatch):
    """Without scikit-learn the message names the package."""
    monkeypatch.setitem(__import__("sys").modules, "sklearn.linear_model", None)
    with pytest.raises(TNGError, match="pip install scikit-learn"):
        c.c2st(real, real, n_splits=1, groups=False)


@pytest.fixture(scope="module")
def ridgecrest(shared_data):
    """Records of three stations and 42 events as recorded (counts of a flat broadband sensor), P at 10 s."""
    from obspy import read

    from obspy_tng.preprocessing import condition
    from obspy_tng.site.windows import energy_onsets

    data, station, event = [], [], []
    for path in sorted((shared_data / "ridgecrest" / "waveforms").glob("*.mseed")):
        stream = read(str(path))
        for code in ("CWC", "WMF", "SLA"):
            traces = stream.select(station=code)
            x = np.array([traces.select(component=k)[0].data for k in "ENZ"], dtype=float)
            x -= x.mean(axis=1, keepdims=True)
            first = max(0, int((energy_onsets(x, RATE)[0] - 10) * RATE))
            first = min(first, x.shape[1] - 6000)
            data.append(condition(x[:, first : first + 6000]))
            station.append(code)
            event.append(path.stem)
    return np.array(data), np.array(station), np.array(event)


def test_floor_and_baselines_on_ridgecrest(ridgecrest):
    """Real against real is .5 ± .04; averages of five reach .90 and shuffled phases .95."""
    data, station, event = ridgecrest
    real = c.describe(data, RATE, station, event, network=False)
    assert c.real_floor(real, n_splits=24, groups=False).auc == pytest.approx(0.5, abs=0.04)

    rng = np.random.default_rng(0)
    spectra = np.fft.rfft(data)
    phase = np.exp(2j * np.pi * rng.random((len(data), 1, spectra.shape[-1])))
    phase[..., [0, -1]] = 1
    shuffled = c.describe(np.fft.irfft(spectra * phase, 6000), RATE, station, event, network=False)
    averages, of, parents = [], [], []
    for code in np.unique(station):
        pool = np.flatnonzero(station == code)
        sd = data[pool].std(axis=-1, keepdims=True)
        for _ in range(50):
            k = rng.choice(len(pool), 5, replace=False)
            mean = (data[pool[k]] / sd[k]).mean(axis=0)
            averages.append(mean / mean.std(axis=-1, keepdims=True) * np.exp(np.log(sd[k]).mean(axis=0)))
            of.append(code)
            parents.append(event[pool[k]])
    averaged = c.describe(np.array(averages), RATE, of, np.array(parents), network=False)
    valid, remark = c.c2st_validity(*(c.c2st(real, x, n_splits=4, groups=False) for x in (averaged, shuffled)))
    assert valid, remark
