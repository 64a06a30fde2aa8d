"""Backward induction: from the last early stage to the first, leave where that is worth more than going on.

With a price on computation, a sample should leave a stage if being right there, less what was spent, is expected to be
worth more than what comes of it further on.  What is expected is read from smooth regressions on x = -log(1 -
confidence), so that M - 1 thresholds take a handful of numbers from the samples instead of M - 1 free choices:
    helped(x)  = P(right here, wrong further on),  logistic in x
    harmed(x)  = P(wrong here, right further on),  logistic in x
    onward(x)  = E(cost further on),               a cubic in x
and the threshold is the confidence from which helped - harmed + price * (onward - cost here) sums to most.  Swept over
prices this is a family of one parameter, whose choice on the calibration samples is hardly optimistic.  A head that
costs more than it is worth at a price is switched off, one after the other.

Helped less harmed is also P(right here) less P(right further on); the two estimates err at different ends, and their
mean is used.  Samples are put in bins of confidence for the regressions, never for the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.families.base import Maker
from cascade_core.simulation.record import Record
from cascade_core.simulation.scores import range_of
from cascade_core.simulation.stages import exit_costs

PRICES = np.append(0.0, np.geomspace(1e-4, 2.0, 128))
"""What the plain network's whole cost is worth, in correct answers, from safest to boldest."""

SCREENED = slice(8, None, 12)
"""Prices at which heads are switched off."""

AROUND = 3
"""Screened prices around those at which a set of heads is worth it, to which it is tried."""

BETWEEN = 4
"""Steps in which thresholds go from one price to the next."""

BINS = 128
SURE = 1e-7
"""Least 1 - confidence that is told from certainty, about the step of float32 below 1."""

STEPS, RIDGE, LARGEST_STEP = 12, 1e-3, 3.0
"""Of Newton's method for logistic regressions."""

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
T = TypeVar("T", np.float32, np.float64)


def backward_induction(record: Record, *, by_answer: bool = False) -> Maker:
    """What makes (G, M-1) thresholds, for `PRICES` and between them, with the heads that are worth it on `record`.

    Args:
        by_answer: Whether each answer has regressions and a threshold of its own, (G, M-1, K).
    """
    free = np.ones(len(record.stages) - 1, dtype=bool)
    if record.pool is not None:
        free &= ~record.pool.used_later[:-1]
    induction = _Induction.of(record, by_answer)
    prices, heads = _tried(induction.worthwhile(PRICES[SCREENED], free))
    _, right, cost = induction.rules(prices, heads)
    kept = _efficient(right, cost)

    def made(part: Record) -> Floats32:
        prepared = induction if part is record else _Induction.of(part, by_answer)
        return _between(prepared.rules(prices[kept], heads[kept])[0])

    return Maker(rules=made, prices=_between(prices[kept]))


