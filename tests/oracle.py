"""Slow, obvious implementations to compare the package with, and builders of records.

Plain loops over samples and rules, written from the definitions; nothing of the package's algorithms
is used, only its types.  Confidences are float32 and are compared as Python floats, which is exact.
Builders make ties on purpose: softmaxes are rounded, and some are saturated at 1.0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from cascade_core import Evaluation, Pool, Record, Stage, StageOutputs, fit_pool
from cascade_core.support.files import BadFile

TRUNK_MACS = (100, 70, 50, 30, 20, 10)
HEAD_MACS = (7, 5, 3, 2, 1, 1)


def f32(*values: float) -> NDArray[np.float32]:
    """A float32 array."""
    return np.array(values, dtype=np.float32)


def make_stages(count: int) -> tuple[Stage, ...]:
    """Up to six stages named a, b, c, ..., with costs that tell every combination apart."""
    return tuple(Stage(name="abcdef"[k], trunk_macs=TRUNK_MACS[k], head_macs=HEAD_MACS[k]) for k in range(count))


def make_record(confidence: Any, correct: Any, stages: tuple[Stage, ...] | None = None) -> Record:
    """A record from (M, N) confidences and (M, N) correctness; every label is 0, a wrong answer is 1."""
    right = np.asarray(correct, dtype=bool)
    return Record(
        confidence=np.asarray(confidence, dtype=np.float32),
        predictions=np.where(right, 0, 1),
        correct=right,
        labels=np.zeros(right.shape[1], dtype=np.int64),
        stages=stages or make_stages(len(right)),
    )


def random_outputs(
    seed: int, *, stages: int = 3, n: int = 60, classes: int = 4, decimals: int | None = 2, saturated: float = 0.2
) -> StageOutputs:
    """Softmaxes of a made-up cascade whose later stages are better, with ties.

    Args:
        decimals: Softmaxes are rounded to so many digits; None leaves them as they are.
        saturated: Share of the softmaxes that are exactly 1.0 for one class.
    """
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, n)
    probs = np.empty((stages, n, classes), dtype=np.float32)
    for k in range(stages):
        logits = random.normal(0, 2, (n, classes))
        logits[np.arange(n), labels] += 1 + k
        rows = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        if decimals is not None:
            rows = np.round(rows, decimals)
            rows[np.arange(n), rows.argmax(axis=1)] += 1 - rows.sum(axis=1)
        full = random.random(n) < saturated
        rows[full] = np.eye(classes)[rows[full].argmax(axis=1)]
        probs[k] = rows
    return StageOutputs(probs=probs, labels=labels, stages=make_stages(stages))


def random_record(seed: int, *, stages: int = 3, n: int = 60, decimals: int | None = 2) -> Record:
    """The record of `random_outputs`."""
    return random_outputs(seed, stages=stages, n=n, decimals=decimals).record()


def random_pool(seed: int, outputs: StageOutputs) -> Pool:
    """Weights fitted to `outputs`; of more than two stages, there is one, by `seed`, that no later stage uses."""
    random = np.random.default_rng(seed)
    heads = np.ones(len(outputs.stages), dtype=bool)
    if len(heads) > 2:
        heads[random.integers(len(heads) - 1)] = False
    return fit_pool(outputs.probs, outputs.labels, heads)


def random_pooled(seed: int, *, stages: int = 3, n: int = 60, decimals: int | None = 2) -> Record:
    """The record of `random_outputs`, pooled by `random_pool`."""
    outputs = random_outputs(seed, stages=stages, n=n, decimals=decimals)
    return outputs.record(pool=random_pool(seed, outputs))


def random_rules(seed: int, record: Record, count: int) -> NDArray[np.float32]:
    """(count, M-1) thresholds: observed confidences, values between them, and `inf`."""
    random = np.random.default_rng(seed)
    columns = []
    for confidence in record.confidence[:-1]:
        choices = np.concatenate([confidence, random.random(5).astype(np.float32), [np.float32(np.inf)] * 10])
        columns.append(random.choice(choices, count))
    return np.array(columns, dtype=np.float32).reshape(len(record.stages) - 1, count).T


@dataclass(frozen=True)
class Outcome:
    """What a rule does, as plain numbers."""

    exit_counts: list[int]
    correct_counts: list[int]
    costs: list[int]
    full_correct: int
    helped: int
    total_macs: int


def naive_exit(confidences: Sequence[float], thresholds: Sequence[float]) -> int:
    """Stage at which one sample leaves."""
    for stage, threshold in enumerate(thresholds):
        if confidences[stage] >= threshold:
            return stage
    return len(thresholds)


def naive_softmax_of(weights: Sequence[float], softmaxes: Sequence[Sequence[float]]) -> list[float]:
    """The pooled softmax of one sample: the product of the stages' softmaxes, each to the power of its weight.

    Args:
        weights: One for each stage passed.
        softmaxes: K numbers of each of those stages.
    """
    powers = []
    for k in range(len(softmaxes[0])):
        product = 1.0
        for weight, softmax in zip(weights, softmaxes, strict=True):
            product *= max(float(softmax[k]), 1e-12) ** weight
        powers.append(product)
    return [power / sum(powers) for power in powers]


def naive_heads(record: Record, limits: Sequence[float], plain: bool) -> list[bool]:
    """Whether each stage's head is run: a sample may leave there, a later stage pools it, or it is the last."""
    rows = [] if plain or record.pool is None else record.pool.weights
    return [
        limit != float("inf") or any(row[k] != 0 for row in rows[k + 1 :]) for k, limit in enumerate([*limits, 0.0])
    ]


