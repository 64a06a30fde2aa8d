"""The paper's rule against its definition, written out as two loops over the samples."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core import PaperRule, choose
from cascade_core.policies.paper import residual_accuracy
from tests.oracle import f32, make_record, naive_paper_threshold, random_record

CONFIDENCE = [0.2, 0.5, 0.5, 0.7, 0.9]
CORRECT = [0, 0, 1, 1, 1]


def test_residual_accuracy_by_hand() -> None:
    deltas, alphas = residual_accuracy(f32(*CONFIDENCE), np.array(CORRECT, dtype=bool))
    # At or above 0.2: 3 of 5; 0.5 (both ties): 3 of 4; 0.7: 2 of 2; 0.9: 1 of 1.
    np.testing.assert_array_equal(deltas, f32(0.2, 0.5, 0.7, 0.9))
    assert alphas.tolist() == [3 / 5, 3 / 4, 1, 1]


@pytest.mark.parametrize(
    ("epsilon", "threshold"),
    [(0, 0.7), (0.1, 0.7), (0.2499, 0.7), (0.25, 0.5), (0.39, 0.5), (0.41, 0.2), (1.0, 0.2)],
)
def test_by_hand(epsilon: float, threshold: float) -> None:
    """alpha* is 1: within 0 of it the smallest delta is 0.7, within 0.25 it is 0.5, within 0.4 it is 0.2."""
    record = make_record([CONFIDENCE, [1] * 5], [CORRECT, [1] * 5])
    assert choose(record, PaperRule(epsilon)).thresholds.tolist() == [np.float32(threshold)]


def test_alpha_need_not_rise_and_the_smallest_delta_counts() -> None:
    """At or above 0.1: 2/3 right; 0.6: 1/2; 0.8: 1. With epsilon 0.4 the smallest is within, 0.6 is not."""
    record = make_record([[0.1, 0.6, 0.8], [1, 1, 1]], [[1, 0, 1], [1, 1, 1]])
    assert choose(record, PaperRule(0.4)).thresholds.tolist() == [np.float32(0.1)]
    assert choose(record, PaperRule(0.3)).thresholds.tolist() == [np.float32(0.8)]


def test_all_samples_count_not_only_those_that_reach_a_stage() -> None:
    """The first stage takes the one sample that the second gets wrong; the second still counts it."""
    record = make_record([[0.9, 0.1, 0.1], [0.9, 0.8, 0.7], [1, 1, 1]], [[1, 0, 0], [0, 1, 1], [1, 1, 1]])
    # Stage 2: at or above 0.7 2 of 3, 0.8 1 of 2, 0.9 0 of 1; the best is 2/3 at 0.7.
    assert choose(record, PaperRule(0)).thresholds.tolist() == [np.float32(0.9), np.float32(0.7)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("decimals", [1, 2, None])
def test_equals_the_definition(seed: int, decimals: int | None) -> None:
    """Many epsilons, among them exactly those at which the threshold changes, and the floats beside them."""
    record = random_record(seed, stages=2 + seed % 3, n=35, decimals=decimals)
    epsilons = {0.0, 1.0, *np.linspace(0, 1, 21), *np.linspace(0, 0.1, 11)}
    for confidence, correct in zip(record.confidence[:-1], record.correct[:-1], strict=True):
        _, alphas = residual_accuracy(confidence, correct)
        for gap in alphas.max() - alphas:
            epsilons |= {gap, float(np.nextafter(gap, 2)), max(0.0, float(np.nextafter(gap, -1)))}
    ordered = sorted(epsilons)
    path = PaperRule.path(record, ordered)
    for stage, (confidence, correct) in enumerate(zip(record.confidence[:-1], record.correct[:-1], strict=True)):
        for g, epsilon in enumerate(ordered):
            wanted = naive_paper_threshold([float(c) for c in confidence], correct.tolist(), float(epsilon))
            assert float(path.thresholds[g, stage]) == wanted
    for g in range(0, len(ordered), 17):
        assert (choose(record, PaperRule(ordered[g])).thresholds == path.thresholds[g]).all()


def test_a_stage_that_is_always_wrong_or_always_saturated() -> None:
    record = make_record([[0.3, 0.6], [1, 1], [1, 1]], [[0, 0], [1, 0], [1, 1]])
    # Always wrong: alpha is 0 everywhere, and 0.3 the smallest.  Saturated: 1.0 is the only delta.
    assert choose(record, PaperRule(0)).thresholds.tolist() == [np.float32(0.3), 1.0]


@pytest.mark.parametrize("epsilon", [-0.01, 1.01, float("nan"), 2, "x", None])
def test_raises_outside_zero_to_one(epsilon: float) -> None:
    with pytest.raises(ValueError, match="Expected epsilon to be "):
        PaperRule(epsilon)
