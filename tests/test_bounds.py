"""The paired interval: one case by hand, its symmetry, and its coverage in simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cascade_core.bounds import paired_interval


def test_by_hand() -> None:
    # Of 98 samples 9 are harmed and 3 helped: (9+1)/100 = 0.10, (3+1)/100 = 0.04, difference 0.06;
    # variance (0.10 + 0.04 - 0.06^2) / 100 = 0.001364, its root 0.0369324, times 1.959964 = 0.0723862.
    low, high = paired_interval(9, 3, 98)
    assert low == pytest.approx(0.06 - 0.0723862, abs=1e-6)
    assert high == pytest.approx(0.06 + 0.0723862, abs=1e-6)


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
