"""Runs larger than memory, read once from end to end: their samples counted on a grid (`simulation.cells`).

Rows are read a piece at a time, the columns alone that say how sure stages are and whether they are right; memory does
not grow with the run.  Counts of pieces add up, so that a cluster counts them as one machine does.  The grid comes from
rows of several places of the run, read before.  Ids are not read, and so not compared: whether a sample is there twice
is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cascade_core.simulation import scores
from cascade_core.simulation.cells import Cells, quantiles
from cascade_core.storage.columns import checked_rows, column_names, files_of, numbers
from cascade_core.storage.parquet import opened_parquet
from cascade_core.storage.reading import read_metadata
from cascade_core.storage.schema import STORED_SCORES, has_softmaxes, is_counted
from cascade_core.support import checks
from cascade_core.support.files import BadFile, Source, readable
from cascade_core.support.remote import Place, place

ROWS = 1 << 20
"""Rows that are held at once."""

PLACES = 32
"""Places of a run at which rows are read for the grid."""

PLACE_ROWS = 1 << 13
"""Rows that are read at each."""

Piece = Sequence[tuple[int, int]]
"""Groups of rows that are counted together: the number of the part, and that of its group of rows."""

Spread = Callable[[Callable[[Piece], Cells], Sequence[Piece]], Iterable[Cells]]
"""Applies a function to pieces, in any order, as `map` does."""

Progress = Callable[[int, int], None]
"""Told how many rows were counted, of how many."""


class Rows:
    """What is read of a run's rows: confidences of the early stages, and which stages are right.

    Args:
        score: A name in `scores.SCORES`; None = the usual one.

    Raises:
        BadFile: It is no run, or a column is missing or of another type.
        ValueError: The run has no such score, is one of counts, or costs differ from sample to sample.
    """

    def __init__(self, path: Place, score: str | None = None) -> None:
        self.metadata = read_metadata(path)
        self.parts = files_of(path)
        self.stages = len(self.metadata["stages"])
        self.score = _score(self.metadata, score)
        answers_alone = not has_softmaxes(self.metadata)
        self.judged = answers_alone and all("stage_0_correct" in column_names(part) for part in self.parts)
        what = "correct" if self.judged else "prediction"
        early = [f"stage_{stage}_{self._column}" for stage in range(self.stages - 1)]
        said = [f"stage_{stage}_{what}" for stage in range(self.stages)]
        self.columns = [*early, *said, *([] if self.judged else ["label"])]
        self.sizes = [checked_rows(part, self.stages, self.columns, {}) for part in self.parts]
        self.groups = [_groups(part) for part in self.parts]

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Names of the stages, first to last."""
        return tuple(stage["name"] for stage in self.metadata["stages"])

    @property
    def n(self) -> int:
        """Rows in all."""
        return sum(self.sizes)

    @property
    def _column(self) -> str:
        return self.score if has_softmaxes(self.metadata) else "confidence"

    def pieces(self) -> list[Piece]:
        """All groups of rows, as many together as come to `ROWS`."""
        pieces, room = list[list[tuple[int, int]]](), 0
        for part, of in enumerate(self.groups):
            for group, rows in enumerate(of):
                if rows > room or not pieces:
                    pieces.append([])
                    room = ROWS
                pieces[-1].append((part, group))
                room -= rows
        return list(pieces)

    def count(self, none: Cells, piece: Piece) -> Cells:
        """The rows of a piece, on the grid of `none`.

        Raises:
            BadFile: A part cannot be read, or a value does not fit.
        """
        for part, groups in groupby(piece, key=itemgetter(0)):
            for confidence, correct in self._batches(self.parts[part], [group for _, group in groups]):
                none += none.of(confidence, correct)
        return none

    def some(self) -> NDArray[np.float32]:
        """(M-1, n) confidences of rows at several places of the run."""
        groups = [(part, group) for part, of in zip(self.parts, self.groups, strict=True) for group in range(len(of))]
        chosen = np.unique(np.linspace(0, len(groups) - 1, PLACES).round().astype(int))
        # Of few places more rows each.
        rows = PLACE_ROWS * PLACES // len(chosen)
        places = [groups[place] for place in chosen.tolist()]
        firsts = [next(self._batches(part, [group], rows), None) for part, group in places]
        return np.concatenate([first[0] for first in firsts if first is not None], axis=1)

    def _batches(
        self, part: Source, groups: list[int], rows: int | None = None
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
        """Confidences (M-1, n) and rightness (M, n) of groups of rows, some at a time."""
        with readable(part), opened_parquet(part) as opened:
            for batch in opened.iter_batches(batch_size=rows or ROWS, row_groups=groups, columns=self.columns):
                if batch.num_rows:
                    yield self._checked(pa.Table.from_batches([batch]))

    def _checked(self, table: pa.Table) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        for name in self.columns:
            if table[name].null_count:
                raise BadFile(f"expected column {name!r} to be complete but it has missing values")
        said = {name: numbers(table, name) for name in self.columns}
        confidence = np.array([said[name] for name in self.columns[: self.stages - 1]], dtype=np.float32)
        self._check_range(confidence)
        names = self.columns[self.stages - 1 : 2 * self.stages - 1]
        right = [said[name] == (1 if self.judged else said["label"]) for name in names]
        return confidence, np.array(right)

    def _check_range(self, confidence: NDArray[np.float32]) -> None:
        low, high = scores.score_range(self.score, len(self.metadata["class_names"]))
        slack = 2 * scores.SUM_TOLERANCE * (1 + max(abs(low), abs(high))) if np.isfinite(high - low) else 0.0
        if not (np.isfinite(confidence) & (confidence >= low - slack) & (confidence <= high + slack)).all():
            raise BadFile(f"expected every {self._column} to be a number from {low:.4g} to {high:.4g} but some are not")


def count_run(
    path: str | Place, score: str | None = None, progress: Progress | None = None, spread: Spread = map
) -> tuple[Rows, Cells]:
    """Count the samples of a run on a grid of confidences, in one pass.

    Args:
        spread: Who counts pieces: `map` here, or a cluster; the counts are the same.

    Returns:
        What was read, and the counts.

    Raises:
        BadFile, ValueError: As for `Rows`; or a value does not fit, or there are no samples.
    """
    source = place(path)
    with readable(source):
        rows = Rows(source, score)
        if not rows.n:
            raise BadFile("it holds no samples")
        none = cells = Cells.none(quantiles(rows.some()))
        for counted in spread(partial(rows.count, none), rows.pieces()):
            cells += counted
            if progress is not None:
                progress(cells.n, rows.n)
    return rows, cells


def _groups(part: Source) -> list[int]:
    """How many rows each group has."""
    with opened_parquet(part) as opened:
        return [int(opened.metadata.row_group(group).num_rows) for group in range(opened.num_row_groups)]


def _score(metadata: dict[str, Any], score: str | None) -> str:
    """What confidences are to be; ValueError where the run cannot be counted by it."""
    if is_counted(metadata):
        raise ValueError("Expected a run of single samples but this one holds counts already")
    if metadata.get("costs_by_sample"):
        raise ValueError("Expected samples that cost alike but this run says of each what it costs; no count does")
    known: Sequence[str] = STORED_SCORES if has_softmaxes(metadata) else (scores.GIVEN,)
    return checks.one_of("score", known[0] if score is None else score, known)
