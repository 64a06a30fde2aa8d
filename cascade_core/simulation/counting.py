"""Counting what many rules do to many samples, without trying each rule on each sample.

A sample's confidence matters only through its level at each stage: how many of the rules' distinct thresholds it
reaches.  Two exact ways follow.  Where thresholds only fall from rule to rule, each sample has one first position at
which it would leave each stage, and counting those changes is enough: O(N M log G).  Otherwise samples of equal levels
and answers are merged into weighted groups, and each group is compared with each rule.  With a threshold for each
class, a sample's own is that of the class which the stage answers.

Thresholds are the ``columns`` of a `RulePath`, (G, M-1, 1) for G rules or (G, M-1, K); memory beyond the record's does
not grow with the samples, but for one position of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.exits import met_by
from cascade_core.simulation.record import Record

CHUNK = 1 << 20
"""Rule-by-sample comparisons held at once; a few megabytes, so that they stay in the cache."""


def count_exits(record: Record, thresholds: NDArray[np.float32]) -> NDArray[np.int64]:
    """(G, M, 3) samples that leave at each stage, of them those answered correctly, of these those helped by it."""
    # Not by differences: inf - inf is no number.
    falling = bool((thresholds[1:] <= thresholds[:-1]).all())
    return (_count_changes if falling else _count_groups)(record, thresholds)


def first_positions(confidence: NDArray[np.float32], thresholds: NDArray[np.float32]) -> NDArray[np.int64]:
    """First position of a falling path at which each sample would leave a stage, were it to reach it.

    Args:
        confidence: (N,) of one stage.
        thresholds: (G,) of that stage, never rising.

    Returns:
        (N,) positions from 0 to G; G = never.
    """
    return len(thresholds) - np.searchsorted(thresholds[::-1], confidence, side="right")


def _by_answer(answers: NDArray[np.int64], columns: int) -> list[NDArray[np.int64] | slice]:
    """Samples of each answer, one for each column; of all answers where one column is for all."""
    if columns == 1:
        return [slice(None)]
    order = np.argsort(answers, kind="stable")
    return [*np.split(order, np.cumsum(np.bincount(answers, minlength=columns))[:-1])]


def _first_positions(record: Record, stage: int, thresholds: NDArray[np.float32]) -> NDArray[np.int64]:
    """(N,) of a stage, by its thresholds (G, 1 or K)."""
    result = np.empty(record.entries, dtype=np.int64)
    for column, members in enumerate(_by_answer(record.predictions[stage], thresholds.shape[1])):
        result[members] = first_positions(record.confidence[stage, members], thresholds[:, column])
    return result


def _count_changes(record: Record, thresholds: NDArray[np.float32]) -> NDArray[np.int64]:
    """(G, M, 3) samples exiting, correct, helped, for thresholds that never rise."""
    g, m = len(thresholds), len(record.stages)
    result = np.zeros((g, m, 3), dtype=np.int64)
    gone = np.full(record.entries, g)
    for stage in range(m):
        last = stage == m - 1
        first = np.zeros_like(gone) if last else _first_positions(record, stage, thresholds[:, stage])
        here = first < gone
        right = record.correct[stage]
        for column, chosen in enumerate((here, here & right, here & right & ~record.baseline_correct)):
            changes = record.tally(first, g + 1, chosen) - record.tally(gone, g + 1, chosen)
            result[:, stage, column] = np.cumsum(changes[:g])
        np.minimum(gone, first, out=gone)
    return result


def _count_groups(record: Record, thresholds: NDArray[np.float32]) -> NDArray[np.int64]:
    """(G, M, 3) samples exiting, correct, helped, for thresholds in any order."""
    g, m = len(thresholds), len(record.stages)
    ranked = _Ranked.of(thresholds)
    result = np.zeros((g, m, 3), dtype=np.int64)
    for levels, answers, weights in _groups(record, ranked, g):
        for stage, (_, exiting) in enumerate(_walk(ranked, levels, answers)):
            # Sums of whole numbers are exact in float64, and products of floats use all cores.
            result[:, stage] += (exiting.astype(np.float64) @ weights[:, stage]).astype(np.int64)
    return result


_Group = tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]


def _groups(record: Record, ranked: _Ranked, rules: int) -> Iterator[_Group]:
    """Levels, answers and weights of samples, some at a time; merged where that pays, and answers are not read."""
    if ranked.cells <= record.entries // 2:
        levels, weights = _merged(record, ranked)
        for part in _chunks(levels.shape[1], rules):
            yield levels[:, part], record.predictions[:, :0], weights[part]
    else:
        for part in _chunks(record.entries, rules):
            yield ranked.levels(record, part), record.predictions[:, part], _answers(record, part)


def reach_histograms(
    record: Record, thresholds: NDArray[np.float32], bins: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Histograms of the samples that reach each stage, and of those that leave there, for every rule.

    Args:
        bins: (M, N) bin number of each sample at each stage, from 0 to `count` - 1.
        count: Number of bins, B.

    Returns:
        Two of shape (G, M, 2, B): samples that the stage answers correctly, and wrongly.
    """
    ranked = _Ranked.of(thresholds)
    reaching, exiting = np.zeros((2, len(thresholds), len(record.stages), 2 * count), dtype=np.int64)
    # Counts within a chunk stay below 2^24, up to which float32 is exact, unless entries are weighted.
    exact = np.float32 if record.weights is None else np.float64
    for part in _chunks(record.entries, len(thresholds)):
        codes = bins[:, part] + count * ~record.correct[:, part]
        walk = _walk(ranked, ranked.levels(record, part), record.predictions[:, part])
        for stage, walked in enumerate(walk):
            members = (codes[stage, :, None] == np.arange(2 * count)).astype(exact)
            if record.weights is not None:
                members *= record.weights[part, None]
            for result, samples in zip((reaching, exiting), walked, strict=True):
                result[:, stage] += (samples.astype(exact) @ members).astype(np.int64)
    shape = (len(thresholds), len(record.stages), 2, count)
    return reaching.reshape(shape), exiting.reshape(shape)