def naive_evaluate(record: Record, thresholds: ArrayLike, *, plain: bool = False) -> Outcome:
    """Walk every sample through the stages, adding up what is computed on its way.

    Args:
        thresholds: (M-1,), or (M-1, K) for each class that a stage answers.
        plain: Whether the plain network is run in the place of a pooled record's stages.
    """
    given = np.asarray(thresholds, dtype=np.float32)
    m, n = record.confidence.shape
    limits = [float(t) for t in (given.min(axis=1) if given.ndim == 2 else given)]
    exits, right, costs = [0] * m, [0] * m, [0] * m
    total = helped = full = 0
    spent = 0
    heads = naive_heads(record, limits, plain)
    for k, stage in enumerate(record.stages):
        spent += stage.trunk_macs + (stage.head_macs if heads[k] else 0)
        costs[k] = spent
    if not any(heads[:-1]):
        costs[-1] = record.baseline_macs  # no cascade is run
    for i in range(n):
        met = [float(given[k, record.predictions[k, i]]) for k in range(m - 1)] if given.ndim == 2 else limits
        leaves = naive_exit([float(record.confidence[k, i]) for k in range(m)], met)
        exits[leaves] += 1
        total += costs[leaves]
        alone = bool(record.baseline_correct[i])
        if alone if plain else record.correct[leaves, i]:
            right[leaves] += 1
            helped += not alone
        full += alone
    return Outcome(exits, right, costs, full, helped, total)


def naive_paper_threshold(confidence: Sequence[float], correct: Sequence[bool], epsilon: float) -> float:
    """delta_m(eps) of the paper for one stage, by its definition: every delta against every sample."""

    def alpha(delta: float) -> float:
        above = [bool(ok) for value, ok in zip(confidence, correct, strict=True) if value >= delta]
        return sum(above) / len(above)

    best = max(alpha(delta) for delta in confidence)
    return min(delta for delta in confidence if alpha(delta) >= best - epsilon)


def naive_cheapest(outcomes: Sequence[Outcome], max_drop: float) -> tuple[int, int] | None:
    """Least MACs in all, and the most correct answers at that cost, of rules within a drop; None if none is."""
    found = []
    for outcome in outcomes:
        correct = sum(outcome.correct_counts)
        if (outcome.full_correct - correct) / sum(outcome.exit_counts) <= max_drop:
            found.append((outcome.total_macs, -correct))
    if not found:
        return None
    macs, wrong = min(found)
    return macs, -wrong


def naive_grid(record: Record) -> list[Outcome]:
    """What every combination of observed confidences and `inf` does, the last stage's varying fastest."""
    grids = [[*sorted({float(c) for c in row}), float("inf")] for row in record.confidence[:-1]]
    return [naive_evaluate(record, thresholds) for thresholds in product(*grids)]


def assert_outcome(evaluation: Evaluation, outcome: Outcome) -> None:
    """Every count of `evaluation` is that of the slow loop."""
    assert evaluation.exit_counts.tolist() == outcome.exit_counts
    assert evaluation.correct_counts.tolist() == outcome.correct_counts
    assert evaluation.costs.tolist() == outcome.costs
    assert (evaluation.full_correct, evaluation.helped) == (outcome.full_correct, outcome.helped)
    assert evaluation.n == sum(outcome.exit_counts)
    assert evaluation.mean_macs == outcome.total_macs / evaluation.n
    assert evaluation.accuracy == sum(outcome.correct_counts) / evaluation.n


def assert_one_line(error: BaseException, *words: str) -> None:
    """The message is one line, and holds every one of `words`."""
    text = str(error)
    assert "\n" not in text
    assert "\r" not in text
    for word in words:
        assert word in text, f"{word!r} is not in {text!r}"


def assert_refused(read: Callable[[Path], object], path: Path, *words: str) -> None:
    """`read(path)` raises BadFile with one short line that holds `words`, and leaves the file as it was."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(BadFile) as caught:
        read(path)
    assert_one_line(caught.value, *words)
    assert len(str(caught.value)) < 600
    assert before is None or path.read_bytes() == before


def naive_mean_bound(x: Sequence[float], alpha: float) -> float:
    """The upper bound by betting, sample by sample, with the bound found by trying every hundred-thousandth."""
    n = len(x)
    stakes, total, squares = [], 0.0, 0.0
    variance = 0.25
    for t, value in enumerate(x, start=1):
        stakes.append(min(1.0, math.sqrt(2 * math.log(1 / alpha) / (n * variance))))
        total += value
        mu = (0.5 + total) / (t + 1)
        squares += (value - mu) ** 2
        variance = (0.25 + squares) / (t + 1)

    def refuted(m: float) -> bool:
        wealth = 0.0
        for stake, value in zip(stakes, x, strict=True):
            wealth += math.log(max(1 - stake * (value - m), 1e-300))
            if wealth >= math.log(1 / alpha):
                return True
        return False

    low, high = 0, 100_000  # what is refuted at m is refuted above it
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if refuted(middle / 100_000) else (middle, high)
    return high / 100_000
