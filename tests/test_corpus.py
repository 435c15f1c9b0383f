"""Corpora in SeisBench layout: what is written, that it comes back, and what a damaged one says."""

import csv
import json
from pathlib import Path

import h5py
import numpy as np
import obspy
import pytest
from obspy import UTCDateTime

from obspy_tng import corpus as module
from obspy_tng.corpus import Corpus, build_corpus, split_events
from obspy_tng.errors import FormatError, RecordError
from obspy_tng.record import read_records, records
from obspy_tng.simulation import simulate

SAMPLES = Path(__file__).parents[1] / "data_samples"
NETWORK = SAMPLES / "network"
TRUTH = json.loads((SAMPLES / "truth.json").read_text(encoding="utf-8"))
FILES = sorted(NETWORK.glob("*.mseed"))
METADATA = {"inventory": NETWORK / "stations.xml", "events": NETWORK / "events.xml"}

# https://seisbench.readthedocs.io, "The SeisBench Data Format", tables of known parameters
SEISBENCH_COLUMNS = {
    "trace_name", "trace_start_time", "trace_sampling_rate_hz", "trace_npts", "trace_p_arrival_sample",
    "trace_s_arrival_sample", "source_id", "source_origin_time", "source_latitude_deg", "source_longitude_deg",
    "source_depth_km", "source_magnitude", "station_code", "station_network_code", "station_location_code",
    "station_latitude_deg", "station_longitude_deg", "station_elevation_m", "path_ep_distance_km",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A corpus of the sample network: 8 events at 4 stations."""
    out = tmp_path_factory.mktemp("corpus") / "network"
    _, skipped = build_corpus(NETWORK, out, **METADATA)
    assert sorted(Path(name).name for name, _ in skipped) == ["events.xml", "stations.xml"]
    return out


@pytest.fixture
def copy(folder, tmp_path):
    """A copy of the corpus that a test may damage."""
    out = tmp_path / "copy"
    out.mkdir()
    for path in folder.iterdir():
        (out / path.name).write_bytes(path.read_bytes())
    return out


def rows_of(folder):
    """Return the table as lists of strings, header first."""
    with (folder / "metadata.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def write_rows(folder, rows):
    """Write a table anew."""
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


# --- layout


def test_all_records_are_there(folder):
    """32 records, 8 per station and 4 per event, names unique and waveforms for each."""
    made = Corpus(folder)
    assert len(made) == 32
    assert {code: made.codes().count(code) for code in made.codes()} == {
        "XT.SOFT": 8, "XT.STIFF": 8, "XT.TWO": 8, "XT.ROCK": 8,
    }  # fmt: skip
    events = made.event_ids()
    assert set(events) == {path.stem for path in FILES}
    assert all(events.count(event) == 4 for event in events)
    names = [row["trace_name"] for row in made.rows]
    with h5py.File(folder / "waveforms.hdf5") as file:
        assert sorted(names) == sorted(file["data"]) and len(set(names)) == 32
    assert not any("$" in name for name in names), "SeisBench reads $ as a block of traces"


def test_layout_is_seisbenchs(folder):
    """Two files, known column names, groups data and data_format with the required entries, float32 (3, n)."""
    assert sorted(path.name for path in folder.iterdir()) == ["metadata.csv", "waveforms.hdf5"]
    header = set(rows_of(folder)[0])
    assert header >= SEISBENCH_COLUMNS
    assert all(name.split("_")[0] in ("trace", "source", "station", "path") for name in header)
    with h5py.File(folder / "waveforms.hdf5") as file:
        form = {key: value.asstr()[()] for key, value in file["data_format"].items()}
        assert form["dimension_order"] == "CW" and form["component_order"] == "ENZ"
        assert (form["measurement"], form["unit"]) == ("acceleration", "mps2")
        for data in file["data"].values():
            assert data.shape == (3, 6500) and data.dtype == np.float32


def test_metadata_are_the_simulated_ones(folder):
    """Station, time, magnitude, distance and onset samples of each row are those of truth.json."""
    places = {"SOFT": (38.40, 27.15, 12.0), "ROCK": (38.52, 27.05, 410.0)}
    for row in Corpus(folder).rows:
        truth = TRUTH[f"network/{row['source_id']}.mseed#{row['station_code']}"]
        assert row["station_network_code"] == "XT" and row["trace_file"].endswith(f"{row['source_id']}.mseed")
        assert abs(UTCDateTime(row["trace_start_time"]) - UTCDateTime(truth["starttime"])) < 1e-3
        assert (float(row["trace_sampling_rate_hz"]), int(row["trace_npts"])) == (100.0, 6500)
        assert float(row["source_magnitude"]) == truth["magnitude"]
        assert float(row["path_ep_distance_km"]) == pytest.approx(truth["distance_km"], rel=0.005)
        assert float(row["trace_p_arrival_sample"]) == pytest.approx(100 * truth["p_s"], abs=30)
        assert float(row["trace_s_arrival_sample"]) == pytest.approx(100 * truth["s_s"], abs=40)
        if row["trace_onset_source"] == "pick":
            assert float(row["trace_p_arrival_sample"]) == pytest.approx(100 * truth["p_s"], abs=1.1)
            assert float(row["trace_s_arrival_sample"]) == pytest.approx(100 * truth["s_s"], abs=1.1)
        if row["station_code"] in places:
            got = tuple(float(row[f"station_{k}"]) for k in ("latitude_deg", "longitude_deg", "elevation_m"))
            assert got == places[row["station_code"]]


# --- round trip


def test_records_come_back(folder):
    """Samples to float32, and every field that a record has, equal those read from the files."""
    direct = {r.id: r for r in read_records(FILES, **METADATA)}
    back = Corpus(folder).records()
    assert len(back) == len(direct) == 32 and not back.skipped
    for record in back:
        other = direct[record.id]
        np.testing.assert_array_equal(record.data, other.data.astype(np.float32))
        assert record.data.dtype == np.float64
        for field in ("network", "station", "location", "channels", "sampling_rate", "units", "event_id",
                      "latitude_deg", "longitude_deg", "elevation_m", "magnitude", "event_depth_km", "distance_km",
                      "event_latitude_deg", "event_longitude_deg", "onset_source"):  # fmt: skip
            assert getattr(record, field) == getattr(other, field), field
        assert abs(record.starttime - other.starttime) < 1e-6
        assert abs(record.origin_time - other.origin_time) < 1e-6
        assert record.p_s == pytest.approx(other.p_s, abs=1e-4)
        assert record.s_s == pytest.approx(other.s_s, abs=1e-4)
        assert np.isnan(record.vs30_mps) and np.isnan(other.vs30_mps)


def test_some_records_in_the_order_asked_for(folder):
    """Indices choose and order."""
    made = Corpus(folder)
    got = made.records([7, 2])
    assert [r.id for r in got] == [made.rows[7]["trace_name"], made.rows[2]["trace_name"]]


def test_leading_zeros_survive(tmp_path):
    """Station 0099 of AFAD is "0099" in the table, in the codes and in the records."""
    made, _ = build_corpus(sorted(SAMPLES.glob("*.asc")), tmp_path / "afad")
    assert made.codes() == ["TK.0099"]
    assert ",0099," in (tmp_path / "afad/metadata.csv").read_text(encoding="utf-8")
    (record,) = made.records()
    assert record.station == "0099"
    for row, component in zip(record.data, "ENZ", strict=True):
        key = f"20210214030714_0099_mp_RawAcc_{component.replace('Z', 'U')}.asc"
        assert np.abs(row).max() == pytest.approx(TRUTH[key]["pga_mps2"][component], rel=1e-4)


def test_names_with_slashes_and_without_network(tmp_path):
    """AT2 has no network, and a date with slashes in the name of its event."""
    made, _ = build_corpus(sorted(SAMPLES.glob("*.AT2")), tmp_path / "at2")
    (record,) = made.records()
    assert made.codes() == [record.station] and "/" in record.id
    assert np.abs(record.data[2]).max() == pytest.approx(0.102365, rel=1e-4)


def test_two_records_of_one_id_are_both_kept(tmp_path):
    """One event recorded by two instruments at one location: two rows with names of their own."""
    for instrument in ("N", "X"):
        part = simulate(instrument=instrument, seed=1, duration_s=30.0, distance_km=10.0, network="TK")
        for number, trace in enumerate(part):
            trace.stats.location = ""
            trace.stats.sac = {"kinst": "TNG", "stla": 38.0, "stlo": 27.0, "evla": 38.1, "evlo": 27.0, "kevnm": "E1"}
            trace.write(str(tmp_path / f"{instrument}{number}.sac"), format="SAC")
    made, skipped = build_corpus(tmp_path / "*.sac", tmp_path / "out")
    assert len(made) == 2 and not skipped
    assert len({row["trace_name"] for row in made.rows}) == 2
    assert sorted(r.channels[0] for r in made.records()) == ["HNE", "HXE"]


def test_other_component_orders_are_read(copy):
    """A corpus written as ZNE by others gives E, N, Z."""
    expected = Corpus(copy).records([0])[0].data
    with h5py.File(copy / "waveforms.hdf5", "a") as file:
        for name in file["data"]:
            file[f"data/{name}"][...] = file[f"data/{name}"][()][::-1]
        del file["data_format/component_order"]
        file["data_format/component_order"] = "ZNE"
    np.testing.assert_array_equal(Corpus(copy).records([0])[0].data, expected)


def test_ridgecrest_event(shared_data, tmp_path):
    """All stations of one real event: magnitudes and codes as in the file, P within the record."""
    root = shared_data / "ridgecrest"
    path = sorted((root / "waveforms").glob("*.mseed"))[0]
    made, skipped = build_corpus(path, tmp_path / "one", root / "stations.xml", root / "events.xml")
    stations = {f"{t.stats.network}.{t.stats.station}" for t in obspy.read(str(path), headonly=True)}
    assert len(made) + len(skipped) == len(stations)
    assert set(made.codes()) <= stations
    assert set(made.event_ids()) == {path.stem}
    arrivals = [float(row["trace_p_arrival_sample"]) / 100 for row in made.rows if row["trace_p_arrival_sample"]]
    assert len(arrivals) > 0.9 * len(made)
    assert 13 < np.median(arrivals) < 18  # there are 14 to 17 s of record before P


# --- building fails whole


def test_existing_folder_is_refused(folder):
    """Nothing is overwritten, not even an empty folder, and the message says what to do."""
    before = (folder / "metadata.csv").read_bytes()
    with pytest.raises(FormatError, match=r"exists already.*another folder"):
        build_corpus(FILES[0], folder, **METADATA)
    assert (folder / "metadata.csv").read_bytes() == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError])
def test_killed_build_leaves_nothing(tmp_path, monkeypatch, error):
    """Interrupted after the first file: neither the corpus nor a temporary folder beside it."""
    calls = []

    def dying(record, name):
        calls.append(name)
        if len(calls) > 5:
            raise error
        return whole(record, name)

    whole = module.row_of
    monkeypatch.setattr(module, "row_of", dying)
    with pytest.raises(error):
        build_corpus(NETWORK, tmp_path / "out", **METADATA)
    assert len(calls) == 6
    assert list(tmp_path.iterdir()) == []


def test_nothing_usable_is_an_error(tmp_path):
    """Only foreign files: an error with a reason, and no folder."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/notes.txt").write_text("no record")
    with pytest.raises(RecordError, match=r"no usable record.*notes\.txt"):
        build_corpus(tmp_path / "in", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_unknown_units_are_an_error(tmp_path):
    """Counts without an inventory cannot be a corpus of m/s²; units= makes them one."""
    with pytest.raises(RecordError, match="unknown units"):
        build_corpus(FILES[0], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    made, _ = build_corpus(FILES[0], tmp_path / "out", units="gal")
    counts = records(obspy.read(str(FILES[0])))
    np.testing.assert_allclose(made.records()[0].data, counts[0].data * 0.01, rtol=1e-6)


def test_progress_tells_every_file(tmp_path):
    """One line per file, the number of records growing."""
    lines = []
    build_corpus(FILES[:3], tmp_path / "out", **METADATA, progress=lines.append)
    assert [line.split()[0] for line in lines] == ["4", "8", "12"]


# --- damaged


def test_no_corpus(tmp_path):
    """A folder without the two files, or none, says what is needed."""
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(FormatError, match=r"needs metadata\.csv and waveforms\.hdf5"):
            Corpus(path)


@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.99])
def test_damaged_hdf5(copy, keep):
    """Cut short or overwritten: a FormatError that names the file."""
    path = copy / "waveforms.hdf5"
    raw = path.read_bytes()
    path.write_bytes(raw[: keep if isinstance(keep, int) else int(keep * len(raw))])
    with pytest.raises(FormatError, match=r"waveforms\.hdf5"):
        Corpus(copy).records()


