"""THE exit rule against a loop over samples, and what a rule refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cascade_core import ExitRule, exit_stages
from tests.oracle import f32, naive_exit, random_record, random_rules


def test_by_hand() -> None:
    confidence = np.array([[0.5, 0.4, 0.4, 0.9], [0.1, 0.7, 0.6, 0.9], [0, 0, 0, 0]], dtype=np.float32)
    # Thresholds 0.5 and 0.7: sample 0 reaches 0.5 exactly, 1 reaches 0.7 exactly, 2 neither, 3 the first.
    assert exit_stages(confidence, [0.5, 0.7]).tolist() == [0, 1, 2, 0]


def test_reaching_a_threshold_exactly_is_enough_in_float32() -> None:
    """0.1 is no float32; threshold and confidence are rounded alike, so that they meet."""
    confidence = np.array([[0.1], [1.0]], dtype=np.float32)
    assert exit_stages(confidence, np.array([0.1])).tolist() == [0]
    above = np.nextafter(np.float32(0.1), np.float32(1))
    assert exit_stages(confidence, [above]).tolist() == [1]


def test_infinity_never_leaves_and_the_last_stage_always_answers() -> None:
    confidence = np.array([[1.0, 1.0], [0.0, 1.0]], dtype=np.float32)
    assert exit_stages(confidence, [np.inf]).tolist() == [1, 1]


def test_one_stage_needs_no_threshold() -> None:
    assert exit_stages(np.ones((1, 3), dtype=np.float32), []).tolist() == [0, 0, 0]


@pytest.mark.parametrize("stages", [1, 2, 3, 4])
def test_equals_the_loop(stages: int) -> None:
    record = random_record(stages, stages=stages, n=80)
    for thresholds in random_rules(9, record, 25):
        wanted = [
            naive_exit([float(c) for c in record.confidence[:, i]], [float(t) for t in thresholds])
            for i in range(record.n)
        ]
        assert exit_stages(record.confidence, thresholds).tolist() == wanted


def test_refuses_another_number_of_thresholds() -> None:
    """One threshold for many stages would broadcast without a word."""
    with pytest.raises(
        ValueError, match=r"thresholds to have shape \(2,\) \(stages - 1\), or .* but it had shape \(1,\)"
    ):
        exit_stages(np.ones((3, 5), dtype=np.float32), [0.5])


def test_rule_is_cast_read_only_and_knows_its_active_heads() -> None:
    rule = ExitRule(thresholds=np.array([0.9, np.inf]), stage_names=("a", "b", "c"))
    assert rule.thresholds.dtype == np.float32
    assert rule.active.tolist() == [True, False, True]
    with pytest.raises(ValueError, match="read-only"):
        rule.thresholds[0] = 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"thresholds": [0.5, np.nan]}, "threshold of stage 1 to be a number or inf but it was nan"),
        ({"thresholds": [-np.inf]}, "threshold of stage 0 to be a number or inf but it was -inf"),
        ({"thresholds": 0.5}, r"thresholds to have shape \(any,\) \(stages - 1\)"),
        ({"thresholds": ["x"]}, "thresholds to be numbers"),
        ({"thresholds": [0.5], "score": "y"}, "score to be one of"),
        ({"thresholds": [0.5], "top_k": 0}, "top_k to be a whole number from 1"),
        (
            {"thresholds": [0.5], "stage_names": ("a",)},
            "stage_names to hold 2 names, one for each stage, but it held 1",
        ),
        ({"thresholds": [0.5], "stage_names": ("a", "a")}, "stage_names to be distinct but 'a' repeats"),
    ],
)
def test_rule_raises(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ExitRule(**fields)


def test_check_fits_says_what_differs() -> None:
    record = random_record(1)
    ExitRule(thresholds=f32(0.5, 0.5)).check_fits(record)  # without names it fits any cascade of three stages
    with pytest.raises(ValueError, match=r"rule for 3 stages \(2 thresholds\) but it is for 2"):
        ExitRule(thresholds=f32(0.5)).check_fits(record)
    with pytest.raises(ValueError, match="stages a, b, c but it is for a, c, b"):
        ExitRule(thresholds=f32(0.5, 0.5), stage_names=("a", "c", "b")).check_fits(record)
    with pytest.raises(ValueError, match=r"score max_probability \(top 1\) but it is for margin \(top 1\)"):
        ExitRule(thresholds=f32(0.5, 0.5), score="margin").check_fits(record)
    with pytest.raises(ValueError, match=r"\(top 1\) but it is for max_probability \(top 5\)"):
        ExitRule(thresholds=f32(0.5, 0.5), top_k=5).check_fits(record)


def test_a_threshold_for_each_class_by_hand() -> None:
    confidence = f32(0.6, 0.6, 0.9, 0.9).reshape(1, 4).repeat(2, axis=0)
    answers = np.array([[0, 1, 0, 1], [0, 0, 0, 0]])
    # Class 0 leaves from 0.5 on, class 1 never: samples 0 and 2 leave at once.
    assert exit_stages(confidence, [[0.5, np.inf]], answers).tolist() == [0, 1, 0, 1]
    with pytest.raises(ValueError, match="predictions with a threshold for each class but there were none"):
        exit_stages(confidence, [[0.5, np.inf]])


def test_a_head_is_on_if_any_class_may_leave() -> None:
    rule = ExitRule(thresholds=np.array([[np.inf, 0.5], [np.inf, np.inf]]))
    assert rule.active.tolist() == [True, False, True]
    assert rule.leaves_early
    assert not ExitRule(thresholds=np.array([[np.inf, np.inf]])).leaves_early
    with pytest.raises(ValueError, match="threshold of stage 0, class 1 to be a number or inf but it was nan"):
        ExitRule(thresholds=np.array([[0.1, np.nan]]))


def test_rules_for_each_class_fit_records_of_as_many() -> None:
    record = random_record(1)
    rule = ExitRule(thresholds=np.full((2, record.classes + 1), 0.5))
    with pytest.raises(ValueError, match=f"for {record.classes} classes but it is for {record.classes + 1}"):
        rule.leaving(record)
