"""The most accurate rule within a budget of milliseconds, where a profile says what stages take.

Time is not a sum over samples once batches are compacted, so that thresholds cannot be sought for it directly.  The
rules of `budget`, the most accurate for each amount of MACs, are tried instead, and the best of those in time is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from cascade_core.policies.base import Infeasible, Policy
from cascade_core.policies.budget import BestWithinBudget
from cascade_core.policies.parameters import number
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import Milliseconds, along
from cascade_core.simulation.paths import evaluate_path
from cascade_core.simulation.record import Record

TRIED = 401
"""Rules that are tried, from the plain network to the cheapest there is."""


@dataclass(frozen=True, kw_only=True)
class BestWithinTime(Policy):
    """Greatest accuracy among the rules of `BestWithinBudget` that are expected to take at most some milliseconds.

    Attributes:
        max_ms: Mean milliseconds of a sample, >= 0.
        meter: The profile, the batch size, and whether survivors are compacted.
    """

    max_ms: float = field(metadata=number(0.0, 1e12, "mean milliseconds of a sample, as profile measured"))
    meter: Milliseconds

    name: ClassVar[str] = "budget"
    title: ClassVar[str] = BestWithinBudget.title
    promise: ClassVar[str] = BestWithinBudget.promise

    def choose(self, record: Record) -> ExitRule:
        """The rule for the calibration samples of `record`.

        Raises:
            Infeasible: No rule is as fast.
            ValueError: The profile is of other stages.
        """
        path = BestWithinBudget.path(record, BestWithinBudget.positions(record, TRIED))
        result = evaluate_path(record, path)
        taken = along(self.meter, result)
        within = taken <= self.max_ms
        if not within.any():
            raise Infeasible(
                f"Expected a rule of at most {self.max_ms:g} milliseconds a sample at batch {self.meter.batch} but the "
                f"fastest takes {taken.min():.4g}; ask for that or more"
            )
        # Of equally accurate rules the fastest.
        best = np.lexsort((taken, -np.where(within, result.accuracy, -1.0)))[0]
        return path.rule(int(best))
