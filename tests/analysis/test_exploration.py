"""Choosing on one part and judging on the other."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core import BestWithinBudget, Certified, CheapestWithinDrop, PaperRule, choose, evaluate
from cascade_core.analysis.exploration import Split, explore
from cascade_core.policies import Sweep
from cascade_core.policies.families import FAMILIES, meaning
from cascade_core.policies.selection import select
from tests.samples import sample_record


def test_rules_come_from_calibration_and_numbers_from_test() -> None:
    record = sample_record()
    exploration = explore(record, CheapestWithinDrop, Split(fraction=0.25, seed=7), count=11)
    calibration, test = record.split(0.25, 7)
    assert (calibration.n, test.n) == (100, 300)
    for g in (0, 5, 10):
        rule = choose(calibration, CheapestWithinDrop(float(exploration.path.positions[g])))
        assert (rule.thresholds == exploration.path.thresholds[g]).all()
        assert (exploration.at(g).exit_counts == evaluate(test, rule).exit_counts).all()
        assert exploration.calibrated(g).accuracy == evaluate(calibration, rule).accuracy


def test_in_sample_uses_every_sample_twice() -> None:
    record = sample_record()
    exploration = explore(record, PaperRule, Split(in_sample=True), count=3)
    assert exploration.calibration is record
    assert exploration.test is record
    assert exploration.split.describe() == {"fraction": 0.5, "seed": 0, "measured_on": "all"}


def test_halves_share_no_sample_and_miss_none() -> None:
    record = sample_record(n=101)
    calibration, test = Split(seed=3).apply(record)
    both = np.concatenate([calibration.confidence[0], test.confidence[0]])
    assert sorted(both.tolist()) == sorted(record.confidence[0].tolist())
    # 101 * 0.5 = 50.5 samples, rounded up.
    assert (calibration.n, test.n) == (51, 50)


def test_nearest_finds_the_position_of_a_value() -> None:
    exploration = explore(sample_record(), PaperRule, Split(), count=11)
    # Positions are 0, 0.01, ... 0.1.
    assert exploration.nearest(0.021) == 2
    assert exploration.nearest(9.0) == 10


def test_a_part_without_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="leave samples on both sides of 400"):
        explore(sample_record(), PaperRule, Split(fraction=0.0), count=3)


@pytest.mark.parametrize("policy", [CheapestWithinDrop, BestWithinBudget, Certified])
def test_the_family_that_was_chosen_is_named(policy: type[Sweep]) -> None:
    exploration = explore(sample_record(), policy, Split(), count=5)
    part = exploration.calibration.apart[0] if policy is Certified else exploration.calibration
    selection = select(part)
    assert selection is not None
    assert exploration.family == selection.chosen.family in selection.tried
    assert f" so that {meaning(exploration.family)} ({exploration.family}); " in exploration.answers_words


def test_every_family_says_what_its_thresholds_do() -> None:
    assert len({meaning(family.name) for family in FAMILIES} - {""}) == len(FAMILIES)


def test_a_policy_with_rules_of_its_own_names_no_family() -> None:
    exploration = explore(sample_record(), PaperRule, Split(), count=5)
    assert exploration.family is None
    assert "Thresholds" not in exploration.answers_words
    # Too few samples to say anything of any family.
    assert explore(sample_record(n=20), CheapestWithinDrop, Split(), count=5).family is None


def test_parameters_beside_the_sliders_reach_rules_and_what_is_exported() -> None:
    record, split = sample_record(n=2000, m=3, k=4), Split()
    explored = explore(record, Certified, split, count=5, others={"among": "stage"})
    calibration, _ = split.apply(record)
    expected = Certified.path(calibration, Certified.positions(calibration, 5), among="stage")
    assert explored.path.thresholds.tolist() == expected.thresholds.tolist()
    assert explored.path.thresholds.tolist() != explore(record, Certified, split, count=5).path.thresholds.tolist()
    assert explored.described(2)["parameters"]["among"] == "stage"
