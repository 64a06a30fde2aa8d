"""Which samples to look at, and in which order: what a filter asks for, what it finds, and what it would find without.

Samples are numbered as in the record that they were followed in, from 0.  Confidences are compared as float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.samples import KINDS, Outcomes
from cascade_core.support import checks

ORDERS = ("harmed first", "least sure", "surest", "name")
"""Harmed samples, then helped ones, then all others, the least sure first in each; by confidence where a sample leaves;
or by its id.  The record's order decides between equals."""


@dataclass(frozen=True, kw_only=True)
class SampleFilter:
    """Which samples to look at, and in which order; samples meet all of it.

    Attributes:
        kind: A name in `KINDS`.
        label: True class number; None = any.
        answer: Class number answered where they leave; None = any.
        stage: Where they leave; None = anywhere.
        at: Stage that they reach and whose confidence is meant by `low` and `high`; None = where they leave.
        low, high: Ends of that confidence, both included.
        order: One of `ORDERS`.

    Raises:
        ValueError: A name is unknown.
    """

    kind: str = "all"
    label: int | None = None
    answer: int | None = None
    stage: int | None = None
    at: int | None = None
    low: float = -np.inf
    high: float = np.inf
    order: str = ORDERS[0]

    def __post_init__(self) -> None:
        checks.one_of("kind", self.kind, tuple(KINDS))
        checks.one_of("order", self.order, ORDERS)

    def parts(self, samples: Outcomes) -> dict[str, NDArray[np.bool_]]:
        """(N,) whether samples meet each part that asks for something, by its name."""
        met = {}
        if self.kind != "all":
            met["kind"] = KINDS[self.kind](samples)
        if self.label is not None:
            met["label"] = samples.record.labels == self.label
        if self.answer is not None:
            met["answer"] = samples.answers == self.answer
        if self.stage is not None:
            met["stage"] = samples.exit_stages == self.stage
        if self.at is not None or np.isfinite([self.low, self.high]).any():
            met["confidence"] = self._sure(samples)
        return met

    def _sure(self, samples: Outcomes) -> NDArray[np.bool_]:
        """(N,) whether samples reach `at` with a confidence there that is within the ends."""
        at = self.at
        confidence = samples.confidence if at is None else samples.record.confidence[at]
        # A float32 is compared as the user wrote the number: 0.9 takes in the float32 that 0.9 becomes.
        within = (confidence >= np.float32(self.low)) & (confidence <= np.float32(self.high))
        return within if at is None else within & (samples.exit_stages >= at)


def pick(samples: Outcomes, chosen: SampleFilter, ids: Sequence[str]) -> NDArray[np.int64]:
    """Numbers of the samples that meet `chosen`, in its order.

    Args:
        ids: N texts, read when they are to be ordered by name.
    """
    index = np.flatnonzero(_all(samples, list(chosen.parts(samples).values())))
    if chosen.order == "name":
        return np.array(sorted(index.tolist(), key=lambda i: ids[i]), dtype=np.int64)
    confidence = samples.confidence[index]
    if chosen.order == "surest":
        return index[np.argsort(-confidence, kind="stable")]
    if chosen.order == "least sure":
        return index[np.argsort(confidence, kind="stable")]
    rank = 2 - 2 * samples.harmed[index] - samples.helped[index]
    return index[np.lexsort((confidence, rank))]


def without_each(samples: Outcomes, chosen: SampleFilter) -> dict[str, int]:
    """How many samples would meet `chosen` without one of its parts, for each part that asks for something."""
    parts = chosen.parts(samples)
    return {name: int(_all(samples, [met for other, met in parts.items() if other != name]).sum()) for name in parts}


def newly_first(index: NDArray[np.int64], before: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The sample numbers `index` (n,) with those first that `before` lacks, and (n,) whether each is such a one.

    Both groups keep their order.
    """
    new = ~np.isin(index, before)
    order = np.argsort(~new, kind="stable")
    return index[order], new[order]


def _all(samples: Outcomes, met: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """(N,) whether samples meet everything, which they do where nothing is asked for."""
    return np.logical_and.reduce([np.ones(samples.record.n, dtype=bool), *met])
