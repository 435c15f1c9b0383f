"""Speed of HVSR beside hvsrpy and ObsPy's Konno-Ohmachi: one thread, side by side, alternating runs, medians.

    pip install ".[bench]"        # hvsrpy is GPL: for this comparison only
    python benchmarks/hvsr_speed.py --data ../shared/data

348 windows of 60 s at 100 Hz (Ridgecrest; white noise where the folder is absent), 200 frequencies 0.5-20 Hz,
quadratic mean, Konno-Ohmachi b = 40, 5 % cosine ramps. Reading is not timed, nor is hvsrpy's own preparation (its
objects, and the mean, which ours removes itself). hvsrpy as shipped pads to 32768 samples; `fft n=None` does not.
Times are those of the thread, which other programs on this machine hardly change; those by the clock stand beside.
Matrices are built once and cached, as numba's compilation is: the first run of everything is thrown away.
Then: are the numbers the same, to 1e-9, where the definitions are?
"""

import argparse
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

import obspy_tng as tng
from obspy_tng.site import azimuth
from obspy_tng.site.curves import hvsr_array
from obspy_tng.site.smoothing import KINDS, Kernel, smooth, smoothing_matrix

RATE_HZ, NPTS, TAPER, B = 100.0, 6000, 0.05, 40.0
FREQUENCY_HZ = np.geomspace(0.5, 20, 200)
NEEDED = {"as shipped": 20.0, "fft n=None": 2.5, "one record": 10.0}
# hvsrpy ends the Konno-Ohmachi window at |b log10(f / fc)| = 3, ours ends at its zero, π
KINDS["ko3"] = Kernel(
    lambda f, fc, b: np.sinc(b * np.log10(f / fc) / np.pi) ** 4, lambda fc, b: (fc * 10 ** (-3 / b), fc * 10 ** (3 / b))
)


def windows(folder: Path, count: int) -> tuple[np.ndarray, str]:
    """Return (count, 3, 6000) windows without mean and a word where they are from."""
    kept = []
    for path in sorted((folder / "ridgecrest" / "waveforms").glob("*.mseed")):
        for record in tng.read_records(path):
            part = record.data[:, 1500 : 1500 + NPTS]
            if part.shape[1] == NPTS and record.sampling_rate == RATE_HZ and (np.ptp(part, axis=1) > 0).all():
                kept.append(part)
        if len(kept) >= count:
            data = np.array(kept[:count])
            return data - data.mean(axis=-1, keepdims=True), f"Ridgecrest, {path.parent}"
    return np.random.default_rng(0).normal(size=(count, 3, NPTS)), "white noise"


def recordings(data):
    """Return hvsrpy's objects; made anew for every run, since it tapers in place."""
    from hvsrpy import SeismicRecording3C, TimeSeries

    series = [[TimeSeries(x.copy(), 1 / RATE_HZ) for x in record] for record in data]
    return [SeismicRecording3C(ns=n, ew=e, vt=z) for e, n, z in series]


def theirs(objects, fft, kind="konno_and_ohmachi", bandwidth=B, **how):
    """Return hvsrpy's result; `how` names one of its ways to combine horizontals."""
    import hvsrpy
    from hvsrpy import settings

    class_ = {
        "rotdpp": settings.HvsrTraditionalRotDppProcessingSettings,
        "single_azimuth": settings.HvsrTraditionalSingleAzimuthProcessingSettings,
    }
    method = how.pop("method", "squared_average")
    if method not in class_:
        how["method_to_combine_horizontals"] = method
    smoothing = {"operator": kind, "bandwidth": bandwidth, "center_frequencies_in_hz": FREQUENCY_HZ}
    made = class_.get(method, settings.HvsrTraditionalProcessingSettings)(
        window_type_and_width=("tukey", 2 * TAPER), smoothing=smoothing, fft_settings=fft and dict(fft), **how
    )
    return hvsrpy.process(objects, made)


def ours(data, horizontal="quadratic", smoothing=f"ko:{B:g}"):
    """Return our curves."""
    return hvsr_array(data, RATE_HZ, FREQUENCY_HZ, horizontal=horizontal, smoothing=smoothing, taper=TAPER)


def floor(data, matrix):
    """Transform and smooth H and V by a sparse matrix, nothing else."""
    for i in range(0, len(data), 4):
        np.fft.rfft(data[i : i + 4])
    spectra = np.ones((24, matrix.shape[1]))
    for _ in range(0, 2 * len(data), 24):
        smooth(spectra[: 2 * len(data)], matrix)


def obspy_smoothing(data):
    """Smooth H and V by ObsPy: at every FFT frequency, for it has no other."""
    from obspy.signal.konnoohmachismoothing import konno_ohmachi_smoothing

    frequency = np.fft.rfftfreq(NPTS, 1 / RATE_HZ)[1:]
    spectra = np.abs(np.fft.rfft(data)[:, 1:, 1:]).reshape(-1, frequency.size)
    konno_ohmachi_smoothing(spectra, frequency, bandwidth=B, normalize=True)


def seconds(function, repeat, prepare):
    """Return seconds per call, of this thread and by the clock; what `prepare` does is not counted."""
    given = [prepare() for _ in range(repeat)]
    begin = time.thread_time(), time.perf_counter()
    for args in given:
        function(*args)
    return (time.thread_time() - begin[0]) / repeat, (time.perf_counter() - begin[1]) / repeat


