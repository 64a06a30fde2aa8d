"""In which order stages stand, and what they are called.

Arrays have an order.  A table's stages come by number, or in their category's order; names that differ in a number
alone ("exit 2", "exit 10") come by that.  Other names come as the rows first have them, which says little: the names
of all stages may be given, and are their order then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.storage.importers.found import Found
from cascade_core.storage.importers.naming import MAC_NAMES
from cascade_core.support import checks
from cascade_core.support.files import BadFile

MOST = 1_000
"""Most stages of an imported run; tables and thresholds of more say nothing to anybody, and take minutes."""


def texts(values: Any) -> tuple[str, ...] | None:
    """An array of names; None where there is none."""
    return None if values is None else tuple(str(value) for value in np.ravel(values))


def stage_order(
    found: Found, arrays: dict[str, Any], given: Sequence[str] | None, count: int
) -> tuple[list[int], list[str]]:
    """Where the stages stand in a file's arrays, first to last, and what they are called; a line goes to `found.notes`.

    Args:
        given: Names that the user gives.

    Raises:
        ValueError: There is not a name of its own for each.
    """
    own = texts(arrays.get("stage_names"))
    names = list(checks.names("stage_names", own, count, "stage")) if own else [f"stage {i + 1}" for i in range(count)]
    if given is not None:
        known = given_order(names, given)
        found.named_stages = found.named_stages and known is None
        return known or list(range(count)), list(given)
    up_to = [arrays[name] for name in MAC_NAMES if name in arrays and name.endswith("_up_to")]
    if (
        not found.named_stages
        or not up_to
        or np.size(up_to[0]) != count
        or np.asarray(up_to[0]).dtype.kind not in "iuf"
    ):
        return list(range(count)), names
    found.named_stages = False
    order = np.argsort(up_to[0], kind="stable").tolist()
    if order != list(range(count)):
        found.notes.append(f"Stages were put in the order of their MACs from the start: {_list(names, order)}.")
    return order, [names[i] for i in order]


def doubts_about_order(
    names: Sequence[str], macs: NDArray[np.int64], accuracy: NDArray[np.float64] | None
) -> list[str]:
    """A line on stages in the order in which rows name them, where MACs or, if it is known, accuracy do not rise."""
    rising = {"MACs": macs} | ({} if accuracy is None else {"accuracy": accuracy})
    falling = [what for what, values in rising.items() if (np.diff(values) < 0).any()]
    if not falling:
        return []
    order = np.argsort(rising[falling[0]], kind="stable").tolist()
    return [
        f"Stages stand in the order in which the file first names them ({_list(names, range(len(names)))}), in which "
        f"{' and '.join(falling)} fall: if {_list(names, order)} is the order, say so (--stage-names, stage_names)."
    ]


def _list(names: Sequence[str], order: Sequence[int]) -> str:
    return ", ".join(names[i] for i in order[:8]) + (", ..." if len(order) > 8 else "")


def check_stage_count(count: int) -> None:
    """Raise BadFile where there are more stages than are read."""
    if count > MOST:
        raise BadFile(f"expected at most {MOST:,} stages but there are {count:,}")


def natural_order(names: Sequence[str]) -> list[int] | None:
    """The order of names that differ in numbers alone; None of others.

    >>> natural_order(["exit 10", "exit 9"]), natural_order(["large", "mid"])
    ([1, 0], None)
    """
    parts = [re.split(r"(\d+)", name) for name in names]
    if len({tuple(part[::2]) for part in parts}) > 1 or len(parts[0]) == 1:
        return None
    return sorted(range(len(names)), key=lambda i: [int(number) for number in parts[i][1::2]])


def given_order(names: Sequence[str], given: Sequence[str]) -> list[int] | None:
    """Where each of the names that were given stands among `names`; None where all are new names.

    Raises:
        BadFile: Some are the same and some are not, or there are more or fewer.
    """
    wished = checks.names("stage_names", given, len(names), "stage")
    places = {name.strip().casefold(): i for i, name in enumerate(names)}
    found = [places.get(name.strip().casefold()) for name in wished]
    if all(place is None for place in found) or len(places) < len(names):
        return None
    if None in found or len(set(found)) < len(found):
        raise BadFile(
            f"expected stage_names to name the stages {', '.join(map(repr, names[:8]))} in their order, or all anew, "
            f"but it names {', '.join(map(repr, wished[:8]))}"
        )
    return [place for place in found if place is not None]
