"""Tracing networks that read sizes off what they compute: `B, C, H, W = x.shape`, `len(x)`, `range(x.size(1))`.

Plain tracing knows no sizes: they become values of the graph, which must travel across every cut, or stop it.  Here
each operation is also run on an example while it is traced, so that a size is a number.  The network is traced with
two numbers of images: what is equal in both graphs is a constant, for images have one size, what is the same multiple
of the number of images is written as that multiple (`of_batch`), and any other difference is refused.  A `squeeze`
that names no axis is given those that the example has, so that a batch of one stays a batch.

What depends on the values of images, such as `if x.sum() > 0`, is refused by `torch.fx` itself.
"""

from __future__ import annotations

import itertools
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.overrides import TorchFunctionMode

from cascade_core.nets import faults

BATCHES = (5, 7)
"""Two numbers of images, which no axis has by chance at once."""

CONSTANT = "_tensor_constant"
"""How `torch.fx` calls tensors that a network makes while it is traced."""

_CALL, _GETATTR = nn.Module.__call__, nn.Module.__getattr__

_FACTORIES = frozenset({torch.zeros, torch.ones, torch.full, torch.empty, torch.arange, torch.eye})
"""Functions whose results depend on sizes alone, and which are in the graph so that they follow the batch."""


def of_batch(tensor: Tensor, times: int) -> int:
    """A multiple of the number of samples in a batch."""
    return len(tensor) * times


def is_of_batch(node: fx.Node) -> bool:
    """Whether a node is a multiple of the number of samples, which any tensor of the batch tells."""
    return node.target is of_batch


