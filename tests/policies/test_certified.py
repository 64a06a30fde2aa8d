"""Certified rules: their order, what fails, and how seldom they lose more than they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core import Certified, Record, RulePath, choose, evaluate, evaluate_path
from cascade_core.policies.certified import certified_path
from tests.oracle import make_record, random_pooled
from tests.simulation.test_certificates import population, true_drop


def test_certified_rules_seldom_exceed_their_drop() -> None:
    """Of 15 draws at alpha 0.1; `tests/benchmarks/test_validity.py` has a thousand, with pooled answers."""
    random, limit, violated, left_early = np.random.default_rng(2), 0.04, 0, 0
    for _ in range(15):
        path = certified_path(population(random, 400), np.array([limit]), 0.1)
        violated += bool(true_drop(path.thresholds[0].min()) > limit)
        left_early += path.rule(0).exits_early
    # Five of 15 at a chance of 0.1 each happen once in 80 times.
    assert violated < 5
    assert left_early > 8


def order_of(record: Record, monkeypatch: pytest.MonkeyPatch, bounds: NDArray[np.float64] | None = None) -> RulePath:
    """The rules in the order in which they are tested, where bounds are as given, first ones first; else 0."""
    seen: list[RulePath] = []

    def given(_: Record, path: RulePath, __: float) -> NDArray[np.float64]:
        seen.append(path)
        return np.zeros(len(path)) if bounds is None else np.resize(np.append(bounds, np.ones(500)), len(path))

    monkeypatch.setattr("cascade_core.policies.certified.drop_bounds", given)
    certified_path(record, np.array([0.01]), 0.1)
    return seen[0]


def test_the_first_rule_that_fails_is_not_the_one_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds by hand: the rules up to number 80 pass, 81 fails, and so 82 is out of reach though its bound is low."""
    record = population(np.random.default_rng(3), 2000)
    bounds = np.concatenate([np.full(81, 0.03), [0.031, 0.01, 1.0]])
    rules = order_of(record, monkeypatch, bounds)
    found = certified_path(record, np.array([0.02, 0.03, 0.031, 0.5]), 0.1)
    assert len({rule.tobytes() for rule in rules.thresholds[80:83]}) == 3
    # A bound that equals the limit passes; at 0.02 the very first fails, and the plain network is left.
    assert found.plain.tolist() == [True, False, False, False]
    wanted = [rules.thresholds[place].tolist() for place in (0, 80, 82, 82)]
    assert found.thresholds.tolist() == wanted


def test_rules_are_tested_from_the_plain_network_to_the_boldest(monkeypatch: pytest.MonkeyPatch) -> None:
    """First the plain network, then pooled answers that never leave early, then ever more of the surest leave."""
    record = random_pooled(4, n=400)
    record = replace(record, fitted=record.half)
    rules = order_of(record, monkeypatch)
    assert rules.plain.tolist() == [True] + [False] * (len(rules) - 1)
    assert np.isinf(rules.thresholds[:2]).all()
    assert rules.rule(1).pool == record.pool
    shares = [(record.confidence[0] >= np.min(rule)).mean() for rule in rules.thresholds[:, 0]]
    assert (np.diff(shares[:18]) >= 0).all()


def test_samples_that_test_have_no_part_in_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    record = random_pooled(5, n=200)
    record = replace(record, fitted=record.half)
    turned = replace(record, correct=np.where(record.half, record.correct, ~record.correct))
    first, second = (order_of(one, monkeypatch) for one in (record, turned))
    assert first.thresholds.tolist() == second.thresholds.tolist()


@pytest.mark.parametrize("right", [True, False])
def test_rules_are_tested_on_samples_that_had_no_part_in_them(right: bool) -> None:
    """The first stage is always right on the samples that choose; only those that test can tell whether elsewhere."""
    confidence = np.random.default_rng(8).random(400).astype(np.float32)
    chosen = np.arange(400) < 200
    record = make_record(np.stack([confidence, np.ones(400)]), np.stack([chosen | right, np.ones(400)]))
    record = replace(record, fitted=chosen, predictions=np.zeros((2, 400), dtype=np.int64), classes=2)
    found = certified_path(record, np.array([0.1]), 0.1)
    assert found.rule(0).exits_early == right


