"""The most accurate rule whose mean computation stays within a budget."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import Infeasible, Positions, Slider, Sweep, rule_path
from cascade_core.policies.parameters import number
from cascade_core.policies.selection import drawn, select
from cascade_core.simulation.paths import RulePath, evaluate_path
from cascade_core.simulation.record import Record
from cascade_core.simulation.stages import MAX_MACS, exit_costs

BUDGET = number(0.0, float(MAX_MACS), "mean MACs of a sample")


_LABEL = "computation that may be spent"
BUDGET_SLIDER = Slider(
    parameter="max_macs", label=_LABEL, unit="% of the MACs", scale=100, decimals=1, opening=0.5, relative=True
)
"""Over mean MACs, shown in percent of the plain network's."""


@dataclass(frozen=True)
class BestWithinBudget(Sweep):
    """Greatest accuracy to be expected among rules whose mean MACs on the calibration samples are within a budget.

    The rules are those of the family that `selection` chooses, the plain network, and leaving all at one stage.

    Attributes:
        max_macs: Mean multiply-accumulates of a sample, >= 0.
    """

    max_macs: float = field(metadata=BUDGET)

    name: ClassVar[str] = "budget"
    selects: ClassVar[bool] = True
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
        budgets, (rules, drops) = np.asarray(positions, dtype=np.float64), _candidates(record)
        macs = evaluate_path(drawn(record), rules).mean_macs
        refuse_below(budgets, float(macs.min()))
        # Of those within a budget the most accurate, of equals the cheapest.
        order = np.lexsort((macs, drops))
        chosen = order[(macs[order] <= budgets[:, None]).argmax(axis=1)]
        return replace(rules.take(chosen), positions=budgets)


def _candidates(record: Record) -> tuple[RulePath, NDArray[np.float64]]:
    """The plain network, leaving all at one stage, and the rules of the chosen family; and the drop of each."""
    early = len(record.stages) - 1
    at_once = np.full((early + 1, early), np.inf, dtype=np.float32)
    for stage in range(early):
        at_once[stage + 1, stage] = record.confidence[stage].min()
    drops = np.append(0.0, record.baseline_accuracy - record.stage_accuracy[:-1])
    selection = select(record)
    if selection is not None:
        family = selection.chosen
        if family.thresholds.ndim == 3:
            at_once = np.repeat(at_once[:, :, None], family.thresholds.shape[2], axis=2)
        at_once = np.concatenate([at_once, family.thresholds])
        drops = np.append(drops, family.drops)
    places = np.arange(len(drops))
    return rule_path(record, places, at_once, places == 0), drops


def refuse_below(budgets: NDArray[np.float64], least: float) -> None:
    """Raise Infeasible if a budget is below the least that can be had."""
    if len(budgets) and budgets.min() < least:
        raise Infeasible(
            f"Expected a rule of at most {budgets.min():,.0f} MACs but the cheapest takes {math.ceil(least):,}; "
            "ask for that or more"
        )
