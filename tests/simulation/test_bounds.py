"""Intervals by hand and in simulation, and the betting bound against its formula."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cascade_core.simulation.bounds import (
    betting_bound,
    betting_mean_bound,
    mean_and_error,
    mean_interval,
    paired_error,
    paired_interval,
)
from tests.oracle import naive_mean_bound


def test_by_hand() -> None:
    # Of 98 samples 9 are harmed and 3 helped: (9+1)/100 = 0.10, (3+1)/100 = 0.04, difference 0.06;
    # variance (0.10 + 0.04 - 0.06^2) / 100 = 0.001364, its root 0.0369324, times 1.959964 = 0.0723862.
    low, high = paired_interval(9, 3, 98)
    assert low == pytest.approx(0.06 - 0.0723862, abs=1e-6)
    assert high == pytest.approx(0.06 + 0.0723862, abs=1e-6)


def test_standard_errors_by_hand() -> None:
    # Root of the variance 0.001364 above.
    assert float(paired_error(9, 3, 98)) == pytest.approx(0.0369324, abs=1e-7)
    # Values 1, 1, 1, 5: mean 2, variance (3 * 1 + 9) / 4 = 3, error sqrt(3 / 4).
    mean, error = mean_and_error(np.array([3, 1]), np.array([1, 5]))
    assert float(mean) == 2
    assert float(error) == pytest.approx(0.8660254)


def test_level() -> None:
    # At 90 % the quantile is 1.644854, so that the half width is 1.644854 * 0.0369324 = 0.0607484.
    low, high = paired_interval(9, 3, 98, level=0.9)
    assert (high - low) / 2 == pytest.approx(0.0607484, abs=1e-6)


def test_no_discordant_sample_still_leaves_a_width() -> None:
    low, high = paired_interval(0, 0, 98)
    # Half width 1.959964 * sqrt(2/100/100) = 0.0277181
    assert (low, high) == pytest.approx((-0.0277181, 0.0277181), abs=1e-6)


def test_shapes_symmetry_and_clipping() -> None:
    harmed, helped = np.array([[0, 5, 1]]), np.array([[3, 5, 0]])
    low, high = paired_interval(harmed, helped, 20)
    mirrored_low, mirrored_high = paired_interval(helped, harmed, 20)
    assert low.shape == high.shape == (1, 3)
    np.testing.assert_allclose(low, -mirrored_high)
    np.testing.assert_allclose(high, -mirrored_low)
    assert float(paired_interval(1, 0, 1)[1]) == 1.0
    assert float(paired_interval(0, 1, 1)[0]) == -1.0


@pytest.mark.parametrize("shares", [(0.01, 0.01), (0.03, 0.005), (0.10, 0.02), (0.002, 0.0)])
def test_coverage(shares: tuple[float, float]) -> None:
    lost, won = shares
    trials = 20_000
    counts = np.random.default_rng(7).multinomial(1_000, [lost, won, 1 - lost - won], size=trials)
    low, high = paired_interval(counts[:, 0], counts[:, 1], 1_000)
    covered = ((low <= lost - won) & (lost - won <= high)).mean()
    # Three standard errors of a simulated coverage are 3 * sqrt(0.95 * 0.05 / 20,000) = 0.0046.
    assert covered >= 0.945 - 3 * math.sqrt(0.95 * 0.05 / trials)
    if lost + won >= 0.02:
        assert covered <= 0.97


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 95, math.nan, "x"])
def test_raises_for_levels_that_are_none(level: float) -> None:
    with pytest.raises(ValueError, match="Expected level to"):
        paired_interval(1, 1, 10, level)


@pytest.mark.parametrize(("n", "alpha"), [(1, 0.1), (7, 0.5), (200, 0.05), (1000, 0.01)])
@pytest.mark.parametrize("seed", range(3))
def test_betting_equals_the_formula(n: int, alpha: float, seed: int) -> None:
    gaps = np.random.default_rng(seed).choice([-1, 0, 1], n, p=[0.05, 0.85, 0.1])
    found = betting_bound((gaps == 1) * 1.0, (gaps == -1) * 1.0, np.ones(n), alpha)
    assert float(found) == pytest.approx(2 * naive_mean_bound(((gaps + 1) / 2).tolist(), alpha) - 1, abs=3e-5)


@pytest.mark.parametrize("seed", range(3))
def test_betting_on_any_values_equals_the_formula(seed: int) -> None:
    values = [0.0, 0.3, 1.0]
    seen = np.random.default_rng(seed).choice(3, 150, p=[0.6, 0.3, 0.1])
    found = betting_mean_bound(values, [seen == 0, seen == 1, seen == 2], 0.05)
    assert float(found) == pytest.approx(naive_mean_bound([values[one] for one in seen], 0.05), abs=2e-5)


def test_betting_on_the_case_of_the_design() -> None:
    """Gaps of +-1 with probability 1 % each, n = 5,000, alpha = 0.1: about 0.34 points."""
    draws = np.random.default_rng(0).random((200, 5000))
    harmed, helped = draws < 0.01, (draws >= 0.01) & (draws < 0.02)
    whole = betting_bound(harmed, helped, np.ones(5000), 0.1)
    assert whole.mean() == pytest.approx(0.0034, abs=0.0003)
    first, second = (x.reshape(200, 500, 10).sum(axis=2) for x in (harmed, helped))
    in_blocks = betting_bound(first, second, np.full(500, 10), 0.1)
    assert in_blocks.mean() == pytest.approx(whole.mean(), abs=0.0001)


def test_betting_without_any_gap_and_with_nothing_but_harm() -> None:
    # Stakes are nearly all 1: 1000 ln(1 + l / 2) = ln 20 at l = 0.006.
    assert betting_bound(np.zeros(1000), np.zeros(1000), np.ones(1000), 0.05) == pytest.approx(0.006, abs=2e-4)
    assert betting_bound(np.ones(1000), np.zeros(1000), np.ones(1000), 0.05) == 1
    assert betting_bound(np.zeros(1000), np.ones(1000), np.ones(1000), 0.05) < -0.98
    with pytest.raises(ValueError, match="alpha to lie strictly between 0 and 1 but it was 0"):
        betting_bound(np.zeros(3), np.zeros(3), np.ones(3), 0.0)


def test_mean_interval_by_hand() -> None:
    # 30 times 10 and 70 times 20: mean 17, variance 0.3 * 49 + 0.7 * 9 = 21, half 1.95996 * sqrt(21 / 100) = 0.89816.
    low, high = mean_interval(np.array([30, 70]), np.array([10, 20]))
    assert (float(low), float(high)) == pytest.approx((17 - 0.89816, 17 + 0.89816), abs=1e-4)
    low, high = mean_interval(np.array([[5, 0], [0, 1]]), np.array([10, 20]))
    assert (low.tolist(), high.tolist()) == ([10, 20], [10, 20])
