"""Policies: ways to choose thresholds, one in a file, and the registry of their names.

To add one, write a file with a frozen dataclass derived from `base.Policy` (or from `base.Sweep`, for a slider), and
add the class to `POLICIES` here.  That is all: its fields say how they are read, checked and explained (`parameters`),
so that the command line has their flags and exported choices their values; a sweep is offered by the page, compared
with the others, written into reports, and held to the shared check of the tests.
"""

from __future__ import annotations

from cascade_core.policies.base import Infeasible, Policy, Slider, Sweep, describe
from cascade_core.policies.budget import BestWithinBudget
from cascade_core.policies.by_class import PaperRuleByClass
from cascade_core.policies.certified import Certified
from cascade_core.policies.cheapest import CheapestUncorrected, CheapestWithinDrop
from cascade_core.policies.fixed import FixedThresholds
from cascade_core.policies.paper import PaperRule
from cascade_core.policies.priced import BestWithinCost, SharesWithinCost, WithinCost, describe_in
from cascade_core.policies.shared import SharedThreshold
from cascade_core.policies.shares import GeometricShares
from cascade_core.policies.tuning import Tuned, tune
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record

POLICIES: dict[str, type[Policy]] = {
    policy.name: policy
    for policy in (
        CheapestWithinDrop,
        Certified,
        BestWithinBudget,
        PaperRule,
        PaperRuleByClass,
        SharedThreshold,
        GeometricShares,
        CheapestUncorrected,
        FixedThresholds,
    )
}
"""All policies by name, in the order in which they are offered."""

SWEEPS: dict[str, type[Sweep]] = {name: policy for name, policy in POLICIES.items() if issubclass(policy, Sweep)}
"""Those that a slider can walk along: what the page, comparisons and reports offer."""

PRICED: dict[str, type[WithinCost]] = {policy.name: policy for policy in (BestWithinCost, SharesWithinCost)}
"""What the policies of these names are where costs are not counted in MACs."""


def choose(record: Record, policy: Policy) -> ExitRule:
    """The rule that `policy` chooses on a calibration record.

    Raises:
        Infeasible: No rule fulfils the policy's parameters; the message names the best.
    """
    return policy.choose(record)


__all__ = [
    "POLICIES",
    "PRICED",
    "SWEEPS",
    "BestWithinBudget",
    "BestWithinCost",
    "Certified",
    "CheapestUncorrected",
    "CheapestWithinDrop",
    "FixedThresholds",
    "GeometricShares",
    "Infeasible",
    "PaperRule",
    "PaperRuleByClass",
    "Policy",
    "SharedThreshold",
    "SharesWithinCost",
    "Slider",
    "Sweep",
    "Tuned",
    "choose",
    "describe",
    "describe_in",
    "tune",
]
