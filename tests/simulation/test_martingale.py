"""The gambler against its definition, sample by sample; and how often it is fooled, and how soon it is right."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import numpy as np
import pytest

from cascade_core.simulation.martingale import Martingale

DENSITIES: list[Callable[[float], float]] = [
    *(lambda p, a=a: a * p ** (a - 1) for a in (1.5, 2.5, 4.0)),
    *(lambda p, a=a: a * (1 - p) ** (a - 1) for a in (1.5, 2.5, 4.0)),
    lambda p: 6 * p * (1 - p),
    lambda p: 12 * (p - 0.5) ** 2,
]


def naive_capital(calibration: list[int], kinds: list[int], seed: int) -> list[float]:
    """The capital after each sample: for every density and every moment of change, what was staked on it."""
    draws = np.random.default_rng(seed).random(len(kinds))
    counts, ranks = list(calibration), []
    for kind, u in zip(kinds, draws, strict=True):
        counts[kind] += 1
        ranks.append((sum(counts[: kind + 1]) - u * counts[kind]) / sum(counts))

    def waiting(t: int) -> float:
        return 0.5 * (1 + t / 100) ** -0.25

    result = []
    for t in range(1, len(kinds) + 1):
        capital = waiting(t)
        for density in DENSITIES:
            for begin in range(t):
                staked = (1 - waiting(0) if begin == 0 else 0) + waiting(begin) - waiting(begin + 1)
                capital += staked / len(DENSITIES) * math.prod(density(p) for p in ranks[begin:t])
        result.append(capital)
    return result


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_the_definition_says(seed: int) -> None:
    random = np.random.default_rng(seed)
    kinds = random.integers(0, 3, 60)
    _, capital = Martingale.against(np.array([20, 5, 5])).after(kinds, seed)
    np.testing.assert_allclose(np.exp(capital), naive_capital([20, 5, 5], kinds.tolist(), seed), rtol=1e-9)


@pytest.mark.parametrize("density", DENSITIES)
def test_bets_are_at_fair_odds(density: Callable[[float], float]) -> None:
    middles = (np.arange(100_000) + 0.5) / 100_000
    assert sum(map(density, middles.tolist())) / 100_000 == pytest.approx(1, abs=1e-6)


def test_calls_may_be_divided_anyhow_and_ended_between_them_bit_by_bit() -> None:
    kinds = np.random.default_rng(0).integers(0, 3, 5000)
    whole, capital = Martingale.against(np.array([700, 200, 100])).after(kinds)
    for cuts in ([1], [7, 8, 4000], range(0, 5000, 333)):
        held, parts = Martingale.against(np.array([700, 200, 100])), []
        for part in np.split(kinds, list(cuts)):
            held, more = Martingale.of(json.loads(json.dumps(held.state()))).after(part)
            parts.append(more)
        assert held.state() == whole.state()
        np.testing.assert_array_equal(np.concatenate(parts), capital)
    assert whole.capital == pytest.approx(capital[-1], rel=1e-12)


def test_it_is_fooled_as_rarely_as_is_said_however_few_calibrate_it() -> None:
    random, alarms = np.random.default_rng(1), 0
    shares = [0.6, 0.3, 0.1]
    for seed in range(400):
        held, _ = Martingale.against(random.multinomial(50, shares)).after(random.choice(3, 1000, p=shares), seed)
        alarms += held.largest >= math.log(5)
    # One in five at most; a standard error of that is 0.02.
    assert 0 < alarms / 400 < 0.2 + 3 * 0.02


@pytest.mark.parametrize("late", [0, 20_000])
@pytest.mark.parametrize("shares", [[0.3, 0.3, 0.4], [0.9, 0.05, 0.05], [0.3, 0.65, 0.05]])
def test_a_change_is_seen_whenever_and_wherever_it_comes(late: int, shares: list[float]) -> None:
    random, delays = np.random.default_rng(2), []
    for seed in range(15):
        before, after = random.choice(3, late, p=[0.6, 0.3, 0.1]), random.choice(3, 1000, p=shares)
        _, capital = Martingale.against(np.array([3000, 1500, 500])).after(np.concatenate([before, after]), seed)
        delays.append(int(np.argmax(capital >= math.log(40))) - late)
    assert min(delays) > 0
    assert np.median(delays) < (250 if late else 80)
