"""The axis on which confidences are shown.

Trained networks put most samples within a hair of 1.0, where a linear axis shows one bar.  Scores
that end at 1 are therefore shown on a scale of nines, -log10(1 - confidence): 0.9 is one nine, 0.99
two.  Others are shown as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cascade_core.simulation.scores import GIVEN, SCORES, range_of, score_range

NINES = 5.0
"""End of the scale of nines; what is surer than 0.99999 stands in the last bin."""

BINS = 60

GRID = 1000
"""Steps of a threshold that is set by hand, from one end of the axis to the other."""


@dataclass(frozen=True, kw_only=True)
class ConfidenceAxis:
    """A monotone map of a score to [0, 1], cut into bins.

    Attributes:
        label: What the axis shows.
        ticks: Places in [0, 1] and their texts.
        low, high: Ends of a linear axis: the least and the greatest value of the score.
        nines: Whether this is a scale of nines.
    """

    label: str
    ticks: tuple[tuple[float, str], ...]
    low: float
    high: float
    nines: bool

    def place(self, confidence: ArrayLike) -> NDArray[np.float64]:
        """Places in [0, 1] of confidences of any shape; an infinite threshold is placed at 1."""
        values = np.asarray(confidence, dtype=np.float64)
        if not self.nines:
            return np.clip((values - self.low) / (self.high - self.low), 0.0, 1.0)
        remainder = np.clip(1.0 - values, 10.0**-NINES, 1.0)
        return np.clip(-np.log10(remainder) / NINES, 0.0, 1.0)

    @property
    def steps(self) -> tuple[float, ...]:
        """Confidences worth cutting at, from the least to the largest of the score, closer where samples lie closer."""
        if not self.nines:
            return tuple(np.linspace(self.low, self.high, 11).tolist())
        return (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999, 0.99999, 1.0)

    @cached_property
    def edges(self) -> NDArray[np.float32]:
        """(BINS - 1,) the least confidence of each bin but the first."""
        goals = np.arange(1, BINS)
        low, high = np.full(BINS - 1, self.low), np.full(BINS - 1, self.high)
        for _ in range(40):  # halvings: float32 tells no more apart
            middle = (low + high) / 2
            reached = self.bins(middle.astype(np.float32)) >= goals
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        return high.astype(np.float32)

    @cached_property
    def grid(self) -> NDArray[np.float32]:
        """Thresholds worth setting by hand, rising: short decimals closer than pixels, and the edges of bins."""
        places = np.linspace(0.0, 1.0, GRID + 1)
        if self.nines:
            # Three digits tell neighbours apart: 0.9 is followed by 0.901, 0.99 by 0.9901.
            remainder = 10.0 ** (-NINES * places)
            digits = np.ceil(-np.log10(remainder)).astype(int) + 2
            values = np.array([round(1.0 - rest, int(few)) for rest, few in zip(remainder, digits, strict=True)])
        else:
            width = self.high - self.low
            values = np.round(self.low + width * places, 4 - math.floor(math.log10(width)))
        return np.unique(np.concatenate([values.astype(np.float32), self.edges]))

    def bins(self, confidence: ArrayLike) -> NDArray[np.int64]:
        """Bin numbers, from 0 to BINS - 1, of confidences of any shape."""
        return np.minimum((self.place(confidence) * BINS).astype(np.int64), BINS - 1)


def confidence_axis(score: str, classes: int, confidence: NDArray[np.float32] | None = None) -> ConfidenceAxis:
    """The axis for a score in `scores.SCORES`, with `classes` classes.

    Args:
        confidence: Those that are to be shown, of any shape; needed where they came with the answers, on any scale.
    """
    about = SCORES[score]
    if confidence is None:
        low, high = score_range(score, max(classes, 2))
    else:
        low, high = range_of(confidence, score, max(classes, 2))
    if low >= 0 and high == 1:
        texts = ("0", "0.9", "0.99", "0.999", "0.9999", "0.99999")
        ticks = tuple((i / NINES, text) for i, text in enumerate(texts))
        return ConfidenceAxis(label=f"{about.axis}, on a scale of nines", ticks=ticks, low=0.0, high=1.0, nines=True)
    write = "{:.2f}" if score != GIVEN else "{:.4g}"
    ticks = tuple((place, write.format(low + (high - low) * place)) for place in (0.0, 0.25, 0.5, 0.75, 1.0))
    return ConfidenceAxis(label=about.axis, ticks=ticks, low=low, high=high, nines=False)
