"""One threshold for all stages: the simplest policy, and the usual one in other tools."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import Positions, Slider, Sweep, rule_path
from cascade_core.policies.parameters import thresholds
from cascade_core.simulation.paths import RulePath
from cascade_core.simulation.record import Record
from cascade_core.support.amounts import confidence


@dataclass(frozen=True)
class SharedThreshold(Sweep):
    """Every stage but the last leaves at the same confidence.

    Attributes:
        threshold: Least confidence to leave with, in the unit of the record's score; `inf` = never.
    """

    threshold: float = field(metadata=thresholds(confidence, "the confidence that is enough"))

    name: ClassVar[str] = "shared"
    title: ClassVar[str] = "One shared threshold"
    promise: ClassVar[str] = "Every stage answers once its confidence reaches the same threshold; nothing is promised."
    slider: ClassVar[Slider] = Slider(
        parameter="threshold",
        label="confidence that is enough, at every stage",
        unit="",
        scale=1,
        decimals=3,
        opening=0.95,
    )

    @classmethod
    def positions(cls, record: Record, count: int) -> NDArray[np.float64]:
        """From the greatest confidence seen at an early stage down to the least, by quantiles."""
        early = record.confidence[:-1] if len(record.stages) > 1 else record.confidence
        shares = np.linspace(1.0, 0.0, count)
        if record.weights is None:
            return np.quantile(early, shares).astype(np.float64)
        weights = np.tile(record.weights, len(early))
        return np.quantile(early.ravel(), shares, weights=weights, method="inverted_cdf").astype(np.float64)

    @classmethod
    def path(cls, record: Record, positions: Positions) -> RulePath:
        """The rules at the thresholds `positions`."""
        column = np.asarray(positions, dtype=np.float64)
        return rule_path(record, column, np.repeat(column[:, None], len(record.stages) - 1, axis=1))
