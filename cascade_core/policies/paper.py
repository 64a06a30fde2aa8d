"""The paper's policy: each stage alone gives up at most epsilon of its own best residual accuracy.

Berestizshevsky & Even, arXiv 1805.10982.  For each stage, over ALL calibration samples:
    alpha_m(delta) = accuracy of stage m on the samples with confidence >= delta
    alpha*_m       = max over delta of alpha_m(delta)
    delta_m(eps)   = min { delta : alpha_m(delta) >= alpha*_m - eps }
delta ranges over the observed confidences; equal confidences are one group.  Epsilon is a slack per
stage, not the drop of the cascade's accuracy; that is what `CheapestWithinDrop` is about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import Positions, Slider, Sweep, rule_path
from cascade_core.policies.parameters import drop
from cascade_core.simulation.paths import RulePath
from cascade_core.simulation.record import Record

EPSILON = drop(0.0, "degradation of each stage: 1%, 1pt or 0.01 is one point")


def epsilon_slider(of_each: str) -> Slider:
    """A slider over epsilon, the degradation of each stage, or of whatever has a threshold."""
    label = f"acceptable degradation a {of_each} (epsilon)"
    return Slider(parameter="epsilon", label=label, unit="points", scale=100, decimals=1, opening=0.02)


@dataclass(frozen=True)
class PaperRule(Sweep):
    """Smallest threshold at which a stage's residual accuracy is within `epsilon` of its best.

    Attributes:
        epsilon: Acceptable degradation a stage, a fraction in [0, 1].
    """

    epsilon: float = field(metadata=EPSILON)

    name: ClassVar[str] = "paper"
    title: ClassVar[str] = "Paper's rule, each stage alone"
    promise: ClassVar[str] = (
        "Each stage, judged alone, answers with at most epsilon below its own best accuracy; "
        "the drop of the whole cascade follows from it but is not bounded by it."
    )
    slider: ClassVar[Slider] = epsilon_slider("stage")
    charts: ClassVar = ("Residual accuracy",)

    @classmethod
    def positions(cls, record: Record, count: int) -> NDArray[np.float64]:
        """Epsilon from 0 to 0.1, beyond the paper's largest."""
        return np.linspace(0.0, 0.1, count)

    @classmethod
    def path(cls, record: Record, positions: Positions) -> RulePath:
        """The rules at the epsilons `positions`: one sort a stage, then a search for each position."""
        epsilons = np.asarray(positions, dtype=np.float64)
        early = zip(record.confidence[:-1], record.correct[:-1], strict=True)
        columns = [paper_thresholds(confidence, correct, epsilons, record.weights) for confidence, correct in early]
        return rule_path(record, epsilons, np.array(columns, dtype=np.float32).reshape(-1, len(epsilons)).T)


def paper_thresholds(
    confidence: NDArray[np.float32],
    correct: NDArray[np.bool_],
    epsilons: NDArray[np.float64],
    weights: NDArray[np.int64] | None = None,
) -> NDArray[np.float32]:
    """delta(eps) of some samples, (N,) all, at each of the epsilons (G,)."""
    return smallest_within(*residual_accuracy(confidence, correct, weights), epsilons)


def smallest_within(
    deltas: NDArray[np.float32], alphas: NDArray[np.float64], epsilons: NDArray[np.float64]
) -> NDArray[np.float32]:
    """(G,) the least of the deltas, rising, (D,), whose alpha (D,) is within each of the epsilons of the greatest."""
    # The first delta that reaches a bar is the first at which the running maximum does.
    highest = np.maximum.accumulate(alphas)
    return deltas[np.searchsorted(highest, alphas.max() - epsilons, side="left")]


def residual_accuracy(
    confidence: NDArray[np.float32], correct: NDArray[np.bool_], weights: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The paper's alpha_m(delta) at every observed confidence of one stage.

    Args:
        confidence: (N,).
        correct: (N,) bool.
        weights: (N,) samples that each entry stands for; None = one each.

    Returns:
        Distinct confidences, rising, (D,), and the accuracy on the samples at or above each, (D,).
    """
    order = np.argsort(confidence)
    deltas, starts = np.unique(confidence[order], return_index=True)
    of_each = np.ones(len(order), dtype=np.int64) if weights is None else weights[order]
    right_from, from_here = (np.cumsum(kind[::-1])[::-1][starts] for kind in (correct[order] * of_each, of_each))
    return deltas, right_from / from_here
