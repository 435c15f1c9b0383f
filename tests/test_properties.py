"""What holds for any input, not for chosen ones (hypothesis)."""

import io

import numpy as np
import obspy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import obspy_tng as tng
from obspy_tng import grouping, sampling
from obspy_tng.adjustment import read_curve
from obspy_tng.assembly import COMPONENTS
from obspy_tng.errors import FormatError, TNGError
from obspy_tng.io import _text, at2, dyna, files, matlab, nsmn
from obspy_tng.pool import LatentPool
from obspy_tng.site import hv_file
from obspy_tng.site.curves import hvsr_array
from obspy_tng.site.peaks import clear_peaks

# the same examples every time: a suite that fails now and then is not believed
FEW = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MANY = settings(FEW, max_examples=150)
SEEDS = st.integers(0, 2**32 - 1)
READERS = {"dyna": dyna._read_dyna, "nsmn": nsmn._read_nsmn, "at2": at2._read_at2}
HEADS = (
    b"", b"EVENT_NAME: a\nSTATION_CODE: b\n", b"STRONG GROUND MOTION RECORDS OF T\nNUMBER OF DATA : 2\n",
    b"x\ny\nACCELERATION TIME SERIES IN UNITS OF G\nNPTS= 2, DT= .01 SEC\n", b"N-S E-W U-D\n", b"NDATA: 2\n1\n2\n",
)  # fmt: skip


def trace(seed, n=400, **stats):
    """Return a trace of noise."""
    header = {"network": "XX", "station": "PROP", "channel": "HNE", "sampling_rate": 100.0, **stats}
    return obspy.Trace(np.random.default_rng(seed).normal(size=n), header)


def triple(seed, n=2000, scale=1.0):
    """Return three components of noise with an onset, float64."""
    waves = np.random.default_rng(seed).normal(size=(3, n)) * np.where(np.arange(n) > n // 4, 10, 1) * scale
    return obspy.Stream(
        obspy.Trace(row, {"network": "XX", "station": "PROP", "channel": f"HN{c}", "sampling_rate": 100.0})
        for c, row in zip(COMPONENTS, waves, strict=True)
    )


# --- readers


@MANY
@given(st.sampled_from(HEADS), st.binary(max_size=300), st.sampled_from(sorted(READERS)))
def test_readers_raise_format_errors_only(head, tail, name):
    """Arbitrary bytes behind any header: a Stream or FormatError."""
    try:
        READERS[name](io.BytesIO(head + tail))
    except FormatError as error:
        assert "\n" not in str(error)


@MANY
@given(st.binary(max_size=400))
def test_other_readers_raise_errors_of_ours_only(tmp_path, raw):
    """The same of MATLAB files, `.hv`, curves, and of whole files of waveforms, which are skipped."""
    path = tmp_path / "x.bin"
    path.write_bytes(raw)
    for read in (lambda: matlab.read_eq_mat(raw), lambda: hv_file.read(path), lambda: read_curve(path)):
        try:
            read()
        except TNGError:
            continue
    skipped = []
    assert list(files.read_members(path, skipped)) or skipped


@MANY
@given(st.text(max_size=60))
def test_header_fields_raise_format_errors_only(text):
    """Numbers and times of any text: a value that makes sense, None, or FormatError."""
    _text.parse_time(text)
    assert (value := _text.number(text)) is None or np.isfinite(value)
    for read, low, high in ((_text.count, 1, np.inf), (_text.interval, 1e-6, 1e3)):
        try:
            assert low <= read(text, "FIELD", "file") <= high
        except FormatError as error:
            assert "FIELD" in str(error)


@MANY
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=80), st.integers(1, 7))
def test_samples_are_the_numbers(values, per_piece):
    """Words read piece by piece are the numbers written, however they are cut."""
    body = "\n".join(map(repr, values)).encode()
    before, _text._PIECE_BYTES = _text._PIECE_BYTES, per_piece
    try:
        assert _text.samples(body, len(values), "N", "file").tolist() == values
        assert _text.count_words(body) == len(values)
    finally:
        _text._PIECE_BYTES = before


# --- round trips


