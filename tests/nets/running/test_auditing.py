"""What all stages say of samples that left early is what was recorded of them, and so is how sure those passed were."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cascade_core import ExitRule, Pool, fit_pool
from cascade_core.nets.networks.zoo import ZOO
from cascade_core.nets.opening import open_data
from cascade_core.nets.recording.precompute import precompute
from cascade_core.nets.running.auditing import audit
from cascade_core.nets.running.gathering import gathered
from cascade_core.nets.running.runner import Runner
from tests.smallnets import with_exits


@pytest.mark.parametrize("pooled", [False, True])
def test_audits_and_confidences_are_those_of_the_record(pooled: bool) -> None:
    model = with_exits().eval()
    data = open_data("digits", ZOO["small-cnn"].images).take(torch.arange(60))
    images = data.normalise(data.pixels(torch.arange(60)))
    outputs = precompute(model, data, device="cpu", progress=False)
    pool: Pool | None = fit_pool(outputs.probs, outputs.labels) if pooled else None
    record = outputs.record(pool=pool)
    thresholds = np.median(record.confidence[:-1], axis=1)
    rule = ExitRule(thresholds=thresholds, pool=pool, stage_names=record.stage_names)
    runner = Runner(model, rule, "cpu")

    found = audit(runner, images)
    np.testing.assert_array_equal(found.answers, record.predictions.T)
    np.testing.assert_array_equal(found.plain, record.baseline_predictions)
    np.testing.assert_allclose(found.confidence, record.confidence.T, rtol=1e-5, atol=1e-6)

    exits = rule.exit_stages(record)
    passed = np.where(np.arange(len(outputs.stages)) <= exits[:, None], record.confidence.T, np.nan)
    assert 0 < (exits == 0).sum() < 60
    np.testing.assert_allclose(runner(images).passed, passed, rtol=1e-5, atol=1e-6)
    answers = list(gathered(runner, images.split(7), worth=16, wait=3))
    np.testing.assert_allclose(np.concatenate([one.passed for one in answers]), passed, rtol=1e-5, atol=1e-6)
