"""What stages cost in some unit, batch by batch, and the mean cost of a sample that follows from it.

How many samples of a batch reach a stage is a binomial number.  With compaction a stage is computed for those that do;
without, for the whole batch if there is any, so that savings vanish as batches grow.  Costs that add up sample by
sample (MACs, dollars a call) are those of batches of one.  Every `Meter` has a table; browsers compute from it too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.evaluation import Evaluation
from cascade_core.support import checks

Costs = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class CostTable:
    """Costs of every stage for 0 (nothing), 1, ... up to a whole batch of samples.

    Attributes:
        trunk: (M, batch + 1) of each stage's trunk piece.
        head: (M, batch + 1) of each stage's head, charged where it is run (see `ExitRule.active`).
        pool: (M, batch + 1) of what a pooled answer takes beyond the stage's own, charged where samples leave, and at
            the last stage.
        plain: Of a sample in the plain network, which is all that is run where no head but the last is active.
        batch: Samples that enter the cascade together.
        compaction: Whether a stage is computed for the samples that reach it only, or for the whole batch if any does.

    Raises:
        ValueError: A shape does not fit, or a cost is not a number >= 0.
    """

    trunk: Costs
    head: Costs
    pool: Costs
    plain: float
    batch: int = 1
    compaction: bool = True

    def __post_init__(self) -> None:
        checks.whole("batch", self.batch, 1, 1 << 16)
        shape = (len(self.trunk), self.batch + 1)
        for name in ("trunk", "head", "pool"):
            values = checks.array(name, getattr(self, name), np.float64, "(stages, batch + 1)", shape)
            if not (np.isfinite(values) & (values >= 0)).all():
                raise ValueError(f"Expected {name} to be costs >= 0 but some are not")
            object.__setattr__(self, name, values)

    def mean(self, result: Evaluation) -> float:
        """Mean cost of a sample under one rule."""
        if not result.active[:-1].any():
            return self.plain
        total = 0.0
        for costs, share in zip(self._stages(result), reaching(result), strict=True):
            survivors = binomial(self.batch, float(share))
            total += float(survivors @ costs if self.compaction else (1 - survivors[0]) * costs[-1])
        return total / self.batch

    @property
    def full(self) -> Costs:
        """(M,) cost of a sample at each stage where whole batches reach it and its head is run."""
        costs: Costs = (self.trunk + self.head)[:, -1] / self.batch
        return costs

    def by_exit(self, result: Evaluation) -> Costs:
        """(M,) what a sample costs that leaves at each stage, in whole batches, under one rule."""
        if not result.active[:-1].any():
            return np.full(len(self.trunk), self.plain)
        return np.cumsum(self._stages(result)[:, -1]) / self.batch

    def _stages(self, result: Evaluation) -> Costs:
        """(M, batch + 1) of each stage with what is run of its head and pool."""
        pools = np.append(result.exit_counts[:-1] > 0, True) & result.pooled
        return self.trunk + self.head * result.active[:, None] + self.pool * pools[:, None]


def single(trunk: Costs, head: Costs, plain: float) -> CostTable:
    """The table of (M,) costs that add up sample by sample; pooling answers costs nothing."""
    none = np.zeros(len(trunk))
    first, second, third = (np.stack([none, costs], axis=1) for costs in (trunk, head, none))
    return CostTable(trunk=first, head=second, pool=third, plain=plain)


def reaching(result: Evaluation) -> Costs:
    """(M,) share of the samples that reach each stage, under one rule."""
    shares: Costs = np.clip(np.append(1.0, 1.0 - np.cumsum(result.exit_shares)[:-1]), 0.0, 1.0)
    return shares


def binomial(n: int, p: float) -> Costs:
    """(n + 1,) probabilities of 0, 1, ..., n successes of n."""
    if p <= 0 or p >= 1:
        return (np.arange(n + 1) == (n if p >= 1 else 0)).astype(np.float64)
    k = np.arange(n + 1)
    ways = np.array([math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) for i in k])
    return np.exp(ways + k * math.log(p) + (n - k) * math.log1p(-p))
