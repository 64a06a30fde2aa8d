"""Which samples a filter finds and in which order, by hand and against a loop written from the definitions."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core import ExitRule
from cascade_core.analysis.exploration import Split
from cascade_core.analysis.sample_filter import ORDERS, SampleFilter, newly_first, pick, without_each
from cascade_core.analysis.samples import KINDS, Outcomes, outcomes
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
    """Sample 4 leaves at c, 2 and 3 at b, the others at a; 1 and 2 are harmed, 3 and 5 helped."""
    return outcomes(RECORD, RULE)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        # Harmed: 2 is 0.8 sure, 1 is 0.9; helped: 3 is 0.85 sure, 5 is 0.91; the others: 4 is 0.65 sure, 0 is 0.95.
        ("harmed first", [2, 1, 3, 5, 4, 0]),
        ("surest", [0, 5, 1, 3, 2, 4]),
        ("least sure", [4, 2, 3, 1, 5, 0]),
        ("name", [3, 1, 5, 2, 4, 0]),
    ],
)
def test_orders_by_hand(order: str, expected: list[int]) -> None:
    assert pick(found(), SampleFilter(order=order), IDS).tolist() == expected


def test_equal_confidences_keep_the_records_order() -> None:
    record = make_record([[0.5] * 4, [1.0] * 4], [[1] * 4, [1] * 4])
    one = outcomes(record, ExitRule(thresholds=f32(np.inf)))
    for order in ("surest", "least sure"):
        assert pick(one, SampleFilter(order=order), IDS[:4]).tolist() == [0, 1, 2, 3]


def test_answers_are_those_where_samples_leave() -> None:
    # Class 0 is right: samples 0, 3 and 5 are answered so where they leave.
    assert sorted(pick(found(), SampleFilter(answer=0), IDS).tolist()) == [0, 3, 5]
    assert sorted(pick(found(), SampleFilter(answer=1, label=0), IDS).tolist()) == [1, 2, 4]


def test_confidence_at_a_stage_is_of_those_that_reach_it() -> None:
    # 2, 3 and 4 reach b, with confidences of 0.80, 0.85 and 0.70; 0, 1 and 5 left before.
    assert sorted(pick(found(), SampleFilter(at=1), IDS).tolist()) == [2, 3, 4]
    assert pick(found(), SampleFilter(at=1, low=0.82), IDS).tolist() == [3]
    assert sorted(pick(found(), SampleFilter(at=1, high=0.8), IDS).tolist()) == [2, 4]
    assert sorted(pick(found(), SampleFilter(at=0, high=0.4), IDS).tolist()) == [3, 4]


def test_what_there_is_without_each_part() -> None:
    # Harmed and left at c: none. Harmed are 1 and 2, at c leaves 4 alone; both are of class 0, as all samples are.
    assert without_each(found(), SampleFilter(kind="harmed", stage=2, label=0)) == {"kind": 1, "label": 0, "stage": 2}
    assert without_each(found(), SampleFilter()) == {}
    assert without_each(found(), SampleFilter(low=0.94, answer=1)) == {"confidence": 3, "answer": 1}


def test_new_ones_come_first_and_keep_their_order() -> None:
    index, new = newly_first(np.array([7, 3, 9, 1]), np.array([3, 4, 7]))
    assert index.tolist() == [9, 1, 7, 3]
    assert new.tolist() == [True, True, False, False]
    index, new = newly_first(np.array([], dtype=np.int64), np.array([3]))
    assert (index.tolist(), new.tolist()) == ([], [])


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
