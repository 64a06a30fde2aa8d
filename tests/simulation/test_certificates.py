"""Certificates hold as often as they say, at all positions at once, and on samples in any order."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from cascade_core import Certified, ExitRule, RulePath, choose, evaluate
from cascade_core.policies import SharedThreshold
from cascade_core.policies.certified import certified_path
from cascade_core.simulation import certificates
from cascade_core.simulation.bounds import betting_bound
from cascade_core.simulation.certificates import certify_path, drop_bounds
from cascade_core.simulation.record import Record
from tests.oracle import make_record, random_record

SIMULATIONS = 1000


def population(random: np.random.Generator, n: int, flat: float = 0.0) -> Record:
    """Two stages: the first has confidence u in [0, 1], and is wrong with probability (1 - u) / 4; the last is right.

    Letting those leave with u >= t loses the integral of (1 - u) / 4 from t to 1, which is (1 - t)^2 / 8; `flat` is
    added to the chance of being wrong wherever u >= 0.5.
    """
    u = random.random(n).astype(np.float32)
    wrong = random.random(n) < (1 - u) / 4 + flat * (u >= 0.5)
    return make_record(np.stack([u, np.ones(n, dtype=np.float32)]), np.stack([~wrong, np.ones(n, dtype=bool)]))


def true_drop(thresholds: ArrayLike) -> NDArray[np.float64]:
    finite = np.where(np.isinf(thresholds), 1.0, np.asarray(thresholds, dtype=np.float64))
    return (1 - finite) ** 2 / 8


def allowed(alpha: float) -> float:
    """`alpha`, and three standard errors of a share of the simulations."""
    return alpha + 3 * (alpha * (1 - alpha) / SIMULATIONS) ** 0.5


def test_bounds_of_all_positions_hold_together() -> None:
    random, alpha, violated, loose = np.random.default_rng(0), 0.1, 0, 0
    for _ in range(SIMULATIONS):
        record = population(random, 200)
        path = SharedThreshold.path(record, np.linspace(1.0, 0.0, 11))
        bounds = certify_path(record, path, alpha)
        truth = true_drop(path.thresholds[:, 0])
        violated += bool((bounds < truth).any())
        loose += bool((drop_bounds(record, path, alpha) < truth).any())
    assert violated / SIMULATIONS <= allowed(alpha)
    # Without sharing alpha out, some position of 11 is wrong more often than any one of them may be.
    assert loose > violated


def test_a_single_bound_is_wrong_as_often_as_it_may_be() -> None:
    """The bound is valid, and not so loose that the test could not fail: over a fifth of alpha is used."""
    random, alpha, violated = np.random.default_rng(1), 0.1, 0
    for _ in range(SIMULATIONS):
        record = population(random, 200)
        path = SharedThreshold.path(record, [0.2])
        violated += bool(drop_bounds(record, path, alpha)[0] < true_drop(0.2))
    assert alpha / 5 < violated / SIMULATIONS <= allowed(alpha)


def test_certified_rules_exceed_their_drop_as_seldom_as_they_say() -> None:
    random, alpha, limit, violated, left_early = np.random.default_rng(2), 0.1, 0.04, 0, 0
    for _ in range(SIMULATIONS):
        path = certified_path(population(random, 400), np.array([limit]), alpha)
        violated += bool(true_drop(path.thresholds[0, 0]) > limit)
        left_early += path.rule(0).exits_early
    assert violated / SIMULATIONS <= allowed(alpha)
    assert left_early > 0.8 * SIMULATIONS


def test_the_first_rule_that_fails_is_not_the_one_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds by hand: the rules up to number 75 pass, 76 fails, and so 77 is out of reach though its bound is low."""
    record = population(np.random.default_rng(3), 2000)
    given = np.concatenate([np.full(76, 0.03), [0.031, 0.01], np.full(35, 1.0)])
    tested: list[NDArray[np.float32]] = []

    def bounds(_: Record, path: RulePath, __: float) -> NDArray[np.float64]:
        tested.append(path.thresholds)
        return given

    monkeypatch.setattr("cascade_core.policies.certified.drop_bounds", bounds)
    found = certified_path(record, np.array([0.02, 0.03, 0.031, 0.5]), 0.1).thresholds[:, 0]
    rules = tested[0][:, 0]
    assert rules.shape == given.shape
    assert len(set(rules[[75, 76, 77]].tolist())) == 3
    # A bound that equals the limit passes; at 0.02 the very first fails, and the full model is left.
    assert found.tolist() == [np.inf, rules[75], rules[77], rules[77]]


