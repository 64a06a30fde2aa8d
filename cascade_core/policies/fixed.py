"""Thresholds that the user brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import Policy, rule_path
from cascade_core.policies.parameters import thresholds
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record
from cascade_core.support import amounts, checks


@dataclass(frozen=True)
class FixedThresholds(Policy):
    """The thresholds as the user sets them, whatever the samples.

    Attributes:
        thresholds: M-1 numbers, first stage first; `inf` = never leave here.
    """

    thresholds: Sequence[float] | NDArray[np.floating] = field(
        metadata=thresholds(
            checks.numbers(amounts.confidence), "one for each stage but the last, a,b; inf = never leave there"
        )
    )

    name: ClassVar[str] = "fixed"
    title: ClassVar[str] = "Given thresholds"
    pools: ClassVar[bool] = False
    promise: ClassVar[str] = "The thresholds are yours; nothing is promised."

    def choose(self, record: Record) -> ExitRule:
        """The rule with these thresholds.

        Raises:
            ValueError: Their number is not the number of stages less one.
        """
        count = len(record.stages) - 1
        thresholds = checks.array("thresholds", self.thresholds, np.float32, "(stages - 1)", (count,))
        return rule_path(record, [0.0], thresholds[None]).rule(0)
