"""Bounds on drops among samples that leave at a stage, or by a depth, and in the worst group: by a naive version."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cascade_core import ExitRule, Record, RulePath
from cascade_core.simulation.certificates import Among, drop_bound, drop_bounds_of_parts, stage_bounds
from cascade_core.simulation.groups import Groups
from tests.oracle import make_record, naive_mean_bound, random_pooled, random_rules

ALPHA = 0.1


def path_of(record: Record, thresholds: np.ndarray) -> RulePath:
    return RulePath(
        positions=np.arange(len(thresholds), dtype=float),
        thresholds=thresholds,
        score=record.score,
        top_k=record.top_k,
        stage_names=record.stage_names,
        pool=record.pool,
    )


def naive(record: Record, rule: ExitRule, stages: range) -> float:
    """The bound on the drop among samples that leave at one of some stages, one sample after another."""
    order, exits = record.shuffled(0), rule.exit_stages(record)
    chosen = [i for i in order.tolist() if exits[i] in stages]
    gaps = [int(record.baseline_correct[i]) - int(record.correct[exits[i], i]) for i in chosen]
    return 2 * naive_mean_bound([(gap + 1) / 2 for gap in gaps], ALPHA) - 1 if gaps else 1.0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("among", ["stage", "depth"])
def test_bounds_among_those_that_leave_are_those_of_the_naive_version(seed: int, among: Among) -> None:
    record = random_pooled(seed, n=120)
    path = path_of(record, random_rules(seed, record, 4))
    found = stage_bounds(record, path, ALPHA, among)
    m = len(record.stages)
    for position in range(4):
        for stage in range(m):
            stages = range(stage, stage + 1) if among == "stage" else range(stage + 1)
            assert found[position, stage] == pytest.approx(naive(record, path.rule(position), stages), abs=3e-5)
    assert drop_bounds_of_parts(record, path, ALPHA, "all")[0] == drop_bound(record, path.rule(0), ALPHA)


def test_a_stage_at_which_nobody_may_leave_promises_nothing_and_one_where_nobody_did_shows_nothing() -> None:
    """All 400 leave at the first stage, or go on past all; nobody is harmed at either."""
    record = make_record(np.full((3, 400), 0.5), np.ones((3, 400)))
    never, here, high = np.inf, 0.4, 0.9
    path = path_of(record, np.array([[here, never], [never, never], [here, high], [high, here]], dtype=np.float32))
    unharmed = 2 * naive_mean_bound([0.5] * 400, ALPHA) - 1
    stage, depth = (drop_bounds_of_parts(record, path, ALPHA, among) for among in ("stage", "depth"))
    # Where a threshold lets somebody leave at a stage and none of these does, the bound there is 1.
    assert stage == pytest.approx([unharmed, 0.0, 1.0, 1.0], abs=3e-5)
    # By the second stage all have left that left at the first; by the first stage of the last rule nobody has.
    assert depth == pytest.approx([unharmed, 0.0, unharmed, 1.0], abs=3e-5)


@pytest.mark.parametrize("among", ["all", "stage", "depth"])
def test_the_worst_group_counts(among: Among) -> None:
    record = random_pooled(5, n=200)
    of = np.random.default_rng(0).choice([0, 2], 200, p=[0.8, 0.2])
    groups = Groups(what="x", names=("a", "b", "c"), of=of)
    path = path_of(record, random_rules(5, record, 3))
    found = drop_bounds_of_parts(replace(record, groups=groups), path, ALPHA, among)
    alone = [drop_bounds_of_parts(record.take(groups.members(group)), path, ALPHA, among) for group in (0, 2)]
    assert found.tolist() == np.maximum(*alone).tolist()


def test_groups_are_of_single_samples_of_the_record() -> None:
    record = make_record([[0.1, 0.2]], [[True, False]])
    with pytest.raises(ValueError, match="groups of 2 single samples but they are of 1"):
        replace(record, groups=Groups(what="x", names=("a",), of=np.array([0])))
