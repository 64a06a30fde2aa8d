"""Calibration by hand, and against plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cascade_core import StageOutputs
from cascade_core.analysis.calibration import auroc, expected_calibration_error, fit_temperatures, reliability
from cascade_core.simulation.scores import scaled
from tests.oracle import f32, make_record, make_stages, random_outputs, random_record


def test_temperatures_are_those_that_made_the_softmaxes() -> None:
    """Labels are drawn from softmaxes; those are then sharpened twice and softened by half."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (40_000, 4))
    true = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (true.cumsum(1) > random.random((40_000, 1))).argmax(1)
    sharp, soft = (np.exp(f * logits) / np.exp(f * logits).sum(1, keepdims=True) for f in (2.0, 0.5))
    outputs = StageOutputs(probs=np.stack([sharp, soft]), labels=labels, stages=make_stages(2))
    assert fit_temperatures(outputs) == pytest.approx((2.0, 0.5), rel=0.03)
    before = expected_calibration_error(outputs.record(), 0)
    after = outputs.record(temperatures=fit_temperatures(outputs))
    assert expected_calibration_error(after, 0) < 0.02 < 0.05 < before
    assert (after.predictions == outputs.record().predictions).all()


def test_scaling_by_hand() -> None:
    # Square roots of 0.64 and 0.36 are 0.8 and 0.6: 0.8 / 1.4.
    np.testing.assert_allclose(scaled(f32(0.64, 0.36), 2.0), f32(0.8 / 1.4, 0.6 / 1.4), rtol=1e-6)
    np.testing.assert_allclose(scaled(f32(1.0, 0.0), 7.0), f32(1.0, 0.0))
    np.testing.assert_allclose(scaled(f32(0.3, 0.7), 1.0), f32(0.3, 0.7), rtol=1e-6)


def test_scaled_records_keep_their_temperatures_in_splits() -> None:
    record = random_outputs(1).record(temperatures=(2, 1, 0.5))
    assert record.split(0.5, 0)[1].temperatures == (2.0, 1.0, 0.5)
    for wrong, words in (((1, 2), r"shape \(3,\)"), ((1, 1, 0), "numbers > 0"), ((1, 1, math.nan), "numbers > 0")):
        with pytest.raises(ValueError, match=words):
            random_outputs(1).record(temperatures=wrong)


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
