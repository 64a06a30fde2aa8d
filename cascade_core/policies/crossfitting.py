"""What the rules of a family do to fresh samples, by cross-fitting on the calibration samples.

A rule that was picked as the best of many is the best partly by luck: on fresh samples it does worse.  So the samples
are divided into five parts; on each four a family's rules are made, and counted on the fifth.  What all five lost and
spent together is what the rules made from all samples are expected to lose and spend.  Losses are noisy, but can only
rise from the safest rule to the boldest, and are therefore fitted by a rising curve (isotonic regression).

With few samples, losses are a handful of samples that happen to be there or not.  Where each rule is the best at a
price of computation, another way to them is to add up, from rule to rule, the price of what is saved: what a best rule
gives up is what it is paid for.  That is far less noisy and a little wrong; it stands for what was counted where counts
are uncertain, and gives way to them where they are not.

(Rules made from four fifths of the samples lose a little more than those from all of them: what is left of the error is
on the safe side.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import rule_path
from cascade_core.policies.families.base import Family
from cascade_core.simulation.paths import evaluate_path
from cascade_core.simulation.record import Record

Floats = NDArray[np.float64]

FOLDS, BLOCKS = 5, 4
"""Parts that rules are made without, and blocks in each whose spread tells errors; samples are needed for all."""

SEED = 0
"""Of the division into folds."""

PRICED = 0.005
"""Standard error of a drop that is added up from prices: where a count's is the same, both have equal weight."""

GAIN = 0.005
"""Likely size of the safest rule's gain, which no price tells: one less certain than this is hardly believed."""

