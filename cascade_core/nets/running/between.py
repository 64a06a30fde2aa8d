"""Samples between two stages of a cascade, and the step that takes them through the next one.

A stage is computed for all that are left; those that it is sure enough of answer, and the rest go on as a smaller batch
with the softmaxes that later stages pool.  A head that is off is not run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cascade_core.nets.running.engines import Engine, Softmaxes, State
from cascade_core.simulation.exits import ExitRule

Note: TypeAlias = Callable[[Sequence[Softmaxes | None], int, NDArray[np.int64]], NDArray[np.bool_]]
"""Notes what a stage answers to those of its samples that exit there: of the softmaxes passed, as `ExitRule.answer`
takes them, the stage and the samples' numbers (n,).  It returns which they are, (n,)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Remaining:
    """Samples that no stage has answered yet.

    Attributes:
        numbers: (n,) by which they are known.
        state: What the engine knows of them.
        passed: Their softmaxes of the stages before, M entries; None of those that no later stage pools.
        came: Number of the batch that the first of them came with.
    """

    numbers: NDArray[np.int64]
    state: State
    passed: tuple[Softmaxes | None, ...]
    came: int = 0

    @classmethod
    def of(cls, images: Tensor, numbers: NDArray[np.int64], engine: Engine, came: int = 0) -> Remaining:
        """A batch before stage 0."""
        return cls(numbers=numbers, state=engine.begin(images), passed=(None,) * engine.stages, came=came)

    def after(self, stage: int, engine: Engine, rule: ExitRule, note: Note) -> Remaining:
        """Those that go on after a stage, which is computed for all of them."""
        passed, state = list(self.passed), engine.extend(self.state, stage)
        if rule.active[stage]:
            passed[stage] = engine.classify(state, stage)
        exits = note(passed, stage, self.numbers) if rule.may_exit[stage] else np.zeros(len(self.numbers), np.bool_)
        if rule.pool is None or not rule.pool.used_later[stage]:
            passed[stage] = None
        left = Remaining(numbers=self.numbers, state=state, passed=tuple(passed), came=self.came)
        return left._without(exits, engine) if exits.any() else left

    def _without(self, exits: NDArray[np.bool_], engine: Engine) -> Remaining:
        stay = np.flatnonzero(~exits)
        return Remaining(
            numbers=self.numbers[stay],
            state=engine.keep(self.state, stay) if len(stay) else (),
            passed=tuple(None if one is None else one[stay] for one in self.passed),
            came=self.came,
        )


def joined(several: Sequence[Remaining], engine: Engine) -> Remaining:
    """Samples that wait before the same stage, together."""
    if len(several) == 1:
        return several[0]
    columns = zip(*(one.passed for one in several), strict=True)
    return Remaining(
        numbers=np.concatenate([one.numbers for one in several]),
        state=engine.join([one.state for one in several]),
        passed=tuple(None if own[0] is None else np.concatenate(own) for own in columns),
        came=min(one.came for one in several),
    )
