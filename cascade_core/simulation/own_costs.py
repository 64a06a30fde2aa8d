"""Costs of the user's own, in any unit: what each stage costs whoever reaches it, and what the plain network costs.

A stage's cost is paid for every sample that reaches it, its head included, whether or not the head is run; stages that
are models of their own are passed over, and not paid, where no sample may leave.  Where a cascade spans machines it has
parts, such as device, network and cloud, that add up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.cost_table import CostTable, reaching, single
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.record import Record
from cascade_core.support import checks

PARTS = ("device", "network", "cloud")
"""Parts that are offered; others may be named."""

WHOLE = ""
"""Name of the one part of costs that have no parts."""

MAX_COST = 1e15
MAX_RATIO = 1e6
"""Most that all stages may cost, in costs of the plain network."""

MAX_LETTERS = 40


@dataclass(frozen=True, kw_only=True)
class OwnCosts:
    """A meter of costs that add up sample by sample.

    Attributes:
        unit: A plural noun, such as "dollars" or "joules".
        per: Samples that costs are of: 1000 in "dollars per thousand".
        stage_names: M names.
        stages: M mappings from the name of a part to its cost; without parts, `WHOLE` to the cost.
        plain_parts: The same for the plain network.
        separate: Whether each stage is a model of its own, which needs none of those before it.

    Raises:
        ValueError: A text is empty or too long, a cost is not from 0 to `MAX_COST`, the plain network costs nothing, or
            the stages cost more than `MAX_RATIO` times as much.
    """

    unit: str
    per: int
    stage_names: tuple[str, ...]
    stages: tuple[Mapping[str, float], ...]
    plain_parts: Mapping[str, float]
    separate: bool = False
    noun: str = "cost"

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "unit", _text("unit", self.unit))
        put(self, "per", checks.whole("per", self.per, 1, 10**9))
        put(self, "stage_names", checks.names("stage_names", self.stage_names, len(self.stages), "stage"))
        put(self, "stages", tuple(_parts(f"stage {n}", c) for n, c in zip(self.stage_names, self.stages, strict=True)))
        put(self, "plain_parts", _parts("the plain network", self.plain_parts))
        plain, whole = sum(self.plain_parts.values()), sum(map(float, self.totals))
        if plain <= 0:
            raise ValueError(
                f"Expected the plain network to cost more than 0 but it costs {plain:g}; savings are counted against it"
            )
        if whole > MAX_RATIO * plain:
            raise ValueError(
                f"Expected all stages to cost at most {MAX_RATIO:,.0f} times as much as the plain network "
                f"but they cost {whole:g} and it {plain:g}"
            )

    @property
    def totals(self) -> NDArray[np.float64]:
        """(M,) costs of the stages, all parts together."""
        return np.array([sum(parts.values()) for parts in self.stages])

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts, in the order in which they appear; one, `WHOLE`, where there are none."""
        named = [name for parts in (*self.stages, self.plain_parts) for name in parts]
        return tuple(dict.fromkeys(named))

    def describe(self) -> dict[str, Any]:
        """As JSON data, as files of costs have it."""
        return {
            "unit": self.unit,
            "per": self.per,
            "stages": {name: _plain(parts) for name, parts in zip(self.stage_names, self.stages, strict=True)},
            "plain": _plain(self.plain_parts),
            **({"separate": True} if self.separate else {}),
        }

    def mean(self, result: Evaluation) -> float:
        """Mean cost of `per` samples."""
        self._check(result.stage_names)
        return self._table.mean(result)

    def plain(self, result: Evaluation) -> float:
        """Cost of `per` samples in the plain network."""
        return self._table.plain

    def by_exit(self, result: Evaluation) -> NDArray[np.float64]:
        """(M,) cost of `per` samples that leave at each stage."""
        self._check(result.stage_names)
        return self._table.by_exit(result)

    def details(self, result: Evaluation) -> dict[str, Any]:
        """The mean of each part, where there are any."""
        if self.parts == (WHOLE,):
            return {}
        if not result.active[:-1].any():
            return {"parts": {name: self.plain_parts.get(name, 0.0) for name in self.parts}}
        costs = {name: [parts.get(name, 0.0) for parts in self.stages] for name in self.parts}
        asked = reaching(result) * (result.active if self.separate else 1)
        return {"parts": {name: float(asked @ np.array(each)) for name, each in costs.items()}}

    def table(self, record: Record) -> CostTable:
        """What each stage costs."""
        self._check(record.stage_names)
        return self._table

    @property
    def _table(self) -> CostTable:
        plain, none = float(sum(self.plain_parts.values())), np.zeros(len(self.stages))
        return single(none, self.totals, plain) if self.separate else single(self.totals, none, plain)

    def _check(self, stage_names: tuple[str, ...]) -> None:
        if stage_names != self.stage_names:
            raise ValueError(
                f"Expected costs of the stages {', '.join(stage_names)} but they are of {', '.join(self.stage_names)}"
            )


def _parts(whose: str, costs: Mapping[str, float]) -> dict[str, float]:
    if not costs:
        raise ValueError(f"Expected {whose} to have a cost but there is none")
    return {_text("part", name): _cost(whose, value) for name, value in costs.items()}


def _cost(whose: str, value: Any) -> float:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 <= value <= MAX_COST:
        raise ValueError(f"Expected the cost of {whose} to be from 0 to {MAX_COST:g} but it was {repr(value)[:60]}")
    return float(value)


def _text(what: str, value: Any) -> str:
    if what == "part" and value == WHOLE:
        return WHOLE
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_LETTERS or not value.isprintable():
        raise ValueError(f"Expected {what} to be a text of 1 to {MAX_LETTERS} letters but it was {repr(value)[:60]}")
    return value.strip()


def _plain(parts: Mapping[str, float]) -> float | dict[str, float]:
    if tuple(parts) == (WHOLE,):
        return parts[WHOLE]
    return {name: cost for name, cost in parts.items() if cost} or 0.0
