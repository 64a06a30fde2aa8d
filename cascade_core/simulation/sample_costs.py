"""A meter of costs that differ from sample to sample: what each sample really paid, its mean and percentiles.

Thresholds are sought by the stages' mean costs; what a rule costs is summed over the samples that it was evaluated on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.cost_table import CostTable
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.own_costs import WHOLE, OwnCosts
from cascade_core.simulation.record import Record
from cascade_core.simulation.spending import Paid, Spending

PERCENTILES = (0.5, 0.95, 0.99)
"""Shares of the samples that cost no more than is shown."""


def mean_costs(unit: str, per: int, stage_names: tuple[str, ...], spending: Spending) -> OwnCosts:
    """The stages' means over all samples, of `per` samples as `spending` has them."""
    return OwnCosts(
        unit=unit,
        per=per,
        stage_names=stage_names,
        stages=tuple({WHOLE: float(cost)} for cost in spending.stages.mean(axis=1)),
        plain_parts={WHOLE: float(spending.plain.mean())},
        separate=spending.separate,
    )


def percentiles_by_stage(spending: Spending) -> NDArray[np.float64]:
    """(3, M) what the shares `PERCENTILES` of all samples cost at most at each stage."""
    return np.quantile(spending.stages, PERCENTILES, axis=1, method="inverted_cdf")


@dataclass(frozen=True)
class SampleCosts:
    """Costs that samples really paid.

    Attributes:
        means: The stages' mean costs, with their unit.
    """

    means: OwnCosts

    @property
    def unit(self) -> str:
        """A plural noun."""
        return self.means.unit

    @property
    def noun(self) -> str:
        """What a saving is one of."""
        return self.means.noun

    @property
    def per(self) -> int:
        """Samples that costs are of."""
        return self.means.per

    def describe(self) -> dict[str, Any]:
        """As files of costs have the means."""
        return self.means.describe()

    def mean(self, result: Evaluation) -> float:
        """Mean of what samples paid; of records without such costs, what the means let expect."""
        return self.means.mean(result) if result.paid is None else float(_paid(result).cascade.mean())

    def plain(self, result: Evaluation) -> float:
        """Mean of what they would have paid in the plain network."""
        return self.means.plain(result) if result.paid is None else float(_paid(result).plain.mean())

    def by_exit(self, result: Evaluation) -> NDArray[np.float64]:
        """(M,) mean of what those paid that left at each stage; where none did, what the means let expect."""
        expected = self.means.by_exit(result)
        if result.paid is None:
            return expected
        paid, m = _paid(result), len(expected)
        counts = np.bincount(paid.exits, minlength=m)
        sums = np.bincount(paid.exits, weights=paid.cascade, minlength=m)
        return np.where(counts > 0, sums / np.maximum(counts, 1), expected)

    def table(self, record: Record) -> CostTable:
        """The stages' means."""
        return self.means.table(record)

    def percentiles(self, result: Evaluation) -> tuple[float, ...]:
        """What the shares `PERCENTILES` of the samples paid at most; none of records without such costs."""
        if result.paid is None:
            return ()
        return tuple(np.quantile(_paid(result).cascade, PERCENTILES, method="inverted_cdf").tolist())

    def details(self, result: Evaluation) -> dict[str, Any]:
        """The `percentiles`, where samples' costs are known."""
        within = zip(PERCENTILES, self.percentiles(result), strict=False)
        told = [{"share": share, "within": cost} for share, cost in within]
        return {"percentiles": told} if told else {}


def _paid(result: Evaluation) -> Paid:
    """What one rule costs its samples; of several, what the first does, whose plain network is that of all."""
    paid = result.paid
    assert paid is not None
    return paid if isinstance(paid, Paid) else paid[0]
