"""What a rule does to accuracy and cost on a record, as counts.

An `Evaluation` holds whole numbers only; accuracy, drop, mean MACs and saving are derived from them, here and nowhere
else, so that totals cannot disagree.  It is what simulation, tables, figures, JSON and page all show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.bounds import LEVEL, mean_and_error, mean_interval, paired_error, paired_interval
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record
from cascade_core.simulation.stages import exit_costs
from cascade_core.support.terms import Reference, Terms, terms

Numbers: TypeAlias = Any
"""Python's own number for one rule, else an array in the shape of the leading axes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """Counts of one rule on one record, or of many; all properties are derived.

    Leading axes (...) are () for one rule, (G,) for the rules of a path, (K,) for a rule on the samples of each class,
    and ``evaluation[g]`` is the one at g.  Shares of no samples are NaN.

    Attributes:
        stage_names: M names.
        exit_counts: (..., M) samples that leave at each stage.
        correct_counts: (..., M) of those, answered correctly.
        costs: (M,) or (..., M) MACs of a sample that leaves at each stage.
        active: (M,) or (..., M) bool, whether each stage's head is run.
        pooled: () or (...) bool, whether stages answer with those passed, not by themselves.
        full_correct: () or (...) samples that the plain network answers correctly.
        helped: (...) samples answered correctly that the plain network gets wrong.
        n: () or (...) all samples.
        baseline_macs: MACs of the plain network on one sample.
        reference: What counts as correct: the "labels", or the answers of the "last stage".
        paid: What samples cost where a record says that of each, else None: `Paid` of one rule; with leading axes
            something that has one for each index.
    """

    stage_names: tuple[str, ...]
    exit_counts: NDArray[np.int64]
    correct_counts: NDArray[np.int64]
    costs: NDArray[np.int64]
    active: NDArray[np.bool_]
    pooled: Any
    full_correct: Numbers
    helped: Numbers
    n: Numbers
    baseline_macs: int
    reference: Reference = "labels"
    paid: Any = None

    def __getitem__(self, index: int) -> Evaluation:
        """The evaluation at `index` of the first leading axis."""
        shape = self.exit_counts.shape
        full_correct, helped, n, pooled = (
            _plain(np.broadcast_to(values, shape[:-1])[index])
            for values in (self.full_correct, self.helped, self.n, self.pooled)
        )
        return Evaluation(
            stage_names=self.stage_names,
            exit_counts=self.exit_counts[index],
            correct_counts=self.correct_counts[index],
            costs=np.broadcast_to(self.costs, shape)[index],
            active=np.broadcast_to(self.active, shape)[index],
            pooled=pooled,
            full_correct=full_correct,
            helped=helped,
            n=n,
            baseline_macs=self.baseline_macs,
            reference=self.reference,
            paid=None if self.paid is None else self.paid[index],
        )

    @property
    def terms(self) -> Terms:
        """The words for what is counted."""
        return terms(self.reference)

    @property
    def accuracy(self) -> Numbers:
        """(...) share of the samples answered correctly, in [0, 1]."""
        return _share(self.correct_counts.sum(axis=-1), self.n)

    @property
    def full_accuracy(self) -> Numbers:
        """() or (...) accuracy of the plain network, in [0, 1]."""
        return _share(self.full_correct, self.n)

    @property
    def harmed(self) -> Numbers:
        """(...) samples answered wrongly that the plain network gets right."""
        return _plain(self.full_correct - self.correct_counts.sum(axis=-1) + self.helped)

    @property
    def accuracy_drop(self) -> Numbers:
        """(...) the plain network's accuracy minus the cascade's, fractions; negative for a gain."""
        return _share(self.harmed - self.helped, self.n)

    def drop_interval(self, level: float = LEVEL) -> tuple[Numbers, Numbers]:
        """(...) ends of the paired confidence interval of each drop, fractions; see `bounds.paired_interval`.

        What the last stage says cannot be bettered: against that, the lower end is 0 at least.
        """
        low, high = paired_interval(self.harmed, self.helped, self.n, level)
        low = low if self.reference == "labels" else np.maximum(low, 0.0)
        return tuple(_plain(np.where(np.greater(self.n, 0), end, np.nan)) for end in (low, high))

    @property
    def drop_move(self) -> Numbers:
        """(...) how far the drop would typically move on as many other samples, a fraction >= 0.

        Standard error of the difference of two drops, each measured on n samples drawn alike: sqrt(2) times that of
        one, see `bounds.paired_error`.  It is 0 for the plain network, whose drop is 0 on all samples.
        """
        plain = ~self.active[..., :-1].any(axis=-1) & ~np.asarray(self.pooled, dtype=bool)
        move = np.sqrt(2) * np.where(plain, 0.0, paired_error(self.harmed, self.helped, self.n))
        return _plain(np.where(np.greater(self.n, 0), move, np.nan))

    @property
    def exit_shares(self) -> NDArray[np.float64]:
        """(..., M) share of the samples that leave at each stage; sums to 1."""
        return _share(self.exit_counts, np.expand_dims(self.n, -1))

    @property
    def mean_macs(self) -> Numbers:
        """(...) mean multiply-accumulates of a sample."""
        return _share((self.exit_counts * self.costs).sum(axis=-1), self.n)

    @property
    def saving(self) -> Numbers:
        """(...) share of the plain network's MACs that is saved; negative when the cascade costs more."""
        return 1 - self.mean_macs / self.baseline_macs

    def saving_interval(self, level: float = LEVEL) -> tuple[Numbers, Numbers]:
        """(...) ends of the confidence interval of each saving, fractions; see `bounds.mean_interval`."""
        low, high = mean_interval(self.exit_counts, self.costs, level)
        return _plain(1 - high / self.baseline_macs), _plain(1 - low / self.baseline_macs)

    @property
    def saving_move(self) -> Numbers:
        """(...) how far the saving would typically move on as many other samples, a fraction >= 0; see `drop_move`."""
        return _plain(np.sqrt(2) * mean_and_error(self.exit_counts, self.costs)[1] / self.baseline_macs)

    @property
    def speedup(self) -> Numbers:
        """(...) the plain network's MACs over the cascade's mean MACs."""
        with np.errstate(divide="ignore"):
            return _plain(np.divide(self.baseline_macs, self.mean_macs))


