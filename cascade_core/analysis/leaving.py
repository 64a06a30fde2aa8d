"""What is lost among the samples that leave at each stage, and among all that have left by it, with bounds.

A small drop of the whole may hide a large one among the few that leave first.  With T the stage at which a sample
leaves and l its signed gap to the plain network (1 harmed, -1 helped, else 0), each stage k has
    the error of those that leave there, P(wrong | T = k): selective risk (arXiv 2602.03043);
    the drop among them, E(l | T = k): that error less the plain network's on the same samples;
    the accumulated gap, E(l | T <= k) (Ringel et al., arXiv 2402.00857): at the last stage the drop of all.
Given which samples leave where, these are means of independent samples drawn alike, and are bounded by betting.  Bounds
hold with probability 1 - alpha at all stages at once: alpha is shared out over the 3 M numbers (Bonferroni).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.bounds import ALPHA, betting_bound, betting_mean_bound, paired_interval
from cascade_core.simulation.certificates import in_blocks
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Lost:
    """A drop for each stage; NaN of no samples.

    Attributes:
        drop: (M,) fractions.
        low, high: (M,) ends of its interval, each by itself.
        bound: (M,) from above, all at once; 1 of no samples, None where nothing is certified.
    """

    drop: Floats
    low: Floats
    high: Floats
    bound: Floats | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Leaving:
    """What a rule does to the samples that leave at each stage.

    Attributes:
        samples: (M,) that leave there.
        error: (M,) share of them answered wrongly; NaN of none.
        error_bound: (M,) from above, all at once; 1 of no samples, None where nothing is certified.
        here: The drop among those that leave there.
        by_here: The drop among all that have left by then.
    """

    samples: NDArray[np.int64]
    error: Floats
    error_bound: Floats | None
    here: Lost
    by_here: Lost


def leaving(record: Record, rule: ExitRule, alpha: float | None = ALPHA) -> Leaving:
    """Count what `rule` does to the samples that leave at each stage, and bound it.

    Args:
        alpha: Probability that some bound is wrong; None where the samples had a part in choosing the rule.

    Raises:
        ValueError: The rule is for other stages or another score.
    """
    m = len(record.stages)
    each = None if alpha is None else alpha / (3 * m)
    exits, answered = rule.exit_stages(record), rule.answered(record)
    right, plain = answered.correct[exits, np.arange(record.entries)], record.baseline_correct
    left, wrong, harmed, helped = (
        record.tally(exits, m, members) for members in (np.ones_like(right), ~right, plain & ~right, ~plain & right)
    )
    chosen, block = in_blocks(record)
    blocks = _Blocks.of(chosen, rule, block)
    with np.errstate(invalid="ignore"):
        error = wrong / left
    return Leaving(
        samples=left,
        error=error,
        error_bound=None if each is None else blocks.error_bound(each),
        here=_lost(left, harmed, helped, blocks, each),
        by_here=_lost(left.cumsum(), harmed.cumsum(), helped.cumsum(), blocks.accumulated(), each),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Blocks:
    """(M, B) counts in blocks of samples in random order."""

    left: NDArray[np.int64]
    wrong: NDArray[np.int64]
    harmed: NDArray[np.int64]
    helped: NDArray[np.int64]

    @classmethod
    def of(cls, record: Record, rule: ExitRule, block: NDArray[np.int64]) -> _Blocks:
        """Of single samples, each in its block."""
        exits, m, size = rule.exit_stages(record), len(record.stages), int(block[-1]) + 1
        right, plain = rule.answered(record).correct[exits, np.arange(record.entries)], record.baseline_correct

        def counted(members: NDArray[np.bool_]) -> NDArray[np.int64]:
            places = (exits * size + block)[members]
            return np.bincount(places, minlength=m * size).reshape(m, size)

        return cls(
            left=counted(np.ones_like(right)),
            wrong=counted(~right),
            harmed=counted(plain & ~right),
            helped=counted(~plain & right),
        )

    def error_bound(self, alpha: float) -> Floats:
        """(M,) upper bounds on the share of wrong answers of those that leave at each stage."""
        return betting_mean_bound((1.0, 0.0), (self.wrong, self.left - self.wrong), alpha)

    def accumulated(self) -> _Blocks:
        """Of those that have left by each stage."""
        return _Blocks(**{name: getattr(self, name).cumsum(axis=0) for name in ("left", "wrong", "harmed", "helped")})


def _lost(
    left: NDArray[np.int64],
    harmed: NDArray[np.int64],
    helped: NDArray[np.int64],
    blocks: _Blocks,
    alpha: float | None,
) -> Lost:
    with np.errstate(invalid="ignore"):
        drop = (harmed - helped) / left
    low, high = (np.where(left > 0, end, np.nan) for end in paired_interval(harmed, helped, left))
    bound = None if alpha is None else betting_bound(blocks.harmed, blocks.helped, blocks.left, alpha)
    return Lost(drop=drop, low=low, high=high, bound=bound)