UNSEEN = 2
"""Samples that are added to those whose answer changed, so that no drop counts as certain because none was seen."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Expectation:
    """A family's rules for a record, and what they are expected to do to fresh samples.

    Attributes:
        family: Its name.
        n: Number of samples.
        thresholds: (G, M-1), or (G, M-1, K), from safest to boldest.
        drops: (G,) against the plain network, fractions, never falling.
        savings: (G,) of the plain network's MACs.
        drop_errors, saving_errors: (G,) standard errors of these.
        block_drops, block_savings: (F * B, G) the same on each block, before the rising curve was fitted.
    """

    family: str
    n: int
    thresholds: NDArray[np.float32]
    drops: NDArray[np.float64]
    savings: NDArray[np.float64]
    drop_errors: NDArray[np.float64]
    saving_errors: NDArray[np.float64]
    block_drops: NDArray[np.float64]
    block_savings: NDArray[np.float64]


def expectation(record: Record, family: Family) -> Expectation:
    """What `family` leads to on samples like those of `record`, which are enough for all parts and blocks."""
    judged, maker = record.held_out or record, family.maker(record)
    counts, sizes, in_groups = [], [], _InGroups(record)
    for fold, others in folds(record):
        thresholds = maker.rules(judged.take(others))
        in_groups.add(judged.take(fold), thresholds)
        for block in np.array_split(fold, BLOCKS):
            part = judged.take(block)
            result = evaluate_path(part, rule_path(part, range(len(thresholds)), thresholds))
            share = result.costs / result.baseline_macs
            spent = [(result.exit_counts * share**power).sum(axis=1) for power in (1, 2)]
            counts.append([result.harmed - result.helped, result.harmed + result.helped, *spent])
            sizes.append(part.n)
    lost, changed, spent, squares = np.array(counts, dtype=np.float64).transpose(1, 0, 2)
    n, of_each = record.n, np.array(sizes)[:, None]
    drop, mean = lost.sum(axis=0) / n, spent.sum(axis=0) / n
    drops = rising(lost.sum(axis=0)) / n
    errors = np.sqrt(np.maximum((changed.sum(axis=0) + UNSEEN) / n - drop**2, UNSEEN / n) / n)
    if maker.prices is not None:
        drops, errors = _priced(drops, errors, 1 - mean, maker.prices)
    if record.groups is not None:
        drops, errors = in_groups.worst(lost.sum(axis=0) / n, drops, errors)
    return Expectation(
        family=family.name,
        n=n,
        thresholds=maker.rules(record),
        drops=drops,
        savings=1 - mean,
        drop_errors=errors,
        saving_errors=np.sqrt(np.maximum(squares.sum(axis=0) / n - mean**2, 0) / n),
        block_drops=lost / of_each,
        block_savings=1 - spent / of_each,
    )


def _priced(drops: Floats, errors: Floats, savings: Floats, prices: Floats) -> tuple[Floats, Floats]:
    """(G,) drops and their errors, of what was counted and of what is paid for savings."""
    paid = np.append(0.0, np.cumsum(np.diff(savings) * (prices[1:] + prices[:-1]) / 2))
    paid = np.maximum.accumulate(paid)
    start = float(np.average(drops - paid, weights=1 / errors**2))
    error = float(errors.min()) ** 2
    # The likelier it is that there is a gain, the more of it is believed.
    likely = max(GAIN**2, start**2 - error)
    start *= likely / (likely + error)
    counted = PRICED**2 / (PRICED**2 + errors**2)
    both = counted * drops + (1 - counted) * (paid + start)
    return np.maximum.accumulate(both), errors * np.sqrt(counted)


class _InGroups:
    """What rules lost in each group of the samples, as far as the record is divided."""

    def __init__(self, record: Record) -> None:
        self.groups = record.groups
        self.sizes = np.zeros(0) if self.groups is None else np.bincount(self.groups.of).astype(np.float64)
        self.lost: Any = 0
        self.changed: Any = 0

    def add(self, part: Record, thresholds: NDArray[np.float32]) -> None:
        """Count what rules do to samples that they were made without."""
        if self.groups is None or part.groups is None:
            return
        counts = np.zeros((2, len(self.sizes), len(thresholds)))
        for group in part.groups.occurring.tolist():
            members = part.take(part.groups.members(group))
            result = evaluate_path(members, rule_path(members, range(len(thresholds)), thresholds))
            counts[:, group] = result.harmed - result.helped, result.harmed + result.helped
        self.lost, self.changed = self.lost + counts[0], self.changed + counts[1]

    def worst(self, counted: Floats, drops: Floats, errors: Floats) -> tuple[Floats, Floats]:
        """(G,) expected drops in the worst group, never falling, and their errors.

        A group's drop is that of all samples and a deviation from it, of which the more is believed the more groups are
        seen to differ, and the surer this group's is: small groups lean on all (DerSimonian & Laird, "Meta-analysis in
        clinical trials", 1986).  Thus shrunk, the largest is not merely the luckless one.

        Args:
            counted: (G,) of all samples, as counted.
            drops, errors: (G,) of all samples, as expected.
        """
        having = self.sizes > 0
        sizes, lost, changed = self.sizes[having, None], self.lost[having], self.changed[having]
        own = lost / sizes
        variance = np.maximum((changed + UNSEEN) / sizes - own**2, UNSEEN / sizes) / sizes
        weights = 1 / variance
        total, middle = weights.sum(axis=0), (weights * own).sum(axis=0) / weights.sum(axis=0)
        excess = (weights * (own - middle) ** 2).sum(axis=0) - (len(own) - 1)
        scale = np.maximum(total - (weights**2).sum(axis=0) / total, 1e-300)
        differ = np.maximum.accumulate(np.maximum(excess / scale, 0))
        believed = differ / (differ + variance)
        expected = drops + believed * (own - counted)
        worst, place = expected.argmax(axis=0), np.arange(len(drops))
        error = np.sqrt(errors**2 + (believed * variance)[worst, place])
        return np.maximum.accumulate(expected[worst, place]), error


def folds(record: Record) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Numbers of the samples in each part, and of those in the others, rising."""
    order = record.shuffled(SEED)
    parts = [np.sort(part) for part in np.array_split(order, FOLDS)]
    everyone = np.arange(record.n)
    return [(part, np.setdiff1d(everyone, part, assume_unique=True)) for part in parts]


def rising(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(L,) the never falling sequence nearest to `values` by least squares: isotonic regression.

    Entry i is the largest, over all beginnings up to i, of the least mean over all ends from i on (the minimax formula
    of Barlow et al., 1972); sums of whole numbers are exact, so that equal values stay equal.  SciPy has it too, but
    takes a third of a second to import, and whoever opens the page would wait for that.
    """
    sums, place = np.append(0, np.cumsum(values)), np.arange(len(values))
    lengths = place - place[:, None] + 1
    means = np.where(lengths > 0, (sums[1:] - sums[:-1, None]) / np.maximum(lengths, 1), np.inf)
    least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
    return np.maximum.accumulate(np.where(lengths > 0, least, -np.inf), axis=0).diagonal()
