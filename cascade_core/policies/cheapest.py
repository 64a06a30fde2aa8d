"""The cheapest rule whose accuracy drop stays within what the user would give up.

`CheapestWithinDrop` means the drop on samples that the thresholds never saw, and corrects for the optimism of having
picked the best of many rules (`optimism`): cross-fitting estimates the drop on fresh samples that each limit on the
calibration drop leads to, and the limit is lowered until that estimate is within the drop that was set.
`CheapestUncorrected` applies the limit to the calibration samples; on fresh ones its drop tends to be a little larger.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import Infeasible, Positions, Slider, Sweep, rule_path
from cascade_core.policies.joint import cheapest_within
from cascade_core.policies.optimism import expectation
from cascade_core.policies.parameters import number
from cascade_core.simulation.paths import RulePath
from cascade_core.simulation.record import Record

LARGEST_DROP = 0.05
"""End of the slider; few would give up more than five points."""


DROP = "accuracy to give up, a fraction: 0.01 = one point"


def drop_slider(label: str) -> Slider:
    """A slider over accuracy drops."""
    return Slider(parameter="max_drop", label=label, unit="points", scale=100, decimals=1, opening=0.01, is_drop=True)


class WithinDrop(Sweep):
    """A policy whose slider is an accuracy drop."""

    @classmethod
    def positions(cls, record: Record, count: int) -> NDArray[np.float64]:
        """Drops from 0 to where nothing more can be saved, in half points, five points at the most."""
        worst = float(record.stage_accuracy[-1] - record.stage_accuracy.min())
        end = min(LARGEST_DROP, max(0.005, math.ceil(worst * 200) / 200))
        return np.linspace(0.0, end, count)


@dataclass(frozen=True)
class CheapestWithinDrop(WithinDrop):
    """Least mean MACs among rules whose accuracy drop, on samples they never saw, is expected within a limit.

    How it corrects for optimism: five-fold cross-fitting on the calibration samples estimates the drop on fresh samples
    that each limit on the calibration drop leads to, made monotone by isotonic regression; the largest limit whose
    estimate is within `max_drop` is used, and never one above `max_drop`.  Where even the safest rule's estimate is
    above, that rule is used unless its drop is larger with 95 % confidence; then nothing leaves early.

    Attributes:
        max_drop: Accuracy to give up against the last stage, a fraction in [-1, 1]; a negative one asks for a gain.
    """

    max_drop: float = field(metadata=number(-1.0, 1.0, DROP))

    name: ClassVar[str] = "cheapest"
    title: ClassVar[str] = "Cheapest within a drop"
    promise: ClassVar[str] = (
        "Thresholds of all stages chosen together: those that compute least while the whole cascade is expected to "
        "lose at most this much accuracy on new samples."
    )
    slider: ClassVar[Slider] = drop_slider("acceptable accuracy drop")

    @classmethod
    def path(cls, record: Record, positions: Positions) -> RulePath:
        """The rules at the drops `positions`, chosen all at once; raises `Infeasible` for a gain that cannot be had."""
        max_drops = np.asarray(positions, dtype=np.float64)
        expected = expectation(record)
        limits = expected.limit_for(max_drops)
        beyond = np.isneginf(limits)
        if (beyond & (max_drops < 0)).any():
            raise Infeasible(
                f"Expected a rule with an accuracy drop of at most {max_drops.min():.4f} but the best on samples like "
                f"these {record.n} is expected to have {_rounded_up(expected.least):.4f}; ask for that or more"
            )
        thresholds, _ = cheapest_within(record, np.where(beyond, 0.0, limits))
        thresholds[beyond] = np.inf
        return rule_path(record, max_drops, thresholds)


@dataclass(frozen=True)
class CheapestUncorrected(WithinDrop):
    """Least mean MACs among all rules tried whose accuracy drop on the calibration samples is within a limit.

    Attributes:
        max_drop: Accuracy to give up against the last stage, a fraction in [-1, 1]; a negative one asks for a gain.
    """

    max_drop: float = field(metadata=number(-1.0, 1.0, DROP))

    name: ClassVar[str] = "cheapest-uncorrected"
    title: ClassVar[str] = "Cheapest within a drop, uncorrected"
    promise: ClassVar[str] = (
        "As the cheapest, but the drop is kept on the samples that the thresholds are chosen on; "
        "on new samples it tends to be a little larger."
    )
    slider: ClassVar[Slider] = drop_slider("accuracy drop on the calibration samples")

    @classmethod
    def path(cls, record: Record, positions: Positions) -> RulePath:
        """The rules at the drops `positions`, chosen all at once; raises `Infeasible` for a gain that cannot be had."""
        limits = np.asarray(positions, dtype=np.float64)
        thresholds, least = cheapest_within(record, limits)
        if len(limits) and limits.min() < least:
            raise Infeasible(
                f"Expected a rule with an accuracy drop of at most {limits.min():.4f} but the best on these "
                f"{record.n} samples has {_rounded_up(least):.4f}; ask for that or more"
            )
        return rule_path(record, limits, thresholds)


def _rounded_up(drop: float) -> float:
    """To four digits, so that the drop named is one that can be had."""
    return math.ceil(drop * 1e4) / 1e4
