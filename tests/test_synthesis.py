"""generate(): shapes, ids, reproducibility, rest at the end, likeness to the station, provenance."""

import json
from dataclasses import replace

import numpy as np
import obspy
import pytest
from obspy import UTCDateTime

import obspy_tng as tng
from obspy_tng.errors import ModelError, TNGError
from obspy_tng.models import WAVEFORM
from obspy_tng.pool import find_pool
from obspy_tng.preprocessing import land
from obspy_tng.provenance import base36, run_id
from obspy_tng.site.timesnet_gen import record_f0

# median f0 (Hz) of the real AFAD records as the authors published them; not used in making the pools
PUBLISHED_F0_HZ = {"0205": 2.6, "1716": 6.1, "2020": 5.17, "3130": 11.74, "4628": 1.83}


@pytest.fixture(scope="module")
def stream():
    """Return 50 realisations of CI.CWC."""
    return tng.generate("CI.CWC", n=50, seed=7)


def arrays(stream):
    """Return samples (n, 3, npts) of a generated stream."""
    return np.array([t.data for t in stream], dtype=float).reshape(len(stream) // 3, 3, -1)


def test_stream_has_the_promised_form(stream):
    """150 float32 traces of 6000 samples at 100 Hz, FDSN synthetic channels, distinct ids, no clock time."""
    assert len(stream) == 150
    assert {(t.data.dtype.name, t.stats.npts, t.stats.sampling_rate) for t in stream} == {("float32", 6000, 100.0)}
    assert len({t.id for t in stream}) == 150
    assert [t.id for t in stream[:3]] == ["CI.CWC.00.HXE", "CI.CWC.00.HXN", "CI.CWC.00.HXZ"]
    assert stream[-1].id == "CI.CWC.1D.HXZ"  # 49 in base 36
    assert all(t.stats.starttime == UTCDateTime(0) and t.stats.calib == 1 for t in stream)
    assert all(np.isfinite(t.data).all() and t.data.flags.c_contiguous for t in stream)


def test_same_seed_same_samples_whatever_n(stream):
    """Realisation 3 of 5 is realisation 3 of 50 to the last bit; another seed gives another one."""
    few, other = tng.generate("CI.CWC", n=5, seed=7), tng.generate("CI.CWC", n=5, seed=8)
    for a, b, c in zip(few[9:12], stream[9:12], other[9:12], strict=True):
        assert np.array_equal(a.data, b.data)
        assert not np.allclose(a.data, c.data)
        assert a.stats.tng.run_id == b.stats.tng.run_id != c.stats.tng.run_id


def test_stations_have_noise_of_their_own(stream):
    """One seed at two stations of the very same records: not the same motion, nor like it."""
    pool = find_pool("CI.CWC", None, None)
    other = arrays(tng.generate(pool=replace(pool, station="OTHER"), n=50, seed=7))
    likeness = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(arrays(stream), other, strict=True)]
    assert np.abs(likeness).max() < 0.3
    again = arrays(tng.generate(pool=replace(pool, vs30_mps=np.float64(500.0)), n=50, seed=7))
    assert np.array_equal(again, arrays(stream))


def test_drawn_seed_is_recorded():
    """Without a seed one is drawn, kept in stats.tng, and gives the same samples again."""
    a = tng.generate("CI.CWC")
    b = tng.generate("CI.CWC", seed=a[0].stats.tng.seed)
    assert np.array_equal(a[0].data, b[0].data)
    assert tng.generate("CI.CWC")[0].stats.tng.seed != a[0].stats.tng.seed


def test_records_end_at_rest(stream):
    """Median |velocity| of the last 0.5 s is within 5 % of its peak, displacement within 10 % (ObsPy's integration)."""
    for trace in stream:
        velocity = trace.copy().integrate()
        displacement = velocity.copy().integrate()
        assert np.median(np.abs(velocity.data[-50:])) <= 0.05 * np.abs(velocity.data).max()
        assert np.median(np.abs(displacement.data[-50:])) <= 0.10 * np.abs(displacement.data).max()


def test_f0_of_a_recorded_station(stream):
    """f0 of the generated records is that of the real ones, 4.1 Hz, within 15 %."""
    f0 = tng.pick_f0(tng.hvsr(stream, band_hz=(1, 20)))
    assert float(f0.f0_hz[0]) == pytest.approx(4.1, rel=0.15)


