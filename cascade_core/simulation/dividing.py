"""Samples divided at random into those that choose and those that judge."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cascade_core.support import checks


def split_indices(n: int, fraction: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sample numbers of the calibration part and of the test part, each in rising order.

    Raises:
        ValueError: `fraction` is outside [0, 1], a part would be empty, or `seed` is not a whole number >= 0.
    """
    check_split(fraction, seed)
    size = math.floor(n * fraction + 0.5)
    if not 0 < size < n:
        raise ValueError(f"Expected fraction to leave samples on both sides of {n} but {fraction:g} takes {size}")
    order = np.random.default_rng(seed).permutation(n)
    return np.sort(order[:size]), np.sort(order[size:])


def check_split(fraction: float, seed: int) -> None:
    """Raise ValueError unless a fraction is in [0, 1] and a seed is a whole number >= 0."""
    checks.whole("seed", seed, 0, (1 << 64) - 1)
    checks.in_range("fraction", fraction, 0.0, 1.0)
