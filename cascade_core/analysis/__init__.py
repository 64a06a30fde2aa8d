"""A policy swept over a run, comparisons, operating points, classes, samples, calibration, yardsticks."""
