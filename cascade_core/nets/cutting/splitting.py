"""Any `torch.fx`-traceable classifier, cut into pieces that really run one after the other.

A network is traced in eval mode into a graph (`tracing`); an exit point is a place in it behind which the rest
needs exactly one tensor of what was computed before (the end of a residual block, say, but not its
inside).  Between two pieces travel the tensors that later pieces need, the exit point's own first;
a piece holds only the modules that it uses.  The pieces composed give the network's own output, bit
for bit, in eval mode.  Nothing is trained or counted here.

An exit point that ends a module is called by that module's path, "layer2.0", others by their operation's; where a name
is asked for, any module's path stands for its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from torch import fx, nn

from cascade_core.nets.cutting.sizes import is_of_batch, of_batch
from cascade_core.nets.cutting.tracing import TracedNetwork


@dataclass(frozen=True, kw_only=True)
class ExitPoint:
    """A place where a head can be attached.

    Attributes:
        name: Path of the module that it ends, such as "layer2.0", else of the operation behind which it lies.
        aliases: Paths of the operations that it lies behind, with nothing to compute in between, and of the modules
            that those end, such as "layer2.0.relu_1", "layer2.0" and "layer2".
        share: Share of the network's MACs computed up to there, in [0, 1].
        shape: Of the tensor there, without the batch.
    """

    name: str
    aliases: frozenset[str]
    share: float
    shape: tuple[int, ...]


def exit_points(traced: TracedNetwork) -> tuple[ExitPoint, ...]:
    """Places where the rest of the network needs exactly one tensor, before the classifier itself.

    Of neighbours with nothing to compute between them (a convolution, its norm, its activation) one stands for all:
    the outermost, by its own path or that of a module that it ends, and the last of such.
    """
    batch = next(shape for shape in traced.shapes if shape is not None)[0]
    groups: dict[float, list[int]] = {}
    for i, (node, shape) in enumerate(zip(traced.nodes, traced.shapes, strict=True)):
        # Pooled to a single place, a feature map is already the classifier's.
        features = shape is not None and shape[0] == batch and sum(side > 1 for side in shape[1:]) > 1
        if features and traced.live[i] == (node,) and 0 < traced.done[i] < 1:
            groups.setdefault(traced.done[i], []).append(i)
    return tuple(_point(traced, group) for group in groups.values())


def _point(traced: TracedNetwork, group: Sequence[int]) -> ExitPoint:
    """The exit point that stands for neighbours."""

    def rank(number: int) -> tuple[int, int]:
        paths = (traced.names[number], *traced.ended(number))
        return (-min(path.count(".") for path in paths), number)

    best = max(group, key=rank)
    name = traced.ended(best)[0] if traced.ended(best) else traced.names[best]
    aliases = frozenset(path for i in group for path in (traced.names[i], *traced.ended(i)))
    return ExitPoint(name=name, aliases=aliases, share=traced.done[best], shape=(traced.shapes[best] or ())[1:])


USUAL_EXITS = "auto:at most 3"
"""What is wished for of a network that has no exits of its own."""

AT_MOST = "at most "


def choose_points(points: Sequence[ExitPoint], wish: str) -> tuple[str, ...]:
    """Names of exit points, in order: "auto:5" for five at about equal shares of MACs, or names separated by commas.

    "auto:at most 5" is five, or as many as there are.  A name is an exit point's own, its operation's path, or the path
    of a module, for the last exit point in it.

    Raises:
        ValueError: There are fewer points, or a name is unknown or twice the same; the message lists some that exist.
    """
    if not points:
        raise ValueError(
            "Expected a place behind which the rest of the network needs one feature map, or tokens, alone, "
            "but it has none; a smaller network in front of it may pay (the verb front)"
        )
    if not wish.startswith("auto:"):
        chosen = [_find(points, part.strip()) for part in wish.split(",")]
        if len(set(chosen)) < len(chosen):
            raise ValueError(f"Expected different exits but {wish!r} names one of them twice")
        return tuple(points[i].name for i in sorted(chosen))
    count = wish.removeprefix("auto:")
    if count.startswith(AT_MOST):
        count = str(min(int(count.removeprefix(AT_MOST)), len(points)))
    if not count.isdigit() or not 1 <= int(count) <= len(points):
        raise ValueError(
            f"Expected auto:N with N from 1 to {len(points)}, the exit points there are, but it was {wish!r}"
        )
    chosen = []
    for k in range(int(count)):
        target = (k + 1) / (int(count) + 1)
        # Points already taken, and those needed by the exits still to come, are out of reach.
        first = chosen[-1] + 1 if chosen else 0
        reach = range(first, len(points) - (int(count) - 1 - k))
        chosen.append(min(reach, key=lambda i: abs(points[i].share - target)))
    return tuple(points[i].name for i in chosen)


def _find(points: Sequence[ExitPoint], name: str) -> int:
    """Number of the exit point of a name, else of the last within a module."""
    for fits in (lambda alias: alias == name, lambda alias: alias.startswith(f"{name}.")):
        matches = [i for i, point in enumerate(points) if any(map(fits, point.aliases))]
        if matches:
            return matches[-1]
    known = [point.name for point in points]
    raise ValueError(
        f"Expected exits among {', '.join(known[:12])}{', ...' if len(known) > 12 else ''} but there is no {name!r}"
    )


def split(traced: TracedNetwork, names: Sequence[str]) -> list[nn.Module]:
    """Cut a traced network behind the operations or modules `names`, in order.

    Returns:
        One piece more than names.  A piece takes the tensors that the one before returns, and returns
        the tensor at its exit point first; the last returns the network's output.

    Raises:
        ValueError: A name is unknown or out of order, or something other than a batch of tensors crosses a cut.
    """
    for name in names:
        if name not in traced.ends:
            raise ValueError(f"Expected the name of an operation or module to cut behind but there is no {name!r}")
    ends = [traced.ends[name] for name in names]
    if any(later <= earlier for earlier, later in pairwise(ends)):
        raise ValueError(f"Expected cuts in order of execution but they were {', '.join(names)}")
    pieces: list[nn.Module] = []
    start, incoming = 0, tuple(node for node in traced.nodes if node.op == "placeholder")
    for end in ends:
        here = traced.nodes[end]
        outgoing = (here, *(node for node in traced.live[end] if node is not here))
        check_state(traced, outgoing, traced.names[end])
        pieces.append(piece(traced, traced.nodes[start : end + 1], incoming, outgoing))
        start, incoming = end + 1, outgoing
    pieces.append(piece(traced, traced.nodes[start:], incoming, traced.nodes[-1].args[0]))
    return pieces


def check_state(traced: TracedNetwork, state: Sequence[fx.Node], cut: str) -> None:
    """Raise ValueError unless all that crosses a cut are tensors with the batch as their first axis."""
    batch = next(shape for shape in traced.shapes if shape is not None)[0]
    for node in state:
        number = traced.nodes.index(node)
        shape = traced.shapes[number]
        if shape is None or not shape or shape[0] != batch:
            raise ValueError(
                f"Expected only tensors with a batch axis to cross the cut behind {cut!r} "
                f"but {traced.names[number]!r} has shape {shape}; choose another exit"
            )


def piece(traced: TracedNetwork, nodes: Sequence[fx.Node], incoming: Sequence[fx.Node], result: Any) -> fx.GraphModule:
    """Some nodes, in order, as a module of their own, from the tensors `incoming` to `result`."""
    graph = fx.Graph()
    new: dict[fx.Node, fx.Node] = {node: graph.placeholder(node.name) for node in incoming}

    def copied(node: fx.Node) -> fx.Node:
        # Constants that an earlier piece fetched are fetched again here; any tensor tells how many samples there are.
        if node not in new and node.op == "get_attr":
            new[node] = graph.node_copy(node)
        if node not in new and is_of_batch(node):
            new[node] = graph.call_function(of_batch, (new[incoming[0]], node.args[1]))
        return new[node]

    for node in nodes:
        if node.op not in ("placeholder", "output") and not is_of_batch(node):
            new[node] = graph.node_copy(node, copied)
    graph.output(fx.map_arg(result, copied))
    graph.lint()
    return fx.GraphModule(traced.graph_module, graph)
