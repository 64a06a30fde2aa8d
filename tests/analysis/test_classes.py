"""Which classes are taken for one another equals a loop over samples."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from cascade_core import ExitRule, Record
from cascade_core.analysis.classes import Mistake, confusion, most_confused
from tests.oracle import f32
from tests.samples import sample_record

RULES = [
    ExitRule(thresholds=f32(0.9, 0.7)),
    ExitRule(thresholds=f32(np.inf, 0.5)),
    ExitRule(thresholds=f32(np.inf, np.inf)),
    ExitRule(thresholds=np.array([[0.5, 0.7, 0.9, np.inf, 0.6], [np.inf, 0.2, 0.4, 0.6, 0.8]])),
]


def pairs(record: Record, rule: ExitRule, stage: int | None) -> Counter[tuple[int, int]]:
    leaving = rule.exit_stages(record)
    return Counter(
        (int(record.labels[i]), int(record.predictions[leaving[i], i]))
        for i in range(record.n)
        if stage in (None, leaving[i])
    )


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("stage", [None, 0, 1, 2])
def test_confusion_equals_a_loop(rule: ExitRule, stage: int | None) -> None:
    record = sample_record()
    expected = pairs(record, rule, stage)
    counts = confusion(record, rule, stage)
    assert counts.shape == (5, 5)
    assert {(a, b): int(counts[a, b]) for a in range(5) for b in range(5) if counts[a, b]} == dict(expected)


def test_most_confused_are_the_largest_off_the_diagonal() -> None:
    record, rule = sample_record(), RULES[0]
    expected = pairs(record, rule, None)
    wrong = sorted(((-n, a, b) for (a, b), n in expected.items() if a != b))[:6]
    sizes = np.bincount(record.labels)
    assert most_confused(record, rule, count=6) == [
        Mistake(label=a, answer=b, count=-n, share=-n / int(sizes[a])) for n, a, b in wrong
    ]


def test_shares_are_of_those_that_left_at_the_stage() -> None:
    record, rule = sample_record(), RULES[1]
    left = Counter(
        int(label) for label, stage in zip(record.labels, rule.exit_stages(record), strict=True) if stage == 1
    )
    found = most_confused(record, rule, 1)
    assert found
    assert all(one.share == one.count / left[one.label] for one in found)


def test_nothing_wrong_is_no_mistake() -> None:
    record = sample_record().take(np.flatnonzero(sample_record().correct.all(axis=0)))
    assert most_confused(record, RULES[0]) == []
