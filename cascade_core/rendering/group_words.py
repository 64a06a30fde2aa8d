"""What is certain of groups of samples, in sentences that page, report and command line share."""

from __future__ import annotations

from cascade_core.analysis.groups import Grouped
from cascade_core.simulation.bounds import CERTAINTY

FEW = 100
"""Samples below which a group is said to be small."""


def certified_in_groups(grouped: Grouped) -> str:
    """What the column of certified drops promises; or that there is none."""
    if grouped.bounds is None:
        return "Nothing is certified of samples that chose the thresholds, nor of thresholds set by hand."
    drop = grouped.evaluation.terms.short_drop
    return (
        f"With {CERTAINTY} confidence, no group's {drop} on new samples is above its certified one, in all groups and "
        "at all positions of the slider at once."
    )


def few_samples(grouped: Grouped) -> str:
    """A sentence on small groups; empty where there are none."""
    sizes = grouped.evaluation.n
    small = int(((sizes > 0) & (sizes < FEW)).sum())
    if not small:
        return ""
    those = "1 group has" if small == 1 else f"{small:,} groups have"
    return f"{those} fewer than {FEW} samples, which say little: their intervals and certified drops are wide."
