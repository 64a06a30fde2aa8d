"""Calibration by hand, and against plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cascade_core.analysis.calibration import auroc, expected_calibration_error, reliability
from tests.oracle import make_record, random_outputs, random_record


def test_reliability_by_hand() -> None:
    record = make_record([[0.05, 0.15, 0.95, 1.0]], [[0, 1, 1, 0]])
    found = reliability(record, 0, bins=10)
    assert found.counts.tolist() == [1, 1, 2]
    np.testing.assert_allclose(found.confidence, [0.05, 0.15, 0.975], rtol=1e-6)
    assert found.accuracy.tolist() == [0, 1, 0.5]
    # (0.05 + 0.85 + 2 * 0.475) / 4
    assert expected_calibration_error(record, 0, bins=10) == pytest.approx(0.4625)
    with pytest.raises(ValueError, match="score, for calibration, to be one of max_probability but it was 'margin'"):
        reliability(random_outputs(1).record("margin"), 0)


@pytest.mark.parametrize("decimals", [1, None])
def test_auroc_equals_a_loop_over_pairs(decimals: int | None) -> None:
    record = random_record(4, n=80, decimals=decimals)
    for stage in range(3):
        pairs = [
            1.0 if good > bad else 0.5 if good == bad else 0.0
            for good in record.confidence[stage, record.correct[stage]]
            for bad in record.confidence[stage, ~record.correct[stage]]
        ]
        assert auroc(record, stage) == pytest.approx(sum(pairs) / len(pairs))


def test_auroc_of_a_stage_that_is_always_right_is_nothing() -> None:
    assert math.isnan(auroc(make_record([[0.5, 0.6]], [[1, 1]]), 0))
