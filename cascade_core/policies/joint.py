"""Thresholds chosen jointly: the cheapest rule whose calibration drop stays within a limit.

Stages share one budget of mistakes instead of having a slack each, which is what makes this better
than the paper's rule.  The choice is exact on a grid of quantiles for up to four stages; for more it
is found by search, which starts from rules of the simpler policies and is no worse than those.  It
picks the best of many rules on a finite sample, so the drop on fresh samples tends to lie a little
above the limit: show the drop measured on held-out samples beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cascade_core import _check
from cascade_core.exits import ExitRule
from cascade_core.paths import RulePath
from cascade_core.policies.base import Infeasible, Slider, rule_path
from cascade_core.policies.grid import GRID_SIZES, GridEvaluation, evaluate_grid, quantile_grid
from cascade_core.policies.paper import PaperRule
from cascade_core.policies.search import search
from cascade_core.policies.shared import SharedThreshold
from cascade_core.record import Record

STARTS = 41
"""Rules of each simpler policy that the search starts from."""

LARGEST_DROP = 0.05
"""End of the slider; few would give up more than five points."""


@dataclass(frozen=True)
class CheapestWithinDrop:
    """Least mean MACs among all rules tried whose accuracy drop on the record is within a limit.

    Attributes:
        max_drop: Accuracy to give up against the last stage, a fraction in [-1, 1]; a negative one
            asks for a gain.

    Raises:
        ValueError: `max_drop` is outside [-1, 1].
    """

    max_drop: float

    name: ClassVar[str] = "cheapest"
    title: ClassVar[str] = "Cheapest within a drop"
    parameter_help: ClassVar[str] = "accuracy to give up, a fraction: 0.01 = one point"
    promise: ClassVar[str] = (
        "Thresholds of all stages chosen together: of those tried, the ones that compute least while the whole "
        "cascade loses at most this much accuracy on the samples that they are chosen on."
    )
    slider: ClassVar[Slider] = Slider(
        parameter="max_drop", label="acceptable accuracy drop", unit="points", scale=100, decimals=1, opening=0.01
    )

    def __post_init__(self) -> None:
        _check.in_range("max_drop", self.max_drop, -1.0, 1.0)

    def choose(self, record: Record) -> ExitRule:
        """The rule at `max_drop`.

        Raises:
            Infeasible: A gain is asked for that no rule reaches.
        """
        return self.path(record, [self.max_drop]).rule(0)

    @classmethod
    def positions(cls, record: Record, count: int) -> NDArray[np.float64]:
        """Drops from 0 to where nothing more can be saved, in half points, five points at the most."""
        worst = float(record.stage_accuracy[-1] - record.stage_accuracy.min())
        end = min(LARGEST_DROP, max(0.005, math.ceil(worst * 200) / 200))
        return np.linspace(0.0, end, count)

    @classmethod
    def path(cls, record: Record, positions: Sequence[float] | NDArray[np.float64]) -> RulePath:
        """The rules at the drops `positions`, found all at once: on the grid, or beyond four stages by search."""
        limits = np.asarray(positions, dtype=np.float64)
        exact = len(record.stages) in GRID_SIZES
        thresholds, least = (_on_grid if exact else _by_search)(record, limits)
        if len(limits) and limits.min() < least:
            # Rounded up, so that the drop named is one that can be had.
            raise Infeasible(
                f"Expected a rule with an accuracy drop of at most {limits.min():.4f} but the best on these "
                f"{record.n} samples has {math.ceil(least * 1e4) / 1e4:.4f}; ask for that or more"
            )
        return rule_path(record, limits, thresholds)


def record_grid(record: Record) -> GridEvaluation:
    """Every rule on the quantile grid of `record`, which has up to four stages."""
    size = GRID_SIZES[len(record.stages)]
    return evaluate_grid(record, tuple(quantile_grid(c, size) for c in record.confidence[:-1]))


def _on_grid(record: Record, limits: NDArray[np.float64]) -> tuple[NDArray[np.float32], float]:
    """(G, M-1) thresholds of the cheapest rule on the grid within each limit, and the least drop there."""
    grid = record_grid(record)
    drops = (int(record.correct[-1].sum()) - grid.correct.ravel()) / record.n
    macs = grid.macs.ravel()
    order = np.lexsort((macs, drops))
    least = np.minimum.accumulate(macs[order])
    within = np.maximum(np.searchsorted(drops[order], limits, side="right") - 1, 0)
    # `least` never rises, so a search in its negative finds the first, most accurate rule at that cost.
    return grid.rules(order[np.searchsorted(-least, -least[within], side="left")]), float(drops.min())


def _by_search(record: Record, limits: NDArray[np.float64]) -> tuple[NDArray[np.float32], float]:
    """The same for any number of stages, found by search from the simpler policies' rules among others."""
    simpler = (policy.path(record, policy.positions(record, STARTS)) for policy in (PaperRule, SharedThreshold))
    return search(record, limits, (rule for path in simpler for rule in path.thresholds))
