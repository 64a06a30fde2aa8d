"""A cascade's stages, and what leaving at each costs: MACs of trunk pieces, of the heads run, of the plain network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.support import checks

MAX_MACS = 1 << 53
"""Most MACs of a stage: every JSON reader holds whole numbers up to here exactly."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A piece of the trunk followed by a head; MACs are multiply-accumulates for one sample.

    Raises:
        ValueError: The name is empty, or a cost is not a whole number from 0 to `MAX_MACS`.
    """

    name: str
    trunk_macs: int
    head_macs: int

    def __post_init__(self) -> None:
        checks.names("Stage.name", (self.name,), 1, "stage")
        for what in ("trunk_macs", "head_macs"):
            value = checks.whole(f"{what} of stage {self.name!r}", getattr(self, what), 0, MAX_MACS)
            object.__setattr__(self, what, value)


def exit_costs(stages: Sequence[Stage], active: NDArray[np.bool_], baseline_macs: int) -> NDArray[np.int64]:
    """MACs of a sample that leaves at each stage: every trunk piece up to it, and every active head.

    Where no head but the last is active there is no cascade to run, and all samples cost what the plain network does;
    for a cascade of models, or with a ladder beside the trunk, that is less than all trunk pieces.

    Args:
        active: (..., M) bool, whether a stage's head is run; a head that can never accept is not.

    Returns:
        (..., M) int64.
    """
    trunk = np.array([s.trunk_macs for s in stages], dtype=np.int64)
    head = np.array([s.head_macs for s in stages], dtype=np.int64)
    costs: NDArray[np.int64] = np.cumsum(trunk + head * active, axis=-1)
    costs[..., -1] = np.where(active[..., :-1].any(axis=-1), costs[..., -1], baseline_macs)
    return costs


def checked_stages(stages: Sequence[Stage], count: int, n: int) -> tuple[Stage, ...]:
    """`count` stages of different names, whose MACs can be added up over `n` samples; ValueError if they are not."""
    checks.names("stages", [s.name for s in stages], count, "stage")
    total = sum(s.trunk_macs + s.head_macs for s in stages)
    if total * n >= 1 << 63:
        raise ValueError(f"Expected MACs that can be added up over {n} samples but the stages have {total} in all")
    return tuple(stages)


def checked_baseline(value: int | None, stages: Sequence[Stage]) -> int:
    """The plain network's MACs; without a value, all trunk pieces and the last head."""
    if value is None:
        value = sum(s.trunk_macs for s in stages) + stages[-1].head_macs
    return checks.whole("baseline_macs", value, 1, MAX_MACS)
