"""Evaluation of many stations on a dask cluster, and of corpora: the figures of one process and of files."""

import numpy as np
import pytest

import obspy_tng as tng
from obspy_tng import archive
from obspy_tng.errors import TNGError
from obspy_tng.evaluation import features, sets

SETTINGS = {"c2st": False, "n_splits": 2, "jobs": 1}


@pytest.fixture(scope="module")
def cluster():
    """Return the address of a dask scheduler with two workers of one thread each."""
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    how = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(processes=False, **how) as running:
        yield running.scheduler_address


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a corpus of 5 records each of two stations, and the same as Streams."""
    folder = tng.generate_corpus(["CI.CWC", "CI.WMF"], 5, tmp_path_factory.mktemp("made") / "c", seed=1)
    return folder, [tng.generate(code, n=5, seed=1) for code in ("CI.CWC", "CI.WMF")]


def arrays(result):
    """Return every variable of a result as bytes."""
    return {name: np.asarray(result[name].values).tobytes() for name in result.variables}


def refuse(item):
    """Fail, as work on a cluster may."""
    raise ValueError(f"not {item}")


def test_cluster_changes_no_figure(cluster, made):
    """All that evaluate returns of two stations, measured by two workers, equals the serial result bit for bit."""
    folder, _ = made
    real = tng.simulate(magnitude=4.0, distance_km=20.0, n=5, seed=1, station="CWC", network="CI")
    real += tng.simulate(magnitude=4.0, distance_km=30.0, n=5, seed=2, station="WMF", network="CI")
    alone = tng.evaluate(real, folder, **SETTINGS)
    shared = tng.evaluate(real, folder, scheduler=cluster, **SETTINGS)
    assert arrays(alone) == arrays(shared)
    assert np.isfinite(alone.value.values).any() and alone.sizes["station"] == 2


def test_corpus_is_what_its_records_are(made):
    """Samples, provenance and parents read from a corpus are those of the Streams of the same realisations."""
    folder, streams = made
    a, b = sets.gather(folder, "generated"), sets.gather(streams, "generated")
    assert a.parents == b.parents and len(a.parents) > 3
    assert [r.code for r in a.records] == [r.code for r in b.records]
    assert all(np.array_equal(x.data, y.data) for x, y in zip(a.records, b.records, strict=True))
    assert [{**m, "seed": m["seed"]} for m in a.made] == [
        {k: v for k, v in m.items() if k in a.made[0]} for m in b.made
    ]


def test_shared_work_keeps_its_order(cluster):
    """Values come in the order of the items, taken as workers are free and not all at once."""
    taken = []

    def items():
        for k in range(20):
            taken.append(k)
            yield np.full((1, 3, 2000), float(k + 1)) * np.random.default_rng(k).normal(size=(1, 3, 2000))

    parts = archive.share(features.measure, items(), cluster)
    first = next(parts)
    assert len(taken) <= 5
    found = [first, *parts]
    assert len(found) == 20
    assert all(np.array_equal(f["ln_im"], features.measure(x)["ln_im"]) for f, x in zip(found, items(), strict=True))


def test_errors_of_workers_are_told(cluster):
    """An error of the function is raised here as it is; an address where nobody listens is one line."""
    with pytest.raises(ValueError, match="not 3"):
        list(archive.share(refuse, [3], cluster))
    with pytest.raises(TNGError, match="nonsense://1"):
        list(archive.share(refuse, [3], "nonsense://1"))
