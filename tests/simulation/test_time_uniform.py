"""Bounds on shares by hand, and how often the truth ever leaves them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cascade_core.simulation.time_uniform import share_bounds


def test_bounds_by_hand() -> None:
    # Of one sample that it did not befall: B(1/2, 3/2) / B(1/2, 1/2) = 1/2, which is (1 - p) / 0.6 at 1 - p = 0.3.
    low, high = share_bounds(np.array([0]), 1, 0.6)
    assert float(low[0]) == 0
    assert float(high[0]) == pytest.approx(0.7, abs=1e-9)
    # Of two: B(1/2, 5/2) / B(1/2, 1/2) = 3/8, and (1 - p)^2 = 0.6 * 3 / 8.
    assert float(share_bounds(np.array([0]), 2, 0.6)[1][0]) == pytest.approx(1 - math.sqrt(0.225), abs=1e-9)


def test_without_samples_nothing_is_known() -> None:
    low, high = share_bounds(np.zeros(3, np.int64), 0, 0.05)
    assert (low.tolist(), high.tolist()) == ([0, 0, 0], [1, 1, 1])


def test_what_befalls_and_what_does_not_are_mirrored() -> None:
    low, high = share_bounds(np.array([3, 17]), 20, 0.05)
    np.testing.assert_allclose(low, 1 - high[::-1], atol=1e-9)
    assert low[0] < 3 / 20 < high[0]


def test_the_truth_leaves_them_as_rarely_as_is_said() -> None:
    random, left = np.random.default_rng(0), 0
    for _ in range(200):
        found = np.cumsum((random.random(300) < 0.1).astype(np.int64))
        left += any(
            not low <= 0.1 <= high
            for n in range(1, 301, 10)
            for low, high in [[float(end[0]) for end in share_bounds(found[n - 1 : n], n, 0.2)]]
        )
    # At most one in five, and a standard error of that is 0.03.
    assert left / 200 < 0.2 + 3 * 0.03
