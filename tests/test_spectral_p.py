"""Components after P: matrices against the coherency they are for, and motion of a site against its records."""

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

import obspy_tng as tng
from obspy_tng import spectral, spectral_p
from obspy_tng import spectral_missed as sm
from obspy_tng.calibration import onsets
from obspy_tng.calibration_site import tuned
from obspy_tng.preprocessing import NPTS, land, windows

P = 1000
OF = spectral_p.SHAPE[1:3]


def noise(n, seed=0, sizes=(1.0, 1.0, 1.0), band_hz=None):
    """Return white noise, or noise of a band, that begins with P, shape (n, 3, NPTS)."""
    x = np.random.default_rng(seed).standard_normal((n, 3, NPTS)) * np.array(sizes)[:, None]
    if band_hz:
        x = sosfiltfilt(butter(4, band_hz, "bandpass", fs=100, output="sos"), x)
    x[..., :P] = 0
    return x


def pairs(*values):
    """Return the same coherency of the pairs E-N, E-Z, N-Z at all moments and in all bands."""
    return np.broadcast_to(np.array(values, dtype=complex), (*OF, 3))


@pytest.mark.parametrize("wanted", [(0.7, -0.4, 0.1), (0.5j, 0.3 - 0.3j, 0.2)])
def test_matrices_bring_coherency_to_the_one_wanted(wanted):
    """M C M* is the wanted matrix, but for the ridge of .02, whether C was found with matrices or without."""
    found = (0.2, 0.1j, -0.3)
    kept = spectral_p.mixing(spectral_p.NOTHING, pairs(*found), pairs(*wanted))
    assert kept.shape == spectral_p.SHAPE
    c, d = np.eye(3, dtype=complex), np.eye(3, dtype=complex)
    for matrix, values in ((c, found), (d, wanted)):
        matrix[np.triu_indices(3, 1)] = values
        matrix[np.tril_indices(3, -1)] = matrix.T[np.tril_indices(3, -1)].conj()
    m = kept[0, 2, 3] + 1j * kept[1, 2, 3]
    assert m @ (c + 0.02 * np.eye(3)) @ m.conj().T == pytest.approx(d + 0.02 * np.eye(3), abs=1e-6)
    twice = spectral_p.mixing(kept, pairs(*wanted), pairs(*found))
    assert twice == pytest.approx(spectral_p.NOTHING, abs=1e-6)  # there and back


def test_nothing_is_mixed_by_nothing_and_nothing_moves_elsewhere():
    """Unit matrices change nothing; others change motion from P to 4.3 s after it alone."""
    x = noise(1)[0]
    assert np.array_equal(spectral_p.mixed(x, spectral_p.NOTHING, P), x)
    kept = spectral_p.mixing(spectral_p.NOTHING, pairs(0, 0, 0), pairs(0.6, 0.3, 0.2))
    change = spectral_p.mixed(x, kept, P) - x
    assert (change[:, :P] == 0).all() and (change[:, P + 430 :] == 0).all() and np.abs(change).max() > 0.3


def test_mixed_noise_hangs_together_and_keeps_its_power():
    """Noise of components of unlike size: as coherent as wanted, none of them stronger.

    Of 2 Hz on chance of a frame takes a fifth at most. Below, half of what frames see of white noise is of below .8 Hz.
    """
    x, wanted = noise(300, sizes=(10.0, 3.0, 0.5)), (0.6, -0.4j, 0.2)
    kept = spectral_p.mixing(spectral_p.NOTHING, pairs(0, 0, 0), pairs(*wanted))
    mixed = np.array([spectral_p.mixed(one, kept, P) for one in x])
    found = np.mean([spectral_p.coherency(one, P / 100, 20.0) for one in mixed], axis=0)[1:5]  # but for the ends
    share = (found * np.conj(wanted)).real.sum(axis=-1) / np.square(np.abs(wanted)).sum()
    assert share[:, 0].min() > 0.45 and share[:, 1:].min() > 0.8 and share.max() < 1.05
    assert np.abs(found - share[..., None] * wanted).max() < 0.12
    here = slice(P + 80, P + 330)
    assert mixed[..., here].std(axis=(0, 2)) == pytest.approx(x[..., here].std(axis=(0, 2)), rel=0.05)


def test_what_changes_does_not_leak_to_low_frequencies():
    """Motion of 1.2 to 2 Hz, mixed thoroughly: below .4 Hz less than a thousandth of the power of what changes."""
    kept = spectral_p.mixing(spectral_p.NOTHING, pairs(0, 0, 0), pairs(0.9, 0.9, 0.9))
    change = np.array([spectral_p.mixed(x, kept, P) - x for x in noise(20, seed=3, band_hz=(1.2, 2.0))])
    power = np.square(np.abs(np.fft.rfft(change))).mean(axis=(0, 1))
    assert power[np.fft.rfftfreq(NPTS, 0.01) < 0.4].sum() < 1e-3 * power.sum()


def test_coherency_is_told_of_frames_until_s():
    """Equal components hang together wholly, opposite ones against each other; from S on nothing is told."""
    x = noise(1)[0]
    x[1], x[2] = x[0], -3 * x[0]
    found = spectral_p.coherency(x, P / 100, 2.5)
    told = np.array(spectral_p.MOMENTS_S) <= 2.2
    assert found[told] == pytest.approx(np.broadcast_to((1, -1, -1), found[told].shape))
    assert np.isnan(found[~told]).all() and (~told).any()


def test_motion_after_p_hangs_together_as_the_records_of_its_site():
    """N is half E below 5 Hz for 4 s after P: a tuned pool knows, and without its matrices motion is less like it."""
    model = tng.load_model("tng-spectral-1")
    cut = windows(tng.records(tng.simulate(n=16, seed=4), units="m/s2"))
    waves = cut.x * np.exp(cut.ln_sd)[..., None]
    low = sosfiltfilt(butter(4, 5, fs=100, output="sos"), waves)
    fade = np.interp(np.arange(NPTS) / 100, (9.9, 10.0, 13.5, 14.5), (0, 1, 1, 0))
    waves[:, 1] += fade * np.sqrt(0.5) * (low[:, 0] - (np.sqrt(2) - 1) * low[:, 1])
    known = spectral.describe(waves, cut.s_s)
    latents, ln_sd = model.coded(known)[0], np.repeat(known.ln_scale[:, None], 3, axis=1)
    at = [onsets(*x) for x in zip(known.extra[:, 0], known.ln_sp, strict=True)]

    def told(waves):
        found = [spectral_p.coherency(x, *a) for x, a in zip(land(np.array(waves, dtype=float)), at, strict=True)]
        return np.nanmean(found, axis=0)[4:, :2, 0].real.mean()

    def made(kept):
        shared = model.site(latents, **kept)
        rngs = [[np.random.default_rng([5, k, i]) for i in range(len(latents))] for k in range(3)]
        return np.mean([
            told([model.render(*x, site=shared) for x in zip(latents, ln_sd, some, strict=True)]) for some in rngs
        ])  # fmt: skip

    kept = tuned(model, waves, latents, ln_sd, np.zeros(sm.SHAPE))
    assert kept["p_mixing"].shape == spectral_p.SHAPE and kept["p_mixing"].dtype == np.float16
    wanted, before, after = told(waves), made({**kept, "p_mixing": None}), made(kept)
    assert wanted > 0.5 and before + 0.35 * (wanted - before) < after < wanted + 0.1, (wanted, before, after)
