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

import numpy as np
from numpy.typing import NDArray

from cascade_core.policies.families.base import Maker
from cascade_core.simulation.record import Record, exit_costs
from cascade_core.simulation.scores import score_range

PRICES = np.append(0.0, np.geomspace(1e-4, 2.0, 200))
"""What the plain network's whole cost is worth, in correct answers, from safest to boldest."""

SCREENED = slice(8, None, 16)
"""Prices at which heads are switched off; the others take the nearest's."""

BINS = 256
SURE = 1e-7
"""Least 1 - confidence that is told from certainty, about the step of float32 below 1."""

FEWEST = 50
"""Samples of an answer that it takes for regressions of its own."""

STEPS, RIDGE, LARGEST_STEP = 12, 1e-3, 3.0
"""Of Newton's method for logistic regressions."""

Floats = NDArray[np.float64]


def backward_induction(record: Record, *, by_answer: bool = False) -> Maker:
    """What makes (G, M-1) thresholds, one for each of `PRICES`, with the heads that are worth it on `record`.

    Args:
        by_answer: Whether each answer has regressions and a threshold of its own, (G, M-1, K).
    """
    free = np.ones(len(record.stages) - 1, dtype=bool)
    if record.pool is not None:
        free &= ~record.pool.used_later[:-1]
    places = np.arange(len(PRICES))
    heads = _Induction.of(record, by_answer).worthwhile(PRICES[SCREENED], free)
    nearest = np.abs(np.subtract.outer(places, places[SCREENED])).argmin(axis=1)

    def made(part: Record) -> NDArray[np.float32]:
        return _Induction.of(part, by_answer).rules(PRICES, heads[nearest])[0]

    return made


@dataclass(frozen=True, kw_only=True, eq=False)
class _Bins:
    """Samples of one stage, or of one answer there, by falling confidence.

    Attributes:
        order: (n,) sample numbers.
        starts: (B,) places in `order` at which bins begin; equal confidences are not divided.
        counts: (B,) samples.
        x: (B,) mean -log(1 - confidence).
        least: (B,) least confidence.
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: Floats
    x: Floats
    least: NDArray[np.float32]

    @classmethod
    def of(cls, members: NDArray[np.int64], confidence: NDArray[np.float32], odds: Floats) -> _Bins:
        """Of the samples `members`."""
        order = members[np.argsort(-confidence[members], kind="stable")]
        ordered = confidence[order]
        ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        wished = np.linspace(0, len(order) - 1, BINS + 1)[1:].astype(np.int64)
        ends = np.unique(ends[np.searchsorted(ends, wished)])
        starts = np.append(0, ends[:-1] + 1)
        counts = np.diff(np.append(starts, len(order))).astype(np.float64)
        x = np.add.reduceat(odds[order], starts) / counts
        return cls(order=order, starts=starts, counts=counts, x=x, least=ordered[ends])

    def sums(self, values: NDArray[np.generic]) -> Floats:
        """(..., B) sums of (..., n) over bins."""
        return np.add.reduceat(values, self.starts, axis=-1, dtype=np.float64)


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
        low, high = score_range(record.score, record.classes)
        bins = []
        for confidence, answers in zip(record.confidence[:-1], record.predictions[:-1], strict=True):
            unsure = (high - confidence.astype(np.float64)) / (high - low)
            odds = -np.log(np.maximum(unsure, SURE))
            groups: dict[int | None, NDArray[np.int64]] = {None: np.arange(record.n)}
            if by_answer:
                groups = {k: np.flatnonzero(answers == k) for k in range(record.classes)}
            bins.append({k: _Bins.of(members, confidence, odds) for k, members in groups.items() if len(members)})
        return cls(record=record, bins=tuple(bins))

    def worthwhile(self, prices: Floats, free: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(G, M-1) which heads to run at each price: of those `free` to be off, none that is worth its cost is."""
        heads = np.ones((len(prices), len(free)), dtype=bool)
        if not len(prices):
            return heads
        value = self.rules(prices, heads)[1]
        for _ in range(int(free.sum())):
            best, without = value, np.full(len(prices), -1)
            for stage in np.flatnonzero(free & heads.any(axis=0)):
                fewer = heads.copy()
                fewer[:, stage] = False
                tried = self.rules(prices, fewer)[1]
                better = tried > best
                best, without = np.where(better, tried, best), np.where(better, stage, without)
            if (without < 0).all():
                break
            gone = np.flatnonzero(without >= 0)
            heads[gone, without[gone]] = False
            value = best
        return heads

    def rules(self, prices: Floats, heads: NDArray[np.bool_]) -> tuple[NDArray[np.float32], Floats]:
        """Thresholds at each price with the `heads` (G, M-1) that are run, and what they are worth on the record."""
        record, count = self.record, len(prices)
        costs = self._costs(heads)
        by_answer = None not in self.bins[0] if self.bins else False
        shape = (count, len(self.bins), record.classes) if by_answer else (count, len(self.bins))
        thresholds = np.full(shape, np.inf, dtype=np.float32)
        right = np.broadcast_to(record.correct[-1], (count, record.n)).copy()
        cost = np.repeat(costs[:, -1:], record.n, axis=1)
        for stage in range(len(self.bins) - 1, -1, -1):
            for answer, bins in self.bins[stage].items():
                limit = _cut(bins, record.correct[stage], right, cost, costs[:, stage], prices)
                limit[~heads[:, stage]] = np.inf
                thresholds[(slice(None), stage) if answer is None else (slice(None), stage, answer)] = limit
                leaving = record.confidence[stage, bins.order] >= limit[:, None]
                here = np.where(leaving, record.correct[stage, bins.order], right[:, bins.order])
                spent = np.where(leaving, costs[:, stage, None], cost[:, bins.order])
                right[:, bins.order], cost[:, bins.order] = here, spent
        return thresholds, right.mean(axis=1) - prices * cost.mean(axis=1)

    def _costs(self, heads: NDArray[np.bool_]) -> NDArray[np.float32]:
        """(G, M) cost of leaving at each stage, as a share of the plain network's."""
        record = self.record
        active = np.concatenate([heads, np.ones((len(heads), 1), dtype=bool)], axis=1)
        return (exit_costs(record.stages, active, record.baseline_macs) / record.baseline_macs).astype(np.float32)


