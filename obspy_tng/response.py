"""Counts or velocity to acceleration with the instrument response, one evaluation per channel and length."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from obspy_tng.errors import RecordError

LOW_HZ = (0.04, 0.08)  # cosine ramp: below, a broadband record of a small event is noise
HIGH_NYQUIST = (0.9, 1.0)  # the same towards the Nyquist frequency, as a fraction of it
TAPER_S = 1.0


def to_acceleration(data, ids, time, sampling_rate, inventory):
    """Deconvolve three components to m/s².

    The spectrum is divided by ObsPy's evalresp response for acceleration and band-limited by cosine ramps
    (0.04–0.08 Hz, 0.9–1 Nyquist); the record is demeaned, tapered over 1 s and zero-padded to twice its length
    against wrap-around.

    Parameters
    ----------
    data : numpy.ndarray, shape (3, n)
        In counts.
    ids : sequence of str
        SEED ids of the rows.
    time : UTCDateTime
        When; picks the response epoch.
    sampling_rate : float
        In Hz.
    inventory : obspy.Inventory

    Returns
    -------
    numpy.ndarray, shape (3, n)
        In m/s².

    Raises
    ------
    RecordError
        The inventory holds no usable response for a channel at that time.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    npts = data.shape[1]
    nfft = next_fast_len(2 * npts, real=True)
    data = data - data.mean(axis=1, keepdims=True)
    width = max(2, min(int(TAPER_S * sampling_rate), npts // 4))
    ramp = 0.5 * (1 - np.cos(np.pi * np.arange(width) / width))
    data[:, :width] *= ramp
    data[:, -width:] *= ramp[::-1]
    gains = np.array([_inverse_response(_find(inventory, seed_id, time), nfft, sampling_rate) for seed_id in ids])
    return irfft(rfft(data, nfft, axis=1) * gains, nfft, axis=1)[:, :npts]


def has_response(inventory, seed_id, time) -> bool:
    """Tell whether the inventory holds a response for a channel at a time."""
    try:
        return inventory is not None and _find(inventory, seed_id, time) is not None
    except RecordError:
        return False


class _Key:
    """An ObsPy object that hashes by identity, so that it can be a cache's key."""

    def __init__(self, value):
        self.value = value

    def __hash__(self):
        return id(self.value)

    def __eq__(self, other):
        return self.value is other.value


def sensitivities(inventory, ids, time):
    """Return the overall sensitivities of channels, shape (3,), None unless all are known and of one unit."""
    found = [next((r.instrument_sensitivity for r in _responses(inventory, i, time)), None) for i in ids]
    values = np.array([np.nan if s is None else float(s.value or np.nan) for s in found])
    units = {(s.input_units or "").upper() for s in found if s is not None}
    return values if len(units) == 1 and (values > 0).all() else None


def _find(inventory, seed_id, time):
    """Return the response of a channel whose epoch holds `time`, as a key for the cache."""
    for response in _responses(inventory, seed_id, time):
        if response.response_stages:
            return _Key(response)
    raise RecordError(f"no response for {seed_id} at {time.date} in the inventory")


def _responses(inventory, seed_id, time):
    """Yield the responses of a channel at a time, with stages or without."""
    # Inventory.select copies all it returns, which takes a hundred times longer
    for network in inventory:
        for station in network:
            for channel in station:
                code = f"{network.code}.{station.code}.{channel.location_code or ''}.{channel.code}"
                if code != seed_id or not all(p.is_active(time=time) for p in (network, station, channel)):
                    continue
                if channel.response is not None:
                    yield channel.response


@lru_cache(maxsize=1024)
def _inverse_response(key, nfft, sampling_rate):
    frequency = np.fft.rfftfreq(nfft, 1 / sampling_rate)
    used = (frequency >= LOW_HZ[0]) & (frequency <= HIGH_NYQUIST[1] * sampling_rate / 2)
    gain = np.zeros(frequency.size, dtype=complex)
    try:
        response = key.value.get_evalresp_response_for_frequencies(frequency[used], output="ACC")
    except Exception as err:  # evalresp reports broken responses with several kinds of exception
        raise RecordError(f"response cannot be evaluated: {err}") from err
    gain[used] = 1 / np.where(response == 0, np.inf, response)
    nyquist = sampling_rate / 2
    gain *= _ramp(frequency, *LOW_HZ) * (1 - _ramp(frequency, *(f * nyquist for f in HIGH_NYQUIST)))
    return gain


def _ramp(frequency, low, high):
    """Cosine step from 0 below `low` to 1 above `high`."""
    return 0.5 * (1 - np.cos(np.pi * np.clip((frequency - low) / (high - low), 0, 1)))
