"""Samples that are answered by every stage, though they left early: what shows how often leaving changes an answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cascade_core.nets.running.engines import Softmaxes
from cascade_core.nets.running.runner import Runner


@dataclass(frozen=True, kw_only=True, eq=False)
class Audit:
    """What all stages say of some samples.

    Attributes:
        confidence: (n, M) float32, under the rule's score.
        answers: (n, M) class numbers, as the rule has stages answer.
        plain: (n,) what the plain network says.
    """

    confidence: NDArray[np.float32]
    answers: NDArray[np.int64]
    plain: NDArray[np.int64]


@torch.inference_mode()
def audit(runner: Runner, images: Tensor) -> Audit:
    """Have every stage answer images, as `Runner` takes them, from the first on."""
    rule, engine = runner.rule, runner.engine
    passed: list[Softmaxes | None] = [None] * engine.stages
    judged, state = [], engine.begin(images)
    for stage in range(engine.stages):
        state = engine.extend(state, stage)
        passed[stage] = engine.classify(state, stage)
        judged.append(rule.judge(rule.answer(passed, stage), stage))
    last = passed[-1]
    assert last is not None
    return Audit(
        confidence=np.stack([one.confidence for one in judged], axis=1),
        answers=np.stack([one.answers for one in judged], axis=1),
        plain=last.argmax(axis=1),
    )
