"""Evaluation: every number by hand on five samples, then the slow loop on random records."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from cascade_core import Evaluation, ExitRule, Pool, Stage, StageOutputs, evaluate
from cascade_core.policies.base import rule_path
from cascade_core.simulation.evaluation import count_groups
from cascade_core.simulation.paths import evaluate_path
from cascade_core.support.terms import LAST_STAGE
from tests.oracle import (
    assert_outcome,
    f32,
    make_record,
    naive_evaluate,
    random_outputs,
    random_pool,
    random_pooled,
    random_record,
    random_rules,
)
from tests.samples import sample_run

STAGES = (Stage(name="a", trunk_macs=100, head_macs=10), Stage(name="b", trunk_macs=200, head_macs=20))
RECORD = make_record(
    confidence=[[0.9, 0.8, 0.9, 0.3, 0.2], [1, 1, 1, 1, 1]],
    correct=[[1, 0, 1, 0, 1], [1, 1, 0, 1, 0]],
    stages=STAGES,
)


def test_by_hand() -> None:
    found = evaluate(RECORD, ExitRule(thresholds=f32(0.8)))
    # Samples 0, 1, 2 leave at a (right, wrong, right); 3, 4 at b (right, wrong).
    assert found.exit_counts.tolist() == [3, 2]
    assert found.correct_counts.tolist() == [2, 1]
    assert found.accuracy == 3 / 5
    assert found.full_accuracy == 3 / 5
    # The full cascade gets 1 right (harmed) and 2 wrong (helped).
    assert (found.harmed, found.helped) == (1, 1)
    assert found.accuracy_drop == 0
    assert found.exit_shares.tolist() == [0.6, 0.4]
    # Leaving at a costs 100 + 10; at b 100 + 10 + 200 + 20.  Mean (3 * 110 + 2 * 330) / 5 = 198.
    assert found.costs.tolist() == [110, 330]
    assert found.mean_macs == 198
    # The plain network has no head at a: 100 + 200 + 20 = 320.
    assert found.baseline_macs == 320
    assert found.saving == pytest.approx(1 - 198 / 320)
    assert found.speedup == pytest.approx(320 / 198)


def test_what_as_many_other_samples_would_move_by_hand() -> None:
    found = evaluate(RECORD, ExitRule(thresholds=f32(0.8)))
    # One harmed, one helped of 5: (1 + 1) / 7 each, variance (4 / 7 - 0) / 7 = 4 / 49, error 2 / 7, times sqrt(2).
    assert found.drop_move == pytest.approx(0.4040610)
    # Costs 110 three times and 330 twice, mean 198: variance (3 * 88^2 + 2 * 132^2) / 5 = 11,616; sqrt(2 / 5) times
    # its root is 68.164, of 320 MACs.
    assert found.saving_move == pytest.approx(68.1645 / 320, abs=1e-6)
    plain = evaluate(RECORD, ExitRule(thresholds=f32(np.inf)))
    assert (plain.drop_move, plain.saving_move) == (0, 0)


def test_two_sets_of_samples_differ_by_what_is_said() -> None:
    random = np.random.default_rng(5)
    rule = ExitRule(thresholds=f32(0.5))
    drops, savings, moves = [], [], []
    for _ in range(600):
        sure = random.random((2, 200))
        right = random.random((2, 200)) < np.array([[0.6], [0.8]])
        one = evaluate(make_record(confidence=sure, correct=right, stages=STAGES), rule)
        drops.append(one.accuracy_drop)
        savings.append(one.saving)
        moves.append((one.drop_move, one.saving_move))
    expected = [np.std(np.diff(np.reshape(values, (-1, 2)))) for values in (drops, savings)]
    # The standard deviation of 300 differences is known to 1 / sqrt(600), four percent.
    np.testing.assert_allclose(np.mean(moves, axis=0), expected, rtol=0.12)


def test_a_disabled_head_is_not_charged() -> None:
    found = evaluate(RECORD, ExitRule(thresholds=f32(np.inf)))
    assert found.exit_counts.tolist() == [0, 5]
    assert found.mean_macs == 320  # 100 + 200 + 20: exactly the plain network
    assert found.saving == 0
    assert found.accuracy_drop == 0
    assert found.drop_interval()[0] < 0 < found.drop_interval()[1]


def test_a_head_that_nobody_passes_is_still_charged() -> None:
    """A finite threshold above all confidences: the head is run for everybody, in vain."""
    assert evaluate(RECORD, ExitRule(thresholds=f32(0.95))).mean_macs == 330


def test_gain_and_loss_have_opposite_signs() -> None:
    better_early = make_record([[1, 1], [1, 1]], [[1, 1], [0, 1]], STAGES)
    assert evaluate(better_early, ExitRule(thresholds=f32(0))).accuracy_drop == -0.5
    better_late = make_record([[1, 1], [1, 1]], [[0, 1], [1, 1]], STAGES)
    assert evaluate(better_late, ExitRule(thresholds=f32(0))).accuracy_drop == 0.5


def test_free_stages_are_infinitely_fast() -> None:
    stages = (Stage(name="a", trunk_macs=0, head_macs=0), STAGES[1])
    found = evaluate(make_record([[1], [1]], [[1], [1]], stages), ExitRule(thresholds=f32(0)))
    assert (found.mean_macs, found.saving, found.speedup) == (0, 1, float("inf"))


@pytest.mark.parametrize("stages", [1, 2, 3, 4])
def test_equals_the_loop(stages: int) -> None:
    record = random_record(10 + stages, stages=stages)
    for thresholds in random_rules(stages, record, 30):
        assert_outcome(evaluate(record, ExitRule(thresholds=thresholds)), naive_evaluate(record, thresholds))


@pytest.mark.parametrize("stages", [1, 2, 3, 4])
def test_pooled_answers_equal_the_loop(stages: int) -> None:
    record = random_pooled(10 + stages, stages=stages)
    never = np.full(stages - 1, np.inf, dtype=np.float32)
    for thresholds in (never, *random_rules(stages, record, 30)):
        rule = ExitRule(thresholds=thresholds, pool=record.pool)
        assert_outcome(evaluate(record, rule), naive_evaluate(record, thresholds))
    assert_outcome(evaluate(record, ExitRule(thresholds=never)), naive_evaluate(record, never, plain=True))


def test_top_five_of_pooled_answers_equals_the_loop() -> None:
    made = random_outputs(8, n=80, classes=9)
    record = made.record(top_k=5, pool=random_pool(8, made))
    for thresholds in random_rules(8, record, 20):
        rule = ExitRule(thresholds=thresholds, top_k=5, pool=record.pool)
        assert_outcome(evaluate(record, rule), naive_evaluate(record, thresholds))


def test_pooled_answers_by_hand() -> None:
    """The last stage alone is wrong on the first sample and right on the second; pooled it is the other way round."""
    probs = np.array([[[0.9, 0.1], [0.1, 0.9], [0.8, 0.2]], [[0.3, 0.7], [0.7, 0.3], [0.6, 0.4]]], dtype=np.float32)
    outputs = StageOutputs(probs=probs, labels=np.zeros(3, dtype=np.int64), stages=STAGES)
    pool = Pool(weights=((1.0,), (1.0, 1.0)))
    record = outputs.record(pool=pool)
    # Pooled 0.27 : 0.07, 0.07 : 0.27 and 0.48 : 0.08.
    np.testing.assert_allclose(record.confidence[1], [0.27 / 0.34, 0.27 / 0.34, 0.48 / 0.56], rtol=1e-6)
    never = evaluate(record, ExitRule(thresholds=f32(np.inf), pool=pool))
    # Nobody leaves at a, but its head of 10 MACs is pooled later: 100 + 10 + 200 + 20.
    assert never.mean_macs == 330
    assert never.saving == pytest.approx(1 - 330 / 320)
    assert (never.correct_counts.tolist(), never.full_correct) == ([0, 2], 2)
    assert (never.helped, never.harmed, never.accuracy_drop) == (1, 1, 0)
    # Of the two that leave at a, the first is right and was wrong; the second is harmed.
    early = evaluate(record, ExitRule(thresholds=f32(0.9), pool=pool))
    assert (early.exit_counts.tolist(), early.correct_counts.tolist()) == ([2, 1], [1, 1])
    assert (early.helped, early.harmed, early.mean_macs) == (1, 1, (2 * 110 + 330) / 3)
    plain = evaluate(record, ExitRule(thresholds=f32(np.inf)))
    assert (plain.mean_macs, plain.helped, plain.harmed, plain.accuracy) == (320, 0, 0, 2 / 3)


def test_refuses_a_rule_for_other_answers() -> None:
    own, pooled = random_record(3), random_pooled(3)
    thresholds = f32(0.5, 0.5)
    with pytest.raises(ValueError, match=r"rule for answers pooled with the weights 1; .* but it is for stages' own"):
        evaluate(pooled, ExitRule(thresholds=thresholds))
    with pytest.raises(ValueError, match="rule for stages' own answers but it is for answers pooled with the weights"):
        evaluate(own, ExitRule(thresholds=thresholds, pool=pooled.pool))


def test_numbers_of_one_rule_are_python_s_own() -> None:
    found = evaluate(RECORD, ExitRule(thresholds=f32(0.8)))
    counts = (found.n, found.full_correct, found.helped, found.harmed)
    assert [type(number) for number in counts] == [int] * 4
    shares = (found.accuracy, found.full_accuracy, found.accuracy_drop, found.mean_macs, found.saving, found.speedup)
    assert [type(number) for number in (*shares, *found.drop_interval(), *found.saving_interval())] == [float] * 10
    assert json.loads(json.dumps([*counts, *shares])) == [*counts, *shares]


def test_leading_axes_are_many_rules_or_groups_of_samples() -> None:
    """Of groups of 3, 0 and 2 samples, each is what it is by itself, and none has no share."""
    rule, groups = ExitRule(thresholds=f32(0.8)), np.array([0, 2, 0, 0, 2])
    found = count_groups(RECORD, rule.exit_stages(RECORD), rule.active, groups, 3)
    assert found.n.tolist() == [3, 0, 2]
    for group in (0, 2):
        assert_same_numbers(found[group], evaluate(RECORD.take(np.flatnonzero(groups == group)), rule))
        assert found.speedup[group] == found[group].speedup
    shares = (found.accuracy, found.full_accuracy, found.accuracy_drop, found.saving)
    for values in (*shares, *found.drop_interval(), *found.saving_interval()):
        assert np.isnan(values).tolist() == [False, True, False]
    with pytest.raises(IndexError):
        found[3]
    with pytest.raises(IndexError):
        found[0][0]


def assert_same_numbers(one: Evaluation, other: Evaluation) -> None:
    for name in ("n", "full_correct", "helped", "harmed", "accuracy", "full_accuracy", "accuracy_drop", "mean_macs"):
        assert repr(getattr(one, name)) == repr(getattr(other, name)), name
    assert one.drop_interval() == other.drop_interval()
    assert one.saving_interval() == other.saving_interval()
    for name in ("exit_counts", "correct_counts", "costs", "exit_shares"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist(), name


def test_a_mean_of_one_rule_is_rounded_once() -> None:
    """2^53 + 1 is no float: a sum that is first made one would give another mean."""
    found = replace(
        evaluate(RECORD, ExitRule(thresholds=f32(0.8))), costs=np.array([0, 2**53 + 1]), exit_counts=np.array([2, 3])
    )
    assert found.mean_macs == 3 * (2**53 + 1) / 5


def test_refuses_a_rule_for_others() -> None:
    with pytest.raises(ValueError, match=r"rule for 2 stages \(1 thresholds\) but it is for 3"):
        evaluate(RECORD, ExitRule(thresholds=f32(0.5, 0.5)))
    with pytest.raises(ValueError, match="stages a, b but it is for x, y"):
        evaluate(RECORD, ExitRule(thresholds=f32(0.5), stage_names=("x", "y")))
    with pytest.raises(ValueError, match="score max_probability"):
        evaluate(RECORD, ExitRule(thresholds=f32(0.5), score="margin"))


def test_disagreement_with_the_last_stage_is_never_below_zero() -> None:
    """The same counts: with labels the interval goes below zero, against the last stage's answers it begins there."""
    labelled = sample_run()
    unlabelled = StageOutputs(probs=labelled.probs, stages=labelled.stages)
    rule = ExitRule(thresholds=np.array([np.inf, np.inf], np.float32))
    low, high = evaluate(unlabelled.record(), rule).drop_interval()
    assert (low, evaluate(labelled.record(), rule).drop_interval()[0] < 0 < high) == (0, True)
    path = rule_path(unlabelled.record(), [0.0], np.array([[np.inf, np.inf]], np.float32))
    assert evaluate_path(unlabelled.record(), path).drop_interval()[0].tolist() == [0]
    assert evaluate_path(unlabelled.record(), path)[0].terms is LAST_STAGE
