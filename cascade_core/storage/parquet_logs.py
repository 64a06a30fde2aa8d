"""Exit logs as Parquet, with the columns of `exit_logs.SCHEMA`: read a group of rows at a time, and written as a whole.

Such a file does not grow: it is there when it is finished, and rows take the place of bytes as what was read of it.
Columns that it lacks say nothing, others are not looked at.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cascade_core.storage.exit_logs import SCHEMA, Entries, counted, tabled
from cascade_core.storage.parquet import opened_parquet
from cascade_core.support.files import BadFile, Source, append, atomic_write

ENDING = ".parquet"

ROWS = 1 << 15
"""Rows that are read, and written, at once."""

NEEDED = ({"time", "stage"}, {"answer", "label"})
"""Columns of which a log has one pair or the other."""


def about(source: Source, stages: Sequence[str]) -> tuple[str, float, int]:
    """What a file is known by, the time of its first row (0 without one), and how many rows it has.

    Raises:
        BadFile: It is no Parquet file, or has no columns of a log.
    """
    with opened_parquet(source) as file:
        key = hashlib.sha256(repr(file.metadata.to_dict()).encode()).hexdigest()[:16]
        first = next(_batches(file, 0, 1), None)
        return key, 0.0 if first is None else Entries.of(first[1], stages).began, file.metadata.num_rows


def rows_behind(source: Source, offset: int, stages: Sequence[str]) -> Iterator[tuple[Entries, Counter[str], int]]:
    """What the rows from `offset` on say, how many were not counted by why, and the offset behind them.

    Raises:
        BadFile: It cannot be read, or has fewer rows.
    """
    with opened_parquet(source) as file:
        if file.metadata.num_rows < offset:
            raise BadFile(f"expected at least the {offset:,} rows that were read before but it was cut shorter")
        for behind, table in _batches(file, offset, ROWS):
            entries, faults = counted(table, stages)
            yield entries, faults, behind


def _batches(file: pq.ParquetFile, offset: int, count: int) -> Iterator[tuple[int, pa.Table]]:
    """The rows from `offset` on, cut at the same places wherever one begins, and how many lie up to their end."""
    names = [name for name in SCHEMA.names if name in file.schema_arrow.names]
    if not any(needed <= set(names) for needed in NEEDED):
        raise BadFile(f"expected the columns time and stage, or answer and label, of a log but there are {names}")
    behind = 0
    for group in range(file.metadata.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if behind + size <= offset:
            behind += size
            continue
        for batch in file.iter_batches(count, row_groups=[group], columns=names):
            behind += len(batch)
            if behind > offset:
                yield behind, _table(batch.slice(max(0, len(batch) - (behind - offset))))


def _table(batch: pa.RecordBatch) -> pa.Table:
    """Rows with all columns of a log, of its types."""
    columns = []
    for field in SCHEMA:
        if field.name not in batch.schema.names:
            columns.append(pa.nulls(len(batch), field.type))
            continue
        try:
            columns.append(batch[field.name].cast(field.type, safe=False))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            kind = batch[field.name].type
            raise BadFile(f"expected the column {field.name} as {field.type} but it is {kind}") from None
    return pa.Table.from_arrays(columns, schema=SCHEMA)


@contextmanager
def log_to(path: Path | None) -> Iterator[Callable[[str], None]]:
    """Yield what lines of a log are given to, one by one: JSON lines are written on at once, Parquet is at the end.

    Parquet is written however the work ends, with the lines that there are until then.  Without a path nothing is.

    Raises:
        ValueError: There is such a Parquet file already, which nothing can be added to.
        OSError: It cannot be written.
    """
    if path is None or path.suffix != ENDING:
        yield (lambda line: None) if path is None else partial(append, path)
        return
    if path.exists():
        raise ValueError(
            f"Expected no {path} yet, as nothing is added to Parquet; a folder of such logs can be watched"
        )
    lines: list[str] = []
    tables: list[pa.Table] = []

    def keep(line: str) -> None:
        lines.append(line)
        if len(lines) == ROWS:
            tables.append(tabled("".join(lines).encode()))
            lines.clear()

    try:
        yield keep
    finally:
        table = pa.concat_tables([*tables, tabled("".join(lines).encode())])
        with atomic_write(path) as temporary:
            pq.write_table(table, temporary, row_group_size=ROWS, compression="zstd", write_page_checksum=True)
