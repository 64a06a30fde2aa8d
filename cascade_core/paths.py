"""Ordered families of rules (what a slider walks along) and their exact evaluation in one pass.

A sample's confidence matters only through its level at each stage: how many of the path's distinct
thresholds it reaches.  Two exact ways follow.  Where thresholds only fall along the path, each
sample has one first position at which it would leave each stage, and counting those changes is
enough: O(N M log G).  Otherwise samples of equal levels and answers are merged into weighted
groups, and each group is compared with each rule.  With a threshold for each class, a sample's levels are
among those of the class that the stage answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cascade_core import _check
from cascade_core.bounds import mean_interval, paired_interval
from cascade_core.evaluation import Evaluation
from cascade_core.exits import ExitRule, active_heads, check_fits
from cascade_core.record import Record, Temperatures, leaving_costs

CHUNK = 1 << 20
"""Rule-by-sample comparisons held at once; a few megabytes, so that they stay in the cache."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RulePath:
    """The rules of one policy, from safest to boldest, one for each slider position.

    Attributes:
        positions: (G,) values of the policy's parameter, in the policy's unit.
        thresholds: (G, M-1) float32, or (G, M-1, K) for each class; `inf` = never leave here.
        score, top_k, temperatures, stage_names: As in `ExitRule`.

    Raises:
        ValueError: A shape does not fit, or a threshold is NaN or `-inf`.
    """

    positions: NDArray[np.float64]
    thresholds: NDArray[np.float32]
    score: str
    top_k: int
    stage_names: tuple[str, ...]
    temperatures: Temperatures = None

    def __post_init__(self) -> None:
        positions = _check.array("positions", self.positions, np.float64, "(positions)", (None,))
        shape: tuple[int | None, ...] = (len(positions), len(self.stage_names) - 1)
        dims = "(positions, stages - 1)"
        if np.ndim(self.thresholds) == 3:
            shape, dims = (*shape, None), "(positions, stages - 1, classes)"
        thresholds = _check.array("thresholds", self.thresholds, np.float32, dims, shape)
        if np.isnan(thresholds).any() or np.isneginf(thresholds).any():
            raise ValueError("Expected thresholds to be numbers or inf but some are NaN or -inf")
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "thresholds", thresholds)

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def by_class(self) -> bool:
        """Whether there is a threshold for each class."""
        return self.thresholds.ndim == 3

    def rule(self, position: int) -> ExitRule:
        """The rule at slider position `position`, from 0 to G-1."""
        return ExitRule(
            thresholds=self.thresholds[position],
            score=self.score,
            top_k=self.top_k,
            temperatures=self.temperatures,
            stage_names=self.stage_names,
        )

    def only(self, position: int) -> RulePath:
        """The path of the one rule at `position`."""
        one = slice(position, position + 1)
        return replace(self, positions=self.positions[one], thresholds=self.thresholds[one])


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

    def saving_interval(self, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(G,) lower and upper ends of the interval of each saving."""
        low, high = mean_interval(self.exit_counts, self.costs, level)
        return 1 - high / self.baseline_macs, 1 - low / self.baseline_macs


def evaluate_path(record: Record, path: RulePath) -> PathEvaluation:
    """Evaluate every rule of `path` on `record`, exactly as `evaluate` would one by one.

    Raises:
        ValueError: The path is meant for other stages or another score.
    """
    check_fits(record, path.thresholds[0], path)
    # Not by differences: inf - inf is no number.
    falling = bool((path.thresholds[1:] <= path.thresholds[:-1]).all())
    counts = (_count_changes if falling else _count_groups)(record, path.thresholds)
    exits, correct, helped = (counts[:, :, column] for column in range(3))
    active = active_heads(path.thresholds, path.by_class)
    return PathEvaluation(
        stage_names=record.stage_names,
        exit_counts=exits,
        correct_counts=correct,
        costs=leaving_costs(record.stages, active, record.baseline_macs),
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


def _by_answer(answers: NDArray[np.int64], classes: int) -> list[NDArray[np.int64]]:
    """Numbers of the samples of each answer."""
    order = np.argsort(answers, kind="stable")
    return np.split(order, np.cumsum(np.bincount(answers, minlength=classes))[:-1])


def _first_positions(record: Record, stage: int, thresholds: NDArray[np.float32]) -> NDArray[np.int64]:
    """(N,) of a stage, by thresholds (G,), or (G, K) for each class."""
    confidence = record.confidence[stage]
    if thresholds.ndim == 1:
        return first_positions(confidence, thresholds)
    result = np.empty(record.n, dtype=np.int64)
    for column, members in enumerate(_by_answer(record.predictions[stage], thresholds.shape[1])):
        result[members] = first_positions(confidence[members], thresholds[:, column])
    return result


def _count_changes(record: Record, thresholds: NDArray[np.float32]) -> NDArray[np.int64]:
    """(G, M, 3) samples leaving, correct, helped, for thresholds that never rise."""
    g, m = len(thresholds), len(record.stages)
    result = np.zeros((g, m, 3), dtype=np.int64)
    gone = np.full(record.n, g)
    for stage in range(m):
        last = stage == m - 1
        first = np.zeros_like(gone) if last else _first_positions(record, stage, thresholds[:, stage])
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
    ranked, weights = _merge(_ranked(record, thresholds), _answers(record))
    result = np.zeros((g, m, 3), dtype=np.int64)
    for part in _chunks(ranked.n, g):
        for stage, (_, leaving) in enumerate(_walk(ranked, part)):
            # Sums of whole numbers are exact in float64, and products of floats use all cores.
            result[:, stage] += (leaving.astype(np.float64) @ weights[part, stage]).astype(np.int64)
    return result


def reach_histograms(
    record: Record, path: RulePath, bins: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Histograms of the samples that reach each stage, and of those that leave there, at every position of a path.

    Args:
        bins: (M, N) bin number of each sample at each stage, from 0 to `count` - 1.
        count: Number of bins, B.

    Returns:
        Two of shape (G, M, 2, B): samples that the stage answers correctly, and wrongly.
    """
    ranked = _ranked(record, path.thresholds)
    codes = bins + count * ~record.correct
    reaching, leaving = np.zeros((2, len(path), len(record.stages), 2 * count), dtype=np.int64)
    for part in _chunks(record.n, len(path)):
        for stage, walked in enumerate(_walk(ranked, part)):
            members = (codes[stage, part, None] == np.arange(2 * count)).astype(np.float32)
            for result, samples in zip((reaching, leaving), walked, strict=True):
                # Counts within a chunk stay below 2^24, up to which float32 is exact.
                result[:, stage] += (samples.astype(np.float32) @ members).astype(np.int64)
    shape = (len(path), len(record.stages), 2, count)
    return reaching.reshape(shape), leaving.reshape(shape)


def discordant_blocks(
    record: Record, path: RulePath, blocks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """In each block of samples, how many every rule of a path harms and helps, against the last stage.

    Args:
        blocks: (B,) sizes of blocks of samples in the record's order, which they make up.

    Returns:
        Two of shape (G, B).
    """
    ranked = _ranked(record, path.thresholds)
    harmed, helped = np.zeros((2, len(path), len(blocks)), dtype=np.int64)
    last = record.correct[-1]
    ends = np.cumsum(blocks)
    for block, (start, end) in enumerate(zip(ends - blocks, ends, strict=True)):
        for inner in _chunks(int(end - start), len(path)):
            part = slice(start + inner.start, min(start + inner.stop, end))
            for stage, (_, leaving) in enumerate(_walk(ranked, part)):
                right = record.correct[stage, part]
                harmed[:, block] += np.count_nonzero(leaving & (last[part] & ~right), axis=1)
                helped[:, block] += np.count_nonzero(leaving & (~last[part] & right), axis=1)
    return harmed, helped


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ranked:
    """Samples and rules in ranks: a sample leaves a stage where its level exceeds the rule's rank.

    Attributes:
        levels: (M-1, N).
        ranks: (G, M-1, 1), or (G, M-1, K) for each class.
        answers: (M-1, N) classes, which choose among the ranks; of no shape where there is but one.
    """

    levels: NDArray[np.int32]
    ranks: NDArray[np.int32]
    answers: NDArray[np.int64] | None

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.levels.shape[1]

    def reaches(self, stage: int, part: slice) -> NDArray[np.bool_]:
        """(G, samples of the part) whether each sample's confidence is enough for each rule at a stage."""
        column = slice(None) if self.answers is None else self.answers[stage, part]
        result: NDArray[np.bool_] = self.levels[stage, part] > self.ranks[:, stage, column]
        return result


def _ranked(record: Record, thresholds: NDArray[np.float32]) -> _Ranked:
    """Levels and ranks of thresholds (G, M-1), or (G, M-1, K)."""
    if thresholds.ndim == 2:
        levels, ranks = _levels(record.confidence[:-1], thresholds)
        return _Ranked(levels=levels, ranks=ranks[:, :, None], answers=None)
    levels = np.empty((len(record.stages) - 1, record.n), dtype=np.int32)
    ranks = np.empty(thresholds.shape, dtype=np.int32)
    for stage, confidence in enumerate(record.confidence[:-1]):
        for column, members in enumerate(_by_answer(record.predictions[stage], thresholds.shape[2])):
            own = thresholds[:, stage, column, None]
            levels[stage, members], ranks[:, stage, column] = (
                x.ravel() for x in _levels(confidence[None, members], own)
            )
    return _Ranked(levels=levels, ranks=ranks, answers=record.predictions[:-1])


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


def _merge(ranked: _Ranked, weights: NDArray[np.int64]) -> tuple[_Ranked, NDArray[np.int64]]:
    """Add up samples that no rule tells apart; returned unmerged where that would not pay."""
    levels, n = ranked.levels, ranked.n
    sizes = levels.max(axis=1, initial=0) + 1
    cells = int(np.prod(sizes, dtype=np.float64))
    if ranked.answers is not None or cells > n // 2:
        return ranked, weights
    code = np.ravel_multi_index(tuple(levels), tuple(sizes))
    flat = weights.reshape(n, -1)
    merged = np.stack([np.bincount(code, weights=column, minlength=cells) for column in flat.T], axis=1)
    kept = np.flatnonzero(merged[:, 0])
    grouped = np.stack(np.unravel_index(kept, tuple(sizes))).astype(np.int32)
    result = _Ranked(levels=grouped, ranks=ranked.ranks, answers=None)
    return result, merged[kept].astype(np.int64).reshape(len(kept), *weights.shape[1:])


def _chunks(n: int, rules: int) -> Iterator[slice]:
    """Slices of samples, each with about CHUNK comparisons."""
    step = max(1, CHUNK // max(1, rules))
    return (slice(start, start + step) for start in range(0, n, step))


def _walk(ranked: _Ranked, part: slice) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """For each stage, which (rule, sample) pairs of a part reach it, and which of them leave there."""
    size = len(range(ranked.n)[part])
    present = np.ones((len(ranked.ranks), size), dtype=bool)
    for stage in range(len(ranked.levels)):
        leaving = present & ranked.reaches(stage, part)
        yield present, leaving
        present = present & ~leaving
    yield present, present
