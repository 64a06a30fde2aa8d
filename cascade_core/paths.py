"""Ordered families of rules (what a slider walks along) and their exact evaluation in one pass.

A sample's confidence matters only through its level at each stage: how many of the path's distinct
thresholds it reaches.  Two exact ways follow.  Where thresholds only fall along the path, each
sample has one first position at which it would leave each stage, and counting those changes is
enough: O(N M log G).  Otherwise samples of equal levels and answers are merged into weighted
groups, and each group is compared with each rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core import _check
from cascade_core.bounds import paired_interval
from cascade_core.evaluation import Evaluation
from cascade_core.exits import ExitRule, check_fits
from cascade_core.record import Record, leaving_costs

CHUNK = 1 << 20
"""Rule-by-sample comparisons held at once; a few megabytes, so that they stay in the cache."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RulePath:
    """The rules of one policy, from safest to boldest, one for each slider position.

    Attributes:
        positions: (G,) values of the policy's parameter, in the policy's unit.
        thresholds: (G, M-1) float32; `inf` = never leave here.
        score, top_k, stage_names: As in `ExitRule`.

    Raises:
        ValueError: A shape does not fit, or a threshold is NaN or `-inf`.
    """

    positions: NDArray[np.float64]
    thresholds: NDArray[np.float32]
    score: str
    top_k: int
    stage_names: tuple[str, ...]

    def __post_init__(self) -> None:
        positions = _check.array("positions", self.positions, np.float64, "(positions)", (None,))
        shape = (len(positions), len(self.stage_names) - 1)
        thresholds = _check.array("thresholds", self.thresholds, np.float32, "(positions, stages - 1)", shape)
        if np.isnan(thresholds).any() or np.isneginf(thresholds).any():
            raise ValueError("Expected thresholds to be numbers or inf but some are NaN or -inf")
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "thresholds", thresholds)

    def __len__(self) -> int:
        return len(self.positions)

    def rule(self, position: int) -> ExitRule:
        """The rule at slider position `position`, from 0 to G-1."""
        return ExitRule(
            thresholds=self.thresholds[position], score=self.score, top_k=self.top_k, stage_names=self.stage_names
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class PathEvaluation:
    """Counts of every rule of a path on one record; row g is `Evaluation` g.

    Attributes:
        exit_counts, correct_counts, costs: (G, M) int64.
        helped: (G,) int64.
        full_correct, n, baseline_macs, stage_names: As in `Evaluation`.
    """

    stage_names: tuple[str, ...]
    exit_counts: NDArray[np.int64]
    correct_counts: NDArray[np.int64]
    costs: NDArray[np.int64]
    helped: NDArray[np.int64]
    full_correct: int
    n: int
    baseline_macs: int

    def at(self, position: int) -> Evaluation:
        """What the rule at `position` does."""
        return Evaluation(
            stage_names=self.stage_names,
            exit_counts=self.exit_counts[position],
            correct_counts=self.correct_counts[position],
            costs=self.costs[position],
            full_correct=self.full_correct,
            helped=int(self.helped[position]),
            n=self.n,
            baseline_macs=self.baseline_macs,
        )

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """(G,) share of the samples answered correctly."""
        return self.correct_counts.sum(axis=1) / self.n

    @property
    def full_accuracy(self) -> float:
        """Accuracy if every sample went to the last stage."""
        return self.full_correct / self.n

    @property
    def accuracy_drop(self) -> NDArray[np.float64]:
        """(G,) full accuracy minus accuracy, fractions."""
        return (self.full_correct - self.correct_counts.sum(axis=1)) / self.n

    def drop_interval(self, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(G,) lower and upper ends of the paired interval of each drop."""
        harmed = self.full_correct - self.correct_counts.sum(axis=1) + self.helped
        return paired_interval(harmed, self.helped, self.n, level)

    @property
    def mean_macs(self) -> NDArray[np.float64]:
        """(G,) mean multiply-accumulates of a sample."""
        return (self.exit_counts * self.costs).sum(axis=1) / self.n

    @property
    def saving(self) -> NDArray[np.float64]:
        """(G,) share of the plain network's MACs that is saved."""
        return 1 - self.mean_macs / self.baseline_macs


def evaluate_path(record: Record, path: RulePath) -> PathEvaluation:
    """Evaluate every rule of `path` on `record`, exactly as `evaluate` would one by one.

    Raises:
        ValueError: The path is meant for other stages or another score.
    """
    check_fits(record, len(path.stage_names), path.stage_names, path.score, path.top_k)
    # Not by differences: inf - inf is no number.
    falling = bool((path.thresholds[1:] <= path.thresholds[:-1]).all())
    counts = (_count_changes if falling else _count_groups)(record, path.thresholds)
    exits, correct, helped = (counts[:, :, column] for column in range(3))
    active = np.append(path.thresholds < np.inf, np.ones((len(path), 1), dtype=bool), axis=1)
    return PathEvaluation(
        stage_names=record.stage_names,
        exit_counts=exits,
        correct_counts=correct,
        costs=leaving_costs(record.stages, active),
        helped=helped.sum(axis=1),
        full_correct=int(record.correct[-1].sum()),
        n=record.n,
        baseline_macs=record.baseline_macs,
    )


def first_positions(confidence: NDArray[np.float32], thresholds: NDArray[np.float32]) -> NDArray[np.int64]:
    """First position of a falling path at which each sample would leave a stage, were it to reach it.

    Args:
        confidence: (N,) of one stage.
        thresholds: (G,) of that stage, never rising.

    Returns:
        (N,) positions from 0 to G; G = never.
    """
    return len(thresholds) - np.searchsorted(thresholds[::-1], confidence, side="right")


def _count_changes(record: Record, thresholds: NDArray[np.float32]) -> NDArray[np.int64]:
    """(G, M, 3) samples leaving, correct, helped, for thresholds that never rise."""
    g, m = len(thresholds), len(record.stages)
    result = np.zeros((g, m, 3), dtype=np.int64)
    gone = np.full(record.n, g)
    for stage in range(m):
        last = stage == m - 1
        first = np.zeros_like(gone) if last else first_positions(record.confidence[stage], thresholds[:, stage])
        here = first < gone
        right = record.correct[stage]
        for column, chosen in enumerate((here, here & right, here & right & ~record.correct[-1])):
            changes = np.bincount(first[chosen], minlength=g + 1) - np.bincount(gone[chosen], minlength=g + 1)
            result[:, stage, column] = np.cumsum(changes[:g])
        np.minimum(gone, first, out=gone)
    return result


def _count_groups(record: Record, thresholds: NDArray[np.float32]) -> NDArray[np.int64]:
    """(G, M, 3) samples leaving, correct, helped, for thresholds in any order."""
    g, m = len(thresholds), len(record.stages)
    levels, ranks = _levels(record.confidence[:-1], thresholds)
    levels, weights = _merge(levels, _answers(record))
    result = np.zeros((g, m, 3), dtype=np.int64)
    for part in _chunks(levels.shape[1], g):
        for stage, (_, leaving) in enumerate(_walk(levels[:, part], ranks)):
            # Sums of whole numbers are exact in float64, and products of floats use all cores.
            result[:, stage] += (leaving.astype(np.float64) @ weights[part, stage]).astype(np.int64)
    return result


def reach_histograms(record: Record, path: RulePath, bins: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Histograms of the samples that reach each stage, at every position of a path.

    Args:
        bins: (M, N) bin number of each sample at each stage, from 0 to `count` - 1.
        count: Number of bins, B.

    Returns:
        (G, M, 2, B): samples that the stage answers correctly, and wrongly.
    """
    levels, ranks = _levels(record.confidence[:-1], path.thresholds)
    codes = bins + count * ~record.correct
    result = np.zeros((len(path), len(record.stages), 2 * count), dtype=np.int64)
    for part in _chunks(record.n, len(path)):
        for stage, (present, _) in enumerate(_walk(levels[:, part], ranks)):
            members = codes[stage, part, None] == np.arange(2 * count)
            # Counts within a chunk stay below 2^24, up to which float32 is exact.
            result[:, stage] += (present.astype(np.float32) @ members.astype(np.float32)).astype(np.int64)
    return result.reshape(len(path), len(record.stages), 2, count)


def _levels(
    confidence: NDArray[np.float32], thresholds: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Levels (M-1, N) of samples and ranks (G, M-1) of rules: a sample leaves where level > rank."""
    levels = np.empty(confidence.shape, dtype=np.int32)
    ranks = np.empty(thresholds.shape, dtype=np.int32)
    for stage, column in enumerate(thresholds.T):
        distinct, ranks[:, stage] = np.unique(column, return_inverse=True)
        levels[stage] = np.searchsorted(distinct, confidence[stage], side="right")
    return levels, ranks


def _answers(record: Record) -> NDArray[np.int64]:
    """(N, M, 3) for each sample, were it to leave at a stage: 1, whether correct, whether helped."""
    helped = record.correct & ~record.correct[-1]
    return np.stack([np.ones_like(record.correct), record.correct, helped], axis=-1).transpose(1, 0, 2).astype(np.int64)


def _merge(levels: NDArray[np.int32], weights: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Add up samples that no rule tells apart; returned unmerged where that would not pay."""
    sizes = levels.max(axis=1, initial=0) + 1
    cells = int(np.prod(sizes, dtype=np.float64))
    n = levels.shape[1]
    if cells > n // 2:
        return levels, weights
    code = np.ravel_multi_index(tuple(levels), tuple(sizes))
    flat = weights.reshape(n, -1)
    merged = np.stack([np.bincount(code, weights=column, minlength=cells) for column in flat.T], axis=1)
    kept = np.flatnonzero(merged[:, 0])
    grouped = np.stack(np.unravel_index(kept, tuple(sizes))).astype(np.int32)
    return grouped, merged[kept].astype(np.int64).reshape(len(kept), *weights.shape[1:])


def _chunks(n: int, rules: int) -> Iterator[slice]:
    """Slices of samples, each with about CHUNK comparisons."""
    step = max(1, CHUNK // max(1, rules))
    return (slice(start, start + step) for start in range(0, n, step))


def _walk(levels: NDArray[np.int32], ranks: NDArray[np.int32]) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """For each stage, which (rule, sample) pairs reach it, and which of them leave there."""
    present = np.ones((len(ranks), levels.shape[1]), dtype=bool)
    for stage, level in enumerate(levels):
        leaving = present & (level > ranks[:, stage, None])
        yield present, leaving
        present = present & ~leaving
    yield present, present
