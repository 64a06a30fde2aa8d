"""What rules do to samples that had no part in choosing them, averaged over divisions of a run, and how sure that is.

A run is divided several times; each time rules are chosen on one half and judged on the other.  The standard error has
two parts, added as squares.  One is of the samples that judge: what a sample lost and saved is averaged over the
divisions that judged it, samples are put in 20 blocks at random, and the means of the blocks differ.  The other is of
the samples that choose: the means of the divisions differ.  As halves judge too, what they have in common is counted
twice, so that the error is rather too large than too small.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.base import rule_path
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.paths import RulePath, evaluate_path
from cascade_core.simulation.record import Record
from cascade_core.simulation.stages import exit_costs

BLOCKS = 20

Floats = NDArray[np.float64]


class Average(NamedTuple):
    """A mean and its standard error."""

    mean: float
    error: float


class Outcome(NamedTuple):
    """What became of N samples.

    Attributes:
        lost: (N,) 1 where the plain network alone is right, -1 where it alone is wrong, else 0.
        saved: (N,) share of the plain network's MACs.
    """

    lost: Floats
    saved: Floats


def outcome(record: Record, rule: ExitRule) -> Outcome:
    """What becomes of each sample of `record` under a rule."""
    exits = rule.exit_stages(record)
    right = rule.answered(record).correct[exits, np.arange(record.n)]
    costs = exit_costs(record.stages, rule.active, record.baseline_macs) / record.baseline_macs
    return Outcome(lost=record.baseline_correct.astype(np.float64) - right, saved=1 - costs[exits])


def averaged(judged: Iterable[tuple[NDArray[np.int64], Floats]], n: int) -> Average:
    """The mean of values over divisions.

    Args:
        judged: Of each division, the numbers of the samples that were judged and a value for each.
        n: Number of samples of the run; at least `BLOCKS` were judged.
    """
    sums, times, divisions = np.zeros(n), np.zeros(n), []
    for samples, values in judged:
        sums[samples] += values
        times[samples] += 1
        divisions.append(values.mean())
    blocks = np.array_split(np.random.default_rng(0).permutation(np.flatnonzero(times)), BLOCKS)
    means = [sums[block].sum() / times[block].sum() for block in blocks]
    error = math.hypot(_error_of_mean(means), _error_of_mean(divisions))
    return Average(mean=float(sums.sum() / times.sum()), error=error)


def _error_of_mean(values: Sequence[float]) -> float:
    """The standard error of the mean of independent values; of a single one it is not known, and taken as 0."""
    return float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0


class Division(NamedTuple):
    """Rules that a path has, and the samples that judge them.

    Attributes:
        samples: (n,) numbers of the samples of `record` in the run.
        path: Of as many rules in each division, the plain network first.
    """

    samples: NDArray[np.int64]
    record: Record
    path: RulePath


def plain_first(record: Record, thresholds: NDArray[np.float32]) -> RulePath:
    """The plain network, then rules for a record, of thresholds (G, M-1) or (G, M-1, K)."""
    all_rules = np.concatenate([np.full_like(thresholds[:1], np.inf), thresholds])
    places = np.arange(len(all_rules))
    return rule_path(record, places, all_rules, places == 0)


class Place(NamedTuple):
    """Where a curve has a drop: a share of the way from one position to the next, and how steep it is there."""

    position: int
    share: float
    slope: float


def place_of(drop: float, drops: Floats, savings: Floats) -> Place:
    """The best place of a curve at a drop: a position that loses no more, or on the line from one to the next.

    Args:
        drops, savings: (G,), the first position being the plain network's, where both are 0.
    """
    within = np.flatnonzero(drops <= drop)
    best = within[savings[within].argmax()]
    place, most = Place(int(best), 0.0, 0.0), savings[best]
    for before in np.flatnonzero((drops[:-1] <= drop) & (drops[1:] > drop)):
        slope = (savings[before + 1] - savings[before]) / (drops[before + 1] - drops[before])
        reached = savings[before] + slope * (drop - drops[before])
        if reached > most:
            share = (drop - drops[before]) / (drops[before + 1] - drops[before])
            place, most = Place(int(before), float(share), float(slope)), reached
    return place


def saved_at(drop: float, divisions: Sequence[Division]) -> list[tuple[NDArray[np.int64], Floats]]:
    """What each judged sample saves at a realised drop, a division each; their mean is what the mean curve saves there.

    Where a division lost more than the drop, what that bought is taken off at the slope of the mean curve.
    """
    curves = [evaluate_path(division.record, division.path) for division in divisions]
    drops = np.mean([curve.accuracy_drop for curve in curves], axis=0)
    savings = np.mean([curve.saving for curve in curves], axis=0)
    place = place_of(drop, drops, savings)
    parts = ((place.position, 1 - place.share), (place.position + 1, place.share))
    result = []
    for samples, record, path in divisions:
        value = np.zeros(record.n)
        for position, weight in parts:
            if weight:
                lost, saved = outcome(record, path.rule(position))
                value += weight * (saved - place.slope * (lost - drop))
        result.append((samples, value))
    return result
