"""Fixtures shared by all tests."""

from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[1] / "data_samples" / "network"


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real records beside the repository; tests that need it skip where it is absent."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data (absent)")
    return folder


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Return a corpus of the sample network; tests read it only."""
    import obspy_tng as tng

    path = tmp_path_factory.mktemp("corpus") / "c"
    return tng.build_corpus(SAMPLES, path, SAMPLES / "stations.xml", SAMPLES / "events.xml")[0]
