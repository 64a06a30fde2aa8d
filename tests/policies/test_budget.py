"""Budgets against trying, one by one, the rules that a budget is met with."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core import BestWithinBudget, Infeasible, Record, choose, evaluate
from cascade_core.policies.selection import select
from tests.oracle import naive_evaluate, random_pooled, random_record
from tests.samples import sample_record


def naive_best(record: Record, budget: float) -> tuple[float, float] | None:
    """Least expected drop, and MACs of the cheapest that has it, of the rules within a budget; None if none is."""
    never = np.full(len(record.stages) - 1, np.inf, dtype=np.float32)
    found = [(0.0, naive_evaluate(record, never, plain=True))]
    for stage in range(len(never)):
        all_leave = never.copy()
        all_leave[stage] = record.confidence[stage].min()
        drop = float(record.baseline_correct.mean() - record.correct[stage].mean())
        found.append((drop, naive_evaluate(record, all_leave)))
    selection = select(record)
    if selection is not None:
        family = selection.chosen
        found += [
            (float(drop), naive_evaluate(record, rule))
            for drop, rule in zip(family.drops, family.thresholds, strict=True)
        ]
    within = [(drop, one.total_macs / record.n) for drop, one in found if one.total_macs / record.n <= budget]
    return min(within) if within else None


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize(("stages", "n"), [(1, 20), (2, 60), (3, 40)])
def test_the_best_within_a_budget_is_the_best_of_all_that_are_tried(stages: int, n: int, pooled: bool) -> None:
    record = (random_pooled if pooled else random_record)(100 * stages, stages=stages, n=n, decimals=1)
    least = BestWithinBudget.positions(record, 2)[1] if stages > 1 else record.baseline_macs
    for budget in np.linspace(least, record.baseline_macs + 20, 9):
        wanted = naive_best(record, float(budget))
        if wanted is None:
            with pytest.raises(Infeasible):
                choose(record, BestWithinBudget(float(budget)))
            continue
        rule = choose(record, BestWithinBudget(float(budget)))
        assert rule.pool == (None if rule.plain else record.pool)
        assert naive_evaluate(record, rule.thresholds, plain=rule.plain).total_macs / n == wanted[1]


def test_below_the_cheapest_a_budget_is_refused_and_names_it() -> None:
    record = random_record(7, n=60)
    # All leave at a, behind its trunk of 100 MACs and its head of 7.
    with pytest.raises(Infeasible, match="at most 106 MACs but the cheapest takes 107; ask for that or more"):
        choose(record, BestWithinBudget(106))
    assert evaluate(record, choose(record, BestWithinBudget(107))).exit_counts.tolist() == [60, 0, 0]


@pytest.mark.parametrize("m", [3, 6])
def test_budgets_are_kept(m: int) -> None:
    record = sample_record(n=500, m=m)
    path = BestWithinBudget.path(record, BestWithinBudget.positions(record, 15))
    macs = [evaluate(record, path.rule(g)).mean_macs for g in range(15)]
    assert (np.array(macs) <= path.positions).all()
