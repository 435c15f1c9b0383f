"""The first motion of P: what is described is brought about, before P and later nothing changes."""

import numpy as np
import pytest

from obspy_tng import spectral_extra as se
from obspy_tng.spectral_first import (
    SHAPE,
    _positive,
    _split,
    as_first,
    as_of_site,
    lines_after,
    minimum_phase,
    transport,
)

P = 1064


def motion(seed):
    """Return noise, and a signal of the three components by themselves that sets in at P, shape (3, 6144) each."""
    rng = np.random.default_rng(seed)
    noise, signal = rng.normal(size=(2, 3, 6144)) * np.array([0.02, 1.0])[:, None, None]
    signal = np.fft.irfft(np.fft.rfft(signal) / (1 + (np.fft.rfftfreq(6144, 0.01) / 8) ** 2), 6144)
    since = np.maximum(np.arange(6144) - P, 0)
    return noise, signal * np.minimum(since / 10, 1) * np.exp(-since / 800)


def described(direction, delay=0):
    """Return extra numbers of a pulse of one direction, E later by so many samples."""
    t = (np.arange(6144) - P) / 100
    pulse = np.where(t > 0, np.sin(2 * np.pi * 4 * t) * np.exp(-t / 0.2) + 0.5 * np.exp(-t / 0.05), 0)
    x = np.asarray(direction)[:, None] * pulse
    x[0] = np.roll(x[0], delay)
    found = se.first_motion(x + 1e-3 * np.random.default_rng(9).normal(size=x.shape), P / 100)
    size = np.sqrt(np.einsum("bii->ib", found).real)
    blank = se.split_extra(np.zeros(se.N_EXTRA))
    coherency = blank.coherency.copy()
    coherency[se.ONSET] = np.array([found[:, a, b] / (size[a] * size[b]) for a, b in se.PAIRS]).T
    coherency[se.ONSET, -1] = coherency[se.ONSET, -1].real
    return blank._replace(ln_first=2 * np.log(size), coherency=coherency), found


@pytest.mark.parametrize("delay", [0, 2])
def test_power_direction_and_phase_are_brought_about(delay):
    """Of noise without direction comes motion of the described one, in all bands below 20 Hz, for any seed."""
    known, wanted = described([0.6, -0.4, 1.5], delay)
    size = np.sqrt(np.einsum("bii->bi", wanted).real)
    misfit = []
    for seed in range(6):
        noise, signal = motion(seed)
        sides = noise + signal, noise + as_first(noise, signal, known, P)
        found = (se.first_motion(x, P / 100) for x in sides)
        misfit.append([np.abs((x - wanted) / (size[:, :, None] * size[:, None]))[:4].mean() for x in found])
    before, after = np.mean(misfit, axis=0)
    assert after < 0.4 and after < 0.3 * before, misfit


def test_bands_of_few_lines_count_as_others():
    """H/Z below 2 Hz, of two lines of the frame, is brought about as that of 2 to 5 Hz is: within a tenth or so."""
    known, wanted = described([0.6, -0.4, 1.5])

    def ln_hz(cross):
        e, n, z = np.einsum("bii->ib", cross).real
        return np.log((e + n) / z)[:2]

    pairs = [motion(seed) for seed in range(12)]
    made = np.array([ln_hz(se.first_motion(n + as_first(n, s, known, P), P / 100)) for n, s in pairs])
    assert (np.sqrt(((made - ln_hz(wanted)) ** 2).mean(axis=0)) < 0.13).all(), made - ln_hz(wanted)


def test_nothing_else_moves():
    """Before P nothing changes, after .5 s nothing, and a second time less than the first."""
    known, _ = described([0.6, -0.4, 1.5])
    noise, signal = motion(1)
    moved = as_first(noise, signal, known, P)
    change = np.abs(moved - signal).max(axis=0)
    assert change[:P].max() == 0 and change[P + 50 :].max() == 0 and change[P : P + 30].max() > 0
    again = as_first(noise, moved, known, P)
    assert np.abs(again - moved).mean() < 0.75 * np.abs(moved - signal).mean()


def test_transport_maps_one_matrix_to_the_other():
    """A C A = D for Hermitian matrices, and A is D/C for numbers on a diagonal."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, 5, 3, 8)) + 1j * rng.normal(size=(2, 5, 3, 8))
    now, wanted = x @ x.conj().swapaxes(-1, -2)
    a = transport(now, wanted)
    assert a @ now @ a == pytest.approx(wanted, rel=1e-6)
    assert a == pytest.approx(a.conj().swapaxes(-1, -2))
    diagonal = transport(np.diag([1.0, 4, 9])[None], np.diag([4.0, 4, 1])[None])
    assert diagonal[0] == pytest.approx(np.diag([2, 1, 1 / 3]))
    least = np.linalg.eigvalsh(_positive(np.diag([1.0, 0.0, -1.0])[None] + 0j, 0.1))
    assert least.min() > 0


def test_filters_add_to_one_and_are_causal():
    """The narrow bands of a sample are nothing before it, and all of them together are the sample."""
    assert np.abs(_split().sum(axis=0) - 1).max() < 1e-12
    response = np.fft.irfft(_split(), 512, axis=-1)
    assert np.abs(response[:, 384:]).max() < 1e-3 * np.abs(response).max()


def test_lines_of_a_site_are_brought_about():
    """A gain of N in some lines at one moment: twice as much of ln power there; elsewhere, before and later none."""
    gain = np.zeros(SHAPE)
    assert as_of_site(motion(0)[1], gain, P) == pytest.approx(motion(0)[1])
    gain[1, 1, 11:18] = 0.8  # 9.4 to 14 Hz
    change = []
    for seed in range(40):
        signal = motion(seed)[1]
        moved = as_of_site(signal, gain, P)
        assert np.array_equal(moved[[0, 2]], signal[[0, 2]]) and np.array_equal(moved[1, :P], signal[1, :P])
        assert np.abs(moved - signal)[1, P + 350 :].max() < 0.02 * np.abs(signal[1, P:]).max()
        change.append(lines_after(moved, P / 100) - lines_after(signal, P / 100))
    found = np.mean(change, axis=0)[1, 1]
    assert 1.0 < found[12:17].mean() < 1.7 and np.abs(np.r_[found[:8], found[22:]]).mean() < 0.15, found
    tone = np.sin(2 * np.pi * 12.5 * np.arange(6144) / 100)[None] * np.array([1.0, 2.0, 4.0])[:, None]
    lines = lines_after(tone, P / 100)
    assert lines.shape == SHAPE and (lines.argmax(axis=-1) == 15).all()  # 12.5 Hz: the 16th of 0.78 Hz
    assert (lines[:, 1] - lines[:, 0])[:, 12:19] == pytest.approx(2 * np.log(2), abs=1e-6)


def test_minimum_phase_is_that_of_a_known_filter():
    """Of the size of 1 + z⁻¹/2, a filter of minimum phase, the filter itself comes back; of 1/2 + z⁻¹ its mirror."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(512))
    for response in (1 + 0.5 * z, 0.5 + z):
        assert minimum_phase(np.log(np.abs(response))) == pytest.approx(1 + 0.5 * z, abs=1e-5)
