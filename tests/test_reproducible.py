"""Same seed, same samples: whatever threads, pieces, process or order of calls; and the numbers of what is shipped."""

import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import golden
import numpy as np
import obspy
import pytest
import torch
from threadpoolctl import threadpool_limits

import obspy_tng as tng
from obspy_tng import synthesis
from obspy_tng.models import cores, list_models, load_model
from obspy_tng.models.weights import read_tensors, sha256
from obspy_tng.pool_build import told_windows

MODELS = [None, "tng-ridgecrest-1"]
GPU_RTOL = 1e-3  # of a record's largest sample: float32 networks, TF32 off, sums in another order


def samples(stream):
    """Return all samples of a Stream as one array."""
    return np.array([trace.data for trace in stream])


@pytest.fixture(scope="module")
def five():
    """Return five realisations of each model."""
    return {model: samples(tng.generate("CI.CWC", n=5, seed=3, model=model)) for model in MODELS}


@pytest.fixture
def threads():
    """Return a function that sets the threads of torch and BLAS; they are set back afterwards."""
    before = torch.get_num_threads()
    limits = []

    def set_threads(n):
        torch.set_num_threads(n)
        limits.append(threadpool_limits(n))

    yield set_threads
    torch.set_num_threads(before)
    for limit in reversed(limits):
        limit.restore_original_limits()


# --- the CPU, to the last bit


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("n", [1, 2, 4])
def test_threads(five, threads, monkeypatch, model, n):
    """Whatever the threads of torch and BLAS, and the workers: the same bits."""
    threads(n)
    monkeypatch.setattr(cores, "_cores", lambda: n)
    assert np.array_equal(samples(tng.generate("CI.CWC", n=5, seed=3, model=model)), five[model])


@pytest.mark.parametrize("forks", [True, False])
def test_forks(five, monkeypatch, forks):
    """Forked or not: the same bits."""
    monkeypatch.setattr(cores, "_MANY", 2)
    monkeypatch.setattr(cores, "_may_fork", lambda: forks)
    assert np.array_equal(samples(tng.generate("CI.CWC", n=5, seed=3)), five[MODELS[0]])


def _squares(n):
    return cores.on_all_cores(lambda k: k**2, range(n))


def test_workers_that_may_have_no_children_have_none():
    """In a process of `multiprocessing.Pool`, which must not start others, threads do it."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_squares, (40,)) == [k**2 for k in range(40)]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
def test_a_killed_process_loses_nothing(monkeypatch):
    """What a killed child had in hand is done again, by threads; errors of the task are errors."""

    parent = os.getpid()

    def kills(number):
        if number == 3 and os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return number**2

    monkeypatch.setattr(cores, "_MANY", 2)
    monkeypatch.setattr(cores, "_may_fork", lambda: True)
    assert parent not in cores.on_all_cores(lambda n: os.getpid(), range(8))[1:]  # they are forked
    assert cores.on_all_cores(kills, range(8)) == [n**2 for n in range(8)]
    with pytest.raises(ZeroDivisionError):
        cores.on_all_cores(lambda n: 1 // n, range(8))


@pytest.mark.parametrize("model", MODELS)
def test_pieces(five, monkeypatch, model):
    """The first five of eight, made in pieces of three, are the five, to the bit; the sixth is another."""
    monkeypatch.setattr(synthesis, "_CHUNK", 3)
    eight = samples(tng.generate("CI.CWC", n=8, seed=3, model=model))
    assert np.array_equal(eight[:15], five[model])
    assert not np.array_equal(eight[15:18], eight[12:15])


def test_order_of_calls_and_foreign_seeds(five):
    """Other stations before it, and the global generators of numpy and torch, change nothing, nor are they changed."""
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    tng.generate("TK.0205", seed=9)
    again = samples(tng.generate("CI.CWC", n=5, seed=3))
    assert np.array_equal(again, five[None])
    drawn = np.random.random(), torch.rand(1).item()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    assert drawn == (np.random.random(), torch.rand(1).item())  # noqa: NPY002


def test_seeds_differ(five):
    """Another seed makes other samples, and realisations of one seed differ."""
    assert not np.array_equal(samples(tng.generate("CI.CWC", seed=4)), five[None][:3])
    assert len({row.tobytes() for row in five[None]}) == 15


def test_processes(five, tmp_path):
    """Two runs of the command, with other threads and hash seeds, write the same bytes: those of the API."""
    digests = []
    for n in ("1", "2"):
        out = tmp_path / n
        command = [sys.executable, "-m", "obspy_tng.cli", "generate", "--station", "CI.CWC", "-n", "5", "--seed", "3"]
        environment = {**os.environ, "OMP_NUM_THREADS": n, "PYTHONHASHSEED": n}
        subprocess.run([*command, "--out", str(out)], env=environment, check=True, capture_output=True)
        digests.append({p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in out.iterdir()})
    assert digests[0] == digests[1] and len(digests[0]) == 2
    assert np.array_equal(samples(obspy.read(str(tmp_path / "1" / "CI.CWC_3.mseed"))), five[None])


@pytest.mark.parametrize("model", MODELS)
def test_codes_of_records(corpus, threads, model):
    """Codes do not depend on threads or on the other records beyond a millionth; few change their stored step."""
    records = [r for r in corpus.records() if r.code == "XT.SOFT"]
    model = load_model(model)
    windows = told_windows(records)
    threads(1)
    one, _ = model.describe(windows)
    threads(2)
    two, _ = model.describe(windows)
    order = np.random.default_rng(0).permutation(len(records))[:3]
    few, _ = model.describe(told_windows([records[i] for i in order]))
    for other, known in ((two, one), (few, one[order])):
        assert np.abs(other - known).max() < 2e-6 * np.abs(one).max()
    pool, part = (tng.build_pool(r, model=model) for r in (records, [records[i] for i in order]))
    step = np.abs(pool.latents[order]).max(axis=-1, keepdims=True) / 127
    moved = np.abs(part.latents - pool.latents[order]) / step
    assert moved.max() < 1.01 and (moved > 0.5).mean() < 1e-3


def test_pools_generate_the_same_from_a_file(corpus, tmp_path):
    """A pool made twice, or saved and loaded, is the same pool to the bit, and so is what it makes."""
    records = [r for r in corpus.records() if r.code == "XT.SOFT"]
    pools = [tng.build_pool(records), tng.build_pool(records)]
    path = pools[0].save(tmp_path / "p.h5")
    assert path.read_bytes() == pools[1].save(tmp_path / "q.h5").read_bytes()
    made = [samples(tng.generate(pool=pool, n=2, seed=1)) for pool in (*pools, path)]
    assert np.array_equal(made[0], made[1]) and np.array_equal(made[0], made[2])


def test_hvsr_threads(corpus, threads):
    """H/V curves have the same bits whatever the threads of BLAS."""
    curves = []
    for n in (1, 2, 4):
        threads(n)
        curves.append(tng.hvsr(corpus.records()).hvsr.values)
    assert np.array_equal(curves[0], curves[1], equal_nan=True)
    assert np.array_equal(curves[0], curves[2], equal_nan=True)


def test_training_threads(corpus, tmp_path):
    """One epoch by one thread, twice, is the same to the bit; by two threads within 1e-5 of the largest weight."""
    how = dict(kind="spectral", epochs=1, batch=8, precision="fp32", seed=3)
    for name, n in (("one", 1), ("again", 1), ("two", 2)):
        tng.train(corpus, tmp_path / name, threads=n, name="x", **how)
    one, again, two = (read_tensors(tmp_path / n / "model.safetensors")[0] for n in ("one", "again", "two"))
    assert all(torch.equal(one[k], again[k]) for k in one)
    largest = max(float(v.abs().max()) for v in one.values())
    assert max(float((one[k] - two[k]).abs().max()) for k in one) < 1e-5 * largest


# --- the GPU, within a tolerance


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device (none here)")
@pytest.mark.parametrize("model", MODELS)
def test_gpu(five, model):
    """A GPU makes the samples of the CPU within a thousandth of the record's largest."""
    found = samples(tng.generate("CI.CWC", n=5, seed=3, model=model, device="cuda"))
    assert np.all(np.abs(found - five[model]) <= GPU_RTOL * np.abs(five[model]).max(axis=1, keepdims=True))


