"""Archives in pieces: the same records and numbers however they are cut and whoever does the work."""

import os
import signal
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import obspy
import pytest

from obspy_tng import archive, read_records
from obspy_tng.errors import TNGError
from obspy_tng.io import blocks
from obspy_tng.pieces import pieces

RATE_HZ, START = 100.0, obspy.UTCDateTime(2024, 1, 1)


def traces(seconds=400.0, station="AAA", start=START, seed=0, components="ENZ"):
    """Return integer noise of three components as a Stream."""
    n = int(seconds * RATE_HZ)
    rows = np.random.default_rng(seed).normal(0, 1000, (len(components), n)).astype(np.int32)
    header = {"network": "XX", "station": station, "sampling_rate": RATE_HZ, "starttime": start}
    return obspy.Stream(
        [obspy.Trace(row, header | {"channel": f"HH{c}"}) for row, c in zip(rows, components, strict=True)]
    )


def write(stream, path):
    """Write a Stream as MiniSEED of 512-byte records."""
    stream.write(str(path), format="MSEED", reclen=512)
    return path


def samples(records, piece):
    """Return name, start and samples of records: what workers are given to do here."""
    return [(r.id, str(r.starttime), r.data.copy()) for r in records]


def fails(records, piece, *, name):
    """Fail on one station."""
    if records[0].station == name:
        raise ValueError("cannot do this one")
    return [r.station for r in records]


def killed(records, piece, *, names, once):
    """Return what `samples` does, where no record is of the named stations; those kill -9 their process.

    `once` is a folder: each name kills once only, and leaves a file there.
    """
    for name in {r.station for r in records} & set(names):
        if once is None or not (once / name).exists():
            if once is not None:
                (once / name).touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return samples(records, piece)


def run(paths, **settings):
    """Return all values in order, and what was skipped."""
    parts = list(archive.map_records(samples, paths, **settings))
    return [v for p in parts for v in p.value or ()], [s for p in parts for s in p.skipped]


def same(a, b):
    """Tell whether two lists of samples are the same to the last bit, in the same order."""
    return len(a) == len(b) and all(x[:2] == y[:2] and np.array_equal(x[2], y[2]) for x, y in zip(a, b, strict=True))


def test_blocks_hold_every_sample_once(tmp_path):
    """The blocks of a file add up to what ObsPy reads of it as a whole; so does reading all of them."""
    whole = traces()
    path = write(whole, tmp_path / "a.mseed")
    held = blocks.index(path, 20_000)
    assert len({b.offset for b in held}) > 10
    assert sum({b.offset: b.size for b in held}.values()) == path.stat().st_size
    for trace, read in zip(whole, sorted(blocks.read_blocks(held), key=lambda t: t.id), strict=True):
        mine = [b for b in held if b.id == trace.id]
        assert (mine[0].start_ns, mine[-1].end_ns) == (trace.stats.starttime.ns, trace.stats.endtime.ns)
        assert np.array_equal(read.data, trace.data)


def test_blocks_of_unequal_records(tmp_path):
    """A file whose records change length is read whole instead of being cut inside a record."""
    first, second = write(traces(60), tmp_path / "a"), tmp_path / "b"
    traces(60, start=START + 60).write(str(second), format="MSEED", reclen=4096)
    both = tmp_path / "c.mseed"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    held = blocks.index(both, 20_000)
    assert {b.offset for b in held} == {0}
    assert max(b.end_ns for b in held) == (START + 120 - 0.01).ns


@pytest.mark.parametrize("overlap, total", [(0.0, 6), (0.5, 12)])
def test_stretches_hold_the_windows_of_the_whole(tmp_path, overlap, total):
    """Windows of 60 s cut from stretches of any length are, sample by sample, those of the whole record."""
    whole = traces()
    path = write(whole, tmp_path / "a.mseed")
    data = np.array([t.data for t in whole], dtype=float)
    step = round(6000 * (1 - overlap))
    for piece_s in (130.0, 1000.0):
        skipped = []
        todo = pieces(path, skipped, window_s=60, overlap=overlap, piece_s=piece_s)
        assert [p.stretch.first_window for p in todo] == list(np.cumsum([0, *(p.stretch.n_windows for p in todo)])[:-1])
        assert sum(p.stretch.n_windows for p in todo) == total == todo[0].stretch.total_windows
        found, _ = run(path, window_s=60, overlap=overlap, piece_s=piece_s)
        for piece, (_, start, rows) in zip(todo, found, strict=True):
            first = piece.stretch.first_window * step
            assert obspy.UTCDateTime(start) == START + first / RATE_HZ
            assert rows.shape[1] == (piece.stretch.n_windows - 1) * step + 6000
            assert np.array_equal(rows, data[:, first : first + rows.shape[1]])


