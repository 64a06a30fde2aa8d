"""What a plain network returns, and where in it its answers are.

A network may return logits (batch, K) alone, or more: a tuple, a list, a dict, an object such as those of Hugging Face,
these within one another, or the logits of several exits in one tensor.  An answer is a floating tensor (batch, K); it
is known by its `Place`, which finds it again in what later calls return, and in what `torch.fx` sees of one.
What is called `logits` is taken before anything else.  A choice that is not the network's own is said in a warning.

Wishes: None is the only answer there is, "all" every answer, "first" and "last" one of several, and any other text the
name of one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cascade_core.nets.faults import told

LOGITS = "logits"

_OF_LOGITS = (None, "all", "first", "last", LOGITS)
"""Wishes that keep to what is called logits, where something is."""

MOST_TOLD = 8
"""Most values that a message lists."""


class Attribute(str):
    """A step to an attribute of an object, where other steps are to items."""


@dataclass(frozen=True)
class Place:
    """Where a value is in what a network returns: steps from the outermost in, none for the whole."""

    steps: tuple[Any, ...] = ()

    def of(self, returned: Any) -> Any:
        """The value there."""
        for step in self.steps:
            returned = getattr(returned, step) if isinstance(step, Attribute) else returned[step]
        return returned

    @property
    def name(self) -> str:
        """What people call it: its keys, numbers counted from 1."""
        return " ".join(str(step + 1) if isinstance(step, int) else str(step) for step in map(_row, self.steps))


def _row(step: Any) -> Any:
    """The number of an exit among several in one tensor, else the step itself."""
    return step[-1] if isinstance(step, tuple) and step and isinstance(step[0], slice) else step


WHOLE = Place()


class Taken(nn.Module):
    """A network that returns one of the values that another returns."""

    def __init__(self, network: nn.Module, place: Place) -> None:
        super().__init__()
        self.network, self.place = network, place

    def forward(self, images: Tensor) -> Any:
        """What is at the place."""
        return self.place.of(self.network(images))


def find_answers(
    returned: Any, name: str, *, batch: int, classes: int | None = None, wish: str | None = None
) -> tuple[Place, ...]:
    """Where the answers are in what a network returned, one place but for the wish "all".

    Args:
        name: What messages call the network.
        batch: How many samples it was given; at least 2, and no number of classes.
        classes: K, where it is known.

    Warns:
        UserWarning: More was returned than is taken.

    Raises:
        ValueError: Nothing is an answer, or several are and none is wished for; the message says what came.
    """
    inner = _logits(returned) if wish in _OF_LOGITS else WHOLE
    within = inner.of(returned)
    # Of the only one there is, another number of classes than the data's is told where the data are known.
    only = isinstance(within, Tensor) and within.ndim == 2
    found = [Place((*inner.steps, *place.steps)) for place in _answers(within, batch, None if only else classes)]
    if not found:
        raise ValueError(_nothing(name, returned, batch, classes))
    if found == [WHOLE]:
        return (WHOLE,)
    if wish == "all":
        _say_left(name, returned, found, batch)
        return tuple(found)
    place = _one(name, found, wish, describe(returned, batch))
    _say_taken(name, returned, place, batch)
    return (place,)


def _one(name: str, found: Sequence[Place], wish: str | None, came: str) -> Place:
    if wish in ("first", "last"):
        return found[0 if wish == "first" else -1]
    named = [place for place in found if wish is None or place.name == wish]
    if len(named) == 1:
        return named[0]
    names = ", ".join(place.name for place in found[:MOST_TOLD])
    if named:
        raise ValueError(
            f"Expected {name} to return one answer but it returned {came}; --outputs all makes a stage of each, "
            f"--outputs last (or first, or one of {names}) takes one"
        )
    raise ValueError(f"Expected --outputs to be all, first, last or one of {names} of {name} but it was {wish!r}")


def _logits(returned: Any) -> Place:
    """The place of what is called logits, if anything is."""
    if isinstance(returned, Mapping) and LOGITS in returned:
        return Place((LOGITS,))
    if not isinstance(returned, Mapping | Tensor) and getattr(returned, LOGITS, None) is not None:
        return Place((Attribute(LOGITS),))
    return WHOLE


def _answers(returned: Any, batch: int, classes: int | None) -> list[Place]:
    """Places of all answers."""
    return [place for place, value in _leaves(returned, batch) if _is_answer(value, batch, classes)]


def _is_answer(value: Any, batch: int, classes: int | None) -> bool:
    return (
        isinstance(value, Tensor)
        and value.is_floating_point()
        and value.ndim == 2
        and len(value) == batch
        and (value.shape[1] == classes if classes is not None else value.shape[1] > 1)
    )


def _leaves(returned: Any, batch: int, steps: tuple[Any, ...] = ()) -> Iterator[tuple[Place, Any]]:
    """Everything within containers, with its place."""
    for step, value in _parts(returned, batch):
        yield from _leaves(value, batch, (*steps, step))
    if not _parts(returned, batch):
        yield Place(steps), returned


def _parts(returned: Any, batch: int) -> list[tuple[Any, Any]]:
    """What a container holds, by step; nothing for what is none."""
    if isinstance(returned, Mapping):
        return list(returned.items())
    if isinstance(returned, list | tuple):
        return list(enumerate(returned))
    if isinstance(returned, Tensor):
        return _stacked(returned, batch)
    held = getattr(returned, "__dict__", {})
    return [(Attribute(key), value) for key, value in held.items() if key[:1] != "_" and value is not None]


def _stacked(tensor: Tensor, batch: int) -> list[tuple[Any, Tensor]]:
    """The exits of (exits, batch, K) or (batch, exits, K)."""
    if tensor.ndim != 3 or (tensor.shape[0] == batch) == (tensor.shape[1] == batch):
        return []
    if tensor.shape[1] == batch:
        return list(enumerate(tensor))
    return [((slice(None), i), part) for i, part in enumerate(tensor.unbind(1))]


def describe(returned: Any, batch: int) -> str:
    """What came, for people: kinds and shapes, the first axis called batch where it is that."""
    if isinstance(returned, Tensor):
        sizes = ["batch" if axis == batch else str(axis) for axis in returned.shape]
        shape = f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
        return shape if returned.is_floating_point() else f"{shape} {str(returned.dtype).removeprefix('torch.')}"
    parts = _parts(returned, batch)
    if returned is None or isinstance(returned, str | int | float) or not parts:
        return "nothing" if returned is None else _a(type(returned).__name__)
    keyed = not isinstance(returned, list | tuple)
    told = [f"{key} {describe(value, batch)}" if keyed else describe(value, batch) for key, value in parts[:MOST_TOLD]]
    more = [f"{len(parts) - MOST_TOLD} more"] if len(parts) > MOST_TOLD else []
    return f"{_a(type(returned).__name__)} of {len(parts)}: {', '.join([*told, *more])}"


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _nothing(name: str, returned: Any, batch: int, classes: int | None) -> str:
    return (
        f"Expected {name} to return logits (batch, {'classes' if classes is None else classes}) "
        f"but it returned {describe(returned, batch)}"
    )


def _say_taken(name: str, returned: Any, place: Place, batch: int) -> None:
    if place != WHOLE:
        what = f"called {place.name}" if isinstance(place.steps[-1], str) else f"number {place.name}"
        warnings.warn(f"{name} returns {describe(returned, batch)}; that {what} is taken", stacklevel=3)


def _say_left(name: str, returned: Any, found: Sequence[Place], batch: int) -> None:
    left = [place.name for place, value in _leaves(returned, batch) if place not in found and value is not None]
    if left:
        warnings.warn(f"Of what {name} returns, {', '.join(left[:MOST_TOLD])} is no answer and left out", stacklevel=3)


def look(
    network: Callable[[Tensor], Any], name: str, example: Tensor, classes: int | None = None, wish: str | None = None
) -> tuple[tuple[Place, ...], tuple[Tensor, ...]]:
    """Run a network in eval mode on images; where its answers are, and what they are.

    Raises:
        ValueError: The network fails on them, or as for `find_answers`.
    """
    with torch.no_grad(), told(f"Expected {name} to take images of shape {tuple(example.shape)}"):
        returned = network(example)
    places = find_answers(returned, name, batch=len(example), classes=classes, wish=wish)
    return places, tuple(place.of(returned) for place in places)
