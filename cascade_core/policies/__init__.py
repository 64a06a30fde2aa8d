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

from cascade_core.exits import ExitRule
from cascade_core.policies.base import Infeasible, Policy, Slider, Sweep
from cascade_core.policies.fixed import FixedThresholds
from cascade_core.policies.joint import CheapestWithinDrop
from cascade_core.policies.paper import PaperRule
from cascade_core.policies.shared import SharedThreshold
from cascade_core.record import Record

POLICIES: dict[str, type[Policy]] = {
    policy.name: policy for policy in (CheapestWithinDrop, PaperRule, SharedThreshold, FixedThresholds)
}

SWEEPS: dict[str, type[Sweep]] = {policy.name: policy for policy in (CheapestWithinDrop, PaperRule, SharedThreshold)}


def choose(record: Record, policy: Policy) -> ExitRule:
    """The rule that `policy` chooses on a calibration record.

    Raises:
        Infeasible: No rule fulfils the policy's parameters; the message names the best.
    """
    return policy.choose(record)


def describe(policy: Policy) -> dict[str, Any]:
    """Name and parameters of a policy, as JSON data; `inf` (never leave here) becomes None."""
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
    "CheapestWithinDrop",
    "FixedThresholds",
    "Infeasible",
    "PaperRule",
    "Policy",
    "SharedThreshold",
    "Slider",
    "Sweep",
    "choose",
    "describe",
]
