"""A network's own computation as a `torch.fx` graph, with what an example shows of each operation in it.

Each operation has a path: that of the module that does it, or of the one in whose `forward` it stands with its own
name behind, such as "layer2.0.relu_1" for the second `relu` there.  The path of a module stands for where it ends.
Shares of MACs are torch's flops / 2, which are good for finding places; costs are counted in `macs`.
"""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils.flop_counter import FlopCounterMode

from cascade_core.nets import faults
from cascade_core.nets._torchvision import torchvision
from cascade_core.nets.cutting.sizes import Squeezes, Values, is_of_batch, no_constants_left, sized_graph
from cascade_core.nets.macs import unfused
from cascade_core.nets.returned import WHOLE, Place

WAY_OUT = "run it in one piece, or write it as a StagedModel (cascade_core/nets/staged.py shows how in ten lines)"


@dataclass(frozen=True, kw_only=True)
class TracedNetwork:
    """A network's graph in order of execution, with what an example showed of each operation.

    Attributes:
        graph_module: The traced network; shares its modules with the original.
        names: Path of each node.
        modules: Path of the module that each node stands in, "" for the network itself.
        ends: Number of the node with which each operation and each module ends, by path.
        shapes: Shape of each node's result, with the batch; None where it is not one tensor.
        macs: Of one sample.
        done: Share of MACs computed up to and with each node.
        work: MACs of each node, of the example.
        live: For each node, the nodes up to it whose results are needed behind it.
    """

    graph_module: fx.GraphModule
    names: tuple[str, ...]
    modules: tuple[str, ...]
    ends: Mapping[str, int]
    shapes: tuple[tuple[int, ...] | None, ...]
    macs: int
    done: tuple[float, ...]
    work: tuple[int, ...]
    live: tuple[tuple[fx.Node, ...], ...]

    @property
    def nodes(self) -> tuple[fx.Node, ...]:
        """The graph's nodes, in order of execution."""
        return tuple(self.graph_module.graph.nodes)

    def ended(self, number: int) -> tuple[str, ...]:
        """Paths of the modules that a node ends, innermost first."""
        return tuple(path for path in _around(self.modules[number]) if self.ends[path] == number)


def trace(network: nn.Module, example: Tensor, answers: Sequence[Place] = (WHOLE,)) -> TracedNetwork:
    """Trace `network` in eval mode and run it once on `example` (at least 2 images).

    Args:
        answers: Where its answers are in what it returns; of several the graph returns a tuple.

    Raises:
        ValueError: It cannot be traced, or fails on the example.
    """
    network.eval()
    try:
        with no_constants_left(network):
            graph = _graph(network, example, answers)
            module = fx.GraphModule(network, graph)
        run = _Observer(module)
        with torch.no_grad(), unfused():
            run.run(example)
    except Exception as error:  # tracing runs the network's own code, which may raise anything
        raise ValueError(
            f"Expected a network that torch.fx can trace but {type(network).__name__} is not: "
            f"{faults.reason(error)}{faults.where(error)}; {WAY_OUT}"
        ) from None
    nodes = tuple(graph.nodes)
    total = max(sum(run.macs), 1)
    done = tuple(torch.tensor(run.macs, dtype=torch.float64).cumsum(0).div(total).tolist())
    names, modules = _paths(nodes)
    return TracedNetwork(
        graph_module=module,
        names=names,
        modules=modules,
        ends={path: i for i, name in enumerate(names) for path in (name, *_around(modules[i]))},
        shapes=tuple(run.shapes),
        macs=total // len(example),
        done=done,
        work=tuple(run.macs),
        live=_live(nodes),
    )


