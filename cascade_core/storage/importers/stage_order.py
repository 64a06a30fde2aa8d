"""In which order stages stand, and what they are called.

Arrays have an order.  A table's stages come by number, or in their category's order; names that differ in a number
alone ("exit 2", "exit 10") come by that.  Other names come as the rows first have them, which says little: the names
of all stages may be given, and are their order then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cascade_core.support import checks
from cascade_core.support.files import BadFile


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
