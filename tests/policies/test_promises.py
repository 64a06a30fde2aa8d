"""What is promised of new samples is broken no more often than it says, on populations of which everything is known.

Two promises are put to the test, each over many draws of calibration samples: that of the policy `certified`, and the
page's certificate, which is to hold at every position of the slider at once.  How often they are broken is binomial if
they are broken as often as they may be at most; more than that all but rules out (`CHANCE`) is a defect.  That a
promise without validity is caught is shown with bounds that are plain means, and with bounds of the samples that the
rules were chosen on.

`CASCADE_DRAWS=1000` makes so many draws of each population; a plain run makes a few dozen.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from cascade_core.analysis.exploration import POSITIONS
from cascade_core.policies import Certified, CheapestUncorrected
from cascade_core.policies.answers import Halves
from cascade_core.simulation import certificates
from cascade_core.simulation.certificates import certify_path
from cascade_core.simulation.evaluation import evaluate
from cascade_core.simulation.paths import evaluate_path
from tests.policies.populations import POPULATIONS, Population

DRAWS = int(os.environ.get("CASCADE_DRAWS", "40"))
SAMPLES = 300
ALPHA = 0.1
CHANCE = 1e-6
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


def slider_breaks(population: Population, random: np.random.Generator, judged_on: str = "test") -> bool:
    """Whether somewhere on the slider more is given up than is certified there."""
    drawn = population.drawn(random, SAMPLES).record()
    calibration, test = drawn.split(0.5, int(random.integers(1 << 30)))
    path = CheapestUncorrected.path(calibration, CheapestUncorrected.positions(calibration, POSITIONS))
    bounds = certify_path({"test": test, "calibration": calibration}[judged_on], path, ALPHA)
    return bool((evaluate_path(population.outputs.record(), path).accuracy_drop > bounds + 1e-9).any())


def often(broken: Broken, draws: int = DRAWS) -> dict[str, int]:
    """For each population, in how many draws the promise is broken."""
    found = {}
    for number, (name, made) in enumerate(POPULATIONS.items()):
        random = np.random.default_rng(number)
        population = made(random)
        found[name] = sum(broken(population, random) for _ in range(draws))
    return found


def too_often(found: dict[str, int], draws: int = DRAWS) -> list[str]:
    """The populations where that is more often than it may be."""
    most = binom.ppf(1 - CHANCE / len(found), draws, ALPHA)
    return [name for name, times in found.items() if times > most]


@pytest.mark.parametrize(
    "broken", [choice_breaks("own"), choice_breaks("pooled"), slider_breaks], ids=["own", "pooled", "slider"]
)
def test_promises_are_broken_as_seldom_as_they_say(broken: Broken) -> None:
    found = often(broken)
    assert too_often(found) == [], found


def test_a_choice_by_plain_means_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def mean(harmed: Any, helped: Any, sizes: Any, _alpha: float) -> Any:
        return (harmed - helped).sum(axis=-1) / sizes.sum()

    monkeypatch.setattr(certificates, "betting_bound", mean)
    assert too_often(often(choice_breaks("own"))) != []
    assert len(too_often(often(slider_breaks))) > len(POPULATIONS) / 2


def test_a_certificate_by_the_samples_that_the_rules_were_chosen_on_is_caught() -> None:
    found = often(lambda population, random: slider_breaks(population, random, "calibration"))
    assert too_often(found) != [], found
