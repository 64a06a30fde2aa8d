"""What a rule does to accuracy and cost on a record, as counts.

An `Evaluation` holds whole numbers only; accuracy, drop, mean MACs and saving are derived from them,
so that totals cannot disagree.  It is what simulation, tables, figures, JSON and page all show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.bounds import mean_interval, paired_interval
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record, leaving_costs


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """Counts of one rule on one record; all properties are derived.

    Attributes:
        stage_names: M names.
        exit_counts: (M,) samples that leave at each stage.
        correct_counts: (M,) of those, answered correctly.
        costs: (M,) MACs of a sample that leaves at each stage.
        full_correct: Samples that the last stage answers correctly.
        helped: Samples answered correctly that the last stage gets wrong.
        n: All samples.
        baseline_macs: MACs of the plain network on one sample.
    """

    stage_names: tuple[str, ...]
    exit_counts: NDArray[np.int64]
    correct_counts: NDArray[np.int64]
    costs: NDArray[np.int64]
    full_correct: int
    helped: int
    n: int
    baseline_macs: int

    @property
    def accuracy(self) -> float:
        """Share of the samples answered correctly, in [0, 1]."""
        return int(self.correct_counts.sum()) / self.n

    @property
    def full_accuracy(self) -> float:
        """Accuracy if every sample went to the last stage, in [0, 1]."""
        return self.full_correct / self.n

    @property
    def harmed(self) -> int:
        """Samples answered wrongly that the last stage gets right."""
        return self.full_correct - int(self.correct_counts.sum()) + self.helped

    @property
    def accuracy_drop(self) -> float:
        """Full accuracy minus accuracy, a fraction; negative when leaving early helps."""
        return (self.harmed - self.helped) / self.n

    def drop_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Paired confidence interval of the accuracy drop, fractions; see `bounds.paired_interval`."""
        low, high = paired_interval(self.harmed, self.helped, self.n, level)
        return float(low), float(high)

    @property
    def exit_shares(self) -> NDArray[np.float64]:
        """(M,) share of the samples that leave at each stage; sums to 1."""
        return self.exit_counts / self.n

    @property
    def mean_macs(self) -> float:
        """Mean multiply-accumulates of a sample."""
        return int((self.exit_counts * self.costs).sum()) / self.n

    @property
    def saving(self) -> float:
        """Share of the plain network's MACs that is saved; negative when the cascade costs more."""
        return 1 - self.mean_macs / self.baseline_macs

    def saving_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Confidence interval of the saving, fractions; see `bounds.mean_interval`."""
        low, high = mean_interval(self.exit_counts, self.costs, level)
        return 1 - float(high) / self.baseline_macs, 1 - float(low) / self.baseline_macs

    @property
    def speedup(self) -> float:
        """The plain network's MACs over the cascade's mean MACs."""
        return self.baseline_macs / self.mean_macs if self.mean_macs else float("inf")


def evaluate(record: Record, rule: ExitRule) -> Evaluation:
    """Count what `rule` does on `record`.

    Raises:
        ValueError: The rule is meant for other stages or another score.
    """
    return count(record, rule.leaving(record), rule.active)


def count(record: Record, leaving: NDArray[np.int64], active: NDArray[np.bool_]) -> Evaluation:
    """Count what happens when sample i leaves at stage `leaving[i]` and the `active` heads are run."""
    right = record.correct[leaving, np.arange(record.n)]
    m = len(record.stages)
    return Evaluation(
        stage_names=record.stage_names,
        exit_counts=np.bincount(leaving, minlength=m),
        correct_counts=np.bincount(leaving[right], minlength=m),
        costs=leaving_costs(record.stages, active, record.baseline_macs),
        full_correct=int(record.correct[-1].sum()),
        helped=int((right & ~record.correct[-1]).sum()),
        n=record.n,
        baseline_macs=record.baseline_macs,
    )
