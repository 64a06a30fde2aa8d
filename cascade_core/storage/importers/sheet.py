"""A table as readers hand it on: columns by name, list columns as matrices, and what an editor calls its rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cascade_core.storage.importers.naming import (
    EITHER,
    LOGITS,
    PROBS,
    class_column,
    label_column,
    meaning,
    stage_column,
)
from cascade_core.support.files import BadFile

MAX_COLUMNS = 32_768
"""Most columns of a table; a row of more is a line of an archive, and takes seconds to name."""

TEXTS = ("sample_ids", "stage")
"""Columns that may be texts or numbers."""


@dataclass(kw_only=True)
class Sheet:
    """A table.

    Attributes:
        frame: Its columns of one value a row.
        matrices: Its list columns, (rows, width) numbers by name.
        first: The number by which an editor calls the first row.
        names: What the file calls all of its columns, also those that no importer reads; None where these are all.
        lines: Rows that the file has, where each holds all stages and was taken apart; None where each is one of these.
    """

    frame: pd.DataFrame
    first: int
    matrices: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    names: Sequence[str] | None = None
    lines: int | None = None

    @property
    def columns(self) -> list[str]:
        """What the file calls all of its columns."""
        return [*map(str, self.frame.columns), *self.matrices] if self.names is None else list(self.names)

    def row(self, index: Any) -> int:
        """What an editor calls a row."""
        return (int(index) if self.lines is None else int(index) % self.lines) + self.first


def is_wanted(name: str) -> bool:
    """Whether an importer reads a column of this name."""
    of_a_row = meaning(name) is not None or class_column(name) is not None or label_column(name) is not None
    return of_a_row or stage_column(name) is not None


def is_list_wanted(name: str) -> bool:
    """Whether an importer reads a list column of this name."""
    return meaning(name) in (PROBS, LOGITS, EITHER, "labels")


def too_many_columns(count: int) -> BadFile:
    """What is said of a table of so many."""
    return BadFile(
        f"expected at most {MAX_COLUMNS:,} columns but the first row names {count:,}; "
        "a NumPy archive may hold more classes"
    )


def check_count(names: Collection[str]) -> None:
    """Refuse tables of too many columns."""
    if len(names) > MAX_COLUMNS:
        raise too_many_columns(len(names))


def matrix(name: str, lengths: NDArray[np.int64], flat: NDArray[Any], first: int) -> NDArray[Any]:
    """(rows, width) the numbers of a list column.

    Raises:
        BadFile: Rows hold lists of different lengths.
    """
    for i in np.flatnonzero(lengths != lengths[:1])[:1]:
        raise BadFile(
            f"expected lists of one length in column {name!r} but row {i + first} has {lengths[i]} where row {first} "
            f"has {lengths[0]}"
        )
    return flat.reshape(len(lengths), int(lengths[0]) if len(lengths) else 0)