@pytest.mark.parametrize("content", ["nothing", "other", "no order", "numbers", "horizontals"])
def test_foreign_hdf5(copy, content):
    """HDF5 of another kind is a FormatError, not a KeyError."""
    with h5py.File(copy / "waveforms.hdf5", "w") as file:
        if content == "other":
            file["temperature"] = np.arange(5)
        elif content != "nothing":
            file.create_group("data")
            file.create_group("data_format")
        if content == "numbers":
            file["data_format/component_order"] = np.arange(3)
        elif content == "horizontals":
            file["data_format/component_order"] = "EN"
    with pytest.raises(FormatError, match=r"waveforms\.hdf5"):
        Corpus(copy).records()


def test_damaged_waveforms_are_skipped(copy):
    """A missing, a flat and a NaN waveform are listed by name; the other 29 are read."""
    names = [row["trace_name"] for row in Corpus(copy).rows]
    with h5py.File(copy / "waveforms.hdf5", "a") as file:
        del file[f"data/{names[0]}"], file[f"data/{names[1]}"]
        file[f"data/{names[1]}"] = np.zeros(10)
        file[f"data/{names[2]}"][1, 5] = np.nan
    got = Corpus(copy).records()
    assert len(got) == 29
    assert [name for name, _ in got.skipped] == names[:3]
    assert "missing" in got.skipped[0].reason and "NaN" in got.skipped[2].reason


