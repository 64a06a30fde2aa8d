"""The stages of a run, with what they cost: MACs that are known, or, where nobody says any, the same for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.stages import Stage
from cascade_core.storage.importers.found import Found
from cascade_core.storage.importers.mac_counts import added_macs, doubts
from cascade_core.storage.importers.naming import MAC_NAMES
from cascade_core.support import checks
from cascade_core.support.files import BadFile

EQUAL_MACS = 1_000_000
"""MACs that each stage is taken to add where nobody knows them."""

ASSUMED = "MACs were not given: every stage is taken to add the same."
"""The title of such a run."""


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Stages and the plain network.

    Attributes:
        macs: (M,) what each stage adds.
        baseline_macs: The plain network's; None for all stages together.
        assumed: Whether nobody said them.
    """

    stages: tuple[Stage, ...]
    macs: NDArray[np.int64]
    baseline_macs: int | None
    assumed: bool


def costed(
    found: Found, arrays: dict[str, Any], order: Sequence[int] | None, names: Sequence[str], assume: bool
) -> Costs:
    """The stages, first to last; lines on doubtful costs go to `found.notes`.

    Args:
        order: Where the stages stand in a file's arrays; None where the user said the costs, in their order.
        assume: Whether stages may be taken to cost the same.

    Raises:
        BadFile: Costs are missing, or do not fit.
    """
    own = range(len(names))
    added = added_macs(arrays, own if order is None else order, found.notes)
    if added is None and not assume:
        raise BadFile(
            f"expected macs, the multiply-accumulates that each of the {len(names)} stages adds; give them with --macs"
        )
    macs = np.full(len(names), EQUAL_MACS) if added is None else added
    heads = np.zeros(len(names), np.int64)
    if "head_macs" in arrays:
        heads = checks.integers("head_macs", arrays["head_macs"], "(stages)", (len(names),))[list(order or own)]
    for stage in np.flatnonzero(heads > macs)[:1]:
        raise BadFile(f"expected head_macs to be part of macs but the head of stage {stage} costs more than the stage")
    baseline = arrays.get("baseline_macs")
    if (
        added is not None
        and baseline is None
        and not any(name in arrays for name in MAC_NAMES if name.endswith("up_to"))
    ):
        found.notes += doubts(macs)
    stages = tuple(
        Stage(name=name, trunk_macs=int(all_macs - head), head_macs=int(head))
        for name, all_macs, head in zip(names, macs, heads, strict=True)
    )
    return Costs(
        stages=stages,
        macs=macs,
        baseline_macs=None if baseline is None else int(checks.integers("baseline_macs", baseline, "(one number)", ())),
        assumed=added is None,
    )
