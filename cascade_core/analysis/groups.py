"""What a rule does to the samples of each group, worst group first, with a certificate for all groups at once.

A group is a class, or what a run's columns say of a sample (a camera, a region, a month).  Counts of all groups come
from one pass, `evaluation.count_groups`.  The certificate shares alpha out over the groups (Bonferroni) and bounds each
by betting, so that with probability 1 - alpha no group gives up more than its bound.  A group with few samples has a
wide one: that is all that these samples say of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.points import Setting
from cascade_core.simulation.bounds import ALPHA, mean_interval
from cascade_core.simulation.certificates import drop_bound, rules_of
from cascade_core.simulation.evaluation import Evaluation, count, count_groups
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.groups import CLASS, Groups
from cascade_core.simulation.meters import Meter
from cascade_core.simulation.record import Record


def by_class(record: Record, class_names: Sequence[str]) -> Groups:
    """Samples by their true class; without labels, by the last stage's answer."""
    return Groups(what=CLASS, names=tuple(class_names), of=record.labels)


@dataclass(frozen=True, kw_only=True, eq=False)
class Grouped:
    """What a rule does to each group of samples.

    Attributes:
        groups: Of the samples.
        evaluation: (G,) counts.
        whole: Of all samples together.
        bounds: (G,) upper bounds on the drops that hold at once with probability 1 - `ALPHA`; NaN without samples,
            None where nothing is certified.
    """

    groups: Groups
    evaluation: Evaluation
    whole: Evaluation
    bounds: NDArray[np.float64] | None

    @property
    def worst_first(self) -> NDArray[np.int64]:
        """Numbers of the groups that have samples, the largest drop first."""
        having = np.flatnonzero(self.evaluation.n)
        return having[np.argsort(-self.evaluation.accuracy_drop[having], kind="stable")]

    def costs(self, meter: Meter) -> NDArray[np.float64]:
        """(G, 3) mean cost of the meter's `per` samples, and the ends of its interval; NaN without samples.

        What samples cost that leave at a stage is taken to be what all do that leave there.
        """
        counts, by_exit = self.evaluation.exit_counts, np.asarray(meter.by_exit(self.whole), dtype=np.float64)
        low, high = mean_interval(counts, np.broadcast_to(by_exit, counts.shape))
        return np.column_stack([self.evaluation.exit_shares @ by_exit, low, high])


def evaluate_groups(record: Record, rule: ExitRule, groups: Groups, alpha: float | None = ALPHA) -> Grouped:
    """Count what `rule` does on each group of a record's samples, and bound the drop in all groups at once.

    Args:
        alpha: Probability that a bound is wrong; None where the samples had a part in choosing the rule.

    Raises:
        ValueError: The rule is for other stages or another score, or groups are of other samples.
    """
    if len(groups.of) != record.n:
        raise ValueError(f"Expected groups of {record.n} samples but they are of {len(groups.of)}")
    exits, answered = rule.exit_stages(record), rule.answered(record)
    return Grouped(
        groups=groups,
        evaluation=count_groups(answered, exits, rule.active, groups.of, len(groups.names)),
        whole=count(answered, exits, rule.active),
        bounds=None if alpha is None else group_bounds(record, rule, groups, alpha),
    )


def groups_at(setting: Setting, groups: Groups) -> Grouped:
    """What the rule of a setting does on each group of the test samples.

    Whoever drags a slider until they like what they see has looked at all its rules: bounds hold in all groups and at
    all positions at once.  There are none in-sample, nor of thresholds set by hand.
    """
    exploration = setting.exploration
    nothing = exploration.split.in_sample or setting.is_by_hand
    alpha = None if nothing else ALPHA / max(1, rules_of(exploration.path))
    return evaluate_groups(exploration.test, setting.rule, groups, alpha)


def group_bounds(record: Record, rule: ExitRule, groups: Groups, alpha: float = ALPHA) -> NDArray[np.float64]:
    """(G,) upper bounds on a rule's drops in the groups, all of which hold with probability 1 - alpha.

    The number of groups must not depend on what the samples answer; those without samples take no share of alpha.
    """
    having = groups.occurring
    bounds = np.full(len(groups.names), np.nan)
    for group in having.tolist():
        bounds[group] = drop_bound(record.take(groups.members(group)), rule, alpha / len(having))
    return bounds
