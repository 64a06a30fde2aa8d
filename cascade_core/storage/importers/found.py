"""What a reader hands on: arrays by this project's names, and how their places are called in messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Place = Callable[[int, int], str]
"""How messages call a sample at a stage."""


def of_arrays(stage: int, sample: int) -> str:
    """Places in arrays are counted from 0."""
    return f"stage {stage}, sample {sample}"


@dataclass(kw_only=True)
class Found:
    """What a file holds, named but not yet judged.

    Attributes:
        arrays: By names of `naming`: "probs", "logits" or "predictions" (in a table always of shape (M, N, K)),
            "labels", ...
        place: How a sample at a stage is called.
        label_place: How a sample's label is called.
        rows: (M, N) rows of a table, by which the first fault is found; None where stage and sample say it.
        notes: Lines on what was mended or supposed so far.
        names: What the file calls all that it holds, read or not.
        named_stages: Whether stages stand in the order in which a table first names them, and nothing confirms that.
    """

    arrays: dict[str, Any]
    place: Place = of_arrays
    label_place: Callable[[int], str] = "sample {}".format
    rows: NDArray[np.int64] | None = None
    notes: list[str] = field(default_factory=list)
    names: Sequence[str] = ()
    named_stages: bool = False

    def first(self, wrong: NDArray[np.bool_]) -> tuple[int, int]:
        """The first stage and sample of those that are wrong, (M, N) with one at least."""
        at = np.argwhere(wrong)
        stage, sample = at[0] if self.rows is None else at[np.argmin(self.rows[wrong])]
        return int(stage), int(sample)
