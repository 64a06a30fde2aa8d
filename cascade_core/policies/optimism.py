"""How much worse a choice does on fresh samples than on those it was made on, by cross-fitting.

The cheapest of many rules within a limit is within it partly by luck: on fresh samples its drop lies above the limit,
by a few tenths of a point at some thousand samples.  So the samples are divided into five parts; on each four the
choice is made for every limit, and its drop counted on the fifth.  The mean of the five is what a limit really leads
to on samples that the thresholds did not see.  It is noisy, but can only rise with the limit, and is therefore fitted
by a rising curve (isotonic regression).  A wish for a drop d is then served with the limit at which that curve
reaches d.  Nothing is tuned: where there is no optimism, nothing is taken off.  Where the whole curve lies above d, the
safest rule is taken unless its drop is above d with 95 % confidence; then nothing leaves early.

(Cross-fitted thresholds come from four fifths of the samples and so lose a little more than those from all of them:
what is left of the error is on the safe side.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import rule_path
from cascade_core.policies.joint import cheapest_within, first_best, on_folds, on_grid
from cascade_core.simulation.bounds import ALPHA
from cascade_core.simulation.evaluation import evaluate
from cascade_core.simulation.paths import evaluate_path
from cascade_core.simulation.record import Record

FOLDS = 5
SEED = 0
"""Of the division into folds."""

GAIN = 0.02
"""Largest gain among the limits: where the last stage is not the best on all samples, safe rules gain accuracy."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Expectation:
    """The drop on fresh samples that limits on the calibration drop lead to.

    Attributes:
        limits: (L,) rising.
        drops: (L,) expected on fresh samples, never falling.
        error: How far the first of them may lie above the truth, at 95 % confidence.
    """

    limits: NDArray[np.float64]
    drops: NDArray[np.float64]
    error: float

    @property
    def least(self) -> float:
        """Least drop that a rule can be expected to have; never above 0, the drop of the rule without early exits."""
        return min(0.0, float(self.drops[0]) - self.error)

    def limit_for(self, max_drops: NDArray[np.float64]) -> NDArray[np.float64]:
        """(G,) largest limits whose expected drop is within `max_drops`, never above those; `-inf` where none is."""
        place = np.searchsorted(self.drops, max_drops, side="right") - 1
        ahead = np.minimum(place + 1, len(self.drops) - 1)
        rise = self.drops[ahead] - self.drops[place]
        part = np.divide(max_drops - self.drops[place], rise, out=np.zeros_like(max_drops), where=rise > 0)
        limit = np.minimum(self.limits[place] + part * (self.limits[ahead] - self.limits[place]), max_drops)
        safest = np.where(self.drops[0] - self.error <= max_drops, self.limits[0], -np.inf)
        return np.where(place < 0, safest, limit)


def expectation(record: Record) -> Expectation:
    """What `joint.cheapest_within` leads to on samples like those of `record`."""
    worst = float(record.stage_accuracy[-1] - record.stage_accuracy.min())
    # Denser where drops are small.
    limits = np.concatenate([-GAIN * np.linspace(1.0, 0.0, 33)[:-1] ** 2, worst * np.linspace(0.0, 1.0, 193) ** 2])
    if record.n < 2 * FOLDS:  # too few to say anything: all drops are out of reach
        return Expectation(limits=limits, drops=np.full(len(limits), 2.0), error=0.0)
    folds = np.array_split(record.shuffled(SEED), FOLDS)
    lost, discordant = (_lost_on_grid if on_grid(record) else _lost_by_search)(record, folds, limits)
    error = NormalDist().inv_cdf(1 - ALPHA) * math.sqrt(discordant) / record.n
    return Expectation(limits=limits, drops=rising(lost) / record.n, error=error)


def rising(values: NDArray[np.int64]) -> NDArray[np.float64]:
    """(L,) the never falling sequence nearest to `values` by least squares: isotonic regression.

    Entry i is the largest, over all beginnings up to i, of the least mean over all ends from i on (the minimax formula
    of Barlow et al., 1972); sums of whole numbers are exact, so that equal values stay equal.  SciPy has it too, but
    takes a third of a second to import, and whoever opens the page would wait for that.
    """
    sums, place = np.append(0, np.cumsum(values)), np.arange(len(values))
    lengths = place - place[:, None] + 1
    means = np.where(lengths > 0, (sums[1:] - sums[:-1, None]) / np.maximum(lengths, 1), np.inf)
    least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
    return np.maximum.accumulate(np.where(lengths > 0, least, -np.inf), axis=0).diagonal()


Folds = list[NDArray[np.int64]]


def _lost_on_grid(record: Record, folds: Folds, limits: NDArray[np.float64]) -> tuple[NDArray[np.int64], int]:
    """(L,) right answers lost on the parts, by rules chosen on the others, and samples that the safest change.

    What is counted on one part is not counted again: the others are all less that part.
    """
    parts = on_folds(record, folds)
    correct, macs = sum(part.correct for part in parts), sum(part.macs for part in parts)
    full = int(record.correct[-1].sum())
    lost, discordant = np.zeros(len(limits), dtype=np.int64), 0
    for fold, part in zip(folds, parts, strict=True):
        own = int(record.correct[-1, fold].sum())
        drops = (full - own - (correct - part.correct).ravel()) / (record.n - len(fold))
        chosen = first_best(drops, (macs - part.macs).ravel(), limits)
        lost += own - part.correct.ravel()[chosen]
        safest = evaluate(held := record.take(fold), rule_path(held, limits[:1], part.rules(chosen[:1])).rule(0))
        discordant += safest.harmed + safest.helped
    return lost, discordant


def _lost_by_search(record: Record, folds: Folds, limits: NDArray[np.float64]) -> tuple[NDArray[np.int64], int]:
    """The same for more stages than a grid holds."""
    lost, discordant = np.zeros(len(limits), dtype=np.int64), 0
    for number, fold in enumerate(folds):
        others = np.concatenate([other for i, other in enumerate(folds) if i != number])
        thresholds, _ = cheapest_within(record.take(np.sort(others)), limits, starts=5)
        held = record.take(np.sort(fold))
        # Not ordered from safest to boldest, as a path otherwise is: each row is evaluated by itself.
        evaluation = evaluate_path(held, rule_path(held, limits, thresholds))
        lost += evaluation.full_correct - evaluation.correct_counts.sum(axis=1)
        safest = evaluation[0]
        discordant += safest.harmed + safest.helped
    return lost, discordant
