"""Where a slider should stand when a wrong answer has a price: the least that computing and mistakes cost together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cascade_core.analysis.exploration import Exploration
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.meters import Meter, along
from cascade_core.simulation.paths import evaluate_path
from cascade_core.support import checks

MAX_PRICE = 1e15


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What samples cost in all, in a meter's unit, for as many as it tells costs of.

    Attributes:
        computing: Mean cost of computing them.
        mistakes: Mean cost of those that are answered wrongly.
    """

    computing: float
    mistakes: float

    @property
    def total(self) -> float:
        """Both."""
        return self.computing + self.mistakes


def bill(meter: Meter, result: Evaluation, price: float) -> Bill:
    """What a rule costs where each wrong answer costs `price`."""
    return Bill(computing=meter.mean(result), mistakes=meter.per * price * (1 - result.accuracy))


def plain_bill(meter: Meter, result: Evaluation, price: float) -> Bill:
    """What the plain network costs on the same samples."""
    return Bill(computing=meter.plain(result), mistakes=meter.per * price * (1 - result.full_accuracy))


def cheapest_with_mistakes(exploration: Exploration, price: float) -> int:
    """The slider position at which computing and mistakes cost least together on the calibration samples.

    Where a pool was fitted to those, each is answered by one that was fitted without it; the test samples have no part,
    so that what is measured on them promises as much as at any position.

    Args:
        price: Of a wrong answer, in the unit of the exploration's meter, >= 0.

    Raises:
        ValueError: The price is not from 0 to `MAX_PRICE`.
    """
    checks.in_range("the price of a mistake", price, 0.0, MAX_PRICE)
    meter, samples = exploration.meter, exploration.calibration
    result = evaluate_path(samples.held_out or samples, exploration.path)
    return int(np.argmin(along(meter, result) + meter.per * price * (1 - result.accuracy)))
