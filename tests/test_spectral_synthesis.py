"""Synthesis: what is described is found again in motion of fresh noise."""

from itertools import pairwise

import numpy as np
import pytest

from obspy_tng import spectral, spectral_extra
from obspy_tng.preprocessing import condition, land
from obspy_tng.spectral import SPEC_HZ, spectrum
from obspy_tng.spectral_envelopes import _heard, cells
from obspy_tng.spectral_noise import LENGTH, STEP, coherent, narrow, polarised
from obspy_tng.spectral_synthesis import _LEVEL, _less_hum, _rough, _without_drift, synthesise


def record(seed=0, sp_s=5.0):
    """Return coloured noise under an envelope: quiet, P ten times, S a hundred times as strong, decaying."""
    rng = np.random.default_rng(seed)
    t = np.arange(6000) / 100
    x = rng.normal(size=(3, 6000))
    x[1] = 0.7 * x[0] + 0.7 * x[1]
    x = np.fft.irfft(np.fft.rfft(x) / (1 + (np.fft.rfftfreq(6000, 0.01) / 8) ** 2), 6000)
    since = t - 10 - sp_s
    level = np.where(t < 10, 1.0, np.where(since < 0, 10.0, 2 + 100 * np.exp(-np.maximum(since, 0) / 5)))
    return condition(x * level * 1e-3)


def again(x, seed, sp_s=5.0):
    """Return motion made of a description of x."""
    known = spectral.describe(x[None], [10 + sp_s])
    power = spectral.smooth_power(known.ln_power[0])
    rng = np.random.default_rng(seed)
    return land(synthesise(power, known.ln_spectrum[0], known.extra[0], known.ln_scale[0], known.ln_sp[0], rng))


def test_same_seed_same_motion():
    """The motion is a function of description and seed; another seed gives other phases."""
    x = record()
    assert np.array_equal(again(x, 1), again(x, 1))
    assert abs(np.corrcoef(again(x, 1)[0], again(x, 2)[0])[0, 1]) < 0.3
    assert abs(np.corrcoef(again(x, 1)[0], x[0])[0, 1]) < 0.3


def test_spectrum_is_kept():
    """The smoothed spectrum of the whole record is met within 15 % from 0.3 to 45 Hz."""
    x = record(1)
    some = (spectral.SPEC_HZ > 0.3) & (spectral.SPEC_HZ < 45)
    assert np.abs(spectral.spectrum(again(x, 3)) - spectral.spectrum(x))[:, some].mean() < 0.15


def test_levels_of_quiet_p_and_coda():
    """Mean square of the differenced motion before P, after P, in S and in the coda is met within 25 %, what peaks
    are given aside."""
    parts = np.array([[200, 900], [1030, 1480], [1520, 2200], [3500, 5500]])
    rows = []
    for seed in range(12):
        x, y = np.diff(record(seed)), np.diff(again(record(seed), seed + 100))
        rows.append([np.log((y[:, a:b] ** 2).mean() / (x[:, a:b] ** 2).mean()) for a, b in parts])
    assert np.mean(rows, axis=0) == pytest.approx(np.full(4, 2 * _LEVEL), abs=0.22)


def test_nothing_before_p():
    """P of 50 dB lets nothing out before the onset: 0.3 to 0.1 s before it the motion is as quiet as ever."""
    x = record(4, sp_s=2.0)
    x[:, 1000:] *= 30
    ratio = []
    for seed in range(6):
        y = np.diff(again(x, seed, sp_s=2.0))
        ratio.append(np.log((y[:, 965:985] ** 2).mean() / (y[:, 300:900] ** 2).mean()))
    assert np.mean(ratio) < 1.0


def test_coherency_is_kept():
    """E and N of the coda are as coherent as they were, mean over bands and records within .07."""
    rows = []
    for seed in range(5):
        x = record(seed)
        found = [spectral_extra.coherency(y, 10.0, 5.0)[1][1:, 0].real.mean() for y in (x, again(x, seed + 50))]
        rows.append(found)
    one, two = np.mean(rows, axis=0)
    assert one > 0.5
    assert two == pytest.approx(one, abs=0.07)


