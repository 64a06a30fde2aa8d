"""Runs of counts: how many samples fall into each cell of a grid of confidences (`simulation.cells`), as a run file.

A row is a cell: for each stage but the last ``stage_m_confidence``, the greatest value of the grid that its samples
reach; for each stage ``stage_m_correct``; and ``count``.  The grid, the score that confidences are of, and what stages
and classes are stand in the metadata (see `schema`).  What single samples were called, and what was answered to them,
is not kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cascade_core.simulation.cells import Cells
from cascade_core.simulation.record import Record
from cascade_core.storage.columns import numbers, read_columns, room_for
from cascade_core.storage.schema import COUNT, COUNTS_SINCE, METADATA_KEY, outputs_fields
from cascade_core.support.files import BadFile, Source, atomic_write, check_suffix
from cascade_core.support.remote import Somewhere, place

MOST_SAMPLES = 1 << 53
"""Up to so many, sums of counts are exact."""


def save_counted(cells: Cells, metadata: Mapping[str, Any], score: str, path: str | Somewhere) -> Path | Somewhere:
    """Write counts of the samples of a run as a run file, atomically; return its path.

    Args:
        metadata: Of the run.
        score: What confidences are.

    Raises:
        ValueError: The name does not end in ``.parquet``.
        OSError: The folder cannot be written; no partial file is left.
    """
    target = place(path)
    check_suffix(target, ".parquet")
    confidence, correct = cells.entries()
    columns: dict[str, Any] = {_confidence(stage): values for stage, values in enumerate(confidence)}
    columns |= {_correct(stage): values for stage, values in enumerate(correct)}
    lowest = zip(cells.grid, cells.least, strict=True)
    grid = [np.unique(np.append(values, least)).tolist() for values, least in lowest]
    kept = {key: value for key, value in metadata.items() if key != "costs_by_sample"}
    about = kept | {"schema_version": COUNTS_SINCE, "softmaxes": False, "counts": {"score": score, "grid": grid}}
    table = pa.table({**columns, COUNT: cells.counts})
    text = json.dumps(about, allow_nan=False, sort_keys=True)
    with atomic_write(target) as temporary:
        table = table.replace_schema_metadata({METADATA_KEY: text.encode()})
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)
    return target


def read_counted(source: Source, metadata: Mapping[str, Any]) -> Record:
    """The record of a run of counts.

    Raises:
        BadFile: A column is missing or of another type, a confidence is not of the grid, or a count is none.
    """
    m = len(metadata["stages"])
    grid = tuple(np.array(values, dtype=np.float32) for values in metadata["counts"]["grid"])
    columns = [*map(_confidence, range(m - 1)), *map(_correct, range(m)), COUNT]
    table = read_columns(source, m, columns, {}, room_for(source))
    counts, confidence = numbers(table, COUNT), [numbers(table, _confidence(stage)) for stage in range(m - 1)]
    if counts.min() < 1 or counts.max() > MOST_SAMPLES or counts.sum(dtype=np.float64) > MOST_SAMPLES:
        raise BadFile(f"expected counts from 1 to {MOST_SAMPLES:,} in all but they go from {counts.min()} on")
    for stage, (values, row) in enumerate(zip(grid, confidence, strict=True)):
        if not np.isin(row, values).all():
            raise BadFile(f"expected column {_confidence(stage)!r} to hold confidences of its grid but some are not")
    fields = outputs_fields(metadata)
    alike: NDArray[np.int64] = np.zeros((m, len(counts)), dtype=np.int64)
    # Nobody asks how sure the last stage is: it answers in any case.
    last = np.full(len(counts), max(float(values[-1]) for values in grid), dtype=np.float32)
    return Record(
        confidence=np.array([*confidence, last], dtype=np.float32),
        predictions=alike,
        correct=np.array([numbers(table, _correct(stage)) for stage in range(m)], dtype=bool),
        labels=alike[0],
        stages=fields["stages"],
        baseline_macs=fields["baseline_macs"],
        score=metadata["counts"]["score"],
        classes=len(metadata["class_names"]),
        reference=fields["reference"],
        weights=counts.astype(np.int64),
        grid=grid,
        answers_known=False,
    )


def _confidence(stage: int) -> str:
    return f"stage_{stage}_confidence"


def _correct(stage: int) -> str:
    return f"stage_{stage}_correct"
