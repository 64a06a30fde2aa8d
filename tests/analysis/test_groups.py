"""What a rule does in each group: a plain count, worst first, and bounds that hold in all groups at once.

A plain run draws 60 times from each population; `CASCADE_DRAWS=1000` draws so often.
"""

from __future__ import annotations

import os
from statistics import NormalDist

import numpy as np
import pytest

from cascade_core import ExitRule, Record, SharedThreshold, evaluate
from cascade_core.analysis.exploration import Split, explore
from cascade_core.analysis.groups import by_class, evaluate_groups, group_bounds, groups_at
from cascade_core.analysis.points import Setting
from cascade_core.simulation.groups import Groups
from cascade_core.simulation.meters import MACS
from cascade_core.simulation.own_costs import OwnCosts
from tests.oracle import f32, make_record, random_pooled, random_record, random_rules
from tests.samples import sample_record

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


@pytest.mark.parametrize(
    "rule",
    [
        ExitRule(thresholds=f32(np.inf, 0.5)),
        ExitRule(thresholds=f32(np.inf, np.inf)),
        ExitRule(thresholds=np.array([[0.5, 0.7, 0.9, np.inf, 0.6], [np.inf, 0.2, 0.4, 0.6, 0.8]])),
    ],
)
def test_each_class_equals_evaluate_on_its_samples(rule: ExitRule) -> None:
    record = sample_record()
    found = evaluate_groups(record, rule, by_class(record, "abcde")).evaluation
    low, high = found.drop_interval()
    for label in range(5):
        # By its definition: the record of the class's samples, judged by itself.
        alone = evaluate(record.take(np.flatnonzero(record.labels == label)), rule)
        one = found[label]
        assert one.exit_counts.tolist() == alone.exit_counts.tolist()
        assert one.correct_counts.tolist() == alone.correct_counts.tolist()
        assert one.costs.tolist() == alone.costs.tolist()
        assert (one.n, one.helped, one.full_correct) == (alone.n, alone.helped, alone.full_correct)
        assert found.accuracy[label] == alone.accuracy
        assert found.full_accuracy[label] == alone.full_accuracy
        assert found.accuracy_drop[label] == pytest.approx(alone.accuracy_drop, abs=1e-15)
        assert found.mean_macs[label] == alone.mean_macs
        assert found.saving[label] == alone.saving
        assert found.exit_shares[label].tolist() == alone.exit_shares.tolist()
        assert (low[label], high[label]) == alone.drop_interval()


def test_classes_without_samples_are_not_a_number() -> None:
    record = Record(
        confidence=f32(0.9, 0.1)[None],
        predictions=np.array([[2, 0]]),
        correct=np.array([[True, False]]),
        labels=np.array([2, 2]),
        stages=sample_record(m=1).stages,
        classes=4,
    )
    found = evaluate_groups(record, ExitRule(thresholds=f32()), by_class(record, "abcd")).evaluation
    assert found.n.tolist() == [0, 0, 2, 0]
    for values in (found.accuracy, found.accuracy_drop, found.mean_macs, found.saving, *found.drop_interval()):
        assert np.isnan(values).tolist() == [True, True, False, True]
    assert found.accuracy[2] == 0.5


def test_groups_cost_what_their_samples_do_where_they_leave() -> None:
    record, rule = random_record(4), ExitRule(thresholds=f32(0.6, 0.6))
    grouped = evaluate_groups(record, rule, by_class(record, [str(label) for label in range(record.classes)]))
    np.testing.assert_allclose(grouped.costs(MACS)[:, 0], grouped.evaluation.mean_macs)
    parts: list[dict[str, float]] = [{"all": 1.0}, {"all": 2.0}, {"all": 3.5}]
    cents = OwnCosts(unit="cents", per=1, stage_names=record.stage_names, stages=tuple(parts), plain_parts={"all": 4.0})
    each = np.array([1, 3, 6.5])[rule.exit_stages(record)]
    costs = grouped.costs(cents)
    for label in range(record.classes):
        own = each[record.labels == label]
        half = NormalDist().inv_cdf(0.975) * own.std() / np.sqrt(len(own))
        ends = [max(1.0, own.mean() - half), min(6.5, own.mean() + half)]
        assert costs[label].tolist() == pytest.approx([own.mean(), *ends])


def test_at_a_setting_bounds_hold_at_all_positions() -> None:
    explored = explore(sample_record(), SharedThreshold, Split(), count=9, answers="own")
    groups = by_class(explored.test, "abcde")
    bounds = groups_at(Setting(exploration=explored, position=5), groups).bounds
    shares = len(np.unique(explored.path.thresholds, axis=0)) - int(explored.path.plain.any())
    expected = group_bounds(explored.test, explored.path.rule(5), groups, 0.05 / shares)
    assert bounds is not None
    assert bounds.tolist() == expected.tolist()
    by_hand = Setting(exploration=explored, position=5, by_hand=(0.5, 0.5))
    assert groups_at(by_hand, groups).bounds is None


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
    assert evaluate_groups(record, rule_of(record, 0), groups, alpha=None).bounds is None


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
