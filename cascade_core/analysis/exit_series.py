"""What a log says over its length, in a fixed number of pieces: exits, confidences, times, audits and labels.

Pieces are of equally many samples, and twice as many where there would be more than `MOST` of them, so that a log of
any length takes as much memory.  All is kept as whole numbers: sums do not depend on how a log was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.storage.exit_logs import Entries

MOST, FIRST = 128, 25
"""Most pieces, and samples of a piece at first."""

PARTS = 1_000_000
"""Confidences are summed in millionths, milliseconds in thousandths of this."""

MOST_SURE = 1e5
"""What a confidence counts as at most, in either direction: sums of whole millionths are exact up to 2^53."""


class ExitSeries:
    """Sums over pieces of the samples that left, in the order in which they were read.

    Attributes:
        n: Samples so far.
        size: Samples of a piece.
        exits: (MOST, M) samples that left at each stage.
        passed, sure: (MOST, M) samples that reached each stage, as far as their confidence there is known, and the sum
            of these in millionths; what audited samples were asked beyond where they left is no part of it.
        timed, spent: (MOST,) samples whose time is known, and nanoseconds in all.
        audited, disagreed: (MOST,) samples.
        labelled, right: (MOST,) samples.
        until: (MOST,) latest time in a piece, in seconds since 1970; 0 where none is known.
    """

    FIELDS = (
        *("exits", "passed", "sure"),
        *("timed", "spent", "audited", "disagreed", "labelled", "right"),
        "until",
    )

    def __init__(self, stages: int) -> None:
        self.n, self.size = 0, FIRST
        self.exits, self.passed, self.sure = (np.zeros((MOST, stages), dtype=np.int64) for _ in range(3))
        self.timed, self.spent, self.audited, self.disagreed, self.labelled, self.right = (
            np.zeros(MOST, dtype=np.int64) for _ in range(6)
        )
        self.until = np.zeros(MOST)

    def add(self, entries: Entries, disagree: NDArray[np.bool_]) -> None:
        """Count more lines; those of late labels belong to the sample that was read before.

        Args:
            disagree: (n,) whether audited samples were answered otherwise than the plain network does.
        """
        left = entries.stage >= 0
        number = np.maximum(self.n - 1 + np.cumsum(left), 0)
        self._make_room(int(number[-1]) if len(number) else 0)
        place = number // self.size
        m = self.exits.shape[1]
        self.exits += _table(place[left], entries.stage[left], m)
        known = np.isfinite(entries.confidence) & (np.arange(m) <= entries.stage[:, None])
        rows, stages = np.nonzero(known)
        self.passed += _table(place[rows], stages, m)
        millionths = np.rint(np.clip(entries.confidence[known], -MOST_SURE, MOST_SURE).astype(np.float64) * PARTS)
        self.sure += _table(place[rows], stages, m, millionths)
        timed = (entries.milliseconds >= 0) & left
        self._count("timed", place[timed])
        nanoseconds = np.rint(np.minimum(entries.milliseconds[timed], 1e8) * PARTS).astype(np.int64)
        np.add.at(self.spent, place[timed], nanoseconds)
        self._count("audited", place[entries.audited])
        self._count("disagreed", place[entries.audited & disagree])
        labelled = (entries.label >= 0) & (entries.answer >= 0)
        self._count("labelled", place[labelled])
        self._count("right", place[labelled & (entries.label == entries.answer)])
        np.maximum.at(self.until, place, np.nan_to_num(entries.time, nan=0.0))
        self.n += int(left.sum())

    def _count(self, name: str, place: NDArray[np.int64]) -> None:
        values: NDArray[np.int64] = getattr(self, name)
        values += np.bincount(place, minlength=MOST)

    def _make_room(self, last: int) -> None:
        while last // self.size >= MOST:
            self.size *= 2
            for name in self.FIELDS:
                whole = getattr(self, name)
                pairs = whole.reshape(MOST // 2, 2, *whole.shape[1:])
                half = pairs.max(axis=1) if name == "until" else pairs.sum(axis=1)
                setattr(self, name, np.concatenate([half, np.zeros_like(half)]))

    @property
    def pieces(self) -> int:
        """Pieces that hold samples."""
        return -(-self.n // self.size)

    def total(self, name: str) -> NDArray[Any]:
        """The sum of a field over all pieces."""
        result: NDArray[Any] = getattr(self, name).sum(axis=0)
        return result

    def state(self) -> dict[str, Any]:
        """All of it, as JSON data."""
        end = max(self.pieces, 1)
        return {"n": self.n, "size": self.size, **{name: getattr(self, name)[:end].tolist() for name in self.FIELDS}}

    @classmethod
    def of(cls, state: Mapping[str, Any], stages: int) -> ExitSeries:
        """What `state` gave."""
        result = cls(stages)
        result.n, result.size = int(state["n"]), int(state["size"])
        for name in cls.FIELDS:
            values = np.array(state[name], dtype=getattr(result, name).dtype)
            getattr(result, name)[: len(values)] = values
        return result


def _table(
    place: NDArray[np.int64], stage: NDArray[np.int64], stages: int, weights: NDArray[np.float64] | None = None
) -> NDArray[np.int64]:
    """(MOST, M) counts of pieces and stages, or sums of whole weights."""
    summed = np.bincount(place * stages + stage, weights, MOST * stages).reshape(MOST, stages)
    result: NDArray[np.int64] = summed.astype(np.int64)
    return result
