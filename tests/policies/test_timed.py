"""A budget of milliseconds against trying all rules of the budget policy one by one."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core import BestWithinBudget, Infeasible, choose, evaluate
from cascade_core.policies import BestWithinTime, describe
from cascade_core.policies.timed import TRIED
from cascade_core.simulation.meters import Milliseconds
from tests.oracle import random_record
from tests.simulation.test_timing import profile


@pytest.mark.parametrize("max_ms", [1300.0, 2500.0, 4000.0, 1e9])
def test_the_most_accurate_in_time(max_ms: float) -> None:
    record = random_record(1, stages=2, n=200)
    meter = Milliseconds(profile=profile(stage_names=record.stage_names), batch=2)
    found = evaluate(record, choose(record, BestWithinTime(max_ms=max_ms, meter=meter)))
    assert meter.mean(found) <= max_ms
    budgets = np.unique(BestWithinBudget.positions(record, TRIED))
    tried = [evaluate(record, choose(record, BestWithinBudget(budget))) for budget in budgets]
    best = max(one.accuracy for one in tried if meter.mean(one) <= max_ms)
    assert found.accuracy == best


def test_what_no_rule_meets() -> None:
    record = random_record(1, stages=2, n=200)
    meter = Milliseconds(profile=profile(stage_names=record.stage_names), batch=1)
    with pytest.raises(Infeasible, match="at most 3 milliseconds a sample at batch 1 but the fastest takes 1100; ask"):
        choose(record, BestWithinTime(max_ms=3, meter=meter))


def test_described_by_its_numbers() -> None:
    policy = BestWithinTime(max_ms=3, meter=Milliseconds(profile=profile(), batch=4))
    assert describe(policy) == {"name": "budget", "parameters": {"max_ms": 3, "batch": 4}}
