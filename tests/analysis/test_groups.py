"""What a rule does in each group: a plain count, worst first, and bounds that hold in all groups at once.

A plain run draws 60 times from each population; `CASCADE_DRAWS=1000` draws so often.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from cascade_core import ExitRule, Record, evaluate
from cascade_core.analysis.groups import by_class, evaluate_groups, group_bounds
from cascade_core.simulation.groups import Groups
from tests.oracle import make_record, random_pooled, random_rules

DRAWS = int(os.environ.get("CASCADE_DRAWS", "60"))

ALPHA = 0.1


def rule_of(record: Record, seed: int) -> ExitRule:
    thresholds = random_rules(seed, record, 1)[0]
    return ExitRule(thresholds=thresholds, score=record.score, top_k=1, pool=record.pool)


@pytest.mark.parametrize("seed", range(4))
def test_groups_are_counted_as_their_samples_alone_would_be(seed: int) -> None:
    record = random_pooled(seed)
    rule = rule_of(record, seed)
    names = ["dry", "wet", "cold"]
    of = np.random.default_rng(seed).integers(0, 2, record.n)  # nobody is cold
    grouped = evaluate_groups(record, rule, Groups(what="weather", names=tuple(names), of=of))
    for group in (0, 1):
        alone = evaluate(record.take(np.flatnonzero(of == group)), rule)
        one = grouped.evaluation[group]
        assert (one.n, one.accuracy_drop, one.saving) == (alone.n, alone.accuracy_drop, alone.saving)
        assert one.exit_counts.tolist() == alone.exit_counts.tolist()
    assert grouped.bounds is not None
    assert np.isnan(grouped.bounds).tolist() == [False, False, True]
    order = grouped.worst_first
    drops = grouped.evaluation.accuracy_drop[order]
    assert sorted(order.tolist()) == [0, 1]
    assert drops[0] >= drops[1]


def test_groups_by_name_and_by_class() -> None:
    groups = Groups.named("month", ["May", "April", "May"])
    assert (groups.names, groups.of.tolist()) == (("April", "May"), [1, 0, 1])
    assert groups.take(np.array([1, 2])).of.tolist() == [0, 1]
    record = make_record([[0.1, 0.2]], [[True, False]])
    assert by_class(record, ("ant", "bee")).of.tolist() == [0, 0]


def test_what_does_not_fit_is_said() -> None:
    record = make_record([[0.1, 0.2]], [[True, False]])
    with pytest.raises(ValueError, match="groups to be from 0 to 0"):
        Groups(what="x", names=("a",), of=np.array([0, 1]))
    rule, fewer = ExitRule(thresholds=np.zeros(0, dtype=np.float32)), Groups(what="x", names=("a",), of=np.array([0]))
    with pytest.raises(ValueError, match="groups of 2 samples but they are of 1"):
        evaluate_groups(record, rule, fewer)


def test_in_sample_nothing_is_certified() -> None:
    record = random_pooled(0)
    groups = Groups(what="x", names=("a",), of=np.zeros(record.n, dtype=np.int64))
    assert evaluate_groups(record, rule_of(record, 0), groups, certify=False).bounds is None


def drawn(random: np.random.Generator, n: int) -> tuple[Record, Groups, np.ndarray]:
    """Samples of five groups whose true drops differ, and those drops; all leave early, the last stage differs."""
    lost, won = np.array([0.0, 0.02, 0.05, 0.1, 0.3]), np.array([0.01, 0.0, 0.05, 0.02, 0.1])
    of = random.choice(5, n, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    place = random.random(n)
    harmed, helped = place < lost[of], place > 1 - won[of]
    correct = np.stack([~harmed, ~helped])
    groups = Groups(what="group", names=tuple("abcde"), of=of)
    return make_record(np.full((2, n), 0.9), correct), groups, lost - won


def test_bounds_hold_in_all_groups_at_once() -> None:
    random = np.random.default_rng(0)
    rule = ExitRule(thresholds=np.array([0.5], dtype=np.float32))
    violations, loosest = 0, 0.0
    for _ in range(DRAWS):
        record, groups, truth = drawn(random, 400)
        bounds = group_bounds(record, rule, groups, ALPHA)
        violations += bool((bounds < truth).any())  # NaN, of a group that was not drawn, violates nothing
        loosest = max(loosest, float(bounds[0]))
    # Three standard errors above what is promised.
    assert violations <= DRAWS * ALPHA + 3 * np.sqrt(DRAWS * ALPHA * (1 - ALPHA))
    assert loosest < 0.1, "a bound that says nothing holds too"