def _cut(
    bins: _Bins,
    correct: NDArray[np.bool_],
    right: NDArray[np.bool_],
    cost: NDArray[np.float32],
    here: NDArray[np.float32],
    prices: Floats,
) -> NDArray[np.float32]:
    """(G,) confidence from which leaving is worth most in sum, of the samples in `bins`; `inf` if that is nothing.

    Args:
        correct: (N,) whether the stage is right.
        right, cost: (G, N) what comes of samples that go on.
        here: (G,) cost of leaving here.
    """
    now, onward = correct[bins.order], right[:, bins.order]
    helped, harmed = bins.sums(~onward & now), bins.sums(onward & ~now)
    apart = _logistic(bins, helped) - _logistic(bins, harmed)
    gap = (apart + _logistic(bins, bins.sums(now)[None]) - _logistic(bins, bins.sums(onward))) / 2
    spared = _cubic(bins, bins.sums(cost[:, bins.order]) / bins.counts) - here[:, None]
    worth = np.cumsum((gap + prices[:, None] * spared) * bins.counts, axis=1)
    best = worth.argmax(axis=1)
    most = np.take_along_axis(worth, best[:, None], axis=1)[:, 0]
    return np.where(most > 0, bins.least[best], np.float32(np.inf))


def _logistic(bins: _Bins, successes: Floats) -> Floats:
    """(G, B) probabilities by logistic regressions on x of `successes` (G, B) among each bin's samples."""
    design = np.stack([np.ones_like(bins.x), bins.x])
    rate = (successes.sum(axis=1) + 0.5) / (bins.counts.sum() + 1)
    weights = np.stack([np.log(rate / (1 - rate)), np.zeros(len(rate))], axis=1)
    for _ in range(STEPS):
        chance = _sigmoid(weights @ design)
        gradient = (chance * bins.counts - successes) @ design.T + RIDGE * weights
        spread = np.maximum(chance * (1 - chance), 1e-9) * bins.counts
        curvature = np.einsum("gb,pb,qb->gpq", spread, design, design, optimize=True) + RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0].clip(-LARGEST_STEP, LARGEST_STEP)
        weights -= step
        if np.abs(step).max() < 1e-3:
            break
    return _sigmoid(weights @ design)


def _sigmoid(logits: Floats) -> Floats:
    return 1 / (1 + np.exp(-logits.clip(-40.0, 40.0)))


def _cubic(bins: _Bins, means: Floats) -> Floats:
    """(G, B) the cubic in x nearest to `means` (G, B), by least squares over the samples."""
    design = np.stack([(bins.x / 5) ** power for power in range(4)])
    root = np.sqrt(bins.counts)
    return (means * root) @ np.linalg.pinv((design * root).T).T @ design
