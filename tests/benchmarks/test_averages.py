"""Averages over divisions: outcomes by hand, errors of blocks, and readings of a curve at a drop."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cascade_core import ExitRule, Record, Stage, evaluate, evaluate_path, fit_pool
from cascade_core.policies.base import rule_path
from tests.benchmarks.averages import BLOCKS, Division, averaged, outcome, place_of, saved_at
from tests.samples import sample_run


def two_stages() -> Record:
    """Four samples; the plain network is right on the first three and costs 100, the first stage costs 50."""
    return Record(
        confidence=np.array([[0.9, 0.8, 0.4, 0.7], [1.0, 1.0, 1.0, 1.0]]),
        predictions=np.array([[0, 1, 0, 0], [0, 0, 0, 1]]),
        correct=np.array([[True, False, True, True], [True, True, True, False]]),
        labels=np.zeros(4, dtype=np.int64),
        stages=(Stage(name="a", trunk_macs=40, head_macs=10), Stage(name="b", trunk_macs=50, head_macs=10)),
    )


def test_outcomes_of_samples_by_hand() -> None:
    lost, saved = outcome(two_stages(), ExitRule(thresholds=np.array([0.7])))
    # The second is right only if it goes on, the fourth only because it left; what goes on pays the head, 110 of 100.
    assert lost.tolist() == [0, 1, 0, -1]
    assert saved == pytest.approx([0.5, 0.5, -0.1, 0.5])


@pytest.mark.parametrize("threshold", [0.6, np.inf])
def test_outcomes_add_up_to_the_evaluation(threshold: float) -> None:
    outputs = sample_run()
    for pool in (None, fit_pool(outputs.probs, outputs.labels)):
        record, rule = outputs.record(pool=pool), ExitRule(thresholds=np.full(2, threshold), pool=pool)
        lost, saved = outcome(record, rule)
        assert lost.mean() == pytest.approx(evaluate(record, rule).accuracy_drop)
        assert saved.mean() == pytest.approx(evaluate(record, rule).saving)


def test_the_mean_counts_each_time_that_a_sample_was_judged() -> None:
    everyone = np.arange(BLOCKS)
    found = averaged([(everyone, np.zeros(BLOCKS)), (everyone[:10], np.ones(10))], BLOCKS)
    assert found.mean == pytest.approx(10 / (BLOCKS + 10))
    # A block holds one sample here: ten have the mean 1/2 and ten 0, each 1/4 from the middle: 0.25 / sqrt(19).  The
    # divisions have the means 0 and 1, each 1/2 from the middle: 0.5 / sqrt(1).
    assert found.error == pytest.approx(math.sqrt(0.0625 / (BLOCKS - 1) + 0.25))


def test_equal_divisions_are_no_surer_than_one() -> None:
    values = np.random.default_rng(0).normal(size=400)
    one = averaged([(np.arange(400), values)], 400)
    assert averaged([(np.arange(400), values)] * 5, 400) == pytest.approx(one)


def test_a_curve_is_read_on_the_line_between_positions() -> None:
    place = place_of(0.02, np.array([0, 0.01, 0.03]), np.array([0, 0.2, 0.4]))
    assert place == pytest.approx((1, 0.5, 10))


def test_a_curve_is_read_where_it_saves_most() -> None:
    # From the third position on the line reaches 0.3 + 0.6 * 0.1 at 0.02; from the first it would reach less.
    place = place_of(0.02, np.array([0, 0.025, 0.005, 0.03]), np.array([0, 0.1, 0.3, 0.4]))
    assert place == pytest.approx((2, 0.6, 4))
    # What loses less and saves more than any point of the line is taken as it is.
    assert place_of(0.02, np.array([0, -0.01, 0.01, 0.03]), np.array([0, 0.5, 0.1, 0.2])) == (1, 0, 0)


def test_savings_at_a_drop_by_hand() -> None:
    record = two_stages()
    rules = np.array([[np.inf], [0.8]])
    path = rule_path(record, range(2), rules)
    # At 0.8 two leave, one of them wrongly: a drop of 1/4, and a saving of (2 * 0.5 - 2 * 0.1) / 4 = 1/5.
    assert evaluate_path(record, path).saving == pytest.approx([0, 0.2])
    ((samples, values),) = saved_at(0.125, [Division(samples=np.arange(4), record=record, path=path)])
    # Halfway: 0.5 * saved, less the slope 0.8 * (lost - 0.125), which leaves 0.1 to who lost nothing.
    assert values == pytest.approx([0.35, -0.05, 0.05, 0.05])
    assert samples.tolist() == [0, 1, 2, 3]
    assert values.mean() == pytest.approx(0.1)
