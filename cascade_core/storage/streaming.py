"""Runs larger than memory, read once from end to end: their samples counted on a grid (`simulation.cells`).

Rows are read some at a time, the columns alone that say how sure stages are and whether they are right; memory does not
grow with the run.  The grid comes from rows of several places of the run, read before.  Ids are not read, and so not
compared: whether a sample is there twice is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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

    def read(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
        """Confidences (M-1, n) and rightness (M, n) of all rows, some at a time."""
        for part in self.parts:
            yield from self._batches(part)

    def some(self) -> NDArray[np.float32]:
        """(M-1, n) confidences of rows at several places of the run."""
        groups = [(part, group) for part in self.parts for group in range(_groups(part))]
        chosen = np.unique(np.linspace(0, len(groups) - 1, PLACES).round().astype(int))
        # Of few places more rows each.
        rows = PLACE_ROWS * PLACES // len(chosen)
        places = [groups[place] for place in chosen.tolist()]
        firsts = [next(self._batches(part, group, rows), None) for part, group in places]
        return np.concatenate([first[0] for first in firsts if first is not None], axis=1)

    def _batches(
        self, part: Source, group: int | None = None, rows: int = ROWS
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
        """The rows of a part, or of one of its groups of rows."""
        groups = None if group is None else [group]
        with readable(part), opened_parquet(part) as opened:
            for batch in opened.iter_batches(batch_size=rows, row_groups=groups, columns=self.columns):
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


def count_run(path: str | Place, score: str | None = None, progress: Progress | None = None) -> tuple[Rows, Cells]:
    """Count the samples of a run on a grid of confidences, in one pass.

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
        cells = Cells.none(quantiles(rows.some()))
        done = 0
        for confidence, correct in rows.read():
            cells += cells.of(confidence, correct)
            done += correct.shape[1]
            if progress is not None:
                progress(done, rows.n)
    return rows, cells


def _groups(part: Source) -> int:
    with opened_parquet(part) as opened:
        return int(opened.metadata.num_row_groups)


def _score(metadata: dict[str, Any], score: str | None) -> str:
    """What confidences are to be; ValueError where the run cannot be counted by it."""
    if is_counted(metadata):
        raise ValueError("Expected a run of single samples but this one holds counts already")
    if metadata.get("costs_by_sample"):
        raise ValueError("Expected samples that cost alike but this run says of each what it costs; no count does")
    known: Sequence[str] = STORED_SCORES if has_softmaxes(metadata) else (scores.GIVEN,)
    return checks.one_of("score", known[0] if score is None else score, known)
