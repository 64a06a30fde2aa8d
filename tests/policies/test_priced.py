"""Policies in other units: what they choose, by hand and against the same policies on records with those costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cascade_core import BestWithinBudget, CheapestWithinDrop, Infeasible, choose, evaluate
from cascade_core.policies import BestWithinCost, GeometricShares, SharesWithinCost, Sweep, describe, describe_in
from cascade_core.policies.priced import TRIED, WithinCost, sweep
from cascade_core.simulation.meters import MACS, Meter, Milliseconds, along, priced
from cascade_core.simulation.own_costs import OwnCosts
from cascade_core.simulation.paths import evaluate_path
from cascade_core.simulation.stages import Stage
from tests.oracle import random_pooled, random_record
from tests.samples import sample_record
from tests.simulation.test_own_costs import costs
from tests.simulation.test_timing import profile


def timed(names: tuple[str, ...], batch: int = 2) -> Milliseconds:
    return Milliseconds(profile=profile(stage_names=names), batch=batch)


@pytest.mark.parametrize("budget", [1300.0, 2500.0, 4000.0, 1e9])
def test_a_budget_of_time_is_met_by_the_safest_rule_in_time(budget: float) -> None:
    record = random_record(1, stages=2, n=200)
    meter = timed(record.stage_names)
    in_time = priced(record, meter)
    rule = choose(in_time, BestWithinCost(max_cost=budget, cost=meter))
    assert meter.mean(evaluate(record, rule)) <= budget
    for value in BestWithinBudget.positions(in_time, TRIED):
        tried = choose(in_time, BestWithinBudget(value))
        if meter.mean(evaluate(record, tried)) <= budget:
            break
    assert rule.thresholds.tolist() == tried.thresholds.tolist()


@pytest.mark.parametrize(("macs", "policy"), [(BestWithinBudget, BestWithinCost), (GeometricShares, SharesWithinCost)])
def test_a_path_in_a_unit_holds_what_the_policy_chooses(macs: type[Sweep], policy: type[WithinCost]) -> None:
    record = sample_record(n=200)
    meter = costs(record.stage_names)
    path = sweep(macs, priced(record, meter), meter, 7)
    found = evaluate_path(record, path)
    assert path.positions[0] >= path.positions[-1]
    for g, budget in enumerate(path.positions):
        assert along(meter, found)[g] <= budget
        chosen = choose(priced(record, meter), policy(max_cost=float(budget), cost=meter))
        assert chosen.thresholds.tolist() == path.rule(g).thresholds.tolist()


def test_without_another_unit_a_path_is_the_policy_s_own() -> None:
    record = random_record(2)
    path = sweep(BestWithinBudget, record, MACS, 5)
    assert path.positions.tolist() == BestWithinBudget.positions(record, 5).tolist()


def test_costs_of_one_s_own_choose_as_macs_of_that_size_do() -> None:
    record = sample_record(n=300)
    trunk, plain = (100, 300, 500), 800
    stages = tuple(Stage(name=s.name, trunk_macs=t, head_macs=0) for s, t in zip(record.stages, trunk, strict=True))
    meter = OwnCosts(
        unit="joules",
        per=1,
        stage_names=record.stage_names,
        stages=tuple({"": t} for t in trunk),
        plain_parts={"": plain},
    )
    as_macs = replace(record, stages=stages, baseline_macs=plain)
    for drop in (0.0, 0.01, 0.03):
        rules = [choose(one, CheapestWithinDrop(drop)) for one in (as_macs, priced(record, meter))]
        assert rules[0].thresholds.tolist() == rules[1].thresholds.tolist()
        assert meter.mean(evaluate(record, rules[1])) == pytest.approx(evaluate(as_macs, rules[0]).mean_macs)


def test_a_priced_record_keeps_answers_and_relative_costs() -> None:
    record = random_pooled(1)
    meter = costs(record.stage_names)
    found = priced(record, meter)
    totals = np.array([stage.trunk_macs for stage in found.stages]) / found.baseline_macs
    # Of a pooled record; the plain network costs 5: (1, 2, 3.5) / 5.
    np.testing.assert_allclose(totals, [0.2, 0.4, 0.7], rtol=1e-8)
    assert found.correct.tolist() == record.correct.tolist()
    assert priced(record, MACS) is record
    held = replace(record, held_out=record)
    held_out = priced(held, meter).held_out
    assert held_out is not None
    assert held_out.baseline_macs == found.baseline_macs


def test_pooling_is_part_of_what_heads_cost() -> None:
    """In batches of two: trunk 1.5 and 6, heads 0.1 and 0.2, pools 0.3 and 0.5, of the plain network's 8."""
    record = random_pooled(1, stages=2)
    pool = np.array([[0.2, 0.3, 0.4], [0.3, 0.5, 0.6]])
    meter = Milliseconds(profile=profile(stage_names=record.stage_names, pool=pool, pool_p95=pool), batch=2)
    for one, heads in ((record, [0.4, 0.7]), (random_record(1, stages=2), [0.1, 0.2])):
        found = priced(one, meter)
        np.testing.assert_allclose([s.head_macs / found.baseline_macs for s in found.stages], np.array(heads) / 8, 1e-7)
        np.testing.assert_allclose([s.trunk_macs / found.baseline_macs for s in found.stages], [1.5 / 8, 6 / 8], 1e-7)


def test_what_no_rule_meets() -> None:
    record = random_record(1, stages=2, n=200)
    meter = timed(record.stage_names, batch=1)
    with pytest.raises(Infeasible, match="at most 3 milliseconds a sample but the cheapest takes 1100; ask for that"):
        choose(priced(record, meter), BestWithinCost(max_cost=3, cost=meter))


@pytest.mark.parametrize(
    ("meter", "unit"),
    [
        (Milliseconds(profile=profile(), batch=4), {"unit": "milliseconds", "batch": 4}),
        (
            OwnCosts(unit="joules", per=1, stage_names=("a",), stages=({"": 1},), plain_parts={"": 2}),
            {"unit": "joules", "per": 1, "stages": {"a": 1.0}, "plain": 2.0},
        ),
    ],
)
def test_described_with_the_unit(meter: Meter, unit: object) -> None:
    within = BestWithinCost(max_cost=3, cost=meter)
    assert describe(within) == {"name": "budget", "parameters": {"max_cost": 3, "cost": unit}}
    assert describe_in(within, meter) == describe(within)
    cheapest = CheapestWithinDrop(0.01)
    assert describe_in(cheapest, meter) == {"name": "cheapest", "parameters": {"max_drop": 0.01, "cost": unit}}
    assert describe_in(cheapest, MACS) == describe(cheapest)
