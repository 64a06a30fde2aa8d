"""Counts of samples on a joint grid: what is left of more samples than memory holds.

A cell is a place on each early stage's grid of confidences, and which stages are right.  How many samples fall into
each is all that thresholds of the grid are chosen and judged by: whatever is counted at them is exact.  Counts of
parts of the samples add up to those of all, in any order.

Grids begin fine.  Where more cells are occupied than `MOST_CELLS`, every second value of one stage's grid is left out,
one stage after the other, until they are few enough.  Parts never have more occupied cells than the whole, so that the
grid at the end hangs on all samples together and not on how they were divided.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_CELLS = 1 << 19
"""Occupied cells from which on grids are made coarser."""

FINEST = {2: 4096}
"""Values of a stage's grid before any is left out, by the number of stages."""

FINE = 256
"""The same of more stages."""

MOST_STAGES = 12
"""With more, cells would be too many on the coarsest grid there is, by which stages are right alone."""

Grid = tuple[NDArray[np.float32], ...]


def finest(stages: int) -> int:
    """How many values grids of so many stages begin with: as many as let every cell have a number in 64 bits.

    Raises:
        ValueError: There are less than two stages, or more than `MOST_STAGES`.
    """
    if not 2 <= stages <= MOST_STAGES:
        raise ValueError(f"Expected 2 to {MOST_STAGES} stages to count samples of but there are {stages}")
    return min(FINEST.get(stages, FINE), math.floor(2 ** ((62 - stages) / (stages - 1))) - 1)


def quantiles(confidence: NDArray[np.float32]) -> Grid:
    """A grid for each early stage: confidences (M-1, n) of some samples at equal ranks, rising, from least to most."""
    size = finest(len(confidence) + 1)
    ranks = np.linspace(0, confidence.shape[1] - 1, size).round().astype(np.int64)
    return tuple(np.unique(np.sort(row)[ranks]) for row in confidence)


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """How many samples are in each cell that is occupied.

    Attributes:
        finest: For each stage but the last, its grid before any value was left out, rising.
        halvings: How often every second value of a stage's grid was left out: of the first stage, of the next, ...
        least: (M-1,) least confidence of all samples; infinite of none.
        codes: (C,) int64 numbers of the cells, rising; see `_packed`.
        counts: (C,) int64 samples in each.
    """

    finest: Grid
    halvings: int
    least: NDArray[np.float32]
    codes: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def none(cls, grid: Grid) -> Cells:
        """No samples, on a grid."""
        empty = np.empty(0, dtype=np.int64)
        least = np.full(len(grid), np.inf, dtype=np.float32)
        return cls(finest=grid, halvings=0, least=least, codes=empty, counts=empty)

    def of(self, confidence: NDArray[np.float32], correct: NDArray[np.bool_]) -> Cells:
        """Some samples on this grid.

        Args:
            confidence: (M-1, n) of the early stages.
            correct: (M, n) bool.
        """
        grid = self.grid
        places = [
            len(values) - np.searchsorted(values, row, side="right")
            for values, row in zip(grid, confidence, strict=True)
        ]
        right = np.zeros(correct.shape[1], dtype=np.int64)
        for stage, row in enumerate(correct):
            right |= row.astype(np.int64) << stage
        codes, counts = np.unique(_packed(grid, places, right), return_counts=True)
        return Cells(
            finest=self.finest, halvings=self.halvings, least=confidence.min(axis=1), codes=codes, counts=counts
        )

    @property
    def n(self) -> int:
        """Number of samples."""
        return int(self.counts.sum())

    @property
    def grid(self) -> Grid:
        """For each stage but the last, the values of its grid that are left, rising; the greatest always is."""
        steps = [
            1 << (self.halvings + len(self.finest) - 1 - stage) // len(self.finest) for stage in range(len(self.finest))
        ]
        return tuple(values[::-1][::step][::-1] for values, step in zip(self.finest, steps, strict=True))

    def __add__(self, other: Cells) -> Cells:
        """All samples of both, which were counted on one grid."""
        halvings = max(self.halvings, other.halvings)
        one, two = self._halved(halvings), other._halved(halvings)
        codes, counts = _merged(np.append(one.codes, two.codes), np.append(one.counts, two.counts))
        least = np.minimum(self.least, other.least)
        both = Cells(finest=self.finest, halvings=halvings, least=least, codes=codes, counts=counts)
        while len(both.codes) > MOST_CELLS and any(len(values) > 1 for values in both.grid):
            both = both._halved(both.halvings + 1)
        return both

    def _halved(self, halvings: int) -> Cells:
        """The same on a grid from which values were left out so often."""
        result = self
        while result.halvings < halvings:
            grid, stage = result.grid, result.halvings % len(result.finest)
            places, right = _unpacked(grid, result.codes)
            # A place counts the values that are not reached; of the greatest, the third greatest ... are left.
            places[stage] = (places[stage] + 1) // 2
            coarser = Cells(
                finest=result.finest,
                halvings=result.halvings + 1,
                least=result.least,
                codes=result.codes,
                counts=result.counts,
            )
            codes, counts = _merged(_packed(coarser.grid, places, right), result.counts)
            result = Cells(
                finest=result.finest, halvings=coarser.halvings, least=result.least, codes=codes, counts=counts
            )
        return result

    def entries(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """(M-1, C) the greatest value of the grid that each cell's samples reach, and (M, C) which stages are right."""
        places, right = _unpacked(self.grid, self.codes)
        falling = [np.append(values[::-1], least) for values, least in zip(self.grid, self.least, strict=True)]
        confidence = np.array([values[place] for values, place in zip(falling, places, strict=True)], dtype=np.float32)
        return confidence, (right >> np.arange(len(self.finest) + 1)[:, None] & 1).astype(bool)


def _packed(grid: Grid, places: Sequence[NDArray[np.int64]], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """(C,) numbers of cells: digits of how many values of each stage's grid are not reached, then bits of the right."""
    code = np.zeros(len(right), dtype=np.int64)
    for values, place in zip(grid, places, strict=True):
        code = code * (len(values) + 1) + place
    return code << (len(grid) + 1) | right


def _unpacked(grid: Grid, codes: NDArray[np.int64]) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """The places and bits that `_packed` was given."""
    bits = len(grid) + 1
    rest, right = codes >> bits, codes & ((1 << bits) - 1)
    places = []
    for values in reversed(grid):
        rest, place = np.divmod(rest, len(values) + 1)
        places.append(place)
    return places[::-1], right


def _merged(codes: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Different codes, rising, and what the counts of each add up to."""
    if not len(codes):
        return codes, counts
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    return ordered[starts], np.add.reduceat(counts[order], starts)
