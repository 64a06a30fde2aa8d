"""Paths: rules by position, what one evaluation holds of all of them, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cascade_core import ExitRule, RulePath, evaluate_path
from tests.oracle import make_record, random_pooled, random_record, random_rules
from tests.pathcases import assert_same, path_of


def test_by_hand_with_ties_at_a_threshold() -> None:
    record = make_record([[0.5, 0.5, 0.9], [1, 1, 1]], [[1, 0, 1], [1, 1, 0]])
    found = evaluate_path(record, path_of(record, [[np.inf], [0.9], [0.5]]))
    # inf: nobody; 0.9: the third sample; 0.5: all, and two of them are right.
    assert found.exit_counts.tolist() == [[0, 3], [1, 2], [3, 0]]
    assert found.correct_counts.tolist() == [[0, 2], [1, 2], [2, 0]]
    assert found.helped.tolist() == [0, 1, 1]
    # Costs: trunk 100 + 70, heads 7 + 5; with the first head off, 170 + 5 at the end.
    assert found.costs.tolist() == [[100, 175], [107, 182], [107, 182]]


def test_path_of_one_rule_and_rule_names() -> None:
    record = random_record(60)
    path = path_of(record, [[0.7, np.inf]])
    assert len(path) == 1
    assert_same(record, path)
    rule = path.rule(0)
    assert isinstance(rule, ExitRule)
    assert (rule.score, rule.top_k, rule.stage_names) == ("max_probability", 1, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"thresholds": [[0.5], [np.nan]]}, "thresholds to be numbers or inf but some are NaN or -inf"),
        ({"thresholds": [[0.5], [-np.inf]]}, "NaN or -inf"),
        ({"thresholds": [[0.5]]}, r"thresholds to have shape \(2, 1\) \(positions, stages - 1\)"),
        ({"thresholds": [[0.5, 1], [0.5, 1]]}, r"thresholds to have shape \(2, 1\)"),
        ({"plain": [True]}, r"plain to have shape \(2,\) \(positions\) but it had shape \(1,\)"),
        ({"plain": [False, True]}, "plain network only where nothing leaves early but thresholds are finite there"),
        ({"positions": [[0, 1]]}, r"positions to have shape \(any,\) \(positions\)"),
    ],
)
def test_path_raises(fields: dict[str, Any], words: str) -> None:
    whole: dict[str, Any] = {
        "positions": [0, 1],
        "thresholds": [[0.5], [0.4]],
        "score": "margin",
        "top_k": 1,
        "stage_names": ("a", "b"),
    }
    RulePath(**whole)
    with pytest.raises(ValueError, match=words):
        RulePath(**(whole | fields))


def test_refuses_a_path_for_others() -> None:
    record = random_record(80)
    with pytest.raises(ValueError, match="for 3 stages"):
        evaluate_path(random_record(80, stages=3), path_of(random_record(80, stages=2), [[0.5]]))
    path = replace(path_of(record, [[1, 1]]), score="margin")
    with pytest.raises(ValueError, match=r"score max_probability \(top 1\) but it is for the score margin"):
        evaluate_path(record, path)


def test_intervals_of_savings_are_those_of_single_rules() -> None:
    record = random_record(96)
    found = evaluate_path(record, path_of(record, random_rules(2, record, 8)))
    low, high = found.saving_interval(0.9)
    for g in range(8):
        assert (low[g], high[g]) == found[g].saving_interval(0.9)
        assert low[g] <= found.saving[g] <= high[g]


def test_single_positions_of_a_pooled_path_may_be_plain() -> None:
    record = random_pooled(61)
    rules = [[np.inf, np.inf], [np.inf, np.inf], [0.7, np.inf]]
    path = path_of(record, rules, plain=[True, False, False])
    assert [path.rule(g).pool for g in range(3)] == [None, record.pool, record.pool]
    assert [path.rule(g).plain for g in range(3)] == path.plain.tolist() == [True, False, False]
    assert_same(record, path)
    plain, never = (evaluate_path(record, path)[g] for g in (0, 1))
    assert (plain.mean_macs, plain.helped, plain.harmed) == (record.baseline_macs, 0, 0)
    assert never.mean_macs > record.baseline_macs  # a head that later answers pool is run
    assert never.accuracy == record.stage_accuracy[-1]
    turned = path.take(np.array([2, 0]))
    assert turned.plain.tolist() == [False, True]
    assert turned.pool == record.pool
    assert path.only(1).plain.tolist() == [False]
    assert_same(record, turned)


def test_without_a_pool_never_leaving_is_the_plain_network() -> None:
    record = random_record(62)
    assert path_of(record, [[np.inf, np.inf], [0.5, np.inf]]).plain.tolist() == [True, False]
    pooled = random_pooled(62)
    assert path_of(pooled, [[np.inf, np.inf], [0.5, np.inf]]).plain.tolist() == [False, False]


def test_refuses_a_path_for_other_answers() -> None:
    record, pooled = random_record(63), random_pooled(63)
    own = path_of(record, [[0.5, 0.5], [np.inf, np.inf]])
    with pytest.raises(ValueError, match=r"rule for answers pooled with .* but it is for stages' own answers"):
        evaluate_path(pooled, own)
    # Where the plain network is run no pool is asked.
    assert evaluate_path(pooled, own.only(1)).accuracy.tolist() == [record.stage_accuracy[-1]]
