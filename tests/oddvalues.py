"""JSON data with one place spoiled: every place in turn holds every odd value."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**400,
    -(10**400),
    1e308,
    float("nan"),
    float("inf"),
    "1",
    "",
    "\x1b[2J",
    "\udcff",
    [],
    {},
    [[]],
    [None] * 3,
    {"stage": 1},
)


def with_odd_values(data: Any) -> Iterator[Any]:
    """Copies of `data`, each with one place spoiled."""
    for *path, last in filter(None, _places(data)):
        for odd in ODD:
            spoiled = copy.deepcopy(data)
            place = spoiled
            for step in path:
                place = place[step]
            place[last] = odd
            yield spoiled


def _places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _places(one, (*path, key))
