"""Thresholds for each class: the definition, accuracies that lean on the stage's own, and who never leaves."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core import PaperRule, PaperRuleByClass, choose, evaluate
from cascade_core.policies.by_class import STRENGTH
from tests.oracle import make_record, naive_paper_threshold, random_record
from tests.samples import sample_run


def naive_threshold(
    confidence: NDArray[np.float32], correct: NDArray[np.bool_], members: NDArray[np.bool_], epsilon: float
) -> float:
    """The definition: a loop over all confidences of the stage, counting its samples and those of the class."""
    if not correct[members].any():
        return np.inf
    alphas = {}
    for delta in sorted(set(confidence.tolist())):
        sure = confidence >= delta
        own = sure & members
        alphas[delta] = (correct[own].sum() + STRENGTH * correct[sure].mean()) / (own.sum() + STRENGTH)
    return min(delta for delta, alpha in alphas.items() if alpha >= max(alphas.values()) - epsilon)


@pytest.mark.parametrize("epsilon", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("seed", range(4))
def test_equals_the_definition(epsilon: float, seed: int) -> None:
    record = random_record(seed, n=90)
    rule = choose(record, PaperRuleByClass(epsilon))
    assert rule.thresholds.shape == (2, 4)
    for stage, answer in itertools.product(range(2), range(4)):
        members = record.predictions[stage] == answer
        wanted = naive_threshold(record.confidence[stage], record.correct[stage], members, epsilon)
        assert rule.thresholds[stage, answer] == np.float32(wanted)


def test_a_class_that_is_never_answered_never_leaves() -> None:
    record = make_record([[0.9, 0.8], [1, 1]], [[1, 1], [1, 1]])  # all answers are class 0; class 1 is not seen
    assert choose(replace(record, classes=3), PaperRuleByClass(0.0)).thresholds.tolist() == [
        [np.float32(0.8), np.inf, np.inf]
    ]


@pytest.mark.parametrize("epsilon", [0.0, 0.01, 1.0])
def test_a_class_that_is_never_right_never_leaves(epsilon: float) -> None:
    """Class 1 is answered four times, the surest of all, and wrong each time: no epsilon lets it leave."""
    record = make_record([[0.9, 0.8, 0.99, 0.98, 0.97, 0.96], [1] * 6], [[1, 1, 0, 0, 0, 0], [1] * 6])
    assert np.isinf(choose(record, PaperRuleByClass(epsilon)).thresholds[0, 1])


def test_one_right_by_luck_leaves_where_the_stage_lets_all_leave() -> None:
    """Of class 1 there is one sample, right at 0.3: its own best accuracy is 1 there, the stage's is 51 of 100."""
    confidence = np.concatenate([[0.3], np.linspace(0.35, 0.95, 99)]).astype(np.float32)
    correct = np.concatenate([[True], np.arange(99) >= 49])
    record = make_record([confidence, np.ones(100)], [correct, np.ones(100)])
    predictions = record.predictions.copy()
    predictions[0] = np.arange(100) == 0
    record = replace(record, predictions=predictions)
    by_class, by_stage = (choose(record, policy(0.01)).thresholds for policy in (PaperRuleByClass, PaperRule))
    assert by_class[0, 1] == by_stage[0] > 0.6


def test_with_many_samples_each_class_has_the_papers_threshold() -> None:
    """Class 0 is right at any confidence, class 1 from 0.5 on, 50,000 samples each: `STRENGTH` hardly counts."""
    n = 50_000
    confidence = np.tile(np.linspace(0.01, 1.0, n, dtype=np.float32), 2)
    answers = np.repeat([0, 1], n)
    correct = (answers == 0) | (confidence >= 0.5)
    labels = np.where(correct, answers, 1 - answers)
    record = replace(
        make_record(np.stack([confidence, confidence]), np.stack([correct, correct])),
        predictions=np.stack([answers, labels]),
        labels=labels,
        baseline_predictions=labels,
    )
    found = choose(record, PaperRuleByClass(0.01)).thresholds[0]
    for answer in (0, 1):
        members = answers == answer
        wanted = naive_paper_threshold(confidence[members][::50].tolist(), correct[members][::50].tolist(), 0.01)
        assert found[answer] == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize("present", [1, 2, 3])
def test_absent_classes_lose_no_more_than_a_few_points(present: int) -> None:
    """Of five classes some have no sample: answering them is always wrong, however sure the early stages are."""
    outputs = sample_run(n=1200, seed=present)
    calibration, test = outputs.take(np.flatnonzero(outputs.labels < present)).record().split()
    by_class, by_stage = (evaluate(test, choose(calibration, policy(0.01))) for policy in (PaperRuleByClass, PaperRule))
    assert by_class.accuracy_drop <= by_stage.accuracy_drop + 0.01
