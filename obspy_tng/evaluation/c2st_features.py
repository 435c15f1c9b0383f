"""What a classifier is told of a record: groups of numbers, each a place where generated motion gives itself away.

All but ``pga`` are free of the record's level, so that magnitude and distance do not drown them. Everything is taken
between the ramps that conditioning leaves at the ends of a record: a record conditioned twice is no worse motion.
"""

from __future__ import annotations

import numpy as np

from obspy_tng.errors import TNGError
from obspy_tng.preprocessing import P_AT_S, TAPER_END_S, TAPER_START_S

FRAME_S, LONG_FRAME_S = 1.28, 5.12  # of the spectrograms; the long one resolves what lies below 1.6 Hz
SPECTRUM_HZ = np.geomspace(0.2, 45.0, 33)  # edges of bands
HVSR_HZ = np.geomspace(0.4, 20.0, 25)
LOW_HZ = np.array([0.3, 0.5, 0.7, 0.9, 1.2, 1.6])  # bands told from long frames
HIGH_HZ = np.array([1.6, 2.4, 4.0, 6.3, 10.0, 16.0, 25.0, 45.0])  # and from short ones
COMPONENT_HZ = np.array([0.7, 2.0, 5.0, 10.0, 20.0, 45.0])
ENVELOPE_S, ONSET_S, PATCH_S = 1.5, 0.25, 3.0
HUSID_SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
PAIRS = ((0, 1), (0, 2), (1, 2))  # E-N, E-Z, N-Z
GROUPS = (
    "spectrum", "envelope", "onset", "hvsr", "components", "spectrogram", "texture",
    "kurtosis", "zero crossings", "husid", "crest", "pga",
)  # fmt: skip
_FLOOR = 1e-14  # of power over the record's mean power: an accelerograph's dynamic range is 120-140 dB
_BATCH = 16


def features(data: np.ndarray, sampling_rate: float, *, p_s: float = P_AT_S) -> dict[str, np.ndarray]:
    """Return groups of features of records.

    Parameters
    ----------
    data : numpy.ndarray, shape (n, 3, npts), m/s²
        E, N, Z; conditioned alike, P at the same time in all of them, at least 25 s long. Left as it is.
    sampling_rate : float
        In Hz.
    p_s : float
        P onset in s after the first sample.

    Returns
    -------
    dict of str to numpy.ndarray, shape (n, k), float64
        ``spectrum`` ln of mean Fourier power in 32 bands of each component; ``envelope`` ln rms in windows of 1.5 s
        of the horizontals and the vertical; ``onset`` the same in windows of 0.25 s from 1 s before P to 3 s
        after; ``hvsr`` ln H/V in 24 bands; ``components`` ln power ratios of the components and their coherence
        (Fisher's z) in 5 bands before P, after P, during the strong motion (5-75 % of the energy) and in the coda;
        ``spectrogram`` ln power in patches of 3 s by band; ``texture`` scatter of ln power between neighbouring cells
        and frames; ``kurtosis`` ln kurtosis of the motion and of its difference, and of frames; ``zero crossings`` ln
        rate per second, whole and in the four parts; ``husid`` s until shares of the energy have arrived;
        ``crest`` ln peak over rms; ``pga`` ln peak in m/s² of each component.

    Raises
    ------
    TNGError
        Wrong shape, too short, samples not finite, or a component without motion.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(2, 3, 6000))
    >>> features(noise, 100.0)["husid"].shape
    (2, 16)
    """
    data = np.asarray(data)
    if data.ndim != 3 or data.shape[1] != 3:
        raise TNGError(f"array of shape {data.shape} given; accepted: (record, 3, sample)")
    if data.shape[2] < 25 * sampling_rate or not 5 <= p_s <= data.shape[2] / sampling_rate - 15:
        raise TNGError(
            f"records of {data.shape[2] / sampling_rate:g} s with P at {p_s:g} s given; accepted: 25 s or longer, P "
            "between 5 s after the start and 15 s before the end"
        )
    first, last = int(TAPER_START_S * sampling_rate), data.shape[2] - int(TAPER_END_S * sampling_rate)
    parts = []
    for i in range(0, len(data), _BATCH):
        batch = data[i : i + _BATCH, :, first:last].astype(np.float32)
        peak = np.abs(batch).max(axis=-1)
        if not np.isfinite(peak).all() or not (peak > 0).all():
            row, component = np.argwhere(~np.isfinite(peak) | ~(peak > 0))[0]
            raise TNGError(f"record {i + row}, component {'ENZ'[component]}: no motion, or samples that are not finite")
        parts.append(_batch(batch, sampling_rate, p_s - TAPER_START_S, peak))
    if not parts:
        raise TNGError("no record given")
    return {name: np.concatenate([part[name] for part in parts]).astype(np.float64) for name in GROUPS}


