"""Which exits of many are worth having: the set that saves most on samples that no head was fitted to.

Many heads stand behind many places of one network; each set of them, at most one at a place, is a cascade.  What a set
is expected to save at the drop that the user cares about is found by the package's own choosing: thresholds by
backward induction on four fifths of the samples, counted on the fifth, with every head of the set charged.  Sets grow
from none, and from sets that are given, by the head that adds most; whatever no longer brings more than its standard
error goes again.  (Exits that are placed on a trained network by what they save: arXiv 2403.07957.)

Nothing is trained here: all heads said what they say of the samples beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.crossfitting import BLOCKS, FOLDS, Expectation, expectation
from cascade_core.policies.families import BACKWARD_INDUCTION
from cascade_core.policies.selection import within
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.pool import log_softmax
from cascade_core.simulation.stages import Stage

LEAST = FOLDS * BLOCKS
"""Fewest samples to choose on."""

AT_A_PLACE = 2
"""Heads of a place that sets are made of."""

Kept = tuple[int, ...]
"""Numbers of the stages whose heads are kept, rising, without the last."""


@dataclass(frozen=True, kw_only=True)
class Gain:
    """More saving, as a share of the plain network's MACs, with its standard error."""

    mean: float
    error: float

    @property
    def is_real(self) -> bool:
        """Whether it is above its standard error."""
        return self.mean > self.error


@dataclass(frozen=True, kw_only=True)
class ChosenExits:
    """A set of exits.

    Attributes:
        kept: The stages whose heads are kept; none where nothing pays.
        saving: What they save together.
        brings: What each saves beyond the others.
        following: The stage that would be added next, and what it would bring; None where there is none left.
    """

    kept: Kept
    saving: Gain
    brings: tuple[Gain, ...]
    following: tuple[int, Gain] | None


def choose_exits(outputs: StageOutputs, drop: float, starts: Iterable[Kept] = ()) -> ChosenExits:
    """The exits that save most at a drop.

    Args:
        outputs: What every candidate says of samples that none was fitted to; several heads of one place follow one
            another with no trunk MACs between them.
        drop: Accuracy that may be given up, a fraction.
        starts: Sets to begin from, beside the empty one.

    Raises:
        ValueError: There are too few samples.
    """
    judge = Judge(outputs, drop)
    grown = [judge.grow(start) for start in ((), *starts)]
    kept = max(grown, key=lambda kept: judge.gain(kept).mean)
    return described(judge, kept if judge.gain(kept).is_real else ())


def described(judge: Judge, kept: Kept) -> ChosenExits:
    """A set, what its heads bring, and what the next one would."""
    ahead = [(stage, judge.gain(judge.joined(kept, stage), kept)) for stage in judge.worthwhile if stage not in kept]
    return ChosenExits(
        kept=kept,
        saving=judge.gain(kept),
        brings=tuple(judge.gain(kept, judge.less(kept, stage)) for stage in kept),
        following=max(ahead, key=lambda one: one[1].mean, default=None),
    )


def compared(judge: Judge, kept: Kept, other: Judge, others: Kept) -> Gain:
    """What a set saves more than another one of other heads, judged on the same samples."""
    more = judge.blocks(kept) - other.blocks(others)
    return Gain(mean=float(more.mean()), error=float(more.std(ddof=1) / np.sqrt(len(more))))


