"""Why a station's curve has no value: in words, from what the Dataset tells of its windows."""

from __future__ import annotations

import numpy as np

LEAST = 3  # frequencies with a value; fewer hold no peak


def why_no_curve(dataset, rows, inside, least: int = 1) -> str:
    """Return why the windows of a station have values at fewer than three frequencies of a band.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `hvsr.hvsr`.
    rows : numpy.ndarray of bool, shape (record,)
        Windows of the station, accepted or not.
    inside : numpy.ndarray of bool, shape (frequency,)
        The band.
    least : int
        Windows that must have a value at a frequency.

    Returns
    -------
    str
        Empty when there are three.
    """
    taken = rows & dataset.accepted.values.astype(bool) if "accepted" in dataset else rows
    if not taken.any():
        by = dict.fromkeys(map(str, dataset.rejected_by.values[rows])) if "rejected_by" in dataset else {}
        left_out = f": {int(rows.sum())} window(s) left out by {', '.join(by)}" if by else ""
        return f"no accepted record{left_out}"
    valid = np.isfinite(dataset.hvsr.values[taken][:, inside])
    if (valid.sum(axis=0) >= min(least, len(valid))).sum() >= LEAST:
        return ""
    frequency = dataset.frequency.values[inside]
    band = f"{frequency[0]:g}-{frequency[-1]:g} Hz"
    if "sampling_rate_hz" in dataset.coords:
        nyquist = dataset.sampling_rate_hz.values[taken].max() / 2
        if nyquist < frequency[LEAST - 1]:
            return f"band {band} lies above the Nyquist frequency, {nyquist:g} Hz"
    if "snr_ok" in dataset and not dataset.snr_ok.values[taken][..., inside].all(axis=1).any():
        snr = float(dataset.attrs.get("snr", 0))
        return f"at no frequency is the signal {snr:g} times the noise before P on all components"
    if "window_end_s" in dataset.coords and not valid.any():
        length_s = (dataset.window_end_s.values - dataset.window_start_s.values)[taken].max()
        return f"no frequency of the band {band} has a value: windows of {length_s:.3g} s are too short for it"
    return "no frequency with enough valid records"