def discordant_blocks(
    record: Record, thresholds: NDArray[np.float32], blocks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """In each block of samples, how many every rule harms and helps, against the plain network.

    Args:
        record: Single samples.
        blocks: (B,) sizes of blocks of samples in the record's order, which they make up.

    Returns:
        Two of shape (G, B).
    """
    _, harmed, helped = exit_blocks(record, thresholds, blocks)
    return harmed.sum(axis=1), helped.sum(axis=1)


def exit_blocks(
    record: Record, thresholds: NDArray[np.float32], blocks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """In each block of samples, how many leave at each stage under every rule, and how many of them are harmed, helped.

    Returns:
        Three of shape (G, M, B); arguments as in `discordant_blocks`.
    """
    ranked = _Ranked.of(thresholds)
    left, harmed, helped = np.zeros((3, len(thresholds), len(record.stages), len(blocks)), dtype=np.int64)
    plain = record.baseline_correct
    ends = np.cumsum(blocks)
    for block, (start, end) in enumerate(zip(ends - blocks, ends, strict=True)):
        for inner in _chunks(int(end - start), len(thresholds)):
            part = slice(start + inner.start, min(start + inner.stop, end))
            walk = _walk(ranked, ranked.levels(record, part), record.predictions[:, part])
            for stage, (_, exiting) in enumerate(walk):
                right = record.correct[stage, part]
                left[:, stage, block] += np.count_nonzero(exiting, axis=1)
                harmed[:, stage, block] += np.count_nonzero(exiting & (plain[part] & ~right), axis=1)
                helped[:, stage, block] += np.count_nonzero(exiting & (~plain[part] & right), axis=1)
    return left, harmed, helped


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ranked:
    """Rules in ranks: a sample's level counts the thresholds that it reaches; it leaves where that exceeds the rank.

    Attributes:
        distinct: For each stage but the last, its different thresholds, rising; of all classes together.
        ranks: (G, M-1, 1), or (G, M-1, K) for each class: where among them each rule's stand.
    """

    distinct: tuple[NDArray[np.float32], ...]
    ranks: NDArray[np.int32]

    @classmethod
    def of(cls, thresholds: NDArray[np.float32]) -> _Ranked:
        """Of thresholds (G, M-1, 1 or K)."""
        distinct, ranks = [], np.empty(thresholds.shape, dtype=np.int32)
        for stage in range(thresholds.shape[1]):
            values, places = np.unique(thresholds[:, stage], return_inverse=True)
            distinct.append(values)
            ranks[:, stage] = places.reshape(ranks[:, stage].shape)
        return cls(distinct=tuple(distinct), ranks=ranks)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of levels at each stage but the last."""
        return tuple(len(values) + 1 for values in self.distinct)

    @property
    def cells(self) -> float:
        """Number of ways to be level at all stages; infinite where a sample's answer matters too."""
        return float(np.prod(self.sizes, dtype=np.float64)) if self.ranks.shape[2] == 1 else np.inf

    def levels(self, record: Record, part: slice) -> NDArray[np.int32]:
        """(M-1, n) levels of some samples."""
        early = zip(self.distinct, record.confidence[:-1, part], strict=True)
        levels = [np.searchsorted(values, confidence, side="right") for values, confidence in early]
        return np.array(levels, dtype=np.int32).reshape(len(levels), -1 if levels else len(range(record.entries)[part]))


def _answers(record: Record, part: slice) -> NDArray[np.int64]:
    """(n, M, 3) for some entries, were they to leave at a stage: samples, those correct, those helped."""
    correct = record.correct[:, part]
    helped = correct & ~record.baseline_correct[part]
    marks = np.stack([np.ones_like(correct), correct, helped], axis=-1).transpose(1, 0, 2).astype(np.int64)
    return marks if record.weights is None else marks * record.weights[part, None, None]


def _merged(record: Record, ranked: _Ranked) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Samples that no rule tells apart, added up: levels (M-1, n) that occur, and `_answers` in all of each."""
    cells, m = int(ranked.cells), len(record.stages)
    total = np.zeros((cells, m * 3), dtype=np.int64)
    for start in range(0, record.entries, CHUNK):
        part = slice(start, start + CHUNK)
        levels = ranked.levels(record, part)
        code = np.ravel_multi_index(tuple(levels), ranked.sizes) if m > 1 else np.zeros(levels.shape[1], dtype=np.int64)
        for column, values in enumerate(_answers(record, part).reshape(-1, m * 3).T):
            total[:, column] += np.bincount(code, weights=values, minlength=cells).astype(np.int64)
    kept = np.flatnonzero(total[:, 0])
    occurring = np.array(np.unravel_index(kept, ranked.sizes) if m > 1 else [], dtype=np.int32)
    return occurring.reshape(m - 1, len(kept)), total[kept].reshape(len(kept), m, 3)


def _chunks(n: int, rules: int) -> Iterator[slice]:
    """Slices of samples, each with about CHUNK comparisons."""
    step = max(1, CHUNK // max(1, rules))
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def _walk(
    ranked: _Ranked, levels: NDArray[np.int32], answers: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """For each stage, which (rule, sample) pairs reach it, and which of them leave there.

    Args:
        levels: (M-1, n) of the samples.
        answers: (M, n) classes; read where there is a rank for each.
    """
    present = np.ones((len(ranked.ranks), levels.shape[1]), dtype=bool)
    for stage, level in enumerate(levels):
        exiting = present & (level > met_by(ranked.ranks[:, stage], answers[stage]))
        yield present, exiting
        present = present & ~exiting
    yield present, present
