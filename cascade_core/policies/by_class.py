"""The paper's rule with a threshold for each class that a stage may answer.

A variant in the code of Berestizshevsky & Even (arXiv 1805.10982): alpha_m(delta), its best and delta_m(epsilon) are
those of `paper`, over the samples that stage m takes for class k.  Classes that a stage is good at leave sooner; the
price is that each threshold rests on a K-th of the samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import Positions, Slider, Sweep, rule_path
from cascade_core.policies.paper import EPSILON, PaperRule, epsilon_slider, paper_thresholds
from cascade_core.simulation.paths import RulePath
from cascade_core.simulation.record import Record


@dataclass(frozen=True)
class PaperRuleByClass(Sweep):
    """Smallest threshold, of each stage and class answered there, with residual accuracy within `epsilon` of its best.

    A class that a stage never answers on the calibration samples never leaves there.

    Attributes:
        epsilon: Acceptable degradation of each stage and class, a fraction in [0, 1].
    """

    epsilon: float = field(metadata=EPSILON)

    name: ClassVar[str] = "paper-by-class"
    title: ClassVar[str] = "Paper's rule, each stage and class alone"
    promise: ClassVar[str] = (
        "Each stage has a threshold for each class that it answers, and is at most epsilon below its own best accuracy "
        "on that class; the drop of the whole cascade is not bounded by it."
    )
    slider: ClassVar[Slider] = epsilon_slider("stage and class")

    @classmethod
    def positions(cls, record: Record, count: int) -> NDArray[np.float64]:
        """Epsilon from 0 to 0.1, as for the paper's rule."""
        return PaperRule.positions(record, count)

    @classmethod
    def path(cls, record: Record, positions: Positions) -> RulePath:
        """The rules at the epsilons `positions`."""
        epsilons = np.asarray(positions, dtype=np.float64)
        thresholds = np.full((len(epsilons), len(record.stages) - 1, record.classes), np.inf, dtype=np.float32)
        for stage in range(len(record.stages) - 1):
            answers = record.predictions[stage]
            for answer in np.unique(answers):
                members = answers == answer
                thresholds[:, stage, answer] = paper_thresholds(
                    record.confidence[stage, members], record.correct[stage, members], epsilons
                )
        return rule_path(record, epsilons, thresholds)
