"""Budgets, exit shares, thresholds by class and the correction for optimism, by hand and against naive loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from cascade_core import (
    BestWithinBudget,
    CheapestUncorrected,
    CheapestWithinDrop,
    ExitRule,
    GeometricShares,
    Infeasible,
    PaperRuleByClass,
    choose,
    evaluate,
)
from cascade_core.policies import Sweep
from cascade_core.policies.optimism import FOLDS, SEED, Expectation, expectation, rising
from cascade_core.policies.families.search import Aim, search
from cascade_core.simulation.record import Record
from tests.oracle import make_record, naive_evaluate, naive_grid, naive_paper_threshold, random_record
from tests.samples import sample_record


@pytest.mark.parametrize(("stages", "n"), [(1, 20), (2, 60), (3, 30), (4, 12)])
@pytest.mark.parametrize("seed", range(3))
def test_the_best_within_a_budget_is_that_of_an_exhaustive_search(stages: int, n: int, seed: int) -> None:
    record = random_record(100 * stages + seed, stages=stages, n=n, decimals=1)
    outcomes = naive_grid(record)
    cheapest = min(outcome.total_macs for outcome in outcomes)
    for budget in np.linspace(cheapest / n, record.baseline_macs + 20, 9):
        found = naive_evaluate(record, choose(record, BestWithinBudget(float(budget))).thresholds)
        within = [o for o in outcomes if o.total_macs <= budget * n]
        best = max(sum(o.correct_counts) for o in within)
        assert found.total_macs <= budget * n
        assert sum(found.correct_counts) == best
    with pytest.raises(Infeasible, match="MACs but the cheapest takes"):
        choose(record, BestWithinBudget(cheapest / n - 1))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("m", "n"), [(2, 40), (3, 40), (4, 12)])
def test_budgets_by_search_come_close_to_the_best_of_all_rules(m: int, n: int, seed: int) -> None:
    record = sample_record(n=n, m=m, seed=seed)
    budgets = np.linspace(0.4, 1.0, 13) * record.baseline_macs
    thresholds, _ = search(record, budgets * n, [], Aim.MOST_ACCURATE)
    found = [evaluate(record, ExitRule(thresholds=rule)) for rule in thresholds]
    best = np.full(len(budgets), np.inf)
    for rule in itertools.product(*([*np.unique(stage), np.inf] for stage in record.confidence[:-1])):
        one = evaluate(record, ExitRule(thresholds=np.array(rule, dtype=np.float32)))
        best[one.mean_macs <= budgets] = np.minimum(best[one.mean_macs <= budgets], one.accuracy_drop)
    drops = np.array([one.accuracy_drop for one in found])
    assert all(one.mean_macs <= budget for one, budget in zip(found, budgets, strict=True))
    assert (drops >= best - 1e-9).all()
    assert np.allclose(drops, best) if m == 2 else (drops - best).max() <= 0.05


@pytest.mark.parametrize("m", [3, 6])
def test_a_larger_budget_is_never_less_accurate(m: int) -> None:
    record = sample_record(n=500, m=m)
    path = BestWithinBudget.path(record, BestWithinBudget.positions(record, 25))
    drops = [evaluate(record, path.rule(g)).accuracy_drop for g in range(25)]
    assert (np.diff(drops) >= 0).all()


def test_geometric_shares_by_hand() -> None:
    """Eight samples, no ties, heads of 7 and 5 MACs; with shares 4 : 2 : 1 of 8, 5, 2 and 1 leave (4.57, 6.86, 8)."""
    confidence = np.array([np.arange(8, 0, -1), [1, 2, 3, 4, 5, 6, 7, 8], np.ones(8)]) / 10
    record = make_record(confidence, np.ones((3, 8)))
    macs = (5 * 107 + 2 * 182 + 235) / 8
    rule = choose(record, GeometricShares(macs))
    found = evaluate(record, rule)
    assert found.mean_macs == macs
    assert found.exit_counts.tolist() == [5, 2, 1]
    # Of the last three, 0.3, 0.2 and 0.1 sure at a, the two surest at b are those with 0.8 and 0.7.
    assert rule.thresholds.tolist() == [np.float32(0.4), np.float32(0.7)]


@pytest.mark.parametrize("stages", [2, 3, 5])
def test_geometric_shares_meet_their_budget(stages: int) -> None:
    record = sample_record(n=2000, m=stages)
    low = evaluate(record, GeometricShares.path(record, [GeometricShares.positions(record, 2)[1]]).rule(0)).mean_macs
    for budget in np.linspace(low, record.baseline_macs, 7):
        found = evaluate(record, choose(record, GeometricShares(float(budget))))
        assert 0 <= budget - found.mean_macs < 0.05 * record.baseline_macs
    with pytest.raises(Infeasible):
        choose(record, GeometricShares(low / 2))


@pytest.mark.parametrize("epsilon", [0.0, 0.02, 0.3])
def test_thresholds_by_class_are_the_papers_on_each_class(epsilon: float) -> None:
    record = random_record(5, n=90)
    rule = choose(record, PaperRuleByClass(epsilon))
    assert rule.thresholds.shape == (2, 4)
    for stage, answer in itertools.product(range(2), range(4)):
        members = record.predictions[stage] == answer
        wanted = naive_paper_threshold(
            record.confidence[stage, members].tolist(), record.correct[stage, members].tolist(), epsilon
        )
        assert rule.thresholds[stage, answer] == np.float32(wanted)


def test_a_class_that_is_never_answered_never_leaves() -> None:
    record = make_record([[0.9, 0.8], [1, 1]], [[1, 1], [1, 1]])  # all answers are class 0; class 1 is not seen
    wider = Record(**{**vars(record), "classes": 3})
    assert choose(wider, PaperRuleByClass(0.0)).thresholds.tolist() == [[np.float32(0.8), np.inf, np.inf]]


def test_expected_drops_equal_a_plain_cross_fitting() -> None:
    """On small records the grid holds every confidence, so that fold by fold the uncorrected policy says the same."""
    record = random_record(11, n=60, decimals=1)
    found = expectation(record)
    folds = np.array_split(record.shuffled(SEED), FOLDS)
    lost = np.zeros(len(found.limits))
    for number, fold in enumerate(folds):
        others = np.concatenate([f for i, f in enumerate(folds) if i != number])
        training = record.take(others)
        for i, limit in enumerate(found.limits):
            try:
                rule = choose(training, CheapestUncorrected(float(limit)))
            except Infeasible as error:  # then the most accurate stands for it
                rule = choose(training, CheapestUncorrected(float(str(error).split(" has ")[1].split(";")[0])))
            one = naive_evaluate(record.take(fold), rule.thresholds)
            lost[i] += one.full_correct - sum(one.correct_counts)
    raw = lost / record.n
    assert found.drops.sum() == pytest.approx(raw.sum())  # a rising fit keeps the mean
    assert (np.diff(found.drops) >= -1e-12).all()
    # The pooled fit by its definition: the greatest over starts of the least mean over ends.
    pooled = np.array(
        [max(min(raw[a : b + 1].mean() for b in range(i, len(raw))) for a in range(i + 1)) for i in range(len(raw))]
    )
    np.testing.assert_allclose(found.drops, pooled, atol=1e-9)


def test_the_rising_fit_is_scipys() -> None:
    # 3, 1, 2 fall somewhere and are pooled to their mean, 2; 5 and 7 rise already.
    assert rising(np.array([3, 1, 2, 5, 7])).tolist() == [2, 2, 2, 5, 7]
    rng = np.random.default_rng(0)
    for length in (1, 2, 3, 50, 225):
        values = rng.integers(-30, 31, length).cumsum()
        np.testing.assert_allclose(rising(values), isotonic_regression(values.astype(float)).x, atol=1e-9)


def test_limits_are_read_off_the_expected_drops() -> None:
    found = Expectation(
        limits=np.array([-0.01, 0.0, 0.01, 0.02]), drops=np.array([0.002, 0.004, 0.004, 0.03]), error=0.001
    )
    # Exactly 0.004 is met up to the limit 0.01, capped at 0.004 itself; 0.017 is halfway from 0.01 to 0.02; below
    # 0.002 by at most the error the safest is taken, and below that nothing.
    wanted = np.array([0.004, 0.017, 0.05, 0.0015, 0.0005])
    assert found.limit_for(wanted).tolist() == pytest.approx([0.004, 0.015, 0.02, -0.01, -np.inf])
    assert found.least == 0.0


@pytest.mark.parametrize("m", [3, 6])
def test_the_correction_takes_off_the_optimism(m: int) -> None:
    """Mean overshoot on fresh samples over many draws: clear without the correction, none to speak of with it."""
    fresh, wanted = sample_record(n=100_000, m=m, seed=1), np.array([0.01, 0.02])
    over: dict[type[Sweep], NDArray[np.float64]] = {CheapestUncorrected: np.zeros(2), CheapestWithinDrop: np.zeros(2)}
    draws = 12
    for seed in range(draws):
        record = fresh.take(np.random.default_rng(seed).choice(fresh.n, 1500, replace=False))
        for policy, total in over.items():
            path = policy.path(record, wanted)
            total += [evaluate(fresh, path.rule(g)).accuracy_drop - wanted[g] for g in range(2)]
    uncorrected, corrected = (total / draws for total in over.values())
    assert (uncorrected > 0.001).all()
    assert (corrected < 0.0005).all()
    assert (corrected < uncorrected - 0.001).all()


def test_too_few_samples_promise_nothing() -> None:
    record = random_record(3, n=8)
    assert not choose(record, CheapestWithinDrop(0.0)).exits_early
