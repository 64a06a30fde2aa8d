"""Costs in MACs and in milliseconds, by hand and along a path."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core import ExitRule, evaluate
from cascade_core.policies import SharedThreshold
from cascade_core.simulation.meters import MACS, Milliseconds, along
from cascade_core.simulation.paths import evaluate_path
from tests.oracle import f32, random_record
from tests.simulation.test_timing import half_leave, profile


def test_macs_are_those_of_the_evaluation() -> None:
    found = half_leave()
    assert MACS.mean(found) == found.mean_macs
    assert MACS.plain(found) == found.baseline_macs


def test_milliseconds_by_hand() -> None:
    # Two samples: 1.6 s for stage a; of stage b one survives half the time (4.2) and both a quarter (6.2).
    meter = Milliseconds(profile=profile(), batch=2)
    assert meter.mean(half_leave()) == pytest.approx(1000 * (1.6 + 4.2 / 2 + 6.2 / 4) / 2)
    assert meter.plain(half_leave()) == pytest.approx(1000 * 8 / 2)
    whole = Milliseconds(profile=profile(), batch=2, compaction=False)
    assert whole.mean(half_leave()) == pytest.approx(1000 * (1.6 + 6.2 * 3 / 4) / 2)


def test_along_a_path_as_one_by_one() -> None:
    record = random_record(0, stages=2, n=60)
    meter = Milliseconds(profile=profile(stage_names=record.stage_names), batch=4)
    path = SharedThreshold.path(record, SharedThreshold.positions(record, 7))
    result = evaluate_path(record, path)
    for unit in (MACS, meter):
        one_by_one = [unit.mean(evaluate(record, path.rule(g))) for g in range(7)]
        np.testing.assert_allclose(along(unit, result), one_by_one, rtol=1e-12)
    assert along(meter, result)[0] <= meter.plain(result)


def test_where_nothing_leaves_the_plain_network_is_charged() -> None:
    record = random_record(0, stages=2, n=60)
    meter = Milliseconds(profile=profile(stage_names=record.stage_names), batch=1)
    assert meter.mean(evaluate(record, ExitRule(thresholds=f32(np.inf)))) == 5000


def test_a_batch_that_was_not_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected batch to be a whole number from 1 to 4 but it was 5"):
        Milliseconds(profile=profile(), batch=5)
