"""The cheapest rule whose accuracy drop stays within what the user would give up.

`CheapestWithinDrop` means the drop on samples that the thresholds never saw: it takes a rule of the family that
`selection` chooses, by what cross-fitting on the calibration samples expects of it.  `CheapestUncorrected` takes the
cheapest of all joint thresholds within the drop on the calibration samples; on fresh ones it tends to lose more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import Infeasible, Positions, Slider, Sweep, rule_path
from cascade_core.policies.families.joint import cheapest_within
from cascade_core.policies.parameters import drop
from cascade_core.policies.selection import select
from cascade_core.simulation.paths import RulePath, evaluate_path
from cascade_core.simulation.record import Record
from cascade_core.support.wording import points

LARGEST_DROP = 0.05
"""End of the slider; few would give up more than five points."""

MARKS = 200
"""Half points in a whole: drops that are asked for in round numbers, which stand on the slider exactly."""

DROP = "accuracy to give up: 1%, 1pt or 0.01 is one point"


def drop_slider(label: str) -> Slider:
    """A slider over accuracy drops."""
    return Slider(parameter="max_drop", label=label, unit="points", scale=100, decimals=1, opening=0.01, is_drop=True)


class WithinDrop(Sweep):
    """A policy whose slider is an accuracy drop."""

    @classmethod
    def positions(cls, record: Record, count: int) -> NDArray[np.float64]:
        """Drops from 0 to where nothing more can be saved, in half points, five points at the most."""
        end = largest_drop(record)
        return with_marks(np.linspace(0.0, end, count), end)


def largest_drop(record: Record) -> float:
    """Where nothing more can be saved, in half points, five points at the most; a fraction."""
    worst = record.baseline_accuracy - float(record.stage_accuracy.min())
    return min(LARGEST_DROP, max(1 / MARKS, math.ceil(worst * MARKS) / MARKS))


def with_marks(drops: NDArray[np.float64], end: float) -> NDArray[np.float64]:
    """Rising drops, with those nearest to half points, up to `end`, moved onto them, if drops are that close."""
    result = drops.copy()
    if (np.diff(drops) <= 1 / (2 * MARKS)).all():
        marks = np.arange(1, round(end * MARKS) + 1) / MARKS
        result[abs(drops - marks[:, None]).argmin(axis=1)] = marks
    return result


@dataclass(frozen=True)
class CheapestWithinDrop(WithinDrop):
    """Least mean MACs among rules whose accuracy drop, on samples they never saw, is expected within a limit.

    Where no rule is expected within it, or all that are may well cost more than the plain network, that is run: its
    drop is 0.  A gain may cost more, and one that is not out of the question is served with the most accurate rule.

    Attributes:
        max_drop: Accuracy to give up against the plain network, a fraction in [-1, 1]; a negative one asks for a gain.
    """

    max_drop: float = field(metadata=drop(-1.0, DROP))

    name: ClassVar[str] = "cheapest"
    keeps_in_groups: ClassVar[bool] = True
    selects: ClassVar[bool] = True
    title: ClassVar[str] = "Cheapest within a drop"
    promise: ClassVar[str] = (
        "Thresholds of all stages chosen together: those that compute least while the whole cascade is expected to "
        "lose at most this much accuracy on new samples."
    )
    slider: ClassVar[Slider] = drop_slider("acceptable accuracy drop")

    @classmethod
    def positions(cls, record: Record, count: int) -> NDArray[np.float64]:
        """As for other drops, but from the gain that can be expected, where there is one; 0 is one of them."""
        selection, end = select(record), largest_drop(record)
        gain = 0.0 if selection is None else max(0.0, -selection.least)
        share = (count - 1) * gain / (gain + end)
        below = round(share)
        # Rounded up, a large gain would be asked for that nobody may expect.
        if selection is not None and below * end > -selection.perhaps * (count - 1 - below):
            below = math.floor(share)
        step = end / (count - 1 - below)
        return with_marks(step * (np.arange(count, dtype=np.float64) - below), end)

    @classmethod
    def path(cls, record: Record, positions: Positions) -> RulePath:
        """The rules at the drops `positions`, chosen all at once; raises `Infeasible` for a gain that cannot be had."""
        drops, selection = np.asarray(positions, dtype=np.float64), select(record)
        if selection is None:
            _refuse_gains(drops, 0.0, record)
            never = np.full((len(drops), len(record.stages) - 1), np.inf, dtype=np.float32)
            return rule_path(record, drops, never, np.ones(len(drops), dtype=bool))
        _refuse_gains(drops, selection.perhaps, record)
        places = selection.within(drops)
        places[(places < 0) & (drops < 0)] = selection.safest
        thresholds = selection.chosen.thresholds[places]
        thresholds[places < 0] = np.inf
        return rule_path(record, drops, thresholds, places < 0)


def _refuse_gains(drops: NDArray[np.float64], least: float, record: Record) -> None:
    """Raise Infeasible if a gain is asked for that no rule can be expected to have."""
    best = min(0.0, least)
    if len(drops) and drops.min() < best:
        raise _too_much(float(drops.min()), best, f"that these {record.n} samples let expect")


@dataclass(frozen=True)
class CheapestUncorrected(WithinDrop):
    """Least mean MACs among all rules tried whose accuracy drop on the calibration samples is within a limit.

    Attributes:
        max_drop: Accuracy to give up against the plain network, a fraction in [-1, 1]; a negative one asks for a gain.
    """

    max_drop: float = field(metadata=drop(-1.0, DROP))

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
        best = min(0.0, least)
        if len(limits) and limits.min() < best:
            raise _too_much(float(limits.min()), best, f"on these {record.n} samples")
        saving = evaluate_path(record, rule_path(record, limits, thresholds)).saving
        # Of pooled answers all may be worse than the plain network's, or dearer.
        plain = (limits >= 0) & ((limits < least) | (saving < 0))
        thresholds[plain] = np.inf
        return rule_path(record, limits, thresholds, plain)


def _too_much(asked: float, best: float, where: str) -> Infeasible:
    """What to raise for a gain that cannot be had: it names one that can, to four digits."""
    best = math.ceil(best * 1e4) / 1e4
    return Infeasible(
        f"Expected a rule with an accuracy drop of at most {points(asked)} points but the best {where} has "
        f"{points(best)} (max_drop {best:.4f}); ask for that or more"
    )