@FEW
@given(SEEDS, st.integers(1, 60), st.sampled_from([50.0, 100.0, 200.0]), st.floats(1e-6, 1e3))
def test_at2_round_trip(seed, n, rate, scale):
    """AT2 keeps samples to its eight digits, the rate and the component."""
    one = trace(seed, n, sampling_rate=rate, units="m/s^2")
    one.data *= scale
    held = io.BytesIO()
    at2._write_at2(obspy.Stream([one]), held)
    held.seek(0)
    (back,) = at2._read_at2(held)
    assert back.stats.sampling_rate == pytest.approx(rate) and back.stats.channel == "HNE"
    np.testing.assert_allclose(back.data * back.stats.calib, one.data, rtol=1e-7, atol=1e-7 * scale)


@FEW
@given(SEEDS, st.sampled_from(["MSEED", "SAC"]))
def test_generated_streams_round_trip(tmp_path, seed, kind):
    """What is written of a generated Stream is read back sample for sample, as records in m/s²."""
    stream = triple(seed, scale=0.01)
    for one in stream:
        one.data = one.data.astype(np.float32)
        one.stats.channel = f"HX{one.stats.channel[-1]}"
        one.stats.tng = {"station": "XX.PROP"}
        if kind == "SAC":
            one.stats.sac = {"kinst": "TNG"}
    paths = [tmp_path / f"{one.id}.{kind}" for one in stream]
    for one, path in zip(stream, paths, strict=True):
        one.write(str(path), format=kind)
    (back,) = tng.read_records(paths)
    np.testing.assert_array_equal(back.data.astype(np.float32), np.array([t.data for t in stream]))
    assert back.units == ("m/s2" if kind == "SAC" else "unknown")  # MiniSEED itself cannot tell


@FEW
@given(SEEDS, st.integers(2, 6), st.integers(1, 8), st.integers(1, 9))
def test_pool_round_trip(tmp_path, seed, n, rows, steps):
    """A pool saved and loaded is the same to its digest, and saved again the same to the byte."""
    rng = np.random.default_rng(seed)
    pool = LatentPool(
        latents=rng.normal(size=(n, rows, steps)).astype(np.float32), ln_sd=rng.normal(size=(n, 3)),
        parents=[f"p{i}" for i in range(n)], station="PROP", network="XX", kind="recorded", model="m", model_sha256="0",
        magnitude=rng.normal(size=n), distance_km=rng.normal(size=n), pga_mps2=rng.normal(size=n),
        groups=np.zeros(n, int), about={"made_of": "noise"},
    )  # fmt: skip
    back = LatentPool.load(pool.save(tmp_path / "a.h5"))
    assert (back.sha256(), back.parents, back.about, back.code) == (pool.sha256(), pool.parents, pool.about, pool.code)
    assert back.save(tmp_path / "b.h5").read_bytes() == (tmp_path / "a.h5").read_bytes()


@FEW
@given(st.lists(st.floats(0.1, 40), min_size=2, max_size=30, unique_by=lambda f: f"{f:g}"), SEEDS)
def test_hv_round_trip(frequencies, seed):
    """A `.hv` file written and parsed holds the curve to six digits, and is written again the same."""
    f = np.array(sorted(frequencies))
    curve = np.random.default_rng(seed).uniform(0.1, 9, f.size)
    text = hv_file.text(hv_file.HVFile(f, curve, curve / 2, curve * 2, 7, float(f[curve.argmax()])))
    back = hv_file.parse(text)
    np.testing.assert_allclose(back.average, curve, rtol=1e-5)
    assert hv_file.text(back) == text


# --- HVSR and f0


@FEW
@given(SEEDS, st.floats(1e-6, 1e6))
def test_hvsr_does_not_know_the_unit(seed, factor):
    """A record multiplied by a number has the same curve."""
    waves = np.array([t.data for t in triple(seed)])
    grid = np.geomspace(0.5, 20, 30)
    once, again = (hvsr_array(x[None], 100.0, grid) for x in (waves, waves * factor))
    np.testing.assert_allclose(again, once, rtol=1e-9)