def test_coda_keeps_its_ratio_of_horizontals_where_the_spectrum_has_another():
    """E told a third as strong at 0.4 to 1 Hz: strong motion is made so, and the coda keeps most of its E/N."""
    known = spectral.describe(record()[None], [15.0])
    power, told = spectral.smooth_power(known.ln_power[0]), known.ln_spectrum[0].copy()
    told[0, (SPEC_HZ > 0.35) & (SPEC_HZ < 1.1)] -= np.log(3)
    rows = []
    for seed in range(24):
        made = [
            land(synthesise(power, x, known.extra[0], 0.0, known.ln_sp[0], np.random.default_rng(seed)))
            for x in (known.ln_spectrum[0], told)
        ]
        ln = np.array([[np.log(_low_power(y[:, a:b])) for a, b in ((1500, 2100), (3500, 5500))] for y in made])
        ratio = ln[..., 0] - ln[..., 1]
        rows.append(ratio[1] - ratio[0])
    strong, coda = np.mean(rows, axis=0)
    assert strong < -1.2 and coda > 0.35 * strong, (strong, coda)


def _low_power(x):
    """Return the power of 0.45 to 0.9 Hz."""
    line = np.fft.rfftfreq(x.shape[-1], 0.01)
    spectra = np.fft.rfft(x * np.hanning(x.shape[-1]))[..., (line > 0.45) & (line < 0.9)]
    return np.square(np.abs(spectra)).mean(axis=-1)


def test_level_scales():
    """A scale larger by ln 3 gives three times the motion."""
    known = spectral.describe(record()[None], [15.0])
    power = spectral.smooth_power(known.ln_power[0])

    def at(ln_scale):
        rng = np.random.default_rng(0)
        return synthesise(power, known.ln_spectrum[0], known.extra[0], ln_scale, known.ln_sp[0], rng)

    assert at(np.log(3)) == pytest.approx(3 * at(0.0))


def test_first_instants_are_kept():
    """The pulse of low frequency that P begins with is met within a factor of 3; narrow bands build up too late."""
    away, t = [], np.arange(5000) / 100
    for seed in range(6):
        x = record(seed)
        x[:, 1000:] += 2.0 * t * np.exp(-t / 0.08) * np.sin(2 * np.pi * 2 * t + 0.3) * [[0.5], [0.7], [1.0]]
        found = [spectral_extra.early(y, 10.0)[0] for y in (x, again(x, seed + 9))]
        away.append(found[1] - found[0])
    low, soon = slice(0, 2), slice(0, 2)  # 0.7-2.8 Hz, the first 0.75 s
    assert np.mean(away, axis=(0, 1))[low, soon].mean() == pytest.approx(0, abs=np.log(3))