# --- what was released


def test_shipped_weights_are_those_of_their_cards():
    """The sha256 of each shipped file is that in its card, and of its pools."""
    from obspy_tng.models import SHIPPED
    from obspy_tng.pool import SHIPPED_POOLS, LatentPool

    for name, card in list_models().items():
        assert sha256(SHIPPED / f"{name}.safetensors") == card["weights_sha256"]
        for path in sorted((SHIPPED_POOLS / name).glob("*.h5"))[:3]:
            assert LatentPool.load(path).model_sha256 == card["weights_sha256"]


@pytest.fixture(scope="module")
def today():
    """Return the golden numbers of today."""
    return golden.numbers()


@pytest.mark.parametrize("case", golden.kept())
def test_golden_numbers(today, case):
    """Amplitudes, spectra, timing and codes are those kept, within 1e-3."""
    far = golden.distance(today[case], golden.kept()[case])
    assert far < 1, f"{far:.3g} of the tolerance; changed on purpose? python tests/golden.py --write"


def test_golden_numbers_would_tell(monkeypatch, tmp_path):
    """Weights off by a hundredth are out of tolerance; numbers more or fewer, too."""
    from obspy_tng.models.autoencoder import Autoencoder

    load = Autoencoder.load.__func__

    def off(cls, path, *, device="cpu"):
        model = load(cls, path, device=device)
        with torch.no_grad():
            for weight in model.network.parameters():
                weight.mul_(1.01)
        return model

    case = "CI.CWC default"
    monkeypatch.setattr(Autoencoder, "load", classmethod(off))
    monkeypatch.setattr(golden, "CASES", golden.CASES[:1])
    assert golden.distance(golden.numbers()[case], golden.kept()[case]) > 2
    assert golden.distance(golden.kept()[case][1:], golden.kept()[case]) == np.inf


def test_golden_command(tmp_path, monkeypatch, capsys):
    """`python tests/golden.py --write` writes what the test then finds equal."""
    monkeypatch.setattr(golden, "CASES", golden.CASES[1:2])
    monkeypatch.setattr(golden, "PATH", tmp_path / "g.json")
    monkeypatch.setattr(sys, "argv", ["golden.py", "--write"])
    golden.main()
    written = json.loads(Path(tmp_path / "g.json").read_text())
    assert list(written) == ["TK.0205 default"] and golden.distance(*written.values(), *golden.numbers().values()) == 0
    monkeypatch.setattr(sys, "argv", ["golden.py"])
    golden.main()
    assert "TK.0205 default" in capsys.readouterr().out
