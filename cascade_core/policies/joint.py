"""Thresholds chosen jointly: the cheapest rule whose calibration drop stays within a limit.

Stages share one budget of mistakes instead of having a slack each, which is what makes this better
than the paper's rule.  The choice is exact on a grid of quantiles, for up to four stages.  It picks
the best of many rules on a finite sample, so the drop on fresh samples tends to lie a little above
the limit: show the drop measured on held-out samples beside it.
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
from cascade_core.policies.grid import GRID_SIZES, MAX_STAGES, GridEvaluation, evaluate_grid, quantile_grid
from cascade_core.record import Record

LARGEST_DROP = 0.05
"""End of the slider; few would give up more than five points."""


@dataclass(frozen=True)
class CheapestWithinDrop:
    """Least mean MACs among all rules on the grid whose accuracy drop on the record is within a limit.

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
        "Among all combinations of thresholds, the one that computes least while the whole cascade "
        "loses at most this much accuracy on the samples that thresholds are chosen on."
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
            ValueError: The record has more than four stages.
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
        """The rules at the drops `positions`: the grid is evaluated once for all."""
        grid = record_grid(record)
        full = int(record.correct[-1].sum())
        limits = np.asarray(positions, dtype=np.float64)
        return rule_path(record, limits, grid.rules(_cheapest(grid, full, record.n, limits)))


def record_grid(record: Record) -> GridEvaluation:
    """Every rule on the quantile grid of `record`.

    Raises:
        ValueError: The record has more stages than the grid can hold.
    """
    m = len(record.stages)
    if m > MAX_STAGES:
        raise ValueError(
            f"Expected at most {MAX_STAGES} stages for jointly chosen thresholds but the run has {m}; "
            f"use the paper's rule or a shared threshold"
        )
    return evaluate_grid(record, tuple(quantile_grid(c, GRID_SIZES[m]) for c in record.confidence[:-1]))


def _cheapest(grid: GridEvaluation, full: int, n: int, limits: NDArray[np.float64]) -> NDArray[np.int64]:
    """Flat grid position of the cheapest rule within each limit; among equals the most accurate."""
    drops = (full - grid.correct.ravel()) / n
    macs = grid.macs.ravel()
    order = np.lexsort((macs, drops))
    least = np.minimum.accumulate(macs[order])
    within = np.searchsorted(drops[order], limits, side="right") - 1
    if (within < 0).any():
        # Rounded up, so that the drop named is one that can be had.
        best = math.ceil(drops.min() * 1e4) / 1e4
        raise Infeasible(
            f"Expected a rule with an accuracy drop of at most {limits.min():.4f} but the best on these "
            f"{n} samples has {best:.4f}; ask for that or more"
        )
    # `least` never rises, so a search in its negative finds the first, most accurate rule at that cost.
    return order[np.searchsorted(-least, -least[within], side="left")]
