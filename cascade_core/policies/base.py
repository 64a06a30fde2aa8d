"""What a policy is: a frozen dataclass whose fields are its parameters, and a way to choose a rule.

A policy reads a calibration `Record` and returns an `ExitRule`; it never sees the samples on which
the rule is judged.  A `Sweep` policy has one parameter that a slider can walk along, and can choose
for all slider positions at once.  Classes are final; nothing concrete is overridden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.paths import RulePath
from cascade_core.simulation.record import Record


class Infeasible(ValueError):
    """No rule fulfils the wish; the message names the best that can be had."""


@dataclass(frozen=True, kw_only=True)
class Slider:
    """How a policy's parameter is shown: fractions are kept in code, `scale` turns them into `unit`.

    Attributes:
        parameter: Name of the policy's field.
        label: What the user sets, in plain words.
        unit: Shown after the number; empty for a bare number.
        scale: Shown number = value * scale.
        decimals: Decimal places shown.
        opening: Value at which a page starts; of a `relative` one, its share of the plain network's MACs.
        relative: Whether values are MACs, which are shown as shares of the plain network's.
    """

    parameter: str
    label: str
    unit: str
    scale: float
    decimals: int
    opening: float
    relative: bool = False

    def unit_of(self, record: Record) -> float:
        """What a value is divided by before it is scaled and shown."""
        return float(record.baseline_macs) if self.relative else 1.0


class Policy(Protocol):
    """Chooses thresholds from a calibration record."""

    name: ClassVar[str]
    title: ClassVar[str]
    parameter_help: ClassVar[str]
    promise: ClassVar[str]

    def choose(self, record: Record) -> ExitRule:
        """The rule for `record`; raises `Infeasible` if none fulfils the parameters."""
        ...


@runtime_checkable
class Sweep(Protocol):
    """A policy with one parameter that a slider walks along."""

    name: ClassVar[str]
    title: ClassVar[str]
    parameter_help: ClassVar[str]
    promise: ClassVar[str]
    slider: ClassVar[Slider]

    def choose(self, record: Record) -> ExitRule:
        """As in `Policy`."""
        ...

    @classmethod
    def positions(cls, record: Record, count: int) -> NDArray[np.float64]:
        """(count,) parameter values worth showing for `record`, from safest to boldest."""
        ...

    @classmethod
    def path(cls, record: Record, positions: Sequence[float] | NDArray[np.float64]) -> RulePath:
        """The rules at `positions`, each equal to what `choose` returns for it."""
        ...


def rule_path(record: Record, positions: Sequence[float] | NDArray[np.float64], thresholds: Any) -> RulePath:
    """A `RulePath` for the score and stages of `record`."""
    return RulePath(
        positions=np.asarray(positions, dtype=np.float64),
        thresholds=thresholds,
        score=record.score,
        top_k=record.top_k,
        temperatures=record.temperatures,
        stage_names=record.stage_names,
    )
