"""What single samples cost, where that differs from one to the next: tokens, seconds, dollars of each stage's call.

A sample pays for every stage that it passes; of stages that are models of their own one is passed over, and not paid,
where no sample may leave.  Means and percentiles of what was paid are told by `sample_costs.SampleCosts`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.support import checks


@dataclass(frozen=True, kw_only=True, eq=False)
class Paid:
    """What samples paid under one rule.

    Attributes:
        cascade: (n,) in the cascade.
        plain: (n,) what the plain network would have cost.
        exits: (n,) stages at which they left.
    """

    cascade: NDArray[np.float64]
    plain: NDArray[np.float64]
    exits: NDArray[np.int64]

    def take(self, index: NDArray[np.bool_]) -> Paid:
        """That of some samples."""
        return Paid(cascade=self.cascade[index], plain=self.plain[index], exits=self.exits[index])


@dataclass(frozen=True, kw_only=True, eq=False)
class Spending:
    """What each sample costs at each stage.

    Attributes:
        stages: (M, N) float64, 0 or more: what each stage adds.
        plain: (N,) float64, what the plain network costs; without it, the last stage alone where stages are models of
            their own, else all of them.
        separate: Whether each stage is a model of its own, as `OwnCosts` has it.

    Raises:
        ValueError: A shape does not fit, or a cost is not a number of 0 or more.
    """

    stages: NDArray[np.float64]
    plain: NDArray[np.float64] = None  # type: ignore[assignment]  # filled in below, never None afterwards
    separate: bool = False

    def __post_init__(self) -> None:
        stages = checks.array("costs", self.stages, np.float64, "(stages, samples)", (None, None))
        for stage, sample in np.argwhere(~(np.isfinite(stages) & (stages >= 0)))[:1]:
            value = stages[stage, sample]
            raise ValueError(f"Expected costs of 0 or more but stage {stage}, sample {sample} has {value:g}")
        put = object.__setattr__
        put(self, "stages", stages)
        usual = stages[-1] if self.separate else stages.sum(axis=0)
        plain = usual if self.plain is None else self.plain
        put(self, "plain", checks.array("plain", plain, np.float64, "(samples)", stages.shape[1:]))

    def take(self, index: NDArray[np.int64]) -> Spending:
        """That of the samples at `index` (n,), in that order."""
        return Spending(stages=self.stages[:, index], plain=self.plain[index], separate=self.separate)

    def paid(self, exits: NDArray[np.int64], active: NDArray[np.bool_]) -> Paid:
        """What samples pay that leave at the stages `exits` (N,), where the heads `active` (M,) are run."""
        if not active[:-1].any():
            return Paid(cascade=self.plain, plain=self.plain, exits=exits)
        asked = self.stages * active[:, None] if self.separate else self.stages
        upto = np.cumsum(asked, axis=0)[exits, np.arange(len(exits))]
        return Paid(cascade=upto, plain=self.plain, exits=exits)
