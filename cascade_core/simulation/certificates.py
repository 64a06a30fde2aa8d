"""Certificates: upper bounds on the accuracy drop that hold with a stated confidence, at one rule or at all of a path.

A 95 % interval around a drop is approximate, and holds for one rule that was fixed before looking.  Whoever drags a
slider looks at hundreds of rules and stops where they like what they see; for that a bound must hold at every position
at once.  `certify_path` shares alpha out over the path's distinct rules (Bonferroni) and bounds each by betting
(`bounds.betting_bound`), on samples that had no part in choosing the thresholds.
"""

from __future__ import annotations

import math

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
        (G,) fractions; 0 where the plain network is run, whose drop is 0.
    """
    count = min(record.n, SAMPLES)
    chosen = record.take(record.shuffled(SEED)[:count])
    sizes = np.bincount(np.arange(count) * min(BLOCKS, count) // count)
    harmed, helped = discordant_blocks(chosen, path.columns, sizes)
    bounds = betting_bound(harmed, helped, sizes, alpha)
    return np.where(path.plain, 0.0, bounds)


def certify_path(record: Record, path: RulePath, alpha: float) -> NDArray[np.float64]:
    """For each rule of a path, an upper bound on its accuracy drop; with probability 1 - alpha all hold at once.

    Args:
        record: Samples that the thresholds never saw.

    Returns:
        (G,) fractions.
    """
    rows = np.column_stack([path.plain, path.thresholds.reshape(len(path), math.prod(path.thresholds.shape[1:]))])
    _, first, which = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    few = path.take(first)
    # Where the plain network is run no share of alpha is needed.
    shares = max(1, int((~few.plain).sum()))
    return drop_bounds(record, few, alpha / shares)[which.ravel()]
