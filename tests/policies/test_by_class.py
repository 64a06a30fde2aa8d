"""Thresholds for each class against the paper's definition on the samples of that class."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from cascade_core import PaperRuleByClass, choose
from tests.oracle import make_record, naive_paper_threshold, random_record


@pytest.mark.parametrize("epsilon", [0.0, 0.02, 0.3])
def test_thresholds_by_class_are_the_papers_on_each_class(epsilon: float) -> None:
    record = random_record(5, n=90)
    rule = choose(record, PaperRuleByClass(epsilon))
    assert rule.thresholds.shape == (2, 4)
    for stage, answer in itertools.product(range(2), range(4)):
        members = record.predictions[stage] == answer
        wanted = naive_paper_threshold(
            record.confidence[stage, members].tolist(), record.correct[stage, members].tolist(), epsilon
        )
        assert rule.thresholds[stage, answer] == np.float32(wanted)


def test_a_class_that_is_never_answered_never_leaves() -> None:
    record = make_record([[0.9, 0.8], [1, 1]], [[1, 1], [1, 1]])  # all answers are class 0; class 1 is not seen
    assert choose(replace(record, classes=3), PaperRuleByClass(0.0)).thresholds.tolist() == [
        [np.float32(0.8), np.inf, np.inf]
    ]
