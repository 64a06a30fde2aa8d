"""Tests; the folders mirror the package, `e2e` drives a browser, `benchmarks` measures."""
