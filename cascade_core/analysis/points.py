"""Where one stands: a position of a slider, or thresholds set by hand; and operating points to be laid side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cascade_core.analysis.exploration import Exploration, Split
from cascade_core.simulation.evaluation import Evaluation, evaluate
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import MACS, Meter
from cascade_core.support import wording

BY_HAND = "thresholds set by hand"


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """A rule among those of an exploration: a position of its slider, or thresholds set by hand, away from there.

    Attributes:
        position: Slider position, from 0 to G-1.
        by_hand: Thresholds of all stages but the last, infinite where nothing leaves; None: those of the position.

    Raises:
        ValueError: There is no such position, or `by_hand` does not fit the stages.
    """

    exploration: Exploration
    position: int
    by_hand: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        path = self.exploration.path
        if not 0 <= self.position < len(path):
            raise ValueError(f"Expected position to be from 0 to {len(path) - 1} but it was {self.position}")
        if self.by_hand is not None and (path.by_class or len(self.by_hand) != path.thresholds.shape[1]):
            raise ValueError(
                f"Expected a threshold for each of {path.thresholds.shape[1]} stages but there were {len(self.by_hand)}"
            )

    @property
    def is_by_hand(self) -> bool:
        """Whether thresholds are set by hand."""
        return self.by_hand is not None

    @cached_property
    def rule(self) -> ExitRule:
        """The thresholds; set by hand with every exit off, they are the plain network."""
        path = self.exploration.path
        if self.by_hand is None:
            return path.rule(self.position)
        thresholds = np.array(self.by_hand, dtype=np.float32)
        return ExitRule(
            thresholds=thresholds,
            score=path.score,
            top_k=path.top_k,
            pool=None if np.isinf(thresholds).all() else path.pool,
            stage_names=path.stage_names,
        )

    @cached_property
    def evaluation(self) -> Evaluation:
        """What it does on the test samples."""
        if self.by_hand is None:
            return self.exploration.at(self.position)
        return evaluate(self.exploration.test, self.rule)

    @property
    def certified(self) -> float | None:
        """Upper bound on the drop, sure at all positions of the slider at once; None where nothing is certain."""
        certificate = None if self.is_by_hand else self.exploration.certificate
        return None if certificate is None else float(certificate[self.position])

    @property
    def words(self) -> str:
        """A slider position as people read it: "0.5 points", or a bare confidence; or that there is none."""
        slider, value = self.exploration.slider, float(self.exploration.shown[self.position])
        return BY_HAND if self.is_by_hand else wording.setting(value, slider.decimals, slider.unit)

    @property
    def described(self) -> str:
        """With what the slider is about: "acceptable accuracy drop 1.0 points"."""
        return BY_HAND if self.is_by_hand else f"{self.exploration.slider.label} {self.words}"

    def at(self, position: int, by_hand: tuple[float, ...] | None = None) -> Setting:
        """Another of the same exploration."""
        return Setting(exploration=self.exploration, position=position, by_hand=by_hand)


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
        meter: What its costs are counted in.
        certified: Upper bound on the drop, sure at all positions of its slider at once; None where there is none.
        name: What the user calls it, if anything.
    """

    run: str
    policy: str
    setting: str
    score: str
    answers: str
    split: Split
    evaluation: Evaluation
    certified: float | None
    meter: Meter = MACS
    name: str = ""


def operating_point(setting: Setting, *, run: str, name: str = "") -> OperatingPoint:
    """The point of a setting."""
    exploration = setting.exploration
    return OperatingPoint(
        run=run,
        policy=exploration.terms.of(exploration.policy.title),
        setting=setting.words,
        score=exploration.test.score,
        answers=exploration.answers,
        split=exploration.split,
        evaluation=setting.evaluation,
        certified=setting.certified,
        meter=exploration.meter,
        name=name,
    )
