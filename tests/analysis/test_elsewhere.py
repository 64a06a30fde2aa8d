"""Judging on another run: which of its samples judge, by whose pool and costs, and the same numbers as a plain walk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, PaperRule, Stage, StageOutputs
from cascade_core.analysis.comparison import compare
from cascade_core.analysis.elsewhere import Elsewhere, elsewhere
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.policies import SWEEPS, Sweep
from tests.oracle import naive_evaluate, random_outputs

SPLIT = Split(seed=5)


def named(outputs: StageOutputs, names: str) -> StageOutputs:
    """The same samples with ids that name them."""
    return replace(outputs, sample_ids=np.array([f"{names}{i}" for i in range(len(outputs.labels))]))


A = named(random_outputs(0, n=300), "a")

MONTH = named(random_outputs(1, n=120), "later")


def explored(kind: type[Sweep] = CheapestWithinDrop, answers: str = "pooled", split: Split = SPLIT) -> Exploration:
    return explore(halves(A, split), kind, split, count=7, answers=answers)


def beside(other: StageOutputs, split: Split = SPLIT) -> Elsewhere:
    return elsewhere(other, A.sample_ids, A.class_names, split)


@pytest.mark.parametrize("answers", ["own", "pooled"])
@pytest.mark.parametrize("kind", [CheapestWithinDrop, PaperRule, SWEEPS["paper-by-class"]])
def test_numbers_are_those_of_a_walk_through_the_other_samples(kind: type[Sweep], answers: str) -> None:
    found = explored(kind, answers)
    there = beside(MONTH).judged(found)
    pooled = MONTH.record(pool=found.test.pool)
    for place in range(7):
        naive = naive_evaluate(pooled, found.path.thresholds[place], plain=bool(found.path.plain[place]))
        result = there.at(place)
        assert result.exit_counts.tolist() == naive.exit_counts
        assert result.correct_counts.tolist() == naive.correct_counts
        assert result.mean_macs * 120 == pytest.approx(naive.total_macs)
        assert result.accuracy_drop == pytest.approx((naive.full_correct - sum(naive.correct_counts)) / 120)
    assert there.path is found.path
    assert there.calibration is found.calibration


def test_the_run_itself_is_judged_on_its_other_half() -> None:
    found, same = explored(), beside(A)
    there = same.judged(found)
    assert (same.same, same.left_out) == (True, 150)
    assert there.evaluation.exit_counts.tolist() == found.evaluation.exit_counts.tolist()
    assert there.evaluation.correct_counts.tolist() == found.evaluation.correct_counts.tolist()


def test_copies_of_samples_that_chose_are_left_out() -> None:
    copy = replace(named(random_outputs(9, n=300), "a"), labels=A.labels)
    shuffled = copy.take(np.random.default_rng(0).permutation(300))
    ours = beside(shuffled)
    chose = set(A.sample_ids[SPLIT.calibration_index(300)])
    assert len(ours.outputs.labels) == 150
    assert not chose & set(ours.outputs.sample_ids)
    assert not ours.same  # in another order they are no pairs
    assert beside(copy).same


def test_a_part_of_the_samples() -> None:
    part = beside(A.take(np.arange(40)))
    judging = set(SPLIT.test_index(300)) & set(range(40))
    assert sorted(part.outputs.sample_ids) == sorted(f"a{i}" for i in judging)


def test_ids_that_only_count_leave_nobody_out() -> None:
    found = elsewhere(random_outputs(1, n=300), random_outputs(0, n=300).sample_ids, A.class_names, SPLIT)
    assert (len(found.outputs.labels), found.left_out) == (300, 0)


def test_in_sample_choices_are_not_in_sample_elsewhere() -> None:
    split = Split(in_sample=True)
    there = beside(MONTH, split).judged(explored(split=split))
    assert not there.split.in_sample
    assert there.certificate is not None
    with pytest.raises(ValueError, match="all 300 had, by their ids"):
        beside(A, split)


def test_costs_are_those_of_the_run_that_chose() -> None:
    dear = replace(MONTH, stages=tuple(Stage(name=s.name, trunk_macs=999, head_macs=0) for s in MONTH.stages))
    found = explored()
    savings = [beside(other).judged(found).evaluation.saving.tolist() for other in (dear, MONTH)]
    assert savings[0] == savings[1]


def test_what_does_not_belong_together_is_said() -> None:
    with pytest.raises(ValueError, match="stages a, b, c to judge on but it has a, b"):
        beside(named(random_outputs(1, stages=2), "x")).judged(explored())
    with pytest.raises(ValueError, match="4 classes of the one that chooses to judge on but it has 5"):
        beside(named(random_outputs(1, classes=5), "x"))


def test_without_labels_there_disagreement_is_measured() -> None:
    there = beside(MONTH.without_labels()).judged(explored())
    assert there.evaluation.reference == "last stage"
    assert there.evaluation.full_accuracy == 1


def test_compared_policies_keep_their_rules() -> None:
    here = compare(halves(A, SPLIT), SPLIT, 0.02)
    for one in here:
        there = one.on(beside(MONTH))
        assert there.rule is one.rule
        assert there.evaluation.n == 120
        assert there.bound is not None
