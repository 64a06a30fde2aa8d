"""Joint thresholds for any number of stages, by coordinate search with exact one-dimensional steps.

With the other thresholds fixed, the best threshold of one stage follows from one pass over its samples in order of
confidence: a running sum of what each sample gains by leaving there.  The steps maximise correct - lambda * MACs and
are cycled over the stages until nothing changes; lambda is swept up and down, each solution being the next one's start,
and simpler policies' rules are further starts.  What that finds are points of a hull; between them, each rule found is
varied in one stage at a time, again exactly, and for every limit the cheapest of all is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.record import Record

EXCHANGE_RATES = np.geomspace(1e-3, 4.0, 32)
"""What the plain network's whole cost is worth, in correct answers: the lambdas that are swept."""

MAX_CYCLES = 12

CLIMBED = 10_000
"""Most samples that the sweep over lambda looks at, drawn from all: it only proposes rules, which all samples judge."""

Thresholds = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Stages:
    """A record, and for each stage but the last its samples by falling confidence.

    Attributes:
        order: (M-1, N) sample numbers, surest first.
    """

    record: Record
    order: NDArray[np.int64]

    @classmethod
    def of(cls, record: Record) -> _Stages:
        """Of a record."""
        return cls(record=record, order=np.argsort(-record.confidence[:-1], axis=1, kind="stable"))

    @property
    def trunk(self) -> list[int]:
        """MACs of each trunk piece."""
        return [stage.trunk_macs for stage in self.record.stages]

    @property
    def head(self) -> list[int]:
        """MACs of each head."""
        return [stage.head_macs for stage in self.record.stages]


def search(record: Record, limits: NDArray[np.float64], starts: Iterable[Thresholds]) -> tuple[Thresholds, float]:
    """The cheapest rule found within each limit.

    Args:
        limits: (G,) accuracy drops on `record`, fractions.
        starts: Rules (M-1,) to start from and to be no worse than.

    Returns:
        (G, M-1) thresholds, `inf` where a head is switched off, and the least drop that was found; rows
        whose limit is below that hold a rule that has it.
    """
    stages = _Stages.of(record)
    never = np.full(len(record.stages) - 1, np.inf, dtype=np.float32)
    rules = {rule.tobytes(): rule for rule in (never, *starts, *_swept(stages, never))}
    best_merit, best = np.full(len(limits), np.inf), np.tile(never, (len(limits), 1))
    # Where nothing leaves early the plain network is run, which may cost less than all stages do.
    plain = record.n * record.baseline_macs
    least, nearest = 0.0, never
    for rule in rules.values():
        for k in range(len(rule)):
            varied = _vary(stages, rule, k)
            column, merit = _cheapest(*varied, limits)
            better = merit < best_merit
            best_merit[better] = merit[better]
            best[better] = rule
            best[better, k] = column[better]
            lowest = int(varied[1].argmin())
            if varied[1][lowest] < least:
                least, nearest = float(varied[1][lowest]), rule.copy()
                nearest[k] = varied[0][lowest]
    best[(limits >= 0) & (best_merit > plain)] = never
    best[limits < least] = nearest
    return best, least


def _swept(stages: _Stages, start: Thresholds) -> Iterator[Thresholds]:
    """What climbing ends at for each lambda, up and down, each from where the one before ended."""
    record = stages.record
    if record.n > CLIMBED:
        stages = _Stages.of(record.take(np.sort(record.shuffled(0)[:CLIMBED])))
    for rates in (EXCHANGE_RATES, EXCHANGE_RATES[::-1]):
        rule = start
        for rate in rates:
            rule = _climb(stages, rule, rate / record.baseline_macs)
            yield rule


def _climb(stages: _Stages, start: Thresholds, price: float) -> Thresholds:
    """From `start`, change one threshold after another while correct answers less price * MACs grow."""
    rule = start.copy()
    for _ in range(MAX_CYCLES):
        before = rule.copy()
        for k in range(len(rule) - 1, -1, -1):
            rule[k] = _best_threshold(stages, rule, k, price)
        if np.array_equal(rule, before):
            break
    return rule


