"""Exit shares that fall or rise geometrically from stage to stage, with the ratio that a budget asks for.

After "budgeted batch classification" of Huang et al., "Multi-Scale Dense Networks for Resource Efficient Image
Classification" (ICLR 2018): a share proportional to q^k of all samples is to leave at stage k, and each threshold is
the quantile, among the samples not yet gone, that lets so many leave.  q is found by bisection, so that the mean cost
on the calibration samples meets the budget.  Labels are never looked at: this works on samples that have none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import Positions, Slider, Sweep, rule_path
from cascade_core.policies.budget import BUDGET, BUDGET_SLIDER, refuse_below
from cascade_core.simulation.evaluation import count
from cascade_core.simulation.paths import RulePath
from cascade_core.simulation.record import Record

STEPS = 512
"""Ratios that bisection may end at, from 1 / `STEEPEST` to `STEEPEST` in equal factors; beyond them nothing leaves."""

STEEPEST = 1000.0


@dataclass(frozen=True)
class GeometricShares(Sweep):
    """Shares q^k of the samples leave at stage k, with the greatest q whose mean MACs are within a budget.

    Attributes:
        max_macs: Mean multiply-accumulates of a sample, >= 0.
    """

    max_macs: float = field(metadata=BUDGET)

    name: ClassVar[str] = "shares"
    title: ClassVar[str] = "Geometric exit shares within a budget"
    promise: ClassVar[str] = (
        "From stage to stage the share of samples that leave changes by the same factor, chosen so that samples cost "
        "at most this much computation on average; it needs no labels, and promises nothing on accuracy."
    )
    slider: ClassVar[Slider] = BUDGET_SLIDER

    @classmethod
    def positions(cls, record: Record, count: int) -> NDArray[np.float64]:
        """Budgets from the plain network's MACs down to the steepest ratio's."""
        ratios = _Ratios(record)
        return np.linspace(record.baseline_macs, ratios.macs(0), count)

    @classmethod
    def path(cls, record: Record, positions: Positions) -> RulePath:
        """The rules at the budgets `positions`; raises `Infeasible` below the cheapest.  No ratio is tried twice."""
        budgets, ratios = np.asarray(positions, dtype=np.float64), _Ratios(record)
        refuse_below(budgets, ratios.macs(0))
        chosen = [ratios.thresholds(ratios.within(budget)) for budget in budgets]
        return rule_path(record, budgets, np.array(chosen, dtype=np.float32).reshape(len(budgets), -1))


class _Ratios:
    """Rules of the ratios q, by number from the steepest fall (0) to no early exits (`STEPS`)."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.order = np.argsort(-record.confidence[:-1], axis=1, kind="stable")
        self.known: dict[int, tuple[NDArray[np.float32], float]] = {}

    def within(self, budget: float) -> int:
        """The greatest number, by bisection, whose mean MACs are within a budget."""
        if self.macs(STEPS) <= budget:
            return STEPS
        low, high = 0, STEPS
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.macs(middle) <= budget else (low, middle)
        return low

    def thresholds(self, number: int) -> NDArray[np.float32]:
        """(M-1,) of a ratio."""
        return self._rule(number)[0]

    def macs(self, number: int) -> float:
        """Mean MACs of a ratio."""
        return self._rule(number)[1]

    def _rule(self, number: int) -> tuple[NDArray[np.float32], float]:
        if number not in self.known:
            self.known[number] = self._computed(number)
        return self.known[number]

    def _computed(self, number: int) -> tuple[NDArray[np.float32], float]:
        record, m = self.record, len(self.record.stages)
        thresholds = np.full(m - 1, np.inf, dtype=np.float32)
        exits = np.full(record.entries, m - 1)
        if number < STEPS:
            logs = math.log(STEEPEST) * (2 * number / STEPS - 1) * np.arange(m)
            shares = np.exp(logs - logs.max())
            # Rounded as running sums, so that rounding errors do not add up.
            exit_counts = np.diff(np.round(np.cumsum(shares) / shares.sum() * record.n).astype(np.int64), prepend=0)
            for stage in range(m - 1):
                here = self.order[stage][exits[self.order[stage]] == m - 1]
                gone = np.arange(1, len(here) + 1) if record.weights is None else np.cumsum(record.weights[here])
                if exit_counts[stage] and len(here):
                    last = min(int(np.searchsorted(gone, exit_counts[stage])), len(here) - 1)
                    thresholds[stage] = record.confidence[stage, here[last]]
                    # Those as sure as the last of them leave with it.
                    confidence = record.confidence[stage, here]
                    exits[here[confidence >= thresholds[stage]]] = stage
        return thresholds, count(record, exits, np.append(thresholds < np.inf, True)).mean_macs
