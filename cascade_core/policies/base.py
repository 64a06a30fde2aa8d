"""What a policy is: a frozen dataclass whose fields are its parameters, and a way to choose a rule.

A policy reads a calibration `Record` and returns an `ExitRule`; it never sees the samples on which the rule is judged.
Every one derives from `Policy`, and is its file and its entry in the registry.  A field that the user sets has metadata
made by `parameters.number`, `whole`, `probability` or `thresholds`; a field without metadata is something that the
caller brings, and that has a `describe` of its own.  A `Sweep` has one parameter that a slider can walk along, and
chooses for all slider positions at once in `path`; its `choose` is `path` at one position, and may be extended to warn,
never to choose otherwise.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.parameters import PARAMETER, Parameter
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.paths import RulePath
from cascade_core.simulation.record import Record

Positions: TypeAlias = Sequence[float] | NDArray[np.floating] | NDArray[np.integer]
"""(G,) values of a slider's parameter."""

NO_OTHERS: Mapping[str, Any] = MappingProxyType({})
"""Of a policy's parameters beside the slider's: all have their defaults."""


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
        opening: Value at which a page starts; of a `relative` one, its share of what the plain network costs.
        relative: Whether values are costs, which are shown as shares of the plain network's.
        is_drop: Whether values are the accuracy drops that the policy keeps to, so that comparisons set it to theirs.
    """

    parameter: str
    label: str
    unit: str
    scale: float
    decimals: int
    opening: float
    relative: bool = False
    is_drop: bool = False


@dataclass(frozen=True)
class Policy(ABC):
    """Chooses thresholds from a calibration record.

    Attributes:
        name: On the command line and in exported choices.
        title: On the page.
        promise: What the user can rely on, in a sentence or two.
        pools: Whether pooled answers may be decided on for it; else they have to be asked for.
        tests: Whether it makes rules from a part of the calibration samples and tests them on the others.
        standard_errors: Of a drop, that its tests take off.
        keeps_in_groups: Whether its limit holds in each group of samples where a record is divided.
        selects: Whether it takes the family of rules that `selection` chooses among several.

    Raises:
        ValueError: A parameter is out of its range.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    promise: ClassVar[str]
    pools: ClassVar[bool] = True
    tests: ClassVar[bool] = False
    standard_errors: ClassVar[float] = 0.0
    keeps_in_groups: ClassVar[bool] = False
    selects: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name, parameter in self.parameters().items():
            parameter.check(name, getattr(self, name))

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """What the metadata of the fields say, by name."""
        return {field.name: field.metadata[PARAMETER] for field in fields(cls) if PARAMETER in field.metadata}

    @abstractmethod
    def choose(self, record: Record) -> ExitRule:
        """The rule for `record`; raises `Infeasible` if none fulfils the parameters."""


@dataclass(frozen=True)
class Sweep(Policy):
    """A policy with one parameter that a slider walks along; others have defaults.

    Attributes:
        slider: The parameter and how it is shown.
        by_answer: Whether it sets thresholds for each answer, and so has to know what was answered.
        charts: Further charts that show how this policy chooses; `panels.details` knows their names.
    """

    slider: ClassVar[Slider]
    by_answer: ClassVar[bool] = False
    charts: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def at(cls, position: float, others: Mapping[str, Any] = NO_OTHERS) -> Self:
        """The policy whose slider stands at `position`, with `others` of its parameters and defaults for all else."""
        read: Callable[..., Any] = cls.parameters()[cls.slider.parameter].read
        return cls(**{cls.slider.parameter: read(position), **others})

    def choose(self, record: Record) -> ExitRule:
        """The rule of `path` at the one position that this policy's parameters name."""
        values = {name: getattr(self, name) for name in self.parameters()}
        position = values.pop(self.slider.parameter)
        path: Callable[..., RulePath] = self.path
        return path(record, [position], **values).rule(0)

    @classmethod
    @abstractmethod
    def positions(cls, record: Record, count: int) -> NDArray[np.float64]:
        """(count,) parameter values worth showing for `record`, from safest to boldest."""

    @classmethod
    @abstractmethod
    def path(cls, record: Record, positions: Positions) -> RulePath:
        """The rules at `positions`; parameters beside the slider's are further arguments with the same defaults.

        Raises:
            Infeasible: No rule fulfils one of the positions.
        """


def describe(policy: Policy) -> dict[str, Any]:
    """Name and parameters of a policy, as JSON data; `inf` (never leave here) becomes None."""
    values: dict[str, Any] = {}
    for field in fields(policy):
        value = getattr(policy, field.name)
        values[field.name] = _plain(value) if PARAMETER in field.metadata else value.describe()
    return {"name": policy.name, "parameters": values}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return None if math.isinf(value) else value


def rule_path(
    record: Record, positions: Positions, thresholds: Any, plain: NDArray[np.bool_] | None = None
) -> RulePath:
    """A `RulePath` for the score, pool and stages of `record`, with thresholds of its grid; `plain` as there."""
    return RulePath(
        positions=np.asarray(positions, dtype=np.float64),
        thresholds=record.on_grid(thresholds),
        score=record.score,
        top_k=record.top_k,
        pool=record.pool,
        plain=plain,  # type: ignore[arg-type]  # filled in there
        stage_names=record.stage_names,
    )