def test_truncated_table(copy):
    """A table cut in the middle of a row is a FormatError with the number of that row."""
    path = copy / "metadata.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:6]) + lines[6][: len(lines[6]) // 2])
    with pytest.raises(FormatError, match=r"metadata\.csv is damaged: row 6"):
        Corpus(copy)


def test_table_that_is_none(copy):
    """Bytes that are no text, and a table without the columns needed."""
    (copy / "metadata.csv").write_bytes(bytes(range(256)) * 4)
    with pytest.raises(FormatError, match=r"metadata\.csv"):
        Corpus(copy)
    (copy / "metadata.csv").write_text("trace_name,depth\na,1\n", encoding="utf-8")
    with pytest.raises(FormatError, match=r"lacks the column\(s\) station_code"):
        Corpus(copy)


@pytest.mark.parametrize(
    ("column", "value"),
    [("station_latitude_deg", "north"), ("trace_start_time", "yesterday"), ("trace_sampling_rate_hz", "")],
)
def test_damaged_rows_are_skipped(copy, column, value):
    """A number that is none costs its record, not the corpus."""
    rows = rows_of(copy)
    rows[1][rows[0].index(column)] = value
    write_rows(copy, rows)
    got = Corpus(copy).records()
    assert len(got) == 31
    assert got.skipped[0].name == rows[1][rows[0].index("trace_name")]
    assert "damaged row" in got.skipped[0].reason


