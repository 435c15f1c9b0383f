"""Settings of a curve: what is accepted, what is refused, and what is left out."""

import numpy as np
import pytest

from obspy_tng.errors import TNGError
from obspy_tng.site import geopsy, timesnet_gen
from obspy_tng.site.settings import check, parse_window


def test_defaults():
    """200 log-spaced frequencies over 0.5-20 Hz, half an octave beyond either end at the same spacing."""
    found = check()
    frequency = found.frequency_hz
    inside = frequency[(frequency >= 0.5 * (1 - 1e-9)) & (frequency <= 20 * (1 + 1e-9))]
    assert inside.size == 200 and inside[[0, -1]] == pytest.approx([0.5, 20])
    steps = np.diff(np.log(frequency))
    assert np.allclose(steps, np.log(40) / 199)
    half_octave = np.log(2) / 2
    for beyond in (np.log(0.5 / frequency[0]), np.log(frequency[-1] / 20)):
        assert half_octave - steps[0] < beyond <= half_octave + 1e-9
    assert (found.kind, found.length_s, found.taper, found.snr, found.overlap) == ("s", 20.0, 0.1, 3.0, 0.0)
    assert (found.horizontal, found.smoothing, found.group, found.compat) == ("quadratic", "ko:40", "station", "")
    assert found.max_windows is None and found.azimuths_deg == () and found.band_hz == (0.5, 20.0)


def test_attributes_netcdf_can_hold():
    """No None and no tuple: 0 stands for none."""
    attrs = check(window="full").attrs()
    assert attrs["max_windows"] == 0 and attrs["window_length_s"] == 0.0 and attrs["band_hz"] == [0.5, 20.0]
    assert check(window="sliding:30", max_windows=7).attrs()["max_windows"] == 7
    assert check(window=25).attrs() | {"window_length_s": 25.0, "window": "25"} == check(window=25).attrs()
    assert not any(v is None or isinstance(v, tuple) for v in attrs.values())


@pytest.mark.parametrize(
    ("window", "compat", "expected"),
    [
        ("full", None, ("full", None)), ("noise", None, ("noise", None)), ("s", None, ("s", 20.0)),
        (5, None, ("s", 5.0)), ("12.5", None, ("s", 12.5)), ("sliding:60", None, ("sliding", 60.0)),
        ("sliding:1", None, ("sliding", 1.0)), ("s", "geopsy", ("sliding", 60.0)), (30, "geopsy", ("sliding", 30.0)),
        (59.99, "geopsy", ("sliding", 60.0)), (59.95, "geopsy", ("sliding", 60.0)),
        (59.94, "geopsy", ("sliding", 59.94)),
        ("sliding:59.99", None, ("sliding", 59.99)), ("full", "geopsy", ("full", None)),
    ],
)  # fmt: skip
def test_windows(window, compat, expected):
    """Words, lengths and, with Geopsy's, lengths from the first sample to the last."""
    assert parse_window(window, None, compat) == expected


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"window": "sliding:0.99"}, "the length of sliding windows, 1 s or more"),
        ({"window": "sliding:inf"}, "the length of sliding windows, 1 s or more"),
        ({"window": "sliding:x"}, "the length of sliding windows, 1 s or more"),
        ({"window": 0.5, "compat": "geopsy"}, "the length of sliding windows"),
        ({"window": 4.9}, "5 s or more"), ({"window": "S"}, "accepted: s, full, noise, sliding:SECONDS"),
        ({"taper": 0.5}, "0 <= TAPER <= 0.5"), ({"taper": -0.1}, "share of one ramp"),
        ({"taper": 0.51, "window": "full"}, "share of one ramp"),
        ({"taper": 1.01, "compat": "geopsy"}, "both ramps together"),
        ({"overlap": 1.0, "window": "sliding:10"}, "0 <= OVERLAP < 1"), ({"overlap": -0.1}, "0 <= OVERLAP < 1"),
        ({"overlap": 0.5}, "overlap is of sliding windows; window 's' given"),
        ({"max_windows": 0}, "1 or more"), ({"n_frequency": 2}, "3 or more"), ({"snr": -1}, "0 or more"),
        ({"snr": np.nan}, "0 or more"), ({"band_hz": (0, 5)}, "0 < FMIN < FMAX"), ({"band_hz": (5, 5)}, "FMIN < FMAX"),
        ({"band_hz": (1, np.inf)}, "FMIN < FMAX"), ({"compat": "Geopsy"}, "accepted: geopsy, timesnet-gen"),
        ({"group": "net"}, "accepted: station, sensor, record, all"),
        ({"azimuth_step_deg": 0}, "above 0, up to 90"), ({"azimuth_step_deg": 90.5}, "above 0, up to 90"),
        ({"azimuth_step_deg": 10, "compat": "geopsy"}, "azimuths are not defined with compat 'geopsy'"),
    ],
)  # fmt: skip
def test_what_is_refused(settings, said):
    """One line that tells what was given and what is accepted."""
    with pytest.raises(TNGError, match=said):
        check(**settings)


def test_limits_that_are_accepted():
    """The ends of the ranges themselves."""
    assert check(taper=0.0).taper == 0 and check(taper=0.5, window="full").taper == 0.5
    assert check(taper=0.49).taper == 0.49 and check(taper=1, compat="geopsy").taper == 1.0
    assert check(max_windows=1, window="sliding:5").max_windows == 1 and check(snr=0).snr == 0
    assert check(n_frequency=3).frequency_hz.size >= 3
    assert check(azimuth_step_deg=90).azimuths_deg == (0.0, 90.0)
    assert check(azimuth_step_deg=45).azimuths_deg == (0.0, 45.0, 90.0, 135.0)


def test_noise_is_judged_beside_s_windows_only():
    """No other window has a noise beside it."""
    assert [check(window=w, snr=5).snr for w in ("s", 20, "full", "noise", "sliding:20")] == [5, 5, 0, 0, 0]


def test_compats_bring_their_own_settings():
    """Bands, frequencies, ramps and means of Geopsy and of the published code."""
    found = check(compat="geopsy", overlap=0.25)
    assert (found.kind, found.length_s, found.window, found.snr) == ("sliding", 60.0, "sliding:60", 0.0)
    assert found.taper == geopsy.TAPER and found.band_hz == geopsy.BAND_HZ and found.overlap == 0.25
    assert np.array_equal(found.frequency_hz, geopsy.output_frequency())
    assert check(compat="geopsy", taper=0.2, n_frequency=50, band_hz=(1, 10)).frequency_hz.size == 50
    found = check(compat="timesnet-gen")
    assert (found.kind, found.length_s, found.horizontal, found.taper, found.snr) == ("full", None, "geometric", 0, 0)
    assert np.allclose(found.frequency_hz, np.linspace(1, 20, timesnet_gen.N_FREQUENCY))
    assert np.allclose(check(compat="timesnet-gen", band_hz=(2, 8), n_frequency=7).frequency_hz, np.arange(2, 9))
