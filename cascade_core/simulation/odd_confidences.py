"""Confidences by which no stage can tell what it knows: all equal, or higher where answers are wrong.

The last stage always answers, so that nothing hangs on its confidence, and it is not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.record import Record
from cascade_core.support import wording

NAMED = 3
"""Most stages that are named."""

CLEAR = 3
"""Standard deviations of chance beyond which confidence is taken to run the other way."""


def odd_confidences(record: Record) -> list[str]:
    """A line on each kind of stage whose confidence tells nothing, or the opposite."""
    early = list(zip(record.stage_names, record.confidence, record.correct, strict=True))[:-1]
    equal = [name for name, sure, _ in early if sure.min() == sure.max()]
    turned = [name for name, sure, right in early if advantage(sure, right) < -CLEAR]
    lines = []
    if equal:
        lines.append(
            f"Confidence is the same for every answer of {stages_named(equal)}: all leave there, or none, and nothing "
            "is told apart by it."
        )
    if turned:
        lines.append(
            f"Answers of {stages_named(turned)} are {record.terms.wrong} more often the surer it is: does the file "
            "hold uncertainty, such as an entropy, a distance or a rank, in place of confidence? Then give it with the "
            "other sign."
        )
    return lines


def advantage(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> float:
    """How much surer a stage is of its right answers, in standard deviations of what chance gives.

    The rank test of Mann & Whitney (1947), tied confidences at the middle of their ranks; 0 where all are right, or
    all wrong.
    """
    n, rights = len(right), int(right.sum())
    if not 0 < rights < n:
        return 0.0
    _, place, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    excess = float(ranks[place][right].sum()) - rights * (n + 1) / 2
    return excess / sqrt(rights * (n - rights) * (n + 1) / 12)


def stages_named(names: Sequence[str]) -> str:
    """Some stages, by the names of the first."""
    return f"stage {wording.listed([repr(name) for name in names], NAMED)}"