class Sized(fx.Proxy):
    """A value that is traced, whose sizes are known."""

    def _known(self) -> Any:
        return self.tracer.values.get(self.node)  # type: ignore[attr-defined]  # of Values

    @property
    def shape(self) -> Any:
        """Sizes of all axes."""
        return self._known().shape if isinstance(self._known(), Tensor) else fx.Proxy.__getattr__(self, "shape")

    @property
    def dtype(self) -> Any:
        """Of its numbers."""
        return self._known().dtype if isinstance(self._known(), Tensor) else fx.Proxy.__getattr__(self, "dtype")

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    def size(self, dim: int | None = None) -> Any:
        """Sizes of all axes, or of one."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    def numel(self) -> int:
        """How many numbers there are."""
        return int(self._known().numel())

    def __len__(self) -> int:
        return len(self._known())

    def __iter__(self) -> Iterator[Any]:
        return iter([self[i] for i in range(len(self._known()))])  # type: ignore[index]  # proxies have it


class _Made(TorchFunctionMode):
    """Puts calls that make tensors of a size into the graph."""

    def __init__(self, tracer: Values) -> None:
        super().__init__()
        self.tracer = tracer

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in _FACTORIES and not self.tracer.running:
            return self.tracer.create_proxy("call_function", func, args, kwargs or {})
        return func(*args, **(kwargs or {}))


class Squeezes(TorchFunctionMode):
    """Notes where an axis is squeezed that is not named.

    Attributes:
        where: Such as ", at mine.py line 7: x = x.squeeze()"; empty before there was one.
    """

    where = ""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in (torch.squeeze, Tensor.squeeze) and len(args) == 1 and not kwargs and not self.where:
            self.where = faults.line(traceback.extract_stack())
        return func(*args, **(kwargs or {}))


class Values:
    """What a tracer adds that also runs what it traces; mixed into the tracer that is used."""

    proxy_buffer_attributes = True

    def begin(self, images: Tensor) -> None:
        """Trace with these images."""
        self.values: dict[fx.Node, Any] = {}
        self.images, self.running = images, False

    def proxy(self, node: fx.Node) -> fx.Proxy:
        """What stands for a node while it is traced."""
        return Sized(node, self)  # type: ignore[arg-type]  # mixed into a tracer

    def create_proxy(self, kind: str, target: Any, args: Any, kwargs: Any, *more: Any, **named: Any) -> Any:
        """A node, and its value on the images."""
        made = super().create_proxy(kind, target, args, kwargs, *more, **named)  # type: ignore[misc]  # of the tracer
        if kind == "placeholder":
            self.values[made.node] = self.images
        else:
            with torch.no_grad(), self._unpatched():
                self.values[made.node] = self._run(made.node)
        return made

    def _run(self, node: fx.Node) -> Any:
        args = fx.map_arg(node.args, self._value)
        kwargs = fx.map_arg(node.kwargs, self._value)
        root: nn.Module = self.root  # type: ignore[attr-defined]  # of the tracer
        if node.op == "call_module":
            return root.get_submodule(str(node.target)).forward(*args, **kwargs)
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **kwargs)
        if node.op == "get_attr":
            return fetched(root, str(node.target))
        assert callable(node.target)
        return node.target(*args, **kwargs)

    def _value(self, node: fx.Node) -> Any:
        # Constants are put into the graph where they are used, and not as what is traced is.
        if node not in self.values:
            self.values[node] = fetched(self.root, str(node.target))  # type: ignore[attr-defined]  # of the tracer
        return self.values[node]

    @contextmanager
    def _unpatched(self) -> Iterator[None]:
        """Modules as they are outside of tracing, for what is run and not traced."""
        patched = nn.Module.__call__, nn.Module.__getattr__
        nn.Module.__call__, nn.Module.__getattr__ = _CALL, _GETATTR  # type: ignore[method-assign]
        self.running = True
        try:
            yield
        finally:
            nn.Module.__call__, nn.Module.__getattr__ = patched  # type: ignore[method-assign]
            self.running = False


def sized_graph(network: nn.Module, example: Tensor, tracer: Callable[[], fx.Tracer]) -> fx.Graph:
    """The network's graph, in which sizes are constants or multiples of the batch.

    Args:
        example: Images; how many does not matter.
        tracer: Makes a tracer of a class that `Values` is mixed into.

    Raises:
        Exception: The network cannot be traced, or its graph depends on the number of images in another way.
    """
    graphs, values, constants = [], [], []
    for count in BATCHES:
        one: Any = tracer()
        one.begin(torch.stack(list(itertools.islice(itertools.cycle(example), count))))
        with no_constants_left(network), _Made(one):
            graphs.append(one.trace(network))
            constants.append({name: value for name, value in vars(network).items() if name.startswith(CONSTANT)})
        values.append(one.values)
    if not all(name in constants[1] and torch.equal(value, constants[1][name]) for name, value in constants[0].items()):
        raise ValueError("a tensor that it makes depends on the number of images")
    vars(network).update(constants[0])
    return _merged(graphs[0], graphs[1], values[0])


@contextmanager
def no_constants_left(network: nn.Module) -> Iterator[None]:
    """Take away afterwards what tracing has put into a network: tensors that it made, as attributes of its own."""
    before = set(vars(network))
    try:
        yield
    finally:
        for name in set(vars(network)) - before:
            delattr(network, name)


def fetched(root: nn.Module, path: str) -> Any:
    """An attribute of a module within another."""
    owner, _, name = path.rpartition(".")
    return getattr(root.get_submodule(owner), name)


def _merged(first: fx.Graph, second: fx.Graph, values: Mapping[fx.Node, Any]) -> fx.Graph:
    """One graph of two that were traced with different numbers of images."""
    pairs = list(zip(first.nodes, second.nodes, strict=False))
    if len(first.nodes) != len(second.nodes) or any((a.op, a.target) != (b.op, b.target) for a, b in pairs):
        raise ValueError("what it computes depends on the number of images")
    graph, new = fx.Graph(), dict[fx.Node, fx.Node]()
    for a, b in pairs:
        both = zip(_squeezed(a, a, values), _squeezed(b, a, values), strict=True)
        args = tuple(_argument(x, y, graph, new) for x, y in both)
        kwargs = {key: _argument(a.kwargs[key], b.kwargs[key], graph, new) for key in a.kwargs}
        new[a] = graph.create_node(a.op, a.target, args, kwargs, a.name, a.type)
        new[a].meta = dict(a.meta)
    return graph


def _squeezed(node: fx.Node, known: fx.Node, values: Mapping[fx.Node, Any]) -> Sequence[Any]:
    """A node's arguments; a squeeze names its axes, by the values of the node `known`, which is the same."""
    if node.target not in ("squeeze", torch.squeeze) or len(node.args) > 1 or node.kwargs:
        return node.args
    source = known.args[0]
    assert isinstance(source, fx.Node)
    return (*node.args, tuple(axis for axis, size in enumerate(values[source].shape) if size == 1))


def _argument(x: Any, y: Any, graph: fx.Graph, new: Mapping[fx.Node, fx.Node]) -> Any:
    """What two arguments are for any number of images."""
    if isinstance(x, fx.Node):
        return new[x]
    if isinstance(x, tuple | list) and type(x) is type(y) and len(x) == len(y):
        parts = [_argument(a, b, graph, new) for a, b in zip(x, y, strict=True)]
        return parts if isinstance(x, list) else tuple(parts)
    if isinstance(x, dict) and isinstance(y, dict) and x.keys() == y.keys():
        return {key: _argument(x[key], y[key], graph, new) for key in x}
    if isinstance(x, slice) and isinstance(y, slice):
        ends = zip((x.start, x.stop, x.step), (y.start, y.stop, y.step), strict=True)
        return slice(*(_argument(a, b, graph, new) for a, b in ends))
    if type(x) is type(y) and x == y:
        return x
    times, other = ((n / count if isinstance(n, int) else None) for n, count in zip((x, y), BATCHES, strict=True))
    if times is None or times != other or times != int(times):
        raise ValueError(f"what it computes depends on the number of images: {x} of {BATCHES[0]}, {y} of {BATCHES[1]}")
    images = next(node for node in graph.nodes if node.op == "placeholder")
    return graph.call_function(of_batch, (images, int(times)))