def raced(data, runs) -> tuple[dict, dict]:
    """Return {case: [(seconds of the thread, by the clock), ...]} of alternating runs, and their medians."""
    one, matrix = data[:1], smoothing_matrix(NPTS, RATE_HZ, FREQUENCY_HZ, f"ko:{B:g}")
    matrix = matrix[:, : matrix.indices.max() + 1]
    cases = {
        "hvsrpy as shipped": (theirs, 1, lambda: (recordings(data), None)),
        "hvsrpy fft n=None": (theirs, 1, lambda: (recordings(data), {"n": None})),
        "ObsPy smoothing alone": (obspy_smoothing, 1, lambda: (data,)),
        "floor (rfft + sparse)": (floor, 1, lambda: (data, matrix)),
        "obspy-tng": (ours, 1, lambda: (data,)),
        "one: hvsrpy fft n=None": (theirs, 20, lambda: (recordings(one), {"n": None})),
        "one: floor": (floor, 20, lambda: (one, matrix)),
        "one: obspy-tng": (ours, 20, lambda: (one,)),
    }
    taken = {name: [] for name in cases}
    for _ in range(runs + 1):
        for name, (function, repeat, prepare) in cases.items():
            taken[name].append(seconds(function, repeat, prepare))
    return taken, {name: np.median(times[1:], axis=0) for name, times in taken.items()}


def race(data, runs):
    """Print medians of alternating runs and the ratios that the project promises."""
    taken, median = raced(data, runs)
    print(f"{'':24}{'thread':>10}{'lowest-highest':>20}{'clock':>11}")
    for name, (thread, clock) in median.items():
        low, high = np.percentile([t for t, _ in taken[name][1:]], (0, 100)) * 1e3
        print(f"{name:24}{thread * 1e3:10.3f}{f'{low:.3f}-{high:.3f}':>20}{clock * 1e3:11.3f} ms")
    many, single = median["obspy-tng"], median["one: obspy-tng"]
    ratios = {
        "as shipped": median["hvsrpy as shipped"] / many,
        "fft n=None": median["hvsrpy fft n=None"] / many,
        "one record": median["one: hvsrpy fft n=None"] / single,
    }
    for name, (thread, clock) in ratios.items():
        print(f"hvsrpy {name:12}{thread:8.1f} times ours, {clock:.1f} by the clock (needed {NEEDED[name]:g})")
    floors = median["floor (rfft + sparse)"][0] / many[0], median["one: floor"][0] / single[0]
    print("floor / ours: {:.2f}; one record {:.2f}".format(*floors))


def agreement(data):
    """Yield (definition, largest relative difference to hvsrpy); the last one is not the same in both."""
    from hvsrpy import HvsrAzimuthal

    def apart(text, mine, other):
        return text, float(np.nanmax(np.abs(mine / other - 1)))

    fft, few = {"n": None}, data[:4]
    named = {
        "quadratic": "squared_average",
        "geometric": "geometric_mean",
        "arithmetic": "arithmetic_mean",
        "total-energy": "total_horizontal_energy",
        "maximum": "maximum_horizontal_value",
    }
    for name, method in named.items():
        other = theirs(recordings(data), fft, method=method).amplitude
        yield apart(f"{name}, ko ended at 3", ours(data, name, "ko3:40"), other)
    kinds = {
        "tri:0.5": ("linear_triangular", 0.5),
        "rect:0.51": ("linear_rectangular", 0.51),
        "logtri:0.05": ("log_triangular", 0.05),
        "logrect:0.051": ("log_rectangular", 0.051),
    }
    for name, operator in kinds.items():
        yield apart(
            f"quadratic, {name}", ours(data, smoothing=name), theirs(recordings(data), fft, *operator).amplitude
        )
    turned = theirs(recordings(data), fft, method="single_azimuth", azimuth_in_degrees=30.0)
    yield apart("azimuth:30, ko ended at 3", ours(data, "azimuth:30", "ko3:40"), turned.amplitude)
    rotd = {"azimuths_in_degrees": np.arange(180.0), "ppth_percentile_for_rotdpp_computation": 50.0}
    rotd = theirs(recordings(few), fft, method="rotdpp", **rotd)
    yield apart("rotd50 of 180 azimuths, ko ended at 3 (4 records)", ours(few, "rotd50", "ko3:40"), rotd.amplitude)
    # hvsrpy's own azimuthal processing checks `fft n=None` twice and pads all the same: azimuth by azimuth
    angles, sixteen = azimuth.AZIMUTHS_DEG, data[:16]
    polar = [
        theirs(recordings(sixteen), fft, method="single_azimuth", azimuth_in_degrees=float(angle)) for angle in angles
    ]
    polar = HvsrAzimuthal(polar, angles)
    mine = azimuth.azimuthal(sixteen, RATE_HZ, FREQUENCY_HZ, smoothing="ko3:40", taper=TAPER)
    mine = azimuth.statistics(mine)
    yield apart("36 azimuths x 16 records: log-mean curve", mine.median, polar.mean_curve())
    yield apart("36 azimuths x 16 records: sigma of the curve", mine.sigma_ln, polar.std_curve())
    yield apart("quadratic, ko to its zero at π (our default)", ours(data), theirs(recordings(data), fft).amplitude)


def main():
    """Print versions, times and differences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--records", type=int, default=348)
    parser.add_argument("--runs", type=int, default=9)
    args = parser.parse_args()
    import hvsrpy

    data, source = windows(args.data, args.records)
    print(f"{len(data)} windows of {NPTS / RATE_HZ:g} s, {source}; numpy {np.__version__}, hvsrpy {hvsrpy.__version__}")
    with threadpool_limits(1):
        race(data, args.runs)
        *same, other = agreement(data)
    print("largest relative difference where the definitions are the same:")
    for text, difference in same:
        print(f"  {text:52}{difference:9.1e}")
    print(f"where they are not:\n  {other[0]:52}{other[1]:9.1e}")


if __name__ == "__main__":
    main()
