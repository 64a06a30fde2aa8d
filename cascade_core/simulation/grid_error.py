"""What a grid of confidences leaves open, where entries stand for many samples each (`cells`).

At thresholds of the grid nothing is open: all that is counted is exact.  At a threshold between two values of it, the
samples that reach the lower value and not the upper may leave or go on, and only they.  Each of them at its best and at
its worst gives the bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.exits import active_heads
from cascade_core.simulation.record import Record
from cascade_core.simulation.stages import exit_costs


@dataclass(frozen=True, kw_only=True)
class Open:
    """What a rule's figures are between on the samples themselves; fractions.

    Attributes:
        drop: Least and greatest accuracy drop.
        saving: Least and greatest saving.
    """

    drop: tuple[float, float]
    saving: tuple[float, float]


def left_open(record: Record, thresholds: NDArray[np.float32]) -> Open:
    """Bounds on what thresholds (M-1,) do to the samples that the entries of `record` stand for.

    They hold for every rule whose thresholds lie between the same values of the grid, with heads run alike.
    """
    last = len(record.stages) - 1
    costs = exit_costs(record.stages, active_heads(thresholds[:, None]), record.baseline_macs)
    most = least = record.correct[last]
    dearest = cheapest = np.full(record.entries, costs[last])
    upper = record.on_grid(thresholds[None])[0]
    for stage in range(last - 1, -1, -1):
        confidence, right, cost = record.confidence[stage], record.correct[stage], costs[stage]
        leaves = confidence >= upper[stage]
        may = leaves | (confidence == _below(record, stage, thresholds[stage], upper[stage]))
        most = np.where(leaves, right, most | (may & right))
        least = np.where(leaves, right, least & (~may | right))
        dearest = np.where(leaves, cost, np.where(may, np.maximum(dearest, cost), dearest))
        cheapest = np.where(leaves, cost, np.where(may, np.minimum(cheapest, cost), cheapest))
    full, n = record.count(record.baseline_correct), record.n
    weights = np.ones(record.entries, dtype=np.int64) if record.weights is None else record.weights
    spent = (int((weights * each).sum()) / (n * record.baseline_macs) for each in (dearest, cheapest))
    low, high = ((full - record.count(each)) / n for each in (most, least))
    return Open(drop=(low, high), saving=tuple(1 - share for share in spent))  # type: ignore[arg-type]


def a_step(record: Record, thresholds: NDArray[np.float32]) -> Open:
    """The same of every rule whose thresholds, each below one of these or equal to it, are above the next of the grid.

    Those are the rules that are put on these thresholds where samples have only places on the grid.
    """
    off = np.isinf(thresholds)
    return left_open(record, np.where(off, thresholds, np.nextafter(thresholds, np.float32(-np.inf))))


def widest_step(record: Record) -> float:
    """Greatest share of the samples that lie between two neighbours of a stage's grid; 0 of single samples."""
    if record.grid is None:
        return 0.0
    places = (np.searchsorted(grid, row) for grid, row in zip(record.grid, record.confidence[:-1], strict=True))
    of_each = (record.tally(place, len(grid))[:-1] for grid, place in zip(record.grid, places, strict=True))
    return max(int(counts.max(initial=0)) for counts in of_each) / record.n


def _below(record: Record, stage: int, threshold: np.float32, upper: np.float32) -> np.float32:
    """The value of the grid that samples reach which may reach a threshold; infinite where it is of the grid itself."""
    if record.grid is None or threshold == upper:
        return np.float32(np.inf)
    place = int(np.searchsorted(record.grid[stage], upper)) - 1
    return record.grid[stage][place] if place >= 0 else np.float32(np.inf)
