"""HVSR as the published TimesNet-Gen code computes it, which is not quite what the paper says.

Linear trend removed, 60 s of zeros on both sides, zero-phase Butterworth high-pass (2nd order, 0.05 Hz), no
taper, no S window; geometric mean of the horizontals; weights ``exp(-40 ln²(f / fc))``, close to a
Konno-Ohmachi window of b = 17.5; f0 is the largest value in 1-20 Hz at the FFT's own frequencies (multiples
of 1/180 Hz for 60 s records).

The filter runs in the frequency domain: run forward and backward it multiplies the spectrum by ``|B(f)|²``,
and 60 s of zeros hold its whole response (1e-6 is left after them). The smoothed spectra are so smooth (0.11
in ln f) that they are computed at frequencies 0.01 apart in ln f and interpolated from there (differences
below 1e-5).

References
----------
Yilmaz et al. (2025), TimesNet-Gen: deep learning-based site specific strong motion generation, Eq. 6, and the
authors' code.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from obspy_tng.site.smoothing import smooth, smoothing_matrix

PAD_S = 60.0
CORNER_HZ = 0.05
SMOOTHING = "loggauss:40"
BAND_HZ = (1.0, 20.0)
N_FREQUENCY = 400
BLOCK = 8
_STEP = 0.01  # of the nodes, in ln f


def frequencies() -> np.ndarray:
    """Return the 400 linear frequencies, 1 to 20 Hz, on which the authors keep their curves.

    Examples
    --------
    >>> frequencies()[[0, -1]].tolist(), len(frequencies())
    ([1.0, 20.0], 400)
    """
    return np.linspace(*BAND_HZ, N_FREQUENCY)


def fft_frequencies(npts: int, sampling_rate: float, band_hz=BAND_HZ) -> np.ndarray:
    """Return the FFT frequencies in Hz of a padded record inside a band; f0 is one of these."""
    frequency = np.fft.rfftfreq(_padded(npts, sampling_rate), 1 / sampling_rate)
    return frequency[(frequency >= band_hz[0]) & (frequency <= band_hz[1])]


def hvsr_curves(data: np.ndarray, sampling_rate: float, frequency_hz) -> np.ndarray:
    """Return HVSR curves by the definition of the published code.

    Parameters
    ----------
    data : numpy.ndarray, shape (record, 3, n)
        E, N, Z in any unit; left as it is.
    sampling_rate : float
        In Hz.
    frequency_hz : array_like, shape (f,)
        Output frequencies in Hz.

    Returns
    -------
    numpy.ndarray, shape (record, f)

    Examples
    --------
    >>> data = np.random.default_rng(0).normal(size=(2, 3, 6000)) * np.array([[3.0], [3.0], [1.0]])
    >>> np.median(hvsr_curves(data, 100.0, frequencies()), axis=1).round(0).tolist()
    [3.0, 3.0]
    """
    frequency_hz = np.asarray(frequency_hz, dtype=np.float64)
    n = data.shape[-1]
    total = _padded(n, sampling_rate)
    nodes, spread = _interpolation(frequency_hz.tobytes(), sampling_rate / 2)
    matrix = smoothing_matrix(total, sampling_rate, nodes, SMOOTHING)
    gain = _gain(total, float(sampling_rate))
    out = np.empty((data.shape[0], frequency_hz.size))
    time = np.linspace(-1.0, 1.0, n)
    for i in range(0, data.shape[0], BLOCK):
        block = np.asarray(data[i : i + BLOCK], dtype=np.float64)
        block = block - block.mean(axis=-1, keepdims=True)
        block -= (block @ time / (time @ time))[..., None] * time
        amplitude = np.abs(np.fft.rfft(block, total)) * gain  # zeros behind instead of around: phase only
        h = np.sqrt(amplitude[:, 0] * amplitude[:, 1])
        logs = np.log(smooth(np.stack([h, amplitude[:, 2]]), matrix))
        out[i : i + BLOCK] = np.exp((logs[0] - logs[1]) @ spread)
    return out


def record_f0(data: np.ndarray, sampling_rate: float, band_hz=BAND_HZ) -> np.ndarray:
    """Return each record's f0 in Hz: the largest value of its curve at the FFT's frequencies inside the band.

    Parameters
    ----------
    data : numpy.ndarray, shape (record, 3, n)
    sampling_rate : float
        In Hz.
    band_hz : (float, float)
        Where the largest value is looked for, in Hz.

    Returns
    -------
    numpy.ndarray, shape (record,)

    Examples
    --------
    >>> data = np.random.default_rng(0).normal(size=(2, 3, 6000))
    >>> data[:, :2] += 20 * np.sin(2 * np.pi * 4 * np.arange(6000) / 100)
    >>> record_f0(data, 100.0).round(1).tolist()
    [3.9, 4.0]
    """
    frequency = fft_frequencies(data.shape[-1], sampling_rate, band_hz)
    from obspy_tng.site.f0 import f0_argmax

    return f0_argmax(hvsr_curves(data, sampling_rate, frequency), frequency, band_hz)


def _padded(npts, sampling_rate):
    return npts + 2 * round(PAD_S * sampling_rate)


@lru_cache(maxsize=16)
def _gain(npts, sampling_rate):
    """Return ``|B(f)|²`` of the digital 2nd-order Butterworth high-pass at the rfft frequencies."""
    frequency = np.fft.rfftfreq(npts, 1 / sampling_rate)
    with np.errstate(divide="ignore"):
        x = np.tan(np.pi * CORNER_HZ / sampling_rate) / np.tan(np.pi * frequency / sampling_rate)
        return 1 / (1 + x**4)


@lru_cache(maxsize=16)
def _interpolation(frequency_bytes, nyquist_hz):
    """Return nodes (m,) in Hz and the cubic (Lagrange) interpolation matrix (m, f) from them, dense."""
    frequency = np.frombuffer(frequency_bytes, dtype=np.float64)
    low, high = np.log(frequency.min()) - 2 * _STEP, np.log(min(frequency.max(), nyquist_hz)) + 2 * _STEP
    grid = np.arange(low, high + _STEP, _STEP)
    grid = grid[grid < np.log(nyquist_hz)]
    position = (np.log(frequency) - grid[0]) / _STEP
    first = np.clip(np.floor(position).astype(int) - 1, 0, grid.size - 4)
    t = position - first  # 0 … 3 over the four nodes used
    matrix = np.zeros((grid.size, frequency.size))
    for k in range(4):
        others = [j for j in range(4) if j != k]
        weight = np.prod([(t - j) / (k - j) for j in others], axis=0)
        matrix[first + k, np.arange(frequency.size)] += weight
    return np.exp(grid), matrix
