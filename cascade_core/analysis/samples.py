"""What becomes of each single sample under a rule, and which samples to look at.

`outcomes` follows every sample of a record to where it leaves; `pick` filters and orders them.  Samples are numbered as
in the record, from 0.  A sample is helped if it is right where it leaves though the plain network is wrong, and harmed
if it is the other way round: the accuracy drop is harmed less helped.  Nothing here knows pictures or names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record
from cascade_core.simulation.stages import exit_costs
from cascade_core.support import checks


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcomes:
    """Where each of N samples leaves, and what comes of it.

    Attributes:
        record: What all stages would say.
        exit_stages: (N,) stage at which each sample leaves.
        macs: (N,) multiply-accumulates that it has cost there.
    """

    record: Record
    exit_stages: NDArray[np.int64]
    macs: NDArray[np.int64]

    @property
    def confidence(self) -> NDArray[np.float32]:
        """(N,) confidence where each sample leaves."""
        return self._there(self.record.confidence)

    @property
    def answers(self) -> NDArray[np.int64]:
        """(N,) class numbers answered."""
        return self._there(self.record.predictions)

    @property
    def right(self) -> NDArray[np.bool_]:
        """(N,) whether the answer is right."""
        return self._there(self.record.correct)

    @property
    def early(self) -> NDArray[np.bool_]:
        """(N,) whether a sample leaves before the last stage."""
        return self.exit_stages < len(self.record.stages) - 1

    def _there(self, values: NDArray[Any]) -> NDArray[Any]:
        return values[self.exit_stages, np.arange(self.record.n)]


def outcomes(record: Record, rule: ExitRule) -> Outcomes:
    """Follow every sample of `record` to where `rule` lets it leave.

    Raises:
        ValueError: The rule is for other stages or another score.
    """
    exit_stages = rule.exit_stages(record)
    record = rule.answered(record)
    costs = exit_costs(record.stages, rule.active, record.baseline_macs)
    return Outcomes(record=record, exit_stages=exit_stages, macs=costs[exit_stages])


KINDS: Mapping[str, Callable[[Outcomes], NDArray[np.bool_]]] = {
    "all": lambda samples: np.ones(samples.record.n, dtype=bool),
    "easy": lambda samples: samples.early,
    "hard": lambda samples: ~samples.early,
    "helped": lambda samples: samples.right & ~samples.record.baseline_correct,
    "harmed": lambda samples: ~samples.right & samples.record.baseline_correct,
    "right": lambda samples: samples.right,
    "wrong": lambda samples: ~samples.right,
}
"""Which samples are of a kind, (N,) bool: easy ones leave before the last stage, hard ones go to it."""

ORDERS = ("surest", "least sure", "name")
"""By confidence where a sample leaves, or by its id; the record's order decides between equals."""


@dataclass(frozen=True, kw_only=True)
class SampleFilter:
    """Which samples to look at, and in which order; samples meet all of it.

    Attributes:
        kind: A name in `KINDS`.
        label: True class number; None = any.
        stage: Where they leave; None = anywhere.
        low, high: Ends of the confidence where they leave, both included.
        order: One of `ORDERS`.

    Raises:
        ValueError: A name is unknown.
    """

    kind: str = "all"
    label: int | None = None
    stage: int | None = None
    low: float = -np.inf
    high: float = np.inf
    order: str = "surest"

    def __post_init__(self) -> None:
        checks.one_of("kind", self.kind, tuple(KINDS))
        checks.one_of("order", self.order, ORDERS)


def pick(samples: Outcomes, chosen: SampleFilter, ids: Sequence[str]) -> NDArray[np.int64]:
    """Numbers of the samples that meet `chosen`, in its order.

    Args:
        ids: N texts, read when they are to be ordered by name.
    """
    # A float32 is compared as the user wrote the number: 0.9 takes in the float32 that 0.9 becomes.
    confidence, low, high = samples.confidence, np.float32(chosen.low), np.float32(chosen.high)
    met = KINDS[chosen.kind](samples) & (confidence >= low) & (confidence <= high)
    if chosen.label is not None:
        met &= samples.record.labels == chosen.label
    if chosen.stage is not None:
        met &= samples.exit_stages == chosen.stage
    index = np.flatnonzero(met)
    if chosen.order == "name":
        return np.array(sorted(index.tolist(), key=lambda i: ids[i]), dtype=np.int64)
    keys = confidence[index] if chosen.order == "least sure" else -confidence[index]
    return index[np.argsort(keys, kind="stable")]


def counts(samples: Outcomes) -> dict[str, int]:
    """How many samples are of each kind."""
    return {kind: int(members(samples).sum()) for kind, members in KINDS.items()}