def test_polarised_noise_keeps_its_power():
    """Components are more coherent over 0.64 s; no mean square changes, and nothing where no waves are told of."""
    rng, edges = np.random.default_rng(0), np.array([0, 1064, 1100, 1300, 1500, 1650, 2000, 2400, 3000, LENGTH])
    plain = narrow(rng)
    share = np.zeros((9, plain.shape[0]))
    share[1:6, 8:] = 1.5
    mixed = polarised(plain.copy(), edges, share, rng)
    assert np.array_equal(plain[..., :1064], mixed[..., :1064]) and np.array_equal(plain[..., 2000:], mixed[..., 2000:])
    assert np.array_equal(plain[:8], mixed[:8])
    power, none = np.ones((3, plain.shape[0], LENGTH // STEP)), np.zeros((9, plain.shape[0], 3), dtype=complex)
    square, coherence = [], []
    for given in (plain, mixed):
        out = coherent(given, power, none, edges, np.ones(share.shape))[16:, :, 1100:1484]
        square.append((out.real**2).mean())
        short = out.reshape(*out.shape[:2], 6, 64)
        cross = np.abs((short[:, 0] * short[:, 2].conj()).mean(axis=-1))
        own = [(np.abs(short[:, i]) ** 2).mean(axis=-1) for i in (0, 2)]
        coherence.append((cross / np.sqrt(own[0] * own[1])).mean())
    assert square[1] == pytest.approx(square[0], rel=0.1)
    assert coherence[1] > coherence[0] + 0.02


def test_sections_of_a_part_have_coherency_of_their_own():
    """E and N of 10 Hz on: .8 in the first section of S, none in what follows, -.5 in the second of the coda."""
    edges = np.array([0, 1064, 1100, 1300, 1500, 2500, 3500, 4200, 5200, LENGTH])
    plain = narrow(np.random.default_rng(4))
    wanted = np.zeros((9, plain.shape[0], 3), dtype=complex)
    wanted[4, :, 0], wanted[7, :, 0] = 0.8, -0.5
    out = coherent(plain, np.ones((3, plain.shape[0], LENGTH // STEP)), wanted, edges, np.ones(wanted.shape[:2]))
    found = []
    for begin, end in pairwise(edges[4:]):
        part = out[12:, :, begin:end]
        cross = np.einsum("bit,bjt->ij", part, part.conj())
        found.append(cross[0, 1].real / np.sqrt(cross[0, 0].real * cross[1, 1].real))
    assert found == pytest.approx([0.8, 0.0, 0.0, -0.5, 0.0], abs=0.1)


def test_no_burst_at_the_end():
    """Power that a mix has in its last frames, which lie beyond the end of some parents, does not become a burst."""
    x = record(2)
    known = spectral.describe(x[None], [15.0])
    power = spectral.smooth_power(known.ln_power[0])
    times = spectral.lattice(5.0)
    power[:, times > 51] += 14.0
    rng = np.random.default_rng(0)
    y = synthesise(power, known.ln_spectrum[0], known.extra[0], known.ln_scale[0], known.ln_sp[0], rng)
    late, coda = (np.sqrt((y[:, a:b] ** 2).mean()) for a, b in ((5200, 5700), (3600, 4700)))
    assert late < 4 * coda


def test_low_bands_are_told_from_their_neighbours():
    """Power that grows with the fourth power of frequency fills the lowest lines from above; cells have it right."""
    truth = np.maximum(spectral.BAND_HZ[: spectral.N_LOW], 0.2) ** 4
    heard = _heard() @ truth
    assert _heard().sum(axis=1) == pytest.approx(np.ones(spectral.N_LOW))
    assert np.log(heard / truth)[1] > 1.2  # of 0.39 Hz, seen by Hann's lobe from 0 to 1.2 Hz
    power = np.ones((3, spectral.NT, spectral.NB))
    power[..., : spectral.N_LOW] = heard
    power[:, : spectral.NP_] *= 1e-4
    times_s = spectral.lattice(8.0)
    found = cells(power, times_s, 80, 1000)[1][:, : spectral.N_LOW, 180:400].mean(axis=(0, 2))
    assert np.abs(np.log(found / truth))[1:].max() < 0.2


def test_roughness_keeps_the_power():
    """Random gains: mean power 1, their ln of the sd asked for, not correlated 1.6 Hz apart."""
    nodes = np.rint(np.arange(0, 50, 0.8) * 2 * LENGTH / 100).astype(int)  # lines 0.8 Hz apart
    size = np.array([0.18, 0.18, 0.18, 0.3, 0.3])
    rough = np.array([_rough(np.random.default_rng(i), size)[nodes] for i in range(1200)])
    assert np.exp(2 * rough).mean() == pytest.approx(1.0, rel=0.02)
    assert rough[:, :30].std() == pytest.approx(0.18, rel=0.05)
    assert rough[:, 50:].std() == pytest.approx(0.3, rel=0.05)
    assert abs(np.corrcoef(rough[:, :35].ravel(), rough[:, 2:37].ravel())[0, 1]) < 0.05


def test_below_the_description_motion_falls():
    """A sine of 0.06 Hz comes out at a quarter of what one of 0.12 Hz does, and as the high-pass of 0.1 Hz lets it."""
    t = np.arange(LENGTH) / 100
    middle = slice(2000, 4000)
    sizes = []
    for frequency_hz in (0.06, 0.125, 1.0):
        wave = np.tile(np.sin(2 * np.pi * frequency_hz * t), (3, 1))
        sizes.append(np.abs(_without_drift(wave)[:, middle]).max() / np.abs(wave[:, middle]).max())
    high_pass = (1 + (0.1 / 0.12) ** 4) / (1 + (0.1 / 0.06) ** 4)
    assert sizes[0] == pytest.approx(0.25 * high_pass, abs=0.06)
    assert sizes[1:] == pytest.approx([1.0, 1.0], abs=0.06)


def test_hum_leaves_room_below_what_noise_is_described_at():
    """Noise of more than all there is at .15 Hz is brought below it; none is changed at .4 Hz and above."""
    noise = np.random.default_rng(0).normal(size=(3, LENGTH))
    room = np.where(SPEC_HZ < 0.3, -2.0, 5.0) * np.ones((3, 1))
    change = spectrum(_less_hum(noise, room)) - spectrum(noise)
    assert change[:, SPEC_HZ < 0.18] == pytest.approx(-2.5, abs=0.15)
    assert np.abs(change[:, SPEC_HZ > 0.4]).max() < 0.02
    assert np.array_equal(_less_hum(noise, np.full(room.shape, 5.0)).round(9), noise.round(9))
