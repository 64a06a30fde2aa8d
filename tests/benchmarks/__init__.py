"""Comparisons of running times, left out of a plain run."""
