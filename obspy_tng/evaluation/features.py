"""What is measured of each record: computed once, compared many times."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import numpy as np

from obspy_tng.evaluation import arrivals, heggs, intensity, site
from obspy_tng.evaluation.intensity import NAMES
from obspy_tng.evaluation.sets import RecordSet
from obspy_tng.preprocessing import SAMPLING_RATE_HZ

FREQUENCY_HZ = np.geomspace(0.2, 40.0, 60)  # of Fourier spectra
EAS_HZ = np.geomspace(0.5, 20.0, 30)  # of effective amplitude spectra, for their correlation
_BLOCK = 16  # records per task


@dataclass(frozen=True, eq=False)
class Features:
    """Measures of n records.

    Attributes
    ----------
    station, event : numpy.ndarray of str, shape (n,)
    ln_im : numpy.ndarray, shape (n, k)
        ln of `intensity.measures`, in the order of `NAMES`.
    ln_psa : numpy.ndarray, shape (n, period)
        ln RotD50 PSA (m/s²) at `intensity.PERIODS_S`.
    ln_fas : numpy.ndarray, shape (n, 3, frequency)
        ln smoothed Fourier amplitude (m/s) at `FREQUENCY_HZ`.
    ln_eas : numpy.ndarray, shape (n, frequency)
        ln effective amplitude spectrum at `EAS_HZ`.
    ln_hvsr : numpy.ndarray, shape (n, frequency)
        At `site.FREQUENCY_HZ`; NaN where signal/noise < 3.
    f0_hz : numpy.ndarray, shape (n,)
        The paper's f0 of each record.
    p_s, s_s, n_onsets, snr_db : numpy.ndarray, shape (n,)
        Of the one picker, NaN not picked.
    """

    station: np.ndarray
    event: np.ndarray
    ln_im: np.ndarray
    ln_psa: np.ndarray
    ln_fas: np.ndarray
    ln_eas: np.ndarray
    ln_hvsr: np.ndarray
    f0_hz: np.ndarray
    p_s: np.ndarray
    s_s: np.ndarray
    n_onsets: np.ndarray
    snr_db: np.ndarray

    def __len__(self) -> int:
        return len(self.station)

    def take(self, index) -> Features:
        """Return the rows of an index or mask."""
        return Features(*(getattr(self, f.name)[index] for f in fields(self)))

    def im(self, name: str) -> np.ndarray:
        """Return ln of one intensity measure."""
        return self.ln_im[:, NAMES.index(name)]


def join(parts: list[Features]) -> Features:
    """Return several Features as one."""
    return Features(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Features)))


def compute(
    items: RecordSet, *, jobs: int = 1, scheduler: str | None = None, progress: Callable[[int], None] | None = None
) -> Features:
    """Measure every record.

    Parameters
    ----------
    items : RecordSet
    jobs : int
        Threads; the result does not depend on it.
    scheduler : str, optional
        Address of a dask scheduler whose workers measure instead; nor on this.
    progress : callable, optional
        Called with the number of records finished since the last call.
    """
    lengths = np.round(items.duration_s * SAMPLING_RATE_HZ).astype(int)
    # records of one length share transforms; padding would change their spectra
    blocks = []
    for length in np.unique(lengths):
        index = np.flatnonzero(lengths == length)
        blocks += [(int(length), index[i : i + _BLOCK]) for i in range(0, index.size, _BLOCK)]

    def samples(block):
        return items.data[block[1], :, : block[0]]

    out: dict[str, np.ndarray] = {}
    with ThreadPoolExecutor(jobs) as pool:
        if scheduler:
            from obspy_tng.archive import share

            parts = share(measure, map(samples, blocks), scheduler)
        else:
            parts = pool.map(lambda block: measure(samples(block)), blocks)
        for (_, index), part in zip(blocks, parts, strict=True):
            for name, value in part.items():
                out.setdefault(name, np.full((len(items), *value.shape[1:]), np.nan))[index] = value
            if progress:
                progress(index.size)
    return Features(station=items.station, event=items.event, **out)


def measure(data: np.ndarray) -> dict[str, np.ndarray]:
    """Return the measures of a block of records (n, 3, npts) of one length; what a worker of a cluster does."""
    data = np.asarray(data, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        im = intensity.measures(data, SAMPLING_RATE_HZ)
        ln_im = np.log(np.stack([im[name] for name in NAMES], axis=-1))
        ln_psa = np.log(intensity.psa(data[:, :2], SAMPLING_RATE_HZ))
    ln_fas = intensity.fourier(data, SAMPLING_RATE_HZ, FREQUENCY_HZ)
    curve = site.record_hvsr(data, SAMPLING_RATE_HZ)
    onset = arrivals.onsets(data, SAMPLING_RATE_HZ)
    return {
        "ln_im": np.where(np.isfinite(ln_im), ln_im, np.nan),
        "ln_psa": np.where(np.isfinite(ln_psa), ln_psa, np.nan),
        "ln_fas": ln_fas,
        "ln_eas": intensity.eas(data, SAMPLING_RATE_HZ, EAS_HZ),
        "ln_hvsr": curve.ln_hvsr,
        "f0_hz": curve.f0_hz,
        "p_s": onset.p_s,
        "s_s": onset.s_s,
        "n_onsets": onset.n_onsets,
        "snr_db": heggs.snr_db(data, onset.p_s, SAMPLING_RATE_HZ),
    }
