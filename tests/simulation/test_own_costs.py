"""Costs of the user's own: by hand, with parts, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cascade_core import ExitRule, evaluate
from cascade_core.policies import SharedThreshold
from cascade_core.simulation.meters import along, spent
from cascade_core.simulation.own_costs import OwnCosts
from cascade_core.simulation.paths import evaluate_path
from tests.oracle import f32, make_record, naive_evaluate, random_record, random_rules


def costs(names: tuple[str, ...] = ("a", "b", "c"), **changes: Any) -> OwnCosts:
    """Cents for ten samples: 1, 2 and 3.5, of which the last spans machines; 5 in the plain network."""
    stages = ({"device": 1}, {"device": 2}, {"network": 0.5, "cloud": 3})
    values: dict[str, Any] = {"unit": "cents", "per": 10, "stage_names": names, "stages": stages}
    return OwnCosts(**(values | {"plain_parts": {"network": 0.5, "cloud": 4.5}} | changes))


def test_by_hand() -> None:
    # Of four samples one leaves at a, one at b, two at c.
    record = make_record([[0.9, 0.1, 0.1, 0.1], [1, 0.9, 0.1, 0.1], [1] * 4], np.ones((3, 4)))
    found = evaluate(record, ExitRule(thresholds=f32(0.5, 0.5)))
    meter = costs()
    # All pay 1, three quarters 2, half 0.5 and 3.
    assert meter.mean(found) == 1 + 1.5 + 0.25 + 1.5
    assert meter.plain(found) == 5
    assert spent(meter, found) == {
        "unit": "cents",
        "per": 10,
        "mean": 4.25,
        "plain": 5.0,
        "saving": pytest.approx(0.15),
        "parts": {"device": 2.5, "network": 0.25, "cloud": 1.5},
    }


def test_where_nothing_leaves_the_plain_network_is_paid() -> None:
    record = random_record(0)
    never = evaluate(record, ExitRule(thresholds=f32(np.inf, np.inf)))
    assert costs().mean(never) == 5
    assert costs().details(never) == {"parts": {"device": 0, "network": 0.5, "cloud": 4.5}}


def test_random_rules_sample_by_sample_and_their_parts_add_up() -> None:
    record, meter = random_record(5), costs()
    upto = np.cumsum([1, 2, 3.5])
    for thresholds in random_rules(2, record, 20):
        found = evaluate(record, ExitRule(thresholds=thresholds))
        counts = naive_evaluate(record, thresholds).exit_counts
        wanted = sum(n * cost for n, cost in zip(counts, upto, strict=True)) / record.n
        assert meter.mean(found) == pytest.approx(wanted if np.isfinite(thresholds).any() else 5)
        assert sum(meter.details(found)["parts"].values()) == pytest.approx(meter.mean(found))


def test_along_a_path_as_one_by_one() -> None:
    record = random_record(1)
    path = SharedThreshold.path(record, SharedThreshold.positions(record, 5))
    one_by_one = [costs().mean(evaluate(record, path.rule(g))) for g in range(5)]
    assert along(costs(), evaluate_path(record, path)).tolist() == pytest.approx(one_by_one)


def test_described_as_it_is_written() -> None:
    assert costs().describe() == {
        "unit": "cents",
        "per": 10,
        "stages": {"a": {"device": 1.0}, "b": {"device": 2.0}, "c": {"network": 0.5, "cloud": 3.0}},
        "plain": {"network": 0.5, "cloud": 4.5},
    }
    simple = costs(stages=({"": 0}, {"": 2}, {"": 3}), plain_parts={"": 4})
    assert simple.describe()["stages"] == {"a": 0.0, "b": 2.0, "c": 3.0}
    assert simple.parts == ("",)
    assert costs().parts == ("device", "network", "cloud")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"unit": ""}, "unit to be a text of 1 to 40 letters"),
        ({"unit": "x" * 41}, "unit to be a text of 1 to 40 letters"),
        ({"unit": "a\nb"}, "unit to be a text"),
        ({"per": 0}, "per to be a whole number from 1"),
        ({"stage_names": ("a", "b")}, "stage_names to hold 3 names"),
        ({"stages": ({"": -1}, {"": 1}, {"": 1})}, "cost of stage a to be from 0 to 1e.15 but it was -1"),
        ({"stages": ({"": 1}, {"": float("nan")}, {"": 1})}, "cost of stage b to be from 0"),
        ({"stages": ({"": 1}, {"": "2"}, {"": 1})}, "cost of stage b to be from 0"),
        ({"stages": ({}, {"": 1}, {"": 1})}, "stage a to have a cost but there is none"),
        ({"stages": ({"\t": 1}, {"": 1}, {"": 1})}, "part to be a text"),
        ({"plain_parts": {"": 0}}, "plain network to cost more than 0"),
        ({"plain_parts": {"": 1e-9}}, "all stages to cost at most 1,000,000 times as much as the plain network"),
    ],
)
def test_refusals(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        costs(**changes)


def test_of_other_stages() -> None:
    with pytest.raises(ValueError, match="costs of the stages a, b but they are of a, b, c"):
        costs().table(random_record(0, stages=2))
