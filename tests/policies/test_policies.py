"""What every policy must keep: one shared check for all that a slider can walk along, and the registry."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core import ExitRule, FixedThresholds, PaperRule, Record, SharedThreshold, choose, evaluate, evaluate_path
from cascade_core.policies import (
    POLICIES,
    PRICED,
    SWEEPS,
    Certified,
    CheapestUncorrected,
    CheapestWithinDrop,
    PaperRuleByClass,
    Policy,
    describe,
)
from cascade_core.policies.answers import Halves
from tests.oracle import assert_outcome, naive_evaluate, random_outputs, random_record
from tests.samples import sample_record


def check_policy(policy_class: Any, record: Record, parameters: Sequence[float] | NDArray[np.float64]) -> None:
    """Check a `Sweep` policy on one record at some values of its parameter.

    A path holds exactly what `choose` returns at each value; every rule fits the record, depends on
    the samples but not on their order, and does on the record what a loop over samples says.
    """
    path = policy_class.path(record, parameters)
    assert path.positions.tolist() == list(parameters)
    found = evaluate_path(record, path)
    shuffled = record.take(np.random.default_rng(0).permutation(record.n))
    for g, parameter in enumerate(parameters):
        policy: Policy = policy_class(**{policy_class.slider.parameter: parameter})
        rule = quietly_chosen(record, policy)
        assert rule.thresholds.dtype == np.float32
        assert rule.thresholds.tobytes() == path.thresholds[g].tobytes() == path.rule(g).thresholds.tobytes()
        assert (rule.score, rule.top_k, rule.stage_names) == (record.score, record.top_k, record.stage_names)
        assert quietly_chosen(shuffled, policy).thresholds.tobytes() == rule.thresholds.tobytes()
        assert rule.pool == path.rule(g).pool
        assert rule.plain == path.plain[g]
        outcome = naive_evaluate(record, rule.thresholds, plain=rule.plain)
        assert_outcome(evaluate(record, rule), outcome)
        assert_outcome(found[g], outcome)


def quietly_chosen(record: Record, policy: Policy) -> ExitRule:
    """The rule, whether or not the policy warns that it is the plain network's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return choose(record, policy)


@pytest.mark.parametrize("name", SWEEPS)
@pytest.mark.parametrize("stages", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("decimals", [1, None])
def test_sweeps(name: str, stages: int, decimals: int | None) -> None:
    record = random_record(stages, stages=stages, n=40, decimals=decimals)
    check_policy(SWEEPS[name], record, SWEEPS[name].positions(record, 13))


@pytest.mark.parametrize("name", SWEEPS)
@pytest.mark.parametrize(("score", "top_k"), [("margin", 1), ("negative_entropy", 1), ("max_probability", 2)])
def test_sweeps_on_other_scores(name: str, score: str, top_k: int) -> None:
    record = random_outputs(5, n=40).record(score, top_k)
    check_policy(SWEEPS[name], record, SWEEPS[name].positions(record, 9))


@pytest.mark.parametrize("name", SWEEPS)
@pytest.mark.parametrize("stages", [2, 3, 5])
def test_sweeps_on_pooled_answers(name: str, stages: int) -> None:
    """Pooled as `tune` pools: with answers held out, and for certificates fitted to one half."""
    outputs = random_outputs(stages, stages=stages, n=60, decimals=2)
    parts = Halves(outputs=outputs, calibration=np.arange(60), test=np.arange(60)).divided(SWEEPS[name], "pooled")
    assert parts.answers == "pooled"
    check_policy(SWEEPS[name], parts.calibration, SWEEPS[name].positions(parts.calibration, 9))


@pytest.mark.parametrize("name", SWEEPS)
@pytest.mark.parametrize("stages", [2, 3, 4])
def test_positions_go_from_safest_to_boldest(name: str, stages: int) -> None:
    """Savings are in that order where they are expected; on the samples themselves one may fall by a hair."""
    record = sample_record(n=800, m=stages)
    positions = SWEEPS[name].positions(record, 31)
    assert positions.shape == (31,)
    path = SWEEPS[name].path(record, positions)
    found = evaluate_path(record, path)
    assert (np.diff(found.saving) >= -0.01).all()
    assert found.saving[-1] > found.saving[0]


@pytest.mark.parametrize("name", POLICIES)
def test_registry(name: str) -> None:
    policy_class = POLICIES[name]
    assert policy_class.name == name
    for text in (policy_class.title, policy_class.promise, *(one.help for one in policy_class.parameters().values())):
        assert text.strip()
    assert policy_class.promise.endswith(".")
    if name in SWEEPS:
        assert SWEEPS[name] is policy_class
        slider = SWEEPS[name].slider
        assert slider.parameter in {field.name for field in fields(policy_class)}
        assert slider.scale > 0
        assert slider.decimals >= 0


def test_a_flag_reads_the_same_for_every_policy_that_takes_it() -> None:
    readers: dict[str, set[object]] = {}
    for policy in (*POLICIES.values(), *PRICED.values()):
        for name, parameter in policy.parameters().items():
            readers.setdefault(name, set()).add(parameter.read)
    assert {name for name, different in readers.items() if len(different) > 1} == set()


@pytest.mark.parametrize("policy", [CheapestWithinDrop, CheapestUncorrected, Certified, PaperRule, PaperRuleByClass])
def test_a_whole_one_is_taken_for_all_accuracy_and_said(policy: Any) -> None:
    with pytest.warns(UserWarning, match="is a fraction: 1 gives up as much as 100 points; one point is 0.01"):
        policy(1)
    policy(1.0)


def test_describe_is_json_data() -> None:
    assert describe(PaperRule(0.02)) == {"name": "paper", "parameters": {"epsilon": 0.02}}
    assert describe(SharedThreshold(float("inf"))) == {"name": "shared", "parameters": {"threshold": None}}
    for given in ((0.5, float("inf")), [0.5, float("inf")], np.array([0.5, np.inf])):
        found = describe(FixedThresholds(given))
        assert found == {"name": "fixed", "parameters": {"thresholds": [0.5, None]}}


def test_choose_returns_a_rule() -> None:
    assert isinstance(choose(random_record(1), PaperRule(0.1)), ExitRule)
