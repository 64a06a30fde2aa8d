"""One sample's way through a cascade: each stage's answer, the exit and the cost, as data and in words.

Of M stages and K classes.  A stage answers with its own softmax, or with what a pool makes of it and of those before.
Stages behind the exit may have a softmax too, for comparison; they are marked `NOT_REACHED`
and cost nothing.  Nothing is computed from pictures here: `nets.trying` runs networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.scores import SCORES
from cascade_core.support import wording

WENT_ON, LEFT, SWITCHED_OFF, NOT_REACHED = "went on", "left", "switched off", "not reached"
POOLED_LATER = "pooled later"

TOLERANCE = 1e-4
"""How far softmaxes may be apart that are the same: processors and batches round differently."""

_DIGITS = 6
"""Most digits behind the point of a percentage."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StagePassage:
    """What became of the sample at one stage.

    Attributes:
        name: Of the stage.
        state: `WENT_ON`, `LEFT`, `SWITCHED_OFF` (its head is not run under the rule), `POOLED_LATER` (its head is run
            for later stages' answers, and nothing may leave) or `NOT_REACHED`.
        softmax: (K,) float32, what the stage itself says; None where it was not computed.
        answered: (K,) float32, what the stage answers with; `softmax` unless the rule has a pool.
        confidence: Of `answered`, under the rule's score.
        threshold: What confidence is compared with, that of the stage's own answer where there is one for each class;
            `inf` = never leave here, None at the last stage, and where the answer that decides it is not known.
        macs: Multiply-accumulates spent so far, with this stage; None where the sample did not come here.
    """

    name: str
    state: str
    softmax: NDArray[np.float32] | None
    answered: NDArray[np.float32] | None
    confidence: float | None
    threshold: float | None
    macs: int | None

    @property
    def ran(self) -> bool:
        """Whether the cascade runs this stage's head on the sample."""
        return self.state in (WENT_ON, LEFT, POOLED_LATER)

    @property
    def pooled(self) -> bool:
        """Whether it answers with something else than its own softmax."""
        if self.softmax is None or self.answered is None:
            return False
        return not np.array_equal(self.softmax, self.answered)

    @property
    def answer(self) -> int | None:
        """Number of the class that it answers."""
        return None if self.answered is None else int(self.answered.argmax())

    def top(self, count: int) -> tuple[tuple[int, float], ...]:
        """The `count` likeliest classes with the softmaxes that the stage answers with, likeliest first."""
        return _top(self.answered, count)

    def own_top(self, count: int) -> tuple[tuple[int, float], ...]:
        """The same of what the stage itself says."""
        return _top(self.softmax, count)


@dataclass(frozen=True, kw_only=True, eq=False)
class Passage:
    """A sample's way through all stages.

    Attributes:
        stages: M of them, first to last; one of them is where it left.
        left: Number of that stage.
        score: What confidence is, see `scores`.
        baseline_macs: Multiply-accumulates of the plain network.
    """

    stages: tuple[StagePassage, ...]
    left: int
    score: str
    baseline_macs: int

    @property
    def prediction(self) -> int:
        """Number of the class that the cascade answers."""
        answer = self.stages[self.left].answer
        assert answer is not None  # where a sample leaves, the head was run
        return answer

    @property
    def cost(self) -> float:
        """Multiply-accumulates spent, as a share of the plain network's."""
        return self.share(self.left) or 0.0

    def share(self, stage: int) -> float | None:
        """Multiply-accumulates spent up to a stage, as a share of the plain network's; None where it did not come."""
        macs = self.stages[stage].macs
        return None if macs is None else macs / self.baseline_macs

    def verdict(self, class_names: Sequence[str]) -> str:
        """One sentence on where it left and with what answer, and one on the cost."""
        here, count = self.stages[self.left], len(self.stages)
        assert here.confidence is not None
        sure, needed = confidence_in_words(self.score, here.confidence, here.threshold)
        needs = ", which always answers" if needed is None else ""
        reason = "" if needed is None else f" (needs {needed})"
        return (
            f"Left at stage {self.left + 1} of {count}{needs}: says {class_names[self.prediction]}, {sure}{reason}. "
            f"Cost {wording.percent(self.cost)} of the plain network's MACs."
        )

    def judged(self, class_names: Sequence[str], label: int) -> str:
        """A sentence on whether the answer is the true class, and one on what the plain network says."""
        right, last = self.prediction == label, self.stages[-1]
        text = f"The true class is {class_names[label]}: the answer is {'right' if right else 'wrong'}."
        if last.softmax is None or (last.state == LEFT and not last.pooled):
            return text
        plain = int(last.softmax.argmax())
        if plain == self.prediction:
            return f"{text} The plain network says the same."
        return f"{text} The plain network says {class_names[plain]}, {'right' if plain == label else 'wrong'}."


def _top(softmax: NDArray[np.float32] | None, count: int) -> tuple[tuple[int, float], ...]:
    if softmax is None:
        return ()
    return tuple((int(k), float(softmax[k])) for k in np.argsort(-softmax, kind="stable")[:count])


def agreement(passage: Passage, recorded: NDArray[np.float32], simulated: int) -> str:
    """A sentence on whether what was computed now is what the run recorded.

    Args:
        recorded: (M, K) softmaxes of the sample.
        simulated: Number of the stage at which it leaves by these.
    """
    apart = max(
        float(np.abs(stage.softmax - row).max())
        for stage, row in zip(passage.stages, recorded, strict=True)
        if stage.softmax is not None
    )
    if apart > TOLERANCE:
        return (
            f"The recorded softmaxes differ by up to {apart:.2g}: this picture is prepared otherwise than the one that "
            "was recorded, or is another."
        )
    if simulated != passage.left:
        return (
            f"The recorded softmaxes agree to within {TOLERANCE:g}, but by them it leaves at stage {simulated + 1}: "
            "its confidence equals the threshold but for rounding."
        )
    return f"The recorded softmaxes agree to within {TOLERANCE:g}, and by them it leaves at the same stage."


def confidence_in_words(score: str, confidence: float, threshold: float | None) -> tuple[str, str | None]:
    """Confidence and threshold in words, with digits enough to tell them apart; no threshold where none can be met."""
    never = threshold is None or np.isinf(threshold)
    values = [confidence] if never else [confidence, float(threshold or 0.0)]
    about = SCORES[score]
    texts: list[str] = []
    for digits in range(1, _DIGITS):
        texts = [sure_percent(v, digits) if about.is_probability else f"{v:.{digits + 2}f}" for v in values]
        if never or texts[0] != texts[1] or values[0] == values[1]:
            break
    sure = f"{texts[0]} sure" if about.is_probability else f"{score.replace('_', ' ')} {texts[0]}"
    return sure, None if never else texts[1]


def sure_percent(value: float, digits: int = 1) -> str:
    """In percent; what is not certain is not rounded up to certainty."""
    nearest = f"{100 * value:.{digits}f}"
    return f"{nearest if value >= 1 or float(nearest) < 100 else '99.' + digits * '9'} %"