def _best_threshold(stages: _Stages, rule: Thresholds, k: int, price: float) -> np.float32:
    """The exact best threshold of stage `k`, the others being as in `rule`."""
    record = stages.record
    members = _reaching(stages, rule, k)
    if not len(members):
        return np.float32(np.inf)
    right, macs = _after(stages, rule, k)
    gains = np.cumsum(record.correct[k, members] - (right[members] - price * macs[members]))
    confidence: Thresholds = record.confidence[k, members]
    dividing = _dividing(confidence)
    best = dividing[np.argmax(gains[dividing])]
    if gains[best] <= price * stages.head[k] * len(members):
        return np.float32(np.inf)
    return np.float32(confidence[best])


def _reaching(stages: _Stages, rule: Thresholds, k: int) -> NDArray[np.int64]:
    """Numbers of the samples that get past the stages before `k`, by falling confidence at `k`."""
    past = np.all(stages.record.confidence[:k] < rule[:k, None], axis=0)
    return stages.order[k][past[stages.order[k]]]


def _dividing(confidence: Thresholds) -> NDArray[np.int64]:
    """Places in falling confidences behind which a threshold can divide: not between equal ones."""
    return np.flatnonzero(np.append(confidence[1:] < confidence[:-1], True))


def _after(stages: _Stages, rule: Thresholds, k: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """(N,) what becomes of each sample that goes on behind stage `k`: whether it is right, and MACs from there."""
    record, last = stages.record, len(rule)
    right = record.correct[last]
    macs = np.full(record.n, stages.trunk[last] + stages.head[last], dtype=np.int64)
    for j in range(last - 1, k, -1):
        if np.isinf(rule[j]):
            macs += stages.trunk[j]
            continue
        leaves = record.confidence[j] >= rule[j]
        right = np.where(leaves, record.correct[j], right)
        macs = np.where(leaves, 0, macs) + (stages.trunk[j] + stages.head[j])
    return right, macs


def _vary(stages: _Stages, rule: Thresholds, k: int) -> tuple[Thresholds, NDArray[np.float64], NDArray[np.int64]]:
    """Every threshold of stage `k` with the others as in `rule`: the drop, and the MACs of all samples together.

    The first, `inf`, is nobody leaving and the head off; beyond it thresholds fall, and so do MACs.
    """
    record = stages.record
    members = _reaching(stages, rule, k)
    right, macs = _after(stages, rule, k)
    gone_right, gone_macs = _before(stages, rule, k)
    here = gone_macs + len(members) * stages.trunk[k]
    # Entry j: the first j of `members` leave.
    correct = np.cumsum(np.append(gone_right + right[members].sum(), record.correct[k, members] * 1 - right[members]))
    total = here + macs[members].sum() - np.append(0, np.cumsum(macs[members]))
    total[1:] += len(members) * stages.head[k]
    confidence = np.append(np.float32(np.inf), record.confidence[k, members])
    valid = _dividing(confidence)
    drops = (int(record.baseline_correct.sum()) - correct[valid]) / record.n
    return confidence[valid], drops, total[valid]


def _before(stages: _Stages, rule: Thresholds, k: int) -> tuple[int, int]:
    """Correct answers given before stage `k`, and MACs spent before it, over all samples."""
    record = stages.record
    present = np.ones(record.n, dtype=bool)
    right = macs = 0
    for j in range(k):
        count = int(present.sum())
        macs += count * stages.trunk[j]
        if np.isinf(rule[j]):
            continue
        macs += count * stages.head[j]
        leaves = present & (record.confidence[j] >= rule[j])
        right += int(record.correct[j, leaves].sum())
        present &= ~leaves
    return right, macs


def _cheapest(
    confidence: Thresholds, drops: NDArray[np.float64], macs: NDArray[np.int64], limits: NDArray[np.float64]
) -> tuple[Thresholds, NDArray[np.float64]]:
    """The cheapest entry of `_vary` within each drop, and its MACs; infinite where there is none."""
    # The least drop from an entry on never falls, so the last entry within a limit is found by search.
    least = np.minimum.accumulate(drops[::-1])[::-1]
    index = np.searchsorted(least, limits, side="right") - 1
    least_macs = np.where(index >= 0, macs[index], np.inf)
    # A head that is off may be cheaper than one that only few use.
    off = (drops[0] <= limits) & (macs[0] < least_macs)
    return np.where(off, np.float32(np.inf), confidence[index]), np.where(off, macs[0], least_macs)
