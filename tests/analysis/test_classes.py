"""What is counted for each class equals `evaluate` on its samples alone, and confusion equals a loop over samples."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from cascade_core import ExitRule, Record, evaluate
from cascade_core.analysis.classes import Mistake, confusion, evaluate_classes, most_confused
from tests.oracle import f32
from tests.samples import sample_record

RULES = [
    ExitRule(thresholds=f32(0.9, 0.7)),
    ExitRule(thresholds=f32(np.inf, 0.5)),
    ExitRule(thresholds=f32(np.inf, np.inf)),
    ExitRule(thresholds=np.array([[0.5, 0.7, 0.9, np.inf, 0.6], [np.inf, 0.2, 0.4, 0.6, 0.8]])),
]


@pytest.mark.parametrize("rule", RULES)
def test_each_class_equals_evaluate_on_its_samples(rule: ExitRule) -> None:
    record = sample_record()
    found = evaluate_classes(record, rule)
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
    found = evaluate_classes(record, ExitRule(thresholds=f32()))
    assert found.n.tolist() == [0, 0, 2, 0]
    for values in (found.accuracy, found.accuracy_drop, found.mean_macs, found.saving, *found.drop_interval()):
        assert np.isnan(values).tolist() == [True, True, False, True]
    assert found.accuracy[2] == 0.5


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
