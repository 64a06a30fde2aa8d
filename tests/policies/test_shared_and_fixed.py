"""The two policies that look at no sample: one shared threshold, and given ones."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core import FixedThresholds, SharedThreshold, choose, evaluate
from tests.oracle import make_record, random_outputs, random_record


def test_shared_by_hand() -> None:
    record = make_record([[0.9, 0.5, 0.5], [0.9, 0.8, 0.5], [1, 1, 1]], np.ones((3, 3)))
    rule = choose(record, SharedThreshold(0.8))
    assert rule.thresholds.tolist() == [np.float32(0.8)] * 2
    assert evaluate(record, rule).exit_counts.tolist() == [1, 1, 1]


@pytest.mark.parametrize("stages", [1, 2, 4])
def test_shared_has_one_threshold_a_stage_but_the_last(stages: int) -> None:
    record = random_record(1, stages=stages)
    assert choose(record, SharedThreshold(0.5)).thresholds.tolist() == [0.5] * (stages - 1)
    assert choose(record, SharedThreshold(float("inf"))).thresholds.tolist() == [float("inf")] * (stages - 1)


def test_shared_positions_span_the_early_confidences() -> None:
    record = random_record(2, n=300)
    positions = SharedThreshold.positions(record, 101)
    early = record.confidence[:-1]
    assert (positions[0], positions[-1]) == (early.max(), early.min())
    assert (np.diff(positions) <= 0).all()
    assert evaluate(record, choose(record, SharedThreshold(positions[-1]))).exit_counts[0] < record.n or (
        record.confidence[0].min() == early.min()
    )


def test_shared_fits_scores_below_zero() -> None:
    record = random_outputs(3).record("negative_entropy")
    rule = choose(record, SharedThreshold(-0.5))
    assert rule.score == "negative_entropy"
    assert evaluate(record, rule).exit_counts.sum() == record.n


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_shared_refuses_what_is_no_threshold(value: float) -> None:
    with pytest.raises(ValueError, match="thresholds to be numbers or inf but some are NaN or -inf"):
        choose(random_record(1), SharedThreshold(value))


def test_fixed_are_taken_as_they_are() -> None:
    record = random_record(1)
    for given in ((0.25, float("inf")), [0.25, float("inf")]):
        rule = choose(record, FixedThresholds(given))
        assert rule.thresholds.tolist() == [0.25, float("inf")]
        assert rule.stage_names == record.stage_names
    assert choose(random_record(1, stages=1), FixedThresholds(())).thresholds.shape == (0,)


@pytest.mark.parametrize("given", [(), (0.5,), (0.5, 0.5, 0.5)])
def test_fixed_must_be_one_for_each_stage_but_the_last(given: tuple[float, ...]) -> None:
    words = rf"thresholds to have shape \(2,\) \(stages - 1\) but it had shape \({len(given)},\)"
    with pytest.raises(ValueError, match=words):
        choose(random_record(1), FixedThresholds(given))


@pytest.mark.parametrize("given", [(0.5, float("nan")), (0.5, "x"), (float("-inf"), 0.5)])
def test_fixed_refuses_what_is_no_threshold(given: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="Expected thresholds to be numbers"):
        choose(random_record(1), FixedThresholds(given))
