"""What a curve of rules can be held against: the best and the worst that exits could do, and what each stage is worth.

None of these is a rule that could be run: an oracle knows the labels.  All are counted on a record, as rules are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.evaluation import Evaluation, count
from cascade_core.simulation.record import Record
from cascade_core.support import checks

HOPELESS = ("last", "first")
"""Where an oracle lets a sample leave that no stage answers correctly."""


def oracle(record: Record, hopeless: str = "last") -> Evaluation:
    """The most accurate that exits could be: every sample leaves at the earliest stage that is right, all heads run.

    Args:
        hopeless: Where samples leave that no stage answers correctly: at the "last" stage, since nothing tells that
            going on is of no use, or at the "first", which is the cheapest there is at that accuracy.
    """
    checks.one_of("hopeless", hopeless, HOPELESS)
    last = len(record.stages) - 1
    fallback = last if hopeless == "last" else 0
    exits = np.where(record.correct.any(axis=0), record.correct.argmax(axis=0), fallback)
    return count(record, exits, np.ones(last + 1, dtype=bool))


def single_stage(record: Record, stage: int) -> Evaluation:
    """Every sample leaves at `stage`, and only heads run that its answer is made of: a smaller plain network."""
    active = np.arange(len(record.stages)) == stage
    if record.pool is not None:
        active[: stage + 1] |= np.array(record.pool.weights[stage]) != 0
    return count(record, np.full(record.entries, stage), active)


def random_exit_accuracy(record: Record, exit_shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expected accuracy if samples left in the same shares, but drawn by lot: what confidence is better than.

    Args:
        exit_shares: (..., M), sums to 1.

    Returns:
        (...) fractions.
    """
    expected: NDArray[np.float64] = exit_shares @ record.stage_accuracy
    return expected


@dataclass(frozen=True, kw_only=True)
class Overthinking:
    """What becomes of samples on their way; shares of all samples, in [0, 1].

    After Kaya, Hong & Dumitras, "Shallow-Deep Networks: Understanding and Mitigating Network Overthinking" (ICML 2019).

    Attributes:
        wasteful: Answered rightly by the plain network, and at an early stage already.
        destructive: Answered wrongly by the plain network though an early stage was right.
        needed: Answered rightly by the plain network and at no early stage.
        hopeless: Answered rightly by neither.
    """

    wasteful: float
    destructive: float
    needed: float
    hopeless: float


def overthinking(record: Record) -> Overthinking:
    """How many samples are right early and wrong by the plain network, and the reverse."""
    early, plain = record.correct[:-1].any(axis=0), record.baseline_correct
    return Overthinking(
        wasteful=record.count(early & plain) / record.n,
        destructive=record.count(early & ~plain) / record.n,
        needed=record.count(~early & plain) / record.n,
        hopeless=record.count(~early & ~plain) / record.n,
    )


def dominated(record: Record) -> NDArray[np.bool_]:
    """(M,) stages that are superfluous: an earlier one is as accurate on the samples that would get there.

    Stage k is weighed on the samples that get past stage j < k however its threshold lies, which is to say on every
    set of the surest removed: if on all of these j itself is at least as accurate as k, nothing is gained by going on
    to k.  The last stage is never dominated, as it always answers.
    """
    m = len(record.stages)
    result = np.zeros(m, dtype=bool)
    of_each = np.ones(record.entries, dtype=np.int64) if record.weights is None else record.weights
    for j in range(m - 1):
        order = np.argsort(record.confidence[j], kind="stable")  # the least sure first: those that go on
        for k in range(j + 1, m - 1):
            gain = np.cumsum((record.correct[k, order].astype(np.int64) - record.correct[j, order]) * of_each[order])
            confidence = record.confidence[j, order]
            dividing = np.append(confidence[1:] > confidence[:-1], True)
            result[k] |= bool((gain[dividing] <= 0).all())
    return result