@settings(FEW, max_examples=8)
@given(SEEDS, st.permutations(range(6)))
def test_order_changes_nothing(seed, order):
    """Traces in any order make the same records, records in any order the same station's curve."""
    first, second = triple(seed), triple(seed + 1)
    for one in second:
        one.stats.starttime += 3600
    traces = [*first, *second]
    found, shuffled = tng.records(obspy.Stream(traces)), tng.records(obspy.Stream([traces[i] for i in order]))
    assert [r.id for r in found] == [r.id for r in shuffled]
    assert all(np.array_equal(a.data, b.data) for a, b in zip(found, shuffled, strict=True))
    curves = [tng.hvsr(r, n_frequency=20).curve.values for r in (found, found[::-1])]
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-12)


@FEW
@given(st.floats(0.7, 12), st.floats(2.5, 20), st.floats(0.25, 4))
def test_a_clear_peak_moves_with_its_axis(f0, height, factor):
    """A peak is found where it was put, and at `factor` times that frequency when the axis is stretched so."""
    grid = np.geomspace(0.3, 30, 400)
    curve = 1 + (height - 1) * np.exp(-(np.log(grid / f0) ** 2) / 0.05)
    (peak,) = clear_peaks(curve, grid)
    (moved,) = clear_peaks(curve, grid * factor)
    assert peak.frequency_hz == pytest.approx(f0, rel=0.02)
    assert moved.frequency_hz == pytest.approx(factor * peak.frequency_hz, rel=1e-6)


@FEW
@given(st.floats(0.7, 5), st.floats(2.5, 20), st.floats(2.5, 20))
def test_peaks_come_in_order(f0, low, high):
    """The lowest of two clear peaks comes first, whichever is higher."""
    grid = np.geomspace(0.3, 30, 400)
    bumps = [(h - 1) * np.exp(-(np.log(grid / f) ** 2) / 0.02) for h, f in ((low, f0), (high, 4 * f0))]
    found = [p.frequency_hz for p in clear_peaks(1 + sum(bumps), grid)]
    assert found == sorted(found) and found[0] == pytest.approx(f0, rel=0.02)


# --- samplers, grouping


@settings(FEW, max_examples=6)
@given(SEEDS, st.integers(8, 60))
def test_vp_keeps_mean_and_variance(seed, n):
    """Many variance-preserving mixtures of any pool have its mean and its variance."""
    values = np.random.default_rng(seed).gamma(2, size=(n, 4))
    members = np.arange(n)
    mixed = np.array(
        [sampling.SAMPLERS["vp"](np.random.default_rng([seed, i]), members).apply(values, members) for i in range(1500)]
    )
    sd = values.std(axis=0, ddof=1)
    np.testing.assert_allclose(mixed.mean(axis=0), values.mean(axis=0), atol=0.15 * sd.max())
    np.testing.assert_allclose(mixed.var(axis=0).sum(), (sd**2).sum(), rtol=0.2)


@MANY
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)).map(sorted), max_size=12), st.integers(1, 4))
def test_without_leaves_what_is_in_no_hole(holes, n):
    """Points inside a hole are gone, all other points of the spans are left."""
    spans = [(25 * i, 25 * i + 20) for i in range(n)]
    left = grouping.without(spans, holes)
    for x in np.arange(0, 100, 0.5):
        inside = any(a < x < b for a, b in spans) and not any(a <= x <= b for a, b in holes)
        assert any(a < x < b for a, b in left) == inside


@FEW
@given(
    st.sampled_from([0.0, -1.0, 1e-300, 1e300, np.nan, np.inf, 100.0]),
    st.integers(-(2**62), 2**62),
    st.sampled_from([0, 1, 2, 300]),
)
def test_records_never_raise(rate, start_ns, n):
    """Headers of any rate and time make records or skipped entries, never an exception."""
    stream = triple(1, max(n, 1))
    for one in stream:
        one.data = one.data[:n]
        try:
            one.stats.sampling_rate = rate
            one.stats.starttime = obspy.UTCDateTime(ns=start_ns)
        except Exception:  # ObsPy itself refuses
            return
    for split in (True, False):
        found = tng.records(stream, split_gaps=split)
        assert found or found.skipped
