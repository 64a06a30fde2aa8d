"""The most accurate rule whose mean computation stays within a budget."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import Infeasible, Positions, Slider, Sweep, rule_path
from cascade_core.policies.joint import best_within
from cascade_core.policies.parameters import number
from cascade_core.simulation.paths import RulePath
from cascade_core.simulation.record import MAX_MACS, Record, exit_costs

BUDGET = number(0.0, float(MAX_MACS), "mean MACs of a sample")


_LABEL = "computation that may be spent"
BUDGET_SLIDER = Slider(
    parameter="max_macs", label=_LABEL, unit="% of the MACs", scale=100, decimals=1, opening=0.5, relative=True
)
"""Over mean MACs, shown in percent of the plain network's."""


@dataclass(frozen=True)
class BestWithinBudget(Sweep):
    """Greatest accuracy among all rules tried whose mean MACs on the calibration samples are within a budget.

    Attributes:
        max_macs: Mean multiply-accumulates of a sample, >= 0.
    """

    max_macs: float = field(metadata=BUDGET)

    name: ClassVar[str] = "budget"
    title: ClassVar[str] = "Most accurate within a budget"
    promise: ClassVar[str] = (
        "Thresholds of all stages chosen together: those that are right most often while samples cost at most this "
        "much computation on average."
    )
    slider: ClassVar[Slider] = BUDGET_SLIDER

    @classmethod
    def positions(cls, record: Record, count: int) -> NDArray[np.float64]:
        """Budgets from the plain network's MACs down to leaving all at the cheapest stage."""
        m = len(record.stages)
        one_head_on = exit_costs(record.stages, np.eye(m, dtype=bool), record.baseline_macs)
        return np.linspace(record.baseline_macs, one_head_on.diagonal().min(), count)

    @classmethod
    def path(cls, record: Record, positions: Positions) -> RulePath:
        """The rules at the budgets `positions`, chosen all at once; raises `Infeasible` below the cheapest there is."""
        budgets = np.asarray(positions, dtype=np.float64)
        thresholds, least = best_within(record, budgets)
        refuse_below(budgets, least)
        return rule_path(record, budgets, thresholds)


def refuse_below(budgets: NDArray[np.float64], least: float) -> None:
    """Raise Infeasible if a budget is below the least that can be had."""
    if len(budgets) and budgets.min() < least:
        raise Infeasible(
            f"Expected a rule of at most {budgets.min():,.0f} MACs but the cheapest takes {math.ceil(least):,}; "
            "ask for that or more"
        )
