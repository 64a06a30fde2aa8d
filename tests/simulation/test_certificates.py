"""Certificates hold as often as they say, at all positions at once, and on samples in any order."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from cascade_core import ExitRule
from cascade_core.policies import SharedThreshold
from cascade_core.simulation import certificates
from cascade_core.simulation.bounds import betting_bound
from cascade_core.simulation.certificates import certify_path, drop_bounds
from cascade_core.simulation.record import Record
from tests.oracle import make_record, random_pooled, random_record
from tests.pathcases import path_of

SIMULATIONS = int(os.environ.get("CASCADE_DRAWS", "300"))


def population(random: np.random.Generator, n: int) -> Record:
    """Two stages: the first has confidence u in [0, 1], and is wrong with probability (1 - u) / 4; the last is right.

    All answers are class 0, so that they tell nothing of being right.

    Letting those leave with u >= t loses the integral of (1 - u) / 4 from t to 1, which is (1 - t)^2 / 8.
    """
    u = random.random(n).astype(np.float32)
    wrong = random.random(n) < (1 - u) / 4
    record = make_record(np.stack([u, np.ones(n, dtype=np.float32)]), np.stack([~wrong, np.ones(n, dtype=bool)]))
    return replace(record, predictions=np.zeros((2, n), dtype=np.int64))


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


def test_of_pooled_answers_the_plain_network_alone_is_certain() -> None:
    """Where nothing leaves early, pooled answers differ from the plain network's, and have a bound of their own."""
    record = random_pooled(10, n=300)
    rules = [[np.inf, np.inf], [np.inf, np.inf], [0.7, 0.7]]
    path = path_of(record, rules, plain=[True, False, False])
    bounds, order = drop_bounds(record, path, 0.05), record.shuffled(certificates.SEED)
    assert bounds[0] == 0
    for g in (1, 2):
        leaving = path.rule(g).exit_stages(record)
        right = record.correct[leaving, np.arange(300)]
        lost, gained = (record.baseline_correct & ~right)[order], (right & ~record.baseline_correct)[order]
        assert bounds[g] == betting_bound(lost * 1.0, gained * 1.0, np.ones(300), 0.05)
    # Two rules share alpha: the plain network, though its thresholds are the same as the second's, takes none.
    assert certify_path(record, path, 0.1).tolist() == bounds.tolist()
