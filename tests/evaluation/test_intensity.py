"""Intensity measures against closed forms, a fine-step oscillator and pyrotd."""

import sys
import types
import warnings

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.evaluation import intensity

RATE_HZ = 100.0
TIME_S = np.arange(6000) / RATE_HZ
TOLERANCE = 5e-3


def noise(n, seed=0):
    """Return (n, 3, 6000) white noise in an envelope that rises and dies within the record."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 3, 6000)) * np.exp(-(((TIME_S - 20) / 8) ** 2))


def records(*components):
    """Return one record (1, 3, npts) of E, N (E if not given) and Z = E."""
    east, north = components[0], components[-1]
    return np.stack([east, north, east])[None]


@pytest.fixture(scope="module")
def real(shared_data):
    """Return 6 records of a Ridgecrest earthquake in counts at 100 Hz, 60 s, tapered, (6, 3, 6000)."""
    import obspy

    path = sorted((shared_data / "ridgecrest" / "waveforms").glob("*.mseed"))[0]
    stream = obspy.read(path).select(sampling_rate=RATE_HZ)
    made = []
    for station in sorted({t.stats.station for t in stream}):
        traces = stream.select(station=station)
        if len(traces) == 3 and min(t.stats.npts for t in traces) >= 6000:
            data = np.stack([t.data[:6000] for t in traces.sort()]).astype(float)
            made.append((data - data.mean(axis=1, keepdims=True)) * np.hanning(6000) ** 0.5)
    return np.array(made[:6])


@pytest.fixture
def pyrotd(monkeypatch):
    """Return pyrotd in one process; it asks pkg_resources, which setuptools no longer holds, for its version."""
    if "pkg_resources" not in sys.modules:
        stand_in = types.ModuleType("pkg_resources")
        stand_in.get_distribution = lambda name: types.SimpleNamespace(version="0")
        monkeypatch.setitem(sys.modules, "pkg_resources", stand_in)
    module = pytest.importorskip("pyrotd")
    monkeypatch.setattr(module, "processes", 1)
    return module


def pyrotd_rotd50(pyrotd, pair, periods_s):
    """Return RotD50 of pyrotd with 40 s of zeros, so that nothing wraps around, and 16 samples a cycle or more.

    Its default of 5 times the oscillator's frequency samples at 100 Hz from 0.1 s on: peaks up to 4 % too low.
    """
    east, north = np.pad(pair, ((0, 0), (0, 4000)))
    made = []
    for t in periods_s:
        finest_hz = 800 if t < 0.04 else 200
        ratio = max(5, finest_hz * t)
        made.append(pyrotd.calc_rotated_spec_accels(0.01, east, north, [1 / t], 0.05, [50], max_freq_ratio=ratio))
    return [m.spec_accel[0] for m in made]


def fine_step_psa(trace, period_s, damping=0.05, finer=32):
    """Return PSA of the oscillator solved exactly for straight lines between samples 1 / 3200 s apart."""
    from scipy.signal import cont2discrete, lfilter, resample, ss2tf

    w = 2 * np.pi / period_s
    system = (
        np.array([[0, 1], [-(w**2), -2 * damping * w]]),
        np.array([[0], [-1]]),
        np.array([[w**2, 0]]),
        np.array([[0]]),
    )
    a, b, c, d, _ = cont2discrete(system, 1 / (RATE_HZ * finer), method="foh")
    numerator, denominator = ss2tf(a, b, c, d)
    padded = np.pad(trace, (0, 1000))
    return np.abs(lfilter(numerator[0], denominator, resample(padded, padded.size * finer))).max()


def test_psa_agrees_with_a_fine_step_oscillator():
    """All periods, white noise up to Nyquist: within 0.5 % of piecewise exact integration at 3200 Hz."""
    trace = noise(1)[0, 0]
    made = intensity.psa_single(trace[None], RATE_HZ)[0]
    truth = [fine_step_psa(trace, t) for t in intensity.PERIODS_S]
    np.testing.assert_allclose(made, truth, rtol=TOLERANCE)


def test_psa_agrees_with_pyrotd_on_noise(pyrotd):
    """RotD50 of noise at all periods within 0.5 % of pyrotd, finely sampled and padded."""
    data = noise(1, seed=1)
    made = intensity.psa(data[:, :2], RATE_HZ)
    truth = [pyrotd_rotd50(pyrotd, pair, intensity.PERIODS_S) for pair in data[:, :2]]
    np.testing.assert_allclose(made, truth, rtol=TOLERANCE)


def test_psa_agrees_with_pyrotd_on_real_records(pyrotd, real):
    """RotD50 of Ridgecrest records at all periods within 0.5 % of pyrotd, finely sampled and padded."""
    made = intensity.psa(real[:2, :2], RATE_HZ)
    truth = [pyrotd_rotd50(pyrotd, pair, intensity.PERIODS_S) for pair in real[:2, :2]]
    np.testing.assert_allclose(made, truth, rtol=TOLERANCE)


@pytest.mark.parametrize("percentile", [0, 50, 100])
def test_psa_of_circular_motion_is_the_steady_state(percentile):
    """Circular motion of 2 Hz, slowly switched on and off: amplification 1 / |1 - r² + 2 i d r| in any direction."""
    ramp = np.sin(np.pi * TIME_S / 60) ** 2
    phase = 2 * np.pi * 2.0 * TIME_S
    periods = np.array([0.01, 0.1, 0.4, 0.6, 1.0])
    made = intensity.psa(
        np.stack([ramp * np.cos(phase), ramp * np.sin(phase)])[None], RATE_HZ, periods, percentile=percentile
    )
    ratio = 2.0 * periods
    np.testing.assert_allclose(made[0], 1 / np.abs(1 - ratio**2 + 0.1j * ratio), rtol=TOLERANCE)


def test_psa_of_straight_motion():
    """Motion along 45 degrees: RotD100 is √2, RotD50 1 times the component, RotD0 nothing."""
    pair = np.repeat(noise(1)[:, :1], 2, axis=1)
    single = intensity.psa_single(pair[:, 0], RATE_HZ, [0.1, 1.0])
    for percentile, factor in ((100, np.sqrt(2)), (50, 1.0), (0, 0.0)):
        made = intensity.psa(pair, RATE_HZ, [0.1, 1.0], percentile=percentile)
        np.testing.assert_allclose(made, factor * single, rtol=1e-5, atol=1e-5 * single.max())


@pytest.mark.parametrize("at", [0, 3000, 5999])
def test_psa_of_an_impulse_ends_in_free_vibration(at):
    """An impulse at the first or the last sample: the closed peak of free vibration, within or behind the record."""
    trace = np.zeros((1, 6000))
    trace[0, at] = RATE_HZ  # 1 m/s
    periods = np.array([0.5, 2.0, 5.0])
    damping = 0.05
    root = np.sqrt(1 - damping**2)
    truth = 2 * np.pi / periods * np.exp(-damping / root * np.arctan(root / damping))
    np.testing.assert_allclose(intensity.psa_single(trace, RATE_HZ, periods)[0], truth, rtol=TOLERANCE)


def test_low_damping_does_not_wrap_around():
    """An oscillator of 0.2 % damping rings for an hour; 20 minutes of zeros behind the record change nothing."""
    pair = noise(1)[:, :2]
    made = intensity.psa(pair, RATE_HZ, [3.0], damping=0.002)
    long = intensity.psa(np.pad(pair, ((0, 0), (0, 0), (0, 120_000))), RATE_HZ, [3.0], damping=0.002)
    np.testing.assert_allclose(made, long, rtol=2e-3)


@pytest.mark.parametrize("damping", [0.01, 0.2])
def test_other_damping(damping):
    """Another damping, against the fine-step oscillator."""
    trace = noise(1, seed=5)[0, 0]
    made = intensity.psa_single(trace[None], RATE_HZ, [0.3], damping=damping)[0, 0]
    assert made == pytest.approx(fine_step_psa(trace, 0.3, damping), rel=TOLERANCE)


def test_a_delay_changes_nothing(real):
    """3 s of zeros in front, nothing cut: every measure of real and of noisy records the same to 1e-5."""
    for data in (real, noise(3)):
        later = np.pad(data, ((0, 0), (0, 0), (300, 0)))
        np.testing.assert_allclose(intensity.psa(later[:, :2], RATE_HZ), intensity.psa(data[:, :2], RATE_HZ), rtol=1e-5)
        made, moved = (intensity.measures(x, RATE_HZ, more=True) for x in (data, later))
        for name, value in made.items():
            np.testing.assert_allclose(moved[name], value, rtol=1e-5, err_msg=name)


def test_twice_the_motion():
    """Amplitudes double, Arias intensity and energy quadruple, durations stay; the record is left as it is."""
    data = noise(2)
    before = data.copy()
    one, two = (intensity.measures(f * data, RATE_HZ, more=True) for f in (1, 2))
    power = {"arias_mps": 4, "energy_m2ps": 4, "d5_75_s": 1, "d5_95_s": 1}
    for name, value in one.items():
        np.testing.assert_allclose(two[name], power.get(name, 2) * value, rtol=1e-9, err_msg=name)
    psa = intensity.psa(data[:, :2], RATE_HZ)
    np.testing.assert_allclose(intensity.psa(2 * data[:, :2], RATE_HZ), 2 * psa, rtol=1e-5)
    np.testing.assert_array_equal(data, before)


def test_boxcar():
    """2 m/s² for 8 s on both horizontals: Arias, CAV and durations in closed form; PGV of short ones."""
    box = np.where((TIME_S >= 10) & (TIME_S < 18), 2.0, 0.0)
    made = {k: v[0] for k, v in intensity.measures(records(box), RATE_HZ).items()}
    assert made["arias_mps"] == pytest.approx(np.pi / (2 * 9.80665) * 4 * 8, rel=TOLERANCE)
    assert made["cav_mps"] == pytest.approx(16, rel=TOLERANCE)
    assert made["d5_75_s"] == pytest.approx(0.7 * 8, rel=TOLERANCE)
    assert made["d5_95_s"] == pytest.approx(0.9 * 8, rel=TOLERANCE)
    assert made["pga_mps2"] == pytest.approx(2, rel=1e-6)
    assert made["pga_vertical_mps2"] == 2
    pulses = np.zeros(6000)
    pulses[1000:1050], pulses[1050:1150], pulses[1150:1200] = 2.0, -2.0, 2.0
    # triangles up to 2 m/s² times 0.5 s, to either side of rest; a band up to Nyquist rounds their tips
    assert intensity.measures(records(pulses), RATE_HZ)["pgv_mps"][0] == pytest.approx(1.0, rel=0.01)


def test_sine():
    """Whole cycles of 3 m/s² at 0.8 Hz for 40 s: Arias, CAV, durations, PGA, PGV in closed form."""
    sine = np.where((TIME_S >= 10) & (TIME_S < 50), 3 * np.sin(2 * np.pi * 0.8 * (TIME_S - 10)), 0.0)
    made = {k: v[0] for k, v in intensity.measures(records(sine), RATE_HZ).items()}
    assert made["arias_mps"] == pytest.approx(np.pi / (4 * 9.80665) * 9 * 40, rel=TOLERANCE)
    assert made["cav_mps"] == pytest.approx(2 / np.pi * 3 * 40, rel=TOLERANCE)
    assert made["d5_75_s"] == pytest.approx(0.7 * 40, rel=TOLERANCE)
    assert made["d5_95_s"] == pytest.approx(0.9 * 40, rel=TOLERANCE)
    assert made["pga_mps2"] == pytest.approx(3, rel=TOLERANCE)
    # the high-pass takes the displacement's mean off: 0.11 / (2 pi f) of the velocity at the ends of a sudden train
    cosine = np.where((TIME_S >= 10) & (TIME_S < 50), 3 * np.cos(2 * np.pi * 6 * (TIME_S - 9.995)), 0.0)
    pgv = intensity.measures(records(cosine), RATE_HZ)["pgv_mps"][0]
    assert pgv == pytest.approx(3 / (12 * np.pi), rel=TOLERANCE)


def test_velocity_and_displacement_of_a_wave_packet():
    """The derivative of a known velocity: PGV, the integral of its square, and PGD, with and without an offset."""
    frequency, sigma = 1.0, 5.0
    envelope = 0.3 * np.exp(-(((TIME_S - 30) / sigma) ** 2) / 2)
    phase = 2 * np.pi * frequency * (TIME_S - 30)
    acceleration = envelope * (-2 * np.pi * frequency * np.sin(phase) - (TIME_S - 30) / sigma**2 * np.cos(phase))
    made = {k: v[0] for k, v in intensity.measures(records(acceleration), RATE_HZ, more=True).items()}
    assert made["pgv_mps"] == pytest.approx(0.3, rel=TOLERANCE)
    assert made["energy_m2ps"] == pytest.approx(0.3**2 * sigma * np.sqrt(np.pi) / 2, rel=TOLERANCE)
    assert made["pgd_m"] == pytest.approx(0.3 / (2 * np.pi * frequency), rel=TOLERANCE)
    offset = intensity.measures(records(acceleration + 0.002), RATE_HZ)["pgv_mps"][0]
    assert offset == pytest.approx(0.3, rel=0.05)  # without the high-pass: 0.12 m/s at the end


def test_rows_are_components():
    """The vertical never enters the horizontal measures, nor they the vertical one."""
    data = noise(1)
    other = data.copy()
    other[:, 2] *= 5
    one, two = intensity.measures(data, RATE_HZ), intensity.measures(other, RATE_HZ)
    for name in set(one) - {"pga_vertical_mps2"}:
        np.testing.assert_array_equal(one[name], two[name])
    np.testing.assert_allclose(two["pga_vertical_mps2"], 5 * one["pga_vertical_mps2"])


def test_dead_components_are_missing():
    """A dead horizontal: NaN in all but the vertical; dead vertical: only there; no warning, neighbours unharmed."""
    data = noise(4)
    data[1, 0], data[2, 2], data[3, 1, 7] = 0.0, 0.0, np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = intensity.measures(data, RATE_HZ)
        psa = intensity.psa(data[:, :2], RATE_HZ, [0.1, 1.0])
        ln_eas = intensity.eas(data, RATE_HZ, [1.0, 5.0])
        ln_fas = intensity.fourier(data, RATE_HZ, [1.0, 5.0])
    vertical = made.pop("pga_vertical_mps2")
    np.testing.assert_array_equal(np.isnan(vertical), [False, False, True, False])
    for value in (*made.values(), psa[:, 0], ln_eas[:, 0]):
        np.testing.assert_array_equal(np.isnan(value), [False, True, False, True])
    np.testing.assert_array_equal(np.isnan(ln_fas[..., 0]), [[0, 0, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]])
    assert intensity.psa(np.zeros((2, 2, 100)), RATE_HZ, [1.0]).shape == (2, 1)


def test_fourier_amplitude_of_an_impulse_and_a_sine():
    """An impulse of 1 m/s has amplitude 1 m/s at every frequency; EAS of (3, 4) is their root mean square."""
    impulse = np.zeros(6000)
    impulse[2500] = RATE_HZ
    data = np.stack([3 * impulse, 4 * impulse, impulse])[None]
    frequency = [0.5, 2.0, 10.0, 30.0]
    made = intensity.fourier(data, RATE_HZ, frequency)
    np.testing.assert_allclose(np.exp(made[0]), np.outer([3, 4, 1], np.ones(4)), rtol=1e-3)
    np.testing.assert_allclose(np.exp(intensity.eas(data, RATE_HZ, frequency))[0], np.sqrt(12.5), rtol=1e-3)


def test_fourier_beyond_the_spectrum_is_missing():
    """Above Nyquist there is nothing."""
    assert np.isnan(intensity.fourier(noise(1), RATE_HZ, [60.0])).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: intensity.psa(np.zeros((2, 3, 100)), RATE_HZ),
        lambda: intensity.psa(noise(1)[:, :2], RATE_HZ, [0.0]),
        lambda: intensity.psa(noise(1)[:, :2], RATE_HZ, damping=1.0),
        lambda: intensity.psa(noise(1)[:, :2], RATE_HZ, percentile=101),
        lambda: intensity.measures(np.zeros((3, 100)), RATE_HZ),
    ],
)
def test_what_is_not_accepted(call):
    """A shape, period, damping or percentile that makes no sense is named together with what is accepted."""
    with pytest.raises(TNGError, match=r"accepted|outside"):
        call()


def test_whole_numbers_and_single_precision():
    """Counts as integers and float32 give the values of float64."""
    data = np.round(noise(1) * 1000)
    truth = intensity.psa(data[:, :2], RATE_HZ, [0.05, 1.0])
    for kind in (np.int64, np.float32):
        np.testing.assert_allclose(intensity.psa(data[:, :2].astype(kind), RATE_HZ, [0.05, 1.0]), truth, rtol=1e-5)
        made = intensity.measures(data.astype(kind), RATE_HZ)["arias_mps"]
        np.testing.assert_allclose(made, intensity.measures(data, RATE_HZ)["arias_mps"], rtol=1e-6)


def test_other_sampling_rates():
    """The same packet of 2 Hz sampled at 50 and 200 Hz has the measures it has at 100 Hz."""

    def packet(rate_hz):
        time = np.arange(0, 40, 1 / rate_hz)
        trace = np.exp(-(((time - 20) / 3) ** 2)) * np.sin(2 * np.pi * 2 * time)
        return records(trace, np.roll(trace, int(0.1 * rate_hz)))

    truth = intensity.measures(packet(100), 100.0)
    psa = intensity.psa(packet(100)[:, :2], 100.0, [0.02, 0.5, 3.0])
    for rate in (50.0, 200.0):
        made = intensity.measures(packet(rate), rate)
        for name, value in truth.items():
            np.testing.assert_allclose(made[name], value, rtol=0.01, err_msg=name)
        np.testing.assert_allclose(intensity.psa(packet(rate)[:, :2], rate, [0.02, 0.5, 3.0]), psa, rtol=TOLERANCE)
