"""Thresholds of all stages chosen together, on the samples given: the cheapest within a drop, the best within a budget.

Stages share one budget of mistakes instead of having a slack each, which is what makes this better
than the paper's rule.  The choice is exact on a grid of quantiles for up to four stages; for more it
is found by search, which starts from rules of the simpler policies and is no worse than those.

Nothing here corrects for having picked the best of many rules on a finite sample; see `optimism`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.grid import GRID_SIZES, GridEvaluation, evaluate_grid, quantile_grid
from cascade_core.policies.paper import PaperRule
from cascade_core.policies.search import Aim, search
from cascade_core.policies.shared import SharedThreshold
from cascade_core.simulation.record import Record

STARTS = 21
"""Rules of each simpler policy that the search starts from."""

Thresholds = NDArray[np.float32]


def on_grid(record: Record) -> bool:
    """Whether a record has so few stages that every rule on the quantile grid can be weighed."""
    return len(record.stages) in GRID_SIZES


def grid_of(record: Record) -> tuple[Thresholds, ...]:
    """The quantile grid of each stage but the last."""
    size = GRID_SIZES[len(record.stages)]
    return tuple(quantile_grid(confidence, size) for confidence in record.confidence[:-1])


def cheapest_within(record: Record, limits: NDArray[np.float64], starts: int = STARTS) -> tuple[Thresholds, float]:
    """The cheapest rules within accuracy drops on `record`.

    Args:
        limits: (G,) fractions.
        starts: Rules of each simpler policy that a search starts from.

    Returns:
        (G, M-1) thresholds, and the least drop that can be had; rows whose limit is below it hold a rule that has it.
    """
    if not on_grid(record):
        return search(record, limits, simpler_rules(record, starts))
    grid = evaluate_grid(record, grid_of(record))
    drops = grid.drops(int(record.correct[-1].sum()), record.n)
    return grid.rules(first_best(drops, grid.macs.ravel(), limits)), float(drops.min())


def best_within(record: Record, budgets: NDArray[np.float64]) -> tuple[Thresholds, float]:
    """The most accurate rules within mean MACs on `record`.

    Args:
        budgets: (G,) MACs of a sample.

    Returns:
        (G, M-1) thresholds, and the least mean MACs that can be had; rows whose budget is below hold a rule of those.
    """
    totals = np.asarray(budgets) * record.n
    if not on_grid(record):
        thresholds, least = search(record, totals, simpler_rules(record), Aim.MOST_ACCURATE)
        return thresholds, least / record.n
    grid = evaluate_grid(record, grid_of(record))
    macs = grid.macs.ravel()
    drops = grid.drops(int(record.correct[-1].sum()), record.n)
    return grid.rules(first_best(macs, drops, totals)), float(macs.min()) / record.n


def first_best(
    bounded: NDArray[np.generic], merit: NDArray[np.generic], limits: NDArray[np.float64]
) -> NDArray[np.int64]:
    """(G,) numbers of the entries of least `merit` whose `bounded` is within each limit, of equals the lowest there."""
    order = np.lexsort((merit, bounded))
    least = np.minimum.accumulate(merit[order])
    # Below all entries, the first stands for the nearest.
    within = np.maximum(np.searchsorted(bounded[order], limits, side="right") - 1, 0)
    # `least` never rises, so a search in its negative finds the first entry that has it.
    return order[np.searchsorted(-least, -least[within], side="left")]


def simpler_rules(record: Record, count: int = STARTS) -> Iterator[Thresholds]:
    """Rules of the simpler policies, (M-1,) each."""
    for policy in (PaperRule, SharedThreshold):
        yield from policy.path(record, policy.positions(record, count)).thresholds


def on_folds(record: Record, folds: list[NDArray[np.int64]]) -> tuple[GridEvaluation, ...]:
    """The grid of the whole record, evaluated on each part of it alone."""
    grid = grid_of(record)
    return tuple(evaluate_grid(record.take(np.sort(fold)), grid) for fold in folds)
