"""Backward induction against the same with plain loops over samples, and what it must do with odd stages."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core import ExitRule, Pool, Record, Stage, evaluate
from cascade_core.policies.families.induction import PRICES, _Induction, backward_induction
from tests.oracle import make_record, random_outputs, random_record
from tests.samples import sample_record

LEAST = {"max_probability": 1 / 4, "margin": 0.0, "negative_entropy": -math.log(4)}
"""Of four classes; the greatest is 1, and 0 for the entropy."""

Floats = NDArray[np.float64]


def all_heads_run(record: Record) -> Record:
    """The record as if later stages pooled all earlier ones, so that no head can be switched off."""
    weights = [(*[0.5] * stage, 1.0) for stage in range(len(record.stages))]
    return replace(record, pool=Pool(weights=tuple(weights)))


def at_prices(record: Record, *, by_answer: bool = False) -> NDArray[np.float32]:
    """(G, M-1), or (G, M-1, K) thresholds at each of `PRICES` with all heads run."""
    heads = np.ones((len(PRICES), len(record.stages) - 1), dtype=bool)
    return _Induction.of(record, by_answer).rules(PRICES, heads)[0]


def naive_odds(record: Record, stage: int) -> list[float]:
    low, high = LEAST[record.score], 0.0 if record.score == "negative_entropy" else 1.0
    return [-math.log(max((high - float(c)) / (high - low), 1e-7)) for c in record.confidence[stage]]


def naive_logistic(x: list[float], happens: list[float]) -> list[float]:
    """Chances at each x by logistic regression, by Newton's method from halfway; 1e-3 is the ridge of both weights."""
    a = b = 0.0
    for _ in range(200):
        chance = [1 / (1 + math.exp(-a - b * value)) for value in x]
        spread = [p * (1 - p) for p in chance]
        off = [p - y for p, y in zip(chance, happens, strict=True)]
        gradient = [sum(off) + 1e-3 * a, sum(o * v for o, v in zip(off, x, strict=True)) + 1e-3 * b]
        second = sum(s * v for s, v in zip(spread, x, strict=True))
        curvature = [
            [sum(spread) + 1e-3, second],
            [second, sum(s * v * v for s, v in zip(spread, x, strict=True)) + 1e-3],
        ]
        step = np.linalg.solve(curvature, gradient)
        step /= max(1.0, *abs(step))  # short, so that it cannot overshoot
        a, b = a - float(step[0]), b - float(step[1])
    return [1 / (1 + math.exp(-a - b * value)) for value in x]


def naive_worth(
    record: Record, stage: int, members: list[int], right: list[bool], cost: list[float], here: float, price: float
) -> dict[float, float]:
    """What leaving with at least a confidence is expected to be worth in sum, for each confidence of some samples.

    Args:
        right, cost: What becomes of each sample of the record that goes on.
        here: Cost of leaving.
    """
    x = [naive_odds(record, stage)[i] for i in members]
    now, on = ([float(flags[i]) for i in members] for flags in (record.correct[stage], right))
    helped = naive_logistic(x, [a * (1 - b) for a, b in zip(now, on, strict=True)])
    harmed = naive_logistic(x, [b * (1 - a) for a, b in zip(now, on, strict=True)])
    right_now, right_on = naive_logistic(x, now), naive_logistic(x, on)
    powers = np.vander(np.array(x) / 5, 4, increasing=True)
    onward = powers @ np.linalg.lstsq(powers, np.array([cost[i] for i in members]), rcond=None)[0]
    gains = [
        (helped[i] - harmed[i] + right_now[i] - right_on[i]) / 2 + price * (float(onward[i]) - here)
        for i in range(len(members))
    ]
    confidence = [float(record.confidence[stage, i]) for i in members]
    return {
        limit: sum(gain for gain, value in zip(gains, confidence, strict=True) if value >= limit)
        for limit in set(confidence)
    }


def assert_worth_most(record: Record, thresholds: NDArray[np.float32], price: float) -> None:
    """At every stage, the later ones being as they are, the threshold has the most worth there is, or none has any."""
    costs, spent = [], 0
    for piece in record.stages:
        spent += piece.trunk_macs + piece.head_macs
        costs.append(spent / record.baseline_macs)
    right, cost = [bool(ok) for ok in record.correct[-1]], [costs[-1]] * record.n
    by_answer = thresholds.ndim == 2
    for stage in range(len(thresholds) - 1, -1, -1):
        answers = [int(answer) if by_answer else 0 for answer in record.predictions[stage]]
        limits = [float(limit) for limit in (thresholds[stage] if by_answer else thresholds[stage : stage + 1])]
        for answer, limit in enumerate(limits):
            members = [i for i in range(record.n) if answers[i] == answer]
            if not members:
                assert limit == math.inf
                continue
            worth = naive_worth(record, stage, members, right, cost, costs[stage], price)
            best = max(worth.values())
            assert (worth[limit] if limit < math.inf else 0.0) >= max(best, 0.0) - 0.02
        for i in range(record.n):
            if record.confidence[stage, i] >= limits[answers[i]]:
                right[i], cost[i] = bool(record.correct[stage, i]), costs[stage]


