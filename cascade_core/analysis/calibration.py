"""How good a stage's confidence is: temperature scaling, reliability, and whether it ranks right above wrong.

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

from cascade_core.simulation.record import Record, StageOutputs
from cascade_core.simulation.scores import SCORES
from cascade_core.support import checks

TEMPERATURES = (0.02, 50.0)
"""Ends of the search; a stage that knows nothing would be made softer for ever."""


def fit_temperatures(outputs: StageOutputs) -> tuple[float, ...]:
    """For each stage the temperature under which its log-softmaxes make the labels most likely.

    Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks" (ICML 2017): one number a stage, which
    leaves every answer as it is.  Fit it on calibration samples only.

    Returns:
        M numbers > 0, for `StageOutputs.record` and, in the rules chosen on that record, for the JSON.
    """
    # SciPy takes a third of a second to import, and few need it.
    from scipy.optimize import minimize_scalar

    tiny = np.finfo(np.float32).tiny  # what a softmax of 0 stands for: the least that was not rounded away
    own = np.arange(len(outputs.labels)), outputs.labels
    fitted = []
    for probs in outputs.probs:
        logs = np.log(np.maximum(probs, tiny, dtype=np.float64))

        def loss(log_temperature: float, logs: NDArray[np.float64] = logs) -> float:
            scaled = logs / math.exp(log_temperature)
            top = scaled.max(axis=1, keepdims=True)
            total = np.log(np.exp(scaled - top).sum(axis=1)) + top[:, 0]
            return float((total - scaled[own]).mean())

        best = minimize_scalar(loss, bounds=tuple(map(math.log, TEMPERATURES)), method="bounded")
        fitted.append(math.exp(best.x))
    return tuple(fitted)


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
    counts = np.bincount(index, minlength=bins)
    sums, rights = (np.bincount(index, weights=x, minlength=bins) for x in (confidence, record.correct[stage]))
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
    confidence, right = record.confidence[stage], record.correct[stage]
    wrong, good = np.sort(confidence[~right]), confidence[right]
    if not wrong.size or not good.size:
        return math.nan
    below = np.searchsorted(wrong, good, side="left").sum() + np.searchsorted(wrong, good, side="right").sum()
    return float(below / 2 / (wrong.size * good.size))
