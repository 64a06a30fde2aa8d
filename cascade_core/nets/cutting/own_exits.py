"""A network that was made with exits and returns the answers of all of them, as a `StagedModel` that can stop at each.

Its graph says what each answer needs.  Of what the answer of a stage needs and no earlier answer did, the part that
later answers need too is the stage's piece of the trunk, the rest its head; so nothing is computed twice, and a head
that is off is not run.  Stages are in the order of the work that their answers need, whatever the order in which the
network returns them.  The pieces are compared with the network itself on an example.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, fx, nn

from cascade_core.nets.answers import as_logits
from cascade_core.nets.cutting.sizes import is_of_batch
from cascade_core.nets.cutting.splitting import check_state, piece
from cascade_core.nets.cutting.tracing import TracedNetwork, trace
from cascade_core.nets.returned import Place
from cascade_core.nets.staged import StagedModel, State
from cascade_core.support import checks


class OwnExits(StagedModel):
    """Pieces of a network that returns several answers; a piece takes the whole state and returns the next."""

    def __init__(
        self, stage_names: Sequence[str], trunk: Sequence[nn.Module], heads: Sequence[nn.Module], whole: nn.Module
    ) -> None:
        super().__init__()
        self.stage_names = checks.names("stage_names", stage_names, len(heads), "answer")
        self.trunk, self.heads, self.whole = nn.ModuleList(trunk), nn.ModuleList(heads), whole

    def begin(self, images: Tensor) -> State:
        """The images themselves."""
        return (images,)

    def extend(self, state: State, stage: int) -> State:
        """What the stage's head and later stages need."""
        after: State = self.trunk[stage](*state)
        return after

    def classify(self, state: State, stage: int) -> Tensor:
        """(batch, K) logits of the network's own head."""
        logits: Tensor = self.heads[stage](*state)
        return logits

    def plain(self, images: Tensor) -> Tensor:
        """The last stage's answer, without what only earlier answers need."""
        logits: Tensor = self.whole(images)
        return logits


def own_exits(network: nn.Module, name: str, example: Tensor, answers: Sequence[Place]) -> StagedModel:
    """The network with a stage for each of its answers, named after their places; in eval mode.

    Args:
        example: At least two images.
        answers: Where the answers are in what it returns, at least two.

    Warns:
        UserWarning: It returns answers in another order than that of their work, or softmaxes.

    Raises:
        ValueError: `torch.fx` cannot trace it, two answers are one, or it does not divide into stages.
    """
    traced = trace(network, example, answers)
    outputs = tuple(map(_unstacked, traced.nodes[-1].args[0]))  # type: ignore[arg-type]  # answers are nodes
    if len(set(outputs)) < len(outputs):
        raise ValueError(f"Expected {name} to return different answers but two of them are one")
    needs = {output: _needs(output) for output in outputs}
    order = sorted(range(len(outputs)), key=lambda i: _work(traced, needs[outputs[i]]))
    names = [_stage_name(answers[i]) for i in order]
    if order != sorted(order):
        warnings.warn(f"Answers of {name} are taken in the order of their work: {', '.join(names)}", stacklevel=2)
    model = _divided(traced, [outputs[i] for i in order], [needs[outputs[i]] for i in order], names).eval()
    _check(model, network, example, [answers[i] for i in order], name)
    return as_logits(model, example)


def _stage_name(place: Place) -> str:
    """The last key of a place, or which of several it is."""
    return f"exit {place.name}" if isinstance(place.steps[-1], int | tuple) else place.name


def _needs(output: fx.Node) -> set[fx.Node]:
    """Nodes that a node is computed from, and itself; constants are fetched where they are needed."""
    found, ahead = set(), [output]
    while ahead:
        node = ahead.pop()
        if node not in found and node.op != "get_attr" and not is_of_batch(node):
            found.add(node)
            ahead += node.all_input_nodes
    return found


def _unstacked(output: fx.Node) -> fx.Node:
    """Of an answer that is taken from a stack of all, the answer itself, which does not need the others."""
    if output.target is not operator.getitem:
        return output
    stack, index = output.args
    number = index[-1] if isinstance(index, tuple) else index
    if not isinstance(stack, fx.Node) or stack.target is not torch.stack or not isinstance(number, int):
        return output
    parts = stack.args[0]
    part = parts[number] if isinstance(parts, list | tuple) else output
    return part if isinstance(part, fx.Node) else output


def _work(traced: TracedNetwork, needs: set[fx.Node]) -> int:
    return sum(work for node, work in zip(traced.nodes, traced.work, strict=True) if node in needs)


def _divided(
    traced: TracedNetwork, outputs: Sequence[fx.Node], needs: Sequence[set[fx.Node]], names: Sequence[str]
) -> OwnExits:
    nodes = [node for node in traced.nodes if node.op not in ("get_attr", "output") and not is_of_batch(node)]
    incoming = tuple(node for node in nodes if node.op == "placeholder")
    done, trunk, heads = set(incoming), [], []
    for stage, output in enumerate(outputs):
        later = set().union(*needs[stage + 1 :])
        fresh = needs[stage] - done
        shared = fresh & later if later else fresh
        ahead = (fresh - shared, later - done - shared)
        done |= shared
        # The head's work comes from the state, as does what later stages begin with.
        state = tuple(node for node in nodes if node in done and (node is output or _is_used(node, ahead)))
        check_state(traced, state, names[stage])
        trunk.append(piece(traced, [node for node in nodes if node in shared], incoming, state))
        heads.append(piece(traced, [node for node in nodes if node in ahead[0]], state, output))
        incoming = state
    first = tuple(node for node in nodes if node.op == "placeholder")
    whole = piece(traced, [node for node in nodes if node in needs[-1]], first, outputs[-1])
    return OwnExits(names, trunk, heads, whole)


def _is_used(node: fx.Node, ahead: Sequence[set[fx.Node]]) -> bool:
    return any(user in some for some in ahead for user in node.users)


def _check(model: OwnExits, network: nn.Module, example: Tensor, answers: Sequence[Place], name: str) -> None:
    """Raise ValueError unless stage by stage the model answers as the network does."""
    with torch.no_grad():
        returned = network(example)
        expected = [place.of(returned) for place in answers]
        same = [torch.allclose(a, b, atol=1e-5) for a, b in zip(model(example), expected, strict=True)]
        if not all(same) or not torch.allclose(model.plain(example), expected[-1], atol=1e-5):
            raise ValueError(
                f"Expected {name} to divide into stages that answer as it does but they do not; "
                "does an answer change what later ones are computed from?"
            )
