"""Comparisons of running times, left out of a plain run, and scripts that measure the README's tables."""