def _tried(heads: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    """(G',) prices and (G', M-1) heads to try: every set of heads at the prices where it is worth it, and some around.

    Where one set takes another's place only the hull of both would be had; around it, each has rules between.

    Args:
        heads: (S, M-1) worth running at each of the prices that were screened.
    """
    prices, sets = [], []
    screened = np.arange(len(PRICES))[SCREENED]
    reach = AROUND * SCREENED.step
    for one in np.unique(heads, axis=0):
        places = screened[(heads == one).all(axis=1)]
        near = PRICES[max(0, places[0] - reach) : places[-1] + reach + 1]
        prices.append(near)
        sets.append(np.tile(one, (len(near), 1)))
    return np.concatenate(prices), np.concatenate(sets)


def _efficient(right: Floats, cost: Floats) -> NDArray[np.int64]:
    """Numbers of the rules (G,) that none is better than in both, from the most accurate to the cheapest."""
    order = np.lexsort((cost, -right))
    cheapest = np.minimum.accumulate(cost[order])
    return order[np.append(True, cheapest[1:] < cheapest[:-1])]


def _between(values: NDArray[T]) -> NDArray[T]:
    """(BETWEEN * (G - 1) + 1, ...) thresholds or prices of (G, ...), with those between neighbours in equal parts."""
    parts = (np.arange(BETWEEN) / BETWEEN).astype(values.dtype).reshape(-1, *[1] * (values.ndim - 1))
    before, behind = values[:-1, None], values[1:, None]
    # Where one of the two never lets leave, the first stands until the second does.
    with np.errstate(invalid="ignore"):
        step = np.where(np.isfinite(before) & np.isfinite(behind), behind - before, 0)
    return np.concatenate([(before + parts * step).reshape(-1, *values.shape[1:]), values[-1:]])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Bins:
    """Samples of one stage, or of one answer there, in bins by falling confidence.

    Attributes:
        members: (n,) sample numbers, bin by bin, in each bin those that the stage answers wrongly first.
        cells, starts: Of each bin's wrong and right samples, where there are any: twice the bin's number, plus 1 if
            they are right, and the place in `members` at which they begin.
        counts, right: (B,) samples, and those that the stage answers correctly.
        x: (B,) mean -log(1 - confidence).
        least: (B,) least confidence.
    """

    members: NDArray[np.int64]
    cells: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: Floats
    right: Floats
    x: Floats
    least: Floats32

    @classmethod
    def of(cls, members: NDArray[np.int64], confidence: Floats32, correct: NDArray[np.bool_], odds: Floats) -> _Bins:
        """Of the samples `members`, given all samples' confidence, correctness and -log(1 - confidence)."""
        members = members[np.argsort(-confidence[members], kind="stable")]
        ordered = confidence[members]
        # Equal confidences share a bin.
        ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        wished = np.linspace(0, len(members) - 1, BINS + 1)[1:].astype(np.int64)
        ends = np.unique(ends[np.searchsorted(ends, wished)])
        number = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=-1))
        weights: tuple[NDArray[np.generic], ...] = (np.ones(len(number)), correct[members], odds[members])
        counts, right, sums = (np.bincount(number, weights=values).astype(np.float64) for values in weights)
        codes = 2 * number + correct[members]
        inner = np.argsort(codes, kind="stable")
        cells, starts = np.unique(codes[inner], return_index=True)
        return cls(
            members=members[inner],
            cells=cells,
            starts=starts,
            counts=counts,
            right=right,
            x=sums / counts,
            least=ordered[ends],
        )

    def sums(self, values: Floats32) -> Floats:
        """(2, G, B) sums of `values` (G, N) over each bin's wrong samples, and over its right ones."""
        result = np.zeros((len(values), 2 * len(self.counts)))
        result[:, self.cells] = np.add.reduceat(np.take(values, self.members, axis=1), self.starts, axis=1)
        return result.reshape(len(values), -1, 2).transpose(2, 0, 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Induction:
    """A record, prepared.

    Attributes:
        bins: For each stage but the last, one of all samples, or one for each answer, by class number.
    """

    record: Record
    bins: tuple[dict[int | None, _Bins], ...]

    @classmethod
    def of(cls, record: Record, by_answer: bool) -> _Induction:
        """Of a record."""
        bins = []
        for confidence, correct, answers in zip(record.confidence, record.correct, record.predictions, strict=True):
            low, high = range_of(confidence, record.score, record.classes)
            unsure = (high - confidence.astype(np.float64)) / (high - low)
            odds = -np.log(np.maximum(unsure, SURE))
            groups: dict[int | None, NDArray[np.int64]] = {None: np.arange(record.n)}
            if by_answer:
                groups = {k: np.flatnonzero(answers == k) for k in range(record.classes)}
            filled = {k: members for k, members in groups.items() if len(members)}
            bins.append({k: _Bins.of(members, confidence, correct, odds) for k, members in filled.items()})
        return cls(record=record, bins=tuple(bins[:-1]))

    def worthwhile(self, prices: Floats, free: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(G, M-1) which heads to run at each price: of those `free` to be off, none that is not worth its cost.

        One is left on: without any there is no cascade, and that is another's choice.
        """
        heads, spared = np.ones((len(prices), len(free)), dtype=bool), np.flatnonzero(free)
        value = self._value(prices, heads)
        for _ in range(len(free) - 1 if len(spared) else 0):
            fewer = np.repeat(heads[None], len(spared), axis=0)
            fewer[np.arange(len(spared)), :, spared] = False
            values = self._value(np.tile(prices, len(spared)), fewer.reshape(-1, len(free)))
            tried = np.where(fewer.any(axis=2), values.reshape(len(spared), -1), -np.inf)
            best, switched = tried.max(axis=0), tried.max(axis=0) > value
            if not switched.any():
                break
            heads[switched, spared[tried.argmax(axis=0)[switched]]] = False
            value = np.where(switched, best, value)
        return heads

    def _value(self, prices: Floats, heads: NDArray[np.bool_]) -> Floats:
        """(G,) right answers less cost at its price, on the record, with the `heads` (G, M-1) that are run."""
        _, right, cost = self.rules(prices, heads)
        return right - prices * cost

    def rules(self, prices: Floats, heads: NDArray[np.bool_]) -> tuple[Floats32, Floats, Floats]:
        """Thresholds at each price, with the `heads` (G, M-1) that are run; accuracy and cost on the record."""
        record, count = self.record, len(prices)
        costs = self._costs(heads)
        by_answer = bool(self.bins) and None not in self.bins[0]
        shape = (count, len(self.bins), record.classes) if by_answer else (count, len(self.bins))
        thresholds = np.full(shape, np.inf, dtype=np.float32)
        right = np.tile(record.correct[-1].astype(np.float32), (count, 1))
        cost = np.repeat(costs[:, -1:], record.n, axis=1)
        for stage in range(len(self.bins) - 1, -1, -1):
            column = thresholds[:, stage, :] if by_answer else thresholds[:, stage, None]
            for answer, bins in self.bins[stage].items():
                limit = _cut(bins, right, cost, costs[:, stage], prices)
                limit[~heads[:, stage]] = np.inf
                column[:, answer or 0] = limit
            limits = np.take(column, record.predictions[stage], axis=1) if by_answer else column
            leaving = record.confidence[stage] >= limits
            np.copyto(right, record.correct[stage], where=leaving)
            np.copyto(cost, costs[:, stage, None], where=leaving)
        return thresholds, right.mean(axis=1, dtype=np.float64), cost.mean(axis=1, dtype=np.float64)

    def _costs(self, heads: NDArray[np.bool_]) -> Floats32:
        """(G, M) cost of leaving at each stage, as a share of the plain network's."""
        active = np.concatenate([heads, np.ones((len(heads), 1), dtype=bool)], axis=1)
        costs = exit_costs(self.record.stages, active, self.record.baseline_macs)
        return (costs / self.record.baseline_macs).astype(np.float32)


def _cut(bins: _Bins, right: Floats32, cost: Floats32, here: Floats32, prices: Floats) -> Floats32:
    """(G,) confidence from which leaving is worth most in sum, of the samples in `bins`; `inf` if that is nothing.

    Args:
        right, cost: (G, N) what comes of samples that go on.
        here: (G,) cost of leaving here.
    """
    count, (wrong_now, right_now) = len(prices), bins.sums(right)
    outcomes = np.concatenate([bins.right - right_now, wrong_now, right_now + wrong_now, bins.right[None]])
    chances = _logistic(bins, outcomes)
    helped, harmed, onward = (chances[i * count : (i + 1) * count] for i in range(3))
    gap = (helped - harmed + chances[-1] - onward) / 2
    spared = _cubic(bins, bins.sums(cost).sum(axis=0) / bins.counts) - here[:, None]
    worth = np.cumsum((gap + prices[:, None] * spared) * bins.counts, axis=1)
    best = worth.argmax(axis=1)
    most = worth[np.arange(count), best]
    return np.where(most > 0, bins.least[best], np.float32(np.inf))


def _logistic(bins: _Bins, successes: Floats) -> Floats:
    """(G, B) probabilities by logistic regressions on x of `successes` (G, B) among each bin's samples."""
    powers = bins.x ** np.arange(3)[:, None]
    counted, reached = (powers * bins.counts).T, successes @ powers[:2].T
    rate = (successes.sum(axis=1) + 0.5) / (bins.counts.sum() + 1)
    weights = np.stack([np.log(rate / (1 - rate)), np.zeros(len(rate))], axis=1)
    moving = np.arange(len(weights))
    for _ in range(STEPS):
        before = weights[moving]
        chance = _sigmoid(before @ powers[:2])
        gradient = chance @ counted[:, :2] - reached[moving] + RIDGE * before
        # The second derivatives by both weights: of a, of a and b, of b.
        aa, ab, bb = ((chance - chance * chance) @ counted + [RIDGE, 0, RIDGE]).T
        turned = np.stack(
            [bb * gradient[:, 0] - ab * gradient[:, 1], aa * gradient[:, 1] - ab * gradient[:, 0]], axis=1
        )
        step = (turned / (aa * bb - ab * ab)[:, None]).clip(-LARGEST_STEP, LARGEST_STEP)
        weights[moving] = before - step
        moving = moving[np.abs(step).max(axis=1) >= 1e-3]
        if not len(moving):
            break
    return _sigmoid(weights @ powers[:2])


def _sigmoid(logits: Floats) -> Floats:
    """Of float32 precision, whose exponentials take a fifth of the time."""
    return (1 / (1 + np.exp(-logits.clip(-40.0, 40.0).astype(np.float32)))).astype(np.float64)


def _cubic(bins: _Bins, means: Floats) -> Floats:
    """(G, B) the cubic in x nearest to `means` (G, B), by least squares over the samples."""
    design = (bins.x / 5) ** np.arange(4)[:, None]
    root = np.sqrt(bins.counts)
    result: Floats = (means * root) @ np.linalg.pinv((design * root).T).T @ design
    return result
