"""Operating points: single positions of explorations, of any run and policy, to be laid beside one another."""

from __future__ import annotations

from dataclasses import dataclass

from cascade_core.analysis.exploration import Exploration, Split
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.support import wording


@dataclass(frozen=True, kw_only=True, eq=False)
class OperatingPoint:
    """What one rule does, and where it comes from.

    Attributes:
        run: Name of the run.
        policy: Title of the policy.
        setting: What its slider stood at, with the unit.
        score: What thresholds are compared with.
        answers: "own" or "pooled".
        evaluation: On the test samples.
        certified: Upper bound on the drop, sure at all positions of its slider at once; None where there is none.
    """

    run: str
    policy: str
    setting: str
    score: str
    answers: str
    split: Split
    evaluation: Evaluation
    certified: float | None


def setting_words(exploration: Exploration, position: int) -> str:
    """A slider position as people read it: "0.5 points", or a bare confidence."""
    slider, value = exploration.slider, float(exploration.shown[position])
    return wording.setting(value, slider.decimals, slider.unit)


def operating_point(exploration: Exploration, position: int, *, run: str) -> OperatingPoint:
    """The point at a slider position."""
    certificate = exploration.certificate
    return OperatingPoint(
        run=run,
        policy=exploration.policy.title,
        setting=setting_words(exploration, position),
        score=exploration.test.score,
        answers=exploration.answers,
        split=exploration.split,
        evaluation=exploration.at(position),
        certified=None if certificate is None else float(certificate[position]),
    )
