"""
f0 of stations
==============

Eight events at four stations, MiniSEED in counts with StationXML and QuakeML. The truth of these
simulated records is known: 2 Hz at SOFT, 6 Hz at STIFF, 1.74 Hz at TWO, and no clear peak at ROCK.
"""

# %%
import json
import tempfile
from pathlib import Path

import obspy_tng as tng
from obspy_tng.plotting import plot_hvsr, plot_overview

NETWORK = next(p for p in map(Path, ("data_samples/network", "../data_samples/network")) if p.is_dir())

# %%
# The inventory turns counts into m/s², the events give P and S. Per record: S window, Fourier
# amplitudes, the two horizontals combined, smoothed, divided by the vertical. The curve of a station
# is the log-mean of its records.
curves = tng.hvsr(sorted(NETWORK.glob("*.mseed")), inventory=NETWORK / "stations.xml", events=NETWORK / "events.xml")
print(curves)

# %%
# f0 is the lowest clear peak, with its 68 % bootstrap interval; a station without one gets NaN and
# the reason. The peaks of H/V lie a little below the truth, which is f0 of the undamped layers.
f0 = tng.pick_f0(curves)
truth = json.loads((NETWORK.parent / "truth.json").read_text(encoding="utf-8"))
for station in f0.station.values:
    one = f0.sel(station=station)
    code = station.split(".")[-1]
    known = next(v["f0_hz"] for k, v in truth.items() if k.startswith("network/") and k.endswith("#" + code))
    interval = f"{one.f0_low_hz.item():.2f}-{one.f0_high_hz.item():.2f}"
    print(f"{station:9} f0 {one.f0_hz.item():.2f} Hz ({interval}), truth {known} Hz. {one.reason.item()}")

# %%
figure = plot_overview(curves, f0, columns=2)
folder = Path(tempfile.mkdtemp())
figure.savefig(folder / "f0_overview.png", dpi=120, bbox_inches="tight")

# %%
# The page of one station: every record, median and spread, and how many records count at each
# frequency.
page = plot_hvsr(curves, f0, "XT.SOFT")
page.savefig(folder / "f0_soft.png", dpi=120, bbox_inches="tight")
print("figures in", folder)
