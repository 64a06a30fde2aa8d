"""Any `torch.fx`-traceable classifier, cut into pieces that really run one after the other.

A network is traced in eval mode into a graph; an exit point is a place in it behind which the rest
needs exactly one tensor of what was computed before (the end of a residual block, say, but not its
inside).  Between two pieces travel the tensors that later pieces need, the exit point's own first;
a piece holds only the modules that it uses.  The pieces composed give the network's own output, bit
for bit, in eval mode.  Nothing is trained or counted exactly here: shares of MACs are torch's flops / 2.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils.flop_counter import FlopCounterMode

from cascade_core.nets._torchvision import torchvision

NodePathTracer = importlib.import_module("torchvision.models.feature_extraction").NodePathTracer
"""Reached through the module name, as torchvision may only be imported once it is mended."""

WAY_OUT = "write it as a StagedModel instead (see cascade_core/nets/staged.py)"


@dataclass(frozen=True, kw_only=True)
class ExitPoint:
    """A place where a head can be attached.

    Attributes:
        name: Path of the operation behind which it lies, such as "layer2.0.relu_1".
        share: Share of the network's MACs computed up to there, in [0, 1].
        shape: Of the tensor there, without the batch.
    """

    name: str
    share: float
    shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class TracedNetwork:
    """A network's graph in order of execution, with what an example showed of each operation.

    Attributes:
        graph_module: The traced network; shares its modules with the original.
        names: Path of each node.
        shapes: Shape of each node's result, with the batch; None where it is not one tensor.
        done: Share of MACs computed up to and with each node.
        live: For each node, the nodes up to it whose results are needed behind it.
    """

    graph_module: fx.GraphModule
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...] | None, ...]
    done: tuple[float, ...]
    live: tuple[tuple[fx.Node, ...], ...]

    @property
    def nodes(self) -> tuple[fx.Node, ...]:
        """The graph's nodes, in order of execution."""
        return tuple(self.graph_module.graph.nodes)


def trace(network: nn.Module, example: Tensor) -> TracedNetwork:
    """Trace `network` in eval mode and run it once on `example` (at least 2 images).

    Raises:
        ValueError: It cannot be traced, or fails on the example.
    """
    network.eval()
    tracer = NodePathTracer(autowrap_modules=(math, torchvision.ops))
    try:
        graph = tracer.trace(network)
        module = fx.GraphModule(network, graph)
        run = _Observer(module)
        with torch.no_grad():
            run.run(example)
    except Exception as error:  # tracing runs the network's own code, which may raise anything
        reason = " ".join(str(error).split())[:160]
        raise ValueError(
            f"Expected a network that torch.fx can trace but {type(network).__name__} is not: {reason}; {WAY_OUT}"
        ) from None
    nodes = tuple(graph.nodes)
    names = tuple(tracer.node_to_qualname.get(node, node.name) for node in nodes)
    total = max(sum(run.macs), 1)
    done = tuple(torch.tensor(run.macs, dtype=torch.float64).cumsum(0).div(total).tolist())
    return TracedNetwork(graph_module=module, names=names, shapes=tuple(run.shapes), done=done, live=_live(nodes))


