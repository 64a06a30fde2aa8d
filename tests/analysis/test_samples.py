"""Which samples are easy, hard, helped and harmed, against a loop over samples written from the definitions."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core import ExitRule, evaluate
from cascade_core.analysis.exploration import Split
from cascade_core.analysis.samples import KINDS, ORDERS, Outcomes, SampleFilter, counts, outcomes, pick
from tests.oracle import f32, make_record
from tests.samples import sample_record, sample_run

# Stages a, b, c with trunks of 100, 70, 50 and heads of 7, 5, 3 MACs; thresholds 0.9 and 0.8.
RECORD = make_record(
    [
        [0.95, 0.90, 0.50, 0.40, 0.30, 0.91],
        [0.10, 0.20, 0.80, 0.85, 0.70, 0.99],
        [0.60, 0.60, 0.60, 0.60, 0.65, 0.60],
    ],
    [[1, 0, 1, 0, 1, 1], [1, 1, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0]],
)
RULE = ExitRule(thresholds=f32(0.9, 0.8))
IDS = ["f", "b", "d", "a", "e", "c"]


def found() -> Outcomes:
    return outcomes(RECORD, RULE)


def test_each_sample_is_followed_to_where_it_leaves() -> None:
    one = found()
    assert one.exit_stages.tolist() == [0, 0, 1, 1, 2, 0]
    assert one.confidence.tolist() == f32(0.95, 0.90, 0.80, 0.85, 0.65, 0.91).tolist()
    assert one.right.tolist() == [True, False, False, True, False, True]
    assert one.answers.tolist() == [0, 1, 1, 0, 1, 0]
    # Leaving at a costs 107, at b 107 + 75, at c 182 + 53.
    assert one.macs.tolist() == [107, 107, 182, 182, 235, 107]


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("all", [0, 1, 2, 3, 4, 5]),
        ("easy", [0, 1, 2, 3, 5]),
        ("hard", [4]),
        ("helped", [3, 5]),
        ("harmed", [1, 2]),
        ("right", [0, 3, 5]),
        ("wrong", [1, 2, 4]),
    ],
)
def test_kinds_by_hand(kind: str, members: list[int]) -> None:
    assert sorted(pick(found(), SampleFilter(kind=kind), IDS).tolist()) == members
    assert counts(found())[kind] == len(members)


@pytest.mark.parametrize(
    ("order", "expected"),
    [("surest", [0, 5, 1, 3, 2, 4]), ("least sure", [4, 2, 3, 1, 5, 0]), ("name", [3, 1, 5, 2, 4, 0])],
)
def test_orders_by_hand(order: str, expected: list[int]) -> None:
    assert pick(found(), SampleFilter(order=order), IDS).tolist() == expected


def test_equal_confidences_keep_the_records_order() -> None:
    record = make_record([[0.5] * 4, [1.0] * 4], [[1] * 4, [1] * 4])
    one = outcomes(record, ExitRule(thresholds=f32(np.inf)))
    for order in ("surest", "least sure"):
        assert pick(one, SampleFilter(order=order), IDS[:4]).tolist() == [0, 1, 2, 3]


def test_ends_of_the_confidence_are_included_as_they_are_written() -> None:
    # 0.9 and 0.8 are not float32 numbers; samples 1 and 2 have what they become.
    assert sorted(pick(found(), SampleFilter(low=0.8, high=0.9), IDS).tolist()) == [1, 2, 3]


def test_a_wish_is_met_in_all_its_parts() -> None:
    record = sample_record()
    rule = ExitRule(thresholds=f32(0.9, 0.7))
    one = outcomes(record, rule)
    leaving = rule.exit_stages(record)
    expected = [
        i
        for i in range(record.n)
        if leaving[i] == 1
        and record.labels[i] == 2
        and record.correct[1, i]
        and not record.correct[2, i]
        and 0.7 <= record.confidence[1, i] <= 0.99
    ]
    wish = SampleFilter(kind="helped", label=2, stage=1, low=0.7, high=0.99)
    assert sorted(pick(one, wish, [""] * record.n).tolist()) == expected
    everything = [i for i in range(record.n) if leaving[i] == 1 and record.labels[i] == 2]
    assert sorted(pick(one, SampleFilter(label=2, stage=1), [""] * record.n).tolist()) == everything
    assert everything


def test_kinds_add_up_to_the_drop() -> None:
    record, rule = sample_record(), ExitRule(thresholds=f32(0.6, 0.6))
    many, evaluation = counts(outcomes(record, rule)), evaluate(record, rule)
    assert many["helped"] == evaluation.helped
    assert many["harmed"] == evaluation.harmed
    assert (many["harmed"] - many["helped"]) / record.n == evaluation.accuracy_drop
    assert many["easy"] + many["hard"] == many["right"] + many["wrong"] == many["all"] == record.n


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match=f"Expected kind to be one of {', '.join(KINDS)} but it was 'odd'"):
        SampleFilter(kind="odd")
    with pytest.raises(ValueError, match=f"Expected order to be one of {', '.join(ORDERS)} but it was 'odd'"):
        SampleFilter(order="odd")


@pytest.mark.parametrize("in_sample", [False, True])
def test_test_samples_are_those_of_the_split(in_sample: bool) -> None:
    outputs, split = sample_run(), Split(seed=3, in_sample=in_sample)
    _, test = split.apply(outputs.record())
    index = split.test_index(len(outputs.labels))
    np.testing.assert_array_equal(outputs.take(index).record().confidence, test.confidence)
    if not in_sample:
        both = np.concatenate([index, split.calibration_index(len(outputs.labels))])
        assert sorted(both.tolist()) == list(range(400))
