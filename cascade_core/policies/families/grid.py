"""Every combination of quantile thresholds, evaluated exactly at once.

With G thresholds a stage, a sample is known by its levels (how many thresholds it reaches at each stage), and samples
are counted into an (M-1)-dimensional histogram of levels.  Cumulated along its axes, the histogram says for every
combination how many samples get past each stage, so that all (G+1)^(M-1) rules cost O(N M + M G^(M-1)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.record import Record

GRID_SIZES = {1: 1, 2: 4096, 3: 256, 4: 64}
"""Thresholds a stage, by the number of stages: about as many rules as can be weighed in a blink."""


def quantile_grid(
    confidence: NDArray[np.float32], size: int, weights: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """At most `size` observed confidences of one stage at equally spaced ranks, rising, and then `inf`.

    All distinct confidences are kept where there are no more than `size`; the least is always kept.

    Args:
        weights: (N,) samples that each entry stands for; None = one each.
    """
    distinct = np.unique(confidence)
    if len(distinct) > size:
        order = np.argsort(confidence)
        ends = np.arange(1, len(order) + 1) if weights is None else np.cumsum(weights[order])
        ranks = np.linspace(0, ends[-1] - 1, size).astype(np.int64)
        distinct = np.unique(confidence[order[np.searchsorted(ends, ranks, side="right")]])
    return np.append(distinct, np.float32(np.inf))


@dataclass(frozen=True, kw_only=True, eq=False)
class GridEvaluation:
    """Correct answers and MACs of every rule on the grid, one axis for each stage but the last.

    Attributes:
        thresholds: M-1 arrays, the grid of each stage, rising, ending in `inf`.
        correct: (G_0+1, ..., G_{M-2}+1) int64, correct answers in all.
        macs: Same shape, int64, MACs in all.
    """

    thresholds: tuple[NDArray[np.float32], ...]
    correct: NDArray[np.int64]
    macs: NDArray[np.int64]

    def drops(self, full_correct: int, n: int) -> NDArray[np.float64]:
        """Accuracy drop of every rule, flat, given the last stage's correct answers among the `n` samples."""
        return (full_correct - self.correct.ravel()) / n

    def rules(self, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """(len(index), M-1) thresholds of the rules at flat positions `index`."""
        # NumPy cannot unravel into no axes, which is what a cascade of one stage has.
        axes = np.unravel_index(index, self.correct.shape) if self.thresholds else ()
        columns = [grid[axis] for grid, axis in zip(self.thresholds, axes, strict=True)]
        return np.array(columns, dtype=np.float32).reshape(-1, len(index)).T


def evaluate_grid(record: Record, thresholds: tuple[NDArray[np.float32], ...]) -> GridEvaluation:
    """Count correct answers and MACs for every combination of one threshold a stage.

    Args:
        thresholds: M-1 arrays, each rising.
    """
    shape = tuple(len(grid) for grid in thresholds)
    correct = np.zeros(shape, dtype=np.int64)
    macs = np.zeros(shape, dtype=np.int64)
    code = np.zeros(record.entries, dtype=np.int64)
    for k, stage in enumerate(record.stages):
        right = record.correct[k]
        reaching = _at_or_below(record, code, shape[:k], len(shape))
        correct += _at_or_below(record, code, shape[:k], len(shape), right)
        macs += reaching * stage.trunk_macs
        if k == len(shape):
            macs += reaching * stage.head_macs
            break
        active = thresholds[k] < np.inf
        macs += reaching * (stage.head_macs * active).reshape((-1,) + (1,) * (len(shape) - k - 1))
        level = np.searchsorted(thresholds[k], record.confidence[k], side="right")
        # One level more than ranks, for a confidence that reaches even the last threshold.
        code = code * (shape[k] + 1) + level
        correct -= _at_or_below(record, code, shape[: k + 1], len(shape), right)
    if shape and all(grid[-1] == np.inf for grid in thresholds):
        macs[(-1,) * len(shape)] = record.n * record.baseline_macs  # nothing leaves early: the plain network is run
    return GridEvaluation(thresholds=thresholds, correct=correct, macs=macs)


def _at_or_below(
    record: Record,
    code: NDArray[np.int64],
    shape: tuple[int, ...],
    dims: int,
    members: NDArray[np.bool_] | slice = slice(None),
) -> NDArray[np.int64]:
    """How many samples get past the first stages, for each combination of their thresholds.

    A sample gets past a stage at rank r if its level there is at most r.

    Args:
        code: Levels of each sample at the first stages, as one number.
        shape: Thresholds at each of those stages.
        dims: Axes of the result; those beyond `shape` have length one.
        members: (N,) which samples.
    """
    sizes = [s + 1 for s in shape]
    grid = record.tally(code, int(np.prod(sizes, dtype=np.int64)), members).reshape(sizes or ())
    for axis in range(len(shape)):
        grid = np.cumsum(grid, axis=axis)
    result: NDArray[np.int64] = grid[tuple(slice(s) for s in shape)]
    return result.reshape(shape + (1,) * (dims - len(shape)))
