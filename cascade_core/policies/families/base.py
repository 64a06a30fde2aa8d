"""What a family is: an ordered list of rules, made from calibration samples, that one parameter runs through.

A family has as many rules for any samples, made with the same parameters, so that the rule at a place which was made
from one part of the samples stands for the rule at that place made from another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.record import Record

Rules: TypeAlias = Callable[[Record], NDArray[np.float32]]
"""From samples to (G, M-1) thresholds, or (G, M-1, K) for each answer, from safest to boldest."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Maker:
    """What makes the rules of a family.

    Attributes:
        rules: Makes them from any samples.
        prices: (G,) of computation at which each rule is the best, in accuracy a share of the plain network's cost:
            from rule to rule, what is lost is the price of what is saved.  None where that is not known.
    """

    rules: Rules
    prices: NDArray[np.float64] | None = None


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of rules.

    Attributes:
        name: In words, as the page says it.
        maker: What makes the rules, for a record and for parts of it.
        suits: Whether the family is worth a trial on a record.
        means: What its thresholds do, in words that go on after "Thresholds are set so that".
    """

    name: str
    maker: Callable[[Record], Maker]
    suits: Callable[[Record], bool] = lambda record: True
    means: str = ""
