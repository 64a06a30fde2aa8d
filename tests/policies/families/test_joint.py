"""Jointly chosen thresholds against an exhaustive search, and the grid under them against a loop."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from cascade_core import CheapestUncorrected, Infeasible, Record, Stage, choose, evaluate
from cascade_core.policies.families import grid
from cascade_core.policies.families.grid import GRID_SIZES, evaluate_grid, quantile_grid
from cascade_core.policies.families.joint import grid_of
from tests.oracle import f32, make_record, naive_cheapest, naive_evaluate, naive_grid, random_pooled, random_record

DROPS = (-0.1, 0.0, 0.01, 0.05, 0.1, 1 / 3, 0.5, 1.0)


@pytest.mark.parametrize(("stages", "n"), [(1, 20), (2, 60), (3, 30), (4, 12)])
@pytest.mark.parametrize("seed", range(4))
def test_optimum_is_that_of_an_exhaustive_search(stages: int, n: int, seed: int) -> None:
    record = random_record(100 * stages + seed, stages=stages, n=n, decimals=1)
    outcomes = naive_grid(record)
    for max_drop in DROPS:
        wanted = naive_cheapest(outcomes, max_drop)
        if wanted is None:
            with pytest.raises(Infeasible):
                choose(record, CheapestUncorrected(max_drop))
            continue
        found = naive_evaluate(record, choose(record, CheapestUncorrected(max_drop)).thresholds)
        assert (found.total_macs, sum(found.correct_counts)) == wanted


@pytest.mark.parametrize("stages", [1, 2, 3, 4])
def test_grid_equals_a_loop(stages: int) -> None:
    record = random_record(stages, stages=stages, n=25, decimals=1)
    found = evaluate_grid(record, grid_of(record))
    outcomes = naive_grid(record)
    assert found.correct.size == len(outcomes)
    assert found.correct.ravel().tolist() == [sum(outcome.correct_counts) for outcome in outcomes]
    assert found.macs.ravel().tolist() == [outcome.total_macs for outcome in outcomes]
    rules = found.rules(np.arange(len(outcomes)))
    assert rules.shape == (len(outcomes), stages - 1)
    for index in range(0, len(outcomes), 7):
        assert naive_evaluate(record, rules[index]).total_macs == found.macs.ravel()[index]


@pytest.mark.parametrize(("stages", "n"), [(2, 60), (3, 30), (4, 12)])
@pytest.mark.parametrize("seed", range(3))
def test_optimum_of_pooled_answers_is_that_of_an_exhaustive_search(stages: int, n: int, seed: int) -> None:
    """Heads that are pooled later are charged though nobody leaves there; the plain network is a rule, too."""
    record = random_pooled(100 * stages + seed, stages=stages, n=n, decimals=1)
    never = np.full(stages - 1, np.inf)
    outcomes = [*naive_grid(record), naive_evaluate(record, never, plain=True)]
    for max_drop in (0.0, 0.05, 1 / 3, 1.0):
        rule = choose(record, CheapestUncorrected(max_drop))
        found, wanted = naive_evaluate(record, rule.thresholds, plain=rule.plain), naive_cheapest(outcomes, max_drop)
        assert wanted is not None
        assert found.total_macs == wanted[0]
        assert (found.full_correct - sum(found.correct_counts)) / n <= max_drop


def test_grid_of_given_thresholds_without_infinity() -> None:
    """Confidences at, between, below and above the thresholds, of which the last is finite."""
    record = make_record([[0.1, 0.5, 0.6, 0.9, 1.0], [1] * 5], [[0, 1, 0, 1, 0], [1] * 5])
    found = evaluate_grid(record, (f32(0.5, 0.9),))
    # At 0.5 the last four leave, two of them right; at 0.9 the last two, one of them right.
    assert found.correct.tolist() == [1 + 2, 3 + 1]
    # Leaving at a costs 107, at the end 107 + 75.
    assert found.macs.tolist() == [4 * 107 + 182, 2 * 107 + 3 * 182]


def test_a_disabled_head_is_not_charged() -> None:
    """The first head is never right: best to switch it off and save its 7 MACs a sample."""
    record = make_record([[0.9] * 4, [1] * 4], [[0] * 4, [1] * 4])
    rule = choose(record, CheapestUncorrected(0.0))
    assert rule.thresholds.tolist() == [np.inf]
    assert evaluate(record, rule).mean_macs == 175
    assert evaluate(record, rule).saving == 0


def test_among_equal_costs_the_more_accurate_is_taken() -> None:
    """Stages a and b cost the same; a is always wrong and b always right."""
    free = Stage(name="b", trunk_macs=0, head_macs=0)
    stages = (Stage(name="a", trunk_macs=100, head_macs=0), free, Stage(name="c", trunk_macs=100, head_macs=0))
    record = make_record([[0.9] * 3, [0.9] * 3, [1] * 3], [[0] * 3, [1] * 3, [1] * 3], stages)
    found = evaluate(record, choose(record, CheapestUncorrected(1.0)))
    assert (found.mean_macs, found.accuracy) == (100, 1)


def test_by_hand() -> None:
    """Four samples leave right at 0.9, one wrong at 0.8: nobody below for no drop, everybody for 1/5."""
    record = make_record([[0.9, 0.9, 0.8, 0.95, 0.99], [1] * 5], [[1, 1, 0, 1, 1], [1] * 5])
    assert choose(record, CheapestUncorrected(0.0)).thresholds.tolist() == [np.float32(0.9)]
    assert choose(record, CheapestUncorrected(0.199)).thresholds.tolist() == [np.float32(0.9)]
    assert choose(record, CheapestUncorrected(0.2)).thresholds.tolist() == [np.float32(0.8)]


def test_more_drop_never_costs_more_and_keeps_its_promise() -> None:
    record = random_record(7, n=400)
    last = float("inf")
    for max_drop in np.linspace(0, 0.3, 40):
        found = evaluate(record, choose(record, CheapestUncorrected(float(max_drop))))
        assert found.accuracy_drop <= max_drop
        assert found.mean_macs <= last
        last = found.mean_macs


def gaining() -> Record:
    """Of seven samples the last stage gets one wrong that the first gets right: the best drop is -1/7."""
    return make_record([[0.9, *[0.1] * 6], [1] * 7], [[1, *[0] * 6], [0, *[1] * 6]])


def test_infeasible_names_a_drop_that_can_be_had() -> None:
    record = gaining()
    with pytest.raises(Infeasible) as caught:
        choose(record, CheapestUncorrected(-0.5))
    text = str(caught.value)
    assert "\n" not in text
    # -1/7 = -0.142857, rounded up to -0.1428: -0.1429 cannot be had.
    assert (
        "of at most −50.00 points but the best on these 7 samples has −14.28 (max_drop -0.1428); ask for that" in text
    )
    best = re.search(r"max_drop (-?[\d.]+)\)", text)
    assert best is not None
    assert evaluate(record, choose(record, CheapestUncorrected(float(best[1])))).accuracy_drop == -1 / 7


def test_a_gain_that_can_be_had_is_had() -> None:
    record = gaining()
    found = evaluate(record, choose(record, CheapestUncorrected(-1 / 7)))
    assert (found.exit_counts.tolist(), found.helped, found.harmed) == ([1, 6], 1, 0)


@pytest.mark.parametrize("max_drop", [-1.1, 1.1, float("nan"), "x"])
def test_raises_outside_minus_one_to_one(max_drop: float) -> None:
    with pytest.raises(ValueError, match="Expected max_drop to be "):
        CheapestUncorrected(max_drop)


def test_quantile_grid_by_hand() -> None:
    values = f32(0.3, 0.1, 0.2, 0.2, 0.5)
    assert quantile_grid(values, 4).tolist() == [*f32(0.1, 0.2, 0.3, 0.5), np.inf]
    # Ranks 0, 2, 4 of 0.1 0.2 0.2 0.3 0.5.
    assert quantile_grid(values, 3).tolist() == [*f32(0.1, 0.2, 0.5), np.inf]


def test_quantile_grid_keeps_its_size_and_the_least() -> None:
    values = random_record(3, n=500, decimals=None).confidence[0]
    found = quantile_grid(values, 64)
    assert len(found) <= 65
    assert found[0] == values.min()
    assert np.isin(found[:-1], values).all()
    assert (np.diff(found[:-1]) > 0).all()


@pytest.mark.parametrize("stages", [2, 3, 4])
def test_more_confidences_than_the_grid_holds(stages: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a coarse grid the promise still holds, and the choice is the best of the grid's rules."""
    monkeypatch.setitem(grid.GRID_SIZES, stages, 5)
    record = random_record(60 + stages, stages=stages, n=80, decimals=None)
    found = evaluate_grid(record, grid_of(record))
    assert found.correct.shape == tuple(len(g) for g in found.thresholds)
    assert found.correct.size <= 6 ** (stages - 1)
    rule = choose(record, CheapestUncorrected(0.05))
    outcomes = [naive_evaluate(record, t) for t in found.rules(np.arange(found.correct.size))]
    mine = naive_evaluate(record, rule.thresholds)
    assert (mine.total_macs, sum(mine.correct_counts)) == naive_cheapest(outcomes, 0.05)


def test_grid_sizes_cover_one_to_four_stages() -> None:
    assert sorted(GRID_SIZES) == [1, 2, 3, 4]


def test_positions_end_where_nothing_more_can_be_given_up() -> None:
    # Stages 80 % and 82 % right: the worst drop is 0.02, in half points.
    correct = np.ones((2, 100))
    correct[0, :20] = 0
    correct[1, :18] = 0
    record = make_record(np.ones((2, 100)), correct)
    assert CheapestUncorrected.positions(record, 5).tolist() == pytest.approx([0, 0.005, 0.01, 0.015, 0.02])
    equal = replace(record, correct=np.ones((2, 100), dtype=bool))
    assert CheapestUncorrected.positions(equal, 2).tolist() == [0, 0.005]
    far = replace(record, correct=np.array([[False] * 100, [True] * 100]))
    assert CheapestUncorrected.positions(far, 2).tolist() == [0, 0.05]