class _Observer(fx.Interpreter):
    """Runs a graph and notes each node's shape and MACs."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.shapes: list[tuple[int, ...] | None] = []
        self.macs: list[int] = []

    def run_node(self, n: fx.Node) -> Any:
        """Run one node under torch's own counter."""
        with FlopCounterMode(display=False) as counter:
            result = super().run_node(n)
        self.macs.append(counter.get_total_flops() // 2)
        self.shapes.append(tuple(result.shape) if isinstance(result, Tensor) else None)
        return result


def _live(nodes: Sequence[fx.Node]) -> tuple[tuple[fx.Node, ...], ...]:
    """What is needed behind each node, of what was computed up to it; constants are recomputed, not handed on."""
    place = {node: i for i, node in enumerate(nodes)}
    last_use = {node: max((place[user] for user in node.users), default=-1) for node in nodes}
    carried = [node for node in nodes if node.op != "get_attr"]
    return tuple(tuple(node for node in carried if place[node] <= i < last_use[node]) for i in range(len(nodes)))


def exit_points(traced: TracedNetwork) -> tuple[ExitPoint, ...]:
    """Places where the rest of the network needs exactly one tensor, before the classifier itself.

    Of neighbours with nothing to compute between them (a convolution, its norm, its activation) the
    last stands for all.
    """
    batch = next(shape for shape in traced.shapes if shape is not None)[0]
    best: dict[float, int] = {}
    for i, (node, shape) in enumerate(zip(traced.nodes, traced.shapes, strict=True)):
        # Pooled to a single place, a feature map is already the classifier's.
        features = shape is not None and len(shape) > 2 and shape[0] == batch and max(shape[2:]) > 1
        if features and traced.live[i] == (node,) and 0 < traced.done[i] < 1:
            best[traced.done[i]] = i
    return tuple(
        ExitPoint(name=traced.names[i], share=traced.done[i], shape=(traced.shapes[i] or ())[1:]) for i in best.values()
    )


def choose_points(points: Sequence[ExitPoint], wish: str) -> tuple[str, ...]:
    """Names of exit points: "auto:5" for five at about equal shares of MACs, or names separated by commas.

    Raises:
        ValueError: There are fewer points, or a name is unknown; the message lists some that exist.
    """
    if not wish.startswith("auto:"):
        names = tuple(part.strip() for part in wish.split(","))
        known = [point.name for point in points]
        for name in names:
            if name not in known:
                raise ValueError(f"Expected exits among {', '.join(known[:12])}, ... but there is no {name!r}")
        return tuple(name for name in known if name in names)
    count = wish.removeprefix("auto:")
    if not count.isdigit() or not 1 <= int(count) <= len(points):
        raise ValueError(
            f"Expected auto:N with N from 1 to {len(points)}, the exit points there are, but it was {wish!r}"
        )
    chosen: list[int] = []
    for k in range(int(count)):
        target = (k + 1) / (int(count) + 1)
        # Points already taken, and those needed by the exits still to come, are out of reach.
        first = chosen[-1] + 1 if chosen else 0
        reach = range(first, len(points) - (int(count) - 1 - k))
        chosen.append(min(reach, key=lambda i: abs(points[i].share - target)))
    return tuple(points[i].name for i in chosen)


def split(traced: TracedNetwork, names: Sequence[str]) -> list[nn.Module]:
    """Cut a traced network behind the operations `names`, in order.

    Returns:
        One piece more than names.  A piece takes the tensors that the one before returns, and returns
        the tensor at its exit point first; the last returns the network's output.

    Raises:
        ValueError: A name is unknown or out of order, or something other than a batch of tensors crosses a cut.
    """
    ends = []
    for name in names:
        if name not in traced.names:
            raise ValueError(f"Expected the name of an operation to cut behind but there is no {name!r}")
        # An operation that ends a module has the module's path too; the last of a name is its result.
        ends.append(len(traced.names) - 1 - traced.names[::-1].index(name))
    if any(later <= earlier for earlier, later in pairwise(ends)):
        raise ValueError(f"Expected cuts in order of execution but they were {', '.join(names)}")
    batch = next(shape for shape in traced.shapes if shape is not None)[0]
    place = {node: i for i, node in enumerate(traced.nodes)}
    pieces: list[nn.Module] = []
    start, incoming = 0, tuple(node for node in traced.nodes if node.op == "placeholder")
    for end in ends:
        here = traced.nodes[end]
        outgoing = (here, *(node for node in traced.live[end] if node is not here))
        for node in outgoing:
            shape = traced.shapes[place[node]]
            if shape is None or not shape or shape[0] != batch:
                raise ValueError(
                    f"Expected only tensors with a batch axis to cross the cut behind {traced.names[end]!r} "
                    f"but {traced.names[place[node]]!r} has shape {shape}; choose another exit"
                )
        pieces.append(_piece(traced, start, end + 1, incoming, outgoing))
        start, incoming = end + 1, outgoing
    pieces.append(_piece(traced, start, len(traced.nodes), incoming, None))
    return pieces


def _piece(
    traced: TracedNetwork, start: int, stop: int, incoming: Sequence[fx.Node], outgoing: Sequence[fx.Node] | None
) -> fx.GraphModule:
    """Nodes from `start` to `stop` as a module of their own; without `outgoing`, up to the network's output."""
    graph = fx.Graph()
    new: dict[fx.Node, fx.Node] = {node: graph.placeholder(node.name) for node in incoming}

    def copied(node: fx.Node) -> fx.Node:
        # Constants that an earlier piece fetched are fetched again here.
        if node not in new and node.op == "get_attr":
            new[node] = graph.node_copy(node)
        return new[node]

    for node in traced.nodes[start:stop]:
        if node.op == "output":
            graph.output(fx.map_arg(node.args[0], copied))
        elif node.op != "placeholder":
            new[node] = graph.node_copy(node, copied)
    if outgoing is not None:
        graph.output(tuple(new[node] for node in outgoing))
    graph.lint()
    return fx.GraphModule(traced.graph_module, graph)
