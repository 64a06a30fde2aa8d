"""Yardsticks by hand: oracles, single stages, exits by lot, overthinking, and stages that are superfluous."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cascade_core import ExitRule, Pool, Stage, evaluate
from cascade_core.analysis.yardsticks import dominated, oracle, overthinking, random_exit_accuracy, single_stage
from tests.oracle import make_record, random_outputs, random_record, random_rules

STAGES = (Stage(name="a", trunk_macs=100, head_macs=10), Stage(name="b", trunk_macs=200, head_macs=20))
RECORD = make_record(
    confidence=[[0.9, 0.8, 0.9, 0.3, 0.2], [1, 1, 1, 1, 1]],
    correct=[[1, 0, 1, 0, 1], [1, 1, 0, 1, 0]],
    stages=STAGES,
)


def test_oracle_by_hand() -> None:
    # Earliest correct stage of each sample: a, b, a, b, a; all are right somewhere.
    found = oracle(RECORD)
    assert found.exit_counts.tolist() == [3, 2]
    assert found.accuracy == 1
    nobody = oracle(make_record([[1, 1], [1, 1]], [[0, 0], [0, 1]], STAGES))
    assert nobody.exit_counts.tolist() == [0, 2]  # a sample that no stage gets right goes to the end
    assert nobody.correct_counts.tolist() == [0, 1]


def test_no_rule_beats_the_oracle() -> None:
    record = random_record(20)
    best = oracle(record)
    for thresholds in random_rules(21, record, 30):
        assert evaluate(record, ExitRule(thresholds=thresholds)).accuracy <= best.accuracy


def test_an_oracle_may_give_up_at_once() -> None:
    record = make_record([[1, 1, 1], [1, 1, 1]], [[0, 0, 1], [0, 1, 1]], STAGES)
    assert oracle(record).exit_counts.tolist() == [1, 2]
    assert oracle(record, hopeless="first").exit_counts.tolist() == [2, 1]
    assert oracle(record).accuracy == oracle(record, hopeless="first").accuracy == 2 / 3
    with pytest.raises(ValueError, match="hopeless to be one of last, first but it was 'never'"):
        oracle(record, hopeless="never")


def test_single_stages_run_one_head() -> None:
    first, last = single_stage(RECORD, 0), single_stage(RECORD, 1)
    assert (first.accuracy, first.mean_macs) == (3 / 5, 110)
    assert (last.accuracy, last.mean_macs) == (3 / 5, 320)  # 100 + 200 + 20: the first head is off


def test_exits_by_lot() -> None:
    # 0.3 * 3/5 + 0.7 * 3/5, and for stages of accuracies 1 and 0: 0.25.
    assert random_exit_accuracy(RECORD, np.array([0.3, 0.7])) == pytest.approx(0.6)
    record = make_record([[1, 1], [1, 1]], [[1, 1], [0, 0]])
    assert random_exit_accuracy(record, np.array([[0.25, 0.75], [1, 0]])).tolist() == [0.25, 1]


def test_overthinking_by_hand() -> None:
    # Samples 0: right at both; 1 and 3: only at the end; 2 and 4: right early, wrong at the end.
    found = overthinking(RECORD)
    assert (found.wasteful, found.destructive, found.needed, found.hopeless) == (0.2, 0.4, 0.4, 0)
    assert sum(vars(overthinking(random_record(3))).values()) == pytest.approx(1)


def test_dominated_stages_by_hand() -> None:
    # Samples go on from a in the order 3, 2, 1, 0.  b gains nothing over a on any of {3}, {3, 2}, ...; c does on {3}.
    confidence = [[0.9, 0.8, 0.7, 0.6], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]
    correct = [[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 0, 1], [0, 0, 0, 0]]
    assert dominated(make_record(confidence, correct)).tolist() == [False, True, False, False]


def test_samples_of_equal_confidence_go_on_together() -> None:
    """Of two equal samples b would gain one and lose the other, whichever comes first."""
    for correct in ([[1, 0], [0, 1], [1, 1]], [[0, 1], [1, 0], [1, 1]]):
        assert dominated(make_record([[0.5, 0.5], [1, 1], [1, 1]], correct)).tolist() == [False, True, False]


def test_overthinking_of_pooled_answers_is_against_the_plain_network() -> None:
    # Pooled, the last stage is right on all; by itself, as the plain network, on the first two alone.
    plain = np.array([True, True, False, False])
    record = replace(
        make_record([[1, 1, 1, 1], [1, 1, 1, 1]], [[1, 0, 1, 0], [1, 1, 1, 1]], STAGES), baseline_correct=plain
    )
    found = overthinking(record)
    assert (found.wasteful, found.destructive, found.needed, found.hopeless) == (0.25, 0.25, 0.25, 0.25)


def test_a_single_stage_runs_the_heads_that_it_pools() -> None:
    # b pools a, and c neither: trunks of 100, 200, 300 and heads of 10, 20, 30.
    outputs = random_outputs(6)
    stages = tuple(Stage(name=n, trunk_macs=100 * i, head_macs=10 * i) for i, n in enumerate("abc", start=1))
    record = replace(outputs, stages=stages, baseline_macs=630).record(pool=Pool(weights=((1,), (0.5, 0.5), (0, 0, 2))))
    assert [single_stage(record, stage).mean_macs for stage in range(3)] == [110, 330, 630]
    assert single_stage(record, 1).accuracy == record.correct[1].mean()
