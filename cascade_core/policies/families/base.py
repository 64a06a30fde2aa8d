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

Maker: TypeAlias = Callable[[Record], NDArray[np.float32]]
"""From samples to (G, M-1) thresholds, or (G, M-1, K) for each answer, from safest to boldest."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of rules.

    Attributes:
        name: In words, as the page says it.
        maker: What makes the rules for a record, and for parts of it.
        suits: Whether the family is worth a trial on a record.
    """

    name: str
    maker: Callable[[Record], Maker]
    suits: Callable[[Record], bool] = lambda record: True