class Judge:
    """What sets of heads are expected to save at a drop."""

    def __init__(self, outputs: StageOutputs, drop: float) -> None:
        n = len(outputs.labels)
        if n < LEAST:
            raise ValueError(f"Expected at least {LEAST} training samples to choose exits on but there were {n}")
        self.outputs, self.drop = outputs, drop
        self.places = np.cumsum([stage.trunk_macs for stage in outputs.stages])
        # All sets are judged on the same blocks, so that they can be compared in pairs.
        self.codes = np.random.default_rng(0).permutation(n).astype(np.uint64)
        self._known: dict[Kept, Expectation] = {}
        rows = np.arange(n)
        self._losses = [-float(log_softmax(probs)[rows, outputs.labels].mean()) for probs in outputs.probs]

    @cached_property
    def worthwhile(self) -> Kept:
        """Stages whose heads are looked at: up to `AT_A_PLACE` of each place, those that are best alone."""
        ranked = sorted(self._undominated(), key=self.alone, reverse=True)
        before = [
            sum(self.places[stage] == self.places[other] for other in ranked[:i]) for i, stage in enumerate(ranked)
        ]
        return tuple(sorted(stage for stage, count in zip(ranked, before, strict=True) if count < AT_A_PLACE))

    def _undominated(self) -> Kept:
        """Early stages but those behind whose place another head costs no more and has no larger cross-entropy."""
        costs = [stage.head_macs for stage in self.outputs.stages]
        ranks = list(zip(costs, self._losses, range(len(costs)), strict=True))[:-1]

        def outdone(stage: int) -> bool:
            return any(
                self.places[other] == self.places[stage] and rank < ranks[stage] and rank[1] <= ranks[stage][1]
                for other, rank in enumerate(ranks)
            )

        return tuple(stage for stage in range(len(ranks)) if not outdone(stage))

    def alone(self, stage: int) -> tuple[float, float]:
        """How good a head is without others: what it saves, or where that is equal, its log-likelihood."""
        return self.gain((stage,)).mean, -self._losses[stage]

    def expected(self, kept: Kept) -> Expectation:
        """What a set that is not empty leads to."""
        if kept not in self._known:
            record = replace(with_heads(self.outputs, kept).record(), codes=self.codes)
            self._known[kept] = expectation(record, BACKWARD_INDUCTION)
        return self._known[kept]

    def gain(self, kept: Kept, others: Kept = ()) -> Gain:
        """What a set saves more than another; without one, than the plain network."""
        return compared(self, kept, self, others)

    def blocks(self, kept: Kept) -> NDArray[np.float64]:
        """(B,) what a set saves on each block of samples."""
        nothing = np.zeros(LEAST)
        if not kept:
            return nothing
        found = self.expected(kept)
        place = int(within(found, np.array([self.drop]))[0])
        return found.block_savings[:, place] if place >= 0 else nothing

    def grow(self, kept: Kept) -> Kept:
        """A set with all that is worth adding, and without what is not worth keeping."""
        brought = {stage: self.gain((stage,)).mean for stage in self.worthwhile}
        for _ in range(2 * len(set(self.places))):
            kept = self._pruned(kept)
            best = self._joined_by_best(kept, brought)
            if not self.gain(best, kept).is_real:
                break
            kept = best
        return kept

    def _joined_by_best(self, kept: Kept, brought: dict[int, float]) -> Kept:
        """A set with the head more that brings most.

        A head seldom brings more the more others there are: those that brought most when they were last looked at are
        looked at first, and none whose turn has not come when the best is known (lazy greedy; Minoux, "Accelerated
        greedy algorithms for maximizing submodular set functions", 1978).

        Args:
            brought: What each head brought last; it is brought up to date.
        """
        ahead, looked_at = [stage for stage in self.worthwhile if stage not in kept], set[int]()
        while ahead:
            best = max(ahead, key=lambda stage: brought[stage])
            if best in looked_at:
                return self.joined(kept, best)
            brought[best] = self.gain(self.joined(kept, best), kept).mean
            looked_at.add(best)
        return kept

    def _pruned(self, kept: Kept) -> Kept:
        """A set without heads that bring no more than their standard error, the least useful first."""
        while kept:
            brings = {stage: self.gain(kept, self.less(kept, stage)) for stage in kept}
            worst = min(kept, key=lambda stage: brings[stage].mean)
            if brings[worst].is_real:
                break
            kept = self.less(kept, worst)
        return kept

    def joined(self, kept: Kept, stage: int) -> Kept:
        """A set with one head more, which takes the place of one that stood there."""
        others = (one for one in kept if self.places[one] != self.places[stage])
        return tuple(sorted((*others, stage)))

    def less(self, kept: Kept, stage: int) -> Kept:
        """A set without one head."""
        return tuple(one for one in kept if one != stage)


def with_heads(outputs: StageOutputs, kept: Sequence[int]) -> StageOutputs:
    """The same network with the heads of some stages alone, and the last."""
    last = len(outputs.stages) - 1
    numbers = [*kept, last]
    up_to = np.cumsum([stage.trunk_macs for stage in outputs.stages])[numbers]
    stages = tuple(
        Stage(name=outputs.stages[number].name, trunk_macs=int(macs), head_macs=outputs.stages[number].head_macs)
        for number, macs in zip(numbers, np.diff(up_to, prepend=0), strict=True)
    )
    return replace(outputs, probs=outputs.probs[numbers], stages=stages)
