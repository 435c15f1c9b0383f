"""Site analysis: windows, spectra, smoothing, HVSR curves and f0.

Array-level functions (`curves`, `spectra`, `smoothing`, `windows`, `timesnet_gen`) take NumPy arrays and a
sampling rate; `hvsr.hvsr` and `f0.pick_f0` stand at the edge and speak xarray.
"""
