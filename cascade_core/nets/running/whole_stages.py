"""A staged model as ONNX, one program for each stage with its head: what a server calls once for each stage.

A program takes what its stage reads of the state before it and gives logits and what the stage adds to the state; what
a stage only hands on stays with the caller.  A head that is off is in no program.  The batch is dynamic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cascade_core.nets.running.exporting import exported_part
from cascade_core.nets.staged import StagedModel, State

LOGITS = "logits"


@dataclass(frozen=True, kw_only=True, eq=False)
class WholeStage:
    """A stage with its head.

    Attributes:
        program: The ONNX program.
        before: Names of all tensors of the state before the stage.
        inputs, outputs: Tensors that the program takes and gives, by name, as an example of two samples; the logits
            are called "logits", where the head is on.
        after: Names of the tensors of the state after it, each among `before` or `outputs`.
    """

    program: Any
    before: tuple[str, ...]
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    after: tuple[str, ...]


def whole_stages(model: StagedModel, images: Tensor, heads: Sequence[bool]) -> Iterator[WholeStage]:
    """The stages, in order.

    Args:
        model: In eval mode on the processor, where it stays.
        images: Two, normalised.
        heads: (M,) whether each stage's head is on; the last always is.

    Raises:
        ValueError: ONNX cannot express a stage.
        OSError: What the exporter wrote was refused by the system.
    """
    state = model.begin(images)
    for stage, head in enumerate(heads):
        yield (whole := _whole_stage(model, stage, state, head))
        known = {**dict(zip(whole.before, state, strict=True)), **whole.outputs}
        state = tuple(known[name] for name in whole.after)


def _whole_stage(model: StagedModel, stage: int, state: State, head: bool) -> WholeStage:
    before = {f"before_{number}": part for number, part in enumerate(state)}
    with torch.no_grad():
        # The last stage's state is nobody's.
        reached = () if stage == len(model.stage_names) - 1 else model.extend(state, stage)
        logits = {LOGITS: model.advance(state, stage)[0]} if head else {}
    after = [_name(part, number, before) for number, part in enumerate(reached)]
    made = [number for number, name in enumerate(after) if name not in before]

    def compute(*parts: Tensor) -> State:
        answer, then = model.advance(parts, stage) if head else (None, model.extend(parts, stage))
        return (*([] if answer is None else [answer]), *(then[number] for number in made))

    outputs = {**logits, **{after[number]: reached[number] for number in made}}
    title = f"stage {model.stage_names[stage]!r}"
    program = exported_part(model, compute, state, title, input_names=[*before], output_names=[*outputs])
    read = program.model.graph.inputs
    for value in [value for value in read if not value.uses()]:
        read.remove(value)
    return WholeStage(
        program=program,
        before=tuple(before),
        inputs={value.name: before[value.name] for value in read},
        outputs=outputs,
        after=tuple(after),
    )


def _name(part: Tensor, number: int, before: Mapping[str, Tensor]) -> str:
    """What a tensor of a stage's state is called: as before, if the stage hands it on."""
    return next((name for name, own in before.items() if own is part), f"after_{number}")
