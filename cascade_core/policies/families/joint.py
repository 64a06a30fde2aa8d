"""Thresholds of all stages chosen together: the cheapest within a drop on the samples given.

Stages share one budget of mistakes instead of having a slack each, which is what makes this better
than the paper's rule.  The choice is exact on a grid of quantiles for up to four stages; for more it
is found by search, which starts from rules of the simpler policies and is no worse than those.

Nothing here corrects for having picked the best of many rules on a finite sample; see `crossfitting`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.families.grid import GRID_SIZES, evaluate_grid, quantile_grid
from cascade_core.policies.families.search import search
from cascade_core.policies.paper import PaperRule
from cascade_core.policies.shared import SharedThreshold
from cascade_core.simulation.record import Record

STARTS = 21
"""Rules of each simpler policy that the search starts from."""

SEARCHED = 1 << 17
"""Samples that are searched on where there are weighted entries of them."""

Thresholds = NDArray[np.float32]


def on_grid(record: Record) -> bool:
    """Whether a record has so few stages that every rule on the quantile grid can be weighed."""
    return len(record.stages) in GRID_SIZES


LIMITS = np.concatenate([-0.02 * np.linspace(1.0, 0.0, 33)[:-1] ** 2, 0.4 * np.linspace(0.0, 1.0, 193) ** 2])
"""Drops on the samples that are chosen on, from safest to boldest, denser where they are small."""


def jointly(record: Record) -> Thresholds:
    """(G, M-1) the cheapest thresholds within each of `LIMITS`."""
    return cheapest_within(record, LIMITS)[0]


def grid_of(record: Record) -> tuple[Thresholds, ...]:
    """The quantile grid of each stage but the last."""
    size = GRID_SIZES[len(record.stages)]
    return tuple(quantile_grid(confidence, size, record.weights) for confidence in record.confidence[:-1])


def cheapest_within(record: Record, limits: NDArray[np.float64], starts: int = STARTS) -> tuple[Thresholds, float]:
    """The cheapest rules within accuracy drops on `record`.

    Args:
        limits: (G,) fractions.
        starts: Rules of each simpler policy that a search starts from.

    Returns:
        (G, M-1) thresholds, and the least drop that can be had; rows whose limit is below it hold a rule that has it.
    """
    record = _charged(record)
    if not on_grid(record):
        singles = record if record.weights is None else record.drawn(SEARCHED)
        return search(singles, limits, simpler_rules(record, starts))
    grid = evaluate_grid(record, grid_of(record))
    drops = grid.drops(record.count(record.baseline_correct), record.n)
    return grid.rules(first_best(drops, grid.macs.ravel(), limits)), float(drops.min())


def _charged(record: Record) -> Record:
    """The record with heads that later answers pool as parts of the trunk, as they are run in any case."""
    if record.pool is None or not record.pool.used_later.any():
        return record
    stages = tuple(
        replace(stage, trunk_macs=stage.trunk_macs + stage.head_macs, head_macs=0) if used else stage
        for stage, used in zip(record.stages, record.pool.used_later, strict=True)
    )
    everything = sum(stage.trunk_macs for stage in stages) + stages[-1].head_macs
    return replace(record, stages=stages, baseline_macs=everything)


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