def for_one(network: nn.Module, name: str, images: Tensor, answers: Tensor) -> nn.Module:
    """A network that answers one image as it answers several: itself, or traced, where a `squeeze` takes the batch too.

    Args:
        name: What messages call it.
        images, answers: (batch, channels, height, width) and (batch, K), at least two.

    Raises:
        ValueError: It answers one image otherwise and cannot be traced.
    """
    squeezes = Squeezes()
    with torch.no_grad(), squeezes, contextlib.suppress(Exception):
        if network(images[:1]).shape == answers[:1].shape:
            return network
    try:
        return trace(network, images).graph_module
    except ValueError:
        raise ValueError(
            f"Expected {name} to answer one image as it answers several but it does not{squeezes.where}; "
            "flatten(1) keeps the batch where squeeze() does not"
        ) from None


def _graph(network: nn.Module, example: Tensor, answers: Sequence[Place]) -> fx.Graph:
    """The network's graph, with sizes as constants where they would be in the way of cuts."""
    options = {"autowrap_modules": (math, torchvision.ops)}
    try:
        graph = _Tracer(answers, **options).trace(network)
    except Exception:  # sizes that are read may be the reason, and else the same is raised again
        return sized_graph(network, example, lambda: _SizedTracer(answers, **options))
    if any(_reads_sizes(node) for node in graph.nodes):
        # What cannot be written with constants may still be cut where no size is needed behind.
        with contextlib.suppress(Exception):
            return sized_graph(network, example, lambda: _SizedTracer(answers, **options))
    return graph


def _reads_sizes(node: fx.Node) -> bool:
    """Whether a node's result is a size, or an axis is squeezed that is not named."""
    squeezed = node.target in ("squeeze", torch.squeeze) and len(node.args) < 2 and not node.kwargs
    shape = node.target is getattr and node.args[1:] == ("shape",)
    return squeezed or shape or node.target in ("size", "dim", "numel")


def _paths(nodes: Sequence[fx.Node]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """For each node its own path and that of the module that it stands in."""
    names, modules, seen = [], [], Counter[str]()
    for node in nodes:
        # The stack holds the modules at work, outermost first; that of a layer ends with the layer itself.
        stack = [path for path, _ in node.meta.get("nn_module_stack", {}).values()]
        target = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", node.name)
        if node.op == "call_module":
            path, module = str(node.target), str(node.target).rpartition(".")[0]
        else:
            module = stack[-1] if stack else ""
            path = f"{module}.{target}" if module and node.op != "get_attr" else target
        names.append(f"{path}_{seen[path]}" if seen[path] else path)
        modules.append(module)
        seen[path] += 1
    return tuple(names), tuple(modules)


def _around(module: str) -> tuple[str, ...]:
    """The path of a module and of those around it, innermost first, without the network itself."""
    parts = module.split(".") if module else []
    return tuple(".".join(parts[:count]) for count in range(len(parts), 0, -1))


class _Tracer(fx.Tracer):
    """Traces what a network does with images alone: what else its `forward` takes is as it is by default."""

    def __init__(self, answers: Sequence[Place], **options: Any) -> None:
        super().__init__(**options)
        self.answers = answers

    def create_args_for_root(
        self,
        root_fn: Callable[..., Any],
        is_module: bool,
        concrete_args: dict[str, Any] | tuple[Any, ...] | None = None,
    ) -> tuple[Callable[..., Any], list[Any]]:
        """The function to trace, and the network and images that it is called with."""

        def taken(*args: Any) -> Any:
            returned = root_fn(*args)
            found = tuple(place.of(returned) for place in self.answers)
            return found if len(found) > 1 else found[0]

        return taken, [self.root, self.create_proxy("placeholder", "images", (), {})]


class _SizedTracer(Values, _Tracer):
    """The same, with sizes as numbers."""


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
    users = {node: [user for user in node.users if not is_of_batch(user)] for node in nodes}
    last_use = {node: max((place[user] for user in users[node]), default=-1) for node in nodes}
    carried = [node for node in nodes if node.op != "get_attr" and not is_of_batch(node)]
    return tuple(tuple(node for node in carried if place[node] <= i < last_use[node]) for i in range(len(nodes)))