@pytest.mark.parametrize("station", PUBLISHED_F0_HZ)
def test_f0_of_adjusted_stations(station):
    """The median f0 of generated AFAD records is within 15 % of that of the real ones, which no pool has seen."""
    made = arrays(tng.generate(station, n=60, seed=3))
    assert np.median(record_f0(made, 100.0)) == pytest.approx(PUBLISHED_F0_HZ[station], rel=0.15)


def test_spread_of_amplitude_is_the_stations():
    """sd of ln PGA over 100 realisations is within a third of the pool's; the average of five loses over a third."""
    pool = find_pool("CI.WMF")
    real = np.log(pool.pga_mps2).std(ddof=1)

    def spread(sampler):
        made = arrays(tng.generate(pool=pool, n=100, seed=1, sampler=sampler))
        return np.log(np.abs(made[:, :2]).max(axis=(1, 2))).std(ddof=1)

    assert spread("vp") / real == pytest.approx(1, abs=1 / 3)
    assert spread("mean") / real < 2 / 3


def test_no_generated_record_copies_a_parent():
    """Over all lags, no component of the waveform model correlates above 0.9 with that of any decoded pool record."""
    pool, model = find_pool("CI.CWC", model=WAVEFORM), tng.load_model(WAVEFORM)
    stream = tng.generate("CI.CWC", n=20, seed=3, model=WAVEFORM)
    parents = land(model.decode(pool.latents).astype(float))
    nfft = 12000

    def unit(x):
        return np.fft.rfft(x / np.linalg.norm(x, axis=-1, keepdims=True), nfft)

    real, made = unit(parents), unit(arrays(stream))
    highest = max(np.abs(np.fft.irfft(m[None] * real.conj(), nfft)).max() for m in made)
    assert highest < 0.9
    itself = np.abs(np.fft.irfft(real[0] * real[0].conj(), nfft)).max()
    assert itself == pytest.approx(1.0)


def test_provenance_travels_three_ways(stream, tmp_path):
    """stats.tng, SAC headers and the StationXML comment tell the same run id; MiniSEED keeps ids and samples."""
    few = stream[:6]
    made = few[4].stats.tng
    plain = {k: (list(v) if isinstance(v, list) else v) for k, v in made.items() if k != "run_id"}
    assert run_id(plain) == made.run_id
    assert len(made.run_id) == 24
    assert set(made.parents) <= set(find_pool("CI.CWC").parents)
    assert made.run_id in few[4].stats.processing[0]
    files = tng.write(few, tmp_path / "w.mseed")
    back = obspy.read(files[0])
    assert [t.id for t in back] == [t.id for t in few]
    assert all(np.array_equal(a.data, b.data) for a, b in zip(back, few, strict=True))
    channel = obspy.read_inventory(files[1]).select(location="01", channel="HXN")[0][0][0]
    assert json.loads(channel.comments[0].value)["run_id"] == made.run_id
    assert channel.types == ["SYNTHESIZED"]
    sac = obspy.read(tmp_path / "sac" / "CI.CWC.01.HXN.sac") if tng.write(few, tmp_path / "sac") else None
    header = sac[0].stats.sac
    assert header.kuser0 + header.kuser1 + header.kuser2 == made.run_id
    assert header.stla == pytest.approx(few[4].stats.coordinates.latitude, abs=1e-4)
    assert header.kevnm.strip() == "TNG SYNTHETIC"
    assert np.array_equal(sac[0].data, few[4].data)


def test_plain_obspy_write_keeps_the_headers(stream, tmp_path):
    """Stream.write(format="SAC") alone, without tng.write, carries coordinates and run id too."""
    stream[0].write(str(tmp_path / "x.sac"), format="SAC")
    header = obspy.read(tmp_path / "x.sac")[0].stats.sac
    assert header.kuser0 == stream[0].stats.tng.run_id[:8]
    assert header.stlo == pytest.approx(stream[0].stats.coordinates.longitude, abs=1e-4)


def test_unit_response_can_be_removed(stream):
    """The sidecar's response is flat 1: removing it leaves m/s² (within 1 % of the peak, away from the ends)."""
    trace = stream[0].copy()
    trace.remove_response(tng.inventory(stream[:3]), output="ACC", taper=False, zero_mean=False)
    assert np.abs(trace.data - stream[0].data)[10:-10].max() < 0.01 * np.abs(stream[0].data).max()