def test_stretches_begin_at_the_first_common_sample(tmp_path):
    """Components that begin at different times count their windows from the last of them."""
    whole = traces(200)
    for k, trace in enumerate(whole):
        trace.trim(START + 3 * k)
    path = write(whole, tmp_path / "a.mseed")
    (piece,) = pieces(path, [], window_s=60)
    assert piece.stretch.origin == START + 6
    assert piece.stretch.total_windows == 3


def test_gap_parts_a_recording(tmp_path):
    """A gap in one component ends a stretch for all three; what is shorter than a window is told."""
    early, late, short = traces(400)[1:2], traces(400)[1:2], traces(400)[1:2]
    early.trim(START, START + 129.99)
    short.trim(START + 140, START + 169.99)
    late.trim(START + 200, START + 400)
    rest = traces(400)
    path = write(obspy.Stream([rest[0], rest[2]]) + early + short + late, tmp_path / "a.mseed")
    skipped = []
    todo = pieces(path, skipped, window_s=60)
    assert [(p.stretch.origin - START, p.stretch.total_windows) for p in todo] == [(0.0, 2), (200.0, 3)]
    assert "1 stretch(es) without a gap, the longest of 30.00 s" in skipped[0].reason


def test_recording_over_several_files(tmp_path):
    """One file per channel and day, as archives have them: windows run on over midnight and the files' ends."""
    whole = traces(400)
    for trace in whole:
        for k, (a, b) in enumerate(((0, 149.99), (150, 399.99))):
            write(obspy.Stream([trace.slice(START + a, START + b)]), tmp_path / f"{trace.id}.{k}")
    found, skipped = run(tmp_path, window_s=60, piece_s=120)
    assert skipped == []
    joined = np.concatenate([rows for _, _, rows in found], axis=1)
    assert np.array_equal(joined, np.array([t.data for t in whole], dtype=float)[:, :36000])


def test_geopsys_shorter_windows(tmp_path):
    """The last window may lack a sample where asked for, and is never alone in its stretch."""
    path = write(traces(299.99), tmp_path / "a.mseed")
    (one,) = pieces(path, [], window_s=60, shorter=1)
    assert (one.stretch.total_windows, one.stretch.npts) == (5, 29999)
    assert pieces(path, [], window_s=60)[0].stretch.total_windows == 4
    counts = [p.stretch.n_windows for p in pieces(path, [], window_s=60, shorter=1, piece_s=120)]
    assert counts == [2, 3]
    assert pieces(path, [], window_s=60, max_windows=1)[0].stretch.total_windows == 1