def test_more_cautious_rules_are_tried_before_the_first() -> None:
    """A drop too small for most of the family's rules is met by letting fewer of the surest leave."""
    record = population(np.random.default_rng(6), 4000)
    rule = certified_path(record, np.array([0.008]), 0.05).rule(0)
    assert rule.exits_early
    assert true_drop(rule.thresholds[0].min()) < 0.008


def test_more_drop_never_saves_much_less() -> None:
    record = population(np.random.default_rng(7), 4000)
    path = certified_path(record, np.linspace(0.0, 0.05, 40), 0.05)
    saved = np.array([evaluate(record, path.rule(g)).saving for g in range(40)])
    assert (np.diff(saved) > -0.005).all()
    assert saved[-1] > saved[0] == 0


def test_what_costs_more_than_the_plain_network_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """All bounds are 0, but the head of a, which pooled answers take in any case, costs more than is spared."""
    record = random_pooled(6, stages=2, n=200)
    dear, last = record.stages
    record = replace(record, stages=(replace(dear, head_macs=1000), last))
    monkeypatch.setattr("cascade_core.policies.certified.drop_bounds", lambda _, path, __: np.zeros(len(path)))
    assert certified_path(record, np.array([0.1]), 0.1).plain.tolist() == [True]


def test_where_no_rule_passes_the_plain_network_is_used() -> None:
    record = population(np.random.default_rng(5), 60)
    with pytest.warns(UserWarning, match="No rule has a drop certified to be at most 0 on these 60 samples: the plain"):
        rule = choose(record, Certified(0.0))
    assert rule.plain


def test_too_few_samples_leave_the_plain_network() -> None:
    record = make_record([[0.9] * 12, [1] * 12], [[1] * 12, [1] * 12])
    assert certified_path(record, np.array([0.0, 0.5]), 0.1).plain.tolist() == [True, True]


@pytest.mark.parametrize("better", [0, 1])
@pytest.mark.parametrize("limit", [0.0, 0.01])
def test_the_gain_of_an_early_stage_that_beats_the_last_is_found(better: int, limit: float) -> None:
    """One stage of three is right nine times in ten and the others seven: too few samples show it of the surest."""
    random, n = np.random.default_rng(11), 600
    accuracy = np.where(np.arange(3) == better, 0.92, 0.7)
    confidence = random.random((3, n))
    correct = random.random((3, n)) < np.clip(accuracy[:, None] + 0.15 * (confidence - 0.5), 0, 1)
    record = make_record(confidence, correct)
    calibration, test = record.split()
    found = evaluate(test, choose(calibration, Certified(limit)))
    assert found.accuracy_drop < -0.1
    assert found.saving > 0


def test_tests_start_at_a_clear_gain_only_for_limits_that_a_rule_before_it_would_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bounds by hand: on the half that chooses 0.04 before the rule that gains most, on the one that tests 0.06."""
    random = np.random.default_rng(12)
    record = make_record(random.random((2, 400)), np.stack([np.ones(400), random.random(400) < 0.7]))
    before = iter((0.06, 0.04))

    def given(_: Record, path: RulePath, __: float) -> NDArray[np.float64]:
        surest = int(evaluate_path(record, path).accuracy_drop.argmin())
        return np.where(np.arange(len(path)) < surest, next(before), -0.1)

    monkeypatch.setattr("cascade_core.policies.certified.drop_bounds", given)
    path = certified_path(record, np.array([0.0, 0.039, 0.04, 0.059, 0.06]), 0.05)
    assert path.plain.tolist() == [False, False, True, True, False]


def test_leaving_all_at_an_early_stage_is_tested_only_where_that_beats_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(13)
    confidence, last = random.random((3, 400)), random.random(400) < 0.8
    for better, beats in ((np.ones(400, dtype=bool), True), (last, False)):
        rules = order_of(make_record(confidence, np.stack([last, better, last])), monkeypatch)
        at_once = np.isinf(rules.thresholds[:, 0]) & (rules.thresholds[:, 1] <= np.quantile(confidence[1], 0.05))
        assert at_once.any() == beats