def _plain(value: Any) -> Numbers:
    """An array as it is; of no axes, Python's own number, which is equal to itself in JSON and in print."""
    return value.item() if np.ndim(value) == 0 else value


def _share(part: Any, n: Any) -> Numbers:
    """Whole numbers over whole numbers, NaN over 0; for one rule rounded once, however large they are."""
    if np.ndim(part) == 0 and np.ndim(n) == 0:
        return int(part) / n
    return np.divide(part, n, out=np.full(np.shape(part), np.nan), where=np.greater(n, 0))


def evaluate(record: Record, rule: ExitRule) -> Evaluation:
    """Count what `rule` does on `record`.

    Raises:
        ValueError: The rule is for other stages or another score.
    """
    exits = rule.exit_stages(record)
    return count(rule.answered(record), exits, rule.active)


def count(record: Record, exits: NDArray[np.int64], active: NDArray[np.bool_]) -> Evaluation:
    """Count what happens when sample i exits at stage `exits[i]` and the `active` heads are run."""
    return count_groups(record, exits, active, np.zeros(record.entries, dtype=np.int64), 1)[0]


def count_groups(
    record: Record, exits: NDArray[np.int64], active: NDArray[np.bool_], groups: NDArray[np.int64], size: int
) -> Evaluation:
    """The same on the samples of each of `size` groups, where sample i is of group `groups[i]`."""
    right = record.correct[exits, np.arange(record.entries)]
    full, m = record.baseline_correct, len(record.stages)
    cells = groups * m + exits

    def by_group(members: NDArray[np.bool_]) -> NDArray[np.int64]:
        return record.tally(groups, size, members)

    paid = None if record.spending is None else record.spending.paid(exits, active)
    return Evaluation(
        stage_names=record.stage_names,
        exit_counts=record.tally(cells, size * m).reshape(size, m),
        correct_counts=record.tally(cells, size * m, right).reshape(size, m),
        costs=exit_costs(record.stages, active, record.baseline_macs),
        active=active,
        pooled=record.pool is not None,
        full_correct=by_group(full),
        helped=by_group(right & ~full),
        n=record.tally(groups, size),
        baseline_macs=record.baseline_macs,
        reference=record.reference,
        paid=None if paid is None else [paid.take(groups == group) for group in range(size)],
    )
