"""Certificates: upper bounds on the accuracy drop that hold with a stated confidence, at one rule or at all of a path.

A 95 % interval around a drop is approximate, and holds for one rule that was fixed before looking.  Whoever drags a
slider looks at hundreds of rules and stops where they like what they see; for that a bound must hold at every position
at once.  `certify_path` shares alpha out over the path's distinct rules (Bonferroni) and bounds each by betting
(`bounds.betting_bound`), on samples that had no part in choosing the thresholds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.bounds import betting_bound
from cascade_core.simulation.counting import discordant_blocks
from cascade_core.simulation.paths import RulePath
from cascade_core.simulation.record import Record

SEED = 0
"""Of the order in which samples are bet on."""

SAMPLES = 1 << 16
"""Most samples that are bet on, the first in the random order: with more, bounds hardly get tighter."""

BLOCKS = 512


def drop_bounds(record: Record, path: RulePath, alpha: float) -> NDArray[np.float64]:
    """For each rule of a path, an upper bound on its accuracy drop that holds with probability 1 - alpha, for itself.

    Args:
        record: Samples that the thresholds never saw.

    Returns:
        (G,) fractions; 0 for a rule by which nothing leaves early, whose drop is 0.
    """
    count = min(record.n, SAMPLES)
    chosen = record.take(record.shuffled(SEED)[:count])
    sizes = np.bincount(np.arange(count) * min(BLOCKS, count) // count)
    harmed, helped = discordant_blocks(chosen, path.columns, sizes)
    bounds = betting_bound(harmed, helped, sizes, alpha)
    return np.where(path.active[:, :-1].any(axis=1), bounds, 0.0)


def certify_path(record: Record, path: RulePath, alpha: float) -> NDArray[np.float64]:
    """For each rule of a path, an upper bound on its accuracy drop; with probability 1 - alpha all hold at once.

    Args:
        record: Samples that the thresholds never saw.

    Returns:
        (G,) fractions.
    """
    distinct, which = np.unique(path.thresholds, axis=0, return_inverse=True)
    few = replace(path, positions=np.arange(len(distinct), dtype=np.float64), thresholds=distinct)
    # A rule by which nothing leaves early needs no share of alpha.
    shares = max(1, int(few.active[:, :-1].any(axis=1).sum()))
    return drop_bounds(record, few, alpha / shares)[which.ravel()]
