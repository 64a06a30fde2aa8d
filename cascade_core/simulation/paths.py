"""Ordered families of rules (what a slider walks along) and their exact evaluation in one pass.

A path is evaluated exactly as its rules would be one by one; `counting` does it in one pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.counting import count_exits
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.exits import ExitRule, active_heads, cast_thresholds, columns_of
from cascade_core.simulation.record import Record, exit_costs
from cascade_core.simulation.scores import Temperatures
from cascade_core.support import checks


@dataclass(frozen=True, kw_only=True, eq=False)
class RulePath:
    """The rules of one policy, from safest to boldest, one for each slider position.

    Attributes:
        positions: (G,) values of the policy's parameter, in the policy's unit.
        thresholds: (G, M-1) float32, or (G, M-1, K) for each class; `inf` = never leave here.
        score, top_k, temperatures, stage_names: As in `ExitRule`.

    Raises:
        ValueError: A shape does not fit, or a threshold is NaN or `-inf`.
    """

    positions: NDArray[np.float64]
    thresholds: NDArray[np.float32]
    score: str
    top_k: int
    stage_names: tuple[str, ...]
    temperatures: Temperatures = None

    def __post_init__(self) -> None:
        positions = checks.array("positions", self.positions, np.float64, "(positions)", (None,))
        shape = (len(positions), len(self.stage_names) - 1)
        thresholds = cast_thresholds(self.thresholds, "positions, stages - 1", shape)
        if np.isnan(thresholds).any() or np.isneginf(thresholds).any():
            raise ValueError("Expected thresholds to be numbers or inf but some are NaN or -inf")
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "thresholds", thresholds)

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def by_class(self) -> bool:
        """Whether there is a threshold for each class."""
        return self.thresholds.ndim == 3

    @property
    def columns(self) -> NDArray[np.float32]:
        """(G, M-1, 1) thresholds, or (G, M-1, K) where there is one for each class."""
        return columns_of(self.thresholds, 2)

    @property
    def active(self) -> NDArray[np.bool_]:
        """(G, M) whether each stage's head is run under each rule."""
        return active_heads(self.columns)

    def rule(self, position: int) -> ExitRule:
        """The rule at slider position `position`, from 0 to G-1."""
        return ExitRule(
            thresholds=self.thresholds[position],
            score=self.score,
            top_k=self.top_k,
            temperatures=self.temperatures,
            stage_names=self.stage_names,
        )

    def only(self, position: int) -> RulePath:
        """The path of the one rule at `position`."""
        one = slice(position, position + 1)
        return replace(self, positions=self.positions[one], thresholds=self.thresholds[one])


def evaluate_path(record: Record, path: RulePath) -> Evaluation:
    """Evaluate every rule of `path` on `record`, (G,), exactly as `evaluate` would one by one.

    Raises:
        ValueError: The path is for other stages or another score.
    """
    path.rule(0).check_fits(record)
    counts = count_exits(record, path.columns)
    exits, correct, helped = (counts[:, :, column] for column in range(3))
    return Evaluation(
        stage_names=record.stage_names,
        exit_counts=exits,
        correct_counts=correct,
        costs=exit_costs(record.stages, path.active, record.baseline_macs),
        helped=helped.sum(axis=1),
        full_correct=int(record.correct[-1].sum()),
        n=record.n,
        baseline_macs=record.baseline_macs,
    )
