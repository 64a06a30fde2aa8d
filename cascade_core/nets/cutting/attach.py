"""Exits attached to a network that was not made for them: cut, and given a head at each exit.

The result is a `CascadedNetwork` whose last stage answers exactly as the network does.  Fresh early heads know
nothing yet; `training.fit_heads` fits them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from cascade_core.nets.answers import to_logits
from cascade_core.nets.cutting.layers import LayeredNetwork, layer_points, split_layers
from cascade_core.nets.cutting.splitting import USUAL_EXITS, ExitPoint, choose_points, exit_points, split
from cascade_core.nets.cutting.tracing import trace
from cascade_core.nets.heads import families as families
from cascade_core.nets.heads.ladder import Rung
from cascade_core.nets.macs import stage_costs
from cascade_core.nets.returned import look
from cascade_core.nets.staged import CascadedNetwork

LAST = "end"
"""What the last stage is called where the others are called after their exits."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A network in pieces.

    Attributes:
        exits: Names of the M - 1 exits, in order.
        shapes: Of the tensor at each, without the batch.
        shares: Of the network's MACs that are computed up to each, in (0, 1).
        pieces: M modules, as `split` gives them.
        macs: Of the whole network on one sample, by torch's own counter.
        answer: What makes logits of what the last piece gives.
        classes: How many the network answers with.
    """

    exits: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    shares: tuple[float, ...]
    pieces: tuple[nn.Module, ...]
    macs: int
    answer: nn.Module
    classes: int


def cut(
    network: nn.Module, example: Tensor, exits: str, *, classes: int | None = None, outputs: str | None = None
) -> Cut:
    """Cut `network` at `exits`; the pieces share its weights.

    Args:
        classes: How many, where that is known.
        outputs: Which of its answers to take, where it returns several, as `returned.find_answers` takes it.

    Warns:
        UserWarning: It returns more than logits, or softmaxes.

    Raises:
        ValueError: The network cannot be traced, an exit is unknown, or it returns no answer or several.
    """
    cuttable = _cuttable(network, example, classes, outputs)
    points = {point.name: point for point in cuttable.points}
    names = choose_points(cuttable.points, exits)
    return Cut(
        exits=names,
        shapes=tuple(points[n].shape for n in names),
        shares=tuple(points[n].share for n in names),
        pieces=tuple(cuttable.split(names)),
        macs=cuttable.macs,
        answer=to_logits(cuttable.answers, type(network).__name__),
        classes=cuttable.answers.shape[1],
    )


def exit_points_of(
    network: nn.Module, example: Tensor, *, classes: int | None = None, outputs: str | None = None
) -> tuple[ExitPoint, ...]:
    """Every exit point of a network; arguments and errors are those of `cut`."""
    return _cuttable(network, example, classes, outputs).points


@dataclass(frozen=True, kw_only=True)
class _Cuttable:
    """A network that gives one answer, and where it may be cut.

    Attributes:
        split: Names of points to the pieces of the network.
        macs: Of the whole network on one sample, by torch's own counter.
        answers: (batch, K) to the example.
    """

    points: tuple[ExitPoint, ...]
    split: Callable[[Sequence[str]], Sequence[nn.Module]]
    macs: int
    answers: Tensor


def _cuttable(network: nn.Module, example: Tensor, classes: int | None, outputs: str | None) -> _Cuttable:
    """What the network says itself, else what `torch.fx` sees of it."""
    name = type(network).__name__
    places, answers = look(network.eval(), name, example, classes, outputs)
    if len(places) > 1:
        raise ValueError(
            f"Expected one answer of {name} to put exits before but it returns {len(places)}; --outputs last takes the "
            "last, and precompute --outputs all makes a stage of each"
        )
    if isinstance(network, LayeredNetwork):
        points, macs = layer_points(network, example)
        return _Cuttable(points=points, split=partial(split_layers, network), macs=macs, answers=answers[0])
    traced = trace(network, example, places)
    return _Cuttable(points=exit_points(traced), split=partial(split, traced), macs=traced.macs, answers=answers[0])


def assemble(title: str, pieces: Cut, heads: Sequence[nn.Module], stage_names: Sequence[str] = ()) -> CascadedNetwork:
    """The pieces with a head after each but the last, in eval mode; stages are called after their exits by default."""
    names = tuple(stage_names) or (*pieces.exits, LAST)
    rungs = [head[0] for head in heads if isinstance(head, nn.Sequential) and isinstance(head[0], Rung)]
    answers = [head[1:] for head in heads if isinstance(head, nn.Sequential)] if rungs else heads
    return CascadedNetwork(title, names, pieces.pieces, [*answers, pieces.answer], rungs).eval()


def attach_exits(
    network: nn.Module,
    example: Tensor,
    *,
    exits: str = USUAL_EXITS,
    heads: str = "fine",
    seed: int = 0,
    outputs: str | None = None,
) -> CascadedNetwork:
    """Cut `network` at `exits` and put heads there; it shares the network's weights, and is in eval mode.

    Args:
        network: A classifier that `torch.fx` can trace, or a row of layers.
        example: At least two samples as the network takes them, such as images (batch, channels, height, width).
        exits: "auto:3" for three at about equal shares of MACs, or names from `exit_points`, a,b; without it, at most
            three.
        heads: A preset's name.
        seed: Of the heads' first weights.
        outputs: As `cut` takes it.

    Raises:
        ValueError: The network cannot be traced, an exit is unknown, or no head fits what is computed there.
    """
    pieces = cut(network, example, exits, outputs=outputs)
    specs = families.preset(heads, list(pieces.shapes), pieces.macs)
    return assemble(type(network).__name__, pieces, families.build(specs, pieces.classes, seed))


def exit_costs(
    network: nn.Module, example: Tensor, *, outputs: str | None = None
) -> tuple[tuple[tuple[ExitPoint, int], ...], int]:
    """Every exit point of a network with the multiply-accumulates of one sample up to there, and those of the whole.

    Args:
        example: At least two samples, (batch, ...).
        outputs: As `cut` takes it.

    Raises:
        ValueError: The network cannot be traced, or it returns no answer or several.
    """
    cuttable = _cuttable(network, example, None, outputs)
    names = [point.name for point in cuttable.points]
    pieces = cuttable.split(names)
    # Without heads, what a stage costs is its piece of the trunk.
    bare = CascadedNetwork("", (*names, LAST), pieces, [nn.Identity() for _ in pieces])
    stages = stage_costs(bare, example[:1])
    macs = [sum(stage.trunk_macs for stage in stages[: i + 1]) for i in range(len(stages))]
    return tuple(zip(cuttable.points, macs, strict=False)), macs[-1]
