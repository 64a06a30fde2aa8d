"""One picture through all stages of a cascade: the `Runner` decides its exit, and later stages are run as well.

The answers of stages that the sample did not reach are computed for display and not counted in its cost.
Pictures come from a run's data set (digits, which scikit-learn brings, or a folder) or from anywhere, as bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cascade_core.nets.images.pixels import Pixels, Preprocessing, normalise, open_image, preprocess
from cascade_core.nets.running.engines import Softmaxes, softmaxes
from cascade_core.nets.running.runner import Runner
from cascade_core.nets.staged import StagedModel
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.passages import (
    LEFT,
    NOT_REACHED,
    POOLED_LATER,
    SWITCHED_OFF,
    WENT_ON,
    Passage,
    StagePassage,
)
from cascade_core.simulation.stages import Stage, exit_costs
from cascade_core.storage.digits import digit_pixels
from cascade_core.storage.pictures import MAX_SHOWN, PictureFolders
from cascade_core.support.files import Contents


@dataclass(frozen=True, kw_only=True, eq=False)
class Tried:
    """A picture that was tried.

    Attributes:
        passage: Its way through the stages.
        seen: (size, size, 3 or 1) pixels that the network took, before they were normalised.
    """

    passage: Passage
    seen: Pixels


def try_picture(
    model: StagedModel,
    rule: ExitRule,
    pixels: Pixels,
    preprocessing: Preprocessing,
    *,
    stages: Sequence[Stage],
    baseline_macs: int,
    beyond: bool = True,
) -> Tried:
    """Take a picture (height, width, 3 or 1) through the stages.

    Args:
        stages, baseline_macs: Of the run, for costs.
        beyond: Whether stages that the sample does not reach, and heads that are off, are run too.

    Raises:
        ValueError: The rule is for other stages or classes, or the picture cannot be prepared.
    """
    image = preprocess(pixels, preprocessing)
    passage = pass_through(model, rule, normalise(image[None], preprocessing), stages, baseline_macs, beyond=beyond)
    return Tried(passage=passage, seen=image.permute(1, 2, 0).numpy())


def pass_through(
    model: StagedModel,
    rule: ExitRule,
    image: Tensor,
    stages: Sequence[Stage],
    baseline_macs: int,
    *,
    beyond: bool = True,
) -> Passage:
    """The way of one normalised image (1, channels, size, size); see `try_picture`."""
    exit_stage = int(Runner(model, rule, "cpu")(image).stages[0])
    active = rule.active
    costs = exit_costs(stages, active, baseline_macs)
    passed = _passed(model, image, exit_stage, active, beyond)
    rows = []
    for number, stage in enumerate(stages):
        # Where no early head is run the plain network is, and its cost is not divided among stages.
        spent = number <= exit_stage and (active[:-1].any() or number == exit_stage)
        state = _state(rule, number, exit_stage)
        rows.append(_row(stage.name, state, passed, rule, number, int(costs[number]) if spent else None))
    return Passage(stages=tuple(rows), left=exit_stage, score=rule.score, baseline_macs=baseline_macs)


def _state(rule: ExitRule, number: int, exit_stage: int) -> str:
    """What became of a sample that leaves at `exit_stage`."""
    if number >= exit_stage:
        return LEFT if number == exit_stage else NOT_REACHED
    if not rule.active[number]:
        return SWITCHED_OFF
    return WENT_ON if rule.may_exit[number] else POOLED_LATER


def _row(
    name: str, state: str, passed: Sequence[Softmaxes | None], rule: ExitRule, number: int, macs: int | None
) -> StagePassage:
    """What one stage says by itself and answers, judged under the rule."""
    softmax = passed[number]
    if softmax is None:
        threshold = rule.threshold(number)
        return StagePassage(
            name=name, state=state, softmax=None, answered=None, confidence=None, threshold=threshold, macs=macs
        )
    answered = rule.answer(passed[: number + 1], number)
    judged = rule.judge(answered, number)
    return StagePassage(
        name=name,
        state=state,
        softmax=softmax[0],
        answered=answered[0],
        confidence=float(judged.confidence[0]),
        threshold=rule.threshold(number, int(judged.answers[0])),
        macs=macs,
    )


@torch.inference_mode()
def _passed(
    model: StagedModel, image: Tensor, exit_stage: int, active: NDArray[np.bool_], beyond: bool
) -> list[Softmaxes | None]:
    """(1, K) softmaxes by stage: of all stages with `beyond`, else of those that the sample reached."""
    # Laid out as the runner has it, so that its numbers are these to the last digit.
    image = image.to(memory_format=torch.channels_last)
    last = len(active) - 1
    result: list[Softmaxes | None] = [None] * (last + 1)
    if not beyond and not active[:last].any():
        result[last] = softmaxes(model.plain(image))
        return result
    state = model.begin(image)
    for number in range(last + 1 if beyond else exit_stage + 1):
        state = model.extend(state, number)
        if beyond or active[number]:
            result[number] = softmaxes(model.classify(state, number))
    return result


def read_picture(content: bytes) -> Pixels:
    """(height, width, 3) pixels of an uploaded file, turned upright as its camera noted.

    Raises:
        ValueError: It is no picture, a broken one, or one of more than `MAX_SHOWN` pixels.
    """
    return open_image(Contents(name="the file", raw=content), upright=True, max_pixels=MAX_SHOWN)


def sample_picture(data: str | None, sample_id: str, folders: str | Path | None) -> Pixels | None:
    """Pixels of a run's sample; None where there are none to be had.

    Args:
        data: As the run names it; digits need no folder.
        folders: Of pictures, separated as in PATH; ids are looked up in their listings, never joined to them.

    Raises:
        ValueError: A folder is not there and no other has the picture, or the file is no picture, a broken one, or
            one of more than `MAX_SHOWN` pixels.
    """
    if data == "digits":
        pixels = digit_pixels(sample_id)
        return None if pixels is None else pixels[..., None]
    looked_through = PictureFolders(folders or "")
    path = looked_through.find(sample_id)
    if path is None and looked_through.missing:
        raise ValueError(looked_through.missing[0])
    return None if path is None else open_image(path, max_pixels=MAX_SHOWN)
