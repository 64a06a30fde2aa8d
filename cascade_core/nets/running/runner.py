"""Exits that really happen: a staged model and a rule classify batches, and stop computing a sample once it has left.

After each stage where samples may leave, those that are sure enough answer and are dropped; the next stage is computed
for the survivors, as a smaller batch.  A head that is off is not run, and where all early ones are off the plain
network is.  Of softmaxes that later stages pool, the survivors' rows are kept.  What a stage answers with, and who
leaves with it, is decided as the simulation decides it, by `ExitRule.answer` and `ExitRule.judge`.

Only rounding can make a difference to what was simulated: a smaller batch may be summed in another order, in the
last digit, and so fall on the other side of a threshold that it nearly equals.  What computes the stages is an engine
(`engines`): PyTorch, or ONNX Runtime.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cascade_core.nets.running.between import Remaining
from cascade_core.nets.running.choosing import make_engine
from cascade_core.nets.running.engines import Engine, Softmaxes
from cascade_core.nets.staged import StagedModel
from cascade_core.simulation.exits import ExitRule
from cascade_core.storage.choice import Choice


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """A cascade's answers to a batch.

    Attributes:
        predictions: (N,) int64 class numbers.
        confidence: (N,) float32, of the stage that answered, under the rule's score.
        stages: (N,) int64, the stage at which each sample exited.
        passed: (N, M) float32, how sure each stage was that asked whether to let it exit; NaN where none did.
    """

    predictions: NDArray[np.int64]
    confidence: NDArray[np.float32]
    stages: NDArray[np.int64]
    passed: NDArray[np.float32]

    @classmethod
    def of(cls, count: int, last: int) -> Answers:
        """Room for the answers to `count` samples, all of which are taken to leave at the last stage."""
        return cls(
            predictions=np.empty(count, dtype=np.int64),
            confidence=np.empty(count, dtype=np.float32),
            stages=np.full(count, last),
            passed=np.full((count, last + 1), np.nan, dtype=np.float32),
        )


class Runner:
    """A cascade that leaves early.

    Calls only read, so that several threads may share a runner; `set_choice` takes effect for calls begun after it.

    Args:
        model: Put in eval mode and moved to the device.
        choice: What `load_choice` gives, or a rule.
        device: "auto", or a device's name.
        engine: "torch"; "onnx", which compiles the network first, in seconds to minutes; or "auto", the faster by a
            short measurement on the example; or an engine that was made before.  `engine_why` says in a line which
            it is and why.
        example: Images of the shape that will come, as many as usually come at once; "torch" needs none.
        fold: With torch, run a copy with batch norms folded into convolutions: faster by a tenth to a fifth on a
            processor, but rounded differently, so that a sample whose confidence is a threshold may fall on its other
            side (of 10,000 images of CIFAR-10 two at most did).

    Raises:
        ValueError: The device is absent, the choice is for other stages, or the engine cannot be had.
    """

    def __init__(
        self,
        model: StagedModel,
        choice: Choice | ExitRule,
        device: str = "auto",
        *,
        engine: str | Engine = "torch",
        example: Tensor | None = None,
        fold: bool = False,
    ) -> None:
        self.stage_names = model.stage_names
        self.set_choice(choice)
        self.engine, self.engine_why = (
            (engine, f"{engine.title}, as given")
            if isinstance(engine, Engine)
            else make_engine(engine, model, device, fold=fold, example=example)
        )

    def set_choice(self, choice: Choice | ExitRule) -> None:
        """Use another choice from now on; nothing is rebuilt.

        Raises:
            ValueError: It is for other stages; what was set before stays.
        """
        rule = choice.rule if isinstance(choice, Choice) else choice
        rule.check_stages(self.stage_names)
        self.rule = rule

    def __call__(self, images: Tensor) -> Answers:
        """Classify images (N, channels, height, width), normalised as the network expects, or tokens of N texts.

        Raises:
            ValueError: The rule is for another number of classes than the network has.
        """
        with self.engine.without_gradients():
            return self._answers(images, self.rule)

    def _answers(self, images: Tensor, rule: ExitRule) -> Answers:
        engine, numbers, last = self.engine, np.arange(len(images)), len(rule.thresholds)
        result = Answers.of(len(images), last)

        def note(passed: Sequence[Softmaxes | None], stage: int, samples: NDArray[np.int64]) -> NDArray[np.bool_]:
            return note_answers(passed, stage, samples, rule, result)

        if not rule.active[:last].any():
            note([*[None] * last, engine.plain(images)], last, numbers)
            return result
        remaining = Remaining.of(images, numbers, engine)
        for stage in range(last + 1):
            remaining = remaining.after(stage, engine, rule, note)
            if not len(remaining.numbers):
                break
        return result


def note_answers(
    passed: Sequence[Softmaxes | None], stage: int, samples: NDArray[np.int64], rule: ExitRule, result: Answers
) -> NDArray[np.bool_]:
    """Note what a stage answers to those of its samples that exit there, and return which these are.

    Args:
        passed: As `ExitRule.answer` takes them.
    """
    judged = rule.judge(rule.answer(passed, stage), stage)
    here = samples[judged.exits]
    result.predictions[here] = judged.answers[judged.exits]
    result.confidence[here] = judged.confidence[judged.exits]
    result.stages[here] = stage
    result.passed[samples, stage] = judged.confidence
    return judged.exits
