"""Paths of made-up rules, and the check that all of a path is what its rules are one by one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cascade_core import Record, RulePath, evaluate, evaluate_path
from tests.oracle import assert_outcome, naive_evaluate, random_rules


def path_of(record: Record, thresholds: ArrayLike, plain: ArrayLike | None = None) -> RulePath:
    values = np.asarray(thresholds, dtype=np.float32)
    return RulePath(
        positions=np.arange(len(values), dtype=np.float64),
        thresholds=values,
        score=record.score,
        top_k=record.top_k,
        stage_names=record.stage_names,
        pool=record.pool,
        plain=np.zeros(len(values), dtype=bool) if plain is None else np.asarray(plain, dtype=bool),
    )


def falling_rules(seed: int, record: Record, count: int) -> NDArray[np.float32]:
    """Thresholds that only fall, from `inf` (twice), with steps at observed values and repeated rows."""
    columns = -np.sort(-random_rules(seed, record, count), axis=0)
    columns[:2] = np.inf
    columns[5] = columns[4]
    return columns


def assert_same(record: Record, path: RulePath) -> None:
    found = evaluate_path(record, path)
    low, high = found.drop_interval()
    for g in range(len(path)):
        one = evaluate(record, path.rule(g))
        at = found[g]
        assert at.exit_counts.tolist() == one.exit_counts.tolist()
        assert at.correct_counts.tolist() == one.correct_counts.tolist()
        assert at.costs.tolist() == one.costs.tolist()
        assert (at.helped, at.full_correct, at.n, at.baseline_macs) == (
            one.helped,
            one.full_correct,
            one.n,
            one.baseline_macs,
        )
        assert at.stage_names == one.stage_names
        assert found.accuracy[g] == one.accuracy
        assert found.full_accuracy == one.full_accuracy
        assert found.accuracy_drop[g] == one.accuracy_drop
        assert found.mean_macs[g] == one.mean_macs
        assert found.saving[g] == one.saving
        assert (low[g], high[g]) == one.drop_interval()
        assert_outcome(one, naive_evaluate(record, path.thresholds[g], plain=bool(path.plain[g])))


def by_class_path(seed: int, record: Record, count: int, *, falling: bool) -> RulePath:
    random = np.random.default_rng(seed)
    choices = np.append(np.unique(record.confidence[:-1]), np.float32(np.inf))
    thresholds = random.choice(choices, (count, len(record.stages) - 1, record.classes)).astype(np.float32)
    return path_of(record, -np.sort(-thresholds, axis=0) if falling else thresholds)
