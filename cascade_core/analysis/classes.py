"""What a rule does to the samples of each class, and which classes it takes for one another.

`evaluate_classes` counts for all classes at once what `evaluation.evaluate` counts on the samples of one.  A class here
is the true class of a sample, its label; what was answered makes the other axis of `confusion`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.bounds import paired_interval
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record, leaving_costs


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassEvaluation:
    """Counts of one rule on the samples of each class; shares of a class without samples are NaN.

    Attributes:
        stage_names: M names.
        exit_counts: (K, M) samples of each class that leave at each stage.
        correct_counts: (K, M) of those, answered correctly.
        costs: (M,) MACs of a sample that leaves at each stage.
        full_correct: (K,) samples that the last stage answers correctly.
        helped: (K,) samples answered correctly that the last stage gets wrong.
        baseline_macs: MACs of the plain network on one sample.
    """

    stage_names: tuple[str, ...]
    exit_counts: NDArray[np.int64]
    correct_counts: NDArray[np.int64]
    costs: NDArray[np.int64]
    full_correct: NDArray[np.int64]
    helped: NDArray[np.int64]
    baseline_macs: int

    def of(self, label: int) -> Evaluation:
        """What `evaluate` says of the samples of one class, which must have some."""
        return Evaluation(
            stage_names=self.stage_names,
            exit_counts=self.exit_counts[label],
            correct_counts=self.correct_counts[label],
            costs=self.costs,
            full_correct=int(self.full_correct[label]),
            helped=int(self.helped[label]),
            n=int(self.n[label]),
            baseline_macs=self.baseline_macs,
        )

    @property
    def n(self) -> NDArray[np.int64]:
        """(K,) samples."""
        return self.exit_counts.sum(axis=1)

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """(K,) share of the samples answered correctly."""
        return self._share(self.correct_counts.sum(axis=1))

    @property
    def full_accuracy(self) -> NDArray[np.float64]:
        """(K,) accuracy if every sample went to the last stage."""
        return self._share(self.full_correct)

    @property
    def harmed(self) -> NDArray[np.int64]:
        """(K,) samples answered wrongly that the last stage gets right."""
        return self.full_correct - self.correct_counts.sum(axis=1) + self.helped

    @property
    def accuracy_drop(self) -> NDArray[np.float64]:
        """(K,) full accuracy minus accuracy, fractions."""
        return self._share(self.harmed - self.helped)

    def drop_interval(self, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Paired confidence intervals (K,) of the drops, each by itself; see `bounds.paired_interval`."""
        empty = self.n == 0
        low, high = paired_interval(self.harmed, self.helped, np.maximum(self.n, 1), level)
        return np.where(empty, np.nan, low), np.where(empty, np.nan, high)

    @property
    def mean_macs(self) -> NDArray[np.float64]:
        """(K,) mean multiply-accumulates of a sample."""
        return self._share((self.exit_counts * self.costs).sum(axis=1))

    @property
    def saving(self) -> NDArray[np.float64]:
        """(K,) share of the plain network's MACs that is saved."""
        return 1 - self.mean_macs / self.baseline_macs

    @property
    def exit_shares(self) -> NDArray[np.float64]:
        """(K, M) share of a class's samples that leave at each stage."""
        return self._share(self.exit_counts.T).T

    def _share(self, part: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.divide(part, self.n, out=np.full(part.shape, np.nan), where=self.n > 0)


def evaluate_classes(record: Record, rule: ExitRule) -> ClassEvaluation:
    """Count what `rule` does on the samples of each class of `record`.

    Raises:
        ValueError: The rule is meant for other stages or another score.
    """
    leaving, classes, m = rule.leaving(record), record.classes, len(record.stages)
    right = record.correct[leaving, np.arange(record.n)]
    cell = record.labels * m + leaving

    def by_stage(members: NDArray[np.bool_] | slice) -> NDArray[np.int64]:
        return np.bincount(cell[members], minlength=classes * m).reshape(classes, m)

    def by_class(members: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(record.labels[members], minlength=classes)

    return ClassEvaluation(
        stage_names=record.stage_names,
        exit_counts=by_stage(slice(None)),
        correct_counts=by_stage(right),
        costs=leaving_costs(record.stages, rule.active, record.baseline_macs),
        full_correct=by_class(record.correct[-1]),
        helped=by_class(right & ~record.correct[-1]),
        baseline_macs=record.baseline_macs,
    )


def confusion(record: Record, rule: ExitRule, stage: int | None = None) -> NDArray[np.int64]:
    """(K, K) samples of each true class (first axis) that were given each answer (second axis).

    Args:
        stage: Only samples that leave there; None = all.

    Raises:
        ValueError: The rule is meant for other stages or another score.
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
        ValueError: The rule is meant for other stages or another score.
    """
    labels, answers = _answers(record, rule, stage)
    sizes = np.bincount(labels, minlength=record.classes)
    wrong = labels != answers
    pairs, counts = np.unique(labels[wrong] * record.classes + answers[wrong], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:count]
    return [
        Mistake(label=label, answer=answer, count=found, share=found / int(sizes[label]))
        for (label, answer), found in (
            (divmod(int(pair), record.classes), int(n)) for pair, n in zip(pairs[order], counts[order], strict=True)
        )
    ]


def _answers(record: Record, rule: ExitRule, stage: int | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels and answers, where they leave, of the samples that leave at `stage`."""
    leaving = rule.leaving(record)
    answers = record.predictions[leaving, np.arange(record.n)]
    members = np.ones(record.n, dtype=bool) if stage is None else leaving == stage
    return record.labels[members], answers[members]
