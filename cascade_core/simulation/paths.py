"""Ordered families of rules (what a slider walks along) and their exact evaluation in one pass.

A path is evaluated exactly as its rules would be one by one; `counting` does it in one pass.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.counting import count_exits
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.exits import ExitRule, active_heads, cast_thresholds, columns_of
from cascade_core.simulation.pool import Pool
from cascade_core.simulation.reach import within_reach
from cascade_core.simulation.record import Record
from cascade_core.simulation.spending import Paid
from cascade_core.simulation.stages import exit_costs
from cascade_core.support import checks


@dataclass(frozen=True, kw_only=True, eq=False)
class RulePath:
    """The rules of one policy, from safest to boldest, one for each slider position.

    Attributes:
        positions: (G,) values of the policy's parameter, in the policy's unit.
        thresholds: (G, M-1) float32, or (G, M-1, K) for each class; `inf` = never leave here.
        score, top_k, pool, stage_names: As in `ExitRule`.
        plain: (G,) bool, where the plain network is run whatever the pool: the rule has none, and nothing leaves early.
            Without it, where nothing leaves early if there is no pool, else nowhere.

    Raises:
        ValueError: A shape does not fit, or a threshold is NaN or `-inf`.

    Warns:
        UserWarning: No confidence reaches a threshold; it becomes `inf`.
    """

    positions: NDArray[np.float64]
    thresholds: NDArray[np.float32]
    score: str
    top_k: int
    stage_names: tuple[str, ...]
    pool: Pool | None = None
    plain: NDArray[np.bool_] = None  # type: ignore[assignment]  # filled in below, never None afterwards

    def __post_init__(self) -> None:
        positions = checks.array("positions", self.positions, np.float64, "(positions)", (None,))
        shape = (len(positions), len(self.stage_names) - 1)
        thresholds = cast_thresholds(self.thresholds, "positions, stages - 1", shape)
        if np.isnan(thresholds).any() or np.isneginf(thresholds).any():
            raise ValueError("Expected thresholds to be numbers or inf but some are NaN or -inf")
        thresholds, note = within_reach(thresholds, 2, self.score, self.stage_names)
        if note is not None:
            warnings.warn(note, stacklevel=3)
        stays = np.isinf(thresholds).all(axis=tuple(range(1, thresholds.ndim)))
        plain = stays & (self.pool is None)
        if self.plain is not None:
            plain |= checks.array("plain", self.plain, np.bool_, "(positions)", shape[:1])
        if (plain & ~stays).any():
            raise ValueError(
                "Expected the plain network only where nothing leaves early but thresholds are finite there"
            )
        for name, value in (("positions", positions), ("thresholds", thresholds), ("plain", plain)):
            object.__setattr__(self, name, value)

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
        active = active_heads(self.columns, self.pool)
        active[self.plain, :-1] = False
        return active

    def rule(self, position: int) -> ExitRule:
        """The rule at slider position `position`, from 0 to G-1."""
        return ExitRule(
            thresholds=self.thresholds[position],
            score=self.score,
            top_k=self.top_k,
            pool=None if self.plain[position] else self.pool,
            stage_names=self.stage_names,
        )

    def only(self, position: int) -> RulePath:
        """The path of the one rule at `position`."""
        return self.take(np.array([position]))

    def take(self, index: NDArray[np.int64]) -> RulePath:
        """The path of the rules at positions `index`, in that order."""
        positions, thresholds, plain = self.positions[index], self.thresholds[index], self.plain[index]
        return replace(self, positions=positions, thresholds=thresholds, plain=plain)

    def check_fits(self, record: Record) -> None:
        """Raise ValueError unless these rules are for the stages, score, pool and classes of `record`."""
        for position in {int(self.plain.argmin()), int(self.plain.argmax())} if len(self) else ():
            self.rule(position).check_fits(record)


def evaluate_path(record: Record, path: RulePath) -> Evaluation:
    """Evaluate every rule of `path` on `record`, (G,), exactly as `evaluate` would one by one.

    Raises:
        ValueError: The path is for other stages or another score.
    """
    path.check_fits(record)
    counts = count_exits(record, path.columns)
    full = record.count(record.baseline_correct)
    counts[path.plain, -1] = record.n, full, 0
    exits, correct, helped = (counts[:, :, column] for column in range(3))
    active = path.active
    return Evaluation(
        stage_names=record.stage_names,
        exit_counts=exits,
        correct_counts=correct,
        costs=exit_costs(record.stages, active, record.baseline_macs),
        active=active,
        pooled=~path.plain & (path.pool is not None),
        helped=helped.sum(axis=1),
        full_correct=full,
        n=record.n,
        baseline_macs=record.baseline_macs,
        reference=record.reference,
        paid=None if record.spending is None else _PaidAlong(record=record, path=path),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _PaidAlong:
    """What each sample pays under each rule of a path, which is found out where it is asked for."""

    record: Record
    path: RulePath

    def __getitem__(self, position: int) -> Paid:
        assert self.record.spending is not None
        exits = self.path.rule(position).exit_stages(self.record)
        return self.record.spending.paid(exits, self.path.active[position])