def spectrogram(data: np.ndarray, sampling_rate: float, frame_s: float = FRAME_S) -> tuple[np.ndarray, np.ndarray]:
    """Return complex short-time spectra: Hann frames, half overlapping, none padded.

    Parameters
    ----------
    data : numpy.ndarray, shape (..., npts)
    sampling_rate : float
        In Hz.
    frame_s : float
        Length of a frame.

    Returns
    -------
    spectra : numpy.ndarray, shape (..., frame, frequency), complex
        Scaled so that the mean over frames of ``|spectra|²``, summed over both signs of frequency, is the mean square.
    frequency_hz : numpy.ndarray, shape (frequency,)
    """
    from scipy.fft import rfft

    n = 2 * int(round(frame_s * sampling_rate / 2))
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)).astype(data.dtype)
    frames = np.lib.stride_tricks.sliding_window_view(data, n, axis=-1)[..., :: n // 2, :]
    return rfft(frames * (window / np.sqrt((window**2).sum() * n)), axis=-1), np.fft.rfftfreq(n, 1 / sampling_rate)


def _batch(x, rate, p_s, peak):
    """Return the features of a few records, ramps cut away."""
    rms = np.sqrt((x**2).mean(axis=-1))
    x = x / np.sqrt((rms**2).mean(axis=1))[:, None, None]  # mean power 1
    short, short_hz = spectrogram(x, rate)
    power = _power(short)  # (n, 3, frame, frequency)
    middle_s = (np.arange(power.shape[2]) + 1) * FRAME_S / 2
    energy = np.zeros((*x.shape[:2], x.shape[2] + 1))  # before each sample, and the total
    np.cumsum(x**2, axis=-1, out=energy[..., 1:])
    parts_s = _parts(energy.sum(axis=1), rate, p_s)
    both = np.stack([energy[:, :2].sum(axis=1), energy[:, 2]], axis=1)
    out = _spectra(x, rate)
    out["envelope"] = _envelope(energy, rate, np.arange(0, x.shape[-1] / rate, ENVELOPE_S))
    out["onset"] = _envelope(energy, rate, np.arange(p_s - 1, p_s + 3 + ONSET_S / 2, ONSET_S))
    out["components"] = _components(short, power, short_hz, middle_s, parts_s)
    out["spectrogram"] = _patches(x, rate, power, short_hz, middle_s)
    out["texture"] = _texture(_ln(power[..., 2:]), middle_s < p_s)
    out["kurtosis"] = _kurtosis(x, rate)
    out["zero crossings"] = _crossings(x, rate, parts_s)
    out["husid"] = np.concatenate([(both < s * both[..., -1:]).sum(axis=-1) / rate for s in HUSID_SHARES], axis=1)
    out["crest"], out["pga"] = np.log(peak / rms), np.log(peak)
    return out


def _power(spectra):
    return spectra.real**2 + spectra.imag**2


def _ln(power):
    return np.log(np.maximum(power, _FLOOR))


def _flat(x):
    return x.reshape(len(x), -1)


def _bands(power, frequency_hz, edges_hz):
    """Return mean power in bands of the last axis, shape (..., band); a band holds one line at least."""
    edges = np.searchsorted(frequency_hz, edges_hz)
    first = np.minimum(edges[:-1], len(frequency_hz) - 1)
    last = np.maximum(edges[1:], first + 1)
    return np.stack([power[..., a:b].mean(axis=-1) for a, b in zip(first, last, strict=True)], axis=-1)


def _parts(energy, rate, p_s):
    """Return begin and end in s of four parts, shape (n, 4, 2): before P, after P, strong motion, coda."""
    strong = [(energy < share * energy[:, -1:]).sum(axis=-1) / rate for share in (0.05, 0.75, 0.95)]
    end, least = (energy.shape[-1] - 1) / rate, 2 * FRAME_S
    begin = np.stack([np.zeros_like(strong[0]), np.full_like(strong[0], p_s), strong[0], strong[2]], axis=1)
    length = np.stack(
        [np.full_like(strong[0], p_s), np.full_like(strong[0], least), strong[1] - strong[0], 10 + 0 * strong[0]],
        axis=1,
    )
    begin = np.minimum(begin, end - np.maximum(length, least))
    return np.stack([begin, begin + np.maximum(length, least)], axis=-1)


def _spectra(x, rate):
    """Return `spectrum` and `hvsr` from the transform of the whole record."""
    from scipy.fft import rfft, rfftfreq

    power, frequency_hz = _power(rfft(x, axis=-1)) / x.shape[-1], rfftfreq(x.shape[-1], 1 / rate)
    band = _bands(power, frequency_hz, HVSR_HZ)
    hvsr = 0.5 * (_ln((band[:, 0] + band[:, 1]) / 2) - _ln(band[:, 2]))
    return {"spectrum": _flat(0.5 * _ln(_bands(power, frequency_hz, SPECTRUM_HZ))), "hvsr": hvsr}


def _envelope(energy, rate, edges_s):
    """Return ln rms between edges of the horizontals and the vertical, over the record's rms."""
    at = np.round(edges_s * rate).astype(int)
    at = at[at < energy.shape[-1]]
    step = np.diff(energy[..., at], axis=-1) / np.diff(at)
    return _flat(0.5 * _ln(np.stack([(step[:, 0] + step[:, 1]) / 2, step[:, 2]], axis=1)))


def _components(short, power, frequency_hz, middle_s, parts_s):
    """Return ln power ratios and coherence between components by band and part of the record."""
    inside = (middle_s >= parts_s[..., :1]) & (middle_s < parts_s[..., 1:])
    inside = inside.astype(np.float32)  # (n, part, frame)
    own = [inside @ _bands(power[:, c], frequency_hz, COMPONENT_HZ) for c in range(3)]  # (n, part, band)
    columns = [_ln(own[0]) - _ln(own[1]), _ln(own[0] + own[1]) - _ln(own[2])]
    for a, b in PAIRS:
        cross = inside @ _bands(short[:, a] * short[:, b].conj(), frequency_hz, COMPONENT_HZ)
        cross = cross / np.sqrt(np.maximum(own[a] * own[b], _FLOOR**2))
        # its size, whatever the delay, and the plain correlation, which has a sign
        columns += [np.arctanh(np.clip(c, -0.999, 0.999)) for c in (np.abs(cross), cross.real)]
    return np.concatenate([_flat(c) for c in columns], axis=1)


def _patches(x, rate, power, frequency_hz, middle_s):
    """Return ln power in patches of time and frequency of the horizontals and the vertical."""
    long_, long_hz = spectrogram(x, rate, LONG_FRAME_S)
    edges = np.searchsorted(middle_s, np.arange(0, middle_s[-1], PATCH_S))
    count = np.diff(edges, append=len(middle_s))[:, None]
    patches = (
        _bands(_power(long_), long_hz, LOW_HZ),
        np.add.reduceat(_bands(power, frequency_hz, HIGH_HZ), edges, axis=2) / count,
    )
    columns = [_flat(_ln(part)) for p in patches for part in ((p[:, 0] + p[:, 1]) / 2, p[:, 2])]
    return np.concatenate(columns, axis=1)


def _texture(cells, before):
    """Return mean steps of ln power from frame to frame and line to line in five ranges of frequency."""
    in_time, in_frequency = np.abs(np.diff(cells, axis=2)), np.abs(np.diff(cells, axis=3))
    before = np.flatnonzero(before)[:-1]
    columns = []
    for lines in np.array_split(np.arange(cells.shape[-1] - 1), 5):
        a, b = in_time[..., lines].mean(axis=-1), in_frequency[..., lines].mean(axis=-1)
        columns += [a.mean(axis=-1), b.mean(axis=-1), a[..., before].mean(axis=-1), b[..., before].mean(axis=-1)]
    return np.concatenate(columns, axis=1)


def _kurtosis(x, rate):
    """Return ln kurtosis of the motion, of its difference, and its mean over frames of 1.28 s."""
    n = int(FRAME_S * rate)
    frames = x[..., : x.shape[-1] // n * n].reshape(*x.shape[:2], -1, n)
    return np.concatenate(
        [np.log(kurtosis(x)), np.log(kurtosis(np.diff(x, axis=-1))), np.log(kurtosis(frames)).mean(axis=-1)], axis=1
    )


def kurtosis(x: np.ndarray) -> np.ndarray:
    """Return the fourth central moment over the squared second along the last axis; 3 for a Gaussian law."""
    x = x - x.mean(axis=-1, keepdims=True)
    square = x * x
    variance = square.mean(axis=-1)
    fourth = np.einsum("...i,...i->...", square, square) / x.shape[-1]
    return np.divide(fourth, variance**2, out=np.ones_like(fourth), where=variance**2 > 0)


def _crossings(x, rate, parts_s):
    """Return ln of sign changes per second, whole and in the four parts."""
    changes = np.zeros(x.shape, dtype=np.int32)
    np.cumsum(np.signbit(x[..., 1:]) != np.signbit(x[..., :-1]), axis=-1, out=changes[..., 1:])
    columns = [changes[..., -1] / ((x.shape[-1] - 1) / rate)]
    at = np.minimum((parts_s * rate).astype(int), x.shape[-1] - 1)  # (n, part, 2)
    for part in at.transpose(1, 0, 2):
        begin, end = (np.take_along_axis(changes, i[:, None, None], axis=-1)[..., 0] for i in part.T)
        columns.append((end - begin) / ((part[:, 1] - part[:, 0]) / rate)[:, None])
    return np.log(np.maximum(np.concatenate(columns, axis=1), 0.1))