def test_columns_may_be_few(copy):
    """Only the columns that SeisBench and the project cannot do without: unknowns are NaN."""
    rows = rows_of(copy)
    kept = [rows[0].index(c) for c in ("trace_name", "station_code", "trace_start_time", "trace_sampling_rate_hz")]
    write_rows(copy, [[row[i] for i in kept] for row in rows])
    made = Corpus(copy)
    assert made.codes()[0] in ("SOFT", "STIFF", "TWO", "ROCK")
    assert len(set(made.event_ids())) == 32
    record = made.records([0])[0]
    assert np.isnan([record.magnitude, record.p_s, record.latitude_deg]).all() and record.network == ""


# --- splits


def test_split_is_by_event(folder):
    """Disjoint and complete, a quarter of the events: no event has records on both sides."""
    ids = Corpus(folder).event_ids()
    train, valid = split_events(ids, 0.25, seed=3)
    assert not set(train) & set(valid) and set(train) | set(valid) == set(ids)
    assert (len(train), len(valid)) == (6, 2)


def test_split_is_reproducible():
    """Same seed, same split, whatever the order of records; other seeds give other splits."""
    ids = [f"ev{i % 40}" for i in range(400)]
    first = split_events(ids, seed=5)
    assert first == split_events(ids[::-1], seed=5) == split_events(sorted(set(ids)), seed=5)
    assert len({tuple(split_events(ids, seed=s)[1]) for s in range(20)}) > 15


def test_split_draws_every_event():
    """Over many seeds each of ten events is held out a fifth of the time."""
    ids = [str(i) for i in range(10)]
    times = sum((np.isin(ids, split_events(ids, 0.2, seed)[1]) for seed in range(1000)), np.zeros(10))
    # sd of a binomial of 1000 and 0.2 is 12.6
    assert np.abs(times - 200).max() < 60


@pytest.mark.parametrize(("n", "fraction", "held"), [(2, 0.0, 1), (2, 1.0, 1), (10, 0.99, 9), (5, 0.01, 1)])
def test_split_leaves_both_sides_something(n, fraction, held):
    """Never an empty side."""
    train, valid = split_events([str(i) for i in range(n)], fraction)
    assert (len(train), len(valid)) == (n - held, held)


def test_split_of_one_event_is_an_error():
    """Nothing to hold out."""
    with pytest.raises(RecordError, match="at least 2 events, got 1"):
        split_events(["a", "a"])