def test_the_violation_that_an_off_by_one_makes_would_be_seen() -> None:
    """Rules get worse in one step: returning the first that failed exceeds the limit nearly always."""
    random, violated = np.random.default_rng(4), 0
    for _ in range(100):
        record = population(random, 2000, flat=0.3)
        path = certified_path(record, np.array([0.01]), 0.1)
        found = evaluate(population(random, 20_000, flat=0.3), path.rule(0))
        violated += found.accuracy_drop > 0.012
    assert violated <= 0.2 * 100


def test_more_cautious_rules_are_tried_before_the_first() -> None:
    """A drop too small for any of the cheapest rules is met by letting fewer of the surest leave."""
    record = population(np.random.default_rng(6), 4000)
    rule = certified_path(record, np.array([0.008]), 0.05).rule(0)
    assert rule.exits_early
    assert true_drop(rule.thresholds[0]) < 0.008
    thresholds = certified_path(record, np.linspace(0.0, 0.05, 40), 0.05).thresholds[:, 0]
    assert (thresholds[1:] <= thresholds[:-1]).all()


def test_where_no_rule_passes_the_full_model_is_used() -> None:
    record = population(np.random.default_rng(5), 60)
    with pytest.warns(UserWarning, match="No rule has a drop certified to be at most 0 on these 60 samples: the full"):
        rule = choose(record, Certified(0.0))
    assert rule.thresholds.tolist() == [np.inf]


def test_never_leaving_is_certain_and_costs_no_share_of_alpha() -> None:
    record = random_record(6, n=200)
    path = SharedThreshold.path(record, [np.inf, 0.9, 0.9])
    bounds = certify_path(record, path, 0.05)
    assert bounds[0] == 0
    assert bounds[1] == bounds[2] == drop_bounds(record, path, 0.05)[1]  # one distinct rule: no division


def test_bounds_do_not_depend_on_the_order_of_the_samples() -> None:
    record = random_record(7, n=500, decimals=1)
    path = SharedThreshold.path(record, [0.9, 0.5])
    shuffled = record.take(np.random.default_rng(0).permutation(500))
    assert drop_bounds(record, path, 0.05).tolist() == drop_bounds(shuffled, path, 0.05).tolist()


def test_bounds_are_those_of_the_formula_on_the_shuffled_gaps() -> None:
    record = random_record(8, n=300)
    rule = ExitRule(thresholds=np.array([0.6, 0.6], dtype=np.float32))
    order = record.shuffled(certificates.SEED)
    leaving = rule.exit_stages(record)
    gap = record.correct[-1].astype(int) - record.correct[leaving, np.arange(300)]
    wanted = betting_bound((gap[order] == 1) * 1.0, (gap[order] == -1) * 1.0, np.ones(300), 0.05)
    path = SharedThreshold.path(record, [0.6])
    assert drop_bounds(record, path, 0.05)[0] == wanted


def test_more_samples_than_are_bet_on(monkeypatch: pytest.MonkeyPatch) -> None:
    record = random_record(9, n=2000)
    path = SharedThreshold.path(record, [0.9, 0.4])
    whole = drop_bounds(record, path, 0.05)
    monkeypatch.setattr(certificates, "SAMPLES", 500)
    part = drop_bounds(record, path, 0.05)
    assert (part > whole).all()
    assert (part < whole + 0.2).all()
