"""How often what is promised of new samples is broken, over many draws of the samples that thresholds are chosen on.

Run with ``pytest -m benchmark tests/benchmarks/test_validity.py``; it takes tens of minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core import Certified, CheapestUncorrected, CheapestWithinDrop, evaluate
from cascade_core.policies import Sweep
from cascade_core.policies.answers import Halves
from tests.samples import sample_record, sample_run

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore:No rule has a drop certified")]

Show = Callable[[str, Sequence[tuple[str, str]]], None]

DRAWS, ALPHA, LIMIT = 1000, 0.1, 0.05


@pytest.mark.parametrize("answers", ["own", "pooled"])
def test_certificates_are_broken_as_seldom_as_they_say(answers: str, show: Show) -> None:
    """The drop on the population that calibration samples are drawn from is above the limit alpha of the time."""
    population, random = sample_run(n=20_000, m=2, k=9), np.random.default_rng(0)
    violated = left_early = 0
    for _ in range(DRAWS):
        drawn = population.take(random.integers(0, 20_000, 400))
        everyone = np.arange(400)
        divided = Halves(outputs=drawn, calibration=everyone, test=everyone[:1]).divided(Certified, answers)
        rule = Certified(LIMIT, ALPHA).choose(divided.calibration)
        violated += evaluate(population.record(pool=rule.pool), rule).accuracy_drop > LIMIT
        left_early += rule.exits_early
    shares = [("drop above the limit", f"{violated / DRAWS:.1%}"), ("leave early", f"{left_early / DRAWS:.1%}")]
    show(f"{DRAWS} certificates of {LIMIT:.0%} at alpha {ALPHA}, {answers} answers", shares)
    assert violated / DRAWS <= ALPHA + 2 * (ALPHA * (1 - ALPHA) / DRAWS) ** 0.5
    assert left_early > DRAWS / 4


@pytest.mark.parametrize("m", [3, 6])
def test_the_cheapest_keeps_its_drop_on_fresh_samples(m: int, show: Show) -> None:
    """Mean overshoot over draws: clear for what is chosen uncorrected, none to speak of for what is expected."""
    fresh, wanted, draws = sample_record(n=100_000, m=m, seed=1), np.array([0.01, 0.02]), 12
    over: dict[type[Sweep], NDArray[np.float64]] = {CheapestUncorrected: np.zeros(2), CheapestWithinDrop: np.zeros(2)}
    for seed in range(draws):
        record = fresh.take(np.random.default_rng(seed).choice(fresh.n, 1500, replace=False))
        for policy, total in over.items():
            path = policy.path(record, wanted)
            total += [evaluate(fresh, path.rule(g)).accuracy_drop - wanted[g] for g in range(2)]
    uncorrected, corrected = (total / draws for total in over.values())
    rows = [(policy.title, ", ".join(f"{value:+.2%}" for value in total / draws)) for policy, total in over.items()]
    show(f"mean overshoot of drops of 1 and 2 points, {m} stages", rows)
    assert (uncorrected > 0.001).all()
    assert (corrected < 0.0005).all()
    assert (corrected < uncorrected - 0.001).all()