@pytest.mark.parametrize("by_answer", [False, True])
@pytest.mark.parametrize("score", LEAST)
@pytest.mark.parametrize("decimals", [1, None])
def test_thresholds_are_worth_most_by_plain_loops(score: str, by_answer: bool, decimals: int | None) -> None:
    """With as few samples, confidences are told apart in the regressions as they are in the loops."""
    record = random_outputs(3, n=50, decimals=decimals, saturated=0.1).record(score)
    thresholds = at_prices(record, by_answer=by_answer)
    assert thresholds.shape == (len(PRICES), 2, 4)[: 3 if by_answer else 2]
    for g in range(0, len(PRICES), 16):
        assert_worth_most(record, thresholds[g], float(PRICES[g]))


@pytest.mark.parametrize("by_answer", [False, True])
@pytest.mark.parametrize("m", [2, 4])
def test_thresholds_are_observed_confidences_and_numbers_between_them(m: int, by_answer: bool) -> None:
    record = sample_record(n=500, m=m)
    thresholds = at_prices(record, by_answer=by_answer)
    between = backward_induction(record, by_answer=by_answer).rules(record)
    assert thresholds.shape[1:] == between.shape[1:] == ((m - 1, 5) if by_answer else (m - 1,))
    for stage in range(m - 1):
        confidence = record.confidence[stage]
        finite = [column[np.isfinite(column)] for column in (thresholds[:, stage], between[:, stage])]
        assert np.isin(finite[0], confidence).all()
        assert ((confidence.min() <= finite[1]) & (finite[1] <= confidence.max())).all()


def savings(record: Record, thresholds: NDArray[np.float32]) -> Floats:
    return np.array([evaluate(record, ExitRule(thresholds=rule)).saving for rule in thresholds])


@pytest.mark.parametrize("m", [2, 3, 5])
def test_rules_go_from_safest_to_boldest(m: int) -> None:
    record = sample_record(n=1500, m=m)
    saved = savings(record, backward_induction(record).rules(record))
    assert (np.diff(saved) > -0.03).all()
    assert saved[0] < saved[-1] - 0.1


def test_rules_of_a_part_are_made_from_it_alone() -> None:
    record = sample_record(n=400)
    made, part = backward_induction(record).rules, np.arange(200)
    first = made(record.take(part))
    other = replace(record, correct=np.where(np.arange(400) < 200, record.correct, ~record.correct))
    assert made(other.take(part)).tolist() == first.tolist()


def test_the_order_of_samples_does_not_matter() -> None:
    record = random_record(5, n=90, decimals=1)
    shuffled = record.take(np.random.default_rng(0).permutation(90))
    assert backward_induction(shuffled).rules(shuffled).tolist() == backward_induction(record).rules(record).tolist()


def test_a_head_dearer_than_what_it_spares_is_switched_off() -> None:
    """Stage b says what a says, and its head costs more than the trunk behind it."""
    record = sample_record(n=600, m=3)
    twin = [0, 0, 2]
    stages = (
        Stage(name="a", trunk_macs=100, head_macs=1),
        Stage(name="b", trunk_macs=100, head_macs=150),
        Stage(name="c", trunk_macs=100, head_macs=1),
    )
    confidence, predictions, correct = (
        getattr(record, what)[twin] for what in ("confidence", "predictions", "correct")
    )
    twins = replace(
        record, confidence=confidence, predictions=predictions, correct=correct, stages=stages, baseline_macs=301
    )
    thresholds = backward_induction(twins).rules(twins)
    passing = np.array([(record.confidence[0] < limit).mean() for limit in thresholds[:, 0]])
    middle = (passing > 0.1) & (passing < 0.9)
    assert middle.sum() > 50
    assert np.isinf(thresholds[middle, 1]).all()
    # Were the head run in any case, as later answers need it, nothing could be spared by leaving it aside.
    pooled = all_heads_run(twins)
    assert np.isfinite(backward_induction(pooled).rules(pooled)[-1]).all()


def test_a_stage_that_is_never_right_is_never_left_at_prices_below_an_answer() -> None:
    record = sample_record(n=400, m=2)
    wrong = replace(record, correct=np.array([[False] * 400, [True] * 400]), baseline_correct=np.ones(400, dtype=bool))
    thresholds = at_prices(wrong)[:, 0]
    # Leaving spares at most 1 - 1070 / 3070 of the cost, and takes one right answer.
    assert np.isinf(thresholds[PRICES < 1]).all()
    assert np.isfinite(thresholds[PRICES > 1.9]).all()


def test_an_answer_that_is_never_right_does_not_leave() -> None:
    """Both answers are given with the same confidences; answer 0 is always right at a, answer 1 never."""
    confidence = np.tile(np.linspace(0.5, 1.0, 100), 2)
    record = make_record(np.stack([confidence, np.ones(200)]), np.ones((2, 200)))
    answers = np.repeat([0, 1], 100)
    record = replace(
        record,
        predictions=np.stack([answers, np.zeros(200)]),
        correct=np.stack([answers == 0, np.ones(200)]),
        classes=2,
    )
    thresholds = at_prices(record, by_answer=True)[:, 0]
    cheap = (PRICES > 0.01) & (PRICES < 1)
    assert (thresholds[cheap, 0] == 0.5).all()
    assert np.isinf(thresholds[cheap, 1]).all()
