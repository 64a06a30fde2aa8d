"""Whether samples look like others, as far as a cascade can see without labels: exits and confidences, compared.

Two differences are measured: the share of samples that leave at another stage (total variation of exit shares), and at
each stage the largest difference between the shares of samples that are at most so sure (Kolmogorov & Smirnov).  Their
levels are exact, whatever the distribution: which sample belongs to which side is drawn anew at random, and p is the
share of draws, the real one among them, that differ as much (Phipson & Smyth, 2010, arXiv 1603.05766).  Where both
sides are the same samples one by one, such as a corrupted copy, sides are drawn within each pair.  The smallest p,
times the number of differences looked at (Bonferroni), answers for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.bounds import ALPHA
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record

DRAWS = 999
"""Random assignments to sides; p is at least 1 / (DRAWS + 1)."""

MOST = 10_000
"""Samples of a side that are compared, the first in a random order; with more, anything differs."""

SEED = 0

AT_ONCE = 1 << 21
"""Entries of sides that are added up at once."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How far two sides differ in one respect.

    Attributes:
        size: From 0 to 1, see the file's head.
        p: Probability of as large a one if sides were drawn by chance.
        rise: Of confidences: the second side's mean rank less the first's, in [-1/2, 1/2]; below 0: less sure.
    """

    size: float
    p: float
    rise: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """Whether a second side of samples looks like the first.

    Attributes:
        exits: Of the stages at which samples leave.
        confidence: Of how sure each stage is of all samples, by the stage's name; empty where only exits are known.
    """

    exits: Difference
    confidence: dict[str, Difference]

    @property
    def p(self) -> float:
        """Of all differences at once."""
        all_p = [self.exits.p, *(one.p for one in self.confidence.values())]
        return min(1.0, len(all_p) * min(all_p))

    @property
    def alike(self) -> bool:
        """Whether no difference is seen at the level of `ALPHA`."""
        return self.p > ALPHA

    def describe(self) -> dict[str, object]:
        """As JSON data."""
        told = {name: {"difference": one.size, "p": one.p} for name, one in self.confidence.items()}
        exits = {"difference": self.exits.size, "p": self.exits.p}
        return {"alike": self.alike, "level": ALPHA, "p": self.p, "exits": exits, "confidence": told}


def likeness(first: Record, second: Record, rule: ExitRule, *, same: bool = False) -> Likeness:
    """Compare how samples fare under a rule, and how sure stages are of them.

    Args:
        same: Whether sample i of one is sample i of the other.

    Raises:
        ValueError: The rule is for other stages or another score.
    """
    one = first.take(first.shuffled(SEED)[:MOST])
    # The same samples in the same order where they are pairs.
    two = second.take((first if same else second).shuffled(SEED)[:MOST])
    sides = _sides(one.n, two.n, paired=same)
    exits = np.concatenate([rule.exit_stages(one), rule.exit_stages(two)])
    confidence = np.concatenate([one.confidence, two.confidence], axis=1)
    return Likeness(
        exits=_exits(exits, sides),
        confidence={
            name: _confidences(values, sides) for name, values in zip(one.stage_names, confidence, strict=True)
        },
    )


def likeness_of_counts(first: NDArray[np.int64], second: NDArray[np.int64]) -> Likeness:
    """The same where all that is known are counts (M,) of the samples that leave at each stage."""
    stages = np.arange(len(first))
    exits = np.concatenate([np.repeat(stages, first), np.repeat(stages, second)])
    sides = _sides(int(first.sum()), int(second.sum()), paired=False)
    return Likeness(exits=_exits(exits, sides), confidence={})


def _sides(first: int, second: int, *, paired: bool) -> NDArray[np.bool_]:
    """(DRAWS + 1, first + second) bool, whether a sample is of the second side; the real sides first."""
    generator = np.random.default_rng(SEED)
    real = np.repeat([False, True], [first, second])
    if paired:
        swapped = generator.random((DRAWS, first)) < 0.5
        return np.vstack([real, np.hstack([swapped, ~swapped])])
    return np.vstack([real, *(generator.permutation(real)[None] for _ in range(DRAWS))])


def _exits(exits: NDArray[np.int64], sides: NDArray[np.bool_]) -> Difference:
    second = sides[0].sum()
    all_counts = np.bincount(exits)
    members = np.arange(len(all_counts)) == exits[:, None]
    counts = np.vstack([part @ members.astype(np.float32) for part in _parts(sides)])
    shares = counts / second - (all_counts - counts) / (len(exits) - second)
    sizes = np.abs(shares).sum(axis=1) / 2
    return Difference(size=float(sizes[0]), p=_p(sizes))


def _confidences(values: NDArray[np.float32], sides: NDArray[np.bool_]) -> Difference:
    order = np.argsort(values, kind="stable")
    # Equal confidences are one step.
    ends = np.append(np.flatnonzero(np.diff(values[order])), len(values) - 1)
    second = int(sides[0].sum())
    first = len(values) - second
    below = np.arange(1, len(values) + 1)[ends]
    steps = (np.cumsum(part[:, order], axis=1)[:, ends] for part in _parts(sides))
    sizes = np.hstack([np.abs(seen / second - (below - seen) / first).max(axis=1) for seen in steps])
    starts = np.append(0, below[:-1])
    ranks = np.repeat((starts + below) / 2, below - starts)[np.argsort(order)] / len(values)
    rise = float(ranks[sides[0]].mean() - ranks[~sides[0]].mean())
    return Difference(size=float(sizes[0]), p=_p(sizes), rise=rise)


def _parts(sides: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
    """Sides, some at a time; sums of so few ones are exact."""
    return [part.astype(np.float32) for part in np.array_split(sides, 1 + sides.size // AT_ONCE)]


def _p(sizes: NDArray[np.float64]) -> float:
    """Share of all draws that differ as much as the real one; sums that are equal may round apart."""
    return float((sizes >= sizes[0] - 1e-12).mean())
