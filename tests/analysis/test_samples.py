"""What becomes of single samples, by hand: where they leave, and who is easy, hard, helped and harmed."""

from __future__ import annotations

import pytest

from cascade_core import ExitRule, evaluate
from cascade_core.analysis.samples import KINDS, Outcomes, counts, outcomes
from tests.oracle import f32, make_record
from tests.samples import sample_record

# Stages a, b, c with trunks of 100, 70, 50 and heads of 7, 5, 3 MACs; thresholds 0.9 and 0.8.
RECORD = make_record(
    [
        [0.95, 0.90, 0.50, 0.40, 0.30, 0.91],
        [0.10, 0.20, 0.80, 0.85, 0.70, 0.99],
        [0.60, 0.60, 0.60, 0.60, 0.65, 0.60],
    ],
    [[1, 0, 1, 0, 1, 1], [1, 1, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0]],
)
RULE = ExitRule(thresholds=f32(0.9, 0.8))


def found() -> Outcomes:
    return outcomes(RECORD, RULE)


def test_each_sample_is_followed_to_where_it_leaves() -> None:
    one = found()
    assert one.exit_stages.tolist() == [0, 0, 1, 1, 2, 0]
    assert one.confidence.tolist() == f32(0.95, 0.90, 0.80, 0.85, 0.65, 0.91).tolist()
    assert one.right.tolist() == [True, False, False, True, False, True]
    assert one.answers.tolist() == [0, 1, 1, 0, 1, 0]
    # Leaving at a costs 107, at b 107 + 75, at c 182 + 53.
    assert one.macs.tolist() == [107, 107, 182, 182, 235, 107]


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("all", [0, 1, 2, 3, 4, 5]),
        ("easy", [0, 1, 2, 3, 5]),
        ("hard", [4]),
        ("helped", [3, 5]),
        ("harmed", [1, 2]),
        ("right", [0, 3, 5]),
        ("wrong", [1, 2, 4]),
    ],
)
def test_kinds_by_hand(kind: str, members: list[int]) -> None:
    assert KINDS[kind](found()).nonzero()[0].tolist() == members
    assert counts(found())[kind] == len(members)


def test_kinds_add_up_to_the_drop() -> None:
    record, rule = sample_record(), ExitRule(thresholds=f32(0.6, 0.6))
    many, evaluation = counts(outcomes(record, rule)), evaluate(record, rule)
    assert many["helped"] == evaluation.helped
    assert many["harmed"] == evaluation.harmed
    assert (many["harmed"] - many["helped"]) / record.n == evaluation.accuracy_drop
    assert many["easy"] + many["hard"] == many["right"] + many["wrong"] == many["all"] == record.n
