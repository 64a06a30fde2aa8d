"""Which classes a rule takes for one another: by the true class of a sample, its label, and by what was answered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record


def confusion(record: Record, rule: ExitRule, stage: int | None = None) -> NDArray[np.int64]:
    """(K, K) samples of each true class (first axis) that were given each answer (second axis).

    Args:
        stage: Only samples that leave there; None = all.

    Raises:
        ValueError: The rule is for other stages or another score.
    """
    labels, answers = _answers(record, rule, stage)
    k = record.classes
    return np.bincount(labels * k + answers, minlength=k * k).reshape(k, k)


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A true class, a wrong answer, and how many samples that befell, as a count and as a share of the class."""

    label: int
    answer: int
    count: int
    share: float


def most_confused(record: Record, rule: ExitRule, stage: int | None = None, count: int = 20) -> list[Mistake]:
    """Up to `count` pairs of true class and wrong answer, the most frequent first, then in class order.

    Shares are of the samples of the true class that leave at `stage`.  No K x K matrix is made.

    Raises:
        ValueError: The rule is for other stages or another score.
    """
    labels, answers = _answers(record, rule, stage)
    sizes = np.bincount(labels, minlength=record.classes)
    wrong = labels != answers
    pairs, counts = np.unique(labels[wrong] * record.classes + answers[wrong], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:count]
    return [
        Mistake(label=label, answer=answer, count=befallen, share=befallen / int(sizes[label]))
        for pair, befallen in zip(pairs[order].tolist(), counts[order].tolist(), strict=True)
        for label, answer in [divmod(pair, record.classes)]
    ]


def _answers(record: Record, rule: ExitRule, stage: int | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels and answers, where they leave, of the samples that leave at `stage`."""
    exit_stages = rule.exit_stages(record)
    answers = rule.answered(record).predictions[exit_stages, np.arange(record.n)]
    members = np.ones(record.n, dtype=bool) if stage is None else exit_stages == stage
    return record.labels[members], answers[members]
