"""The paper's rule with a threshold for each class that a stage may answer.

A variant in the code of Berestizshevsky & Even (arXiv 1805.10982): the accuracy alpha, its best and delta(epsilon) are
as in `paper`, over the samples that stage m takes for class k.  Classes that a stage is good at leave sooner; the price
is that each threshold rests on a K-th of the samples.  The best accuracy of a few is 1 for one that is right by luck,
and all that is 0 for a class that is never right, so that both would leave at once.  Here accuracies are m-estimates
(Cestnik, "Estimating probabilities: a crucial task in machine learning", ECAI 1990), as if `STRENGTH` more samples had
been answered as well as all of stage m's are from delta on:
    alpha_mk(delta) = (right_mk(delta) + STRENGTH * alpha_m(delta)) / (n_mk(delta) + STRENGTH)
With few samples of a class its threshold is the stage's own, with many it is that of the class.  A class that is never
right on the calibration samples does not leave.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import Positions, Slider, Sweep, rule_path
from cascade_core.policies.paper import EPSILON, PaperRule, epsilon_slider, residual_accuracy, smallest_within
from cascade_core.simulation.paths import RulePath
from cascade_core.simulation.record import Record

STRENGTH = 40
"""Samples that the stage's own accuracy counts for in each class; 10 to 100 do about as well on the shipped runs."""


@dataclass(frozen=True)
class PaperRuleByClass(Sweep):
    """Smallest threshold, of each stage and class answered there, with residual accuracy within `epsilon` of its best.

    A class that a stage is never right about on the calibration samples never leaves there.

    Attributes:
        epsilon: Acceptable degradation of each stage and class, a fraction in [0, 1].
    """

    epsilon: float = field(metadata=EPSILON)

    name: ClassVar[str] = "paper-by-class"
    title: ClassVar[str] = "Paper's rule, each stage and class alone"
    promise: ClassVar[str] = (
        "Each stage has a threshold for each class that it answers, and is at most epsilon below its own best accuracy "
        "on that class, as far as samples of it tell; the drop of the whole cascade is not bounded by it."
    )
    by_answer: ClassVar[bool] = True
    slider: ClassVar[Slider] = epsilon_slider("stage and class")

    @classmethod
    def positions(cls, record: Record, count: int) -> NDArray[np.float64]:
        """Epsilon from 0 to 0.1, as for the paper's rule."""
        return PaperRule.positions(record, count)

    @classmethod
    def path(cls, record: Record, positions: Positions) -> RulePath:
        """The rules at the epsilons `positions`; raises ValueError where nobody knows what was answered."""
        if not record.answers_known:
            raise ValueError("Expected answers, which a threshold for each class goes by, but the run has counts alone")
        epsilons = np.asarray(positions, dtype=np.float64)
        thresholds = np.full((len(epsilons), len(record.stages) - 1, record.classes), np.inf, dtype=np.float32)
        for stage, early in enumerate(thresholds.swapaxes(0, 1)):
            confidence, correct, answers = record.confidence[stage], record.correct[stage], record.predictions[stage]
            deltas, alphas = residual_accuracy(confidence, correct)
            for answer in np.unique(answers[correct]):
                members = answers == answer
                places = np.searchsorted(deltas, confidence[members])
                n, right = (_from_each(places, kind, len(deltas)) for kind in (None, correct[members]))
                early[:, answer] = smallest_within(deltas, (right + STRENGTH * alphas) / (n + STRENGTH), epsilons)
        return rule_path(record, epsilons, thresholds)


def _from_each(
    places: NDArray[np.int64], weights: NDArray[np.bool_] | None, size: int
) -> NDArray[np.float64] | NDArray[np.int64]:
    """(size,) the weights, or the number, of the samples at each place and at those above it."""
    return np.cumsum(np.bincount(places, weights, minlength=size)[::-1])[::-1]
