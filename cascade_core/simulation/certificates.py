"""Certificates: upper bounds on the accuracy drop that hold with a stated confidence, at one rule or at all of a path.

A 95 % interval around a drop is approximate, and holds for one rule that was fixed before looking.  Whoever drags a
slider looks at hundreds of rules and stops where they like what they see; for that a bound must hold at every position
at once.  `certify_path` shares alpha out over the path's distinct rules (Bonferroni) and bounds each by betting
(`bounds.betting_bound`), on samples that had no part in choosing the thresholds.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.bounds import betting_bound, betting_mean_bound
from cascade_core.simulation.counting import discordant_blocks, exit_blocks
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.paths import RulePath
from cascade_core.simulation.record import Record

Among = Literal["all", "stage", "depth"]
AMONG: tuple[Among, ...] = get_args(Among)
"""Of whom a drop is bounded, see `drop_bounds_of_parts`."""

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
    chosen, block = in_blocks(record)
    sizes = np.bincount(block)
    harmed, helped = discordant_blocks(chosen, path.columns, sizes)
    bounds = betting_bound(harmed, helped, sizes, alpha)
    return np.where(path.plain, 0.0, bounds)


def drop_bound(record: Record, rule: ExitRule, alpha: float) -> float:
    """An upper bound on the accuracy drop of one rule, as `drop_bounds` has it of many."""
    path = RulePath(
        positions=np.zeros(1),
        thresholds=rule.thresholds[None],
        score=record.score,
        top_k=record.top_k,
        stage_names=record.stage_names,
        pool=record.pool,
        plain=np.array([rule.plain]),
    )
    return float(drop_bounds(record, path, alpha)[0])


def least_certifiable(samples: int, alpha: float) -> float:
    """About the least drop that so many samples can show with probability 1 - alpha, none of them harmed; a fraction.

    A gambler who stakes all grows by 1 + drop / 2 with each of them.
    """
    return min(1.0, 2 * math.expm1(math.log(1 / alpha) / samples)) if samples else 1.0


def drop_bounds_of_parts(record: Record, path: RulePath, alpha: float, among: Among = "all") -> NDArray[np.float64]:
    """For each rule of a path the largest of the bounds on its drops in parts of the samples.

    Parts are the record's groups that have samples, if it is divided, and in each of them, as `among` says,
        all: all samples, E(l);
        stage: those that leave at one stage, E(l | T = k) for each stage k but the last;
        depth: those that have left by a stage, E(l | T <= k) for each stage k,
    with l the signed gap of a sample (1 harmed, -1 helped, else 0) and T the stage it leaves at.  Given which samples
    are of a part, their gaps are independent and drawn alike, so that each bound holds with probability 1 - alpha, for
    itself.  A rule with a larger drop than its bound in ANY part is bounded wrongly in that very part, which has
    probability alpha: "all parts are within a limit" needs no share of alpha for each (an intersection-union test).

    Returns:
        (G,) fractions; 1 where samples may leave at a stage and none here do, 0 where the plain network is run.
    """
    groups = record.groups
    parts = [record] if groups is None else (record.take(groups.members(group)) for group in groups.occurring.tolist())
    return np.where(path.plain, 0.0, np.max([_among(part, path, alpha, among) for part in parts], axis=0))


def _among(record: Record, path: RulePath, alpha: float, among: Among) -> NDArray[np.float64]:
    if among == "all":
        return drop_bounds(record, path, alpha)
    bounds = stage_bounds(record, path, alpha, among)
    # Where nobody ever leaves at a stage there is nothing to promise.
    never = np.isinf(path.columns).all(axis=2)
    if among == "depth":
        never = np.logical_and.accumulate(never, axis=1)
    early = np.where(never, -1.0, bounds[:, :-1])
    return early.max(axis=1, initial=-1.0) if among == "stage" else np.maximum(early.max(axis=1), bounds[:, -1])


def stage_bounds(record: Record, path: RulePath, alpha: float, among: Among) -> NDArray[np.float64]:
    """(G, M) for each rule and stage, an upper bound on the drop among samples that leave there, or by then.

    Each holds with probability 1 - alpha, for itself; it is 1 of no samples.

    Args:
        among: "stage" or "depth", as for `drop_bounds_of_parts`.
    """
    chosen, block = in_blocks(record)
    left, harmed, helped = exit_blocks(chosen, path.columns, np.bincount(block))
    if among == "depth":
        left, harmed, helped = (counts.cumsum(axis=1) for counts in (left, harmed, helped))
    return betting_bound(harmed, helped, left, alpha)


def saving_bound(record: Record, rule: ExitRule, costs: NDArray[np.float64], alpha: float) -> float:
    """A lower bound on what a rule saves on all samples there could be, which holds with probability 1 - alpha.

    Args:
        record: Samples that the thresholds never saw.
        costs: (M,) of a sample that leaves at each stage, as shares of what the plain network costs.

    Returns:
        A fraction; negative where the rule may cost more than the plain network.
    """
    least, most = float(costs.min()), float(costs.max())
    if least == most:
        return 1 - most
    chosen, block = in_blocks(record)
    m = len(costs)
    counts = np.bincount(rule.exit_stages(chosen) * (block[-1] + 1) + block, minlength=m * (block[-1] + 1))
    scaled = (costs - least) / (most - least)
    mean = float(betting_mean_bound(scaled.tolist(), list(counts.reshape(m, -1)), alpha))
    return 1 - (least + mean * (most - least))


def in_blocks(record: Record) -> tuple[Record, NDArray[np.int64]]:
    """Samples in random order, `SAMPLES` at the most, and the block that each is bet on in, from 0 on."""
    count = min(record.n, SAMPLES)
    return record.drawn(count, SEED), np.arange(count) * min(BLOCKS, count) // count


def certify_path(record: Record, path: RulePath, alpha: float) -> NDArray[np.float64]:
    """For each rule of a path, an upper bound on its accuracy drop; with probability 1 - alpha all hold at once.

    Args:
        record: Samples that the thresholds never saw.

    Returns:
        (G,) fractions.
    """
    few, which = _distinct(path)
    return drop_bounds(record, few, alpha / max(1, rules_of(path)))[which]


def rules_of(path: RulePath) -> int:
    """Different rules of a path, each of which takes a share of alpha; the plain network takes none."""
    return int((~_distinct(path)[0].plain).sum())


def _distinct(path: RulePath) -> tuple[RulePath, NDArray[np.int64]]:
    """The different rules of a path, and (G,) which of them each is."""
    rows = np.column_stack([path.plain, path.thresholds.reshape(len(path), math.prod(path.thresholds.shape[1:]))])
    _, first, which = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return path.take(first), which.ravel()