def test_what_cannot_be_windowed_is_told(tmp_path):
    """Missing component, unequal rates, a file shorter than a window: one line each, the rest is done."""
    write(traces(100, "TWO", components="EZ"), tmp_path / "two.mseed")
    unequal = traces(100, "RATE")
    unequal[0].stats.sampling_rate = 50
    write(unequal, tmp_path / "rate.mseed")
    write(traces(3, "SHORT"), tmp_path / "short.mseed")
    write(traces(100, "GOOD"), tmp_path / "good.mseed")
    (tmp_path / "notes.txt").write_text("not a waveform")
    found, skipped = run(tmp_path, window_s=60)
    assert [name for name, *_ in found] == ["XX.GOOD..20240101T000000"]
    reasons = {s.name.split("/")[-1]: s.reason for s in skipped}
    assert "HHE, HHZ are not a triple" in reasons["XX.TWO..HH?"]
    assert "50, 100 Hz" in reasons["XX.RATE..HH?"]
    assert "3.00 s, are shorter than a window of 60 s" in reasons["XX.SHORT..HH?"]
    assert "not a waveform" in reasons["notes.txt"]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Return a folder of whole files, single components over several folders, and a zip with a foreign member."""
    folder = tmp_path_factory.mktemp("mixed")
    for k in range(5):
        write(traces(30, f"F{k}", seed=k), folder / f"f{k}.mseed")
    for c in "ENZ":  # so far apart that a run of files ends between them
        (folder / c).mkdir()
        for k in range(20):
            one = traces(20, f"C{k:02d}", seed=k, components="ENZ").select(component=c)
            write(one, folder / c / f"c{k}.mseed")
    with zipfile.ZipFile(folder / "z.zip", "w") as zipped:
        for k in range(100):
            for c in "ENZ"[: 3 if k % 10 == 0 else 0]:
                path = write(traces(20, f"Z{k:02d}", seed=k).select(component=c), folder.parent / "one")
                zipped.write(path, f"z{k:03d}_{c}.mseed")
            zipped.writestr(f"z{k:03d}_notes.txt", "")
    return folder


def test_pieces_of_files_give_what_reading_all_gives(mixed):
    """Records and what is skipped are those of one pass over everything, also where siblings lie in other pieces."""
    assert len(pieces(mixed, [])) > 3
    found, skipped = run(mixed)
    whole = read_records(mixed)
    assert sorted(name for name, *_ in found) == sorted(r.id for r in whole)
    assert len(found) == 5 + 20 + 10
    by_id = {r.id: r.data for r in whole}
    assert all(np.array_equal(rows, by_id[name]) for name, _, rows in found)
    assert sorted(skipped) == sorted(whole.skipped)
    assert len(skipped) == 100


def test_jobs_change_nothing(mixed, tmp_path):
    """Two processes return what one does, to the last bit and in the same order, of files and of stretches."""
    one, two = run(mixed), run(mixed, jobs=2)
    assert same(one[0], two[0])
    assert one[1] == two[1]


def test_scheduler_changes_nothing(tmp_path):
    """A dask cluster returns what this process does; its address is all that is needed."""
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    path = write(traces(400), tmp_path / "a.mseed")
    alone = run(path, window_s=60, piece_s=120)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as cluster:
        shared = run(path, window_s=60, piece_s=120, scheduler=cluster.scheduler_address)
    assert len(alone[0]) == 3
    assert same(alone[0], shared[0])


def test_no_scheduler_is_one_line():
    """An address where nobody listens is an error that names it."""
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    with pytest.raises(TNGError, match="nonsense://1"):
        list(archive.map_records(samples, "data_samples", scheduler="nonsense://1"))


def test_failing_piece_is_skipped_with_its_reason(tmp_path):
    """What raises on one piece is named, and the others are done."""
    for k in range(30):
        write(traces(20, f"F{k:02d}", seed=k), tmp_path / f"f{k:02d}.mseed")
    parts = list(archive.map_records(partial(fails, name="F00"), tmp_path))
    assert [s for p in parts for s in p.skipped] == [
        ("f00.mseed and 23 more".replace("f00", f"{tmp_path.name}/f00"), "unexpected ValueError: cannot do this one")
    ]
    assert [v for p in parts for v in p.value or ()] == [f"F{k}" for k in range(24, 30)]


@pytest.fixture(scope="module")
def thirty(tmp_path_factory):
    """Return a folder of 30 recordings, each of them in a piece of its own when cut into windows."""
    folder = tmp_path_factory.mktemp("thirty")
    for k in range(30):
        write(traces(20, f"F{k:02d}", seed=k), folder / f"f{k:02d}.mseed")
    return folder


def test_killed_workers_change_nothing(thirty, tmp_path):
    """Kill -9 of a worker, twice: what was lost with it is done again, and all is as if nothing had happened."""
    function = partial(killed, names=("F03", "F20"), once=tmp_path)
    parts = list(archive.map_records(function, thirty, window_s=10, jobs=2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["F03", "F20"]
    assert [s for p in parts for s in p.skipped] == []
    assert same([v for p in parts for v in p.value or ()], run(thirty, window_s=10)[0])


def test_piece_that_kills_its_workers_is_skipped_alone(thirty):
    """A piece that kills every worker it meets is named with the reason; all others are done, in order."""
    function = partial(killed, names=("F00", "F21"), once=None)
    parts = list(archive.map_records(function, thirty, window_s=10, jobs=2))
    skipped = [s for p in parts for s in p.skipped]
    assert [s.name[:6] for s in skipped] == ["XX.F00", "XX.F21"]
    assert all("killed its worker process twice" in s.reason and "memory" in s.reason for s in skipped)
    done = [v for p in parts for v in p.value or ()]
    assert same(done, [v for v in run(thirty, window_s=10)[0] if v[0][3:6] not in ("F00", "F21")])


def test_script_without_main_ends(thirty, tmp_path):
    """Workers that cannot begin are told of for each piece, in little time: not one is started per piece."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from obspy_tng.archive import map_records\n"
        "from test_archive import samples\n"
        "print('begun', file=sys.stderr)\n"
        f"parts = list(map_records(samples, {str(thirty)!r}, window_s=10, jobs=2))\n"
        "print(*(s.reason for p in parts for s in p.skipped), sep='\\n')\n"
    )
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    where = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env=where, timeout=60)
    told = done.stdout.splitlines()
    assert len(told) == 30
    assert set(told) == {"worker processes die at once: no memory, or a script without `if __name__ ==`"}
    assert done.stderr.count("begun") <= 6


@pytest.mark.parametrize(
    "settings, match",
    [({"jobs": 0}, "jobs 0"), ({"window_s": 0.0}, "above 0"), ({"window_s": 1, "overlap": 1}, "overlap")],
)
def test_settings_are_checked(tmp_path, settings, match):
    """Settings that make no sense are told before anything is read."""
    write(traces(20), tmp_path / "a.mseed")
    with pytest.raises(TNGError, match=match):
        list(archive.map_records(samples, tmp_path, **settings))


def test_progress_counts_pieces(tmp_path):
    """The callback is told each piece and their number, in order."""
    path = write(traces(400), tmp_path / "a.mseed")
    told = []
    list(archive.map_records(samples, path, window_s=60, piece_s=120, progress=lambda *at: told.append(at)))
    assert told == [(1, 3), (2, 3), (3, 3)]
