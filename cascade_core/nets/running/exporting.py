"""A staged model as ONNX: one part for each stage's trunk piece, one for each early head, one for the plain network.

`exported_stages` gives the first two, `exported_plain` the last; `whole_stages` puts a stage's two together.  A trunk
piece's part takes the state before it and gives the state after it; a head's takes the state after its trunk
piece and gives logits.  The last stage is one part, from the state before it to logits.  Heads are parts of their own
because ONNX Runtime computes all that a part can give, asked for or not: a head that is off would be computed.  The
batch is dynamic.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cascade_core.nets.staged import StagedModel, State


class _Part(nn.Module):
    """Something that a model computes, as a module of tensors to tensors."""

    def __init__(self, model: StagedModel, compute: Callable[..., Tensor | State]) -> None:
        super().__init__()
        self.model, self.compute = model, compute

    def forward(self, *inputs: Tensor) -> Tensor | State:
        """What is computed of the inputs."""
        return self.compute(*inputs)


def exported_stages(model: StagedModel, images: Tensor) -> Iterator[tuple[str, Any]]:
    """Names and ONNX programs of all parts but the plain network, stage by stage.

    Args:
        model: In eval mode on the processor, where it stays.
        images: Two or more, normalised.

    Yields:
        ("stage_0", program), ("head_0", program), ... and last ("stage_M-1", program), with its head.

    Raises:
        ValueError: ONNX cannot express a stage.
        OSError: What the exporter wrote was refused by the system.
    """
    state, last = model.begin(images), len(model.stage_names) - 1

    def trunk(stage: int) -> Callable[..., State]:
        return lambda *before: model.extend(before, stage)

    def head(stage: int) -> Callable[..., Tensor]:
        return lambda *after: model.classify(after, stage)

    def both(*before: Tensor) -> Tensor:
        return model.advance(before, last)[0]

    for stage, title in enumerate(model.stage_names[:-1]):
        yield f"stage_{stage}", exported_part(model, trunk(stage), state, f"stage {title!r}")
        with torch.no_grad():
            state = model.extend(state, stage)
        yield f"head_{stage}", exported_part(model, head(stage), state, f"stage {title!r}")
    yield f"stage_{last}", exported_part(model, both, state, f"stage {model.stage_names[-1]!r}")


def exported_plain(model: StagedModel, images: Tensor) -> Any:
    """The ONNX program of the plain network, from images to logits; see `exported_stages`."""
    return exported_part(model, model.plain, (images,), "the plain network")


def exported_part(
    model: StagedModel,
    compute: Callable[..., Tensor | State],
    inputs: Sequence[Tensor],
    title: str,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
) -> Any:
    """An ONNX program of something that the model computes.

    Args:
        inputs: An example of two samples.
        title: What it is called in errors.
        input_names, output_names: Of its tensors; without, the exporter's.

    Raises:
        ValueError: ONNX cannot express it.
        OSError: What the exporter wrote was refused by the system.
    """
    shapes = (tuple({0: torch.export.Dim("batch")} for _ in inputs),)
    try:
        # The exporter warns of its own ways, which are not the user's.
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            part = _Part(model, compute).eval()
            exported = torch.onnx.export(
                part,
                tuple(inputs),
                dynamic_shapes=shapes,
                input_names=input_names,
                output_names=output_names,
                dynamo=True,
                verbose=False,
            )
    except Exception as error:  # the exporter runs the network's own code, which may raise anything
        if (refused := _refused_by_the_system(error)) is not None:  # it writes files of its own
            raise refused from None
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"Expected {title} to be one that ONNX can express but {reason}") from None
    assert exported is not None  # only a call that writes to a file itself returns nothing
    return exported


def _refused_by_the_system(error: BaseException | None) -> OSError | None:
    """What the system refused, if that is what led to an error."""
    while error is not None:
        if isinstance(error, OSError) and error.errno:
            return error
        error = error.__cause__ or error.__context__
    return None
