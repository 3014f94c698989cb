"""Measurements, run by `make bench`; their results are in RESULTS.md."""
