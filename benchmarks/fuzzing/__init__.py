"""Targets and seeds of ``benchmarks/fuzz.py``."""
