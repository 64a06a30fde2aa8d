"""What is promised of new samples is broken no more often than it says, on populations of which everything is known.

Two promises are put to the test, each over many draws of calibration samples: that of the policy `certified`, and the
page's certificate, which is to hold at every position of the slider at once.  How often they are broken is binomial if
they are broken as often as they may be at most; more than that all but rules out (`CHANCE`) is a defect.  That a
promise without validity is caught is shown with means of the very samples in place of bounds.

`CASCADE_DRAWS=1000` makes so many draws of each population; a plain run makes a few dozen.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from cascade_core.analysis.exploration import Exploration, Split, explore
from cascade_core.policies import Certified, CheapestUncorrected
from cascade_core.policies.answers import Halves
from cascade_core.simulation import certificates
from cascade_core.simulation.certificates import certify_path
from cascade_core.simulation.evaluation import evaluate
from cascade_core.simulation.paths import evaluate_path
from tests.policies.populations import POPULATIONS, Population, many_stages

DRAWS = int(os.environ.get("CASCADE_DRAWS", "0"))
SAMPLES = 300
ALPHA = 0.1
CHANCE = 1e-4
"""Of a promise that is kept to fail here."""

Broken = Callable[[Population, np.random.Generator], bool]

pytestmark = pytest.mark.filterwarnings("ignore:No rule has a drop certified")


def choice_breaks(answers: str) -> Broken:
    """Whether what `certified` chooses gives up more than the limit."""

    def broken(population: Population, random: np.random.Generator) -> bool:
        drawn, everyone = population.drawn(random, SAMPLES), np.arange(SAMPLES)
        divided = Halves(outputs=drawn, calibration=everyone, test=everyone[:1]).divided(Certified, answers)
        rule = Certified(population.limit, ALPHA).choose(divided.calibration)
        return bool(evaluate(population.outputs.record(pool=rule.pool), rule).accuracy_drop > population.limit + 1e-9)

    return broken


def slider_breaks(population: Population, random: np.random.Generator) -> bool:
    """Whether somewhere on the slider more is given up than is certified there."""
    record, split = population.drawn(random, SAMPLES).record(), Split(seed=int(random.integers(1 << 30)))
    explored = explore(record, CheapestUncorrected, split)
    assert explored.certificate is not None
    drop = evaluate_path(population.outputs.record(), explored.path).accuracy_drop
    return bool((drop > explored.certificate + 1e-9).any())


def often(broken: Broken, draws: int) -> dict[str, int]:
    """For each population, in how many draws the promise is broken."""
    found = {}
    for number, (name, made) in enumerate(POPULATIONS.items()):
        random = np.random.default_rng(number)
        population = made(random)
        found[name] = sum(broken(population, random) for _ in range(draws))
    return found


def too_often(found: dict[str, int], draws: int) -> list[str]:
    """The populations where that is more often than it may be, and whether it is over all of them."""
    times = {**found, "all": sum(found.values())}
    of = {name: draws * (len(found) if name == "all" else 1) for name in times}
    return [name for name, count in times.items() if count > binom.ppf(1 - CHANCE, of[name], ALPHA)]


@pytest.mark.parametrize(
    ("broken", "draws"),
    [(choice_breaks("own"), 6), (choice_breaks("pooled"), 2), (slider_breaks, 30)],
    ids=["own", "pooled", "slider"],
)
def test_promises_are_broken_as_seldom_as_they_say(broken: Broken, draws: int) -> None:
    found = often(broken, DRAWS or draws)
    assert too_often(found, DRAWS or draws) == [], found


def mean(harmed: Any, helped: Any, sizes: Any, _alpha: float) -> Any:
    """What was given up on the samples themselves: no bound on what others will."""
    return (harmed - helped).sum(axis=-1) / sizes.sum()


@pytest.mark.parametrize(("broken", "draws"), [(choice_breaks("own"), 4), (slider_breaks, 6)], ids=["own", "slider"])
def test_plain_means_in_place_of_bounds_are_caught(broken: Broken, draws: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "betting_bound", mean)
    found = often(broken, draws)
    assert "all" in too_often(found, draws), found


def test_a_certificate_from_the_samples_that_chose_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = 5

    def broken() -> dict[str, int]:
        random = np.random.default_rng(0)
        population = many_stages(random)
        return {"many stages": sum(slider_breaks(population, random) for _ in range(draws))}

    assert too_often(broken(), draws) == []
    monkeypatch.setattr(Exploration, "certificate", property(lambda e: certify_path(e.calibration, e.path, ALPHA)))
    assert "many stages" in too_often(broken(), draws)