def test_generated_records_are_records(stream):
    """tng.records takes a generated Stream as m/s² without being told."""
    records = tng.records(stream[:9])
    assert len(records) == 3
    assert {r.units for r in records} == {"m/s2"}
    assert not records.skipped


def test_starttime_instrument_and_single_realisation():
    """n = 1 is a Stream of three; start time and instrument code are as asked."""
    made = tng.generate("0205", seed=1, starttime="2023-02-06T01:17:32", instrument="N")
    assert [t.stats.channel for t in made] == ["HNE", "HNN", "HNZ"]
    assert made[0].stats.starttime == UTCDateTime(2023, 2, 6, 1, 17, 32)
    assert made[0].stats.station == "0205"
    assert made[0].stats.tng.pool_kind == "adjusted"


def test_latent_noise_is_that_of_the_pool():
    """Noise of the pool's own sd (Eq. 1) drowns much of the code of an average; the parents stay; none by default."""
    pool, model = find_pool("CI.CWC", model=WAVEFORM), tng.load_model(WAVEFORM)
    quiet, noisy = (tng.generate(pool=pool, n=3, seed=2, sampler="mean", latent_noise=a) for a in (0.0, 1.0))
    again = tng.generate(pool=pool, n=3, seed=2, sampler="mean")
    assert all(np.array_equal(a.data, b.data) for a, b in zip(quiet, again, strict=True))
    assert noisy[0].stats.tng.latent_noise == 1.0
    assert noisy[0].stats.tng.parents == quiet[0].stats.tng.parents

    def codes(stream):
        waves = arrays(stream)
        return model.encode(waves / waves.std(axis=-1, keepdims=True))

    # the mean of five keeps 1/5 of the variance of codes, the noise adds the whole of it: corr about sqrt(1/6)
    correlation = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(codes(quiet), codes(noisy), strict=True)]
    assert 0.2 < min(correlation) <= max(correlation) < 0.75
    with pytest.raises(TNGError, match="latent_noise"):
        tng.generate("CI.CWC", latent_noise=-1)


@pytest.mark.parametrize("n", [0, -1, 1297, 2.5, True])
def test_impossible_n_is_refused(n):
    """n out of 1..1296 raises and names the corpus route."""
    with pytest.raises(TNGError, match="corpus"):
        tng.generate("CI.CWC", n=n)


def test_wrong_arguments_say_what_is_accepted():
    """An int station, an unknown sampler and instrument, another model's pool."""
    with pytest.raises(TypeError, match="leading zeros"):
        tng.generate(205)
    with pytest.raises(ModelError, match="dirichlet"):
        tng.generate("CI.CWC", sampler="best")
    with pytest.raises(TNGError, match="accelerometer"):
        tng.generate("CI.CWC", instrument="H")
    with pytest.raises(TNGError, match="not both"):
        tng.generate("CI.CWC", hvsr=([1, 2], [1, 2]))


def test_pool_of_other_weights_is_refused():
    """Codes of one model are never decoded by another."""
    with pytest.raises(ModelError, match="other weights"):
        tng.generate(pool=replace(find_pool("CI.CWC"), model_sha256="0" * 64))


def test_base36():
    """Two digits, 1296 of them."""
    assert [base36(i) for i in (0, 10, 35, 36, 1295)] == ["00", "0A", "0Z", "10", "ZZ"]


def test_formats_that_cannot_hold_floats_are_refused(stream, tmp_path):
    """GSE2 needs integers; a folder format given a file name; nothing is left behind."""
    with pytest.raises(TNGError, match="integers"):
        tng.write(stream[:3], tmp_path / "x.gse2", format="GSE2")
    with pytest.raises(TNGError, match="folder"):
        tng.write(stream[:3], tmp_path / "x.sac")
    with pytest.raises(TNGError, match="suffixes"):
        tng.write(stream[:3], tmp_path / "x.abc")
    assert not list(tmp_path.iterdir())


def test_foreign_stream_is_not_given_our_provenance(tmp_path):
    """A real record is refused by write and inventory: it was not generated here."""
    with pytest.raises(TNGError, match="not generated"):
        tng.inventory(obspy.read())
