"""Limits that hold in every group, or among those that leave: how seldom they are broken, and what small groups do.

`CASCADE_DRAWS=1000` makes so many draws; a plain run makes a few.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from cascade_core import Certified, CheapestWithinDrop, PaperRule, Record, StageOutputs, choose, tune
from cascade_core.policies.selection import select
from cascade_core.simulation.groups import Groups
from tests.oracle import make_record
from tests.samples import sample_run

DRAWS = int(os.environ.get("CASCADE_DRAWS", "6"))
ALPHA = 0.1

SHARES = np.array([0.6, 0.3, 0.1])
STEEP = np.array([0.0, 0.02, 0.12])
"""Of three groups: how many samples are of each, and the chance that a sample is harmed that is not sure at all."""


def drawn(random: np.random.Generator, n: int, steep: NDArray[np.float64] = STEEP) -> Record:
    """Samples that are harmed early with the chance of their group times what they lack of being sure."""
    of, sure = random.choice(3, n, p=SHARES), random.random(n)
    harmed = random.random(n) < steep[of] * (1 - sure)
    record = make_record(np.stack([sure, np.ones(n)]), np.stack([~harmed, np.ones(n)]))
    groups = Groups(what="camera", names=("a", "b", "c"), of=of)
    # So many classes that what was answered tells nothing.
    return replace(record, predictions=np.zeros((2, n), dtype=np.int64), classes=20, groups=groups)


def worst_drop(threshold: float) -> float:
    """The largest true drop of a group: of samples at least as sure as t, STEEP (1 - t)^2 / 2 of all are harmed."""
    return float(STEEP.max() * (1 - min(threshold, 1)) ** 2 / 2)


def among_those_that_leave(threshold: float) -> float:
    """The true drop among those that leave, where all groups have a chance of 0.3: 0.3 (1 - t) / 2."""
    return 0.3 * (1 - min(threshold, 1)) / 2


@pytest.mark.filterwarnings("ignore:No rule has a drop certified")
@pytest.mark.parametrize(("in_groups", "n", "limit"), [(True, 6000, 0.045), (False, 1500, 0.1)])
def test_certified_limits_are_seldom_broken(in_groups: bool, n: int, limit: float) -> None:
    random, broken, early = np.random.default_rng(0), 0, 0
    for _ in range(DRAWS):
        if in_groups:
            rule = Certified(limit, ALPHA).choose(drawn(random, n))
            broken += worst_drop(float(rule.thresholds[0])) > limit
        else:
            record = replace(drawn(random, n, np.full(3, 0.3)), groups=None)
            rule = Certified(limit, ALPHA, "stage").choose(record)
            broken += among_those_that_leave(float(rule.thresholds[0])) > limit
        early += rule.exits_early
    assert broken <= binom.ppf(1 - 1e-4, DRAWS, ALPHA)
    assert early > DRAWS / 2, "a promise is easily kept where nothing leaves early"


def test_the_cheapest_keeps_to_the_drop_in_the_worst_group() -> None:
    """Of many samples each group's drop is known well, and that of all together says nothing of the worst."""
    record = drawn(np.random.default_rng(1), 20_000)
    limit = 0.02
    everywhere = choose(record, CheapestWithinDrop(limit)).thresholds[0]
    anywhere = choose(replace(record, groups=None), CheapestWithinDrop(limit)).thresholds[0]
    assert worst_drop(float(anywhere)) > 1.5 * limit
    assert 0.5 * limit < worst_drop(float(everywhere)) < 1.15 * limit


def test_small_groups_lean_on_all_samples() -> None:
    """Of twelve samples of a group one is harmed: that is 8 points, and chance."""
    random = np.random.default_rng(2)
    record = replace(drawn(random, 3000), groups=None)
    small = np.zeros(3000, dtype=np.int64)
    small[np.flatnonzero(~record.correct[0])[:1]] = 1
    small[np.flatnonzero(record.correct[0])[:11]] = 1
    divided = replace(record, groups=Groups(what="x", names=("most", "few"), of=small))
    whole, parted = select(record), select(divided)
    assert whole is not None
    assert parted is not None
    boldest = slice(-1, None)
    assert (parted.chosen.drops >= whole.chosen.drops - 1e-12).all()
    assert parted.chosen.drops[boldest] < whole.chosen.drops[boldest] + 0.02


def test_a_group_that_no_sample_tests_lets_nothing_leave() -> None:
    record = drawn(np.random.default_rng(3), 800)
    of = np.zeros(800, dtype=np.int64)
    of[np.flatnonzero(record.half)[0]] = 1
    # ln 10 / ln 1.05 = 47.2
    alone = replace(record, groups=Groups(what="camera", names=("many", "one"), of=of))
    said = r"1 of 2 groups have too few, the least is 'one' with 0 that test, where that drop takes 48 or more"
    with pytest.warns(UserWarning, match=said):
        assert choose(alone, Certified(0.1, ALPHA)).plain
    assert not choose(replace(record, groups=None), Certified(0.1, ALPHA)).plain


def test_a_choice_says_in_which_groups_its_limit_holds() -> None:
    run = sample_run(n=1000)
    tuned = tune(run, CheapestWithinDrop(max_drop=0.02), in_every="class", answers="own")
    assert tuned.policy == {"name": "cheapest", "parameters": {"max_drop": 0.02, "in_every": "class"}}
    with pytest.raises(ValueError, match="hold in every class but that of paper cannot"):
        tune(run, PaperRule(epsilon=0.01), in_every="class")
    with pytest.raises(ValueError, match="by 'class' but it was 'camera'"):
        tune(run, CheapestWithinDrop(max_drop=0.02), in_every="camera")


def test_pooled_answers_are_chosen_in_groups_too() -> None:
    run = sample_run(n=1200)
    camera = Groups.named("camera", ["left" if i % 3 else "right" for i in range(1200)])
    grouped: StageOutputs = replace(run, groups=(camera,))
    tuned = tune(grouped, CheapestWithinDrop(max_drop=0.02), in_every="camera", answers="pooled")
    assert tuned.rule.pool is not None
