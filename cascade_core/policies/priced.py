"""Policies in another unit than MACs: milliseconds, or costs of the user's own.

Thresholds are sought on a record whose stages are `meters.priced`: its costs are the meter's, what stages cost in whole
batches.  What a rule then costs is exact.  For costs that add up sample by sample both are the same; survivors of a
batch take longer each, and so a budget is met by the safest of its policy's rules whose own cost is within it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import NO_OTHERS, Infeasible, Policy, Sweep, describe
from cascade_core.policies.budget import BestWithinBudget
from cascade_core.policies.parameters import number
from cascade_core.policies.shares import GeometricShares
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import MACS, Meter, along
from cascade_core.simulation.paths import RulePath, evaluate_path
from cascade_core.simulation.record import Record

TRIED = 401
"""Rules that a budget is met with, from the plain network to the cheapest there is."""


@dataclass(frozen=True, kw_only=True)
class WithinCost(Policy):
    """A policy whose budget is in the unit of a meter.

    Attributes:
        max_cost: Mean cost of the meter's `per` samples, >= 0.
        cost: The meter.
        budget: The same policy with a budget of MACs.
    """

    max_cost: float = field(metadata=number(0.0, 1e15, "mean cost of a sample, or of as many as costs are told of"))
    cost: Meter

    budget: ClassVar[type[Sweep]]

    def choose(self, record: Record) -> ExitRule:
        """The rule for a record that is priced by the meter.

        Raises:
            Infeasible: No rule is as cheap.
            ValueError: The meter is of other stages.
        """
        path, costs = _tried(self.budget, record, self.cost)
        if costs.min() > self.max_cost:
            raise Infeasible(
                f"Expected a rule of at most {self.max_cost:g} {told(self.cost)} but the cheapest takes "
                f"{costs.min():.4g}; ask for that or more"
            )
        return path.rule(int((costs <= self.max_cost).argmax()))


@dataclass(frozen=True, kw_only=True)
class BestWithinCost(WithinCost):
    """The most accurate rule whose mean cost is within a budget, in the unit of a meter."""

    name: ClassVar[str] = BestWithinBudget.name
    title: ClassVar[str] = BestWithinBudget.title
    promise: ClassVar[str] = BestWithinBudget.promise
    budget: ClassVar[type[Sweep]] = BestWithinBudget


@dataclass(frozen=True, kw_only=True)
class SharesWithinCost(WithinCost):
    """Exit shares that change by the same factor from stage to stage, within a budget in the unit of a meter."""

    name: ClassVar[str] = GeometricShares.name
    title: ClassVar[str] = GeometricShares.title
    promise: ClassVar[str] = GeometricShares.promise
    budget: ClassVar[type[Sweep]] = GeometricShares


def sweep(
    policy: type[Sweep], record: Record, meter: Meter, count: int, others: Mapping[str, Any] = NO_OTHERS
) -> RulePath:
    """The rules of a policy at `count` positions; those of a budget are in the meter's unit.

    Args:
        record: Priced by the meter.
        others: Parameters of the policy beside the slider's.
    """
    if meter is MACS or not policy.slider.relative:
        return policy.path(record, policy.positions(record, count), **others)
    path, costs = _tried(policy, record, meter)
    budgets = np.linspace(costs[0], costs.min(), count)
    return replace(path.take((costs <= budgets[:, None]).argmax(axis=1)), positions=budgets)


def told(meter: Meter) -> str:
    """The unit of a meter, and of how many samples: "milliseconds a sample", "dollars per 1,000 samples"."""
    return f"{meter.unit} {'a sample' if meter.per == 1 else f'per {meter.per:,} samples'}"


def describe_in(policy: Policy, meter: Meter, in_every: str | None = None) -> dict[str, Any]:
    """Name and parameters of a policy, as JSON data.

    With them stands the unit that it counted costs in where that is not MACs, and what divides samples into groups
    where its limit was to hold in every one.
    """
    described = describe(policy)
    costs = {} if meter is MACS else {"cost": meter.describe()}
    groups = {} if in_every is None else {"in_every": in_every}
    return described | {"parameters": described["parameters"] | costs | groups}


def _tried(policy: type[Sweep], record: Record, meter: Meter) -> tuple[RulePath, NDArray[np.float64]]:
    """`TRIED` rules of a budget policy, from the safest, and their mean costs on the calibration samples."""
    path = policy.path(record, policy.positions(record, TRIED))
    return path, along(meter, evaluate_path(record, path))
