"""The choice between families of rules, and of a rule in the family that was chosen, for samples nobody has seen.

Every family that suits a record is tried by cross-fitting on it (`crossfitting`), and judged by what it is expected to
save at drops from a quarter point to two.  The first family is taken unless another is expected to save more by two
standard errors: picking the best of several is itself optimistic, and less so the clearer the winner has to be.

In the family, the rule for a drop is the cheapest whose expected drop, and a part of its standard error, is within it:
the boldest of all that pass is optimistic too.  A rule that may well cost more than the plain network is taken only
where a gain in accuracy was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import Policy
from cascade_core.policies.crossfitting import BLOCKS, FOLDS, Expectation, expectation
from cascade_core.policies.families import suitable
from cascade_core.simulation.bounds import ALPHA
from cascade_core.simulation.record import Record

WISHES = (0.0025, 0.005, 0.01, 0.02)
"""Drops at which families are compared."""

NEAR = 0.005
"""Distance of the drops between which a curve's slope is read."""

CAUTION = 0.38
"""Standard errors of a drop that are added to it."""

CLEARLY = 2.0
"""Standard errors by which another family has to be better than the first, and own answers than pooled ones."""

DEARER = 2.0
"""Standard errors by which a saving must be above none."""

SAMPLES = 1 << 16
"""Most samples that thresholds are chosen on, drawn from all; with more they hardly change."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Selection:
    """The family chosen for a record.

    Attributes:
        chosen: Its rules, and what they are expected to do.
        tried: The names of all that were tried, and what each is expected to save on average at `WISHES`.
    """

    chosen: Expectation
    tried: dict[str, float]

    @property
    def least(self) -> float:
        """Least expected drop, a fraction; negative for a gain."""
        return float(self.chosen.drops[0])

    @property
    def perhaps(self) -> float:
        """Least drop that is not out of the question, at 95 % confidence."""
        return self.least - NormalDist().inv_cdf(1 - ALPHA) * float(self.chosen.drop_errors[self.safest])

    @property
    def safest(self) -> int:
        """Place of the cheapest rule with the least expected drop."""
        return int(np.flatnonzero(self.chosen.drops == self.chosen.drops[0])[-1])

    def within(self, drops: Floats) -> NDArray[np.int64]:
        """(G,) places of the rules for `drops`; -1 = the plain network, or for a gain that none is expected to give."""
        return within(self.chosen, drops)


def within(family: Expectation, drops: Floats, extra: float = 0.0) -> NDArray[np.int64]:
    """(G,) places of the cheapest rules within `drops`; -1 where none is.

    Args:
        extra: Standard errors of a drop that are added to it beside the usual ones.
    """
    likely = np.maximum.accumulate(family.drops + (CAUTION + extra) * family.drop_errors)
    saved = np.where(family.savings > DEARER * family.saving_errors, family.savings, -np.inf)
    count = np.searchsorted(likely, drops, side="right")
    result = np.full(len(drops), -1)
    for savings, asked in ((saved, drops >= 0), (family.savings, drops < 0)):
        best = np.maximum.accumulate(savings)
        first = np.searchsorted(best, best, side="left")
        served = asked & (count > 0) & (best[count - 1] > -np.inf)
        result[served] = first[count[served] - 1]
    return result


def saved_at(family: Expectation, drop: float, extra: float = 0.0) -> float:
    """What a family is expected to save at a drop."""
    place = int(within(family, np.array([drop]), extra)[0])
    return 0.0 if place < 0 else float(family.savings[place])


def worth(family: Expectation, extra: float = 0.0) -> float:
    """What a family is expected to save on average at `WISHES`."""
    return sum(saved_at(family, wish, extra) for wish in WISHES) / len(WISHES)


def advantage(other: Expectation, first: Expectation, extra: float = 0.0) -> float:
    """How much more `other` is expected to save at equal drops, less `CLEARLY` standard errors of that.

    Both were cross-fitted on the same blocks.  Where their rules for a wish differ in drop, the difference is charged
    at what `first` saves by giving up as much.
    """
    more = np.zeros(len(first.block_drops))
    for wish in WISHES:
        rise = saved_at(first, wish + NEAR, extra) - saved_at(first, max(0.0, wish - NEAR), extra)
        price = rise / (wish + NEAR - max(0.0, wish - NEAR))
        for family, sign in ((other, 1), (first, -1)):
            place = int(within(family, np.array([wish]), extra)[0])
            if place >= 0:
                more += sign * (family.block_savings[:, place] - price * family.block_drops[:, place])
    more /= len(WISHES)
    return float(more.mean() - CLEARLY * more.std(ddof=1) / np.sqrt(len(more)))


def select(record: Record) -> Selection | None:
    """The family for a record; None where there are too few samples to say anything."""
    if record not in _KNOWN:
        _KNOWN[record] = _select(record)
    return _KNOWN[record]


def family_of(policy: Policy | type[Policy], record: Record) -> str | None:
    """Name of the family whose rules a policy takes for a record; None where it has rules of its own, or too few."""
    if not policy.selects:
        return None
    selection = select(record.apart[0] if policy.tests else record)
    return None if selection is None else selection.chosen.family


_KNOWN: WeakKeyDictionary[Record, Selection | None] = WeakKeyDictionary()
"""By record, as long as it lives: a slider, a policy and the choice of answers ask the same."""


def _select(record: Record) -> Selection | None:
    if record.n < FOLDS * BLOCKS or len(record.stages) < 2:
        return None
    few = drawn(record)
    tried = [expectation(few, family) for family in suitable(few)]
    first, *others = tried
    ahead = [advantage(other, first) for other in others]
    chosen = others[int(np.argmax(ahead))] if ahead and max(ahead) > 0 else first
    return Selection(chosen=chosen, tried={family.family: worth(family) for family in tried})


def drawn(record: Record) -> Record:
    """`SAMPLES` single ones of a record at random; all, where there are no more."""
    if record.weights is not None:
        return record.drawn(SAMPLES)
    return record if record.n <= SAMPLES else record.take(np.sort(record.shuffled(0)[:SAMPLES]))
