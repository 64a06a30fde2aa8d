"""Policies: ways to choose thresholds, one in a file, and the registry of their names.

To add one: write a frozen dataclass as `base.Policy` describes (or `base.Sweep`, for a slider), and
add it to `POLICIES`; the command line and the page offer what stands there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from cascade_core.policies.base import Infeasible, Policy, Slider, Sweep
from cascade_core.policies.budget import BestWithinBudget
from cascade_core.policies.by_class import PaperRuleByClass
from cascade_core.policies.certified import Certified
from cascade_core.policies.cheapest import CheapestUncorrected, CheapestWithinDrop
from cascade_core.policies.fixed import FixedThresholds
from cascade_core.policies.paper import PaperRule
from cascade_core.policies.shared import SharedThreshold
from cascade_core.policies.shares import GeometricShares
from cascade_core.policies.timed import BestWithinTime
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record

SWEEPS: dict[str, type[Sweep]] = {
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
    )
}

POLICIES: dict[str, type[Policy]] = {**SWEEPS, FixedThresholds.name: FixedThresholds}


def choose(record: Record, policy: Policy) -> ExitRule:
    """The rule that `policy` chooses on a calibration record.

    Raises:
        Infeasible: No rule fulfils the policy's parameters; the message names the best.
    """
    return policy.choose(record)


def describe(policy: Policy) -> dict[str, Any]:
    """Name and parameters of a policy, as JSON data; `inf` (never leave here) becomes None."""
    if isinstance(policy, BestWithinTime):
        values: dict[str, Any] = {"max_ms": policy.max_ms, "batch": policy.meter.batch}
    else:
        values = asdict(policy)  # type: ignore[call-overload]  # every policy is a dataclass
    return {"name": policy.name, "parameters": {key: _plain(value) for key, value in values.items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return None if math.isinf(value) else value


__all__ = [
    "POLICIES",
    "SWEEPS",
    "BestWithinBudget",
    "BestWithinTime",
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
    "Slider",
    "Sweep",
    "choose",
    "describe",
]
