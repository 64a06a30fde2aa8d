"""How far figures spread: on other samples, as a formula has it; over other splits of the same, as they are tried.

A split decides which samples choose the thresholds and which judge them.  A figure of one split is of one draw; the
mean over several splits, with their standard deviation, says what a user who draws another may expect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.exploration import Exploration, Split
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.meters import MACS, Meter, along
from cascade_core.support import checks, wording
from cascade_core.support.terms import LABELS, Terms

SEEDS = 10
"""Splits over which figures are spread unless another number is asked for."""

MOST_SEEDS = 1000
"""Nobody waits for more."""

STANDARD_ERROR = "(one standard error, 68 % confidence)"
"""What intervals behind a ± are, where they are not said to be others."""

OUTER = (0.1, 0.9)
"""Quantiles between which a band is drawn."""


def splits(split: Split, count: int = SEEDS) -> list[Split]:
    """The same division drawn by each of the seeds 0 to `count` - 1.

    Raises:
        ValueError: `count` is below 2, or the split is in-sample, so that no seed has a say.
    """
    if split.in_sample:
        raise ValueError("Expected samples to be divided but all of them choose and judge; turn in-sample off")
    return [replace(split, seed=seed) for seed in range(checks.whole("seeds", count, 2, MOST_SEEDS))]


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What one split makes of a policy: little of an `Exploration`, so that many can be kept.

    Attributes:
        shown: (G,) slider positions in the slider's unit.
        evaluation: (G,) what their rules do on the test samples.
    """

    shown: NDArray[np.float64]
    evaluation: Evaluation

    @classmethod
    def of(cls, exploration: Exploration) -> Judged:
        """That of an exploration."""
        return cls(shown=exploration.shown, evaluation=exploration.evaluation)

    def at(self, shown: float) -> Evaluation:
        """What is done at the slider position nearest to one."""
        return self.evaluation[int(abs(self.shown - shown).argmin())]

    def accuracy(self, costs: NDArray[np.float64], meter: Meter = MACS) -> NDArray[np.float64]:
        """(X,) accuracy at mean costs, shares of the plain network's, by straight lines between positions.

        Positions of equal cost count with their mean accuracy; it is NaN where no two positions lie on either side.
        """
        own, which = np.unique(along(meter, self.evaluation) / meter.plain(self.evaluation), return_inverse=True)
        accuracy = np.bincount(which, self.evaluation.accuracy) / np.bincount(which)
        return np.interp(costs, own, accuracy, left=np.nan, right=np.nan)


@dataclass(frozen=True, kw_only=True, eq=False)
class Band:
    """Accuracy over splits at mean costs; all (X,), NaN at costs that not all splits reach.

    Attributes:
        costs: Shares of the plain network's.
        mean: Of the splits' accuracies.
        low, high: Their quantiles `OUTER`.
    """

    costs: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Realised:
    """What one wish came to on the test samples of each of S splits, fractions; spreads are standard deviations."""

    drops: NDArray[np.float64]
    savings: NDArray[np.float64]

    @classmethod
    def of(cls, evaluations: Sequence[Evaluation], meter: Meter = MACS) -> Realised:
        """Those of one rule a split, savings by a meter."""
        drops = [one.accuracy_drop for one in evaluations]
        savings = [1 - meter.mean(one) / meter.plain(one) for one in evaluations]
        return cls(drops=np.array(drops), savings=np.array(savings))

    @cached_property
    def drop(self) -> tuple[float, float]:
        """Mean of the drops and their standard deviation, with S - 1 below the line."""
        return float(self.drops.mean()), float(self.drops.std(ddof=1))

    @cached_property
    def saving(self) -> tuple[float, float]:
        """The same of the savings."""
        return float(self.savings.mean()), float(self.savings.std(ddof=1))


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """A policy over several splits of the same run."""

    judged: Sequence[Judged]

    def band(self, costs: NDArray[np.float64], meter: Meter = MACS) -> Band:
        """Where accuracy lies at mean costs, (X,) shares of the plain network's."""
        curves = np.array([one.accuracy(costs, meter) for one in self.judged])
        low, high = np.quantile(curves, OUTER, axis=0)
        return Band(costs=costs, mean=curves.mean(axis=0), low=low, high=high)

    def realised(self, shown: float, meter: Meter = MACS) -> Realised:
        """What each split came to at its slider position nearest to one, in the slider's unit; savings by a meter."""
        return Realised.of([one.at(shown) for one in self.judged], meter)


def moved_words(evaluation: Evaluation, meter: Meter = MACS) -> str:
    """How far the drop, and the saving where it is of MACs, would typically move on other samples, in a sentence."""
    drop = f"the {evaluation.terms.short_drop} by up to ±\u00a0{wording.points(evaluation.drop_move)} points"
    saving = f" and the saving by up to ±\u00a0{wording.percent(evaluation.saving_move, 1)}" if meter is MACS else ""
    return f"Another {evaluation.n:,} samples would move {drop}{saving}, two times in three {STANDARD_ERROR}."


def realised_words(setting: str, realised: Realised, terms: Terms = LABELS) -> str:
    """What a slider's setting came to over splits, in a sentence."""
    (drop, drop_spread), (saving, saving_spread) = realised.drop, realised.saving
    return (
        f"Over {len(realised.drops)} splits, set to {setting}: {wording.points(abs(drop))} ± "
        f"{wording.points(drop_spread)} points {terms.gained if drop < 0 else terms.given_up}, "
        f"{wording.fixed(100 * abs(saving), 1)} ± {wording.percent(saving_spread, 1)} "
        f"{'saved' if saving >= 0 else 'added'} (means and standard deviations)."
    )
