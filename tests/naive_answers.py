"""A cascade of answers in plain loops: what its thresholds do to accuracy and cost, one sample after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What happened to all samples: where each left, how many were right, and what each cost."""

    exits: list[int]
    right: int
    costs: list[float]


def run(
    confidence: Any, correct: Any, costs: Any, thresholds: Sequence[Any], answers: Any, samples: Sequence[int]
) -> Outcome:
    """Ask stage after stage until one is sure enough; one at which nobody may leave is not asked.

    Args:
        confidence, correct, answers: (M, N).
        costs: (M, N) of each stage's call.
        thresholds: (M-1,) numbers, or lists with one for each answer.
    """
    exits, right, spent = [], 0, []
    last = len(confidence) - 1
    for i in samples:
        paid = 0.0
        for stage in range(last + 1):
            limits = [float("-inf")] if stage == last else _column(thresholds[stage])
            if min(limits) == float("inf"):
                continue
            paid += float(costs[stage][i])
            limit = limits[int(answers[stage][i])] if len(limits) > 1 else limits[0]
            if float(confidence[stage][i]) >= limit:
                exits.append(stage)
                right += bool(correct[stage][i])
                spent.append(paid)
                break
    return Outcome(exits=exits, right=right, costs=spent)


def _column(threshold: Any) -> list[float]:
    return [float(value) for value in threshold] if hasattr(threshold, "__len__") else [float(threshold)]
