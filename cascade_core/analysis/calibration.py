"""How good a stage's confidence is: reliability, and whether it ranks right above wrong.

Calibration says whether 0.9 means right nine times in ten; ranking says whether what is right stands above what is
wrong.  Thresholds are chosen from data, so that ranking decides what a cascade saves, and calibration does not:
`auroc` is the number to look at when an exit is to be judged, `expected_calibration_error` when a confidence is shown
to people, or one threshold is shared by all stages.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.record import Record
from cascade_core.simulation.scores import SCORES
from cascade_core.support import checks


@dataclass(frozen=True, kw_only=True, eq=False)
class Reliability:
    """A stage's samples in bins of confidence, those without samples left out.

    Attributes:
        counts: (B,) samples.
        confidence: (B,) their mean confidence.
        accuracy: (B,) share of them that is right.
    """

    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]


def reliability(record: Record, stage: int, bins: int = 15) -> Reliability:
    """Confidence against accuracy in `bins` bins of equal width.

    Raises:
        ValueError: The record's score is no probability, so that there is nothing to compare accuracy with.
    """
    checks.one_of("score, for calibration,", record.score, [name for name, one in SCORES.items() if one.is_probability])
    checks.whole("bins", bins, 1, 10_000)
    confidence = record.confidence[stage].astype(np.float64)
    index = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    counts, rights = record.tally(index, bins), record.tally(index, bins, record.correct[stage])
    of_each = 1 if record.weights is None else record.weights
    sums = np.bincount(index, weights=confidence * of_each, minlength=bins)
    kept = counts > 0
    return Reliability(counts=counts[kept], confidence=sums[kept] / counts[kept], accuracy=rights[kept] / counts[kept])


def expected_calibration_error(record: Record, stage: int, bins: int = 15) -> float:
    """Mean distance of accuracy from confidence over the bins, weighted by samples; in [0, 1], 0 is calibrated.

    Raises:
        ValueError: As for `reliability`.
    """
    bars = reliability(record, stage, bins)
    return float(np.average(np.abs(bars.accuracy - bars.confidence), weights=bars.counts))


def auroc(record: Record, stage: int) -> float:
    """Probability that a sample that a stage gets right is surer than one that it gets wrong; ties count half.

    Returns:
        In [0, 1], 0.5 is chance; NaN where a stage is always right or always wrong.
    """
    values, place = np.unique(record.confidence[stage], return_inverse=True)
    right = record.correct[stage]
    good, wrong = (record.tally(place, len(values), members).astype(np.float64) for members in (right, ~right))
    if not good.any() or not wrong.any():
        return math.nan
    below = np.cumsum(wrong) - wrong / 2
    return float(good @ below / (good.sum() * wrong.sum()))
