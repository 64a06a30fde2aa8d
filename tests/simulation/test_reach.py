"""Thresholds that no confidence reaches: which they are, and that they are off, uncharged and said wherever set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cascade_core import ExitRule, FixedThresholds, SharedThreshold, choose, evaluate
from cascade_core.policies.base import rule_path
from cascade_core.simulation.reach import within_reach
from tests.oracle import random_outputs

NAMES = ("small", "mid", "large")


def reached(thresholds: Any, axes: int = 1, score: str = "max_probability") -> tuple[list[Any], str | None]:
    result, words = within_reach(np.array(thresholds, dtype=np.float32), axes, score, NAMES)
    return result.tolist(), words


@pytest.mark.parametrize(
    ("score", "reachable", "beyond"),
    [
        ("max_probability", 1.0, 90.0),
        ("max_probability", 0.0, 1.01),
        ("margin", 1.0, 2.0),
        ("negative_entropy", 0, 0.4),
    ],
)
def test_what_is_above_a_scores_greatest_value_is_off(score: str, reachable: float, beyond: float) -> None:
    assert reached([reachable, np.inf], score=score) == ([reachable, np.inf], None)
    thresholds, words = reached([reachable, beyond], score=score)
    assert thresholds == [reachable, np.inf]
    assert words is not None
    assert f"reaches {beyond:g} at 'mid': such a threshold is off" in words


def test_a_sum_that_rounding_took_above_one_is_not_beyond_reach() -> None:
    assert reached([float(np.nextafter(np.float32(1), np.float32(2))), 0.5])[1] is None


def test_percents_are_recognised_and_stages_counted() -> None:
    assert str(reached([90, 95])[1]).endswith(
        "no confidence, here the largest softmax, reaches 90 at 'small' or 95 at 'mid': such a threshold is off "
        "and nothing leaves by it; for 90 % write 0.9"
    )
    words = within_reach(np.full(5, 200, dtype=np.float32), 1, "max_probability", None)[1]
    assert "200 at 'stage 0' or 200 at 'stage 1' or 200 at 'stage 2' or 2 more: such a threshold is off" in str(words)


def test_classes_are_off_one_by_one() -> None:
    thresholds, words = reached([[90, 0.5], [0.5, 0.5]])
    assert thresholds == [[np.inf, 0.5], [0.5, 0.5]]
    assert "90 at 'small': such a threshold is off" in str(words)


def test_rules_along_a_path_are_off_one_by_one() -> None:
    thresholds, words = reached([[0.5, 0.5], [0.5, 30]], axes=2)
    assert thresholds == [[0.5, 0.5], [0.5, np.inf]]
    assert "30 at 'mid': such a threshold is off" in str(words)


@pytest.mark.parametrize("given", [(90, 0.6), (0.6, 1.5), (90, 90)])
def test_a_rule_with_them_costs_what_one_without_costs(given: tuple[float, float]) -> None:
    record = random_outputs(0, stages=3).record()
    plain = tuple(np.inf if value > 1 else value for value in given)
    expected = evaluate(record, choose(record, FixedThresholds(plain)))
    with pytest.warns(UserWarning, match="such a threshold is off"):
        rules = [ExitRule(thresholds=np.array(given, np.float32)), choose(record, FixedThresholds(given))]
    for rule in rules:
        found = evaluate(record, rule)
        assert found.mean_macs == expected.mean_macs
        assert found.exit_counts.tolist() == expected.exit_counts.tolist()
        assert rule.active.tolist() == [value <= 1 for value in given] + [True]


def test_policies_and_paths_say_it_once() -> None:
    record = random_outputs(0).record()
    with pytest.warns(UserWarning, match="90 .*such a threshold is off") as said:
        assert choose(record, SharedThreshold(90)).plain
    assert len(said) == 1
    with pytest.warns(UserWarning, match="such a threshold is off"):
        assert rule_path(record, [0.0], np.full((1, len(record.stages) - 1), 7.0)).plain.tolist() == [True]
