"""THE exit rule against a loop over samples, and what a rule refuses."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from cascade_core import ExitRule, Pool, StageOutputs, exit_stages
from tests.oracle import f32, naive_exit, random_record, random_rules
from tests.samples import sample_run


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
    for score, words in (
        ("margin", "the score margin (top 1)"),
        ("confidence", "confidences that came with the answers"),
    ):
        with pytest.raises(ValueError, match=re.escape(f"the score max_probability (top 1) but it is for {words}")):
            ExitRule(thresholds=f32(0.5, 0.5), score=score).check_fits(record)
    with pytest.raises(ValueError, match=r"\(top 1\) but it is for the score max_probability \(top 5\)"):
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
    assert rule.exits_early
    assert not ExitRule(thresholds=np.array([[np.inf, np.inf]])).exits_early
    with pytest.raises(ValueError, match="threshold of stage 0, class 1 to be a number or inf but it was nan"):
        ExitRule(thresholds=np.array([[0.1, np.nan]]))


def test_rules_for_each_class_fit_records_of_as_many() -> None:
    record = random_record(1)
    rule = ExitRule(thresholds=np.full((2, record.classes + 1), 0.5))
    with pytest.raises(ValueError, match=f"for {record.classes} classes but it is for {record.classes + 1}"):
        rule.exit_stages(record)


def test_judge_by_hand() -> None:
    rule = ExitRule(thresholds=np.array([[0.5, np.inf], [0.9, 0.7]]))
    # The first sample is answered 0 and reaches 0.5 exactly; the second is answered 1, which never exits here.
    judged = rule.judge(np.array([[0.5, 0.5], [0.1, 0.9]]), 0)
    assert judged.answers.tolist() == [0, 1]
    assert judged.confidence.tolist() == f32(0.5, 0.9).tolist()
    assert judged.exits.tolist() == [True, False]
    assert rule.judge(np.array([[0.5, 0.5], [0.1, 0.9]]), 1).exits.tolist() == [False, True]
    assert rule.judge(np.array([[0.5, 0.5], [0.1, 0.9]]), 2).exits.tolist() == [True, True]  # the last always answers


@pytest.mark.parametrize("by_class", [False, True])
@pytest.mark.parametrize(
    ("score", "top_k", "pool"),
    [
        ("max_probability", 1, None),
        ("margin", 1, Pool(weights=((1.0,), (0.7, 1.3), (0.5, -0.2, 1.0)))),
        ("negative_entropy", 1, None),
        ("max_probability", 3, Pool(weights=((0.1,), (0.0, 1.0), (2.0, 0.0, 0.3)))),
    ],
)
def test_judging_stage_by_stage_is_what_is_simulated(by_class: bool, score: str, top_k: int, pool: Pool | None) -> None:
    outputs = sample_run()
    record = outputs.record(score, top_k, pool)
    lowest = np.quantile(record.confidence[:-1], 0.6, axis=1)
    thresholds = np.stack([lowest, *[lowest + 0.005] * (record.classes - 1)], axis=1) if by_class else lowest
    rule = ExitRule(thresholds=thresholds, score=score, top_k=top_k, pool=pool)
    assert judged_stage_by_stage(rule, outputs) == rule.exit_stages(record).tolist()
    for stage in range(3):
        judged = rule.judge(rule.answer(list(outputs.probs[: stage + 1]), stage), stage)
        assert judged.answers.tolist() == record.predictions[stage].tolist()
        assert judged.confidence.tolist() == record.confidence[stage].tolist()


def judged_stage_by_stage(rule: ExitRule, outputs: StageOutputs) -> list[int]:
    exits, left = np.zeros(len(outputs.labels), dtype=np.int64), np.arange(len(outputs.labels))
    for stage in range(len(outputs.probs)):
        judged = rule.judge(rule.answer(list(outputs.probs[: stage + 1, left]), stage), stage)
        exits[left[judged.exits]] = stage
        left = left[~judged.exits]
    assert not len(left)
    return [int(stage) for stage in exits]


def test_a_pool_by_hand() -> None:
    """The second stage multiplies its softmax by the first one's; the third answers by itself."""
    passed = [f32(0.5, 0.3, 0.2)[None], f32(0.2, 0.6, 0.2)[None], f32(0.1, 0.1, 0.8)[None]]
    rule = ExitRule(thresholds=f32(np.inf, 0.5), pool=Pool(weights=((1.0,), (1.0, 1.0), (0.0, 0.0, 1.0))))
    # Their products are 0.1, 0.18 and 0.04, whose sum is 0.32.
    np.testing.assert_allclose(rule.answer(passed[:2], 1), [[0.3125, 0.5625, 0.125]], rtol=1e-6)
    assert rule.judge(rule.answer(passed[:2], 1), 1).exits.tolist() == [True]
    assert rule.answer(passed, 2) is passed[2]
    assert ExitRule(thresholds=f32(0.5, 0.5)).answer([None, passed[1]], 1) is passed[1]


def test_heads_that_are_run_and_stages_that_are_left() -> None:
    pool = Pool(weights=((1.0,), (0.0, 1.0), (0.5, 0.0, 1.0)))
    rule = ExitRule(thresholds=f32(np.inf, np.inf), pool=pool)
    assert rule.active.tolist() == [True, False, True]
    assert rule.may_exit.tolist() == [False, False, True]
    assert (rule.plain, rule.exits_early) == (False, False)
    own = ExitRule(thresholds=f32(np.inf, 0.5))
    assert own.may_exit.tolist() == own.active.tolist() == [False, True, True]
    assert ExitRule(thresholds=f32(np.inf, np.inf)).plain


def test_a_rule_fits_a_record_of_its_pool() -> None:
    outputs, pool = sample_run(), Pool(weights=((1.0,), (0.0, 1.0), (0.5, 0.0, 1.0)))
    rule = ExitRule(thresholds=f32(0.5, 0.5), pool=pool)
    rule.check_fits(outputs.record(pool=pool))
    with pytest.raises(
        ValueError, match=r"own answers but it is for answers pooled with the weights 1; 0, 1; 0\.5, 0, 1"
    ):
        rule.check_fits(outputs.record())
    # The plain network asks no pool.
    ExitRule(thresholds=f32(np.inf, np.inf)).check_fits(outputs.record(pool=pool))
    with pytest.raises(ValueError, match="a pool of 2 stages but it is of 3"):
        ExitRule(thresholds=f32(0.5), pool=pool)


@pytest.mark.parametrize(
    ("shape", "stage", "words"),
    [
        ((2,), 0, r"softmaxes of shape \(samples, classes\) but their shape was \(2,\)"),
        ((1, 2), 2, "stage to be a whole number from 0 to 1 but it was 2"),
        ((1, 3), 0, "for 3 classes but it is for 2"),
    ],
)
def test_judge_raises(shape: tuple[int, ...], stage: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ExitRule(thresholds=f32(0.5, 0.5)[None]).judge(np.full(shape, 1 / shape[-1]), stage)


def test_a_threshold_by_stage_and_answer() -> None:
    assert ExitRule(thresholds=f32(0.5)).threshold(0) == 0.5
    rule = ExitRule(thresholds=f32(0.5, np.inf)[None])
    assert [rule.threshold(0, answer) for answer in (0, 1, None)] == [0.5, np.inf, None]
    assert rule.threshold(1, 0) is None  # the last stage has none
