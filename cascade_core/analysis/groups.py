"""What a rule does to the samples of each group, worst group first, with a certificate for all groups at once.

A group is a class, or what a table says of a sample (a camera, a region, a month).  Counts of all groups come from one
pass, `evaluation.count_groups`.  The certificate shares alpha out over the groups (Bonferroni) and bounds each by
betting, so that with probability 1 - alpha no group gives up more than its bound.  A group with few samples has a wide
one: that is all that these samples say of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.bounds import ALPHA
from cascade_core.simulation.certificates import drop_bound
from cascade_core.simulation.evaluation import Evaluation, count_groups
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.groups import CLASS, Groups
from cascade_core.simulation.record import Record


def by_class(record: Record, class_names: tuple[str, ...]) -> Groups:
    """Samples by their true class; without labels, by the last stage's answer."""
    return Groups(what=CLASS, names=class_names, of=record.labels)


@dataclass(frozen=True, kw_only=True, eq=False)
class Grouped:
    """What a rule does to each group of samples.

    Attributes:
        groups: Of the samples.
        evaluation: (G,) counts.
        bounds: (G,) upper bounds on the drops that hold at once with probability 1 - `ALPHA`; NaN without samples,
            None where the samples chose the thresholds.
    """

    groups: Groups
    evaluation: Evaluation
    bounds: NDArray[np.float64] | None

    @property
    def worst_first(self) -> NDArray[np.int64]:
        """Numbers of the groups that have samples, the largest drop first."""
        having = np.flatnonzero(self.evaluation.n)
        return having[np.argsort(-self.evaluation.accuracy_drop[having], kind="stable")]


def evaluate_groups(record: Record, rule: ExitRule, groups: Groups, *, certify: bool = True) -> Grouped:
    """Count what `rule` does on each group of a record's samples, and bound the drop in all groups at once.

    Args:
        certify: Whether the samples had no part in choosing the rule.

    Raises:
        ValueError: The rule is for other stages or another score, or groups are of other samples.
    """
    if len(groups.of) != record.n:
        raise ValueError(f"Expected groups of {record.n} samples but they are of {len(groups.of)}")
    exits, size = rule.exit_stages(record), len(groups.names)
    evaluation = count_groups(rule.answered(record), exits, rule.active, groups.of, size)
    bounds = group_bounds(record, rule, groups) if certify else None
    return Grouped(groups=groups, evaluation=evaluation, bounds=bounds)


def group_bounds(record: Record, rule: ExitRule, groups: Groups, alpha: float = ALPHA) -> NDArray[np.float64]:
    """(G,) upper bounds on a rule's drops in the groups, all of which hold with probability 1 - alpha.

    The number of groups must not depend on what the samples answer; those without samples take no share of alpha.
    """
    having = np.unique(groups.of)
    bounds = np.full(len(groups.names), np.nan)
    for group in having.tolist():
        part = record.take(np.flatnonzero(groups.of == group))
        bounds[group] = drop_bound(part, rule, alpha / len(having))
    return bounds
