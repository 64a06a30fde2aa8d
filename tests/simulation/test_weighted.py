"""Entries that stand for several samples: whatever is counted or chosen is what the samples, each by itself, give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cascade_core import (
    CheapestUncorrected,
    ExitRule,
    GeometricShares,
    PaperRule,
    PaperRuleByClass,
    Record,
    SharedThreshold,
    choose,
    dominated,
    evaluate,
    evaluate_path,
    oracle,
    overthinking,
)
from cascade_core.policies.base import rule_path
from cascade_core.simulation.counting import reach_histograms
from tests.oracle import random_record, random_rules


def both(seed: int, stages: int = 3) -> tuple[Record, Record]:
    """A weighted record, and the same with each entry repeated as often as its weight says."""
    record = random_record(seed, stages=stages, n=80)
    weights = np.random.default_rng(seed).integers(1, 9, record.n)
    return replace(record, weights=weights), record.take(np.repeat(np.arange(record.n), weights))


def equal(one: Any, two: Any) -> bool:
    """Whether two evaluations count the same."""
    names = ("exit_counts", "correct_counts", "costs", "full_correct", "helped", "n")
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in names)


@pytest.mark.parametrize("seed", range(5))
def test_evaluations_are_those_of_the_samples_repeated(seed: int) -> None:
    weighted, repeated = both(seed, 2 + seed % 3)
    rules = random_rules(seed, weighted, 30)
    for some in (rules, -np.sort(-rules, axis=0)):
        paths = [evaluate_path(record, rule_path(record, range(len(some)), some)) for record in (weighted, repeated)]
        assert equal(*paths)
    for rule in rules[:5]:
        assert equal(*(evaluate(record, ExitRule(thresholds=rule)) for record in (weighted, repeated)))
    bins = [(record.confidence * 9.99).astype(np.int64) for record in (weighted, repeated)]
    one, other = (
        np.array(reach_histograms(record, rules[:, :, None], each, 10))
        for record, each in zip((weighted, repeated), bins, strict=True)
    )
    assert np.array_equal(one, other)


@pytest.mark.parametrize("seed", range(5))
def test_what_a_record_says_of_itself_is_what_its_samples_say(seed: int) -> None:
    weighted, repeated = both(seed)
    assert weighted.n == repeated.n > weighted.entries
    assert weighted.baseline_accuracy == repeated.baseline_accuracy
    assert np.allclose(weighted.stage_accuracy, repeated.stage_accuracy)
    assert equal(oracle(weighted), oracle(repeated))
    assert overthinking(weighted) == overthinking(repeated)
    assert dominated(weighted).tolist() == dominated(repeated).tolist()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "policy",
    [PaperRule(0.02), PaperRule(0.2), GeometricShares(120.0), GeometricShares(180.0), CheapestUncorrected(0.05)],
    ids=repr,
)
def test_policies_that_read_all_samples_choose_alike(policy: Any, seed: int) -> None:
    weighted, repeated = both(seed)
    assert choose(weighted, policy).thresholds.tolist() == choose(repeated, policy).thresholds.tolist()


def test_quantiles_are_of_the_samples() -> None:
    weighted, repeated = both(1)
    ordered = np.sort(repeated.confidence[:-1], axis=None)
    positions = SharedThreshold.positions(weighted, 5)
    # Inverted cumulative shares: the value at which a share of all is reached.
    places = np.maximum(np.ceil(np.linspace(1, 0, 5) * len(ordered)).astype(int) - 1, 0)
    assert positions.tolist() == ordered[places].tolist()


def test_halves_add_up_and_are_the_same_for_the_same_seed() -> None:
    weighted, _ = both(2)
    one, other = weighted.split(0.3, seed=4)
    again, _ = weighted.split(0.3, seed=4)
    assert one.weights is not None
    assert again.weights is not None
    assert one.n + other.n == weighted.n
    assert one.weights.tolist() == again.weights.tolist()
    # 0.3 of about 360, give or take three standard deviations of tosses.
    assert abs(one.n - 0.3 * weighted.n) < 3 * np.sqrt(weighted.n * 0.21)
    for record in (one, other):
        assert record.weights is not None
        assert record.weights.min() >= 1
    with pytest.raises(ValueError, match="samples on both sides"):
        weighted.split(0.0)


def test_samples_are_drawn_without_repeating_one() -> None:
    weighted, repeated = both(3)
    drawn = weighted.drawn(10**9)
    assert drawn.weights is None
    assert drawn.n == repeated.n
    for part in (drawn, weighted.drawn(repeated.n)):
        assert sorted(map(tuple, part.confidence.T.tolist())) == sorted(map(tuple, repeated.confidence.T.tolist()))
    few = weighted.drawn(20, seed=1)
    assert few.n == 20
    assert few.confidence.tolist() == weighted.drawn(20, seed=1).confidence.tolist()
    choosing, testing = weighted.apart
    assert testing is not None
    assert choosing.n + testing.n == weighted.n


def test_thresholds_go_up_to_the_next_of_the_grid() -> None:
    weighted, _ = both(4)
    grid = np.array([0.25, 0.5, 0.75], dtype=np.float32)
    on = replace(weighted, grid=(grid, grid))
    moved = on.on_grid(np.array([[0.1, 0.25], [0.26, 0.75], [0.76, np.inf]], dtype=np.float32))
    assert moved.tolist() == [[0.25, 0.25], [0.5, 0.75], [np.inf, np.inf]]
    assert rule_path(on, [0], [[0.3, 0.3]]).thresholds.tolist() == [[0.5, 0.5]]


def test_what_goes_by_answers_is_refused_where_they_are_not_known() -> None:
    weighted, _ = both(0)
    with pytest.raises(ValueError, match="the run has counts alone"):
        choose(replace(weighted, answers_known=False), PaperRuleByClass(0.1))


@pytest.mark.parametrize("weights", [[0, 1], [1, -1], [1.5, 1], [1]])
def test_weights_are_whole_numbers_from_one_on(weights: list[float]) -> None:
    record = random_record(0, n=2)
    with pytest.raises(ValueError, match="weights"):
        replace(record, weights=np.array(weights))


def test_drawing_takes_no_more_room_for_macs_than_the_samples_drawn() -> None:
    weighted, _ = both(5)
    stages = tuple(replace(stage, trunk_macs=stage.trunk_macs * 10**8) for stage in weighted.stages)
    assert weighted.weights is not None
    many = replace(
        weighted, weights=weighted.weights * 10**5, stages=stages, baseline_macs=sum(s.trunk_macs for s in stages)
    )
    drawn = many.drawn(50_000)
    assert drawn.n == drawn.entries == 50_000
