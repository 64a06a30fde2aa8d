"""What becomes of each single sample under a rule.

`outcomes` follows every sample of a record to where it leaves.  Samples are numbered as in the record, from 0.  A
sample is helped if it is right where it leaves though the plain network is wrong, and harmed if it is the other way
round: the accuracy drop is harmed less helped.  `sample_filter` says which to look at.  Nothing here knows pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record
from cascade_core.simulation.stages import exit_costs


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

    @property
    def helped(self) -> NDArray[np.bool_]:
        """(N,) whether the answer is right and the plain network's wrong."""
        return self.right & ~self.record.baseline_correct

    @property
    def harmed(self) -> NDArray[np.bool_]:
        """(N,) whether the answer is wrong and the plain network's right."""
        return ~self.right & self.record.baseline_correct

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
    "harmed": lambda samples: samples.harmed,
    "helped": lambda samples: samples.helped,
    "wrong": lambda samples: ~samples.right,
    "right": lambda samples: samples.right,
    "easy": lambda samples: samples.early,
    "hard": lambda samples: ~samples.early,
}
"""Which samples are of a kind, (N,) bool: easy ones leave before the last stage, hard ones go to it."""


def counts(samples: Outcomes) -> dict[str, int]:
    """How many samples are of each kind."""
    return {kind: int(members(samples).sum()) for kind, members in KINDS.items()}
